//! Looking from every vantage: this machine, the other ones, and what was brought back from some.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, value_parser};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::probing::certificates;
use super::{Stop, account, audit, here, secret};
use crate::assess::{View, Witness};
use crate::derive::Subject;
use crate::evidence::{Look, LookedFor, Observations, Tool, VantageRecord};
use crate::plan::{PlanDocument, Probe, ProbeId};
use crate::probe::{Checks, Observation, Settings};
use crate::vantage::run_script::{ClientCounts, Clients};
use crate::vantage::{
    Access, Asking, CarriedFile, ClientsFile, HostFacts, Place, Remote, SYSTEM, Seats, Sight, THIS_MACHINE, Unreached,
    UnreachedWhy, Vantage, VantageKind, observe_all,
};

/// From where to look.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Vantages")]
pub(super) struct VantageArgs {
    /// Let what fails from this machine count as failed for every host that it looks at. What it reaches proves nothing for
    /// another host: for that, say in cmcomply.toml for whom it stands in, or look from the host.
    #[arg(long)]
    pub(super) from_here: bool,
    /// Look at the hosts to which cmcomply.toml gives no vantage over WinRM. Without it this machine looks, and what it
    /// reaches proves nothing for them.
    #[arg(long)]
    pub(super) remote: bool,
    /// What `cmcomply probe --plan`, or the script of `cmcomply plan`, has written on a host; or what `cmcomply run-script
    /// collect` has read of clients. May be given several times.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) observations: Vec<PathBuf>,
    /// Refuse files of --observations that are older than so many hours.
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = value_parser!(u16).range(1..=8760))]
    max_age: u16,
}

impl VantageArgs {
    /// What hosts without a vantage are looked at by.
    pub(super) fn default_kind(&self) -> Option<VantageKind> {
        self.remote.then_some(VantageKind::Winrm)
    }

    /// The files that were brought back, each of another machine, and what clients said.
    pub(super) fn carried(
        &self,
        now: Timestamp,
        checks: &Checks,
    ) -> Result<(Vec<CarriedFile>, Option<ClientsFile>), Stop> {
        let max_age = SignedDuration::from_hours(self.max_age.into());
        let (mut files, mut clients): (Vec<CarriedFile>, Option<ClientsFile>) = (Vec::new(), None);
        for path in &self.observations {
            if let Some(said) = ClientsFile::read(path, now, max_age).map_err(Stop::usage)? {
                if let Some(other) = &clients {
                    let (one, two) = (&other.path, &said.path);
                    return Err(Stop::usage(anyhow::anyhow!("{one} and {two} are both of clients: give one of them")));
                }
                clients = Some(said);
                continue;
            }
            let file = CarriedFile::read(path, now, max_age, checks).map_err(Stop::usage)?;
            if let Some(other) = files.iter().find(|other| other.machine == file.machine) {
                let (one, two, host) = (&other.path, &file.path, &file.machine);
                return Err(Stop::usage(anyhow::anyhow!("{one} and {two} are both of {host}: give one of them")));
            }
            files.push(file);
        }
        Ok((files, clients))
    }
}

/// What each place saw.
pub(super) struct Seen {
    looks: Vec<Look>,
    /// What clients said, and the place that they have.
    clients: Option<(usize, Clients)>,
    grades: Vec<(Subject, View)>,
    /// Why the probing ended before its end, if it did.
    pub(super) interrupted: Option<&'static str>,
}

impl Seen {
    /// What all machines saw, this one first: where their lists are bounded in number, its own come first.
    pub(super) fn of_all_machines(&self) -> Vec<Observation> {
        self.looks.iter().flat_map(|look| look.observations.iter().cloned()).collect()
    }

    /// The same for judging.
    pub(super) fn witnesses(&self) -> Vec<Witness<'_>> {
        let said = |at: usize| self.clients.as_ref().filter(|(place, _)| *place == at).map(|(_, clients)| clients);
        let witnesses = self.looks.iter().enumerate().map(|(at, Look { record, probes, observations })| Witness {
            name: record.title(),
            probes,
            observations,
            unreached: record.unreached.as_ref(),
            clients: said(at),
        });
        witnesses.collect()
    }

    /// Who looks for a subject.
    pub(super) fn view(&self, subject: &Subject) -> View {
        let place = self.grades.binary_search_by(|(known, _)| known.cmp(subject));
        place.map_or_else(
            |_| View { vantage: THIS_MACHINE, grade: crate::vantage::EvidenceGrade::D },
            |at| self.grades[at].1,
        )
    }

    /// Who looked for a subject and may speak for it, with its facts where they were read.
    pub(super) fn there(&self, subject: &Subject) -> Option<(&str, &HostFacts)> {
        let view = self.view(subject);
        let record = &self.looks.get(view.vantage).filter(|_| view.grade.proves())?.record;
        Some((record.title(), record.facts.as_ref()?))
    }

    /// The looks, for the record, and what clients said.
    pub(super) fn into_looks(self) -> (Vec<Look>, Option<Clients>) {
        (self.looks, self.clients.map(|(_, clients)| clients))
    }
}

/// Looks from everywhere at once. `brought` holds files by the place that they belong to, and `clients` what those said;
/// `retired` what each place looks at besides, after all that counts: what becomes of it neither interrupts nor completes
/// anything.
pub(super) async fn look(
    seats: &Seats,
    mut plans: Vec<PlanDocument>,
    retired: Vec<Vec<Probe>>,
    mut brought: Vec<(usize, CarriedFile)>,
    clients: Option<(usize, Clients)>,
    settings: &Settings,
    cancel: &CancellationToken,
) -> Result<Seen, Stop> {
    let places = brought.iter().map(|(place, _)| place).chain(clients.iter().map(|(place, _)| place));
    let done: HashSet<usize> = places.copied().chain([THIS_MACHINE]).collect();
    let far = |at: &usize| !done.contains(at);
    // Nothing is asked of a machine for which nothing is to be probed.
    let asked: Vec<usize> = (0..plans.len()).filter(far).filter(|at| !plans[*at].probes.is_empty()).collect();
    let needed: Vec<usize> = plans.iter().map(|plan| plan.probes.len()).collect();
    for (at, more) in retired.into_iter().enumerate().filter(|(_, more)| !more.is_empty()) {
        if at == THIS_MACHINE || asked.contains(&at) {
            let PlanDocument { host, bounds, probes, .. } = &plans[at];
            plans[at] = PlanDocument::new(host.clone(), *bounds, [probes.as_slice(), &more].concat());
        }
    }
    let remote = |at: &usize| Remote { access: access(&seats.places[*at]), plan: plans[*at].clone() };
    let remotes = asked.iter().map(remote).collect();
    let checks = settings.checks.clone();
    let asking = Asking { roots: checks.public_thumbprints.clone(), checks, known: seats.known() };
    let started = Timestamp::now();
    let (near, far) = tokio::join!(
        near(&plans[THIS_MACHINE].probes, needed[THIS_MACHINE], settings, cancel),
        observe_all(remotes, asking, cancel)
    );
    let (mut near, interrupted) = near?;
    // This machine may have been done before.
    let interrupted = if cancel.is_cancelled() { Some("interrupted by Ctrl-C") } else { interrupted };
    let finished = Timestamp::now();
    let mut sights: Vec<Option<Sight>> = plans.iter().map(|_| None).collect();
    for (at, sight) in asked.into_iter().zip(far) {
        sights[at] = Some(sight);
    }
    for (at, file) in brought.drain(..) {
        let (asked, answered) = (file.observations.started, file.observations.finished);
        sights[at] = Some(Sight { asked, answered, result: Ok(file.observations) });
    }
    let here = Vantage::local(&here::name());
    let mut looks = Vec::new();
    let mut grades = Vec::new();
    for (at, (plan, sight)) in plans.into_iter().zip(sights).enumerate() {
        let said = clients.as_ref().filter(|(place, _)| *place == at).map(|(_, clients)| clients);
        let account = match &sight {
            None if said.is_some_and(|clients| clients.not_as_system == 0) => Some(SYSTEM.to_owned()),
            Some(Sight { result: Ok(seen), .. }) => seen.account.clone(),
            None if at == THIS_MACHINE => account::account(),
            _ => None,
        };
        let os = match &sight {
            Some(Sight { result: Ok(seen), .. }) => seen.vantage.os.clone(),
            None if said.is_some() => "windows".to_owned(),
            _ => here.os.clone(),
        };
        let answered = said.is_some_and(|clients| clients.answered() > 0);
        let there = at == THIS_MACHINE || answered || sight.as_ref().is_some_and(|sight| sight.result.is_ok());
        let looks_for = seats.subjects(at).map(|(subject, seat)| {
            let grade = seat.standing.grade(account.as_deref(), &os);
            grades.push((subject.clone(), View { vantage: at, grade }));
            LookedFor { subject: subject.clone(), grade: there.then_some(grade) }
        });
        let blank = VantageRecord {
            machine: seats.places[at].machine.clone(),
            kind: seats.places[at].rule.kind,
            account: seats.places[at].rule.account.clone(),
            os: None,
            tool: None,
            plan_sha256: plan.sha256.clone(),
            started: None,
            finished: None,
            clock_ahead_s: 0,
            settings: None,
            facts: None,
            complete: plan.probes.is_empty(),
            unreached: None,
            looks_for: looks_for.collect(),
        };
        let (record, observations) = match sight {
            None if at == THIS_MACHINE => {
                let (os, tool) = (Some(here.os.clone()), Some(Tool::this()));
                let (started, finished) = (Some(started), Some(finished));
                let complete = interrupted.is_none();
                (VantageRecord { account, os, tool, started, finished, complete, ..blank }, std::mem::take(&mut near))
            }
            None => match said {
                Some(clients) => (of_clients(blank, clients, account), Vec::new()),
                None => (blank, Vec::new()),
            },
            Some(sight) => record(blank, plan.probes.split_at(needed[at]), sight),
        };
        looks.push(Look { record, probes: plan.probes, observations });
    }
    grades.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(Seen { looks, clients, grades, interrupted })
}

/// The record of clients, which looked for themselves.
fn of_clients(blank: VantageRecord, clients: &Clients, account: Option<String>) -> VantageRecord {
    let whole = |seen: &ClientCounts| seen.not_seen == 0;
    VantageRecord {
        account,
        os: Some("windows".to_owned()),
        tool: Some(clients.tool.clone()),
        started: clients.first_answer,
        finished: clients.last_answer,
        complete: clients.is_whole() && clients.groups.iter().all(|group| group.endpoints.iter().all(whole)),
        ..blank
    }
}

/// What this machine sees: first of the probes that count, so many, then of the others. Only the first are interrupted.
async fn near(
    probes: &[Probe],
    needed: usize,
    settings: &Settings,
    cancel: &CancellationToken,
) -> Result<(Vec<Observation>, Option<&'static str>), Stop> {
    let (needed, retired) = probes.split_at(needed);
    let (mut seen, interrupted) = audit::probe_all(needed, settings, cancel).await?;
    if !retired.is_empty() {
        seen.extend(audit::probe_all(retired, settings, cancel).await?.0);
    }
    Ok((seen, interrupted))
}

/// The record of another machine, which was to look at these; the second ones complete nothing.
fn record(
    blank: VantageRecord,
    (needed, retired): (&[Probe], &[Probe]),
    sight: Sight,
) -> (VantageRecord, Vec<Observation>) {
    let clock_ahead_s = sight.clock_ahead_s();
    match sight.result {
        Err(unreached) => (VantageRecord { unreached: Some(unreached), ..blank }, Vec::new()),
        Ok(seen) => {
            let counts = |seen: &&Observation| !retired.iter().any(|probe| probe.id == seen.probe);
            let of_needed: Vec<&Observation> = seen.observations.iter().filter(counts).collect();
            let complete = (seen.complete || !retired.is_empty()) && has_all(&of_needed, needed);
            let Observations { vantage, account, tool, started, finished, settings, observations, host: facts, .. } =
                seen;
            let settings = Some(settings.harmless());
            let (os, tool) = (Some(crate::text::printable(&vantage.os, 80)), Some(tool));
            let (started, finished) = (Some(started), Some(finished));
            let account = account.map(|account| crate::text::printable(&account, 200)).or(blank.account.clone());
            let record = VantageRecord {
                account,
                os,
                tool,
                started,
                finished,
                clock_ahead_s,
                settings,
                facts,
                complete,
                ..blank
            };
            (record, observations)
        }
    }
}

/// Whether each probe was gone through: the document alone says nothing of what it leaves out.
fn has_all(observations: &[&Observation], probes: &[Probe]) -> bool {
    let seen: HashSet<&ProbeId> = observations.iter().map(|observation| &observation.probe).collect();
    probes.iter().all(|probe| seen.contains(&probe.id)) && !observations.iter().any(|seen| seen.was_cancelled())
}

/// What one signs in with there.
pub(super) fn access(place: &Place) -> Access {
    Access { place: place.clone(), password: password(place), roots: roots(place) }
}

/// The certificate authorities that its certificate may have besides those of this machine.
fn roots(place: &Place) -> Result<Vec<Vec<u8>>, Unreached> {
    let read = |path: &PathBuf| {
        certificates("`ca_file`", path).map_err(|error| Unreached::new(UnreachedWhy::Settings, format!("{error:#}")))
    };
    place.rule.ca_file.as_ref().map_or_else(|| Ok(Vec::new()), read)
}

/// The password of the account with which one signs in there.
fn password(place: &Place) -> Result<Option<crate::site::Secret>, Unreached> {
    let read =
        |source| secret::stated(source).map_err(|error| Unreached::new(UnreachedWhy::SignIn, format!("{error:#}")));
    place.rule.password.as_ref().map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_complete_is_counted() {
        let probe = |name: &str| {
            let target = crate::plan::Target {
                scheme: crate::host::Scheme::Https,
                host: name.parse().unwrap(),
                port: 443,
                path: "/".to_owned(),
            };
            let via = crate::derive::Via::Direct;
            let id = ProbeId::of(&target, &via);
            let (contexts, requirements) = (std::collections::BTreeSet::new(), Vec::new());
            Probe { id, target, via, contexts, requirements, asks: crate::plan::Asks::default() }
        };
        let probes = [probe("a.contoso.com"), probe("b.contoso.com")];
        let seen = |probe: &Probe| Observation {
            name: crate::probe::Stage { outcome: crate::probe::Outcome::Failed, ..crate::probe::Stage::not_tried() },
            ..Observation::not_tried(probe.id.clone(), Timestamp::UNIX_EPOCH)
        };
        let seen: Vec<Observation> = probes.iter().map(seen).collect();
        let all: Vec<&Observation> = seen.iter().collect();
        assert!(has_all(&all, &probes) && has_all(&[], &[]));
        assert!(!has_all(&all[..1], &probes), "one is missing");
        let cut = Observation::not_tried(probes[1].id.clone(), Timestamp::UNIX_EPOCH);
        assert!(!has_all(&[all[0], &cut], &probes), "one was not gone through");
    }
}
