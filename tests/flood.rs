//! A server that never stops: rows, columns, sets, messages, one text, or noise. The program takes its share, says what
//! happened, and its memory stays small. (That of silence, delay and cut connections: `tests/site/breaking.rs`.)
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lab::site_database::{Fault, Flood, Options, SiteDatabase};

const FLOODS: [Flood; 6] = [Flood::Rows, Flood::WideRows, Flood::Sets, Flood::Text, Flood::Messages, Flood::Noise];

/// More than this the program never has in memory, in megabytes: an answer of 128 MB at most, and what is read of it.
const MEMORY: u64 = 700;

/// Exit code, standard error, and the most memory that the program had.
async fn snapshot(containing: &str, what: Flood) -> (i32, String, u64, serde_json::Value) {
    let faults = vec![Fault::Flood { containing: containing.to_owned(), what }];
    let database = SiteDatabase::start(Options { faults, ..Options::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), database.ca_pem()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.args(["snapshot", &format!("--sql=localhost,{}", database.address().port()), "--sql-user=cmcomply"]);
    command.args(["--sql-ca-file=ca.pem", "--database=CM_CAS", "--sql-query-timeout=30"]);
    command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
    let begun = Instant::now();
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut most = 0;
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_mins(5), "it does not end");
            most = most.max(megabytes(child.id()).unwrap_or(0));
            std::thread::sleep(Duration::from_millis(20));
        }
        let done = child.wait_with_output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap(), most)
    });
    let (code, errors, most) = run.await.unwrap();
    let written = std::fs::read(folder.path().join("site.json")).unwrap_or_default();
    (code, errors, most, serde_json::from_slice(&written).unwrap_or_default())
}

/// The most memory that a process has had so far.
fn megabytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_first_answer_ends_the_program_with_a_reason() {
    for what in FLOODS {
        let (code, errors, most, written) = snapshot("fact_objects", what).await;
        assert!(written.is_null(), "{what:?}: a file was written");
        assert_eq!(code, 4, "{what:?}: {errors}");
        assert!(errors.starts_with("cmcomply: the site database could not be read: "), "{what:?}: {errors}");
        assert!(errors.contains(" localhost"), "{what:?}: {errors}");
        assert!(!errors.contains("panicked") && errors.lines().count() == 1, "{what:?}: {errors}");
        assert!(most > 0 && most < MEMORY, "{what:?}: {most} MB");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_fact_costs_that_fact_and_no_memory() {
    for what in [Flood::Rows, Flood::WideRows, Flood::Noise] {
        let (code, errors, most, written) = snapshot("fact_sites", what).await;
        let sites = &written["facts"]["sites"];
        assert_eq!(sites["state"], "unknown", "{what:?}: {sites}");
        assert!(sites["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{what:?}: {sites}");
        assert_eq!(code, 0, "{what:?}: {errors}");
        assert!(!errors.contains("panicked"), "{what:?}: {errors}");
        assert!(most > 0 && most < MEMORY, "{what:?}: {most} MB");
    }
}
