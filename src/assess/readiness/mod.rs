//! Readiness for an update: rules over facts, what the hosts say, and what was observed; and what comes next. Pure.

mod answer;
mod calendar;
mod cloud;
mod endpoints;
mod host;
mod hosts;
mod proxies;
mod roles;
mod seen_there;
mod table;
mod tls;
mod versions;

pub use answer::Missing;
pub use calendar::{Cite, Coming, ComingKind};
pub use host::{HOSTS_FORMAT, HostFacts, HostsDocument, Reading, twice};
pub use table::{RULES, Rule};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AppliedWaivers, Judgement};
use crate::catalog::{Catalog, Release, SourceRef};
use crate::derive::Requirement;
use crate::settings::StatedReadiness;
use crate::site::Facts;

/// Everything that the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The facts.
    pub facts: &'a Facts,
    /// The catalog, with the table of versions.
    pub catalog: &'a Catalog,
    /// What is needed after the update.
    pub requirements: &'a [Requirement],
    /// What was observed of it, in the same order.
    pub judgements: &'a [Judgement],
    /// What the hosts say of themselves.
    pub hosts: &'a [HostFacts],
    /// What the operator states.
    pub stated: &'a StatedReadiness,
    /// The waivers that were applied.
    pub waivers: Option<&'a AppliedWaivers>,
    /// The version to update to.
    pub target: &'a Release,
    /// The day for which is asked.
    pub day: Date,
    /// When the run ended: what hosts said long before counts no more.
    pub now: Timestamp,
}

/// How much hangs on a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The update fails or breaks something: not met means not ready.
    Error,
    /// It should be put right; it does not stop the update.
    Warning,
    /// Worth knowing; it decides nothing.
    Info,
}

impl Severity {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is not met.
    NotMet,
    /// Something is missing to decide it. Never taken for met.
    Undecided,
    /// It is met.
    Met,
    /// There is nothing here that it is about.
    DoesNotApply,
}

impl State {
    /// Every state, in the order of reports.
    pub const ALL: [Self; 4] = [Self::NotMet, Self::Undecided, Self::Met, Self::DoesNotApply];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::NotMet => "NOT MET",
            Self::Undecided => "undecided",
            Self::Met => "met",
            Self::DoesNotApply => "does not apply",
        }
    }
}

/// A rule with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id: stable, kebab-case.
    pub rule: String,
    /// How much hangs on it.
    pub severity: Severity,
    /// What must hold.
    pub title: String,
    /// What became of it.
    pub state: State,
    /// What was seen: what is wrong if it is not met, else what makes it fine, or why it does not apply.
    pub evidence: Vec<String>,
    /// What is missing to decide it, or the rest of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// What to do where it is not met.
    pub remedy: String,
    /// According to whom.
    pub source: SourceRef,
}

impl Finding {
    fn new(rule: &Rule, case: &Case<'_>) -> Self {
        let answer = match (rule.check)(case) {
            Ok(answer) | Err(answer) => answer,
        };
        let state = answer.state();
        let evidence = match state {
            State::NotMet => answer.wrong,
            State::Undecided | State::Met => answer.fine,
            State::DoesNotApply => answer.needless,
        };
        Self {
            rule: rule.id.to_owned(),
            severity: rule.severity,
            title: rule.title.to_owned(),
            state,
            evidence,
            missing: answer.missing,
            remedy: rule.remedy.to_owned(),
            source: rule.source(),
        }
    }

    /// Whether it means that the hierarchy is not ready.
    pub fn stops(&self) -> bool {
        self.state == State::NotMet && self.severity == Severity::Error
    }

    /// Whether it leaves open whether the hierarchy is ready. What decides nothing leaves nothing open.
    pub fn leaves_open(&self) -> bool {
        !self.missing.is_empty() && self.severity != Severity::Info
    }

    /// Whether it is a warning.
    pub fn warns(&self) -> bool {
        self.state == State::NotMet && self.severity == Severity::Warning
    }
}

/// What the rules say, in the order of [`RULES`].
pub fn findings(case: &Case<'_>) -> Vec<Finding> {
    RULES.iter().map(|rule| Finding::new(rule, case)).collect()
}

/// What comes next, and what is overdue, by date.
pub fn calendar(case: &Case<'_>) -> Vec<Coming> {
    calendar::of(case)
}
