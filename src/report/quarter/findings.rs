//! What is not passing, and TLS inspection where it is not supported.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::row::{Row, rows};
use super::History;
use super::section::{Cell, Section, merged};
use crate::assess::Verdict;
use crate::catalog::Inspection;
use crate::derive::RequirementId;
use crate::probe::Issuance;

pub(super) fn not_passing(history: &History) -> Section {
    let run = history.newest();
    let rows = rows(run);
    let mut worst: Vec<&Row<'_>> = rows.iter().filter(|row| row.is_not_passing()).collect();
    worst.sort_by_key(|row| Verdict::ALL.iter().position(|verdict| *verdict == row.judgement.verdict));
    let table = worst
        .into_iter()
        .map(|row| {
            let (since, age) = since(history, &row.requirement.id);
            let owner = row.waiver().map_or("nobody", |waiver| waiver.owner.as_str());
            vec![
                row.judgement.verdict.title().into(),
                row.requirement.subject.to_string().into(),
                row.requirement.role.title().into(),
                row.endpoint().into(),
                row.seen().into(),
                since.into(),
                Cell::Number(age),
                owner.into(),
                row.remedy().into(),
            ]
        })
        .collect();
    let columns = ["verdict", "host", "role", "endpoint", "what was seen", "since", "days", "owner", "what to do"];
    Section::new(4, "not-passing", "Not passing, or not observed")
        .text("Since: the first run of the store from which on no run saw it pass. The owner is the one of the waiver.")
        .table(
            "Required endpoints that do not pass, or that nobody saw",
            &columns,
            merged(table, 3),
            "Every required endpoint passes.",
        )
}

/// The day of the first run since which nothing passed, and how many days before that of the newest run it was.
fn since(history: &History, id: &RequirementId) -> (String, usize) {
    let newest = history.newest().moments.finished;
    let mut first = newest;
    for (kept, verdict) in history.back(id) {
        match verdict {
            Verdict::Pass | Verdict::NotApplicable => break,
            Verdict::Fail | Verdict::Waived | Verdict::NotObserved | Verdict::Error => {
                first = kept.run.moments.finished;
            }
        }
    }
    let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date();
    let age = (day(newest) - day(first)).get_days();
    (day(first).to_string(), usize::try_from(age).unwrap_or(0))
}

pub(super) fn inspection(history: &History) -> Section {
    let rows = rows(history.newest());
    let forbidden: Vec<&Row<'_>> =
        rows.iter().filter(|row| row.requirement.inspection == Inspection::Unsupported).collect();
    let table: Vec<Vec<Cell>> = forbidden
        .iter()
        .filter_map(|row| {
            let inspected = row.observations.iter().find(|seen| {
                let private =
                    seen.trust.evidence.as_ref().is_some_and(|trust| trust.issuance == Some(Issuance::Private));
                private || row.code().starts_with("tls-inspected")
            })?;
            let issuer = inspected.tls.evidence.as_ref().and_then(|tls| tls.chain.first());
            Some(vec![
                row.requirement.subject.to_string().into(),
                row.endpoint().into(),
                row.judgement.verdict.title().into(),
                issuer.map_or("", |certificate| &certificate.issuer).into(),
                row.seen().into(),
            ])
        })
        .collect();
    let with_tls =
        forbidden.iter().filter(|row| row.observations.iter().any(|seen| seen.tls.evidence.is_some())).count();
    Section::new(11, "inspection", "TLS inspection")
        .text(format!(
            "For {} endpoints TLS inspection is documented as not supported; of {with_tls} of them a certificate was seen.",
            forbidden.len()
        ))
        .table(
            "Endpoints that must not be inspected, and whose certificate nobody public issued",
            &["host", "endpoint", "verdict", "issued by", "what was seen"],
            table,
            "None of the certificates that were seen shows an inspection. What was not seen says nothing.",
        )
}
