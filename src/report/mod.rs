//! Reports: pure renderings of a run.

mod layout;
pub mod lists;
mod revocation;
mod table;
mod words;

pub use table::{Style, table};
