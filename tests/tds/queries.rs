//! Batches, TRY and CATCH, and what comes out of them.

use crate::client::{ask, error, lab, rows};
use lab::site_database::Options;

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

/// What SQL Server accepts, one statement per line, with its answer.
const ACCEPTED: &[(&str, &str)] = &[
    ("SELECT LEFT(N'abc', 2) + RIGHT(N'xyz', 1) + SUBSTRING(N'abcdef', 2, 3) AS s", "abzbcd"),
    ("SELECT LEN(N'ab  ') AS l, CHARINDEX(N'C', N'abc') AS c, REPLACE(N'a.b', N'.', N'-') AS r", "2|3|a-b"),
    (
        "SELECT ISNULL(NULL, 3) AS a, IIF(1 = 2, N'x', N'y') AS b, CONCAT(N'a', NULL, 1) AS c, N'a' + NULL AS d",
        "3|y|a1|NULL",
    ),
    (
        "SELECT CAST(N'12' AS int) + 1 AS a, CONVERT(nvarchar(2), N'long') AS b, TRY_CONVERT(int, N'x') AS c, 7 / 2 AS d",
        "13|lo|NULL|3",
    ),
    ("SELECT one = 1, [two words] = 2", "1|2"),
    ("SELECT TOP (1) SiteCode FROM dbo.v_Site ORDER BY SiteCode DESC", "SS1"),
    ("SELECT SiteCode FROM dbo.v_Site ORDER BY SiteCode OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", "PS1"),
    ("WITH p AS (SELECT SiteCode FROM dbo.v_Site WITH (NOLOCK) WHERE Type = 2) SELECT COUNT(*) AS n FROM p", "2"),
    ("SELECT v_Site.SiteCode, dbo.v_Site.Type FROM [dbo].[v_Site] WHERE [SiteCode] = 'cas'", "CAS|4"),
    ("SELECT x.a FROM (VALUES (1, N'p'), (2, N'q')) AS x (a, b) WHERE x.b = N'Q'", "2"),
    ("SELECT COUNT(*) AS n FROM dbo.Sites s FULL OUTER JOIN dbo.SC_SiteDefinition d ON d.SiteCode = s.SiteCode", "4"),
    ("SELECT STRING_AGG(SiteCode, N',') AS s FROM dbo.v_Site", "CAS,PS1,PS2,SS1"),
    (
        "SELECT (SELECT COUNT(*) FROM dbo.Sites c WHERE c.ReportToSite = s.SiteCode) AS n FROM dbo.Sites s WHERE SiteCode = N'CAS'",
        "2",
    ),
    ("SELECT ThisSiteCode FROM CM_CAS.dbo.SMSData", "CAS"),
    ("SELECT N'it''s', N'''' + N''''''", "it's|'''"),
    ("IF EXISTS (SELECT 1 FROM dbo.v_Site) SELECT N'yes' AS a ELSE SELECT N'no' AS a", "yes"),
    ("DECLARE @code nvarchar(3) = N'PS2'; SELECT SiteCode FROM dbo.v_Site WHERE SiteCode = @code", "PS2"),
    ("EXEC sp_executesql N'SELECT @a + @b AS c', N'@a int, @b int', 4, @b = 5", "9"),
    ("SELECT dbo.fnGetSiteSystemName(N'[\"Display=\\\\A\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\A.B\\') AS s", "A.B"),
    ("/* a comment; */ SELECT CASE N'A' WHEN N'a' THEN 1 ELSE 2 END AS c -- and another", "1"),
    ("SELECT CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)) AS v, DB_NAME() AS d", "16.0.1000.6|CM_CAS"),
];

/// What SQL Server refuses, with its number; SQLite or the parser would take most of it.
const REFUSED: &[(&str, u32)] = &[
    ("SELECT SiteCode FROM dbo.v_Site LIMIT 2", 102),
    ("SELECT SiteCode || N'x' FROM dbo.v_Site", 102),
    ("SELECT 'open FROM dbo.v_Site", 105),
    ("SELECT 1 AS plan", 156),
    ("SELECT 1 AS a FROM WHERE", 156),
    ("SELECT length(N'x') AS n", 195),
    ("SELECT \"x\" AS a", 207),
    ("SELECT Nothing FROM dbo.v_Site", 207),
    ("SELECT SiteCode FROM CM_PS1.dbo.v_Site", 208),
    ("SELECT SiteCode FROM repl.v_Site", 208),
    ("SELECT a.SiteCode FROM dbo.Sites AS a JOIN dbo.Sites AS b ON SiteCode = b.SiteCode", 209),
    ("SELECT SiteCode FROM dbo.fn_rbac_Site", 216),
    ("SELECT CAST(N'abc' AS int) AS a", 245),
    ("SELECT SiteCode FROM dbo.fn_rbac_Site()", 313),
    ("SELECT SiteCode FROM dbo.fn_rbac_Site(N'a', N'b')", 8144),
    ("SELECT a.n FROM (SELECT SiteCode AS n FROM dbo.v_Site ORDER BY n) AS a", 1033),
    ("SELECT SiteCode, COUNT(*) AS n FROM dbo.v_Site", 8120),
    ("SELECT SiteCode, Type FROM dbo.v_Site GROUP BY SiteCode", 8120),
    ("SELECT 1 / 0 AS a", 8134),
    ("SELECT CAST(300 AS tinyint) AS a", 8115),
    ("EXEC dbo.sp_who", 2812),
    ("SELECT @a AS a", 137),
    ("USE CM_XYZ", 911),
];

#[tokio::test]
async fn what_sql_server_accepts() {
    let (_db, mut client) = lab(Options::default()).await;
    for (sql, expected) in ACCEPTED {
        assert_eq!(rows(&mut client, sql).await, [*expected], "{sql}");
    }
}

#[tokio::test]
async fn what_sql_server_refuses() {
    let (_db, mut client) = lab(Options::default()).await;
    for (sql, number) in REFUSED {
        assert_eq!(error(&mut client, sql).await, *number, "{sql}");
    }
}

#[tokio::test]
async fn try_catches_what_sql_server_lets_it_catch() {
    let (_db, mut client) = lab(Options::default()).await;
    let same_level =
        |statement: &str| format!("BEGIN TRY {statement} END TRY BEGIN CATCH SELECT ERROR_NUMBER() AS n END CATCH");
    // Names of the same level are not caught; run-time errors and errors from below are.
    assert_eq!(error(&mut client, &same_level("SELECT x FROM dbo.Nothing")).await, 208);
    assert_eq!(error(&mut client, &same_level("SELECT Nothing FROM dbo.v_Site")).await, 207);
    let divided = ask(&mut client, &same_level("SELECT 1 / 0 AS a")).await.expect("the error is caught");
    assert_eq!(divided, [vec![], vec![vec!["8134"]]], "the set has begun when the error comes");
    assert_eq!(rows(&mut client, &same_level("EXEC sp_executesql N'SELECT x FROM dbo.Nothing'")).await, ["208"]);
    assert_eq!(error(&mut client, "BEGIN TRY SELECT 1 END TRY; BEGIN CATCH SELECT 2 END CATCH").await, 102);
    // A wrong column fails the batch before its first statement.
    let stream = client.simple_query("SELECT 1 AS a; SELECT Nothing FROM dbo.v_Site").await;
    let failed = match stream {
        Ok(mut stream) => stream.columns().await.map(|c| c.map(<[_]>::len)),
        Err(error) => Err(error),
    };
    assert_eq!(failed.err().and_then(|e| e.code()), Some(207));
}
