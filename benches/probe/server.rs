//! The far side, in a process of its own: a DNS server, a TLS server for any number of names, and, where there is no wire,
//! a delay of a round trip before each answer and a port that swallows every SYN.

use std::io::{self, BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;

/// Below this name stands every target.
pub(crate) const DOMAIN: &str = "bench.contoso.example";

/// The target with this number: its name, and the address that is its alone.
pub(crate) fn target(number: usize, dead: bool, wire: bool) -> (String, Ipv4Addr) {
    let [.., high, low] = u32::try_from(number).unwrap_or(0).to_be_bytes();
    let [first, second] = match (wire, dead) {
        (true, true) => super::DEAD_NETWORK,
        (true, false) => [10, 77],
        (false, true) => [127, 2],
        (false, false) => [127, 1],
    };
    let kind = if dead { "d" } else { "t" };
    (format!("{kind}{number}.{DOMAIN}"), Ipv4Addr::new(first, second, high, low))
}

/// The DNS server's address on the wire: of the live network, and no target's.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 255, 1);

/// How long each answer really took, in microseconds: what a client can see at best.
#[derive(Default)]
struct Truth {
    name: Vec<u64>,
    tls: Vec<u64>,
    http: Vec<u64>,
}

struct Far {
    /// A wire delays by itself.
    wire: bool,
    round_trip: Duration,
    truth: Mutex<Truth>,
    tls: Arc<rustls::ServerConfig>,
}

impl Far {
    /// Waits for a round trip and notes how long that was.
    async fn wait(&self, place: fn(&mut Truth) -> &mut Vec<u64>) {
        if self.wire {
            return;
        }
        let clock = Instant::now();
        sleep(self.round_trip).await;
        let took = u64::try_from(clock.elapsed().as_micros()).unwrap_or(u64::MAX);
        place(&mut self.truth.lock().unwrap_or_else(PoisonError::into_inner)).push(took);
    }
}

/// Serves until standard input ends. Standard output first tells where; every line on standard input is answered with
/// the medians of what was true since the last.
#[tokio::main]
pub(crate) async fn serve(wire: bool, round_trip: Duration) -> io::Result<()> {
    cmcomply::probe::raise_open_files();
    let (root, tls) = certificates();
    let far = Arc::new(Far { wire, round_trip, truth: Mutex::default(), tls });
    let names = UdpSocket::bind((if wire { NAME_SERVER } else { Ipv4Addr::LOCALHOST }, 0)).await?;
    let live = listener(4096)?;
    let hole = listener(1)?;
    let dead = SocketAddr::from((Ipv4Addr::LOCALHOST, hole.local_addr()?.port()));
    println!("{} {} {}", names.local_addr()?, live.local_addr()?.port(), dead.port());
    println!("{}", root.replace('\n', "|"));
    // Nobody accepts at the hole. Once its queue is full, Linux drops every further SYN, as a firewall does.
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(dead)).await {
        queue.push(stream);
    }
    println!("ready");
    io::stdout().flush()?;
    tokio::spawn(answer_names(Arc::clone(&far), Arc::new(names)));
    tokio::spawn(accept(Arc::clone(&far), live));
    tokio::task::spawn_blocking(move || {
        for _ in io::stdin().lock().lines() {
            let mut truth = std::mem::take(&mut *far.truth.lock().unwrap_or_else(PoisonError::into_inner));
            let medians = [&mut truth.name, &mut truth.tls, &mut truth.http].map(|times| super::percentile(times, 50));
            println!("{} {} {}", medians[0], medians[1], medians[2]);
            io::stdout().flush()?;
        }
        Ok(())
    })
    .await
    .map_err(io::Error::other)?
}

/// At every address of loopback.
fn listener(queue: u32) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into())?;
    socket.listen(queue)
}

/// A records for every target, no AAAA records.
async fn answer_names(far: Arc<Far>, socket: Arc<UdpSocket>) -> io::Result<()> {
    let mut buffer = [0; 2048];
    loop {
        let (length, client) = socket.recv_from(&mut buffer).await?;
        let Some(reply) = reply(&buffer[..length], far.wire) else { continue };
        let (far, socket) = (Arc::clone(&far), Arc::clone(&socket));
        tokio::spawn(async move {
            far.wait(|truth| &mut truth.name).await;
            socket.send_to(&reply, client).await
        });
    }
}

fn reply(query: &[u8], wire: bool) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let question = query.queries.first()?.clone();
    let name = question.name().to_ascii();
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_available = true;
    let (dead, label) = (name.starts_with('d'), name.split('.').next()?);
    match label.get(1..).and_then(|number| number.parse().ok()) {
        Some(number) if question.query_type() == RecordType::A => {
            let address = A(target(number, dead, wire).1);
            reply.add_answer(Record::from_rdata(question.name().clone(), 60, RData::A(address)));
        }
        Some(_) => {}
        None => reply.metadata.response_code = ResponseCode::NXDomain,
    }
    reply.add_query(question);
    reply.to_vec().ok()
}

async fn accept(far: Arc<Far>, listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_one(Arc::clone(&far), stream));
        }
    }
}

/// One connection: the handshake after a round trip, and each answer after another.
async fn serve_one(far: Arc<Far>, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    far.wait(|truth| &mut truth.tls).await;
    let mut stream = hello.into_stream(Arc::clone(&far.tls)).await?;
    while read_head(&mut stream).await? {
        far.wait(|truth| &mut truth.http).await;
        let answer =
            b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Reads a request without a body; `false` at the end of the connection.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<bool> {
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await? {
            0 => return Ok(false),
            length => head.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(true)
}

/// A root in PEM, and a server with one certificate for all names, issued by an intermediate.
fn certificates() -> (String, Arc<rustls::ServerConfig>) {
    let key = || KeyPair::generate().expect("P-256 keys can be made");
    let authority = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let root = CertifiedIssuer::self_signed(authority("Bench Root"), key()).expect("a P-256 key signs");
    let issuing = CertifiedIssuer::signed_by(authority("Bench Issuing"), key(), &root).expect("a P-256 key signs");
    let leaf_key = key();
    let mut params = CertificateParams::new([format!("*.{DOMAIN}")]).expect("the name is ASCII");
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&leaf_key, &issuing).expect("a P-256 key signs");
    let chain = vec![leaf.der().clone(), issuing.der().clone()];
    let secret = PrivateKeyDer::try_from(leaf_key.serialize_der()).expect("rcgen writes PKCS #8");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites")
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .expect("the certificate is for this key");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    (root.pem(), Arc::new(config))
}
