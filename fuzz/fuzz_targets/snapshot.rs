#![no_main]

use cmcomply::catalog::Catalog;
use cmcomply::derive::{self, Options, StatedRoutes};
use cmcomply::plan;
use cmcomply::site::Snapshot;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = Snapshot::parse("snapshot.json", bytes) {
        // What is read can be used: the requirements of any facts can be derived.
        let options = Options::from(StatedRoutes::new());
        let _ = plan::build(&derive::requirements(&snapshot.facts, Catalog::embedded(), &options));
    }
});
