//! Whether an observations document fits the plan that it says to be of, and itself.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;

use super::Observations;
use crate::derive::Via;
use crate::plan::{PlanDocument, Probe, ProbeId, Target};
use crate::probe::{ConnectTo, Observation, Redirect};
use crate::text::printable;

/// How much longer than its deadline a run may take: compiling, waiting for roots, writing.
const BESIDES: SignedDuration = SignedDuration::from_mins(10);
/// How far before or after its run a probe may begin: a clock may be set in the middle.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

impl Observations {
    /// What in it does not fit the plan that it says to be of.
    pub fn fits(&self, plan: &PlanDocument) -> Result<(), String> {
        if self.plan_sha256 != plan.sha256 {
            return Err("it is an answer to another plan, or to this one in another run".to_owned());
        }
        self.fits_probes(plan)
    }

    /// What in it does not fit what a plan probes, whatever its hash; and what does not show.
    pub(crate) fn fits_probes(&self, plan: &PlanDocument) -> Result<(), String> {
        self.times(plan)?;
        let rules = self.settings.connect_to.iter().map(|rule| rule.parse::<ConnectTo>());
        let rules: Vec<ConnectTo> = rules
            .collect::<Result<_, _>>()
            .map_err(|error| format!("a rule of its --connect-to is none: {}", printable(&error.to_string(), 200)))?;
        let planned: HashMap<&ProbeId, &Probe> = plan.probes.iter().map(|probe| (&probe.id, probe)).collect();
        let by_id: HashMap<&ProbeId, &Observation> = self.observations.iter().map(|seen| (&seen.probe, seen)).collect();
        let mut met = HashSet::new();
        for seen in &self.observations {
            let id = printable(&seen.probe.0, 200);
            if !met.insert(&seen.probe) {
                return Err(format!("it holds {id} twice"));
            }
            let probe = planned.get(&seen.probe);
            let (target, via) = match (&seen.redirected_from, probe) {
                (None, Some(probe)) => (&probe.target, &probe.via),
                (None, None) => return Err(format!("it holds {id}, which nobody asked for")),
                (Some(_), None) => hop(seen, &planned, &by_id)
                    .filter(|(target, via)| ProbeId::of(target, via) == seen.probe)
                    .ok_or_else(|| format!("it holds {id}, a hop that nothing leads to"))?,
                (Some(_), Some(_)) => return Err(format!("it holds {id}, a hop that nothing leads to")),
            };
            if let Some(what) = seen.unshown(target, via).or_else(|| seen.astray(target, via, &rules)) {
                return Err(format!("what it says of {id} does not show: {what}"));
            }
        }
        Ok(())
    }

    /// Whether the run and each probe of it were at a time that can be.
    fn times(&self, plan: &PlanDocument) -> Result<(), String> {
        if self.started > self.finished {
            return Err("it ends before it begins".to_owned());
        }
        let deadline = SignedDuration::from_millis(i64::try_from(plan.bounds.deadline_ms).unwrap_or(i64::MAX));
        let took = self.finished.duration_since(self.started);
        if took.saturating_sub(BESIDES) > deadline {
            let (took, deadline) = (took.as_secs(), deadline.as_secs());
            return Err(format!("it took {took} s, and its plan has a deadline of {deadline} s"));
        }
        let outside = |seen: &&Observation| {
            self.started.duration_since(seen.started) > SLACK || seen.started.duration_since(self.finished) > SLACK
        };
        self.observations.iter().find(outside).map_or(Ok(()), |seen| {
            let (id, at) = (printable(&seen.probe.0, 200), seen.started);
            Err(format!("it says that {id} began at {at}, and the run was from {} to {}", self.started, self.finished))
        })
    }
}

/// What a hop of a redirect looked at: where the answer before it leads, on the route of the probe that it began with.
pub(super) fn hop<'a>(
    seen: &Observation,
    planned: &HashMap<&'a ProbeId, &'a Probe>,
    by_id: &HashMap<&'a ProbeId, &'a Observation>,
) -> Option<(&'a Target, &'a Via)> {
    let before = *by_id.get(seen.redirected_from.as_ref()?)?;
    let Some(Redirect::To(target)) = before.http.evidence.as_ref()?.redirect.as_ref() else { return None };
    let mut first = before;
    // Each is met once at most, else they go in a circle.
    for _ in 0..by_id.len() {
        match &first.redirected_from {
            None => return planned.get(&first.probe).map(|probe| (target, &probe.via)),
            Some(parent) => first = by_id.get(parent)?,
        }
    }
    None
}

#[cfg(test)]
mod tests;
