//! The words of reports, said once.

use super::row::Row;
use crate::assess::{Judgement, Verdict, Waiver, WaiverCategory};
use crate::probe::{Observation, Redirect, StageName};

/// A stage, for people.
pub(super) fn stage(stage: StageName) -> &'static str {
    match stage {
        StageName::Name => "DNS",
        StageName::Tcp => "TCP",
        StageName::Connect => "proxy",
        StageName::Tls => "TLS",
        StageName::Trust => "certificate",
        StageName::Http => "HTTP",
    }
}

/// What marks a note that belongs beside a pass.
const TELLING: &[&str] = &[" addresses ", ": flapping", " has the address ", " records failed"];

/// What was seen, in a few words.
pub(super) fn seen(judgement: &Judgement, observations: &[&Observation]) -> String {
    if let Some(cause) = &judgement.cause {
        let stage = cause.stage.map(|s| format!("{}: ", stage(s))).unwrap_or_default();
        let waived = judgement.waiver.as_ref().map(|id| format!(" (waived by {id})")).unwrap_or_default();
        return format!("{stage}{}{waived}", cause.text);
    }
    let mut parts = Vec::new();
    if let Some(status) = observations.first().and_then(|o| o.http.evidence.as_ref()).and_then(|http| http.status) {
        parts.push(format!("HTTP {status}"));
    }
    if let Some(tls) = observations.first().and_then(|o| o.tls.evidence.as_ref())
        && let Some(version) = &tls.version
    {
        parts.push(version.clone());
    }
    if let Some(note) = judgement.notes.iter().find(|note| note.starts_with("proved by")) {
        parts.push(note.clone());
    }
    parts.extend(telling(judgement).cloned());
    parts.join(", ")
}

/// Where an answer leads.
pub(super) fn redirect(redirect: &Redirect) -> String {
    match redirect {
        Redirect::To(target) => target.to_string(),
        Redirect::NotFollowed { to, why } => format!("{to} (not followed: {why})"),
    }
}

/// What was noted that belongs beside a pass.
pub(super) fn telling(judgement: &Judgement) -> impl Iterator<Item = &String> {
    judgement.notes.iter().filter(|note| TELLING.iter().any(|word| note.contains(word)))
}

/// A waiver: until when, why, and who answers for it.
pub(super) fn waiver(waiver: &Waiver) -> String {
    let category = match waiver.category {
        WaiverCategory::Waiver => "accepted",
        WaiverCategory::Mitigated => "met in another way",
    };
    format!(
        "{} until {} (UTC, that day included), {category}: {}; answered for by {}, approved by {} on {}, ticket {}",
        waiver.id,
        waiver.valid_through,
        waiver.reason,
        waiver.owner,
        waiver.approved_by,
        waiver.approved_on,
        waiver.ticket
    )
}

/// A verdict for machines, as the run document writes it.
pub(super) fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Waived => "waived",
        Verdict::NotObserved => "not_observed",
        Verdict::Error => "error",
        Verdict::NotApplicable => "not_applicable",
    }
}

/// What a verdict means, for a reader who sees it for the first time.
pub(super) fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "reached, from a place that counts",
        Verdict::Fail => "not reached; the first layer that failed is named",
        Verdict::Waived => "not reached, and somebody answers for that until a date",
        Verdict::NotObserved => {
            "nobody looked, or not from the right place, or it cannot be told; never taken for fine"
        }
        Verdict::Error => "the probe itself broke; nothing is known about the endpoint",
        Verdict::NotApplicable => "nothing is needed, for example because the service is retired",
    }
}

/// What to do about what counts and is not passing, once for each remedy, with what it is good for. What is waived has
/// somebody who answers for it.
pub(super) fn remedies<'a, 'r>(rows: &'r [Row<'a>]) -> Vec<(&'a str, Vec<&'r Row<'a>>)> {
    let mut remedies: Vec<(&str, Vec<&Row<'_>>)> = Vec::new();
    let mut place = std::collections::HashMap::new();
    for row in rows.iter().filter(|row| row.is_not_passing() && row.judgement.verdict != Verdict::Waived) {
        if row.remedy().is_empty() {
            continue;
        }
        let at = *place.entry(row.remedy()).or_insert_with(|| {
            remedies.push((row.remedy(), Vec::new()));
            remedies.len() - 1
        });
        remedies[at].1.push(row);
    }
    // Failures first: what was not seen may turn out to be well.
    remedies.sort_by_key(|(_, rows)| !rows.iter().any(|row| row.judgement.verdict == Verdict::Fail));
    remedies
}
