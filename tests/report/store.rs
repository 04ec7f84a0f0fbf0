//! The store: the built binary keeps runs, lists, shows, verifies and exports them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cmcomply::assess::Verdict;
use cmcomply::evidence::store::{RunList, StoreProblem, Verification};
use cmcomply::evidence::{Run, compare};
use cmcomply::report::Format;

use super::sample;
use super::tools::{ask, find};

/// A folder with a store and the records of runs.
pub(crate) struct Place(pub(crate) tempfile::TempDir);

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.env_remove("CMCOMPLY_SIGN_PASSWORD").stdin(Stdio::null());
    command
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The sample, begun that many days later.
pub(crate) fn run_of_day(day: i64) -> Run {
    let mut run = sample::run();
    let later = jiff::SignedDuration::from_hours(24 * day);
    for moment in [&mut run.moments.started, &mut run.moments.facts_read, &mut run.moments.finished] {
        *moment += later;
    }
    run
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn runs(&self, arguments: &[&str]) -> Output {
        program().current_dir(self.0.path()).arg("runs").args(arguments).output().unwrap()
    }

    /// Keeps a run and returns its folder.
    pub(crate) fn add(&self, run: &Run, arguments: &[&str]) -> PathBuf {
        std::fs::write(self.path("add.json"), run.to_json().unwrap()).unwrap();
        let done = self.runs(&[&["add", "add.json"], arguments].concat());
        assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        let said = said(&done);
        let folder = said.lines().find_map(|line| line.trim().strip_prefix("kept: ")).unwrap();
        self.path(folder)
    }

    pub(crate) fn three() -> (Self, [PathBuf; 3]) {
        let place = Self::new();
        let folders = [0, 1, 2].map(|day| place.add(&run_of_day(day), &["--store-formats=none"]));
        (place, folders)
    }

    /// Exit code, problem and file of each finding.
    pub(crate) fn verify(&self, arguments: &[&str]) -> (i32, Vec<(StoreProblem, String)>) {
        let done = self.runs(&[&["verify", "--format=json"], arguments].concat());
        let verification: Verification =
            serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", said(&done)));
        let findings = verification.findings.into_iter().map(|found| {
            let run = found.run.map(|run| run.to_string()).unwrap_or_default();
            (found.problem, format!("{run}/{}", found.file.unwrap_or_default()))
        });
        (done.status.code().unwrap(), findings.collect())
    }
}

pub(crate) fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Writes the hashes of a folder anew, as somebody would who hides a change.
fn rewrite(folder: &Path) {
    let (good, sums) = ask(Command::new("sh")
        .args(["-c", "ls | grep -v SHA256SUMS | LC_ALL=C sort | xargs sha256sum > ../new && mv ../new SHA256SUMS"])
        .current_dir(folder));
    assert!(good, "{sums}");
}

#[test]
fn every_rendering_in_the_store_is_that_of_its_record() {
    let place = Place::new();
    let formats = Format::ALL.map(Format::name).join(",");
    let folder = place.add(&sample::run(), &["--store-formats", &formats]);
    let run = Run::read(&folder.join("run.json")).unwrap();
    assert_eq!(run, sample::run());
    for format in Format::ALL {
        assert!(std::fs::read(folder.join(format.file_name())).unwrap() == format.render(&run).unwrap(), "{format}");
    }
    let facts = cmcomply::site::Snapshot::read(&folder.join("facts.json")).unwrap();
    assert_eq!((facts.facts, facts.taken), (run.facts.clone(), run.moments.facts_read));
    let other = Place::new();
    let twin = other.add(&sample::run(), &["--store-formats", &formats]);
    assert_eq!(std::fs::read(folder.join("SHA256SUMS")).unwrap(), std::fs::read(twin.join("SHA256SUMS")).unwrap());
    assert_eq!(place.verify(&[]), (0, vec![]));
    let shown = place.runs(&["show", "latest", "--format=html"]);
    assert!(shown.stdout == Format::Html.render(&run).unwrap() && shown.status.success(), "{}", said(&shown));
}

#[test]
fn lists_say_what_is_there_in_every_format() {
    let (place, folders) = Place::three();
    std::fs::write(folders[1].join("run.json"), "{\"format\":\"cmcomply.run/2\"}").unwrap();
    let list: RunList = serde_json::from_slice(&place.runs(&["list", "--format=json"]).stdout).unwrap();
    assert_eq!(
        list.runs.iter().map(|run| run.run.to_string()).collect::<Vec<_>>(),
        folders.each_ref().map(|f| name(f))
    );
    assert!(list.runs[1].record.is_none() && list.runs[1].problem.as_ref().unwrap().contains("cmcomply.run/2"));
    let schema = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/runs.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&serde_json::to_value(&list).unwrap()));
    let csv = said(&place.runs(&["list", "--format=csv"]));
    assert!(csv.contains(",5,3,2,5,2026.11.22,no") && csv.contains("cannot be read"), "{csv}");
    let table = said(&place.runs(&["list", "--width=120"]));
    assert!(table.contains("5 pass, 3 fail, 2 waived, 5 not seen"), "{table}");
    for (arguments, reason) in [
        (&["list", "--store=none"][..], "cannot read store none"),
        (&["show", "2027"], "the store holds no run 2027"),
        (&["show", "2026"], "may be"),
        (&["verify", "--anchor=x"], "64 hexadecimal digits"),
        (&["verify", "--public-key=none.pub"], "none.pub is no public key"),
        (&["add", "add.json"], "already; nothing was changed"),
        (&["add", "none.json"], "cannot read run none.json"),
    ] {
        let done = place.runs(arguments);
        assert!(done.status.code() == Some(2) && said(&done).contains(reason), "{arguments:?}: {}", said(&done));
    }
}

#[test]
fn a_flipped_byte_is_found_in_every_file() {
    let place = Place::new();
    let pair = minisign::KeyPair::generate_encrypted_keypair(Some("right".to_owned())).unwrap();
    std::fs::write(place.path("a.key"), pair.sk.to_box(None).unwrap().to_bytes()).unwrap();
    std::fs::write(place.path("password"), "right\n").unwrap();
    let formats = format!("--store-formats={}", Format::ALL.map(Format::name).join(","));
    let arguments = [&formats, "--sign-key=a.key", "--sign-password-file=password"];
    let folders = [0, 1, 2].map(|day| place.add(&run_of_day(day), &arguments));
    assert_eq!(place.verify(&[]), (0, vec![]));
    let of_the_run = std::fs::read_dir(&folders[1]).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = of_the_run.chain([place.path("cmcomply-runs/HEAD")]).collect();
    files.sort();
    // The record, the facts, PREVIOUS, SHA256SUMS and its signature, all renderings but JSON, and HEAD.
    assert_eq!(files.len(), 5 + Format::ALL.len() - 1 + 1, "{files:?}");
    for path in files {
        let whole = std::fs::read(&path).unwrap();
        // The newest run is what HEAD names.
        let named = if path.ends_with("HEAD") { &folders[2] } else { &folders[1] };
        for at in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            let (code, findings) = place.verify(&[]);
            assert_eq!(code, 1, "{} {at}", path.display());
            let ways = [format!("{}/", name(named)), "/HEAD".to_owned()];
            // A name in HEAD may have become that of no run.
            let said = |(problem, of): &(StoreProblem, String)| {
                ways.iter().any(|way| of.starts_with(way)) || *problem == StoreProblem::RemovedRun
            };
            assert!(findings.iter().any(said), "{}: {findings:?}", path.display());
        }
        std::fs::write(&path, whole).unwrap();
    }
    assert_eq!(place.verify(&[]), (0, vec![]));
}

#[test]
fn files_that_are_missing_or_too_many_are_named() {
    let (place, folders) = Place::three();
    std::fs::remove_file(folders[0].join("facts.json")).unwrap();
    std::fs::write(folders[1].join("more.txt"), "x").unwrap();
    std::fs::write(place.path("cmcomply-runs/notes.txt"), "x").unwrap();
    let first = format!("{}/facts.json", name(&folders[0]));
    let second = format!("{}/more.txt", name(&folders[1]));
    let (code, mut findings) = place.verify(&[]);
    findings.sort_by_key(|(_, of)| of.clone());
    let expected = [
        (StoreProblem::ExtraFile, "/notes.txt".to_owned()),
        (StoreProblem::MissingFile, first),
        (StoreProblem::ExtraFile, second),
    ];
    assert_eq!((code, findings.as_slice()), (1, expected.as_slice()));
}

#[test]
fn a_removed_run_is_found_whichever_it_is() {
    for gone in 0..3 {
        let (place, folders) = Place::three();
        std::fs::remove_dir_all(&folders[gone]).unwrap();
        let (code, findings) = place.verify(&[]);
        assert_eq!((code, findings), (1, vec![(StoreProblem::RemovedRun, format!("{}/", name(&folders[gone])))]));
    }
}

#[test]
fn the_latest_run_is_not_an_older_one_without_a_word() {
    let (place, folders) = Place::three();
    std::fs::remove_dir_all(&folders[2]).unwrap();
    let shown = place.runs(&["show", "latest", "--format=json"]);
    assert_eq!(shown.stdout, std::fs::read(folders[1].join("run.json")).unwrap());
    let warned = String::from_utf8_lossy(&shown.stderr);
    assert!(warned.contains("removed run") && warned.contains(&name(&folders[2])), "{warned}");
}

#[test]
fn a_rewritten_manifest_is_found_whichever_it_is() {
    for changed in 0..3 {
        let (place, folders) = Place::three();
        let mut edited = Run::read(&folders[changed].join("run.json")).unwrap();
        edited.tool.version = "0.1.1".to_owned();
        std::fs::write(folders[changed].join("run.json"), edited.to_json().unwrap()).unwrap();
        rewrite(&folders[changed]);
        let (code, findings) = place.verify(&[]);
        let manifest = format!("{}/SHA256SUMS", name(&folders[changed]));
        assert_eq!((code, findings), (1, vec![(StoreProblem::RewrittenManifest, manifest)]));
    }
}

#[test]
fn what_was_noted_elsewhere_finds_what_the_store_cannot_show() {
    let (place, folders) = Place::three();
    let noted = cmcomply::text::hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(
        std::fs::read(folders[2].join("SHA256SUMS")).unwrap(),
    ));
    assert_eq!(place.verify(&["--anchor", &noted]), (0, vec![]));
    // Whoever removes the newest run and HEAD with it, and all else, leaves a store that looks whole.
    std::fs::remove_dir_all(&folders[2]).unwrap();
    std::fs::remove_dir_all(&folders[1]).unwrap();
    std::fs::remove_file(place.path("cmcomply-runs/HEAD")).unwrap();
    assert_eq!(place.verify(&[]), (0, vec![]));
    assert_eq!(place.verify(&["--anchor", &noted]), (1, vec![(StoreProblem::LostAnchor, "/".to_owned())]));
}

#[test]
fn a_store_without_runs_is_nothing_to_rely_on() {
    let place = Place::new();
    std::fs::create_dir(place.path("cmcomply-runs")).unwrap();
    assert_eq!(place.verify(&[]), (3, vec![]));
}

#[test]
fn debian_checks_the_hashes_and_the_chain() {
    let (_place, folders) = Place::three();
    for (folder, files) in [(&folders[0], &["SHA256SUMS"][..]), (&folders[2], &["SHA256SUMS", "PREVIOUS"])] {
        let Some(program) = find(&["sha256sum"], &["--version"], "sha256sum") else { return };
        let (good, said) = ask(Command::new(program).args(["--strict", "-c"]).args(files).current_dir(folder));
        assert!(good, "{said}");
    }
}

#[test]
fn debian_accepts_our_signature_and_we_theirs() {
    let Some(minisign) = find(&["minisign"], &["-v"], "minisign (Debian: minisign)") else { return };
    let place = Place::new();
    let minisign = |arguments: &[&str]| ask(Command::new(&minisign).args(arguments).current_dir(place.0.path()));
    for name in ["ours", "other"] {
        let made = minisign(&["-G", "-W", "-p", &format!("{name}.pub"), "-s", &format!("{name}.key")]);
        assert!(made.0, "{}", made.1);
    }
    let signed = ["--store-formats=none", "--sign-key=ours.key"];
    let folders = [0, 1].map(|day| place.add(&run_of_day(day), &signed));
    let sums = folders[0].join("SHA256SUMS").to_str().unwrap().to_owned();
    let (good, said_of_it) = minisign(&["-V", "-p", "ours.pub", "-m", &sums]);
    assert!(good && said_of_it.contains(&format!("cmcomply run {}, previous none", name(&folders[0]))), "{said_of_it}");
    assert!(!minisign(&["-V", "-p", "other.pub", "-m", &sums]).0);
    let key = "--public-key=ours.pub";
    assert_eq!(place.verify(&[key]), (0, vec![]));
    let (code, findings) = place.verify(&["--public-key=other.pub"]);
    assert!(
        code == 1 && findings.len() == 2 && findings.iter().all(|(p, _)| *p == StoreProblem::BadSignature),
        "{findings:?}"
    );

    // Theirs in the place of ours: the signature is good, and the chain says that it is another one.
    let made = minisign(&["-S", "-s", "ours.key", "-m", &sums, "-t", "again"]);
    assert!(made.0, "{}", made.1);
    let signature = format!("{}/SHA256SUMS.minisig", name(&folders[0]));
    assert_eq!(place.verify(&[key]), (1, vec![(StoreProblem::ReSigned, signature.clone())]));
    let made = minisign(&["-S", "-s", "other.key", "-m", &sums]);
    assert!(made.0, "{}", made.1);
    let (_, findings) = place.verify(&[key]);
    assert!(findings.contains(&(StoreProblem::BadSignature, signature.clone())), "{findings:?}");
    std::fs::remove_file(folders[0].join("SHA256SUMS.minisig")).unwrap();
    let (_, findings) = place.verify(&[key]);
    assert_eq!(findings, [(StoreProblem::ReSigned, signature.clone()), (StoreProblem::Unsigned, signature)]);

    // A run that they signed afterwards.
    let unsigned = Place::new();
    let folder = unsigned.add(&sample::run(), &["--store-formats=none"]);
    let sums = folder.join("SHA256SUMS").to_str().unwrap().to_owned();
    assert!(minisign(&["-S", "-s", "ours.key", "-m", &sums]).0);
    std::fs::copy(place.path("ours.pub"), unsigned.path("ours.pub")).unwrap();
    assert_eq!(unsigned.verify(&[key]), (0, vec![]));
}

#[test]
fn keys_that_cannot_sign_are_refused_before_the_work() {
    let place = Place::new();
    std::fs::write(place.path("add.json"), sample::run().to_json().unwrap()).unwrap();
    std::fs::create_dir(place.path("cmcomply-runs")).unwrap();
    std::fs::write(place.path("cmcomply-runs/inside.key"), "x").unwrap();
    std::fs::write(place.path("none.key"), "no\nkey\n").unwrap();
    for (key, reason) in [
        ("gone.key", "gone.key is no secret key"),
        ("cmcomply-runs/inside.key", "lies in the store"),
        ("none.key", "no password for key none.key: set CMCOMPLY_SIGN_PASSWORD, or give --sign-password-file"),
    ] {
        let done = place.runs(&["add", "add.json", "--sign-key", key]);
        assert!(done.status.code() == Some(2) && said(&done).contains(reason), "{key}: {}", said(&done));
    }
    std::fs::remove_file(place.path("cmcomply-runs/inside.key")).unwrap();
    assert_eq!(place.verify(&[]), (3, vec![]));
}

#[cfg(unix)]
#[test]
fn a_key_that_never_ends_is_no_key() {
    let place = Place::new();
    std::fs::write(place.path("add.json"), run_of_day(0).to_json().unwrap()).unwrap();
    // Whoever reads on runs out of memory, and soon.
    let script = "ulimit -v 2000000; exec timeout 120 \"$0\" runs add add.json --sign-key /dev/zero";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_cmcomply")]).current_dir(place.0.path()).stdin(Stdio::null());
    let done = command.output().unwrap();
    assert!(done.status.code() == Some(2) && said(&done).contains("it has not the form of one"), "{}", said(&done));
}

#[test]
fn a_key_under_a_password_signs_with_it_alone() {
    let place = Place::new();
    let pair = minisign::KeyPair::generate_encrypted_keypair(Some("right".to_owned())).unwrap();
    std::fs::write(place.path("a.key"), pair.sk.to_box(None).unwrap().to_bytes()).unwrap();
    std::fs::write(place.path("a.pub"), pair.pk.to_box().unwrap().to_bytes()).unwrap();
    std::fs::write(place.path("wrong"), "wrong\n").unwrap();
    std::fs::write(place.path("right"), "right\n").unwrap();
    std::fs::write(place.path("add.json"), sample::run().to_json().unwrap()).unwrap();
    let done = place.runs(&["add", "add.json", "--sign-key=a.key", "--sign-password-file=wrong"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("Wrong password"), "{}", said(&done));
    place.add(&sample::run(), &["--sign-key=a.key", "--sign-password-file=right", "--store-formats=none"]);
    assert_eq!(place.verify(&["--public-key=a.pub"]), (0, vec![]));
}

#[test]
fn an_export_is_a_store_again() {
    let (place, folders) = Place::three();
    let done = place.runs(&["export", "--to=out"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(place.verify(&["--store=out"]), (0, vec![]));
    assert_eq!(place.runs(&["export", "--to=out"]).status.code(), Some(2), "nothing is overwritten");
    let done = place.runs(&["export", &name(&folders[2]), "--to=one"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let missing = format!("{}/", name(&folders[1]));
    assert_eq!(place.verify(&["--store=one"]), (1, vec![(StoreProblem::RemovedRun, missing)]), "it says what it lacks");
    std::fs::write(folders[0].join("run.json"), "{}").unwrap();
    let done = place.runs(&["export", "--to=broken", "--redact"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("nothing is exported"), "{}", said(&done));
    assert!(!place.path("broken").exists());
}

#[test]
fn what_others_said_survives_redaction_nowhere() {
    use cmcomply::evidence::Redaction;
    use cmcomply::probe::ConnectEvidence;
    use cmcomply::vantage::HostFact;

    const PAGE: &str = "a page titled \"Fabrik Gateway\" answered";
    const SSH: &str = "ssh: banner of the vault: go away";
    let mut run = sample::run();
    let [_, read, lost] = run.vantages.as_mut_slice() else { panic!("three") };
    SSH.clone_into(&mut lost.unreached.as_mut().unwrap().detail);
    read.facts = Some(
        [
            ("roots.root".to_owned(), HostFact::Unreadable { why: "denied for kiosk7".to_owned() }),
            ("os.build".to_owned(), HostFact::Known { values: vec!["20348".to_owned()] }),
            ("odbc.driver18.version".to_owned(), HostFact::Absent),
        ]
        .into(),
    );
    let failed = run.observations.iter().position(|seen| seen.tls.failure.is_some()).unwrap();
    PAGE.clone_into(&mut run.observations[failed].tls.failure.as_mut().unwrap().detail);
    let (status, headers, account, scheme) = (Some(200), Vec::new(), None, None);
    let product = Some("\"1.1 zephyr7 (Wonderproxy)\"".to_owned());
    run.observations[failed].connect.evidence = Some(ConnectEvidence { status, headers, product, account, scheme });
    let caused = run.judgements.iter_mut().find(|judgement| judgement.cause.is_some()).unwrap();
    caused.notes = vec![format!("the name has two addresses, {PAGE}"), format!("not seen from there: {SSH}")];
    let cause = caused.cause.as_mut().unwrap();
    cause.text = format!("the proxy p.contoso.com:8080 (\"1.1 zephyr7 (Wonderproxy)\") refused: {PAGE}");
    let json = String::from_utf8(Redaction::new(&[7; 32]).run(&run).unwrap().to_json().unwrap()).unwrap();
    for word in ["Fabrik", "Gateway\\\" answered", "vault", "go away", "kiosk7", "zephyr7", "Wonderproxy"] {
        assert!(!json.contains(word), "{word}");
    }
    for word in ["\"why\": \"sign_in\"", "\"state\": \"unreadable\"", "the name has two addresses, ", ") refused: "] {
        assert!(json.contains(word), "{word}");
    }
}

/// Facts hold words that stand in other places of a run as well, and addresses that others have too.
#[test]
fn facts_of_a_host_neither_break_redaction_nor_show() {
    use cmcomply::derive::Via;
    use cmcomply::evidence::Redaction;
    use cmcomply::vantage::HostFact;

    let mut run = sample::run();
    let reached = run.observations.iter().position(cmcomply::probe::Observation::reached).unwrap();
    let attempt = &mut run.observations[reached].tcp.evidence.as_mut().unwrap().attempts[0];
    attempt.address = "10.9.9.9:8080".parse().unwrap();
    run.observations[reached].name.evidence.as_mut().unwrap().addresses = vec!["10.9.9.9".parse().unwrap()];
    let proxy = run.requirements.iter_mut().find(|one| one.route.via == Via::Direct).unwrap();
    proxy.route.detail = "direct: the WinHTTP proxy settings of cm01 name no proxy".to_owned();
    let known = |values: &[&str]| HostFact::Known { values: values.iter().map(|&value| value.to_owned()).collect() };
    run.vantages[1].facts = Some(
        [
            ("proxy.winhttp", known(&["direct"])),
            ("proxy.wininet.system.ways", known(&["direct", "proxy", "script", "auto_detect"])),
            ("proxy.wininet.system.server", known(&["10.9.9.9:8080", "10.9.9.9"])),
            ("proxy.wininet.user.server", known(&["px.corp.contoso.com:8080"])),
            ("os.build", known(&["20348", "4.8.4515.0"])),
            ("schannel.mode", known(&["unknown"])),
            ("account.name", known(&["CONTOSO\\secretadmin"])),
            ("os.words", known(&["kind"])),
        ]
        .map(|(name, fact)| (name.to_owned(), fact))
        .into(),
    );
    let redacted = Redaction::new(&[7; 32]).run(&run).unwrap();
    let facts = redacted.vantages[1].facts.as_ref().unwrap();
    for (name, stays) in [
        ("proxy.winhttp", true),
        ("proxy.wininet.system.ways", true),
        ("os.build", true),
        ("proxy.wininet.system.server", false),
        ("account.name", false),
    ] {
        assert_eq!(facts[name] == run.vantages[1].facts.as_ref().unwrap()[name], stays, "{name}: {:?}", facts[name]);
    }
    let json = String::from_utf8(redacted.to_json().unwrap()).unwrap();
    for word in ["10.9.9.9", "secretadmin", "px.corp"] {
        assert!(!json.contains(word), "{word}");
    }
    assert!(json.contains("\"via\": \"direct\"") && json.contains(":8080\""), "{json}");
}

#[test]
fn redacted_runs_name_nobody_and_stay_comparable() {
    let place = Place::new();
    let mut later = run_of_day(90);
    let fixed = later.judgements.iter().position(|judgement| judgement.verdict == Verdict::NotObserved).unwrap();
    later.judgements.remove(fixed);
    later.requirements.remove(fixed);
    later.outcome.tally = cmcomply::evidence::Tally::of(&later.judgements);
    later.outcome.incomplete[0] = "3 required endpoints not observed".to_owned();
    let runs = [sample::run(), later];
    let formats = Format::ALL.map(Format::name).join(",");
    for run in &runs {
        place.add(run, &["--store-formats", &formats]);
    }
    let done = place.runs(&["export", "--to=out", "--redact"]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert_eq!(place.verify(&["--store=out"]), (0, vec![]));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(place.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let redacted = folders.iter().map(|folder| Run::read(&folder.join("run.json")).unwrap()).collect::<Vec<_>>();
    for (folder, run) in folders.iter().zip(&redacted) {
        assert!(run.redacted);
        for format in Format::ALL {
            let bytes = std::fs::read(folder.join(format.file_name())).unwrap();
            assert!(bytes == format.render(run).unwrap(), "{format}");
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for word in [
                "contoso",
                "cm01",
                "cm02",
                "audit01",
                "sql01",
                "ps1",
                "server team",
                "security office",
                "chg-42",
                "a share",
            ] {
                assert!(format == Format::Xlsx || !text.contains(word), "{format}: {word}");
            }
        }
    }
    let classes = |old: &Run, new: &Run| {
        let mut classes: Vec<_> = compare(old, new).rows.into_iter().map(|row| (row.class, row.grade)).collect();
        classes.sort();
        classes
    };
    assert_eq!(classes(&redacted[0], &redacted[1]), classes(&runs[0], &runs[1]));
    assert_eq!(redacted[0].outcome.tally, runs[0].outcome.tally);
}
