#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cmcomply::probe::fuzzing::issuers(bytes));
