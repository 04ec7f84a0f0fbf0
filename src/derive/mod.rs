//! Derivation: facts and catalog to requirements. Pure.

mod assume;
mod condition;
mod difference;
mod explain;
mod holds;
mod index;
mod look;
mod options;
mod requirement;
mod route;
mod servers;
mod sup;
mod template;
#[cfg(test)]
mod tests;

pub use assume::{Assumption, AssumptionError, assume, assumed_too};
pub use difference::{Change, Difference, difference};
pub use explain::{Answer, Standing, standings};
pub use holds::holds;
pub use look::of_endpoint;
pub use options::{Options, UnknownVersion};
pub(crate) use requirement::endpoint;
pub use requirement::{Decision, Proof, RequiredName, Requirement, RequirementId, Route, RouteBasis, Subject, Via};
pub use route::{StatedRoutes, database_knows};

use std::collections::BTreeMap;

use crate::catalog::{Catalog, CatalogRole, Cloud, Entry, ProbeClass, Status};
use crate::site::Facts;
use condition::{Asker, Tri, missing, more};
use index::Index;
use servers::{Servers, Who};
use template::Filled;

/// What every host of this hierarchy needs, ordered by subject, role, entry and endpoint.
///
/// A fact that is unknown makes a requirement undecided; it never takes one away.
pub fn requirements(facts: &Facts, catalog: &Catalog, options: &Options) -> Vec<Requirement> {
    let facts = &Index::new(facts);
    let servers = Servers::of(facts);
    let mut groups: BTreeMap<CatalogRole, Vec<Group>> = BTreeMap::new();
    for entry in &catalog.entries {
        let Some(need) = Need::of(entry, facts, options) else { continue };
        for &role in &entry.roles {
            let group = |who| Group { who, role, requirements: Vec::new() };
            let groups = groups.entry(role).or_insert_with(|| servers.subjects(role).into_iter().map(group).collect());
            for group in groups {
                group.apply(&need, facts, options);
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_values().flatten().collect();
    groups.sort_by(|a, b| (&a.who.subject, a.role).cmp(&(&b.who.subject, b.role)));
    groups.into_iter().flat_map(Group::into_requirements).collect()
}

/// What an entry says whoever asks.
struct Need<'a> {
    entry: &'a Entry,
    /// Whether cloud and build are those of the entry; not false.
    applies: Tri,
    proof: Proof,
    /// The endpoints, where they are not others for each server.
    filled: Option<Vec<Filled>>,
}

impl<'a> Need<'a> {
    /// None if nobody needs it.
    fn of(entry: &'a Entry, facts: &Index<'_>, options: &Options) -> Option<Self> {
        let applies = in_cloud(entry, facts).and(|| in_build(entry, facts, options));
        let filled = || (!template::is_of_server(entry)).then(|| template::fill(entry, facts, None));
        (applies != Tri::False).then(|| Self { entry, applies, proof: proof(entry), filled: filled() })
    }
}

/// A subject in a role, with what it needs.
struct Group {
    who: Who,
    role: CatalogRole,
    requirements: Vec<Requirement>,
}

impl Group {
    /// Applies one entry.
    fn apply(&mut self, need: &Need<'_>, facts: &Index<'_>, options: &Options) {
        let Self { who, role, requirements } = self;
        let (entry, server) = (need.entry, who.server());
        let asker = Asker { facts, server, clouds: &entry.clouds };
        let (reasons, mut unknown) = match condition::evaluate(&entry.when, asker).and(|| need.applies.clone()) {
            Tri::False => return,
            Tri::True(reasons) => (reasons, Vec::new()),
            Tri::Unknown(missing) => (Vec::new(), missing),
        };
        unknown.extend(who.missing.iter().cloned());
        let own;
        let filled = if let Some(shared) = &need.filled {
            shared
        } else {
            own = template::fill(entry, facts, server);
            &own
        };
        let route = route::route(facts, entry.context, server, &options.routes);
        for filled in filled {
            let mut missing: Vec<String> = Vec::new();
            for text in unknown.iter().chain(&filled.missing) {
                if !missing.contains(text) {
                    missing.push(text.clone());
                }
            }
            let reasons = [std::slice::from_ref(&who.reason), &reasons, &filled.reasons].concat();
            let no_port = filled.ports.is_empty().then_some(None);
            for port in filled.ports.iter().copied().map(Some).chain(no_port) {
                requirements.push(Requirement {
                    id: id(who, entry, filled, port),
                    subject: who.subject.clone(),
                    role: *role,
                    entry: entry.id.clone(),
                    section: entry.section.clone(),
                    proof: need.proof.clone(),
                    name: filled.name.clone(),
                    scheme: entry.scheme,
                    port,
                    path: filled.path.clone(),
                    context: entry.context,
                    route: route.clone(),
                    tier: entry.tier,
                    status: entry.status,
                    replaced_by: entry.replaced_by.clone(),
                    inspection: entry.inspection,
                    tls: entry.tls.clone(),
                    byte_ranges: entry.byte_ranges,
                    idle_seconds: entry.idle_seconds,
                    decision: decision(entry, missing.clone()),
                    reasons: reasons.clone(),
                });
            }
        }
    }

    /// In the order of their ids. Two gateways, say, may share a name: one requirement with the reasons of both.
    fn into_requirements(mut self) -> Vec<Requirement> {
        self.requirements.sort_by(|a, b| a.id.cmp(&b.id));
        self.requirements.dedup_by(|later, first| {
            let same = later.id == first.id;
            if same {
                merge(first, later);
            }
            same
        });
        self.requirements
    }
}

fn merge(into: &mut Requirement, other: &mut Requirement) {
    for reason in std::mem::take(&mut other.reasons) {
        if !into.reasons.contains(&reason) {
            into.reasons.push(reason);
        }
    }
    match (&mut into.decision, std::mem::replace(&mut other.decision, Decision::Needed)) {
        (Decision::Undecided { missing }, Decision::Undecided { missing: more }) => {
            missing.extend(more);
            missing.sort();
            missing.dedup();
        }
        (Decision::Undecided { .. }, decided) => into.decision = decided,
        _ => {}
    }
}

fn id(who: &Who, entry: &Entry, filled: &Filled, port: Option<u16>) -> RequirementId {
    let port = port.map_or_else(|| "?".to_owned(), |p| p.to_string());
    // A path of the catalog is the entry's; one that the facts fill tells two requirements of one entry apart.
    let path = if filled.path == entry.path { "" } else { filled.path.as_deref().unwrap_or_default() };
    RequirementId(format!("{}{}/{}://{}:{port}{path}", who.prefix, entry.id, entry.scheme, filled.name))
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
        Some(build) if fits(build) => Tri::True(vec![format!("the hierarchy's build is {build}")]),
        // The one that is not known may be the newest.
        Some(_) if facts.sites.rows().iter().any(|site| site.build.is_none()) => {
            Tri::unknown("builds of the sites: not of every site in the site database")
        }
        Some(_) => more("sites", &facts.sites).map_or(Tri::False, Tri::unknown),
    }
}
