//! Which of the documented cipher suites the other end takes: one handshake for each suite.
//!
//! It shows what the server takes, or a device that ends TLS on the way. What the site system itself offers is its own
//! affair (SChannel), and not seen here.

use rustls::SupportedCipherSuite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::catalog::TlsRule;
use crate::probe::FailureCode;
use crate::probe::tls::{self, suite_name, version_name};
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
    /// The way failed: nothing is known.
    NotSeen,
}

/// Tries the suites of the rule in their order. After a failure of the way, the others are not seen.
pub(super) async fn look(line: &Line<'_>, rule: &TlsRule, looks: &mut Vec<SuiteLook>) {
    let mut lost: Option<String> = None;
    for name in rule.suites.iter().take(MAX_SUITES) {
        let known = line.provider.cipher_suites.iter().copied().find(|suite| suite_name(suite.suite()) == *name);
        let (answer, detail) = match (known, &lost) {
            (None, _) => (SuiteAnswer::NotOffered, Some("our TLS library does not have it".to_owned())),
            (_, Some(why)) => (SuiteAnswer::NotSeen, Some(why.clone())),
            (Some(suite), None) => try_one(line, suite).await,
        };
        if answer == SuiteAnswer::NotSeen {
            lost.clone_from(&detail);
        }
        let version = known.map_or_else(|| version_of(name), of_suite);
        looks.push(SuiteLook { suite: printable(name, MAX_NAME), version, answer, detail });
    }
}

async fn try_one(line: &Line<'_>, suite: SupportedCipherSuite) -> (SuiteAnswer, Option<String>) {
    let client = match tls::Client::offering(suite, &line.provider) {
        Ok(client) => client,
        Err(error) => return (SuiteAnswer::NotOffered, Some(error.to_string())),
    };
    let stream = match line.tunnel().await {
        Ok(stream) => stream,
        Err(failure) => return (SuiteAnswer::NotSeen, Some(failure.detail)),
    };
    // The chain is not judged: nothing is said over this session.
    let seen = client.handshake(stream, line.address, &line.probe.target.host, line.patience()).await;
    match seen.result {
        Ok(_) => (SuiteAnswer::Taken, None),
        Err(failure) => match failure.code {
            FailureCode::TlsAlert | FailureCode::TlsProtocol | FailureCode::TlsReset => {
                (SuiteAnswer::Refused, Some(failure.detail))
            }
            _ => (SuiteAnswer::NotSeen, Some(failure.detail)),
        },
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
