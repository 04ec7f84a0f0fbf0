//! Batches, TRY and CATCH, and what comes out of them.

use crate::client::{ask, error, lab, rows};
use crate::lab::site_database::Options;

const PREAMBLE: &str = "SET NOCOUNT ON; SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SET LOCK_TIMEOUT 5000; \
                        SET DEADLOCK_PRIORITY LOW;\n";

fn guarded(statement: &str) -> String {
    format!(
        "BEGIN TRY EXEC sys.sp_executesql N'{}'; END TRY BEGIN CATCH SELECT 1 AS error_x, ERROR_NUMBER() AS error_number, \
         ERROR_MESSAGE() AS error_message; END CATCH;\n",
        statement.replace('\'', "''")
    )
}

#[tokio::test]
async fn one_batch_many_results() {
    let (_db, mut client) = lab(Options::default()).await;
    let sql = format!(
        "{PREAMBLE}SELECT N'sites' AS fact, SiteCode FROM dbo.v_Site ORDER BY SiteCode;\n\
         SELECT N'none' AS fact, SiteCode FROM dbo.v_Site WHERE 1 = 0;\n\
         SELECT ThisSiteCode FROM dbo.SMSData"
    );
    let sets = ask(&mut client, &sql).await.expect("three sets");
    assert_eq!(sets.len(), 3);
    assert_eq!(sets[0].iter().map(|r| r[1].as_str()).collect::<Vec<_>>(), ["CAS", "PS1", "PS2", "SS1"]);
    assert!(sets[1].is_empty());
    assert_eq!(sets[2], [["CAS"]]);
}

#[tokio::test]
async fn a_guarded_statement_fails_alone() {
    let (_db, mut client) = lab(Options::default()).await;
    let sql = [
        PREAMBLE.to_owned(),
        guarded("SELECT N'a' AS fact, SiteCode FROM dbo.v_Site WHERE SiteCode = N'cas'"),
        guarded("SELECT N'b' AS fact, x FROM dbo.Nothing"),
        guarded("SELECT N'c' AS fact, Nothing FROM dbo.v_Site"),
        guarded("SELECT N'd' AS fact FROM dbo.v_Site WHERE )"),
        guarded("SELECT N'it''s' AS fact"),
    ]
    .concat();
    let sets = ask(&mut client, &sql).await.expect("no error reaches the client");
    assert_eq!(sets[0], [["a", "CAS"]]);
    assert_eq!(sets[1], [["1", "208", "Invalid object name 'dbo.Nothing'."]]);
    assert_eq!(sets[2], [["1", "207", "Invalid column name 'Nothing'."]]);
    assert_eq!(sets[3][0][1], "102");
    assert_eq!(sets[4], [["it's"]]);
}

#[tokio::test]
async fn an_unguarded_error_ends_the_batch() {
    let (_db, mut client) = lab(Options::default()).await;
    assert_eq!(error(&mut client, "SELECT 1 AS a; SELECT x FROM dbo.Nothing; SELECT 2 AS b").await, 208);
    assert_eq!(error(&mut client, "SELECT Nothing FROM dbo.v_Site").await, 207);
    assert_eq!(error(&mut client, "SELEC 1").await, 102);
    assert_eq!(error(&mut client, "SELECT v.SiteCode FROM dbo.v_Site AS w").await, 4104);
    assert_eq!(error(&mut client, "SELECT NOSUCH(1) AS a").await, 195);
    // The connection is as good as before.
    assert_eq!(rows(&mut client, "SELECT 1 AS a").await, ["1"]);
}
