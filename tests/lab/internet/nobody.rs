//! Two ports where nobody answers: one that refuses, one that swallows.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// A port that refuses connections. It is bound and does not listen, so that nobody else can take it.
pub(super) struct ClosedPort {
    _socket: TcpSocket,
    pub(super) address: SocketAddr,
}

impl ClosedPort {
    /// Takes a free port of 127.0.0.1.
    pub(super) fn open() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok(Self { _socket: socket, address })
    }
}

/// A port that gives no answer to a SYN.
///
/// It listens with the shortest queue, nobody accepts, and the queue is full: Linux drops every further SYN, as a
/// firewall does. Windows refuses in this case, so there the black hole is a second closed port.
pub(super) struct BlackHole {
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
    pub(super) address: SocketAddr,
}

impl BlackHole {
    /// Takes a free port of 127.0.0.1 and fills its queue.
    pub(super) async fn open() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let mut queue = Vec::new();
        // The first connection that does not come about shows that the queue is full. On loopback the others take
        // microseconds, so a fifth of a second is long.
        while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            queue.push(stream);
        }
        Ok(Self { _listener: listener, _queue: queue, address })
    }
}
