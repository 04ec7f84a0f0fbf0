//! What it means for a requirement that revocation cannot be checked.

use std::collections::HashMap;

use super::cause::{Words, of_code};
use super::{Cause, Judgement, Verdict, Witness};
use crate::plan::ProbeId;
use crate::probe::{Certificate, Observation, Outcome, RevocationList};

/// Notes at each pass that rests on a chain whose revocation lists or responders cannot be had: Windows then waits, and
/// refuses where it is strict. A certificate that is revoked fails, whoever met it.
///
/// The witness `here` fetched the lists, and nobody else did. So each pass by another witness says that too: whether the
/// lists can be had from there was not looked at.
pub fn note_revocation(judgements: &mut [Judgement], witnesses: &[Witness<'_>], here: usize, lists: &[RevocationList]) {
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
        let (revoked, lost): (Vec<&RevocationList>, Vec<_>) =
            lost.iter().filter(named).copied().partition(|list| list.is_revoked());
        if let Some(list) = revoked.first() {
            let (code, detail) = ("certificate-revoked", list.fetch.failure.as_ref().map(|failure| &failure.detail));
            let words = Words::default().with("what", detail.map_or("", String::as_str));
            judgement.verdict = Verdict::Fail;
            judgement.cause = Some(Cause { detail: detail.cloned(), ..of_code(code, &words) });
        }
        let mut notes: Vec<String> = lost.into_iter().map(note).collect();
        let names_any = |one: &&Certificate| !one.crl_urls.is_empty() || !one.ocsp_urls.is_empty();
        if judgement.vantage != here && chains.iter().any(names_any) {
            let place = |at: usize| witnesses.get(at).map_or("nowhere", |witness| witness.name);
            let (here, there) = (place(here), place(judgement.vantage));
            notes.push(format!("revocation was looked at from {here}, not from {there}"));
        }
        judgement.notes.extend(notes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::View;
    use super::super::tests::{requirement, seen};
    use super::*;
    use crate::derive::Via;
    use crate::plan;
    use crate::probe::{Failure, FailureCode, RevocationKind, Stage, TlsEvidence};
    use crate::vantage::EvidenceGrade;

    const LIST: &str = "http://crl.contoso.com/x.crl";

    fn named(by: &plan::Probe) -> Observation {
        seen(by, |seen| {
            let certificate = Certificate {
                subject: "CN=a.example".to_owned(),
                issuer: "CN=x".to_owned(),
                names: Vec::new(),
                not_before: None,
                not_after: None,
                sha256: "a".repeat(64),
                crl_urls: vec![LIST.to_owned()],
                ocsp_urls: Vec::new(),
                ocsp_request: None,
                issuer_urls: Vec::new(),
            };
            let tls = TlsEvidence { version: None, suite: None, alpn: None, chain: vec![certificate] };
            seen.tls.evidence = Some(tls);
        })
    }

    /// The notes of a pass that this witness gives, where the list is current or lost.
    fn notes(vantage: usize, lost: bool) -> Vec<String> {
        let requirements = [requirement("a.example")];
        let probes = plan::build(&requirements).probes;
        let observations = [named(&probes[0])];
        let witness =
            |name| Witness { name, probes: &probes, observations: &observations, unreached: None, clients: None };
        let witnesses = [witness("audit01"), witness("cm01")];
        let view = |_: &_| View { vantage, grade: EvidenceGrade::B };
        let mut judgements = super::super::judge(&requirements, &witnesses, view, false);
        let failure = lost.then(|| Failure::new(FailureCode::DocumentExpired, "out of date"));
        let outcome = if lost { Outcome::Failed } else { Outcome::Ok };
        let fetch = Stage { outcome, took_us: None, failure, evidence: None };
        let (kind, url, named_by) = (RevocationKind::List, LIST.to_owned(), Vec::new());
        let list = RevocationList { kind, url, named_by, via: Via::Direct, not_fetched: None, fetch };
        note_revocation(&mut judgements, &witnesses, 0, &[list]);
        judgements.remove(0).notes
    }

    #[test]
    fn a_pass_of_another_machine_says_from_where_revocation_was_looked_at() {
        let elsewhere = "revocation was looked at from audit01, not from cm01";
        assert_eq!(notes(0, false), [] as [&str; 0]);
        assert_eq!(notes(1, false), [elsewhere]);
        assert!(matches!(notes(0, true).as_slice(), [lost] if lost.contains("out of date")));
        assert!(matches!(notes(1, true).as_slice(), [lost, told] if lost.contains("out of date") && told == elsewhere));
    }
}
