//! Files that were brought back from hosts.

use std::io::Read as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::observe::same_machine;
use super::{Place, Seats, VantageKind, VantageRule, script};
use crate::evidence::{MAX_OBSERVATIONS_OCTETS, Observations, ObservationsError};
use crate::host::HostName;
use crate::plan::PlanDocument;
use crate::probe::Checks;
use crate::text::printable;

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
        let name = printable(&path.display().to_string(), 500);
        let unreadable = |source| CarriedError::Unreadable { path: name.clone(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_OBSERVATIONS_OCTETS + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let unfit = |what: String| Err(CarriedError::Unfit { path: name.clone(), what });
        let observations = if script::is_answer(&bytes) {
            let kind = VantageKind::Carried;
            let asked = script::Asked { kind, sent: None, received: now, checks: checks.clone() };
            match script::carried_answer(&bytes, &asked) {
                Ok(observations) => observations,
                Err(error) => return unfit(error.to_string()),
            }
        } else {
            Observations::parse(&name, &bytes)?
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
        let file = Self { path: name.clone(), machine, observations };
        file.of_its_machine()?;
        Ok(file)
    }

    /// Where it belongs among these places, whose plans these are.
    pub fn place(&self, seats: &Seats, plans: &[PlanDocument]) -> Result<usize, CarriedError> {
        let unfit = |what: String| CarriedError::Unfit { path: self.path.clone(), what };
        let place = seats
            .place_of(&self.machine)
            .ok_or_else(|| unfit(format!("nothing is needed by, or looked at from, {}", self.machine)))?;
        let plan = &plans[place];
        // How long and how much at once may differ: what was to be probed must not.
        let as_then = PlanDocument::new(plan.host.clone(), self.observations.settings.bounds, plan.probes.clone());
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
        let of_this = Observations { plan_sha256: plan.sha256.clone(), ..self.observations.clone() };
        of_this.fits(plan).map_err(unfit)?;
        Ok(place)
    }

    fn of_its_machine(&self) -> Result<(), CarriedError> {
        let place = Place { machine: Some(self.machine.clone()), rule: VantageRule::default_of(VantageKind::Carried) };
        same_machine(&place, &self.observations)
            .map_err(|unreached| CarriedError::Unfit { path: self.path.clone(), what: unreached.detail })
    }
}

fn short(hash: &str) -> String {
    printable(hash, 12)
}
