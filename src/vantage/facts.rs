//! Facts of a host that decide what its services can do.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{printable, proxies_without_secrets};

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

/// Facts with texts that are safe to print and hold no password of a proxy, and of bounded number.
pub(crate) fn harmless(facts: HostFacts) -> HostFacts {
    let fact = |name: &str, fact: HostFact| {
        let text = |text: &String| printable(&without_password(name, text), MAX_VALUE);
        match fact {
            HostFact::Known { values } => {
                HostFact::Known { values: values.iter().take(MAX_VALUES).map(text).collect() }
            }
            HostFact::Unreadable { why } => HostFact::Unreadable { why: text(&why) },
            HostFact::Absent => HostFact::Absent,
        }
    };
    facts.into_iter().take(MAX_FACTS).map(|(name, value)| (printable(&name, 80), fact(&name, value))).collect()
}

/// A setting of a proxy may hold `user:word@`, with a scheme or without, and the place of a script a signature.
fn without_password<'a>(name: &str, text: &'a str) -> Cow<'a, str> {
    if name.starts_with("proxy.") || text.contains("://") { proxies_without_secrets(text).into() } else { text.into() }
}

const MAX_FACTS: usize = 500;
const MAX_VALUES: usize = 200;
const MAX_VALUE: usize = 2000;
