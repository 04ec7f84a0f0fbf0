//! Versions of Configuration Manager.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::SourceRef;
use super::version::DottedVersion;

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
    /// The oldest Microsoft ODBC Driver for SQL Server with which setup goes on, where that is documented.
    pub odbc_minimum: Option<DottedVersion>,
    /// Later drivers that must not be there.
    #[serde(default)]
    pub odbc_blocked: Vec<DottedVersion>,
    /// The oldest .NET Framework that site servers and site systems need, where that is documented.
    pub net_minimum: Option<DottedVersion>,
    /// According to whom.
    pub sources: Vec<SourceRef>,
}
