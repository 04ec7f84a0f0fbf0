#![no_main]

mod sealed;

use cmcomply::evidence::Observations;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Observations::parse("seen.json", bytes);
    if let Some(document) = sealed::sealed(bytes)
        && let Ok(seen) = Observations::parse("seen.json", &document)
    {
        let again = sealed::sealed(&serde_json::to_vec(&seen).expect("JSON")).expect("an object");
        assert_eq!(Observations::parse("seen.json", &again).expect("read before").observations, seen.observations);
    }
});
