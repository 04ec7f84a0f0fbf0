//! The Contoso lab: a pretend site database over real TDS, and a pretend internet on loopback.
#![expect(
    missing_docs,
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "a lab for tests: it may panic, and its names say what they are"
)]

pub mod internet;
pub mod site_database;
