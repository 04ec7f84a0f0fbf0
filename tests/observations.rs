//! What is brought back from a host as a file: what counts, and what is refused before anything is probed.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Stdio};

use jiff::{Timestamp, ToSpan};
use lab::internet::{Internet, Spec};
use lab::site_database::{Options, SiteDatabase};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const HOST: &str = "cm-ps1-dp1.corp.contoso.com";

/// A snapshot of Contoso with these changes to its database, a pretend internet, and the plan of a host.
struct Lab {
    internet: Internet,
    folder: tempfile::TempDir,
}

impl Lab {
    async fn new(variants: &[&str]) -> Self {
        let options = Options { variants: variants.iter().map(|&v| v.to_owned()).collect(), ..Options::default() };
        let database = SiteDatabase::start(options.clone()).await;
        let lab = Self { internet: Internet::start(Spec::contoso()).await, folder: tempfile::tempdir().unwrap() };
        std::fs::write(lab.path("sql-ca.pem"), database.ca_pem()).unwrap();
        std::fs::write(lab.path("ca.pem"), lab.internet.ca_pem()).unwrap();
        let sql = format!("--sql=localhost,{}", database.address().port());
        let user = format!("--sql-user={}", options.user);
        let mut command = lab.command(&["snapshot", &sql, &user, "--sql-ca-file=sql-ca.pem"]);
        command.env("CMCOMPLY_SQL_PASSWORD", options.password);
        let (code, said) = ended(command).await;
        assert_eq!(code, Some(0), "{said}");
        lab
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("NO_COLOR");
        command
    }

    /// What leads to the pretend internet.
    fn probing(&self, command: &mut Command) {
        command.arg(format!("--dns-server={}", self.internet.dns())).arg("--public-ca-file=ca.pem");
        command.args(self.internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
    }

    /// The plan of the host is run here, and the file says that it was run there.
    async fn carried(&self) -> Value {
        let plan = ["plan", "--snapshot=site.json", "--host", HOST, "-o", "carry", "--stage-timeout=1"];
        let (code, said) = ended(self.command(&plan)).await;
        assert_eq!(code, Some(0), "{said}");
        let mut command = self.command(&["probe", "--plan", &format!("carry/{HOST}.plan.json"), "-o=seen.json"]);
        self.probing(&mut command);
        let (code, said) = ended(command).await;
        assert_eq!(code, Some(0), "{said}");
        let mut seen: Value = serde_json::from_slice(&std::fs::read(self.path("seen.json")).unwrap()).unwrap();
        seen["vantage"]["host"] = json!("cm-ps1-dp1");
        seal(&mut seen);
        seen
    }

    async fn audit(&self, files: &[&[u8]], more: &[&str]) -> (Option<i32>, String, Option<Value>) {
        let _ = std::fs::remove_file(self.path("run.json"));
        let mut command = self.command(&[
            "audit",
            "--snapshot=site.json",
            "--output=run.json",
            "--settings=none.toml",
            "--stage-timeout=1",
        ]);
        std::fs::write(self.path("none.toml"), "[[vantages]]\nhosts = ['*', 'clients', 'consoles']\nkind = 'none'\n")
            .unwrap();
        for (number, bytes) in files.iter().enumerate() {
            let name = format!("brought-{number}.json");
            std::fs::write(self.path(&name), bytes).unwrap();
            command.arg(format!("--observations={name}"));
        }
        command.args(more);
        self.probing(&mut command);
        let (code, said) = ended(command).await;
        let run = std::fs::read(self.path("run.json")).ok();
        (code, said, run.map(|bytes| serde_json::from_slice(&bytes).unwrap()))
    }
}

async fn ended(mut command: Command) -> (Option<i32>, String) {
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

/// Gives a document the hash of its content.
fn seal(seen: &mut Value) {
    seen.as_object_mut().unwrap().remove("sha256");
    seen.sort_all_objects();
    seen["sha256"] = json!(cmcomply::text::hexadecimal(&Sha256::digest(seen.to_string())));
}

fn passes(run: &Value) -> usize {
    let judged = run["requirements"].as_array().unwrap().iter().zip(run["judgements"].as_array().unwrap());
    judged.filter(|(r, j)| j["verdict"] == "pass" && r["subject"]["host"] == HOST && j["evidence_grade"] == "B").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_counts_for_its_host_and_a_part_of_it_for_what_it_holds() {
    let lab = Lab::new(&[]).await;
    let seen = lab.carried().await;
    let before = lab.internet.seen().len();
    let (code, said, run) = lab.audit(&[seen.to_string().as_bytes()], &[]).await;
    let run = run.unwrap_or_else(|| panic!("{said}"));
    assert_eq!(lab.internet.seen().len(), before, "nobody probed again");
    let all = passes(&run);
    assert!(all > 0 && code == Some(3), "{said}");
    assert!(said.contains(&format!("{HOST} by a file that was carried")), "{said}");
    // As PowerShell redirects it.
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(seen.to_string().encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let (_, said, run) = lab.audit(&[&wide], &[]).await;
    assert_eq!(passes(&run.unwrap_or_else(|| panic!("{said}"))), all);
    // Interrupted there: what it holds counts, the rest is not observed.
    let mut half = seen.clone();
    let observations = half["observations"].as_array_mut().unwrap();
    let reached = |seen: &Value| seen["http"]["outcome"] == "ok" && seen.get("redirected_from").is_none();
    let kept = observations.iter().find(|seen| reached(seen)).unwrap().clone();
    *observations = vec![kept];
    (half["complete"], half["interrupted"]) = (json!(false), json!("interrupted by Ctrl-C"));
    seal(&mut half);
    let (code, said, run) = lab.audit(&[half.to_string().as_bytes()], &[]).await;
    let some = passes(&run.unwrap_or_else(|| panic!("{said}")));
    assert!(code == Some(3) && (1..all).contains(&some), "{some} of {all}: {said}");
    assert!(said.contains("not to the end"), "{said}");
    // A document may say that it is all there is.
    (half["complete"], half["interrupted"]) = (json!(true), Value::Null);
    seal(&mut half);
    let (_, said, run) = lab.audit(&[half.to_string().as_bytes()], &[]).await;
    let run = run.unwrap_or_else(|| panic!("{said}"));
    let record = run["vantages"].as_array().unwrap().iter().find(|v| v["machine"] == HOST).unwrap();
    assert!(record["complete"] == json!(false) && said.contains("not to the end"), "{record}: {said}");
    let options = &record["settings"];
    assert!(options["dns_server"] == lab.internet.dns().to_string() && options["connect_to"].is_array(), "{record}");
    assert!(said.contains("--dns-server"), "{said}");
    // Another deadline than the plan was written with is no other plan.
    let (code, said, _) = lab.audit(&[seen.to_string().as_bytes()], &["--deadline=200"]).await;
    assert_eq!(code, Some(3), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_count_ends_the_program_with_the_reason_before_anything_is_probed() {
    let lab = Lab::new(&[]).await;
    let seen = lab.carried().await;
    let before = lab.internet.seen().len();
    let changed = |sealed: bool, change: &dyn Fn(&mut Value)| {
        let mut seen = seen.clone();
        change(&mut seen);
        if sealed {
            seal(&mut seen);
        }
        seen.to_string().into_bytes()
    };
    let good = changed(false, &|_| {});
    let at = |hours: i64| json!((Timestamp::now() + hours.hours()).to_string());
    let cases: [(Vec<u8>, &str); 12] = [
        (changed(true, &|s| s["plan_sha256"] = json!("0".repeat(64))), "of another plan (000000000000"),
        (changed(true, &|s| s["plan_host"] = json!("cm-ps1-dp2.corp.contoso.com")), "it calls itself cm-ps1-dp1"),
        (changed(true, &|s| s["plan_host"] = Value::Null), "its plan is for no host"),
        (changed(true, &|s| s["vantage"]["host"] = json!("evil")), "another machine answered: it calls itself evil"),
        (changed(true, &|s| s["vantage"]["host"] = Value::Null), "does not say its name"),
        (
            changed(false, &|s| s["observations"][0]["http"]["outcome"] = json!("failed")),
            "was changed after it was made",
        ),
        (changed(true, &|s| (s["started"], s["finished"]) = (at(-26), at(-25))), "older than 24 hours"),
        (changed(true, &|s| s["finished"] = at(2)), "the clock there is wrong"),
        (changed(true, &|s| s["format"] = json!("cmcomply.observations/9")), "cmcomply.observations/9"),
        (changed(true, &|s| s["exec"] = json!("x")), "does not know `exec`"),
        (good[..good.len() / 2].to_vec(), "was cut"),
        (b"PS C:\\> whoami".to_vec(), "it holds nothing"),
    ];
    for (bytes, words) in cases {
        let (code, said, run) = lab.audit(&[&bytes], &[]).await;
        assert_eq!((code, run.is_some()), (Some(2), false), "{words}: {said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{words}: {said}");
    }
    let (code, said, _) = lab.audit(&[&good, &good], &[]).await;
    assert!(code == Some(2) && said.contains("are both of cm-ps1-dp1"), "{said}");
    let old = changed(true, &|s| (s["started"], s["finished"]) = (at(-26), at(-25)));
    let (code, said, _) = lab.audit(&[&old], &["--max-age=48"]).await;
    assert_eq!(code, Some(3), "{said}");
    assert_eq!(lab.internet.seen().len(), before, "nobody was probed");
}

/// In the place of `ssh`: what the first run is answered is kept, and every later run gets it again.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_run_of_the_same_plan_is_refused() {
    let lab = Lab::new(&[]).await;
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let settings = format!(
        "[[vantages]]\nhosts = ['{HOST}']\nkind = 'ssh'\nmachine = '{}'\n[[vantages]]\nhosts = ['*', 'clients', \
         'consoles']\nkind = 'none'\n",
        machine.trim()
    );
    std::fs::write(lab.path("ssh.toml"), settings).unwrap();
    std::fs::create_dir(lab.path("bin")).unwrap();
    let mut probe = lab.command(&["probe", "--plan=-"]);
    lab.probing(&mut probe);
    let words: Vec<_> = std::iter::once(probe.get_program()).chain(probe.get_args()).collect();
    let probe = words.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
    let ssh = format!("#!/bin/sh\ncat > plan.sent\n[ -e kept ] || {probe} < plan.sent > kept\ncat kept\n");
    std::fs::write(lab.path("bin/ssh"), ssh).unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(lab.path("bin/ssh"), mode).unwrap();
    let path = format!("{}:{}", lab.path("bin").display(), std::env::var("PATH").unwrap());
    let audit = async || {
        let mut command =
            lab.command(&["audit", "--snapshot=site.json", "-o=run.json", "--settings=ssh.toml", "--stage-timeout=1"]);
        lab.probing(&mut command);
        command.env("PATH", &path);
        let (_, said) = ended(command).await;
        let run: Value = serde_json::from_slice(&std::fs::read(lab.path("run.json")).unwrap()).unwrap();
        let plan: Value = serde_json::from_slice(&std::fs::read(lab.path("plan.sent")).unwrap()).unwrap();
        let record = run["vantages"].as_array().unwrap().iter().find(|v| v["kind"] == "ssh").unwrap().clone();
        (record, plan, said)
    };
    let (first, plan, said) = audit().await;
    assert!(first["unreached"].is_null(), "{first}: {said}");
    let (second, again, said) = audit().await;
    assert_eq!(second["plan_sha256"], first["plan_sha256"], "the plan itself is the same");
    assert!(plan["run"] != again["run"] && plan["probes"] == again["probes"]);
    let unreached = &second["unreached"];
    assert_eq!(unreached["why"], "answer", "{second}: {said}");
    assert!(unreached["detail"].as_str().unwrap().contains("or to this one in another run"), "{unreached}");
}

/// Names from the database reach ssh as an argument, and a resolver. None of these may do anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_that_is_a_command_is_a_finding_and_nothing_is_run() {
    let evil =
        ["-oProxyCommand=touch pwned", "a;touch pwned", "$(touch pwned)", "a`touch pwned`", "a\" & echo > pwned"];
    for name in evil {
        let quoted = name.replace('\'', "''");
        let damage = format!(
            "UPDATE dbo.SC_SysResUse SET NALPath = REPLACE(NALPath, N'CM-PS1-DP1.corp.contoso.com', N'{quoted}') \
             WHERE NALPath LIKE N'%CM-PS1-DP1.%'"
        );
        let lab = Lab::new(&[&damage]).await;
        std::fs::write(lab.path("ssh.toml"), "[[vantages]]\nhosts = ['*']\nkind = 'ssh'\n").unwrap();
        let (_, said) =
            ended(lab.command(&["hosts", "--snapshot=site.json", "--settings=ssh.toml", "--format=json"])).await;
        assert!(!said.contains("touch") && said.contains("cm-ps1-dp2.corp.contoso.com"), "{name}: {said}");
        let snapshot = std::fs::read_to_string(lab.path("site.json")).unwrap();
        let facts: Value = serde_json::from_str(&snapshot).unwrap();
        let findings = facts["facts"]["data_findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["value"].as_str().unwrap().contains("pwned")), "{findings:?}");
        assert!(!lab.path("pwned").exists(), "{name}");
        // Nor from a snapshot that somebody wrote.
        let written =
            snapshot.replace("cm-ps1-dp2.corp.contoso.com", &serde_json::to_string(name).unwrap().replace('"', ""));
        std::fs::write(lab.path("written.json"), written).unwrap();
        let (code, said) = ended(lab.command(&["hosts", "--snapshot=written.json", "--settings=ssh.toml"])).await;
        assert!(code == Some(2) && !lab.path("pwned").exists(), "{name}: {said}");
    }
}
