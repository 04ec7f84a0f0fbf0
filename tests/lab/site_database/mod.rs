//! A pretend site database over real TDS: the Contoso hierarchy of `replica.sql`, on loopback, with TLS.
//!
//! The protocol is our own reading of Microsoft's open specifications; the SQL is run by software that nobody here
//! wrote (`sqlparser` reads it as T-SQL, SQLite runs the translation), so that a query means what it says.

mod browser;
mod certificate;
mod connection;
mod faults;
mod flood;
mod large;
mod line;
mod options;
mod respond;
mod server;
mod sql;
mod wire;

#[allow(unused_imports, reason = "each test uses its own part of the lab")]
pub use large::large_hierarchy;
#[allow(unused_imports, reason = "each test uses its own part of the lab")]
pub use options::{Certificate, Encryption, Fault, Flood, Grant, Login, Options, Rights};
#[allow(unused_imports, reason = "each test uses its own part of the lab")]
pub use server::REPLICA;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use certificate::Authority;
use line::Line;
use server::Server;

/// A running server; it stops when it is dropped.
pub struct SiteDatabase {
    address: SocketAddr,
    browser: Option<SocketAddr>,
    ca_pem: String,
    server: Arc<Server>,
    line: Option<Arc<Line>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What a client said when it signed in. The password is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRecord {
    pub user: String,
    pub database: String,
    pub application: String,
    pub host: String,
    /// Whether the client brought a Microsoft Entra access token.
    pub entra: bool,
    /// Whether the client asked for read-only intent.
    pub read_only: bool,
    pub accepted: bool,
}

impl SiteDatabase {
    /// Loads the replica and listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If there is no such port, or if a variant is T-SQL that the lab does not understand.
    pub async fn start(options: Options) -> Self {
        let authority = Authority::new("Contoso lab authority");
        let strict = options.encryption == Encryption::Strict;
        let tls = match options.certificate {
            Certificate::Authority => authority.server(&options.certificate_names, strict),
            Certificate::AnotherAuthority => {
                Authority::new("Another authority").server(&options.certificate_names, strict)
            }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let mut address = listener.local_addr().expect("a bound socket has an address");
        let latency = options.latency;
        let (instance, browser_port) = (options.browser_instance.clone(), options.browser_port);
        let server = Arc::new(Server::new(options, tls));
        let mut tasks = vec![tokio::spawn(accept(listener, server.clone()))];
        let line = latency.map(|latency| Arc::new(Line::new(latency)));
        if let Some(line) = &line {
            let entrance = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
            let server = std::mem::replace(&mut address, entrance.local_addr().expect("a bound socket has an address"));
            tasks.push(tokio::spawn(line.clone().serve(entrance, server)));
        }
        let mut browser = None;
        if let Some(instance) = instance {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, browser_port)).await.expect("a free port");
            browser = socket.local_addr().ok();
            tasks.push(tokio::spawn(async move {
                let _ = browser::serve(socket, instance, address.port()).await;
            }));
        }
        Self { address, browser, ca_pem: authority.pem(), server, line, tasks }
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the pretend SQL Server Browser listens (UDP), if there is one.
    pub fn browser_address(&self) -> Option<SocketAddr> {
        self.browser
    }

    /// The certificate of the authority that a client should trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The text of each batch and each `sp_executesql` call received, in order.
    pub fn statements(&self) -> Vec<String> {
        self.server.statements.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the server has answered to requests, before encryption, one answer after the other; empty unless
    /// [`Options::keep_answers`] is set.
    pub fn answers(&self) -> Vec<u8> {
        self.server.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Round trips on the line so far, with those of TCP and TLS; none unless [`Options::latency`] is set.
    pub fn round_trips(&self) -> Option<usize> {
        self.line.as_ref().map(|line| line.round_trips())
    }

    /// Each attempt to sign in, in order.
    pub fn logins(&self) -> Vec<LoginRecord> {
        self.server.logins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for SiteDatabase {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    // Dropped with this task, so that no client outlives the server.
    let mut clients = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let server = server.clone();
                clients.spawn(async move { connection::serve(server, stream).await });
            }
            Some(_) = clients.join_next() => {}
        }
    }
}
