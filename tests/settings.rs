//! The settings file, with the built binary: `init` begins it, `audit` uses it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use lab::internet::{Internet, Spec};
use lab::site_database::{Options, Rights, SiteDatabase};
use serde_json::Value;

struct Lab {
    database: SiteDatabase,
    folder: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let database = SiteDatabase::start(options).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sql-ca.pem"), database.ca_pem()).unwrap();
        Self { database, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program in the folder of the test, with what leads to the site database.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.args([name, &format!("--sql=localhost,{}", self.database.address().port())]);
        command.arg(format!("--sql-user={}", Options::default().user)).arg("--sql-ca-file=sql-ca.pem");
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
        command
    }
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn init_writes_what_was_found_and_never_over_a_file() {
    let lab = Lab::new().await;
    let done = output(lab.command("init")).await;
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("cmcomply.toml"));
    let written = std::fs::read_to_string(lab.path("cmcomply.toml")).unwrap();
    for found in ["# Made from CM_CAS on localhost", "found: lt-002.corp.contoso.com", "found: 1 status filter rules"] {
        assert!(written.contains(found), "{found}: {written}");
    }
    assert!(!written.contains("gateways"), "they could be read: {written}");

    std::fs::write(lab.path("cmcomply.toml"), "[stated]\n").unwrap();
    let refused = output(lab.command("init")).await;
    assert_eq!((refused.status.code(), text(&refused.stderr).contains("--force")), (Some(2), true));
    assert_eq!(std::fs::read_to_string(lab.path("cmcomply.toml")).unwrap(), "[stated]\n");
    let mut forced = lab.command("init");
    forced.arg("--force");
    assert_eq!(output(forced).await.status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(lab.path("cmcomply.toml")).unwrap(), written);
}

#[tokio::test]
async fn an_audit_says_what_was_stated_and_by_whom() {
    let lab = Lab::new().await;
    let internet = Internet::start(Spec::contoso()).await;
    let stated = "[stated]\ntenant_attach = false\nentra_user_discovery = false\n\n[proxies]\nclient-system = \
                  \"proxy.contoso.com:8080\"\nconsole-user = \"direct\"\n";
    std::fs::write(lab.path("site.toml"), stated).unwrap();
    std::fs::write(lab.path("ca.pem"), internet.ca_pem()).unwrap();
    let mut audit = lab.command("audit");
    audit.args(["--settings=site.toml", "--output=run.json", "--public-ca-file=ca.pem", "--from-here"]);
    audit.arg("--proxy=console-user=proxy.contoso.com:3128").arg(format!("--dns-server={}", internet.dns()));
    audit.args(internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
    let done = output(audit).await;
    let run: Value =
        serde_json::from_slice(&std::fs::read(lab.path("run.json")).unwrap_or_else(|_| panic!("{done:?}"))).unwrap();
    let attach = &run["facts"]["tenant_attach"];
    assert_eq!((&attach["value"], &attach["source"]["object"]), (&false.into(), &"site.toml: tenant_attach".into()));
    assert_eq!(run["facts"]["entra_user_discovery"]["value"], true);
    let conflicts = run["facts"]["data_findings"].as_array().unwrap();
    assert!(conflicts.iter().any(|f| f["object"] == "site.toml" && f["column"] == "entra_user_discovery"));
    let proxies = &run["settings"]["stated_proxies"];
    assert_eq!(proxies["client-system"], "proxy proxy.contoso.com:8080");
    assert_eq!(proxies["console-user"], "proxy proxy.contoso.com:3128", "the command line counts more");
}

#[tokio::test]
async fn a_settings_file_that_is_wrong_ends_the_audit_before_it_begins() {
    let lab = Lab::new().await;
    let secret = "https://prod-01.westus2.logic.azure.com/workflows/1?sig=HUNTER2";
    for (content, said) in [
        ("[stated]\ntenant_atach = true\n".to_owned(), "site.toml:2: unknown field `tenant_atach`"),
        (format!("[stated]\n\nnotification_hosts = ['{secret}']\n"), "site.toml:3: a host alone is expected"),
    ] {
        std::fs::write(lab.path("site.toml"), content).unwrap();
        let mut audit = lab.command("audit");
        audit.arg("--settings=site.toml");
        let done = output(audit).await;
        let error = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{error}");
        assert!(error.contains(said) && !error.contains("HUNTER2"), "{error}");
    }
    assert_eq!(lab.database.logins(), []);
}

#[test]
fn standard_input_holds_one_password() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.args(["audit", "--sql=localhost,1", "--sql-user=reader", "--sql-password-stdin"]);
    command.args(["--proxy-user=proxy.contoso.com:8080=svc", "--proxy-password-stdin"]).stdin(Stdio::null());
    let done = command.output().unwrap();
    assert_eq!((done.status.code(), text(&done.stderr).contains("cannot both be given")), (Some(2), true));
}

/// What `snapshot` prints and `init` writes of Microsoft Entra user discovery, in a lab that was changed so.
async fn said(options: Options) -> [String; 2] {
    let lab = Lab::with(options).await;
    let shown = output(lab.command("snapshot")).await;
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert_eq!(output(lab.command("init")).await.status.code(), Some(0));
    let file = std::fs::read_to_string(lab.path("cmcomply.toml")).unwrap();
    [text(&shown.stdout), file].map(|text| {
        let line =
            text.lines().find(|line| line.contains("entra_user_discovery: ")).unwrap_or_else(|| panic!("{text}"));
        line.trim_start_matches(['#', ' ']).to_owned()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_not_visible_empty_and_off_read_differently() {
    let changed = |sql: &str| Options { variants: vec![sql.to_owned()], ..Options::default() };
    let mut seen = std::collections::BTreeSet::new();
    for (options, words) in [
        (Options::default(), "on (dbo.vSMS_AAD_Discovery_Settings)"),
        (
            changed("DROP VIEW dbo.vSMS_AAD_Discovery_Settings;"),
            "unknown: no object of this database has the columns of this fact",
        ),
        (
            Options { rights: Rights::reporting_role(), ..Options::default() },
            "unknown: no object with the columns of this fact is visible to this login",
        ),
        (
            changed("DELETE FROM repl.AADDiscoverySettings;"),
            "never set up (dbo.vSMS_AAD_Discovery_Settings has no rows)",
        ),
        (
            changed("UPDATE repl.AADDiscoverySettings SET FullSyncEnabled = 0, DeltaSyncEnabled = 0;"),
            "off (dbo.vSMS_AAD_Discovery_Settings)",
        ),
    ] {
        let [shown, written] = said(options).await;
        assert_eq!(shown, format!("entra_user_discovery: {words}"));
        assert_eq!(written, shown);
        seen.insert(shown);
    }
    assert_eq!(seen.len(), 5);
}
