//! How to reach the site database.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::facts::{SqlCertificate, SqlSignIn};
use super::server::Server;

/// How to reach the site database.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub server: Server,
    /// The database; `None`: the one `CM_xxx` database of the server that has a site.
    pub database: Option<String>,
    /// The account.
    pub sign_in: SignIn,
    /// How the server's certificate is judged.
    pub certificate: Certificate,
    /// How the server is reached.
    pub network: Network,
    /// The limit of each of: resolving the name, connecting to one address, the handshake with the sign-in.
    pub connect_timeout: Duration,
    /// The limit of one round trip, from sending the statements to the end of the answer.
    pub query_timeout: Duration,
}

/// How the server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Which kind of encryption. There is always one.
    pub encryption: Encryption,
    /// Connect to all addresses of the name at once, and take the first that answers: for the listener of an
    /// availability group over several subnets, whose name has an address in each, and only one of them is alive.
    pub multi_subnet_failover: bool,
    /// The UDP port of SQL Server Browser, 1434 everywhere but in a test.
    pub browser_port: u16,
}

impl Default for Network {
    fn default() -> Self {
        Self { encryption: Encryption::Required, multi_subnet_failover: false, browser_port: 1434 }
    }
}

/// The kind of encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS inside the protocol: TDS 7, which every SQL Server speaks.
    Required,
    /// The protocol inside TLS: TDS 8.0, of SQL Server 2022 and later.
    Strict,
}

/// The account that reads the site database.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// A SQL login.
    SqlLogin {
        /// The login.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// A Microsoft Entra access token for `https://database.windows.net/`.
    EntraToken {
        /// The token.
        token: Secret,
    },
    /// The Kerberos ticket of the account that runs the program.
    #[cfg(all(unix, feature = "gssapi"))]
    Kerberos,
    /// A Windows account by name.
    #[cfg(windows)]
    WindowsAccount {
        /// `DOMAIN\user`.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// The Windows account that runs the program.
    #[cfg(windows)]
    WindowsCurrent,
}

impl SignIn {
    /// What the record keeps of it: never the password.
    pub fn record(&self) -> SqlSignIn {
        match self {
            Self::SqlLogin { user, .. } => SqlSignIn::SqlLogin { user: user.clone() },
            Self::EntraToken { .. } => SqlSignIn::EntraToken,
            #[cfg(all(unix, feature = "gssapi"))]
            Self::Kerberos => SqlSignIn::Kerberos,
            #[cfg(windows)]
            Self::WindowsAccount { user, .. } => SqlSignIn::WindowsAccount { user: user.clone() },
            #[cfg(windows)]
            Self::WindowsCurrent => SqlSignIn::WindowsCurrent,
        }
    }
}

/// How the server's certificate is judged. The connection is encrypted in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// Against this machine's roots.
    MachineRoots,
    /// Against this machine's roots and the certificates in a PEM or DER file.
    CaFile(PathBuf),
    /// Not at all.
    NotChecked,
}

impl Certificate {
    /// What the record keeps of it.
    pub fn record(&self) -> SqlCertificate {
        match self {
            Self::MachineRoots => SqlCertificate::MachineRoots,
            Self::CaFile(_) => SqlCertificate::CaFile,
            Self::NotChecked => SqlCertificate::NotChecked,
        }
    }
}

/// A password. It shows as `***` and can only be taken out on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself, for the one place that hands it to the server.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_shows_nowhere() {
        let sign_in = SignIn::SqlLogin { user: "reader".to_owned(), password: Secret::new("hunter2") };
        assert_eq!(format!("{sign_in:?}"), "SqlLogin { user: \"reader\", password: *** }");
        assert!(!serde_json::to_string(&sign_in.record()).unwrap().contains("hunter2"));
        let token = SignIn::EntraToken { token: Secret::new("eyJ0eXAi") };
        assert_eq!(format!("{token:?} {:?}", token.record()), "EntraToken { token: *** } EntraToken");
    }
}
