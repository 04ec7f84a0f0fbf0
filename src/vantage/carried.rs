//! Files that were brought back from hosts.

use std::io::Read as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::observe::same_machine;
use super::run_script::ClientsError;
use super::{Seats, VantageKind, script};
use crate::evidence::{MAX_OBSERVATIONS_OCTETS, Observations, ObservationsError};
use crate::host::HostName;
use crate::plan::PlanDocument;
use crate::probe::Checks;
use crate::text::{self, printable};

/// How far a clock may be ahead of ours before a file counts as one of the future.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// What one machine saw, as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedFile {
    /// The file, for people.
    pub path: String,
    /// The machine that its plan is for.
    pub machine: HostName,
    /// What it holds.
    pub observations: Observations,
    /// What it repeats of its plan, if the script wrote it.
    pub echo: Option<script::Echo>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CarriedError {
    /// It cannot be read.
    #[error("cannot read observations {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no observations document, or a damaged one.
    #[error(transparent)]
    Document(#[from] ObservationsError),
    /// It is a damaged document of what clients said.
    #[error(transparent)]
    Clients(#[from] ClientsError),
    /// It is one, and not usable here.
    #[error("observations {path}: {what}")]
    Unfit {
        /// The file.
        path: String,
        /// Why not.
        what: String,
    },
}

impl CarriedFile {
    /// Reads a file, and refuses it where it is older than `max_age` at `now`, or of the future.
    ///
    /// It may be an observations document, or what the script wrote; `checks` say what counts as a public root there.
    pub fn read(path: &Path, now: Timestamp, max_age: SignedDuration, checks: &Checks) -> Result<Self, CarriedError> {
        let name = text::path(path);
        let unreadable = |source| CarriedError::Unreadable { path: name.clone(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_OBSERVATIONS_OCTETS + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let unfit = |what: String| Err(CarriedError::Unfit { path: name.clone(), what });
        let (observations, echo) = if script::is_answer(&bytes) {
            let kind = VantageKind::Carried;
            let asked = script::Asked { kind, sent: None, received: now, checks: checks.clone() };
            match script::carried_answer(&bytes, &asked) {
                Ok((observations, echo)) => (observations, Some(echo)),
                Err(error) => return unfit(error.to_string()),
            }
        } else {
            (Observations::parse(&name, &bytes)?, None)
        };
        let age = now.duration_since(observations.finished);
        if age < -AHEAD {
            let ahead = (-age).as_mins();
            return unfit(format!(
                "it ends {ahead} minutes from now ({}): the clock there is wrong, or the one here",
                observations.finished
            ));
        }
        if age > max_age {
            return unfit(format!(
                "it is of {}, and older than {} hours (--max-age)",
                observations.finished,
                max_age.as_hours()
            ));
        }
        let Some(machine) = observations.plan_host.clone() else {
            return unfit("its plan is for no host: write one with `cmcomply plan --host`".to_owned());
        };
        let file = Self { path: name.clone(), machine, observations, echo };
        file.of_its_machine(&[])?;
        Ok(file)
    }

    /// Where it belongs among these places, whose plans these are.
    pub fn place(&self, seats: &Seats, plans: &[PlanDocument]) -> Result<usize, CarriedError> {
        let unfit = |what: String| CarriedError::Unfit { path: self.path.clone(), what };
        let place = seats
            .place_of(&self.machine)
            .ok_or_else(|| unfit(format!("nothing is needed by, or looked at from, {}", self.machine)))?;
        self.of_its_machine(&seats.known())?;
        let plan = &plans[place];
        // How long and how much at once may differ: what was to be probed must not.
        let bounds = self.observations.plan_bounds.unwrap_or(self.observations.settings.bounds);
        let as_then = PlanDocument::new(plan.host.clone(), bounds, plan.probes.clone());
        let given = &self.observations.plan_sha256;
        if *given != plan.sha256 && *given != as_then.sha256 {
            return Err(unfit(format!(
                "it is of another plan ({}) than {} has now ({}): the site, the catalog or the options changed since; \
                 write the plan again",
                short(given),
                self.machine,
                short(&plan.sha256)
            )));
        }
        // Its hash says which of the two.
        let plan = if *given == plan.sha256 { plan } else { &as_then };
        self.echo.as_ref().map_or(Ok(()), |echo| echo.fits(plan)).map_err(unfit)?;
        self.observations.fits_probes(plan).map_err(unfit)?;
        Ok(place)
    }

    /// Whether the machine of the plan wrote it, and no other of the known ones.
    fn of_its_machine(&self, known: &[HostName]) -> Result<(), CarriedError> {
        same_machine(&self.machine, &self.observations, known)
            .map_err(|unreached| CarriedError::Unfit { path: self.path.clone(), what: unreached.detail })
    }
}

fn short(hash: &str) -> String {
    printable(hash, 12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::Subject;
    use crate::evidence::Seeing;
    use crate::plan::PlanBounds;
    use crate::site::{SiteCode, nothing_known};
    use crate::vantage::{Vantage, assign};

    const NOW: PlanBounds =
        PlanBounds { stage_timeout_ms: 5000, deadline_ms: 300_000, probes_at_once: 64, addresses: 8, retries: 1 };

    fn host(name: &str) -> HostName {
        name.parse().unwrap()
    }

    /// Where a file belongs of this plan and of a machine that calls itself so, among these hosts.
    fn placed(then: PlanBounds, held: PlanBounds, itself: &str, hosts: &[&str]) -> Result<usize, CarriedError> {
        let facts = nothing_known();
        let of = |name: &&str| Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: host(name) };
        let subjects: Vec<Subject> = hosts.iter().map(of).collect();
        let machine = host(hosts[0]);
        let seats = assign(&subjects, &facts, &[], None, &Vantage::local("audit01"), std::slice::from_ref(&machine));
        let plan = PlanDocument::new(Some(machine.clone()), then, Vec::new());
        let settings = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds: held };
        let span = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let observations = Observations::new(&plan, Vantage::local(itself), None, settings, span, None, Vec::new());
        let file = CarriedFile { path: "seen.json".to_owned(), machine, observations, echo: None };
        file.place(&seats, &seats.plans(&[], NOW))
    }

    #[test]
    fn bounds_may_be_others_than_now_and_others_than_those_that_held() {
        let hosts = ["web01.eu.contoso.com"];
        let then = PlanBounds { deadline_ms: 60_000, probes_at_once: 1024, ..NOW };
        let held = PlanBounds { probes_at_once: 100, ..then };
        for (then, held) in [(NOW, NOW), (NOW, held), (then, then), (then, held)] {
            assert_eq!(placed(then, held, "web01", &hosts).unwrap(), 1, "{then:?}, {held:?}");
        }
    }

    #[test]
    fn a_short_name_of_several_hosts_is_none_of_them() {
        let (europe, america) = ("web01.eu.contoso.com", "web01.us.contoso.com");
        assert!(placed(NOW, NOW, "WEB01", &[europe, "web02.us.contoso.com"]).is_ok());
        assert!(placed(NOW, NOW, europe, &[europe, america]).is_ok());
        let said = placed(NOW, NOW, "WEB01", &[europe, america]).unwrap_err().to_string();
        assert!(said.contains("that of several hosts"), "{said}");
    }
}
