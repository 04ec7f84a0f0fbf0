//! LOGIN7: who wants in, to which database.

use std::io;

use super::{Fields, malformed, utf16};

/// What a client said at login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub tds_version: u32,
    pub packet_size: u32,
    pub host: String,
    pub user: String,
    pub password: String,
    pub application: String,
    pub server: String,
    pub database: String,
    /// `ApplicationIntent=ReadOnly`.
    pub read_only: bool,
    /// Windows sign-in instead of user and password.
    pub integrated: bool,
}

impl Login {
    /// Decodes the message.
    pub fn parse(body: &[u8]) -> io::Result<Self> {
        let number = |at: usize| {
            let bytes = body.get(at..at + 4).and_then(|b| b.try_into().ok());
            bytes.map(u32::from_le_bytes).ok_or_else(|| malformed("LOGIN7"))
        };
        let flags = |at: usize| body.get(at).copied().ok_or_else(|| malformed("LOGIN7"));
        let field = |at: usize| -> io::Result<Vec<u8>> {
            let mut position = Fields(body.get(at..).unwrap_or_default());
            let (start, length) = (usize::from(position.u16()?), usize::from(position.u16()?));
            body.get(start..start + length * 2).map(<[u8]>::to_vec).ok_or_else(|| malformed("LOGIN7 field"))
        };
        let text = |at: usize| field(at).map(|b| utf16(&b));
        Ok(Self {
            tds_version: number(4)?,
            packet_size: number(8)?,
            host: text(36)?,
            user: text(40)?,
            password: utf16(&field(44)?.iter().map(|b| (b ^ 0xa5).rotate_left(4)).collect::<Vec<_>>()),
            application: text(48)?,
            server: text(52)?,
            database: text(68)?,
            read_only: flags(26)? & 0x20 != 0,
            integrated: flags(25)? & 0x80 != 0,
        })
    }
}
