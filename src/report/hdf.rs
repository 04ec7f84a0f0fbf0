//! Heimdall Data Format 1, which is the exec-json of `InSpec`.
//!
//! A control for each requirement, with exactly one result: a control with a skipped and a passed result shows as
//! passed, and one without results as a broken profile. A waived failure stays `failed` with the waiver beside it, since
//! Heimdall takes a waived control for not applicable and raises the score.

use serde_json::{Value, json};

use super::layers;
use super::row::{Group, Row, groups};
use super::summary::{self, Summary};
use super::words;
use crate::assess::{Grade, Verdict};
use crate::catalog::Tier;
use crate::evidence::Run;
use crate::text::printable;

pub(super) fn render(run: &Run) -> Result<Vec<u8>, serde_json::Error> {
    let summary = Summary::of(run);
    let groups = groups(run);
    let controls: Vec<Value> = groups.iter().flat_map(|group| group.rows.iter().map(control)).collect();
    let seconds = run.moments.finished.duration_since(run.moments.started).as_secs_f64();
    let about: Vec<Value> = summary
        .about
        .iter()
        .map(|(name, value)| json!({ "name": name, "options": { "value": text(value) } }))
        .collect();
    let site = &run.facts.connection;
    let document = json!({
        "platform": {
            "name": "cmcomply",
            "release": text(&run.tool.version),
            "target_id": text(&format!("{} on {}", site.database, site.server)),
        },
        "version": text(&run.tool.version),
        "statistics": { "duration": seconds },
        "profiles": [{
            "name": "cmcomply",
            "title": text(&summary.title),
            "summary": text(&[summary.incomplete, summary.limits].concat().join(". ")),
            "version": text(&run.catalog.version),
            "sha256": summary::sha256(run),
            "status": "loaded",
            "supports": [],
            "attributes": about,
            "groups": groups.iter().map(of_group).collect::<Vec<_>>(),
            "controls": controls,
        }],
    });
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn of_group(group: &Group<'_>) -> Value {
    json!({
        "id": text(&format!("{}/{}", group.subject, group.role.title())),
        "title": text(&format!("{}, {}", group.subject, group.role.title())),
        "controls": group.rows.iter().map(|row| text(&row.requirement.id.0)).collect::<Vec<_>>(),
    })
}

fn control(row: &Row<'_>) -> Value {
    let requirement = row.requirement;
    let documents: Vec<Value> = row
        .documents()
        .iter()
        .map(|cited| json!({ "ref": text(&cited.to_string()), "url": text(cited.url.unwrap_or_default()) }))
        .collect();
    json!({
        "id": text(&requirement.id.0),
        "title": text(&format!("{} for {} ({})", row.endpoint(), requirement.subject, requirement.role.title())),
        "desc": text(&requirement.reasons.join("; ")),
        "descriptions": [
            { "label": "check", "data": text(&row.route()) },
            { "label": "fix", "data": text(row.remedy()) },
        ],
        "impact": impact(row),
        "refs": documents,
        "tags": {
            "verdict": words::name(row.judgement.verdict),
            "grade": grade(row.judgement.grade),
            "cause": text(row.code()),
            "site": text(&row.site()),
            "host": text(&requirement.subject.to_string()),
            "role": requirement.role.title(),
            "entry": text(&requirement.entry.0),
            "tier": requirement.tier.name(),
            "evidence_grade": row.grade_of_evidence(),
            "looked_at_from": text(row.machine()),
            "notes": row.judgement.notes.iter().map(|note| text(note)).collect::<Vec<_>>(),
        },
        "code": "",
        "source_location": { "ref": text(&requirement.entry.0), "line": 1 },
        "waiver_data": waiver(row),
        "results": [result(row)],
    })
}

fn result(row: &Row<'_>) -> Value {
    let said = text(&row.sentence());
    let mut result = json!({
        "status": status(row.judgement.verdict),
        "code_desc": text(&format!("{} is reached from {} by {}", row.endpoint(), row.requirement.subject, row.route())),
        "start_time": row.moment().to_string(),
    });
    match status(row.judgement.verdict) {
        "passed" => {}
        "skipped" => result["skip_message"] = json!(said),
        _ => {
            let seen = row.all_seen().flat_map(layers::lines);
            let lines: Vec<String> = std::iter::once(said).chain(seen.map(|line| text(&line))).collect();
            result["message"] = json!(lines.join("\n"));
        }
    }
    result
}

fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail | Verdict::Waived => "failed",
        Verdict::NotObserved | Verdict::NotApplicable => "skipped",
        Verdict::Error => "error",
    }
}

/// Impact 0 means not applicable, whatever the result.
fn impact(row: &Row<'_>) -> f64 {
    match (row.judgement.verdict, row.judgement.grade, row.requirement.tier) {
        (Verdict::NotApplicable, ..) => 0.0,
        (_, Grade::Advisory, _) | (_, _, Tier::Advisory) => 0.1,
        (_, _, Tier::Critical) => 0.9,
        (_, _, Tier::Required) => 0.7,
        (_, _, Tier::Feature) => 0.5,
    }
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Required => "required",
        Grade::Advisory => "advisory",
    }
}

fn waiver(row: &Row<'_>) -> Value {
    if row.judgement.verdict != Verdict::Waived {
        return json!({});
    }
    let mut data = json!({ "run": true, "skipped_due_to_waiver": false, "justification": text(&row.sentence()) });
    if let Some(waiver) = row.waiver() {
        data["justification"] = json!(text(&words::waiver(waiver)));
        data["expiration_date"] = json!(waiver.valid_through.to_string());
    }
    data
}

/// Heimdall shows some texts as HTML, so none holds the sign that begins a tag.
fn text(text: &str) -> String {
    printable(text, 4000).replace('<', "\u{2039}")
}
