//! What a test can ask of the pretend server.

use std::time::Duration;

/// How the server is set up. The default is the Contoso central administration site, healthy, with TLS.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database with the site in it.
    pub database: String,
    pub user: String,
    pub password: String,
    pub rights: Rights,
    /// A Microsoft Entra access token that is let in as well, with the same rights.
    pub entra_token: Option<String>,
    /// More logins than the one above.
    pub other_logins: Vec<Login>,
    /// T-SQL to run after loading, in order; see the end of `replica.sql`.
    pub variants: Vec<String>,
    /// More databases with the same site in them.
    pub site_databases: Vec<String>,
    /// More databases without a site.
    pub empty_databases: Vec<String>,
    /// More databases, which no login may open.
    pub closed_databases: Vec<String>,
    pub encryption: Encryption,
    pub certificate: Certificate,
    /// The names in the certificate: DNS names and IP addresses.
    pub certificate_names: Vec<String>,
    pub faults: Vec<Fault>,
    /// Put a line of this latency before the server, and count the round trips on it.
    pub latency: Option<Duration>,
    /// Keep all answers, see [`super::SiteDatabase::answers`].
    pub keep_answers: bool,
    /// Answer for this instance name on a UDP port, as SQL Server Browser does.
    pub browser_instance: Option<String>,
    /// That port; 0 for a free one. Browser itself uses 1434.
    pub browser_port: u16,
}

/// One more login.
#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
    pub rights: Rights,
}

/// What a login may read.
#[derive(Debug, Clone)]
pub enum Rights {
    /// Everything, as `db_datareader`.
    All,
    /// What the GRANTs of the replica and of the variants give to this role.
    Role(String),
    /// These objects.
    Only(Vec<Grant>),
}

/// A right to read one object.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Such as `v_Site`; schema `dbo` unless named.
    pub object: String,
    /// All if empty.
    pub columns: Vec<String>,
}

/// What the server says about TLS in PRELOGIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// As the client wishes: all, login only, or none.
    Offered,
    /// Nothing without ("Force Encryption").
    Required,
    /// None at all.
    NotSupported,
    /// TLS first, and the protocol inside it (TDS 8.0); nothing else.
    Strict,
}

/// Who signed the certificate of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// The authority of [`super::SiteDatabase::ca_pem`].
    Authority,
    /// Another authority, of which the client has nothing.
    AnotherAuthority,
}

/// What goes wrong. A text in a fault is looked for, without case, in what is run: statements as the parser writes them
/// out, so name an object or a column, not a piece of formatting.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Closes each connection at once.
    CloseAtOnce,
    /// Answers the first message with bytes that are no TDS.
    Garbage,
    /// Accepts, reads, and never says anything.
    NeverAnswer,
    /// Agrees on TLS, then refuses in the handshake.
    RefuseHandshake,
    /// Cuts the connection in the answer to the statement with this text, after so many rows.
    Cut { containing: String, after_rows: usize },
    /// Cuts the connection in the answer to the statement with this text, the first time.
    CutOnce { containing: String },
    /// Refuses the statement with this text with this error.
    Refuse { containing: String, number: i32 },
    /// Answers a request with this text without end.
    Flood { containing: String, what: Flood },
    /// Waits before it answers a request with this text.
    Delay { containing: String, wait: Duration },
    /// Never answers a request with this text.
    Silent { containing: String },
    /// Makes the statement with this text the deadlock victim (1205), the first so many times.
    Deadlock { containing: String, times: usize },
    /// Makes the statement with this text the deadlock victim after so many of its rows are on their way.
    BreakOff { containing: String, after_rows: usize },
    /// Gives a lock timeout (1222) for the statement with this text, the first so many times.
    LockTimeout { containing: String, times: usize },
}

/// What an answer without end is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    /// Rows of a number and a short text.
    Rows,
    /// Rows of a thousand NULLs, which take little room on the wire.
    WideRows,
    /// Result sets without rows.
    Sets,
    /// One text.
    Text,
    /// Messages (INFO).
    Messages,
    /// Packets whose contents are no TDS.
    Noise,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            database: "CM_CAS".into(),
            user: "cmcomply".into(),
            password: "Contoso-reads-0nly".into(),
            rights: Rights::All,
            entra_token: None,
            other_logins: Vec::new(),
            variants: Vec::new(),
            site_databases: Vec::new(),
            empty_databases: Vec::new(),
            closed_databases: Vec::new(),
            encryption: Encryption::Offered,
            certificate: Certificate::Authority,
            certificate_names: vec!["localhost".into(), "127.0.0.1".into()],
            faults: Vec::new(),
            latency: None,
            keep_answers: false,
            browser_instance: None,
            browser_port: 0,
        }
    }
}

impl Rights {
    /// The reporting role of a site database.
    pub fn reporting_role() -> Self {
        Self::Role("smsschm_users".into())
    }

    /// Whole objects, nothing else.
    pub fn objects(names: &[&str]) -> Self {
        Self::Only(names.iter().map(|n| Grant { object: (*n).into(), columns: Vec::new() }).collect())
    }
}
