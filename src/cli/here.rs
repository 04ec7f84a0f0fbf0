//! The name of this machine.

/// What this machine calls itself; empty if it does not say.
pub(super) fn name() -> String {
    #[cfg(windows)]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    #[cfg(target_os = "linux")]
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    #[cfg(not(any(windows, target_os = "linux")))]
    let name = std::env::var("HOSTNAME").unwrap_or_default();
    name.trim().to_owned()
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
