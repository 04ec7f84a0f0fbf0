//! Sealed messages in HTTP: `multipart/encrypted` (MS-WSMV, section 2.2.9.1).

use super::WinRmError;
use crate::ntlm::{Ntlm, NtlmError, SIGNATURE, Sealed};

/// The `Content-Type` of a sealed message.
pub(super) const CONTENT_TYPE: &str = "multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";\
    boundary=\"Encrypted Boundary\"";

const BOUNDARY: &str = "--Encrypted Boundary";
/// The size of a signature, as it stands before each.
const SIZE: [u8; 4] = [16, 0, 0, 0];
const OF_OCTETS: &[u8] = b"\tContent-Type: application/octet-stream\r\n";

/// The body that holds `message` sealed.
pub(super) fn seal(ntlm: &mut Ntlm, message: &[u8]) -> Result<Vec<u8>, NtlmError> {
    let Sealed { signature, data } = ntlm.seal(message)?;
    let head = format!(
        "{BOUNDARY}\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n\
         \tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={}\r\n{BOUNDARY}\r\n",
        message.len()
    );
    Ok([head.as_bytes(), OF_OCTETS, &SIZE, &signature, &data, BOUNDARY.as_bytes(), b"--\r\n"].concat())
}

/// The message of a sealed body. `content_type` is what the answer calls itself.
pub(super) fn open(ntlm: &mut Ntlm, content_type: &str, body: &[u8]) -> Result<Vec<u8>, WinRmError> {
    if !content_type.trim_start().to_ascii_lowercase().starts_with("multipart/encrypted") {
        return Err(WinRmError::NotSealed);
    }
    let (sealed, length) =
        split(body).ok_or_else(|| WinRmError::Altered("its parts are not where they belong".into()))?;
    let message = ntlm.open(sealed).map_err(|e| WinRmError::Altered(e.to_string()))?;
    if message.len() != length {
        return Err(WinRmError::Altered(format!("it is said to have {length} octets and has {}", message.len())));
    }
    Ok(message)
}

/// The signature, the sealed octets, and the length that the head tells.
pub(super) fn split(body: &[u8]) -> Option<(Sealed, usize)> {
    let body = body.strip_prefix(BOUNDARY.as_bytes())?.strip_prefix(b"\r\n")?;
    let start = find(body, OF_OCTETS)?;
    let head = std::str::from_utf8(&body[..start]).ok()?;
    let length = head.split("Length=").nth(1)?.lines().next()?.trim().parse().ok()?;
    let rest = &body[start + OF_OCTETS.len()..];
    let (size, rest) = rest.split_first_chunk::<4>()?;
    if *size != SIZE {
        return None;
    }
    let (signature, rest) = rest.split_first_chunk::<SIGNATURE>()?;
    let rest = rest.strip_suffix(b"\r\n").unwrap_or(rest);
    let data = rest.strip_suffix(b"--")?.strip_suffix(BOUNDARY.as_bytes())?;
    Some((Sealed { signature: *signature, data: data.to_vec() }, length))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).take(MAX_HEAD).position(|window| window == what)
}

/// How far the head of a sealed body may reach.
const MAX_HEAD: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(length: &str, size: u8) -> Vec<u8> {
        let head =
            format!("--Encrypted Boundary\r\n\tContent-Type: x\r\n\tOriginalContent: type=y;Length={length}\r\n");
        [
            head.as_bytes(),
            b"--Encrypted Boundary\r\n",
            OF_OCTETS,
            &[size, 0, 0, 0],
            &[7; 16],
            b"data",
            BOUNDARY.as_bytes(),
            b"--\r\n",
        ]
        .concat()
    }

    #[test]
    fn a_body_comes_apart_where_it_was_put_together() {
        let sealed = Sealed { signature: [7; 16], data: b"data".to_vec() };
        assert_eq!(split(&body("4", 16)), Some((sealed, 4)));
        assert_eq!(split(&body("x", 16)), None);
        assert_eq!(split(&body("4", 15)), None);
        for cut in 0..body("4", 16).len() - 2 {
            assert_eq!(split(&body("4", 16)[..cut]), None, "{cut}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..150, to in any::<u8>()) {
            split(&bytes);
            let mut good = body("4", 16);
            let at = at.min(good.len() - 1);
            good[at] = to;
            split(&good);
        }
    }
}
