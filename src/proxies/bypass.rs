//! Bypass lists, with the meaning that Windows gives them (`ProxyOverride`, `netsh winhttp set proxy bypass-list=`).

use std::fmt;
use std::str::FromStr;

use crate::glob::Glob;
use crate::host::HostName;
use crate::text::printable;

/// Which hosts go past the proxy: patterns with `*` anywhere, and `<local>` for names without a dot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bypass {
    patterns: Vec<Glob>,
    local: bool,
}

impl Bypass {
    /// Whether nothing goes past the proxy.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && !self.local
    }

    /// Whether the host goes past it.
    pub fn matches(&self, host: &HostName) -> bool {
        let host = host.as_str();
        (self.local && !host.contains('.')) || self.patterns.iter().any(|pattern| pattern.matches(host))
    }

    /// A list in the manner of `no_proxy`: with commas, and a name stands for all names below it too.
    pub(super) fn of_no_proxy(list: &str) -> Self {
        let mut bypass = Self::default();
        for entry in list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).take(MAX_PATTERNS) {
            let name = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
            let names = if name == "*" { vec![name] } else { vec![format!("*.{name}"), name] };
            bypass.patterns.extend(names.into_iter().map(Glob::new));
        }
        bypass
    }
}

/// Separated by `;`, `,` or spaces. A scheme before a pattern and a port behind it are allowed and left out: what they
/// would exclude is not told apart.
impl FromStr for Bypass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut bypass = Self::default();
        for entry in text.split([';', ',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()) {
            if entry.eq_ignore_ascii_case("<local>") {
                bypass.local = true;
                continue;
            }
            // WinINET's way to send even loopback through the proxy: nothing goes past it by that.
            if entry.eq_ignore_ascii_case("<-loopback>") {
                continue;
            }
            let bare = entry.split_once("://").map_or(entry, |(_, rest)| rest);
            let bare =
                bare.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(bare, |(host, _)| host);
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*');
            if bare.is_empty() || !bare.chars().all(allowed) {
                return Err(format!("`{}` is no pattern of hosts for a bypass list", printable(entry, 80)));
            }
            if bypass.patterns.len() >= MAX_PATTERNS {
                return Err(format!("a bypass list of more than {MAX_PATTERNS} patterns"));
            }
            bypass.patterns.push(Glob::new(bare.to_ascii_lowercase()));
        }
        Ok(bypass)
    }
}

impl fmt::Display for Bypass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local.then_some("<local>");
        f.write_str(&self.patterns.iter().map(Glob::text).chain(local).collect::<Vec<_>>().join(";"))
    }
}

const MAX_PATTERNS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn past(list: &Bypass, host: &str) -> bool {
        list.matches(&HostName::parse(host).unwrap())
    }

    #[test]
    fn a_list_means_what_it_means_to_windows() {
        let list: Bypass =
            "*.contoso.com;10.*; https://Intra.fabrikam.com:8443 <local>;*mid*le.example".parse().unwrap();
        for host in ["cm01.contoso.com", "a.b.contoso.com", "intra.fabrikam.com", "cm01", "my-middle.example"] {
            assert!(past(&list, host), "{host}");
        }
        for host in ["contoso.com", "xcontoso.com", "www.fabrikam.com", "middle.example.com"] {
            assert!(!past(&list, host), "{host}");
        }
        assert_eq!(list.to_string(), "*.contoso.com;10.*;intra.fabrikam.com;*mid*le.example;<local>");
        assert!(!past(&"*.contoso.com".parse().unwrap(), "cm01"), "short names only with <local>");
        assert!("".parse::<Bypass>().unwrap().is_empty());
        assert!("*.contoso.com;a\u{1b}[2J".parse::<Bypass>().unwrap_err().contains("a\\u{1b}"));
    }

    #[test]
    fn no_proxy_means_the_names_below_too() {
        let list = Bypass::of_no_proxy("localhost, .contoso.com,*.fabrikam.com,,");
        for host in ["localhost", "contoso.com", "a.contoso.com", "fabrikam.com", "b.fabrikam.com"] {
            assert!(past(&list, host), "{host}");
        }
        assert!(!past(&list, "xcontoso.com"));
        assert!(past(&Bypass::of_no_proxy("*"), "anything.example"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let fits = |pattern: &str, text: &str| Glob::new(pattern).matches(text);
        assert!(!fits(&"*a".repeat(120), &"a".repeat(119)));
        assert!(fits("***", "") && fits("", "") && !fits("", "a"));
    }
}
