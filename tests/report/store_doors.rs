//! What lies in a store that no cmcomply put there so: links and pipes in the place of its own files, a HEAD that was
//! taken away, a record without end.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cmcomply::evidence::store::StoreProblem;

use super::store::{Place, name, run_of_day, said};

/// A store with two runs, and a third record to add.
fn two() -> (Place, PathBuf) {
    let place = Place::new();
    place.add(&run_of_day(0), &["--store-formats=none"]);
    let newest = place.add(&run_of_day(1), &["--store-formats=none"]);
    std::fs::write(place.path("third.json"), run_of_day(2).to_json().unwrap()).unwrap();
    (place, newest)
}

/// Runs the program with a bound on its time and its memory.
fn bounded(place: &Place, arguments: &[&str]) -> Output {
    let script = "ulimit -v 4000000; exec timeout 120 \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_cmcomply")]).args(arguments).current_dir(place.0.path());
    command.stdin(Stdio::null()).output().unwrap()
}

const ADD: [&str; 4] = ["runs", "add", "third.json", "--store-formats=none"];

fn link(target: &str, at: &Path) {
    std::os::unix::fs::symlink(target, at).unwrap();
}

#[test]
fn a_head_that_is_no_file_is_a_finding_and_nobody_writes_through_it() {
    for what in ["link", "pipe", "folder"] {
        let (place, _) = two();
        let head = place.path("cmcomply-runs/HEAD");
        std::fs::rename(&head, place.path("victim")).unwrap();
        match what {
            "link" => link("../victim", &head),
            "pipe" => assert!(Command::new("mkfifo").arg(&head).status().unwrap().success()),
            _ => std::fs::create_dir(&head).unwrap(),
        }
        let before = std::fs::read(place.path("victim")).unwrap();
        let verified = bounded(&place, &["runs", "verify", "--format=csv"]);
        let text = said(&verified);
        assert!(verified.status.code() == Some(1) && text.contains("it is no regular file"), "{what}: {text}");
        let added = bounded(&place, &ADD);
        assert!(added.status.code() == Some(2) && said(&added).contains("no regular file"), "{what}: {}", said(&added));
        assert_eq!(std::fs::read(place.path("victim")).unwrap(), before, "{what}");
        let exported = bounded(&place, &["runs", "export", "--to=out"]);
        assert_eq!(exported.status.code(), Some(0), "{what}: {}", said(&exported));
        assert!(!place.path("out/HEAD").exists(), "{what}: what a link leads to is no part of the store");
    }
}

#[test]
fn a_lock_that_is_no_file_is_not_waited_for() {
    for what in ["link", "pipe"] {
        let (place, _) = two();
        let lock = place.path("cmcomply-runs/.lock");
        std::fs::remove_file(&lock).unwrap();
        match what {
            "link" => link("../made-elsewhere", &lock),
            _ => assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success()),
        }
        let added = bounded(&place, &ADD);
        assert!(added.status.code() == Some(2) && said(&added).contains("cannot lock"), "{what}: {}", said(&added));
        assert!(!place.path("made-elsewhere").exists());
        assert_eq!(place.verify(&[]), (0, vec![]), "{what}: who only reads needs no lock");
    }
}

#[test]
fn a_run_that_is_a_link_is_no_run() {
    let (place, newest) = two();
    let name = newest.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::rename(&newest, place.path("elsewhere")).unwrap();
    link("../elsewhere", &newest);
    let (code, mut findings) = place.verify(&[]);
    findings.sort();
    assert_eq!(
        (code, findings),
        (1, vec![(StoreProblem::RemovedRun, format!("{name}/")), (StoreProblem::ExtraFile, format!("/{name}"))])
    );
    // What a writer leaves is removed by the next one; what a link leads to is not.
    std::fs::remove_file(&newest).unwrap();
    link("../elsewhere", &place.path("cmcomply-runs/.part-1"));
    let added = bounded(&place, &ADD);
    assert_eq!(added.status.code(), Some(0), "{}", said(&added));
    assert!(place.path("elsewhere/run.json").exists());
}

#[test]
fn a_manifest_leads_nowhere_out_of_its_folder() {
    let (place, newest) = two();
    let sums = newest.join("SHA256SUMS");
    let whole = std::fs::read_to_string(&sums).unwrap();
    for way in ["../../third.json", "/etc/passwd", "..", ".hidden", "facts.json/../run.json"] {
        let line = format!("{}  {way}\n", "a".repeat(64));
        std::fs::write(&sums, format!("{line}{whole}")).unwrap();
        let (code, findings) = place.verify(&[]);
        assert!(
            code == 1 && findings.iter().any(|(problem, _)| *problem == StoreProblem::Damaged),
            "{way}: {findings:?}"
        );
    }
}

#[test]
fn the_next_run_says_that_head_was_taken_away() {
    for (how, doubt) in [("gone", "HEAD was missing"), ("emptied", "HEAD was damaged"), ("alone", "was not there")] {
        let (place, newest) = two();
        let head = place.path("cmcomply-runs/HEAD");
        match how {
            "gone" => std::fs::remove_file(&head).unwrap(),
            "emptied" => std::fs::write(&head, "").unwrap(),
            _ => std::fs::remove_dir_all(&newest).unwrap(),
        }
        let added = bounded(&place, &ADD);
        let text = said(&added);
        assert!(added.status.code() == Some(0) && text.contains(doubt), "{how}: {text}");
        // Whoever removed the run and left HEAD is found for good.
        let (code, findings) = place.verify(&[]);
        let expected = i32::from(how == "alone");
        assert_eq!((code, findings.len()), (expected, usize::from(how == "alone")), "{how}: {findings:?}");
    }
}

#[test]
fn a_record_of_a_gigabyte_is_refused_in_bounded_memory() {
    let (place, newest) = two();
    let record = std::fs::OpenOptions::new().write(true).open(newest.join("run.json")).unwrap();
    record.set_len(1 << 30).unwrap();
    for (arguments, code, says) in [
        (&["runs", "list"][..], 0, "larger than 256 MB"),
        (&["compare", "third.json", newest.join("run.json").to_str().unwrap()], 2, "larger than 256 MB"),
    ] {
        let done = bounded(&place, arguments);
        let text = said(&done).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(done.status.code() == Some(code) && text.contains(says), "{arguments:?}: {text}");
    }
}

#[test]
fn a_run_under_another_name_is_found() {
    let (place, folders) = Place::three();
    for other in ["20260101T000000Z-XYZ-00000000", &name(&folders[2]).replace("PS1", "PS2")] {
        let renamed = folders[2].with_file_name(other);
        std::fs::rename(&folders[2], &renamed).unwrap();
        // HEAD too names it so.
        let head = place.path("cmcomply-runs/HEAD");
        let named = std::fs::read_to_string(&head).unwrap();
        std::fs::write(&head, named.replace(&name(&folders[2]), other)).unwrap();
        let (code, findings) = place.verify(&[]);
        assert_eq!((code, findings.contains(&(StoreProblem::Damaged, format!("{other}/")))), (1, true), "{findings:?}");
        std::fs::write(&head, named).unwrap();
        std::fs::rename(&renamed, &folders[2]).unwrap();
    }
    assert_eq!(place.verify(&[]), (0, vec![]));
}
