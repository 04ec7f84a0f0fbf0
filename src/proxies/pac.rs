//! Proxy auto-configuration: the script is run by `QuickJS`, with the helpers and the bounds of the crate `proxy-watch`.
//!
//! A script is a stranger's program: it has no network but what its host functions give it, a bounded heap and a deadline.
//! Names are not resolved for it (`dnsResolve` answers null), so that evaluating a route asks nobody anything.

use std::time::Duration;

use proxy_watch::ProxyStep;
use proxy_watch::pac::{PacPolicy, PacScript, evaluate};
use url::Url;

use super::proxy;
use crate::derive::Via;
use crate::plan::Target;
use crate::text::printable;

/// A script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pac(PacScript);

impl Pac {
    /// A script of at most a mebibyte, as Windows has it too.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_OCTETS {
            return Err(format!("a script of more than {MAX_OCTETS} octets"));
        }
        if !text.contains("FindProxyForURL") {
            return Err("no script for proxies (it has no FindProxyForURL)".to_owned());
        }
        Ok(Self(PacScript::new(text)))
    }

    /// The first way that the script gives for a target, with its whole answer.
    pub(super) fn route(&self, target: &Target) -> Result<(Via, String), String> {
        let url = Url::parse(&target.to_string()).map_err(|error| error.to_string())?;
        let policy = PacPolicy::new().with_timeout(Some(LIMIT));
        let steps = evaluate(&self.0, &url, &policy).map_err(|error| printable(&error.to_string(), 200))?;
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
    fn what_is_no_script_is_refused() {
        assert!(Pac::new("<html>not found</html>").unwrap_err().contains("no FindProxyForURL"));
        assert!(Pac::new(&"/".repeat(2 << 20)).unwrap_err().contains("octets"));
        assert!(route("function FindProxyForURL( {", "aka.ms").is_err());
        let bomb = "function FindProxyForURL() { var a = 'x'; while (true) a += a; }";
        assert!(route(bomb, "aka.ms").is_err());
    }
}
