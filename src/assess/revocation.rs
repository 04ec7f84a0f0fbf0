//! What it means for a requirement that revocation cannot be checked.

use super::cause::{Words, of_code};
use super::{Cause, Judgement, Verdict};
use crate::plan::ProbeId;
use crate::probe::{Observation, RevocationList};

/// Notes at each verdict that rests on a chain whose revocation lists or responders cannot be had: Windows then waits,
/// and refuses where it is strict. A certificate that is revoked fails. The lists were fetched from this vantage, and say nothing of what others saw.
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
        let (revoked, lost): (Vec<&RevocationList>, Vec<_>) =
            lost.iter().filter(named).copied().partition(|list| list.is_revoked());
        if let Some(list) = revoked.first() {
            let (code, detail) = ("certificate-revoked", list.fetch.failure.as_ref().map(|failure| &failure.detail));
            let words = Words::default().with("what", detail.map_or("", String::as_str));
            judgement.verdict = Verdict::Fail;
            judgement.cause = Some(Cause { detail: detail.cloned(), ..of_code(code, &words) });
        }
        judgement.notes.extend(lost.into_iter().map(note));
    }
}
