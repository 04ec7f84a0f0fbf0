//! The engine behind the wire: T-SQL, parsed by `sqlparser`, translated on its syntax tree, and run by SQLite.

pub mod batch;
pub mod catalog;
pub mod engine;
mod error;
mod expression;
mod functions;
pub mod run;
pub mod script;
pub mod session;
mod strict;
mod system;
mod translate;
mod typing;

pub use error::SqlError;
