//! Who gets in.

use tiberius::{AuthMethod, EncryptionLevel, error::Error};

use crate::client::{ask, config, connect, rows};
use lab::site_database::{Certificate, Encryption, Login, Options, Rights, SiteDatabase};

#[tokio::test]
async fn tls_with_a_checked_certificate() {
    let db = SiteDatabase::start(Options::default()).await;
    let mut settings = config(&db);
    settings.application_name("cmcomply");
    settings.readonly(true);
    let mut client = connect(&db, settings).await.expect("login");
    assert_eq!(rows(&mut client, "SELECT DB_NAME() AS name").await, ["CM_CAS"]);
    let login = &db.logins()[0];
    assert_eq!(
        (login.user.as_str(), login.database.as_str(), login.application.as_str()),
        ("cmcomply", "CM_CAS", "cmcomply")
    );
    assert!(login.read_only && login.accepted);
    assert_eq!(db.statements(), ["SELECT DB_NAME() AS name"]);
}

#[tokio::test]
async fn tls_for_the_login_only() {
    let db = SiteDatabase::start(Options::default()).await;
    let mut settings = config(&db);
    settings.encryption(EncryptionLevel::Off);
    let mut client = connect(&db, settings).await.expect("login");
    assert_eq!(rows(&mut client, "SELECT 1 AS one").await, ["1"]);
    assert!(!db.logins()[0].read_only);
}

#[tokio::test]
async fn without_tls() {
    let options = Options { encryption: Encryption::NotSupported, ..Options::default() };
    let db = SiteDatabase::start(options).await;
    let refused = connect(&db, config(&db)).await.expect_err("TLS was required");
    assert!(refused.to_string().contains("encryption level"), "{refused}");
    let mut settings = config(&db);
    settings.encryption(EncryptionLevel::NotSupported);
    let mut client = connect(&db, settings).await.expect("login in clear");
    assert_eq!(rows(&mut client, "SELECT 1 AS one").await, ["1"]);
}

#[tokio::test]
async fn forced_tls_wins_over_login_only() {
    let db = SiteDatabase::start(Options { encryption: Encryption::Required, ..Options::default() }).await;
    let mut settings = config(&db);
    settings.encryption(EncryptionLevel::Off);
    let mut client = connect(&db, settings).await.expect("login");
    assert_eq!(rows(&mut client, "SELECT 1 AS one").await, ["1"]);
}

#[tokio::test]
async fn wrong_passwords_and_databases() {
    let options = Options { closed_databases: vec!["CM_SEC".into()], ..Options::default() };
    let db = SiteDatabase::start(options).await;
    let mut wrong = config(&db);
    wrong.authentication(AuthMethod::sql_server("cmcomply", "wrong"));
    assert_eq!(connect(&db, wrong).await.err().and_then(|e| e.code()), Some(18456));
    for closed in ["CM_XYZ", "CM_SEC"] {
        let mut other = config(&db);
        other.database(closed);
        assert_eq!(connect(&db, other).await.err().and_then(|e| e.code()), Some(4060), "{closed}");
    }
    assert!(db.logins().iter().all(|l| !l.accepted));
}

#[tokio::test]
async fn certificates_that_must_be_refused() {
    let foreign = Options { certificate: Certificate::AnotherAuthority, ..Options::default() };
    let renamed = Options { certificate_names: vec!["sql.contoso.com".into()], ..Options::default() };
    for options in [foreign, renamed] {
        let db = SiteDatabase::start(options).await;
        let refused = connect(&db, config(&db)).await.expect_err("a certificate that fails the check");
        assert!(matches!(&refused, Error::Tls(_) | Error::Io { .. }), "{refused:?}");
        assert!(refused.to_string().to_lowercase().contains("certificate"), "{refused}");
        assert_eq!(db.logins(), []);
    }
}

#[tokio::test]
async fn several_databases_and_logins() {
    let options = Options {
        site_databases: vec!["CM_PS1".into()],
        empty_databases: vec!["CM_OLD".into()],
        closed_databases: vec!["CM_SEC".into()],
        other_logins: vec![Login { user: "narrow".into(), password: "x".into(), rights: Rights::objects(&["v_Site"]) }],
        ..Options::default()
    };
    let db = SiteDatabase::start(options).await;
    let mut settings = config(&db);
    settings.database("master");
    let mut client = connect(&db, settings).await.expect("login");
    let names = "SELECT name, state_desc, HAS_DBACCESS(name) AS can_open FROM sys.databases \
                 WHERE name LIKE N'CM[_]___' ORDER BY name";
    let found = rows(&mut client, names).await;
    assert_eq!(found, ["CM_CAS|ONLINE|1", "CM_OLD|ONLINE|1", "CM_PS1|ONLINE|1", "CM_SEC|ONLINE|0"]);

    let count = "SELECT COUNT(*) AS n FROM sys.objects WHERE name = N'v_Site'";
    for (database, expected) in [("CM_PS1", "1"), ("CM_OLD", "0")] {
        let mut settings = config(&db);
        settings.database(database);
        let mut client = connect(&db, settings).await.expect("login");
        assert_eq!(rows(&mut client, count).await, [expected], "{database}");
    }
    let mut narrow = config(&db);
    narrow.authentication(AuthMethod::sql_server("narrow", "x"));
    let mut client = connect(&db, narrow).await.expect("login");
    assert_eq!(ask(&mut client, "SELECT name FROM sys.objects").await.expect("discovery"), [[["v_Site"]]]);
}
