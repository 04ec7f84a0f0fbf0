//! A comparison of two runs, for people and spreadsheets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::listing::Listing;
use super::table::line;
use super::words;
use crate::assess::{Grade, Verdict};
use crate::evidence::{Change, ChangeClass, Comparison};

/// The rows of these classes, those that one must look at first.
pub fn comparison_rows(comparison: &Comparison, all: bool) -> Listing<6> {
    let mut rows: Vec<&Change> = comparison.rows.iter().filter(|row| all || row.class.is_change()).collect();
    rows.sort_by_key(|row| (row.grade, place(row.class)));
    let cells = |row: &&Change| {
        let verdict = |verdict: Option<Verdict>| verdict.map_or("-", words::name).to_owned();
        let grade = if row.grade == Grade::Advisory { " (advisory)" } else { "" };
        [
            format!("{}{grade}", row.class.title()),
            row.subject.clone(),
            row.endpoint.clone(),
            verdict(row.before),
            verdict(row.after),
            row.cause.map_or_else(String::new, |cause| {
                std::iter::once(cause.title())
                    .chain(row.notes.iter().map(String::as_str))
                    .collect::<Vec<_>>()
                    .join("; ")
            }),
        ]
    };
    Listing {
        columns: ["change", "host", "endpoint", "before", "after", "cause"],
        rows: rows.iter().map(cells).collect(),
    }
}

/// The comparison as text: the two runs, the changes, and how many there are of each class.
pub fn comparison(comparison: &Comparison, all: bool, width: usize) -> String {
    let mut out = String::new();
    for (name, run) in [("before", &comparison.old), ("after", &comparison.new)] {
        let text = format!("{name}: {}, {}, cmcomply {}, catalog {}", run.started, run.result, run.tool, run.catalog);
        line(&text, width, &mut out);
    }
    for limit in &comparison.limits {
        line(&format!("limit: {limit}"), width, &mut out);
    }
    out.push('\n');
    let rows = comparison_rows(comparison, all);
    if rows.rows.is_empty() {
        line("nothing changed", width, &mut out);
    } else {
        out.push_str(&rows.table(width));
    }
    out.push('\n');
    let mut counts: BTreeMap<(Grade, usize), (ChangeClass, usize)> = BTreeMap::new();
    for row in &comparison.rows {
        counts.entry((row.grade, place(row.class))).or_insert((row.class, 0)).1 += 1;
    }
    for (name, grade) in [("required", Grade::Required), ("advisory", Grade::Advisory)] {
        let of_grade = counts.iter().filter(|((own, _), _)| *own == grade);
        let mut text = String::new();
        for (_, (class, count)) in of_grade {
            let _ = write!(text, "{}{count} {}", if text.is_empty() { "" } else { ", " }, class.title());
        }
        if !text.is_empty() {
            line(&format!("{name}: {text}"), width, &mut out);
        }
    }
    out
}

fn place(class: ChangeClass) -> usize {
    ChangeClass::ALL.iter().position(|other| *other == class).unwrap_or(usize::MAX)
}
