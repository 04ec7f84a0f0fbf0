//! Derivation: facts and catalog to requirements. Pure.

mod assume;
mod condition;
mod difference;
mod index;
mod options;
mod requirement;
mod route;
mod servers;
mod sup;
mod template;
#[cfg(test)]
mod tests;

pub use assume::{Assumption, AssumptionError, assume};
pub use difference::{Difference, difference};
pub use options::{Options, UnknownVersion};
pub use requirement::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
pub use route::{StatedRoutes, database_knows};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use crate::catalog::{Catalog, CatalogRole, Cloud, Entry, ProbeClass, Status};
use crate::site::Facts;
use condition::{Asker, Tri, missing};
use index::Index;
use servers::{Servers, Who};
use template::Filled;

/// What every host of this hierarchy needs, ordered by subject, role, entry and endpoint.
///
/// A fact that is unknown makes a requirement undecided; it never takes one away.
pub fn requirements(facts: &Facts, catalog: &Catalog, options: &Options) -> Vec<Requirement> {
    let facts = &Index::new(facts);
    let servers = Servers::of(facts);
    let mut found = BTreeMap::new();
    for entry in &catalog.entries {
        for &role in &entry.roles {
            for subject in servers.subjects(role) {
                apply(entry, role, &subject, facts, options, &mut found);
            }
        }
    }
    found.into_values().collect()
}

type Found = BTreeMap<(Subject, CatalogRole, RequirementId), Requirement>;

/// Applies one entry to one subject.
fn apply(entry: &Entry, role: CatalogRole, subject: &Who, facts: &Index<'_>, options: &Options, found: &mut Found) {
    let server = match &subject.subject {
        Subject::Host { site, host } => Some((site, host)),
        _ => None,
    };
    let asker = Asker { facts, server, clouds: &entry.clouds };
    let applies =
        condition::evaluate(&entry.when, asker).and(|| in_cloud(entry, facts)).and(|| in_build(entry, facts, options));
    let (mut reasons, mut unknown) = match applies {
        Tri::False => return,
        Tri::True(reasons) => (reasons, Vec::new()),
        Tri::Unknown(missing) => (Vec::new(), missing),
    };
    unknown.extend(subject.missing.clone());
    reasons.insert(0, subject.reason(role));
    for filled in template::fill(entry, facts, server) {
        let ports: Vec<Option<u16>> =
            if filled.ports.is_empty() { vec![None] } else { filled.ports.iter().copied().map(Some).collect() };
        for port in ports {
            let mut missing: Vec<String> = Vec::new();
            for text in unknown.iter().chain(&filled.missing) {
                if !missing.contains(text) {
                    missing.push(text.clone());
                }
            }
            let mut reasons = reasons.clone();
            reasons.extend(filled.reasons.iter().cloned());
            let requirement = Requirement {
                id: id(subject, role, entry, &filled, port),
                subject: subject.subject.clone(),
                role,
                entry: entry.id.clone(),
                section: entry.section.clone(),
                proof: proof(entry),
                name: filled.name.clone(),
                scheme: entry.scheme,
                port,
                path: filled.path.clone(),
                context: entry.context,
                route: route::route(facts, entry.context, server, &options.routes),
                tier: entry.tier,
                status: entry.status,
                replaced_by: entry.replaced_by.clone(),
                inspection: entry.inspection,
                tls: entry.tls.clone(),
                byte_ranges: entry.byte_ranges,
                idle_seconds: entry.idle_seconds,
                decision: decision(entry, missing),
                reasons,
            };
            match found.entry((requirement.subject.clone(), role, requirement.id.clone())) {
                Slot::Vacant(slot) => {
                    slot.insert(requirement);
                }
                // Two gateways, say, may share a name: one requirement with the reasons of both.
                Slot::Occupied(mut slot) => merge(slot.get_mut(), requirement),
            }
        }
    }
}

fn merge(into: &mut Requirement, other: Requirement) {
    for reason in other.reasons {
        if !into.reasons.contains(&reason) {
            into.reasons.push(reason);
        }
    }
    match (&mut into.decision, other.decision) {
        (Decision::Undecided { missing }, Decision::Undecided { missing: more }) => {
            missing.extend(more);
            missing.sort();
            missing.dedup();
        }
        (Decision::Undecided { .. }, decided) => into.decision = decided,
        _ => {}
    }
}

fn id(subject: &Who, role: CatalogRole, entry: &Entry, filled: &Filled, port: Option<u16>) -> RequirementId {
    let site = match &subject.subject {
        Subject::Host { site, .. } => format!("{site}/"),
        _ => String::new(),
    };
    let port = port.map_or_else(|| "?".to_owned(), |p| p.to_string());
    let role = role.title().replace(' ', "-").to_lowercase();
    let subject = subject.subject.to_string().replace(' ', "-");
    // A path of the catalog is the entry's; one that the facts fill tells two requirements of one entry apart.
    let path = if filled.path == entry.path { "" } else { filled.path.as_deref().unwrap_or_default() };
    RequirementId(format!("{site}{subject}/{role}/{}/{}://{}:{port}{path}", entry.id, entry.scheme, filled.name))
}

fn decision(entry: &Entry, missing: Vec<String>) -> Decision {
    if entry.status == Status::Retired {
        Decision::Retired
    } else if missing.is_empty() {
        Decision::Needed
    } else {
        Decision::Undecided { missing }
    }
}

fn proof(entry: &Entry) -> Proof {
    let Some(rule) = &entry.probe else { return Proof::Itself };
    let (hosts, evidence) = (rule.hosts.clone(), rule.evidence.clone());
    match rule.class {
        ProbeClass::Representative => Proof::Representative { hosts, evidence },
        ProbeClass::Related => Proof::Related { hosts, evidence },
        ProbeClass::NotTestable => Proof::NotTestable { evidence },
    }
}

/// Whether one of the entry's clouds is in use. Entries of all clouds ask nothing: they do not depend on Azure.
fn in_cloud(entry: &Entry, facts: &Index<'_>) -> Tri {
    if Cloud::ALL.iter().all(|cloud| entry.clouds.contains(cloud)) {
        return Tri::True(Vec::new());
    }
    match template::cloud_in_use(facts, &entry.clouds) {
        Ok(Some(reason)) => Tri::True(vec![reason]),
        Ok(None) => Tri::False,
        Err(missing) => Tri::Unknown(missing),
    }
}

/// Whether the target build, or else the hierarchy's, the newest of its sites, is one that needs the entry.
fn in_build(entry: &Entry, facts: &Index<'_>, options: &Options) -> Tri {
    if entry.since_build.is_none() && entry.until_build.is_none() {
        return Tri::True(Vec::new());
    }
    let fits = |build: u32| {
        entry.since_build.is_none_or(|since| since <= build) && entry.until_build.is_none_or(|until| build <= until)
    };
    if let Some(build) = options.target_build {
        return Tri::of(fits(build), || format!("the target build is {build}"));
    }
    if let Some(missing) = missing("builds of the sites", &facts.sites) {
        return Tri::unknown(missing);
    }
    match facts.newest_build() {
        None => Tri::unknown("builds of the sites: not in the site database"),
        Some(build) => Tri::of(fits(build), || format!("the hierarchy's build is {build}")),
    }
}
