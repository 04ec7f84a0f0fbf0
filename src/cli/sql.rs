//! The arguments that lead to the site databases.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, value_parser};

use super::{Stop, secret};
use crate::site::{Certificate, Encryption, Network, Options, Server, SignIn};

/// Which site database, and as whom.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Site database")]
pub(super) struct SqlArgs {
    /// The SQL Server of the site database: HOST, HOST,PORT or HOST\INSTANCE. The top-level site's tells most. Given
    /// several times, for the databases of several sites of a hierarchy, their facts are put together. All are signed in
    /// to alike; where they need different accounts, take a snapshot of each and give --snapshot several times.
    #[arg(long, value_name = "SERVER", value_parser = Server::parse)]
    sql: Vec<Server>,
    /// The site database, such as `CM_PS1`. Default: the one `CM_xxx` database on the server that has a site. With
    /// several --sql: once for each, in the same order, or not at all.
    #[arg(long, value_name = "NAME", value_parser = database, requires = "sql")]
    database: Vec<String>,
    /// Sign in with a Microsoft Entra access token, from this environment variable.
    #[arg(long, value_name = "VARIABLE", conflicts_with_all = ["sql_user", "sql_token_file"])]
    sql_token_env: Option<String>,
    /// Sign in with a Microsoft Entra access token, from the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "sql_user")]
    sql_token_file: Option<PathBuf>,
    /// Sign in with this SQL login. The password comes from `CMCOMPLY_SQL_PASSWORD`, a file, standard input or a prompt.
    #[cfg_attr(windows, arg(conflicts_with = "windows_user"))]
    #[arg(long, value_name = "LOGIN")]
    sql_user: Option<String>,
    /// Sign in with this Windows account (DOMAIN\user) instead of the one that runs cmcomply.
    #[cfg(windows)]
    #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["sql_token_env", "sql_token_file"])]
    windows_user: Option<String>,
    #[command(flatten)]
    password: secret::PasswordArgs,
    /// Trust the SQL Server's certificate if one of these signed it (PEM or DER), besides this machine's roots.
    #[arg(long, value_name = "FILE", conflicts_with = "trust_server_certificate")]
    sql_ca_file: Option<PathBuf>,
    /// Do not check the SQL Server's certificate. The connection is still encrypted; the run says that nobody was checked.
    #[arg(long)]
    trust_server_certificate: bool,
    /// `required`: TLS as every SQL Server does it. `strict`: TDS 8.0, for SQL Server 2022 and later that wants it.
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Encrypt::Required)]
    sql_encrypt: Encrypt,
    /// Connect to all addresses of the server's name at once: for availability groups over several subnets.
    #[arg(long)]
    multi_subnet_failover: bool,
    /// Seconds for each of: resolving the server's name, connecting, signing in.
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = value_parser!(u64).range(1..=600))]
    sql_connect_timeout: u64,
    /// Seconds for one round trip to the site database.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = value_parser!(u64).range(1..=3600))]
    sql_query_timeout: u64,
}

impl SqlArgs {
    /// Whether the password comes from standard input.
    pub(super) fn reads_standard_input(&self) -> bool {
        self.password.sql_password_stdin
    }

    /// Whether a site database is named.
    pub(super) fn is_given(&self) -> bool {
        !self.sql.is_empty()
    }

    /// The options of the site reader, for each database. Asks for a password where one is needed, once for all.
    pub(super) fn options(&self) -> Result<Vec<Options>, Stop> {
        if self.sql.is_empty() {
            return Ok(Vec::new());
        }
        let (servers, names) = (self.sql.len(), self.database.len());
        if names != 0 && names != servers {
            return Err(Stop::usage(anyhow::anyhow!(
                "--database is given {names} times and --sql {servers} times: give it once for each --sql, in the same \
                 order, or not at all"
            )));
        }
        if self.sql_encrypt == Encrypt::Strict && self.trust_server_certificate {
            return Err(Stop::usage(anyhow::anyhow!(
                "--sql-encrypt strict always checks the certificate; leave out --trust-server-certificate, or give \
                 the CA with --sql-ca-file"
            )));
        }
        let certificate = match (&self.sql_ca_file, self.trust_server_certificate) {
            (Some(path), _) => {
                std::fs::metadata(path).map_err(|error| {
                    Stop::usage(anyhow::anyhow!("cannot read --sql-ca-file {}: {error}", path.display()))
                })?;
                Certificate::CaFile(path.clone())
            }
            (None, true) => Certificate::NotChecked,
            (None, false) => Certificate::MachineRoots,
        };
        let sign_in = self.sign_in()?;
        let options = |(number, server): (usize, &Server)| Options {
            server: server.clone(),
            database: self.database.get(number).cloned(),
            sign_in: sign_in.clone(),
            certificate: certificate.clone(),
            network: Network {
                encryption: match self.sql_encrypt {
                    Encrypt::Required => Encryption::Required,
                    Encrypt::Strict => Encryption::Strict,
                },
                multi_subnet_failover: self.multi_subnet_failover,
                ..Network::default()
            },
            connect_timeout: Duration::from_secs(self.sql_connect_timeout),
            query_timeout: Duration::from_secs(self.sql_query_timeout),
        };
        Ok(self.sql.iter().enumerate().map(options).collect())
    }

    fn sign_in(&self) -> Result<SignIn, Stop> {
        let password = |user: &str| {
            secret::password(user, self.password.sql_password_file.as_deref(), self.password.sql_password_stdin)
                .map_err(Stop::usage)
        };
        if let Some(user) = &self.sql_user {
            return Ok(SignIn::SqlLogin { user: user.clone(), password: password(user)? });
        }
        if let Some(token) =
            secret::token(self.sql_token_env.as_deref(), self.sql_token_file.as_deref()).map_err(Stop::usage)?
        {
            return Ok(SignIn::EntraToken { token });
        }
        #[cfg(windows)]
        {
            Ok(match &self.windows_user {
                Some(user) => SignIn::WindowsAccount { user: user.clone(), password: password(user)? },
                None => SignIn::WindowsCurrent,
            })
        }
        #[cfg(all(unix, feature = "gssapi"))]
        {
            Ok(SignIn::Kerberos)
        }
        #[cfg(not(any(windows, all(unix, feature = "gssapi"))))]
        Err(Stop::usage(anyhow::anyhow!(
            "no account: give --sql-user, --sql-token-env or --sql-token-file (signing in with the account that runs \
             this works on Windows, and with a Kerberos ticket in a build with the feature gssapi)"
        )))
    }
}

/// The kinds of encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Encrypt {
    Required,
    Strict,
}

/// A database name as SQL Server allows it: 1 to 128 characters, none of them a control character.
fn database(text: &str) -> Result<String, String> {
    let count = text.chars().count();
    if count == 0 || count > 128 || text.chars().any(char::is_control) {
        return Err("a database name has 1 to 128 characters, and no control characters".to_owned());
    }
    Ok(text.to_owned())
}
