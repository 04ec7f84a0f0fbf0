//! What happened in the pretend internet, in order.

use std::sync::{Mutex, PoisonError};

/// One thing that a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Asked the DNS server.
    Query {
        /// In lower case, without the last dot.
        name: String,
        /// Such as `A` or `AAAA`.
        kind: String,
        /// Over TCP and not UDP.
        tcp: bool,
    },
    /// Opened a TCP connection to a server or to a proxy. (Those to a black hole or to nobody are not seen.)
    Connection {
        /// The pretended port.
        port: u16,
        /// The proxy, if it is one.
        proxy: Option<String>,
    },
    /// Asked a proxy to CONNECT.
    Connect {
        /// The proxy.
        proxy: String,
        /// The host that it shall reach.
        host: String,
        /// At which port.
        port: u16,
    },
    /// Sent a `ClientHello`.
    Handshake {
        /// The proxy through which it came.
        via: Option<String>,
        /// The host in CONNECT, else the server name (SNI), else empty.
        host: String,
        /// The pretended port.
        port: u16,
    },
    /// Sent an HTTP request to a server, other than CONNECT.
    Request {
        /// The proxy through which it came.
        via: Option<String>,
        /// The host in CONNECT or the server name (SNI); for plain HTTP the host in the request.
        host: String,
        /// The pretended port.
        port: u16,
        /// Such as `GET`.
        method: String,
        /// Path and query.
        path: String,
    },
}

/// The record.
#[derive(Debug, Default)]
pub(super) struct Record(Mutex<Vec<Seen>>);

impl Record {
    /// Adds one.
    pub(super) fn push(&self, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }

    /// All so far.
    pub(super) fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
