//! What the catalog alone says of one endpoint, whoever needs it.

use super::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
use crate::catalog::{Catalog, CatalogRole, EndpointTemplate, Entry, Ports, Status};
use crate::host::HostPattern;
use crate::plan::Target;

/// The requirements that the entries of the catalog make of an endpoint: one for each role. No facts decide here, so
/// whether a hierarchy needs it is not said.
pub fn of_endpoint(catalog: &Catalog, target: &Target, via: &Via) -> Vec<Requirement> {
    let named = catalog.entries.iter().filter(|entry| entry.status != Status::Retired && names(entry, target));
    let needs = named.flat_map(|entry| entry.roles.iter().map(move |role| (entry, *role)));
    let requirement = |(entry, role): (&Entry, CatalogRole)| {
        // Whoever names a path wants what is there, as a document does that names one.
        let path = (target.path != "/").then(|| target.path.clone());
        Requirement {
            id: RequirementId(format!("{}/{}/{target}", role.title(), entry.id)),
            subject: Subject::UnknownHosts,
            role,
            entry: entry.id.clone(),
            section: entry.section.clone(),
            name: RequiredName::Pattern(HostPattern::Exact(target.host.clone())),
            scheme: target.scheme,
            port: Some(target.port),
            path,
            context: entry.context,
            route: Route { via: via.clone(), basis: RouteBasis::Operator, detail: "stated by the operator".to_owned() },
            tier: entry.tier,
            status: entry.status,
            replaced_by: entry.replaced_by.clone(),
            inspection: entry.inspection,
            tls: entry.tls.clone(),
            byte_ranges: entry.byte_ranges,
            idle_seconds: entry.idle_seconds,
            proof: Proof::Itself,
            decision: Decision::Needed,
            reasons: Vec::new(),
        }
    };
    needs.map(requirement).collect()
}

fn names(entry: &Entry, target: &Target) -> bool {
    let host = match &entry.endpoint {
        EndpointTemplate::Pattern(pattern) => pattern.matches(&target.host),
        EndpointTemplate::Template(_) => false,
    };
    let port = matches!(&entry.ports, Ports::Fixed(ports) if ports.contains(&target.port));
    host && port && entry.scheme == target.scheme
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{HostName, Scheme};

    #[test]
    fn a_name_gets_what_its_entries_say_and_a_stranger_nothing() {
        let of = |host: &str, port| {
            let host = HostName::parse(host).unwrap();
            let target = Target { scheme: Scheme::Https, host, port, path: "/".to_owned() };
            of_endpoint(Catalog::embedded(), &target, &Via::Direct)
        };
        let manage = of("gateway.configmgr.manage.microsoft.com", 443);
        assert!(manage.iter().any(|requirement| requirement.section == "Tenant attach"), "{manage:#?}");
        assert!(manage.iter().all(|requirement| requirement.path.is_none()));
        let host = HostName::parse("2.dl.delivery.mp.microsoft.com").unwrap();
        let file = Target { scheme: Scheme::Https, host, port: 443, path: "/f.cab".to_owned() };
        let file = of_endpoint(Catalog::embedded(), &file, &Via::Direct);
        assert!(file.iter().any(|need| need.byte_ranges && need.path.as_deref() == Some("/f.cab")), "{file:#?}");
        assert!(of("manage.microsoft.com", 8443).is_empty() && of("www.contoso.com", 443).is_empty());
    }
}
