//! HTTP: one HEAD on the stream that is open, and a GET where HEAD is not understood, the answer looks like a filter's
//! page or may be anybody's, or a file is to be had.
//!
//! No credentials, no cookies, redirects are recorded and not followed here ([`super::redirect`]).

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_RANGE, HOST, HeaderValue, LOCATION, PROXY_AUTHORIZATION, RANGE, USER_AGENT,
};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::author::Author;
use super::layer::{Seen, header, io_words, is_exhausted, telling_headers};
use super::{Failure, FailureCode, Header, HttpEvidence, Redirect, block_page, origin, proxy, tls};
use crate::plan::Target;
use crate::text::printable;

/// What carries HTTP: TCP, a tunnel, or TLS over either.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What the next request says to the proxy of its sender: every request the same with Basic, only the one that ends the
/// sign-in of a connection with NTLM.
pub(super) type Authorization<'a> = &'a (dyn Fn() -> Option<String> + Sync);

/// How the target is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// The stream ends at a proxy that is to fetch it.
    pub(super) by_proxy: bool,
    pub(super) author: Author,
    /// It is a file, or a page with a path of its own: HEAD alone does not show that it can be had.
    pub(super) file: bool,
}

/// Asks for the target on `stream`.
///
/// `authorization` gives the value of `Proxy-Authorization` to each request, if the proxy needs one.
/// `open_again` makes another such stream, for a GET after an answer that closed the first.
pub(super) async fn visit(
    stream: Box<dyn Wire>,
    target: &Target,
    manner: Manner,
    authorization: Option<Authorization<'_>>,
    limit: Duration,
    open_again: impl AsyncFnOnce() -> Result<Box<dyn Wire>, Failure>,
) -> Seen<(), HttpEvidence> {
    let visit = Visit { target, manner, authorization };
    let mut evidence = None;
    let result = if let Ok(result) = timeout(limit, visit.go(stream, &mut evidence, open_again)).await {
        result
    } else {
        // What HEAD said needed the GET, so without its answer nothing is known.
        let method = if evidence.is_some() { Method::GET } else { Method::HEAD };
        Err(Failure::silence(FailureCode::HttpTimeout, &visit.operation(&method), limit))
    };
    let result = result.and_then(|()| evidence.as_ref().map_or(Ok(()), |seen| visit.judge(seen)));
    Seen { evidence, result }
}

/// One question besides the visit.
pub(super) struct Question<'a> {
    /// Such as `GET`; a name that HTTP allows.
    pub(super) method: &'a str,
    /// Besides those of every request. A name that these have too replaces theirs.
    pub(super) headers: &'a [(&'static str, &'static str)],
    /// How much of the body is read, in bytes.
    pub(super) most: usize,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Those that tell who answered.
    pub(super) headers: Vec<Header>,
    /// Safe to print.
    pub(super) content_range: Option<String>,
    /// Not more than was asked for.
    pub(super) body: Vec<u8>,
}

/// Asks one question on `stream`.
pub(super) async fn ask(
    stream: Box<dyn Wire>,
    target: &Target,
    by_proxy: bool,
    limit: Duration,
    question: &Question<'_>,
) -> Result<Answer, Failure> {
    let manner = Manner { by_proxy, author: Author::Certified, file: false };
    let visit = Visit { target, manner, authorization: None };
    let method = Method::from_bytes(question.method.as_bytes()).unwrap_or(Method::GET);
    let exchange = async {
        let failure = |error: &hyper::Error| visit.failure(&method, error);
        let mut request = visit.request(&method)?;
        for (name, value) in question.headers {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        let mut connection = Connection::open(stream).await.map_err(|e| failure(&e))?;
        let response = connection.send(request).await.map_err(|e| failure(&e))?;
        let all = response.headers();
        let content_range =
            all.get(CONTENT_RANGE).map(|v| printable(&String::from_utf8_lossy(v.as_bytes()), MAX_RANGE));
        let headers = telling_headers(all.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let status = response.status().as_u16();
        let (mut body, mut frames) = (Vec::new(), response.into_body());
        while body.len() < question.most {
            let Some(frame) = frames.frame().await else { break };
            body.extend_from_slice(frame.map_err(|e| failure(&e))?.data_ref().map(AsRef::as_ref).unwrap_or_default());
        }
        body.truncate(question.most);
        Ok(Answer { status, headers, content_range, body })
    };
    let silence = || Failure::silence(FailureCode::HttpTimeout, &visit.operation(&method), limit);
    timeout(limit, exchange).await.unwrap_or_else(|_| Err(silence()))
}

/// Host and port as they stand in `Host`.
pub(super) fn authority(target: &Target) -> String {
    let mut authority = target.host.to_string();
    if target.port != target.scheme.default_port() {
        let _ = write!(authority, ":{}", target.port); // writing to a string cannot fail
    }
    authority
}

/// The URL as a proxy is asked for it.
pub(super) fn url(target: &Target) -> String {
    format!("{}://{}{}", target.scheme, authority(target), target.path)
}

struct Visit<'a> {
    target: &'a Target,
    manner: Manner,
    authorization: Option<Authorization<'a>>,
}

impl Visit<'_> {
    async fn go(
        &self,
        stream: Box<dyn Wire>,
        evidence: &mut Option<HttpEvidence>,
        open_again: impl AsyncFnOnce() -> Result<Box<dyn Wire>, Failure>,
    ) -> Result<(), Failure> {
        let mut connection = Connection::open(stream).await.map_err(|e| self.failure(&Method::HEAD, &e))?;
        let head = connection.send(self.request(&Method::HEAD)?).await.map_err(|e| self.failure(&Method::HEAD, &e))?;
        let seen = evidence.insert(self.describe(&Method::HEAD, &head));
        let need = if seen.block_page.is_some() { Need::Nothing } else { need(self.target, self.manner, seen) };
        if need == Need::Nothing {
            return Ok(());
        }
        let part = need != Need::Page && !block_page::is_text(&seen.headers);
        let (mut answer, body) = self.get(part, connection, open_again).await?;
        look_at_page(self.target, self.manner, seen, &mut answer, &body);
        *seen = answer;
        Ok(())
    }

    /// GET with the beginning of its text, on this connection or, if it is closed, on another. Of a file, no more is asked
    /// for than a part.
    async fn get(
        &self,
        part: bool,
        mut connection: Connection,
        open_again: impl AsyncFnOnce() -> Result<Box<dyn Wire>, Failure>,
    ) -> Result<(HttpEvidence, Vec<u8>), Failure> {
        let failure = |error: &hyper::Error| self.failure(&Method::GET, error);
        let request = || {
            let mut request = self.request(&Method::GET)?;
            if part {
                request.headers_mut().insert(RANGE, HeaderValue::from_static("bytes=0-0"));
            }
            Ok(request)
        };
        let response = if let Ok(response) = connection.send(request()?).await {
            response
        } else {
            drop(connection); // its socket, before there is another
            connection = Connection::open(open_again().await?).await.map_err(|e| failure(&e))?;
            connection.send(request()?).await.map_err(|e| failure(&e))?
        };
        let answer = self.describe(&Method::GET, &response);
        let mut body = response.into_body();
        let mut kept = Vec::new();
        while block_page::is_text(&answer.headers) && kept.len() < MAX_BODY {
            let Some(frame) = body.frame().await else { break };
            kept.extend_from_slice(frame.map_err(|e| failure(&e))?.data_ref().map(AsRef::as_ref).unwrap_or_default());
        }
        kept.truncate(MAX_BODY);
        Ok((answer, kept))
    }

    fn describe(&self, method: &Method, response: &Response<Incoming>) -> HttpEvidence {
        let all: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        describe(self.target, self.manner.author, method.as_str(), response.status().as_u16(), &all)
    }

    fn request(&self, method: &Method) -> Result<Request<Empty<Bytes>>, Failure> {
        let authority = authority(self.target);
        let uri = if self.manner.by_proxy { url(self.target) } else { self.target.path.clone() };
        let build = || -> Result<_, hyper::http::Error> {
            let mut request = Request::builder().method(method.clone()).uri(Uri::try_from(uri)?);
            if let Some(value) = self.authorization.and_then(|next| next()) {
                request = request.header(PROXY_AUTHORIZATION, value);
            }
            request
                .header(HOST, authority)
                .header(USER_AGENT, super::USER_AGENT)
                .header(ACCEPT, "*/*")
                .header(ACCEPT_ENCODING, "identity")
                .body(Empty::new())
        };
        build().map_err(|e| {
            let operation = self.operation(method);
            Failure::new(FailureCode::HttpProtocol, &format!("{operation}: the request cannot be written: {e}"))
        })
    }

    /// What the answer means for the target.
    fn judge(&self, seen: &HttpEvidence) -> Result<(), Failure> {
        judge(self.target, self.manner.by_proxy, seen)
    }

    fn operation(&self, method: &Method) -> String {
        format!("{method} {}", self.target)
    }

    fn failure(&self, method: &Method, error: &hyper::Error) -> Failure {
        let (code, words) = explain(error);
        Failure::new(code, &format!("{}: {words}", self.operation(method)))
    }
}

/// An answer, with what its head says of a filter. Names of headers are in lower case.
pub(super) fn describe(
    target: &Target,
    author: Author,
    method: &str,
    status: u16,
    all: &[(&str, &[u8])],
) -> HttpEvidence {
    let headers = telling_headers(all.iter().copied());
    let locations = || all.iter().filter(|(name, _)| *name == LOCATION.as_str()).map(|(_, value)| *value);
    let block_page = block_page::mark_in_status(status)
        .or_else(|| block_page::mark_in_head(&headers))
        .or_else(|| origin::stray_redirect(target, author, status, locations()))
        .map(|mark| printable(&mark, MAX_MARK));
    let redirect = Redirect::read(target, status, locations().next());
    let mut seen =
        HttpEvidence { method: method.to_owned(), status: Some(status), headers, redirect, block_page, doubt: None };
    // No page comes with it that could say more.
    if seen.redirect.is_some() && seen.block_page.is_none() {
        seen.doubt = block_page::doubt(target, author, &seen, b"");
    }
    seen
}

/// What a GET is needed for after HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// The answer to HEAD says nothing without it.
    Page,
    /// Its page may show whose the answer is.
    Proof,
    /// It shows that the file can be had.
    File,
}

/// What a GET is needed for after this answer to HEAD.
pub(super) fn need(target: &Target, manner: Manner, seen: &HttpEvidence) -> Need {
    let status = seen.status.unwrap_or_default();
    match status {
        405 | 501 => Need::Page,
        0..=199 => Need::Nothing,
        _ if NOT_REACHED.contains(&status) || seen.redirect.is_some() => Need::Nothing,
        _ if block_page::is_suspicious(seen) => Need::Page,
        _ if !manner.author.is_shown(target, seen) => Need::Proof,
        200..=299 if manner.file => Need::File,
        _ => Need::Nothing,
    }
}

/// Adds to an answer to GET what its page says of a filter, what is doubtful about it, and whether it denies the file that
/// the answer to `head` promised, as filters of files do.
pub(super) fn look_at_page(
    target: &Target,
    manner: Manner,
    head: &HttpEvidence,
    answer: &mut HttpEvidence,
    body: &[u8],
) {
    if answer.block_page.is_some() {
        return;
    }
    let promised = manner.file && matches!(head.status, Some(200..=299));
    // An empty file has no first octet (416).
    let denied = promised && !matches!(answer.status, Some(200..=399 | 416));
    let promise = || format!("where HEAD had status {}", head.status.unwrap_or_default());
    answer.block_page = block_page::mark_in_body(body).or_else(|| denied.then(promise));
    if answer.block_page.is_none() {
        answer.doubt = block_page::doubt(target, manner.author, answer, body);
    }
}

/// What an answer means for the target.
pub(super) fn judge(target: &Target, by_proxy: bool, seen: &HttpEvidence) -> Result<(), Failure> {
    let status = seen.status.unwrap_or_default();
    let operation = format!("{} {target}", seen.method);
    let mark = seen.block_page.as_deref();
    let failed = |code, what: &str| Err(Failure::new(code, &format!("{operation}: status {status}{what}")));
    if status == 407 && by_proxy {
        let offered = proxy::offered(&seen.headers);
        let detail = format!("{operation} through the proxy: 407, the proxy wants credentials{offered}");
        return Err(Failure::new(FailureCode::ProxyAuthRequired, &detail));
    }
    if NOT_REACHED.contains(&status) {
        return failed(FailureCode::HttpStatus, &mark.map(|mark| format!(", {mark}")).unwrap_or_default());
    }
    if let Some(mark) = mark {
        return failed(FailureCode::HttpBlockPage, &format!(", {mark}"));
    }
    if status < 200 {
        return failed(FailureCode::HttpProtocol, ", which nobody asked for");
    }
    // A proxy answers so for what it cannot or may not reach; many of them do not name themselves.
    if by_proxy && status >= 400 && !origin::answered(&seen.headers) {
        let who = |name| header(&seen.headers, name).map(|value| format!(" ({name}: {value})"));
        let who = who("via").or_else(|| who("server")).unwrap_or_default();
        let what = "nothing shows that the endpoint answered, and not the proxy itself";
        let detail = format!("{operation} through the proxy: status {status}, {what}{who}");
        return Err(Failure::new(FailureCode::ProxyRefused, &detail));
    }
    seen.doubt.as_ref().map_or(Ok(()), |doubt| failed(FailureCode::HttpUnproved, &format!(", {doubt}")))
}

/// What an error before the answer means, by its kind.
fn explain(error: &hyper::Error) -> (FailureCode, String) {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return match tls::explain(error) {
                _ if is_exhausted(error) => (FailureCode::Internal, io_words(error)),
                // With TLS 1.3 a server refuses a client only after the handshake.
                (code @ (FailureCode::TlsAlert | FailureCode::TlsProtocol), words) if tls::is_of_tls(error) => {
                    (code, words)
                }
                // How the client says that a body breaks the rules.
                (_, words) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                    (FailureCode::HttpProtocol, words)
                }
                (FailureCode::TlsTimeout, words) => (FailureCode::HttpTimeout, words),
                (_, words) => (FailureCode::HttpReset, words),
            };
        }
        cause = inner.source();
    }
    if error.is_parse() {
        (FailureCode::HttpProtocol, format!("the answer is no HTTP: {error}"))
    } else {
        (FailureCode::HttpReset, format!("closed without an answer ({error})"))
    }
}

/// HTTP/1.1 on a stream; dropping it closes the stream.
struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    async fn open(stream: Box<dyn Wire>) -> Result<Self, hyper::Error> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async move {
            let _ = connection.await; // its error also comes out of the request
        }));
        Ok(Self { sender, _driver: driver })
    }

    async fn send(&mut self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, hyper::Error> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }
}

/// The statuses that the product's own check ("Validate internet access") counts as not reached.
pub(super) const NOT_REACHED: [u16; 8] = [407, 408, 426, 451, 502, 511, 598, 599];
const MAX_MARK: usize = 400;
const MAX_RANGE: usize = 100;
const MAX_HEAD: usize = 32 * 1024;
const MAX_HEADERS: usize = 100;
const MAX_BODY: usize = 64 * 1024;
