//! The account of this process.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::registry::command;
use crate::text::printable;
use crate::vantage::SYSTEM;

/// The account: the identifier of SYSTEM, where Windows itself says so, else its name, as the environment has it. Which
/// proxy is used may depend on it.
pub(super) fn account() -> Option<String> {
    static ACCOUNT: LazyLock<Option<String>> = LazyLock::new(|| {
        let said = if cfg!(windows) { asked() } else { None };
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        said.filter(|said| said == SYSTEM).or_else(|| named(variable))
    });
    ACCOUNT.clone()
}

/// What `whoami` says. Its place does not come from the environment, which anybody may set.
fn asked() -> Option<String> {
    let mut whoami = std::process::Command::new(WHOAMI);
    let said = command::run(whoami.args(["/user", "/fo", "csv", "/nh"]), Instant::now() + LIMIT, MOST);
    identifier(&said.ok()??)
}

/// The identifier in `"contoso\admin","S-1-5-21-…"`.
fn identifier(said: &str) -> Option<String> {
    let (_, last) = said.trim().rsplit_once(',')?;
    let bare = last.strip_prefix('"')?.strip_suffix('"')?;
    let rest = bare.strip_prefix("S-1-")?;
    let fits = rest.len() <= 180 && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    fits.then(|| bare.to_owned())
}

/// The name in the environment. Identifiers are what the system says, so a name that looks like one is none.
fn named(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let user = variable("USERNAME").or_else(|| variable("USER"))?;
    let account = variable("USERDOMAIN").map_or_else(|| user.clone(), |domain| format!("{domain}\\{user}"));
    Some(printable(&account, 200)).filter(|account| !account.to_ascii_uppercase().starts_with("S-1-"))
}

const WHOAMI: &str = r"C:\Windows\System32\whoami.exe";
const LIMIT: Duration = Duration::from_secs(5);
/// The most octets that it prints.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vantage::{EvidenceGrade, Standing};

    #[test]
    fn the_identifier_is_the_last_of_what_whoami_says() {
        let said = "\"nt authority\\system\",\"S-1-5-18\"\r\n";
        assert_eq!(identifier(said).as_deref(), Some("S-1-5-18"));
        assert_eq!(identifier("\"a, \"\"b\"\"\",\"S-1-5-21-1-2-3-500\"").as_deref(), Some("S-1-5-21-1-2-3-500"));
        for said in ["", "S-1-5-18", "\"x\",\"S-1-5-18 or so\"", "\"S-1-5-18\",\"x\"", "\"x\",\"\u{1b}[2J\""] {
            assert_eq!(identifier(said), None, "{said}");
        }
    }

    /// Whatever the environment says, it is not SYSTEM.
    #[test]
    fn the_environment_makes_nobody_system() {
        let of = |variables: &[(&str, &str)]| {
            let variable =
                |name: &str| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
            named(variable)
        };
        assert_eq!(of(&[("USERDOMAIN", "CONTOSO"), ("USERNAME", "admin")]).as_deref(), Some("CONTOSO\\admin"));
        assert_eq!(of(&[("USER", "root")]).as_deref(), Some("root"));
        assert_eq!((of(&[("USERNAME", "S-1-5-18")]), of(&[("USER", "s-1-5-18")])), (None, None));
        let profile = ("USERPROFILE", r"C:\Windows\system32\config\systemprofile");
        let forged = of(&[("USERDOMAIN", "NT AUTHORITY"), ("USERNAME", "SYSTEM"), profile]);
        for os in ["windows", "linux"] {
            assert_eq!(Standing::Itself.grade(forged.as_deref(), os), EvidenceGrade::B, "{os}");
        }
    }
}
