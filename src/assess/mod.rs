//! Assessment: requirements and observations to verdicts. Pure.

mod cause;
mod gateway;
#[cfg(test)]
mod tests;
mod verdict;
mod waive;
mod waiver;

pub use cause::explain;
pub use gateway::judge_gateways;
pub use verdict::{Cause, Grade, Judgement, Verdict};
pub use waive::{AppliedWaivers, WaiverFinding, WaiverProblem, waive};
pub use waiver::{Glob, Waiver, WaiverCategory, Waivers};

use std::collections::HashMap;

use crate::catalog::{CatalogRole, EntryId, Status, Tier};
use crate::derive::{Decision, Proof, Requirement, RequirementId, RouteBasis, Subject, Via};
use crate::host::HostName;
use crate::plan::{Plan, Probe};
use crate::probe::{FailureCode, Observation, Outcome as ProbeOutcome};
use crate::vantage::Vantage;

/// The verdict of each requirement, in the order of the requirements.
///
/// `from_here`: the operator lets this machine stand in for the hosts that need the endpoints. The verdicts keep
/// saying so.
pub fn judge(
    requirements: &[Requirement],
    plan: &Plan,
    observations: &[Observation],
    vantage: &Vantage,
    from_here: bool,
) -> Vec<Judgement> {
    let seen: HashMap<_, _> = observations.iter().map(|o| (&o.probe, o)).collect();
    let mut looks: HashMap<&RequirementId, Vec<Look<'_>>> = HashMap::new();
    for probe in &plan.probes {
        for requirement in &probe.requirements {
            looks.entry(requirement).or_default().push(Look { probe, seen: seen.get(&probe.id).copied() });
        }
    }
    let own = vantage.host_among(requirements.iter().filter_map(|r| r.subject.host())).cloned();
    let mut judgements: Vec<Judgement> = requirements
        .iter()
        .map(|requirement| {
            let looks = looks.get(&requirement.id).map_or(&[][..], Vec::as_slice);
            judge_one(requirement, looks, vantage, own.as_ref(), from_here)
        })
        .collect();
    weigh_successors(requirements, &mut judgements);
    judgements
}

/// A probe of the plan and what it saw.
struct Look<'a> {
    probe: &'a Probe,
    seen: Option<&'a Observation>,
}

fn judge_one(
    requirement: &Requirement,
    looks: &[Look<'_>],
    vantage: &Vantage,
    own: Option<&HostName>,
    from_here: bool,
) -> Judgement {
    let on_role_host = own.is_some() && requirement.subject.host() == own;
    let grade = if requirement.tier == Tier::Advisory { Grade::Advisory } else { Grade::Required };
    let mut judgement = Judgement {
        requirement: requirement.id.clone(),
        verdict: Verdict::NotObserved,
        grade,
        probes: looks.iter().map(|look| look.probe.id.clone()).collect(),
        observed_from_role_host: on_role_host && looks.iter().any(|l| l.seen.is_some_and(|o| !o.was_cancelled())),
        cause: None,
        waiver: None,
        notes: notes(requirement, vantage, on_role_host, looks),
    };
    let (verdict, cause) = verdict(requirement, looks, vantage, on_role_host || from_here);
    judgement.verdict = verdict;
    judgement.cause = cause;
    judgement
}

/// The verdict rules, first match first.
fn verdict(
    requirement: &Requirement,
    looks: &[Look<'_>],
    vantage: &Vantage,
    place_counts: bool,
) -> (Verdict, Option<Cause>) {
    let not_observed = |code: &str, text: String, remedy: &str| {
        (
            Verdict::NotObserved,
            Some(Cause { code: code.to_owned(), stage: None, text, detail: None, remedy: remedy.to_owned() }),
        )
    };
    match &requirement.decision {
        Decision::Retired => {
            let text = "the service behind it is retired; an allow rule for it can go".to_owned();
            let remedy = "remove the rule".to_owned();
            return (
                Verdict::NotApplicable,
                Some(Cause { code: "retired".to_owned(), stage: None, text, detail: None, remedy }),
            );
        }
        Decision::Undecided { missing } => {
            let text = format!("cannot be decided; unknown: {}", missing.join("; "));
            return not_observed("undecided", text, "let the login read this, or ask the database administrator");
        }
        Decision::Needed => {}
    }
    if let Proof::NotTestable { evidence } = &requirement.proof {
        return not_observed("not-testable", format!("not testable: {evidence}"), "check the firewall's rules for it");
    }
    if requirement.route.via == Via::Unknown {
        let text = format!("which proxy is used is unknown: {}", requirement.route.detail);
        return not_observed("route-unknown", text, "let the login read the proxy settings, or correct them");
    }
    if looks.is_empty() || looks.iter().any(|look| look.seen.is_none_or(Observation::was_cancelled)) {
        let remedy = "run the audit again and let it end";
        return not_observed("interrupted", "the run ended before this was probed".to_owned(), remedy);
    }
    let from = requirement.subject.host().map_or_else(|| requirement.subject.to_string(), ToString::to_string);
    let failure = looks.iter().find_map(|look| {
        let observation = look.seen?;
        let (stage, failure) = observation.first_failure()?;
        Some(cause::of_failure(&requirement.name.to_string(), look.probe, observation, stage, failure, &from))
    });
    // A probe that broke is no observation of the endpoint, wherever it ran.
    if let Some(cause) = failure.as_ref().filter(|cause| cause.code == cause::code_name(FailureCode::Internal)) {
        return (Verdict::Error, Some(cause.clone()));
    }
    if !place_counts {
        let here = vantage.title();
        let saw = failure.as_ref().map_or_else(|| "reached".to_owned(), |cause| cause.text.clone());
        let text = format!("not observed from {from}; seen from {here}: {saw}");
        let remedy = "run cmcomply on that host, or give --from-here if this machine may stand in for it";
        let (verdict, cause) = not_observed("other-host", text, remedy);
        let (stage, detail) = failure.map_or((None, None), |f| (f.stage, f.detail));
        return (verdict, cause.map(|c| Cause { stage, detail, ..c }));
    }
    if let Some(cause) = failure {
        return (Verdict::Fail, Some(cause));
    }
    if looks.iter().any(|look| look.seen.is_none_or(|o| !o.reached())) {
        let text = "the probe ended without a result".to_owned();
        let remedy = "run the audit again; if it stays, report it".to_owned();
        return (Verdict::Error, Some(Cause { code: "no-result".to_owned(), stage: None, text, detail: None, remedy }));
    }
    if let Proof::Related { hosts, evidence } = &requirement.proof {
        let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
        let text = format!("reached {}, which does not prove the wildcard: {evidence}", names.join(", "));
        return not_observed("not-testable", text, "check the firewall's rules for it");
    }
    (Verdict::Pass, None)
}

fn notes(requirement: &Requirement, vantage: &Vantage, on_role_host: bool, looks: &[Look<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Proof::Representative { hosts, .. } = &requirement.proof {
        let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
        notes.push(format!("proved by the representative {}", names.join(", ")));
    }
    if !looks.is_empty() && !on_role_host {
        let needs = match &requirement.subject {
            Subject::Host { host, .. } => host.to_string(),
            other => other.to_string(),
        };
        notes.push(format!("probed from {}, not from {needs}", vantage.title()));
    }
    for look in looks {
        let of_this = [partly_resolved, partly_reached, flapping].map(|note| look.seen.and_then(note));
        notes.extend(of_this.into_iter().flatten().map(|part| format!("{}: {part}", look.probe.target.host)));
    }
    if requirement.route.basis == RouteBasis::Assumed && !looks.is_empty() {
        notes.push(requirement.route.detail.clone());
    }
    if requirement.status == Status::Disputed {
        notes.push("the documentation contradicts itself here".to_owned());
    }
    notes
}

/// A name that worked and yet is not as it should be: odd addresses, or no answer to one of the two questions, for which
/// programs wait.
fn partly_resolved(observation: &Observation) -> Option<String> {
    let name = observation.name.evidence.as_ref().filter(|name| !name.addresses.is_empty())?;
    if let Some(odd) = name.oddities.first() {
        let detail = format!("the name has the address {}, {}", odd.address, odd.detail);
        return (observation.name.outcome == ProbeOutcome::Ok).then_some(detail);
    }
    let broken = name.answers.iter().find(|answer| {
        answer.failure.is_some() || answer.response_code.as_deref().is_some_and(|code| code != "NOERROR")
    })?;
    let how = broken
        .failure
        .as_ref()
        .map_or_else(|| broken.response_code.clone().unwrap_or_default(), |failure| failure.detail.clone());
    Some(format!("the question for {} records failed ({how})", broken.record))
}

/// Tries that ended differently: what works now did not a moment ago, or it fails in changing ways.
fn flapping(observation: &Observation) -> Option<String> {
    if !observation.flapped() {
        return None;
    }
    let tries: Vec<&str> = observation.earlier.iter().map(|earlier| earlier.failure.detail.as_str()).collect();
    let (tries, number) = (tries.join("; then "), tries.len() + 1);
    Some(match observation.first_failure() {
        None => format!("flapping: failed ({tries}), and worked at try {number}"),
        Some((_, failure)) => format!("flapping: failed ({tries}), and otherwise at try {number} ({})", failure.detail),
    })
}

/// Addresses that failed while another one worked: a firewall may open only some. Unreachable IPv6 is no news where
/// IPv4 works.
pub fn partly_reached(observation: &Observation) -> Option<String> {
    let tcp = observation.tcp.evidence.as_ref()?;
    let failed: Vec<String> = tcp
        .attempts
        .iter()
        .filter(|attempt| match &attempt.failure {
            Some(failure) => !(attempt.address.is_ipv6() && failure.code == FailureCode::TcpUnreachable),
            None => false,
        })
        .map(|attempt| attempt.address.ip().to_string())
        .collect();
    let worked = tcp.attempts.iter().any(|attempt| attempt.failure.is_none());
    match (worked, failed.len(), tcp.untried) {
        (false, _, _) | (true, 0, 0) => None,
        (true, 0, untried) => Some(format!("{untried} more addresses were not tried")),
        (true, n, _) => {
            Some(format!("{n} of {} addresses cannot be reached ({})", tcp.attempts.len(), failed.join(", ")))
        }
    }
}

/// An endpoint and the one that takes its place: the pair fails only if both fail. Where one works, the other's
/// failure is advisory.
fn weigh_successors(requirements: &[Requirement], judgements: &mut [Judgement]) {
    type Place<'a> = (&'a Subject, CatalogRole, &'a EntryId);
    let places: HashMap<Place<'_>, Vec<usize>> = requirements.iter().enumerate().fold(
        HashMap::new(),
        |mut places: HashMap<Place<'_>, Vec<usize>>, (index, r)| {
            places.entry((&r.subject, r.role, &r.entry)).or_default().push(index);
            places
        },
    );
    for (old, requirement) in requirements.iter().enumerate() {
        let Some(successor) = &requirement.replaced_by else { continue };
        if requirement.status != Status::Superseded {
            continue;
        }
        let Some(new) = places.get(&(&requirement.subject, requirement.role, successor)).and_then(|p| p.first()) else {
            continue;
        };
        let (old_verdict, new_verdict) = (judgements[old].verdict, judgements[*new].verdict);
        match (old_verdict, new_verdict) {
            (Verdict::Fail, Verdict::Pass) => {
                judgements[old].grade = Grade::Advisory;
                judgements[old].notes.push(format!("its successor {} works", requirements[*new].name));
            }
            (Verdict::Pass, Verdict::Fail) => {
                judgements[*new].grade = Grade::Advisory;
                judgements[*new].notes.push(format!("{} still works, and is going to retire", requirement.name));
            }
            _ => {}
        }
    }
}
