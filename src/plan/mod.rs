//! Planning: requirements to distinct probes. Pure.
//!
//! One (scheme, host, port, path, route) is probed once, however many requirements it serves.

mod asks;
mod document;
mod retired;

pub use asks::{Asks, Content};
pub use document::{PLAN_FORMAT, PlanBounds, PlanDocument, PlanError};
pub use retired::{retired, spare};

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::Context;
use crate::derive::{Decision, Proof, RequiredName, Requirement, RequirementId, Via};
use crate::host::{HostName, HostPattern, Scheme};

/// The probes that prove the requirements from one vantage.
///
/// What is undecided, retired, not testable or reached by a route that nobody knows is not probed: `assess` says so.
pub fn build<'a>(requirements: impl IntoIterator<Item = &'a Requirement>) -> Plan {
    probes(requirements.into_iter().filter(|requirement| requirement.decision == Decision::Needed), true)
}

/// The probes of these requirements; without `asks` of the layers alone and of no path.
fn probes<'a>(requirements: impl Iterator<Item = &'a Requirement>, asks: bool) -> Plan {
    let mut places = HashMap::new();
    let mut probes: Vec<Probe> = Vec::new();
    for requirement in requirements {
        let Some(port) = requirement.port else { continue };
        let via = &requirement.route.via;
        if *via == Via::Unknown {
            continue;
        }
        let path = requirement.path.as_deref().filter(|_| asks).unwrap_or("/");
        for host in hosts(requirement) {
            let place = *places.entry((requirement.scheme, host, port, path, via)).or_insert_with(|| {
                let target = Target { scheme: requirement.scheme, host: host.clone(), port, path: path.to_owned() };
                probes.push(Probe {
                    id: ProbeId::of(&target, via),
                    target,
                    via: via.clone(),
                    contexts: BTreeSet::new(),
                    requirements: Vec::new(),
                    asks: Asks::default(),
                });
                probes.len() - 1
            });
            probes[place].contexts.insert(requirement.context);
            if asks {
                let path = probes[place].target.path.clone();
                probes[place].asks.add(requirement, host, &path);
            }
            probes[place].requirements.push(requirement.id.clone());
        }
    }
    probes.sort_by(|a, b| (&a.target, &a.via).cmp(&(&b.target, &b.via)));
    Plan { probes }
}

/// The probe of one endpoint, which asks what these requirements of it ask.
pub fn look(target: Target, via: Via, requirements: &[Requirement]) -> Probe {
    let mut asks = Asks::default();
    for requirement in requirements {
        asks.add(requirement, &target.host, &target.path);
    }
    let requirements = requirements.iter().map(|requirement| requirement.id.clone()).collect();
    Probe { id: ProbeId::of(&target, &via), target, via, contexts: BTreeSet::new(), requirements, asks }
}

/// The hosts that are probed for a requirement.
fn hosts(requirement: &Requirement) -> &[HostName] {
    match (&requirement.proof, &requirement.name) {
        (Proof::Representative { hosts, .. } | Proof::Related { hosts, .. }, _) => hosts,
        (Proof::Itself, RequiredName::Pattern(HostPattern::Exact(host))) => std::slice::from_ref(host),
        _ => &[],
    }
}

/// The probes of one vantage, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What to probe.
    pub probes: Vec<Probe>,
}

/// One thing to probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// Unique in a plan, readable: `https://download.microsoft.com:443/ direct`.
    pub id: ProbeId,
    /// What to reach.
    pub target: Target,
    /// How; never [`Via::Unknown`].
    pub via: Via,
    /// The proxy contexts that this route stands for.
    pub contexts: BTreeSet<Context>,
    /// The requirements that it serves.
    pub requirements: Vec<RequirementId>,
    /// What is looked at besides the layers.
    #[serde(default, skip_serializing_if = "Asks::is_empty")]
    pub asks: Asks,
}

/// Unique in a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProbeId(pub String);

impl ProbeId {
    /// The id of the probe of a target on a route.
    pub fn of(target: &Target, via: &Via) -> Self {
        Self(format!("{target} {via}"))
    }
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What to reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// The name: resolved, sent as SNI and as Host.
    pub host: HostName,
    /// The port.
    pub port: u16,
    /// The path to ask for, beginning with `/`.
    pub path: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}{}", self.scheme, self.host, self.port, self.path)
    }
}
