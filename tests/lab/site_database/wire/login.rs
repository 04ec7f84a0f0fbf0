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
    /// A Microsoft Entra access token instead of user and password.
    pub token: Option<String>,
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
            token: if flags(27)? & 0x10 != 0 { token(body)? } else { None },
        })
    }
}

/// The token in the FEDAUTH extension, of the kind "security token".
fn token(body: &[u8]) -> io::Result<Option<String>> {
    const FEDAUTH: u8 = 2;
    const END: u8 = 0xff;
    const SECURITY_TOKEN: u8 = 1;
    let at = |offset: usize| Fields(body.get(offset..).unwrap_or_default());
    let place = usize::from(at(56).u16()?);
    let features = u32::from_le_bytes(at(place).array()?);
    let mut features = at(usize::try_from(features).map_err(|_| malformed("FEATUREEXT"))?);
    loop {
        let feature = features.u8()?;
        if feature == END {
            return Ok(None);
        }
        let length = usize::try_from(u32::from_le_bytes(features.array()?)).map_err(|_| malformed("FEATUREEXT"))?;
        let data = features.0.get(..length).ok_or_else(|| malformed("FEATUREEXT"))?;
        features.0 = &features.0[length..];
        if feature == FEDAUTH {
            let mut fields = Fields(data);
            if fields.u8()? >> 1 != SECURITY_TOKEN {
                return Err(malformed("FEDAUTH of another kind"));
            }
            let length = usize::try_from(u32::from_le_bytes(fields.array()?)).map_err(|_| malformed("FEDAUTH"))?;
            return Ok(Some(utf16(fields.0.get(..length).ok_or_else(|| malformed("FEDAUTH"))?)));
        }
    }
}
