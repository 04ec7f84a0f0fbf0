//! What all connections share: the databases, the logins, the log.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;

use super::LoginRecord;
use super::faults::Faults;
use super::options::{Options, Rights};
use super::sql::SqlError;
use super::sql::engine::Engine;
use super::sql::script;
use super::sql::session::{Access, Session};
use super::wire::login::Login;

/// The replica of a site database, as anyone can load it into a real SQL Server.
pub const REPLICA: &str = include_str!("../replica.sql");

/// Databases that every server has.
const SYSTEM_DATABASES: [&str; 4] = ["master", "tempdb", "model", "msdb"];

/// A database, and whether logins may open it.
pub struct Database {
    pub name: String,
    pub open: bool,
    pub engine: Arc<Mutex<Engine>>,
}

pub struct Server {
    pub options: Options,
    pub tls: Arc<ServerConfig>,
    pub faults: Faults,
    pub logins: Mutex<Vec<LoginRecord>>,
    pub statements: Mutex<Vec<String>>,
    pub answers: Mutex<Vec<u8>>,
    databases: Vec<Database>,
}

impl Server {
    /// Loads the databases.
    ///
    /// # Panics
    ///
    /// If the replica or a variant of the test is not what the lab understands.
    pub fn new(options: Options, tls: Arc<ServerConfig>) -> Self {
        let sites = std::iter::once(&options.database).chain(&options.site_databases).map(|n| (n, true));
        let empty = options.empty_databases.iter().chain(&options.closed_databases).map(|n| (n, false));
        let named: Vec<(String, bool)> = SYSTEM_DATABASES
            .iter()
            .map(|n| ((*n).to_owned(), false))
            .chain(sites.chain(empty).map(|(n, site)| (n.clone(), site)))
            .collect();
        let all: Vec<String> = named.iter().map(|(n, _)| n.clone()).collect();
        let engine = || Engine::new(&all).expect("SQLite gives a database in memory");
        let empty = Arc::new(Mutex::new(engine()));
        let mut site = engine();
        for text in std::iter::once(REPLICA).chain(options.variants.iter().map(String::as_str)) {
            script::run(&mut site, text, &options.database)
                .unwrap_or_else(|e| panic!("the lab cannot load this: {e:?}"));
        }
        let site = Arc::new(Mutex::new(site));
        let closed = |name: &String| options.closed_databases.contains(name);
        let databases = named.into_iter().map(|(name, is_site)| Database {
            open: !closed(&name),
            engine: if is_site { site.clone() } else { empty.clone() },
            name,
        });
        let databases = databases.collect();
        let faults = Faults::new(options.faults.clone());
        Self {
            options,
            tls,
            faults,
            logins: Mutex::default(),
            statements: Mutex::default(),
            answers: Mutex::default(),
            databases,
        }
    }

    /// Lets a login in, or says why not, in the order in which SQL Server says it.
    pub fn admit(&self, login: &Login) -> Result<(Session, &Database), Vec<SqlError>> {
        if login.integrated {
            let why = "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.";
            return Err(vec![SqlError::new(18_452, 14, why)]);
        }
        if let Some(token) = &login.token
            && self.options.entra_token.as_ref() != Some(token)
        {
            return Err(vec![SqlError::new(18_456, 14, "Login failed for user '<token-identified principal>'.")]);
        }
        let failed = SqlError::new(18_456, 14, format!("Login failed for user '{}'.", login.user));
        let Some(rights) = self.rights(login) else { return Err(vec![failed]) };
        let wanted = if login.database.is_empty() { "master" } else { &login.database };
        let Some(database) = self.databases.iter().find(|d| d.open && d.name.eq_ignore_ascii_case(wanted)) else {
            let text = format!("Cannot open database \"{wanted}\" requested by the login. The login failed.");
            return Err(vec![SqlError::new(4060, 11, text), failed]);
        };
        let engine = database.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let session = Session {
            user: login.user.clone(),
            application: login.application.clone(),
            host: login.host.clone(),
            database: database.name.clone(),
            access: Access::of(rights, &engine.catalog),
            databases: self.databases.iter().map(|d| (d.name.clone(), d.open)).collect(),
        };
        Ok((session, database))
    }

    fn rights(&self, login: &Login) -> Option<&Rights> {
        let o = &self.options;
        if login.token.is_some() {
            return Some(&o.rights);
        }
        let first = (&o.user, &o.password, &o.rights);
        let others = o.other_logins.iter().map(|l| (&l.user, &l.password, &l.rights));
        let mut all = std::iter::once(first).chain(others);
        all.find(|(user, password, _)| user.eq_ignore_ascii_case(&login.user) && **password == login.password)
            .map(|l| l.2)
    }
}
