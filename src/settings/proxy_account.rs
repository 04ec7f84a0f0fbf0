//! Accounts for proxies: the tables `[[proxy_accounts]]`. They say where a password comes from, and never hold one.

use std::path::PathBuf;

use serde::Deserialize;

use super::stated_via;
use crate::derive::Via;
use crate::host::HostOrAddress;
use crate::vantage::SecretSource;

/// An account for one proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedProxyAccount {
    /// The proxy.
    pub proxy: (HostOrAddress, u16),
    /// Such as `CONTOSO\svc-cm`.
    pub account: String,
    /// Where its password comes from.
    pub password: SecretSource,
}

/// The table as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProxyAccountTable {
    proxy: String,
    account: String,
    password_env: Option<String>,
    password_file: Option<PathBuf>,
}

impl TryFrom<ProxyAccountTable> for StatedProxyAccount {
    type Error = String;
    /// The errors repeat no value: one may be a secret.
    fn try_from(table: ProxyAccountTable) -> Result<Self, String> {
        let Ok(Via::Proxy { host, port }) = stated_via(&table.proxy) else {
            return Err("`proxy` is HOST:PORT".to_owned());
        };
        let account = table.account;
        // In Basic a colon would begin the password (RFC 7617).
        if account.is_empty() || account.contains(':') || account.chars().any(char::is_control) {
            return Err("`account` is empty, or has a colon or a control character".to_owned());
        }
        let password = match (table.password_env, table.password_file) {
            (Some(variable), None) => SecretSource::Variable(variable),
            (None, Some(file)) => SecretSource::File(file),
            _ => return Err("give one of `password_env` and `password_file`: where the password is".to_owned()),
        };
        Ok(Self { proxy: (host, port), account, password })
    }
}
