//! Columns of `AzureEnvironments` that no file names: those that hold hosts are read, and no other.

use super::*;

const CANARY: &str = "C4nary-Hunter2";

/// The table of a build that nobody has seen yet. Row 1 is in use, row 2 is not.
fn of_tomorrow() -> String {
    format!(
        "DROP TABLE dbo.AzureEnvironments;\nGO\nCREATE TABLE dbo.AzureEnvironments (ID int NOT NULL PRIMARY KEY, \
         EnvironmentName nvarchar(128) NULL, ActiveDirectoryEndpoint nvarchar(512) NULL, OfficeEndpoint nvarchar(512) \
         NULL, PortalURL2 nvarchar(512) NULL, MailSuffix nvarchar(128) NULL, TokenEndpoint nvarchar(512) NULL, \
         [Odd Portal URL] nvarchar(512) NULL, ClientSecret nvarchar(512) NULL, Remarks nvarchar(512) NULL, RankService \
         int NULL);\nGO\nINSERT dbo.AzureEnvironments (ID, EnvironmentName, ActiveDirectoryEndpoint, OfficeEndpoint, \
         PortalURL2, MailSuffix, TokenEndpoint, [Odd Portal URL], ClientSecret, Remarks, RankService) VALUES \
         (1, N'AzurePublicCloud', N'https://login.microsoftonline.com/', N'https://new.office.com/api?sig={CANARY}', \
         N'no host', N'.mail.office.com', N'https://x.office.com/?sig={CANARY}', N'{CANARY}', N'{CANARY}', N'{CANARY}', \
         7), (2, N'AzureUSGovernmentCloud', NULL, N'https://new.office365.us/', NULL, NULL, NULL, NULL, NULL, NULL, 7);"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn host_like_columns_are_read_and_secrets_are_not() {
    let options = site_database::Options { variants: vec![of_tomorrow()], keep_answers: true, ..Default::default() };
    let database = SiteDatabase::start(options).await;
    let ca = ca_of(&database);
    let facts = read(&options_for(&database, ca.path()), CancellationToken::new()).await.unwrap();
    let row = facts.azure_environments.rows().iter().find(|row| row.id == 1).unwrap();
    assert_eq!(
        (row.hosts["OfficeEndpoint"].as_str(), row.suffixes["MailSuffix"].as_str()),
        ("new.office.com", "mail.office.com")
    );
    let Fact::Known { source, .. } = &facts.azure_environments else { panic!() };
    for column in ["TokenEndpoint", "Odd Portal URL", "GatewayService"] {
        assert!(source.missing_columns.iter().any(|missing| missing == column), "{column}: {source:?}");
    }
    let [finding] = facts.data_findings.as_slice() else { panic!("{:?}", facts.data_findings) };
    assert_eq!((finding.object.as_str(), finding.column.as_str()), ("dbo.AzureEnvironments", "portalurl2"));

    // What was sent is what a parser sees, and of that table it names nothing but what may be asked for.
    let sent = database.statements().join("\n");
    let (_, statement) = sent.split_once("N'SELECT\n    1 AS fact_azure_environments,").unwrap();
    let statement = format!("SELECT 1 AS fact_azure_environments,{}", statement.split_once(";';").unwrap().0);
    let [statement] = &Parser::parse_sql(&MsSqlDialect {}, &statement).unwrap()[..] else { panic!("{statement}") };
    let columns = touched(statement).remove("dbo.azureenvironments").unwrap();
    let expected = ["activedirectoryendpoint", "environmentname", "id", "mailsuffix", "officeendpoint", "portalurl2"];
    assert_eq!(columns.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    for bytes in [&b"x.office.com"[..], b"AzurePublicCloud"] {
        let wide: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
        let held = database.answers().windows(wide.len()).any(|window| window == wide);
        assert_eq!(held, bytes == b"AzurePublicCloud", "{}", String::from_utf8_lossy(bytes));
    }
    assert!(!serde_json::to_string(&facts).unwrap().contains(CANARY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_a_row_in_use_is_needed_whatever_its_column() {
    let database =
        SiteDatabase::start(site_database::Options { variants: vec![of_tomorrow()], ..Default::default() }).await;
    let ca = ca_of(&database);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.args(["endpoints", "--format=json", &format!("--sql=localhost,{}", database.address().port())]);
    command.args(["--sql-user=cmcomply", &format!("--sql-ca-file={}", ca.path().display())]);
    command.env("CMCOMPLY_SQL_PASSWORD", "Contoso-reads-0nly");
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let error = String::from_utf8(done.stderr).unwrap();
    assert!(text.contains("new.office.com"), "{error}{text}");
    assert!(!text.contains("new.office365.us"), "nobody uses that row: {text}");
    for column in ["TokenEndpoint", "Odd Portal URL"] {
        assert!(text.contains(&format!("column {column} of AzureEnvironments was not read")), "{column}: {text}");
    }
    assert!(text.contains("column portalurl2 of AzureEnvironments: see the data findings"), "{text}");
    assert!(!text.contains(CANARY) && !error.contains(CANARY));
}
