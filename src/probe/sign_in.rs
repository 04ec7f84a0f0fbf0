//! Signing in to a proxy with an account that the operator gave for this proxy and no other: by NTLM, which
//! `sspi` speaks, or by Basic.
//!
//! Credentials are sent only after the proxy has asked for them (407), on a connection of their own, and never to anybody
//! else. NTLM comes first, since Basic shows the password to everybody on the way to the proxy (who may also make
//! it look as if the proxy offered nothing else); under the name Negotiate
//! it is NTLM as well. Kerberos is not spoken: a proxy that takes nothing else says so. NTLM signs in a connection, so
//! both its messages go over the one that is used afterwards.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::engine::tcp_again;
use super::http::{self, Wire};
use super::layer::Seen;
use super::proxy::{self, Asking, schemes};
use super::{ConnectEvidence, Failure, FailureCode, HttpEvidence};
use crate::host::HostOrAddress;
use crate::ntlm::{Ntlm, NtlmError};
use crate::plan::Target;
use crate::site::Secret;
use crate::text::printable;

/// Accounts by proxy.
pub type ProxyAccounts = BTreeMap<(HostOrAddress, u16), ProxyAccount>;

/// An account for a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyAccount {
    /// Such as `CONTOSO\svc-cm` or `svc-cm`.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

impl ProxyAccount {
    /// The value of `Proxy-Authorization` (RFC 7617).
    fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password.expose())))
    }
}

/// A way of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// NTLM under its own name.
    Ntlm,
    /// NTLM under the name Negotiate.
    Negotiate,
    Basic,
}

impl Way {
    /// As it stands in headers.
    fn name(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
            Self::Basic => "Basic",
        }
    }

    /// Those that the proxy offers, the best first.
    fn offered(schemes: &[String]) -> Vec<Self> {
        let has = |way: &Self| schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(way.name()));
        [Self::Ntlm, Self::Negotiate, Self::Basic].into_iter().filter(has).collect()
    }
}

/// A proxy, an account of it, and the time that a stage has.
struct SignIn<'a> {
    proxy: SocketAddr,
    account: &'a ProxyAccount,
    until: Instant,
    limit: Duration,
    code: FailureCode,
}

/// Why a way leads no further.
enum Stuck {
    /// The proxy gave no challenge that can be answered: nothing was shown to it, and the next way may do.
    NoChallenge,
    Failed(Failure),
}

impl SignIn<'_> {
    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// A connection, and what the next request on it says. What it then says further is the way's own.
    async fn begin(&self, way: Way, asking: Asking<'_>) -> Result<(TcpStream, String), Stuck> {
        let (name, operation) = (way.name(), format!("sign-in at proxy {}", self.proxy));
        let silence = || Stuck::Failed(Failure::silence(self.code, &operation, self.limit));
        let opened = timeout(self.left(), tcp_again(self.proxy)).await.map_err(|_| silence())?;
        let mut stream = opened.map_err(Stuck::Failed)?;
        if way == Way::Basic {
            return Ok((stream, self.account.basic()));
        }
        let fail = |code, what: &str| Stuck::Failed(Failure::new(code, &format!("{operation}: {what}")));
        let own = |error: NtlmError| fail(FailureCode::ProxyAuthFailed, &error.to_string());
        let mut ntlm = Ntlm::new(&self.account.user, &self.account.password, None).map_err(own)?;
        let first = BASE64_STANDARD.encode(ntlm.negotiate().map_err(own)?);
        let challenge = match timeout(self.left(), proxy::challenge(&mut stream, asking, name, &first)).await {
            Ok(Ok(Some(challenge))) => challenge,
            Ok(Ok(None)) => return Err(Stuck::NoChallenge),
            Ok(Err(what)) => return Err(fail(FailureCode::ProxyBadReply, &what)),
            Err(_) => return Err(silence()),
        };
        let challenge = BASE64_STANDARD.decode(challenge).map_err(|_| Stuck::NoChallenge)?;
        let last = ntlm.authenticate(&challenge).map_err(|_| Stuck::NoChallenge)?;
        Ok((stream, format!("{name} {}", BASE64_STANDARD.encode(last))))
    }

    /// By the first of the ways that leads on. `first` is the failure without an account.
    async fn first_of(
        &self,
        ways: &[Way],
        asking: Asking<'_>,
        first: &Failure,
    ) -> Result<(Way, TcpStream, String), Failure> {
        for way in ways {
            match self.begin(*way, asking).await {
                Ok((stream, value)) => return Ok((*way, stream, value)),
                Err(Stuck::NoChallenge) => {}
                Err(Stuck::Failed(failure)) => return Err(failure),
            }
        }
        let why = if ways.is_empty() {
            "cmcomply can sign in with NTLM and Basic only, so the account was not used"
        } else {
            "but its answer to the first message is no challenge of NTLM version 2, so the account was not used"
        };
        Err(Failure::new(FailureCode::ProxyAuthRequired, &format!("{}; {why}", first.detail)))
    }

    /// A second 407 is about the account.
    fn refused(&self, failure: Failure, way: Way) -> Failure {
        if failure.code != FailureCode::ProxyAuthRequired {
            return failure;
        }
        let user = printable(&self.account.user, MAX_USER);
        let detail = format!("{}, also after {user} signed in with {}", failure.detail, way.name());
        Failure::new(FailureCode::ProxyAuthFailed, &detail)
    }
}

/// A tunnel through the proxy at `proxy`, signed in if it asks for that.
pub(super) async fn tunnel(
    mut stream: TcpStream,
    proxy: SocketAddr,
    target: &Target,
    account: Option<&ProxyAccount>,
    limit: Duration,
) -> Seen<TcpStream, ConnectEvidence> {
    let until = Instant::now() + limit;
    let (host, port) = (&target.host, target.port);
    let mut seen = proxy::connect(&mut stream, proxy, host, port, limit).await;
    if let Some(account) = account
        && let Some(first) = wants_credentials(&seen.result)
    {
        let ways = Way::offered(&offered(seen.evidence.as_ref().map(|evidence| evidence.headers.as_slice())));
        let sign_in = SignIn { proxy, account, until, limit, code: FailureCode::ProxyTimeout };
        let (way, mut signed, value) = match sign_in.first_of(&ways, Asking::Connect(host, port), first).await {
            Ok(begun) => begun,
            Err(failure) => return Seen { result: Err(failure), evidence: seen.evidence },
        };
        seen = proxy::connect_as(&mut signed, proxy, host, port, Some(&value), sign_in.left()).await;
        if let Some(evidence) = &mut seen.evidence {
            evidence.account = Some(printable(&account.user, MAX_USER));
            evidence.scheme = Some(way.name().to_owned());
        }
        seen.result = seen.result.map_err(|failure| sign_in.refused(failure, way));
        stream = signed;
    }
    Seen { evidence: seen.evidence, result: seen.result.map(|()| stream) }
}

/// A visit in clear through a proxy, signed in if it asks for that.
pub(super) async fn visit(
    stream: TcpStream,
    proxy: SocketAddr,
    target: &Target,
    account: Option<&ProxyAccount>,
    limit: Duration,
) -> Seen<(), HttpEvidence> {
    let again = async || Ok(Box::new(tcp_again(proxy).await?) as Box<dyn Wire>);
    let seen = http::visit(Box::new(stream), target, true, None, limit, again).await;
    let (Some(account), Some(first)) = (account, wants_credentials(&seen.result)) else { return seen };
    let ways = Way::offered(&offered(seen.evidence.as_ref().map(|evidence| evidence.headers.as_slice())));
    let (authority, url) = (http::authority(target), http::url(target));
    let asking = Asking::Head { url: &url, authority: &authority };
    let sign_in = SignIn { proxy, account, until: Instant::now() + limit, limit, code: FailureCode::HttpTimeout };
    let (way, stream, value) = match sign_in.first_of(&ways, asking, first).await {
        Ok(begun) => begun,
        Err(failure) => return Seen { result: Err(failure), ..seen },
    };
    // With NTLM only the request that ends the sign-in has it.
    let next = Mutex::new(Some(value));
    let authorization = || {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        if way == Way::Basic { next.clone() } else { next.take() }
    };
    let again = async || match sign_in.begin(way, asking).await {
        Ok((stream, value)) => {
            *next.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            Ok(Box::new(stream) as Box<dyn Wire>)
        }
        Err(Stuck::Failed(failure)) => Err(failure),
        Err(Stuck::NoChallenge) => {
            Err(Failure::new(FailureCode::ProxyBadReply, "the proxy gives no second challenge of NTLM"))
        }
    };
    let seen = http::visit(Box::new(stream), target, true, Some(&authorization), sign_in.left(), again).await;
    Seen { result: seen.result.map_err(|failure| sign_in.refused(failure, way)), ..seen }
}

fn wants_credentials<T>(result: &Result<T, Failure>) -> Option<&Failure> {
    result.as_ref().err().filter(|failure| failure.code == FailureCode::ProxyAuthRequired)
}

fn offered(headers: Option<&[super::Header]>) -> Vec<String> {
    headers.map_or_else(Vec::new, schemes)
}

const MAX_USER: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_shows_only_where_the_proxy_needs_it() {
        let account = ProxyAccount { user: "Aladdin".into(), password: Secret::new("open sesame") };
        assert_eq!(account.basic(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "the example of RFC 7617");
        assert!(!format!("{account:?}").contains("sesame"));
    }

    // Elsewhere the lab's black hole refuses.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn no_connection_outlives_its_stage() {
        let net = lab::internet::Internet::start(lab::internet::Spec::default()).await;
        let account = ProxyAccount { user: "Aladdin".into(), password: Secret::new("open sesame") };
        let (proxy, limit) = (net.black_hole(), Duration::from_secs(5));
        let until = Instant::now();
        let sign_in = SignIn { proxy, account: &account, until, limit, code: FailureCode::ProxyTimeout };
        let host = "a.contoso.com".parse().unwrap();
        match sign_in.begin(Way::Basic, Asking::Connect(&host, 443)).await {
            Err(Stuck::Failed(failure)) => assert_eq!(failure.code, FailureCode::ProxyTimeout),
            _ => panic!("the time of the stage was over"),
        }
    }

    #[test]
    fn what_shows_no_password_comes_first() {
        let ways = |schemes: &[&str]| Way::offered(&schemes.iter().map(|&s| s.to_owned()).collect::<Vec<_>>());
        assert_eq!(ways(&["Basic", "negotiate", "NTLM"]), [Way::Ntlm, Way::Negotiate, Way::Basic]);
        assert_eq!(ways(&["Digest", "basic"]), [Way::Basic]);
        assert_eq!(ways(&["Digest", "Kerberos"]), []);
    }
}
