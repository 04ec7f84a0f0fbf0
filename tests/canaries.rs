//! Secrets in every column that may hold one, and in a logic app's URL: they are in no output, no document and no
//! answer of the server, since no statement asks for them.

use std::process::{Command, Stdio};

use lab::site_database::{Options, SiteDatabase};

const CANARY: &str = "C4nary-Hunter2";

/// The columns that may hold secrets, with one in each. The replica leaves out some that a real database has.
fn planted() -> Vec<String> {
    let url = format!("https://prod-01.westus2.logic.azure.com/workflows/1/triggers/manual/run?sv=1.0&sig={CANARY}");
    [
        format!("UPDATE dbo.AAD_Application_Ex SET SecretKey = N'{CANARY}', SecretKeyForSCP = N'{CANARY}';"),
        format!("UPDATE dbo.M365AProperties SET Value = N'{CANARY}';"),
        format!("INSERT dbo.M365AProperties (Name, Value) VALUES (N'CommercialId', N'{CANARY}');"),
        // The logic app's URL, wherever the set-up may leave it: in a filter rule, in the property of a component.
        format!("UPDATE repl.ComponentPropertyLists SET Value = N'{url}';"),
        format!(
            "INSERT dbo.SC_Component_Property (ComponentID, SiteNumber, Name, Value1, Value2, Value3) VALUES (1003, 0, \
             N'ExternalURL', N'{url}', N'{url}', 0), (1001, 0, N'WSUSProxyPassword', N'{CANARY}', N'{CANARY}', 0);"
        ),
        // Accounts of proxies, and what else stands beside the properties that are read.
        format!("UPDATE dbo.SC_SysResUse_Property SET Value1 = N'{CANARY}', Value2 = N'{CANARY}' WHERE Name = N'ProxyUserName';"),
        format!(
            "INSERT dbo.SC_SysResUse_Property (SysResUseID, Name, Value1, Value2, Value3) SELECT u.ID, N'ProxyPassword', \
             N'{CANARY}', N'{CANARY}', NULL FROM dbo.SC_SysResUse AS u;"
        ),
        format!("UPDATE dbo.SC_SiteDefinition_Property SET Value1 = N'{CANARY}', Value2 = N'{CANARY}';"),
        format!("UPDATE repl.ConsoleAdminsData SET UserName = N'{CANARY}';"),
        format!(
            "DROP TABLE dbo.DistributionPoints;\nGO\nCREATE VIEW dbo.DistributionPoints AS SELECT ID AS DPID, ServerName, \
             NALPath, SiteCode AS SMSSiteCode, ResourceType AS Type, 0 AS IsDoincEnabled, N'{CANARY}' AS PXEPassword, \
             N'{CANARY}' AS CertificatePFX FROM repl.DistributionPointInfo;"
        ),
        format!(
            "DROP VIEW dbo.vSMS_AzureService;\nGO\nCREATE VIEW dbo.vSMS_AzureService AS SELECT AzureServiceID, Name, \
             ServiceType, ServiceCName, Fqdn, Region, AzureEnvironmentId, NumberOfInstances, State, StorageServiceName, \
             N'{CANARY}' AS ServiceCertificate, N'{CANARY}' AS StorageKey, N'{CANARY}' AS ManagementCertificate FROM \
             repl.AzureService;"
        ),
    ]
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_where_they_are() {
    let database = SiteDatabase::start(Options { variants: planted(), keep_answers: true, ..Options::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("ca.pem"), database.ca_pem()).unwrap();
    let sql = format!("--sql=localhost,{}", database.address().port());
    let offline: &[&str] = &["--output=run.json", "--dns-server=127.0.0.1:9", "--deadline=1", "--stage-timeout=1"];
    let mut seen: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, more, code) in [
        ("audit", offline, 3),
        ("snapshot", &[], 0),
        ("snapshot", &["--redact", "--output=redacted.json"], 0),
        ("init", &[], 0),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.args([name, &sql, "--sql-user=cmcomply", "--sql-ca-file=ca.pem"]).args(more);
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password).env("RUST_LOG", "trace");
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(done.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        seen.extend([(format!("{name} stdout"), done.stdout), (format!("{name} stderr"), done.stderr)]);
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        seen.push((file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).unwrap()));
    }
    for document in ["run.json", "site.json", "redacted.json", "cmcomply.toml"] {
        assert!(seen.iter().any(|(name, _)| name == document), "{document} was not written");
    }
    seen.push(("what the server sent".to_owned(), database.answers()));
    for (name, bytes) in &seen {
        assert!(!holds(bytes, CANARY), "a secret is in {name}");
    }
    // The search finds what is there, in the encoding in which it is sent.
    assert!(holds(&database.answers(), "granitefalls.westus.cloudapp.azure.com"), "{}", database.answers().len());
    for sql in database.statements() {
        let sql = sql.replace("SecretKeyExpiry", "");
        assert!(!["SecretKey", "Password", "Certificate", "PFX"].iter().any(|word| sql.contains(word)), "{sql}");
    }
}

/// Whether bytes hold a text, as UTF-8 or as UTF-16, whatever the case of its letters.
fn holds(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.to_lowercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let lower = bytes.to_ascii_lowercase();
    [text.to_lowercase().as_bytes(), &wide].iter().any(|part| lower.windows(part.len()).any(|window| window == *part))
}
