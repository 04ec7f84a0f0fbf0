//! The built program against the lab.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use lab::internet::{Behaviour, Internet, Spec};
use lab::site_database::{Options, Rights, SiteDatabase};
use serde_json::Value;

use super::world::{READY, SETTINGS, STANDS_IN, hosts};

/// A day for which the lab's data is as it should be, whenever the test runs.
const DAY: &str = "2026-11-25";

/// A site database, a pretend internet, and a folder for what the program reads and writes.
struct Lab {
    database: SiteDatabase,
    internet: Internet,
    folder: tempfile::TempDir,
}

impl Lab {
    async fn new(options: Options, spec: Spec) -> Self {
        let database = SiteDatabase::start(options).await;
        let internet = Internet::start(spec).await;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("sql-ca.pem", database.ca_pem());
        write("ca.pem", &internet.ca_pem());
        write("cmcomply.toml", &format!("{STANDS_IN}{SETTINGS}"));
        write("stands-in.toml", STANDS_IN);
        write("stated.toml", SETTINGS);
        let now = Timestamp::now().to_string();
        write("hosts.json", &hosts(&now, &now).to_string());
        Self { database, internet, folder }
    }

    /// A hierarchy that is ready, after these changes.
    async fn ready(sql: &str) -> Self {
        let variants = vec![READY.to_owned(), sql.to_owned()];
        Self::new(Options { variants, ..Options::default() }, Spec::healthy()).await
    }

    /// In the folder, with everything that leads to the lab.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.env_remove("NO_COLOR").stdin(Stdio::null()).current_dir(self.folder.path());
        command.args(["readiness", &format!("--sql=localhost,{}", self.database.address().port())]);
        command.arg(format!("--sql-user={}", Options::default().user));
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
        command.args(["--sql-ca-file=sql-ca.pem", "--public-ca-file=ca.pem"]);
        command.arg(format!("--dns-server={}", self.internet.dns()));
        command.args(self.internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
        command.arg("--stage-timeout=5");
        command
    }

    /// As an operator who says what he knows.
    fn told(&self) -> Command {
        let mut command = self.command();
        command.args(["--settings=cmcomply.toml", "--host-facts=hosts.json", &format!("--on={DAY}")]);
        command.arg("--target-version=2603");
        command
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// A document that its published schema accepts.
    fn document(&self, name: &str, schema: &str) -> Value {
        let document: Value = serde_json::from_str(&self.read(name)).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{schema}.schema.json"));
        let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert_eq!(errors, [] as [&str; 0]);
        document
    }
}

async fn output(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The rules of a state.
fn rules<'a>(document: &'a Value, state: &str) -> Vec<&'a str> {
    let rules = document["rules"].as_array().unwrap().iter();
    rules.filter(|rule| rule["state"] == state).map(|rule| rule["rule"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_hierarchy_is_ready() {
    let lab = Lab::ready("").await;
    let mut command = lab.told();
    command.arg("--report=json=ready.json,html=ready.html,junit=ready.xml,markdown=ready.md");
    let (code, table, errors) = output(command).await;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{table}");
    assert!(table.contains("Result: ready (exit code 0)"), "{table}");
    assert!(table.contains("support of version 2509 ends (in use)"), "{table}");
    let document = lab.document("ready.json", "readiness");
    assert_eq!((rules(&document, "not_met").len(), rules(&document, "undecided").len()), (0, 0), "{table}");
    assert!(rules(&document, "met").len() > 25, "{table}");
    let same_day = document["origin"]["finished"].as_str().unwrap().starts_with(DAY);
    assert_eq!(table.contains("Judged as of 2026-11-25 (--on)"), !same_day, "{table}");
    let endpoints = document["endpoints"].as_array().unwrap();
    let added: Vec<_> = endpoints.iter().filter(|row| row["change"] == "added").collect();
    assert!(added.iter().any(|row| row["endpoint"] == "https://sts.windows.net" && row["verdict"] == "pass"));
    assert!(added.iter().all(|row| row["role"] == "management point"), "{added:?}");
    // The record that it rests on, and its hash.
    lab.document("readiness-run.json", "run");
    lab.document("hosts.json", "host-facts");
    let hash = <sha2::Sha256 as sha2::Digest>::digest(lab.read("readiness-run.json"));
    assert_eq!(document["origin"]["run_sha256"], cmcomply::text::hexadecimal(&hash));
    assert!(lab.read("ready.html").contains("<h1>Readiness for version 2603: ready</h1>"));
    assert!(lab.read("ready.xml").contains("failures=\"0\" errors=\"0\""));
    assert!(lab.read("ready.md").starts_with("# Readiness for version `2603`: ready\n"));
    // Later and offline, the same from the document alone.
    for (format, name) in
        [("html", "ready.html"), ("junit", "ready.xml"), ("markdown", "ready.md"), ("json", "ready.json")]
    {
        assert_eq!(later(&lab, &["ready.json", "--format", format, "-o", "later"]).await, (Some(0), String::new()));
        assert_eq!(lab.read("later"), lab.read(name), "{format}");
    }
    let (code, page) = later(&lab, &["ready.json"]).await;
    assert_eq!((code, page.replace('\r', "")), (Some(0), table));
    for (arguments, reason) in [
        (
            &["ready.json", "--format", "xlsx", "-o", "later.xlsx"][..],
            "no format of a readiness report `xlsx`; known: table",
        ),
        (&["ready.json", "--pages", "pages"], "ready.json is of format cmcomply.readiness/1"),
        (&["ready.json", "--format", "html", "-o", "gone/a"], "cannot write --output gone/a"),
    ] {
        let (code, said) = later(&lab, arguments).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    let edited = lab.read("ready.json").replace("\"exit_code\": 0", "\"exit_code\": 1");
    std::fs::write(lab.folder.path().join("edited.json"), edited).unwrap();
    let (code, said) = later(&lab, &["edited.json"]).await;
    assert!(code == Some(2) && said.contains("contradicts itself"), "{said}");
}

/// `cmcomply report` in the folder: its exit code and everything that it said.
async fn later(lab: &Lab, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.env_remove("NO_COLOR").stdin(Stdio::null()).current_dir(lab.folder.path()).arg("report").args(arguments);
    let (code, out, errors) = output(command).await;
    (code, out + &errors)
}

#[tokio::test(flavor = "multi_thread")]
async fn contoso_as_it_is_is_not_ready() {
    let lab = Lab::new(Options::default(), Spec::contoso()).await;
    let mut command = lab.told();
    command.args(["--format=json", "-o", "ready.json", "--report=junit=ready.xml"]);
    let (code, out, errors) = output(command).await;
    assert_eq!((code, out.as_str(), errors.as_str()), (Some(1), "", ""));
    let document = lab.document("ready.json", "readiness");
    let not_met = rules(&document, "not_met");
    for rule in ["update-path", "classic-gateway", "secret-expired", "sites-supported", "asset-intelligence"] {
        assert!(not_met.contains(&rule), "{rule}: {not_met:?}");
    }
    assert_eq!(document["verdict"]["not_ready"], true);
    let calendar = document["calendar"].as_array().unwrap();
    let days: Vec<&str> = calendar.iter().filter_map(|one| one["day"].as_str()).collect();
    assert!(days.is_sorted() && days.contains(&"2027-11-05"), "{days:?}");
    assert!(calendar.iter().any(|one| one["in_days"] == -319 && one["kind"] == "secret_ends"), "{calendar:?}");
    assert!(lab.read("ready.xml").contains("<failure type=\"classic-gateway\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_of_the_target_alone_makes_it_not_ready() {
    let spec = Spec::healthy().host("sts.windows.net", Behaviour::Refused);
    let variants = vec![READY.to_owned()];
    let lab = Lab::new(Options { variants, ..Options::default() }, spec).await;
    let (code, table, _) = output(lab.told()).await;
    assert_eq!(code, Some(1), "{table}");
    assert!(table.contains("NOT MET    management-point-tokens (error): "), "{table}");
    assert!(table.contains("Result: not ready (exit code 1)"), "{table}");
    // Somebody may answer for the endpoint: tokens are validated by it all the same.
    let waivers = "[[waiver]]\nid = 'W-1'\nrequirement = 'mp-sts-*'\nhost = '*'\ncategory = 'waiver'\nreason = 'firewall \
                   change is due'\nowner = 'network team'\napproved_by = 'security officer'\napproved_on = 2026-01-01\n\
                   ticket = 'CHG-1'\nvalid_through = 2027-01-31\n";
    std::fs::write(lab.folder.path().join("waivers.toml"), waivers).unwrap();
    let mut command = lab.told();
    command.arg("--waivers=waivers.toml");
    let (code, table, _) = output(command).await;
    assert_eq!(code, Some(1), "{table}");
    assert!(table.contains("which is waived"), "{table}");
    assert!(table.contains("2027-01-31: waiver W-1 ends (network team, CHG-1)"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_no_rule_is_about_makes_it_not_ready_too() {
    let spec = Spec::healthy().host("definitionupdates.microsoft.com", Behaviour::Refused);
    let lab = Lab::new(Options { variants: vec![READY.to_owned()], ..Options::default() }, spec).await;
    let (code, table, _) = output(lab.told()).await;
    assert_eq!(code, Some(1), "{table}");
    assert!(table.contains("  rules: 0 not met, 0 undecided"), "{table}");
    assert!(table.contains("Endpoints of today that count and are not passing\n  FAIL: "), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_must_last_to_the_day_that_is_asked_for() {
    let spec = Spec::healthy().host("definitionupdates.microsoft.com", Behaviour::Refused);
    let lab = Lab::new(Options { variants: vec![READY.to_owned()], ..Options::default() }, spec).await;
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |days: i32| today.checked_add(jiff::Span::new().days(days)).unwrap();
    let waivers = format!(
        "[[waiver]]\nid = 'W-1'\nrequirement = '*'\nendpoint = 'https://definitionupdates.microsoft.com'\nhost = '*'\n\
         category = 'waiver'\nreason = 'firewall change is due'\nowner = 'network team'\napproved_by = 'security \
         officer'\napproved_on = {}\nticket = 'CHG-1'\nvalid_through = {}\n",
        day(-30),
        day(5)
    );
    std::fs::write(lab.folder.path().join("waivers.toml"), waivers).unwrap();
    let ask = async |on: i32| {
        let mut command = lab.command();
        command.args(["--settings=cmcomply.toml", "--host-facts=hosts.json", "--target-version=2603"]);
        command.args(["--waivers=waivers.toml", &format!("--on={}", day(on))]);
        output(command).await
    };
    let (_, table, _) = ask(5).await;
    assert!(!table.contains("FAIL: "), "{table}");
    assert!(table.contains("and waivers (exit code") || table.contains("with waivers (exit code"), "{table}");
    let (code, table, errors) = ask(6).await;
    assert_eq!(code, Some(1), "{table}{errors}");
    assert!(table.contains("FAIL: https://definitionupdates.microsoft.com"), "{table}");
    assert!(table.contains(&format!("A waiver counts only if it lasts to {} (--on)", day(6))), "{table}");
    let run = lab.document("readiness-run.json", "run");
    assert_eq!(run["waivers"]["on"], day(6).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_long_ago_are_told_and_make_it_incomplete() {
    let lab = Lab::ready("").await;
    let mut snapshot = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    snapshot.stdin(Stdio::null()).current_dir(lab.folder.path());
    snapshot.args(["snapshot", &format!("--sql=localhost,{}", lab.database.address().port())]);
    snapshot.arg(format!("--sql-user={}", Options::default().user));
    snapshot.env("CMCOMPLY_SQL_PASSWORD", Options::default().password).arg("--sql-ca-file=sql-ca.pem");
    let (code, ..) = output(snapshot).await;
    assert_eq!(code, Some(0));
    let mut site: Value = serde_json::from_str(&lab.read("site.json")).unwrap();
    site["taken"] = "2025-01-02T03:04:05Z".into();
    std::fs::write(lab.folder.path().join("site.json"), site.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.stdin(Stdio::null()).current_dir(lab.folder.path());
    command.args(["readiness", "--snapshot=site.json", "--settings=cmcomply.toml", "--host-facts=hosts.json"]);
    command.args(["--target-version=2603", &format!("--on={DAY}"), "--public-ca-file=ca.pem", "--stage-timeout=5"]);
    command.arg(format!("--dns-server={}", lab.internet.dns()));
    command.args(lab.internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
    command.arg("--report=json=ready.json,html=ready.html,junit=ready.xml,markdown=ready.md");
    let (code, table, errors) = output(command).await;
    assert_eq!(code, Some(3), "{table}{errors}");
    assert!(table.contains("the facts were read on 2025-01-02, "), "{table}");
    for name in ["ready.json", "ready.html", "ready.xml", "ready.md"] {
        assert!(lab.read(name).contains("The site database was read on 2025-01-02, "), "{name}");
    }
    let run = lab.document("readiness-run.json", "run");
    assert_eq!(run["moments"]["facts_read"], "2025-01-02T03:04:05Z");
    // What the servers said today is no news of tomorrow.
    assert_eq!(rules(&lab.document("ready.json", "readiness"), "undecided").len(), 0, "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_makes_it_incomplete() {
    let lab = Lab::ready("").await;
    // Everything but what the servers say.
    let mut command = lab.command();
    command.args(["--settings=cmcomply.toml", &format!("--on={DAY}"), "--target-version=2603"]);
    let (code, table, _) = output(command).await;
    assert_eq!(code, Some(3), "{table}");
    assert!(table.contains("undecided  odbc-driver (error): not known: the ODBC driver of"), "{table}");
    assert!(table.contains("Result: incomplete (exit code 3)"), "{table}");
    // Everything but the operator's word.
    let mut command = lab.command();
    command.args([
        "--settings=stands-in.toml",
        "--host-facts=hosts.json",
        &format!("--on={DAY}"),
        "--target-version=2603",
    ]);
    let (code, table, _) = output(command).await;
    assert_eq!(code, Some(3), "{table}");
    assert!(table.contains("state https_or_enhanced_http under [readiness] in cmcomply.toml"), "{table}");
    // Everything but this machine's standing in for the hosts.
    let mut command = lab.command();
    command.args([
        "--settings=stated.toml",
        "--host-facts=hosts.json",
        &format!("--on={DAY}"),
        "--target-version=2603",
    ]);
    let (code, table, _) = output(command).await;
    assert_eq!(code, Some(3), "{table}");
    assert!(table.contains("required endpoints not observed"), "{table}");
    // A login that sees half.
    let options = Options { variants: vec![READY.to_owned()], rights: Rights::reporting_role(), ..Options::default() };
    let lab = Lab::new(options, Spec::healthy()).await;
    let (code, table, _) = output(lab.told()).await;
    assert_eq!(code, Some(3), "{table}");
    assert!(table.contains("undecided  classic-gateway (error)"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_make_no_sense_are_refused_before_anything_is_probed() {
    let lab = Lab::ready("").await;
    for (version, said) in [
        ("2699", "unknown version `2699`; known: 2010, 2103"),
        ("2503", "version 2503 (build 9135) is older than the hierarchy's, which is build 9141"),
    ] {
        let mut command = lab.command();
        command.arg(format!("--target-version={version}"));
        let (code, out, errors) = output(command).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    assert!(!lab.folder.path().join("readiness-run.json").exists());
    let (code, _, errors) = output(lab.command()).await;
    assert_eq!(code, Some(2));
    assert!(errors.contains("--target-version <VERSION>"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_files_are_refused_before_the_site_database_is_read() {
    let lab = Lab::ready("").await;
    let write = |name: &str, text: &str| std::fs::write(lab.folder.path().join(name), text).unwrap();
    write("other.json", "{\"format\": \"cmcomply.run/1\"}");
    write("typo.json", "{\"format\": \"cmcomply.host-facts/1\", \"hosts\": [], \"host\": 1}");
    write("broken.json", "{");
    let cases: [(&[&str], &str); 10] = [
        (&["--host-facts=other.json"], "of format cmcomply.run/1; this version reads cmcomply.host-facts/1"),
        (&["--host-facts=typo.json"], "unknown field `host`"),
        (&["--host-facts=broken.json"], "EOF while parsing"),
        (&["--host-facts=hosts.json", "--host-facts=hosts.json"], "says two things of cm-cas-sql.corp.contoso.com"),
        (&["-o", "readiness-run.json"], "--output readiness-run.json: another output goes to this file"),
        (&["-o", "x.html", "--report=html=./x.html"], "--report html=./x.html: another output goes to this file"),
        (&["--record=missing/run.json"], "cannot write --record missing/run.json"),
        (&["-o", "missing/x"], "cannot write --output missing/x"),
        (&["--report=html=missing/x.html"], "cannot write --report html=missing/x.html"),
        (&["--report=pdf=x.pdf"], "no format of a readiness report `pdf`; known: table, json, html, junit, markdown"),
    ];
    for (arguments, said) in cases {
        let mut command = lab.command();
        command.arg("--target-version=2603").args(arguments);
        let (code, out, errors) = output(command).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains(said), "{said}: {errors}");
    }
    assert_eq!(lab.database.logins().len(), 0);
}
