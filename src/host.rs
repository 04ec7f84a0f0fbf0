//! The words in which endpoints are spoken of: host names, patterns, schemes, ports.
//!
//! Everything from outside becomes one of these types at the door, or an error that names what is wrong.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A DNS host name: lower case, without the trailing dot, at most 253 octets of labels of letters, digits, `-` and `_`.
///
/// Short (NetBIOS) names are host names too, since a site database may hold them. Addresses are not.
/// A clone shares the text, since the name of a server stands in each of its requirements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct HostName(Arc<str>);

/// Why a text is not a host name (or not a pattern of host names).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing is left after trimming.
    #[error("empty host name")]
    Empty,
    /// More than 253 octets.
    #[error("host name of {0} octets (at most 253)")]
    TooLong(usize),
    /// A label is empty or has more than 63 octets.
    #[error("label {0} is empty or longer than 63 octets")]
    Label(usize),
    /// A character that no host name has; `index` counts characters from zero.
    #[error("character U+{code:04X} at position {index} is not allowed in a host name")]
    Character {
        /// Unicode code point.
        code: u32,
        /// Position, from zero.
        index: usize,
    },
    /// A label starts or ends with a hyphen.
    #[error("label {0} starts or ends with a hyphen")]
    Hyphen(usize),
    /// An IP address where a name is needed.
    #[error("an address, not a host name")]
    Address,
    /// A wildcard of a form that is not understood; `*.name` and `*-suffix.name` are.
    #[error("not a host pattern: only `*.name` and `*-suffix.name` are wildcards")]
    Wildcard,
}

impl HostName {
    /// Parses and normalises a host name.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let text = text.trim_matches(' ');
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if let Some((index, c)) =
            text.chars().enumerate().find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        {
            return Err(HostError::Character { code: c.into(), index });
        }
        if text.len() > 253 {
            return Err(HostError::TooLong(text.len()));
        }
        for (number, label) in text.split('.').enumerate() {
            if label.is_empty() || label.len() > 63 {
                return Err(HostError::Label(number + 1));
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err(HostError::Hyphen(number + 1));
            }
        }
        if text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(HostError::Address);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// The name in lower case, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first label: the short name of a server.
    pub fn short(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }

    /// Whether both names may mean one machine: equal, or one is the other's short name.
    pub fn same_machine(&self, other: &Self) -> bool {
        self == other || (self.short() == other.short() && (*self.0 == *self.short() || *other.0 == *other.short()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for HostName {
    type Err = HostError;
    fn from_str(s: &str) -> Result<Self, HostError> {
        Self::parse(s)
    }
}

impl TryFrom<String> for HostName {
    type Error = HostError;
    fn try_from(s: String) -> Result<Self, HostError> {
        Self::parse(&s)
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.as_str().to_owned()
    }
}

/// What one dials: a name to resolve, or an address. A proxy may be given either way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum HostOrAddress {
    /// A name.
    Name(HostName),
    /// An address.
    Address(IpAddr),
}

impl HostOrAddress {
    /// Parses a host name or an IP address; an IPv6 address may stand in brackets.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let text = text.trim_matches(' ');
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        match bare.parse() {
            Ok(address) => Ok(Self::Address(address)),
            Err(_) => HostName::parse(text).map(Self::Name),
        }
    }
}

impl fmt::Display for HostOrAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Address(address) if address.is_ipv6() => write!(f, "[{address}]"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

impl FromStr for HostOrAddress {
    type Err = HostError;
    fn from_str(s: &str) -> Result<Self, HostError> {
        Self::parse(s)
    }
}

impl TryFrom<String> for HostOrAddress {
    type Error = HostError;
    fn try_from(s: String) -> Result<Self, HostError> {
        Self::parse(&s)
    }
}

impl From<HostOrAddress> for String {
    fn from(host: HostOrAddress) -> Self {
        host.to_string()
    }
}

impl From<HostName> for HostOrAddress {
    fn from(name: HostName) -> Self {
        Self::Name(name)
    }
}

/// What a documented endpoint names: one host, or a family of hosts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum HostPattern {
    /// One host.
    Exact(HostName),
    /// `*.name`: every host below the name, not the name itself.
    Subdomains(HostName),
    /// `*-suffix.name`: a label that ends with the suffix, directly below the name.
    LabelSuffix {
        /// The end of the label, with its hyphen.
        suffix: String,
        /// The name below which the label stands.
        parent: HostName,
    },
}

impl HostPattern {
    /// Parses `name`, `*.name` or `*-suffix.name`.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let Some(rest) = text.strip_prefix('*') else {
            return HostName::parse(text).map(Self::Exact);
        };
        if let Some(name) = rest.strip_prefix('.') {
            return HostName::parse(name).map(Self::Subdomains);
        }
        let (suffix, parent) = rest.split_once('.').ok_or(HostError::Wildcard)?;
        if !suffix.starts_with('-') || suffix.len() < 2 {
            return Err(HostError::Wildcard);
        }
        // As it was understood: the parser takes blanks around a name away.
        let end = HostName::parse(&suffix[1..])?;
        Ok(Self::LabelSuffix { suffix: format!("-{end}"), parent: HostName::parse(parent)? })
    }

    /// Whether the pattern stands for more than one host.
    pub fn is_wildcard(&self) -> bool {
        !matches!(self, Self::Exact(_))
    }

    /// Whether the host belongs to the pattern.
    pub fn matches(&self, host: &HostName) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Subdomains(name) => host.0.strip_suffix(name.as_str()).is_some_and(|head| head.ends_with('.')),
            Self::LabelSuffix { suffix, parent } => host
                .0
                .strip_suffix(parent.as_str())
                .and_then(|head| head.strip_suffix('.'))
                .is_some_and(|label| !label.contains('.') && label.len() > suffix.len() && label.ends_with(suffix)),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "{name}"),
            Self::Subdomains(name) => write!(f, "*.{name}"),
            Self::LabelSuffix { suffix, parent } => write!(f, "*{suffix}.{parent}"),
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostError;
    fn try_from(s: String) -> Result<Self, HostError> {
        Self::parse(&s)
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

/// How an endpoint is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// HTTP in clear.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// 80 or 443.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        assert_eq!(HostName::parse("CM-CAS.Corp.Contoso.COM.").unwrap().as_str(), "cm-cas.corp.contoso.com");
        assert_eq!(HostName::parse("SRV_1").unwrap().as_str(), "srv_1");
    }

    #[test]
    fn what_is_no_host_name_is_refused_with_the_reason() {
        assert_eq!(HostName::parse(" "), Err(HostError::Empty));
        assert_eq!(HostName::parse("a b"), Err(HostError::Character { code: 0x20, index: 1 }));
        assert_eq!(HostName::parse("a\u{1b}[2J"), Err(HostError::Character { code: 0x1b, index: 1 }));
        assert_eq!(HostName::parse("<b>"), Err(HostError::Character { code: 0x3c, index: 0 }));
        assert_eq!(HostName::parse("a..b"), Err(HostError::Label(2)));
        assert_eq!(HostName::parse("-a.b"), Err(HostError::Hyphen(1)));
        assert_eq!(HostName::parse("10.1.2.3"), Err(HostError::Address));
        assert!(matches!(HostName::parse(&"a.".repeat(200)), Err(HostError::TooLong(_))));
    }

    #[test]
    fn a_proxy_may_be_a_name_or_an_address() {
        for (text, shown) in [("Proxy.contoso.com", "proxy.contoso.com"), ("10.1.2.3", "10.1.2.3"), ("::1", "[::1]")] {
            assert_eq!(HostOrAddress::parse(text).unwrap().to_string(), shown);
            assert_eq!(HostOrAddress::parse(shown).unwrap(), HostOrAddress::parse(text).unwrap());
        }
        assert_eq!(HostOrAddress::parse("10.1.2.300"), Err(HostError::Address));
        assert!(HostOrAddress::parse("[proxy]").is_err());
    }

    #[test]
    fn wildcards_match_what_they_say_and_nothing_else() {
        let host = |s: &str| HostName::parse(s).unwrap();
        let sub = HostPattern::parse("*.manage.microsoft.com").unwrap();
        assert!(sub.matches(&host("a.manage.microsoft.com")) && sub.matches(&host("a.b.MANAGE.microsoft.com")));
        assert!(!sub.matches(&host("manage.microsoft.com")) && !sub.matches(&host("xmanage.microsoft.com")));
        let label = HostPattern::parse("*-umwatsonc.events.data.microsoft.com").unwrap();
        assert!(label.matches(&host("eu-umwatsonc.events.data.microsoft.com")));
        assert!(!label.matches(&host("umwatsonc.events.data.microsoft.com")));
        assert!(!label.matches(&host("a.eu-umwatsonc.events.data.microsoft.com")));
        assert_eq!(HostPattern::parse("a.*.b"), Err(HostError::Character { code: 0x2a, index: 2 }));
        assert_eq!(HostPattern::parse("*x.b"), Err(HostError::Wildcard));
        assert_eq!(HostPattern::parse("*- X.contoso.com").unwrap().to_string(), "*-x.contoso.com");
    }

    #[test]
    fn a_short_name_and_its_full_name_are_one_machine() {
        let host = |s: &str| HostName::parse(s).unwrap();
        assert!(host("CM01").same_machine(&host("cm01.contoso.com")));
        assert!(!host("cm01.contoso.com").same_machine(&host("cm01.contoso.net")));
    }
}
