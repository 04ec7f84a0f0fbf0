//! What the layers have in common: how they end, and the words for it.

use std::io;
use std::time::Duration;

use url::form_urlencoded;

use super::origin::SIGNS;
use super::{Failure, FailureCode, Header};
use crate::text::printable;

/// How one layer ended: what it saw, and what it opened or why not.
#[derive(Debug)]
pub(super) struct Seen<T, E> {
    /// What was seen, also where it failed.
    pub(super) evidence: Option<E>,
    /// What the next layer needs.
    pub(super) result: Result<T, Failure>,
}

impl<T, E> Seen<T, E> {
    pub(super) fn ok(value: T, evidence: E) -> Self {
        Self { evidence: Some(evidence), result: Ok(value) }
    }

    /// Failed before anything was seen.
    pub(super) fn failed(failure: Failure) -> Self {
        Self { evidence: None, result: Err(failure) }
    }

    pub(super) fn failed_with(failure: Failure, evidence: E) -> Self {
        Self { evidence: Some(evidence), result: Err(failure) }
    }
}

impl Failure {
    /// A failure whose detail is made safe to print.
    pub(crate) fn new(code: FailureCode, detail: &str) -> Self {
        Self { code, detail: printable(detail, MAX_DETAIL) }
    }

    /// `operation: no answer within 5s`.
    pub(super) fn silence(code: FailureCode, operation: &str, limit: Duration) -> Self {
        Self::new(code, &format!("{operation}: no answer within {limit:?}"))
    }
}

/// The error in a few words: the name of its kind where it has one, else the words of the system.
pub(crate) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::TimedOut => error.kind().to_string(),
        _ if is_exhausted(error) => format!("this machine has no more file descriptors or sockets ({error})"),
        _ => error.to_string(),
    }
}

/// Whether this machine has no file descriptor or socket left, by the limit of the process or of the system. It says
/// nothing about anybody else.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    const CODES: [i32; 2] = if cfg!(windows) { [10024, 10055] } else { [23, 24] };
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// Whether the other side, or something on the way, cut the connection.
pub(super) fn is_cut(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected
    )
}

/// The headers that tell who answered and where it leads, of all that came. Nothing else is kept: no cookies, no
/// bodies. A `Location` with a signature loses its query.
pub(super) fn telling_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<Header> {
    headers
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            (TELLING.contains(&name.as_str()) || SIGNS.contains(&name.as_str())).then(|| {
                let value = String::from_utf8_lossy(value);
                let value = if name == "location" { without_signature(&value) } else { &value };
                Header { value: printable(value, MAX_HEADER_VALUE), name }
            })
        })
        .take(MAX_HEADERS)
        .collect()
}

/// The value of a kept header.
pub(super) fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|h| h.name == name).map(|h| h.value.as_str())
}

/// A shared access signature is a secret, also in somebody else's redirect, and so is what follows `#`.
pub(super) fn without_signature(location: &str) -> &str {
    let location = location.split('#').next().unwrap_or_default();
    match location.split_once('?') {
        Some((head, query)) if holds_secret(query) => head,
        _ => location,
    }
}

fn holds_secret(query: &str) -> bool {
    let plain = |text: &str| -> String {
        form_urlencoded::parse(text.as_bytes()).flat_map(|(key, value)| [key, "=".into(), value, "&".into()]).collect()
    };
    // Twice, since an address may stand in another one.
    let texts = [plain(query), plain(&plain(query))];
    texts.iter().any(|text| SECRETS.iter().any(|name| text.to_ascii_lowercase().contains(name)))
}

/// How the names of secrets in a query end.
const SECRETS: [&str; 6] = ["sig=", "signature=", "token=", "secret=", "password=", "key="];

/// Headers that tell who answered, in lower case, besides the signs of the endpoints themselves.
const TELLING: &[&str] = &[
    "content-type",
    "location",
    "proxy-agent",
    "proxy-authenticate",
    "proxy-status",
    "server",
    "via",
    "www-authenticate",
    "x-blocked-by",
    "x-bluecoat-via",
    "x-cache",
    "x-cache-lookup",
    "x-squid-error",
];
const MAX_DETAIL: usize = 400;
const MAX_HEADERS: usize = 32;
const MAX_HEADER_VALUE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_redirect_is_cut_however_it_is_written() {
        let bare = "https://a.example/x";
        for rest in [
            "?SIG=a",
            "?%73ig=a",
            "?u=https%3A%2F%2Fb%2F%3Fsig%3Da",
            "?X-Amz-Signature=a",
            "?a=1&access_token=b",
            "#sig=a",
        ] {
            assert_eq!(without_signature(&format!("{bare}{rest}")), bare, "{rest}");
        }
        assert_eq!(without_signature("/fwlink/?LinkID=619849&clcid=0x409"), "/fwlink/?LinkID=619849&clcid=0x409");
    }

    #[test]
    fn only_telling_headers_are_kept_and_made_harmless() {
        let kept = telling_headers([
            ("Server", b"evil\x1b[2J".as_slice()),
            ("Set-Cookie", b"secret=1"),
            ("Location", b"https://a.blob.core.windows.net/x?sv=1&SIG=abc"),
        ]);
        assert_eq!(header(&kept, "server"), Some("evil\\u{1b}[2J"));
        assert_eq!(header(&kept, "set-cookie"), None);
        assert_eq!(header(&kept, "location"), Some("https://a.blob.core.windows.net/x"));
    }

    #[test]
    fn headers_are_bounded() {
        let value = vec![b'v'; 100_000];
        let kept = telling_headers((0..1000).map(|_| ("via", value.as_slice())));
        assert_eq!(kept.len(), MAX_HEADERS);
        assert!(kept[0].value.chars().count() <= MAX_HEADER_VALUE + 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_machine_without_descriptors_is_told_apart() {
        assert!([23, 24].iter().all(|code| is_exhausted(&io::Error::from_raw_os_error(*code))));
        assert!(!is_exhausted(&io::Error::from_raw_os_error(22)));
        assert!(io_words(&io::Error::from_raw_os_error(24)).starts_with("this machine has no more file descriptors"));
    }

    #[test]
    fn errors_are_named_by_their_kind() {
        assert_eq!(io_words(&io::ErrorKind::ConnectionRefused.into()), "connection refused");
        assert!(is_cut(&io::ErrorKind::UnexpectedEof.into()));
        assert!(!is_cut(&io::ErrorKind::TimedOut.into()));
    }
}
