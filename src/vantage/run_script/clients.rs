//! The clients document: what many clients saw of one plan, counted. It grows with groups and endpoints, never with clients.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Silence;
use crate::evidence::{Tool, left_out};
use crate::plan::{PlanBounds, PlanDocument, ProbeId};
use crate::probe::FailureCode;
use crate::text::{canonical_sha256, printable};

/// The format of [`Clients`]; a change that old readers would misread makes it a new one.
pub const CLIENTS_FORMAT: &str = "cmcomply.clients/1";

/// What the clients of a hierarchy saw of one plan, by the answers of a script of Run Scripts. It judges nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clients {
    /// [`CLIENTS_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// The `sha256` of the plan.
    pub plan_sha256: String,
    /// The bounds of the plan.
    pub bounds: PlanBounds,
    /// The GUID of the script.
    pub script: String,
    /// The objects of the site database that it is from.
    pub object: String,
    /// What the groups are.
    pub grouped_by: GroupedBy,
    /// When it was read, in UTC.
    pub collected: Timestamp,
    /// The first answer, by the clock of that client.
    pub first_answer: Option<Timestamp>,
    /// The last answer.
    pub last_answer: Option<Timestamp>,
    /// How many answers were given by another account than SYSTEM.
    pub not_as_system: u64,
    /// The endpoints, in the order of the counts of each group.
    pub probes: Vec<ProbeId>,
    /// All clients that the site knows, by boundary group or network.
    pub groups: Vec<ClientGroup>,
    /// SHA-256, in lower-case hexadecimal, over the canonical form of the document without this field. It shows damage; it is
    /// no signature.
    pub sha256: String,
}

/// More than any site has.
const MAX_COUNT: u64 = 1_000_000_000;
const MAX_GROUPS: usize = 10_000;

/// What groups of clients are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupedBy {
    /// Boundary groups, as the console shows them of a device. A client of several has a group for these together.
    BoundaryGroup,
    /// IP subnets; of a client of several the first.
    Network,
    /// Neither is visible to the login: all clients are one group.
    Nothing,
}

/// Clients of one boundary group or network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientGroup {
    /// Its name. Safe to print; empty for clients without one.
    pub group: String,
    /// Clients that the site knows.
    pub clients: u64,
    /// Clients that answered.
    pub answered: u64,
    /// Clients that did not, by the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub silent: BTreeMap<Silence, u64>,
    /// What those that answered saw, in the order of `probes`.
    pub endpoints: Vec<ClientCounts>,
}

/// What clients saw of one endpoint. The numbers come to those that answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientCounts {
    /// Reached: in clear, or over TLS that leads to a public root.
    pub reached: u64,
    /// Reached over TLS that the client trusts and the public does not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub other_root: u64,
    /// The same, and what came may be the page of a filter.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub other_root_page: u64,
    /// Reached in clear, and what came may be the page of a filter.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub page: u64,
    /// Not gone through, or left out of the answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_seen: u64,
    /// Failed, by the first failure.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<FailureCode, u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl ClientCounts {
    /// How many failed.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// How many answers were counted.
    pub fn all(&self) -> u64 {
        self.reached + self.other_root + self.other_root_page + self.page + self.not_seen + self.failures()
    }

    /// Adds the counts of another group.
    pub fn add(&mut self, other: &Self) {
        self.reached += other.reached;
        self.other_root += other.other_root;
        self.other_root_page += other.other_root_page;
        self.page += other.page;
        self.not_seen += other.not_seen;
        for (code, count) in &other.failed {
            *self.failed.entry(*code).or_default() += count;
        }
    }
}

/// Why something is no clients document that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// Of another version.
    #[error("{path} is of format {format}; this version reads {CLIENTS_FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// What it says it is.
        format: String,
    },
    /// No JSON, or a field is missing, unknown or of a wrong type, or the counts do not come to what they should.
    #[error("{path} is no clients document, or is damaged: {what}")]
    Invalid {
        /// The file.
        path: String,
        /// Where and what.
        what: String,
    },
}

impl Clients {
    /// Clients that the site knows.
    pub fn clients(&self) -> u64 {
        self.groups.iter().map(|group| group.clients).sum()
    }

    /// Clients that answered.
    pub fn answered(&self) -> u64 {
        self.groups.iter().map(|group| group.answered).sum()
    }

    /// Clients that did not, by the reason.
    pub fn silent(&self) -> BTreeMap<Silence, u64> {
        let mut all = BTreeMap::new();
        for (why, count) in self.groups.iter().flat_map(|group| &group.silent) {
            *all.entry(*why).or_default() += count;
        }
        all
    }

    /// Whether every client that the site knows answered.
    pub fn is_whole(&self) -> bool {
        self.clients() > 0 && self.answered() == self.clients()
    }

    /// What all groups together saw of an endpoint; `None` if it is none of these.
    pub fn seen(&self, probe: &ProbeId) -> Option<ClientCounts> {
        let place = self.probes.iter().position(|known| known == probe)?;
        let mut all = ClientCounts::default();
        self.groups.iter().filter_map(|group| group.endpoints.get(place)).for_each(|seen| all.add(seen));
        Some(all)
    }

    /// What each group saw of an endpoint.
    pub fn by_group<'a>(
        &'a self,
        probe: &ProbeId,
    ) -> impl Iterator<Item = (&'a ClientGroup, &'a ClientCounts)> + use<'a> {
        let place = self.probes.iter().position(|known| known == probe);
        self.groups.iter().filter_map(move |group| Some((group, group.endpoints.get(place?)?)))
    }

    /// Whether every client that the site knows reached this endpoint.
    pub fn proves(&self, probe: &ProbeId) -> bool {
        let reached = |seen: ClientCounts| seen.reached + seen.other_root == self.clients();
        self.is_whole() && self.seen(probe).is_some_and(reached)
    }

    /// Whether this is of such a plan, whatever its bounds are now.
    pub fn is_of(&self, plan: &PlanDocument) -> bool {
        let as_then = PlanDocument::new(None, self.bounds, plan.probes.clone());
        as_then.sha256 == self.plan_sha256 && plan.probes.iter().map(|probe| &probe.id).eq(&self.probes)
    }

    /// The document, indented, with a line end.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Parses a document and checks all of it; `path` is for the errors.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, ClientsError> {
        let invalid = |what: &str| ClientsError::Invalid { path: path.to_owned(), what: printable(what, 400) };
        let given: Value = serde_json::from_slice(bytes).map_err(|error| invalid(&error.to_string()))?;
        let format = given.get("format").and_then(Value::as_str).unwrap_or("no known kind");
        if format != CLIENTS_FORMAT {
            return Err(ClientsError::Format { path: path.to_owned(), format: printable(format, 80) });
        }
        let document = Self::deserialize(&given).map_err(|error| invalid(&error.to_string()))?;
        let understood = serde_json::to_value(&document).map_err(|error| invalid(&error.to_string()))?;
        if let Some(key) = left_out(&given, &understood) {
            return Err(invalid(&format!("this version does not know `{}`", key.trim_start_matches('.'))));
        }
        if document.sha256 != document.hash() {
            return Err(invalid("it was changed after it was made: its hash is another one"));
        }
        match document.contradiction() {
            Some(what) => Err(invalid(&what)),
            None => Ok(document),
        }
    }

    /// What in the counts does not fit.
    pub(crate) fn contradiction(&self) -> Option<String> {
        for group in &self.groups {
            let name = printable(&group.group, 80);
            let counts = group.endpoints.iter().flat_map(|seen| {
                let ClientCounts { reached, other_root, other_root_page, page, not_seen, failed } = seen;
                [reached, other_root, other_root_page, page, not_seen].into_iter().chain(failed.values())
            });
            let mut counts = counts.chain(group.silent.values()).chain([&group.clients, &group.answered]);
            // No sum of what is less overflows.
            if counts.any(|count| *count > MAX_COUNT) || self.groups.len() > MAX_GROUPS {
                return Some("it counts more than any site has".to_owned());
            }
            if group.answered + group.silent.values().sum::<u64>() != group.clients {
                return Some(format!(
                    "the clients of group `{name}` are not those that answered and those that did not"
                ));
            }
            if group.endpoints.len() != self.probes.len() {
                return Some(format!("group `{name}` has not one count for each endpoint"));
            }
            if group.endpoints.iter().any(|seen| seen.all() != group.answered) {
                return Some(format!("the counts of group `{name}` do not come to those that answered"));
            }
        }
        None
    }

    pub(super) fn hash(&self) -> String {
        canonical_sha256(serde_json::to_value(self).expect("strings, numbers and lists of them become JSON"))
    }
}
