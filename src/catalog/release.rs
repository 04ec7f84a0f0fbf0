//! Versions of Configuration Manager.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::SourceRef;

/// One version of Configuration Manager, current branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Year and month, such as `2403`.
    pub version: String,
    /// The third field of `5.00.BUILD`.
    pub build: u32,
    /// The day of the early update ring.
    pub available: Date,
    /// The last day of support.
    pub support_ends: Date,
    /// The oldest version that can be updated to this one, where that is documented.
    pub upgrade_floor: Option<String>,
    /// According to whom.
    pub sources: Vec<SourceRef>,
}
