//! Counters in the text format of Prometheus, for the textfile collector of a node exporter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::row::groups;
use super::{summary, words};
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;
use crate::text::printable;

/// Characters of a label's value.
const LABEL: usize = 300;

pub(super) fn render(run: &Run) -> String {
    let mut out = String::new();
    let outcome = &run.outcome;
    family("cmcomply_run_info", "The run that these numbers are of.", &mut out);
    let site = run.facts.this_site.known().map_or_else(String::new, ToString::to_string);
    let document = summary::sha256(run);
    let info = [
        ("site", site.as_str()),
        ("database", &run.facts.connection.database),
        ("probed_from", run.vantage.title()),
        ("version", &run.tool.version),
        ("catalog", &run.catalog.version),
        ("run_sha256", &document),
    ];
    sample("cmcomply_run_info", &info, 1, &mut out);
    let single = [
        (
            "cmcomply_run_compliant",
            "1 if all that is required was looked at, and reached or waived.",
            outcome.is_compliant().into(),
        ),
        (
            "cmcomply_run_non_compliant",
            "1 if something required was not reached and nobody answers for it.",
            outcome.non_compliant.into(),
        ),
        (
            "cmcomply_run_incomplete",
            "1 if not everything required was looked at.",
            (!outcome.incomplete.is_empty()).into(),
        ),
        ("cmcomply_run_exit_code", "The exit code of the run.", i64::from(outcome.exit_code())),
        (
            "cmcomply_run_facts_read_timestamp_seconds",
            "When the site database was read.",
            run.moments.facts_read.as_second(),
        ),
        ("cmcomply_run_started_timestamp_seconds", "When the run began.", run.moments.started.as_second()),
        ("cmcomply_run_finished_timestamp_seconds", "When the run ended.", run.moments.finished.as_second()),
    ];
    for (name, help, value) in single {
        family(name, help, &mut out);
        sample(name, &[], value, &mut out);
    }
    family("cmcomply_vantage_used", "1 if one could look from the machine.", &mut out);
    for vantage in &run.vantages {
        let labels = [("machine", vantage.title()), ("kind", vantage.kind.name())];
        sample("cmcomply_vantage_used", &labels, vantage.unreached.is_none().into(), &mut out);
    }
    family("cmcomply_requirements", "Requirements by grade and verdict.", &mut out);
    for (name, grade) in GRADES {
        for verdict in Verdict::ALL {
            let labels = [("grade", name), ("verdict", words::name(verdict))];
            sample("cmcomply_requirements", &labels, whole(outcome.tally.count(grade, verdict)), &mut out);
        }
    }
    family("cmcomply_host_requirements", "Requirements of each host and role by grade and verdict.", &mut out);
    for group in groups(run) {
        let mut counts: BTreeMap<(Grade, Verdict), usize> = BTreeMap::new();
        for row in &group.rows {
            *counts.entry((row.judgement.grade, row.judgement.verdict)).or_default() += 1;
        }
        let (host, site) =
            (group.subject.to_string(), group.rows.first().map_or_else(String::new, super::row::Row::site));
        for ((grade, verdict), count) in counts {
            let grade = GRADES.iter().find(|(_, g)| *g == grade).map_or("", |(name, _)| name);
            let labels = [
                ("site", site.as_str()),
                ("host", &host),
                ("role", group.role.title()),
                ("grade", grade),
                ("verdict", words::name(verdict)),
            ];
            sample("cmcomply_host_requirements", &labels, whole(count), &mut out);
        }
    }
    out
}

const GRADES: [(&str, Grade); 2] = [("required", Grade::Required), ("advisory", Grade::Advisory)];

fn family(name: &str, help: &str, out: &mut String) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn sample(name: &str, labels: &[(&str, &str)], value: i64, out: &mut String) {
    let labels: Vec<String> = labels
        .iter()
        .map(|(label, text)| {
            let text = printable(text, LABEL).replace('\\', "\\\\").replace('"', "\\\"");
            format!("{label}=\"{text}\"")
        })
        .collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(out, "{name}{labels} {value}");
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
