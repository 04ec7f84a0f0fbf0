//! One line of an allow list that somebody else wrote.

use std::fmt;

use super::pattern::ListPattern;
use crate::host::{HostError, HostName, HostPattern, Scheme};

/// What one line of an allow list lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowLine {
    /// The names.
    pub pattern: AllowPattern,
    /// The scheme; `None` if the line says none, and so lets each through.
    pub scheme: Option<Scheme>,
    /// The ports.
    pub port: AllowPort,
}

/// The ports that a line of an allow list lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowPort {
    /// It says none, and so lets every port through, unless the rule that uses the list says which.
    Unsaid,
    /// It says `*`.
    Every,
    /// This one.
    One(u16),
}

impl AllowPort {
    /// Whether it is let through.
    pub(super) fn has(self, port: u16) -> bool {
        match self {
            Self::Unsaid | Self::Every => true,
            Self::One(own) => own == port,
        }
    }
}

/// The names that a line of an allow list lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowPattern {
    /// `*`
    Everything,
    /// A name or a wildcard.
    Names(ListPattern),
}

/// Why a line is not understood. Such a line counts as if it were not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Something else follows the pattern.
    #[error("more than one word: a line is one name, wildcard or URL")]
    Words,
    /// Neither `http` nor `https`.
    #[error("the scheme is neither http nor https")]
    Scheme,
    /// Not a port.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// A path narrows the line, in a way that cannot be compared.
    #[error("a path restricts this line, so it does not allow the whole host")]
    Path,
    /// No host name and no wildcard that is known.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl AllowLine {
    /// Parses a line: a name, `*.name`, `*-suffix.name`, `.name` (the name and all below it), `*`, or a URL of one of
    /// these, each with or without a port. `#` begins a comment. `None` if nothing is left.
    pub fn parse(line: &str) -> Result<Option<Self>, LineError> {
        let text = line.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.contains(char::is_whitespace) {
            return Err(LineError::Words);
        }
        let (scheme, rest) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) => (parse_scheme(scheme)?, rest),
        };
        let scheme_port = match scheme {
            None => AllowPort::Unsaid,
            Some(Scheme::Http) => AllowPort::One(80),
            Some(Scheme::Https) => AllowPort::One(443),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            None => (authority, scheme_port),
            Some((host, port)) => (host, parse_port(port)?),
        };
        let pattern = match host.strip_prefix('.') {
            _ if host == "*" => AllowPattern::Everything,
            Some(name) => AllowPattern::Names(ListPattern::ApexAndSubdomains(HostName::parse(name)?)),
            None => AllowPattern::Names(ListPattern::Host(HostPattern::parse(host)?)),
        };
        if matches!(path, "" | "/" | "/*") { Ok(Some(Self { pattern, scheme, port })) } else { Err(LineError::Path) }
    }

    /// Whether the line lets through every host of the pattern with the scheme on the port.
    pub fn allows(&self, pattern: &ListPattern, scheme: Scheme, port: u16) -> bool {
        self.has_port(scheme, port) && self.covers(pattern)
    }

    /// Whether the line lets through every host of the pattern, on some port.
    pub(super) fn covers(&self, pattern: &ListPattern) -> bool {
        match &self.pattern {
            AllowPattern::Everything => true,
            AllowPattern::Names(own) => own.covers(pattern),
        }
    }

    /// Whether the line lets through this scheme on this port.
    pub(super) fn has_port(&self, scheme: Scheme, port: u16) -> bool {
        self.port.has(port) && self.scheme.is_none_or(|own| own == scheme)
    }

    /// Whether the line lets through some host of the pattern, on whatever port.
    pub(super) fn overlaps(&self, pattern: &ListPattern) -> bool {
        match &self.pattern {
            AllowPattern::Everything => true,
            AllowPattern::Names(own) => own.overlaps(pattern),
        }
    }
}

impl fmt::Display for AllowPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.pad("*"),
            Self::Names(pattern) => pattern.fmt(f),
        }
    }
}

fn parse_scheme(scheme: &str) -> Result<Option<Scheme>, LineError> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(Some(Scheme::Http)),
        "https" => Ok(Some(Scheme::Https)),
        "*" => Ok(None),
        _ => Err(LineError::Scheme),
    }
}

fn parse_port(text: &str) -> Result<AllowPort, LineError> {
    if text == "*" {
        return Ok(AllowPort::Every);
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).map(AllowPort::One).ok_or(LineError::Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> String {
        match AllowLine::parse(line) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(AllowLine { pattern, scheme, port })) => {
                let scheme = scheme.map_or(String::new(), |scheme| format!("{scheme}://"));
                format!("{scheme}{pattern} {port:?}")
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn every_way_to_write_a_line() {
        assert_eq!(parsed("  A.Contoso.com.  # why"), "a.contoso.com Unsaid");
        assert_eq!(parsed("*.contoso.com:8531"), "*.contoso.com One(8531)");
        assert_eq!(parsed(".contoso.com"), ".contoso.com Unsaid");
        assert_eq!(parsed("*-umwatsonc.contoso.com"), "*-umwatsonc.contoso.com Unsaid");
        assert_eq!(parsed("HTTPS://contoso.com/"), "https://contoso.com One(443)");
        assert_eq!(parsed("http://contoso.com:8530/*"), "http://contoso.com One(8530)");
        assert_eq!(parsed("*://*.contoso.com:*/*"), "*.contoso.com Every");
        assert_eq!(parsed("contoso.com/"), "contoso.com Unsaid");
        assert_eq!(parsed("*"), "* Unsaid");
        assert_eq!(parsed("https://*"), "https://* One(443)");
        assert_eq!(parsed("# all"), "nothing");
        assert_eq!(parsed(" \t"), "nothing");
    }

    #[test]
    fn what_is_not_understood_is_said_and_never_guessed() {
        for (line, why) in [
            ("a.com b.com", "more than one word"),
            ("ftp://a.com", "scheme"),
            ("a.com:0", "port"),
            ("a.com:65536", "port"),
            ("a.com:+443", "port"),
            ("a.com:", "port"),
            ("a.com/path", "path"),
            ("a.com?x", "path"),
            ("10.0.0.0/8", "address"),
            ("user@a.com", "U+0040"),
            ("*a.com", "wildcard"),
            ("a.*.com", "U+002A"),
            (".", "empty"),
            ("*.", "empty"),
            ("..a.com", "label 1"),
            ("\u{202e}a.com", "U+202E"),
        ] {
            let got = parsed(line);
            assert!(got.starts_with("error: ") && got.contains(why), "{line:?}: {got}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(line in "[ -~\u{a0}\u{202e}é日#*./:]{0,60}") {
            let _ = AllowLine::parse(&line);
        }

        #[test]
        fn a_pattern_as_we_write_it_is_read_as_itself(name in "[a-z]{1,5}(\\.[a-z]{1,5}){0,3}", kind in 0usize..4) {
            let text = [name.clone(), format!("*.{name}"), format!(".{name}"), format!("*-x.{name}")][kind].clone();
            proptest::prop_assert_eq!(parsed(&text), format!("{text} Unsaid"));
        }
    }
}
