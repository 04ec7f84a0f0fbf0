//! How often the reader asks and waits: the same few times, however large the hierarchy. `cargo bench --bench site` has
//! the time.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use cmcomply::site::{Certificate, Facts, Network, Options, Secret, Server, SignIn, read};
use lab::site_database::{self, SiteDatabase, large_hierarchy};
use tokio_util::sync::CancellationToken;

/// The facts, the statements that were sent, and the round trips, with those of TCP, TLS and the login.
async fn facts(database: Option<&str>, variants: Vec<String>) -> (Facts, usize, usize) {
    let latency = Some(Duration::from_millis(2));
    let lab = SiteDatabase::start(site_database::Options { latency, variants, ..Default::default() }).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), lab.ca_pem()).unwrap();
    let options = Options {
        server: Server::parse(&format!("127.0.0.1,{}", lab.address().port())).unwrap(),
        database: database.map(str::to_owned),
        sign_in: SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new("Contoso-reads-0nly") },
        certificate: Certificate::CaFile(ca.path().to_owned()),
        network: Network::default(),
        connect_timeout: Duration::from_mins(1),
        query_timeout: Duration::from_mins(5),
    };
    let facts = read(&options, CancellationToken::new()).await.unwrap();
    (facts, lab.statements().len(), lab.round_trips().unwrap())
}

/// TCP, PRELOGIN, two of TLS 1.2, the login, and two questions.
const NAMED: usize = 7;
/// The same in `master` before, with one question: which databases there are.
const FOUND: usize = NAMED + 6;

#[tokio::test]
async fn a_small_hierarchy_takes_two_questions() {
    let (_, statements, round_trips) = facts(Some("CM_CAS"), Vec::new()).await;
    assert_eq!((statements, round_trips), (2, NAMED));
    let (_, statements, round_trips) = facts(None, Vec::new()).await;
    assert_eq!((statements, round_trips), (3, FOUND));
}

#[tokio::test]
async fn thirty_sites_and_five_thousand_site_systems_take_no_more() {
    let (facts, statements, round_trips) = facts(Some("CM_CAS"), large_hierarchy(30, 5_000)).await;
    assert_eq!((statements, round_trips), (2, NAMED));
    assert_eq!((facts.sites.rows().len(), facts.site_systems.rows().len()), (30, 5_000));
    assert_eq!((facts.site_system_proxies.rows().len(), facts.sync_sources.rows().len()), (5_000, 29));
    assert!(facts.distribution_points.rows().len() > 4_000);
    assert_eq!(facts.data_findings, []);
}
