//! The plan as a file: what one machine is to probe, so that planning and probing can happen at different places.

use std::collections::HashSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Probe, ProbeId};
use crate::derive::Via;
use crate::host::HostName;
use crate::probe::Bounds;
use crate::text::{self, canonical_sha256_with, printable};

/// The format of [`PlanDocument`]; a change that old readers would misread makes it a new one.
pub const PLAN_FORMAT: &str = "cmcomply.plan/1";

/// What one machine is to probe, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanDocument {
    /// [`PLAN_FORMAT`].
    pub format: String,
    /// The host that the plan is for; `null` if it is for whoever runs it.
    pub host: Option<HostName>,
    /// A random word of the one run that sends the plan to be run at once. Whoever answers repeats the hash, so an answer
    /// of another run is known. A plan that is carried has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How much at once, and how long.
    pub bounds: PlanBounds,
    /// What to probe.
    pub probes: Vec<Probe>,
    /// SHA-256, in lower-case hexadecimal, over the canonical form of the document without this field: JSON with sorted
    /// keys and no blanks (RFC 8785).
    pub sha256: String,
}

/// The bounds of the probing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanBounds {
    /// The longest that each stage of a probe may take.
    #[schemars(range(min = 1, max = 300_000))]
    pub stage_timeout_ms: u64,
    /// The longest that all probes together may take.
    #[schemars(range(min = 1, max = 86_400_000))]
    pub deadline_ms: u64,
    /// Probes under way at once.
    #[schemars(range(min = 1, max = 4096))]
    pub probes_at_once: u16,
    /// Addresses tried for one name.
    #[schemars(range(min = 1, max = 64))]
    pub addresses: u16,
    /// Tries after one that failed by an answer; silence is not tried again.
    #[schemars(range(max = 5))]
    pub retries: u8,
}

/// Why a file is no plan that can be run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It cannot be read.
    #[error("cannot read plan {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than any plan.
    #[error("plan {path} is larger than 64 MB: that is no plan")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// Of another version, or something else.
    #[error("{path} is of format {format}; this version runs {PLAN_FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// What it says it is.
        format: String,
    },
    /// No JSON, or a field is missing, unknown or of a wrong type or value.
    #[error("plan {path} cannot be run: {what}")]
    Invalid {
        /// The file.
        path: String,
        /// Where and what.
        what: String,
    },
    /// Damaged or edited.
    #[error("plan {path} was changed after it was made: its hash is {given}, and of what it says {computed}")]
    Hash {
        /// The file.
        path: String,
        /// What the document says.
        given: String,
        /// What its content comes to.
        computed: String,
    },
}

impl PlanBounds {
    /// These deadlines, in seconds, and otherwise what the probe does by itself.
    pub fn within(stage_timeout: u64, deadline: u64) -> Self {
        let own = Bounds::default();
        let number = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Self {
            stage_timeout_ms: stage_timeout * 1000,
            deadline_ms: deadline * 1000,
            probes_at_once: number(own.probes),
            addresses: number(own.addresses),
            retries: u8::try_from(own.retries).unwrap_or(u8::MAX),
        }
    }
}

impl PlanDocument {
    /// The document of these probes.
    pub fn new(host: Option<HostName>, bounds: PlanBounds, probes: Vec<Probe>) -> Self {
        let mut document =
            Self { format: PLAN_FORMAT.to_owned(), host, run: None, bounds, probes, sha256: String::new() };
        document.sha256 = document.hash();
        document
    }

    /// The same plan for one run alone, which has this word.
    #[must_use]
    pub fn of_run(&self, run: String) -> Self {
        let mut document = Self { run: Some(run), ..self.clone() };
        document.sha256 = document.hash();
        document
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let name = text::path(path);
        let unreadable = |source| PlanError::Unreadable { path: name.clone(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        Self::read_from(&name, file)
    }

    /// Reads all that comes; `path` is for the errors.
    pub fn read_from(path: &str, source: impl std::io::Read) -> Result<Self, PlanError> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let unreadable = |source| PlanError::Unreadable { path: path.to_owned(), source };
        source.take(MAX_OCTETS + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_OCTETS {
            return Err(PlanError::TooLarge { path: path.to_owned() });
        }
        Self::parse(path, &bytes)
    }

    /// Parses the bytes of a file and checks all of it; `path` is for the errors.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, PlanError> {
        let invalid = |what: &str| PlanError::Invalid { path: path.to_owned(), what: printable(what, 400) };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let given: Value = serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?;
        let format = given.get("format").and_then(Value::as_str).unwrap_or("no known kind");
        if format != PLAN_FORMAT {
            return Err(PlanError::Format { path: path.to_owned(), format: printable(format, 80) });
        }
        // Again from the bytes: its errors name line and column.
        let mut document: Self = serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?;
        let understood = serde_json::to_value(&document).map_err(|error| invalid(&error.to_string()))?;
        if let Some(place) = not_understood(&given, &understood, "") {
            return Err(invalid(&format!("unknown field {place}")));
        }
        let computed = document.hash();
        if document.sha256 != computed {
            return Err(PlanError::Hash { path: path.to_owned(), given: printable(&document.sha256, 64), computed });
        }
        document.check().map_err(|what| invalid(&what))?;
        Ok(document)
    }

    /// The document, indented, with a line end.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn hash(&mut self) -> String {
        let probes = std::mem::take(&mut self.probes);
        let rest = serde_json::to_value(&*self).expect("strings, numbers and lists of them become JSON");
        self.probes = probes;
        canonical_sha256_with(rest, "probes", &self.probes)
    }

    /// What its types alone do not keep out.
    fn check(&self) -> Result<(), String> {
        let PlanBounds { stage_timeout_ms, deadline_ms, probes_at_once, addresses, retries } = self.bounds;
        for (name, value, least, most) in [
            ("stage_timeout_ms", stage_timeout_ms, 1, 300_000),
            ("deadline_ms", deadline_ms, 1, 86_400_000),
            ("probes_at_once", probes_at_once.into(), 1, 4096),
            ("addresses", addresses.into(), 1, 64),
            ("retries", retries.into(), 0, 5),
        ] {
            if !(least..=most).contains(&value) {
                return Err(format!("bounds.{name} is {value}, and must be from {least} to {most}"));
            }
        }
        let is_word = |run: &String| (1..=64).contains(&run.len()) && run.bytes().all(|b| b.is_ascii_alphanumeric());
        if !self.run.as_ref().is_none_or(is_word) {
            return Err("its run is no word".to_owned());
        }
        if self.probes.len() > MAX_PROBES {
            return Err(format!("it has {} probes, and at most {MAX_PROBES} are run", self.probes.len()));
        }
        let mut ids = HashSet::new();
        for Probe { id, target, via, .. } in &self.probes {
            let ProbeId(text) = id;
            if text.is_empty() || text.len() > MAX_TEXT || printable(text, MAX_TEXT) != *text {
                return Err(format!("the probe id `{}` is empty, too long, or not printable", printable(text, 80)));
            }
            if !ids.insert(text) {
                return Err(format!("two probes have the id `{text}`"));
            }
            let path = &target.path;
            if !path.starts_with('/') || path.len() > MAX_TEXT || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(format!("probe `{text}`: the path is none"));
            }
            if target.port == 0 || matches!(via, Via::Proxy { port: 0, .. }) {
                return Err(format!("probe `{text}`: port 0 is none"));
            }
            if *via == Via::Unknown {
                return Err(format!("probe `{text}`: its route is unknown"));
            }
        }
        Ok(())
    }
}

/// The first place of what was given that is not there in what was understood.
fn not_understood(given: &Value, understood: &Value, place: &str) -> Option<String> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => given.iter().find_map(|(key, value)| {
            let place = format!("{place}/{key}");
            match understood.get(key) {
                Some(understood) => not_understood(value, understood, &place),
                None => Some(place),
            }
        }),
        (Value::Array(given), Value::Array(understood)) => given
            .iter()
            .zip(understood)
            .enumerate()
            .find_map(|(index, (given, understood))| not_understood(given, understood, &format!("{place}/{index}"))),
        _ => None,
    }
}

/// The most that is read of a plan file.
const MAX_OCTETS: u64 = 64 << 20;
const MAX_PROBES: usize = 100_000;
/// Octets of an id or a path.
const MAX_TEXT: usize = 2048;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::host::Scheme;
    use crate::plan::Target;

    fn document() -> PlanDocument {
        let host = HostName::parse("a.contoso.com").unwrap();
        let target = Target { scheme: Scheme::Https, host, port: 443, path: "/".to_owned() };
        let probe = |via: Via| Probe {
            id: ProbeId(format!("{target} {via}")),
            target: target.clone(),
            via,
            contexts: BTreeSet::new(),
            requirements: Vec::new(),
            asks: crate::plan::Asks::default(),
        };
        let proxy = Via::Proxy { host: "proxy.contoso.com".parse().unwrap(), port: 8080 };
        let bounds =
            PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
        PlanDocument::new(HostName::parse("CM01").ok(), bounds, vec![probe(Via::Direct), probe(proxy)])
    }

    /// What is said of the document after a change, its hash made anew where `hashed`.
    fn refused(hashed: bool, change: impl Fn(&mut Value)) -> String {
        let mut value = serde_json::to_value(document()).unwrap();
        change(&mut value);
        if hashed && let Ok(mut changed) = serde_json::from_value::<PlanDocument>(value.clone()) {
            changed.sha256 = changed.hash();
            value["sha256"] = json!(changed.sha256);
        }
        PlanDocument::parse("plan.json", value.to_string().as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_was_written_is_read_in_any_order_of_keys() {
        let written = document();
        assert_eq!(PlanDocument::parse("plan.json", &written.to_json().unwrap()).unwrap(), written);
        let mut sorted = serde_json::to_value(&written).unwrap();
        sorted.sort_all_objects();
        assert_eq!(PlanDocument::parse("plan.json", sorted.to_string().as_bytes()).unwrap(), written);
    }

    #[test]
    fn a_plan_of_one_run_is_another_plan() {
        let (carried, first, second) =
            (document(), document().of_run("a1".to_owned()), document().of_run("a2".to_owned()));
        assert!(carried.sha256 != first.sha256 && first.sha256 != second.sha256);
        assert_eq!(first.of_run("a2".to_owned()), second);
        assert_eq!(PlanDocument::parse("plan.json", &first.to_json().unwrap()).unwrap(), first);
        assert!(!String::from_utf8(carried.to_json().unwrap()).unwrap().contains("\"run\""));
    }

    #[test]
    fn another_version_an_unknown_field_and_a_change_are_told_apart() {
        assert!(refused(true, |v| v["format"] = json!("cmcomply.plan/2")).contains("of format cmcomply.plan/2"));
        assert!(refused(true, |v| v["format"] = json!(7)).contains("of format no known kind"));
        assert!(refused(true, |v| v["extra"] = json!(1)).contains("unknown field `extra`"));
        assert!(refused(true, |v| v["probes"][1]["exec"] = json!("x")).contains("unknown field /probes/1/exec"));
        let deep = refused(true, |v| v["probes"][0]["target"]["sni"] = json!("x"));
        assert!(deep.contains("unknown field /probes/0/target/sni"), "{deep}");
        let changed = refused(false, |v| v["probes"][0]["target"]["host"] = json!("b.contoso.com"));
        assert!(changed.contains("was changed after it was made"), "{changed}");
        assert!(refused(false, |v| v["sha256"] = json!("\u{1b}[2J")).contains("\\u{1b}"));
    }

    #[test]
    fn values_that_no_plan_has_are_refused() {
        for (change, words) in [
            (json!({"bounds": {"stage_timeout_ms": 0}}), "bounds.stage_timeout_ms is 0"),
            (json!({"bounds": {"deadline_ms": 86_400_001_u64}}), "bounds.deadline_ms"),
            (json!({"bounds": {"probes_at_once": 5000}}), "bounds.probes_at_once"),
            (json!({"bounds": {"addresses": 65}}), "bounds.addresses"),
        ] {
            let said = refused(true, |value| {
                for (key, new) in change["bounds"].as_object().unwrap() {
                    value["bounds"][key] = new.clone();
                }
            });
            assert!(said.contains(words), "{said}");
        }
        let probe = |key: &str, new: Value| refused(true, |v| v["probes"][0][key] = new.clone());
        let target = |key: &str, new: Value| refused(true, |v| v["probes"][0]["target"][key] = new.clone());
        assert!(probe("via", json!("unknown")).contains("route is unknown"));
        assert!(probe("id", json!("a\u{1b}[2J")).contains("not printable"));
        assert!(refused(true, |v| v["probes"][0]["id"] = v["probes"][1]["id"].clone()).contains("two probes"));
        assert!(target("path", json!("/ HTTP/1.1\r\nX: y")).contains("the path is none"));
        for run in ["", "a b", &"x".repeat(65)] {
            assert!(refused(true, |v| v["run"] = json!(run)).contains("its run is no word"), "{run}");
        }
        assert!(target("path", json!("x")).contains("the path is none"));
        assert!(target("port", json!(0)).contains("port 0"));
        assert!(target("host", json!("a b")).contains("not allowed in a host name"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..2000, new in any::<u8>()) {
            let _ = PlanDocument::parse("plan.json", &bytes);
            let mut damaged = document().to_json().unwrap();
            let at = at % damaged.len();
            damaged[at] = new;
            let _ = PlanDocument::parse("plan.json", &damaged);
        }
    }
}
