//! What changed in the verdicts, and the trend.

use std::collections::BTreeMap;

use super::super::html::chart::DRAWN;
use super::History;
use super::section::{Block, Cell, Point, Section, merged};
use crate::assess::{Grade, Verdict};
use crate::derive::RequirementId;
use crate::evidence::{Change, ChangeClass, Comparison, Run};

pub(super) const FIRST: &str = "There is no run of an earlier quarter to compare with.";

pub(super) fn since_last(history: &History, comparison: Option<&Comparison>) -> Section {
    let section = Section::new(5, "changes", "Changes since the last quarter");
    let (Some(earlier), Some(comparison)) = (history.earlier(), comparison) else { return section.text(FIRST) };
    let mut said = format!("Compared with run {}.", earlier.name);
    if history.of(history.quarter().before()).next().is_none() {
        said.push_str(" There is none of the quarter before this one.");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in comparison.rows.iter().filter(|row| row.grade == Grade::Required) {
        *counts.entry(row.class.title()).or_default() += 1;
    }
    let classes = ChangeClass::ALL.iter().map(|class| class.title());
    let counts: Vec<Vec<Cell>> =
        classes.filter_map(|class| Some(vec![class.into(), Cell::Number(*counts.get(class)?)])).collect();
    let roles = roles(&[&earlier.run, history.newest()]);
    let mut changes: Vec<&Change> = comparison.rows.iter().filter(|row| row.class.is_change()).collect();
    let listed = changes.len();
    // What nobody saw in either run is no change; part 4 has what counts of it.
    changes.retain(|row| row.class != ChangeClass::Incomparable || row.before != row.after || row.cause.is_some());
    let unseen = listed - changes.len();
    changes.sort_by_key(|row| (row.grade, ChangeClass::ALL.iter().position(|class| *class == row.class)));
    let rows = merged(changes.into_iter().map(|row| cells(row, &roles)).collect(), 3);
    let unlisted = format!("Not listed below, because nobody saw them in either run: {unseen} endpoints.");
    let columns = ["change", "host", "role", "endpoint", "before", "after", "cause"];
    section
        .text(said)
        .list(comparison.limits.iter().map(|limit| format!("Less comparable than it looks: {limit}.")).collect())
        .table("Required endpoints by what became of them", &["change", "number"], counts, "Nothing is required.")
        .list(if unseen > 0 { vec![unlisted] } else { vec![] })
        .table("What changed, and on whose side", &columns, rows, "Nothing changed.")
}

/// The role of every requirement of these runs.
fn roles<'a>(runs: &[&'a Run]) -> BTreeMap<&'a RequirementId, &'static str> {
    let requirements = runs.iter().flat_map(|run| &run.requirements);
    requirements.map(|requirement| (&requirement.id, requirement.role.title())).collect()
}

fn cells(row: &Change, roles: &BTreeMap<&RequirementId, &'static str>) -> Vec<Cell> {
    let verdict = |verdict: Option<Verdict>| verdict.map_or("-", Verdict::title);
    let grade = if row.grade == Grade::Advisory { " (advisory)" } else { "" };
    let cause = row.cause.iter().map(|cause| cause.title());
    let cause = cause.chain(row.notes.iter().map(String::as_str)).collect::<Vec<_>>().join("; ");
    vec![
        format!("{}{grade}", row.class.title()).into(),
        row.subject.as_str().into(),
        roles.get(&row.requirement).copied().unwrap_or_default().into(),
        row.endpoint.as_str().into(),
        verdict(row.before).into(),
        verdict(row.after).into(),
        cause.into(),
    ]
}

pub(super) fn trend(history: &History) -> Section {
    let quarters = history.quarters();
    let last = |quarter| history.of(quarter).next_back();
    let count = |run: &Run, verdict| run.outcome.tally.count(Grade::Required, verdict);
    let drawn = DRAWN.map(|(verdict, _)| verdict);
    let points = quarters
        .iter()
        .map(|quarter| Point {
            quarter: quarter.to_string(),
            counts: last(*quarter).map(|kept| drawn.map(|verdict| count(&kept.run, verdict))),
        })
        .collect();
    let rows = quarters
        .iter()
        .map(|quarter| {
            let Some(kept) = last(*quarter) else {
                let mut row: Vec<Cell> = vec![quarter.to_string().into(), "no run".into()];
                row.extend(std::iter::repeat_n(Cell::Text("-".to_owned()), 6));
                return row;
            };
            let number = |verdict| Cell::Number(count(&kept.run, verdict));
            let mut row: Vec<Cell> = vec![quarter.to_string().into(), kept.run.outcome.title().into()];
            row.extend([Verdict::Pass].map(number));
            row.extend(drawn.map(number));
            row.push(kept.run.catalog.version.as_str().into());
            row
        })
        .collect();
    let columns = ["quarter", "result", "pass", "fail", "error", "not observed", "waived", "catalog"];
    Section::new(9, "trend", "Trend")
        .text("The last run of each quarter; required endpoints. Only what is not passing is drawn.")
        .with(Block::Trend(points))
        .table("Required endpoints by quarter", &columns, rows, "There is no run.")
}
