//! One connection to a host: signing in, and questions one after the other.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT, WWW_AUTHENTICATE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::answer::Fault;
use super::dial::{Line, dial};
use super::soap::{MAX_ENVELOPE, Question, Verb};
use super::{Account, Endpoint, Limits, PATH, Scheme, WinRmError, answer, seal};
use crate::ntlm::{Ntlm, NtlmError};
use crate::text::printable;

/// A signed-in connection.
pub(super) struct Client<'a> {
    endpoint: &'a Endpoint,
    account: &'a Account,
    url: String,
    sender: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
    guard: Guard,
    /// A question has no answer yet, so the connection cannot take another.
    busy: bool,
}

/// What keeps the messages from others.
enum Guard {
    /// TLS below; Basic goes with every message.
    Tls(Option<HeaderValue>),
    /// Seals of our own.
    Seals(Box<Ntlm>),
}

/// An HTTP answer.
struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl<'a> Client<'a> {
    /// Connects and signs in.
    pub(super) async fn open(
        endpoint: &'a Endpoint,
        account: &'a Account,
        limits: &Limits,
    ) -> Result<Self, WinRmError> {
        let Line { stream, binding } = dial(endpoint, limits).await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_BUFFER)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| WinRmError::Cut(words(&e)))?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async move {
            let _ = connection.await; // its error also comes out of the question
        }));
        let guard = Guard::Tls(None);
        let mut client = Self { endpoint, account, url: endpoint.url(), sender, _driver: driver, guard, busy: false };
        match account.scheme {
            Scheme::Basic => client.guard = Guard::Tls(Some(basic(account)?)),
            Scheme::Ntlm => client.sign_in(binding.as_deref()).await?,
        }
        Ok(client)
    }

    /// Who has signed in.
    pub(super) fn user(&self) -> &'a str {
        &self.account.user
    }

    /// Whether another question may go out.
    pub(super) fn is_free(&self) -> bool {
        !self.busy && !self.sender.is_closed()
    }

    /// `Negotiate` with NTLM: three messages on this connection, which is the account's afterwards.
    async fn sign_in(&mut self, binding: Option<&[u8]>) -> Result<(), WinRmError> {
        let mut ntlm = Ntlm::new(&self.account.user, &self.account.password, binding).map_err(|e| match e {
            NtlmError::Account(_) => WinRmError::Account(e.to_string()),
            other => WinRmError::Here(other.to_string()),
        })?;
        let bad = |e: NtlmError| WinRmError::BadChallenge(e.to_string());
        let first = self.send(Some(negotiate(&ntlm.negotiate().map_err(bad)?)), None, Bytes::new(), ANSWER).await?;
        let challenge = match (first.status, challenge(&first.headers)) {
            (StatusCode::UNAUTHORIZED, Some(challenge)) => challenge,
            (StatusCode::UNAUTHORIZED, None) => return Err(not_offered(&first.headers, "Negotiate (NTLM)")),
            (status, _) => return Err(WinRmError::Status(status.as_u16())),
        };
        let challenge = BASE64_STANDARD
            .decode(challenge)
            .map_err(|_| WinRmError::BadChallenge("its challenge is no Base64".to_owned()))?;
        let last = negotiate(&ntlm.authenticate(&challenge).map_err(bad)?);
        let answer = self.send(Some(last), None, Bytes::new(), ANSWER).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => Err(WinRmError::SignInRefused {
                user: printable(&self.account.user, 80),
                scheme: "NTLM",
                bound: binding.is_some(),
            }),
            // An empty message is nothing to WinRM; some say so, some do not, and both have signed in.
            status if status.is_success() || status.is_server_error() || status == StatusCode::BAD_REQUEST => {
                if !self.endpoint.is_encrypted() {
                    self.guard = Guard::Seals(Box::new(ntlm));
                }
                Ok(())
            }
            status => Err(WinRmError::Status(status.as_u16())),
        }
    }

    /// Asks, and hands over what `take` makes of the body of the answer, or the fault.
    pub(super) async fn ask<T>(
        &mut self,
        verb: Verb<'_>,
        shell: Option<&str>,
        wait: Duration,
        take: impl FnOnce(roxmltree::Node<'_, '_>) -> Result<T, &'static str>,
    ) -> Result<Result<T, Fault>, WinRmError> {
        let id = message_id()?;
        let envelope = Question { verb, to: &self.url, wait, id: &id, shell }.envelope();
        let (authorization, kind, body) = match &mut self.guard {
            Guard::Tls(basic) => (basic.clone(), "application/soap+xml;charset=UTF-8", envelope.into_bytes()),
            Guard::Seals(ntlm) => {
                let sealed = seal::seal(ntlm, envelope.as_bytes()).map_err(|e| WinRmError::Here(e.to_string()))?;
                (None, seal::CONTENT_TYPE, sealed)
            }
        };
        let Response { status, headers, body } =
            self.send(authorization, Some(kind), body.into(), wait + ANSWER).await?;
        match status.as_u16() {
            200 | 400 | 500 => {}
            401 => return Err(self.refused(&headers)),
            other => return Err(WinRmError::Status(other)),
        }
        let body = match &mut self.guard {
            Guard::Tls(_) => body,
            Guard::Seals(ntlm) => {
                let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
                seal::open(ntlm, kind, &body)?
            }
        };
        if body.is_empty() && status != StatusCode::OK {
            return Err(WinRmError::Status(status.as_u16()));
        }
        answer::read(&body, &id, take)
    }

    /// One request and the whole of its answer.
    async fn send(
        &mut self,
        authorization: Option<HeaderValue>,
        kind: Option<&'static str>,
        body: Bytes,
        limit: Duration,
    ) -> Result<Response, WinRmError> {
        let here = |e: hyper::http::Error| WinRmError::Here(e.to_string());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(PATH)
            .header(HOST, format!("{}:{}", self.endpoint.host, self.endpoint.port))
            .header(USER_AGENT, crate::probe::USER_AGENT)
            .body(Full::new(body))
            .map_err(here)?;
        if let Some(value) = authorization {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        if let Some(kind) = kind {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        self.busy = true;
        let exchange = async {
            self.sender.ready().await.map_err(|e| WinRmError::Cut(words(&e)))?;
            let response = self.sender.send_request(request).await.map_err(|e| WinRmError::Cut(words(&e)))?;
            let (head, mut frames) = response.into_parts();
            let mut body = Vec::new();
            while let Some(frame) = frames.frame().await {
                let frame = frame.map_err(|e| WinRmError::Cut(words(&e)))?;
                body.extend_from_slice(frame.data_ref().map(AsRef::as_ref).unwrap_or_default());
                if body.len() > MAX_BODY {
                    return Err(WinRmError::TooLarge { limit: MAX_BODY });
                }
            }
            Ok(Response { status: head.status, headers: head.headers, body })
        };
        let response = timeout(limit, exchange).await.map_err(|_| WinRmError::Silent(limit))??;
        self.busy = false;
        Ok(response)
    }

    /// 401 to a question of one who had signed in, or who signs in with every question.
    fn refused(&self, headers: &HeaderMap) -> WinRmError {
        let basic = matches!(self.guard, Guard::Tls(Some(_)));
        let offered = schemes(headers);
        if basic && !offered.is_empty() && !offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) {
            return not_offered(headers, "Basic");
        }
        let scheme = if basic { "Basic" } else { "NTLM" };
        WinRmError::SignInRefused { user: printable(&self.account.user, 80), scheme, bound: false }
    }
}

fn not_offered(headers: &HeaderMap, wanted: &'static str) -> WinRmError {
    let offered = schemes(headers);
    let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
    WinRmError::SchemeNotOffered { wanted, offered }
}

fn basic(account: &Account) -> Result<HeaderValue, WinRmError> {
    let text = BASE64_STANDARD.encode(format!("{}:{}", account.user, account.password.expose()));
    secret(&format!("Basic {text}"))
}

fn negotiate(token: &[u8]) -> HeaderValue {
    secret(&format!("Negotiate {}", BASE64_STANDARD.encode(token))).expect("Base64 fits into a header")
}

/// A header that shows its value nowhere.
fn secret(text: &str) -> Result<HeaderValue, WinRmError> {
    let mut value = HeaderValue::from_str(text).map_err(|e| WinRmError::Here(e.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The challenge in `WWW-Authenticate: Negotiate CHALLENGE`.
fn challenge(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(WWW_AUTHENTICATE).iter().find_map(|value| {
        let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
        (scheme.eq_ignore_ascii_case("negotiate") && !token.trim().is_empty()).then(|| token.trim())
    })
}

/// The schemes that are offered, safe to print.
fn schemes(headers: &HeaderMap) -> Vec<String> {
    let first_word = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        printable(text.split_whitespace().next().unwrap_or_default(), 20)
    };
    headers.get_all(WWW_AUTHENTICATE).iter().map(first_word).filter(|word| !word.is_empty()).take(8).collect()
}

fn message_id() -> Result<String, WinRmError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| WinRmError::Here(format!("there is no randomness: {e}")))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().to_uppercase())
}

/// The error with its cause, without more.
fn words(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    printable(&format!("{error}{cause}"), 200)
}

/// How long an answer may take besides what the server was allowed to wait.
const ANSWER: Duration = Duration::from_secs(30);
/// The largest answer: an envelope with room for its seal and for a server that counts otherwise.
const MAX_BODY: usize = 4 * MAX_ENVELOPE;
const MAX_BUFFER: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;
