//! What is in a store, and what a verification of it found, for people and spreadsheets.

use super::listing::Listing;
use super::table::line;
use crate::assess::{Grade, Verdict};
use crate::evidence::store::{RunList, StoreFinding, StoreProblem, StoredRun, Verification};

/// One line for each run.
pub fn run_rows(list: &RunList) -> Listing<9> {
    Listing {
        columns: ["run", "began", "result", "pass", "fail", "waived", "not seen", "catalog", "signed"],
        rows: list.runs.iter().map(run_row).collect(),
    }
}

/// The same for a terminal, in fewer columns.
pub fn runs_brief(list: &RunList) -> Listing<3> {
    let brief = |run: &StoredRun| {
        let [name, _, result, pass, fail, waived, unseen, ..] = run_row(run);
        let counts = if run.record.is_some() {
            format!("{pass} pass, {fail} fail, {waived} waived, {unseen} not seen")
        } else {
            String::new()
        };
        [name, result, counts]
    };
    Listing { columns: ["run", "result", "required"], rows: list.runs.iter().map(brief).collect() }
}

fn run_row(run: &StoredRun) -> [String; 9] {
    let mut row: [String; 9] = std::array::from_fn(|_| String::new());
    row[0] = run.run.to_string();
    row[8] = String::from(if run.signed { "yes" } else { "no" });
    let Some(record) = &run.record else {
        row[2] = format!("cannot be read: {}", run.problem.as_deref().unwrap_or_default());
        return row;
    };
    let count = |verdict| record.tally.count(Grade::Required, verdict);
    let redacted = if record.redacted { " (pseudonyms)" } else { "" };
    row[1] = record.started.to_string();
    row[2] = format!("{}{redacted}", record.result);
    row[3] = count(Verdict::Pass).to_string();
    row[4] = count(Verdict::Fail).to_string();
    row[5] = count(Verdict::Waived).to_string();
    row[6] = (count(Verdict::NotObserved) + count(Verdict::Error)).to_string();
    row[7].clone_from(&record.catalog);
    row
}

/// One line for each finding.
pub fn verification_rows(verification: &Verification) -> Listing<4> {
    let row = |finding: &StoreFinding| {
        let run = finding.run.as_ref().map(ToString::to_string).unwrap_or_default();
        let file = finding.file.clone().unwrap_or_default();
        [finding.problem.title().to_owned(), run, file, finding.text.clone()]
    };
    Listing { columns: ["problem", "run", "file", "what it is"], rows: verification.findings.iter().map(row).collect() }
}

/// A finding as one line.
pub fn finding(finding: &StoreFinding) -> String {
    let run = finding.run.as_ref().map(|run| format!(" {run}")).unwrap_or_default();
    let file = finding.file.as_ref().map(|file| format!(" {file}")).unwrap_or_default();
    format!("{}:{run}{file}: {}", finding.problem.title(), finding.text)
}

/// The verification as text: the runs, what is wrong, what one should know.
pub fn verification(verification: &Verification, width: usize) -> String {
    let mut out = String::new();
    for run in &verification.runs {
        let unchanged = |problem: StoreProblem| matches!(problem, StoreProblem::Unsigned);
        let wrong = verification.findings.iter().any(|f| f.run.as_ref() == Some(&run.run) && !unchanged(f.problem));
        let state = if wrong { "NOT AS WRITTEN" } else { "as written" };
        let signed = match (&run.key, run.signature_is_good) {
            (Some(key), Some(true)) => format!(", signed with key {key}"),
            (Some(key), Some(false)) => format!(", NOT A GOOD SIGNATURE (key {key})"),
            (Some(key), None) => format!(", signature of key {key} not checked (no --public-key)"),
            (None, _) => String::new(),
        };
        let after = run.previous.as_ref().map_or("follows none".to_owned(), |previous| format!("follows {previous}"));
        line(&format!("{}: {state}, {} files, {after}{signed}", run.run, run.files), width, &mut out);
    }
    for note in &verification.notes {
        line(note, width, &mut out);
    }
    out.push('\n');
    if !verification.findings.is_empty() {
        out.push_str(&verification_rows(verification).table(width));
        out.push('\n');
    }
    let result = match (verification.findings.len(), verification.runs.len()) {
        (0, 0) => "nothing to verify: the store holds no run".to_owned(),
        (0, runs) => format!("the store is as it was written: {runs} runs"),
        (findings, runs) => format!("the store is NOT as it was written: {findings} findings, {runs} runs"),
    };
    line(&result, width, &mut out);
    out
}
