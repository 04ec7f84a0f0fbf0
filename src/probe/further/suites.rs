//! Which of the documented cipher suites the other end takes: one handshake for each suite.
//!
//! It shows what the server takes, or a device that ends TLS on the way. What the site system itself offers is its own
//! affair (SChannel), and not seen here.

use rustls::SupportedCipherSuite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::catalog::TlsRule;
use crate::probe::tls::{self, suite_name, version_name};
use crate::probe::{Failure, FailureCode};
use crate::text::printable;

/// What became of one suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteLook {
    /// The suite in the words of the standard.
    pub suite: String,
    /// The version of TLS that it belongs to, such as `TLSv1.3`.
    pub version: String,
    /// Whether it was taken.
    pub answer: SuiteAnswer,
    /// What exactly was seen, where it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whether the other end takes a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuiteAnswer {
    /// It does.
    Taken,
    /// It refused the handshake.
    Refused,
    /// Our TLS library has no such suite (CBC, RSA key exchange and DHE are not in it), so it was not tried.
    NotOffered,
    /// The way failed, or the connection was cut, as by what bounds connections: nothing is known.
    NotSeen,
}

/// Tries the suites of the rule in their order. After a failure of the way, the others are not seen.
pub(super) async fn look(line: &Line<'_>, rule: &TlsRule, looks: &mut Vec<SuiteLook>) {
    let mut lost: Option<String> = None;
    for name in rule.suites.iter().take(MAX_SUITES) {
        let known = line.provider.cipher_suites.iter().copied().find(|suite| suite_name(suite.suite()) == *name);
        let client = known.map(|suite| tls::Client::offering(suite, &line.provider));
        let (answer, detail) = match (client, &lost) {
            (None, _) => (SuiteAnswer::NotOffered, Some("our TLS library does not have it".to_owned())),
            (Some(Err(error)), _) => (SuiteAnswer::NotOffered, Some(error.to_string())),
            (_, Some(why)) => (SuiteAnswer::NotSeen, Some(why.clone())),
            (Some(Ok(client)), None) => match try_one(line, &client).await {
                Ok(()) => (SuiteAnswer::Taken, None),
                Err(failure) => {
                    let answer = meaning(failure.code);
                    // Another may still get through where one was cut.
                    if answer == SuiteAnswer::NotSeen && failure.code != FailureCode::TlsReset {
                        lost = Some(failure.detail.clone());
                    }
                    (answer, Some(failure.detail))
                }
            },
        };
        let version = known.map_or_else(|| version_of(name), of_suite);
        looks.push(SuiteLook { suite: printable(name, MAX_NAME), version, answer, detail });
    }
}

async fn try_one(line: &Line<'_>, client: &tls::Client) -> Result<(), Failure> {
    let stream = line.tunnel().await?;
    // The chain is not judged: nothing is said over this session.
    let seen = client.handshake(stream, line.address, &line.probe.target.host, line.patience()).await;
    seen.result.map(|_| ())
}

/// What a failure says of the suite: only a refusal in words of TLS is about it.
fn meaning(code: FailureCode) -> SuiteAnswer {
    match code {
        FailureCode::TlsAlert | FailureCode::TlsProtocol => SuiteAnswer::Refused,
        _ => SuiteAnswer::NotSeen,
    }
}

fn of_suite(suite: SupportedCipherSuite) -> String {
    suite.version().version.as_str().map(version_name).unwrap_or_default()
}

/// Suites of TLS 1.3 name no key exchange.
fn version_of(suite: &str) -> String {
    if suite.contains("_WITH_") { "TLSv1.2".to_owned() } else { "TLSv1.3".to_owned() }
}

/// More than any list has.
const MAX_SUITES: usize = 16;
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_no_refusal() {
        assert_eq!(meaning(FailureCode::TlsAlert), SuiteAnswer::Refused);
        for code in [FailureCode::TlsReset, FailureCode::TlsTimeout, FailureCode::TcpRefused, FailureCode::Internal] {
            assert_eq!(meaning(code), SuiteAnswer::NotSeen, "{code:?}");
        }
    }
}
