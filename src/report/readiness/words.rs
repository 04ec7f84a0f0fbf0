//! What the formats of a readiness document have in common.

use super::document::{Readiness, ReadinessEndpoint};
use crate::assess::Verdict;
use crate::assess::readiness::{Coming, Finding, Missing, State};
use crate::derive::Change;
use crate::host::HostName;

/// The rules of a state, in the order of their table.
pub(super) fn of_state(document: &Readiness, state: State) -> impl Iterator<Item = &Finding> {
    document.rules.iter().filter(move |finding| finding.state == state)
}

/// The rules that somebody must look at: first those that are not met, the worst first, then the undecided ones.
pub(super) fn open_rules(document: &Readiness) -> Vec<&Finding> {
    let mut open: Vec<&Finding> =
        document.rules.iter().filter(|finding| matches!(finding.state, State::NotMet | State::Undecided)).collect();
    open.sort_by_key(|finding| (finding.state, finding.severity));
    open
}

/// What was found: what is wrong, and what is missing. What is fine besides stands in the document.
pub(super) fn found(finding: &Finding) -> Vec<String> {
    match finding.state {
        State::Undecided => missing(&finding.missing),
        _ => finding.evidence.iter().cloned().chain(missing(&finding.missing)).collect(),
    }
}

/// The first of them, and how many more there are.
pub(super) fn shortened(mut lines: Vec<String>, most: usize) -> Vec<String> {
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// What is missing, the same of several hosts in one line.
fn missing(missing: &[Missing]) -> Vec<String> {
    const HOSTS: usize = 3;
    let mut lines: Vec<(&Missing, Vec<&str>)> = Vec::new();
    for one in missing {
        let host = one.host.as_ref().map(HostName::as_str);
        match lines.iter_mut().find(|(other, _)| {
            host.is_some() && other.host.is_some() && (&other.fact, &other.why) == (&one.fact, &one.why)
        }) {
            Some((_, hosts)) => hosts.extend(host),
            None => lines.push((one, host.into_iter().collect())),
        }
    }
    let line = |(one, hosts): &(&Missing, Vec<&str>)| {
        let of = match hosts.as_slice() {
            [] => String::new(),
            hosts if hosts.len() <= HOSTS => format!(" of {}", hosts.join(", ")),
            hosts => format!(" of {} and {} more", hosts[..HOSTS].join(", "), hosts.len() - HOSTS),
        };
        format!("not known: {}{of} ({})", one.fact, one.why)
    };
    lines.iter().map(line).collect()
}

/// What to do about a rule: the remedy where it is not met, and how to come by what is missing.
pub(super) fn to_do(finding: &Finding) -> Vec<String> {
    let mut lines: Vec<String> = (finding.state == State::NotMet).then(|| finding.remedy.clone()).into_iter().collect();
    for missing in &finding.missing {
        if !lines.contains(&missing.how) {
            lines.push(missing.how.clone());
        }
    }
    lines
}

/// The endpoints that count and are not reached, or were not observed; the worst first, in each what is new.
pub(super) fn open_endpoints(document: &Readiness) -> Vec<&ReadinessEndpoint> {
    let mut open: Vec<&ReadinessEndpoint> = document.endpoints.iter().filter(|row| row.is_open()).collect();
    let rank = |row: &ReadinessEndpoint| Verdict::ALL.iter().position(|verdict| *verdict == row.verdict);
    open.sort_by_key(|row| (rank(row), row.change != Change::Added));
    open
}

/// The endpoints that the update adds.
pub(super) fn new_endpoints(document: &Readiness) -> Vec<&ReadinessEndpoint> {
    document.endpoints.iter().filter(|row| row.change == Change::Added).collect()
}

/// The same verdict on the same endpoint for several hosts.
pub(super) struct Together<'a> {
    /// One of them.
    pub(super) row: &'a ReadinessEndpoint,
    /// All hosts, or kinds of devices.
    pub(super) subjects: Vec<&'a str>,
}

/// Rows by verdict, endpoint and role, in their order.
pub(super) fn together<'a>(rows: &[&'a ReadinessEndpoint]) -> Vec<Together<'a>> {
    let mut all: Vec<Together<'a>> = Vec::new();
    for row in rows {
        let same = |other: &&mut Together<'_>| {
            let other = other.row;
            (other.verdict, &other.endpoint, &other.role) == (row.verdict, &row.endpoint, &row.role)
        };
        match all.iter_mut().find(same) {
            // Several entries of the catalog may name one endpoint.
            Some(other) if other.subjects.contains(&row.subject.as_str()) => {}
            Some(other) => other.subjects.push(&row.subject),
            None => all.push(Together { row, subjects: vec![&row.subject] }),
        }
    }
    all
}

/// ` (new with the update)`
pub(super) fn newness(row: &ReadinessEndpoint) -> &'static str {
    if row.change == Change::Added { " (new with the update)" } else { "" }
}

/// The day, for people.
pub(super) fn day(coming: &Coming) -> String {
    coming.day.map_or_else(|| "no day".to_owned(), |day| day.to_string())
}

/// `in 12 days`
pub(super) fn when(coming: &Coming) -> String {
    let Some(days) = coming.in_days else { return "not announced".to_owned() };
    match days {
        0 => "today".to_owned(),
        1 => "in 1 day".to_owned(),
        -1 => "1 day ago".to_owned(),
        days if days < 0 => format!("{} days ago", days.unsigned_abs()),
        days => format!("in {days} days"),
    }
}

/// The verdict with its numbers, in one sentence.
pub(super) fn sentence(document: &Readiness) -> String {
    let rules = |state| of_state(document, state).count();
    let count = |verdict| document.count(crate::assess::Grade::Required, verdict);
    format!(
        "{}: of {} rules, {} are met, {} are not met, {} are undecided, {} do not apply; of {} endpoints that count, {} are \
         reached, {} are not.",
        document.verdict.title(),
        document.rules.len(),
        rules(State::Met),
        rules(State::NotMet),
        rules(State::Undecided),
        rules(State::DoesNotApply),
        [Verdict::Pass, Verdict::Fail, Verdict::Waived, Verdict::NotObserved, Verdict::Error]
            .map(count)
            .iter()
            .sum::<usize>(),
        count(Verdict::Pass),
        [Verdict::Fail, Verdict::Waived, Verdict::NotObserved, Verdict::Error].map(count).iter().sum::<usize>(),
    )
}
