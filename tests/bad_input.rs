//! Every kind of bad data that a site database may hold, all at once: each is a data finding with object, column and row
//! key, none is used, none is passed on as it stands, and the audit ends by itself and calls itself incomplete.

use std::process::{Command, Stdio};

use lab::site_database::{Options, SiteDatabase};
use serde_json::Value;

/// T-SQL that spoils Contoso, with what must be found: object, column, a part of the row key, a part of the problem.
fn spoilt() -> Vec<(String, [&'static str; 4])> {
    let megabyte = "x".repeat(1 << 20);
    let site =
        |code: &str, server: &str| format!("UPDATE dbo.Sites SET SiteServer = {server} WHERE SiteCode = N'{code}';");
    let proxy = |port: &str, host: &str| {
        format!(
            "UPDATE dbo.SC_SysResUse_Property SET Value3 = {port} WHERE Name = N'ProxyServerPort' AND SysResUseID IN \
             (SELECT u.ID FROM dbo.vSMS_SC_SysResUse AS u WHERE u.ServerName LIKE N'{host}%');"
        )
    };
    let not_a_host = "not a host name";
    vec![
        (site("CAS", "N'CM CAS'"), ["dbo.v_Site", "server_name", "site_code=CAS", not_a_host]),
        (site("PS1", "N'cm-ps1'' OR 1=1 --'"), ["dbo.v_Site", "server_name", "site_code=PS1", not_a_host]),
        (site("PS2", "N'cm\u{7}\u{1b}[2Jps2'"), ["dbo.v_Site", "server_name", "site_code=PS2", not_a_host]),
        (
            site("SS1", "N'<img src=x onerror=alert(1)>'"),
            ["dbo.v_Site", "server_name", "site_code=SS1", not_a_host],
        ),
        (
            "UPDATE dbo.SC_SysResUse SET NALPath = N'[\"Display=nonsense' WHERE RoleTypeID = 3 AND SiteNumber = 2;".into(),
            ["dbo.vSMS_SC_SysResUse", "nal_path", "role_name=SMS Distribution Point", "no host name in this path"],
        ),
        (proxy("0", "CM-CAS."), ["dbo.vSMS_SC_SysResUse", "ProxyServerPort", "server_name=cm-cas.corp", "not a TCP port"]),
        (proxy("99999", "CM-PS1-CCP."), ["dbo.vSMS_SC_SysResUse", "ProxyServerPort", "server_name=cm-ps1-ccp", "not a TCP port"]),
        (
            "INSERT dbo.Sites (SiteKey, SiteCode, SiteName, ReportToSite, SiteType, BuildNumber, Version, SiteServer) VALUES \
             (9, N'PS1', N'Another', N'CAS', 2, 9128, N'5.00.9128.1000', N'other.corp.contoso.com'), (10, N'P!3', N'Bad', \
             N'CAS', 2, 9128, N'5.00.9128.1000', N'bad.corp.contoso.com');"
                .into(),
            ["dbo.v_Site", "site_code", "site_code=PS1", "two sites with one code"],
        ),
        (String::new(), ["dbo.v_Site", "site_code", "site_code=P!3", "site code"]),
        (
            "UPDATE dbo.Sites SET ReportToSite = N'XXX' WHERE SiteCode = N'SS1';".into(),
            ["dbo.v_Site", "parent_site_code", "site_code=SS1", "no site has this code"],
        ),
        (
            "UPDATE dbo.Sites SET BuildNumber = 123456789, Version = N'5.00.123456789.1000' WHERE SiteCode = N'PS2';".into(),
            ["dbo.v_Site", "build_number", "site_code=PS2", "far future"],
        ),
        (
            "UPDATE dbo.AAD_Tenant_Ex SET TenantID = NULL;".into(),
            ["dbo.AAD_Tenant_Ex", "tenant_id", "name=contoso.onmicrosoft.com", ""],
        ),
        (
            format!("UPDATE repl.ConsoleAdminsData SET MachineName = N'{megabyte}' WHERE ID = 1;"),
            ["dbo.vSMS_ConsoleAdminsData", "machine_name", "", "octets"],
        ),
        (
            format!(
                "UPDATE dbo.SC_SysResUse_Property SET Value1 = N'{megabyte}' WHERE Name = N'Server Remote Public Name';"
            ),
            ["dbo.vSMS_SC_SysResUse", "text1", "server_name=CM-PS1-SUP.corp.contoso.com", "1048576 octets"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_data_of_every_kind_is_found_and_harmless() {
    let cases = spoilt();
    let changes: Vec<&str> = cases.iter().map(|(sql, _)| sql.as_str()).filter(|sql| !sql.is_empty()).collect();
    // A column of the replica is too narrow for a megabyte.
    let wide = "DROP VIEW dbo.vSMS_ConsoleAdminsData;\nGO\nDROP TABLE repl.ConsoleAdminsData;\nGO\nCREATE TABLE \
                repl.ConsoleAdminsData (ID int, MachineName nvarchar(max), ConsoleVersion nvarchar(32), \
                ConsoleConnectTime datetime, UserName nvarchar(64), Source nvarchar(64), ConnectedSiteCode nvarchar(3));\n\
                GO\nINSERT repl.ConsoleAdminsData (ID, MachineName, ConsoleVersion, ConsoleConnectTime) VALUES (1, N'a', \
                N'5.2403.1171.1000', '2024-06-28T12:00:00');\nGO\nCREATE VIEW dbo.vSMS_ConsoleAdminsData AS SELECT ID, \
                MachineName, UserName, Source, ConsoleVersion, ConsoleConnectTime, ConnectedSiteCode FROM \
                repl.ConsoleAdminsData;";
    let variants = [&[wide], changes.as_slice()].concat().into_iter().map(str::to_owned).collect();
    let database = SiteDatabase::start(Options { variants, ..Options::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), database.ca_pem()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.current_dir(folder.path()).stdin(Stdio::null());
    command.args([
        "audit",
        "--output=run.json",
        &format!("--sql=localhost,{}", database.address().port()),
        "--sql-user=cmcomply",
    ]);
    command.args(["--sql-ca-file=ca.pem", "--dns-server=127.0.0.1:9", "--deadline=1", "--stage-timeout=1"]);
    command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (table, errors) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert_eq!(done.status.code(), Some(3), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");

    let document = std::fs::read_to_string(folder.path().join("run.json")).unwrap();
    let run: Value = serde_json::from_str(&document).unwrap();
    let findings = run["facts"]["data_findings"].as_array().unwrap();
    for (sql, [object, column, row, problem]) in &cases {
        let holds = |finding: &Value, field: &str, part: &str| finding[field].as_str().unwrap().contains(part);
        let found = findings.iter().any(|finding| {
            holds(finding, "object", object)
                && finding["column"] == *column
                && holds(finding, "row", row)
                && holds(finding, "problem", problem)
        });
        assert!(found, "{object} {column} {row} {problem} ({}): {findings:#?}", &sql[..sql.len().min(200)]);
    }
    assert!(findings.iter().all(|finding| !finding["row"].as_str().unwrap().is_empty()), "{findings:#?}");
    // The table names them too, up to its limit, in lines that it breaks.
    let flowing = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for finding in findings.iter().take(20) {
        let place = ["object", "column"].map(|field| finding[field].as_str().unwrap()).join(".");
        assert!(flowing.contains(&format!("{place}, row ")), "{place}: {table}");
    }
    // No name of a server is one of these, and nothing that acts on a terminal is in what is shown or kept.
    let used = serde_json::to_string(&[&run["facts"]["sites"], &run["requirements"]]).unwrap();
    for part in ["<img", "OR 1=1", "CM CAS", "xxxxxxxx"] {
        assert!(!used.contains(part), "{part}");
    }
    assert!(!table.contains(|c: char| c.is_control() && c != '\n'), "{table}");
    assert!(!document.contains("\\u001b") && !document.contains("\\u0007"));
    assert!(document.len() < 10_000_000, "a megabyte is measured and not kept: {}", document.len());
}
