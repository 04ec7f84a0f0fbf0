//! What can go wrong on the way to the site database, each with what to do about it.
//!
//! The texts are fragments that fit after "the site database could not be read: ". None holds a password. Whatever
//! came from the server in them is already harmless text.

use std::time::Duration;

use super::retry::is_passing;

/// Why the facts could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No connection, or no sign-in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// There is no database that looks like one of a site.
    #[error(
        "{server} has no site database that this login may open ({seen}); name it with --database, or give the login \
         access to it"
    )]
    NoSiteDatabase {
        /// The server.
        server: String,
        /// What was seen, in words.
        seen: String,
    },
    /// Several site databases, and nobody said which.
    #[error("{server} has several site databases: {}; name one with --database", databases.join(", "))]
    SeveralSiteDatabases {
        /// The server.
        server: String,
        /// Their names, and in words which of them were not looked into.
        databases: Vec<String>,
    },
    /// The database is none of a site, or this login sees nothing in it.
    #[error(
        "database {database} on {server} is not a Configuration Manager site database, or this login may read nothing \
         in it; name the site database (CM_ and the site code) with --database, or give the login read rights"
    )]
    NotASiteDatabase {
        /// The server.
        server: String,
        /// The database.
        database: String,
    },
    /// The first question got no complete answer in time.
    #[error("{server} did not answer the first question within {}: {detail}", seconds(.limit))]
    Timeout {
        /// The server.
        server: String,
        /// The limit.
        limit: Duration,
        /// What was asked.
        detail: String,
    },
    /// The answer to the first question has no end.
    #[error("{server} answers the first question without end; is it a SQL Server?")]
    Endless {
        /// The server.
        server: String,
    },
    /// The connection broke before the first question was answered.
    #[error("the connection to {server} broke before the first question was answered ({detail}); try again")]
    Cut {
        /// The server.
        server: String,
        /// What was seen.
        detail: String,
    },
    /// The server refused the first question.
    #[error("{server} refused to list the objects of the database: error {number}, {message}")]
    Refused {
        /// The server.
        server: String,
        /// SQL Server's error number.
        number: u32,
        /// Its text.
        message: String,
    },
    /// What clients said cannot be read.
    #[error("the results of the script cannot be read: {what}")]
    Scripts {
        /// Why not.
        what: String,
    },
    /// The caller gave up.
    #[error("interrupted")]
    Cancelled,
}

impl ReadError {
    /// Whether it may be otherwise a moment later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Cut { .. } | Self::Connect(ConnectError::Cut { .. }) => true,
            Self::Refused { number, .. } => is_passing(i64::from(*number)),
            _ => false,
        }
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The name of the server does not resolve.
    #[error("the name {host} was not resolved ({detail}); check --sql and this machine's DNS")]
    NameNotResolved {
        /// The name.
        host: String,
        /// The resolver's answer.
        detail: String,
    },
    /// Nothing listens there.
    #[error(
        "{address} refused the TCP connection: no SQL Server listens there; check the port in --sql (HOST,PORT) and that \
         TCP/IP is enabled for the instance"
    )]
    Refused {
        /// `host:port`
        address: String,
    },
    /// Silence.
    #[error(
        "{address} did not answer within {}; check --sql, and that firewalls let this machine reach that port",
        seconds(.limit)
    )]
    TcpTimeout {
        /// `host:port`
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// No way there.
    #[error("{address} cannot be reached ({detail}); check --sql and this machine's network")]
    Unreachable {
        /// `host:port`
        address: String,
        /// The system's answer.
        detail: String,
    },
    /// SQL Server Browser, which knows the ports of named instances, said nothing.
    #[error(
        "SQL Server Browser on {host} (UDP 1434) did not tell the port of instance {instance}: {detail}; start the \
         SQL Server Browser service there, or give the port with --sql HOST,PORT"
    )]
    BrowserSilent {
        /// The host.
        host: String,
        /// The instance.
        instance: String,
        /// No answer, or an answer without the port.
        detail: String,
    },
    /// The server does not encrypt.
    #[error(
        "{address} does not offer TLS, and cmcomply never signs in without it; give the SQL Server a certificate, or \
         check that --sql names a SQL Server"
    )]
    TlsNotOffered {
        /// `host:port`
        address: String,
    },
    /// It accepted the connection and then stalled.
    #[error(
        "{address} accepted the connection and did not finish the handshake within {}; is it a SQL Server? One that \
         offers no TLS, or only the other kind of encryption (--sql-encrypt), stalls like this too",
        seconds(.limit)
    )]
    HandshakeStalled {
        /// `host:port`
        address: String,
        /// The limit.
        limit: Duration,
    },
    /// Nobody whom we trust vouches for the server.
    #[error(
        "the certificate of {address} is not trusted ({detail}); {advice}, or accept any certificate with \
         --trust-server-certificate (the run will say so)"
    )]
    CertificateUntrusted {
        /// `host:port`
        address: String,
        /// What to do about it.
        advice: &'static str,
        /// The judgement.
        detail: String,
    },
    /// The certificate is another server's.
    #[error(
        "the certificate of {address} is not valid for the name {host} ({detail}); use in --sql the name that stands in \
         the certificate, or accept any certificate with --trust-server-certificate (the run will say so)"
    )]
    CertificateWrongName {
        /// `host:port`
        address: String,
        /// The name that was used.
        host: String,
        /// The judgement.
        detail: String,
    },
    /// No common TLS version or cipher suite.
    #[error(
        "{address} and cmcomply have no TLS version or cipher suite in common ({detail}); TLS 1.2 is needed: update the \
         SQL Server, or enable TLS 1.2 on it"
    )]
    TlsTooOld {
        /// `host:port`
        address: String,
        /// The alert.
        detail: String,
    },
    /// Another failure of the TLS handshake.
    #[error("the TLS handshake with {address} failed ({detail})")]
    Tls {
        /// `host:port`
        address: String,
        /// The failure.
        detail: String,
    },
    /// The CA file cannot be used.
    #[error("the file {file} given with --sql-ca-file cannot be used: {detail}; it must hold PEM or DER certificates")]
    CaFile {
        /// The path.
        file: String,
        /// Why not.
        detail: String,
    },
    /// 18456 and its relatives.
    #[error("{server} refused the sign-in of {user} (error {number}: {message}); {advice}")]
    LoginRefused {
        /// The server.
        server: String,
        /// What to do about it.
        advice: &'static str,
        /// The account.
        user: String,
        /// SQL Server's error number.
        number: u32,
        /// Its text.
        message: String,
    },
    /// The system of this machine could not sign in; the server was not asked.
    #[error(
        "this machine could not sign in to {server} as {user} ({detail}); check that the account is signed in to its \
         domain (klist shows its tickets) or that its name and password are right, that a domain controller answers, and \
         that --sql has the server's full name"
    )]
    SignInNotBegun {
        /// The server.
        server: String,
        /// The account.
        user: String,
        /// The system's answer.
        detail: String,
    },
    /// 4060, 911, 916: there is no such database, or the account may not open it.
    #[error(
        "{server} does not open database {database} (error {number}: {message}); check --database, and that the account \
         has a user in it"
    )]
    DatabaseUnavailable {
        /// The server.
        server: String,
        /// The database.
        database: String,
        /// SQL Server's error number.
        number: u32,
        /// Its text.
        message: String,
    },
    /// Another error during the sign-in.
    #[error("{server} refused the connection: error {number}, {message}")]
    ServerRefused {
        /// The server.
        server: String,
        /// SQL Server's error number.
        number: u32,
        /// Its text.
        message: String,
    },
    /// What answers does not speak SQL Server's protocol.
    #[error(
        "what answers at {address} does not speak the SQL Server protocol ({detail}); check the port in --sql, and \
         --sql-encrypt if the server wants another kind of encryption"
    )]
    NotSqlServer {
        /// `host:port`
        address: String,
        /// What was wrong with the answer.
        detail: String,
    },
    /// The connection ended during the handshake.
    #[error(
        "{address} closed the connection during the handshake ({detail}); is it a SQL Server? A firewall in between, or \
         a server that offers only the other kind of encryption (--sql-encrypt strict), does this too"
    )]
    Cut {
        /// `host:port`
        address: String,
        /// What was seen.
        detail: String,
    },
    /// Each server names another one.
    #[error("{server} sends its clients on to other servers without end (last: {address})")]
    TooManyRedirects {
        /// The server.
        server: String,
        /// The last one named.
        address: String,
    },
    /// The name of a database that no database can have.
    #[error("`{name}` given with --database is no database name (1 to 128 characters)")]
    DatabaseName {
        /// The name, made harmless.
        name: String,
    },
}

impl ConnectError {
    /// Whether a server that answered before may answer again: it restarts, or its availability group fails over.
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::TcpTimeout { .. }
                | Self::Unreachable { .. }
                | Self::HandshakeStalled { .. }
                | Self::DatabaseUnavailable { .. }
                | Self::ServerRefused { .. }
                | Self::Cut { .. }
        )
    }
}

fn seconds(limit: &Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{:.1} s", limit.as_secs_f64()) }
}
