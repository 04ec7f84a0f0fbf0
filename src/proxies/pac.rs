//! Proxy auto-configuration: the script is run by `QuickJS`, with the helpers and the bounds of the crate `proxy-watch`.
//!
//! A script is a stranger's program: it has no network but what its host functions give it, a bounded heap and a deadline.
//! Names are not resolved for it (`dnsResolve` answers null), so that evaluating a route asks nobody anything.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use proxy_watch::pac::{PacPolicy, PacScript, evaluate};
use proxy_watch::{Error, ProxyStep};
use url::Url;

use super::proxy;
use crate::derive::Via;
use crate::plan::Target;
use crate::text::printable;

/// A script. One that did not end is asked no more, and its clones are not: each target would wait for it anew.
#[derive(Debug, Clone)]
pub struct Pac {
    script: PacScript,
    given_up: Arc<OnceLock<String>>,
}

impl PartialEq for Pac {
    fn eq(&self, other: &Self) -> bool {
        self.script == other.script
    }
}

impl Eq for Pac {}

impl Pac {
    /// A script of at most a mebibyte, as Windows has it too.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_OCTETS {
            return Err(format!("a script of more than {MAX_OCTETS} octets"));
        }
        if !text.contains("FindProxyForURL") {
            return Err("no script for proxies (it has no FindProxyForURL)".to_owned());
        }
        Ok(Self { script: PacScript::new(text), given_up: Arc::default() })
    }

    /// The first way that the script gives for a target, with its whole answer.
    pub(super) fn route(&self, target: &Target) -> Result<(Via, String), String> {
        if let Some(why) = self.given_up.get() {
            return Err(why.clone());
        }
        let url = Url::parse(&target.to_string()).map_err(|error| error.to_string())?;
        let policy = PacPolicy::new().with_timeout(Some(LIMIT));
        let steps = evaluate(&self.script, &url, &policy).map_err(|error| {
            let why = printable(&error.to_string(), 200);
            if matches!(error, Error::PacTimeout { .. }) {
                // Another one may have said so before.
                let _ = self.given_up.set(format!("it did not end for {}, and is asked no more ({why})", target.host));
            }
            why
        })?;
        let answer = printable(&steps.iter().map(words).collect::<Vec<_>>().join("; "), 200);
        let via = match steps.first() {
            None => return Err("its answer is empty".to_owned()),
            Some(ProxyStep::Direct) => Via::Direct,
            Some(ProxyStep::Http(endpoint)) => {
                proxy(&endpoint.authority(), endpoint.port).ok_or("its answer names no host")?
            }
            Some(_) => return Err(format!("it answered \"{answer}\", which is no HTTP proxy in clear")),
        };
        Ok((via, answer))
    }
}

/// Fetches a script over plain HTTP, directly, with at most [`MAX_OCTETS`].
pub async fn fetch_script(url: &str, limit: Duration) -> Result<String, String> {
    let fetch = async {
        let client = reqwest::Client::builder().no_proxy().timeout(limit).build()?;
        let mut response = client.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_OCTETS {
                break;
            }
        }
        Ok::<_, reqwest::Error>(body)
    };
    // The words of reqwest name the URL, which the caller says anyway.
    let body = fetch.await.map_err(|error| printable(&error.without_url().to_string(), 200))?;
    String::from_utf8(body).map_err(|_| "it is no text (UTF-8)".to_owned())
}

/// As the script writes it, without credentials.
fn words(step: &ProxyStep) -> String {
    let (word, endpoint) = match step {
        ProxyStep::Direct => return "DIRECT".to_owned(),
        ProxyStep::Http(endpoint) => ("PROXY", endpoint),
        ProxyStep::Https(endpoint) => ("HTTPS", endpoint),
        ProxyStep::Socks4(endpoint) => ("SOCKS4", endpoint),
        ProxyStep::Socks5(endpoint) => ("SOCKS5", endpoint),
        other => return other.endpoint().map_or_else(String::new, proxy_watch::ProxyEndpoint::authority),
    };
    format!("{word} {}", endpoint.authority())
}

const LIMIT: Duration = Duration::from_secs(2);
const MAX_OCTETS: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::super::{Choice, Rules};
    use super::*;
    use crate::host::{HostName, Scheme};

    fn route(script: &str, host: &str) -> Result<(Via, String), String> {
        let host = HostName::parse(host).unwrap();
        let target = Target { scheme: Scheme::Https, host, port: 443, path: "/x".to_owned() };
        Pac::new(script).and_then(|pac| pac.route(&target))
    }

    #[test]
    fn the_first_way_of_the_script_is_taken_and_its_answer_kept() {
        let script = r#"
            function FindProxyForURL(url, host) {
                if (isPlainHostName(host) || dnsDomainIs(host, ".contoso.com")) return "DIRECT";
                if (shExpMatch(url, "https://*.microsoft.com/*")) return "PROXY ms.contoso.com:3128; DIRECT";
                if (host == "socks.example") return "SOCKS5 s.contoso.com:1080";
                if (host == "none.example") return "";
                if (host == "broken.example") return undefined.x;
                while (host == "endless.example") {}
                return "PROXY proxy.contoso.com:8080";
            }"#;
        let shown = |host| route(script, host).map(|(via, answer)| format!("{via} <- {answer}"));
        assert_eq!(shown("cm01.contoso.com").unwrap(), "direct <- DIRECT");
        let ms = shown("download.microsoft.com").unwrap();
        assert_eq!(ms, "proxy ms.contoso.com:3128 <- PROXY ms.contoso.com:3128; DIRECT");
        assert_eq!(shown("aka.ms").unwrap(), "proxy proxy.contoso.com:8080 <- PROXY proxy.contoso.com:8080");
        assert!(shown("socks.example").unwrap_err().contains("no HTTP proxy in clear"));
        for host in ["broken.example", "endless.example"] {
            assert!(shown(host).is_err(), "{host}");
        }
    }

    #[test]
    fn a_script_that_did_not_end_is_asked_no_more_and_gives_no_way() {
        let target = |host: &str| {
            let host = HostName::parse(host).unwrap();
            Target { scheme: Scheme::Https, host, port: 443, path: "/".to_owned() }
        };
        let text = r#"function FindProxyForURL(url, host) {
            if (host == "broken.example") return undefined.x;
            while (host == "endless.example") {}
            return "DIRECT";
        }"#;
        let pac = Pac::new(text).unwrap();
        assert!(pac.route(&target("broken.example")).is_err());
        assert_eq!(pac.route(&target("aka.ms")).unwrap().0, Via::Direct, "an error is one of its target");
        let rules = Rules { origin: "script".to_owned(), choice: Choice::Script(pac.clone()) };
        assert_eq!(rules.route(&target("endless.example")).0, Via::Unknown);
        let (via, words) = rules.route(&target("aka.ms"));
        assert_eq!(via, Via::Unknown);
        assert!(words.contains("it did not end for endless.example, and is asked no more"), "{words}");
        assert!(pac.route(&target("aka.ms")).is_err(), "nor is its clone");
        assert_eq!(pac, Pac::new(text).unwrap());
    }

    #[test]
    fn what_is_no_script_is_refused() {
        assert!(Pac::new("<html>not found</html>").unwrap_err().contains("no FindProxyForURL"));
        assert!(Pac::new(&"/".repeat(2 << 20)).unwrap_err().contains("octets"));
        assert!(route("function FindProxyForURL( {", "aka.ms").is_err());
        let bomb = "function FindProxyForURL() { var a = 'x'; while (true) a += a; }";
        assert!(route(bomb, "aka.ms").is_err());
    }
}
