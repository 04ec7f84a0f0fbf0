//! What it means for a requirement that revocation cannot be checked.

use super::cause::{Words, of_code};
use super::{Judgement, Verdict};
use crate::plan::ProbeId;
use crate::probe::{Observation, RevocationList};

/// Notes at each verdict that rests on a chain whose revocation lists or responders cannot be had: Windows then waits,
/// and refuses where it is strict. The lists were fetched from this vantage, and say nothing of what others saw.
pub fn note_revocation(
    judgements: &mut [Judgement],
    vantage: usize,
    observations: &[Observation],
    lists: &[RevocationList],
) {
    let lost: Vec<&RevocationList> = lists.iter().filter(|list| list.is_lost()).collect();
    if lost.is_empty() {
        return;
    }
    let note = |list: &RevocationList| {
        let why = list.fetch.failure.as_ref().map_or("not fetched", |failure| failure.detail.as_str());
        of_code("revocation-unreachable", &Words::default().with("what", why)).text
    };
    let passed = |judgement: &&mut Judgement| judgement.verdict == Verdict::Pass && judgement.vantage == vantage;
    for judgement in judgements.iter_mut().filter(passed) {
        let of_probe = |id: &ProbeId| observations.iter().find(|seen| seen.probe == *id);
        let chains: Vec<_> =
            judgement.probes.iter().filter_map(of_probe).filter_map(|seen| seen.tls.evidence.as_ref()).collect();
        let named =
            |list: &&&RevocationList| chains.iter().any(|tls| tls.chain.iter().any(|one| list.is_named_by(one)));
        let notes: Vec<String> = lost.iter().filter(named).map(|list| note(list)).collect();
        judgement.notes.extend(notes);
    }
}
