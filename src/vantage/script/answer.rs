//! What comes back from the script: found among whatever else a shell prints, checked, and told as observations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::seen::{SEEN_FORMAT, Seen};
use super::tell;
use crate::evidence::{Observations, Seeing};
use crate::host::HostName;
use crate::plan::PlanDocument;
use crate::probe::Checks;
use crate::text::{canonical_sha256, decoded, printable};
use crate::vantage::{Unreached, UnreachedWhy, Vantage, VantageKind, clock, harmless};

/// How and when somebody was asked, by the clock here.
#[derive(Debug, Clone)]
pub struct Asked {
    /// How one acts there.
    pub kind: VantageKind,
    /// When the command was sent; `None` if a file was carried.
    pub sent: Option<Timestamp>,
    /// When the answer was there.
    pub received: Timestamp,
    /// What counts as a public root.
    pub checks: Checks,
}

/// Why an answer cannot be used. The words are safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Nothing of it is the script's.
    #[error("the answer is not the script's: {said}")]
    NotOurs {
        /// How it begins.
        said: String,
    },
    /// It begins and does not end.
    #[error("the answer was cut after {octets} bytes: the connection, or the script there, ended before its time")]
    Cut {
        /// What there is of it.
        octets: usize,
    },
    /// More than any answer has.
    #[error("the answer has more than {} MB: that is none of the script", MAX_ANSWER >> 20)]
    TooLarge,
    /// It is whole, and was changed after it was made.
    #[error("the answer is damaged: {what}")]
    Damaged {
        /// Where and what.
        what: String,
    },
    /// Of another version.
    #[error("the answer is of format {format}; this version reads {SEEN_FORMAT}")]
    Format {
        /// What it says it is.
        format: String,
    },
    /// An answer to another plan.
    #[error("the answer is to another plan, or to this one in another run ({given}, not {expected})")]
    OtherPlan {
        /// The hash that it names.
        given: String,
        /// That of the plan.
        expected: String,
    },
    /// Another machine answered.
    #[error("another machine answered: it calls itself {named}, and the plan is for {expected}")]
    OtherHost {
        /// What it calls itself.
        named: String,
        /// The host of the plan.
        expected: String,
    },
    /// Its clock is wrong, or ours.
    #[error("its clock is {seconds} s away from the one here (more than {} s): times cannot be compared", MAX_SKEW.as_secs())]
    Clock {
        /// How far ahead it is, at the least; less than zero: behind.
        seconds: i64,
    },
    /// Its parts do not fit together.
    #[error("the answer contradicts itself or the plan: {what}")]
    Contradicts {
        /// What does not fit.
        what: String,
    },
    /// A policy there lets PowerShell run harmless scripts only.
    #[error(
        "blocked: PowerShell there is in {mode}, which a policy (AppLocker, App Control) sets, so nothing was probed"
    )]
    LanguageMode {
        /// The mode.
        mode: String,
    },
    /// The core could not be compiled there.
    #[error("blocked: the core cannot be compiled there (Add-Type): {said}")]
    AddType {
        /// What the system says.
        said: String,
    },
    /// The script itself failed.
    #[error("the script failed there while {what}: {said}")]
    Script {
        /// What it was doing.
        what: String,
        /// What the system says.
        said: String,
    },
}

impl From<AnswerError> for Unreached {
    fn from(error: AnswerError) -> Self {
        let why = match &error {
            AnswerError::LanguageMode { .. } | AnswerError::AddType { .. } => UnreachedWhy::Policy,
            AnswerError::OtherHost { .. } => UnreachedWhy::OtherMachine,
            _ => UnreachedWhy::Answer,
        };
        Self::new(why, error.to_string())
    }
}

/// Reads what came back for a plan.
pub fn answer(stdout: &[u8], plan: &PlanDocument, asked: &Asked) -> Result<Observations, AnswerError> {
    let seen = document(stdout)?;
    if seen.plan_sha256 != plan.sha256 {
        let short = |hash: &str| printable(hash, 12);
        return Err(AnswerError::OtherPlan { given: short(&seen.plan_sha256), expected: short(&plan.sha256) });
    }
    let contradicts = |what: String| Err(AnswerError::Contradicts { what: printable(&what, MAX_WORDS) });
    if seen.plan_host != plan.host {
        return contradicts("it names another host of the plan".to_owned());
    }
    let planned = seen.observations.iter().filter(|one| one.hop_of.is_none());
    for (one, probe) in planned.clone().zip(&plan.probes) {
        let same =
            one.probe == probe.id.0 && one.target == probe.target && one.via == probe.via && one.asks == probe.asks;
        if !same {
            return contradicts(format!("{} is not what the plan has there", one.probe));
        }
    }
    if planned.count() != plan.probes.len() {
        return contradicts("it has not one observation for each probe".to_owned());
    }
    told(seen, asked)
}

/// Reads a file that was carried here, whose plan is not at hand: the caller compares the hash of the plan.
pub fn carried_answer(bytes: &[u8], asked: &Asked) -> Result<Observations, AnswerError> {
    told(document(bytes)?, asked)
}

/// Whether the bytes are of the script, and not an observations document.
pub fn is_answer(bytes: &[u8]) -> bool {
    let (text, _) = decoded(bytes);
    // A document says what it is: what a server said may stand in it, and may look like ours.
    if text.trim_start().starts_with('{')
        && let Some(Ok(head)) = serde_json::Deserializer::from_str(&text).into_iter::<Head>().next()
    {
        return head.format.starts_with("cmcomply.seen/");
    }
    text.contains(BEGIN) || text.contains(BLOCKED) || text.contains(FAILED) || text.contains("\"cmcomply.seen/")
}

/// What a document says it is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
}

fn told(seen: Seen, asked: &Asked) -> Result<Observations, AnswerError> {
    let host = named(&seen);
    if let Some(expected) = &seen.plan_host
        && !host.as_ref().is_some_and(|host| host.same_machine(expected))
    {
        let named = host.map_or_else(|| printable(&seen.machine.name, 80), |host| host.to_string());
        return Err(AnswerError::OtherHost { named, expected: expected.to_string() });
    }
    if seen.started > seen.finished {
        return Err(AnswerError::Contradicts { what: "it ends before it begins".to_owned() });
    }
    if let Some(seconds) = clock::beyond(MAX_SKEW, (seen.started, seen.finished), (asked.sent, asked.received)) {
        return Err(AnswerError::Clock { seconds });
    }
    let observations = tell::observations(&seen, &asked.checks)?;
    let vantage = Vantage { kind: asked.kind, host, os: printable(&seen.machine.os, 20) };
    let settings = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds: seen.bounds };
    let interrupted = seen.interrupted.as_ref().map(|why| printable(why, MAX_WORDS));
    Ok(Observations::of_host(
        (seen.plan_sha256, seen.plan_host),
        vantage,
        seen.machine.account.map(|account| printable(&account, 200)),
        settings,
        (seen.started, seen.finished),
        interrupted,
        observations,
        seen.facts.map(harmless),
    ))
}

/// What the machine calls itself, with its domain where it has one.
fn named(seen: &Seen) -> Option<HostName> {
    let short = HostName::parse(&seen.machine.name).ok()?;
    let domain = seen.machine.domain.as_ref().filter(|domain| !domain.is_empty() && !short.as_str().contains('.'));
    domain.and_then(|domain| HostName::parse(&format!("{short}.{domain}")).ok()).or(Some(short))
}

/// Finds the document and checks it.
fn document(bytes: &[u8]) -> Result<Seen, AnswerError> {
    if bytes.len() > MAX_ANSWER {
        return Err(AnswerError::TooLarge);
    }
    let (text, _) = decoded(bytes);
    let json = found(&text)?;
    let damaged = |what: String| AnswerError::Damaged { what: printable(&what, MAX_WORDS) };
    let given: Value = serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
    let format = given.get("format").and_then(Value::as_str).unwrap_or("no known kind");
    if format != SEEN_FORMAT {
        return Err(AnswerError::Format { format: printable(format, 80) });
    }
    let hash = given.get("sha256").and_then(Value::as_str).map(str::to_owned);
    if hash != Some(canonical_sha256(given)) {
        return Err(damaged("it was changed after it was made (its hash is another one)".to_owned()));
    }
    // Again from the bytes: its errors name line and column.
    serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))
}

/// The JSON in it: between the marks, or all of it, as in a file.
fn found(text: &str) -> Result<Vec<u8>, AnswerError> {
    let trimmed = text.trim();
    if trimmed.starts_with('{') && trimmed.contains(SEEN_FORMAT_HEAD) {
        return Ok(trimmed.as_bytes().to_vec());
    }
    if let Some((_, rest)) = text.rsplit_once(BEGIN) {
        let Some((inside, _)) = rest.split_once(END) else { return Err(AnswerError::Cut { octets: rest.len() }) };
        return base64(inside).ok_or_else(|| AnswerError::Damaged { what: "it is no Base64".to_owned() });
    }
    if let Some((_, rest)) = text.rsplit_once(BLOCKED) {
        let mode = rest.split_whitespace().next().unwrap_or("an unknown mode");
        return Err(AnswerError::LanguageMode { mode: printable(mode, 40) });
    }
    if let Some((_, rest)) = text.rsplit_once(FAILED) {
        let mut words = rest.split_whitespace();
        let what = words.next().unwrap_or_default().replace('-', " ");
        let said = words.next().and_then(base64).unwrap_or_default();
        let said = printable(String::from_utf8_lossy(&said).trim(), MAX_WORDS);
        return Err(if what == "compiling" {
            AnswerError::AddType { said }
        } else {
            AnswerError::Script { what: printable(&what, 40), said }
        });
    }
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = if said.is_empty() { "nothing came".to_owned() } else { printable(&said, 200) };
    Err(AnswerError::NotOurs { said })
}

/// Base64, wherever a shell broke its lines.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    STANDARD.decode(text).ok()
}

const BEGIN: &str = "CMCOMPLY-BEGIN ";
const END: &str = " CMCOMPLY-END";
const BLOCKED: &str = "CMCOMPLY-BLOCKED language-mode ";
const FAILED: &str = "CMCOMPLY-FAILED ";
const SEEN_FORMAT_HEAD: &str = "\"cmcomply.";
/// The most that is read of an answer, in octets.
pub const MAX_ANSWER: usize = 256 << 20;
/// How far two clocks may be apart.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);
const MAX_WORDS: usize = 400;
