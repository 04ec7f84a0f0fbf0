//! The document that the script brings back, `cmcomply.seen/1`: what it saw, unjudged.
//!
//! It has the shape of observations, but for octets in the place of words: certificates, headers, pages. It echoes the
//! targets of its plan, so that it can be read without it.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::derive::Via;
use crate::host::HostName;
use crate::plan::{Asks, PlanBounds, Target};
use crate::probe::{FailureCode, Outcome, StageName};
use crate::vantage::HostFacts;

/// The format of what the script brings back.
pub(super) const SEEN_FORMAT: &str = "cmcomply.seen/1";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    #[serde(rename = "format")]
    pub(super) _format: String,
    #[serde(rename = "agent")]
    pub(super) _agent: String,
    pub(super) plan_sha256: String,
    pub(super) plan_host: Option<HostName>,
    pub(super) machine: Machine,
    pub(super) facts: Option<HostFacts>,
    pub(super) bounds: PlanBounds,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
    pub(super) interrupted: Option<String>,
    pub(super) observations: Vec<SeenProbe>,
    #[serde(rename = "sha256")]
    pub(super) _sha256: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Machine {
    pub(super) os: String,
    pub(super) name: String,
    pub(super) domain: Option<String>,
    pub(super) account: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenProbe {
    pub(super) probe: String,
    /// What it looked at; of a hop it may be what the answer before it said, and no target.
    #[serde(deserialize_with = "pointed")]
    pub(super) target: Result<Target, String>,
    pub(super) via: Via,
    #[serde(default)]
    pub(super) asks: Asks,
    pub(super) started: Timestamp,
    pub(super) name: SeenStage<SeenName>,
    pub(super) tcp: SeenStage<SeenTcp>,
    pub(super) connect: SeenStage<SeenAnswer>,
    pub(super) tls: SeenStage<SeenTls>,
    pub(super) trust: SeenStage<SeenTrust>,
    pub(super) http: SeenStage<SeenHttp>,
    #[serde(default)]
    pub(super) asked: Vec<SeenQuestion>,
    #[serde(default)]
    pub(super) hop_of: Option<String>,
    #[serde(default)]
    pub(super) earlier: Vec<SeenTry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenStage<E> {
    pub(super) outcome: Outcome,
    #[serde(default)]
    pub(super) took_us: Option<u64>,
    #[serde(default)]
    pub(super) failure: Option<SeenFailure>,
    #[serde(default = "none")]
    pub(super) evidence: Option<E>,
}

/// A target, or why it is none.
fn pointed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Target, String>, D::Error> {
    let given = serde_json::Value::deserialize(deserializer)?;
    Ok(match Target::deserialize(&given) {
        Ok(target) if target.port == 0 => Err("port 0 is none".to_owned()),
        target => target.map_err(|error| error.to_string()),
    })
}

fn none<E>() -> Option<E> {
    None
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenFailure {
    pub(super) code: FailureCode,
    pub(super) detail: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenTry {
    pub(super) stage: StageName,
    pub(super) failure: SeenFailure,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SeenName {
    pub(super) asked: String,
    pub(super) resolver: String,
    pub(super) addresses: Vec<IpAddr>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenTcp {
    pub(super) attempts: Vec<SeenAttempt>,
    pub(super) untried: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenAttempt {
    pub(super) address: SocketAddr,
    pub(super) took_us: u64,
    #[serde(default)]
    pub(super) failure: Option<SeenFailure>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenTls {
    pub(super) version: Option<String>,
    pub(super) suite: Option<String>,
    pub(super) served: Vec<Octets>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenTrust {
    pub(super) name_mismatch: bool,
    pub(super) chain_errors: bool,
    pub(super) no_certificate: bool,
    pub(super) status: Vec<String>,
    pub(super) root: Option<Octets>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenHttp {
    pub(super) head: SeenAnswer,
    #[serde(default)]
    pub(super) get: Option<SeenAnswer>,
    #[serde(default)]
    pub(super) get_failure: Option<SeenFailure>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenAnswer {
    pub(super) status: u16,
    pub(super) headers: Vec<SeenHeader>,
    #[serde(default)]
    pub(super) body: Octets,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenHeader {
    pub(super) name: String,
    pub(super) value: Octets,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenQuestion {
    pub(super) what: String,
    pub(super) method: String,
    #[serde(default)]
    pub(super) answer: Option<SeenAnswer>,
    #[serde(default)]
    pub(super) failure: Option<SeenFailure>,
}

/// Octets, in Base64.
#[derive(Debug, Clone, Default)]
pub(super) struct Octets(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}
