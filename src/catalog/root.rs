//! Root certificates that the endpoints' certificates lead to.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::SourceRef;

/// A root certificate that site systems must trust, or that a document wrongly still names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Its common name.
    pub name: String,
    /// SHA-1 over its DER, the thumbprint that Windows shows: 40 lower-case hexadecimal digits.
    pub sha1: String,
    /// The day on which it expired; then its absence is no finding.
    pub expired: Option<Date>,
    /// What else one should know.
    pub note: Option<String>,
    /// According to whom.
    pub sources: Vec<SourceRef>,
}
