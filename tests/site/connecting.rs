//! Finding and opening the site database, and every way in which that fails.

use std::time::{Duration, Instant};

use cmcomply::site::{Certificate, ConnectError, ReadError, Secret, Server, SignIn, SqlCertificate, SqlSignIn};

use crate::site_facts::assert_contoso;
use crate::{faulty, lab};
use lab::site_database::{self, Encryption, Fault};

#[tokio::test]
async fn the_database_with_a_site_is_found_among_others() {
    let lab = lab(site_database::Options {
        empty_databases: vec!["CM_TST".to_owned(), "ReportServer".to_owned()],
        closed_databases: vec!["Contoso".to_owned()],
        ..Default::default()
    })
    .await;
    assert_eq!(lab.facts().await.connection.database, "CM_CAS");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_may_be_the_one_that_is_meant() {
    let options = site_database::Options { closed_databases: vec!["CM_PS1".to_owned()], ..Default::default() };
    let mut closed = lab(options).await;
    let error = closed.error().await;
    let ReadError::SeveralSiteDatabases { databases, .. } = &error else { panic!("{error:?}") };
    assert_eq!(databases, &["CM_CAS", "CM_PS1 (cannot be opened)"]);
    assert!(error.to_string().contains("--database"), "{error}");
    closed.options.database = Some("CM_CAS".to_owned());
    assert_contoso(&closed.facts().await);

    // The site's own database may be beyond those that are looked into.
    let empty_databases = (0..32).map(|n| format!("CM_A{n:02}")).collect();
    let many = lab(site_database::Options { empty_databases, database: "CM_ZZZ".to_owned(), ..Default::default() });
    let error = many.await.error().await;
    assert!(error.to_string().contains("1 more"), "{error}");
}

#[tokio::test]
async fn several_site_databases_are_listed() {
    let options = site_database::Options { site_databases: vec!["CM_PS1".to_owned()], ..Default::default() };
    let mut lab = lab(options).await;
    let error = lab.error().await;
    let ReadError::SeveralSiteDatabases { databases, .. } = &error else { panic!("{error:?}") };
    assert_eq!(databases, &["CM_CAS", "CM_PS1"]);
    assert!(error.to_string().contains("CM_CAS, CM_PS1; name one with --database"));
    lab.options.database = Some("CM_PS1".to_owned());
    assert_contoso(&lab.facts().await);
}

#[tokio::test]
async fn a_server_without_a_site_says_what_was_seen() {
    let mut lab = lab(site_database::Options {
        database: "Contoso".to_owned(),
        empty_databases: vec!["CM_TST".to_owned()],
        ..Default::default()
    })
    .await;
    let error = lab.error().await;
    assert!(matches!(error, ReadError::NoSiteDatabase { .. }));
    assert!(error.to_string().contains("CM_TST: no site in it") && error.to_string().contains("--database"), "{error}");
    lab.options.database = Some("CM_TST".to_owned());
    let error = lab.error().await;
    assert!(matches!(error, ReadError::NotASiteDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("CM_TST"));
}

#[tokio::test]
async fn an_unknown_database_is_named() {
    let mut lab = lab(site_database::Options::default()).await;
    for name in ["CM_XYZ", "x'; DROP TABLE y"] {
        lab.options.database = Some(name.to_owned());
        let error = lab.connect_error().await;
        assert!(matches!(&error, ConnectError::DatabaseUnavailable { number: 4060, .. }), "{error:?}");
        assert!(error.to_string().contains(name) && error.to_string().contains("--database"), "{error}");
    }
    lab.options.database = Some("x".repeat(129));
    assert!(matches!(lab.connect_error().await, ConnectError::DatabaseName { .. }));
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let mut lab = lab(site_database::Options::default()).await;
    let sign_in = SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new("hunter2") };
    lab.options.sign_in = sign_in;
    let error = lab.connect_error().await;
    assert!(matches!(&error, ConnectError::LoginRefused { number: 18456, .. }), "{error:?}");
    assert!(error.to_string().contains("SQL login cmcomply") && !error.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted_and_of_this_server() {
    use site_database::Certificate::AnotherAuthority;
    let mut lab_ca = lab(site_database::Options::default()).await;
    lab_ca.options.certificate = Certificate::MachineRoots;
    let error = lab_ca.connect_error().await;
    assert!(matches!(error, ConnectError::CertificateUntrusted { .. }), "{error:?}");
    for option in ["--sql-ca-file", "--trust-server-certificate"] {
        assert!(error.to_string().contains(option), "{error}");
    }
    assert!(!error.to_string().contains("trust_cert"), "the driver's advice is for programmers: {error}");

    let options = site_database::Options { certificate: AnotherAuthority, ..Default::default() };
    let mut foreign = lab(options).await;
    assert!(matches!(foreign.connect_error().await, ConnectError::CertificateUntrusted { .. }));
    foreign.options.certificate = Certificate::NotChecked;
    let facts = foreign.facts().await;
    assert_contoso(&facts);
    assert_eq!(facts.connection.certificate, SqlCertificate::NotChecked);

    let names = vec!["sql.fabrikam.example".to_owned()];
    let renamed = lab(site_database::Options { certificate_names: names, ..Default::default() }).await;
    let error = renamed.connect_error().await;
    assert!(matches!(&error, ConnectError::CertificateWrongName { host, .. } if host == "localhost"), "{error:?}");
}

#[tokio::test]
async fn a_server_is_never_spoken_to_in_clear() {
    let options = site_database::Options { encryption: Encryption::NotSupported, ..Default::default() };
    let clear = lab(options).await;
    assert!(matches!(clear.connect_error().await, ConnectError::TlsNotOffered { .. }));
    assert_eq!(clear.database.logins(), []);

    let options = site_database::Options { encryption: Encryption::Required, ..Default::default() };
    assert_contoso(&lab(options).await.facts().await);
}

#[tokio::test]
async fn servers_that_are_none_are_told_apart() {
    let garbage = faulty(Fault::Garbage).await.connect_error().await;
    assert!(matches!(garbage, ConnectError::NotSqlServer { .. }), "{garbage:?}");
    let closes = faulty(Fault::CloseAtOnce).await.connect_error().await;
    assert!(matches!(closes, ConnectError::Cut { .. }), "{closes:?}");
    let refuses = faulty(Fault::RefuseHandshake).await.connect_error().await;
    assert!(matches!(refuses, ConnectError::TlsTooOld { .. }), "{refuses:?}");

    let mut hangs = faulty(Fault::NeverAnswer).await;
    hangs.options.connect_timeout = Duration::from_millis(300);
    let begun = Instant::now();
    let error = hangs.connect_error().await;
    assert!(matches!(error, ConnectError::HandshakeStalled { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn no_server_and_no_name_are_told_apart() {
    let mut lab = lab(site_database::Options::default()).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    lab.options.server = Server::parse(&format!("127.0.0.1,{free}")).unwrap();
    assert!(matches!(lab.connect_error().await, ConnectError::Refused { .. }));
    lab.options.server = Server::parse("cm01.invalid").unwrap();
    let error = lab.connect_error().await;
    assert!(matches!(&error, ConnectError::NameNotResolved { host, .. } if host == "cm01.invalid"), "{error:?}");
    // No SQL Server Browser listens on the loopback address of a test machine.
    lab.options.server = Server::parse("127.0.0.9\\CMINST").unwrap();
    lab.options.connect_timeout = Duration::from_millis(300);
    let error = lab.connect_error().await;
    assert!(matches!(&error, ConnectError::BrowserSilent { instance, .. } if instance == "CMINST"), "{error:?}");
    assert!(error.to_string().contains("--sql HOST,PORT"));
}

#[tokio::test]
async fn a_ca_file_that_is_none_is_an_error_before_any_connection() {
    let mut lab = lab(site_database::Options::default()).await;
    lab.options.certificate = Certificate::CaFile("no-such-file.pem".into());
    let error = lab.connect_error().await;
    assert!(matches!(&error, ConnectError::CaFile { file, .. } if file == "no-such-file.pem"), "{error:?}");
    assert_eq!(lab.database.logins(), []);
}

#[tokio::test]
async fn strict_encryption_is_spoken_where_it_is_asked_for() {
    let options = site_database::Options { encryption: Encryption::Strict, ..Default::default() };
    let mut lab = lab(options).await;
    // Without it, the server is not understood, and the message names the option.
    lab.options.connect_timeout = Duration::from_secs(2);
    let error = lab.connect_error().await;
    assert!(error.to_string().contains("--sql-encrypt"), "{error}");
    lab.options.connect_timeout = Duration::from_secs(10);
    lab.options.network.encryption = cmcomply::site::Encryption::Strict;
    assert_contoso(&lab.facts().await);

    let mut other = crate::lab(site_database::Options::default()).await;
    other.options.network.encryption = cmcomply::site::Encryption::Strict;
    other.options.connect_timeout = Duration::from_secs(2);
    let error = other.connect_error().await;
    assert!(error.to_string().contains("--sql-encrypt"), "{error}");
    assert_eq!(other.database.logins(), []);
}

#[tokio::test]
async fn an_entra_token_signs_in_and_shows_nowhere() {
    let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.Y29udG9zbw.c2lnbmF0dXJl";
    for encryption in [Encryption::Offered, Encryption::Strict] {
        let options = site_database::Options { entra_token: Some(token.to_owned()), encryption, ..Default::default() };
        let mut lab = lab(options).await;
        if encryption == Encryption::Strict {
            lab.options.network.encryption = cmcomply::site::Encryption::Strict;
        }
        lab.options.sign_in = SignIn::EntraToken { token: Secret::new(token) };
        let facts = lab.facts().await;
        assert_contoso(&facts);
        assert_eq!(facts.connection.sign_in, SqlSignIn::EntraToken);
        assert!(!format!("{facts:?} {:?}", lab.options).contains(token));
        assert!(lab.database.logins().iter().all(|login| login.entra && login.accepted && login.user.is_empty()));

        lab.options.sign_in = SignIn::EntraToken { token: Secret::new("eyJ.expired.token") };
        let error = lab.connect_error().await;
        assert!(matches!(&error, ConnectError::LoginRefused { number: 18456, .. }), "{error:?}");
        assert!(error.to_string().contains("Entra") && !error.to_string().contains("eyJ"), "{error}");
    }
}

#[tokio::test]
async fn a_named_instance_is_found_through_the_browser_and_read() {
    let options = site_database::Options { browser_instance: Some("CMINST".to_owned()), ..Default::default() };
    let mut lab = lab(options).await;
    lab.options.network.browser_port = lab.database.browser_address().unwrap().port();
    lab.options.server = Server::parse("localhost\\cminst").unwrap();
    let facts = lab.facts().await;
    assert_contoso(&facts);
    assert_eq!(facts.connection.server, "localhost\\cminst");
}

#[tokio::test]
async fn all_addresses_of_a_listener_are_tried_at_once() {
    let mut lab = lab(site_database::Options::default()).await;
    lab.options.network.multi_subnet_failover = true;
    assert_contoso(&lab.facts().await);
    assert!(lab.database.logins().iter().all(|login| login.read_only), "read-only intent, to get a secondary");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    lab.options.server = Server::parse(&format!("localhost,{free}")).unwrap();
    assert!(matches!(lab.connect_error().await, ConnectError::Refused { .. }));
}
