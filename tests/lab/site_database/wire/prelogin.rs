//! PRELOGIN: both sides say their version and whether they want TLS.

use std::io;

use super::{Fields, malformed};

/// The ENCRYPTION byte.
pub mod encryption {
    /// TLS for the login only.
    pub const OFF: u8 = 0;
    /// TLS for everything.
    pub const ON: u8 = 1;
    /// No TLS here.
    pub const NOT_SUPPORTED: u8 = 2;
    /// Nothing without TLS.
    pub const REQUIRED: u8 = 3;
}

const VERSION: u8 = 0;
const ENCRYPTION: u8 = 1;
const INSTANCE: u8 = 2;
const MARS: u8 = 4;
const FEDERATED: u8 = 6;
const END: u8 = 0xff;

/// The ENCRYPTION byte of the client's message.
pub fn wanted_encryption(body: &[u8]) -> io::Result<u8> {
    Ok(option(body, ENCRYPTION)?.unwrap_or(encryption::NOT_SUPPORTED))
}

/// Whether the client means to bring an access token.
pub fn wants_federation(body: &[u8]) -> io::Result<bool> {
    Ok(option(body, FEDERATED)? == Some(1))
}

fn option(body: &[u8], wanted: u8) -> io::Result<Option<u8>> {
    let mut options = Fields(body);
    loop {
        let option = options.u8()?;
        if option == END {
            return Ok(None);
        }
        let offset = usize::from(u16::from_be_bytes(options.array()?));
        let length = usize::from(u16::from_be_bytes(options.array()?));
        if option == wanted {
            let value = body.get(offset..offset + length).and_then(|v| v.first());
            return value.copied().map(Some).ok_or_else(|| malformed("PRELOGIN option"));
        }
    }
}

/// The answer: SQL Server 2022, what became of TLS, and whether an access token is expected.
pub fn answer(encryption: u8, federated: bool) -> Vec<u8> {
    let encryption = [encryption];
    let mut options: Vec<(u8, &[u8])> =
        vec![(VERSION, &[16, 0, 0x03, 0xe8, 0, 6]), (ENCRYPTION, &encryption), (INSTANCE, &[0]), (MARS, &[0])];
    if federated {
        options.push((FEDERATED, &[1]));
    }
    let mut offset = options.len() * 5 + 1;
    let mut head = Vec::new();
    let mut data: Vec<u8> = Vec::new();
    for (option, value) in options {
        head.push(option);
        head.extend(u16::try_from(offset).expect("short message").to_be_bytes());
        head.extend(u16::try_from(value.len()).expect("short message").to_be_bytes());
        data.extend(value);
        offset += value.len();
    }
    head.push(END);
    head.extend(data);
    head
}
