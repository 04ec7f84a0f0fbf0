#![no_main]

use cmcomply::report::lists::{HandOff, check_against};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = check_against(&HandOff::default(), text);
});
