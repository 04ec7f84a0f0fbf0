//! TCP: every address at once, since a firewall may open some and not others.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::gates::Gates;
use super::layer::{io_words, is_exhausted};
use super::{Failure, FailureCode, TcpAttempt, TcpEvidence};

/// The connections of one probe. Those that are not the first go on by themselves while the first is used.
#[derive(Debug)]
pub(super) struct Attempts {
    running: JoinSet<(usize, TcpAttempt, Option<Opened>)>,
    /// In the order of the addresses; `None` is under way.
    ended: Vec<Option<TcpAttempt>>,
    untried: usize,
    /// Which of them is used.
    used: Option<usize>,
}

/// An open connection, with its place among the sockets.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) stream: TcpStream,
    pub(super) address: SocketAddr,
    pub(super) places: Places,
}

/// Where a connection waits for its turn: the sockets of this machine, and what one address is burdened with.
#[derive(Debug)]
pub(super) struct Turns {
    pub(super) sockets: Arc<Semaphore>,
    pub(super) addresses: Gates,
}

/// What an open connection occupies until it is dropped.
#[derive(Debug)]
pub(super) struct Places {
    _socket: OwnedSemaphorePermit,
    _address: Option<OwnedSemaphorePermit>,
}

impl Attempts {
    /// Starts one for each of the first `bound` addresses; each waits for its turn.
    pub(super) fn start(addresses: &[IpAddr], port: u16, bound: usize, limit: Duration, turns: &Arc<Turns>) -> Self {
        let mut running = JoinSet::new();
        let tried = &addresses[..addresses.len().min(bound.max(1))];
        for (index, address) in tried.iter().enumerate() {
            let address = SocketAddr::new(*address, port);
            running.spawn(attempt(index, address, limit, Arc::clone(turns)));
        }
        Self { running, ended: vec![None; tried.len()], untried: addresses.len() - tried.len(), used: None }
    }

    /// The first connection that opens; of those that open within a short grace, the first in the order of the
    /// addresses.
    ///
    /// `Ok(None)` means that a connection was opened and reset at once, and no other opened: the layer above says what
    /// that means to it.
    pub(super) async fn first(&mut self) -> Result<Option<Opened>, Failure> {
        let mut best: Option<(usize, Opened)> = None;
        while best.is_none() {
            let Some((index, opened)) = self.next().await else { return judge(&self.ended).map(|()| None) };
            best = opened.map(|opened| (index, opened));
        }
        let _ = timeout(GRACE, async {
            while best.as_ref().is_some_and(|(best, _)| self.ended[..*best].contains(&None)) {
                let Some((index, opened)) = self.next().await else { break };
                if let Some(opened) = opened
                    && best.as_ref().is_some_and(|(best, _)| index < *best)
                {
                    best = Some((index, opened));
                }
            }
        })
        .await;
        self.used = best.as_ref().map(|(index, _)| *index);
        Ok(best.map(|(_, opened)| opened))
    }

    /// How long the connection took that is used, or else the longest that ended: without the time in queues.
    pub(super) fn took_us(&self) -> Option<u64> {
        match self.used {
            Some(index) => self.ended[index].as_ref().map(|attempt| attempt.took_us),
            None => self.ended.iter().flatten().map(|attempt| attempt.took_us).max(),
        }
    }

    /// Waits for the connections that are still under way.
    pub(super) async fn finish(&mut self) {
        while self.next().await.is_some() {}
    }

    /// What was seen so far.
    pub(super) fn evidence(&self) -> TcpEvidence {
        let attempts: Vec<_> = self.ended.iter().flatten().cloned().collect();
        let used = self.used.and_then(|index| Some(self.ended[index].as_ref()?.address));
        TcpEvidence { untried: self.untried + self.ended.len() - attempts.len(), attempts, used }
    }

    async fn next(&mut self) -> Option<(usize, Option<Opened>)> {
        let (index, attempt, opened) = loop {
            // An attempt that panicked leaves its place empty: it counts as untried.
            if let Ok(ended) = self.running.join_next().await? {
                break ended;
            }
        };
        self.ended[index] = Some(attempt);
        Some((index, opened))
    }
}

/// One connection.
async fn attempt(
    index: usize,
    address: SocketAddr,
    limit: Duration,
    turns: Arc<Turns>,
) -> (usize, TcpAttempt, Option<Opened>) {
    let mut at_address = Some(turns.addresses.enter(address.ip()).await);
    let socket = Arc::clone(&turns.sockets).acquire_owned().await.expect("the semaphore is never closed");
    let clock = Instant::now();
    let connected = {
        let mut connecting = pin!(timeout(limit, TcpStream::connect(address)));
        select! {
            connected = &mut connecting => connected,
            // A silent address has no work with it; the next in the queue must not wait for a whole deadline.
            () = sleep(PATIENCE) => {
                at_address = None;
                connecting.await
            }
        }
    };
    let took_us = micros(clock);
    let operation = format!("connect to {address}");
    let failure = match connected {
        Ok(Ok(stream)) => {
            let _ = stream.set_nodelay(true); // only speed depends on it
            let places = Places { _socket: socket, _address: at_address };
            return (index, TcpAttempt { address, took_us, failure: None }, Some(Opened { stream, address, places }));
        }
        Ok(Err(error)) => Failure::new(code_of(&error, address), &format!("{operation}: {}", io_words(&error))),
        Err(_) => Failure::silence(FailureCode::TcpTimeout, &operation, limit),
    };
    (index, TcpAttempt { address, took_us, failure: Some(failure) }, None)
}

/// Microseconds since `clock`.
pub(super) fn micros(clock: Instant) -> u64 {
    clock.elapsed().as_micros().try_into().unwrap_or(u64::MAX)
}

/// What an error of a connection means.
pub(super) fn code_of(error: &io::Error, address: SocketAddr) -> FailureCode {
    match error.kind() {
        _ if is_exhausted(error) => FailureCode::Internal,
        io::ErrorKind::ConnectionRefused => FailureCode::TcpRefused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => FailureCode::TcpReset,
        io::ErrorKind::TimedOut => FailureCode::TcpTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            FailureCode::TcpUnreachable
        }
        // Windows says so of its own firewall (WSAEACCES), Linux of a prohibiting route or its packet filter.
        io::ErrorKind::PermissionDenied => FailureCode::TcpForbidden,
        _ if BLACKHOLE.is_some() && error.raw_os_error() == BLACKHOLE => FailureCode::TcpForbidden,
        // How a machine without IPv6 says so.
        io::ErrorKind::AddrNotAvailable if address.is_ipv6() => FailureCode::TcpUnreachable,
        _ if error.raw_os_error() == Some(NO_SUCH_FAMILY) => FailureCode::TcpUnreachable,
        _ => FailureCode::TcpError,
    }
}

/// What all attempts together mean when none opened. `Ok` if a connection was opened and reset at once.
fn judge(ended: &[Option<TcpAttempt>]) -> Result<(), Failure> {
    let failed: Vec<_> =
        ended.iter().flatten().filter_map(|attempt| Some((attempt.address, attempt.failure.as_ref()?))).collect();
    // An address that could not be tried might have been the one that opens.
    if let Some((_, failure)) = failed.iter().find(|(_, failure)| failure.code == FailureCode::Internal) {
        return Err((*failure).clone());
    }
    // A reset is always of a connection that was open: a refusal of the first packet is another error. On a busy
    // machine it comes to light here or in the next layer, as luck has it, so it is always told there.
    if failed.iter().any(|(_, failure)| failure.code == FailureCode::TcpReset) {
        return Ok(());
    }
    // A machine without a route for IPv6 says so for every name; what matters is then how IPv4 failed.
    let (v4, v6): (Vec<_>, Vec<_>) = failed.iter().partition(|(address, _)| address.is_ipv4());
    let no_v6 = v6.iter().all(|(_, failure)| failure.code == FailureCode::TcpUnreachable);
    let telling = if no_v6 && !v4.is_empty() { v4 } else { failed };
    let mut codes = telling.iter().map(|(_, failure)| failure.code);
    let code = match codes.next() {
        Some(first) if codes.all(|code| code == first) => first,
        _ => FailureCode::TcpError,
    };
    let shown: Vec<_> = telling.iter().take(MAX_SHOWN).map(|(_, failure)| failure.detail.as_str()).collect();
    let more = match telling.len().saturating_sub(MAX_SHOWN) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Err(Failure::new(code, &format!("{}{more}", shown.join("; "))))
}

/// How long a connection without an answer counts as a burden to its address.
const PATIENCE: Duration = Duration::from_millis(500);
/// How much later an address of a better place may open and still be used.
const GRACE: Duration = Duration::from_millis(20);
/// Attempts that a detail names.
const MAX_SHOWN: usize = 3;
/// How Linux answers where a route of type `blackhole` swallows the packets (EINVAL).
const BLACKHOLE: Option<i32> = if cfg!(target_os = "linux") { Some(22) } else { None };
/// The system's number for "address family not supported".
const NO_SUCH_FAMILY: i32 = if cfg!(windows) {
    10047
} else if cfg!(target_os = "macos") {
    47
} else {
    97
};

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[expect(clippy::unnecessary_wraps, reason = "an attempt under way is none")]
    fn failed(address: &str, code: FailureCode) -> Option<TcpAttempt> {
        let address: SocketAddr = address.parse().unwrap();
        let failure = Failure::new(code, &format!("connect to {address}: x"));
        Some(TcpAttempt { address, took_us: 1, failure: Some(failure) })
    }

    fn code(ended: &[Option<TcpAttempt>]) -> FailureCode {
        judge(ended).unwrap_err().code
    }

    #[test]
    fn the_same_failure_everywhere_is_the_failure_and_different_ones_are_an_error() {
        let refused = || failed("10.0.0.1:443", FailureCode::TcpRefused);
        let silent = || failed("10.0.0.2:443", FailureCode::TcpTimeout);
        assert_eq!(code(&[refused(), refused()]), FailureCode::TcpRefused);
        assert_eq!(code(&[silent(), silent()]), FailureCode::TcpTimeout);
        assert_eq!(code(&[refused(), silent()]), FailureCode::TcpError);
        let detail = judge(&[refused(), silent()]).unwrap_err().detail;
        assert_eq!(detail, "connect to 10.0.0.1:443: x; connect to 10.0.0.2:443: x");
    }

    #[test]
    fn a_dead_ipv6_route_does_not_hide_how_ipv4_failed() {
        let v6 = || failed("[2001:db8::1]:443", FailureCode::TcpUnreachable);
        assert_eq!(code(&[v6(), failed("10.0.0.1:443", FailureCode::TcpTimeout)]), FailureCode::TcpTimeout);
        assert_eq!(code(&[v6(), v6()]), FailureCode::TcpUnreachable);
        let silent_v6 = failed("[2001:db8::1]:443", FailureCode::TcpTimeout);
        assert_eq!(code(&[silent_v6, failed("10.0.0.1:443", FailureCode::TcpRefused)]), FailureCode::TcpError);
    }

    #[test]
    fn an_address_that_could_not_be_tried_leaves_the_answer_open() {
        let spent = failed("10.0.0.1:443", FailureCode::Internal);
        assert_eq!(code(&[failed("10.0.0.2:443", FailureCode::TcpRefused), spent]), FailureCode::Internal);
    }

    #[test]
    fn a_reset_was_an_open_connection() {
        assert!(judge(&[failed("10.0.0.1:443", FailureCode::TcpReset)]).is_ok());
    }

    #[test]
    fn errors_of_the_system_are_told_apart() {
        let v4 = "10.0.0.1:443".parse().unwrap();
        let v6 = "[2001:db8::1]:443".parse().unwrap();
        let code = |kind: io::ErrorKind, address| code_of(&kind.into(), address);
        assert_eq!(code(io::ErrorKind::ConnectionRefused, v4), FailureCode::TcpRefused);
        assert_eq!(code(io::ErrorKind::NetworkUnreachable, v6), FailureCode::TcpUnreachable);
        assert_eq!(code(io::ErrorKind::AddrNotAvailable, v6), FailureCode::TcpUnreachable);
        assert_eq!(code(io::ErrorKind::AddrNotAvailable, v4), FailureCode::TcpError);
        assert_eq!(code(io::ErrorKind::PermissionDenied, v4), FailureCode::TcpForbidden);
        assert_eq!(code(io::ErrorKind::Other, v4), FailureCode::TcpError);
        let exhausted = io::Error::from_raw_os_error(if cfg!(windows) { 10024 } else { 24 });
        assert_eq!(code_of(&exhausted, v4), FailureCode::Internal);
    }

    #[tokio::test]
    async fn an_open_address_is_used_and_a_closed_one_recorded() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let addresses = ["127.0.0.2", "127.0.0.1", "127.0.0.3", "127.0.0.4"].map(|a| a.parse().unwrap());
        let sockets = Arc::new(Semaphore::new(2));
        let turns = Arc::new(Turns { sockets: Arc::clone(&sockets), addresses: Gates::new(1) });
        let mut attempts = Attempts::start(&addresses, port, 3, LIMIT, &turns);
        let opened = attempts.first().await.unwrap().unwrap();
        assert_eq!(opened.address.to_string(), format!("127.0.0.1:{port}"));
        attempts.finish().await;
        let seen = attempts.evidence();
        assert_eq!(seen.untried, 1);
        let codes: Vec<_> = seen.attempts.iter().map(|a| a.failure.as_ref().map(|f| f.code)).collect();
        assert_eq!(codes, [Some(FailureCode::TcpRefused), None, Some(FailureCode::TcpRefused)]);
        let detail = &seen.attempts[0].failure.as_ref().unwrap().detail;
        assert_eq!(*detail, format!("connect to 127.0.0.2:{port}: connection refused"));
        drop(opened);
        assert_eq!(sockets.available_permits(), 2);
    }
}
