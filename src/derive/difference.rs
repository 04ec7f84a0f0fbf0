//! What changes from one set of requirements to another.

use std::collections::HashSet;

use serde::Serialize;

use super::requirement::{Requirement, RequirementId};

/// What changes from today to after, in the order of the sets. Requirements are the same if their ids are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference<'a> {
    /// Needed after, not today.
    pub added: Vec<&'a Requirement>,
    /// Needed today, not after.
    pub removed: Vec<&'a Requirement>,
    /// In both, as they are after: a fact that was unknown today may be decided then.
    pub kept: Vec<&'a Requirement>,
}

/// Compares two sets: before and after an update, or without and with an assumption.
pub fn difference<'a>(today: &'a [Requirement], after: &'a [Requirement]) -> Difference<'a> {
    let ids = |set: &'a [Requirement]| set.iter().map(|r| &r.id).collect::<HashSet<&RequirementId>>();
    let (before, later) = (ids(today), ids(after));
    let (kept, added) = after.iter().partition(|requirement| before.contains(&requirement.id));
    let removed = today.iter().filter(|requirement| !later.contains(&requirement.id)).collect();
    Difference { added, removed, kept }
}
