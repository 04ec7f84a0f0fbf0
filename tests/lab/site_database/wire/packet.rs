//! Packets and messages: a message is one or more packets, the last with the end-of-message bit.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::malformed;

/// What a message is, by the first byte of its packets.
pub mod kind {
    pub const SQL_BATCH: u8 = 1;
    pub const RPC: u8 = 3;
    pub const RESPONSE: u8 = 4;
    pub const ATTENTION: u8 = 6;
    pub const TRANSACTION_MANAGER: u8 = 14;
    pub const LOGIN7: u8 = 16;
    pub const PRELOGIN: u8 = 18;
}

/// The packet size before the login agrees on another.
pub const DEFAULT_SIZE: usize = 4096;

const HEADER: usize = 8;
const END_OF_MESSAGE: u8 = 1;
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;

/// A whole message of the client.
pub struct Message {
    pub kind: u8,
    pub body: Vec<u8>,
}

/// Reads one message of any number of packets; `None` at a clean end.
pub async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Message>> {
    let mut message: Option<Message> = None;
    loop {
        let mut header = [0; HEADER];
        if let Err(error) = stream.read_exact(&mut header).await {
            return if error.kind() == io::ErrorKind::UnexpectedEof && message.is_none() {
                Ok(None)
            } else {
                Err(error)
            };
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let length = length.checked_sub(HEADER).ok_or_else(|| malformed("packet length"))?;
        let message = message.get_or_insert_with(|| Message { kind: header[0], body: Vec::new() });
        let start = message.body.len();
        if start + length > LONGEST_MESSAGE || message.kind != header[0] {
            return Err(malformed("packet sequence"));
        }
        message.body.resize(start + length, 0);
        stream.read_exact(&mut message.body[start..]).await?;
        if header[1] & END_OF_MESSAGE != 0 {
            return Ok(Some(Message { kind: message.kind, body: std::mem::take(&mut message.body) }));
        }
    }
}

/// Writes a message in packets of at most `size` bytes. Without `complete` the last packet is not marked as such, as
/// when the server dies in mid-answer.
pub async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    kind: u8,
    body: &[u8],
    size: usize,
    complete: bool,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(body.len() + body.len() / 100 + 64);
    frame(&mut bytes, kind, body, size, complete);
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Appends `body` to `out`, cut into packets.
pub fn frame(out: &mut Vec<u8>, kind: u8, body: &[u8], size: usize, complete: bool) {
    let room = size - HEADER;
    let count = body.len().div_ceil(room).max(1);
    for number in 0..count {
        let part = &body[(number * room).min(body.len())..((number + 1) * room).min(body.len())];
        let last = complete && number + 1 == count;
        let length = u16::try_from(part.len() + HEADER).expect("a packet size fits in 16 bits");
        out.extend_from_slice(&[kind, u8::from(last)]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&[0, 52, u8::try_from((number + 1) % 256).unwrap_or(0), 0]);
        out.extend_from_slice(part);
    }
}
