//! The readiness document as `JUnit` XML: a suite for the rules, and one for each host and role.
//!
//! As in the report of a run: what cannot be told is an error, because pipelines take a skipped case for fine; what
//! decides nothing is skipped and says what was seen.

use super::super::junit::{self, Kind, Suite};
use super::super::markup::{Element, el};
use super::document::{Readiness, ReadinessEndpoint, undecided};
use super::words;
use crate::assess::readiness::{Finding, Severity, State};

pub(super) fn render(document: &Readiness) -> String {
    let origin = &document.origin;
    let suite = |name: String, cases: Vec<(Kind, Element)>| Suite {
        name,
        started: origin.started,
        machine: origin.probed_from.clone(),
        properties: None,
        cases,
    };
    let rules = document.rules.iter().map(|finding| rule(document, finding)).collect();
    let mut suites = vec![suite(format!("rules for version {}", document.target.version), rules)];
    // What limits the verdict limits it for a pipeline too.
    let limit = |text: &String| el("property").attr("name", "limit").attr("value", text);
    suites[0].properties =
        (!document.limits.is_empty()).then(|| el("properties").children(document.limits.iter().map(limit)));
    let mut groups: Vec<((&str, &str), Vec<&ReadinessEndpoint>)> = Vec::new();
    for row in &document.endpoints {
        let place = (row.subject.as_str(), row.role.as_str());
        match groups.iter_mut().find(|(own, _)| *own == place) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((place, vec![row])),
        }
    }
    suites.extend(groups.iter().map(|((subject, role), rows)| {
        suite(format!("{subject}, {role}"), rows.iter().map(|row| endpoint(row)).collect())
    }));
    // Which rules are undecided, the rules themselves show.
    let shown = undecided(&document.rules);
    let reasons = document.verdict.incomplete.iter().filter(|reason| Some(*reason) != shown.as_ref());
    suites.extend(junit::completeness(reasons, origin.started, &origin.probed_from));
    junit::document(&document.title(), &suites)
}

fn rule(document: &Readiness, finding: &Finding) -> (Kind, Element) {
    let kind = match (finding.state, finding.severity) {
        (State::NotMet, Severity::Error) => Kind::Failure,
        _ if finding.leaves_open() => Kind::Error,
        (State::Met, _) => Kind::Passed,
        (State::NotMet | State::Undecided | State::DoesNotApply, _) => Kind::Skipped,
    };
    let case = el("testcase").attr("name", format!("{} [{}]", finding.title, finding.rule)).attr("classname", "rules");
    let found = words::found(finding).join("; ");
    let message = format!("{} ({}): {found}", finding.state.title(), finding.severity.name());
    let mut lines: Vec<String> = words::found(finding).into_iter().map(|text| format!("found: {text}")).collect();
    lines.extend(words::to_do(finding).into_iter().map(|text| format!("what to do: {text}")));
    lines.push(format!("source: {}", document.source(finding)));
    kind.outcome(case, &finding.rule, &message, lines)
}

fn endpoint(row: &ReadinessEndpoint) -> (Kind, Element) {
    let class = format!("{}.{}", row.subject, row.role).replace(' ', "-");
    let case = el("testcase").attr("name", format!("{}{}", row.endpoint, words::newness(row))).attr("classname", class);
    let message = format!("{}: {}", row.verdict.title(), row.seen.as_deref().unwrap_or_default());
    let mut lines: Vec<String> = row.remedy.iter().map(|remedy| format!("what to do: {remedy}")).collect();
    lines.push(format!("id: {}", row.id));
    Kind::of(row.verdict, row.grade).outcome(case, row.verdict.title(), &message, lines)
}
