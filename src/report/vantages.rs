//! From where a run looked, in words.

use crate::assess::Judgement;
use crate::evidence::{Run, VantageRecord};
use crate::vantage::{EvidenceGrade, VantageKind};

/// A line for each vantage that looks for somebody.
pub(super) fn lines(run: &Run) -> Vec<String> {
    let used = run.vantages.iter().filter(|vantage| !vantage.looks_for.is_empty());
    let (none, some): (Vec<_>, Vec<_>) = used.partition(|vantage| vantage.kind == VantageKind::None);
    let left_out: Vec<String> =
        none.iter().flat_map(|vantage| &vantage.looks_for).map(|looked| looked.subject.to_string()).collect();
    let mut lines: Vec<String> = some.into_iter().map(line).collect();
    if !left_out.is_empty() {
        lines.push(format!("nobody looks for {}, as the settings say", left_out.join(", ")));
    }
    lines
}

/// `cm01.contoso.com by ssh as CONTOSO\audit: evidence of grade B, from ... to ...`
fn line(vantage: &VantageRecord) -> String {
    let how = way(vantage);
    if let Some(unreached) = &vantage.unreached {
        return format!("{how}: could not be used: {unreached}");
    }
    let mut grades: Vec<EvidenceGrade> = vantage.looks_for.iter().filter_map(|looked| looked.grade).collect();
    grades.sort_unstable();
    grades.dedup();
    let letters: Vec<&str> = grades.iter().map(|grade| grade.letter()).collect();
    let mut text = match letters.as_slice() {
        [] => format!("{how}: nothing was to be looked at"),
        [one] => format!("{how}: evidence of grade {one}"),
        several => format!("{how}: evidence of grades {}", several.join(", ")),
    };
    if let (Some(started), Some(finished)) = (vantage.started, vantage.finished) {
        text = format!("{text}, from {started:.0} to {finished:.0}");
    }
    match vantage.clock_ahead_s {
        0 => {}
        ahead @ 1.. => text = format!("{text}, its clock {ahead} s ahead"),
        behind => text = format!("{text}, its clock {} s behind", -behind),
    }
    if !vantage.complete {
        text.push_str(", not to the end");
    }
    text
}

/// `cm01.contoso.com by ssh as CONTOSO\audit`
fn way(vantage: &VantageRecord) -> String {
    let account = vantage.account.as_ref().map(|account| format!(" as {account}")).unwrap_or_default();
    match vantage.kind {
        VantageKind::Local => format!("this machine, {}{account}", vantage.title()),
        VantageKind::Carried => format!("{} by a file that was carried{account}", vantage.title()),
        kind => format!("{} by {}{account}", vantage.title(), kind.name()),
    }
}

/// The machine that looked, or was to look, for a requirement.
pub(super) fn machine<'a>(run: &'a Run, judgement: &Judgement) -> &'a str {
    run.vantages.get(judgement.vantage).map_or_else(|| run.vantage.title(), VantageRecord::title)
}

/// `evidence of grade B (the host itself, as another account): cm01.contoso.com by ssh`; empty where nobody looked.
pub(super) fn evidence(run: &Run, judgement: &Judgement) -> String {
    let (Some(grade), Some(vantage)) = (judgement.evidence_grade, run.vantages.get(judgement.vantage)) else {
        return String::new();
    };
    format!("evidence of grade {grade} ({}): {}", grade.meaning(), way(vantage))
}

/// The letter; empty where nobody looked.
pub(super) fn letter(judgement: &Judgement) -> &'static str {
    judgement.evidence_grade.map_or("", EvidenceGrade::letter)
}
