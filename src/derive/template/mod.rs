//! Filling templates from the facts.

mod cloud;
mod further;
mod updates;

pub(super) use cloud::{cloud_in_use, no_gateway, no_tenant};

use super::index::Index;
use super::requirement::RequiredName;
use crate::catalog::{EndpointTemplate, Entry, Part, Ports, Variable};
use crate::host::{HostName, HostPattern};
use crate::site::SiteCode;

/// One endpoint that an entry names in this hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) name: RequiredName,
    /// The path, where the page gives one.
    pub(super) path: Option<String>,
    /// Ports; empty if they are unknown.
    pub(super) ports: Vec<u16>,
    pub(super) reasons: Vec<String>,
    /// What is missing for the name or the ports.
    pub(super) missing: Vec<String>,
}

/// The path variable: the id of each Microsoft Entra tenant.
const TENANT_ID: &str = "{tenant.id}";

/// Whether an entry names other endpoints for each server.
pub(super) fn is_of_server(entry: &Entry) -> bool {
    let EndpointTemplate::Template(parts) = &entry.endpoint else { return false };
    parts.iter().any(|part| matches!(part, Part::Variable(Variable::SupUpstream | Variable::SupDownstream)))
}

/// The endpoints that an entry names for one server.
pub(super) fn fill(entry: &Entry, facts: &Index<'_>, server: Option<(&SiteCode, &HostName)>) -> Vec<Filled> {
    let filled = names(entry, facts, server);
    match &entry.path {
        Some(path) if path.contains(TENANT_ID) => cloud::for_each_tenant(entry, path, facts, &filled),
        _ => filled,
    }
}

fn names(entry: &Entry, facts: &Index<'_>, server: Option<(&SiteCode, &HostName)>) -> Vec<Filled> {
    let parts = match &entry.endpoint {
        EndpointTemplate::Pattern(pattern) => {
            return vec![named(entry, pattern.clone(), fixed(&entry.ports), Vec::new(), Vec::new())];
        }
        EndpointTemplate::Template(parts) => parts,
    };
    let has =
        |wanted: fn(&Variable) -> bool| parts.iter().any(|p| matches!(p, Part::Variable(variable) if wanted(variable)));
    if has(|v| matches!(v, Variable::SupUpstream | Variable::SupDownstream)) {
        updates::from_sups(entry, parts, facts, server)
    } else if has(|v| *v == Variable::ThirdPartyCatalogHost) {
        updates::from_third_party_catalogs(entry, facts)
    } else if has(|v| *v == Variable::NotificationHost) {
        cloud::from_notifications(entry, facts)
    } else if has(is_cmg) {
        cloud::from_cmgs(entry, parts, facts)
    } else if has(|v| *v == Variable::AzureFurther) {
        further::from_environments(entry, facts)
    } else {
        cloud::from_environments(entry, parts, facts)
    }
}

fn is_cmg(variable: &Variable) -> bool {
    matches!(
        variable,
        Variable::CmgServiceName | Variable::CmgDeploymentName | Variable::CmgStorage | Variable::CmgPrefix
    )
}

fn fixed(ports: &Ports) -> Vec<u16> {
    match ports {
        Ports::Fixed(ports) => ports.clone(),
        Ports::FromFacts(_) => Vec::new(),
    }
}

fn named(entry: &Entry, pattern: HostPattern, ports: Vec<u16>, reasons: Vec<String>, missing: Vec<String>) -> Filled {
    Filled { name: RequiredName::Pattern(pattern), path: entry.path.clone(), ports, reasons, missing }
}

fn unfilled(entry: &Entry, missing: String) -> Filled {
    Filled {
        name: RequiredName::Template(entry.endpoint.to_string()),
        path: entry.path.clone(),
        ports: fixed(&entry.ports),
        reasons: Vec::new(),
        missing: vec![missing],
    }
}

/// Joins the parts; `Err` names what is missing, `Ok(None)` says that the value is known to be absent.
fn join(
    parts: &[Part],
    value: impl Fn(&Variable) -> Result<Option<String>, String>,
) -> Result<Option<HostPattern>, String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(piece) => text.push_str(piece),
            Part::Variable(variable) => match value(variable)? {
                Some(piece) => text.push_str(&piece),
                None => return Ok(None),
            },
        }
    }
    HostName::parse(&text)
        .map(|host| Some(HostPattern::Exact(host)))
        .map_err(|error| format!("the values in the site database give no host name: {error}"))
}
