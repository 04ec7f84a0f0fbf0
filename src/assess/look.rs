//! What a look at one endpoint means, without a hierarchy: the first layer that failed, or what the catalog asks besides.

use std::collections::HashMap;

use super::beyond::Beyond;
use super::cause::{Words, explain, in_product};
use super::verdict::Cause;
use super::{flapping, partly_reached, partly_resolved};
use crate::derive::Requirement;
use crate::plan::Probe;
use crate::probe::Observation;

/// What a look came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Why the endpoint is not as it should be; `None` if nothing was found.
    pub cause: Option<Cause>,
    /// What is worth a word and no failure.
    pub notes: Vec<String>,
}

/// Judges what the machine `from` saw of `probe`, by what the catalog says of the endpoint ([`crate::derive::of_endpoint`]).
/// `observations` hold that of the probe and those of its redirects.
pub fn look(requirements: &[Requirement], probe: &Probe, observations: &[Observation], from: &str) -> Found {
    let Some(seen) = observations.iter().find(|seen| seen.probe == probe.id) else { return Found::default() };
    let shown_in = requirements.iter().find_map(in_product);
    let mut found = Found { cause: explain(probe, seen, from), notes: Vec::new() };
    if seen.reached() {
        let (all, words) = (observations.iter().map(|o| (&o.probe, o)).collect(), Words::of(probe, seen, from, from));
        for requirement in requirements {
            let beyond = Beyond { requirement, probe, seen, all: &all as &HashMap<_, _>, words: &words };
            found.cause = found.cause.or_else(|| beyond.cause());
            let new: Vec<String> = beyond.notes().into_iter().filter(|note| !found.notes.contains(note)).collect();
            found.notes.extend(new);
        }
    }
    if seen.reached() {
        let odd = [partly_reached(seen), partly_resolved(seen), flapping(seen)].into_iter().flatten();
        found.notes.extend(odd.filter(|note| !found.notes.contains(note)).collect::<Vec<_>>());
    }
    if let Some(cause) = &mut found.cause {
        cause.in_product = cause.in_product.take().or(shown_in);
    }
    found
}
