//! From where a run looked, in words.

use crate::assess::Judgement;
use crate::evidence::{Run, Seeing, VantageRecord};
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

/// How far its clock is off: `30 s behind`; empty where it is not.
pub(super) fn clock(vantage: &VantageRecord) -> String {
    match vantage.clock_ahead_s {
        0 => String::new(),
        ahead @ 1.. => format!("{ahead} s ahead"),
        behind => format!("{} s behind", behind.unsigned_abs()),
    }
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
    let clock = clock(vantage);
    if !clock.is_empty() {
        text = format!("{text}, its clock {clock}");
    }
    let options = vantage.settings.as_ref().map(Seeing::options).unwrap_or_default();
    if !options.is_empty() {
        text = format!("{text}, with {}", options.join(", "));
    }
    if !vantage.complete {
        text.push_str(", not to the end");
    }
    text
}

/// `cm01.contoso.com by ssh as CONTOSO\audit`
pub(super) fn way(vantage: &VantageRecord) -> String {
    let account = vantage.account.as_ref().map(|account| format!(" as {account}")).unwrap_or_default();
    match vantage.kind {
        VantageKind::Local => format!("this machine, {}{account}", vantage.title()),
        VantageKind::RunScripts => format!("the {} themselves by Run Scripts{account}", vantage.title()),
        VantageKind::Carried => format!("{} by a file that was carried{account}", vantage.title()),
        kind => format!("{} by {}{account}", vantage.title(), kind.name()),
    }
}

/// The machine that looked, or was to look, for a requirement.
pub(super) fn machine<'a>(run: &'a Run, judgement: &Judgement) -> &'a str {
    run.vantages.get(judgement.vantage).map_or_else(|| run.vantage.title(), VantageRecord::title)
}

/// How one looked for a requirement, with when; `None` where nobody did.
pub(super) fn looked(run: &Run, judgement: &Judgement) -> Option<String> {
    let vantage = run.vantages.get(judgement.vantage)?;
    (judgement.evidence_grade.is_some() || vantage.unreached.is_some()).then(|| line(vantage))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanBounds;

    #[test]
    fn what_changed_what_another_machine_saw_is_said() {
        let bounds =
            PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
        let plain = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds };
        let said = |settings: Seeing| {
            line(&VantageRecord {
                machine: "cm01.contoso.com".parse().ok(),
                kind: VantageKind::Ssh,
                account: None,
                os: None,
                tool: None,
                plan_sha256: "c".repeat(64),
                started: None,
                finished: None,
                clock_ahead_s: 0,
                settings: Some(settings),
                facts: None,
                complete: true,
                unreached: None,
                looks_for: Vec::new(),
            })
        };
        assert!(!said(plain.clone()).contains("with"));
        let roots = Seeing { extra_roots: vec!["0".repeat(64)], ..plain.clone() };
        assert!(said(roots.clone()).ends_with(", with --ca-file"), "{}", said(roots));
        let all = Seeing {
            dns_server: Some("10.0.0.1:53".to_owned()),
            connect_to: vec!["a:443:b:443".to_owned()],
            extra_roots: vec!["0".repeat(64)],
            ..plain
        };
        assert!(said(all.clone()).ends_with(", with --connect-to, --dns-server, --ca-file"), "{}", said(all));
    }
}
