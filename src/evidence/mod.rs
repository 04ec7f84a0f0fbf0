//! Evidence: the record of one audit, complete in itself.

mod compare;
mod document;
mod observations;
mod outcome;
mod run;
mod write;

pub use compare::{COMPARISON_FORMAT, Change, ChangeCause, ChangeClass, ComparedRun, Comparison, compare};
pub(crate) use document::inert;
pub use document::{MAX_RUN_OCTETS, RunError};
pub use observations::{OBSERVATIONS_FORMAT, Observations, Seeing};
pub use outcome::{Outcome, Tally, gaps, unknown_facts};
pub use run::{CatalogRecord, CitedEntry, Moments, RUN_FORMAT, Run, RunSettings, Tool};
pub use write::{can_write_aside, write_aside, write_aside_with};
