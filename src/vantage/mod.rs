//! Vantages: the hosts from which one probes.

mod command;
pub mod winrm;

pub use command::{Answer, Command};

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

    /// The one of these hosts that this machine is. A machine that only knows its short name is the host whose first
    /// label that is, if there is just one such host: two servers of one name would otherwise both be proved by it.
    pub fn host_among<'a>(&self, hosts: impl IntoIterator<Item = &'a HostName>) -> Option<&'a HostName> {
        let own = self.host.as_ref()?;
        let mut alike: Vec<&HostName> = hosts.into_iter().filter(|host| own.same_machine(host)).collect();
        alike.sort_unstable();
        alike.dedup();
        match alike.as_slice() {
            [host] => Some(host),
            several => several.iter().find(|host| **host == own).copied(),
        }
    }

    /// For people.
    pub fn title(&self) -> &str {
        self.host.as_ref().map_or("this machine", HostName::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_one_host_or_none() {
        let host = |name: &str| HostName::parse(name).unwrap();
        let (europe, america) = (host("web01.eu.contoso.com"), host("web01.us.contoso.com"));
        let machine = |name: &str| Vantage::local(name);
        assert_eq!(machine("WEB01").host_among([&europe, &europe]), Some(&europe));
        assert_eq!(machine("WEB01").host_among([&europe, &america]), None);
        assert_eq!(machine("web01.us.contoso.com").host_among([&europe, &america]), Some(&america));
        assert_eq!(machine("web02").host_among([&europe]), None);
        assert_eq!(machine("no host name").host_among([&europe]), None);
    }
}
