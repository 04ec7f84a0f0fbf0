//! Facts of a host that decide what its services can do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts of the host that looked, by their names: TLS settings of `SChannel` and .NET, proxy settings, roots, versions. Those
/// that nobody asked for are not here.
pub type HostFacts = BTreeMap<String, HostFact>;

/// One fact of a host. Unreadable is never absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostFact {
    /// It is there.
    Known {
        /// Its values: one, or those of a list. Numbers stand in decimal, yes as `1`. Safe to print.
        values: Vec<String>,
    },
    /// It was looked for and is not there; what the system does then is its own affair.
    Absent,
    /// It could not be read.
    Unreadable {
        /// Why. Safe to print.
        why: String,
    },
}

impl HostFact {
    /// The only value.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Known { values } if values.len() == 1 => values.first().map(String::as_str),
            _ => None,
        }
    }
}
