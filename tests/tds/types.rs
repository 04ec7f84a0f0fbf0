//! Values of every type, with and without NULL, and answers of any size.

use tiberius::{ColumnData, ColumnType};

use crate::client::{ask, config, connect, lab, rows};
use lab::site_database::{Options, SiteDatabase};

const TABLE: &str = "CREATE TABLE dbo.Everything (id int NOT NULL PRIMARY KEY, a bit NULL, b tinyint NULL, c smallint NULL, \
     d int NULL, e bigint NULL, f float NULL, g datetime NULL, h uniqueidentifier NULL, i nvarchar(20) NULL, \
     j nvarchar(max) NULL, k varchar(20) NULL, l char(4) NULL);\n\
     INSERT dbo.Everything VALUES \
     (1, 1, 255, -32768, -2147483648, -9223372036854775807, 1.5, '2024-06-30T06:07:08.250', \
      '01234567-89AB-cdef-0123-456789abcdef', N'Zürich 日本 😀', N'', N'plain', N'ab'), \
     (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), \
     (3, 0, 0, 32767, 2147483647, 9223372036854775807, -0.25, '1899-12-31T23:59:59.997', \
      '00000000-0000-0000-0000-000000000000', N'', N'x', N'', N'abcd');\n\
     GO\nCREATE VIEW dbo.v_Everything AS SELECT id, a, b, c, d, e, f, g, h, i, j, k, l FROM dbo.Everything;";

#[tokio::test]
async fn every_type_with_and_without_null() {
    let (_db, mut client) = lab(Options { variants: vec![TABLE.into()], ..Options::default() }).await;
    for source in ["dbo.Everything", "dbo.v_Everything"] {
        let found =
            rows(&mut client, &format!("SELECT a, b, c, d, e, f, g, h, i, j, k, l FROM {source} ORDER BY id")).await;
        let first = "true|255|-32768|-2147483648|-9223372036854775807|1.5|day 45471 tick 6608475|\
                     01234567-89ab-cdef-0123-456789abcdef|Zürich 日本 😀||plain|ab  ";
        assert_eq!(found[0], first, "{source}");
        assert_eq!(found[1], ["NULL"; 12].join("|"));
        let last = "false|0|32767|2147483647|9223372036854775807|-0.25|day -1 tick 25919999|\
                    00000000-0000-0000-0000-000000000000||x||abcd";
        assert_eq!(found[2], last);
    }
}

#[tokio::test]
async fn an_empty_set_has_its_columns_and_types() {
    let (_db, mut client) = lab(Options { variants: vec![TABLE.into()], ..Options::default() }).await;
    let sql = "SELECT a, b AS Beta, d, e, g, h, i, j, COUNT(*) OVER () AS n, MAX(d) OVER () AS m, CAST(NULL AS bit) AS o, 1 \
               FROM dbo.v_Everything WHERE 1 = 0";
    let mut stream = client.simple_query(sql).await.expect("a set");
    let columns = stream.columns().await.expect("metadata").expect("columns");
    let names: Vec<&str> = columns.iter().map(tiberius::Column::name).collect();
    assert_eq!(names, ["a", "Beta", "d", "e", "g", "h", "i", "j", "n", "m", "o", ""]);
    let types: Vec<ColumnType> = columns.iter().map(tiberius::Column::column_type).collect();
    let expected = [
        ColumnType::Bitn,
        ColumnType::Int1,
        ColumnType::Int4,
        ColumnType::Int8,
        ColumnType::Datetimen,
        ColumnType::Guid,
        ColumnType::NVarchar,
        ColumnType::NVarchar,
        ColumnType::Int4,
        ColumnType::Int4,
        ColumnType::Bitn,
        ColumnType::Int4,
    ];
    assert_eq!(types, expected);
    assert_eq!(stream.into_results().await.expect("an empty set").len(), 1);
}

#[tokio::test]
async fn twenty_thousand_rows_in_many_packets() {
    let many = "INSERT repl.EdgeBrowserSettings (CI_ID, DisplayName) \
                SELECT TOP (20000) ROW_NUMBER() OVER (ORDER BY a.ID, b.ID, c.ID), CONCAT(N'Edge setting of ', a.ServerName) \
                FROM dbo.vSMS_SC_SysResUse AS a CROSS JOIN dbo.vSMS_SC_SysResUse AS b CROSS JOIN dbo.vSMS_SC_SysResUse AS c;";
    let db = SiteDatabase::start(Options { variants: vec![many.into()], ..Options::default() }).await;
    for size in [512, 4096, 32_767] {
        let mut settings = config(&db);
        settings.packet_size(size);
        let mut client = connect(&db, settings).await.expect("login");
        let sql = "SELECT CI_ID, DisplayName FROM dbo.fn_listEdgeBrowserSettings_List(1033) ORDER BY CI_ID";
        let rows = client.simple_query(sql).await.expect("query").into_first_result().await.expect("rows");
        assert_eq!(rows.len(), 20_000, "packets of {size}");
        assert_eq!(rows[19_999].get::<i32, _>(0), Some(20_000));
        assert!(rows.iter().all(|r| r.get::<&str, _>(1).is_some_and(|n| n.ends_with(".corp.contoso.com"))));
    }
}

#[tokio::test]
async fn a_statement_of_sixty_thousand_characters() {
    let (db, mut client) = lab(Options::default()).await;
    let names: Vec<String> = (0..4000).map(|i| format!("N'Name{i:08}'")).collect();
    let sql = format!("SELECT SiteCode FROM dbo.v_Site WHERE SiteCode IN ({}, N'PS2')", names.join(", "));
    assert!(sql.len() > 60_000);
    assert_eq!(rows(&mut client, &sql).await, ["PS2"]);
    assert_eq!(db.statements(), [sql]);
}

#[tokio::test]
async fn a_long_text_in_chunks() {
    let (_db, mut client) = lab(Options::default()).await;
    let text = "Bär 😀 ".repeat(3000);
    let sets =
        ask(&mut client, &format!("SELECT CAST(N'{text}' AS nvarchar(max)) AS long")).await.expect("a long text");
    assert_eq!(sets, [[[text]]]);
}

#[tokio::test]
async fn parameters() {
    let (db, mut client) = lab(Options::default()).await;
    let sql = "SELECT SiteCode, @P2 AS two, @P3 AS three FROM dbo.v_Site WHERE SiteName LIKE @P1";
    let found =
        client.query(sql, &[&"%branch", &-7_i32, &true]).await.expect("query").into_first_result().await.expect("rows");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].get::<&str, _>("SiteCode"), Some("SS1"));
    assert!(matches!(found[0].cells().nth(1), Some((_, ColumnData::I32(Some(-7))))));
    assert_eq!(db.statements(), [sql]);
    let none = client.query("SELECT x FROM dbo.Nothing WHERE y = @P1", &[&1_i32]).await;
    let error = match none {
        Ok(stream) => stream.into_results().await.expect_err("no such object"),
        Err(error) => error,
    };
    assert_eq!(error.code(), Some(208));
}
