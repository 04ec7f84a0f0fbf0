//! A summary in Markdown: counts, what is not passing, what to do. For tickets and the summaries of pipelines.
//!
//! All text from outside stands in code spans, in which nothing is markup, a link or a mention.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::row::{Row, rows};
use super::summary::Summary;
use super::words;
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;
use crate::text::printable;

/// Characters of a code span.
const SPAN: usize = 1000;

pub(super) fn render(run: &Run) -> String {
    let summary = Summary::of(run);
    let mut out = format!("# Internet endpoints: {}\n\n", run.outcome.title());
    for (name, value) in &summary.about {
        let _ = writeln!(out, "- {name}: {}", code(value));
    }
    out.push_str("\n| verdict | required | advisory |\n|---|---:|---:|\n");
    for verdict in Verdict::ALL {
        let count = |grade| run.outcome.tally.count(grade, verdict);
        let _ = writeln!(out, "| {} | {} | {} |", verdict.title(), count(Grade::Required), count(Grade::Advisory));
    }
    list("Why it is incomplete", &summary.incomplete, &mut out);
    let rows = rows(run);
    let not_passing: Vec<&Row<'_>> = rows.iter().filter(|row| row.is_not_passing()).collect();
    if !not_passing.is_empty() {
        out.push_str(
            "\n## Not passing\n\n| verdict | host | role | endpoint | evidence | what was seen |\n|---|---|---|---|---|---|\n",
        );
    }
    for row in &not_passing {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            row.judgement.verdict.title(),
            code(&row.requirement.subject.to_string()),
            row.requirement.role.title(),
            code(&row.endpoint()),
            code(row.grade_of_evidence()),
            code(&row.seen_with_notes()),
        );
    }
    let waivers = run.waivers.iter().flat_map(|applied| &applied.list.waivers).map(words::waiver);
    list("Waivers", &waivers.collect::<Vec<_>>(), &mut out);
    let findings = run.waivers.iter().flat_map(|applied| &applied.findings);
    let findings = findings.map(|finding| format!("{}: {}", finding.waiver, finding.text));
    list("Waivers to be looked at", &findings.collect::<Vec<_>>(), &mut out);
    let remedies = words::remedies(&rows);
    if !remedies.is_empty() {
        out.push_str("\n## What to do\n\n");
    }
    for (number, (remedy, rows)) in remedies.iter().enumerate() {
        let of = if rows.len() == 1 { "1 endpoint".to_owned() } else { format!("{} endpoints", rows.len()) };
        let places: BTreeSet<&str> =
            rows.iter().map(|row| row.in_product()).filter(|place| !place.is_empty()).collect();
        let places: Vec<&str> = places.into_iter().collect();
        let shown = match places.as_slice() {
            [] => String::new(),
            places => format!("; Configuration Manager shows it in {}", code(&places.join("; "))),
        };
        let _ = writeln!(out, "{}. {} (for {of}{shown})", number + 1, code(remedy));
    }
    list("Limits of this report", &summary.limits, &mut out);
    out
}

pub(super) fn list(title: &str, lines: &[String], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(out, "\n## {title}\n\n");
    for line in lines {
        let _ = writeln!(out, "- {}", code(line));
    }
}

/// A code span: between more grave accents than stand together in the text. In a table a bar must be escaped also there,
/// and the escape is taken off again; outside of one it is not, so the bar is replaced everywhere.
pub(super) fn code(text: &str) -> String {
    let text = printable(text, SPAN).replace('|', "\u{a6}");
    if text.trim().is_empty() {
        return "-".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_code_span() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a|b`"), "`` `a\u{a6}b` ``");
        assert_eq!(code("a\n# b"), "`a\\u{a}# b`");
        assert_eq!(code(" "), "-");
    }
}
