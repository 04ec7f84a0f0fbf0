//! Looking from other machines: all at once, so many at a time, and what one of them does costs no other anything.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::access::{Trusts, no_account};
use super::{Access, Answer, Command, Unreached, UnreachedWhy, VantageKind, clock, script, ssh, winrm, work};
use crate::evidence::Observations;
use crate::host::HostName;
use crate::plan::PlanDocument;
use crate::probe::Checks;
use crate::text::hexadecimal;

/// How long it may take besides the probing there: connecting, signing in, compiling the script, and the way back.
const BESIDES: Duration = Duration::from_mins(1);

/// How far a clock may be off before an answer counts as one of another day. The script's may be less.
const MAX_SKEW: SignedDuration = SignedDuration::from_hours(24);

/// A machine and what it is to look at.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The machine, and what one signs in with.
    pub access: Access,
    /// The plan.
    pub plan: PlanDocument,
}

/// What is the same for all machines that the script looks from.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// What counts as a public root.
    pub checks: Checks,
    /// Thumbprints of the roots to look for there.
    pub roots: Vec<String>,
    /// Every host that is known ([`super::Seats::known`]): a short name that several of them have proves none.
    pub known: Vec<HostName>,
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

/// Asks every machine, several at a time, and returns what became of each, in their order.
pub async fn observe_all(remotes: Vec<Remote>, asking: Asking, cancel: &CancellationToken) -> Vec<Sight> {
    let asking = Arc::new(asking);
    let trusts = Arc::new(Trusts::of(remotes.iter().map(|remote| &remote.access)).await);
    let broke = Unreached::new(UnreachedWhy::Answer, "looking from there broke (a defect)");
    let look = |remote: Remote| {
        let (asking, trusts, cancel) = (asking.clone(), trusts.clone(), cancel.clone());
        async move {
            let asked = Timestamp::now();
            let result = observe(&remote, &trusts, &asking, &cancel).await;
            Sight { asked, answered: Timestamp::now(), result }
        }
    };
    work::for_all(remotes, Sight::none(Timestamp::now(), broke), look).await
}

async fn observe(
    remote: &Remote,
    trusts: &Trusts,
    asking: &Asking,
    cancel: &CancellationToken,
) -> Result<Observations, Unreached> {
    let limit = Duration::from_millis(remote.plan.bounds.deadline_ms) + BESIDES;
    let work = ask(remote, trusts, asking, limit, cancel);
    if remote.access.place.rule.kind == VantageKind::Winrm {
        // It keeps the time itself, and takes its shell down there when it is cancelled.
        return work.await;
    }
    work::within(limit, cancel, work).await
}

async fn ask(
    remote: &Remote,
    trusts: &Trusts,
    asking: &Asking,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Observations, Unreached> {
    // An answer that somebody kept is none to this plan.
    let remote = &Remote { access: remote.access.clone(), plan: remote.plan.of_run(random_word()?) };
    let Remote { access: Access { place, .. }, plan } = remote;
    let settings = |what: &str| Err(Unreached::new(UnreachedWhy::Settings, what));
    let sent = Timestamp::now();
    let seen = match place.rule.kind {
        VantageKind::Ssh => {
            let program = place.rule.program.as_deref().unwrap_or("cmcomply");
            let stdin = plan.to_json().map_err(|error| Unreached::new(UnreachedWhy::Answer, error.to_string()))?;
            let command = Command { line: format!("{program} probe --plan -"), stdin };
            read(&ssh::run(place, &command, most(plan)).await?)?
        }
        VantageKind::SshWindows => {
            let answer = ssh::run(place, &asking.script(remote), most(plan)).await?;
            asking.read(&answer, remote, sent)?
        }
        VantageKind::Winrm => {
            let answer = winrm(remote, trusts, &asking.script(remote), limit, cancel).await?;
            asking.read(&answer, remote, sent)?
        }
        VantageKind::Carried => {
            return Err(Unreached::new(UnreachedWhy::NoFile, "no file was brought back from it (--observations)"));
        }
        VantageKind::RunScripts => return settings("clients are asked by Configuration Manager alone"),
        VantageKind::None => return settings("the settings say that nobody looks from it"),
        VantageKind::Local => return settings("this machine is no other machine"),
    };
    seen.fits(plan).map_err(|what| Unreached::new(UnreachedWhy::Answer, what))?;
    of_now(&seen, sent, Timestamp::now())?;
    if let Some(asked) = &place.machine {
        same_machine(asked, &seen, &asking.known)?;
    }
    Ok(seen)
}

fn random_word() -> Result<String, Unreached> {
    let mut octets = [0; 16];
    let here = |error| Unreached::new(UnreachedWhy::Program, format!("there is no randomness here: {error}"));
    getrandom::fill(&mut octets).map_err(here)?;
    Ok(hexadecimal(&octets))
}

impl Asking {
    fn script(&self, remote: &Remote) -> Command {
        let options = script::Options { as_system: remote.access.place.rule.as_system, roots: self.roots.clone() };
        script::command(&remote.plan, &options)
    }

    fn read(&self, answer: &Answer, remote: &Remote, sent: Timestamp) -> Result<Observations, Unreached> {
        let asked = script::Asked {
            kind: remote.access.place.rule.kind,
            sent: Some(sent),
            received: Timestamp::now(),
            checks: self.checks.clone(),
        };
        Ok(script::answer(&answer.stdout, &remote.plan, &asked)?)
    }
}

/// Runs the command over WinRM: as the account of the settings, or on Windows, where there is none, as whoever runs
/// cmcomply, by the system's own client.
async fn winrm(
    remote: &Remote,
    trusts: &Trusts,
    command: &Command,
    total: Duration,
    cancel: &CancellationToken,
) -> Result<Answer, Unreached> {
    let (endpoint, account) = remote.access.winrm(trusts)?;
    let output = usize::try_from(most(&remote.plan)).unwrap_or(script::MAX_ANSWER).min(script::MAX_ANSWER);
    let limits = winrm::Limits { total, output, ..winrm::Limits::default() };
    match account {
        Some(account) => Ok(winrm::run(&endpoint, &account, command, &limits, cancel).await?),
        None if cfg!(windows) => Ok(winrm::invoke_command::run(&endpoint, command, &limits, cancel).await?),
        None => Err(no_account()),
    }
}

/// The observations document in an answer. Success is told by it alone: an exit code may be that of `ssh`.
fn read(answer: &Answer) -> Result<Observations, Unreached> {
    Observations::parse("the answer", &answer.stdout).map_err(|error| {
        let why = ssh::explain(answer).map(|unreached| format!("; {unreached}")).unwrap_or_default();
        Unreached::new(UnreachedWhy::Answer, format!("{error}{why}"))
    })
}

/// The answer is one to this question, and no older one. A clock that is somewhat off is told and costs nothing.
fn of_now(seen: &Observations, sent: Timestamp, received: Timestamp) -> Result<(), Unreached> {
    let Some(seconds) = clock::beyond(MAX_SKEW, (seen.started, seen.finished), (Some(sent), received)) else {
        return Ok(());
    };
    let hours = MAX_SKEW.as_hours();
    let what =
        format!("the answer is of another time: its clock is {seconds} s away from the one here (more than {hours} h)");
    Err(Unreached::new(UnreachedWhy::Answer, what))
}

/// The machine that answered is the one that was asked for, and no other of the known ones that may be called so: a name
/// may lead elsewhere than one thinks.
pub(super) fn same_machine(asked: &HostName, seen: &Observations, known: &[HostName]) -> Result<(), Unreached> {
    let what = match &seen.vantage.host {
        None => format!("the machine that answered does not say its name, and {asked} was asked for"),
        Some(host) if !host.same_machine(asked) => {
            format!("another machine answered: it calls itself {host}, and {asked} was asked for")
        }
        Some(_) if seen.vantage.host_among(known.iter().chain([asked])) == Some(asked) => return Ok(()),
        Some(host) => format!(
            "the machine that answered calls itself {host}, which may be another one than {asked}: its short name is that \
             of several hosts"
        ),
    };
    Err(Unreached::new(UnreachedWhy::OtherMachine, what))
}

/// The most that an answer to a plan may have, in octets.
fn most(plan: &PlanDocument) -> u64 {
    let probes = u64::try_from(plan.probes.len()).unwrap_or(u64::MAX);
    (4 << 20) + probes.saturating_mul(128 << 10).min(252 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Seeing;
    use crate::plan::PlanBounds;
    use crate::vantage::Vantage;

    fn host(name: &str) -> HostName {
        name.parse().unwrap()
    }

    /// What a machine saw that calls itself so.
    fn seen(name: &str) -> Observations {
        let bounds =
            PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
        let plan = PlanDocument::new(None, bounds, Vec::new());
        let settings = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds };
        let span = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        Observations::new(&plan, Vantage::local(name), None, settings, span, None, Vec::new())
    }

    #[test]
    fn an_answer_of_another_day_is_none() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let at = |started: &str, finished: &str| {
            let mut seen = seen("web01");
            (seen.started, seen.finished) = (started.parse().unwrap(), finished.parse().unwrap());
            of_now(&seen, now, now).map_err(|unreached| (unreached.why, unreached.detail))
        };
        assert_eq!(at("2026-11-25T14:00:00Z", "2026-11-25T14:00:10Z"), Ok(()));
        for (started, finished) in
            [("2026-11-23T12:00:00Z", "2026-11-23T12:00:10Z"), ("2026-11-27T12:00:00Z", "2026-11-27T12:00:10Z")]
        {
            let (why, what) = at(started, finished).unwrap_err();
            assert!(why == UnreachedWhy::Answer && what.contains("of another time"), "{what}");
        }
    }

    #[test]
    fn a_short_name_of_several_hosts_proves_none_of_them() {
        let (europe, america) = (host("web01.eu.contoso.com"), host("web01.us.contoso.com"));
        let both = [europe.clone(), america.clone()];
        let said = |asked: &HostName, name: &str, known: &[HostName]| {
            same_machine(asked, &seen(name), known).map_err(|unreached| (unreached.why, unreached.detail))
        };
        assert_eq!(said(&europe, "WEB01", &both[..1]), Ok(()));
        assert_eq!(said(&america, "web01.us.contoso.com", &both), Ok(()));
        for (asked, name) in [(&europe, "WEB01"), (&america, "web01")] {
            let (why, what) = said(asked, name, &both).unwrap_err();
            assert!(why == UnreachedWhy::OtherMachine && what.contains("that of several hosts"), "{what}");
        }
        assert!(said(&europe, "web01.us.contoso.com", &both).unwrap_err().1.contains("another machine answered"));
        // Asked by its short name, which a host of the site has too: only the full name tells them apart.
        assert!(said(&host("web01"), "web01.eu.contoso.com", &both).is_err());
        assert!(said(&host("web01"), "no host name", &[]).unwrap_err().1.contains("does not say its name"));
    }
}
