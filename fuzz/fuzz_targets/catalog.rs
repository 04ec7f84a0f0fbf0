#![no_main]

use cmcomply::catalog::Catalog;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = Catalog::from_files(&[("a.toml", text)]);
    let _ = Catalog::with_own("own", &[("a.toml", text)]);
});
