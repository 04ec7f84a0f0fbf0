//! The lab's site database speaks TDS and T-SQL: shown with clients that nobody here wrote.

#[path = "tds/client.rs"]
mod client;
mod lab;
#[path = "tds/login.rs"]
mod login;
#[path = "tds/queries.rs"]
mod queries;
#[path = "tds/rights.rs"]
mod rights;
