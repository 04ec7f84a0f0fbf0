//! An observation: what one probe saw, layer by layer. It is never edited.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::oddity::Oddity;
use super::{Further, Redirect};
use crate::plan::ProbeId;

/// What one probe saw. The stages stand in the order in which they are gone through; after the first that failed,
/// the others are `not_tried`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// The probe of the plan.
    pub probe: ProbeId,
    /// When it began.
    pub started: Timestamp,
    /// Resolution of the name that is dialled: the target's, or the proxy's (a proxy resolves the target itself).
    pub name: Stage<NameEvidence>,
    /// TCP connections, one for each address.
    pub tcp: Stage<TcpEvidence>,
    /// HTTP CONNECT through the proxy; `not_needed` on a direct route and for plain HTTP.
    pub connect: Stage<ConnectEvidence>,
    /// The TLS handshake; `not_needed` for plain HTTP.
    pub tls: Stage<TlsEvidence>,
    /// The judgement of the recorded chain, after the handshake; `not_needed` for plain HTTP.
    pub trust: Stage<TrustEvidence>,
    /// One HTTP request.
    pub http: Stage<HttpEvidence>,
    /// What the plan asks for besides the layers.
    #[serde(default, skip_serializing_if = "Further::is_empty")]
    pub further: Further,
    /// The probe whose answer led here, if this is a hop of a redirect and no probe of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirected_from: Option<ProbeId>,
    /// The tries before this one, oldest first: each failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Try>,
}

/// A try that failed and was followed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Try {
    /// Where it failed.
    pub stage: StageName,
    /// How.
    pub failure: Failure,
}

impl Observation {
    /// An observation in which nothing was tried yet.
    pub fn not_tried(probe: ProbeId, started: Timestamp) -> Self {
        Self {
            probe,
            started,
            name: Stage::not_tried(),
            tcp: Stage::not_tried(),
            connect: Stage::not_tried(),
            tls: Stage::not_tried(),
            trust: Stage::not_tried(),
            http: Stage::not_tried(),
            further: Further::default(),
            redirected_from: None,
            earlier: Vec::new(),
        }
    }

    /// The first stage that failed, with its failure.
    pub fn first_failure(&self) -> Option<(StageName, &Failure)> {
        self.outcomes().into_iter().find_map(|(name, _, failure)| failure.map(|f| (name, f)))
    }

    /// Whether the tries ended differently: one failed and another did not, or in another way.
    pub fn flapped(&self) -> bool {
        let last = self.first_failure().map(|(stage, failure)| (stage, failure.code));
        self.earlier.iter().any(|earlier| Some((earlier.stage, earlier.failure.code)) != last)
    }

    /// Whether a stage was interrupted, or nothing was tried at all.
    pub fn was_cancelled(&self) -> bool {
        let outcomes = self.outcomes();
        outcomes.iter().any(|(_, outcome, _)| *outcome == Outcome::Cancelled)
            || outcomes.iter().all(|(_, outcome, _)| *outcome == Outcome::NotTried)
    }

    /// Whether every stage is ok or not needed.
    pub fn reached(&self) -> bool {
        self.outcomes().iter().all(|(_, outcome, _)| matches!(outcome, Outcome::Ok | Outcome::NotNeeded))
    }

    fn outcomes(&self) -> [(StageName, Outcome, Option<&Failure>); 6] {
        [
            (StageName::Name, self.name.outcome, self.name.failure.as_ref()),
            (StageName::Tcp, self.tcp.outcome, self.tcp.failure.as_ref()),
            (StageName::Connect, self.connect.outcome, self.connect.failure.as_ref()),
            (StageName::Tls, self.tls.outcome, self.tls.failure.as_ref()),
            (StageName::Trust, self.trust.outcome, self.trust.failure.as_ref()),
            (StageName::Http, self.http.outcome, self.http.failure.as_ref()),
        ]
    }
}

/// One layer of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stage<E> {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in microseconds, without the time in a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What was seen, also where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<E>,
}

impl<E> Stage<E> {
    /// Not tried, because an earlier stage failed.
    pub fn not_tried() -> Self {
        Self { outcome: Outcome::NotTried, took_us: None, failure: None, evidence: None }
    }

    /// Has no place on this route or in this scheme.
    pub fn not_needed() -> Self {
        Self { outcome: Outcome::NotNeeded, took_us: None, failure: None, evidence: None }
    }
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Ok,
    /// Not as it should; see the failure.
    Failed,
    /// An earlier stage failed.
    NotTried,
    /// Has no place on this route or in this scheme.
    NotNeeded,
    /// The run was interrupted.
    Cancelled,
}

/// The stages by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// Name resolution.
    Name,
    /// TCP.
    Tcp,
    /// HTTP CONNECT.
    Connect,
    /// TLS handshake.
    Tls,
    /// Certificate chain.
    Trust,
    /// HTTP.
    Http,
}

/// Why a stage failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind.
    pub code: FailureCode,
    /// What exactly was seen: an operation, an address, an error of the system. Safe to print.
    pub detail: String,
}

/// The kinds of failure, each the answer of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// The name does not exist.
    NameNxdomain,
    /// The DNS server failed or refused.
    NameServfail,
    /// The DNS server did not answer.
    NameTimeout,
    /// Nobody answers DNS at the port of the server: the port refuses.
    NameServerRefused,
    /// The name exists and has no address.
    NameNoData,
    /// The resolver answered with something that is no answer.
    NameError,
    /// Every address is one to which DNS filters send blocked names, such as 0.0.0.0.
    NameSinkhole,
    /// Every address refused the connection.
    TcpRefused,
    /// No address answered.
    TcpTimeout,
    /// The network said that there is no way.
    TcpUnreachable,
    /// This machine itself forbids it: its firewall, a security product on it, or a prohibiting route.
    TcpForbidden,
    /// The connection was reset as soon as it was open. Only of an attempt: the stage above says what that means to it.
    TcpReset,
    /// Addresses failed in different ways, or in another way; see the attempts.
    TcpError,
    /// The proxy wants credentials (407).
    ProxyAuthRequired,
    /// The proxy refused the account that was given for it (407 again).
    ProxyAuthFailed,
    /// The proxy answered CONNECT with another status than 2xx, or plain HTTP with an error that nothing shows to be the
    /// endpoint's.
    ProxyRefused,
    /// The proxy did not answer CONNECT.
    ProxyTimeout,
    /// The proxy closed the connection or answered with something that is no HTTP.
    ProxyBadReply,
    /// The connection was cut during the TLS handshake.
    TlsReset,
    /// The TLS handshake did not end.
    TlsTimeout,
    /// The server sent a TLS alert.
    TlsAlert,
    /// The server speaks an older TLS than 1.2 alone.
    TlsVersion,
    /// What came back is no TLS, or broke its rules.
    TlsProtocol,
    /// The chain ends at a root that this machine does not trust, and the public programmes do not either.
    CertificateUntrusted,
    /// The chain ends at a root of the public programmes, which this machine lacks.
    CertificateRootMissing,
    /// One certificate, signed by itself.
    CertificateSelfSigned,
    /// The server did not send the certificates between its own and the root.
    CertificateIncomplete,
    /// The certificate is expired or not yet valid.
    CertificateExpired,
    /// Its authority has revoked the certificate.
    CertificateRevoked,
    /// The certificate is for another name.
    CertificateWrongName,
    /// The chain is faulty in another way.
    CertificateInvalid,
    /// The trust check did not end.
    CertificateTimeout,
    /// An HTTP status of which the product says that it does not count as reached.
    HttpStatus,
    /// A page that a firewall, filter or proxy put in the place of the answer.
    HttpBlockPage,
    /// No HTTP answer came.
    HttpTimeout,
    /// The connection was cut before an HTTP answer.
    HttpReset,
    /// The answer is no HTTP.
    HttpProtocol,
    /// A redirect led in a circle, too far, or to where it is not followed.
    HttpRedirect,
    /// A document is larger than any real one.
    DocumentTooLarge,
    /// What came is not the document that it should be.
    DocumentInvalid,
    /// The document is out of date or not yet valid.
    DocumentExpired,
    /// The probe itself broke, by a defect of this program or because this machine had no file descriptor or socket
    /// left: nothing is known about the endpoint.
    Internal,
}

/// What name resolution saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameEvidence {
    /// The name that was asked for.
    pub asked: String,
    /// `system`, or the DNS server with its port; `none` where a rule gives the address (the stage is then not needed).
    pub resolver: String,
    /// The `--connect-to` rule that changed the name or the port, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<String>,
    /// The DNS response code, where the resolver shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_code: Option<String>,
    /// The chain of canonical names, where the resolver shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_names: Vec<String>,
    /// All addresses, in the order of the answer.
    pub addresses: Vec<IpAddr>,
    /// What each question came to, where the resolver shows it: A and AAAA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<NameAnswer>,
    /// Addresses that a public name should not have. Not looked for where a `--connect-to` rule is in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oddities: Vec<Oddity>,
}

/// What one question to a DNS server came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameAnswer {
    /// `A` or `AAAA`.
    pub record: String,
    /// The DNS response code, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_code: Option<String>,
    /// What the server says of a refusal (extended DNS error, RFC 8914). Safe to print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_error: Option<String>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Number of addresses.
    pub addresses: usize,
}

/// What TCP saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpEvidence {
    /// One for each address that was tried.
    pub attempts: Vec<TcpAttempt>,
    /// Addresses that were not tried to the end, because there are more than the bound or the run was interrupted.
    pub untried: usize,
    /// The one that carried what came after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<SocketAddr>,
}

/// One TCP connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpAttempt {
    /// Where to.
    pub address: SocketAddr,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Why it failed; `None` if it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What the proxy answered to CONNECT.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectEvidence {
    /// The status, if there was one.
    pub status: Option<u16>,
    /// Headers that tell who answered (`Via`, `Server`, `Proxy-Authenticate` and the like), names in lower case.
    pub headers: Vec<Header>,
    /// Which product the proxy is, by what it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The account that was used. Safe to print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How it signed in: `NTLM`, `Negotiate` (with NTLM in it) or `Basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}

/// A header that was kept. Safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// Cut to a bounded length.
    pub value: String,
}

/// What TLS saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsEvidence {
    /// Such as `TLSv1.3`; `None` if the handshake did not get so far.
    pub version: Option<String>,
    /// The cipher suite in the words of the standard.
    pub suite: Option<String>,
    /// The application protocol that was agreed on.
    pub alpn: Option<String>,
    /// The certificates as the server sent them, its own first.
    pub chain: Vec<Certificate>,
}

/// A certificate as it was served. Texts are safe to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// The DNS names it is for.
    pub names: Vec<String>,
    /// First moment of validity.
    pub not_before: Option<Timestamp>,
    /// Last moment of validity.
    pub not_after: Option<Timestamp>,
    /// SHA-256 over the DER, lower-case hexadecimal.
    pub sha256: String,
    /// Where its revocation list is (CRL distribution points), as it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crl_urls: Vec<String>,
    /// Where to ask for its status (authority information access, OCSP), as it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp_urls: Vec<String>,
    /// The request for its status (DER in base64), where it names somebody to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocsp_request: Option<String>,
    /// Where its issuer's certificate is (authority information access, CA issuers), as it says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_urls: Vec<String>,
}

/// How the chain was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustEvidence {
    /// Against which roots.
    pub roots: String,
    /// Who issued it; `None` if the check did not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuance: Option<Issuance>,
    /// Issuers' certificates that the server left out and that were fetched from where the certificate before says, as
    /// Windows does it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetched: Vec<FetchedIssuer>,
}

/// A certificate that a server left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FetchedIssuer {
    /// Where it was.
    pub url: String,
    /// What it says.
    pub certificate: Certificate,
}

/// Who issued a chain. It is judged apart from whether this machine trusts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Issuance {
    /// An authority of the public programmes, or one of Microsoft's that is known.
    Public,
    /// Somebody else: a TLS inspection, or an authority of the endpoint's owner.
    Private,
    /// It does not show: the chain is not whole, or faulty in another way.
    Untold,
}

/// What HTTP saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpEvidence {
    /// `HEAD` or `GET`.
    pub method: String,
    /// The status.
    pub status: Option<u16>,
    /// Headers that tell who answered and where it leads, names in lower case.
    pub headers: Vec<Header>,
    /// Where the answer sends its readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// What made the answer look like a block page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_page: Option<String>,
}
