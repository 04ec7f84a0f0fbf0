//! Counts by grade and verdict, counted again in what each format says of the single requirements.

use std::collections::BTreeMap;

use cmcomply::evidence::Run;
use cmcomply::evidence::store::{RunName, VERIFICATION_FORMAT, Verification};
use cmcomply::report::Format;
use cmcomply::report::quarter::{History, Kept, QuarterReport};
use serde_json::Value;

use super::sample;

/// Grade and verdict, as the run document writes them, to how many.
pub(crate) type Counts = BTreeMap<(String, String), usize>;

/// The counts of the run itself.
pub(crate) fn of_run(run: &Run) -> Counts {
    let document: Value = serde_json::to_value(run).unwrap();
    let judgements = document["judgements"].as_array().unwrap();
    tally(judgements.iter().map(|j| (j["grade"].as_str().unwrap(), j["verdict"].as_str().unwrap())))
}

fn tally<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Counts {
    let mut counts = Counts::new();
    for (grade, verdict) in rows {
        *counts.entry((grade.to_owned(), name(verdict).to_owned())).or_default() += 1;
    }
    counts
}

/// From the words for people to the name in documents.
pub(crate) fn name(verdict: &str) -> &str {
    match verdict {
        "FAIL" => "fail",
        "ERROR" => "error",
        "not observed" => "not_observed",
        "not needed" => "not_applicable",
        other => other,
    }
}

fn add(counts: &mut Counts, grade: &str, verdict: &str, count: &str) {
    let count: usize = count.trim().parse().unwrap();
    if count > 0 {
        *counts.entry((grade.to_owned(), name(verdict).to_owned())).or_default() += count;
    }
}

/// Counted again in this format; `None` for the workbook, which other people's software reads.
pub(crate) fn recount(format: Format, bytes: &[u8]) -> Option<Counts> {
    let text = || std::str::from_utf8(bytes).unwrap();
    let mut counts = Counts::new();
    match format {
        Format::Xlsx => return None,
        Format::Json => return Some(of_run(&Run::parse("run.json", bytes).unwrap())),
        Format::Table => {
            for grade in ["required", "advisory"] {
                let line = text().lines().find_map(|line| line.strip_prefix(&format!("  {grade}: ")));
                for part in line.unwrap_or_default().split(", ").filter(|part| !part.is_empty()) {
                    let (count, verdict) = part.split_once(' ').unwrap();
                    let verdict = verdict.replace("fail", "FAIL").replace("error", "ERROR");
                    add(&mut counts, grade, &verdict, count);
                }
            }
        }
        Format::Html => html(text(), &mut counts),
        Format::Csv => {
            let rows = csv(text());
            return Some(tally(rows[1..].iter().map(|row| (row[1].as_str(), row[0].as_str()))));
        }
        Format::Junit => {
            for property in text().split("<property name=\"").skip(1) {
                let mut parts = property.split('"');
                let Some((grade, verdict)) = parts.next().unwrap().split_once('.') else { continue };
                add(&mut counts, grade, verdict, parts.nth(1).unwrap());
            }
        }
        Format::Oscal => {
            let document: Value = serde_json::from_slice(bytes).unwrap();
            let result = &document["assessment-results"]["results"][0];
            let observations = result["observations"].as_array().cloned().unwrap_or_default();
            let prop = |o: &Value, name: &str| {
                let props = o["props"].as_array().unwrap();
                props.iter().find(|p| p["name"] == name).unwrap()["value"].as_str().unwrap().to_owned()
            };
            let rows: Vec<_> = observations.iter().map(|o| (prop(o, "grade"), prop(o, "verdict"))).collect();
            return Some(tally(rows.iter().map(|(grade, verdict)| (grade.as_str(), verdict.as_str()))));
        }
        Format::Hdf => {
            let document: Value = serde_json::from_slice(bytes).unwrap();
            let controls = document["profiles"][0]["controls"].as_array().unwrap();
            let tags = controls.iter().map(|control| &control["tags"]);
            return Some(tally(tags.map(|t| (t["grade"].as_str().unwrap(), t["verdict"].as_str().unwrap()))));
        }
        Format::Markdown => {
            let table = text().split("|---|---:|---:|\n").nth(1).unwrap();
            for line in table.lines().take_while(|line| line.starts_with('|')) {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                add(&mut counts, "required", cells[1], cells[2]);
                add(&mut counts, "advisory", cells[1], cells[3]);
            }
        }
        Format::Prometheus => {
            for line in text().lines().filter(|line| line.starts_with("cmcomply_requirements{")) {
                let parts: Vec<&str> = line.split('"').collect();
                add(&mut counts, parts[1], parts[3], parts[4].trim_start_matches('}'));
            }
        }
    }
    Some(counts)
}

/// The lines of the endpoint tables: each row says its verdict, and what follows the advisory head is advisory.
fn html(page: &str, counts: &mut Counts) {
    for table in page.split("<table class=\"endpoints\">").skip(1) {
        let table = table.split("</table>").next().unwrap();
        let mut grade = "required";
        for row in table.split("<tr>").skip(2) {
            if row.contains("scope=\"rowgroup\"") {
                grade = "advisory";
                continue;
            }
            let verdict = row.split("<span class=\"verdict ").nth(1).unwrap().split('>').nth(1).unwrap();
            add(counts, grade, verdict.split('<').next().unwrap(), "1");
        }
    }
}

/// RFC 4180, read independently of the writer.
pub(crate) fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.strip_prefix('\u{feff}').unwrap().chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "the last line has no end");
    rows
}

#[test]
fn every_format_has_the_same_counts() {
    for run in sample::hostile().into_iter().chain([sample::run(), sample::empty()]) {
        let counts = of_run(&run);
        for format in Format::ALL {
            if let Some(again) = recount(format, &format.render(&run).unwrap()) {
                assert_eq!(again, counts, "{format}");
            }
        }
    }
    let expected = sample::COUNTS.iter().flat_map(|(_, required, advisory)| [required, advisory]).sum::<usize>();
    assert_eq!(of_run(&sample::run()).values().sum::<usize>(), expected);
    assert_eq!(of_run(&sample::run()).len(), 12);
}

/// Those formats of the quarterly report that are text say numbers of their own; here they are what the run has.
#[test]
fn the_quarterly_report_has_the_same_counts() {
    for run in sample::hostile().into_iter().chain([sample::run(), sample::empty()]) {
        let counts = of_run(&run);
        let required = |verdicts: &[&str]| -> usize {
            let keys = verdicts.iter().map(|verdict| ("required".to_owned(), (*verdict).to_owned()));
            keys.map(|key| counts.get(&key).copied().unwrap_or(0)).sum()
        };
        let (pass, waived) = (required(&["pass"]), required(&["waived"]));
        let (not_passing, unseen) = (required(&["fail", "waived"]), required(&["not_observed", "error"]));
        let all = pass + not_passing + unseen;
        let report = quarterly(run);
        let (text, html) = (report.text(), String::from_utf8(report.html()).unwrap());
        let rows = [
            ("required", all),
            ("passing", pass),
            ("not passing", not_passing),
            ("of these waived", waived),
            ("not observed", unseen),
        ];
        for (name, number) in rows {
            assert!(text.contains(&format!("\n  {name} | {number} | {number} of {all}")), "{name}: {text}");
            let row = html.split("<tr>").find(|row| row.contains(&format!(">{name}</"))).unwrap();
            assert!(row.contains(&format!("<td class=\"number\">{number}</td>")), "{name}: {row}");
        }
        let listed = text.split("\n4. ").nth(1).unwrap().split("\n5. ").next().unwrap();
        let lines = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("  verdict | ")).count();
        assert_eq!(lines, not_passing + unseen, "{listed}");
    }
}

/// The quarterly report on a run that stands alone in no store.
fn quarterly(run: Run) -> QuarterReport {
    let name = RunName::parse("20261125T080000Z-PS1-1f0c9a3e").unwrap();
    let (format, runs, findings, notes) = (VERIFICATION_FORMAT.to_owned(), vec![], vec![], vec![]);
    let verification = Verification { format, runs, findings, notes };
    let kept = vec![Kept { name, run }];
    let history = History::new("2026Q4".parse().unwrap(), None, kept, vec![], verification).unwrap();
    QuarterReport::new(&history, "2027-01-10T00:00:00Z".parse().unwrap())
}
