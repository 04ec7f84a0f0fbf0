//! The page of the terminal.

use std::fmt::Write as _;

use super::super::Style;
use super::super::grid::grid;
use super::super::table::line;
use super::document::Readiness;
use super::words;
use crate::assess::readiness::{Finding, State};
use crate::assess::{Grade, Verdict};
use crate::derive::Change;

/// Endpoints that are listed one by one; the other formats have them all.
const SHOWN: usize = 12;
/// Parts of what was found for one rule.
const PARTS: usize = 3;

/// The document as a page: rules that are open, endpoints, what to do, what comes next, the verdict.
pub fn readiness_table(document: &Readiness, style: Style) -> String {
    let width = style.width.max(60);
    let mut out = String::new();
    head(document, width, &mut out);
    rules(document, width, style, &mut out);
    endpoints(document, width, &mut out);
    to_do(document, width, &mut out);
    calendar(document, width, &mut out);
    result(document, width, style, &mut out);
    out
}

fn head(document: &Readiness, width: usize, out: &mut String) {
    let target = &document.target;
    line(
        &format!("Readiness for version {} (build {}), as of {}", target.version, target.build, document.day),
        width,
        out,
    );
    line(&format!("Database {}; {}", document.hierarchy.database, document.hierarchy.sites.join("; ")), width, out);
    line(&format!("Probed from {}", document.origin.probed_from), width, out);
    for limit in &document.limits {
        line(limit, width, out);
    }
    out.push('\n');
}

fn rules(document: &Readiness, width: usize, style: Style, out: &mut String) {
    let open = words::open_rules(document);
    if !open.is_empty() {
        line("Rules that are open", width, out);
        // Two spaces before each column; the first is as wide as the longest word in it.
        let state = 9;
        let room = width.saturating_sub(state + 4);
        let text = |finding: &&Finding| {
            let found = words::shortened(words::found(finding), PARTS).join("; ");
            format!("{} ({}): {found}", finding.rule, finding.severity.name())
        };
        let texts: Vec<String> = open.iter().map(text).collect();
        let rows = open.iter().zip(&texts);
        let drawn = grid(rows.map(|(finding, text)| vec![(finding.state.title(), state), (text.as_str(), room)]));
        out.push_str(&if style.colour { paint(&drawn) } else { drawn });
    }
    for state in [State::Met, State::DoesNotApply] {
        let names: Vec<&str> = words::of_state(document, state).map(|finding| finding.rule.as_str()).collect();
        if !names.is_empty() {
            line(&format!("{}: {}", state.title(), names.join(", ")), width, out);
        }
    }
    out.push('\n');
}

/// Colours the state at the beginning of finished lines.
fn paint(lines: &str) -> String {
    lines.lines().fold(String::new(), |mut all, line| {
        let known = [("  NOT MET", "31;1"), ("  undecided", "33")].into_iter().find(|(word, _)| line.starts_with(word));
        let _ = match known {
            Some((word, code)) => writeln!(all, "\x1b[{code}m{word}\x1b[0m{}", &line[word.len()..]),
            None => writeln!(all, "{line}"),
        };
        all
    })
}

fn endpoints(document: &Readiness, width: usize, out: &mut String) {
    let new = words::new_endpoints(document);
    let open: Vec<_> = words::open_endpoints(document).into_iter().filter(|row| row.change != Change::Added).collect();
    for (title, rows) in
        [("Endpoints that the update adds", &new), ("Endpoints of today that count and are not passing", &open)]
    {
        let rows = words::together(rows);
        if rows.is_empty() {
            continue;
        }
        line(title, width, out);
        for one in rows.iter().take(SHOWN) {
            let seen = match (&one.row.seen, one.subjects.len()) {
                (Some(seen), 1) => format!(": {seen}"),
                _ => String::new(),
            };
            let hosts = words::shortened(one.subjects.iter().map(ToString::to_string).collect(), PARTS).join(", ");
            let row = one.row;
            line(&format!("  {}: {} for {hosts} ({}){seen}", row.verdict.title(), row.endpoint, row.role), width, out);
        }
        if rows.len() > SHOWN {
            line(&format!("  and {} more; --format json or html has them all", rows.len() - SHOWN), width, out);
        }
    }
    for gone in &document.no_longer_needed {
        line(&format!("  no longer needed: {gone}"), width, out);
    }
    if !new.is_empty() || !open.is_empty() || !document.no_longer_needed.is_empty() {
        out.push('\n');
    }
}

fn to_do(document: &Readiness, width: usize, out: &mut String) {
    let mut lines: Vec<(String, Vec<&str>)> = Vec::new();
    for finding in words::open_rules(document) {
        for text in words::to_do(finding) {
            match lines.iter_mut().find(|(known, _)| *known == text) {
                Some((_, rules)) => rules.push(&finding.rule),
                None => lines.push((text, vec![&finding.rule])),
            }
        }
    }
    for row in words::open_endpoints(document).into_iter().filter(|row| row.verdict == Verdict::Fail) {
        if let Some(remedy) = &row.remedy
            && !lines.iter().any(|(known, _)| known == remedy)
        {
            lines.push((remedy.clone(), vec![&row.endpoint]));
        }
    }
    if lines.is_empty() {
        return;
    }
    line("What to do", width, out);
    for (number, (text, of)) in (1..).zip(&lines) {
        line(&format!(" {number}. {text} [{}]", of.join(", ")), width, out);
    }
    out.push('\n');
}

fn calendar(document: &Readiness, width: usize, out: &mut String) {
    if document.calendar.is_empty() {
        return;
    }
    line("What comes next, and what is overdue", width, out);
    for coming in &document.calendar {
        line(&format!("  {}: {}, {}", words::day(coming), coming.what, words::when(coming)), width, out);
    }
    out.push('\n');
}

fn result(document: &Readiness, width: usize, style: Style, out: &mut String) {
    let verdict = &document.verdict;
    let colour = match verdict.exit_code {
        0 => "32;1",
        1 => "31;1",
        _ => "33;1",
    };
    let title = verdict.title();
    let title = if style.colour { format!("\x1b[{colour}m{title}\x1b[0m") } else { title.to_owned() };
    let _ = writeln!(out, "Result: {title} (exit code {})", verdict.exit_code);
    let counts = |state| words::of_state(document, state).count();
    let states = State::ALL.map(|state| format!("{} {}", counts(state), state.title().to_lowercase()));
    line(&format!("  rules: {}", states.join(", ")), width, out);
    let verdicts = Verdict::ALL.iter().filter_map(|verdict| {
        let number = document.count(Grade::Required, *verdict);
        (number > 0).then(|| format!("{number} {}", verdict.title().to_lowercase()))
    });
    line(&format!("  endpoints that count: {}", verdicts.collect::<Vec<_>>().join(", ")), width, out);
    for reason in &verdict.incomplete {
        line(&format!("  incomplete: {reason}"), width, out);
    }
    line(&format!("  catalog {}", document.origin.catalog), width, out);
}
