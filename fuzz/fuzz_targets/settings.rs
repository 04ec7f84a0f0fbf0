#![no_main]

use cmcomply::settings::Settings;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = Settings::parse("cmcomply.toml", text) {
        assert!(!error.to_string().contains('\u{1b}'), "acts on a terminal");
    }
});
