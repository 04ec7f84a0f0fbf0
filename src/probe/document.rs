//! One document over plain HTTP, by a general client: what is wanted here is the document, not each layer of the way.
//!
//! Names are resolved and dialled as the probe does it. No credentials, no cookies, no encodings; redirects lead only
//! to other names over plain HTTP, and everything is bounded in size, steps and time.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{HOST, LOCATION};
use reqwest::{Client, Proxy, Response, StatusCode, redirect, retry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use url::{Position, Url};

use super::layer::{io_words, is_cut, telling_headers, without_signature};
use super::route::Route;
use super::{Failure, FailureCode, Header, NameEvidence, Settings, Ways, block_page, dns, oddity, proxy, tcp};
use crate::derive::Via;
use crate::host::{HostName, HostOrAddress, Scheme};
use crate::text::printable;

/// What was seen while a document was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentEvidence {
    /// The resolution of the last name that was dialled: the server's or the proxy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<NameEvidence>,
    /// Where redirects led, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<String>,
    /// The last status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers of the last answer that tell who answered, names in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// The length of the document in bytes, once all of it was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
}

/// The URL if it is one that is fetched, else why not.
pub(super) fn target(text: &str) -> Result<Url, String> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    match scheme.as_str() {
        "http" => {}
        "https" => return Err("over TLS: its own certificate would need such a list too".to_owned()),
        "ldap" | "ldaps" => return Err("in a directory (LDAP)".to_owned()),
        _ => return Err("no http URL".to_owned()),
    }
    // What was made printable or cut is no longer what the certificate says.
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err("no usable URL: too long, or characters that no URL has".to_owned());
    }
    let mut url = Url::parse(text).map_err(|error| format!("no usable URL: {error}"))?;
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with credentials".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    match HostName::parse(host) {
        Ok(name) if name.as_str() == "localhost" || name.as_str().ends_with(".localhost") => {
            Err("a name of this machine itself".to_owned())
        }
        Ok(_) => Ok(url),
        Err(error) => Err(format!("no usable host: {error}")),
    }
}

/// Fetches the document once. `url` comes from [`target`], and `via` is its way; each redirect has its own. What was seen
/// stands in `evidence`, also where it fails.
pub(super) async fn fetch(
    url: Url,
    via: Via,
    ways: &Ways,
    settings: &Settings,
    evidence: &mut DocumentEvidence,
) -> Result<Vec<u8>, Failure> {
    let operation = format!("GET {}", without_signature(url.as_str()));
    let limits = &settings.deadlines;
    // A document may be large and the way to it long.
    let whole = limits.name + limits.tcp + limits.http * PATIENCE;
    match timeout(whole, follow(url, via, ways, settings, evidence)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new(FailureCode::HttpTimeout, &format!("{operation}: not done within {whole:?}"))),
    }
}

async fn follow(
    mut url: Url,
    mut via: Via,
    ways: &Ways,
    settings: &Settings,
    evidence: &mut DocumentEvidence,
) -> Result<Vec<u8>, Failure> {
    let mut visited = Vec::new();
    loop {
        let hop = Hop { operation: format!("GET {}", without_signature(url.as_str())), via: &via, settings };
        let response = hop.ask(&url, evidence).await?;
        let Some(location) = hop.judge(&response, evidence)? else { return hop.read(response, evidence).await };
        let next = location.and_then(|location| url.join(&location).ok()).map(String::from);
        let Some(next) = next else { return Err(hop.failure(FailureCode::HttpRedirect, "a redirect to nowhere")) };
        let shown = printable(without_signature(&next), MAX_LOCATION);
        evidence.redirects.push(shown.clone());
        let refused = |why: &str| Err(hop.failure(FailureCode::HttpRedirect, &format!("redirected to {shown}: {why}")));
        visited.push(std::mem::replace(
            &mut url,
            match target(&next) {
                Ok(next) => next,
                Err(why) => return refused(&format!("not followed, {why}")),
            },
        ));
        if visited.contains(&url) {
            return refused("a circle");
        }
        if visited.len() > MAX_REDIRECTS {
            return refused(&format!("more than {MAX_REDIRECTS} redirects"));
        }
        let (next, words) = ways.to(&url).await;
        if next == Via::Unknown {
            return refused(&format!("not followed, which proxy is used is unknown: {words}"));
        }
        via = next;
    }
}

/// One request on the way to the document.
struct Hop<'a> {
    operation: String,
    via: &'a Via,
    settings: &'a Settings,
}

impl Hop<'_> {
    /// The head of the answer.
    async fn ask(&self, url: &Url, evidence: &mut DocumentEvidence) -> Result<Response, Failure> {
        let host = HostName::parse(url.host_str().unwrap_or_default())
            .map_err(|error| self.failure(FailureCode::Internal, &error.to_string()))?;
        let port = url.port_or_known_default().unwrap_or(80);
        let Some(route) = Route::to(Scheme::Http, &host, port, self.via, &self.settings.connect_to) else {
            return Err(self.failure(FailureCode::Internal, "the route is unknown, so nothing was tried"));
        };
        let addresses = self.addresses(&route, evidence).await?;
        let client = self
            .client(&route, &host, &addresses)
            .map_err(|error| self.failure(FailureCode::Internal, &error.without_url().to_string()))?;
        let request = if route.proxied {
            client.get(url.clone())
        } else {
            // The client dials the port of the address only where the URL has none.
            let mut dial = url.clone();
            let _ = dial.set_port(None); // a URL with a host takes any port
            client.get(dial).header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        };
        let limits = &self.settings.deadlines;
        match timeout(limits.tcp + limits.http, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.explain(&error, addresses.first().copied())),
            Err(_) => Err(Failure::silence(FailureCode::HttpTimeout, &self.operation, limits.http)),
        }
    }

    /// Where to connect, as the rules say.
    async fn addresses(&self, route: &Route, evidence: &mut DocumentEvidence) -> Result<Vec<SocketAddr>, Failure> {
        let found = match &route.dial {
            HostOrAddress::Address(address) => {
                evidence.name = Some(route.address_evidence(*address));
                vec![*address]
            }
            HostOrAddress::Name(name) => {
                let (server, rule) = (self.settings.dns_server, route.rule.clone());
                let seen = dns::resolve(name, server, rule, self.settings.deadlines.name).await;
                evidence.name = seen.evidence;
                let mut found = seen.result?;
                if route.rule.is_none() && !route.proxied {
                    // Who runs a server must not choose what is asked of this machine itself, whatever its name is.
                    found.retain(|address| !oddity::is_of_this_machine_or_link(*address));
                    if found.is_empty() {
                        let what = format!("{name} has addresses of this machine or link alone, which are not asked");
                        return Err(self.failure(FailureCode::NameSinkhole, &what));
                    }
                }
                found
            }
        };
        let bound = self.settings.bounds.addresses.max(1);
        Ok(found.into_iter().take(bound).map(|address| SocketAddr::new(address, route.port)).collect())
    }

    /// A client for one request: it knows one name, and no proxy but the one of the route.
    fn client(&self, route: &Route, host: &HostName, addresses: &[SocketAddr]) -> reqwest::Result<Client> {
        let client = Client::builder()
            .user_agent(super::USER_AGENT)
            .no_proxy()
            .referer(false)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(self.settings.deadlines.tcp);
        if route.proxied {
            let proxy = Proxy::http(format!("http://{PROXY}"))?;
            return client.proxy(proxy).resolve_to_addrs(PROXY, addresses).build();
        }
        client.resolve_to_addrs(host.as_str(), addresses).build()
    }

    /// What the head of the answer means: `None` that the document follows, `Some` where it redirects to.
    #[expect(clippy::option_option, reason = "a redirect may lack its address")]
    fn judge(&self, response: &Response, evidence: &mut DocumentEvidence) -> Result<Option<Option<String>>, Failure> {
        let status = response.status();
        evidence.status = Some(status.as_u16());
        evidence.headers = telling_headers(response.headers().iter().map(|(n, v)| (n.as_str(), v.as_bytes())));
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED && matches!(self.via, Via::Proxy { .. }) {
            let words = format!("407, the proxy wants credentials{}", proxy::offered(&evidence.headers));
            return Err(self.failure(FailureCode::ProxyAuthRequired, &words));
        }
        if let Some(mark) = block_page::mark_in_head(&evidence.headers) {
            return Err(self.failure(FailureCode::HttpBlockPage, &format!("status {}, {mark}", status.as_u16())));
        }
        match status.as_u16() {
            200 => Ok(None),
            301 | 302 | 303 | 307 | 308 => {
                let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                Ok(Some(location.map(str::to_owned)))
            }
            status => Err(self.failure(FailureCode::HttpStatus, &format!("status {status}"))),
        }
    }

    /// The document, as long as it may be.
    async fn read(&self, mut response: Response, evidence: &mut DocumentEvidence) -> Result<Vec<u8>, Failure> {
        let too_large = || self.failure(FailureCode::DocumentTooLarge, &format!("more than {MAX_BYTES} bytes"));
        let announced = response.content_length().unwrap_or_default();
        if announced > MAX_BYTES as u64 {
            return Err(too_large());
        }
        let limit = self.settings.deadlines.http;
        let mut document = Vec::new();
        loop {
            match timeout(limit, response.chunk()).await {
                Ok(Ok(Some(chunk))) if document.len() + chunk.len() > MAX_BYTES => return Err(too_large()),
                Ok(Ok(Some(chunk))) => document.extend_from_slice(&chunk),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => return Err(self.explain(&error, None)),
                Err(_) => return Err(Failure::silence(FailureCode::HttpTimeout, &self.operation, limit)),
            }
        }
        evidence.bytes = Some(document.len());
        Ok(document)
    }

    /// What an error of the client means. `dialled` is the first address, as long as none was reached.
    fn explain(&self, error: &reqwest::Error, dialled: Option<SocketAddr>) -> Failure {
        let (mut cause, mut deepest, mut http) = (error.source(), None, None);
        let mut words = String::new();
        while let Some(error) = cause {
            words = error.to_string();
            deepest = error.downcast_ref::<io::Error>().or(deepest);
            http = error.downcast_ref::<hyper::Error>().or(http);
            cause = error.source();
        }
        if let Some(address) = dialled.filter(|_| error.is_connect()) {
            let connect = format!("connect to {address}");
            return match deepest {
                Some(error) if !is_silence(error) => {
                    self.failure(tcp::code_of(error, address), &format!("{connect}: {}", io_words(error)))
                }
                _ if error.is_timeout() => {
                    let limit: Duration = self.settings.deadlines.tcp;
                    self.failure(FailureCode::TcpTimeout, &format!("{connect}: no answer within {limit:?}"))
                }
                _ => self.failure(FailureCode::TcpError, &format!("{connect}: {words}")),
            };
        }
        let cut = deepest.is_some_and(is_cut) || http.is_some_and(hyper::Error::is_incomplete_message);
        if cut { self.failure(FailureCode::HttpReset, &words) } else { self.failure(FailureCode::HttpProtocol, &words) }
    }

    fn failure(&self, code: FailureCode, what: &str) -> Failure {
        Failure::new(code, &format!("{}: {what}", self.operation))
    }
}

fn is_silence(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// The name by which the client knows the proxy. Nobody else sees it: of a request over plain HTTP, a proxy gets the
/// target's names only.
const PROXY: &str = "proxy.invalid";
/// The largest document, in bytes.
const MAX_BYTES: usize = 16 << 20;
const MAX_REDIRECTS: usize = 5;
const MAX_LOCATION: usize = 300;
/// How many times the deadline of HTTP a whole document may take.
const PATIENCE: u32 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_names_over_plain_http_are_fetched() {
        assert_eq!(target("HTTP://CRL.Contoso.com:80/a.crl#x").unwrap().as_str(), "http://crl.contoso.com/a.crl");
        for (url, why) in [
            ("https://crl.contoso.com/a.crl", "over TLS"),
            ("ldap:///CN=Contoso CA,DC=contoso,DC=com?certificateRevocationList", "LDAP"),
            ("file:///etc/passwd", "no http URL"),
            ("", "no http URL"),
            ("http://10.0.0.1/a.crl", "an address"),
            ("http://[::1]/a.crl", "no usable host"),
            ("http://2130706433/a.crl", "an address"),
            ("http://localhost/a.crl", "this machine itself"),
            ("http://reader@crl.contoso.com/a.crl", "credentials"),
            ("http://crl.contoso.com\\u{1b}/a.crl", "characters that no URL has"),
            ("http://crl.contoso.com/aaa…", "too long"),
            ("http://crl.contoso.com:99999/", "no usable URL"),
        ] {
            let told = target(url).unwrap_err();
            assert!(told.contains(why), "{url}: {told}");
        }
    }

    proptest! {
        #[test]
        fn no_url_panics(text in ".*", rest in "[ -~]*") {
            let _ = target(&text);
            let _ = target(&format!("http:{rest}"));
        }
    }
}
