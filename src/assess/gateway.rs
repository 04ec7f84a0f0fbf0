//! The alias of a cloud management gateway: its service name must lead to its deployment name.
//!
//! Clients know the service name only. Where it is a name of the organization's own, a DNS record must lead it to the
//! deployment in Azure ("CNAME alias" in the set-up of a CMG). One that leads to a former deployment is reached, with a
//! certificate that fits, and clients still cannot work.

use std::collections::HashMap;

use super::Witness;
use super::cause::{Words, of_code};
use super::verdict::{Cause, Judgement, Verdict};
use crate::derive::{RequiredName, Requirement};
use crate::host::{HostName, HostPattern};
use crate::probe::{NameEvidence, StageName};
use crate::site::Facts;

/// Writes into the judgements of each service name whether it leads to its deployment name, as the vantage saw it; one
/// that does not is no pass.
pub fn judge_gateways(
    facts: &Facts,
    requirements: &[Requirement],
    witnesses: &[Witness<'_>],
    judgements: &mut [Judgement],
) {
    for (vantage, witness) in witnesses.iter().enumerate() {
        judge_from(facts, requirements, vantage, witness, judgements);
    }
}

fn judge_from(
    facts: &Facts,
    requirements: &[Requirement],
    vantage: usize,
    witness: &Witness<'_>,
    judgements: &mut [Judgement],
) {
    let seen: HashMap<_, _> = witness.observations.iter().map(|o| (&o.probe, o)).collect();
    let names: HashMap<&HostName, &NameEvidence> = witness
        .probes
        .iter()
        .filter_map(|probe| {
            let evidence = seen.get(&probe.id)?.name.evidence.as_ref()?;
            (evidence.asked == probe.target.host.as_str()).then_some((&probe.target.host, evidence))
        })
        .collect();
    for gateway in facts.cmgs.rows() {
        let (Some(service), Some(deployment)) = (&gateway.service_name, &gateway.deployment_name) else { continue };
        if service == deployment {
            continue;
        }
        let Some(of_service) = names.get(service) else { continue };
        let alias = alias(of_service, deployment, names.get(deployment).copied());
        for (requirement, judgement) in requirements.iter().zip(&mut *judgements) {
            let is_it = requirement.name == RequiredName::Pattern(HostPattern::Exact(service.clone()));
            if is_it && judgement.vantage == vantage {
                write_down(&alias, service, deployment, judgement);
            }
        }
    }
}

/// Whether a service name leads to its deployment name.
#[derive(Debug, PartialEq, Eq)]
enum Alias {
    /// By a CNAME record.
    Shown,
    /// Both have an address in common.
    SameAddress,
    /// It leads elsewhere.
    Elsewhere(String),
    /// Neither aliases nor both names' addresses were seen.
    Unseen,
}

fn alias(service: &NameEvidence, deployment: &HostName, of_deployment: Option<&NameEvidence>) -> Alias {
    let is_it = |name: &String| HostName::parse(name).is_ok_and(|name| name == *deployment);
    if service.canonical_names.iter().any(is_it) {
        return Alias::Shown;
    }
    let theirs = of_deployment.map_or(&[][..], |name| &name.addresses);
    if service.addresses.iter().any(|address| theirs.contains(address)) {
        return Alias::SameAddress;
    }
    match (service.canonical_names.last(), service.addresses.first()) {
        (Some(end), _) => Alias::Elsewhere(end.clone()),
        (None, Some(address)) if !theirs.is_empty() => Alias::Elsewhere(address.to_string()),
        _ => Alias::Unseen,
    }
}

fn write_down(alias: &Alias, service: &HostName, deployment: &HostName, judgement: &mut Judgement) {
    let note = match alias {
        Alias::Shown => format!("{service} is an alias of {deployment}, as the gateway needs it"),
        Alias::SameAddress => format!("{service} has an address of {deployment}, as the gateway needs it"),
        Alias::Unseen => format!("whether {service} leads to {deployment} was not seen (--dns-server shows aliases)"),
        Alias::Elsewhere(end) => {
            let words = Words::default().with("what", end.as_str()).with("host", service.as_str());
            let cause = of_code("gateway-alias", &words.with("deployment", deployment.as_str()));
            if judgement.verdict == Verdict::Pass {
                judgement.verdict = Verdict::Fail;
                judgement.cause = Some(Cause { stage: Some(StageName::Name), ..cause });
                return;
            }
            cause.text
        }
    };
    if judgement.verdict != Verdict::NotApplicable {
        judgement.notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(aliases: &[&str], addresses: &[&str]) -> NameEvidence {
        NameEvidence {
            asked: "cmg.contoso.com".to_owned(),
            resolver: "system".to_owned(),
            connect_to: None,
            response_code: None,
            canonical_names: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            answers: Vec::new(),
            oddities: Vec::new(),
        }
    }

    #[test]
    fn an_alias_or_a_common_address_proves_it_and_another_end_disproves_it() {
        let deployment = HostName::parse("granitefalls.westus.cloudapp.azure.com").unwrap();
        let theirs = name(&[], &["20.0.0.1", "20.0.0.2"]);
        let judge =
            |aliases: &[&str], addresses: &[&str], theirs| alias(&name(aliases, addresses), &deployment, theirs);
        let through = ["x.trafficmanager.net", "GraniteFalls.westus.cloudapp.azure.com"];
        assert_eq!(judge(&through, &[], None), Alias::Shown);
        assert_eq!(judge(&["x.example"], &["20.0.0.2"], Some(&theirs)), Alias::SameAddress);
        assert_eq!(judge(&["old.example"], &["20.0.0.9"], Some(&theirs)), Alias::Elsewhere("old.example".into()));
        assert_eq!(judge(&["old.example"], &["20.0.0.9"], None), Alias::Elsewhere("old.example".into()));
        assert_eq!(judge(&[], &["20.0.0.9"], Some(&theirs)), Alias::Elsewhere("20.0.0.9".into()));
        assert_eq!(judge(&[], &["20.0.0.9"], None), Alias::Unseen);
        assert_eq!(judge(&[], &[], Some(&theirs)), Alias::Unseen);
    }

    #[test]
    fn a_service_name_that_leads_elsewhere_is_no_pass() {
        let [service, deployment] = ["cmg.contoso.com", "new.cloudapp.net"].map(|n| HostName::parse(n).unwrap());
        let judged = |alias: &Alias, verdict| {
            let mut judgement = Judgement {
                requirement: crate::derive::RequirementId("r".to_owned()),
                verdict,
                grade: crate::assess::Grade::Required,
                probes: Vec::new(),
                observed_from_role_host: true,
                vantage: 0,
                evidence_grade: Some(crate::vantage::EvidenceGrade::B),
                cause: None,
                waiver: None,
                notes: Vec::new(),
            };
            write_down(alias, &service, &deployment, &mut judgement);
            judgement
        };
        let elsewhere = Alias::Elsewhere("old.cloudapp.net".to_owned());
        let wrong = judged(&elsewhere, Verdict::Pass);
        assert_eq!((wrong.verdict, wrong.cause.unwrap().code.as_str()), (Verdict::Fail, "gateway-alias"));
        let failed = judged(&elsewhere, Verdict::Fail);
        assert!(failed.cause.is_none() && failed.notes[0].contains("leads to old.cloudapp.net"));
        assert_eq!(judged(&Alias::Shown, Verdict::Pass).verdict, Verdict::Pass);
        assert!(judged(&Alias::Unseen, Verdict::Pass).notes[0].contains("not seen"));
    }
}
