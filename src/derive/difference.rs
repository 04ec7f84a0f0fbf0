//! What changes from one set of requirements to another.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::{Decision, Requirement, RequirementId};

/// What changes from today to after, in the order of the sets. Requirements are the same if their ids are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference<'a> {
    /// Needed after, not today.
    pub added: Vec<&'a Requirement>,
    /// Needed today, not after.
    pub removed: Vec<&'a Requirement>,
    /// Undecided today, decided after.
    pub decided: Vec<&'a Requirement>,
    /// In both, and nothing new is known of them.
    pub kept: Vec<&'a Requirement>,
}

/// How one requirement changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Needed after, not today.
    Added,
    /// Undecided today, decided after.
    Decided,
    /// Needed today, not after.
    Removed,
    /// The same.
    Kept,
}

/// Compares two sets: before and after an update, or without and with an assumption.
pub fn difference<'a>(today: &'a [Requirement], after: &'a [Requirement]) -> Difference<'a> {
    let by_id = |set: &'a [Requirement]| set.iter().map(|r| (&r.id, r)).collect::<HashMap<&RequirementId, _>>();
    let (before, later) = (by_id(today), by_id(after));
    let is_open = |requirement: &Requirement| matches!(requirement.decision, Decision::Undecided { .. });
    let (mut added, mut decided, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for requirement in after {
        match before.get(&requirement.id) {
            None => added.push(requirement),
            Some(old) if is_open(old) && !is_open(requirement) => decided.push(requirement),
            Some(_) => kept.push(requirement),
        }
    }
    let removed = today.iter().filter(|requirement| !later.contains_key(&requirement.id)).collect();
    Difference { added, removed, decided, kept }
}
