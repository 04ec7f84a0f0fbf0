//! The readiness document as `JUnit` XML: a suite for the rules, and one for each host and role.
//!
//! As in the report of a run: what cannot be told is an error, because pipelines take a skipped case for fine; what
//! decides nothing is skipped and says what was seen.

use super::super::markup::{Element, Syntax, el};
use super::document::{Readiness, ReadinessEndpoint};
use super::words;
use crate::assess::readiness::{Finding, Severity, State};
use crate::assess::{Grade, Verdict};

pub(super) fn render(document: &Readiness) -> String {
    let mut suites = vec![rules(document)];
    let mut groups: Vec<((&str, &str), Vec<&ReadinessEndpoint>)> = Vec::new();
    for row in &document.endpoints {
        let place = (row.subject.as_str(), row.role.as_str());
        match groups.iter_mut().find(|(own, _)| *own == place) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((place, vec![row])),
        }
    }
    suites.extend(groups.iter().map(|((subject, role), rows)| Suite {
        name: format!("{subject}, {role}"),
        cases: rows.iter().map(|row| endpoint(row)).collect(),
    }));
    let count = |kind| suites.iter().map(|suite| suite.count(kind)).sum::<usize>().to_string();
    let root = el("testsuites")
        .attr("name", document.title())
        .attr("tests", suites.iter().map(|suite| suite.cases.len()).sum::<usize>().to_string())
        .attr("failures", count(Kind::Failure))
        .attr("errors", count(Kind::Error))
        .children(suites.iter().map(|suite| suite.element(document)));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    root.write(Syntax::Xml, &mut out);
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

struct Suite {
    name: String,
    cases: Vec<(Kind, Element)>,
}

impl Suite {
    fn count(&self, kind: Kind) -> usize {
        self.cases.iter().filter(|(own, _)| *own == kind).count()
    }

    fn element(&self, document: &Readiness) -> Element {
        // Without a zone, as the other writers of this format have it; it is UTC.
        let started = document.origin.started.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        el("testsuite")
            .attr("name", &self.name)
            .attr("tests", self.cases.len().to_string())
            .attr("failures", self.count(Kind::Failure).to_string())
            .attr("errors", self.count(Kind::Error).to_string())
            .attr("skipped", self.count(Kind::Skipped).to_string())
            .attr("timestamp", started)
            .attr("hostname", &document.origin.probed_from)
            .children(self.cases.iter().map(|(_, case)| case.clone()))
    }
}

fn rules(document: &Readiness) -> Suite {
    Suite {
        name: format!("rules for version {}", document.target.version),
        cases: document.rules.iter().map(|finding| rule(document, finding)).collect(),
    }
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
    (kind, outcome(case, kind, &finding.rule, &message, lines))
}

fn endpoint(row: &ReadinessEndpoint) -> (Kind, Element) {
    let kind = match (row.verdict, row.grade) {
        (Verdict::Pass, _) => Kind::Passed,
        (Verdict::Waived | Verdict::NotApplicable, _) | (_, Grade::Advisory) => Kind::Skipped,
        (Verdict::Fail, Grade::Required) => Kind::Failure,
        (Verdict::NotObserved | Verdict::Error, Grade::Required) => Kind::Error,
    };
    let class = format!("{}.{}", row.subject, row.role).replace(' ', "-");
    let case = el("testcase").attr("name", format!("{}{}", row.endpoint, words::newness(row))).attr("classname", class);
    let message = format!("{}: {}", row.verdict.title(), row.seen.as_deref().unwrap_or_default());
    let mut lines: Vec<String> = row.remedy.iter().map(|remedy| format!("what to do: {remedy}")).collect();
    lines.push(format!("id: {}", row.id));
    (kind, outcome(case, kind, row.verdict.title(), &message, lines))
}

fn outcome(case: Element, kind: Kind, code: &str, message: &str, lines: Vec<String>) -> Element {
    let outcome = match kind {
        Kind::Passed => return case,
        Kind::Failure => el("failure"),
        Kind::Error => el("error"),
        Kind::Skipped => el("skipped"),
    };
    case.child(outcome.attr("type", code).attr("message", message).lines(lines))
}
