//! Derivation: facts and catalog to requirements. Pure.

mod condition;
mod index;
mod requirement;
mod route;
mod sup;
mod template;
#[cfg(test)]
mod tests;

pub use requirement::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
pub use route::{StatedRoutes, database_knows};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use crate::catalog::{Catalog, CatalogRole, Cloud, Entry, ProbeClass, Status};
use crate::host::HostName;
use crate::site::{Fact, Facts, Role, SiteCode};
use condition::{Asker, Tri, missing};
use index::Index;

/// What every host of this hierarchy needs, ordered by subject, role, entry and endpoint.
///
/// A fact that is unknown makes a requirement undecided; it never takes one away.
pub fn requirements(facts: &Facts, catalog: &Catalog, stated: &StatedRoutes) -> Vec<Requirement> {
    let facts = &Index::new(facts);
    let servers = Servers::of(facts);
    let mut found = BTreeMap::new();
    for entry in &catalog.entries {
        for &role in &entry.roles {
            for subject in servers.subjects(role) {
                apply(entry, role, &subject, facts, stated, &mut found);
            }
        }
    }
    found.into_values().collect()
}

type Found = BTreeMap<(Subject, CatalogRole, RequirementId), Requirement>;

/// Applies one entry to one subject.
fn apply(entry: &Entry, role: CatalogRole, subject: &Who, facts: &Index<'_>, stated: &StatedRoutes, found: &mut Found) {
    let server = match &subject.subject {
        Subject::Host { site, host } => Some((site, host)),
        _ => None,
    };
    let asker = Asker { facts, server, clouds: &entry.clouds };
    let applies = condition::evaluate(&entry.when, asker).and(|| in_cloud(entry, facts)).and(|| in_build(entry, facts));
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
            let mut missing = unknown.clone();
            missing.extend(filled.missing.iter().cloned());
            let mut reasons = reasons.clone();
            reasons.extend(filled.reasons.iter().cloned());
            let requirement = Requirement {
                id: id(subject, role, entry, &filled.name, port),
                subject: subject.subject.clone(),
                role,
                entry: entry.id.clone(),
                section: entry.section.clone(),
                proof: proof(entry),
                name: filled.name.clone(),
                scheme: entry.scheme,
                port,
                path: entry.path.clone(),
                context: entry.context,
                route: route::route(facts, entry.context, server, stated),
                tier: entry.tier,
                status: entry.status,
                replaced_by: entry.replaced_by.clone(),
                inspection: entry.inspection,
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

fn id(subject: &Who, role: CatalogRole, entry: &Entry, name: &RequiredName, port: Option<u16>) -> RequirementId {
    let site = match &subject.subject {
        Subject::Host { site, .. } => format!("{site}/"),
        _ => String::new(),
    };
    let port = port.map_or_else(|| "?".to_owned(), |p| p.to_string());
    let role = role.title().replace(' ', "-").to_lowercase();
    let subject = subject.subject.to_string().replace(' ', "-");
    RequirementId(format!("{site}{subject}/{role}/{}/{}://{name}:{port}", entry.id, entry.scheme))
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

/// Whether the hierarchy's build, the newest of its sites, is one that needs the entry.
fn in_build(entry: &Entry, facts: &Index<'_>) -> Tri {
    if entry.since_build.is_none() && entry.until_build.is_none() {
        return Tri::True(Vec::new());
    }
    if let Some(missing) = missing("builds of the sites", &facts.sites) {
        return Tri::unknown(missing);
    }
    match facts.sites.rows().iter().filter_map(|site| site.build).max() {
        None => Tri::unknown("builds of the sites: not in the site database"),
        Some(build) => {
            let fits = entry.since_build.is_none_or(|since| since <= build)
                && entry.until_build.is_none_or(|until| build <= until);
            Tri::of(fits, || format!("the hierarchy's build is {build}"))
        }
    }
}

/// A subject, with what makes it one.
#[derive(Debug, Clone)]
struct Who {
    subject: Subject,
    source: String,
    missing: Vec<String>,
}

impl Who {
    fn reason(&self, role: CatalogRole) -> String {
        match &self.subject {
            Subject::Host { site, host } => format!("{host} is {} of site {site} ({})", role.title(), self.source),
            Subject::Clients | Subject::Consoles => format!("{} of this hierarchy", self.subject),
            Subject::UnknownHosts => format!("whether a server is {} is unknown", role.title()),
        }
    }
}

/// The servers by role, from the list of site systems and from the facts about single roles.
struct Servers {
    by_role: BTreeMap<Role, BTreeMap<Subject, String>>,
    /// Why the list of site systems is not known.
    missing: Option<String>,
    /// Roles whose servers are known from a fact of their own.
    known: Vec<Role>,
}

impl Servers {
    fn of(facts: &Index<'_>) -> Self {
        let mut this =
            Self { by_role: BTreeMap::new(), missing: missing("site systems", &facts.site_systems), known: Vec::new() };
        if let Fact::Known { value, source } = &facts.site_systems {
            for system in value {
                for installed in &system.roles {
                    this.add(installed.role.clone(), &system.site, &system.host, &source.object);
                }
            }
        }
        this.add_rows(&Role::ServiceConnectionPoint, &facts.service_connection_points, |p| (&p.site, &p.host));
        this.add_rows(&Role::SoftwareUpdatePoint, &facts.software_update_points, |p| (&p.site, &p.host));
        this.add_rows(&Role::CmgConnectionPoint, &facts.cmg_connection_points, |p| (&p.site, &p.host));
        this
    }

    fn add(&mut self, role: Role, site: &SiteCode, host: &HostName, source: &str) {
        let subject = Subject::Host { site: site.clone(), host: host.clone() };
        self.by_role.entry(role).or_default().entry(subject).or_insert_with(|| source.to_owned());
    }

    fn add_rows<T>(&mut self, role: &Role, fact: &Fact<Vec<T>>, place: impl Fn(&T) -> (&SiteCode, &HostName)) {
        if let Fact::Known { value, source } = fact {
            self.known.push(role.clone());
            for row in value {
                let (site, host) = place(row);
                self.add(role.clone(), site, host, &source.object);
            }
        }
    }

    fn subjects(&self, role: CatalogRole) -> Vec<Who> {
        let whole = |subject| Who { subject, source: String::new(), missing: Vec::new() };
        let Some(role) = role.site_role() else {
            return vec![whole(if role == CatalogRole::Client { Subject::Clients } else { Subject::Consoles })];
        };
        let mut subjects: Vec<Who> = self
            .by_role
            .get(&role)
            .into_iter()
            .flatten()
            .map(|(subject, source)| Who { subject: subject.clone(), source: source.clone(), missing: Vec::new() })
            .collect();
        if let Some(missing) = &self.missing
            && !self.known.contains(&role)
        {
            let missing = vec![missing.clone()];
            subjects.push(Who { subject: Subject::UnknownHosts, source: String::new(), missing });
        }
        subjects
    }
}
