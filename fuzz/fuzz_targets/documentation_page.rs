#![no_main]

use cmcomply::catalog::{self, Catalog};

libfuzzer_sys::fuzz_target!(|page: &[u8]| {
    let _ = catalog::diff(Catalog::embedded(), page);
});
