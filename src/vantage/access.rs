//! What it takes to get at a machine: where it is, who signs in, and who is trusted to be it.

use std::collections::{HashMap, HashSet};

use super::winrm::{Account, Endpoint, Scheme, Transport, Trust};
use super::{Place, Unreached, UnreachedWhy, VantageKind};
use crate::site::Secret;

/// A machine, and what one signs in with there.
#[derive(Debug, Clone)]
pub struct Access {
    /// The machine.
    pub place: Place,
    /// The password of its account, or why there is none where one is named.
    pub password: Result<Option<Secret>, Unreached>,
    /// Roots besides those of this machine that its certificate may have (DER), or why they cannot be read.
    pub roots: Result<Vec<Vec<u8>>, Unreached>,
}

/// Who is trusted over WinRM, by the roots that are given besides.
#[derive(Debug, Default)]
pub(super) struct Trusts(HashMap<Vec<Vec<u8>>, Result<Trust, Unreached>>);

impl Trusts {
    /// Each list of roots once: that reads the roots of this machine, and waits for them.
    pub(super) async fn of(accesses: impl Iterator<Item = &Access>) -> Self {
        let over_tls = |access: &&Access| access.place.rule.kind == VantageKind::Winrm && !access.place.rule.http;
        let lists: HashSet<Vec<Vec<u8>>> =
            accesses.filter(over_tls).filter_map(|access| access.roots.clone().ok()).collect();
        let built = move || {
            let trust = |roots: Vec<Vec<u8>>| {
                let trust = Trust::new(&roots).map_err(Unreached::from);
                (roots, trust)
            };
            lists.into_iter().map(trust).collect()
        };
        Self(tokio::task::spawn_blocking(built).await.unwrap_or_default())
    }

    fn with(&self, roots: &Vec<Vec<u8>>) -> Result<Trust, Unreached> {
        let untold = || Err(Unreached::new(UnreachedWhy::Answer, "the roots of this machine were not read (a defect)"));
        self.0.get(roots).cloned().unwrap_or_else(untold)
    }
}

impl Access {
    /// Where WinRM is asked, and as whom; `None` where the settings name no account.
    pub(super) fn winrm(&self, trusts: &Trusts) -> Result<(Endpoint, Option<Account>), Unreached> {
        let rule = &self.place.rule;
        let host = self.place.machine.clone();
        let host = host.ok_or_else(|| Unreached::new(UnreachedWhy::Settings, "nothing names the machine"))?;
        let scheme = if rule.basic { Scheme::Basic } else { Scheme::Ntlm };
        let account = match (&rule.account, self.password.clone()?) {
            (Some(user), Some(password)) => Some(Account { user: user.clone(), password, scheme }),
            (None, None) => None,
            _ => return Err(no_account()),
        };
        let transport = match &self.roots {
            _ if rule.http => Transport::Http,
            Ok(roots) => Transport::Https(trusts.with(roots)?),
            Err(unreached) => return Err(unreached.clone()),
        };
        let usual = Endpoint::usual(host, transport);
        Ok((Endpoint { port: rule.port().unwrap_or(usual.port), ..usual }, account))
    }
}

/// Nobody can sign in.
pub(super) fn no_account() -> Unreached {
    let what = "no account for WinRM: cmcomply.toml gives `account` with `password_env` or `password_file`";
    Unreached::new(UnreachedWhy::SignIn, what)
}
