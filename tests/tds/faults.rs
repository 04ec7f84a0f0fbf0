//! Everything that can go wrong does so when a test asks for it, and the next thing works again.

use std::time::Duration;

use tiberius::error::Error;
use tiberius::{Client, SqlBrowser as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::compat::TokioAsyncWriteCompatExt as _;

use crate::client::{ask, config, connect, error, lab, rows};
use lab::site_database::{Fault, Options, SiteDatabase};

fn with(fault: Fault) -> Options {
    Options { faults: vec![fault], ..Options::default() }
}

#[tokio::test]
async fn a_connection_cut_in_mid_answer() {
    let fault = Fault::Cut { containing: "vSMS_SC_SysResUse".into(), after_rows: 17 };
    let (db, mut client) = lab(with(fault)).await;
    assert_eq!(rows(&mut client, "SELECT 1 AS one").await, ["1"]);
    let sql = "SELECT 1 AS one; BEGIN TRY EXEC sys.sp_executesql N'SELECT NALPath FROM dbo.vSMS_SC_SysResUse' END TRY \
               BEGIN CATCH SELECT ERROR_NUMBER() AS n END CATCH; SELECT 2 AS two";
    let mut stream = client.simple_query(sql).await.expect("the first set");
    assert_eq!(stream.columns().await.expect("metadata").expect("columns")[0].name(), "one");
    let cut = stream.into_results().await.expect_err("the connection is cut");
    assert!(matches!(cut, Error::Io { .. }), "{cut:?}");
    // A new connection fares the same; other statements are fine.
    let mut again = connect(&db, config(&db)).await.expect("login");
    assert_eq!(rows(&mut again, "SELECT COUNT(*) AS n FROM dbo.v_Site").await, ["4"]);
    assert!(ask(&mut again, "SELECT ServerName FROM dbo.vsms_sc_sysresuse").await.is_err());
}

#[tokio::test]
async fn connections_that_come_to_nothing() {
    for fault in [Fault::CloseAtOnce, Fault::Garbage, Fault::RefuseHandshake] {
        let db = SiteDatabase::start(with(fault.clone())).await;
        let failed = tokio::time::timeout(Duration::from_secs(20), connect(&db, config(&db))).await;
        let error = failed.expect("an answer, not silence").err().unwrap_or_else(|| panic!("no login with {fault:?}"));
        assert!(error.code().is_none(), "{fault:?}: {error}");
        assert_eq!(db.logins(), []);
    }
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let db = SiteDatabase::start(with(Fault::NeverAnswer)).await;
    let mut settings = config(&db);
    settings.handshake_timeout(Some(Duration::from_millis(300)));
    let error = connect(&db, settings).await.expect_err("no login");
    assert!(error.to_string().contains("time"), "{error}");
}

#[tokio::test]
async fn a_statement_without_answer() {
    let (db, _client) = lab(with(Fault::Silent { containing: "v_Site".into() })).await;
    let mut settings = config(&db);
    settings.command_timeout(Some(Duration::from_millis(300)));
    let mut client = connect(&db, settings).await.expect("login");
    assert!(ask(&mut client, "SELECT SiteCode FROM dbo.v_Site").await.is_err());
    assert_eq!(db.statements(), ["SELECT SiteCode FROM dbo.v_Site"]);
}

#[tokio::test]
async fn a_slow_statement_can_be_cancelled() {
    let fault = Fault::Delay { containing: "v_Site".into(), wait: Duration::from_mins(1) };
    let (_db, mut client) = lab(with(fault)).await;
    {
        let slow = ask(&mut client, "SELECT SiteCode FROM dbo.v_Site");
        assert!(tokio::time::timeout(Duration::from_millis(200), slow).await.is_err(), "it waits");
    }
    tokio::time::timeout(Duration::from_secs(20), client.cancel_query()).await.expect("in time").expect("cancelled");
    assert_eq!(rows(&mut client, "SELECT ThisSiteCode FROM dbo.SMSData").await, ["CAS"]);
}

#[tokio::test]
async fn a_short_delay_only_delays() {
    let fault = Fault::Delay { containing: "v_Site".into(), wait: Duration::from_millis(50) };
    let (_db, mut client) = lab(with(fault)).await;
    assert_eq!(rows(&mut client, "SELECT COUNT(*) AS n FROM dbo.v_Site").await, ["4"]);
}

#[tokio::test]
async fn deadlocks_and_lock_timeouts_pass() {
    let options = Options {
        faults: vec![
            Fault::Deadlock { containing: "v_Site".into(), times: 2 },
            Fault::LockTimeout { containing: "SMSData".into(), times: 1 },
        ],
        ..Options::default()
    };
    let (_db, mut client) = lab(options).await;
    let sites = "SELECT COUNT(*) AS n FROM dbo.v_Site";
    assert_eq!(error(&mut client, sites).await, 1205);
    let guarded = "BEGIN TRY EXEC sys.sp_executesql N'SELECT COUNT(*) AS n FROM dbo.v_Site'; END TRY \
                   BEGIN CATCH SELECT ERROR_NUMBER() AS n END CATCH";
    assert_eq!(rows(&mut client, guarded).await, ["1205"]);
    assert_eq!(rows(&mut client, sites).await, ["4"]);
    assert_eq!(error(&mut client, "SELECT ThisSiteCode FROM dbo.SMSData").await, 1222);
    assert_eq!(rows(&mut client, "SELECT ThisSiteCode FROM dbo.SMSData").await, ["CAS"]);
}

#[tokio::test]
async fn an_error_in_mid_set_leaves_the_rows_before_it() {
    let (_db, mut client) = lab(with(Fault::BreakOff { containing: "v_Site".into(), after_rows: 2 })).await;
    let guarded = "BEGIN TRY EXEC sys.sp_executesql N'SELECT SiteCode FROM dbo.v_Site ORDER BY SiteCode'; END TRY \
                   BEGIN CATCH SELECT ERROR_NUMBER() AS n END CATCH";
    let sets = ask(&mut client, guarded).await.expect("the error is caught");
    assert_eq!(sets, [vec![vec!["CAS"], vec!["PS1"]], vec![vec!["1205"]]]);
    assert_eq!(error(&mut client, "SELECT SiteCode FROM dbo.v_Site").await, 1205);
    // The same for an error of the data itself.
    let guarded = "BEGIN TRY SELECT 6 / (3 - SiteNumber) AS a FROM dbo.SC_SiteDefinition ORDER BY SiteNumber END TRY \
                   BEGIN CATCH SELECT ERROR_NUMBER() AS n END CATCH";
    let sets = ask(&mut client, guarded).await.expect("the error is caught");
    assert_eq!(sets.len(), 2);
    assert!(sets[0].len() < 4 && sets[1] == [["8134"]], "{sets:?}");
}

#[tokio::test]
async fn the_browser_names_the_port_of_an_instance() {
    let db = SiteDatabase::start(Options { browser_instance: Some("CMINST".into()), ..Options::default() }).await;
    let browser = db.browser_address().expect("a browser");
    let mut settings = config(&db);
    settings.host("127.0.0.1");
    settings.port(browser.port());
    settings.instance_name("cminst");
    let tcp = TcpStream::connect_named(&settings).await.expect("the browser answers");
    assert_eq!(tcp.peer_addr().expect("connected"), db.address());
    let mut client = Box::pin(Client::connect(settings, tcp.compat_write())).await.expect("login");
    assert_eq!(rows(&mut client, "SELECT 1 AS one").await, ["1"]);

    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    socket.send_to(b"\x04OTHER\0", browser).await.expect("sent");
    let mut buffer = [0; 64];
    let silence = tokio::time::timeout(Duration::from_millis(200), socket.recv_from(&mut buffer)).await;
    assert!(silence.is_err(), "nothing about an unknown instance");
}
