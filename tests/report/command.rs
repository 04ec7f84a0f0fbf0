//! `cmcomply report`, and `--report` of an audit: the built binary, and the lab for the audits.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cmcomply::evidence::Run;
use cmcomply::report::{Format, HtmlPage, html_pages};
use lab::internet::{Internet, Spec};
use lab::site_database::{Options, SiteDatabase};

use super::{counts, sample};

/// A folder with the sample's record in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.path("run.json"), sample::run().to_json().unwrap()).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn report(&self, arguments: &[&str]) -> Output {
        program().current_dir(self.0.path()).arg("report").args(arguments).output().unwrap()
    }
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
    command.env_remove("NO_COLOR").env_remove("CMCOMPLY_SQL_PASSWORD").stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_format_goes_to_a_file_or_to_standard_output() {
    let folder = Folder::new();
    for format in Format::ALL {
        let expected = format.render(&sample::run()).unwrap();
        let done = folder.report(&["run.json", "--format", format.name(), "-o", "report"]);
        assert_eq!((done.status.code(), said(&done).as_str()), (Some(0), ""), "{format}");
        assert!(std::fs::read(folder.path("report")).unwrap() == expected, "{format}");
        let done = folder.report(&["run.json", "--format", format.name()]);
        // The table is as wide as the terminal.
        assert!(format == Format::Table || done.stdout == expected, "{format}");
    }
    let table = folder.report(&["run.json"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("Result: non-compliant and incomplete (exit code 1)"));
    assert_eq!(folder.names(), ["report", "run.json"]);
}

#[test]
fn what_cannot_be_read_or_written_ends_with_2_and_a_reason() {
    let folder = Folder::new();
    std::fs::write(folder.path("cut.json"), &sample::run().to_json().unwrap()[..900]).unwrap();
    std::fs::write(folder.path("other.json"), "{\"format\":\"cmcomply.run/2\"}").unwrap();
    std::fs::create_dir(folder.path("empty")).unwrap();
    let large = std::fs::File::create(folder.path("large.json")).unwrap();
    large.set_len((256 << 20) + 1).unwrap();
    for (arguments, reason) in [
        (&["missing.json"][..], "cannot read run missing.json"),
        (&["empty"], "cannot read run empty/run.json"),
        (&["cut.json"], "run cut.json is damaged"),
        (&["other.json"], "other.json is of format cmcomply.run/2; this version reads cmcomply.run/1"),
        (&["large.json"], "larger than 256 MB"),
        (&["run.json", "--format", "pdf"], "no report format `pdf`; known: table, json, html"),
        (&["run.json", "--format", "html", "-o", "missing/report.html"], "cannot write --output missing/report.html"),
        (&["run.json", "-o", "."], "cannot write --output ."),
        (&[], "required arguments"),
    ] {
        let done = folder.report(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {}", said(&done));
        assert!(said(&done).contains(reason), "{arguments:?}: {}", said(&done));
        assert!(done.stdout.is_empty());
    }
    assert_eq!(folder.names(), ["cut.json", "empty", "large.json", "other.json", "run.json"]);
}

#[test]
fn what_an_audit_cannot_write_is_found_before_the_work() {
    let folder = Folder::new();
    let before = std::fs::read(folder.path("run.json")).unwrap();
    for (report, reason) in [
        ("html=missing/a.html", "cannot write --report html=missing/a.html"),
        ("html=a.html,xlsx=.", "cannot write --report xlsx=."),
        ("html=run.json", "--report html=run.json: another output goes to this file"),
        ("html=a,csv=./a", "--report csv=./a: another output goes to this file"),
        ("pdf=a.pdf", "no report format `pdf`"),
        ("a.html", "expected FORMAT=FILE"),
    ] {
        // Nobody listens there: had the work begun, the exit code would be 4.
        let mut command = program();
        command.current_dir(folder.0.path()).args([
            "audit",
            "--sql=localhost,1",
            "--output=run.json",
            "--report",
            report,
        ]);
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{report}: {}", said(&done));
        assert!(said(&done).contains(reason), "{report}: {}", said(&done));
    }
    assert_eq!(folder.names(), ["run.json"]);
    assert!(std::fs::read(folder.path("run.json")).unwrap() == before, "nothing is overwritten");
}

/// The pages of a folder, the index first.
fn pages_in(folder: &Path) -> Vec<HtmlPage> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let page = |entry: std::fs::DirEntry| HtmlPage {
        name: entry.file_name().into_string().unwrap(),
        bytes: std::fs::read(entry.path()).unwrap(),
    };
    let order: Vec<String> =
        html_pages(&Run::read(&folder.with_file_name("run.json")).unwrap()).into_iter().map(|page| page.name).collect();
    let mut pages: Vec<HtmlPage> = entries.map(page).collect();
    pages.sort_by_key(|page| order.iter().position(|name| *name == page.name));
    pages
}

#[test]
fn a_folder_of_pages_is_made_once_and_nothing_is_overwritten() {
    let folder = Folder::new();
    let done = folder.report(&["run.json", "--pages", "q4"]);
    let out = String::from_utf8_lossy(&done.stdout);
    assert_eq!((done.status.code(), out.as_ref()), (Some(0), "q4: index.html and 3 pages of hosts and roles\n"));
    assert_eq!(pages_in(&folder.path("q4")), html_pages(&sample::run()));
    std::fs::write(folder.path("taken"), "kept").unwrap();
    for (arguments, reason) in [
        (&["run.json", "--pages", "q4"][..], "cannot write --pages q4: it is there already"),
        (&["run.json", "--pages", "taken"], "cannot write --pages taken: it is there already"),
        (&["run.json", "--pages", "missing/q4"], "cannot write --pages missing/q4: "),
        (&["missing.json", "--pages", "other"], "cannot read run missing.json"),
        (&["run.json", "--pages", "other", "--format", "html"], "cannot be used with"),
        (&["--quarter", "2026Q4", "--pages", "other"], "cannot be used with"),
    ] {
        let done = folder.report(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {}", said(&done));
        assert!(said(&done).contains(reason), "{arguments:?}: {}", said(&done));
    }
    // An audit finds it out before the work: had it begun, the exit code would be 4.
    for (arguments, reason) in [
        (["--pages=q4", "--output=new.json"], "cannot write --pages q4: it is there already"),
        (["--pages=new", "--report=html=new"], "--pages new: another output goes to this file"),
    ] {
        let mut command = program();
        let done = command.current_dir(folder.0.path()).args(["audit", "--sql=localhost,1"]).args(arguments).output();
        let done = done.unwrap();
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(said(&done).contains(reason), "{}", said(&done));
    }
    assert_eq!(folder.names(), ["q4", "run.json", "taken"]);
    assert_eq!(std::fs::read(folder.path("taken")).unwrap(), b"kept");
}

/// Audits the Contoso lab into a folder; `meanwhile` runs once the first probe has arrived.
pub(crate) async fn audit(folder: &Path, arguments: &[String], meanwhile: impl FnOnce() + Send + 'static) -> Output {
    let database = SiteDatabase::start(Options::default()).await;
    let internet = Internet::start(Spec::contoso()).await;
    std::fs::write(folder.join("sql-ca.pem"), database.ca_pem()).unwrap();
    std::fs::write(folder.join("ca.pem"), internet.ca_pem()).unwrap();
    let mut command = program();
    command.current_dir(folder).args([
        "audit",
        "--output=run.json",
        "--from-here",
        "--stage-timeout=2",
        "--sql-ca-file=sql-ca.pem",
    ]);
    command.arg(format!("--sql=localhost,{}", database.address().port())).arg("--ca-file=ca.pem");
    command.arg(format!("--sql-user={}", Options::default().user)).args(arguments);
    command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
    command.arg(format!("--dns-server={}", internet.dns()));
    command.args(internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
    let done = tokio::task::spawn_blocking(move || command.output().unwrap());
    while internet.seen().is_empty() && !done.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    meanwhile();
    done.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_writes_the_reports_that_its_record_gives_later() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Format::ALL.map(|format| format!("{format}=report.{format}")).join(",");
    let done = audit(folder.path(), &[format!("--report={reports}"), "--pages=pages".to_owned()], || ()).await;
    assert_eq!((done.status.code(), said(&done).as_str()), (Some(1), ""));
    let record = std::fs::read(folder.path().join("run.json")).unwrap();
    let run = Run::parse("run.json", &record).unwrap();
    assert!(run.to_json().unwrap() == record);
    for format in Format::ALL {
        let report = std::fs::read(folder.path().join(format!("report.{format}"))).unwrap();
        assert!(report == format.render(&run).unwrap(), "{format}");
        assert!(counts::recount(format, &report).is_none_or(|counts| counts == counts::of_run(&run)), "{format}");
    }
    assert_eq!(pages_in(&folder.path().join("pages")), html_pages(&run));
    let rows = counts::csv(&String::from_utf8(Format::Csv.render(&run).unwrap()).unwrap());
    let markup = |cell: &&String| cell.split('<').skip(1).any(|rest| rest.starts_with(|c: char| c.is_alphabetic()));
    assert_eq!(rows.iter().flatten().find(markup), None, "plain text only");
    super::validators::judge(folder.path(), &run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_fails_after_the_work_is_named_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("gone")).unwrap();
    let gone = folder.path().join("gone");
    let reports = ["--report=html=gone/a.html,csv=a.csv".to_owned()];
    let done = audit(folder.path(), &reports, move || std::fs::remove_dir(gone).unwrap()).await;
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    assert!(said(&done).contains("the record is written, reports are missing: cannot write --report html=gone/a.html"));
    assert!(String::from_utf8_lossy(&done.stdout).contains("Result: non-compliant"), "the table is shown all the same");
    let run = Run::read(&folder.path().join("run.json")).unwrap();
    assert!(std::fs::read(folder.path().join("a.csv")).unwrap() == Format::Csv.render(&run).unwrap());
}

#[test]
fn the_folder_of_a_run_stands_for_its_record_and_a_reason_is_said_once() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("kept")).unwrap();
    std::fs::copy(folder.path("run.json"), folder.path("kept/run.json")).unwrap();
    let report = |run: &str| folder.report(&[run, "--format=csv"]);
    let (kept, record) = (report("kept"), report("run.json"));
    assert_eq!((kept.status.code(), said(&kept).as_str()), (Some(0), ""));
    assert!(kept.stdout == record.stdout);
    let compare =
        |old: &str, new: &str| program().current_dir(folder.0.path()).args(["compare", old, new]).output().unwrap();
    let (kept, record) = (compare("kept", "run.json"), compare("run.json", "run.json"));
    assert_eq!((kept.status.code(), said(&kept)), (record.status.code(), said(&record)));
    for missing in [report("none.json"), compare("run.json", "none.json"), report("kept/none")] {
        let text = said(&missing);
        assert_eq!((missing.status.code(), text.matches("os error").count()), (Some(2), 1), "{text}");
    }
}
