//! Evidence: the record of one audit, complete in itself.

mod compare;
mod document;
mod observations;
mod outcome;
mod redact;
mod run;
pub mod store;
mod vantages;
mod write;

pub use compare::{COMPARISON_FORMAT, Change, ChangeCause, ChangeClass, ComparedRun, Comparison, compare};
pub use document::{MAX_RUN_OCTETS, RunError};
pub(crate) use document::{inert, left_out};
pub use observations::{MAX_OBSERVATIONS_OCTETS, OBSERVATIONS_FORMAT, Observations, ObservationsError, Seeing};
pub use outcome::{Outcome, Tally, gaps, unknown_facts};
pub use redact::{RedactError, Redaction};
pub use run::{CatalogRecord, CitedEntry, EntryMark, Moments, RUN_FORMAT, Run, RunSettings, Tool};
pub use vantages::{Look, LookedFor, VantageRecord, gather};
pub use write::{can_write_aside, write_aside, write_aside_with};
