//! One audit from many places: role hosts over SSH, files that were carried, and everything that can go wrong there.
//!
//! Real packets in network namespaces and a real sshd, so it needs Linux and root; elsewhere it says that it was skipped.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod probing;
#[path = "vantages/sites.rs"]
#[expect(unreachable_pub, reason = "a module of a test program")]
mod sites;
#[path = "vantages/windows.rs"]
#[expect(unreachable_pub, reason = "a module of a test program")]
mod windows;
#[path = "namespaces/world.rs"]
#[expect(unreachable_pub, dead_code, reason = "a module of several test programs")]
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use lab::site_database::{Options, SiteDatabase};
use serde_json::{Value, json};
use sites::{HOSTS, Sites, text};

/// Two names that every site system needs, and nobody else.
const CATALOG: &str = r#"
section = "Lab"
[[entry]]
id = "lab-open"
roles = ["service-connection-point", "distribution-point", "management-point", "software-update-point"]
endpoint = "open.contoso.net"
scheme = "https"
ports = [443]
when = "always"
context = "site-system-proxy"
tier = "required"
status = "active"
clouds = ["public"]
sources = [{ document = "internet-access", section = "Here", date = "2025-01-01" }]
[[entry]]
id = "lab-shut"
roles = ["service-connection-point", "distribution-point", "management-point", "software-update-point"]
endpoint = "shut.contoso.net"
scheme = "https"
ports = [443]
when = "always"
context = "site-system-proxy"
tier = "required"
status = "active"
clouds = ["public"]
sources = [{ document = "internet-access", section = "Here", date = "2025-01-01" }]
"#;

/// The facts of Contoso, the catalog of the lab, and what else every audit here is given.
const COMMON: [&str; 4] = ["--snapshot=site.json", "--catalog=catalog", "--ca-file=ca.pem", "--width=160"];

#[test]
fn one_audit_looks_from_every_host() {
    if !world::possible() || !sites::possible() {
        return;
    }
    let sites = Sites::new();
    facts(&sites);
    every_host_answers(&sites);
    each_host_has_its_own_verdict_and_none_waits_for_another(&sites);
    here_over_ssh_and_carried_is_the_same(&sites);
    what_goes_wrong_at_one_host_has_its_reason_and_costs_no_other(&sites);
    an_answer_that_is_none_has_its_reason(&sites);
    if windows::install(&sites) {
        the_script_looks_over_ssh_over_winrm_and_by_hand(&sites);
    }
    ctrl_c_leaves_a_valid_incomplete_run(&sites);
}

/// Writes the snapshot and the catalog into the folder.
fn facts(sites: &Sites) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(SiteDatabase::start(Options::default()));
    std::fs::write(sites.path("sql-ca.pem"), database.ca_pem()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.args(["snapshot", &format!("--sql=localhost,{}", database.address().port()), "--sql-ca-file=sql-ca.pem"]);
    command
        .arg(format!("--sql-user={}", Options::default().user))
        .env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
    let done = command.current_dir(sites.folder.path()).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    std::fs::create_dir(sites.path("catalog")).unwrap();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/sample");
    for name in ["addresses.toml", "catalog.toml", "roots.toml", "versions.toml"] {
        std::fs::copy(sample.join(name), sites.path("catalog").join(name)).unwrap();
    }
    std::fs::write(sites.path("catalog/lab.toml"), CATALOG).unwrap();
}

/// A table for each host with its program, then one for all others.
fn settings(sites: &Sites, tables: &[(&str, &str)], others: &str) -> String {
    let mut settings = String::new();
    for (host, rest) in tables {
        let here = sites.folder.path().display();
        let _ = write!(
            settings,
            "[[vantages]]\nhosts = ['{host}']\nkind = 'ssh'\naccount = 'root'\n\
             known_hosts_file = '{here}/known_hosts'\n{rest}\n"
        );
        if !rest.contains("key_file") {
            let _ = writeln!(settings, "key_file = '{here}/audit'");
        }
    }
    let _ = write!(settings, "[[vantages]]\nhosts = ['*']\nkind = '{others}'\n");
    std::fs::write(sites.path("cmcomply.toml"), settings).unwrap();
    "--settings=cmcomply.toml".to_owned()
}

/// The three hosts, each with the program of that name.
fn with(sites: &Sites, programs: [&str; 3]) -> String {
    let programs = programs.map(|name| format!("program = '{}'", sites.path(name).display()));
    let tables: Vec<(&str, &str)> =
        HOSTS.iter().zip(&programs).map(|((_, _, host, _), program)| (*host, program.as_str())).collect();
    settings(sites, &tables, "none")
}

/// An audit in the folder: exit code, what it said, the record.
fn audit(sites: &Sites, arguments: &[&str]) -> (Option<i32>, String, Value) {
    let _ = std::fs::remove_file(sites.path("run.json"));
    let mut command = sites.operator(&["audit", "--output=run.json"]);
    let done = command.args(COMMON).args(arguments).output().unwrap();
    let run = std::fs::read(sites.path("run.json")).map_or(Value::Null, |bytes| valid(&bytes));
    (done.status.code(), text(&done), run)
}

fn valid(bytes: &[u8]) -> Value {
    let run: Value = serde_json::from_slice(bytes).unwrap();
    let schema = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/run.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&run).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, [] as [&str; 0]);
    cmcomply::evidence::Run::parse("run.json", bytes).unwrap();
    run
}

/// Of a host: endpoint to verdict and code.
fn verdicts(run: &Value, host: &str) -> BTreeMap<String, (String, String)> {
    let judged = run["requirements"].as_array().unwrap().iter().zip(run["judgements"].as_array().unwrap());
    let of_host = judged.filter(|(requirement, _)| requirement["subject"]["host"] == host);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    of_host
        .map(|(requirement, judgement)| {
            let said = (word(&judgement["verdict"]), word(&judgement["cause"]["code"]));
            (word(&requirement["entry"]), said)
        })
        .collect()
}

/// The record of a machine.
fn vantage<'a>(run: &'a Value, machine: &str) -> &'a Value {
    run["vantages"].as_array().unwrap().iter().find(|v| v["machine"] == machine).unwrap_or(&Value::Null)
}

fn every_host_answers(sites: &Sites) {
    let settings = with(sites, ["cas", "dp1", "dp2"]);
    let done = sites.operator(&["hosts", "--snapshot=site.json", &settings, "--format=json"]).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done));
    let hosts: Value = serde_json::from_slice(&done.stdout).unwrap();
    let rows = hosts["hosts"].as_array().unwrap();
    for (_, _, host, _) in HOSTS {
        let row = rows.iter().find(|row| row["subject"]["host"] == host).unwrap();
        assert_eq!(
            (&row["vantage"], &row["answers"], &row["grade"]),
            (&json!("ssh"), &json!(true), &json!("B")),
            "{row}"
        );
        assert_eq!(row["checked"], "signed in, and cmcomply is there");
    }
    assert!(rows.iter().any(|row| row["vantage"] == "none" && row["answers"] == Value::Null));
}

/// Each of the programs waits until all three are there: one after the other, none would ever begin.
fn each_host_has_its_own_verdict_and_none_waits_for_another(sites: &Sites) {
    sites.program(
        "together",
        "touch \"$HERE/here.$$\"\nn=0\nwhile [ \"$(ls \"$HERE\"/here.* | wc -l)\" -lt 3 ]; do\n  n=$((n + 1))\n  \
         [ $n -gt 300 ] && exit 9\n  sleep 0.1\ndone\nexec \"$CMCOMPLY\" \"$@\" --ca-file=\"$HERE/ca.pem\"\n",
    );
    let settings = with(sites, ["together"; 3]);
    let begun = std::time::Instant::now();
    let (code, said, run) = audit(sites, &[&settings, "--stage-timeout=3"]);
    say(&format!("one audit, three hosts: {} ms", begun.elapsed().as_millis()));
    assert_eq!(code, Some(1), "{said}");
    let word = |verdict: &str, code: &str| (verdict.to_owned(), code.to_owned());
    let expected = [
        (HOSTS[0].2, word("pass", ""), word("pass", "")),
        (HOSTS[1].2, word("pass", ""), word("fail", "tcp-refused")),
        (HOSTS[2].2, word("fail", "tcp-timeout"), word("fail", "tcp-timeout")),
    ];
    for (host, open, shut) in expected {
        let seen = verdicts(&run, host);
        assert_eq!((&seen["lab-open"], &seen["lab-shut"]), (&open, &shut), "{host}: {said}");
        let record = vantage(&run, host);
        assert_eq!((&record["kind"], &record["account"]), (&json!("ssh"), &json!("root")), "{record}");
        assert_eq!(record["looks_for"][0]["grade"], "B");
        assert!(said.contains(&format!("{host} by ssh as root: evidence of grade B")), "{said}");
    }
    // Those of which the settings say that nobody looks are not observed, and the run says so.
    assert_eq!(verdicts(&run, "cm-ps1.corp.contoso.com")["lab-open"], word("not_observed", "host-not-reached"));
    assert!(said.contains("non-compliant and incomplete"), "{said}");
    let moment =
        |host: &str, what: &str| -> jiff::Timestamp { vantage(&run, host)[what].as_str().unwrap().parse().unwrap() };
    let hosts = HOSTS.map(|(_, _, host, _)| host);
    let alone = hosts.map(|host| moment(host, "finished").duration_since(moment(host, "started")).as_millis());
    say(&format!("each host by itself: {alone:?} ms"));
}

fn say(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// What an observation says but for place and time.
fn essence(observations: &Value, prefix: &str) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|key, _| !matches!(key.as_str(), "took_us" | "started"));
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            // The date of the server, and the milliseconds of a deadline.
            _ => {}
        }
    }
    let mut seen: Vec<Value> = observations.as_array().unwrap().clone();
    seen.retain(|observation| observation["probe"].as_str().unwrap().starts_with(prefix));
    for observation in &mut seen {
        let id = observation["probe"].as_str().unwrap()[prefix.len()..].to_owned();
        observation["probe"] = json!(id);
        strip(observation);
        if let Some(headers) = observation["http"]["evidence"]["headers"].as_array_mut() {
            headers.retain(|header| header["name"] != "date");
        }
    }
    seen
}

fn here_over_ssh_and_carried_is_the_same(sites: &Sites) {
    let host = HOSTS[1].2;
    // Over SSH.
    let settings = with(sites, ["cas", "dp1", "dp2"]);
    let (_, said, run) = audit(sites, &[&settings, "--stage-timeout=3"]);
    let over_ssh = essence(&run["observations"], &format!("{host}: "));
    assert_eq!(over_ssh.len(), 2, "{said}");
    // The plan, carried by hand, and run there.
    let plan = ["plan", "--snapshot=site.json", "--catalog=catalog", &settings, "--host", host, "-o=carry"];
    let done = sites.operator(&plan).arg("--stage-timeout=3").output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done));
    let mut there = sites.at("dp1");
    there.args(["unshare", "--uts", "sh", "-c", "hostname CM-PS1-DP1 && exec \"$@\"", "sh"]);
    there.arg(env!("CARGO_BIN_EXE_cmcomply")).arg("probe");
    there.args([&format!("--plan=carry/{host}.plan.json"), "--ca-file=ca.pem", "-o=seen.json"]);
    let done = there.output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done));
    let seen: Value = serde_json::from_slice(&std::fs::read(sites.path("seen.json")).unwrap()).unwrap();
    assert_eq!(essence(&seen["observations"], ""), over_ssh);
    let (_, said, run) = audit(sites, &[&settings, "--stage-timeout=3", "--observations=seen.json"]);
    assert_eq!(essence(&run["observations"], &format!("{host}: ")), over_ssh);
    assert_eq!(vantage(&run, host)["kind"], "carried", "{said}");
    assert_eq!(verdicts(&run, host)["lab-open"].0, "pass", "{said}");
    assert_eq!(verdicts(&run, host)["lab-shut"].1, "tcp-refused", "{said}");
    // Here: the audit itself runs on the host.
    let mut here = sites.at("dp1");
    here.args(["unshare", "--uts", "sh", "-c", "hostname CM-PS1-DP1 && exec \"$@\"", "sh"]);
    here.arg(env!("CARGO_BIN_EXE_cmcomply")).arg("audit").args(COMMON).arg("--stage-timeout=3");
    std::fs::write(sites.path("none.toml"), "[[vantages]]\nhosts = ['*']\nroles = ['site server']\nkind = 'none'\n")
        .unwrap();
    let done = here.args(["--settings=none.toml", "-o=here.json"]).output().unwrap();
    let run = valid(&std::fs::read(sites.path("here.json")).unwrap_or_else(|_| panic!("{}", text(&done))));
    let own: Vec<Value> =
        essence(&run["observations"], "").into_iter().filter(|seen| over_ssh.contains(seen)).collect();
    assert_eq!(own, over_ssh, "{}", text(&done));
    assert_eq!(verdicts(&run, host)["lab-open"].0, "pass");
}

fn what_goes_wrong_at_one_host_has_its_reason_and_costs_no_other(sites: &Sites) {
    sites.program("dies", "cat > /dev/null\necho 'dying' >&2\nkill -9 $$\n");
    sites.program("missing", "exec /no/such/cmcomply\n");
    let program = |name: &str| format!("program = '{}'", sites.path(name).display());
    let wrong_key = format!("key_file = '{}'", sites.path("stranger").display());
    let (good, dies) = (program("dp1"), program("dies"));
    let tables = [
        (HOSTS[1].2, good.as_str()),
        (HOSTS[0].2, dies.as_str()),
        (HOSTS[2].2, wrong_key.as_str()),
        ("cm-ps1.corp.contoso.com", ""),
        ("cm-ps2.corp.contoso.com", ""),
        ("cm-ps1-sup.corp.contoso.com", ""),
    ];
    let settings = settings(sites, &tables, "carried");
    let (code, said, run) = audit(sites, &[&settings, "--stage-timeout=3"]);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(verdicts(&run, HOSTS[1].2)["lab-open"].0, "pass", "one host's trouble is not another's: {said}");
    for (host, why, words) in [
        (HOSTS[0].2, "answer", "without an answer: dying"),
        (HOSTS[2].2, "sign_in", "Permission denied (publickey"),
        ("cm-ps1.corp.contoso.com", "port", "Connection refused"),
        ("cm-ps2.corp.contoso.com", "identity", "host key is known"),
        ("cm-ps1-sup.corp.contoso.com", "name", "Could not resolve hostname"),
        ("cm-ps2-dp1.corp.contoso.com", "no_file", "no file was brought back"),
    ] {
        let unreached = &vantage(&run, host)["unreached"];
        let detail = unreached["detail"].as_str().unwrap_or_default();
        assert!(unreached["why"] == why && detail.contains(words), "{host}: {unreached}");
        for (verdict, code) in verdicts(&run, host).values() {
            assert_eq!((verdict.as_str(), code.as_str()), ("not_observed", "host-not-reached"), "{host}");
        }
    }
    let hosts = sites.operator(&["hosts", "--snapshot=site.json", &settings, "--format=csv"]).output().unwrap();
    let listed = text(&hosts);
    assert_eq!(hosts.status.code(), Some(3), "{listed}");
    assert!(listed.contains("Could not resolve hostname") && listed.contains("host key is known"), "{listed}");
}

fn an_answer_that_is_none_has_its_reason(sites: &Sites) {
    let run_it = "\"$CMCOMPLY\" \"$@\" --ca-file=\"$HERE/ca.pem\"";
    sites.program("cut", &format!("{run_it} | head -c 1500\n"));
    sites.program("foreign", "cat > /dev/null\necho '{\"format\": \"x\"}'\n");
    sites.program("flood", "exec head -c 1073741824 /dev/zero\n");
    sites.program("liar", &format!("exec unshare --uts sh -c 'hostname EVIL && exec \"$@\"' sh {run_it}\n"));
    sites.program("edits", &format!("{run_it} | sed 's/tcp-timeout/tcp-refused/'\n"));
    sites.program("banner", &format!("echo 'Welcome to CM-PS1-DP1'\n{run_it}\n"));
    sites.program("clock", &format!("{run_it} | python3 \"$HERE/clock.py\"\n"));
    std::fs::write(sites.path("clock.py"), CLOCK).unwrap();
    let reason = |run: &Value, host: &str| vantage(run, host)["unreached"].to_string();

    let settings = with(sites, ["cut", "foreign", "flood"]);
    let (code, said, run) = audit(sites, &[&settings, "--stage-timeout=2"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(reason(&run, HOSTS[0].2).contains("was cut"), "{said}");
    assert!(reason(&run, HOSTS[1].2).contains("is of format x"), "{said}");
    assert!(reason(&run, HOSTS[2].2).contains("more than 4 MB"), "{said}");

    let settings = with(sites, ["liar", "clock", "edits"]);
    let (code, said, run) = audit(sites, &[&settings, "--stage-timeout=2"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(reason(&run, HOSTS[0].2).contains("it calls itself evil"), "{said}");
    assert!(reason(&run, HOSTS[2].2).contains("was changed after it was made"), "{said}");
    let ahead = vantage(&run, HOSTS[1].2)["clock_ahead_s"].as_i64().unwrap();
    assert!((7000..7300).contains(&ahead), "{ahead}");
    assert!(said.contains("s ahead"), "{said}");

    let settings = with(sites, ["cas", "banner", "dp2"]);
    let (_, said, run) = audit(sites, &[&settings, "--stage-timeout=2"]);
    assert_eq!(verdicts(&run, HOSTS[1].2)["lab-open"].0, "pass", "{said}");
}

/// The script's core really runs at the sites, under Mono in the place of PowerShell.
fn the_script_looks_over_ssh_over_winrm_and_by_hand(sites: &Sites) {
    let (here, host) = (sites.folder.path().display(), HOSTS[1].2);
    let over_ssh = format!(
        "[[vantages]]\nhosts = ['{host}']\nkind = 'ssh-windows'\naccount = 'root'\nkey_file = '{here}/audit'\n\
         known_hosts_file = '{here}/known_hosts'\n"
    );
    let none = "[[vantages]]\nhosts = ['*']\nkind = 'none'\n";
    std::fs::write(sites.path("cmcomply.toml"), format!("{over_ssh}{none}")).unwrap();
    let (code, said, run) = audit(sites, &["--settings=cmcomply.toml", "--stage-timeout=5"]);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(verdicts(&run, host)["lab-open"].0, "pass", "{said}");
    assert_eq!(verdicts(&run, host)["lab-shut"].1, "tcp-refused", "{said}");
    let record = vantage(&run, host);
    // Mono takes root for the account of the system, but this is no Windows.
    assert_eq!((&record["kind"], &record["looks_for"][0]["grade"]), (&json!("ssh_windows"), &json!("B")), "{record}");
    assert!(record["facts"].as_object().unwrap().len() > 10, "{record}");

    // The same answer, brought back as a file.
    let plan = ["plan", "--snapshot=site.json", "--catalog=catalog", "--host", host, "-o=carry", "--stage-timeout=5"];
    let done = sites.operator(&plan).output().unwrap();
    assert!(done.status.success() && sites.path(&format!("carry/{host}.observe.ps1")).exists(), "{}", text(&done));
    let plan = std::fs::read(sites.path(&format!("carry/{host}.plan.json"))).unwrap();
    let plan = cmcomply::plan::PlanDocument::parse("plan", &plan).unwrap();
    let command = cmcomply::vantage::script::command(&plan, &cmcomply::vantage::script::Options::default());
    std::fs::write(sites.path("stdin"), command.stdin).unwrap();
    let mut there = sites.at("dp1");
    there.args(["unshare", "--uts", "sh", "-c", "hostname CM-PS1-DP1 && exec bin/powershell.exe < stdin > seen.json"]);
    assert!(there.status().unwrap().success());
    // Under another deadline than the plan was written with.
    let carried = ["--settings=cmcomply.toml", "--stage-timeout=5", "--observations=seen.json", "--deadline=200"];
    let (_, said, run) = audit(sites, &carried);
    assert_eq!(vantage(&run, host)["kind"], "carried", "{said}");
    assert_eq!(verdicts(&run, host)["lab-open"].0, "pass", "{said}");
    assert_eq!(verdicts(&run, host)["lab-shut"].1, "tcp-refused", "{said}");

    let Some((mut server, port)) = windows::winrm(sites, "CM-PS1") else { return };
    let host = "cm-ps1.corp.contoso.com";
    for (password, verdict, why) in [("Contoso-Secret-1", "pass", None), ("wrong", "not_observed", Some("sign_in"))] {
        std::fs::write(sites.path("winrm.password"), password).unwrap();
        let over_winrm = format!(
            "[[vantages]]\nhosts = ['{host}']\nkind = 'winrm'\nhttp = true\nport = {port}\n\
             account = 'CONTOSO\\svc-cm'\npassword_file = 'winrm.password'\n"
        );
        std::fs::write(sites.path("cmcomply.toml"), format!("{over_winrm}{none}")).unwrap();
        let (_, said, run) = audit(sites, &["--settings=cmcomply.toml", "--stage-timeout=5"]);
        assert_eq!(verdicts(&run, host)["lab-open"].0, verdict, "{said}");
        assert_eq!(vantage(&run, host)["unreached"]["why"].as_str(), why, "{said}");
        assert!(!said.contains("Contoso-Secret-1") && !run.to_string().contains("Contoso-Secret-1"));
    }
    let _ = server.kill();
    let _ = server.wait();
}

fn ctrl_c_leaves_a_valid_incomplete_run(sites: &Sites) {
    sites.program("sleeps", "touch \"$HERE/asleep\"\nexec sleep 20\n");
    let settings = with(sites, ["sleeps"; 3]);
    let mut command = sites.operator(&["audit", "--output=run.json"]);
    command.args(COMMON).arg(settings).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    for _ in 0..600 {
        if sites.path("asleep").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(3), "{}", text(&done));
    let run = valid(&std::fs::read(sites.path("run.json")).unwrap());
    for (_, _, host, _) in HOSTS {
        assert_eq!(vantage(&run, host)["unreached"]["why"], "interrupted");
    }
    assert!(run["outcome"]["incomplete"][0].as_str().unwrap().contains("Ctrl-C"));
}

/// Two hours later, with the hash made anew, as a machine with a wrong clock would write it.
const CLOCK: &str = "\
import datetime, hashlib, json, re, sys
def later(match):
    moment = datetime.datetime.fromisoformat(match.group(1) + '+00:00') + datetime.timedelta(hours=2)
    return moment.strftime('%Y-%m-%dT%H:%M:%S') + match.group(2) + 'Z'
text = re.sub(r'(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d)(\\.\\d+)?Z', lambda m: later(m) if m.group(2) else m.group(0), sys.stdin.read())
seen = json.loads(text)
seen.pop('sha256')
canonical = json.dumps(seen, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
seen['sha256'] = hashlib.sha256(canonical.encode()).hexdigest()
json.dump(seen, sys.stdout)
";
