//! Vantages: the hosts from which one probes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::HostName;

/// The machine that observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vantage {
    /// How one acted there.
    pub kind: VantageKind,
    /// Its name, if it is a host name.
    pub host: Option<HostName>,
    /// The operating system, such as `windows` or `linux`.
    pub os: String,
}

/// How one acts from a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VantageKind {
    /// The machine that runs cmcomply.
    Local,
}

impl Vantage {
    /// The machine that runs cmcomply. `name` is what the machine calls itself.
    pub fn local(name: &str) -> Self {
        Self { kind: VantageKind::Local, host: HostName::parse(name).ok(), os: std::env::consts::OS.to_owned() }
    }

    /// Whether this is the host of a requirement.
    pub fn is(&self, host: &HostName) -> bool {
        self.host.as_ref().is_some_and(|own| own.same_machine(host))
    }

    /// For people.
    pub fn title(&self) -> &str {
        self.host.as_ref().map_or("this machine", HostName::as_str)
    }
}
