//! Servers that mean harm: raw octets over TCP, over TLS with whatever chain, and over DNS. Each listens on a port of
//! its own of 127.0.0.1; what it says is data, and it says it to everybody.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use super::{accept, ca, dns, http};

/// What a hostile server says.
#[derive(Debug, Clone)]
pub enum Talk {
    /// This, and then it closes.
    Say(Vec<u8>),
    /// The first, and then the second for ever, as fast as it goes.
    Endless(Vec<u8>, Vec<u8>),
    /// The first, and then the second for ever, an octet at a time.
    Drip(Vec<u8>, Vec<u8>),
}

/// Hostile servers, until it is dropped.
pub struct Hostile {
    runtime: Option<Runtime>,
}

impl Hostile {
    /// No server yet.
    #[expect(clippy::new_without_default, reason = "it has threads")]
    pub fn new() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("hostile").enable_all().build();
        Self { runtime: Some(runtime.expect("threads can be had")) }
    }

    /// A server that talks as soon as the client has said anything at all: a `ClientHello`, or nonsense.
    pub fn raw(&self, talk: Talk) -> SocketAddr {
        let talk = Arc::new(talk);
        self.listen(move |mut tcp| {
            let talk = Arc::clone(&talk);
            async move {
                tcp.read_u8().await?;
                say(tcp, &talk).await
            }
        })
    }

    /// A server that talks after the head of a request: a web server, or a proxy.
    pub fn http(&self, talk: Talk) -> SocketAddr {
        let talk = Arc::new(talk);
        self.listen(move |mut tcp| {
            let talk = Arc::clone(&talk);
            async move { if http::read_request(&mut tcp).await.is_some() { say(tcp, &talk).await } else { Ok(()) } }
        })
    }

    /// The same over TLS, with this chain (DER, as it is) and the key (PKCS #8) of its first certificate.
    pub fn https(&self, chain: &[Vec<u8>], key: &[u8], talk: Talk) -> SocketAddr {
        let (talk, acceptor) = (Arc::new(talk), TlsAcceptor::from(Arc::new(config(chain, key))));
        self.listen(move |tcp| {
            let (talk, acceptor) = (Arc::clone(&talk), acceptor.clone());
            async move {
                let mut tls = acceptor.accept(tcp).await?;
                if http::read_request(&mut tls).await.is_some() { say(tls, &talk).await } else { Ok(()) }
            }
        })
    }

    /// A DNS server over UDP, and over TCP if `tcp` says how. Each gets the query and gives the octets to send: as many
    /// datagrams as it likes, or what goes over the connection, with the length before it.
    pub fn dns(
        &self,
        udp: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
        tcp: Option<impl Fn(&[u8]) -> Talk + Send + Sync + 'static>,
    ) -> SocketAddr {
        let runtime = self.runtime.as_ref().expect("not dropped yet");
        let (socket, listener) = runtime.block_on(dns::bind()).expect("loopback sockets can be had");
        let address = socket.local_addr().expect("a bound socket has an address");
        runtime.spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
                for datagram in udp(&buffer[..length]) {
                    let _ = socket.send_to(&datagram, client).await;
                }
            }
        });
        let Some(tcp) = tcp.map(Arc::new) else { return address };
        let _inside = runtime.enter();
        accept(listener, move |mut stream| {
            let tcp = Arc::clone(&tcp);
            async move {
                let mut query = vec![0; usize::from(stream.read_u16().await?)];
                stream.read_exact(&mut query).await?;
                let talk = tcp(&query);
                say(stream, &talk).await
            }
        });
        address
    }

    fn listen<F>(&self, serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let runtime = self.runtime.as_ref().expect("not dropped yet");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.expect("loopback sockets can be had");
        let address = listener.local_addr().expect("a bound socket has an address");
        let _inside = runtime.enter();
        accept(listener, serve);
        address
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Says it. Ends when the client has had enough.
async fn say<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, talk: &Talk) -> io::Result<()> {
    match talk {
        Talk::Say(all) => {
            stream.write_all(all).await?;
            stream.shutdown().await?;
            // To close over unread octets would be a reset, which takes back what was said.
            let mut rest = [0; 1024];
            while stream.read(&mut rest).await? > 0 {}
            Ok(())
        }
        Talk::Endless(first, again) => {
            stream.write_all(first).await?;
            let again = again.repeat(4096_usize.div_ceil(again.len()));
            loop {
                stream.write_all(&again).await?;
            }
        }
        Talk::Drip(first, again) => {
            stream.write_all(first).await?;
            for octet in again.iter().cycle() {
                stream.write_all(&[*octet]).await?;
                stream.flush().await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        }
    }
}

/// Shows any chain, whether or not it is one.
fn config(chain: &[Vec<u8>], key: &[u8]) -> ServerConfig {
    let provider: Arc<CryptoProvider> = ca::provider();
    let key = PrivateKeyDer::try_from(key.to_vec()).expect("a key in PKCS #8");
    let key = provider.key_provider.load_private_key(key).expect("a key that signs");
    let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites of TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::new(CertifiedKey::new(chain, key)))));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_tls13_tickets = 500;
    config
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
