//! Exceptions: what the waivers of the run do, and what they did before.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::History;
use super::section::{Cell, Section};
use crate::assess::{AppliedWaivers, Waiver, WaiverProblem};

pub(super) fn section(history: &History, today: Date) -> Section {
    let section = Section::new(6, "exceptions", "Exceptions");
    let withdrawn = withdrawn(history);
    let Some(applied) = &history.newest().waivers else {
        let none = "The run was made without a file of waivers: there are no exceptions.";
        return section.text(none).list(withdrawn);
    };
    let rows = applied
        .list
        .waivers
        .iter()
        .map(|waiver| {
            let excused = history.newest().judgements.iter().filter(|j| j.waiver.as_ref() == Some(&waiver.id)).count();
            vec![
                waiver.id.as_str().into(),
                state(history, today, applied, waiver).into(),
                Cell::Number(excused),
                waiver.valid_through.to_string().into(),
                Cell::Number(renewals(history, &waiver.id)),
                waiver.reason.as_str().into(),
                waiver.owner.as_str().into(),
                format!("{} on {}", waiver.approved_by, waiver.approved_on).into(),
                waiver.ticket.as_str().into(),
            ]
        })
        .collect();
    let columns =
        ["waiver", "state", "endpoints", "valid through", "renewals", "reason", "owner", "approved by", "ticket"];
    let findings = applied.findings.iter().map(|finding| format!("{}: {}.", finding.waiver, finding.text));
    let said = findings.chain(withdrawn).collect();
    section.table("Waivers of the run", &columns, rows, "The file of waivers holds none.").list(said)
}

/// Waivers of the last run of an earlier quarter that are no longer in the file.
fn withdrawn(history: &History) -> Vec<String> {
    let waivers = |applied: &'_ Option<AppliedWaivers>| applied.as_ref().map_or(vec![], |a| a.list.waivers.clone());
    let now = waivers(&history.newest().waivers);
    let before = history.earlier().map(|earlier| waivers(&earlier.run.waivers)).unwrap_or_default();
    let gone = before.into_iter().filter(|waiver| !now.iter().any(|other| other.id == waiver.id));
    gone.map(|waiver| {
        let Waiver { id, owner, valid_through, .. } = waiver;
        format!("{id} ({owner}, valid through {valid_through}) is no longer in the file of waivers.")
    })
    .collect()
}

/// In the order of what weighs most.
fn state(history: &History, today: Date, applied: &AppliedWaivers, waiver: &Waiver) -> String {
    let has = |problem| applied.findings.iter().any(|f| f.waiver == waiver.id && f.problem == problem);
    let next = history.quarter().last_day().tomorrow().unwrap_or(history.quarter().last_day());
    let end_of_next =
        super::Quarter::of(next.to_zoned(TimeZone::UTC).map_or(history.newest().moments.finished, |at| at.timestamp()));
    let within;
    let state = if has(WaiverProblem::Expired) {
        "expired"
    } else if waiver.valid_through < history.quarter().last_day() && !has(WaiverProblem::NotYetValid) {
        // After the run, which still took it for valid.
        let verb = if waiver.valid_through < today { "ended" } else { "ends" };
        within = format!("{verb} on {}, within the quarter", waiver.valid_through);
        &within
    } else if has(WaiverProblem::NotYetValid) {
        "not yet valid"
    } else if has(WaiverProblem::Unmatched) {
        "fits nothing"
    } else if has(WaiverProblem::Unneeded) {
        "not needed"
    } else if waiver.valid_through <= end_of_next.last_day() {
        "open, ends before the next quarter does"
    } else {
        "open"
    };
    match renewals(history, &waiver.id) {
        0 | 1 => state.to_owned(),
        count => format!("{state}; renewed {count} times"),
    }
}

/// How often its last day was moved, as the runs of the store show.
fn renewals(history: &History, id: &str) -> usize {
    let waivers = history.runs().iter().flat_map(|kept| &kept.run.waivers).flat_map(|applied| &applied.list.waivers);
    let ends: BTreeSet<_> = waivers.filter(|waiver| waiver.id == id).map(|waiver| waiver.valid_through).collect();
    ends.len().saturating_sub(1)
}
