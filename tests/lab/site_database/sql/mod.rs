//! The engine behind the wire: T-SQL, parsed by `sqlparser`, translated on its syntax tree, and run by SQLite.
//!
//! What the translation does not know fails loudly (error 50000, "the lab's site database cannot do this"), never with a
//! wrong answer: APPLY, FOR XML and FOR JSON, TOP WITH TIES, temporary tables, and functions beyond those in
//! `expression.rs`. Known differences: case folds for ASCII only, trailing blanks count in comparisons, `DELETE` needs its
//! `FROM`, and an error ends the batch also where SQL Server would go on with the next statement.

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
