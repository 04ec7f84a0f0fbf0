//! Columns that nobody has described, and whose names say that they hold hosts.
//!
//! `AzureEnvironments` is the product's own list of the endpoints of each cloud. A build may add a column to it, and what
//! stands there is an endpoint like the others. Its name comes from the server, so it has to keep a strict shape before it
//! stands in a statement, and in brackets.

use super::query::Identifier;

/// `char`, `varchar`, `nchar`, `nvarchar`, `text` and `ntext` (`sys.types`).
const TEXTS: [i64; 6] = [175, 167, 239, 231, 35, 99];

/// How the names of such columns end, but for a number: those of the described columns, and their kin.
const ENDINGS: [&str; 14] = [
    "authority",
    "dns",
    "domain",
    "endpoint",
    "endpoints",
    "fqdn",
    "host",
    "hostname",
    "portal",
    "server",
    "service",
    "suffix",
    "uri",
    "url",
];

/// A column with one of these in its name may hold a secret, or an address that is one. It is not asked for.
const SECRETS: [&str; 17] = [
    "callback",
    "cert",
    "credential",
    "key",
    "logicapp",
    "notification",
    "passphrase",
    "password",
    "private",
    "pwd",
    "sas",
    "secret",
    "sharedaccess",
    "signature",
    "thumbprint",
    "token",
    "webhook",
];

/// More such columns than this are not asked for.
pub(super) const MAX_FURTHER: usize = 24;

/// Whether a type is one of texts.
pub(super) fn is_text(system_type: i64) -> bool {
    TEXTS.contains(&system_type)
}

/// Whether a column of this name holds hosts, as its name says.
pub(super) fn is_host_like(name: &str) -> bool {
    let name = name.to_lowercase();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
    // The second version of something: `GraphEndpointV2`.
    let stem = if stem.len() < name.len() { stem.strip_suffix('v').unwrap_or(stem) } else { stem };
    ENDINGS.iter().any(|ending| stem.ends_with(ending))
}

/// The name as it can stand in a statement, unless it is odd or may be that of a secret.
pub(super) fn askable(name: &str) -> Option<Identifier> {
    let lower = name.to_lowercase().replace("keyvault", "");
    let plain = Identifier::parse(name)?;
    (!SECRETS.iter().any(|secret| lower.contains(secret))).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::AZURE_COLUMNS;

    #[test]
    fn the_described_columns_are_of_these_names_and_so_are_their_kin() {
        for name in AZURE_COLUMNS {
            assert!(is_host_like(name) && askable(name).is_some(), "{name}");
        }
        for name in ["GraphEndpointV2", "portalurl", "LogAnalyticsEndpoint", "StorageAccountSuffix", "AuthHost_2"] {
            assert!(is_host_like(name) && askable(name).is_some(), "{name}");
        }
        for name in ["ID", "EnvironmentName", "Description", "SecurityLevel", "Version2", "ServiceTier", ""] {
            assert!(!is_host_like(name), "{name}");
        }
    }

    #[test]
    fn what_may_be_a_secret_or_is_no_plain_name_is_not_asked_for() {
        for name in [
            "TokenEndpoint",
            "KeyEndpoint",
            "KeyVaultKeyUrl",
            "ClientSecretUri",
            "CertificateURL",
            "SasUrl",
            "LogicAppURL",
            "WebhookEndpoint",
            "PasswordService",
        ] {
            assert!(is_host_like(name), "{name} would be noted");
            assert!(askable(name).is_none(), "{name}");
        }
        for name in ["x]; DROP TABLE y;-- URL", "a b Endpoint", "n\u{e4}mlichURL", "'URL", "a.URL"] {
            assert!(askable(name).is_none(), "{name}");
        }
    }
}
