//! The readiness document in Markdown, for tickets and the summaries of pipelines.

use std::fmt::Write as _;

use super::super::markdown::{code, list};
use super::document::Readiness;
use super::words;
use crate::assess::readiness::State;

pub(super) fn render(document: &Readiness) -> String {
    let mut out =
        format!("# Readiness for version {}: {}\n\n", code(&document.target.version), document.verdict.title());
    let about = [
        ("as of", document.day.to_string()),
        ("site database", document.hierarchy.database.clone()),
        ("sites", document.hierarchy.sites.join("; ")),
        ("probed from", document.origin.probed_from.clone()),
        ("begun", document.origin.started.to_string()),
        ("exit code", document.verdict.exit_code.to_string()),
        ("catalog", document.origin.catalog.clone()),
        ("SHA-256 of the run document", document.origin.run_sha256.clone()),
    ];
    for (name, value) in about {
        let _ = writeln!(out, "- {name}: {}", code(&value));
    }
    list("Why it is incomplete", &document.verdict.incomplete, &mut out);
    let open = words::open_rules(document);
    if !open.is_empty() {
        out.push_str("\n## Rules that are open\n\n| state | severity | rule | what was found | what to do |\n");
        out.push_str("|---|---|---|---|---|\n");
    }
    for finding in open {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            finding.state.title(),
            finding.severity.name(),
            code(&finding.rule),
            code(&words::found(finding).join("; ")),
            code(&words::to_do(finding).join("; ")),
        );
    }
    for state in [State::Met, State::DoesNotApply] {
        let names: Vec<String> = words::of_state(document, state).map(|finding| code(&finding.rule)).collect();
        if !names.is_empty() {
            let _ = writeln!(out, "\n{}: {}", state.title(), names.join(", "));
        }
    }
    endpoints(document, &mut out);
    if !document.calendar.is_empty() {
        out.push_str("\n## What comes next\n\n| day | | what |\n|---|---|---|\n");
    }
    for coming in &document.calendar {
        let _ = writeln!(out, "| {} | {} | {} |", words::day(coming), words::when(coming), code(&coming.what));
    }
    list("Limits of this report", &document.limits, &mut out);
    out
}

fn endpoints(document: &Readiness, out: &mut String) {
    for (title, rows) in [
        ("Endpoints that the update adds", words::new_endpoints(document)),
        ("Endpoints that count and are not passing", words::open_endpoints(document)),
    ] {
        if rows.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "\n## {title}\n\n| verdict | host | role | endpoint | what was seen |\n|---|---|---|---|---|\n"
        );
        for row in rows {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                row.verdict.title(),
                code(&row.subject),
                code(&row.role),
                code(&row.endpoint),
                code(row.seen.as_deref().unwrap_or_default()),
            );
        }
    }
    list("No longer needed after the update", &document.no_longer_needed, out);
}
