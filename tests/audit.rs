//! The whole program against the lab: the built binary, a site database over TDS, a pretend internet.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

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

/// Each of these leaves the database without something that the audit rests on. None may end compliant.
#[tokio::test(flavor = "multi_thread")]
async fn no_damage_to_the_database_ends_in_a_false_green() {
    let damages = [
        "DELETE FROM dbo.SC_SysResUse",
        "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 902",
        "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 901 AND NALPath LIKE N'%CM-CAS.%'",
        "DELETE FROM dbo.Sites",
        "UPDATE dbo.SC_Component_Property SET Value2 = N'old-sup.corp.contoso.com' WHERE Name = N'DefaultWSUS' AND SiteNumber = 0",
        "UPDATE repl.AzureService SET ServiceType = N'CloudManagementGateway'",
        "DELETE FROM repl.AzureService",
        "UPDATE dbo.AAD_Tenant_Ex SET Environment = 3",
        "UPDATE dbo.AzureEnvironments SET ActiveDirectoryEndpoint = NULL",
        "UPDATE dbo.AzureEnvironments SET ActiveDirectoryEndpoint = N'no host name'",
    ];
    for damage in damages {
        let options = Options { variants: vec![damage.to_owned()], ..Options::default() };
        let (code, table, _) = audit_healthy(options).await;
        assert_eq!(code, Some(3), "{damage}\n{table}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_screen_does_not_cost_the_record_and_a_device_is_no_place_for_it() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut child = command.spawn().unwrap();
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(2));
    lab.run();
    let mut command = program();
    command.args(["audit", "--sql=h", "--sql-user=r", "--output=/dev/null"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("no regular file"), "{}", text(&done.stderr));
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
async fn an_unreachable_server_is_named_with_what_to_do() {
    let lab = Lab::contoso().await;
    let closed = format!("--sql=localhost,{}", lab.internet.closed().port());
    let mut command = program();
    command
        .args(["audit", &closed, "--sql-user=reader"])
        .env("CMCOMPLY_SQL_PASSWORD", "x")
        .current_dir(lab.folder.path());
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(4));
    let said = text(&done.stderr);
    assert!(said.contains("refused the TCP connection") && said.contains("--sql"), "{said}");
    assert!(!Path::new(&lab.path("run.json")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_exit_4() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.env("CMCOMPLY_SQL_PASSWORD", "wrong-password");
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(4));
    let said = text(&done.stderr);
    assert!(said.contains("cmcomply") && said.to_lowercase().contains("login"), "{said}");
    assert!(!said.contains("wrong-password"));
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_is_exit_4_and_names_the_way_out() {
    let options = Options { certificate: lab::site_database::Certificate::AnotherAuthority, ..Options::default() };
    let lab = Lab::new(options, Spec::contoso()).await;
    let (code, said) = refused(&lab, &[]).await;
    assert_eq!(code, Some(4));
    assert!(said.contains("--sql-ca-file") && said.contains("--trust-server-certificate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_no_site_database_is_exit_4() {
    let options = Options { empty_databases: vec!["CM_XYZ".to_owned()], ..Options::default() };
    let lab = Lab::new(options, Spec::contoso()).await;
    let (code, said) = refused(&lab, &["--database=CM_XYZ"]).await;
    assert_eq!(code, Some(4));
    assert!(said.contains("CM_XYZ") && said.contains("not a Configuration Manager site database"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_site_databases_are_listed() {
    let options = Options { site_databases: vec!["CM_PS9".to_owned()], ..Options::default() };
    let lab = Lab::new(options, Spec::contoso()).await;
    let (code, said) = refused(&lab, &[]).await;
    assert_eq!(code, Some(4));
    assert!(said.contains("CM_CAS") && said.contains("CM_PS9") && said.contains("--database"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_right_on_an_object_is_an_unknown_fact_and_an_incomplete_run() {
    let rights = Rights::objects(&[
        "SMSData",
        "v_Site",
        "vSMS_SC_SysResUse",
        "vSMS_SC_SysResUse_Properties",
        "SC_Component",
        "SC_Component_Property",
        "SC_SiteDefinition",
        "AAD_Tenant_Ex",
        "vSMS_AzureService",
        "vSMS_AAD_Discovery_Settings",
    ]);
    let lab = Lab::new(Options { rights, ..Options::default() }, Spec::contoso()).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(1));
    let run = lab.run();
    assert_eq!(run["facts"]["azure_environments"]["state"], "unknown");
    assert_eq!(run["facts"]["cmgs"]["state"], "known");
    let reasons = run["outcome"]["incomplete"].to_string();
    assert!(reasons.contains("AzureEnvironments"), "{reasons}");
    assert!(text(&done.stdout).contains("non-compliant and incomplete"));
    assert!(causes(&run, "not_observed").contains_key("undecided"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_mid_answer_costs_the_facts_that_were_not_answered() {
    let cut = Fault::Cut { containing: "FROM dbo.AzureEnvironments".to_owned(), after_rows: 1 };
    let lab = Lab::new(Options { faults: vec![cut], ..Options::default() }, Spec::contoso()).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let run = lab.run();
    assert_eq!(run["facts"]["azure_environments"]["state"], "unknown");
    assert_eq!(run["facts"]["azure_environments"]["why"], "cut");
    assert_eq!(run["facts"]["sites"]["state"], "known");
    assert_eq!(run["facts"]["tenants"]["state"], "known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_that_is_none_is_a_finding_and_reaches_no_output_unescaped() {
    let variant = "UPDATE dbo.SC_SysResUse SET NALPath = N'[\"Display=\\\\<b>x\u{1b}[2J\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\<b>x\u{1b}[2J\\' \
                   WHERE NALPath LIKE N'%CM-PS1-DP1%'";
    let lab = Lab::new(Options { variants: vec![variant.to_owned()], ..Options::default() }, Spec::contoso()).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    let table = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(table.contains("Unusable values in the site database"), "{table}");
    assert!(!table.contains('\u{1b}') && table.contains("<b>x\\u{1b}"), "{table}");
    let run = lab.run();
    let findings = run["facts"]["data_findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["value"].as_str().unwrap().contains("\\u{1b}")), "{findings:?}");
    assert!(run["outcome"]["incomplete"].to_string().contains("unusable value"));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_no_sql_servers_end_in_exit_4_and_in_time() {
    for fault in [Fault::CloseAtOnce, Fault::Garbage, Fault::NeverAnswer, Fault::RefuseHandshake] {
        let lab = Lab::new(Options { faults: vec![fault.clone()], ..Options::default() }, Spec::contoso()).await;
        let (code, said) = refused(&lab, &["--sql-connect-timeout=2", "--sql-query-timeout=2"]).await;
        assert_eq!(code, Some(4), "{fault:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{fault:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_exit_2_and_say_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: Vec<String>| {
        let mut command = program();
        command.args(arguments).current_dir(folder.path());
        output(command)
    };
    let good = ["audit", "--sql=localhost,1", "--sql-user=reader"];
    let cases: [(&[&str], &str); 14] = [
        (&["audit", "--sql=a b"], "--sql"),
        (&["audit", "--sql="], "--sql"),
        (&["audit", "--sql=host,99999"], "--sql"),
        (&["audit", "--sql=host,port"], "--sql"),
        (&["audit"], "--sql"),
        (&["audit", "--sql=h", "--sql-user=r", "--trust-server-certificate", "--sql-ca-file=x"], "--sql-ca-file"),
        (&["audit", "--sql=h", "--sql-user=r", "--sql-ca-file=no-such-file"], "--sql-ca-file"),
        (&["audit", "--sql=h", "--sql-user=r", "--ca-file=no-such-file"], "--ca-file"),
        (&["audit", "--sql=h", "--sql-user=r", "--connect-to=nonsense"], "--connect-to"),
        (&["audit", "--sql=h", "--sql-user=r", "--dns-server=nonsense"], "--dns-server"),
        (&["audit", "--sql=h", "--sql-user=r", "--proxy=site-system-proxy=direct"], "site database says"),
        (&["audit", "--sql=h", "--sql-user=r", "--stage-timeout=0"], "--stage-timeout"),
        (&["audit", "--sql=h", "--sql-user=r", "--output=no/such/folder/run.json"], "--output"),
        (&["audit", "--sql=h", "--sql-user=r", "--sql-password=secret"], "--sql-password"),
    ];
    for (arguments, named) in cases {
        let done = run(arguments.iter().map(|a| (*a).to_owned()).collect()).await;
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
    // No password, and nowhere to ask for one.
    let done = run(good.iter().map(|a| (*a).to_owned()).collect()).await;
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("CMCOMPLY_SQL_PASSWORD"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_total_deadline_leaves_a_valid_incomplete_run() {
    let mut spec = Spec::contoso();
    for host in ["download.microsoft.com", "aka.ms", "go.microsoft.com"] {
        spec = spec.host(host, Behaviour::HttpSilence);
    }
    let lab = Lab::new(Options::default(), spec).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=30", "--deadline=3"]);
    let done = output(command).await;
    let run = lab.run();
    assert!(run["outcome"]["incomplete"].to_string().contains("deadline"), "{}", run["outcome"]);
    assert!(causes(&run, "not_observed").contains_key("interrupted"), "{}", text(&done.stdout));
    assert_eq!(run["observations"].as_array().unwrap().len(), run["probes"].as_array().unwrap().len());
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

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_probing_leaves_a_valid_incomplete_run() {
    let mut spec = Spec::contoso();
    spec = spec.host("download.microsoft.com", Behaviour::HttpSilence);
    let lab = Lab::new(Options::default(), spec).await;
    let (code, table, errors) =
        interrupt_after(&lab, |lab| lab.internet.seen().len() > 50, &["--from-here", "--stage-timeout=60"]).await;
    let run = lab.run();
    assert!(matches!(code, Some(1 | 3)), "{code:?} {table} {errors}");
    assert!(errors.contains("interrupted"), "{errors}");
    assert!(run["outcome"]["incomplete"].to_string().contains("Ctrl-C"));
    assert!(causes(&run, "not_observed").contains_key("interrupted"));
    for list in run["revocation_lists"].as_array().unwrap() {
        assert_eq!(list["fetch"]["outcome"], "cancelled");
    }
    assert_eq!(lab.left_beside(), [] as [&str; 0]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_reading_the_site_database_leaves_a_run_in_which_everything_is_unknown() {
    let silent = Fault::Silent { containing: "FROM dbo.AzureEnvironments".to_owned() };
    let lab = Lab::healthy(Options { faults: vec![silent], ..Options::default() }).await;
    let (code, _, errors) = interrupt_after(&lab, |lab| !lab.database.statements().is_empty(), &[]).await;
    let run = lab.run();
    assert_eq!(code, Some(3), "{errors}");
    assert_eq!(run["facts"]["sites"]["state"], "unknown");
    assert_eq!((tally(&run, "required", "pass"), tally(&run, "required", "fail")), (0, 0));
    assert!(causes(&run, "not_observed").contains_key("undecided"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(1));
    lab.run();
}
