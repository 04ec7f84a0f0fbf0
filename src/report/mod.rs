//! Reports: pure renderings of a run.

mod layout;
mod revocation;
mod table;
mod words;

pub use table::{Style, table};
