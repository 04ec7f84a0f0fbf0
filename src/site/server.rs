//! Which SQL Server: what `--sql` names.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::host::{HostError, HostName};
use crate::text;

/// The port of SQL Server's default instance.
const DEFAULT_PORT: u16 = 1433;

/// A server as the operator names it: `HOST`, `HOST,PORT`, `tcp:HOST,PORT`, `HOST\INSTANCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    host: ServerHost,
    endpoint: Endpoint,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ServerHost {
    Name(HostName),
    Address(IpAddr),
}

/// Which SQL Server on that machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The one that listens on this TCP port.
    Port(u16),
    /// The one of this name; SQL Server Browser knows its port.
    Instance(String),
}

/// A text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Nothing is left after trimming.
    #[error("no server given; expected HOST, HOST,PORT or HOST\\INSTANCE")]
    Empty,
    /// The host part is neither a host name nor an address.
    #[error("`{text}` is neither a host name nor an IP address ({reason}); expected HOST, HOST,PORT or HOST\\INSTANCE")]
    Host {
        /// The host part, made harmless.
        text: String,
        /// What is wrong with it.
        reason: HostError,
    },
    /// The port is no port.
    #[error("`{text}` is no TCP port; expected a number from 1 to 65535 after the comma, as in HOST,1433")]
    Port {
        /// The port part, made harmless.
        text: String,
    },
    /// The instance is no instance name.
    #[error("`{text}` is no instance name; expected 1 to 16 letters, digits, `_`, `$` or `#` after the backslash")]
    Instance {
        /// The instance part, made harmless.
        text: String,
    },
}

impl Server {
    /// Parses what `--sql` takes. With a port, an instance name before it is checked and ignored, as SQL Server's own
    /// clients do.
    pub fn parse(text: &str) -> Result<Self, ServerError> {
        let text = text.trim();
        let text = match text.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("tcp:") => text[4..].trim(),
            _ => text,
        };
        if text.is_empty() {
            return Err(ServerError::Empty);
        }
        let (name, port) = match text.split_once(',') {
            Some((name, port)) => (name.trim(), Some(parse_port(port.trim())?)),
            None => (text, None),
        };
        let (host, instance) = match name.split_once('\\') {
            Some((host, instance)) => (host.trim(), Some(parse_instance(instance.trim())?)),
            None => (name, None),
        };
        let endpoint = match (port, instance) {
            (Some(port), _) => Endpoint::Port(port),
            // The default instance's own name is not known to SQL Server Browser's clients: it is simply the default.
            (None, Some(instance)) if !instance.eq_ignore_ascii_case("MSSQLSERVER") => Endpoint::Instance(instance),
            (None, _) => Endpoint::Port(DEFAULT_PORT),
        };
        Ok(Self { host: parse_host(host)?, endpoint })
    }

    /// The host without port or instance: what is resolved, and what the certificate has to name.
    pub fn host(&self) -> String {
        match &self.host {
            ServerHost::Name(name) => name.to_string(),
            ServerHost::Address(address) => address.to_string(),
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            Endpoint::Port(DEFAULT_PORT) => f.write_str(&self.host()),
            Endpoint::Port(port) => write!(f, "{},{port}", self.host()),
            Endpoint::Instance(instance) => write!(f, "{}\\{instance}", self.host()),
        }
    }
}

impl FromStr for Server {
    type Err = ServerError;
    fn from_str(s: &str) -> Result<Self, ServerError> {
        Self::parse(s)
    }
}

fn parse_host(text: &str) -> Result<ServerHost, ServerError> {
    // `.` and `(local)` mean this machine to SQL Server's clients.
    if matches!(text, "." | "(local)") {
        return parse_host("localhost");
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Ok(ServerHost::Address(address));
    }
    HostName::parse(text)
        .map(ServerHost::Name)
        .map_err(|reason| ServerError::Host { text: text::ascii(text, 80), reason })
}

fn parse_port(text: &str) -> Result<u16, ServerError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ => Err(ServerError::Port { text: text::ascii(text, 20) }),
    }
}

/// The length and the characters are those that SQL Server's setup allows.
fn parse_instance(text: &str) -> Result<String, ServerError> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
    if (1..=16).contains(&text.chars().count()) && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(ServerError::Instance { text: text::ascii(text, 40) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Endpoint) {
        let server = Server::parse(text).unwrap();
        (server.host(), server.endpoint)
    }

    #[test]
    fn every_documented_form_is_understood() {
        let name = "cm01.contoso.com".to_owned();
        assert_eq!(parsed("CM01.contoso.com"), (name.clone(), Endpoint::Port(1433)));
        assert_eq!(parsed(" cm01.contoso.com, 1500 "), (name.clone(), Endpoint::Port(1500)));
        assert_eq!(parsed("TCP:cm01.contoso.com,1500"), (name.clone(), Endpoint::Port(1500)));
        assert_eq!(parsed("cm01.contoso.com\\CMINST"), (name.clone(), Endpoint::Instance("CMINST".to_owned())));
        assert_eq!(parsed("cm01.contoso.com\\CMINST,1500"), (name.clone(), Endpoint::Port(1500)));
        assert_eq!(parsed("cm01.contoso.com\\mssqlserver"), (name, Endpoint::Port(1433)));
        assert_eq!(parsed("192.0.2.7,1500"), ("192.0.2.7".to_owned(), Endpoint::Port(1500)));
        assert_eq!(parsed("2001:db8::7"), ("2001:db8::7".to_owned(), Endpoint::Port(1433)));
        assert_eq!(parsed("[2001:db8::7],1500"), ("2001:db8::7".to_owned(), Endpoint::Port(1500)));
        assert_eq!(parsed(".\\X"), ("localhost".to_owned(), Endpoint::Instance("X".to_owned())));
    }

    #[test]
    fn nonsense_is_refused_with_what_was_expected() {
        for (text, says) in [
            ("", "no server given"),
            ("tcp:", "no server given"),
            ("a b", "neither a host name nor an IP address"),
            ("cm01:1433", "expected HOST, HOST,PORT"),
            ("1.2.3.4.5", "an address, not a host name"),
            (",1433", "empty host name"),
            ("cm01,", "from 1 to 65535"),
            ("cm01,0", "from 1 to 65535"),
            ("cm01,+80", "from 1 to 65535"),
            ("cm01,99999", "from 1 to 65535"),
            ("cm01,1433,1434", "from 1 to 65535"),
            ("cm01\\", "no instance name"),
            ("cm01\\a\\b", "no instance name"),
            ("cm01\\abcdefghijklmnopq", "no instance name"),
            ("cm01;database=x", "U+003B"),
        ] {
            let error = Server::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(!Server::parse("\u{1b}[2J").unwrap_err().to_string().contains('\u{1b}'));
    }

    #[test]
    fn a_server_is_shown_as_it_was_given() {
        for text in ["cm01.contoso.com", "cm01.contoso.com,1500", "cm01.contoso.com\\CMINST", "2001:db8::7,1500"] {
            assert_eq!(Server::parse(text).unwrap().to_string(), text);
        }
    }
}
