//! The core, compiled by `mcs` as C# 5 and run by Mono, beside `cmcomply probe --plan`: both with the same hosts file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cmcomply::evidence::Observations;
use cmcomply::plan::{PlanBounds, PlanDocument, Probe};
use cmcomply::probe::{Checks, Observation};
use cmcomply::vantage::{VantageKind, script};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::probing::skipped;

/// What the core is started by, in the place of PowerShell.
const ENTRY: &str = "static class Entry { static void Main() { \
    System.Console.Out.WriteLine(Cmcomply.Observer.Run(System.Console.In.ReadToEnd(), \"4.0\", \"FullLanguage\")); } }";

/// The same of the script for Run Scripts.
const BRIEF_ENTRY: &str = "static class Entry { static void Main() { \
    System.Console.Out.WriteLine(Cmcomply.Brief.Run(System.Console.In.ReadToEnd(), true)); } }";

/// Root in namespaces of its own sees these files in the place of the machine's.
const INSIDE: &str = "mount --bind \"$1\" /etc/hosts && { [ ! -e /etc/nsswitch.conf ] || mount --bind \"$2\" \
    /etc/nsswitch.conf; } && shift 2 && exec \"$@\"";

/// The core, and a machine for it whose names and roots are those of a test.
pub struct Machine {
    folder: TempDir,
    /// What comes before each program, such as `ip netns exec NAME`.
    pub before: Vec<String>,
}

impl Machine {
    /// With these names at 127.0.0.1, and trusting this root (PEM). `None` where Mono is not here, said loudly.
    pub fn new(names: &[&str], root: &str) -> Option<Self> {
        let hosts = names.iter().map(|name| ((*name).to_owned(), vec!["127.0.0.1".to_owned()])).collect();
        Self::with(&hosts, root)
    }

    pub fn with(hosts: &BTreeMap<String, Vec<String>>, root: &str) -> Option<Self> {
        for program in ["mcs", "mono", "openssl", "unshare"] {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
            if !found.status.success() {
                skipped(&format!(
                    "no {program} here (Debian: mono-mcs, mono-runtime, openssl), so the core is not run"
                ));
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let lines = hosts.iter().flat_map(|(name, all)| all.iter().map(move |address| format!("{address} {name}\n")));
        std::fs::write(place("hosts"), format!("127.0.0.1 localhost\n{}", lines.collect::<String>())).unwrap();
        std::fs::write(place("nsswitch.conf"), "hosts: files\npasswd: files\ngroup: files\n").unwrap();
        std::fs::write(place("ca.pem"), root).unwrap();
        std::fs::write(place("core.cs"), core()).unwrap();
        std::fs::write(place("entry.cs"), ENTRY).unwrap();
        let mut compiler = Command::new("mcs");
        compiler.args(["-langversion:5", "-warnaserror", "-out:core.exe", "core.cs", "entry.cs"]);
        good(&compiler.current_dir(folder.path()).output().unwrap());
        // Where Mono looks for the roots of a user, under the names that OpenSSL gives them.
        let hash = good(
            &Command::new("openssl").args(["x509", "-hash", "-noout", "-in"]).arg(place("ca.pem")).output().unwrap(),
        );
        let trust = place("config/.mono/new-certs/Trust");
        std::fs::create_dir_all(&trust).unwrap();
        std::fs::write(trust.join(format!("{}.0", hash.trim())), root).unwrap();
        let machine = Self { folder, before: Vec::new() };
        let trial = machine.run(&["true".as_ref()], b"");
        if !trial.status.success() {
            skipped(&format!("this machine gives no mount namespaces: {}", String::from_utf8_lossy(&trial.stderr)));
            return None;
        }
        Some(machine)
    }

    /// What the core brings back for the plan.
    pub fn script(&self, plan: &PlanDocument) -> Vec<u8> {
        let data = serde_json::json!({
            "plan": plan, "agent": concat!("cmcomply/", env!("CARGO_PKG_VERSION")), "as_system": false, "roots": [],
        });
        let core = self.folder.path().join("core.exe");
        let output = self.run(&["mono".as_ref(), core.as_path()], data.to_string().as_bytes());
        good(&output);
        output.stdout
    }

    /// The line that the core of a script for Run Scripts brings back, with the data that stand in it.
    pub fn brief(&self, script: &str) -> String {
        use base64::Engine as _;
        let block = |name: &str| {
            let (_, rest) = script.split_once(&format!("${name} = @'\r\n")).unwrap();
            rest.split_once("\r\n'@\r\n").unwrap().0.replace("\r\n", "\n")
        };
        let place = |name: &str| self.folder.path().join(name);
        std::fs::write(place("brief.cs"), block("core")).unwrap();
        std::fs::write(place("brief-entry.cs"), BRIEF_ENTRY).unwrap();
        let mut compiler = Command::new("mcs");
        compiler.args(["-langversion:5", "-warnaserror", "-out:brief.exe", "brief.cs", "brief-entry.cs"]);
        good(&compiler.current_dir(self.folder.path()).output().unwrap());
        let data = block("data").replace('\n', "");
        let data = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        let output = self.run(&["mono".as_ref(), place("brief.exe").as_path()], &data);
        good(&output).trim_end().to_owned()
    }

    /// The same, told as observations.
    pub fn told(&self, plan: &PlanDocument) -> Observations {
        let sent = Some(Timestamp::now());
        let bytes = self.script(plan);
        if let Some(file) = std::env::var_os("CMCOMPLY_TEST_SEEN") {
            std::fs::write(file, &bytes).unwrap();
        }
        let asked =
            script::Asked { kind: VantageKind::Winrm, sent, received: Timestamp::now(), checks: Checks::default() };
        script::answer(&bytes, plan, &asked).unwrap()
    }

    /// What our own probe sees of the plan.
    pub fn own(&self, plan: &PlanDocument) -> Observations {
        let file = self.folder.path().join("plan.json");
        std::fs::write(&file, plan.to_json().unwrap()).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_cmcomply"));
        let output = self.run(&[program, "probe".as_ref(), "--plan".as_ref(), &file], b"");
        let own = Observations::parse("own", &output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        // What one really sees shows what it says.
        assert_eq!(own.fits(plan), Ok(()));
        own
    }

    fn run(&self, words: &[&Path], stdin: &[u8]) -> Output {
        let place = |name: &str| self.folder.path().join(name);
        let root = good(&Command::new("id").arg("-u").output().unwrap()).trim() == "0";
        let unshare = if root { "-m" } else { "-rm" };
        let mut all: Vec<PathBuf> = self.before.iter().map(PathBuf::from).collect();
        all.extend(["unshare", unshare, "sh", "-c", INSIDE, "sh"].map(PathBuf::from));
        all.extend([place("hosts"), place("nsswitch.conf")]);
        all.extend(words.iter().map(|word| word.to_path_buf()));
        let mut child = Command::new(&all[0])
            .args(&all[1..])
            .env("XDG_CONFIG_HOME", place("config"))
            .env("SSL_CERT_FILE", place("ca.pem"))
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let _ = pipe.write_all(stdin); // a program that does not read it says why
        drop(pipe);
        child.wait_with_output().unwrap()
    }
}

/// The C# text inside the script.
pub fn core() -> String {
    let (_, rest) = script::text().split_once("$core = @'\n").unwrap();
    rest.split_once("\n'@\n").unwrap().0.to_owned()
}

/// A plan for whoever runs it.
pub fn plan(probes: Vec<Probe>, stage_timeout_ms: u64) -> PlanDocument {
    let bounds = PlanBounds { stage_timeout_ms, deadline_ms: 300_000, probes_at_once: 64, addresses: 8, retries: 1 };
    PlanDocument::new(None, bounds, probes)
}

/// The differences between two looks at one plan, stage by stage.
pub fn differences(ours: &Observations, theirs: &Observations) -> Vec<String> {
    let by_id = |all: &Observations| -> BTreeMap<String, serde_json::Value> {
        all.observations.iter().map(|one| (one.probe.0.clone(), essence(one))).collect()
    };
    let (ours, theirs) = (by_id(ours), by_id(theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    let different = ours.iter().filter(|(id, own)| theirs[*id] != **own);
    different.map(|(id, own)| format!("{id}\n  ours:   {own}\n  theirs: {}\n", theirs[id])).collect()
}

/// Everything of an observation that both must agree on: not times, words, and what depends on the TLS library.
fn essence(seen: &Observation) -> serde_json::Value {
    let mut value = serde_json::to_value(seen).unwrap();
    value.as_object_mut().unwrap().remove("started");
    for stage in ["name", "tcp", "connect", "tls", "trust", "http"] {
        let fields = value[stage].as_object_mut().unwrap();
        fields.remove("took_us");
        if let Some(failure) = fields.get_mut("failure") {
            *failure = failure["code"].clone();
        }
    }
    if let Some(evidence) = value["tls"].get_mut("evidence").and_then(|tls| tls.as_object_mut()) {
        // Mono speaks TLS 1.2 at most, and SslStream knows no application protocols.
        for key in ["version", "suite", "alpn"] {
            evidence.remove(key);
        }
    }
    if let Some(evidence) = value["trust"].get_mut("evidence").and_then(|trust| trust.as_object_mut()) {
        evidence.remove("roots");
    }
    // The script does not say which address it went on with.
    if let Some(tcp) = value["tcp"]["evidence"].as_object_mut() {
        tcp.remove("used");
    }
    for attempt in value["tcp"]["evidence"]["attempts"].as_array_mut().into_iter().flatten() {
        let fields = attempt.as_object_mut().unwrap();
        fields.remove("took_us");
        if let Some(failure) = fields.get_mut("failure") {
            *failure = failure["code"].clone();
        }
    }
    for earlier in value["earlier"].as_array_mut().into_iter().flatten() {
        earlier["failure"] = earlier["failure"]["code"].clone();
    }
    value
}

fn good(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{}{}", said[0], said[1]);
    said[0].clone().into_owned()
}
