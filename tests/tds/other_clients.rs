//! The same server through clients of quite another making: `FreeTDS` (C) and python-tds.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lab::site_database::{Options, SiteDatabase};

/// Goes through TRY and CATCH, several sets, an empty one, NULL, text outside of ASCII, and an error.
const BATCH: &str = "SET NOCOUNT ON; SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SET LOCK_TIMEOUT 5000; \
     SELECT SiteCode AS first_set, Type FROM dbo.v_Site ORDER BY SiteCode; \
     SELECT SiteCode AS empty_set FROM dbo.v_Site WHERE 1 = 0; \
     SELECT CAST(NULL AS int) AS nothing, N'Zürich' AS place; \
     BEGIN TRY EXEC sys.sp_executesql N'SELECT x FROM dbo.Nothing'; END TRY \
     BEGIN CATCH SELECT ERROR_NUMBER() AS error_number, ERROR_MESSAGE() AS error_message; END CATCH; \
     BEGIN TRY EXEC sys.sp_executesql N'SELECT IsClientApp, SecretKeyExpiry FROM dbo.AAD_Application_Ex WHERE Name LIKE \
     N''%client%'''; END TRY BEGIN CATCH SELECT 1 AS failed; END CATCH;";

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_nobody_here_wrote() {
    let options =
        Options { variants: vec!["UPDATE dbo.Sites SET SiteName = N'Zürich';".into()], ..Options::default() };
    let db = SiteDatabase::start(options).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), db.ca_pem()).expect("written");
    let (port, path) = (db.address().port(), folder.path().to_owned());
    let used =
        tokio::task::spawn_blocking(move || [freetds(port, &path), python(port, &path)]).await.expect("clients ran");
    if used == [false, false] {
        skipped("no second TDS client: install freetds-bin, or python-tds and pyOpenSSL for python3");
    }
}

/// `tsql`, with TLS for all and with TLS for the login only, and the certificate checked.
fn freetds(port: u16, folder: &Path) -> bool {
    if Command::new("tsql").arg("-C").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return false;
    }
    for encryption in ["require", "request", "off"] {
        let settings = format!(
            "[lab]\nhost = localhost\nport = {port}\ntds version = 7.4\nencryption = {encryption}\nca file = {}\n\
             check certificate hostname = yes\nclient charset = UTF-8\n",
            folder.join("ca.pem").display()
        );
        std::fs::write(folder.join("freetds.conf"), settings).expect("written");
        let options = Options::default();
        let mut tsql = Command::new("tsql");
        tsql.args(["-S", "lab", "-U", &options.user, "-P", &options.password, "-D", &options.database]);
        tsql.env("FREETDSCONF", folder.join("freetds.conf")).env("LC_ALL", "C.UTF-8");
        let said = run(&mut tsql, &format!("{BATCH}\nGO\nSELECT x FROM dbo.Nothing\nGO\nquit\n"));
        for expected in [
            "first_set\tType",
            "CAS\t4\nPS1\t2\nPS2\t2\nSS1\t1\n",
            "empty_set",
            "NULL\tZürich",
            "208\tInvalid object name 'dbo.Nothing'.",
            "1\tNULL",
            "Msg 208 (severity 16",
        ] {
            assert!(said.contains(expected), "tsql with encryption {encryption}: no {expected:?} in\n{said}");
        }
        assert!(!said.contains("failed"), "{said}");
    }
    // An unknown authority must be refused: FreeTDS takes the machine's own roots then.
    let settings =
        format!("[lab]\nhost = localhost\nport = {port}\ntds version = 7.4\nencryption = require\nca file = system\n");
    std::fs::write(folder.join("freetds.conf"), settings).expect("written");
    let mut tsql = Command::new("tsql");
    tsql.args(["-S", "lab", "-U", "cmcomply", "-P", "x"]).env("FREETDSCONF", folder.join("freetds.conf"));
    let said = run(&mut tsql, "quit\n");
    assert!(said.contains("connection failed") || said.contains("Unable to connect"), "{said}");
    true
}

const SCRIPT: &str = r#"
import sys, pytds
port, ca, user, password, database, batch = int(sys.argv[1]), *sys.argv[2:7]
# python-tds cannot check host names with current versions of pyOpenSSL.
with pytds.connect("localhost", port=port, user=user, password=password, database=database, cafile=ca,
                   validate_host=False, enc_login_only=False, autocommit=False) as connection:
    with connection.cursor() as cursor:
        cursor.execute(batch)
        while True:
            if cursor.description:
                print("\t".join(column[0] for column in cursor.description))
                for row in cursor.fetchall():
                    print("\t".join("NULL" if value is None else str(value) for value in row))
            if not cursor.nextset():
                break
    with connection.cursor() as cursor:
        cursor.execute("SELECT SiteCode FROM dbo.v_Site WHERE Type = %s AND SiteCode <> %s", (2, "PS2"))
        print(cursor.fetchall())
        try:
            cursor.execute("SELECT x FROM dbo.Nothing")
        except pytds.Error as error:
            print("error", error)
"#;

fn python(port: u16, folder: &Path) -> bool {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import pytds, OpenSSL"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|s| s.success()) {
        return false;
    }
    let options = Options::default();
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT, &port.to_string()]).arg(folder.join("ca.pem"));
    python.args([&options.user, &options.password, &options.database, BATCH]).env("PYTHONIOENCODING", "utf-8");
    let said = run(&mut python, "");
    for expected in [
        "first_set\tType\nCAS\t4\nPS1\t2\nPS2\t2\nSS1\t1\nempty_set\nnothing\tplace\nNULL\tZürich\n",
        "208\tInvalid object name 'dbo.Nothing'.",
        "IsClientApp\tSecretKeyExpiry\nTrue\tNULL",
        "[('PS1',)]",
        "error (\"Invalid object name 'dbo.Nothing'.\"",
    ] {
        assert!(said.contains(expected), "python-tds: no {expected:?} in\n{said}");
    }
    true
}

/// What a program says on both streams; it is stopped when it takes too long.
fn run(command: &mut Command, input: &str) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the client starts");
    let mut stdin = child.stdin.take().expect("piped");
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    // Read while it runs: a full pipe would make it wait for us.
    let pipes: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().expect("piped")), Box::new(child.stderr.take().expect("piped"))];
    let readers = pipes.map(|mut pipe| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    });
    let deadline = Instant::now() + Duration::from_mins(1);
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{command:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = readers.map(|reader| reader.join().expect("reading does not panic"));
    // tsql writes a prompt before each line that it reads.
    text.concat().replace("1> ", "").replace("2> ", "")
}

/// Says so loudly, past the capture of the test harness; where nothing may be skipped, fails.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|v| v != "1"), "SKIPPED: {why}");
}
