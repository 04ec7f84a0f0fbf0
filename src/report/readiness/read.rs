//! A readiness document that was saved: read back only if it is whole and says one thing.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::document::{READINESS_FORMAT, Readiness};
use crate::assess::readiness::{Finding, State};
use crate::assess::{Grade, Verdict};
use crate::evidence::left_out;
use crate::text::printable;

/// Why a file is no readiness document that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadinessError {
    /// Of another version.
    #[error("{path} is of format {format}; this version reads {READINESS_FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// What it says it is.
        format: String,
    },
    /// No JSON, or not of the schema.
    #[error("readiness document {path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: String,
        /// Where and what.
        what: String,
    },
    /// Of the schema, and its parts contradict each other.
    #[error("readiness document {path} contradicts itself: {what}; it was edited, or is not whole")]
    Contradicts {
        /// The file.
        path: String,
        /// What does not fit what.
        what: String,
    },
    /// It says things that this version would leave out.
    #[error(
        "readiness document {path} holds `{key}`, which this version does not know: read it with the version that wrote it"
    )]
    UnknownPart {
        /// The file.
        path: String,
        /// Where in the document.
        key: String,
    },
}

impl Readiness {
    /// Whether a file says that it is one, of this version or another.
    pub fn is_one(bytes: &[u8]) -> bool {
        serde_json::from_slice::<Head>(unmarked(bytes)).is_ok_and(|head| head.format.starts_with(KIND))
    }

    /// Parses the bytes of a file; `path` is for the errors. As with the record of a run, what this version does not know
    /// is refused, and so is a document whose parts contradict each other.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, ReadinessError> {
        let path = || path.to_owned();
        let damaged = |error: serde_json::Error| ReadinessError::Damaged {
            path: path(),
            what: printable(&error.to_string(), 400),
        };
        let Head { format } = serde_json::from_slice(unmarked(bytes)).map_err(damaged)?;
        if format != READINESS_FORMAT {
            return Err(ReadinessError::Format { path: path(), format: printable(&format, 80) });
        }
        let said: Value = serde_json::from_slice(unmarked(bytes)).map_err(damaged)?;
        let document = Self::deserialize(&said).map_err(damaged)?;
        let understood = serde_json::to_value(&document).map_err(damaged)?;
        if let Some(key) = left_out(&said, &understood) {
            let key = printable(key.trim_start_matches('.'), 200);
            return Err(ReadinessError::UnknownPart { path: path(), key });
        }
        match document.contradiction() {
            Some(what) => Err(ReadinessError::Contradicts { path: path(), what: printable(&what, 400) }),
            None => Ok(document),
        }
    }

    /// What in the document does not fit the rest of it.
    fn contradiction(&self) -> Option<String> {
        let verdict = &self.verdict;
        let (mut ids, mut rules) = (HashSet::new(), HashSet::new());
        if let Some(row) = self.endpoints.iter().find(|row| !ids.insert(&row.id)) {
            return Some(format!("endpoint {} stands there twice", row.id));
        }
        if let Some(finding) = self.rules.iter().find(|finding| !rules.insert(&finding.rule)) {
            return Some(format!("rule {} stands there twice", finding.rule));
        }
        let decided = |state| matches!(state, State::Met | State::DoesNotApply);
        if let Some(one) = self.rules.iter().find(|one| decided(one.state) && !one.missing.is_empty()) {
            return Some(format!("rule {} is decided, and something is missing to decide it", one.rule));
        }
        let not_ready = self.rules.iter().any(Finding::stops) || self.count(Grade::Required, Verdict::Fail) > 0;
        if verdict.not_ready != not_ready {
            return Some("the verdict is not that of the rules and endpoints".to_owned());
        }
        let unseen = [Verdict::NotObserved, Verdict::Error].map(|verdict| self.count(Grade::Required, verdict));
        let open = self.rules.iter().any(Finding::leaves_open) || unseen != [0, 0];
        if open && verdict.incomplete.is_empty() {
            return Some("something is open, and the verdict says complete".to_owned());
        }
        if verdict.warnings != self.rules.iter().filter(|finding| finding.warns()).count() {
            return Some("the warnings are not counted right".to_owned());
        }
        (verdict.exit_code != verdict.exit_code_that_fits())
            .then(|| "the exit code is not that of the verdict".to_owned())
    }
}

/// What every document begins with.
#[derive(Deserialize)]
struct Head {
    format: String,
}

/// The format without its version.
const KIND: &str = "cmcomply.readiness/";

/// Without the byte order mark that editors on Windows put before it.
fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
