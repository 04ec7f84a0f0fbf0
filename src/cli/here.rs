//! The name of this machine.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::host::HostName;
use crate::registry;

/// What this machine calls itself; empty if it does not say.
pub(super) fn name() -> String {
    let name = if cfg!(windows) {
        static NAME: LazyLock<String> = LazyLock::new(|| {
            let parameters = registry::query(PARAMETERS, Instant::now() + LIMIT).ok().flatten();
            let computer = std::env::var("COMPUTERNAME").ok();
            of_windows(parameters.as_deref(), computer.as_deref()).unwrap_or_default()
        });
        NAME.clone()
    } else if cfg!(target_os = "linux") {
        std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default()
    } else {
        std::env::var("HOSTNAME").unwrap_or_default()
    };
    name.trim().to_owned()
}

/// The host's name in DNS with the domain that the machine is in, from what `reg query` prints of the parameters of TCP/IP;
/// the script asks the same of .NET. Without them `COMPUTERNAME`, the name of NetBIOS, which is cut at 15 characters: one of
/// that length may be the beginning of a longer one, and so is none.
fn of_windows(parameters: Option<&str>, computer: Option<&str>) -> Option<String> {
    let value = |names: [&str; 2]| names.into_iter().find_map(|name| registry::value(parameters?, name));
    // What holds now stands before what holds after the next start.
    let Some(host) = value(["Hostname", "NV Hostname"]) else {
        return computer.filter(|name| name.chars().count() < NETBIOS).map(str::to_owned);
    };
    let full = value(["Domain", "NV Domain"]).map(|domain| format!("{host}.{domain}"));
    Some(full.filter(|full| HostName::parse(full).is_ok()).unwrap_or_else(|| host.to_owned()))
}

/// The account of this process, as the environment names it.
pub(super) fn account() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // The account of the system itself has the name of the machine in its environment, as NETWORK SERVICE has; its
    // profile tells them apart.
    if variable("USERPROFILE").is_some_and(|path| path.to_ascii_lowercase().ends_with(r"\config\systemprofile")) {
        return Some(r"NT AUTHORITY\SYSTEM".to_owned());
    }
    let user = variable("USERNAME").or_else(|| variable("USER"))?;
    let account = variable("USERDOMAIN").map_or_else(|| user.clone(), |domain| format!("{domain}\\{user}"));
    Some(crate::text::printable(&account, 200))
}

const PARAMETERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
const LIMIT: Duration = Duration::from_secs(5);
/// The most characters that a name of NetBIOS has.
const NETBIOS: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vantage::Vantage;

    fn printed(values: &[(&str, &str)]) -> String {
        let lines = values.iter().map(|(name, data)| format!("    {name}    REG_SZ    {data}\r\n"));
        format!("\r\n{PARAMETERS}\r\n{}\r\n{PARAMETERS}\\Adapters\r\n", lines.collect::<String>())
    }

    #[test]
    fn a_machine_of_windows_has_its_whole_name() {
        let name = |values: &[(&str, &str)]| of_windows(Some(&printed(values)), Some("CM-PS1-SUP-EURO"));
        let long = ("Hostname", "cm-ps1-sup-europe01");
        assert_eq!(
            name(&[("Domain", "corp.contoso.com"), long]).as_deref(),
            Some("cm-ps1-sup-europe01.corp.contoso.com")
        );
        assert_eq!(name(&[("Domain", ""), long]).as_deref(), Some("cm-ps1-sup-europe01"), "in no domain");
        assert_eq!(name(&[("Domain", "no domain"), long]).as_deref(), Some("cm-ps1-sup-europe01"));
        let renamed = [("NV Domain", "new.contoso.com"), ("NV Hostname", "cm02"), ("Domain", "contoso.com"), long];
        assert_eq!(name(&renamed).as_deref(), Some("cm-ps1-sup-europe01.contoso.com"), "after the next start only");
        assert_eq!(name(&renamed[..2]).as_deref(), Some("cm02.new.contoso.com"));
    }

    #[test]
    fn a_name_that_may_be_cut_is_none() {
        let name = |computer| of_windows(None, Some(computer)).unwrap_or_default();
        assert_eq!(name("CM-PS1-DP1"), "CM-PS1-DP1");
        // Another machine is really called so.
        let other: HostName = "cm-ps1-sup-euro.corp.contoso.com".parse().unwrap();
        assert_eq!(Vantage::local(&name("CM-PS1-SUP-EURO")).host_among([&other]), None);
        assert_eq!(Vantage::local(&name("CM-PS1-SUP-EUR")).host_among([&other]), None);
        assert_eq!(of_windows(Some(&printed(&[("DataBasePath", "x")])), None), None);
    }
}
