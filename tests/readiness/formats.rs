//! The formats of a readiness document: the same bytes each time, nothing in them acts, and what other people's software
//! says of them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cmcomply::assess::readiness::{Coming, ComingKind, Finding, Missing, Severity, State};
use cmcomply::assess::{Grade, Verdict};
use cmcomply::catalog::{Document, SourceRef};
use cmcomply::derive::{Change, RequirementId};
use cmcomply::evidence::Tool;
use cmcomply::report::{
    Hierarchy, READINESS_FORMAT, Readiness, ReadinessEndpoint, ReadinessFormat, ReadinessOrigin, ReadinessVerdict,
    Style, Target, readiness_table,
};

use super::tools::{ask, find, npm, python, skipped};

/// A document with every state, severity and verdict in it.
#[expect(clippy::too_many_lines, reason = "a document, field by field")]
fn sample(mark: &str) -> Readiness {
    let text = |text: &str| format!("{mark}{text}");
    let source = || SourceRef {
        document: "checklist".to_owned(),
        section: text("Before the update"),
        date: "2026-05-05".parse().unwrap(),
    };
    let finding = |rule: &str, severity, state, missing: usize| Finding {
        rule: text(rule),
        severity,
        title: text("Every server is as it should be"),
        state,
        evidence: vec![text("cm01.contoso.com has 18.3; it needs 18.4.1.1"), text("cm02.contoso.com has 18.5.1.1")],
        missing: (0..missing)
            .map(|number| Missing {
                fact: text("the ODBC driver"),
                host: Some(format!("cm0{number}.contoso.com").parse().unwrap()),
                why: text("nobody has read it there"),
                how: text("read it on the host and give it with --host-facts"),
            })
            .collect(),
        remedy: text("Install the driver."),
        source: source(),
    };
    let rules = vec![
        finding("odbc-driver", Severity::Error, State::NotMet, 1),
        finding("secret-ends-soon", Severity::Warning, State::NotMet, 0),
        finding("service-connection-online", Severity::Info, State::NotMet, 0),
        finding("net-framework", Severity::Error, State::Undecided, 5),
        finding("update-source", Severity::Warning, State::Undecided, 1),
        finding("equal-builds", Severity::Error, State::Met, 0),
        finding("store-for-business", Severity::Warning, State::DoesNotApply, 0),
    ];
    let mut endpoints = Vec::new();
    for verdict in Verdict::ALL {
        for (grade, change) in
            [(Grade::Required, Change::Added), (Grade::Required, Change::Kept), (Grade::Advisory, Change::Kept)]
        {
            let number = endpoints.len();
            endpoints.push(ReadinessEndpoint {
                id: RequirementId(text(&format!("CM1/cm01/{number}"))),
                subject: text("cm01.contoso.com"),
                role: "management point".to_owned(),
                endpoint: text(&format!("https://host{number}.contoso.com")),
                change,
                grade,
                verdict,
                seen: (verdict != Verdict::Pass).then(|| text("the connection was refused")),
                remedy: (verdict != Verdict::Pass).then(|| text("allow TCP 443")),
            });
        }
    }
    let coming = |day: &str, kind, what: &str, in_days| Coming {
        day: Some(day.parse().unwrap()),
        kind,
        what: text(what),
        in_days: Some(in_days),
        source: None,
    };
    let document = Document { title: text("Checklist"), url: text("https://learn.microsoft.com/checklist") };
    Readiness {
        format: READINESS_FORMAT.to_owned(),
        tool: Tool { name: "cmcomply".to_owned(), version: text("0.1.0") },
        target: Target { version: text("2603"), build: 9146, support_ends: "2027-11-05".parse().unwrap() },
        day: "2026-11-25".parse().unwrap(),
        verdict: ReadinessVerdict {
            not_ready: true,
            incomplete: vec![text("2 rules cannot be decided: net-framework, update-source")],
            warnings: 1,
            waived: 1,
            exit_code: 1,
        },
        hierarchy: Hierarchy {
            database: text("CM_CHQ on cm01.contoso.com, site CHQ"),
            sites: vec![text("CHQ with version 2509")],
        },
        limits: vec![text("Probed from audit01, which stands in for every host (--from-here)")],
        rules,
        endpoints,
        no_longer_needed: vec![text("https://old.contoso.com for cm01.contoso.com")],
        calendar: vec![
            coming("2026-01-10", ComingKind::SecretEnds, "the secret of the server app ends", -319),
            coming("2027-01-31", ComingKind::WaiverEnds, "waiver W-1 ends (network team, CHG-1)", 67),
            Coming {
                day: None,
                in_days: None,
                ..coming("2026-11-25", ComingKind::FeatureRetires, "Connected Cache goes away", 0)
            },
            Coming {
                source: Some((&source()).into()),
                ..coming("2027-05-12", ComingKind::SupportEnds, "support of version 2509 ends (in use)", 168)
            },
        ],
        documents: BTreeMap::from([("checklist".to_owned(), document)]),
        origin: ReadinessOrigin {
            started: "2026-11-25T08:00:00Z".parse().unwrap(),
            finished: "2026-11-25T08:01:00Z".parse().unwrap(),
            probed_from: text("audit01"),
            catalog: text("2026.11.22"),
            run_sha256: "ab".repeat(32),
        },
    }
}

/// Text that acts on something, wherever text can stand.
fn hostile() -> [Readiness; 2] {
    let text = "=HYPERLINK(\"http://x\")</td></script><script>alert(1)</script>\"' onload=x |`a`| [a](b) @all \\ {{7*7}} \
                &lt; ]]> <!-- \u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\r\n\t\u{0}\u{ffff}\u{e000}\u{85}%00\u{2028}";
    [sample(&format!("{text}{}", "<b>".repeat(100))), sample(&"\u{e0001}".repeat(5000))]
}

fn text(format: ReadinessFormat, document: &Readiness) -> String {
    String::from_utf8(format.render(document).unwrap()).unwrap()
}

#[test]
fn the_same_document_gives_the_same_bytes_and_is_read_back() {
    for format in ReadinessFormat::ALL {
        assert_eq!(text(format, &sample("")), text(format, &sample("")), "{format}");
        assert_eq!(format.name().parse(), Ok(format));
    }
    for document in hostile().into_iter().chain([sample("")]) {
        let read: Readiness = serde_json::from_str(&text(ReadinessFormat::Json, &document)).unwrap();
        assert_eq!(read, document);
    }
}

#[test]
fn a_saved_document_is_read_back_and_a_damaged_or_edited_one_is_not() {
    for document in hostile().into_iter().chain([sample("")]) {
        let bytes = ReadinessFormat::Json.render(&document).unwrap();
        assert!(Readiness::is_one(&bytes));
        assert_eq!(Readiness::parse("ready.json", &bytes).unwrap(), document);
        let marked = [b"\xef\xbb\xbf".as_slice(), &bytes].concat();
        assert_eq!(Readiness::parse("ready.json", &marked).unwrap(), document);
    }
    let whole = text(ReadinessFormat::Json, &sample(""));
    let refused = |bytes: &[u8]| Readiness::parse("ready.json", bytes).unwrap_err().to_string();
    let edited = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut document: serde_json::Value = serde_json::from_str(&whole).unwrap();
        edit(&mut document);
        refused(document.to_string().as_bytes())
    };
    for cut in [0, 1, 30, whole.len() / 2, whole.len() - 3] {
        assert!(refused(&whole.as_bytes()[..cut]).contains("readiness document ready.json is damaged"), "{cut}");
    }
    let other = whole.replace("readiness/1", "readiness/2");
    assert!(Readiness::is_one(other.as_bytes()) && !Readiness::is_one(b"{\"format\":\"cmcomply.run/1\"}"));
    assert!(refused(other.as_bytes()).contains("is of format cmcomply.readiness/2; this version reads"));
    assert!(edited(&|d| d["more"] = 1.into()).contains("holds `more`, which this version does not know"));
    assert!(edited(&|d| d["rules"][0]["hint"] = 1.into()).contains("`rules[0].hint`"));
    assert!(edited(&|d| d["rules"][0]["state"] = "fine".into()).contains("damaged"));
    for (edit, what) in [
        ((|d| d["verdict"]["not_ready"] = false.into()) as fn(&mut serde_json::Value), "the verdict is not that of"),
        (|d| d["verdict"]["exit_code"] = 0.into(), "the exit code is not that of the verdict"),
        (|d| d["verdict"]["warnings"] = 0.into(), "the warnings are not counted right"),
        (|d| d["verdict"]["incomplete"] = serde_json::json!([]), "something is open, and the verdict says complete"),
        (|d| d["rules"][3]["state"] = "met".into(), "rule net-framework is decided, and something is missing"),
        (|d| d["rules"][4]["rule"] = "net-framework".into(), "rule net-framework stands there twice"),
        (|d| d["endpoints"][1]["id"] = d["endpoints"][0]["id"].clone(), "endpoint CM1/cm01/0 stands there twice"),
    ] {
        let said = edited(&edit);
        assert!(said.contains("contradicts itself") && said.contains(what), "{what}: {said}");
    }
    // What counts and fails cannot be made a pass without the verdict.
    let well = edited(&|d| {
        for rule in d["rules"].as_array_mut().unwrap() {
            rule["severity"] = "warning".into();
        }
        for endpoint in d["endpoints"].as_array_mut().unwrap() {
            endpoint["verdict"] = "pass".into();
        }
    });
    assert!(well.contains("the verdict is not that of the rules and endpoints"), "{well}");
}

#[test]
fn hostile_text_acts_nowhere() {
    for document in hostile() {
        for format in ReadinessFormat::ALL {
            let text = text(format, &document);
            let bad = text.chars().find(|c| {
                *c != '\n'
                    && (c.is_control()
                        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' | '\u{ffff}'))
            });
            assert_eq!(bad, None, "{format}");
        }
        let known: HashSet<String> = tags(&text(ReadinessFormat::Html, &sample(""))).into_iter().collect();
        let page = text(ReadinessFormat::Html, &document);
        let foreign = tags(&page).into_iter().find(|tag| !known.contains(tag) && tag != "span");
        assert_eq!(foreign, None);
        assert!(!page.contains("<script") && !page.contains("href=\"javascript"));
    }
}

/// The names of elements with the names of their attributes.
fn tags(page: &str) -> Vec<String> {
    let body = page.split("</style>").nth(1).unwrap();
    let tags = body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.map(|tag| tag.split('"').step_by(2).collect::<String>().trim().to_owned()).collect()
}

#[test]
fn the_page_of_the_terminal() {
    for width in [80, 160] {
        let page = readiness_table(&sample(""), Style { width, colour: false });
        assert!(page.lines().all(|line| line.chars().count() <= width), "{page}");
        insta::assert_snapshot!(format!("readiness-{width}"), page);
    }
    let coloured = readiness_table(&sample(""), Style { width: 80, colour: true });
    assert!(coloured.contains("\u{1b}[31;1m  NOT MET\u{1b}[0m"), "{coloured}");
}

#[test]
fn markdown_is_a_summary() {
    insta::assert_snapshot!(text(ReadinessFormat::Markdown, &sample("")));
}

#[test]
fn a_pipeline_takes_nothing_undecided_for_fine() {
    let xml = text(ReadinessFormat::Junit, &sample(""));
    // Failures: a rule and two endpoints. Errors: two undecided rules, two endpoints of two verdicts, and a reason.
    assert!(xml.contains("tests=\"26\" failures=\"3\" errors=\"7\">"), "{}", &xml[..400]);
}

#[test]
fn a_pipeline_sees_what_was_left_out_and_undecided_rules_once() {
    let mut document = sample("");
    let rules = "3 rules cannot be decided: odbc-driver, net-framework, update-source".to_owned();
    document.verdict.incomplete = vec![rules, "unknown: site systems (not visible)".to_owned()];
    let xml = text(ReadinessFormat::Junit, &document);
    let suite = xml.split("<testsuite name=\"completeness\" tests=\"1\" failures=\"0\" errors=\"1\"").nth(1).unwrap();
    assert!(suite.contains("message=\"unknown: site systems (not visible)\""), "{suite}");
    document.verdict.incomplete.pop();
    assert!(!text(ReadinessFormat::Junit, &document).contains("completeness"));
}

#[test]
fn other_peoples_software_accepts_the_samples_and_refuses_broken_ones() {
    for document in hostile().into_iter().chain([sample("")]) {
        let folder = tempfile::tempdir().unwrap();
        let write = |format: ReadinessFormat| {
            let path = folder.path().join(format!("report.{format}"));
            std::fs::write(&path, format.render(&document).unwrap()).unwrap();
            path
        };
        html(&write(ReadinessFormat::Html));
        junit(&write(ReadinessFormat::Junit));
        let json = write(ReadinessFormat::Json);
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/readiness.schema.json");
        if let Some(python) = python("check_jsonschema", "check-jsonschema (PyPI)") {
            let defect = ("\"not_met\"", "\"not-met\"");
            accept_and_refuse(&json, defect, |document| {
                ask(Command::new(&python).args(["-m", "check_jsonschema", "--schemafile"]).arg(&schema).arg(document))
            });
        }
    }
}

fn html(page: &Path) {
    if let Some(jar) = npm("vnu-jar/build/dist/vnu.jar")
        && let Some(java) = find(&["java"], &["-version"], "Java")
    {
        accept_and_refuse(page, ("<main>", "<main><p><table></p>"), |page| {
            // Without `--errors-only` it also warns of CSP hashes, which it does not compute.
            ask(Command::new(&java).arg("-jar").arg(&jar).args(["--errors-only", "--format", "text"]).arg(page))
        });
    }
    if let (Some(_), Some(_)) = (npm("axe-core"), npm("puppeteer-core"))
        && let Some(chromium) = find(&["chromium", "chromium-browser", "google-chrome"], &["--version"], "Chromium")
        && let Some(node) = find(&["node"], &["--version"], "Node.js")
    {
        accept_and_refuse(page, ("<html lang=\"en\">", "<html>"), |page| {
            ask(Command::new(&node).arg(script("browser.cjs")).arg(&chromium).arg(page))
        });
    }
}

fn junit(xml: &Path) {
    if let Some(python) = python("junitparser", "junitparser (PyPI)") {
        let (accepted, said) = ask(Command::new(&python).arg(script("junit.py")).arg(xml));
        assert!(accepted, "{said}");
        // All, failures, errors, skipped: besides those, the passing are one rule and three endpoints. One reason is an
        // error too.
        assert_eq!(said.trim(), "26 3 7 12");
    }
    let Some(schema) = std::env::var_os("CMCOMPLY_JUNIT_XSD") else {
        return skipped("no junit-10.xsd here (CMCOMPLY_JUNIT_XSD), so it did not judge the reports");
    };
    if let Some(xmllint) = find(&["xmllint"], &["--version"], "xmllint (Debian: libxml2-utils)") {
        accept_and_refuse(xml, ("<testsuites ", "<testsuites skipped=\"0\" "), |xml| {
            ask(Command::new(&xmllint).args(["--noout", "--schema"]).arg(&schema).arg(xml))
        });
    }
}

/// Asks about a report, then about the same with a defect in it, which must be refused.
fn accept_and_refuse(path: &Path, defect: (&str, &str), verdict: impl Fn(&Path) -> (bool, String)) {
    let (accepted, said) = verdict(path);
    assert!(accepted, "{}: {said}", path.display());
    let whole = std::fs::read_to_string(path).unwrap();
    let broken = whole.replacen(defect.0, defect.1, 1);
    assert!(broken != whole, "nothing to break: {}", defect.0);
    let place = path.with_file_name(format!("broken-{}", path.file_name().unwrap().to_str().unwrap()));
    std::fs::write(&place, broken).unwrap();
    let (accepted, said) = verdict(&place);
    assert!(!accepted, "a broken report was accepted: {} for {}: {said}", defect.1, defect.0);
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(name)
}
