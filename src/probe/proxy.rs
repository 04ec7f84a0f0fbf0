//! HTTP CONNECT, by hand: a general client hides who refused and what the proxy says of itself.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::layer::{Seen, io_words, telling_headers};
use super::{ConnectEvidence, Failure, FailureCode, Header, proxy_product};
use crate::host::HostName;
use crate::text::printable;

/// Asks the proxy at `proxy` on `stream` for a tunnel; afterwards the stream is the tunnel.
pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: SocketAddr,
    host: &HostName,
    port: u16,
    limit: Duration,
) -> Seen<(), ConnectEvidence> {
    connect_as(stream, proxy, host, port, None, limit).await
}

/// The same with a value of `Proxy-Authorization`.
pub(super) async fn connect_as<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: SocketAddr,
    host: &HostName,
    port: u16,
    authorization: Option<&str>,
    limit: Duration,
) -> Seen<(), ConnectEvidence> {
    let operation = format!("CONNECT {host}:{port} through {proxy}");
    let request = request("CONNECT", &format!("{host}:{port}"), &format!("{host}:{port}"), authorization);
    let reply = match timeout(limit, exchange(stream, request.as_bytes())).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(what)) => {
            return Seen::failed(Failure::new(FailureCode::ProxyBadReply, &format!("{operation}: {what}")));
        }
        Err(_) => return Seen::failed(Failure::silence(FailureCode::ProxyTimeout, &operation, limit)),
    };
    match judge(&operation, reply.status, &reply.reason, reply.headers) {
        (evidence, Ok(())) if reply.extra == 0 => Seen::ok((), evidence),
        (evidence, Ok(())) => {
            let what = format!("{operation}: {} bytes came through the tunnel before anything was sent", reply.extra);
            Seen::failed_with(Failure::new(FailureCode::ProxyBadReply, &what), evidence)
        }
        (evidence, Err(failure)) => Seen::failed_with(failure, evidence),
    }
}

/// What the head of a proxy's answer to CONNECT means; `reason` are the words behind its status, safe to print.
pub(super) fn judge(
    operation: &str,
    status: u16,
    reason: &str,
    headers: Vec<Header>,
) -> (ConnectEvidence, Result<(), Failure>) {
    let (code, words) = match status {
        200..=299 => (None, String::new()),
        407 => {
            let words = format!("407, the proxy wants credentials{}", offered(&headers));
            (Some(FailureCode::ProxyAuthRequired), words)
        }
        status => (Some(FailureCode::ProxyRefused), format!("{status} {reason}").trim_end().to_owned()),
    };
    let product = proxy_product(&headers);
    let evidence = ConnectEvidence { status: Some(status), headers, product, ..ConnectEvidence::default() };
    let failure = code.map(|code| Failure::new(code, &format!("{operation}: {words}")));
    (evidence, failure.map_or(Ok(()), Err))
}

/// A request without a body.
fn request(method: &str, target: &str, host: &str, authorization: Option<&str>) -> String {
    let authorization = authorization.map_or_else(String::new, |value| format!("Proxy-Authorization: {value}\r\n"));
    format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {}\r\nProxy-Connection: keep-alive\r\n\
         {authorization}\r\n",
        super::USER_AGENT
    )
}

/// What a connection is signed in for: the request that the proxy would be asked with anyway.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asking<'a> {
    /// For a tunnel.
    Connect(&'a HostName, u16),
    /// For this URL at this authority. HEAD, whose answers have no body.
    Head { url: &'a str, authority: &'a str },
}

/// Sends the first message of a sign-in of several steps (`scheme` and `token`), and leaves the connection as it is ready
/// for the second. The proxy's challenge, in Base64, if it has one.
pub(super) async fn challenge<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    asking: Asking<'_>,
    scheme: &str,
    token: &str,
) -> Result<Option<String>, String> {
    let value = format!("{scheme} {token}");
    let (request, has_body) = match asking {
        Asking::Connect(host, port) => {
            let place = format!("{host}:{port}");
            (request("CONNECT", &place, &place, Some(&value)), true)
        }
        Asking::Head { url, authority } => (request("HEAD", url, authority, Some(&value)), false),
    };
    let reply = exchange(stream, request.as_bytes()).await?;
    if reply.status != 407 {
        return Err(format!("status {} to the first message of {scheme}", reply.status));
    }
    let Some(challenge) = reply.challenge(scheme) else { return Ok(None) };
    if reply.closes {
        return Err(format!("it closes the connection in the middle of the sign-in with {scheme}"));
    }
    if has_body {
        drain(stream, &reply).await?;
    } else if reply.extra > 0 {
        return Err("octets after an answer that has none".to_owned());
    }
    Ok(Some(challenge))
}

/// Reads the rest of a reply, so that the next one begins where it is looked for.
async fn drain<S: AsyncRead + Unpin>(stream: &mut S, reply: &Reply) -> Result<(), String> {
    let mut rest = reply.begun.clone();
    let whole = |rest: &[u8]| match reply.length {
        Some(length) => rest.len() >= length,
        // The proxy waits for our next message, so nothing comes after the end.
        None => rest == b"0\r\n\r\n" || rest.ends_with(b"\r\n0\r\n\r\n"),
    };
    while !whole(&rest) {
        let mut chunk = [0; 2048];
        let read = stream.read(&mut chunk).await.map_err(|e| io_words(&e))?;
        if read == 0 || rest.len() > MAX_REST {
            return Err("its answer in the middle of the sign-in has no end".to_owned());
        }
        rest.extend_from_slice(&chunk[..read]);
    }
    if reply.length.is_some_and(|length| rest.len() > length) {
        return Err("more octets than its answer has".to_owned());
    }
    Ok(())
}

/// ` (it offers Negotiate, NTLM)`, from the challenges of a 407.
pub(super) fn offered(headers: &[Header]) -> String {
    let schemes = schemes(headers);
    if schemes.is_empty() { " (it names no scheme)".to_owned() } else { format!(" (it offers {})", schemes.join(", ")) }
}

/// The schemes of the challenges, each once, in the proxy's order.
pub(super) fn schemes(headers: &[Header]) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for challenge in headers.iter().filter(|h| h.name == "proxy-authenticate") {
        // One header may hold several challenges with parameters; a scheme is a word not followed by `=`.
        for part in challenge.value.split(',') {
            let scheme = part.trim().split(' ').next().unwrap_or_default();
            if !scheme.is_empty() && !scheme.contains(['=', '"']) && !schemes.iter().any(|known| known == scheme) {
                schemes.push(scheme.to_owned());
            }
        }
    }
    schemes
}

/// The head of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    status: u16,
    /// Safe to print.
    reason: String,
    pub(super) headers: Vec<Header>,
    /// Bytes that came after the head.
    extra: usize,
    /// These bytes.
    begun: Vec<u8>,
    /// The length of the body; `None` if it comes in chunks.
    length: Option<usize>,
    /// The connection ends with it.
    closes: bool,
    /// Challenges of a sign-in in several steps: the scheme and what it says.
    challenges: Vec<(String, String)>,
}

impl Reply {
    /// What the scheme's challenge says.
    fn challenge(&self, scheme: &str) -> Option<String> {
        self.challenges.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme)).map(|(_, token)| token.clone())
    }
}

/// Sends the request and reads the head of the reply. The error says what came instead.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: &[u8]) -> Result<Reply, String> {
    stream.write_all(request).await.map_err(|e| io_words(&e))?;
    let mut head = Vec::new();
    loop {
        let mut chunk = [0; 2048];
        let length = stream.read(&mut chunk).await.map_err(|e| io_words(&e))?;
        if length == 0 {
            return Err(if head.is_empty() {
                "closed without a reply".to_owned()
            } else {
                "closed in the middle of its reply".to_owned()
            });
        }
        head.extend_from_slice(&chunk[..length]);
        if let Some(reply) = parse(&head)? {
            return Ok(reply);
        }
        if head.len() > MAX_HEAD {
            return Err(format!("a reply head of more than {MAX_HEAD} bytes"));
        }
    }
}

/// `None` if there is more to come.
pub(super) fn parse(head: &[u8]) -> Result<Option<Reply>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => {
            let values = |name: &'static str| {
                let alike = response.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name));
                alike.filter_map(|h| std::str::from_utf8(h.value).ok())
            };
            let says = |name, what: &str| values(name).any(|value| value.to_ascii_lowercase().contains(what));
            let chunked = says("transfer-encoding", "chunked");
            let counted = values("content-length").next().and_then(|value| value.trim().parse().ok()).unwrap_or(0);
            let challenges = values("proxy-authenticate").filter_map(|value| {
                let (scheme, token) = value.trim().split_once(' ')?;
                Some((scheme.to_owned(), token.trim().to_owned()))
            });
            Ok(Some(Reply {
                status: response.code.unwrap_or_default(),
                reason: printable(response.reason.unwrap_or_default(), 80),
                extra: head.len() - length,
                begun: head[length..].to_vec(),
                length: (!chunked).then_some(counted),
                closes: says("connection", "close") || says("proxy-connection", "close"),
                challenges: challenges.collect(),
                headers: telling_headers(response.headers.iter().map(|h| (h.name, h.value))),
            }))
        }
        Err(error) => Err(format!("the reply is no HTTP: {error}")),
    }
}

const MAX_HEAD: usize = 16 * 1024;
/// The most of a page that is read to get past it.
const MAX_REST: usize = 256 * 1024;
const MAX_HEADERS: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// What CONNECT makes of a proxy that answers with `reply` and then closes.
    async fn connect_to(reply: &[u8]) -> Seen<(), ConnectEvidence> {
        let (mut near, mut far) = tokio::io::duplex(64 * 1024);
        far.write_all(reply).await.unwrap();
        let host = HostName::parse("a.contoso.com").unwrap();
        let seen = tokio::join!(connect(&mut near, "127.0.0.1:8080".parse().unwrap(), &host, 443, LIMIT), async move {
            let mut asked = [0; 39];
            far.read_exact(&mut asked).await.unwrap();
            assert_eq!(&asked, b"CONNECT a.contoso.com:443 HTTP/1.1\r\nHos");
            far.shutdown().await.unwrap();
            far
        });
        seen.0
    }

    async fn failure(reply: &[u8]) -> (FailureCode, String) {
        let failure = connect_to(reply).await.result.unwrap_err();
        (failure.code, failure.detail)
    }

    #[tokio::test]
    async fn a_tunnel_is_a_2xx() {
        let seen =
            connect_to(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy01\r\nSet-Cookie: x\r\n\r\n").await;
        assert!(seen.result.is_ok());
        let evidence = seen.evidence.unwrap();
        assert_eq!(evidence.status, Some(200));
        assert_eq!(evidence.headers, [Header { name: "via".into(), value: "1.1 proxy01".into() }]);
    }

    #[tokio::test]
    async fn a_407_names_the_schemes() {
        let reply = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
            Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"a b\", charset=\"UTF-8\"\r\n\r\n";
        let (code, detail) = failure(reply).await;
        assert_eq!(code, FailureCode::ProxyAuthRequired);
        assert_eq!(
            detail,
            "CONNECT a.contoso.com:443 through 127.0.0.1:8080: 407, the proxy wants credentials (it offers Negotiate, NTLM, Basic)"
        );
    }

    #[tokio::test]
    async fn other_statuses_are_refusals_with_the_proxys_words() {
        let seen = connect_to(b"HTTP/1.1 403 For\x1bbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n").await;
        assert_eq!(seen.result.unwrap_err().code, FailureCode::ProxyBadReply, "a control character is no HTTP");
        let seen = connect_to(b"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n").await;
        let failure = seen.result.unwrap_err();
        assert_eq!(failure.code, FailureCode::ProxyRefused);
        assert!(failure.detail.ends_with(": 403 Forbidden"), "{}", failure.detail);
        assert_eq!(seen.evidence.unwrap().headers[0].name, "x-squid-error");
    }

    #[tokio::test]
    async fn garbage_and_silence_are_told_apart() {
        assert_eq!(failure(b"SSH-2.0-OpenSSH_9.2\r\n").await.0, FailureCode::ProxyBadReply);
        assert_eq!(failure(b"").await.0, FailureCode::ProxyBadReply);
        assert!(failure(b"HTTP/1.1 200 OK\r\nVia: x").await.1.ends_with("closed in the middle of its reply"));
        assert!(failure(b"HTTP/1.1 200 OK\r\n\r\nhello").await.1.contains("5 bytes came through the tunnel"));
        let (mut near, _far) = tokio::io::duplex(64);
        let host = HostName::parse("a.contoso.com").unwrap();
        let limit = Duration::from_millis(20);
        let seen = connect(&mut near, "127.0.0.1:8080".parse().unwrap(), &host, 443, limit).await;
        assert_eq!(seen.result.unwrap_err().code, FailureCode::ProxyTimeout);
    }

    #[tokio::test]
    async fn endless_headers_end() {
        let long = [b"HTTP/1.1 200 OK\r\nVia: ".as_slice(), &vec![b'x'; 60_000]].concat();
        assert!(failure(&long).await.1.contains("more than 16384 bytes"));
        let many = [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"A: b\r\n".repeat(1000), b"\r\n"].concat();
        assert_eq!(failure(&many).await.0, FailureCode::ProxyBadReply);
    }

    proptest! {
        #[test]
        fn no_reply_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"HTTP/1.1 407 X\r\nProxy-Authenticate: ".as_slice(), &bytes].concat());
        }

        #[test]
        fn no_challenge_panics(value in ".*") {
            offered(&[Header { name: "proxy-authenticate".into(), value }]);
        }
    }
}
