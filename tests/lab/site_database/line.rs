//! A line with latency between the clients and the server, which counts the round trips on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// The line of one server.
pub struct Line {
    /// What a round trip takes besides the work at its ends.
    latency: Duration,
    round_trips: AtomicUsize,
}

impl Line {
    pub fn new(latency: Duration) -> Self {
        Self { latency, round_trips: AtomicUsize::new(0) }
    }

    /// Round trips so far: connections, and how often a client said something and got an answer.
    pub fn round_trips(&self) -> usize {
        self.round_trips.load(Ordering::SeqCst)
    }

    /// Leads each client of `listener` to `server`.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, server: SocketAddr) {
        // Dropped with this task, so that no client outlives the line.
        let mut clients = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((client, _)) = accepted else { continue };
                    let line = self.clone();
                    clients.spawn(async move { line.lead(client, server).await });
                }
                Some(_) = clients.join_next() => {}
            }
        }
    }

    async fn lead(&self, client: TcpStream, server: SocketAddr) {
        self.round_trips.fetch_add(1, Ordering::SeqCst);
        sleep(self.latency).await;
        let Ok(server) = TcpStream::connect(server).await else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let asked = AtomicBool::new(false);
        let up = || asked.store(true, Ordering::SeqCst);
        let down = || {
            if asked.swap(false, Ordering::SeqCst) {
                self.round_trips.fetch_add(1, Ordering::SeqCst);
            }
        };
        let half = self.latency / 2;
        tokio::join!(flow(from_client, to_server, half, up), flow(from_server, to_client, half, down));
    }
}

/// Carries what comes, each piece `delay` later; what follows a piece does not wait for it.
async fn flow(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration, note: impl Fn()) {
    let (send, mut receive) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let reading = async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            note();
            if send.send((Instant::now() + delay, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, bytes)) = receive.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}
