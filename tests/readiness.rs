//! Readiness for an update: each rule alone, nothing taken for fine, the program against the lab, and its formats.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "readiness/formats.rs"]
mod formats;
#[path = "readiness/program.rs"]
mod program;
#[path = "readiness/rules.rs"]
mod rules;
#[path = "report/tools.rs"]
mod tools;
#[path = "readiness/world.rs"]
mod world;
