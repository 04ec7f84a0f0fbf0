//! `cmcomply probe`: the built binary against the pretend internet.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use lab::internet::{Behaviour, Internet, Manner, Name, ProxySpec, Seen, Spec};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

/// A pretend internet, and a folder for what the program writes.
struct Lab {
    internet: Internet,
    folder: tempfile::TempDir,
}

impl Lab {
    async fn new(spec: Spec) -> Self {
        let internet = Internet::start(spec.known("contoso.com")).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), internet.ca_pem()).unwrap();
        Self { internet, folder }
    }

    /// The command with everything that leads to the lab; the caller adds the rest.
    fn command(&self) -> Command {
        let mut command = program();
        command.arg("probe").current_dir(self.folder.path());
        command.arg(format!("--dns-server={}", self.internet.dns())).arg("--ca-file=ca.pem");
        command.args(self.internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
        command
    }

    async fn probe(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = self.command();
        command.args(arguments);
        ended(output(command).await)
    }

    /// A document that the program wrote, and that its schema allows.
    fn observations(&self, name: &str) -> Value {
        valid("observations", &std::fs::read_to_string(self.folder.path().join(name)).unwrap())
    }

    fn plan(&self, plan: &Value) {
        std::fs::write(self.folder.path().join("plan.json"), plan.to_string()).unwrap();
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn ended(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn valid(schema: &str, text: &str) -> Value {
    let document = serde_json::from_str(text).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{schema}.schema.json"));
    let schema = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, [] as [&str; 0]);
    document
}

/// A plan of these URLs as another program would write it, with the hash of its canonical form.
fn plan(urls: &[&str]) -> Value {
    let probe = |url: &&str| {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let port = if scheme == "http" { 80 } else { 443 };
        json!({
            "id": url, "via": "direct", "contexts": [], "requirements": [],
            "target": { "scheme": scheme, "host": host, "port": port, "path": format!("/{path}") },
        })
    };
    let mut plan = json!({
        "format": "cmcomply.plan/1",
        "host": null,
        "bounds": { "stage_timeout_ms": 2000, "deadline_ms": 60_000, "probes_at_once": 16, "addresses": 8, "retries": 0 },
        "probes": urls.iter().map(probe).collect::<Vec<_>>(),
    });
    seal(&mut plan);
    plan
}

/// Gives a plan the hash of its content.
fn seal(plan: &mut Value) {
    plan.as_object_mut().unwrap().remove("sha256");
    plan.sort_all_objects();
    plan["sha256"] = json!(sha256(plan.to_string().as_bytes()));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    cmcomply::text::hexadecimal(&Sha256::digest(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_endpoint_is_a_tree_of_all_its_layers_and_exit_0() {
    let lab = Lab::new(Spec::default()).await;
    let (code, tree, errors) = lab.probe(&["https://healthy.contoso.com/x"]).await;
    assert_eq!(code, Some(0), "{tree}{errors}");
    let server = lab.internet.server(443).to_string();
    for words in [
        "https://healthy.contoso.com:443/x",
        "├ DNS",
        &format!("healthy.contoso.com by the DNS server {}", lab.internet.dns()),
        "├ TCP",
        &format!("{server}: open"),
        "├ proxy        not needed",
        "TLSv1.3, TLS_",
        "ALPN http/1.1",
        "certificate 1: O=Contoso, CN=healthy.contoso.com",
        "certificate 2:",
        "for healthy.contoso.com",
        "├ certificate  ok",
        "└ HTTP         ok",
        "GET: status 200",
        "reached:",
    ] {
        assert!(tree.contains(words), "{words} missing in\n{tree}");
    }
    assert!(tree.lines().all(|line| line.width() <= 80), "{tree}");
    assert!(!tree.contains('\u{1b}'), "{tree}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_named_with_its_cause_and_what_to_do_and_exit_1() {
    let spec = Spec::default()
        .name("gone.contoso.com", Name::NxDomain)
        .host("refused.contoso.com", Behaviour::Refused)
        .host("inspected.contoso.com", Behaviour::ForeignCa)
        .host("page.contoso.com", Behaviour::BlockPage(403))
        .proxy(ProxySpec::new("proxy.contoso.com", 8080).manner(Manner::WantsCredentials));
    let lab = Lab::new(spec).await;
    for (arguments, words) in [
        (&["https://gone.contoso.com"][..], ["DNS: the name gone.contoso.com does not exist", "(name-nxdomain)"]),
        (&["https://refused.contoso.com"], ["refused the connection to", "connection refused"]),
        (&["https://inspected.contoso.com"], ["certificate: ", "exempt"]),
        (&["http://page.contoso.com"], ["HTTP: a block page came", "looks like a block page"]),
        (
            &["https://a.contoso.com", "--via=proxy.contoso.com:8080"],
            ["wants credentials (407)", "proxy-authenticate:"],
        ),
    ] {
        let (code, tree, errors) = lab.probe(arguments).await;
        assert_eq!(code, Some(1), "{tree}{errors}");
        assert!(tree.contains("FAIL") && tree.contains("not reached:") && tree.contains("what to do:"), "{tree}");
        let flat = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "{word} missing in\n{tree}");
        }
        assert!(tree.lines().all(|line| line.width() <= 80), "{tree}");
    }
}

/// What the catalog asks of a name is asked here too, as in an audit.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalog_asks_of_a_name_is_asked_unless_only_layers_are_wanted() {
    // With this status one request is enough for the layers.
    let spec = Spec::default().known("microsoft.com").host("a.contoso.com", Behaviour::Status(404));
    let lab = Lab::new(spec.host("gateway.configmgr.manage.microsoft.com", Behaviour::Status(404))).await;
    let url = "https://gateway.configmgr.manage.microsoft.com";
    let handshakes = || lab.internet.count(|seen| matches!(seen, Seen::Handshake { .. }));
    // The lab's authority is none of the public ones, so somebody inspects, and here that is not supported.
    let (code, tree, _) = lab.probe(&[url]).await;
    let flat = tree.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, Some(1), "{tree}");
    assert!(flat.contains("not well: certificate: TLS is inspected") && flat.contains("(tls-inspected)"), "{tree}");
    assert!(flat.contains("see also: UXAnalyticsUploadWorker.log"), "{tree}");
    let (code, tree, errors) = lab.probe(&[url, "--public-ca-file=ca.pem"]).await;
    assert_eq!(code, Some(0), "{tree}{errors}");
    assert!(tree.contains("reached:") && tree.contains("--idle-test"), "{tree}");
    assert!(tree.lines().all(|line| line.width() <= 80), "{tree}");
    let before = handshakes();
    let (code, tree, _) = lab.probe(&[url, "--layers-only"]).await;
    assert_eq!((code, handshakes() - before), (Some(0), 1), "{tree}");
    assert!(!tree.contains("also:"), "{tree}");
    // A name that no entry knows is asked nothing.
    let before = handshakes();
    assert_eq!(lab.probe(&["https://a.contoso.com"]).await.0, Some(0));
    assert_eq!(handshakes() - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_answers_come_out_inert() {
    let headers = "Server: \u{1b}[2J\u{9b}31m\r\nVia: 1.1 <script>\r\n".to_owned();
    let spec = Spec::default()
        .host("hostile.contoso.com", Behaviour::Answer(200, headers, "\u{1b}[2J".to_owned()))
        .host("garbage.contoso.com", Behaviour::HttpGarbage);
    let lab = Lab::new(spec).await;
    for host in ["hostile", "garbage"] {
        let (_, tree, errors) = lab.probe(&[&format!("http://{host}.contoso.com")]).await;
        assert!(tree.contains("HTTP"), "{errors}");
        assert!(!tree.contains(|c: char| c != '\n' && c.is_control()), "{tree:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_the_observations_document_also_in_a_file() {
    let lab = Lab::new(Spec::default()).await;
    let (code, text, _) = lab.probe(&["https://a.contoso.com", "--format=json"]).await;
    assert_eq!(code, Some(0));
    let seen = valid("observations", &text);
    assert_eq!((&seen["format"], &seen["complete"]), (&json!("cmcomply.observations/1"), &json!(true)));
    assert_eq!(seen["observations"][0]["tls"]["evidence"]["version"], "TLSv1.3");
    assert_eq!(seen["settings"]["dns_server"], lab.internet.dns().to_string());
    let (code, tree, _) = lab.probe(&["https://a.contoso.com", "-o=seen.json"]).await;
    assert!(code == Some(0) && tree.contains("reached:"), "{tree}");
    assert_eq!(lab.observations("seen.json")["observations"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_run_in_its_order_and_judged_by_nobody() {
    let spec = Spec::default().host("refused.contoso.com", Behaviour::Refused);
    let lab = Lab::new(spec).await;
    let urls = ["https://b.contoso.com/", "http://refused.contoso.com/", "http://a.contoso.com/x"];
    let plan = plan(&urls);
    valid("plan", &plan.to_string());
    lab.plan(&plan);
    let (code, out, errors) = lab.probe(&["--plan=plan.json", "-o=seen.json"]).await;
    assert_eq!((code, out.as_str()), (Some(0), ""), "{errors}");
    assert!(errors.contains("2 reached, 1 not reached"), "{errors}");
    let seen = lab.observations("seen.json");
    assert_eq!((&seen["complete"], &seen["plan_sha256"]), (&json!(true), &plan["sha256"]));
    let ids: Vec<_> = seen["observations"].as_array().unwrap().iter().map(|o| o["probe"].as_str().unwrap()).collect();
    assert_eq!(ids, urls);
    assert_eq!(seen["observations"][1]["tcp"]["failure"]["code"], "tcp-refused");
    assert_eq!(seen["settings"]["bounds"], plan["bounds"]);

    let (code, out, _) = lab.probe(&["--plan=plan.json"]).await;
    assert_eq!(code, Some(0));
    assert_eq!(valid("observations", &out)["observations"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_cannot_be_run_is_exit_2_and_sends_nothing() {
    let lab = Lab::new(Spec::default()).await;
    let good = || plan(&["https://a.contoso.com/"]);
    let changed = |sealed: bool, change: &dyn Fn(&mut Value)| {
        let mut plan = good();
        change(&mut plan);
        if sealed {
            seal(&mut plan);
        }
        plan.to_string().into_bytes()
    };
    let cases: [(Vec<u8>, &str); 7] = [
        (changed(true, &|p| p["format"] = json!("cmcomply.plan/9")), "cmcomply.plan/9"),
        (changed(true, &|p| p["more"] = json!("x")), "unknown field `more`"),
        (changed(true, &|p| p["probes"][0]["target"]["sni"] = json!("x")), "unknown field"),
        (changed(false, &|p| p["probes"][0]["target"]["port"] = json!(444)), "was changed after it was made"),
        (changed(true, &|p| p["bounds"]["deadline_ms"] = json!(0)), "bounds.deadline_ms is 0"),
        (b"{\"format\":".to_vec(), "cannot be run"),
        (vec![b' '; (64 << 20) + 1], "larger than 64 MB"),
    ];
    for (bytes, words) in cases {
        std::fs::write(lab.folder.path().join("plan.json"), bytes).unwrap();
        let (code, out, errors) = lab.probe(&["--plan=plan.json", "-o=seen.json"]).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains(words) && errors.lines().count() == 1, "{words}: {errors}");
    }
    let (code, _, errors) = lab.probe(&["--plan=missing.json"]).await;
    assert!(code == Some(2) && errors.contains("cannot read plan missing.json"), "{errors}");
    assert!(!lab.folder.path().join("seen.json").exists());
    assert_eq!(lab.internet.seen(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_exit_2_and_send_nothing() {
    let lab = Lab::new(Spec::default()).await;
    lab.plan(&plan(&["https://a.contoso.com/"]));
    for (arguments, words) in [
        (&[][..], "<URL"),
        (&["a.contoso.com"], "expected https://NAME"),
        (&["https://10.0.0.1"], "an address has no name"),
        (&["https://a.contoso.com", "--plan=plan.json"], "cannot be used with"),
        (&["--plan=plan.json", "--stage-timeout=1"], "cannot be used with"),
        (&["--plan=plan.json", "--via=proxy:1"], "cannot be used with"),
        (&["https://a.contoso.com", "--via=proxy"], "HOST:PORT"),
        (&["https://a.contoso.com", "--stage-timeout=0"], "--stage-timeout"),
        (&["https://a.contoso.com", "--ca-file=none.pem"], "none.pem"),
        (&["https://a.contoso.com", "-o=no/folder/x"], "cannot write --output"),
    ] {
        let (code, out, errors) = lab.probe(arguments).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
    assert_eq!(lab.internet.seen(), []);
}

/// Neither the network nor the machine's roots are touched for arguments that are wrong.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_found_before_anything_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.json"), "{\"format\":\"cmcomply.plan/9\"}").unwrap();
    let traced = |arguments: &[&str]| {
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=%network,open,openat", "-o", "trace", env!("CARGO_BIN_EXE_cmcomply")]);
        command.args(arguments).current_dir(folder.path()).stdin(Stdio::null());
        let done = command.output();
        done.map(|done| (done.status.code(), std::fs::read_to_string(folder.path().join("trace")).unwrap_or_default()))
    };
    let touched = |trace: &str| ["AF_INET", "/etc/ssl", "resolv.conf"].iter().any(|word| trace.contains(word));
    // Otherwise the test would prove nothing.
    match traced(&["probe", "https://localhost:1", "--stage-timeout=1"]) {
        Ok((Some(1), trace)) if touched(&trace) => {}
        other => return skipped(&format!("strace does not work here, so nobody watched what is opened: {other:?}")),
    }
    for arguments in [
        &["probe", "https://10.0.0.1"][..],
        &["probe", "https://localhost:1", "--ca-file=none.pem"],
        &["probe", "https://localhost:1", "--output=no/folder/x"],
        &["probe", "--plan=plan.json"],
        &["audit", "--sql=a b"],
        &["audit", "--sql=localhost", "--sql-user=reader", "--stage-timeout=0"],
        &["audit", "--sql=localhost", "--sql-user=reader", "--ca-file=none.pem"],
    ] {
        let (code, trace) = traced(arguments).unwrap();
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(!trace.is_empty() && !touched(&trace), "{arguments:?}: {trace}");
    }
}

fn skipped(why: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|set| set != "1"), "{why}");
}

/// Ctrl-C as a terminal sends it. On Windows a test cannot send it to one process alone.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_a_valid_incomplete_document_and_exit_3() {
    let lab = Lab::new(Spec::default().host("silent.contoso.com", Behaviour::HttpSilence)).await;
    let mut slow = plan(&["http://a.contoso.com/", "https://silent.contoso.com/"]);
    slow["bounds"]["stage_timeout_ms"] = json!(60_000);
    seal(&mut slow);
    lab.plan(&slow);
    let look = ["https://silent.contoso.com", "--stage-timeout=60", "--format=json", "-o=seen.json"];
    for arguments in [&["--plan=plan.json", "-o=seen.json"][..], &look] {
        let before = lab.internet.count(is_silent);
        let mut command = lab.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        for _ in 0..600 {
            if lab.internet.count(is_silent) > before {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let done = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        let (code, _, errors) = ended(done);
        assert_eq!(code, Some(3), "{errors}");
        let seen = lab.observations("seen.json");
        assert_eq!((&seen["complete"], &seen["interrupted"]), (&json!(false), &json!("interrupted by Ctrl-C")));
        let last = seen["observations"].as_array().unwrap().last().unwrap();
        assert_eq!(last["http"]["outcome"], "cancelled");
    }
}

#[cfg(unix)]
fn is_silent(seen: &Seen) -> bool {
    matches!(seen, Seen::Request { host, .. } if host == "silent.contoso.com")
}

/// The canonical form is RFC 8785's, so that others can make it: here Python's.
#[test]
fn the_hash_of_a_plan_is_what_others_compute() {
    let script = "import json, hashlib, sys\n\
                  plan = json.load(sys.stdin); plan.pop('sha256')\n\
                  text = json.dumps(plan, sort_keys=True, separators=(',', ':'), ensure_ascii=False)\n\
                  print(hashlib.sha256(text.encode()).hexdigest())";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let mut plan = plan(&["https://a.contoso.com/", "http://b.contoso.com/"]);
    plan["probes"][0]["id"] = json!("Genève \"\\ 😀");
    seal(&mut plan);
    std::fs::write(&path, plan.to_string()).unwrap();
    cmcomply::plan::PlanDocument::read(&path).unwrap();
    let python = Command::new("python3").args(["-c", script]).stdin(std::fs::File::open(&path).unwrap()).output();
    match python {
        Ok(done) => assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), plan["sha256"], "{done:?}"),
        Err(error) => skipped(&format!("no python3 here to compute the hash of a plan: {error}")),
    }
}
