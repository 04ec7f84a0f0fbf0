//! The run document as a file: written one way, and read back only if it is whole.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::fits::hop;
use super::outcome::{Tally, gaps};
use super::run::{RUN_FORMAT, Run};
use crate::assess::{Grade, Judgement, Verdict};
use crate::catalog::{Status, Tier};
use crate::derive::Decision;
use crate::plan::{Probe, ProbeId};
use crate::probe::Observation;
use crate::text::{self, is_harmless, printable};
use crate::vantage::run_script::Clients;
use crate::vantage::{EvidenceGrade, VantageKind};

/// What the ids of probes begin with that clients looked at themselves; see [`super::gather`].
const CLIENTS_MARK: &str = "clients: ";
/// The most that is read of a run document.
pub const MAX_RUN_OCTETS: u64 = 256 << 20;

/// Why a file is no run document that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file cannot be read.
    #[error("cannot read run {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than any run.
    #[error("{path} is larger than 256 MB: that is no run document")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// Of another version, or something else.
    #[error("{path} is of format {format}; this version reads {RUN_FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// What it says it is.
        format: String,
    },
    /// No JSON, or not of the schema.
    #[error("run {path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: String,
        /// Where and what.
        what: String,
    },
    /// Of the schema, and its parts contradict each other.
    #[error("run {path} contradicts itself: {what}; it was edited, or is not whole")]
    Contradicts {
        /// The file.
        path: String,
        /// What does not fit what.
        what: String,
    },
    /// It says things that this version would leave out.
    #[error("run {path} holds `{key}`, which this version does not know: read it with the version that wrote it")]
    UnknownPart {
        /// The file.
        path: String,
        /// Where in the document.
        key: String,
    },
}

impl Run {
    /// The document, indented, with a line end. Characters that could act on a terminal or reorder a line are written as
    /// JSON escapes, which say the same.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let text = serde_json::to_string_pretty(self)?;
        Ok((inert(&text) + "\n").into_bytes())
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let (name, bytes) = read_bounded(path)?;
        Self::parse(&name, &bytes)
    }

    /// Parses the bytes of a file; `path` is for the errors. A report must not say less than the run, nor something
    /// else: what this version does not know is refused, and so is a document whose parts contradict each other.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, RunError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let path = || path.to_owned();
        let damaged =
            |error: serde_json::Error| RunError::Damaged { path: path(), what: printable(&error.to_string(), 400) };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.format != RUN_FORMAT {
            return Err(RunError::Format { path: path(), format: printable(&head.format, 80) });
        }
        let run: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        let said: Value = serde_json::from_slice(bytes).map_err(damaged)?;
        let understood = serde_json::to_value(&run).map_err(damaged)?;
        if let Some(key) = left_out(&said, &understood) {
            return Err(RunError::UnknownPart { path: path(), key: printable(key.trim_start_matches('.'), 200) });
        }
        match contradiction(&run) {
            Some(what) => Err(RunError::Contradicts { path: path(), what: printable(&what, 400) }),
            None => Ok(run),
        }
    }
}

/// The bytes of a file that may be a run document, and its name for errors.
pub fn read_bounded(path: &Path) -> Result<(String, Vec<u8>), RunError> {
    use std::io::Read as _;
    let name = text::path(path);
    let unreadable = |source| RunError::Unreadable { path: name.clone(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_RUN_OCTETS + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_RUN_OCTETS {
        return Err(RunError::TooLarge { path: name });
    }
    Ok((name, bytes))
}

/// The first key of the document that was not understood. A key without a value says nothing.
pub(crate) fn left_out(said: &Value, understood: &Value) -> Option<String> {
    match (said, understood) {
        (Value::Object(said), Value::Object(understood)) => said.iter().find_map(|(key, value)| {
            match understood.get(key) {
                Some(understood) => left_out(value, understood),
                None if value.is_null() || value.as_array().is_some_and(Vec::is_empty) => None,
                None => Some(String::new()),
            }
            .map(|rest| format!(".{key}{rest}"))
        }),
        (Value::Array(said), Value::Array(understood)) => {
            said.iter().zip(understood).enumerate().find_map(|(index, (said, understood))| {
                left_out(said, understood).map(|rest| format!("[{index}]{rest}"))
            })
        }
        _ => None,
    }
}

/// What in the run does not fit the rest of it.
fn contradiction(run: &Run) -> Option<String> {
    if run.judgements.len() != run.requirements.len() {
        let (judged, required) = (run.judgements.len(), run.requirements.len());
        return Some(format!("{judged} judgements for {required} requirements"));
    }
    let mut ids = HashSet::new();
    for (requirement, judgement) in run.requirements.iter().zip(&run.judgements) {
        if requirement.id != judgement.requirement {
            return Some(format!("a judgement of {} stands where {} is", judgement.requirement, requirement.id));
        }
        if !ids.insert(&requirement.id) {
            return Some(format!("requirement {} stands there twice", requirement.id));
        }
    }
    let planned = run.probes.iter().map(|probe| &probe.id);
    // A hop of a redirect is an observation without a probe of the plan.
    let hops = run.observations.iter().filter(|seen| seen.redirected_from.is_some()).map(|seen| &seen.probe);
    let probes: HashSet<_> = planned.chain(hops).collect();
    let named = run.judgements.iter().flat_map(|judgement| &judgement.probes);
    let seen = run.observations.iter().flat_map(|seen| [Some(&seen.probe), seen.redirected_from.as_ref()]).flatten();
    if let Some(id) = named.chain(seen).find(|id| !probes.contains(id)) {
        return Some(format!("probe {id} is not among the probes"));
    }
    let reached = reached(run);
    // Of clients there is no observation of each, but a count.
    let counted = |judgement: &Judgement| {
        let by_clients = run.vantages.get(judgement.vantage).is_some_and(|v| v.kind == VantageKind::RunScripts);
        let proved = |id: &ProbeId| {
            let bare = ProbeId(id.0.strip_prefix(CLIENTS_MARK).unwrap_or_default().to_owned());
            run.clients.as_ref().is_some_and(|clients| clients.proves(&bare))
        };
        by_clients && !judgement.probes.is_empty() && judgement.probes.iter().all(proved)
    };
    let proved = |judgement: &Judgement| {
        let seen = !judgement.probes.is_empty() && judgement.probes.iter().all(|id| reached.contains(id));
        seen || counted(judgement)
    };
    if let Some(judgement) = run.judgements.iter().find(|j| j.verdict == Verdict::Pass && !proved(j)) {
        return Some(format!("{} passes, and nothing shows that it was reached", judgement.requirement));
    }
    if let Some(what) = run.clients.as_ref().and_then(Clients::contradiction) {
        return Some(what);
    }
    if let Some(what) = misplaced(run).or_else(|| weighed(run)) {
        return Some(what);
    }
    let waived_by = |judgement: &Judgement| {
        let listed = run.waivers.iter().flat_map(|applied| &applied.list.waivers);
        let mut ids = listed.map(|waiver| &waiver.id);
        judgement.waiver.as_ref().is_some_and(|id| ids.any(|listed| listed == id))
    };
    if let Some(judgement) = run.judgements.iter().find(|j| (j.verdict == Verdict::Waived) != waived_by(j)) {
        return Some(format!(
            "{} is waived and no waiver of the run says so, or the other way round",
            judgement.requirement
        ));
    }
    let tally = Tally::of(&run.judgements);
    if tally != run.outcome.tally {
        return Some("the counts are not those of the verdicts".to_owned());
    }
    let required = |verdict| tally.required.get(&verdict).is_some_and(|count| *count > 0);
    if run.outcome.non_compliant != required(Verdict::Fail) {
        return Some("the outcome is not that of the verdicts".to_owned());
    }
    if run.outcome.incomplete.is_empty() && (!tally.unseen().is_empty() || !gaps(&run.facts).is_empty()) {
        return Some("endpoints were not observed or facts are unknown, and the outcome says complete".to_owned());
    }
    None
}

/// What the observations of a run show to be reached: probes of its plan, and hops of redirects.
fn reached(run: &Run) -> HashSet<&ProbeId> {
    let planned: HashMap<&ProbeId, &Probe> = run.probes.iter().map(|probe| (&probe.id, probe)).collect();
    let by_id: HashMap<&ProbeId, &Observation> = run.observations.iter().map(|seen| (&seen.probe, seen)).collect();
    let shows = |seen: &&Observation| {
        let look = match planned.get(&seen.probe) {
            Some(probe) => Some((&probe.target, &probe.via)),
            None => hop(seen, &planned, &by_id),
        };
        seen.reached() && look.is_some_and(|(target, via)| seen.unshown(target, via).is_none())
    };
    run.observations.iter().filter(shows).map(|seen| &seen.probe).collect()
}

/// What in the judgements does not fit the vantages. Records from before there were several have none.
fn misplaced(run: &Run) -> Option<String> {
    if run.vantages.is_empty() {
        return None;
    }
    for (requirement, judgement) in run.requirements.iter().zip(&run.judgements) {
        let id = &judgement.requirement;
        let Some(vantage) = run.vantages.get(judgement.vantage) else {
            return Some(format!("{id} was looked at from a vantage that is not in the run"));
        };
        let listed = vantage.looks_for.iter().find(|looked| looked.subject == requirement.subject);
        if judgement.evidence_grade.is_some() && judgement.evidence_grade != listed.and_then(|looked| looked.grade) {
            return Some(format!("the grade of the evidence for {id} is not the one of its vantage"));
        }
        if judgement.verdict == Verdict::Pass && !judgement.evidence_grade.is_some_and(EvidenceGrade::proves) {
            return Some(format!("{id} passes, and its evidence proves nothing"));
        }
    }
    None
}

/// What in the judgements does not fit what was derived: nothing that is needed is "not needed", and a verdict decides
/// nothing only where the entry says so, or where it is one of an old and a new endpoint.
fn weighed(run: &Run) -> Option<String> {
    let pairs = run.requirements.iter().filter(|one| one.status == Status::Superseded);
    let pairs: HashSet<_> = pairs.filter_map(|one| Some([&one.entry, one.replaced_by.as_ref()?])).flatten().collect();
    run.requirements.iter().zip(&run.judgements).find_map(|(requirement, judgement)| {
        let id = &judgement.requirement;
        if judgement.verdict == Verdict::NotApplicable && requirement.decision != Decision::Retired {
            return Some(format!("{id} is needed or undecided, and its verdict says that it is not needed"));
        }
        let light = requirement.tier == Tier::Advisory;
        let fits = match judgement.grade {
            Grade::Required => !light,
            Grade::Advisory => light || pairs.contains(&requirement.entry),
        };
        (!fits).then(|| format!("the weight of {id} is not the one of its entry"))
    })
}

/// JSON text whose strings hold only characters that print.
pub(crate) fn inert(json: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_harmless(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_text_says_the_same() {
        let text = "a\u{202e}b\u{9b}\u{e0041}\u{1b}\u{7f}é";
        let json = inert(&serde_json::to_string(text).unwrap());
        assert!(json.chars().all(is_harmless), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn a_key_that_was_not_understood_is_found() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let understood = value(r#"{"a": [{"b": 1}], "c": null}"#);
        assert_eq!(left_out(&value(r#"{"a": [{"b": 2}], "d": [], "e": null}"#), &understood), None);
        assert_eq!(left_out(&value(r#"{"a": [{"b": 2, "x": 1}]}"#), &understood).unwrap(), ".a[0].x");
    }
}
