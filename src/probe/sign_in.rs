//! Signing in to a proxy: Basic, with an account that the operator gave for this proxy and no other.
//!
//! Credentials are sent only after the proxy has asked for them (407), on a connection of their own, and never to anybody
//! else. Basic is the scheme that this program speaks; what else a proxy offers stands in the evidence and in the words.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpStream;

use super::engine::tcp_again;
use super::http::{self, Wire};
use super::layer::Seen;
use super::proxy::{self, schemes};
use super::{ConnectEvidence, Failure, FailureCode, HttpEvidence};
use crate::host::HostOrAddress;
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

/// A tunnel through the proxy at `proxy`, signed in if it asks for that.
pub(super) async fn tunnel(
    mut stream: TcpStream,
    proxy: SocketAddr,
    target: &Target,
    account: Option<&ProxyAccount>,
    limit: Duration,
) -> Seen<TcpStream, ConnectEvidence> {
    let began = Instant::now();
    let mut seen = proxy::connect(&mut stream, proxy, &target.host, target.port, limit).await;
    if let Some(account) = account
        && let Some(first) = wants_credentials(&seen.result)
    {
        let offered = seen.evidence.as_ref().map_or_else(Vec::new, |evidence| schemes(&evidence.headers));
        if let Err(failure) = can_answer(&offered, first) {
            return Seen { result: Err(failure), evidence: seen.evidence };
        }
        stream = match tcp_again(proxy).await {
            Ok(stream) => stream,
            Err(failure) => return Seen { result: Err(failure), evidence: seen.evidence },
        };
        let left = limit.saturating_sub(began.elapsed());
        let (host, port) = (&target.host, target.port);
        seen = proxy::connect_as(&mut stream, proxy, host, port, Some(&account.basic()), left).await;
        if let Some(evidence) = &mut seen.evidence {
            evidence.account = Some(printable(&account.user, MAX_USER));
        }
        seen.result = seen.result.map_err(|failure| refused(failure, account));
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
    let offered = seen.evidence.as_ref().map_or_else(Vec::new, |evidence| schemes(&evidence.headers));
    let stream = match can_answer(&offered, first) {
        Ok(()) => tcp_again(proxy).await,
        Err(failure) => Err(failure),
    };
    match stream {
        Ok(stream) => {
            let again = async || Ok(Box::new(tcp_again(proxy).await?) as Box<dyn Wire>);
            let basic = account.basic();
            let seen = http::visit(Box::new(stream), target, true, Some(&basic), limit, again).await;
            Seen { result: seen.result.map_err(|failure| refused(failure, account)), ..seen }
        }
        Err(failure) => Seen { result: Err(failure), ..seen },
    }
}

fn wants_credentials<T>(result: &Result<T, Failure>) -> Option<&Failure> {
    result.as_ref().err().filter(|failure| failure.code == FailureCode::ProxyAuthRequired)
}

fn can_answer(offered: &[String], first: &Failure) -> Result<(), Failure> {
    if offered.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) {
        return Ok(());
    }
    let detail = format!("{}; cmcomply can sign in with Basic only, so the account was not used", first.detail);
    Err(Failure::new(FailureCode::ProxyAuthRequired, &detail))
}

/// A second 407 is about the account.
fn refused(failure: Failure, account: &ProxyAccount) -> Failure {
    if failure.code != FailureCode::ProxyAuthRequired {
        return failure;
    }
    let detail = format!("{}, also after {} signed in with Basic", failure.detail, printable(&account.user, MAX_USER));
    Failure::new(FailureCode::ProxyAuthFailed, &detail)
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

    #[test]
    fn only_what_is_spoken_is_answered() {
        let first = Failure::new(FailureCode::ProxyAuthRequired, "CONNECT: 407");
        let offered = |schemes: &[&str]| schemes.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
        assert!(can_answer(&offered(&["Negotiate", "basic"]), &first).is_ok());
        let failure = can_answer(&offered(&["Negotiate", "NTLM"]), &first).unwrap_err();
        assert!(failure.detail.contains("Basic only"), "{failure:?}");
    }
}
