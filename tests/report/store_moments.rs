//! Writers that are stopped at every system call that changes a store, and readers that look while somebody writes.

use std::process::{Command, Stdio};

use super::store::{Place, program, run_of_day, said};
use super::tools::skipped;

/// What changes a store.
#[cfg(target_os = "linux")]
const CALLS: [&str; 5] = ["mkdir", "write", "fsync", "rename", "rmdir,unlink,unlinkat"];

/// Adds a record and kills the program as it makes that call for the so-many-th time. Whether it got to its end.
#[cfg(target_os = "linux")]
fn killed_at(place: &Place, call: &str, time: usize) -> std::io::Result<bool> {
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
    command.arg("-e").arg(format!("inject={call}:signal=KILL:when={time}"));
    command.arg(env!("CARGO_BIN_EXE_cmcomply")).args(["runs", "add", "next.json", "--store-formats=markdown"]);
    let done = command.current_dir(place.0.path()).stdin(Stdio::null()).output()?;
    Ok(done.status.success())
}

#[cfg(target_os = "linux")]
#[test]
fn a_writer_that_is_killed_at_any_system_call_leaves_a_store_that_verifies() {
    let trial = Place::new();
    std::fs::write(trial.path("next.json"), run_of_day(0).to_json().unwrap()).unwrap();
    match (killed_at(&trial, "mkdir", 1), killed_at(&trial, "rename", 1000)) {
        (Ok(false), Ok(true)) => {}
        other => return skipped(&format!("strace does not work here, so nobody was stopped in a call: {other:?}")),
    }
    // A store that is new, and one with a run; each is stopped at the same place twice.
    for begun in [0, 1] {
        for call in CALLS {
            let mut stopped = 0;
            for time in 1.. {
                let place = Place::new();
                if begun > 0 {
                    place.add(&run_of_day(0), &["--store-formats=none"]);
                }
                let mut ended = true;
                for day in [1, 2] {
                    std::fs::write(place.path("next.json"), run_of_day(day).to_json().unwrap()).unwrap();
                    ended = killed_at(&place, call, time).unwrap();
                    if !place.path("cmcomply-runs").exists() {
                        continue;
                    }
                    let (code, findings) = place.verify(&[]);
                    let empty = std::fs::read_dir(place.path("cmcomply-runs"))
                        .unwrap()
                        .all(|entry| entry.unwrap().file_name().to_str().is_some_and(|name| name.starts_with('.')));
                    let sound = if empty { 3 } else { 0 };
                    assert_eq!((code, findings), (sound, vec![]), "{call} {time}, run {day} on {begun}");
                }
                if ended {
                    break;
                }
                stopped += 1;
                place.add(&run_of_day(3), &["--store-formats=none"]);
                assert_eq!(place.verify(&[]), (0, vec![]), "{call} {time} on {begun}, and one after it");
                let left = std::fs::read_dir(place.path("cmcomply-runs")).unwrap();
                let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
                let left: Vec<String> = left.filter(|name| name.contains("part")).collect();
                assert!(left.is_empty(), "{call} {time}: the next writer cleans: {left:?}");
            }
            assert!(stopped > 0, "{call}: nobody was stopped");
        }
    }
}

#[test]
fn who_looks_while_others_write_finds_nothing_amiss() {
    let place = Place::new();
    place.add(&run_of_day(0), &["--store-formats=none"]);
    let records: Vec<String> = (1..40).map(|day| format!("{day}.json")).collect();
    for (day, record) in (1..).zip(&records) {
        std::fs::write(place.path(record), run_of_day(day).to_json().unwrap()).unwrap();
    }
    let mut command = program();
    command.current_dir(place.0.path()).args(["runs", "add", "--store-formats=none"]).args(&records);
    let mut writer = command.stdout(Stdio::null()).spawn().unwrap();
    let mut looked = 0;
    loop {
        let ended = writer.try_wait().unwrap();
        assert_eq!(place.verify(&[]), (0, vec![]), "look {looked}");
        looked += 1;
        if let Some(status) = ended {
            assert!(status.success());
            break;
        }
    }
    let listed = place.runs(&["list", "--format=csv"]);
    assert_eq!(said(&listed).lines().count(), 41, "a line for the columns and one for each run");
}
