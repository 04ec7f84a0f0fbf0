//! A run in every format: the same numbers, the same bytes, nothing that acts; and what other people's software says.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "report/command.rs"]
mod command;
#[path = "report/compare.rs"]
mod compare;
#[path = "report/counts.rs"]
mod counts;
#[path = "report/formats.rs"]
mod formats;
#[path = "report/lab_quarters.rs"]
mod lab_quarters;
#[path = "report/lab_year.rs"]
mod lab_year;
#[path = "report/quarter.rs"]
mod quarter;
#[path = "report/reading.rs"]
mod reading;
#[path = "report/sample.rs"]
mod sample;
#[path = "report/store.rs"]
mod store;
#[path = "report/store_doors.rs"]
mod store_doors;
#[path = "report/store_faults.rs"]
mod store_faults;
#[path = "report/store_moments.rs"]
mod store_moments;
#[path = "report/tools.rs"]
mod tools;
#[path = "report/validators.rs"]
mod validators;
