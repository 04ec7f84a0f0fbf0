#![no_main]

use cmcomply::evidence::Run;
use cmcomply::report::{self, Style};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(run) = serde_json::from_slice::<Run>(bytes) {
        let table = report::table(&run, Style { width: 80, colour: false });
        assert!(!table.contains('\u{1b}'), "acts on a terminal");
    }
});
