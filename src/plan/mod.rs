//! Planning: requirements to distinct probes. Pure.
//!
//! One (scheme, host, port, path, route) is probed once, however many requirements it serves.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::Context;
use crate::derive::{RequirementId, Via};
use crate::host::{HostName, Scheme};

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
}

/// Unique in a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ProbeId(pub String);

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
