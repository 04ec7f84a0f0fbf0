//! The reader against a server that nobody here wrote, with the replica (`tests/lab/replica.sql`) loaded.
//!
//! | variable | meaning |
//! |---|---|
//! | `CMCOMPLY_TEST_SQL` | the server, as for `--sql` |
//! | `CMCOMPLY_TEST_SQL_USER`, `CMCOMPLY_TEST_SQL_PASSWORD` | a SQL login that may read the replica |
//! | `CMCOMPLY_TEST_SQL_CA_FILE` | the CA of its certificate; unset: this machine's roots; `any`: not checked |
//! | `CMCOMPLY_TEST_SQL_DATABASE` | the database; unset: the one `CM_xxx` |
//!
//! Without the first one only the lab is asked.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod site_facts;

use std::env;
use std::io::Write;
use std::time::Duration;

use cmcomply::site::{Certificate, Network, Options, Secret, Server, SignIn, read};
use lab::site_database::{self, SiteDatabase};
use tokio_util::sync::CancellationToken;

const SERVER: &str = "CMCOMPLY_TEST_SQL";

#[tokio::test]
async fn the_replica_on_the_named_server_reads_as_contoso() {
    let Some(server) = env::var(SERVER).ok().filter(|text| !text.is_empty()) else {
        let line = format!("SKIPPED: no SQL Server was tested, because {SERVER} names none (see tests/opt_in_sql.rs)");
        // Past the test harness, which would keep it to itself.
        writeln!(std::io::stderr(), "{line}").unwrap();
        return;
    };
    let variable = |name: &str| env::var(format!("{SERVER}_{name}")).ok().filter(|text| !text.is_empty());
    let user = variable("USER").expect("CMCOMPLY_TEST_SQL_USER names the login");
    let password = variable("PASSWORD").expect("CMCOMPLY_TEST_SQL_PASSWORD is its password");
    let certificate = match variable("CA_FILE") {
        None => Certificate::MachineRoots,
        Some(any) if any == "any" => Certificate::NotChecked,
        Some(path) => Certificate::CaFile(path.into()),
    };
    assert_contoso_on(&server, &user, &password, certificate, variable("DATABASE")).await;
}

#[tokio::test]
async fn the_replica_in_the_lab_reads_as_contoso() {
    let options = site_database::Options::default();
    let (user, password) = (options.user.clone(), options.password.clone());
    let lab = SiteDatabase::start(options).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), lab.ca_pem()).unwrap();
    let server = format!("localhost,{}", lab.address().port());
    let certificate = Certificate::CaFile(ca.path().to_owned());
    assert_contoso_on(&server, &user, &password, certificate, None).await;
}

async fn assert_contoso_on(
    server: &str,
    user: &str,
    password: &str,
    certificate: Certificate,
    database: Option<String>,
) {
    let options = Options {
        server: Server::parse(server).unwrap(),
        database,
        sign_in: SignIn::SqlLogin { user: user.to_owned(), password: Secret::new(password) },
        certificate,
        network: Network::default(),
        connect_timeout: Duration::from_secs(15),
        query_timeout: Duration::from_mins(1),
    };
    let facts = read(&options, CancellationToken::new()).await.unwrap_or_else(|error| panic!("{error}"));
    site_facts::assert_contoso(&facts);
    assert!(facts.connection.server_version.is_some());
}
