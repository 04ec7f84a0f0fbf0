//! How to probe.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use super::sign_in::ProxyAccounts;
use crate::host::HostOrAddress;

/// How to probe: resolver, roots, redirections of the dialled address, bounds and deadlines.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The DNS server to ask instead of the system's resolver.
    pub dns_server: Option<SocketAddr>,
    /// Where to connect instead, first match first.
    pub connect_to: Vec<ConnectTo>,
    /// Accounts for proxies that ask for one.
    pub proxy_accounts: ProxyAccounts,
    /// Certificates (DER) that are trusted besides the machine's roots.
    pub extra_roots: Vec<Vec<u8>>,
    /// For each stage on its own.
    pub deadlines: Deadlines,
    /// How much at once.
    pub bounds: Bounds,
    /// What is looked at besides the layers, and against which public roots.
    pub checks: Checks,
}

/// What is looked at besides the layers, and against which public roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checks {
    /// Certificates (DER) that count as roots of the public programmes; they are trusted as well.
    pub public_roots: Vec<Vec<u8>>,
    /// Certificates (DER) that count as roots of the public programmes, and are trusted only where the machine does.
    pub public_elsewhere: Vec<Vec<u8>>,
    /// Thumbprints (SHA-1, lower-case hexadecimal) of roots that count as public where this machine has them:
    /// Microsoft has roots outside the public programmes.
    pub public_thumbprints: Vec<String>,
    /// Holds an idle connection where the plan asks for it, for as long as it says, or at most so long.
    pub idle: Option<Duration>,
}

/// The longest that each stage may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Name resolution.
    pub name: Duration,
    /// One TCP connection; all addresses are tried at once.
    pub tcp: Duration,
    /// HTTP CONNECT.
    pub connect: Duration,
    /// TLS handshake.
    pub tls: Duration,
    /// Trust check.
    pub trust: Duration,
    /// HTTP.
    pub http: Duration,
    /// The whole run, which then ends as if it was cancelled; `None` leaves it to the stages.
    pub total: Option<Duration>,
}

impl Deadlines {
    /// The same for every stage, and none for the whole.
    pub fn all(limit: Duration) -> Self {
        Self { name: limit, tcp: limit, connect: limit, tls: limit, trust: limit, http: limit, total: None }
    }
}

/// How much at once, for each layer: silent endpoints wait in TCP, where waiting is cheap, and must not hold up others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Probes that have begun and not ended: bounds the sockets.
    pub probes: usize,
    /// Name resolutions.
    pub names: usize,
    /// TLS handshakes with the HTTP after them.
    pub tls: usize,
    /// Addresses tried for one name.
    pub addresses: usize,
    /// Connections to one address, on direct routes.
    pub per_address: usize,
    /// Connections to one proxy.
    pub per_proxy: usize,
    /// Tries of a probe after the first that failed.
    pub retries: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { probes: 1024, names: 256, tls: 64 * cores, addresses: 8, per_address: 32, per_proxy: 64, retries: 1 }
    }
}

impl Bounds {
    /// The sockets for connections: a name may have many addresses.
    pub(super) fn sockets(&self) -> usize {
        self.probes.max(1) + self.probes / 4
    }

    /// These bounds, or smaller ones where a process that may open `files` would run out of them.
    #[must_use]
    pub fn within(self, files: Option<usize>) -> Self {
        // A and AAAA are asked at once, each by a socket of its own.
        let needed = |bounds: &Self| bounds.sockets() + 2 * bounds.names.max(1);
        let Some(available) = files.map(|files| files.saturating_sub(RESERVE)) else { return self };
        let all = needed(&self);
        if all <= available {
            return self;
        }
        let scaled = |bound: usize| (bound.saturating_mul(available) / all).max(1);
        Self { probes: scaled(self.probes), names: scaled(self.names), ..self }
    }
}

/// Lets this process have as many files and sockets open as its hard limit allows, and says how many those are; `None`
/// where there is no such limit.
pub fn raise_open_files() -> Option<usize> {
    #[cfg(unix)]
    {
        let files = rlimit::increase_nofile_limit(rlimit::INFINITY).or_else(|_| soft_limit()).ok()?;
        // Unlimited is a number that nobody reaches.
        usize::try_from(files).ok()
    }
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
fn soft_limit() -> std::io::Result<u64> {
    rlimit::Resource::NOFILE.get().map(|(soft, _)| soft)
}

/// Files for all that is not probing: the runtime, standard streams, documents.
const RESERVE: usize = 64;

/// `HOST:PORT:CONNECT-HOST:CONNECT-PORT` as in curl: a connection to HOST:PORT goes to CONNECT-HOST:CONNECT-PORT
/// instead, with SNI and Host left as they are. An empty part means "any" on the left and "unchanged" on the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    /// The host that the rule is for; any if `None`.
    pub host: Option<HostOrAddress>,
    /// The port that the rule is for; any if `None`.
    pub port: Option<u16>,
    /// Where to connect; unchanged if `None`.
    pub to_host: Option<HostOrAddress>,
    /// To which port; unchanged if `None`.
    pub to_port: Option<u16>,
}

/// A text that is no `--connect-to` rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectToError {
    /// Not four parts.
    #[error("expected HOST:PORT:CONNECT-HOST:CONNECT-PORT (each part may be empty)")]
    Parts,
    /// A host is neither a name nor an address.
    #[error("`{0}` is no host name and no address")]
    Host(String),
    /// A port is no number from 1 to 65535.
    #[error("`{0}` is no port (1 to 65535)")]
    Port(String),
}

impl ConnectTo {
    /// Whether the rule is for this connection.
    pub fn applies(&self, host: &HostOrAddress, port: u16) -> bool {
        self.host.as_ref().is_none_or(|h| h == host) && self.port.is_none_or(|p| p == port)
    }
}

impl FromStr for ConnectTo {
    type Err = ConnectToError;

    fn from_str(text: &str) -> Result<Self, ConnectToError> {
        let (host, rest) = text.split_once(':').ok_or(ConnectToError::Parts)?;
        let (port, rest) = rest.split_once(':').ok_or(ConnectToError::Parts)?;
        let (to_host, to_port) = rest.rsplit_once(':').ok_or(ConnectToError::Parts)?;
        let parse_port = |text: &str| match text {
            "" => Ok(None),
            text => match text.parse::<u16>() {
                Ok(port) if port > 0 => Ok(Some(port)),
                _ => Err(ConnectToError::Port(text.to_owned())),
            },
        };
        let parse_host = |text: &str| match text {
            "" => Ok(None),
            text => HostOrAddress::parse(text).map(Some).map_err(|_| ConnectToError::Host(text.to_owned())),
        };
        let (host, to_host) = (parse_host(host)?, parse_host(to_host)?);
        Ok(Self { host, port: parse_port(port)?, to_host, to_port: parse_port(to_port)? })
    }
}

impl fmt::Display for ConnectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |p: Option<u16>| p.map_or(String::new(), |p| p.to_string());
        let host = |h: &Option<HostOrAddress>| h.as_ref().map_or(String::new(), ToString::to_string);
        let (host, to) = (host(&self.host), host(&self.to_host));
        write!(f, "{host}:{}:{to}:{}", port(self.port), port(self.to_port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_curl_reads_them() {
        for text in ["a.example:443:b.example:8443", ":443::8443", "a.example::[::1]:", ":80:127.0.0.1:8080"] {
            assert_eq!(text.parse::<ConnectTo>().unwrap().to_string(), text);
        }
        let rule: ConnectTo = ":443::8443".parse().unwrap();
        assert!(rule.applies(&HostOrAddress::parse("any.example").unwrap(), 443));
        assert!(!rule.applies(&HostOrAddress::parse("any.example").unwrap(), 80));
    }

    #[test]
    fn bounds_fit_the_files_that_may_be_open() {
        let usual = Bounds { tls: 128, ..Bounds::default() };
        let few = usual.within(Some(256));
        assert!(few.sockets() + 2 * few.names <= 256 - RESERVE, "{few:?}");
        assert!(few.probes > 50 && few.names > 10 && few.addresses == usual.addresses, "{few:?}");
        for files in [None, Some(2048), Some(1 << 20)] {
            assert_eq!(usual.within(files), usual);
        }
        let least = usual.within(Some(0));
        assert_eq!((least.probes, least.names), (1, 1));
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_of_open_files_is_raised_as_far_as_it_goes() {
        let (_, hard) = rlimit::Resource::NOFILE.get().unwrap();
        let files = raise_open_files().unwrap();
        assert_eq!(files as u64, soft_limit().unwrap());
        assert!(cfg!(target_os = "macos") || files as u64 == hard);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!("a:1".parse::<ConnectTo>(), Err(ConnectToError::Parts));
        assert_eq!("a:0:b:1".parse::<ConnectTo>(), Err(ConnectToError::Port("0".into())));
        assert_eq!("a:1:b c:1".parse::<ConnectTo>(), Err(ConnectToError::Host("b c".into())));
    }
}
