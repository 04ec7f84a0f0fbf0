//! What can go wrong while a run is written: a writer that is killed, two at once, no room, no right.

use std::process::Command;
use std::time::Duration;

use cmcomply::report::Format;

use super::store::{Place, program, run_of_day, said};
use super::tools::skipped;

#[test]
fn a_writer_that_is_killed_at_any_moment_leaves_a_store_that_verifies() {
    let place = Place::new();
    place.add(&run_of_day(0), &["--store-formats=none"]);
    let formats = Format::ALL.map(Format::name).join(",");
    let (mut killed, mut kept) = (0, 1);
    // Until a writer is fast enough: each gets a little more time than the one before.
    for round in 0..400 {
        std::fs::write(place.path("add.json"), run_of_day(1 + round).to_json().unwrap()).unwrap();
        let mut command = program();
        command.current_dir(place.0.path()).args(["runs", "add", "add.json", "--store-formats", &formats]);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(2 * u64::try_from(round).unwrap()));
        let _ = child.kill();
        let ended = child.wait().unwrap();
        let before = kept;
        kept = runs(&place);
        assert!(kept == before || kept == before + 1);
        let (code, findings) = place.verify(&[]);
        assert_eq!((code, findings.as_slice()), (0, &[][..]), "round {round}");
        killed += usize::from(!ended.success());
        if ended.success() && kept > before {
            break;
        }
    }
    assert!(killed > 3, "{killed}");
    place.add(&run_of_day(1000), &["--store-formats=none"]);
    assert_eq!((runs(&place), place.verify(&[])), (kept + 1, (0, vec![])));
    let left = std::fs::read_dir(place.path("cmcomply-runs")).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".part")).count();
    assert_eq!(left, 0, "the next writer cleans");
}

fn runs(place: &Place) -> usize {
    let entries = std::fs::read_dir(place.path("cmcomply-runs")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("20")).count()
}

#[test]
fn writers_at_once_make_one_chain() {
    let place = Place::new();
    let children: Vec<_> = (0..8)
        .map(|day| {
            let record = format!("{day}.json");
            std::fs::write(place.path(&record), run_of_day(day).to_json().unwrap()).unwrap();
            let mut command = program();
            command.current_dir(place.0.path()).args(["runs", "add", &record, "--store-formats=markdown"]);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!((runs(&place), place.verify(&[])), (8, (0, vec![])));
}

/// Runs a script of the shell in a mount namespace of its own; `None`, said loudly, where that is not allowed.
pub(crate) fn apart(place: &Place, script: &str) -> Option<String> {
    let apart = ["--mount", "sh", "-c"];
    if !Command::new("unshare").args(apart).arg("mount -t tmpfs none /mnt").output().is_ok_and(|o| o.status.success()) {
        skipped("not root on Linux, so no small disk was filled and none was read-only");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(apart).arg(script).current_dir(place.0.path()).env("CMCOMPLY", env!("CARGO_BIN_EXE_cmcomply"));
    Some(said(&command.output().unwrap()))
}

#[test]
fn a_full_disk_and_a_disk_that_may_not_be_written_to_change_nothing() {
    let place = Place::new();
    std::fs::write(place.path("a.json"), run_of_day(0).to_json().unwrap()).unwrap();
    std::fs::write(place.path("b.json"), run_of_day(1).to_json().unwrap()).unwrap();
    let script = "set -e; mkdir disk; mount -t tmpfs -o size=400k none disk
        $CMCOMPLY runs add a.json --store disk/runs --store-formats none > /dev/null
        before=$(ls -A disk/runs | sort)
        dd if=/dev/zero of=disk/rest bs=1k 2> /dev/null || truncate -s -40k disk/rest
        code=0; $CMCOMPLY runs add b.json --store disk/runs --store-formats html || code=$?; echo code $code
        test \"$before\" = \"$(ls -A disk/runs | sort)\" && echo unchanged
        $CMCOMPLY runs verify --store disk/runs > /dev/null && echo sound
        mount -o remount,ro disk
        code=0; $CMCOMPLY runs add b.json --store disk/runs || code=$?; echo code $code
        code=0; $CMCOMPLY audit --sql localhost,1 --sql-user x --store disk/new || code=$?; echo code $code
        $CMCOMPLY runs verify --store disk/runs > /dev/null && echo sound";
    let Some(said) = apart(&place, script) else { return };
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.iter().any(|line| line.contains("No space left on device")), "{said}");
    assert_eq!(lines.iter().filter(|line| line.contains("Read-only file system")).count(), 2, "{said}");
    let codes: Vec<&&str> = lines.iter().filter(|line| line.starts_with("code ")).collect();
    assert_eq!(codes, [&"code 2"; 3], "{said}");
    assert!(said.contains("unchanged") && said.matches("sound").count() == 2, "{said}");
}

/// Puts what is no regular file in the place of the newest record, and asks everything that reads it.
#[cfg(unix)]
fn nothing_waits_for(put: impl Fn(&std::path::Path)) {
    let place = Place::new();
    place.add(&run_of_day(0), &["--store-formats=none"]);
    let record = place.add(&run_of_day(1), &["--store-formats=none"]).join("run.json");
    std::fs::rename(&record, place.path("elsewhere.json")).unwrap();
    put(&record);
    for (arguments, code, says) in [
        (&["runs", "verify"][..], 1, "changed file"),
        (&["runs", "list"], 0, "it is no regular file"),
        (&["runs", "show", "latest"], 2, "it is no regular file"),
        (&["runs", "export", "--to=out", "--redact"], 2, "it is no regular file"),
        (&["report", "--quarter=2026Q4"], 0, "it is no regular file"),
    ] {
        let mut command = Command::new("timeout");
        command.arg("120").arg(env!("CARGO_BIN_EXE_cmcomply")).args(arguments).current_dir(place.0.path());
        let done = command.stdin(std::process::Stdio::null()).output().unwrap();
        let said = said(&done).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(done.status.code() == Some(code) && said.contains(says), "{arguments:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_record_is_not_waited_for() {
    nothing_waits_for(|record| assert!(Command::new("mkfifo").arg(record).status().unwrap().success()));
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_record_is_not_followed() {
    nothing_waits_for(|record| std::os::unix::fs::symlink("../../elsewhere.json", record).unwrap());
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_listed_is_a_finding() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    let folder = place.add(&run_of_day(0), &["--store-formats=none"]);
    let allow = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o311);
    // Root may list everything, unless it gives the right away.
    let ways: [&[&str]; 2] = [&["env"], &["setpriv", "--bounding-set=-dac_override,-dac_read_search"]];
    let refused = |way: &&&[&str]| {
        let listed = Command::new(way[0]).args(&way[1..]).arg("ls").arg(&folder).output();
        listed.is_ok_and(|listed| said(&listed).contains("Permission denied"))
    };
    let way = ways.iter().find(refused);
    let verified = way.map(|way| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).arg(env!("CARGO_BIN_EXE_cmcomply")).args(["runs", "verify"]);
        command.current_dir(place.0.path()).output().unwrap()
    });
    allow(0o755);
    let Some(verified) = verified else { return skipped("nothing here takes the right to list a folder away") };
    let text = said(&verified).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(verified.status.code() == Some(1) && text.contains("its files cannot be listed"), "{text}");
}
