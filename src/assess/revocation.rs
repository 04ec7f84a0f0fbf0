//! What it means for a requirement that revocation cannot be checked.

use std::collections::HashMap;

use super::cause::{Words, of_code};
use super::{Judgement, Verdict, Witness};
use crate::plan::ProbeId;
use crate::probe::{Certificate, Observation, Outcome, RevocationList};

/// Notes at each pass that rests on a chain whose revocation lists or responders cannot be had: Windows then waits, and
/// refuses where it is strict.
///
/// The witness `here` fetched the lists, and nobody else did. So each pass by another witness says that too: whether the
/// lists can be had from there was not looked at.
pub fn note_revocation(
    judgements: &mut [Judgement],
    witnesses: &[Witness<'_>],
    here: usize,
    lists: &[RevocationList],
) {
    let lost: Vec<&RevocationList> = lists.iter().filter(|list| list.is_lost()).collect();
    let note = |list: &RevocationList| {
        let why = list.fetch.failure.as_ref().map_or("not fetched", |failure| failure.detail.as_str());
        of_code("revocation-unreachable", &Words::default().with("what", why)).text
    };
    let seen: Vec<HashMap<&ProbeId, &Observation>> =
        witnesses.iter().map(|witness| witness.observations.iter().map(|one| (&one.probe, one)).collect()).collect();
    for judgement in judgements.iter_mut().filter(|judgement| judgement.verdict == Verdict::Pass) {
        let Some(seen) = seen.get(judgement.vantage) else { continue };
        let trusted = judgement.probes.iter().filter_map(|id| seen.get(id)).filter(|o| o.trust.outcome == Outcome::Ok);
        let chains: Vec<&Certificate> =
            trusted.filter_map(|one| one.tls.evidence.as_ref()).flat_map(|tls| &tls.chain).collect();
        let named = |list: &&&RevocationList| chains.iter().any(|one| list.is_named_by(one));
        let mut notes: Vec<String> = lost.iter().filter(named).map(|list| note(list)).collect();
        let names_any = |one: &&Certificate| !one.crl_urls.is_empty() || !one.ocsp_urls.is_empty();
        if judgement.vantage != here && chains.iter().any(names_any) {
            let place = |at: usize| witnesses.get(at).map_or("nowhere", |witness| witness.name);
            let (here, there) = (place(here), place(judgement.vantage));
            notes.push(format!("revocation was looked at from {here}, not from {there}"));
        }
        judgement.notes.extend(notes);
    }
}
