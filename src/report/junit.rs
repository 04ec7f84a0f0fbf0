//! `JUnit` XML: a suite for each role of each host, a case for each requirement.
//!
//! What counts and fails is a failure; what counts and was not seen is an error, because pipelines take a skipped case
//! for fine; what was waived, decides nothing or is not needed is skipped and says what was seen. Elements and
//! attributes are those of Jenkins' junit-10.xsd.

use jiff::Timestamp;

use super::layers;
use super::markup::{Element, Syntax, el};
use super::row::{Group, Row, groups};
use super::summary::Summary;
use super::words;
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;

pub(super) fn render(run: &Run) -> String {
    let mut suites: Vec<Suite> = groups(run).iter().map(|group| suite(run, group)).collect();
    suites.extend(completeness(&run.outcome.incomplete, run.moments.started, run.vantage.title()));
    document(&Summary::of(run).title, &suites)
}

/// What a pipeline takes a case for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Kind {
    /// Of an endpoint.
    pub(super) fn of(verdict: Verdict, grade: Grade) -> Self {
        match (verdict, grade) {
            (Verdict::Pass, _) => Self::Passed,
            (Verdict::Waived | Verdict::NotApplicable, _) | (_, Grade::Advisory) => Self::Skipped,
            (Verdict::Fail, Grade::Required) => Self::Failure,
            (Verdict::NotObserved | Verdict::Error, Grade::Required) => Self::Error,
        }
    }

    /// The case with what it came to; one that passed has nothing more to say.
    pub(super) fn outcome(self, case: Element, code: &str, message: &str, lines: Vec<String>) -> (Self, Element) {
        let outcome = match self {
            Self::Passed => return (self, case),
            Self::Failure => el("failure"),
            Self::Error => el("error"),
            Self::Skipped => el("skipped"),
        };
        (self, case.child(outcome.attr("type", code).attr("message", message).lines(lines)))
    }
}

/// Cases that belong together.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) started: Timestamp,
    /// The machine that looked.
    pub(super) machine: String,
    pub(super) properties: Option<Element>,
    pub(super) cases: Vec<(Kind, Element)>,
}

impl Suite {
    fn count(&self, kind: Kind) -> usize {
        self.cases.iter().filter(|(own, _)| *own == kind).count()
    }

    fn element(&self) -> Element {
        // Without a zone, as the other writers of this format have it; it is UTC.
        let started = self.started.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        el("testsuite")
            .attr("name", &self.name)
            .attr("tests", self.cases.len().to_string())
            .attr("failures", self.count(Kind::Failure).to_string())
            .attr("errors", self.count(Kind::Error).to_string())
            .attr("skipped", self.count(Kind::Skipped).to_string())
            .attr("timestamp", started)
            .attr("hostname", &self.machine)
            .children(self.properties.clone())
            .children(self.cases.iter().map(|(_, case)| case.clone()))
    }
}

/// The suites as a document.
pub(super) fn document(title: &str, suites: &[Suite]) -> String {
    let count = |kind| suites.iter().map(|suite| suite.count(kind)).sum::<usize>().to_string();
    let root = el("testsuites")
        .attr("name", title)
        .attr("tests", suites.iter().map(|suite| suite.cases.len()).sum::<usize>().to_string())
        .attr("failures", count(Kind::Failure))
        .attr("errors", count(Kind::Error))
        .children(suites.iter().map(Suite::element));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    root.write(Syntax::Xml, &mut out);
    out
}

/// An error for each reason why the result is not complete: without, what nobody could read would be all green.
pub(super) fn completeness<'a>(
    reasons: impl IntoIterator<Item = &'a String>,
    started: Timestamp,
    machine: &str,
) -> Option<Suite> {
    let case = |(number, reason): (usize, &String)| {
        let case = el("testcase").attr("name", format!("reason {number}")).attr("classname", "completeness");
        Kind::Error.outcome(case, "incomplete", reason, vec![format!("incomplete: {reason}")])
    };
    let cases: Vec<_> = (1..).zip(reasons).map(case).collect();
    let (name, machine) = ("completeness".to_owned(), machine.to_owned());
    (!cases.is_empty()).then_some(Suite { name, started, machine, properties: None, cases })
}

fn suite(run: &Run, group: &Group<'_>) -> Suite {
    Suite {
        name: format!("{}, {}", group.subject, group.role.title()),
        started: run.moments.started,
        machine: group.rows.first().map_or_else(|| run.vantage.title(), Row::machine).to_owned(),
        properties: Some(properties(run, group)),
        cases: group.rows.iter().map(case).collect(),
    }
}

/// The counts by verdict, which the four kinds of this format do not tell apart.
fn properties(run: &Run, group: &Group<'_>) -> Element {
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
    let old = run.moments.old_facts().map(|old| el("property").attr("name", "limit").attr("value", old));
    el("properties").children(counts).children(evidence).children(old)
}

fn case(row: &Row<'_>) -> (Kind, Element) {
    let name = format!("{} [{}]", row.endpoint(), row.requirement.entry);
    let class = format!("{}.{}", row.requirement.subject, row.requirement.role.title()).replace(' ', "-");
    let case = el("testcase").attr("name", name).attr("classname", class);
    let mut lines = vec![format!("what was seen: {}", row.sentence()), format!("in detail: {}", row.detail())];
    lines.push(format!("what to do: {}", row.remedy()));
    if !row.in_product().is_empty() {
        lines.push(format!("Configuration Manager shows it in: {}", row.in_product()));
    }
    lines.extend(row.waiver().map(|waiver| format!("waived: {}", words::waiver(waiver))));
    lines.push(format!("route: {}", row.route()));
    lines.extend([row.evidence()].into_iter().filter(|evidence| !evidence.is_empty()));
    lines.extend(row.judgement.notes.iter().cloned());
    lines.extend(row.requirement.reasons.iter().map(|reason| format!("needed because {reason}")));
    lines.extend(row.all_seen().flat_map(layers::lines));
    lines.push(format!("id: {}", row.requirement.id));
    let until = row.waiver().map(|waiver| format!(" until {}", waiver.valid_through)).unwrap_or_default();
    let message = format!("{}{until}", row.sentence());
    Kind::of(row.judgement.verdict, row.judgement.grade).outcome(case, row.code(), &message, lines)
}
