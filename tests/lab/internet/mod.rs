//! A pretend internet on loopback: a DNS server, TLS and HTTP servers, HTTP proxies, two certificate authorities, and
//! ports where nobody answers. What it does is said in a [`Spec`]; what was done to it is kept ([`Seen`]).
//!
//! It needs no rights and nothing installed, binds 127.0.0.1 only, and ends when it is dropped. A program under test
//! reaches it as it would reach a real network with three options that every user has: a DNS server ([`Internet::dns`]),
//! a root certificate ([`Internet::ca_pem`]), and curl's `--connect-to` ([`Internet::connect_to`]).

mod ca;
mod contoso;
mod dns;
mod hostile;
mod http;
mod nobody;
mod proxy;
mod record;
mod server;
mod spec;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use ca::Certificates;
use nobody::{BlackHole, ClosedPort};
use record::Record;
use server::Way;

pub use hostile::{Hostile, Talk};
pub use record::Seen;
#[allow(unused_imports, reason = "each test uses its own part of the lab")]
pub use spec::{Asking, Behaviour, List, Manner, Name, ProxySpec, Spec};

/// A running pretend internet.
pub struct Internet {
    /// Its own threads: a test may block while a program talks to it. `None` only while dropping.
    runtime: Option<Runtime>,
    world: Arc<World>,
    places: Places,
}

/// What all servers share.
struct World {
    spec: Spec,
    certificates: Certificates,
    record: Record,
}

impl World {
    /// What the server does for who comes now.
    fn behaviour(&self, way: &Way, host: &str) -> Behaviour {
        let served = |seen: &Seen| match seen {
            Seen::Handshake { host: whose, port, .. } => *port == way.port && whose == host,
            Seen::Request { host: whose, port, .. } => *port == way.port && whose == host && !self.is_tls(*port),
            _ => false,
        };
        match self.spec.behaviour(way.proxy(), host, way.port) {
            Behaviour::AtFirst(times, behaviour) if self.record.all().iter().filter(|s| served(s)).count() < times => {
                *behaviour
            }
            Behaviour::AtFirst(..) => Behaviour::HEALTHY,
            always => always,
        }
    }

    fn is_tls(&self, port: u16) -> bool {
        self.spec.https_ports.contains(&port)
    }
}

/// Where everything really listens.
struct Places {
    dns: SocketAddr,
    /// By pretended port.
    servers: BTreeMap<u16, SocketAddr>,
    /// In the order of the spec.
    proxies: Vec<SocketAddr>,
    closed: ClosedPort,
    black_hole: BlackHole,
}

impl Internet {
    /// Starts it. Panics if loopback sockets cannot be had.
    pub async fn start(spec: Spec) -> Self {
        let (runtime, world) = prepare(spec);
        let places = runtime.spawn(open(world.clone())).await.expect("opening does not panic");
        Self { runtime: Some(runtime), world, places: places.expect("loopback sockets can be had") }
    }

    /// Starts it from outside of any async runtime.
    pub fn start_blocking(spec: Spec) -> Self {
        let (runtime, world) = prepare(spec);
        let places = runtime.block_on(open(world.clone())).expect("loopback sockets can be had");
        Self { runtime: Some(runtime), world, places }
    }

    /// The DNS server, UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.places.dns
    }

    /// The root certificate of the lab, in PEM.
    pub fn ca_pem(&self) -> String {
        self.world.certificates.lab_pem()
    }

    /// The certificate and the key of the lab's issuing CA, in PEM.
    pub fn issuing_pem(&self) -> (String, String) {
        self.world.certificates.issuing_pem()
    }

    /// The root certificate of the foreign CA (the TLS inspection's), in PEM.
    pub fn foreign_ca_pem(&self) -> String {
        self.world.certificates.foreign_pem()
    }

    /// The real address of the servers that pretend to be at this port.
    pub fn server(&self, port: u16) -> SocketAddr {
        *self.places.servers.get(&port).expect("the spec names the port")
    }

    /// The real address of a proxy.
    pub fn proxy(&self, name: &str) -> SocketAddr {
        let index = self.world.spec.proxies.iter().position(|proxy| proxy.name == name);
        self.places.proxies[index.expect("the spec names the proxy")]
    }

    /// An address that refuses connections.
    pub fn closed(&self) -> SocketAddr {
        self.places.closed.address
    }

    /// An address that gives no answer (on Windows: that refuses).
    pub fn black_hole(&self) -> SocketAddr {
        self.places.black_hole.address
    }

    /// `--connect-to` rules that lead a program here. The first that matches counts, so the special ones come first.
    pub fn connect_to(&self) -> Vec<String> {
        let spec = &self.world.spec;
        let nobody = spec.hosts.iter().filter_map(|(host, behaviour)| {
            let to = match behaviour {
                Behaviour::Refused => self.closed(),
                Behaviour::Blocked => self.black_hole(),
                _ => return None,
            };
            let (host, port) = host.split_once(':').unwrap_or((host, ""));
            Some((format!("{host}:{port}::{}", to.port()), port.is_empty()))
        });
        // Those for one port of a host come before those for all its ports.
        let mut nobody: Vec<_> = nobody.collect();
        nobody.sort_by_key(|(_, all_ports)| *all_ports);
        let proxies = spec.proxies.iter().zip(&self.places.proxies);
        let proxies = proxies.map(|(proxy, to)| format!("{}:{}::{}", proxy.name, proxy.port, to.port()));
        let servers = self.places.servers.iter().map(|(port, to)| format!(":{port}::{}", to.port()));
        nobody.into_iter().map(|(rule, _)| rule).chain(proxies).chain(servers).collect()
    }

    /// Everything that clients did so far, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.world.record.all()
    }

    /// How many times clients did this so far.
    pub fn count(&self, what: impl Fn(&Seen) -> bool) -> usize {
        self.seen().iter().filter(|seen| what(seen)).count()
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waiting: allowed in an async test too.
            runtime.shutdown_background();
        }
    }
}

fn prepare(spec: Spec) -> (Runtime, Arc<World>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("pretend-internet")
        .enable_all()
        .build()
        .expect("threads can be had");
    (runtime, Arc::new(World { spec, certificates: Certificates::new(), record: Record::default() }))
}

/// Opens every socket and lets every server run.
async fn open(world: Arc<World>) -> io::Result<Places> {
    let (udp, tcp) = dns::bind().await?;
    let dns = udp.local_addr()?;
    tokio::spawn(dns::serve_udp(world.clone(), udp));
    accept(tcp, {
        let world = world.clone();
        move |stream| dns::serve_tcp(world.clone(), stream)
    });

    let mut servers = BTreeMap::new();
    for &port in &world.spec.http_ports {
        let world = world.clone();
        let address = listen(move |stream| {
            world.record.push(Seen::Connection { port, proxy: None });
            server::http(world.clone(), stream, Way::direct(port))
        });
        servers.insert(port, address.await?);
    }
    for &port in &world.spec.https_ports {
        let world = world.clone();
        let address = listen(move |stream| {
            world.record.push(Seen::Connection { port, proxy: None });
            server::https(world.clone(), stream, Way::direct(port))
        });
        servers.insert(port, address.await?);
    }
    let mut proxies = Vec::new();
    for proxy in world.spec.proxies.iter().cloned().map(Arc::new) {
        let world = world.clone();
        let address = listen(move |stream| {
            world.record.push(Seen::Connection { port: proxy.port, proxy: Some(proxy.name.clone()) });
            proxy::serve(world.clone(), proxy.clone(), stream)
        });
        proxies.push(address.await?);
    }
    Ok(Places { dns, servers, proxies, closed: ClosedPort::open()?, black_hole: BlackHole::open().await? })
}

/// Listens at a free port of 127.0.0.1 and serves every connection on its own.
async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<SocketAddr>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    accept(listener, serve);
    Ok(address)
}

fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F + Send + 'static)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                // How a connection ends is the client's matter; what it did is in the record.
                Ok((stream, _)) => drop(tokio::spawn(serve(stream))),
                // Out of file descriptors: some will come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
}
