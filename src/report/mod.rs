//! Reports: pure renderings of a run.

mod catalog;
mod grid;
mod layout;
mod listing;
pub mod lists;
mod revocation;
mod table;
mod tree;
mod words;

pub use catalog::{entries, entries_brief, entry, page_diff};
pub use listing::Listing;
pub use table::{Style, table};
pub use tree::tree;
