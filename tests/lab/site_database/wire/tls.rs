//! TLS inside TDS 7: the handshake travels in PRELOGIN packets, what follows is plain TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::malformed;
use super::packet::{DEFAULT_SIZE, frame, kind};

/// A stream that wraps and unwraps packets until [`Wrapped::finish_handshake`].
pub struct Wrapped<S> {
    inner: S,
    wrapping: bool,
    header: Vec<u8>,
    left_in_packet: usize,
    unsent: Vec<u8>,
    framed: Vec<u8>,
}

impl<S> Wrapped<S> {
    /// A stream at the start of the handshake.
    pub fn new(inner: S) -> Self {
        Self { inner, wrapping: true, header: Vec::new(), left_in_packet: 0, unsent: Vec::new(), framed: Vec::new() }
    }

    /// From now on, bytes pass as they are.
    pub fn finish_handshake(&mut self) {
        self.wrapping = false;
    }

    /// The stream below.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.wrapping {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        while this.left_in_packet == 0 {
            let mut bytes = [0; 8];
            let mut wanted = ReadBuf::new(&mut bytes[..8 - this.header.len()]);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut wanted))?;
            if wanted.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.header.extend_from_slice(wanted.filled());
            if let [packet_kind, _, high, low, ..] = this.header[..]
                && this.header.len() == 8
            {
                if packet_kind != kind::PRELOGIN {
                    return Poll::Ready(Err(malformed("expected a PRELOGIN packet in the TLS handshake")));
                }
                this.left_in_packet = usize::from(u16::from_be_bytes([high, low])).saturating_sub(8);
                this.header.clear();
            }
        }
        let mut bytes = [0; DEFAULT_SIZE];
        let wanted = this.left_in_packet.min(buf.remaining()).min(bytes.len());
        let mut part = ReadBuf::new(&mut bytes[..wanted]);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        this.left_in_packet -= part.filled().len();
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.wrapping {
            this.unsent.extend_from_slice(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut this.inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.unsent.is_empty() {
            frame(&mut this.framed, kind::PRELOGIN, &std::mem::take(&mut this.unsent), DEFAULT_SIZE, true);
        }
        while !this.framed.is_empty() {
            let written = ready!(Pin::new(&mut this.inner).poll_write(cx, &this.framed))?;
            this.framed.drain(..written);
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
