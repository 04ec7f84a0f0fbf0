//! Waivers, with the built binary: a verdict changes, what was observed does not.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output, Stdio};

use jiff::{Timestamp, ToSpan};
use lab::internet::{Internet, Spec};
use lab::site_database::{Options, SiteDatabase};
use serde_json::Value;

/// An audit of the Contoso lab with this file of waivers: how it ended, and the run's record.
async fn audit(waivers: &str) -> (Output, Option<Value>) {
    let database = SiteDatabase::start(Options::default()).await;
    let internet = Internet::start(Spec::contoso()).await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("sql-ca.pem", database.ca_pem()), ("ca.pem", &internet.ca_pem()), ("waivers.toml", waivers)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.current_dir(folder.path()).stdin(Stdio::null());
    command.args([
        "audit",
        "--output=run.json",
        &format!("--sql=localhost,{}", database.address().port()),
        "--sql-ca-file=sql-ca.pem",
    ]);
    command.arg(format!("--sql-user={}", Options::default().user));
    command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
    command.args([
        "--from-here",
        "--stage-timeout=2",
        "--public-ca-file=ca.pem",
        "--waivers=waivers.toml",
        "--width=160",
    ]);
    command.arg(format!("--dns-server={}", internet.dns()));
    command.args(internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let run = std::fs::read(folder.path().join("run.json")).ok();
    (done, run.map(|bytes| serde_json::from_slice(&bytes).unwrap()))
}

/// A waiver for all, from today on.
fn everything() -> String {
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    format!(
        "[[waiver]]\nid = 'W-1'\nrequirement = '*'\nhost = '*'\ncategory = 'waiver'\nreason = 'the new proxy comes'\n\
         owner = 'network team'\napproved_by = 'security officer'\napproved_on = {today}\nticket = 'CHG-1'\n\
         valid_through = {}\n",
        today + 30.days()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_changes_the_verdict_and_not_what_was_seen() {
    let (done, run) = audit(&everything()).await;
    let (table, run) = (String::from_utf8(done.stdout).unwrap(), run.unwrap());
    assert_eq!(done.status.code(), Some(3), "nothing fails, and something is undecided: {table}");
    assert!(table.contains("the new proxy comes") && table.contains("(waived by W-1)"), "{table}");
    assert_eq!(run["outcome"]["tally"]["required"]["fail"], Value::Null);
    let judgements = run["judgements"].as_array().unwrap();
    let waived: Vec<&Value> = judgements.iter().filter(|judgement| judgement["verdict"] == "waived").collect();
    assert!(waived.len() > 10, "{table}");
    assert!(waived.iter().all(|j| j["waiver"] == "W-1" && j["cause"]["stage"].is_string()), "{waived:?}");
    let failed =
        |o: &Value| ["name", "tcp", "connect", "tls", "trust", "http"].iter().any(|s| o[s]["outcome"] == "failed");
    assert!(run["observations"].as_array().unwrap().iter().any(failed));
    assert_eq!(run["waivers"]["findings"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_used_ends_the_program_before_anything_is_asked() {
    for (text, says) in [
        (everything().replace("owner", "ownr"), "waivers.toml:7: unknown field `ownr`"),
        (everything().replace("valid_through", "# valid_through"), "missing field `valid_through`"),
    ] {
        let (done, run) = audit(&text).await;
        let error = String::from_utf8(done.stderr).unwrap();
        assert_eq!((done.status.code(), run), (Some(2), None), "{error}");
        assert!(error.contains(says), "{error}");
    }
}
