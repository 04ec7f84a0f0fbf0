//! The whole program against the lab: the built binary, a site database over TDS, a pretend internet.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "audit/endings.rs"]
mod endings;
#[path = "audit/facts.rs"]
mod facts;
#[path = "audit/plans.rs"]
mod plans;
#[path = "audit/refusals.rs"]
mod refusals;
#[path = "audit/routes.rs"]
mod routes;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lab::internet::{Behaviour, Internet, Seen, Spec};
use lab::site_database::{Fault, Options, Rights, SiteDatabase};
use serde_json::Value;

/// A site database, a pretend internet, and a folder for what the program writes.
struct Lab {
    database: SiteDatabase,
    internet: Internet,
    folder: tempfile::TempDir,
    options: Options,
}

impl Lab {
    async fn new(options: Options, spec: Spec) -> Self {
        let database = SiteDatabase::start(options.clone()).await;
        let internet = Internet::start(spec).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sql-ca.pem"), database.ca_pem()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), internet.ca_pem()).unwrap();
        std::fs::write(folder.path().join("cmcomply.toml"), STANDS_IN).unwrap();
        Self { database, internet, folder, options }
    }

    async fn contoso() -> Self {
        Self::new(Options::default(), Spec::contoso()).await
    }

    /// With an internet in which everything is healthy, and an operator who states what no database says.
    async fn healthy(options: Options) -> Self {
        let lab = Self::new(options, Spec::healthy()).await;
        let stated = "[stated]\ntenant_attach = true\nendpoint_analytics = true\nrevocation_restricted = true\n\
                      notification_hosts = [\"prod1.westus2.logic.azure.com\"]\n";
        std::fs::write(lab.path("cmcomply.toml"), format!("{STANDS_IN}{stated}")).unwrap();
        lab
    }

    /// The operator states that this machine stands in for all of Contoso.
    fn settings(&self) -> String {
        format!("--settings={}", self.path("cmcomply.toml"))
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The command with everything that leads to the lab; the caller adds the rest.
    fn command(&self) -> Command {
        let mut command = program();
        command.args(["audit", &format!("--sql=localhost,{}", self.database.address().port())]);
        command.arg(format!("--sql-user={}", self.options.user));
        command.env("CMCOMPLY_SQL_PASSWORD", &self.options.password);
        command.arg(format!("--sql-ca-file={}", self.path("sql-ca.pem")));
        command.arg(format!("--dns-server={}", self.internet.dns()));
        command.arg(format!("--public-ca-file={}", self.path("ca.pem")));
        command.args(self.internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
        command.arg(format!("--output={}", self.path("run.json")));
        command
    }

    fn run(&self) -> Value {
        let text = std::fs::read_to_string(self.path("run.json")).unwrap();
        let run: Value = serde_json::from_str(&text).unwrap();
        let schema = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/run.schema.json")).unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&run).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(errors, [] as [&str; 0]);
        run
    }

    fn left_beside(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = names.map(|n| n.unwrap().file_name().to_str().unwrap().to_owned()).collect();
        names.retain(|name| !["sql-ca.pem", "ca.pem", "cmcomply.toml", "run.json"].contains(&name.as_str()));
        names
    }
}

const STANDS_IN: &str = "[[vantages]]\nhosts = ['*', 'clients', 'consoles']\nkind = 'here'\nsame_subnet = true\n";

/// The built program, without the environment of whoever runs the tests.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.env_remove("NO_COLOR").env_remove("CMCOMPLY_SQL_PASSWORD").stdin(Stdio::null());
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The judgements with this verdict, by cause.
fn causes(run: &Value, verdict: &str) -> std::collections::BTreeMap<String, usize> {
    let mut causes = std::collections::BTreeMap::new();
    for judgement in run["judgements"].as_array().unwrap() {
        if judgement["verdict"] == verdict {
            let code = judgement["cause"]["code"].as_str().unwrap_or("none");
            *causes.entry(code.to_owned()).or_default() += 1;
        }
    }
    causes
}

fn tally(run: &Value, grade: &str, verdict: &str) -> u64 {
    run["outcome"]["tally"][grade][verdict].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn contoso_is_not_compliant_and_every_kind_of_failure_has_its_name() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args([&lab.settings(), "--stage-timeout=2"]);
    let done = output(command).await;
    let (table, errors) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(1), "{table}{errors}");
    let run = lab.run();
    assert!(tally(&run, "required", "pass") > 20, "{table}");
    let failures = causes(&run, "fail");
    for code in [
        "name-nxdomain",
        "tcp-refused",
        "tcp-timeout",
        "proxy-auth-required",
        "proxy-refused",
        "tls-reset",
        "tls-inspected-untrusted",
        "http-block-page",
    ] {
        // A stuffed listener refuses on Windows where it is silent elsewhere.
        let here = if cfg!(windows) && code == "tcp-timeout" { "tcp-refused" } else { code };
        assert!(failures.contains_key(here), "{code} missing in {failures:?}\n{table}");
    }
    assert!(table.contains("Result: non-compliant"), "{table}");
    assert!(table.contains("exit code 1"), "{table}");
    assert_eq!(errors, "");
    assert_eq!(lab.left_beside(), [] as [&str; 0]);
}

/// An audit of the healthy lab: exit code, table, run.
async fn audit_healthy(options: Options) -> (Option<i32>, String, Value) {
    let lab = Lab::healthy(options).await;
    let mut command = lab.command();
    command.args([&lab.settings(), "--stage-timeout=5"]);
    let done = output(command).await;
    (done.status.code(), format!("{}{}", text(&done.stdout), text(&done.stderr)), lab.run())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hierarchy_that_reaches_everything_is_compliant() {
    let (code, table, run) = audit_healthy(Options::default()).await;
    assert_eq!(code, Some(0), "{table}");
    assert!(table.contains("Result: compliant (exit code 0)"), "{table}");
    assert!(
        table.contains("--connect-to") && table.contains("--public-ca-file") && table.contains("--dns-server"),
        "{table}"
    );
    assert!(tally(&run, "required", "pass") > 60, "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_fits_the_terminal_and_has_no_colours_in_a_pipe() {
    let lab = Lab::contoso().await;
    for width in [80, 160] {
        let mut command = lab.command();
        command.args(["--from-here", "--stage-timeout=2", &format!("--width={width}")]);
        let table = text(&output(command).await.stdout);
        for line in table.lines().filter(|line| !line.contains("record:")) {
            assert!(line.chars().count() <= width, "{} columns: {line}", line.chars().count());
        }
        assert!(!table.contains('\u{1b}'));
    }
    let coloured = |no_color: Option<&'static str>, color: &'static str| {
        let mut command = lab.command();
        command.args(["--from-here", "--stage-timeout=1", &format!("--color={color}")]);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        async move { text(&output(command).await.stdout).contains("\u{1b}[31;1m") }
    };
    assert!(coloured(None, "always").await);
    assert!(!coloured(Some("1"), "auto").await);
    assert!(!coloured(None, "never").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_machine_reaches_proves_nothing_for_another_host_and_its_failures_count_if_the_operator_says_so() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.arg("--stage-timeout=1");
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stdout));
    let run = lab.run();
    assert_eq!((tally(&run, "required", "pass"), tally(&run, "required", "fail")), (0, 0));
    assert!(causes(&run, "not_observed")["other-host"] > 20);
    assert_eq!(run["settings"]["from_here"], false);
    for judgement in run["judgements"].as_array().unwrap() {
        assert_eq!(judgement["observed_from_role_host"], false);
    }
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stdout));
    let run = lab.run();
    assert_eq!(tally(&run, "required", "pass"), 0, "grade D alone makes nothing pass");
    assert!(tally(&run, "required", "fail") > 10 && causes(&run, "not_observed")["other-host"] > 20);
    assert!(
        run["outcome"]["incomplete"].as_array().unwrap().iter().any(|why| why.to_string().contains("not observed"))
    );
    for judgement in run["judgements"].as_array().unwrap() {
        assert!(matches!(judgement["evidence_grade"].as_str(), None | Some("D")), "{judgement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_endpoint_is_probed_once_however_many_need_it() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=2"]);
    output(command).await;
    let run = lab.run();
    let mut keys: Vec<&str> = run["probes"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
    let observations = run["observations"].as_array().unwrap();
    // Hops of redirects are observed besides.
    let hops = observations.iter().filter(|seen| seen.get("redirected_from").is_some()).count();
    assert_eq!(observations.len() - hops, all);
    let served: usize =
        run["probes"].as_array().unwrap().iter().map(|p| p["requirements"].as_array().unwrap().len()).sum();
    assert!(served > all, "no probe serves two requirements");
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_lists_are_fetched_on_the_stated_route_and_decide_nothing() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args([&lab.settings(), "--stage-timeout=2", "--width=160"]);
    let table = text(&output(command).await.stdout);
    assert!(table.contains("certificates name: 1 of 2 fetched and current; this decides nothing"), "{table}");
    assert!(table.contains("  http://root-crl.contoso.example/root.crl: a revocation list that was to be renewed by"));
    let run = lab.run();
    let outcomes = |run: &Value| -> Vec<String> {
        let lists = run["revocation_lists"].as_array().unwrap();
        lists.iter().map(|list| list["fetch"]["outcome"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(outcomes(&run), ["ok", "failed"]);
    assert!(!run["outcome"].to_string().contains("revocation"));
    let through = |seen: &Seen, proxy: Option<&str>| {
        matches!(seen, Seen::Request { via, host, .. }
            if via.as_deref() == proxy && host.ends_with("crl.contoso.example"))
    };
    assert_eq!(lab.internet.count(|seen| through(seen, None)), 2);

    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=2", "--proxy=system-winhttp=proxy.contoso.com:8080"]);
    output(command).await;
    assert_eq!(outcomes(&lab.run()), ["ok", "failed"]);
    assert_eq!(lab.internet.count(|seen| through(seen, None)), 2, "none more without the proxy");
    assert_eq!(lab.internet.count(|seen| through(seen, Some("proxy.contoso.com"))), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_appears_nowhere() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    let record = std::fs::read_to_string(lab.path("run.json")).unwrap();
    for place in [text(&done.stdout), text(&done.stderr), record] {
        assert!(!place.contains(&lab.options.password));
        // Nor the account of a proxy, which the database holds.
        assert!(!place.contains("svc-cm-proxy"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_comes_from_a_file_or_from_standard_input() {
    let lab = Lab::contoso().await;
    std::fs::write(lab.path("password"), format!("{}\r\n", lab.options.password)).unwrap();
    let mut command = lab.command();
    command.env_remove("CMCOMPLY_SQL_PASSWORD").args(["--stage-timeout=1", "--deadline=1"]);
    command.arg(format!("--sql-password-file={}", lab.path("password")));
    assert_eq!(output(command).await.status.code(), Some(3));

    let mut command = lab.command();
    command.env_remove("CMCOMPLY_SQL_PASSWORD").args(["--stage-timeout=1", "--deadline=1", "--sql-password-stdin"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", lab.options.password).unwrap();
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(3));
}

/// Runs an audit that must end without a run: its exit code, what it says, and that it wrote nothing.
async fn refused(lab: &Lab, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = lab.command();
    command.args(arguments);
    let done = output(command).await;
    assert_eq!(text(&done.stdout), "");
    assert!(!Path::new(&lab.path("run.json")).exists());
    assert_eq!(lab.left_beside(), [] as [&str; 0]);
    (done.status.code(), text(&done.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn help_shows_examples_and_exit_codes() {
    let mut command = program();
    command.args(["audit", "--help"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(0));
    let help = text(&done.stdout);
    for word in ["Examples:", "--sql <SERVER>", "--from-here", "--dns-server", "--connect-to", "--ca-file"] {
        assert!(help.contains(word), "{word} missing in {help}");
    }
    let mut command = program();
    command.arg("--help");
    assert!(text(&output(command).await.stdout).contains("Exit codes:"));
}

/// Ctrl-C as a terminal sends it. On Windows a test cannot send it to one process alone.
#[cfg(unix)]
async fn interrupt_after(lab: &Lab, begun: impl Fn(&Lab) -> bool, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = lab.command();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    for _ in 0..600 {
        if begun(lab) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(begun(lab), "the program never got so far");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    tokio::task::spawn_blocking(move || {
        // Reads both while it waits: a table fills a pipe.
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    })
    .await
    .unwrap()
}
