#![no_main]

mod sealed;

use cmcomply::probe::Checks;
use cmcomply::vantage::VantageKind;
use cmcomply::vantage::script::{Asked, carried_answer, is_answer};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let received = "2026-11-25T12:00:11Z".parse().expect("a literal");
    let asked = Asked { kind: VantageKind::Winrm, sent: None, received, checks: Checks::default() };
    let _ = is_answer(bytes);
    for document in [Some(bytes.to_vec()), sealed::sealed(bytes)].into_iter().flatten() {
        if let Err(error) = carried_answer(&document, &asked) {
            assert!(!error.to_string().contains('\u{1b}'), "acts on a terminal");
        }
    }
});
