//! Run Scripts by the built program: the script, what clients said in the pretend site database, and the audit that takes it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cmcomply::text::hexadecimal;
use lab::site_database::{Fault, Flood, Grant, Options, Rights, SiteDatabase};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Two endpoints of clients, and one of a server.
const CATALOG: &str = r#"
section = "Lab"
[[entry]]
id = "lab-open"
roles = ["client"]
endpoint = "open.contoso.net"
scheme = "https"
ports = [443]
when = "always"
context = "client-system"
tier = "required"
status = "active"
clouds = ["public"]
sources = [{ document = "internet-access", section = "Here", date = "2025-01-01" }]
[[entry]]
id = "lab-shut"
roles = ["client"]
endpoint = "shut.contoso.net"
scheme = "https"
ports = [443]
when = "always"
context = "client-system"
tier = "required"
status = "active"
clouds = ["public"]
sources = [{ document = "internet-access", section = "Here", date = "2025-01-01" }]
"#;
const SCRIPT: &str = "937C2F69-67ED-4682-B072-8F4BA4C53655";
/// The clients that Contoso's database has; 16777305 is decommissioned.
const CLIENTS: [u32; 5] = [16_777_301, 16_777_302, 16_777_303, 16_777_304, 16_777_306];

/// A folder with the script, its plan and the snapshot that it was made from.
struct Place {
    folder: tempfile::TempDir,
    plan: Value,
}

struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = folder.path().join("catalog");
        std::fs::create_dir(&catalog).unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/sample");
        for name in ["addresses.toml", "catalog.toml", "roots.toml", "versions.toml"] {
            std::fs::copy(sample.join(name), catalog.join(name)).unwrap();
        }
        std::fs::write(catalog.join("lab.toml"), CATALOG).unwrap();
        let mut place = Self { folder, plan: Value::Null };
        let database = place.database(Options::default()).await;
        let done = place.ask(&database, &["snapshot"]).await;
        assert_eq!(done.code, Some(0), "{}", done.err);
        let made = place.run(&["run-script", "new", "--snapshot=site.json", "--catalog=catalog", "-o", "out"]).await;
        assert_eq!(made.code, Some(0), "{}{}", made.out, made.err);
        assert!(made.out.contains("2 endpoints") && made.out.contains("import it in the console"), "{}", made.out);
        place.plan = serde_json::from_slice(&std::fs::read(place.path("out/clients.plan.json")).unwrap()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn database(&self, options: Options) -> SiteDatabase {
        let database = SiteDatabase::start(options).await;
        std::fs::write(self.path("ca.pem"), database.ca_pem()).unwrap();
        database
    }

    async fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).args(arguments);
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The same with the arguments that lead to the database.
    async fn ask(&self, database: &SiteDatabase, arguments: &[&str]) -> Done {
        let server = format!("--sql=localhost,{}", database.address().port());
        let sign_in = [server.as_str(), "--sql-user=cmcomply", "--sql-ca-file=ca.pem"];
        self.run(&[arguments, &sign_in].concat()).await
    }

    async fn collect(&self, options: Options) -> (Done, Value) {
        let database = self.database(options).await;
        self.collect_from(&database).await
    }

    async fn collect_from(&self, database: &SiteDatabase) -> (Done, Value) {
        let _ = std::fs::remove_file(self.path("clients.json"));
        let plan = "--plan=out/clients.plan.json";
        let script = format!("--script={{{}}}", SCRIPT.to_lowercase());
        let done =
            self.ask(database, &["run-script", "collect", &script, plan, "-o", "clients.json", "--width=160"]).await;
        let document = std::fs::read(self.path("clients.json"));
        (done, document.map_or(Value::Null, |bytes| valid("clients", &bytes)))
    }

    /// An audit that looks at nothing else: its deadline passes at once.
    async fn audit(&self, more: &[&str]) -> (Done, Value) {
        let _ = std::fs::remove_file(self.path("run.json"));
        let rest = ["--snapshot=site.json", "--catalog=catalog", "--output=run.json", "--dns-server=127.0.0.1:9"];
        let done = self.run(&[&["audit", "--deadline=1", "--stage-timeout=1"][..], &rest, more].concat()).await;
        let run = std::fs::read(self.path("run.json"));
        (done, run.map_or(Value::Null, |bytes| valid("run", &bytes)))
    }

    /// What a client says, as the script writes it.
    fn answer(&self, marks: &str) -> String {
        self.answer_at(marks, jiff::Timestamp::now())
    }

    fn answer_at(&self, marks: &str, at: jiff::Timestamp) -> String {
        let plan = &self.plan["sha256"].as_str().unwrap()[..32];
        let said = format!("CMCOMPLY-CLIENT/1 {plan} {at:.0} SYSTEM {} 0 {marks}", marks.len() / 2);
        let hash = hexadecimal(&Sha256::digest(&said));
        format!("{said} {}", &hash[..16])
    }
}

fn valid(name: &str, bytes: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(bytes).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"));
    let schema = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    jsonschema::validate(&schema, &document).unwrap_or_else(|error| panic!("{name}: {error}"));
    if name == "run" {
        cmcomply::evidence::Run::parse("run.json", bytes).unwrap();
    }
    document
}

/// A result in the site database. The later the number, the newer.
fn row(client: u32, number: u32, state: &str, output: Option<&str>) -> String {
    let output = output.map_or("NULL".to_owned(), |output| format!("N'{}'", output.replace('\'', "''")));
    format!(
        "INSERT dbo.ScriptsExecutionStatus (TaskID, ScriptGuid, ResourceID, ScriptExecutionState, ScriptExitCode, \
         ScriptOutput, LastUpdateTime) VALUES (N'{{{number}}}', '{SCRIPT}', {client}, {state}, 0, {output}, \
         '2026-11-25T{:02}:{:02}:00');\n",
        number / 60,
        number % 60
    )
}

fn with(rows: &[String]) -> Options {
    Options { variants: vec![rows.concat()], ..Options::default() }
}

/// Verdict, code, detail or text, and grade of a requirement.
fn verdict(run: &Value, entry: &str) -> (String, String, String, Value) {
    let place = run["requirements"].as_array().unwrap().iter().position(|r| r["entry"] == entry).unwrap();
    let judgement = &run["judgements"][place];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cause = &judgement["cause"];
    let words = if cause["detail"].is_string() { &cause["detail"] } else { &cause["text"] };
    (word(&judgement["verdict"]), word(&cause["code"]), word(words), judgement["evidence_grade"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_clients_reach_passes_and_what_one_does_not_fails() {
    let place = Place::new().await;
    let script = std::fs::read_to_string(place.path("out/clients.ps1")).unwrap();
    assert!(script.is_ascii() && script.contains("[Cmcomply.Brief]::Run") && !script.contains("contoso"));
    let (good, bad) = (place.answer("okok"), place.answer("oktt"));
    let rows: Vec<String> = CLIENTS
        .iter()
        .map(|client| {
            // As the database has it: with quotes, without, and in a list.
            let said = if *client == 16_777_304 { bad.clone() } else { format!("[\"{good}\"]") };
            row(*client, 1, "1", Some(&said))
        })
        .collect();
    let (done, document) = place.collect(with(&rows)).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(done.out.contains("5 of 5 clients answered") && done.out.contains("tcp-timeout 1"), "{}", done.out);
    assert_eq!(document["grouped_by"], "boundary_group");
    let groups: Vec<(&str, u64)> = document["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["group"].as_str().unwrap(), group["clients"].as_u64().unwrap()))
        .collect();
    assert_eq!(groups, [("", 1), ("Denver", 2), ("Lyon", 1), ("VPN, Denver", 1)]);

    let (done, run) = place.audit(&["--observations", "clients.json"]).await;
    assert_eq!(done.code, Some(1), "{}{}", done.out, done.err);
    assert_eq!(verdict(&run, "lab-open"), ("pass".into(), String::new(), String::new(), json!("A")));
    let (word, code, detail, grade) = verdict(&run, "lab-shut");
    assert_eq!((word.as_str(), code.as_str(), grade), ("fail", "tcp-timeout", json!("A")));
    assert_eq!(detail, "1 of 5 clients that answered: tcp-timeout 1; by group: Lyon 1 of 1");
    let vantage = run["vantages"].as_array().unwrap().iter().find(|v| v["kind"] == "run_scripts").unwrap();
    assert_eq!((&vantage["complete"], &vantage["account"]), (&json!(true), &json!("S-1-5-18")));
    assert!(done.out.contains("clients themselves by Run Scripts"), "{}", done.out);
    // Every report takes it, and under pseudonyms no group is left.
    for format in ["html", "csv", "junit", "oscal", "hdf", "markdown", "prometheus", "table"] {
        let done = place.run(&["report", "run.json", "--format", format]).await;
        assert_eq!(done.code, Some(0), "{format}: {}", done.err);
    }
    let kept = place.run(&["runs", "add", "run.json", "--store", "store"]).await;
    assert_eq!(kept.code, Some(0), "{}", kept.err);
    let shared = place.run(&["runs", "export", "--store", "store", "--to", "share", "--redact"]).await;
    assert_eq!(shared.code, Some(0), "{}{}", shared.out, shared.err);
    let mut seen = 0;
    for entry in std::fs::read_dir(place.path("share")).unwrap() {
        let path = entry.unwrap().path().join("run.json");
        if let Ok(text) = std::fs::read_to_string(path) {
            seen += 1;
            assert!(!text.contains("Lyon") && !text.contains("Denver") && text.contains("tcp-timeout"));
        }
    }
    assert_eq!(seen, 1);
    // A record whose counts were edited contradicts itself.
    let edited = std::fs::read_to_string(place.path("run.json")).unwrap().replace("\"reached\": 2", "\"reached\": 1");
    std::fs::write(place.path("edited.json"), edited).unwrap();
    let done = place.run(&["report", "edited.json", "--format", "csv"]).await;
    assert!(done.code == Some(2) && done.err.contains("contradicts itself"), "{}", done.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_rows_are_no_answers_and_never_make_a_pass() {
    let place = Place::new().await;
    let good = place.answer("okok");
    let other = good.replace(&place.plan["sha256"].as_str().unwrap()[..32], &"0".repeat(32));
    let hour = jiff::SignedDuration::from_hours(1);
    let old = place.answer_at("okok", jiff::Timestamp::now() - hour * 48);
    let ahead = place.answer_at("okok", jiff::Timestamp::now() + hour);
    let long = format!("{good}{}", "x".repeat(4001));
    for (output, state, silence) in [
        (Some(&good[..good.len() - 5]), "1", "cut"),
        (Some(other.as_str()), "1", "cut"),
        (Some(old.as_str()), "1", "old"),
        (Some(ahead.as_str()), "1", "clock"),
        (Some(long.as_str()), "1", "cut"),
        (Some("\u{1b}[2J'; DROP TABLE dbo.Sites;-- <script>"), "1", "not_ours"),
        (Some("CMCOMPLY-CLIENT/1 blocked ConstrainedLanguage"), "1", "blocked"),
        (Some("CMCOMPLY-CLIENT/1 failed compiling"), "1", "script_failed"),
        (Some("Access is denied."), "2", "script_failed"),
        (Some(""), "1", "empty"),
        (None, "2", "script_failed"),
        (None, "NULL", "empty"),
    ] {
        let mut rows: Vec<String> = CLIENTS[1..].iter().map(|client| row(*client, 1, "1", Some(&good))).collect();
        rows.push(row(CLIENTS[0], 1, state, output));
        let (done, document) = place.collect(with(&rows)).await;
        assert_eq!(done.code, Some(3), "{silence}: {}{}", done.out, done.err);
        assert!(!done.out.contains('\u{1b}'));
        let denver = document["groups"].as_array().unwrap().iter().find(|group| group["group"] == "Denver").unwrap();
        assert_eq!(denver["silent"], json!({ silence: 1 }), "{output:?}");
    }
    // The audit says of it that not all answered.
    let (done, run) = place.audit(&["--observations", "clients.json"]).await;
    assert_eq!(done.code, Some(3), "{}{}", done.out, done.err);
    let (word, code, text, _) = verdict(&run, "lab-open");
    assert_eq!((word.as_str(), code.as_str()), ("not_observed", "clients-silent"));
    assert!(text.contains("reached by all 4 clients that answered; 1 of 5 did not answer"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_plan_and_an_older_one_do_not_count() {
    let place = Place::new().await;
    let good = place.answer("okok");
    let of_another_plan = {
        let said = format!("CMCOMPLY-CLIENT/1 {} {:.0} SYSTEM 2 0 okok", "0".repeat(32), jiff::Timestamp::now());
        format!("{said} {}", &hexadecimal(&Sha256::digest(&said))[..16])
    };
    let rows = [
        row(CLIENTS[0], 1, "1", Some(&good)),
        // The newest of a client counts, whatever the order of the rows.
        row(CLIENTS[1], 9, "1", Some(&place.answer("nxok"))),
        row(CLIENTS[1], 3, "1", Some(&good)),
        row(CLIENTS[2], 3, "1", Some(&good)),
        row(CLIENTS[2], 9, "2", None),
        row(CLIENTS[3], 1, "1", Some(&of_another_plan)),
        // A client that the site no longer has, and the result of another script.
        row(99, 1, "1", Some(&place.answer("tttt"))),
        row(CLIENTS[4], 1, "1", Some(&good)).replace(SCRIPT, "00000000-0000-4000-8000-000000000001"),
    ];
    let (done, document) = place.collect(with(&rows)).await;
    assert_eq!(done.code, Some(3), "{}{}", done.out, done.err);
    let mut silent = std::collections::BTreeMap::new();
    let (mut answered, mut failed) = (0, 0);
    for group in document["groups"].as_array().unwrap() {
        for (why, count) in group["silent"].as_object().into_iter().flatten() {
            *silent.entry(why.as_str()).or_insert(0) += count.as_u64().unwrap();
        }
        answered += group["answered"].as_u64().unwrap();
        failed += group["endpoints"][0]["failed"]["name-nxdomain"].as_u64().unwrap_or(0);
    }
    let expected = [("no_result", 1), ("other_plan", 1), ("script_failed", 1)];
    assert_eq!(silent.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!((answered, failed), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_clients_come_page_by_page_and_a_break_costs_nothing() {
    let place = Place::new().await;
    let good = place.answer("okok");
    let (mut systems, mut rows) = (String::new(), String::new());
    for client in 20_000..21_800 {
        let _ = writeln!(systems, "({client}, N'PC', N'PC', 1, 0),");
        rows.push_str(&row(client, 1, "1", Some(&good)));
    }
    let systems = format!(
        "INSERT dbo.System_DISC (ItemKey, Netbios_Name0, Name0, Client0, Decommissioned0) VALUES\n{};",
        systems.trim_end_matches(",\n")
    );
    // The first answer breaks, another is the victim of a deadlock.
    let faults = vec![
        Fault::CutOnce { containing: "ScriptOutput".to_owned() },
        Fault::Deadlock { containing: "ScriptOutput".to_owned(), times: 1 },
    ];
    let options = Options { variants: vec![systems, rows], faults, ..Options::default() };
    let database = place.database(options).await;
    let (done, document) = place.collect_from(&database).await;
    assert_eq!(done.code, Some(3), "{}{}", done.out, done.err);
    let clients: u64 = document["groups"].as_array().unwrap().iter().map(|g| g["clients"].as_u64().unwrap()).sum();
    assert_eq!(clients, 1805);
    let statements = database.statements();
    let pages: Vec<&String> = statements.iter().filter(|text| text.contains("fact_script_results")).collect();
    assert!(pages.len() >= 4 + 2, "{}", pages.len());
    // The script and the place are values beside the statement, never text in it.
    assert!(pages.iter().all(|text| *text == pages[0] && !text.contains(SCRIPT) && text.contains("@P1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_asks_nothing_of_scripts() {
    let place = Place::new().await;
    let database = place.database(Options::default()).await;
    let done = place.ask(&database, &["snapshot", "--output=again.json"]).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let statements = database.statements().concat();
    assert!(!statements.contains("Scripts") && !statements.contains("BoundaryGroups"));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_not_visible_are_said_and_results_that_are_not_end_it() {
    let place = Place::new().await;
    let rows: Vec<String> = CLIENTS.iter().map(|client| row(*client, 1, "1", Some(&place.answer("okok")))).collect();
    let drops = |names: &[&str]| {
        let mut options = with(&rows);
        options.variants.extend(names.iter().map(|name| format!("DROP VIEW dbo.{name};")));
        options
    };
    let boundaries = ["vSMS_CombinedDeviceResources", "v_CollectionMemberClientBaselineStatus"];
    let (done, document) = place.collect(drops(&boundaries[..1])).await;
    assert_eq!((done.code, &document["grouped_by"]), (Some(0), &json!("boundary_group")), "{}", done.err);
    let (done, document) = place.collect(drops(&boundaries)).await;
    assert_eq!((done.code, &document["grouped_by"]), (Some(0), &json!("network")), "{}", done.err);
    assert!(done.err.contains("boundary groups are not visible"), "{}", done.err);
    assert!(done.out.contains("192.0.2.0"), "{}", done.out);
    let all = [boundaries[0], boundaries[1], "v_RA_System_IPSubnets", "vSMS_ScriptsExecutionStatus"];
    let (done, document) = place.collect(drops(&all)).await;
    assert_eq!((done.code, &document["grouped_by"]), (Some(0), &json!("nothing")), "{}", done.err);
    assert_eq!(document["object"], "dbo.v_R_System_Valid, dbo.ScriptsExecutionStatus");
    // A server without an end is no site.
    for what in [Flood::Rows, Flood::Text] {
        let faults = vec![Fault::Flood { containing: "ScriptOutput".to_owned(), what }];
        let (done, document) = place.collect(Options { faults, ..with(&rows) }).await;
        assert_eq!((done.code, document), (Some(4), Value::Null), "{}", done.out);
        assert!(done.err.contains("the results of the script cannot be read"), "{}", done.err);
    }
    // Without the results there is nothing to count, and nothing is written.
    let grants = ["v_R_System_Valid", "v_Site", "SMSData"];
    let grants = grants.map(|object| Grant { object: object.to_owned(), columns: Vec::new() });
    let (done, document) = place.collect(Options { rights: Rights::Only(grants.into()), ..with(&rows) }).await;
    assert_eq!((done.code, document), (Some(4), Value::Null));
    assert!(
        done.err.contains("not visible to this login") && done.err.contains("ScriptsExecutionStatus"),
        "{}",
        done.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_the_rights_of_the_script_can_collect() {
    let place = Place::new().await;
    let granted = place.run(&["queries", "--grants", "cmcomply", "--run-script"]).await;
    let rows: Vec<String> = CLIENTS.iter().map(|client| row(*client, 1, "1", Some(&place.answer("okok")))).collect();
    let mut options = with(&rows);
    options.variants.push(granted.out);
    options.rights = Rights::Role("cmcomply_reader".to_owned());
    let (done, document) = place.collect(options).await;
    assert_eq!((done.code, &document["grouped_by"]), (Some(0), &json!("boundary_group")), "{}{}", done.out, done.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_clients_now_is_refused_before_anything_is_probed() {
    let place = Place::new().await;
    let good = place.answer("okok");
    let rows: Vec<String> = CLIENTS.iter().map(|client| row(*client, 1, "1", Some(&good))).collect();
    let (done, _) = place.collect(with(&rows)).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let text = std::fs::read_to_string(place.path("clients.json")).unwrap();
    let refused = async |name: &str, text: &str, more: &[&str], words: &str| {
        std::fs::write(place.path(name), text).unwrap();
        let (done, run) = place.audit(&[&["--observations", name], more].concat()).await;
        assert_eq!((done.code, run), (Some(2), Value::Null), "{name}: {}", done.out);
        assert!(done.err.contains(words), "{name}: {}", done.err);
    };
    refused("edited.json", &text.replace("\"clients\": 2", "\"clients\": 3"), &[], "its hash is another one").await;
    refused("cut.json", &text[..text.len() / 2], &[], "is no clients document, or is damaged").await;
    refused("later.json", &text.replace("clients/1", "clients/9"), &[], "this version reads").await;
    refused("other.json", &text, &["--proxy=client-system=proxy.contoso.com:8080"], "it is of another plan").await;
    std::fs::write(place.path("twice.json"), &text).unwrap();
    refused("clients.json", &text, &["--observations", "twice.json"], "are both of clients").await;
    // What is no plan of clients collects nothing.
    let plan = std::fs::read_to_string(place.path("out/clients.plan.json")).unwrap();
    std::fs::write(place.path("bad.json"), plan.replace("open.contoso.net", "oqen.contoso.net")).unwrap();
    let script = format!("--script={SCRIPT}");
    let done = place.run(&["run-script", "collect", &script, "--plan=bad.json", "--sql=x", "--sql-user=y"]).await;
    assert!(done.code == Some(2) && done.err.contains("was changed after it was made"), "{}", done.err);
    let done = place.run(&["run-script", "collect", "--script=1 OR 1=1", "--plan=bad.json", "--sql=x"]).await;
    assert!(done.code == Some(2) && done.err.contains("GUID"), "{}", done.err);
    let done = place.run(&["run-script", "collect", &script, "--plan=out/clients.plan.json"]).await;
    assert!(done.code == Some(2) && done.err.contains("--sql"), "{}", done.err);
}
