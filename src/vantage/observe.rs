//! Looking from other machines: all at once, so many at a time, and what one of them does costs no other anything.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Answer, Command, Place, Unreached, UnreachedWhy, VantageKind, ssh};
use crate::evidence::Observations;
use crate::plan::PlanDocument;
use crate::site::Secret;

/// Machines that are asked at the same time.
pub const AT_ONCE: usize = 16;

/// A machine and what it is to look at.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The machine.
    pub place: Place,
    /// The plan.
    pub plan: PlanDocument,
    /// The password of its account, or why there is none where one is needed.
    pub password: Result<Option<Secret>, Unreached>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Sight {
    /// When it was asked, by the clock here.
    pub asked: Timestamp,
    /// When it had answered, by the clock here.
    pub answered: Timestamp,
    /// What it saw, or why nothing came back.
    pub result: Result<Observations, Unreached>,
}

impl Sight {
    /// Nobody was asked.
    pub fn none(now: Timestamp, why: Unreached) -> Self {
        Self { asked: now, answered: now, result: Err(why) }
    }

    /// How far the clock there is ahead of the one here, in seconds, at the least; 0 where it cannot be told from the time
    /// that the way took.
    pub fn clock_ahead_s(&self) -> i64 {
        let Ok(seen) = &self.result else { return 0 };
        let (early, late) = (self.asked.duration_since(seen.started), seen.finished.duration_since(self.answered));
        if late.as_secs() > 0 { late.as_secs() } else { -early.as_secs().max(0) }
    }
}

/// Asks every machine, [`AT_ONCE`] at a time, and returns what became of each, in their order.
pub async fn observe_all(remotes: Vec<Remote>, cancel: &CancellationToken) -> Vec<Sight> {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let now = Timestamp::now();
    let lost = || Sight::none(now, Unreached::new(UnreachedWhy::Answer, "looking from there broke (a defect)"));
    let mut sights: Vec<Sight> = remotes.iter().map(|_| lost()).collect();
    let mut tasks = JoinSet::new();
    for (number, remote) in remotes.into_iter().enumerate() {
        let (gate, cancel) = (gate.clone(), cancel.clone());
        tasks.spawn(async move {
            let _turn = gate.acquire_owned().await;
            let asked = Timestamp::now();
            let result = observe(&remote, &cancel).await;
            (number, Sight { asked, answered: Timestamp::now(), result })
        });
    }
    while let Some(done) = tasks.join_next().await {
        if let Ok((number, sight)) = done {
            sights[number] = sight;
        }
    }
    sights
}

async fn observe(remote: &Remote, cancel: &CancellationToken) -> Result<Observations, Unreached> {
    let work = Duration::from_millis(remote.plan.bounds.deadline_ms);
    let limit = work + ssh::BESIDES;
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Unreached::new(UnreachedWhy::Interrupted, "interrupted by Ctrl-C")),
        done = tokio::time::timeout(limit, ask(remote)) => done.unwrap_or_else(|_| {
            Err(Unreached::new(UnreachedWhy::Deadline, format!("no answer within {} s", limit.as_secs())))
        }),
    }
}

async fn ask(remote: &Remote) -> Result<Observations, Unreached> {
    let Remote { place, plan, password } = remote;
    let settings = |what: &str| Err(Unreached::new(UnreachedWhy::Settings, what));
    let seen = match place.rule.kind {
        VantageKind::Ssh => {
            let program = place.rule.program.as_deref().unwrap_or("cmcomply");
            let stdin = plan.to_json().map_err(|error| Unreached::new(UnreachedWhy::Answer, error.to_string()))?;
            let command = Command { line: format!("{program} probe --plan -"), stdin };
            let answer = ssh::run(place, &command, most(plan)).await?;
            read(&answer)?
        }
        VantageKind::SshWindows => return settings("this version has no script for Windows over SSH"),
        VantageKind::Winrm => {
            password.as_ref().map_err(Clone::clone)?;
            return settings("this version does not speak WinRM");
        }
        VantageKind::Carried => {
            return Err(Unreached::new(UnreachedWhy::NoFile, "no file was brought back from it (--observations)"));
        }
        VantageKind::None => return settings("the settings say that nobody looks from it"),
        VantageKind::Local => return settings("this machine is no other machine"),
    };
    seen.fits(plan).map_err(|what| Unreached::new(UnreachedWhy::Answer, what))?;
    same_machine(place, &seen)?;
    Ok(seen)
}

/// The observations document in an answer. Success is told by it alone: an exit code may be that of `ssh`.
fn read(answer: &Answer) -> Result<Observations, Unreached> {
    Observations::parse("the answer", &answer.stdout).map_err(|error| {
        let why = ssh::explain(answer).map(|unreached| format!("; {unreached}")).unwrap_or_default();
        Unreached::new(UnreachedWhy::Answer, format!("{error}{why}"))
    })
}

/// The machine that answered is the one that was asked for: a name may lead elsewhere than one thinks.
pub(super) fn same_machine(place: &Place, seen: &Observations) -> Result<(), Unreached> {
    let Some(asked) = &place.machine else { return Ok(()) };
    match &seen.vantage.host {
        Some(host) if host.same_machine(asked) => Ok(()),
        Some(host) => {
            let what = format!("another machine answered: it calls itself {host}, and {asked} was asked for");
            Err(Unreached::new(UnreachedWhy::OtherMachine, what))
        }
        None => {
            let what = format!("the machine that answered does not say its name, and {asked} was asked for");
            Err(Unreached::new(UnreachedWhy::OtherMachine, what))
        }
    }
}

/// The most that an answer to a plan may have, in octets.
fn most(plan: &PlanDocument) -> u64 {
    let probes = u64::try_from(plan.probes.len()).unwrap_or(u64::MAX);
    (4 << 20) + probes.saturating_mul(128 << 10).min(252 << 20)
}
