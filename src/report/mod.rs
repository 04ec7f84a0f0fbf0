//! Reports: pure renderings of a run.

mod catalog;
mod columns;
mod csv;
mod format;
mod grid;
mod hdf;
mod html;
mod junit;
mod layers;
mod layout;
mod listing;
pub mod lists;
mod markdown;
mod markup;
mod oscal;
mod prometheus;
mod revocation;
mod row;
mod summary;
mod table;
mod tree;
mod words;
mod xlsx;

pub use catalog::{entries, entries_brief, entry, page_diff};
pub use format::{Format, RenderError, UnknownReportFormat};
pub use listing::Listing;
pub use table::{Style, table};
pub use tree::tree;
