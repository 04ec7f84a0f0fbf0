//! `cmcomply endpoints` and `cmcomply explain` as a user runs them, against the lab's site database and snapshots of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "endpoints/explain.rs"]
mod explain;
#[path = "endpoints/golden.rs"]
mod golden;
#[path = "endpoints/hand_off.rs"]
mod hand_off;
#[path = "endpoints/judged.rs"]
mod judged;
#[path = "endpoints/what_if.rs"]
mod what_if;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use lab::internet::{Internet, Name, Spec};
use lab::site_database::{Options, SiteDatabase};
use serde_json::Value;

/// All that no database says, so that everything is decided.
const STATED: &str = "[stated]\ntenant_attach = true\nendpoint_analytics = true\nrevocation_restricted = true\n\
                      notification_hosts = [\"prod1.westus2.logic.azure.com\"]\n";

/// A folder with a snapshot of a lab and a settings file that states the rest.
struct Place {
    folder: tempfile::TempDir,
}

/// Exit code, standard output and standard error.
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    /// Contoso as it is, read once for all tests.
    async fn contoso() -> Self {
        static SNAPSHOT: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
        let snapshot = SNAPSHOT.get_or_init(|| async { Self::variant("").await.read("site.json") }).await;
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write("site.json", snapshot);
        place.write("cmcomply.toml", STATED);
        place
    }

    /// Contoso with a change of the replica.
    async fn variant(sql: &str) -> Self {
        let variants = if sql.is_empty() { Vec::new() } else { vec![sql.to_owned()] };
        Self::of(Options { variants, ..Options::default() }).await
    }

    /// A site database as the options make it.
    async fn of(options: Options) -> Self {
        let database = SiteDatabase::start(options).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), database.ca_pem()).unwrap();
        let place = Self { folder };
        place.write("cmcomply.toml", STATED);
        let server = format!("--sql=localhost,{}", database.address().port());
        // The database is named: a variant may leave it without what tells it apart.
        let done =
            place.run(&["snapshot", &server, "--database=CM_CAS", "--sql-user=cmcomply", "--sql-ca-file=ca.pem"]).await;
        assert_eq!(done.code, 0, "{}", done.err);
        place
    }

    async fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).args(arguments);
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
    }

    /// `cmcomply endpoints` with the snapshot and all that is stated.
    async fn endpoints(&self, arguments: &[&str]) -> Done {
        self.run(&[&["endpoints", "--snapshot=site.json", "--settings=cmcomply.toml"], arguments].concat()).await
    }

    /// The document of `cmcomply endpoints`, checked against its schema.
    async fn document(&self, arguments: &[&str]) -> Value {
        let done = self.endpoints(&[&["--format=json"], arguments].concat()).await;
        let document: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{}", done.err));
        let schema = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/endpoints.schema.json")).unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert_eq!(errors, [] as [&str; 0]);
        document
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn files(&self, folder: &str) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.folder.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Writes the folder `own` with one entry of the operator.
fn own_catalog(place: &Place, when: &str, tier: &str) {
    std::fs::create_dir(place.folder.path().join("own")).unwrap();
    let head = "format = 1\nversion = \"contoso-7\"\nas_of = \"2026-01-31\"\n[documents.contoso]\n\
                title = \"Handbook\"\nurl = \"https://docs.contoso.com/handbook\"\n";
    place.write("own/catalog.toml", head);
    let entry = format!(
        "section = \"Contoso\"\n[[entry]]\nid = \"contoso-pac\"\nroles = [\"client\"]\nendpoint = \"pac.contoso.com\"\n\
         scheme = \"https\"\nports = [443]\nclouds = [\"public\", \"us-government\"]\nwhen = \"{when}\"\n\
         context = \"client-system\"\ntier = \"{tier}\"\nstatus = \"active\"\n\
         sources = [{{ document = \"contoso\", section = \"Proxies\", date = \"2026-01-31\" }}]\n"
    );
    place.write("own/extra.toml", &entry);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_catalog_is_recorded() {
    let place = Place::contoso().await;
    own_catalog(&place, "always", "required");
    let embedded = cmcomply::catalog::Catalog::embedded();
    let of = |document: &Value, key: &str| document["origin"][key].as_str().unwrap().to_owned();
    let plain = place.document(&[]).await;
    assert_eq!(
        (of(&plain, "catalog"), of(&plain, "catalog_sha256")),
        (embedded.version.clone(), embedded.sha256.clone())
    );
    let own = place.document(&["--catalog=own"]).await;
    assert_eq!(of(&own, "catalog"), format!("{}+contoso-7", embedded.version));
    let hash = of(&own, "catalog_sha256");
    assert!(hash.len() == 64 && hash != embedded.sha256, "{hash}");
    assert!(rows(&own).iter().any(|row| row["entry"] == "contoso-pac"));
}

fn rows(document: &Value) -> &Vec<Value> {
    document["endpoints"].as_array().unwrap()
}

/// `needed any client, client: https://go.microsoft.com:443/`
fn line(row: &Value) -> String {
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let who = row["host"].as_str().map_or_else(|| text("subject"), str::to_owned);
    let port = row["port"].as_u64().map_or_else(|| "?".to_owned(), |port| port.to_string());
    format!(
        "{} {who}, {}: {}://{}:{port}{} [{}]",
        text("decision"),
        text("role"),
        text("scheme"),
        text("name"),
        text("path"),
        text("entry")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_requirement_is_an_object_with_its_reasons_and_sources() {
    let place = Place::contoso().await;
    let document = place.document(&[]).await;
    assert_eq!(document["incomplete"], serde_json::json!([]));
    let all = rows(&document);
    for row in all {
        for key in ["role", "name", "scheme", "context", "tier", "status", "decision", "entry"] {
            assert!(row[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {row}");
        }
        assert!(row["port"].is_u64() && !row["reasons"].as_array().unwrap().is_empty(), "{row}");
        assert!(row["sources"][0]["date"].is_string() && row["sources"][0]["url"].is_string(), "{row}");
    }
    // Clients and consoles are roles of their own, without a host.
    for (role, subject) in [("client", "clients"), ("console", "consoles")] {
        let of_role: Vec<_> = all.iter().filter(|row| row["role"] == role).collect();
        assert!(!of_role.is_empty() && of_role.iter().all(|row| row["subject"] == subject && row["host"].is_null()));
    }
    let csv = place.endpoints(&["--format=csv"]).await;
    assert_eq!(csv.out.lines().count(), all.len() + 1);
    assert!(csv.out.starts_with("\u{feff}host,site,role,name,scheme,port,path,context,route,tier,status,decision,"));
    assert_eq!(csv.code, 0, "everything is decided: {}", csv.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_fits_and_says_everything_by_host_by_role_and_flat() {
    let place = Place::contoso().await;
    let document = place.document(&[]).await;
    for width in [80, 160] {
        for by in ["host", "role", "flat"] {
            let done = place.endpoints(&[&format!("--by={by}"), &format!("--width={width}")]).await;
            assert_eq!(done.code, 0, "{}", done.err);
            for line in done.out.lines() {
                assert!(line.chars().count() <= width, "{by}: {line}");
            }
            // On a wide screen no name is wrapped.
            for row in rows(&document).iter().filter(|_| width == 160) {
                assert!(done.out.contains(row["name"].as_str().unwrap()), "{by}: {row}");
            }
            assert!(done.out.contains("any client") && done.out.contains("any console"), "{by}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_undecided_says_what_is_missing_and_how_to_state_it() {
    let place = Place::contoso().await;
    let done = place.run(&["endpoints", "--snapshot=site.json", "--width=160"]).await;
    assert_eq!(done.code, 3, "{}", done.err);
    for key in ["tenant_attach", "endpoint_analytics", "notification_hosts"] {
        assert!(done.out.contains(&format!("state {key} in cmcomply.toml")), "{key}: {}", done.out);
    }
    assert!(done.out.contains("not the whole set: 14 endpoints are undecided"), "{}", done.out);
    let csv = place.run(&["endpoints", "--snapshot=site.json", "--format=csv"]).await;
    assert!(csv.code == 3 && csv.err.contains("not the whole set: 14 endpoints are undecided"), "{}", csv.err);
    let file = place.run(&["endpoints", "--snapshot=site.json", "--format=json", "-o", "set.json"]).await;
    assert_eq!((file.code, file.out.as_str()), (3, ""));
    assert!(file.err.contains("not the whole set"), "{}", file.err);
    let document: Value = serde_json::from_str(&place.read("set.json")).unwrap();
    let open: Vec<&Value> = rows(&document).iter().filter(|row| row["decision"] == "undecided").collect();
    assert!(open.len() >= 14 && open.iter().all(|row| !row["missing"].as_array().unwrap().is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_is_one_of_the_hierarchy() {
    let place = Place::contoso().await;
    let document = place.document(&["--host=CM-PS1"]).await;
    assert!(rows(&document).iter().all(|row| row["host"] == "cm-ps1.corp.contoso.com"));
    assert!(!rows(&document).is_empty());
    let done = place.endpoints(&["--host=nobody.contoso.com"]).await;
    assert_eq!((done.code, done.out.as_str()), (2, ""));
    assert!(done.err.contains("cm-cas.corp.contoso.com"), "{}", done.err);
    // Where the servers are not known, the host may be any of them.
    let place = Place::variant("DROP VIEW dbo.vSMS_SC_SysResUse;\nGO\nDROP VIEW dbo.v_SystemResourceList;").await;
    let document = place.document(&["--host=nobody.contoso.com"]).await;
    assert!(rows(&document).iter().any(|row| row["subject"] == "unknown_hosts"), "unknown never shrinks the set");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_resolved_from_here_and_say_how_they_age() {
    let spec = Spec::contoso().name("go.microsoft.com", Name::Addresses(vec!["23.1.2.3".parse().unwrap()]));
    let internet = Internet::start(spec).await;
    let place = Place::contoso().await;
    let dns = format!("--dns-server={}", internet.dns());
    let document = place.document(&["--addresses", &dns]).await;
    let addresses = &document["addresses"];
    let resolved = addresses["resolved"].as_array().unwrap();
    let exact: BTreeSet<&str> = rows(&document)
        .iter()
        .filter(|row| row["name_kind"] == "exact" && row["decision"] != "retired")
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(resolved.iter().filter_map(|row| row["name"].as_str()).collect::<BTreeSet<_>>(), exact);
    for row in resolved {
        assert!(row["at"].is_string() && row["resolver"] == internet.dns().to_string(), "{row}");
        assert_ne!(row["addresses"].as_array().unwrap().is_empty(), row["failure"].is_null(), "{row}");
    }
    // All other names of the lab are on loopback: the answer of a DNS filter, which must not get into a rule.
    let found: Vec<_> = resolved.iter().filter(|row| row["failure"].is_null()).collect();
    assert_eq!(found.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["go.microsoft.com"]);
    assert_eq!(found[0]["addresses"], serde_json::json!(["23.1.2.3"]));
    let failed = resolved.iter().filter(|row| row["failure"].is_string()).count();
    assert!(document["incomplete"].to_string().contains(&format!("{failed} names did not resolve")));
    let ranges = addresses["ranges"].as_array().unwrap();
    assert!(ranges.iter().any(|range| range["name"] == "Microsoft Intune"));
    assert!(ranges.iter().all(|range| range["sources"][0]["date"].is_string()));
    assert!(!ranges.iter().any(|range| range["name"].to_string().contains("Government")), "no such endpoint here");
    assert!(addresses["wildcards"].as_array().unwrap().iter().any(|name| name == "*.manage.microsoft.com"));
    let table = place.endpoints(&["--addresses", &dns, "--width=100"]).await;
    assert_eq!(table.code, 3);
    assert!(table.out.contains("A list of addresses is a snapshot") && table.out.contains("2025-08-21"));
    let csv = place.endpoints(&["--addresses", &dns, "--format=csv"]).await;
    assert!(csv.out.lines().any(|line| line.contains(",go.microsoft.com,") && line.ends_with('Z')), "{}", csv.out);
}
