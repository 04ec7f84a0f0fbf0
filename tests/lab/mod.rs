//! The Contoso lab: a pretend site database over real TDS, and a pretend internet on loopback.
#![allow(dead_code, unreachable_pub, reason = "each test and the example use their own part of the lab")]

pub mod internet;
pub mod site_database;
