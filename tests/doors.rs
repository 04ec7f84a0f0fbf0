//! Property tests at the doors where documents of others come in: the fuzz targets of `fuzz/`, in small, for every run
//! of the tests. The doors of the probe have theirs beside the code.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

use std::sync::LazyLock;

use cmcomply::catalog::{self, Catalog};
use cmcomply::derive::Via;
use cmcomply::evidence::{Observations, Run, Seeing};
use cmcomply::host::Scheme;
use cmcomply::plan::{Asks, PlanBounds, PlanDocument, Probe, ProbeId, Target};
use cmcomply::probe::Observation;
use cmcomply::report::lists::{HandOff, check_against};
use cmcomply::settings::Settings;
use cmcomply::site::Snapshot;
use cmcomply::text::hexadecimal;
use cmcomply::vantage::Vantage;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

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

/// A plan with one probe.
static PLAN: LazyLock<PlanDocument> = LazyLock::new(|| {
    let target =
        Target { scheme: Scheme::Https, host: "a.contoso.com".parse().unwrap(), port: 443, path: "/".to_owned() };
    let (id, via) = (ProbeId("p".to_owned()), Via::Direct);
    let probe = Probe { id, target, via, contexts: [].into(), requirements: Vec::new(), asks: Asks::default() };
    let bounds =
        PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
    PlanDocument::new("cm01.contoso.com".parse().ok(), bounds, vec![probe])
});

/// What a machine saw of it.
static SEEN: LazyLock<Value> = LazyLock::new(|| {
    let now = "2026-11-25T12:00:00Z".parse().unwrap();
    let mut seen = serde_json::to_value(Observation::not_tried(ProbeId("p".to_owned()), now)).unwrap();
    let failure = json!({ "code": "tcp-refused", "detail": "connect to 10.1.1.1:443: connection refused" });
    let attempt = json!({ "address": "10.1.1.1:443", "took_us": 1, "failure": failure });
    seen["name"] = json!({ "outcome": "ok", "took_us": 5, "evidence": {
        "asked": "a.contoso.com", "resolver": "system", "addresses": ["10.1.1.1"] } });
    seen["tcp"] = json!({ "outcome": "failed", "took_us": 5, "failure": failure, "evidence": {
        "attempts": [attempt], "untried": 0 } });
    seen["earlier"] = json!([{ "stage": "tcp", "failure": failure }]);
    let seeing = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds: PLAN.bounds };
    let seen = vec![serde_json::from_value(seen).unwrap()];
    let document = Observations::new(&PLAN, Vantage::local("cm01"), None, seeing, (now, now), None, seen);
    let mut document = serde_json::to_value(document).unwrap();
    document["host"] = json!({ "proxy.winhttp": { "state": "known", "values": ["proxy:8080"] } });
    document
});

static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| places(&SEEN));

/// The document with the hash of its content.
fn sealed(mut document: Value) -> Vec<u8> {
    document.as_object_mut().unwrap().remove("sha256");
    document.sort_all_objects();
    document["sha256"] = json!(hexadecimal(&Sha256::digest(document.to_string())));
    document.to_string().into_bytes()
}

/// Where each value in the document is, as JSON pointers.
fn places(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(values) => values.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let own_and_deeper = |(key, value): (String, &Value)| {
        let deeper = places(value).into_iter().map(|rest| format!("/{key}{rest}"));
        std::iter::once(format!("/{key}")).chain(deeper).collect::<Vec<_>>()
    };
    children.into_iter().flat_map(own_and_deeper).collect()
}

/// Another value at a place, or none.
fn replace(document: &mut Value, place: &str, new: Option<Value>) {
    let (parent, key) = place.rsplit_once('/').unwrap();
    match (new, document.pointer_mut(parent).unwrap()) {
        (Some(new), parent) => *parent.pointer_mut(&format!("/{key}")).unwrap() = new,
        (None, Value::Object(fields)) => _ = fields.remove(key),
        (None, Value::Array(values)) => _ = values.remove(key.parse().unwrap()),
        (None, _) => unreachable!("a value without values in it"),
    }
}

/// Any value, small.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~\u{1b}\u{202e}é]{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["ok", "not_needed", "p", "2026-11-25T12:00:00Z", "::1", "tcp-timeout"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        let field = ("[a-z_]{1,8}", inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(field, 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// What is read as observations can be written and read again.
fn observations(bytes: &[u8]) -> Result<bool, TestCaseError> {
    match Observations::parse("seen.json", bytes) {
        Ok(read) => {
            let fits = read.fits(&PLAN);
            prop_assert!(fits.as_ref().err().is_none_or(is_inert), "{fits:?}");
            let again = serde_json::to_value(&read).unwrap();
            prop_assert_eq!(Observations::parse("seen.json", &sealed(again)).unwrap().observations, read.observations);
            Ok(true)
        }
        Err(error) => {
            prop_assert!(is_inert(&error), "{error:?}");
            Ok(false)
        }
    }
}

#[test]
fn what_a_machine_saw_is_read() {
    assert!(observations(&sealed(SEEN.clone())).unwrap());
    // Nearly every field counts.
    let without = |place: &&String| {
        let mut document = SEEN.clone();
        replace(&mut document, place, None);
        !observations(&sealed(document)).unwrap()
    };
    let needed = PLACES.iter().filter(without).count();
    assert!(needed > 30 && needed < PLACES.len(), "{needed} of {}", PLACES.len());
}

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
    fn no_octets_are_taken_for_observations(
        bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[\\[\\]{}\",:0-9a-z ]{0,80}",
    ) {
        prop_assert!(!observations(&bytes)?);
        let headed = format!("{{\"format\":\"cmcomply.observations/1\",{text}");
        let taken = observations(headed.as_bytes())?;
        prop_assert!(!taken);
    }

    #[test]
    fn no_change_of_observations_panics(
        at in any::<usize>(), length in 0usize..40, piece in "[ -~\u{1b}\u{202e}\u{0}]{0,12}",
        place in any::<prop::sample::Index>(), new in prop::option::of(value()),
    ) {
        let text = String::from_utf8(sealed(SEEN.clone())).unwrap();
        let text = damaged(&text, at, length, &piece);
        observations(text.as_bytes())?;
        if let Ok(document) = serde_json::from_str::<Value>(&text) && document.is_object() {
            observations(&sealed(document))?;
        }
        let mut document = SEEN.clone();
        let place: &String = place.get(&PLACES);
        replace(&mut document, place, new);
        observations(&sealed(document))?;
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
