//! From where a run looked: one record for each vantage, and what all of them saw in one list.

use std::collections::HashMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Seeing, Tool};
use crate::assess::Judgement;
use crate::derive::Subject;
use crate::host::HostName;
use crate::plan::{Probe, ProbeId};
use crate::probe::Observation;
use crate::vantage::{EvidenceGrade, HostFacts, Unreached, VantageKind};

/// A machine from which the run looked, or was to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VantageRecord {
    /// Its name; `null` where this machine has none.
    pub machine: Option<HostName>,
    /// How one acted there.
    pub kind: VantageKind,
    /// The account that probed, as that machine names it.
    pub account: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// What probed there.
    pub tool: Option<Tool>,
    /// The `sha256` of its plan.
    pub plan_sha256: String,
    /// Begin of the probing, by its clock, in UTC; `null` if nobody looked.
    pub started: Option<Timestamp>,
    /// End.
    pub finished: Option<Timestamp>,
    /// How many seconds its clock was ahead of the one of the machine that ran the audit, at the least (negative:
    /// behind). Validity of certificates is judged by its clock.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock_ahead_s: i64,
    /// What changed what another machine saw; `null` for this one, whose settings are those of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Seeing>,
    /// Facts of it that decide what its services can do, where they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<HostFacts>,
    /// Whether every probe of its plan was gone through to its end.
    pub complete: bool,
    /// Why nobody looked from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached: Option<Unreached>,
    /// Whom it looks for.
    pub looks_for: Vec<LookedFor>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Whom a vantage looks for, and what its word is worth there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LookedFor {
    /// Who needs what was looked at.
    pub subject: Subject,
    /// The grade of what it saw; `null` if nobody looked.
    pub grade: Option<EvidenceGrade>,
}

impl VantageRecord {
    /// For people.
    pub fn title(&self) -> &str {
        match (&self.machine, self.kind) {
            (Some(machine), _) => machine.as_str(),
            (None, VantageKind::Local) => "this machine",
            (None, VantageKind::RunScripts) => "clients",
            (None, _) => "nowhere",
        }
    }
}

/// What was to be probed from one vantage, and what was seen.
#[derive(Debug, Clone)]
pub struct Look {
    /// The vantage.
    pub record: VantageRecord,
    /// What was to be probed.
    pub probes: Vec<Probe>,
    /// What was seen.
    pub observations: Vec<Observation>,
}

/// All looks as a run holds them. Several machines probe the same endpoints, so the ids of every look but the first begin
/// with the name of the machine, also in the judgements.
pub fn gather(looks: Vec<Look>, judgements: &mut [Judgement]) -> (Vec<VantageRecord>, Vec<Probe>, Vec<Observation>) {
    let (mut records, mut probes, mut observations) = (Vec::new(), Vec::new(), Vec::new());
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut marks = Vec::new();
    for look in looks {
        let title = look.record.title().to_owned();
        let times = names.entry(title.clone()).or_default();
        *times += 1;
        let mark = match (records.len(), *times) {
            (0, _) => String::new(),
            (_, 1) => format!("{title}: "),
            (_, number) => format!("{title} ({number}): "),
        };
        let marked = |id: ProbeId| ProbeId(format!("{mark}{}", id.0));
        probes.extend(look.probes.into_iter().map(|probe| Probe { id: marked(probe.id), ..probe }));
        observations.extend(look.observations.into_iter().map(|seen| Observation {
            probe: marked(seen.probe),
            redirected_from: seen.redirected_from.map(marked),
            ..seen
        }));
        records.push(look.record);
        marks.push(mark);
    }
    for judgement in judgements {
        if let Some(mark) = marks.get(judgement.vantage).filter(|mark| !mark.is_empty()) {
            for id in &mut judgement.probes {
                id.0.insert_str(0, mark);
            }
        }
    }
    (records, probes, observations)
}
