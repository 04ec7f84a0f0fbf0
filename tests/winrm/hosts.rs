//! `cmcomply hosts` over WinRM: it signs in where an account is stated, runs nothing, and says what it was that failed.

use std::process::{Command, Stdio};

use lab::site_database::{Options, SiteDatabase};
use serde_json::{Value, json};

use crate::server::start;

/// The program in a folder: its exit code, and what it printed.
async fn cmcomply(folder: &std::path::Path, arguments: &[&str], secret: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("CMCOMPLY_SQL_PASSWORD", secret);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_host_is_signed_in_to_and_what_fails_is_named() {
    let (Some(good), Some(denied)) = (start(&[]), start(&["--mode", "denied"])) else { return };
    let gone = start(&[]).unwrap().address().port();
    let folder = tempfile::tempdir().unwrap();
    let database = SiteDatabase::start(Options::default()).await;
    std::fs::write(folder.path().join("sql-ca.pem"), database.ca_pem()).unwrap();
    let options = Options::default();
    let (sql, user) =
        (format!("--sql=localhost,{}", database.address().port()), format!("--sql-user={}", options.user));
    let (code, said) =
        cmcomply(folder.path(), &["snapshot", &sql, &user, "--sql-ca-file=sql-ca.pem"], &options.password).await;
    assert_eq!(code, Some(0), "{said}");
    std::fs::write(folder.path().join("right"), "Contoso-Secret-1").unwrap();
    std::fs::write(folder.path().join("wrong"), "Wrong-Secret-2").unwrap();
    let account = |file: &str| format!("account = 'CONTOSO\\svc-cm'\npassword_file = '{file}'");
    let (good_port, denied_port) = (good.address().port(), denied.address().port());
    // Host, machine, port, account; whether it answers, what failed, words.
    let rows = [
        ("cm-cas", "localhost", good_port, account("right"), (true, Value::Null, "a shell was made and deleted")),
        ("cm-ps1", "localhost", good_port, account("wrong"), (false, json!("sign_in"), "sign-in: WinRM: it refused")),
        (
            "cm-ps2",
            "localhost",
            good_port,
            account("none"),
            (false, json!("sign_in"), "sign-in: the file of its password"),
        ),
        ("cm-ps1-dp1", "localhost", denied_port, account("right"), (false, json!("rights"), "Access is denied")),
        ("cm-ps1-sup", "localhost", gone, account("right"), (false, json!("port"), "port: WinRM: port")),
        ("cm-ps2-dp1", "nowhere.invalid", good_port, account("right"), (false, json!("name"), "name: WinRM: the name")),
        ("cm-ps1-dp2", "localhost", good_port, String::new(), (true, Value::Null, "only the port was tried")),
    ];
    let tables = rows.iter().map(|(host, machine, port, account, _)| {
        format!(
            "[[vantages]]\nhosts = ['{host}.corp.contoso.com']\nkind = 'winrm'\nmachine = '{machine}'\nhttp = true\n\
             port = {port}\n{account}\n"
        )
    });
    let others = "[[vantages]]\nhosts = ['*']\nkind = 'none'\n";
    std::fs::write(folder.path().join("cmcomply.toml"), tables.collect::<String>() + others).unwrap();
    let hosts = ["hosts", "--snapshot=site.json", "--settings=cmcomply.toml"];
    let (code, listed) = cmcomply(folder.path(), &[&hosts[..], &["--format=csv"]].concat(), "").await;
    assert_eq!(code, Some(3), "{listed}");
    let (_, printed) = cmcomply(folder.path(), &[&hosts[..], &["--format=json"]].concat(), "").await;
    let found: Value = serde_json::from_str(&printed).unwrap();
    for (host, .., (answers, why, words)) in &rows {
        let host = format!("{host}.corp.contoso.com");
        let row = found["hosts"].as_array().unwrap().iter().find(|row| row["subject"]["host"] == host).unwrap();
        assert_eq!((&row["answers"], &row["unreached"]["why"]), (&json!(answers), why), "{row}");
        assert!(listed.lines().any(|line| line.contains(&host) && line.contains(words)), "{words}: {listed}");
    }
    assert!(!format!("{listed}{printed}").contains("-Secret-"), "{listed}");
    // Twice asked, twice made and deleted, and nothing run.
    let log = good.log();
    let count = |what: &str| log.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((count("create"), count("delete"), count("command"), count("error")), (2, 2, 0, 0), "{log:?}");
    assert!(!denied.log().iter().any(|line| line.starts_with("command")), "{:?}", denied.log());
}
