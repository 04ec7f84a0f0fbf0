//! Snapshots by the built program: one document that stands in for the site database, also under pseudonyms.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lab::site_database::{Options, SiteDatabase};
use serde_json::Value;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.current_dir(folder).stdin(Stdio::null()).env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with the snapshot of Contoso in it, and the arguments that lead to its database.
async fn contoso() -> (SiteDatabase, tempfile::TempDir, Vec<String>) {
    let database = SiteDatabase::start(Options::default()).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), database.ca_pem()).unwrap();
    let server = format!("--sql=localhost,{}", database.address().port());
    let arguments = vec![server, "--sql-user=cmcomply".to_owned(), "--sql-ca-file=ca.pem".to_owned()];
    let mut command = program(folder.path());
    command.arg("snapshot").args(&arguments);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    (database, folder, arguments)
}

fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// An audit that probes nothing: its deadline has passed before it begins.
async fn requirements(folder: &Path, source: &[String]) -> String {
    let mut command = program(folder);
    command.args(["audit", "--output=run.json"]).args(source).args([
        "--dns-server=127.0.0.1:9",
        "--deadline=1",
        "--stage-timeout=1",
    ]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
    serde_json::to_string(&read(folder, "run.json")["requirements"]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_stands_in_for_the_database_and_gives_the_same_requirements() {
    let (_database, folder, from_database) = contoso().await;
    let direct = requirements(folder.path(), &from_database).await;
    let replayed = requirements(folder.path(), &["--snapshot=site.json".to_owned()]).await;
    assert!(direct.len() > 10_000);
    assert_eq!(direct, replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_fits_its_schema_and_survives_a_round_trip_to_the_byte() {
    let (_database, folder, _) = contoso().await;
    let schema = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/snapshot.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&read(folder.path(), "site.json")));
    let mut command = program(folder.path());
    command.args(["snapshot", "--snapshot=site.json", "--output=again.json"]);
    assert_eq!(output(command).await.status.code(), Some(0));
    let bytes = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("site.json"), bytes("again.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redacted_snapshot_names_nobody_and_needs_the_same() {
    let (_database, folder, _) = contoso().await;
    for (name, key) in [("one.json", "a.txt"), ("two.json", "a.txt"), ("three.json", "b.txt")] {
        let mut command = program(folder.path());
        command.args(["snapshot", "--snapshot=site.json", "--redact"]);
        command.args([format!("--redact-key-file={key}"), format!("--output={name}")]);
        let done = output(command).await;
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    }
    let document = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let redacted = document("one.json");
    let lower = redacted.to_lowercase();
    for word in [
        "contoso",
        "corp",
        "cm-cas",
        "cm-ps1",
        "granitefalls",
        "blueridge",
        "lt-002",
        "denver",
        "fabrikam",
        "tailspin",
        "11111111-2222",
        "aaaaaaaa-0000",
        "\"cas\"",
        "\"ps1\"",
        "localhost",
    ] {
        assert!(!lower.contains(word), "{word} is still there");
    }
    assert_eq!(redacted, document("two.json"));
    assert_ne!(redacted, document("three.json"));

    // The key that was just made is not overwritten.
    let mut command = program(folder.path());
    command.args(["snapshot", "--snapshot=site.json", "--redact", "--redact-key-file=new.txt", "--output=./new.txt"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stdout));
    assert!(text(&done.stderr).contains("the file of the key") && !folder.path().join("new.txt").exists());

    // Nor does a finding, which may quote what two databases say.
    let mut other = read(folder.path(), "site.json");
    other["facts"]["connection"]["server"] = "hush-sql.fabrikam.local".into();
    other["facts"]["this_site"]["value"] = "PS1".into();
    other["facts"]["service_connection_points"]["value"][0]["online"] = false.into();
    std::fs::write(folder.path().join("other.json"), other.to_string()).unwrap();
    let mut command = program(folder.path());
    command.args(["snapshot", "--snapshot=site.json", "--snapshot=other.json", "--redact"]);
    command.args(["--redact-key-file=a.txt", "--output=both.json"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let both = read(folder.path(), "both.json");
    assert!(!both["facts"]["data_findings"].as_array().unwrap().is_empty(), "they do not agree");
    for word in ["hush", "fabrikam", "contoso", "localhost", "cm_cas"] {
        assert!(!both.to_string().to_lowercase().contains(word), "{word} is still there");
    }

    // Who needs what has not changed: the same number of requirements by role, entry and port.
    let shape = |text: &str| {
        let all: Vec<Value> = serde_json::from_str(text).unwrap();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for one in all {
            let key = format!("{} {} {} {}", one["role"], one["entry"], one["port"], one["decision"]["decision"]);
            *counts.entry(key).or_default() += 1;
        }
        counts
    };
    let plain = requirements(folder.path(), &["--snapshot=site.json".to_owned()]).await;
    let hidden = requirements(folder.path(), &["--snapshot=one.json".to_owned()]).await;
    assert_eq!(shape(&plain), shape(&hidden));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_a_redacted_snapshot_lets_a_name_through() {
    let (_database, folder, _) = contoso().await;
    let mut site = read(folder.path(), "site.json");
    let facts = &mut site["facts"];
    // Each of these may hold what an administrator typed, or is taken for a word of the product's.
    for (path, text) in [
        ("/cmgs/value/0/deployment_name", "gw.hushhush.westeurope.cloudapp.azure.com"),
        ("/cmgs/value/0/storage_name", "st.hushhush.blob.core.windows.net"),
        ("/cmgs/value/0/region", "hushhush region"),
        ("/azure_environments/value/0/name", "hushhush cloud"),
        ("/azure_environments/value/0/suffixes/KeyVaultDNSSuffix", "hushhush.vault.azure.net"),
        ("/update_packages/value/0/name", "Configuration Manager for Hushhush"),
        ("/update_packages/value/0/version", "5.00.hushhush"),
        ("/features/value/0/name", "Hushhush hub"),
        ("/clients_by_system/value/0/system", "Hushhush Windows 11"),
        ("/clients_by_system/value/0/build", "10.hushhush"),
        ("/consoles/value/0/version", "hushhush"),
        ("/consoles/value/0/host", "lt-002.hushhush"),
        ("/site_systems/value/0/roles/0/role", "SMS Hushhush Point"),
        ("/subscriptions/value/0/id", "hushhush"),
        ("/cmgs/source/object", "dbo.vHushhush"),
        ("/tenants/source/object", "C:\\hushhush\\cmcomply.toml: consoles"),
        ("/connection/server_version", "hushhush"),
    ] {
        let place = facts.pointer_mut(path).unwrap_or_else(|| panic!("{path}"));
        *place = text.into();
    }
    facts["azure_environments"]["value"][0]["hosts"]["HushhushURL"] = "hushhush.contoso.com".into();
    facts["features"]["source"]["may_lack"] = "known from CM_CAS on hushhush alone".into();
    facts["sites"]["source"]["missing_columns"] = serde_json::json!(["hushhush"]);
    let finding = |column: &str| {
        serde_json::json!({ "object": "hushhush.toml", "column": column, "row": "hushhush", "problem": "hushhush",
                            "value": "hushhush" })
    };
    facts["data_findings"] = serde_json::json!([finding("hushhush"), finding("online")]);
    std::fs::write(folder.path().join("site.json"), site.to_string()).unwrap();
    let mut command = program(folder.path());
    command.args(["snapshot", "--snapshot=site.json", "--redact", "--output=redacted.json"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let redacted = read(folder.path(), "redacted.json");
    let lower = redacted.to_string().to_lowercase();
    assert!(!lower.contains("hushhush"), "{lower}");
    // What the product's rules depend on stays, and so does what says where an answer came from.
    let (facts, before) = (&redacted["facts"], &site["facts"]);
    let first = |fact: &str, field: &str| facts[fact]["value"][0][field].clone();
    let deployment = first("cmgs", "deployment_name");
    assert!(deployment.as_str().unwrap().ends_with(".westeurope.cloudapp.azure.com"), "{deployment}");
    let storage = first("cmgs", "storage_name");
    assert!(storage.as_str().unwrap().ends_with(".blob.core.windows.net"), "{storage}");
    assert_eq!(facts["tenants"]["source"]["object"], "cmcomply.toml: consoles");
    assert_eq!(facts["site_systems"]["source"]["object"], before["site_systems"]["source"]["object"]);
    assert_eq!(facts["features"]["source"]["may_lack"], "redacted");
    assert_eq!(facts["data_findings"][1]["column"], "online");
    let mut hosts = before["azure_environments"]["value"][0]["hosts"].clone();
    hosts.as_object_mut().unwrap().remove("HushhushURL");
    let redacted_hosts = first("azure_environments", "hosts");
    let known = redacted_hosts.as_object().unwrap().iter().filter(|(column, _)| !column.starts_with("text-"));
    assert_eq!(Value::Object(known.map(|(column, host)| (column.clone(), host.clone())).collect()), hosts);
    assert_eq!(redacted_hosts.as_object().unwrap().len(), hosts.as_object().unwrap().len() + 1);
    assert_eq!(facts["update_packages"]["value"][1], before["update_packages"]["value"][1]);
    // It can be read again.
    let mut command = program(folder.path());
    command.args(["snapshot", "--snapshot=redacted.json", "--output=again.json"]);
    assert_eq!(output(command).await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_snapshot_is_exit_2_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("other.json", b"{\"format\":\"cmcomply.run/1\"}");
    write("broken.json", b"{\"format\":\"cmcomply.snapshot/1\",");
    write("key.txt", b"short");
    let cases: [(&[&str], &str); 6] = [
        (&["audit", "--snapshot=none.json"], "cannot read snapshot"),
        (&["audit", "--snapshot=other.json"], "cmcomply.run/1"),
        (&["audit", "--snapshot=broken.json"], "damaged"),
        (&["audit", "--snapshot=broken.json", "--sql=h"], "damaged"),
        (&["snapshot", "--snapshot=broken.json"], "damaged"),
        (&["audit"], "--sql"),
    ];
    for (arguments, said) in cases {
        let mut command = program(folder.path());
        command.args(arguments);
        let done = output(command).await;
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert!(text(&done.stderr).contains(said), "{arguments:?}: {}", text(&done.stderr));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}
