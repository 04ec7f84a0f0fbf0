//! The wire: TDS 7.4 as Microsoft publishes it ([MS-TDS]), server side.

pub mod login;
pub mod packet;
pub mod prelogin;
pub mod request;
pub mod tls;
pub mod token;
pub mod value;

use std::io;

/// An I/O error for bytes that are no TDS.
pub fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed TDS: {what}"))
}

/// Reads fields from the front of a message.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> io::Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n).ok_or_else(|| malformed("message too short"))?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| malformed("message too short"))
    }

    pub fn u8(&mut self) -> io::Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> io::Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// The next `n` UTF-16 code units.
    pub fn text(&mut self, n: usize) -> io::Result<String> {
        Ok(utf16(self.take(n * 2)?))
    }

    /// Skips the `ALL_HEADERS` block that stands before every request since TDS 7.2.
    pub fn skip_all_headers(&mut self) -> io::Result<()> {
        let total = self.u32()? as usize;
        self.take(total.checked_sub(4).ok_or_else(|| malformed("ALL_HEADERS"))?)?;
        Ok(())
    }
}

/// Little-endian UTF-16 as text; wrong surrogates become U+FFFD.
pub fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    String::from_utf16_lossy(&units)
}

/// Text as little-endian UTF-16.
pub fn to_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
