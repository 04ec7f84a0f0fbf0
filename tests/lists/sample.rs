//! Requirements for the tests: a small hand-made set, and one of every entry of the catalog.

use cmcomply::catalog::{
    Catalog, CatalogRole, Context, EndpointTemplate, Entry, EntryId, Inspection, PortRule, Ports, Status, Tier,
};
use cmcomply::derive::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
use cmcomply::host::{HostName, HostOrAddress, HostPattern, Scheme};
use cmcomply::report::lists::{Head, PacRoutes};
use cmcomply::site::SiteCode;

pub(crate) fn head() -> Head<'static> {
    Head {
        generated_at: "2026-11-22T09:00:00Z",
        catalog_version: "2026.11.22",
        scope: "all hosts",
        pac: PacRoutes {
            listed: Via::Direct,
            other: Via::Proxy { host: HostOrAddress::parse("proxy.contoso.com").unwrap(), port: 8080 },
        },
    }
}

pub(crate) fn host(name: &str) -> Subject {
    Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: HostName::parse(name).unwrap() }
}

/// A needed endpoint: `name` is a host or a wildcard.
pub(crate) fn needed(subject: Subject, scheme: Scheme, name: &str, port: u16) -> Requirement {
    let entry = EntryId(format!("entry-{}", name.replace(['.', '*'], "-").trim_matches('-')));
    Requirement {
        id: RequirementId(format!("{subject}/{name}:{port}")),
        subject,
        role: CatalogRole::ServiceConnectionPoint,
        entry,
        section: "Test".to_owned(),
        name: RequiredName::Pattern(HostPattern::parse(name).unwrap()),
        scheme,
        port: Some(port),
        path: None,
        context: Context::SiteSystemProxy,
        route: Route { via: Via::Direct, basis: RouteBasis::Database, detail: String::new() },
        tier: Tier::Required,
        status: Status::Active,
        replaced_by: None,
        inspection: Inspection::Unstated,
        tls: None,
        byte_ranges: false,
        idle_seconds: None,
        proof: Proof::Itself,
        decision: Decision::Needed,
        reasons: Vec::new(),
    }
}

pub(crate) fn undecided(mut requirement: Requirement, missing: &str) -> Requirement {
    requirement.decision = Decision::Undecided { missing: vec![missing.to_owned()] };
    requirement
}

pub(crate) fn retired(mut requirement: Requirement) -> Requirement {
    (requirement.decision, requirement.status) = (Decision::Retired, Status::Retired);
    requirement
}

pub(crate) fn uninspected(mut requirement: Requirement) -> Requirement {
    requirement.inspection = Inspection::Unsupported;
    requirement
}

/// Every kind of name, port and decision.
pub(crate) fn contoso() -> Vec<Requirement> {
    use Scheme::{Http, Https};
    let cas = || host("cm-cas.corp.contoso.com");
    let ps1 = || host("cm-ps1.corp.contoso.com");
    let mut upstream = needed(ps1(), Http, "cm-cas.corp.contoso.com", 8530);
    upstream.context = Context::Intranet;
    let mut storage = undecided(needed(Subject::Clients, Https, "x.y", 443), "cloud management gateways: not visible");
    storage.name = RequiredName::Template("{cmg.storage}.blob.{azure.StorageEndpointSuffix}".to_owned());
    vec![
        needed(cas(), Https, "go.microsoft.com", 443),
        needed(cas(), Http, "go.microsoft.com", 80),
        needed(ps1(), Https, "go.microsoft.com", 443),
        uninspected(needed(cas(), Https, "manage.microsoft.com", 443)),
        uninspected(needed(cas(), Https, "*.manage.microsoft.com", 443)),
        needed(cas(), Https, "configmgrbits.cdn.manage.microsoft.com", 443),
        uninspected(needed(cas(), Https, "*-umwatsonc.events.data.microsoft.com", 443)),
        needed(cas(), Http, "*.windowsupdate.microsoft.com", 80),
        needed(ps1(), Https, "cmg.contoso.com", 10124),
        upstream,
        storage,
        undecided(needed(cas(), Https, "definitionupdates.microsoft.com", 443), "whether the role is online"),
        undecided(
            uninspected(needed(cas(), Https, "umwatsonc.events.data.microsoft.com", 443)),
            "whether it is online",
        ),
        retired(needed(cas(), Https, "sccmconnected-a01.cloudapp.net", 443)),
    ]
}

/// One requirement for every port of every entry of the embedded catalog, templates filled with fictional names.
pub(crate) fn whole_catalog() -> Vec<Requirement> {
    let requirements = |entry: &Entry| {
        let name = match &entry.endpoint {
            EndpointTemplate::Pattern(pattern) => pattern.to_string(),
            EndpointTemplate::Template(_) => filled(&entry.endpoint.to_string()),
        };
        let ports = match &entry.ports {
            Ports::Fixed(ports) => ports.clone(),
            Ports::FromFacts(PortRule::CmgInstances) => vec![10124, 10125],
            Ports::FromFacts(PortRule::CmgClassic) => vec![10140],
            Ports::FromFacts(PortRule::SoftwareUpdatePoint) => vec![8531],
            Ports::FromFacts(PortRule::ThirdPartyCatalog) => vec![443],
        };
        let one = |port: u16| {
            let mut requirement = needed(host("cm-cas.corp.contoso.com"), entry.scheme, &name, port);
            requirement.entry = entry.id.clone();
            requirement.context = entry.context;
            requirement.inspection = entry.inspection;
            if entry.status == Status::Retired { retired(requirement) } else { requirement }
        };
        ports.into_iter().map(one).collect::<Vec<_>>()
    };
    Catalog::embedded().entries.iter().flat_map(requirements).collect()
}

/// `{cmg.storage}.blob.{azure.StorageEndpointSuffix}` becomes `cmg-storage.blob.azure-storageendpointsuffix.contoso.com`.
fn filled(template: &str) -> String {
    let label = template.replace(".{", "\n").replace(['{', '}'], "");
    let mut parts: Vec<String> = label.split('\n').map(str::to_lowercase).collect();
    for part in &mut parts {
        if let Some(rest) = part.strip_prefix("cmg.").or(part.strip_prefix("azure.")).or(part.strip_prefix("sup.")) {
            *part = format!("x-{rest}");
        }
    }
    format!("{}.contoso.com", parts.join("."))
}
