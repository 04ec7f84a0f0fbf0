#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cmcomply::vantage::winrm::fuzzing::soap(bytes));
