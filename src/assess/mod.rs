//! Assessment: requirements and observations to verdicts. Pure.

mod beyond;
mod cause;
mod causes;
mod clients;
mod gateway;
mod look;
pub mod readiness;
mod revocation;
#[cfg(test)]
mod tests;
mod verdict;
mod waive;
mod waiver;

pub(crate) use cause::code_name;
pub use cause::explain;
pub use causes::causes_document;
pub use gateway::judge_gateways;
pub use look::{Found, look};
pub use revocation::note_revocation;
pub use verdict::{Cause, Grade, Judgement, Verdict};
pub use waive::{AppliedWaivers, WaiverFinding, WaiverProblem, waive};
pub use waiver::{Waiver, WaiverCategory, Waivers};

use std::collections::HashMap;

use beyond::Beyond;
use cause::{Words, of_code};
use clients::ByClients;

use crate::catalog::{CatalogRole, EntryId, Status, Tier};
use crate::derive::{Decision, Proof, Requirement, RequirementId, RouteBasis, Subject, Via};
use crate::host::HostName;
use crate::plan::{Probe, ProbeId};
use crate::probe::{FailureCode, Observation, Outcome as ProbeOutcome};
use crate::vantage::run_script::Clients;
use crate::vantage::{EvidenceGrade, Unreached};

/// What was to be probed from one vantage, and what was seen.
#[derive(Debug, Clone, Copy)]
pub struct Witness<'a> {
    /// The machine, for people.
    pub name: &'a str,
    /// What was to be probed.
    pub probes: &'a [Probe],
    /// What was seen.
    pub observations: &'a [Observation],
    /// Why nobody looked from there, if nobody did.
    pub unreached: Option<&'a Unreached>,
    /// What clients said themselves, in the place of observations.
    pub clients: Option<&'a Clients>,
}

/// From which vantage a subject is looked at, and what that is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The witness, by its position.
    pub vantage: usize,
    /// The grade of what it sees.
    pub grade: EvidenceGrade,
}

/// The verdict of each requirement, in the order of the requirements. `view` says who looks for a subject.
///
/// `from_here`: the operator lets failures that a machine of grade D sees stand for those of the hosts. What such a
/// machine reaches proves nothing: no requirement passes by it alone.
pub fn judge(
    requirements: &[Requirement],
    witnesses: &[Witness<'_>],
    view: impl Fn(&Subject) -> View,
    from_here: bool,
) -> Vec<Judgement> {
    let accounts: Vec<Account<'_>> = witnesses.iter().map(Account::of).collect();
    let mut judgements: Vec<Judgement> = requirements
        .iter()
        .map(|requirement| {
            let View { vantage, grade } = view(&requirement.subject);
            let Account { witness, seen, looks } = &accounts[vantage];
            let looks = looks.get(&requirement.id).map_or(&[][..], Vec::as_slice);
            Case { requirement, looks, all: seen, witness, vantage, grade, from_here }.judge()
        })
        .collect();
    weigh_successors(requirements, &mut judgements);
    judgements
}

/// What a witness has to say, by probe and by requirement.
struct Account<'a> {
    witness: &'a Witness<'a>,
    seen: Seen<'a>,
    looks: HashMap<&'a RequirementId, Vec<Look<'a>>>,
}

impl<'a> Account<'a> {
    fn of(witness: &'a Witness<'a>) -> Self {
        let seen: Seen<'_> = witness.observations.iter().map(|o| (&o.probe, o)).collect();
        let mut looks: HashMap<&RequirementId, Vec<Look<'_>>> = HashMap::new();
        for probe in witness.probes {
            for requirement in &probe.requirements {
                looks.entry(requirement).or_default().push(Look { probe, seen: seen.get(&probe.id).copied() });
            }
        }
        Self { witness, seen, looks }
    }
}

/// All observations, also those of hops, by their probe.
type Seen<'a> = HashMap<&'a ProbeId, &'a Observation>;

/// A probe of the plan and what it saw.
struct Look<'a> {
    probe: &'a Probe,
    seen: Option<&'a Observation>,
}

/// One requirement, with everything that its verdict may rest on.
struct Case<'a> {
    requirement: &'a Requirement,
    looks: &'a [Look<'a>],
    all: &'a Seen<'a>,
    witness: &'a Witness<'a>,
    vantage: usize,
    grade: EvidenceGrade,
    from_here: bool,
}

impl Case<'_> {
    fn judge(&self) -> Judgement {
        let (requirement, looks) = (self.requirement, self.looks);
        let (verdict, cause) = self.verdict();
        let clients = self.witness.clients.filter(|clients| clients.answered() > 0 && !looks.is_empty());
        let looked = clients.is_some() || looks.iter().any(|look| look.seen.is_some_and(|seen| !seen.was_cancelled()));
        let mut notes = self.notes();
        if let Some(clients) = clients.filter(|_| !matches!(verdict, Verdict::NotApplicable)) {
            notes.extend(ByClients { case: self, clients }.notes());
        }
        if matches!(verdict, Verdict::Pass | Verdict::Fail) {
            let reached = looks.iter().filter_map(|look| Some((look, look.seen.filter(|seen| seen.reached())?)));
            notes.extend(reached.flat_map(|(look, seen)| self.beyond(look, seen, &self.words(look, seen)).notes()));
        }
        Judgement {
            requirement: requirement.id.clone(),
            verdict,
            grade: if requirement.tier == Tier::Advisory { Grade::Advisory } else { Grade::Required },
            probes: looks.iter().map(|look| look.probe.id.clone()).collect(),
            observed_from_role_host: looked && self.grade.is_of_the_host(),
            vantage: self.vantage,
            evidence_grade: looked.then_some(self.grade),
            cause,
            waiver: None,
            notes,
        }
    }

    /// The verdict rules, first match first.
    fn verdict(&self) -> (Verdict, Option<Cause>) {
        let (requirement, looks) = (self.requirement, self.looks);
        let said = |verdict, code, what: &str| (verdict, Some(of_code(code, &self.place().with("what", what))));
        match &requirement.decision {
            Decision::Retired => return (Verdict::NotApplicable, Some(self.retired())),
            Decision::Undecided { missing } => return said(Verdict::NotObserved, "undecided", &missing.join("; ")),
            Decision::Needed => {}
        }
        if let Proof::NotTestable { evidence } = &requirement.proof {
            return said(Verdict::NotObserved, "not-testable", evidence);
        }
        if requirement.route.via == Via::Unknown {
            return said(Verdict::NotObserved, "route-unknown", &requirement.route.detail);
        }
        if let Some(unreached) = self.witness.unreached
            && looks.iter().all(|look| look.seen.is_none())
        {
            let words = self.place().with("what", unreached.detail.as_str()).with("remedy", unreached.remedy());
            return (Verdict::NotObserved, Some(of_code("host-not-reached", &words)));
        }
        if let Some(clients) = self.witness.clients.filter(|_| !looks.is_empty()) {
            return ByClients { case: self, clients }.verdict();
        }
        if looks.is_empty() || looks.iter().any(|look| look.seen.is_none_or(Observation::was_cancelled)) {
            return said(Verdict::NotObserved, "interrupted", "");
        }
        let failure = looks.iter().find_map(|look| self.failure(look));
        // A probe that broke, or that did not come to its end, is no observation of the endpoint, wherever it ran.
        match failure.as_ref().map(|cause| cause.code.as_str()) {
            Some("internal") => return (Verdict::Error, failure),
            // An answer that may be anybody's is no observation of the endpoint either.
            Some("interrupted" | "not-seen" | "http-unproved") => return (Verdict::NotObserved, failure),
            _ => {}
        }
        let counts = self.grade.proves() || (self.from_here && failure.is_some());
        if !counts {
            let saw = failure.as_ref().map_or("reached", |cause| cause.text.as_str());
            let (verdict, cause) = said(Verdict::NotObserved, "other-host", saw);
            let (stage, detail) = failure.map_or((None, None), |f| (f.stage, f.detail));
            return (verdict, cause.map(|c| Cause { stage, detail, ..c }));
        }
        if let Some(cause) = failure {
            return (Verdict::Fail, Some(cause));
        }
        if looks.iter().any(|look| look.seen.is_none_or(|o| !o.reached())) {
            return said(Verdict::Error, "no-result", "");
        }
        if let Proof::Related { hosts, evidence } = &requirement.proof {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            let what = format!("reached {}, which does not prove the wildcard: {evidence}", names.join(", "));
            return said(Verdict::NotObserved, "not-testable", &what);
        }
        // Where inspection is not supported, who answered is part of the proof.
        let untold = looks.iter().find_map(|look| {
            let seen = look.seen?;
            self.beyond(look, seen, &self.words(look, seen)).untold()
        });
        match untold {
            Some(cause) => (Verdict::NotObserved, Some(cause)),
            None => (Verdict::Pass, None),
        }
    }

    /// What is to be said of a service that is gone: whether its name is still reached, if somebody looked from the right
    /// place.
    fn retired(&self) -> Cause {
        let still = self.looks.iter().find_map(|look| Some((look, look.seen.filter(|seen| seen.reached())?)));
        match still.filter(|_| self.grade.proves()) {
            Some((look, seen)) => of_code("retired-reached", &self.words(look, seen)),
            None => of_code("retired", &self.place()),
        }
    }

    /// Why this look does not show that the requirement is met: the first layer that failed, or what counts beyond.
    fn failure(&self, look: &Look<'_>) -> Option<Cause> {
        let seen = look.seen?;
        let words = self.words(look, seen);
        match seen.first_failure() {
            Some(failure) => Some(cause::of_failure(self.requirement, look.probe, seen, failure, &words)),
            None if seen.reached() => self.beyond(look, seen, &words).cause(),
            None => None,
        }
    }

    fn beyond<'b>(&'b self, look: &'b Look<'_>, seen: &'b Observation, words: &'b Words) -> Beyond<'b> {
        Beyond { requirement: self.requirement, probe: look.probe, seen, all: self.all, words }
    }

    fn words(&self, look: &Look<'_>, seen: &Observation) -> Words {
        Words::of(look.probe, seen, &self.needed_by(), self.witness.name)
    }

    fn place(&self) -> Words {
        Words::default().with("from", self.needed_by()).with("at", self.witness.name)
    }

    fn needed_by(&self) -> String {
        self.requirement.subject.host().map_or_else(|| self.requirement.subject.to_string(), ToString::to_string)
    }

    fn notes(&self) -> Vec<String> {
        let (requirement, looks) = (self.requirement, self.looks);
        let mut notes = Vec::new();
        if let Proof::Representative { hosts, .. } = &requirement.proof {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            notes.push(format!("proved by the representative {}", names.join(", ")));
        }
        if looks.iter().any(|look| look.seen.is_some()) && !self.grade.is_of_the_host() {
            let why = if self.grade.proves() { ", which the operator lets stand in" } else { "" };
            notes.push(format!("probed from {}{why}, not from {}", self.witness.name, self.needed_by()));
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
        let (old_verdict, new_verdict) = (reached(&judgements[old]), reached(&judgements[*new]));
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

/// The verdict, and a pass also where a machine that proves nothing reached it: enough to take weight from another
/// failure, since the verdict itself stays what it is.
fn reached(judgement: &Judgement) -> Verdict {
    match &judgement.cause {
        Some(cause) if cause.code == "other-host" && cause.stage.is_none() => Verdict::Pass,
        _ => judgement.verdict,
    }
}
