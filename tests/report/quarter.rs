//! The quarterly report: four quarters with known changes give the report that one would write by hand.

use std::path::Path;
use std::process::{Command, Output};

use cmcomply::assess::{AppliedWaivers, Grade, Judgement, Verdict, WaiverFinding, WaiverProblem};
use cmcomply::evidence::store::{
    Check, RUN, RunName, Store, StoreFinding, StoreProblem, VERIFICATION_FORMAT, Verification,
};
use cmcomply::evidence::{Outcome, Run};
use cmcomply::host::HostName;
use cmcomply::report::quarter::{History, Kept, QuarterReport};
use cmcomply::site::{Fact, Feature, InstalledRole, SiteCode, SiteSystem, Source};

use super::store::{Place, program, said};
use super::{sample, validators};

/// The sample at that moment.
fn at(moment: &str) -> Run {
    let mut run = sample::run();
    let moment: jiff::Timestamp = moment.parse().unwrap();
    let later = moment.duration_since(run.moments.started);
    for moment in [&mut run.moments.started, &mut run.moments.facts_read, &mut run.moments.finished] {
        *moment += later;
    }
    for seen in &mut run.observations {
        seen.started += later;
    }
    run.facts.site_systems = systems(&[("cm01", "SMS Dmp Connector"), ("cm02", "SMS WSUS Server")]);
    run
}

/// Site systems, each with a role.
fn systems(systems: &[(&str, &str)]) -> Fact<Vec<SiteSystem>> {
    let value = systems
        .iter()
        .map(|(host, role)| SiteSystem {
            site: SiteCode::parse("PS1").unwrap(),
            host: HostName::parse(&format!("{host}.contoso.com")).unwrap(),
            roles: vec![InstalledRole { role: serde_json::from_value((*role).into()).unwrap(), properties: None }],
        })
        .collect();
    Fact::Known { value, source: Source::of("dbo.SysResList") }
}

fn counted(mut run: Run) -> Run {
    run.outcome = Outcome::of(&run.facts, &run.judgements, None);
    run
}

fn judgement(run: &mut Run, at: usize) -> &mut Judgement {
    &mut run.judgements[at]
}

/// Turns the requirement at this place into a pass like the first that passes.
fn pass(run: &mut Run, place: usize) {
    let pattern = run.judgements.iter().position(|j| j.verdict == Verdict::Pass).unwrap();
    let (good, id) = (run.judgements[pattern].probes[0].clone(), run.judgements[place].probes[0].clone());
    let seen = run.observations.iter().find(|seen| seen.probe == good).unwrap().clone();
    let own = run.observations.iter_mut().find(|seen| seen.probe == id).unwrap();
    *own = cmcomply::probe::Observation { probe: id, ..seen };
    let judgement = judgement(run, place);
    (judgement.verdict, judgement.cause, judgement.waiver) = (Verdict::Pass, None, None);
}

fn remove(run: &mut Run, place: usize) {
    run.judgements.remove(place);
    run.requirements.remove(place);
}

fn places(run: &Run, verdict: Verdict) -> Vec<usize> {
    let counts = |j: &Judgement| j.verdict == verdict && j.grade == Grade::Required;
    (0..run.judgements.len()).filter(|at| counts(&run.judgements[*at])).collect()
}

/// 2025Q4: two of the three failures of the sample still pass, and one requirement is not there yet.
fn first() -> Run {
    let mut run = at("2025-11-20T08:00:00Z");
    let failing = places(&run, Verdict::Fail);
    pass(&mut run, failing[0]);
    pass(&mut run, failing[1]);
    let passing = places(&run, Verdict::Pass);
    remove(&mut run, *passing.last().unwrap());
    run.catalog.version = String::from("2025.11.01");
    run.catalog.sha256 = "1".repeat(64);
    run.catalog.entries[0].when = String::from("cmg.exists");
    counted(run)
}

/// 2026Q1: the first failure appears; the waiver ends earlier than it will.
fn second() -> Run {
    let mut run = at("2026-02-10T08:00:00Z");
    let failing = places(&run, Verdict::Fail);
    pass(&mut run, failing[1]);
    if let Some(applied) = &mut run.waivers {
        applied.list.waivers[0].approved_on = jiff::civil::date(2026, 2, 1);
        applied.list.waivers[0].valid_through = jiff::civil::date(2026, 6, 30);
    }
    counted(run)
}

/// 2026Q3, after a quarter without a run: the sample, from a site of another name for its code.
fn third() -> Run {
    let mut run = at("2026-08-15T08:00:00Z");
    if let Some(AppliedWaivers { findings, .. }) = &mut run.waivers {
        findings.push(WaiverFinding {
            waiver: "W-0007".to_owned(),
            problem: WaiverProblem::SelfApproved,
            text: "owner and approver are the same".to_owned(),
        });
    }
    counted(run)
}

/// 2026Q4: one failure is fixed.
fn fourth() -> Run {
    let mut run = at("2026-11-25T08:00:00Z");
    let failing = places(&run, Verdict::Fail);
    pass(&mut run, failing[2]);
    run.facts.site_systems = systems(&[("cm01", "SMS Dmp Connector"), ("cm03", "SMS WSUS Server")]);
    if let Some(applied) = &mut run.waivers {
        applied.findings.clear();
    }
    counted(run)
}

/// A store with the four quarters, and a run of the fourth that a later one replaces.
pub(crate) fn year() -> Place {
    let place = Place::new();
    for run in [first, second, third, || at("2026-10-05T08:00:00Z"), fourth] {
        place.add(&run(), &["--store-formats=none"]);
    }
    place
}

pub(crate) fn report(place: &Place, arguments: &[&str]) -> Output {
    program().current_dir(place.0.path()).arg("report").args(arguments).output().unwrap()
}

fn text(place: &Place, quarter: &str) -> String {
    let done = report(place, &["--quarter", quarter]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn four_quarters_give_the_report_that_one_would_write_by_hand() {
    let place = year();
    let store = Store::new(place.path("cmcomply-runs"));
    let report = |quarter: &str, now: &str| {
        let names = store.names().unwrap().into_iter();
        let runs = names.map(|name| Kept { run: Run::read(&store.run_folder(&name).join(RUN)).unwrap(), name });
        let verification = store.verify(&Check::default()).unwrap();
        let history = History::new(quarter.parse().unwrap(), None, runs.collect(), vec![], verification).unwrap();
        QuarterReport::new(&history, now.parse().unwrap()).text()
    };
    insta::assert_snapshot!("quarter", redacted(&report("2026Q4", "2027-01-10T00:00:00Z")));
    let early = report("2026Q4", "2026-12-31T23:00:00Z");
    assert!(early.contains("ATTENTION: the quarter is not over"), "{early}");
    let second = report("2026Q1", "2027-01-10T00:00:00Z");
    for line in
        ["newly required | 1", "new failure | 1", "changed | updates-a | a.contoso.com", "From catalog 2025.11.01 to"]
    {
        assert!(second.contains(line), "{line}: {second}");
    }
    let first = text(&place, "2025Q4");
    assert_eq!(first.matches("There is no run of an earlier quarter to compare with.").count(), 3, "{first}");
}

/// The report on runs that lie in no store, in which something was found or not.
fn made(runs: &[Run], findings: Vec<StoreFinding>, now: &str) -> QuarterReport {
    let kept = runs.iter().enumerate().map(|(day, run)| Kept {
        name: RunName::parse(&format!("2026112{day}T080000Z-PS1-1f0c9a3e")).unwrap(),
        run: run.clone(),
    });
    let (format, runs, notes) = (VERIFICATION_FORMAT.to_owned(), Vec::new(), Vec::new());
    let verification = Verification { format, runs, findings, notes };
    let history = History::new("2026Q4".parse().unwrap(), None, kept.collect(), vec![], verification).unwrap();
    QuarterReport::new(&history, now.parse().unwrap())
}

#[test]
fn a_green_header_needs_a_store_that_verifies_and_a_quarter_that_is_over() {
    let mut run = fourth();
    (run.outcome.non_compliant, run.outcome.incomplete) = (false, vec![]);
    let class = |run: &Run, findings: &[StoreFinding], now| {
        let page = String::from_utf8(made(std::slice::from_ref(run), findings.to_vec(), now).html()).unwrap();
        let header = page.split("<header>").nth(1).unwrap().split("</header>").next().unwrap().to_owned();
        header.split("<p class=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (over, early) = ("2027-01-10T00:00:00Z", "2026-12-01T00:00:00Z");
    let found = [StoreFinding { run: None, file: None, problem: StoreProblem::Forked, text: "two".to_owned() }];
    assert_eq!(class(&run, &[], over), "result pass");
    assert_eq!(class(&run, &[], early), "result unseen");
    assert_eq!(class(&run, &found, over), "result unseen");
    run.outcome.non_compliant = true;
    assert_eq!(class(&run, &found, over), "result fail", "nothing makes that better");
}

#[test]
fn a_record_with_the_right_hash_that_nobody_can_read_is_on_page_one() {
    let place = Place::new();
    // Of a version to come, as the hashes say that it was written.
    let later = Run { format: "cmcomply.run/99".to_owned(), ..third() };
    Store::new(place.path("cmcomply-runs")).keep(&later, &[], None).unwrap();
    place.add(&fourth(), &["--store-formats=none"]);
    let text = text(&place, "2026Q4");
    let page_one = text.split("2. Verdict").next().unwrap();
    assert!(page_one.contains("does not verify: 1 findings") && page_one.contains("unreadable record"), "{page_one}");
    assert!(page_one.contains("cannot be read and is left out"), "{page_one}");
}

#[test]
fn a_waiver_that_ended_after_the_run_is_not_open() {
    let mut run = fourth();
    let list = &mut run.waivers.as_mut().unwrap().list;
    list.waivers[0].valid_through = jiff::civil::date(2026, 12, 10);
    let text = |now| made(std::slice::from_ref(&run), vec![], now).text();
    let late = text("2027-01-10T00:00:00Z");
    assert!(late.contains("W-0007 | ended on 2026-12-10, within the quarter | 3"), "{late}");
    let early = text("2026-12-10T23:00:00Z");
    assert!(early.contains("W-0007 | ends on 2026-12-10, within the quarter | 3"), "{early}");
}

#[test]
fn a_feature_whose_state_is_not_said_is_not_off() {
    let of = |moment: &str, status| {
        let mut run = at(moment);
        let feature = Feature { name: "Tenant attach".to_owned(), kind: None, exposed: None, status };
        run.facts.features = Fact::Known { value: vec![feature], source: Source::of("dbo.CM_Features") };
        run
    };
    let runs = [of("2026-08-15T08:00:00Z", Some(1)), of("2026-11-25T08:00:00Z", None)];
    let text = made(&runs, vec![], "2027-01-10T00:00:00Z").text();
    assert!(text.contains("feature | Tenant attach | on | unknown"), "{text}");
}

/// Hashes and names depend on the version of the program.
fn redacted(text: &str) -> String {
    let hexadecimal = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let name = out.ends_with("Z-PS1-") && word.len() == 8;
        let word_out = if hexadecimal(word) {
            "HASH"
        } else if name {
            "NAME"
        } else {
            word
        };
        out.push_str(word_out);
        out.push_str(&part[word.len()..]);
    }
    out
}

#[test]
fn html_and_workbook_say_the_same_and_are_accepted() {
    let place = year();
    for _ in 0..2 {
        for format in ["html", "xlsx"] {
            let file = format!("report.{format}");
            let before = std::fs::read(place.path(&file)).ok();
            let done = report(&place, &["--quarter=2026Q4", "--format", format, "-o", &file]);
            assert_eq!(done.status.code(), Some(0), "{}", said(&done));
            let now = std::fs::read(place.path(&file)).unwrap();
            assert!(before.is_none_or(|before| before == now), "same store, same bytes: {format}");
        }
    }
    let html = std::fs::read_to_string(place.path("report.html")).unwrap();
    for line in text(&place, "2026Q4").lines().filter(|line| line.starts_with("  ") && line.contains(" | ")) {
        for cell in line.split(" | ").filter(|cell| !cell.contains(['"', '\'', '<', '>', '&'])) {
            assert!(html.contains(cell.trim()), "{cell}");
        }
    }
    assert!(
        !html.contains("<script") && html.contains("default-src 'none'") | html.contains("default-src &#39;none&#39;")
    );
    validators::judge_page(&place.path("report.html"));
    let Some(python) = super::tools::python("openpyxl", "openpyxl (PyPI)") else { return };
    let script = "import openpyxl, sys\nbook = openpyxl.load_workbook(sys.argv[1])\n\
                  print(len(book.sheetnames), book['2 Verdict']['B7'].value, sum(c.data_type == 'f' for s in book for r in s for c in r))";
    let (good, said) = super::tools::ask(Command::new(python).args(["-c", script]).arg(place.path("report.xlsx")));
    assert!(good, "{said}");
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["13", "15", "0"], "sheets, required endpoints, formulas");
}

#[test]
fn hostile_text_comes_out_inert() {
    for run in sample::hostile() {
        let place = Place::new();
        place.add(&run, &["--store-formats=none"]);
        for format in ["html", "xlsx", "table"] {
            let done = report(&place, &["--quarter=2026Q4", "--format", format, "-o", &format!("report.{format}")]);
            assert_eq!(done.status.code(), Some(0), "{}", said(&done));
        }
        let html = std::fs::read_to_string(place.path("report.html")).unwrap();
        assert!(!html.contains("<script") && !html.contains("\u{202e}") && !html.contains('\u{1b}'));
        assert!(!std::fs::read_to_string(place.path("report.table")).unwrap().contains(['\u{1b}', '\u{202e}']));
        validators::judge_page(&place.path("report.html"));
    }
}

#[test]
fn a_store_that_does_not_verify_says_so_on_page_one() {
    let place = year();
    let store = place.path("cmcomply-runs");
    let mut folders: Vec<_> =
        std::fs::read_dir(&store).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    std::fs::remove_dir_all(&folders[1]).unwrap();
    std::fs::write(folders[2].join("run.json"), "{}").unwrap();
    let text = text(&place, "2026Q4");
    let page_one = text.split("2. Verdict").next().unwrap();
    assert!(page_one.contains("ATTENTION: the store does not verify"), "{page_one}");
    assert!(page_one.contains("removed run") && page_one.contains("changed file"), "{page_one}");
    assert!(page_one.contains("cannot be read and is left out"), "{page_one}");
    assert!(page_one.contains("There is no run of 2026Q1, 2026Q2, 2026Q3"), "{page_one}");
}

#[test]
fn what_cannot_be_reported_is_an_error_with_its_reason() {
    let place = year();
    let mut other = at("2026-11-26T08:00:00Z");
    other.facts.this_site = Fact::Known { value: SiteCode::parse("PS2").unwrap(), source: Source::of("dbo.SMSData") };
    std::fs::create_dir(place.path("empty")).unwrap();
    for (arguments, reason) in [
        (&["--quarter=2026Q5"][..], "`2026Q5` is no quarter"),
        (
            &["--quarter=2026Q2"],
            "no run of the store began in 2026Q2; there are runs of 2025Q4, 2026Q1, 2026Q3, 2026Q4",
        ),
        (&["--quarter=2027Q1"], "no run of the store began in 2027Q1"),
        (&["--quarter=2026Q4", "--store=none"], "cannot read store none"),
        (&["--quarter=2026Q4", "--store=empty"], "the store holds no run that can be read"),
        (&["--quarter=2026Q4", "--format=junit"], "written as table, html or xlsx, not as junit"),
        (&["--quarter=2026Q4", "--site=XYZ"], "no run of site XYZ; there are runs of PS1"),
        (&["--quarter=2026Q4", "add.json"], "cannot be used with"),
        (&["--quarter=2026Q4", "-o", "no/where"], "cannot write --output no/where"),
    ] {
        let done = report(&place, arguments);
        assert!(done.status.code() == Some(2) && said(&done).contains(reason), "{arguments:?}: {}", said(&done));
    }
    place.add(&other, &["--store-formats=none"]);
    let done = report(&place, &["--quarter=2026Q4"]);
    assert!(
        done.status.code() == Some(2) && said(&done).contains("sites PS1, PS2: say which with --site"),
        "{}",
        said(&done)
    );
    assert_eq!(report(&place, &["--quarter=2026Q4", "--site=ps1"]).status.code(), Some(0));
    assert!(!Path::new("report").exists());
}
