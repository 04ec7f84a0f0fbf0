//! The script for Windows hosts on which nothing is installed: PowerShell around a core in C#, which is compiled there.
//!
//! Its text is the same for every plan. The plan travels beside it as data, and is never part of a command or of code. It
//! only looks; what its answer means is said here, by the tables of our own probe. `scripts/` has its text.

mod answer;
mod payload;
mod seen;
mod tell;
#[cfg(test)]
mod tests;

pub use answer::{AnswerError, Asked, Echo, MAX_ANSWER, answer, carried_answer, is_answer};
pub(crate) use payload::{CORE_OF_PROBES, lines};
pub use payload::{Options, carried, command, text};
