#![no_main]

use cmcomply::vantage::run_script::{Clients, read_answer};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = read_answer(text, "00", 3);
    let _ = Clients::parse("fuzz", text.as_bytes());
});
