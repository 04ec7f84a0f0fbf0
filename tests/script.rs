//! The script for Windows hosts: its text, and its core against the lab's servers, run by Mono and held against our own
//! probe.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]
#![allow(unreachable_pub, reason = "modules of a test program")]

#[path = "script/brief.rs"]
mod brief;
#[path = "script/gates.rs"]
mod gates;
#[path = "script/hostile.rs"]
mod hostile;
#[path = "script/mono.rs"]
mod mono;
mod probing;
#[path = "script/same.rs"]
mod same;
#[path = "script/sites.rs"]
mod sites;
#[path = "namespaces/world.rs"]
mod world;

#[test]
fn a_process_that_probes() {
    probing::child();
}
