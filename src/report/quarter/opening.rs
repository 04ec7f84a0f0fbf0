//! Cover, verdict, coverage.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::summary::Summary;
use super::History;
use super::section::{Block, Cell, Section};
use crate::assess::{Grade, Verdict};
use crate::derive::Subject;
use crate::evidence::{Run, VantageRecord};

pub(super) fn cover(history: &History, now: Timestamp) -> Section {
    let (kept, run, quarter) = (history.newest_kept(), history.newest(), history.quarter());
    let mut section = Section::new(1, "cover", "What this report is about");
    let findings = &history.verification().findings;
    if !findings.is_empty() {
        section = section
            .with(Block::Alert(format!(
                "the store does not verify: {} findings. What follows may rest on runs that were changed or are missing.",
                findings.len()
            )))
            .list(findings.iter().map(super::super::runs::finding).collect());
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    if today <= quarter.last_day() {
        let text = format!("the quarter is not over: this is how things stood on {:.0}", run.moments.finished);
        section = section.with(Block::Alert(text));
    }
    let summary = Summary::of(run);
    let runs = history.of(quarter).map(|kept| kept.name.to_string()).collect::<Vec<_>>();
    let sites = run.facts.sites.known().map_or("not known".to_owned(), |sites| sites.len().to_string());
    let mut facts = vec![
        ("hierarchy", format!("{}, sites in it: {sites}", history.site_title())),
        ("period", format!("{quarter}, {} to {} (UTC)", quarter.first_day(), quarter.last_day())),
        ("result", run.outcome.title().to_owned()),
        ("run that it rests on", format!("{}, the last of the quarter", kept.name)),
        ("runs of the quarter", runs.join(", ")),
        ("SHA-256 of its SHA256SUMS", history.manifest(&kept.name).unwrap_or("none").to_owned()),
    ];
    let about = summary.about.into_iter().filter(|(name, _)| *name != "result");
    facts.extend(about.map(|(name, value)| match name {
        "begun" => (name, format!("{:.0}", run.moments.started)),
        "ended" => (name, format!("{:.0}", run.moments.finished)),
        _ => (name, value),
    }));
    let mut limits: Vec<String> = summary.limits.into_iter().map(|limit| format!("{limit}.")).collect();
    limits.extend(
        history
            .damaged()
            .iter()
            .map(|damage| format!("Run {} cannot be read and is left out: {}.", damage.name, damage.why)),
    );
    let gaps: Vec<String> = history
        .quarters()
        .into_iter()
        .filter(|quarter| history.of(*quarter).next().is_none())
        .map(|quarter| quarter.to_string())
        .collect();
    if !gaps.is_empty() {
        limits.push(format!("There is no run of {}: what changed then shows in the quarter after.", gaps.join(", ")));
    }
    section.with(Block::Facts(facts)).text("Limits of this report:").list(limits)
}

pub(super) fn verdict(history: &History) -> Section {
    let run = history.newest();
    let count = |verdict| run.outcome.tally.count(Grade::Required, verdict);
    let (pass, fail, waived) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Waived));
    let unseen = count(Verdict::NotObserved) + count(Verdict::Error);
    let all = pass + fail + waived + unseen;
    let of_all = |number: usize| {
        // In tenths of a percent, rounded down: 99.96 % is not 100 %.
        let share = (number * 1000).checked_div(all).map(|tenths| format!(" ({}.{} %)", tenths / 10, tenths % 10));
        Cell::Text(format!("{number} of {all}{}", share.unwrap_or_default()))
    };
    let rows = vec![
        vec!["required".into(), all.into(), of_all(all)],
        vec!["passing".into(), pass.into(), of_all(pass)],
        vec!["not passing".into(), (fail + waived).into(), of_all(fail + waived)],
        vec!["of these waived".into(), waived.into(), of_all(waived)],
        vec!["not observed".into(), unseen.into(), of_all(unseen)],
    ];
    let sentence = format!(
        "{}: of {all} required endpoints, {pass} pass, {} do not ({waived} of them waived), and {unseen} were not observed.",
        run.outcome.title(),
        fail + waived
    );
    Section::new(2, "verdict", "Verdict")
        .text(sentence)
        .table("Required endpoints", &["endpoints", "number", "of all that is required"], rows, "Nothing is required.")
        .list(run.outcome.incomplete.clone())
}

pub(super) fn coverage(history: &History) -> Section {
    let run = history.newest();
    let section = Section::new(3, "coverage", "Coverage");
    let in_database: BTreeSet<String> =
        run.facts.site_systems.rows().iter().map(|system| system.host.to_string()).collect();
    // Required endpoints, seen from the host itself, seen from elsewhere, not seen.
    let mut counts: BTreeMap<(String, &str), [usize; 4]> = BTreeMap::new();
    let mut itself = BTreeSet::new();
    for (requirement, judgement) in run.requirements.iter().zip(&run.judgements) {
        let counted = counts.entry((requirement.subject.to_string(), requirement.role.title())).or_default();
        let seen = !matches!(judgement.verdict, Verdict::NotObserved | Verdict::Error | Verdict::NotApplicable);
        if judgement.observed_from_role_host && matches!(requirement.subject, Subject::Host { .. }) {
            itself.insert(requirement.subject.to_string());
        }
        if judgement.grade == Grade::Required && judgement.verdict != Verdict::NotApplicable {
            counted[0] += 1;
            counted[match (seen, judgement.observed_from_role_host) {
                (true, true) => 1,
                (true, false) => 2,
                (false, _) => 3,
            }] += 1;
        }
    }
    let mut rows: Vec<_> = counts.into_iter().filter(|(_, counts)| counts[0] > 0).collect();
    // What nobody looked at comes first.
    rows.sort_by_key(|((host, role), counts)| (counts[1] + counts[2] > 0, host.clone(), *role));
    let unseen = rows.iter().filter(|(_, counts)| counts[1] + counts[2] == 0).count();
    let rows = rows
        .into_iter()
        .map(|((host, role), counts)| {
            let mut row: Vec<Cell> = vec![host.into(), role.into()];
            row.extend(counts.map(Cell::Number));
            row
        })
        .collect();
    let probed = run.observations.iter().filter(|seen| !seen.was_cancelled()).map(|seen| seen.started);
    let span = match (probed.clone().min(), probed.max()) {
        (Some(first), Some(last)) => format!("Observed between {first:.0} and {last:.0}."),
        _ => "Nothing was observed.".to_owned(),
    };
    let without: Vec<String> = in_database.iter().filter(|host| !itself.contains(*host)).cloned().collect();
    let hosts = if run.facts.site_systems.is_unknown() {
        "How many hosts the site database has is not known.".to_owned()
    } else {
        let observed = in_database.iter().filter(|host| itself.contains(*host)).count();
        format!("{} hosts in the site database; {observed} of them were observed from themselves.", in_database.len())
    };
    let section = section.text(format!("{hosts} Roles without any observation: {unseen}.")).text(span);
    let section = if without.is_empty() {
        section
    } else {
        section.text(format!("Not observed from themselves: {}.", without.join(", ")))
    };
    let section = section.list(looks(run, history.quarter().last_day()));
    let columns = ["host", "role", "required", "seen from itself", "seen from elsewhere", "not seen"];
    section.table("Required endpoints by host and role, unseen roles first", &columns, rows, "Nothing is required.")
}

/// How many observations come from where, and how old they are at the end of the quarter.
fn looks(run: &Run, last_day: Date) -> Vec<String> {
    let seen: BTreeMap<_, _> = run.observations.iter().map(|seen| (&seen.probe, seen.started)).collect();
    let of = |(place, vantage): (usize, &VantageRecord)| {
        let judged = run.judgements.iter().filter(|judgement| judgement.vantage == place);
        let probes: BTreeSet<_> = judged.flat_map(|judgement| &judgement.probes).collect();
        let moments: Vec<Timestamp> = probes.into_iter().filter_map(|probe| seen.get(probe).copied()).collect();
        let newest = moments.iter().max()?.to_zoned(TimeZone::UTC).date();
        let age = (last_day - newest).get_days();
        let way = super::super::vantages::way(vantage);
        Some(format!("{} observations from {way}: {newest}, {age} days before the end of the quarter.", moments.len()))
    };
    run.vantages.iter().enumerate().filter_map(of).collect()
}
