//! From options to a signed-in session. TLS is always on.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use tiberius::error::Error as DriverError;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::compat::TokioAsyncWriteCompatExt;
use tokio_util::task::AbortOnDropHandle;

use super::browser;
use super::error::ConnectError;
use super::options::{Certificate, Encryption, Options, SignIn};
use super::refusal::{self, Place};
use super::server::Endpoint;
use super::session::{MAX_HANDSHAKE, MAX_OCTETS, Metered, Session, Wire};
use crate::host::HostName;
use crate::text;

/// How often a server may send us on to another one.
const MAX_REDIRECTS: usize = 3;
/// How many addresses of a name are tried, one after the other.
const MAX_ADDRESSES: usize = 8;
/// How many are tried at once; Microsoft's own clients refuse more.
const MAX_ADDRESSES_AT_ONCE: usize = 64;
/// A file of CA certificates is not larger.
const MAX_CA_FILE: u64 = 4 * 1024 * 1024;

/// Opens sessions, all with the same options.
pub(super) struct Connector<'a> {
    options: &'a Options,
    roots: Option<Vec<u8>>,
    octets: Arc<AtomicU64>,
}

impl<'a> Connector<'a> {
    /// Checks what can be checked without the network: the CA file and the name of the database.
    pub(super) async fn new(options: &'a Options) -> Result<Self, ConnectError> {
        if let Some(name) = &options.database
            && (name.is_empty() || name.chars().count() > 128 || name.chars().any(char::is_control))
        {
            return Err(ConnectError::DatabaseName { name: text::ascii(name, 140) });
        }
        let roots = match &options.certificate {
            Certificate::CaFile(path) => Some(read_roots(path).await.map_err(|detail| ConnectError::CaFile {
                file: text::printable(&path.display().to_string(), 300),
                detail,
            })?),
            Certificate::MachineRoots | Certificate::NotChecked => None,
        };
        Ok(Self { options, roots, octets: Arc::new(AtomicU64::new(MAX_OCTETS)) })
    }

    /// Lets the server send as much again: for what is read page by page, and not kept.
    pub(super) fn refill(&self) {
        self.octets.store(MAX_OCTETS, Ordering::Relaxed);
    }

    /// The options.
    pub(super) fn options(&self) -> &Options {
        self.options
    }

    /// Connects and signs in.
    pub(super) async fn open(&self, database: &str) -> Result<Session, ConnectError> {
        let mut host = self.options.server.host();
        let mut endpoint = self.options.server.endpoint().clone();
        let mut address = String::new();
        for _ in 0..=MAX_REDIRECTS {
            let (stream, port) = self.dial(&host, &endpoint).await?;
            address = host_port(&host, port);
            let place = Place { address: &address, host: &host, database, options: self.options };
            match self.sign_in(stream, &host, port, database).await {
                Ok(wire) => return Ok(Session::new(wire, self.options.query_timeout)),
                Err(Some(DriverError::Routing { host: next, port })) => {
                    // The name may carry an instance, which the port makes superfluous.
                    let name = next.split('\\').next().unwrap_or_default().trim();
                    if name.parse::<IpAddr>().is_err() && HostName::parse(name).is_err() {
                        let detail = format!("it sends its clients on to `{}`", text::ascii(name, 80));
                        return Err(ConnectError::NotSqlServer { address, detail });
                    }
                    name.clone_into(&mut host);
                    endpoint = Endpoint::Port(port);
                }
                Err(Some(error)) => return Err(refusal::explain(&error, &place)),
                Err(None) => {
                    let detail = "its handshake could not be decoded".to_owned();
                    return Err(ConnectError::NotSqlServer { address, detail });
                }
            }
        }
        Err(ConnectError::TooManyRedirects { server: self.options.server.to_string(), address })
    }

    /// The TCP connection, and the port that it was made to.
    async fn dial(&self, host: &str, endpoint: &Endpoint) -> Result<(TcpStream, u16), ConnectError> {
        let addresses = self.resolve(host).await?;
        let no_address = || ConnectError::NameNotResolved { host: host.to_owned(), detail: "no address".to_owned() };
        if self.options.network.multi_subnet_failover {
            let attempts = addresses.into_iter().map(|ip| self.reach(ip, host, endpoint));
            return first_of(attempts.collect()).await.map_err(|failure| failure.unwrap_or_else(no_address));
        }
        let mut failure = None;
        for ip in addresses.into_iter().take(MAX_ADDRESSES) {
            match self.reach(ip, host, endpoint).await {
                Ok(reached) => return Ok(reached),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(no_address))
    }

    /// The TCP connection to one address.
    async fn reach(&self, ip: IpAddr, host: &str, endpoint: &Endpoint) -> Result<(TcpStream, u16), ConnectError> {
        let limit = self.options.connect_timeout;
        let port = match endpoint {
            Endpoint::Port(port) => *port,
            Endpoint::Instance(instance) => {
                let browser = SocketAddr::new(ip, self.options.network.browser_port);
                browser::port_of(browser, instance, limit).await.map_err(|detail| ConnectError::BrowserSilent {
                    host: host.to_owned(),
                    instance: instance.clone(),
                    detail,
                })?
            }
        };
        let address = host_port(host, port);
        match timeout(limit, TcpStream::connect((ip, port))).await {
            Ok(Ok(stream)) => {
                // Without it each small packet of the handshake would wait for the acknowledgement of the last.
                let _ = stream.set_nodelay(true);
                Ok((stream, port))
            }
            Ok(Err(error)) => Err(refusal::explain_tcp(&error, address, limit)),
            Err(_) => Err(ConnectError::TcpTimeout { address, limit }),
        }
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ConnectError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let not_resolved = |detail: String| ConnectError::NameNotResolved { host: host.to_owned(), detail };
        let found = match timeout(self.options.connect_timeout, lookup_host((host, 0))).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(not_resolved(text::printable(&error.to_string(), 200))),
            Err(_) => return Err(not_resolved("no answer in time".to_owned())),
        };
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        addresses.dedup();
        addresses.truncate(MAX_ADDRESSES_AT_ONCE);
        Ok(addresses)
    }

    /// The handshake: TDS, TLS, login. The error is none if the driver panicked on what the server sent.
    async fn sign_in(
        &self,
        stream: TcpStream,
        host: &str,
        port: u16,
        database: &str,
    ) -> Result<Wire, Option<DriverError>> {
        let mut config = Config::new();
        config.host(host);
        config.port(port);
        config.database(database);
        config.authentication(authentication(&self.options.sign_in));
        config.encryption(match self.options.network.encryption {
            Encryption::Required => EncryptionLevel::Required,
            Encryption::Strict => EncryptionLevel::Strict,
        });
        // `trust_cert` together with a CA would be a panic; the options make it impossible.
        match (&self.options.certificate, &self.roots) {
            (Certificate::NotChecked, _) => config.trust_cert(),
            (_, Some(roots)) => config.trust_cert_ca_bundle(roots.clone()),
            (_, None) => {}
        }
        config.application_name(concat!("cmcomply/", env!("CARGO_PKG_VERSION")));
        config.readonly(true);
        // A name with half a surrogate pair in it must not cost the other rows; it is reported where it is read.
        config.lossy_utf16_decoding(true);
        config.handshake_timeout(Some(self.options.connect_timeout));
        // The session's own limit holds for a whole answer, this one only for the silence in it.
        config.command_timeout(None);
        let own = Arc::new(AtomicU64::new(MAX_HANDSHAKE));
        let stream = Metered::new(stream, Arc::clone(&self.octets), Arc::clone(&own)).compat_write();
        let task = AbortOnDropHandle::new(tokio::spawn(Client::connect(config, stream)));
        let wire = task.await.map_err(|_| None)?.map_err(Some)?;
        // From here on the share of all connections alone counts.
        own.store(u64::MAX, Ordering::Relaxed);
        Ok(wire)
    }
}

fn authentication(sign_in: &SignIn) -> AuthMethod {
    match sign_in {
        SignIn::SqlLogin { user, password } => AuthMethod::sql_server(user, password.expose()),
        SignIn::EntraToken { token } => AuthMethod::aad_token(token.expose()),
        #[cfg(all(unix, feature = "gssapi"))]
        SignIn::Kerberos => AuthMethod::Integrated,
        #[cfg(windows)]
        SignIn::WindowsAccount { user, password } => AuthMethod::windows(user, password.expose()),
        #[cfg(windows)]
        SignIn::WindowsCurrent => AuthMethod::Integrated,
    }
}

/// The first attempt that works, all of them at once; else the failure of the last one, if there was any.
async fn first_of<T, E>(attempts: Vec<impl Future<Output = Result<T, E>>>) -> Result<T, Option<E>> {
    let mut attempts: Vec<_> = attempts.into_iter().map(Box::pin).collect();
    let mut failure = None;
    poll_fn(|cx| {
        let mut next = 0;
        while let Some(attempt) = attempts.get_mut(next) {
            match attempt.as_mut().poll(cx) {
                Poll::Ready(Ok(value)) => return Poll::Ready(Ok(value)),
                Poll::Ready(Err(error)) => {
                    failure = Some(error);
                    drop(attempts.swap_remove(next));
                }
                Poll::Pending => next += 1,
            }
        }
        if attempts.is_empty() { Poll::Ready(Err(failure.take())) } else { Poll::Pending }
    })
    .await
}

fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The file, once every certificate in it has been seen to be one.
async fn read_roots(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let io = |error: std::io::Error| text::printable(&error.to_string(), 200);
    let path = path.to_owned();
    let bytes = tokio::task::spawn_blocking(move || {
        use std::io::Read;
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(MAX_CA_FILE + 1).read_to_end(&mut bytes).map(|_| bytes)
    })
    .await
    .map_err(|_| "it could not be read".to_owned())?
    .map_err(io)?;
    if bytes.len() as u64 > MAX_CA_FILE {
        return Err("it is larger than 4 MiB".to_owned());
    }
    let is_certificate = |der: &[u8]| x509_parser::parse_x509_certificate(der).is_ok();
    let pem: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(&bytes).collect();
    let usable = if pem.is_empty() {
        is_certificate(&bytes)
    } else {
        let mut certificates = pem.iter().flatten().filter(|block| block.label == "CERTIFICATE").peekable();
        certificates.peek().is_some()
            && pem.iter().all(Result::is_ok)
            && certificates.all(|block| is_certificate(&block.contents))
    };
    if usable { Ok(bytes) } else { Err("no certificate in it, or a broken one".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ca_file_must_hold_certificates() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        assert!(read_roots(&path).await.is_err());
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, bad).unwrap();
            assert!(read_roots(&path).await.is_err(), "{bad:?}");
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        std::fs::write(&path, certificate.pem()).unwrap();
        assert_eq!(read_roots(&path).await.unwrap(), certificate.pem().into_bytes());
        std::fs::write(&path, certificate.der()).unwrap();
        assert!(read_roots(&path).await.is_ok());
    }

    #[tokio::test]
    async fn one_address_that_answers_is_enough() {
        type Attempt = std::pin::Pin<Box<dyn Future<Output = Result<u8, &'static str>>>>;
        let silent = || -> Attempt { Box::pin(std::future::pending()) };
        let refused = || -> Attempt { Box::pin(std::future::ready(Err("refused"))) };
        let alive: Attempt = Box::pin(async {
            tokio::task::yield_now().await;
            Ok(7)
        });
        assert_eq!(first_of(vec![silent(), refused(), refused(), alive, silent()]).await, Ok(7));
        assert_eq!(first_of(vec![refused(), refused()]).await, Err(Some("refused")));
        assert_eq!(first_of(Vec::<Attempt>::new()).await, Err(None));
    }

    #[test]
    fn addresses_are_shown_as_they_are_typed() {
        assert_eq!(host_port("2001:db8::7", 1433), "[2001:db8::7]:1433");
        assert_eq!(host_port("cm01.contoso.com", 1433), "cm01.contoso.com:1433");
    }
}
