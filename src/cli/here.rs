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
