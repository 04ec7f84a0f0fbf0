//! What a comparison with an allow list found, as rows.

use serde::Serialize;

use super::listing::Listing;
use super::lists::{Check, StaleWhy};
use crate::derive::Subject;

/// What was found, with a stable word for its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowListFinding {
    /// `missing`, `stale`, `too broad`, `undecided` or `not understood`.
    pub finding: &'static str,
    /// The line of the list; none for what is missing in it.
    pub line: Option<usize>,
    /// The line's text, or the endpoint that is missing.
    pub text: String,
    /// What that means.
    pub detail: String,
}

/// How many names a detail lists.
const MAX_NAMES: usize = 5;

/// The findings: what is missing first, then the lines in their order.
pub fn allow_list_findings(check: &Check) -> Vec<AllowListFinding> {
    let missing = check.missing.iter().map(|missing| {
        let entry = &missing.entry;
        let who: Vec<String> = entry.subjects.iter().take(MAX_NAMES).map(Subject::to_string).collect();
        let more = match entry.subjects.len().saturating_sub(MAX_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let partly = match missing.partly.as_slice() {
            [] => String::new(),
            lines => format!("; a part of it is let through by line {}", joined(lines, ", ")),
        };
        AllowListFinding {
            finding: "missing",
            line: None,
            text: format!("{}://{}:{}", entry.scheme, entry.pattern, entry.port),
            detail: format!("needed by {}{more}{partly}", who.join(", ")),
        }
    });
    let mut lines: Vec<AllowListFinding> = Vec::new();
    let mut found = |finding, line, text: &str, detail| {
        lines.push(AllowListFinding { finding, line: Some(line), text: text.to_owned(), detail });
    };
    for stale in &check.stale {
        let why = match &stale.why {
            StaleWhy::NotNeeded => "nothing needs it".to_owned(),
            StaleWhy::OnlyRetired(entries) => format!("its service is gone ({})", joined(entries, ", ")),
            StaleWhy::OtherPort(ports) => format!("needed on port {} only", joined(ports, ", ")),
        };
        found("stale", stale.line, &stale.text, why);
    }
    for broad in &check.too_broad {
        let more = match broad.needed_count.saturating_sub(MAX_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = joined(broad.needed.iter().take(MAX_NAMES), ", ");
        found("too broad", broad.line, &broad.text, format!("needed of it: {names}{more}"));
    }
    for maybe in &check.undecided {
        found("undecided", maybe.line, &maybe.text, format!("may be needed: {}", joined(&maybe.names, ", ")));
    }
    for unknown in &check.not_understood {
        found("not understood", unknown.line, &unknown.text, format!("not compared: {}", unknown.error));
    }
    lines.sort_by_key(|finding| finding.line);
    missing.chain(lines).collect()
}

/// The findings in columns.
pub fn allow_list_rows(findings: &[AllowListFinding]) -> Listing<4> {
    let row = |finding: &AllowListFinding| {
        let line = finding.line.map(|line| line.to_string()).unwrap_or_default();
        [finding.finding.to_owned(), line, finding.text.clone(), finding.detail.clone()]
    };
    Listing { columns: ["finding", "line", "text", "detail"], rows: findings.iter().map(row).collect() }
}

fn joined<'a, T: std::fmt::Display + 'a>(items: impl IntoIterator<Item = &'a T>, with: &str) -> String {
    items.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(with)
}
