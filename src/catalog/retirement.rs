//! Features and services that go away.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::entry::SourceRef;

/// A feature or service that goes away, or has gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retirement {
    /// Stable, never reused: lower-case words joined by hyphens.
    pub id: String,
    /// What goes away, and what takes its place, in words.
    pub what: String,
    /// When; `None` if no day is announced.
    pub day: Option<Date>,
    /// The facts of the hierarchy under which it matters.
    pub when: Condition,
    /// The last build for which it matters.
    pub until_build: Option<u32>,
    /// According to whom.
    pub sources: Vec<SourceRef>,
}

/// A retirement as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetirement {
    pub(super) id: String,
    what: String,
    day: Option<Date>,
    pub(super) when: String,
    until_build: Option<u32>,
    sources: Vec<SourceRef>,
}

impl RawRetirement {
    pub(super) fn with(self, when: Condition) -> Retirement {
        let Self { id, what, day, when: _, until_build, sources } = self;
        Retirement { id, what, day, when, until_build, sources }
    }
}
