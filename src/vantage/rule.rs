//! The tables `[[vantages]]` of `cmcomply.toml`: which hosts are looked at from where, and as whom.

use std::path::PathBuf;

use serde::Deserialize;

use super::VantageKind;
use crate::derive::Subject;
use crate::glob::Glob;
use crate::host::HostName;
use crate::site::Role;

/// From where some hosts are looked at. The first rule that fits a host counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the file")]
pub struct VantageRule {
    /// Names of hosts, or patterns in which `*` stands for any text; `clients` and `consoles` for those, which no pattern
    /// means.
    pub hosts: Vec<Glob>,
    /// Roles, one of which the host must have; empty: any.
    pub roles: Vec<Role>,
    /// How one acts there.
    pub kind: VantageKind,
    /// The machine that looks, where it is not the host itself.
    pub machine: Option<HostName>,
    /// The operator states that the machine is of the hosts' subnet, behind the same firewall.
    pub same_subnet: bool,
    /// Sign in as this account.
    pub account: Option<String>,
    /// Where its password comes from.
    pub password: Option<SecretSource>,
    /// The port, where it is not the usual one.
    pub port: Option<u16>,
    /// SSH: the private key.
    pub key_file: Option<PathBuf>,
    /// SSH: the known host keys, where they are not in the usual file.
    pub known_hosts_file: Option<PathBuf>,
    /// SSH: the program there, where it is not on the path.
    pub program: Option<String>,
    /// WinRM: a certificate authority that is trusted besides this machine's.
    pub ca_file: Option<PathBuf>,
    /// WinRM: over HTTP, with encrypted messages.
    pub http: bool,
    /// WinRM: sign in by Basic, over HTTPS alone.
    pub basic: bool,
    /// The script: once as SYSTEM, by a task that is removed again.
    pub as_system: bool,
}

/// Where a password is read from, never the password itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Variable(String),
    /// The first line of a file.
    File(PathBuf),
}

/// The table as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the file")]
pub(crate) struct RuleTable {
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    kind: String,
    machine: Option<HostName>,
    #[serde(default)]
    same_subnet: bool,
    account: Option<String>,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
    port: Option<u16>,
    key_file: Option<PathBuf>,
    known_hosts_file: Option<PathBuf>,
    program: Option<String>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    http: bool,
    #[serde(default)]
    basic: bool,
    #[serde(default)]
    as_system: bool,
}

impl TryFrom<RuleTable> for VantageRule {
    type Error = String;
    /// The errors repeat no value but the names of kinds and roles: a value of this file may be a secret.
    fn try_from(table: RuleTable) -> Result<Self, String> {
        let kinds = VantageKind::NAMED;
        let kind = kinds
            .iter()
            .find(|(_, name)| *name == table.kind)
            .map(|(kind, _)| *kind)
            .ok_or_else(|| format!("the kind of a vantage is one of {}", kinds.map(|(_, name)| name).join(", ")))?;
        if table.hosts.is_empty() && table.roles.is_empty() {
            return Err("a vantage needs `hosts` or `roles`: whom it is for".to_owned());
        }
        if table.hosts.iter().any(|host| !is_pattern(host)) {
            return Err(
                "`hosts` holds something that is no host name or pattern; `*`, `clients` and `consoles` are".to_owned()
            );
        }
        let roles = table.roles.iter().map(|name| role(name)).collect::<Result<_, _>>()?;
        let over_ssh = matches!(kind, VantageKind::Ssh | VantageKind::SshWindows);
        let over_net = over_ssh || kind == VantageKind::Winrm;
        for (key, given, fits) in [
            ("machine", table.machine.is_some(), over_net || kind == VantageKind::Carried),
            ("account", table.account.is_some(), over_net),
            ("port", table.port.is_some(), over_net),
            ("password_env", table.password_env.is_some(), kind == VantageKind::Winrm),
            ("password_file", table.password_file.is_some(), kind == VantageKind::Winrm),
            ("ca_file", table.ca_file.is_some(), kind == VantageKind::Winrm),
            ("http", table.http, kind == VantageKind::Winrm && !table.basic),
            ("basic", table.basic, kind == VantageKind::Winrm && !table.http),
            ("as_system", table.as_system, matches!(kind, VantageKind::Winrm | VantageKind::SshWindows)),
            ("key_file", table.key_file.is_some(), over_ssh),
            ("known_hosts_file", table.known_hosts_file.is_some(), over_ssh),
            ("program", table.program.is_some(), kind == VantageKind::Ssh),
            ("same_subnet", table.same_subnet, kind == VantageKind::Local || table.machine.is_some()),
        ] {
            if given && !fits {
                return Err(format!("`{key}` does not go with the vantage `{}` here", kind.name()));
            }
        }
        let kinds_of_device =
            |host: &String| ["clients", "consoles"].iter().any(|word| host.eq_ignore_ascii_case(word));
        let far = over_net || kind == VantageKind::Carried;
        if far && table.machine.is_none() && table.hosts.iter().any(kinds_of_device) {
            return Err(
                "`clients` and `consoles` have no host of their own: name the `machine` that looks for them".to_owned()
            );
        }
        if table.account.as_deref().is_some_and(|account| !is_account(account)) {
            return Err("`account` is empty, begins with `-`, or has characters that no account has".to_owned());
        }
        if table.program.as_deref().is_some_and(|program| !is_program(program)) {
            return Err("`program` is a path of letters, digits and . _ - / \\ : alone".to_owned());
        }
        if table.port == Some(0) {
            return Err("port 0 is none".to_owned());
        }
        let password = match (table.password_env, table.password_file) {
            (Some(_), Some(_)) => return Err("`password_env` and `password_file` do not go together".to_owned()),
            (Some(variable), None) => Some(SecretSource::Variable(variable)),
            (None, Some(file)) => Some(SecretSource::File(file)),
            (None, None) => None,
        };
        if kind == VantageKind::Winrm && table.account.is_some() != password.is_some() {
            return Err(
                "`account` and `password_env` or `password_file` go together for the vantage `winrm`".to_owned()
            );
        }
        if table.basic && password.is_none() {
            return Err("`basic` needs an `account` with `password_env` or `password_file`".to_owned());
        }
        Ok(Self {
            hosts: table.hosts.into_iter().map(Glob::new).collect(),
            roles,
            kind,
            machine: table.machine,
            same_subnet: table.same_subnet,
            account: table.account,
            password,
            port: table.port,
            key_file: table.key_file,
            known_hosts_file: table.known_hosts_file,
            program: table.program,
            ca_file: table.ca_file,
            http: table.http,
            basic: table.basic,
            as_system: table.as_system,
        })
    }
}

impl VantageRule {
    /// The rule that nobody wrote: this kind for whoever has no other.
    pub fn default_of(kind: VantageKind) -> Self {
        Self {
            hosts: vec![Glob::new("*")],
            roles: Vec::new(),
            kind,
            machine: None,
            same_subnet: false,
            account: None,
            password: None,
            port: None,
            key_file: None,
            known_hosts_file: None,
            program: None,
            ca_file: None,
            http: false,
            basic: false,
            as_system: false,
        }
    }

    /// Whether it is for this subject, which has these roles.
    pub fn fits(&self, subject: &Subject, roles: &[Role]) -> bool {
        let word = |word: &str| self.hosts.iter().any(|host| host.text().eq_ignore_ascii_case(word));
        match subject {
            Subject::Clients => word("clients"),
            Subject::Consoles => word("consoles"),
            Subject::UnknownHosts => false,
            Subject::Host { host, .. } => {
                let named = self.hosts.is_empty() || self.hosts.iter().any(|glob| glob.matches(host.as_str()));
                named && (self.roles.is_empty() || self.roles.iter().any(|role| roles.contains(role)))
            }
        }
    }

    /// The port that is asked, where one is.
    pub fn port(&self) -> Option<u16> {
        self.port.or(match (self.kind, self.http) {
            (VantageKind::Winrm, true) => Some(5985),
            (kind, _) => kind.port(),
        })
    }
}

fn is_pattern(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*'))
}

fn role(name: &str) -> Result<Role, String> {
    let named = Role::NAMED
        .iter()
        .find(|(_, database, title)| name.eq_ignore_ascii_case(title) || name.eq_ignore_ascii_case(database));
    named.map(|(role, ..)| role.clone()).ok_or_else(|| {
        format!("`roles` holds something that is no role; known: {}", Role::NAMED.map(|(_, _, title)| title).join(", "))
    })
}

/// `user`, `DOMAIN\user` or `user@domain`. It becomes an argument of `ssh`, so it must not begin like an option.
fn is_account(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.starts_with('-')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '\\' | '@' | '$' | ' '))
}

/// Of characters that neither cmd.exe nor a shell of Unix takes for anything but themselves.
fn is_program(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 500
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'\\' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::SiteCode;

    fn rule(text: &str) -> Result<VantageRule, String> {
        let table: RuleTable = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        table.try_into()
    }

    fn host(name: &str) -> Subject {
        Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: name.parse().unwrap() }
    }

    #[test]
    fn names_patterns_and_roles_say_whom_it_is_for() {
        let named = rule("hosts = ['CM01.contoso.com', '*.dmz.contoso.com']\nkind = 'ssh'").unwrap();
        assert!(named.fits(&host("cm01.contoso.com"), &[]) && named.fits(&host("a.dmz.contoso.com"), &[]));
        assert!(!named.fits(&host("cm02.contoso.com"), &[]) && !named.fits(&host("dmz.contoso.com"), &[]));
        let roles = rule("roles = ['Distribution point', 'SMS Dmp Connector']\nkind = 'winrm'").unwrap();
        assert!(
            roles.fits(&host("a"), &[Role::ServiceConnectionPoint]) && !roles.fits(&host("a"), &[Role::SiteServer])
        );
        let both = rule("hosts = ['a*']\nroles = ['site server']\nkind = 'carried'").unwrap();
        assert!(both.fits(&host("ab"), &[Role::SiteServer]) && !both.fits(&host("b"), &[Role::SiteServer]));
        let all = rule("hosts = ['*']\nkind = 'here'\nsame_subnet = true").unwrap();
        assert!(
            all.fits(&host("x.y"), &[]) && !all.fits(&Subject::Clients, &[]) && !all.fits(&Subject::UnknownHosts, &[])
        );
        assert!(rule("hosts = ['clients']\nkind = 'here'").unwrap().fits(&Subject::Clients, &[]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_no_value_repeated() {
        for (text, words) in [
            ("hosts = ['a']", "missing field `kind`"),
            ("hosts = ['a']\nkind = 'telnet'", "one of here, winrm, ssh, ssh-windows, carried, none"),
            ("kind = 'ssh'", "needs `hosts` or `roles`"),
            ("hosts = ['a; rm -rf HUNTER2']\nkind = 'ssh'", "no host name or pattern"),
            ("hosts = ['a']\nkind = 'ssh'\npassword = 'HUNTER2'", "unknown field `password`"),
            ("hosts = ['a']\nkind = 'ssh'\npassword_env = 'HUNTER2'", "`password_env` does not go with"),
            ("hosts = ['a']\nkind = 'winrm'\npassword_env = 'X'\npassword_file = 'HUNTER2'", "do not go together"),
            ("hosts = ['a']\nkind = 'winrm'\naccount = 'HUNTER2'", "go together for the vantage `winrm`"),
            ("hosts = ['a']\nkind = 'winrm'\npassword_env = 'HUNTER2'", "go together for the vantage `winrm`"),
            ("hosts = ['a']\nkind = 'winrm'\nbasic = true", "`basic` needs an `account`"),
            ("hosts = ['a']\nkind = 'here'\naccount = 'HUNTER2'", "`account` does not go with"),
            ("hosts = ['a']\nkind = 'ssh'\nsame_subnet = true", "`same_subnet` does not go with"),
            ("hosts = ['a']\nkind = 'ssh'\naccount = '-oProxyCommand=HUNTER2'", "`account` is empty, begins with"),
            ("hosts = ['a']\nkind = 'ssh'\nprogram = 'x; HUNTER2'", "`program` is a path"),
            ("hosts = ['a']\nkind = 'ssh'\nmachine = '-oHUNTER2'", "starts or ends with a hyphen"),
            ("hosts = ['a']\nkind = 'ssh'\nport = 0", "port 0"),
            ("hosts = ['a', 'clients']\nkind = 'ssh'", "name the `machine`"),
            ("roles = ['HUNTER2']\nkind = 'ssh'", "no role; known: site system"),
        ] {
            let said = rule(text).unwrap_err();
            assert!(said.contains(words) && !said.contains("HUNTER2"), "{text}: {said}");
        }
    }
}
