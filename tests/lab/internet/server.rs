//! The pretend servers: TLS and plain HTTP, for direct clients and for those who come through a proxy.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;

use super::World;
use super::ca::Kind;
use super::http::{self, Ending};
use super::record::Seen;
use super::spec::{Behaviour, Manner, ProxySpec};

/// RFC 4346, section 7.4.1.3: version 3.2, a random, no session, a suite, no compression.
fn old_server_hello() -> Vec<u8> {
    let body = [&[3, 2][..], &[7; 32], &[0, 0xc0, 0x14, 0]].concat();
    [&[22, 3, 2, 0, 42, 2, 0, 0, 38], body.as_slice()].concat()
}

/// The TLS alert `handshake_failure` (fatal), as a record in clear.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// How a client came to a server.
pub(super) struct Way {
    /// The pretended port.
    pub(super) port: u16,
    /// The proxy that it came through, with the host that it asked the proxy for.
    pub(super) via: Option<(Arc<ProxySpec>, String)>,
}

impl Way {
    /// Without a proxy.
    pub(super) fn direct(port: u16) -> Self {
        Self { port, via: None }
    }

    pub(super) fn proxy(&self) -> Option<&ProxySpec> {
        self.via.as_ref().map(|(proxy, _)| &**proxy)
    }

    fn proxy_name(&self) -> Option<String> {
        self.proxy().map(|proxy| proxy.name.clone())
    }

    /// The host that the client wants: what it told the proxy, else what it tells the server.
    fn host(&self, told: &str) -> String {
        self.via.as_ref().map_or_else(|| told.to_ascii_lowercase(), |(_, host)| host.clone())
    }
}

/// Serves one connection over TLS.
pub(super) async fn https(world: Arc<World>, tcp: TcpStream, way: Way) -> io::Result<()> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
    let server_name = start.client_hello().server_name().unwrap_or_default().to_owned();
    let host = way.host(&server_name);
    let behaviour = world.behaviour(&way, &host);
    world.record.push(Seen::Handshake { via: way.proxy_name(), host: host.clone(), port: way.port });

    let inspected = way.proxy().is_some_and(|proxy| proxy.manner == Manner::Inspecting);
    let kind = match &behaviour {
        Behaviour::ResetInHandshake => return end(start.io, Ending::Reset).await,
        Behaviour::HandshakeSilence => return end(start.io, Ending::Silence).await,
        Behaviour::TlsAlert => {
            let mut tcp = start.io;
            tcp.write_all(&HANDSHAKE_FAILURE).await?;
            return end(tcp, Ending::Close).await;
        }
        Behaviour::OldTls => {
            let mut tcp = start.io;
            tcp.write_all(&old_server_hello()).await?;
            return end(tcp, Ending::Close).await;
        }
        _ if inspected => Kind::Foreign,
        Behaviour::ForeignCa | Behaviour::BlockPage(_) => Kind::Foreign,
        Behaviour::Expired => Kind::Expired,
        Behaviour::WrongName => Kind::WrongName,
        Behaviour::SelfSigned => Kind::SelfSigned,
        Behaviour::LeafOnly => Kind::LeafOnly,
        Behaviour::NamesResponder => Kind::Responder,
        Behaviour::HugeChain => Kind::HugeChain,
        _ => Kind::Good,
    };
    let certified = if server_name.is_empty() { "localhost" } else { &server_name };
    let config = match &behaviour {
        Behaviour::OnlySuites(suites) => world.certificates.config_with(suites, certified),
        _ => world.certificates.config(kind, certified),
    };
    let mut tls = start.into_stream(config).await?;
    let patience = match &behaviour {
        Behaviour::EndsIdle(patience) | Behaviour::CutsIdle(patience) => *patience,
        _ => Duration::MAX,
    };
    let Ok(request) = timeout(patience, http::read_request(&mut tls)).await else {
        return if matches!(behaviour, Behaviour::EndsIdle(_)) { tls.shutdown().await } else { Ok(()) };
    };
    let Some(request) = request else { return Ok(()) };
    world.record.push(Seen::Request {
        via: way.proxy_name(),
        host,
        port: way.port,
        method: request.method.clone(),
        path: request.target.clone(),
    });
    let ending = http::answer(&mut tls, &request, &behaviour, "", &world.certificates).await?;
    if ending == Ending::Close {
        tls.shutdown().await?;
        leave(&mut tls).await;
        return Ok(());
    }
    end(tls.into_inner().0, ending).await
}

/// Serves one connection in clear.
pub(super) async fn http(world: Arc<World>, mut tcp: TcpStream, way: Way) -> io::Result<()> {
    let Some(request) = http::read_request(&mut tcp).await else { return Ok(()) };
    let host = way.host(&request.host);
    let behaviour = world.behaviour(&way, &host);
    world.record.push(Seen::Request {
        via: way.proxy_name(),
        host,
        port: way.port,
        method: request.method.clone(),
        path: request.target.clone(),
    });
    let ending = http::answer(&mut tcp, &request, &behaviour, "", &world.certificates).await?;
    end(tcp, ending).await
}

/// Ends a TCP connection.
pub(super) async fn end(mut tcp: TcpStream, ending: Ending) -> io::Result<()> {
    match ending {
        // Dropped with unsent data and a linger time of zero, it is reset and not closed.
        Ending::Reset => tcp.set_zero_linger(),
        Ending::Silence => {
            drain(&mut tcp).await;
            Ok(())
        }
        Ending::Close => {
            tcp.shutdown().await?;
            leave(&mut tcp).await;
            Ok(())
        }
    }
}

/// Waits for the client's own end, but not for ever: to close over unread octets would be a reset.
async fn leave<S: AsyncRead + Unpin>(stream: &mut S) {
    let _ = timeout(Duration::from_secs(5), drain(stream)).await;
}

/// Reads and forgets until the client ends the connection.
async fn drain<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut buffer = [0; 1024];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}
