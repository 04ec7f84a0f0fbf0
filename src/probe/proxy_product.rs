//! Which product a proxy is, by what it says of itself.

use super::Header;
use super::layer::header;

/// The product in words, with its own words where it is none that is known. `None` if it says nothing.
pub fn proxy_product(headers: &[Header]) -> Option<String> {
    if header(headers, "x-squid-error").is_some() {
        return Some("Squid".to_owned());
    }
    if header(headers, "x-bluecoat-via").is_some() {
        return Some(PROXY_SG.to_owned());
    }
    let said = ["proxy-agent", "server", "via"].iter().filter_map(|name| header(headers, name)).collect::<Vec<_>>();
    let lower = said.join("\n").to_ascii_lowercase();
    if let Some((_, product)) = PRODUCTS.iter().find(|(word, _)| lower.contains(word)) {
        return Some((*product).to_owned());
    }
    let challenge = header(headers, "proxy-authenticate").unwrap_or_default().to_ascii_lowercase();
    if let Some((_, product)) = PRODUCTS.iter().find(|(word, _)| challenge.contains(word)) {
        return Some((*product).to_owned());
    }
    said.first().filter(|said| !said.is_empty()).map(|said| format!("\"{said}\""))
}

const PROXY_SG: &str = "Symantec (Blue Coat) ProxySG";

/// A word of `Proxy-Agent`, `Server`, `Via` or the realm, in lower case, and the product that uses it.
const PRODUCTS: &[(&str, &str)] = &[
    ("squid", "Squid"),
    ("zscaler", "Zscaler"),
    ("bluecoat", PROXY_SG),
    ("blue coat", PROXY_SG),
    ("proxysg", PROXY_SG),
    ("mcafee web gateway", "Skyhigh (McAfee) Web Gateway"),
    ("mwg", "Skyhigh (McAfee) Web Gateway"),
    ("skyhigh", "Skyhigh (McAfee) Web Gateway"),
    ("cisco-wsa", "Cisco Secure Web Appliance"),
    ("ironport", "Cisco Secure Web Appliance"),
    ("websense", "Forcepoint Web Security"),
    ("forcepoint", "Forcepoint Web Security"),
    ("fortinet", "Fortinet FortiGate or FortiProxy"),
    ("fortiproxy", "Fortinet FortiGate or FortiProxy"),
    ("http_scan_byf", "Barracuda Web Security Gateway"),
    ("barracuda", "Barracuda Web Security Gateway"),
    ("kerio", "Kerio Control"),
    ("sophos", "Sophos"),
    ("trafficserver", "Apache Traffic Server"),
    ("ats/", "Apache Traffic Server"),
    ("tinyproxy", "Tinyproxy"),
    ("privoxy", "Privoxy"),
    ("wingate", "WinGate"),
    ("mitmproxy", "mitmproxy"),
    ("envoy", "Envoy"),
    ("nginx", "nginx"),
    ("apache", "Apache httpd"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn product(headers: &[(&str, &str)]) -> Option<String> {
        let header = |(name, value): &(&str, &str)| Header { name: (*name).to_owned(), value: (*value).to_owned() };
        proxy_product(&headers.iter().map(header).collect::<Vec<_>>())
    }

    #[test]
    fn known_products_have_their_name_and_others_their_own_words() {
        for (headers, name) in [
            (&[("x-squid-error", "ERR_ACCESS_DENIED 0")][..], "Squid"),
            (&[("via", "1.1 proxy01 (squid/6.13)")], "Squid"),
            (&[("server", "Zscaler/6.2")], "Zscaler"),
            (&[("x-bluecoat-via", "a1b2c3")], PROXY_SG),
            (&[("proxy-authenticate", "BASIC realm=\"McAfee Web Gateway\"")], "Skyhigh (McAfee) Web Gateway"),
            (&[("via", "1.1 wsa01.contoso.com:80 (Cisco-WSA/14.5.0-537)")], "Cisco Secure Web Appliance"),
            (&[("proxy-agent", "Fortinet-Proxy/1.0")], "Fortinet FortiGate or FortiProxy"),
            (&[("via", "1.1 TMG01")], "\"1.1 TMG01\""),
        ] {
            assert_eq!(product(headers).as_deref(), Some(name));
        }
        assert_eq!(product(&[("content-type", "text/html")]), None);
        assert_eq!(product(&[("server", "")]), None);
    }
}
