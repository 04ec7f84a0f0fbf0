//! One connection, one question at a time, with limits on everything.
//!
//! The driver decodes what the server sends, so it runs in a task of its own: if it panics, that task ends and the
//! program goes on.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tiberius::error::Error as DriverError;
use tiberius::{Column, QueryItem, ToSql};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::Compat;
use tokio_util::task::AbortOnDropHandle;

use super::query::max_rows;
use super::value::{Row, Value};
use crate::text;

/// The octets that one reading takes from the server, over all its connections.
pub(super) const MAX_OCTETS: u64 = 128 * 1024 * 1024;
/// The octets that one handshake takes: certificates, the login and its messages.
pub(super) const MAX_HANDSHAKE: u64 = 1024 * 1024;
/// More columns than any statement of ours has. A row of NULLs takes no room on the wire, and much in the memory.
const MAX_COLUMNS: usize = 64;
/// More result sets than any batch of ours gives.
const MAX_SETS: usize = 256;

/// The driver's connection.
pub(super) type Wire = tiberius::Client<Compat<Metered<TcpStream>>>;

/// A signed-in connection.
pub(super) struct Session {
    /// None once the connection is out of step with the server.
    wire: Option<Wire>,
    limit: Duration,
}

/// A value that a statement takes beside its text, and never in it.
#[derive(Debug)]
pub(super) enum Parameter {
    Text(String),
    Number(i64),
}

impl Parameter {
    fn value(&self) -> &dyn ToSql {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number,
        }
    }
}

/// What came back.
pub(super) struct Answer {
    /// The result sets that came completely.
    pub(super) sets: Vec<ResultSet>,
    /// How it ended.
    pub(super) end: End,
}

/// A result set. Its first column says whose it is.
pub(super) struct ResultSet {
    /// The name of the first column, in lower case.
    pub(super) name: String,
    /// The rows.
    pub(super) rows: Vec<Row>,
}

impl ResultSet {
    /// The error that a `CATCH` reported with this set: its number and text.
    pub(super) fn error(&self) -> Option<(i64, String)> {
        if !self.name.starts_with("error_") {
            return None;
        }
        let row = self.rows.first();
        let number = row.and_then(|row| row.get("error_number").number().ok().flatten()).unwrap_or(0);
        let message = row.and_then(|row| row.get("error_message").text().ok().flatten()).unwrap_or_default();
        Some((number, message))
    }
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// As it should.
    Complete,
    /// With an error of the server that no statement caught.
    Refused(u32, String),
    /// A result set has more rows or columns than we take.
    TooMany(String),
    /// Not within the limit.
    TimedOut(Duration),
    /// Before its end, or it made no sense.
    Cut(String),
}

impl Session {
    pub(super) fn new(wire: Wire, limit: Duration) -> Self {
        Self { wire: Some(wire), limit }
    }

    /// Whether another question can be asked on this connection.
    pub(super) fn is_usable(&self) -> bool {
        self.wire.is_some()
    }

    /// Sends a batch and takes what comes, within the session's limit.
    pub(super) async fn ask(&mut self, sql: String) -> Answer {
        self.ask_with(sql, Vec::new()).await
    }

    /// The same with the values of `@P1`, `@P2`, and so on.
    pub(super) async fn ask_with(&mut self, sql: String, parameters: Vec<Parameter>) -> Answer {
        let Some(mut wire) = self.wire.take() else {
            return Answer { sets: Vec::new(), end: End::Cut("the connection is gone".to_owned()) };
        };
        let sets = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&sets);
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let end = receive(&mut wire, sql, &parameters, &sink).await;
            (wire, end)
        }));
        let end = match timeout(self.limit, task).await {
            Err(_) => End::TimedOut(self.limit),
            Ok(Err(_)) => End::Cut("the answer could not be decoded".to_owned()),
            Ok(Ok((wire, end))) => {
                if matches!(end, End::Complete | End::Refused(..)) {
                    self.wire = Some(wire);
                }
                end
            }
        };
        let sets = std::mem::take(&mut *sets.lock().unwrap_or_else(PoisonError::into_inner));
        Answer { sets, end }
    }
}

async fn receive(wire: &mut Wire, sql: String, parameters: &[Parameter], sink: &Mutex<Vec<ResultSet>>) -> End {
    // A set is complete when the next one begins or the answer ends well; only then is it handed over.
    let finish = |set: Option<ResultSet>| {
        sink.lock().unwrap_or_else(PoisonError::into_inner).extend(set);
    };
    let values: Vec<&dyn ToSql> = parameters.iter().map(Parameter::value).collect();
    let sent = if values.is_empty() { wire.simple_query(sql).await } else { wire.query(sql, &values).await };
    let mut stream = match sent {
        Ok(stream) => stream,
        Err(error) => return ended_by(error),
    };
    let mut open: Option<ResultSet> = None;
    let mut limit = 0;
    let mut columns: Arc<[String]> = Arc::from([]);
    let mut count = 0;
    loop {
        match poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await {
            None => {
                finish(open.take());
                return End::Complete;
            }
            Some(Err(error)) => return ended_by(error),
            Some(Ok(QueryItem::Metadata(head))) => {
                count += 1;
                if count > MAX_SETS {
                    return End::Cut("more result sets than statements".to_owned());
                }
                if head.columns().len() > MAX_COLUMNS {
                    return End::TooMany(
                        head.columns().first().map(|c| c.name().to_ascii_lowercase()).unwrap_or_default(),
                    );
                }
                columns = head.columns().iter().map(|c: &Column| c.name().to_ascii_lowercase()).collect();
                let name = columns.first().cloned().unwrap_or_default();
                limit = max_rows(&name);
                finish(open.replace(ResultSet { name, rows: Vec::new() }));
            }
            Some(Ok(QueryItem::Row(row))) => {
                let Some(set) = &mut open else { continue };
                if set.rows.len() == limit {
                    return End::TooMany(set.name.clone());
                }
                let values = row.cells().map(|(_, data)| Value::from(data)).collect();
                set.rows.push(Row::new(Arc::clone(&columns), values));
            }
        }
    }
}

fn ended_by(error: DriverError) -> End {
    match error {
        DriverError::Server(token) => End::Refused(token.code(), text::printable(token.message(), 300)),
        other => End::Cut(text::printable(&other.to_string(), 200)),
    }
}

/// A stream that gives up after its share of octets, so that no server can fill the memory.
pub(super) struct Metered<S> {
    inner: S,
    /// The share of the whole reading, and the part of it that this stream may take.
    left: Arc<AtomicU64>,
    own: Arc<AtomicU64>,
}

impl<S> Metered<S> {
    /// `left` is shared by several streams, `own` is of this one.
    pub(super) fn new(inner: S, left: Arc<AtomicU64>, own: Arc<AtomicU64>) -> Self {
        Self { inner, left, own }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.inner).poll_read(cx, buf);
        let read = (buf.filled().len() - before) as u64;
        let take = |from: &AtomicU64| {
            from.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(read)).is_err()
        };
        let spent = take(&self.left) | take(&self.own);
        match outcome {
            Poll::Ready(Ok(())) if spent => {
                Poll::Ready(Err(io::Error::other("the server sends more than any site has")))
            }
            outcome => outcome,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_when_its_share_is_spent() {
        let left = Arc::new(AtomicU64::new(10));
        let own = || Arc::new(AtomicU64::new(20));
        let mut stream = Metered::new(&[7u8; 64][..], Arc::clone(&left), own());
        let mut buffer = [0; 8];
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 8);
        assert!(stream.read(&mut buffer).await.unwrap_err().to_string().contains("more than any site"));
        let mut stream = Metered::new(&[7u8; 64][..], Arc::new(AtomicU64::new(99)), own());
        let mut buffer = [0; 32];
        assert!(stream.read(&mut buffer).await.is_err(), "its own share is smaller");
    }
}
