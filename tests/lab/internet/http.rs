//! HTTP/1.1 as the pretend servers speak it: one request for each connection.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ca::Certificates;
use super::spec::{Behaviour, List};

/// The most that a request's head may have, in octets.
const MAX_HEAD: usize = 16 * 1024;

/// The head of a request.
#[derive(Debug)]
pub(super) struct Request {
    /// Such as `GET`.
    pub(super) method: String,
    /// Path, absolute URL or authority, as sent.
    pub(super) target: String,
    /// The `Host` header in lower case, without the port.
    pub(super) host: String,
    /// Whether it wants the first octet only.
    pub(super) first_octet: bool,
    /// The `Proxy-Authorization` header.
    pub(super) proxy_authorization: Option<String>,
}

/// What to do with the TCP connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Close it in good order.
    Close,
    /// Reset it.
    Reset,
    /// Hold it open until the client leaves.
    Silence,
}

/// An answer that is a status, some headers and a page.
pub(super) struct Page<'a> {
    /// The status.
    pub(super) status: u16,
    /// Header lines, each with its line end.
    pub(super) headers: String,
    /// The content.
    pub(super) body: &'a str,
}

/// Reads a request's head; `None` if the client left, or what it sent is no HTTP.
pub(super) async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Request> {
    // Octet by octet: after CONNECT, everything behind the head belongs to the tunnel.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        head.push(stream.read_u8().await.ok()?);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(&head).ok()?.is_complete().then_some(())?;
    let header = |name| {
        let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| String::from_utf8_lossy(header.value).into_owned())
    };
    let host = header("host").unwrap_or_default();
    Some(Request {
        first_octet: header("range").is_some_and(|range| range == "bytes=0-0"),
        method: request.method?.to_owned(),
        target: request.path?.to_owned(),
        host: host.split(':').next().unwrap_or_default().to_ascii_lowercase(),
        proxy_authorization: header("proxy-authorization"),
    })
}

/// Answers a request as the behaviour wants it. `headers` are added by a proxy on the way.
pub(super) async fn answer<S: AsyncWrite + Unpin>(
    stream: &mut S,
    request: &Request,
    behaviour: &Behaviour,
    headers: &str,
    certificates: &Certificates,
) -> io::Result<Ending> {
    let page = |status, own: &str, body| Page { status, headers: format!("{own}{headers}"), body };
    let page = match behaviour {
        Behaviour::PlainVerbs if !matches!(request.method.as_str(), "HEAD" | "GET") => page(501, "", SORRY),
        Behaviour::ForeignCa
        | Behaviour::PlainVerbs
        | Behaviour::Expired
        | Behaviour::WrongName
        | Behaviour::SelfSigned
        | Behaviour::LeafOnly
        | Behaviour::NamesResponder
        | Behaviour::HugeChain
        | Behaviour::OnlySuites(_)
        | Behaviour::EndsIdle(_)
        | Behaviour::CutsIdle(_)
        | Behaviour::TlsAlert
        | Behaviour::OldTls
        | Behaviour::AtFirst(..) => page(200, SERVER, WELCOME),
        Behaviour::Status(200..300) if request.target.ends_with(OPENID) => {
            return send_file(stream, request, "application/json", &openid(request), true).await;
        }
        Behaviour::File(length, ranges) => {
            return send_file(stream, request, "application/octet-stream", &vec![b'x'; *length], *ranges).await;
        }
        Behaviour::IssuersCertificate => {
            return send_file(stream, request, "application/pkix-cert", &certificates.issuing_der(), true).await;
        }
        Behaviour::IssuersBundle => {
            return send_file(stream, request, "application/pkcs7-mime", &certificates.bundle(), true).await;
        }
        Behaviour::Status(status @ (200..300)) => page(*status, SERVER, WELCOME),
        Behaviour::Status(status) => page(*status, SERVER, SORRY),
        Behaviour::Redirect(status, location) => page(*status, &format!("{SERVER}Location: {location}\r\n"), ""),
        Behaviour::BlockPage(status) => page(*status, FILTER, BLOCKED),
        Behaviour::Answer(status, headers, body) => page(*status, headers, body),
        Behaviour::GetSilence(_) if request.method == "GET" => return Ok(Ending::Silence),
        Behaviour::GetReset(_) if request.method == "GET" => return Ok(Ending::Reset),
        Behaviour::GetCut(status) if request.method == "GET" => {
            let head = format!("HTTP/1.1 {status} {}\r\nContent-Type: text/html\r\n{SERVER}", reason(*status));
            stream.write_all(format!("{head}Content-Length: 4096\r\n\r\n{SORRY}").as_bytes()).await?;
            stream.flush().await?;
            return Ok(Ending::Reset);
        }
        Behaviour::GetSilence(status) | Behaviour::GetReset(status) | Behaviour::GetCut(status) => {
            page(*status, SERVER, SORRY)
        }
        Behaviour::HttpSilence | Behaviour::HandshakeSilence => return Ok(Ending::Silence),
        // The last two come here only from a client that went round the special port.
        Behaviour::ResetAfterTls | Behaviour::ResetInHandshake | Behaviour::Refused | Behaviour::Blocked => {
            return Ok(Ending::Reset);
        }
        Behaviour::HttpGarbage => {
            stream.write_all(GARBAGE).await?;
            return Ok(Ending::Close);
        }
        Behaviour::RevocationList(List::Endless) => return endless_body(stream).await,
        Behaviour::RevocationList(list) => {
            let list = certificates.list(*list, request.target.ends_with("/root.crl"));
            return send_list(stream, &request.method, headers, &list).await;
        }
        Behaviour::EndlessHeaders => return endless_headers(stream).await,
        Behaviour::SlowLoris => return slow_loris(stream).await,
        Behaviour::HugeHeaders => page(200, &format!("X-Filler: {}\r\n", "x".repeat(1 << 20)), WELCOME),
    };
    send(stream, &request.method, &page).await
}

/// Sends a page.
pub(super) async fn send<S: AsyncWrite + Unpin>(stream: &mut S, method: &str, page: &Page<'_>) -> io::Result<Ending> {
    let Page { status, headers, body } = page;
    let head = format!(
        "HTTP/1.1 {status} {}\r\nDate: {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         {headers}Connection: close\r\n\r\n",
        reason(*status),
        Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT"),
        body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.flush().await?;
    Ok(Ending::Close)
}

/// A file, or the first octet of it.
async fn send_file<S: AsyncWrite + Unpin>(
    stream: &mut S,
    request: &Request,
    kind: &str,
    file: &[u8],
    ranges: bool,
) -> io::Result<Ending> {
    let part = request.first_octet && ranges;
    let (status, named, body) = match (part, file) {
        (true, [_, ..]) => ("206 Partial Content", format!("Content-Range: bytes 0-0/{}\r\n", file.len()), &file[..1]),
        _ => ("200 OK", String::new(), file),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{named}{SERVER}Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if request.method != "HEAD" {
        stream.write_all(body).await?;
    }
    stream.flush().await?;
    Ok(Ending::Close)
}

/// The `OpenID` configuration of the tenant in the path.
fn openid(request: &Request) -> Vec<u8> {
    let tenant = request.target.split('/').rev().nth(2).unwrap_or_default();
    let host = &request.host;
    let document = format!(
        "{{\"issuer\":\"https://sts.windows.net/{tenant}/\",\
         \"token_endpoint\":\"https://{host}/{tenant}/oauth2/token\"}}"
    );
    document.into_bytes()
}

async fn send_list<S: AsyncWrite + Unpin>(
    stream: &mut S,
    method: &str,
    headers: &str,
    list: &[u8],
) -> io::Result<Ending> {
    let length = list.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: {length}\r\n{headers}\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(list).await?;
    }
    stream.flush().await?;
    Ok(Ending::Close)
}

async fn endless_body<S: AsyncWrite + Unpin>(stream: &mut S) -> io::Result<Ending> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nConnection: close\r\n\r\n").await?;
    loop {
        stream.write_all(&[0x30; 4096]).await?;
    }
}

async fn endless_headers<S: AsyncWrite + Unpin>(stream: &mut S) -> io::Result<Ending> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    loop {
        stream.write_all(b"X-Filler: on and on and on and on and on\r\n").await?;
    }
}

async fn slow_loris<S: AsyncWrite + Unpin>(stream: &mut S) -> io::Result<Ending> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nX-Filler: ").await?;
    loop {
        stream.write_all(b"z").await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Public access is not permitted on this storage account",
        426 => "Upgrade Required",
        451 => "Unavailable For Legal Reasons",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        511 => "Network Authentication Required",
        _ => "Unnamed",
    }
}

/// No HTTP, and nothing that a terminal should see.
pub(super) const GARBAGE: &[u8] = b"\x1b[2J\x1b]0;owned\x07 220 mail.contoso.com ESMTP \xff\xfe\x00\r\n";

const OPENID: &str = "/.well-known/openid-configuration";
const SERVER: &str = "Server: Microsoft-IIS/10.0\r\n";
const FILTER: &str = "Server: Contoso-Web-Filter/9.1\r\nCache-Control: no-store\r\n";
const WELCOME: &str = "<!DOCTYPE html><html><head><title>IIS Windows Server</title></head><body>\
    <a href=\"http://go.microsoft.com/fwlink/?linkid=66138&amp;clcid=0x409\">Welcome</a></body></html>\n";
const SORRY: &str = "<!DOCTYPE html><html><head><title>Error</title></head><body>Not like this.</body></html>\n";

/// What a web filter sends in the place of the answer.
pub(super) const BLOCKED: &str = "<!DOCTYPE html><html><head><title>Access denied</title></head><body>\
    <h1>Access blocked</h1><p>Access to this web site is blocked by your administrator. \
    Category: Computer and Internet Info. Policy: Servers.</p></body></html>\n";
