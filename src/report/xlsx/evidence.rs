//! The evidence: every layer of every probe, and every machine from which one looked.

use std::collections::HashMap;

use super::super::columns::{Cell, text};
use super::super::layers::layers;
use super::super::vantages::{clock, machine};
use crate::evidence::{Run, Seeing, VantageRecord};
use crate::plan::ProbeId;

/// The columns of the evidence; `probe` is what the column `probes` of the requirements names.
pub(super) const COLUMNS: [(&str, u16); 8] = [
    ("probe", 60),
    ("led here by", 30),
    ("looked at from", 30),
    ("probed at (UTC)", 20),
    ("layer", 18),
    ("outcome", 12),
    ("ms", 9),
    ("what was seen", 120),
];

/// A line for each layer of each observation, in the order of the run.
pub(super) fn rows(run: &Run) -> Vec<Vec<Cell>> {
    let mut machines: HashMap<&ProbeId, &str> = HashMap::new();
    for judgement in &run.judgements {
        let from = machine(run, judgement);
        machines.extend(judgement.probes.iter().map(|id| (id, from)));
    }
    let mut rows = Vec::new();
    for seen in &run.observations {
        // A hop stands behind what led to it, and is from the same machine.
        if let Some(machine) = seen.redirected_from.as_ref().and_then(|from| machines.get(from).copied()) {
            machines.entry(&seen.probe).or_insert(machine);
        }
        for layer in layers(seen) {
            rows.push(vec![
                text(&seen.probe.0),
                text(seen.redirected_from.as_ref().map_or("", |from| &from.0)),
                text(machines.get(&seen.probe).copied().unwrap_or_default()),
                Cell::Moment(seen.started),
                text(layer.name),
                text(layer.outcome),
                layer.took_us.map_or(Cell::Empty, |took| Cell::Number(u32::try_from(took / 1000).unwrap_or(u32::MAX))),
                text(&layer.text),
            ]);
        }
    }
    rows
}

/// The columns of the vantages.
pub(super) const VANTAGES: [(&str, u16); 13] = [
    ("machine", 30),
    ("looked at by", 12),
    ("account", 24),
    ("system", 24),
    ("tool", 20),
    ("begun (UTC)", 20),
    ("ended (UTC)", 20),
    ("clock", 14),
    ("to the end", 11),
    ("could not be used", 50),
    ("with", 24),
    ("evidence grades", 14),
    ("looks for", 60),
];

/// A line for each machine.
pub(super) fn vantages(run: &Run) -> Vec<Vec<Cell>> {
    run.vantages.iter().map(vantage).collect()
}

fn vantage(vantage: &VantageRecord) -> Vec<Cell> {
    let moment = |moment: Option<jiff::Timestamp>| moment.map_or(Cell::Empty, Cell::Moment);
    let tool = vantage.tool.as_ref().map(|tool| format!("{} {}", tool.name, tool.version));
    let options = vantage.settings.as_ref().map(Seeing::options).unwrap_or_default();
    let mut grades: Vec<&str> =
        vantage.looks_for.iter().filter_map(|looked| looked.grade).map(crate::vantage::EvidenceGrade::letter).collect();
    grades.sort_unstable();
    grades.dedup();
    let subjects: Vec<String> = vantage.looks_for.iter().map(|looked| looked.subject.to_string()).collect();
    vec![
        text(vantage.title()),
        text(vantage.kind.name()),
        text(vantage.account.as_deref().unwrap_or_default()),
        text(vantage.os.as_deref().unwrap_or_default()),
        text(tool.unwrap_or_default()),
        moment(vantage.started),
        moment(vantage.finished),
        text(clock(vantage)),
        text(if vantage.complete { "yes" } else { "no" }),
        text(vantage.unreached.as_ref().map_or("", |unreached| &unreached.detail)),
        text(options.join(", ")),
        text(grades.join(", ")),
        text(subjects.join(", ")),
    ]
}
