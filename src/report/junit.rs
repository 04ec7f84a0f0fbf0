//! `JUnit` XML: a suite for each role of each host, a case for each requirement.
//!
//! What counts and fails is a failure; what counts and was not seen is an error, because pipelines take a skipped case
//! for fine; what was waived, decides nothing or is not needed is skipped and says what was seen. Elements and
//! attributes are those of Jenkins' junit-10.xsd.

use super::layers;
use super::markup::{Element, Syntax, el};
use super::row::{Group, Row, groups};
use super::summary::Summary;
use super::words;
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;

pub(super) fn render(run: &Run) -> String {
    let groups = groups(run);
    let all: Vec<Kind> = groups.iter().flat_map(|group| group.rows.iter().map(Kind::of)).collect();
    let suites = el("testsuites")
        .attr("name", Summary::of(run).title)
        .attr("tests", all.len().to_string())
        .attr("failures", count(&all, Kind::Failure))
        .attr("errors", count(&all, Kind::Error))
        .children(groups.iter().map(|group| suite(run, group)));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    suites.write(Syntax::Xml, &mut out);
    out
}

/// What a pipeline takes a case for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Kind {
    fn of(row: &Row<'_>) -> Self {
        match (row.judgement.verdict, row.judgement.grade) {
            (Verdict::Pass, _) => Self::Passed,
            (Verdict::Waived | Verdict::NotApplicable, _) | (_, Grade::Advisory) => Self::Skipped,
            (Verdict::Fail, Grade::Required) => Self::Failure,
            (Verdict::NotObserved | Verdict::Error, Grade::Required) => Self::Error,
        }
    }
}

fn count(kinds: &[Kind], kind: Kind) -> String {
    kinds.iter().filter(|k| **k == kind).count().to_string()
}

fn suite(run: &Run, group: &Group<'_>) -> Element {
    let kinds: Vec<Kind> = group.rows.iter().map(Kind::of).collect();
    // Without a zone, as the other writers of this format have it; it is UTC.
    let started = run.moments.started.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    el("testsuite")
        .attr("name", format!("{}, {}", group.subject, group.role.title()))
        .attr("tests", kinds.len().to_string())
        .attr("failures", count(&kinds, Kind::Failure))
        .attr("errors", count(&kinds, Kind::Error))
        .attr("skipped", count(&kinds, Kind::Skipped))
        .attr("timestamp", started)
        .attr("hostname", group.rows.first().map_or_else(|| run.vantage.title(), Row::machine))
        .child(properties(group))
        .children(group.rows.iter().map(case))
}

/// The counts by verdict, which the four kinds of this format do not tell apart.
fn properties(group: &Group<'_>) -> Element {
    let grades = [("required", Grade::Required), ("advisory", Grade::Advisory)];
    let counts = grades.iter().flat_map(|(name, grade)| {
        Verdict::ALL.iter().filter_map(move |verdict| {
            let alike = |row: &&Row<'_>| row.judgement.verdict == *verdict && row.judgement.grade == *grade;
            let number = group.rows.iter().filter(alike).count();
            let name = format!("{name}.{}", words::name(*verdict));
            (number > 0).then(|| el("property").attr("name", name).attr("value", number.to_string()))
        })
    });
    let evidence = group.rows.iter().map(Row::evidence).find(|evidence| !evidence.is_empty());
    let evidence = evidence.map(|evidence| el("property").attr("name", "evidence").attr("value", evidence));
    el("properties").children(counts).children(evidence)
}

fn case(row: &Row<'_>) -> Element {
    let name = format!("{} [{}]", row.endpoint(), row.requirement.entry);
    let class = format!("{}.{}", row.requirement.subject, row.requirement.role.title()).replace(' ', "-");
    let case = el("testcase").attr("name", name).attr("classname", class);
    let outcome = match Kind::of(row) {
        Kind::Passed => return case,
        Kind::Failure => el("failure"),
        Kind::Error => el("error"),
        Kind::Skipped => el("skipped"),
    };
    let mut lines = vec![format!("what was seen: {}", row.sentence()), format!("in detail: {}", row.detail())];
    lines.push(format!("what to do: {}", row.remedy()));
    lines.extend(row.waiver().map(|waiver| format!("waived: {}", words::waiver(waiver))));
    lines.push(format!("route: {}", row.route()));
    lines.extend([row.evidence()].into_iter().filter(|evidence| !evidence.is_empty()));
    lines.extend(row.judgement.notes.iter().cloned());
    lines.extend(row.requirement.reasons.iter().map(|reason| format!("needed because {reason}")));
    lines.extend(row.observations.iter().flat_map(|seen| layers::lines(seen)));
    lines.push(format!("id: {}", row.requirement.id));
    let until = row.waiver().map(|waiver| format!(" until {}", waiver.valid_through)).unwrap_or_default();
    let message = format!("{}{until}", row.sentence());
    case.child(outcome.attr("type", row.code()).attr("message", message).lines(lines))
}
