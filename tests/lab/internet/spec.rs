//! What the pretend internet shall look like: which names exist, and how each server behaves.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A pretend internet in data. Names are written in lower case.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What servers do, by `host` or `host:port`; `host:port` wins, and who is not named is [`Behaviour::HEALTHY`].
    pub hosts: BTreeMap<String, Behaviour>,
    /// What the DNS server says of a name, where it is not simply "127.0.0.1" or "no such name".
    pub names: BTreeMap<String, Name>,
    /// Which names exist besides those in the tables: each of these, and every name below it.
    pub known: Vec<String>,
    /// The HTTP proxies.
    pub proxies: Vec<ProxySpec>,
    /// Ports at which servers speak plain HTTP.
    pub http_ports: Vec<u16>,
    /// Ports at which servers speak HTTP over TLS.
    pub https_ports: Vec<u16>,
}

/// What a server does with those who come to it.
///
/// At a plain HTTP port, what concerns TLS means: a cut or silence stays what it is, all others answer 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// An ordinary answer with this status.
    Status(u16),
    /// A redirect: status and `Location`.
    Redirect(u16, String),
    /// A certificate of the foreign CA: TLS inspection. HTTP answers 200.
    ForeignCa,
    /// A certificate of the lab CA whose time is over.
    Expired,
    /// A certificate of the lab CA for another name.
    WrongName,
    /// A certificate signed by itself.
    SelfSigned,
    /// A certificate without that of its issuer, which says where that is.
    LeafOnly,
    /// A certificate that names an OCSP responder and its issuer's certificate, at `ocsp.contoso.example`.
    NamesResponder,
    /// A chain with a thousand certificates.
    HugeChain,
    /// TLS with these cipher suites only (IANA names).
    OnlySuites(Vec<String>),
    /// Ends the session in good order if no request came for so long.
    EndsIdle(Duration),
    /// Cuts TCP without a word of TLS if no request came for so long.
    CutsIdle(Duration),
    /// A TCP reset as the answer to the `ClientHello`.
    ResetInHandshake,
    /// The alert `handshake_failure` as the answer to the `ClientHello`.
    TlsAlert,
    /// A `ServerHello` of TLS 1.1 as the answer to the `ClientHello`.
    OldTls,
    /// No answer to the `ClientHello`.
    HandshakeSilence,
    /// A TCP reset as the answer to the HTTP request.
    ResetAfterTls,
    /// No answer to the HTTP request.
    HttpSilence,
    /// Something that is no HTTP, with terminal codes in it.
    HttpGarbage,
    /// A filter's page with this status: in clear, over TLS under the foreign CA, or as a proxy's answer to CONNECT.
    BlockPage(u16),
    /// This status, header lines (each with its line end) and page.
    Answer(u16, String, String),
    /// A file of so many octets; whether a part of it is had is said by the second.
    File(usize, bool),
    /// The issuing CA's certificate, in DER.
    IssuersCertificate,
    /// The certificates of the root and the issuing CA in a bundle, as `openssl crl2pkcs7` makes it.
    IssuersBundle,
    /// 501 without a word of who says so for verbs other than HEAD and GET, else 200.
    PlainVerbs,
    /// HEAD gets this status; GET gets no answer.
    GetSilence(u16),
    /// HEAD gets this status; GET gets a TCP reset.
    GetReset(u16),
    /// HEAD gets this status; GET the beginning of a page, and then a TCP reset.
    GetCut(u16),
    /// An answer whose headers never end.
    EndlessHeaders,
    /// An answer with one header of a mebibyte.
    HugeHeaders,
    /// An answer that comes a byte at a time, and never to its end.
    SlowLoris,
    /// A revocation list: at a path that ends in `/root.crl` that of the lab's root, else that of its issuing CA.
    RevocationList(List),
    /// Nobody listens.
    Refused,
    /// SYNs are dropped.
    Blocked,
    /// The first so many who come get this, and all others are served well.
    AtFirst(usize, Box<Self>),
}

impl Behaviour {
    /// 200 with a certificate of the lab CA.
    pub const HEALTHY: Self = Self::Status(200);
}

/// How well a revocation list is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// From yesterday, for a week.
    Current,
    /// Its next one was to be there two days ago.
    Expired,
    /// Octets that are no list.
    Garbage,
    /// 17 MiB, as it says beforehand.
    TooLarge,
    /// Of no stated length, and without end.
    Endless,
}

/// What the DNS server says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// It has these addresses. Only 127.0.0.1 is served by the lab.
    Addresses(Vec<IpAddr>),
    /// It is another name for this one.
    Alias(String),
    /// It exists and has no address.
    NoData,
    /// It does not exist.
    NxDomain,
    /// The server fails.
    ServFail,
    /// No answer comes.
    Silence,
    /// What comes is no DNS message.
    Garbage,
    /// 127.0.0.1, but over UDP the answer is cut short, so that one must ask again over TCP.
    TcpOnly,
}

/// An HTTP proxy, for CONNECT and for plain HTTP. It reaches the lab's own servers and nobody else.
#[derive(Debug, Clone)]
pub struct ProxySpec {
    /// Its name.
    pub name: String,
    /// The port at which its clients think it is.
    pub port: u16,
    /// How it treats everybody.
    pub manner: Manner,
    /// What servers do for those who come through this proxy, before [`Spec::hosts`] is looked at. A
    /// [`Behaviour::BlockPage`] is the proxy's own refusal.
    pub hosts: BTreeMap<String, Behaviour>,
}

/// How a proxy treats everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Lets everybody through.
    Open,
    /// Answers 407 to everybody.
    WantsCredentials,
    /// Lets through who signs in with Basic and this value: user, colon and password in Base64.
    WantsBasic(&'static str),
    /// Answers 407 to everybody, and offers Negotiate and NTLM alone.
    WantsNtlm,
    /// Ends TLS itself, with a certificate of the foreign CA.
    Inspecting,
    /// Never answers.
    Silent,
    /// Answers with something that is no HTTP.
    Garbage,
}

impl Default for Spec {
    /// HTTP on port 80, HTTPS on port 443, and no name exists yet but those of the lab's revocation lists.
    fn default() -> Self {
        let lists = ["crl.contoso.example", "root-crl.contoso.example"];
        Self {
            hosts: lists.map(|host| (host.to_owned(), Behaviour::RevocationList(List::Current))).into(),
            names: BTreeMap::new(),
            known: Vec::new(),
            proxies: Vec::new(),
            http_ports: vec![80],
            https_ports: vec![443],
        }
    }
}

impl Spec {
    /// Adds a server, by `host` or `host:port`.
    #[must_use]
    pub fn host(mut self, host: &str, behaviour: Behaviour) -> Self {
        self.hosts.insert(host.to_owned(), behaviour);
        self
    }

    /// Adds what the DNS server says of a name.
    #[must_use]
    pub fn name(mut self, name: &str, answer: Name) -> Self {
        self.names.insert(name.to_owned(), answer);
        self
    }

    /// Lets a name and everything below it exist.
    #[must_use]
    pub fn known(mut self, suffix: &str) -> Self {
        self.known.push(suffix.to_owned());
        self
    }

    /// Lets servers speak plain HTTP at this port too.
    #[must_use]
    pub fn http_port(mut self, port: u16) -> Self {
        self.http_ports.push(port);
        self
    }

    /// Lets servers speak HTTP over TLS at this port too.
    #[must_use]
    pub fn https_port(mut self, port: u16) -> Self {
        self.https_ports.push(port);
        self
    }

    /// Adds a proxy.
    #[must_use]
    pub fn proxy(mut self, proxy: ProxySpec) -> Self {
        self.proxies.push(proxy);
        self
    }

    /// What the server does, as seen through this proxy or directly.
    pub(super) fn behaviour(&self, via: Option<&ProxySpec>, host: &str, port: u16) -> Behaviour {
        via.and_then(|proxy| proxy.behaviour(host, port))
            .or_else(|| look_up(&self.hosts, host, port))
            .unwrap_or(Behaviour::HEALTHY)
    }

    /// The aliases that lead from the name to the end, in order, and what is there.
    pub(super) fn resolve(&self, name: &str) -> (Vec<String>, Name) {
        let mut aliases = Vec::new();
        let mut answer = self.answer(name);
        while let Name::Alias(target) = answer {
            answer = if aliases.len() < 8 { self.answer(&target) } else { Name::ServFail };
            aliases.push(target);
        }
        (aliases, answer)
    }

    fn answer(&self, name: &str) -> Name {
        match self.names.get(name) {
            Some(answer) => answer.clone(),
            None if self.exists(name) => Name::Addresses(vec![Ipv4Addr::LOCALHOST.into()]),
            None => Name::NxDomain,
        }
    }

    fn exists(&self, name: &str) -> bool {
        let below = |suffix: &String| name.strip_suffix(suffix.as_str()).is_some_and(|head| head.ends_with('.'));
        self.known.iter().any(|suffix| suffix == name || below(suffix))
            || self.proxies.iter().any(|proxy| proxy.name == name)
            || self.hosts.keys().any(|host| host.split(':').next() == Some(name))
    }
}

impl ProxySpec {
    /// An open proxy.
    pub fn new(name: &str, port: u16) -> Self {
        Self { name: name.to_owned(), port, manner: Manner::Open, hosts: BTreeMap::new() }
    }

    /// With this manner.
    #[must_use]
    pub fn manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }

    /// With this behaviour of a server, by `host` or `host:port`, for those who come through the proxy.
    #[must_use]
    pub fn host(mut self, host: &str, behaviour: Behaviour) -> Self {
        self.hosts.insert(host.to_owned(), behaviour);
        self
    }

    /// What the server does for those who come through the proxy, if that differs.
    pub(super) fn behaviour(&self, host: &str, port: u16) -> Option<Behaviour> {
        look_up(&self.hosts, host, port)
    }
}

fn look_up(table: &BTreeMap<String, Behaviour>, host: &str, port: u16) -> Option<Behaviour> {
    table.get(&format!("{host}:{port}")).or_else(|| table.get(host)).cloned()
}
