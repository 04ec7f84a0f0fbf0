//! The proxy of the environment variables, as curl reads them. A site system does not use them; they are asked for with
//! `CONTEXT=system` where this is no Windows.

use url::Url;

use super::{Bypass, Choice, Rules, proxy};
use crate::derive::Via;

/// The rules that the variables make. Credentials in them are not used, and get into nothing.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Rules {
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    // Upper-case HTTP_PROXY can be set by a web server from a request's header, so nobody reads it.
    let http = first(&["http_proxy", "all_proxy", "ALL_PROXY"]);
    let https = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
    let bypass = first(&["no_proxy", "NO_PROXY"]).map_or_else(Bypass::default, |list| Bypass::of_no_proxy(&list));
    let choice = match (via(http.as_deref()), via(https.as_deref())) {
        (Ok(http), Ok(https)) => Choice::ByScheme { http, https, bypass },
        (Err(why), _) | (_, Err(why)) => Choice::Unknown(why.to_owned()),
    };
    Rules { origin: "environment variables".to_owned(), choice }
}

fn via(value: Option<&str>) -> Result<Via, &'static str> {
    let Some(value) = value else { return Ok(Via::Direct) };
    let with_scheme = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&with_scheme).map_err(|_| "a proxy in the environment is no URL")?;
    if url.scheme() != "http" {
        return Err("a proxy in the environment is no HTTP proxy in clear");
    }
    let host = url.host_str().ok_or("a proxy in the environment has no host")?;
    // curl's default is 1080, a SOCKS port; what people mean by http:// is 80.
    proxy(&format!("{host}:{}", url.port().unwrap_or(80)), 80).ok_or("a proxy in the environment is no host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(variables: &[(&str, &str)]) -> String {
        read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
            .to_string()
    }

    #[test]
    fn variables_are_read_as_curl_does_and_secrets_left_out() {
        assert_eq!(rules(&[]), "direct (environment variables)");
        let given =
            [("HTTPS_PROXY", "http://svc:hunter2@proxy.contoso.com:8080"), ("no_proxy", "localhost,.contoso.com")];
        let shown = rules(&given);
        assert!(shown.starts_with("http direct, https proxy proxy.contoso.com:8080, past it: "), "{shown}");
        assert!(!shown.contains("hunter2"));
        assert_eq!(rules(&[("HTTP_PROXY", "evil:1")]), "direct (environment variables)", "httpoxy");
        assert_eq!(rules(&[("all_proxy", "proxy:3128")]), "proxy proxy:3128 (environment variables)");
        for bad in ["socks5://proxy:1080", "http://", "https://proxy:443"] {
            assert!(rules(&[("https_proxy", bad)]).starts_with("unknown: "), "{bad}");
        }
    }
}
