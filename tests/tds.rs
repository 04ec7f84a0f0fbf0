//! The lab's site database speaks TDS and T-SQL: shown with clients that nobody here wrote.

#[path = "tds/client.rs"]
mod client;
#[path = "tds/facts.rs"]
mod facts;
#[path = "tds/faults.rs"]
mod faults;
#[path = "tds/login.rs"]
mod login;
#[path = "tds/other_clients.rs"]
mod other_clients;
#[path = "tds/queries.rs"]
mod queries;
#[path = "tds/rights.rs"]
mod rights;
#[path = "tds/types.rs"]
mod types;
#[path = "tds/variants.rs"]
mod variants;
