//! Vantages: the machines from which one looks, how one acts there, and what their word is worth.

mod access;
mod assign;
mod carried;
mod check;
mod clients_file;
mod clock;
mod command;
mod facts;
mod grade;
mod observe;
mod process;
mod rule;
pub mod run_script;
pub mod script;
mod ssh;
mod unreached;
pub mod winrm;
mod work;

pub use access::Access;
pub use assign::{Place, Seat, Seats, THIS_MACHINE, assign};
pub use carried::{CarriedError, CarriedFile};
pub use check::{Check, check_all};
pub use clients_file::ClientsFile;
pub use command::{Answer, Command};
pub use facts::{HostFact, HostFacts};
pub use grade::{EvidenceGrade, SYSTEM, Standing};
pub use observe::{Asking, Remote, Sight, observe_all};
pub use rule::{SecretSource, VantageRule};
pub use unreached::{Unreached, UnreachedWhy};

pub(crate) use facts::harmless;
pub(crate) use rule::RuleTable;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VantageKind {
    /// The machine that runs cmcomply.
    Local,
    /// A script over WinRM; nothing is installed there.
    Winrm,
    /// cmcomply itself over SSH.
    Ssh,
    /// A script over SSH, on Windows; nothing is installed there.
    SshWindows,
    /// A plan is carried there, and a file comes back.
    Carried,
    /// Clients answered a script of Configuration Manager's Run Scripts.
    RunScripts,
    /// Nobody looks.
    None,
}

impl VantageKind {
    /// Every kind that a table of `cmcomply.toml` can name.
    pub const NAMED: [(Self, &'static str); 6] = [
        (Self::Local, "here"),
        (Self::Winrm, "winrm"),
        (Self::Ssh, "ssh"),
        (Self::SshWindows, "ssh-windows"),
        (Self::Carried, "carried"),
        (Self::None, "none"),
    ];

    /// The name in `cmcomply.toml`, and for people. `RunScripts` has no table there: a file brings it.
    pub fn name(self) -> &'static str {
        if self == Self::RunScripts {
            return "Run Scripts";
        }
        Self::NAMED.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// The default port; `None` where no port is asked.
    pub fn port(self) -> Option<u16> {
        match self {
            Self::Winrm => Some(5986),
            Self::Ssh | Self::SshWindows => Some(22),
            Self::Local | Self::Carried | Self::RunScripts | Self::None => None,
        }
    }
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
