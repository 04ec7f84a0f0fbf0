//! Property tests at the doors where documents of others come in: the fuzz targets of `fuzz/`, in small, for every run
//! of the tests. The doors of the probe have theirs beside the code.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

use std::sync::LazyLock;

use cmcomply::catalog::{self, Catalog};
use cmcomply::evidence::Run;
use cmcomply::report::lists::{HandOff, check_against};
use cmcomply::settings::Settings;
use cmcomply::site::Snapshot;
use proptest::prelude::*;

/// The day on which catalogs are read.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 25);

/// The files of the catalog, each with its text.
static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(p).unwrap())).collect()
});

const SETTINGS: &str = "[stated]\ntenant_attach = true\nnotification_hosts = [\"prod1.westus2.logic.azure.com\"]\n\
                        \n[proxy]\nclient-system = \"proxy.contoso.com:8080\"\nconsole-user = \"direct\"\n";
const PAGE: &str = "<html><body><h2 id=\"updates\">Updates</h2><p>Allow <code>*.windowsupdate.com</code>:</p><ul>\
                    <li><code>https://a.contoso.com</code> &amp; &#x41;</li></ul><table><tr><td>b</td></tr></table>";

/// A piece of a text in the place of another.
fn damaged(text: &str, at: usize, length: usize, piece: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = at % letters.len();
    let end = (at + length).min(letters.len());
    letters[..at].iter().copied().chain(piece.chars()).chain(letters[end..].iter().copied()).collect()
}

fn is_inert(error: &impl ToString) -> bool {
    !error.to_string().contains(['\u{1b}', '\u{202e}', '\0'])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_damaged_catalog_is_an_error_and_no_panic(
        file in any::<prop::sample::Index>(), at in any::<usize>(), length in 0usize..40, piece in "[ -~\u{1b}\u{202e}]{0,12}",
    ) {
        let (name, text) = file.get(&FILES);
        let text = damaged(text, at, length, &piece);
        for result in [Catalog::from_files(&[(name, &text)], TODAY), Catalog::with_own("own", &[(name, &text)], TODAY)] {
            for error in result.err().into_iter().flatten() {
                prop_assert!(is_inert(&error), "{error:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_settings_are_an_error_and_no_panic(
        at in any::<usize>(), length in 0usize..40, piece in "[ -~\u{1b}\u{202e}]{0,12}", noise in ".{0,80}",
    ) {
        for text in [damaged(SETTINGS, at, length, &piece), noise] {
            if let Err(error) = Settings::parse("cmcomply.toml", &text) {
                prop_assert!(is_inert(&error), "{error:?}");
            }
        }
    }

    #[test]
    fn no_page_panics(at in any::<usize>(), length in 0usize..40, piece in "[ -~\u{1b}é]{0,12}", noise in ".{0,80}") {
        for page in [damaged(PAGE, at, length, &piece), noise] {
            let _ = catalog::diff(Catalog::embedded(), page.as_bytes());
        }
    }

    #[test]
    fn no_document_or_list_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:0-9a-z ]{0,80}") {
        for bytes in [&bytes[..], text.as_bytes(), format!("{{\"format\":\"cmcomply.snapshot/1\",{text}").as_bytes()] {
            if let Err(error) = Snapshot::parse("snapshot.json", bytes) {
                prop_assert!(is_inert(&error), "{error:?}");
            }
            prop_assert!(serde_json::from_slice::<Run>(bytes).is_err());
        }
        let _ = check_against(&HandOff::default(), &text);
    }
}
