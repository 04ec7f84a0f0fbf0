//! The runs of a store, one line each.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Run, Tally};
use super::{RunName, SIGNATURE, Store, StoreError};
use crate::text::printable;

/// The format of [`RunList`].
pub const RUNS_FORMAT: &str = "cmcomply.runs/1";

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunList {
    /// [`RUNS_FORMAT`].
    pub format: String,
    /// The runs, in the order in which they began.
    pub runs: Vec<StoredRun>,
}

/// A run as a list names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredRun {
    /// Its name.
    pub run: RunName,
    /// What is in its record; `None` where that cannot be read.
    pub record: Option<RecordBrief>,
    /// Why it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether a signature lies beside it. Whether it is a good one only `verify` says.
    pub signed: bool,
}

/// What a list says of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordBrief {
    /// Of which site, if that was known.
    pub site: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The result in words.
    pub result: String,
    /// The exit code of the audit.
    pub exit_code: u8,
    /// Counts by verdict.
    pub tally: Tally,
    /// The version of the program.
    pub tool: String,
    /// The version of the catalog.
    pub catalog: String,
    /// Whether names were replaced by pseudonyms.
    pub redacted: bool,
}

impl RecordBrief {
    fn of(run: &Run) -> Self {
        Self {
            site: run.facts.this_site.known().map(ToString::to_string),
            started: run.moments.started,
            finished: run.moments.finished,
            result: run.outcome.title().to_owned(),
            exit_code: run.outcome.exit_code(),
            tally: run.outcome.tally.clone(),
            tool: printable(&run.tool.version, 40),
            catalog: printable(&run.catalog.version, 40),
            redacted: run.redacted,
        }
    }
}

impl Store {
    /// The runs that are there, also those that cannot be read.
    pub fn list(&self) -> Result<RunList, StoreError> {
        let runs = self.names()?.into_iter().map(|run| {
            let folder = self.run_folder(&run);
            let (record, problem) = match self.record(&run) {
                Ok(record) => (Some(RecordBrief::of(&record)), None),
                Err(error) => (None, Some(error.to_string())),
            };
            StoredRun { run, record, problem, signed: folder.join(SIGNATURE).is_file() }
        });
        Ok(RunList { format: RUNS_FORMAT.to_owned(), runs: runs.collect() })
    }
}
