//! NIST OSCAL 1.2.1, assessment results.
//!
//! Each requirement is an observation with its evidence; unless nothing is needed it is a finding too, and where it
//! counts and does not pass a risk with its remedy. OSCAL knows `satisfied` and `not-satisfied` only, so what was not
//! seen is not satisfied, for the reason `other`; the property `verdict` says what it is. Every identifier is made from
//! what it stands for, so that two runs compare.

mod names;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::layers;
use super::row::{Row, rows};
use super::summary::{self, Summary};
use super::words;
use crate::assess::{Grade, Verdict};
use crate::derive::Subject;
use crate::evidence::Run;
use names::{id, is_reference, line, lines, property, token};

pub(super) fn render(run: &Run) -> Result<Vec<u8>, serde_json::Error> {
    let summary = Summary::of(run);
    let document = summary::sha256(run);
    let plan = id("run document", &document);
    let mut results = json!({
        "uuid": id("assessment results", &document),
        "metadata": {
            "title": line(&summary.title),
            "last-modified": run.moments.finished.to_string(),
            "version": document,
            "oscal-version": "1.2.1",
            "props": summary.about.iter().map(|(name, value)| property(&token(name), value)).collect::<Vec<_>>(),
        },
        "import-ap": {
            "href": format!("#{plan}"),
            "remarks": "What was to be assessed stands in the run document: the requirements that were derived from the \
                        site database.",
        },
        "results": [result(run, &summary, &document)],
    });
    let mut resources = vec![json!({
        "uuid": plan,
        "title": "The run document",
        "description": "As cmcomply writes it: facts, requirements, what was seen, verdicts.",
        "rlinks": [{
            "href": "run.json",
            "media-type": "application/json",
            "hashes": [{ "algorithm": "SHA-256", "value": document }],
        }],
    })];
    resources.extend(run.catalog.documents.iter().map(|(key, cited)| {
        let mut resource = json!({ "uuid": id("document", key), "title": line(&cited.title) });
        if is_reference(&cited.url) {
            resource["rlinks"] = json!([{ "href": cited.url }]);
        }
        resource
    }));
    results["back-matter"] = json!({ "resources": resources });
    let mut bytes = serde_json::to_vec_pretty(&json!({ "assessment-results": results }))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn result(run: &Run, summary: &Summary, document: &str) -> Value {
    let rows = rows(run);
    let mut result = json!({
        "uuid": id("result", document),
        "title": line(&summary.title),
        "description": lines(&[summary.incomplete.clone(), summary.limits.clone()].concat()),
        "start": run.moments.started.to_string(),
        "end": run.moments.finished.to_string(),
        "props": [property("outcome", run.outcome.title())],
        "reviewed-controls": {
            "description": "Objectives are the requirements of the run document; no control is claimed to be satisfied.",
            "control-selections": [{ "include-all": {} }],
        },
    });
    // No empty lists: the schema refuses them.
    for (name, list) in [
        ("observations", rows.iter().map(observation).collect::<Vec<_>>()),
        ("risks", rows.iter().filter(|row| row.is_not_passing()).map(risk).collect()),
        ("findings", rows.iter().filter(|row| row.judgement.verdict != Verdict::NotApplicable).map(finding).collect()),
    ] {
        if !list.is_empty() {
            result[name] = list.into();
        }
    }
    let subjects: BTreeMap<&Subject, Value> =
        run.requirements.iter().map(|requirement| (&requirement.subject, inventory(&requirement.subject))).collect();
    if !subjects.is_empty() {
        let items: Vec<Value> = subjects.into_values().collect();
        result["local-definitions"] = json!({ "inventory-items": items });
    }
    result
}

fn inventory(subject: &Subject) -> Value {
    let mut item = json!({ "uuid": subject_id(subject), "description": line(&subject.to_string()) });
    if let Subject::Host { site, host } = subject {
        item["props"] = json!([{ "name": "fqdn", "value": host.as_str() }, property("site", &site.to_string())]);
    }
    item
}

fn subject_id(subject: &Subject) -> String {
    id("subject", &serde_json::to_string(subject).unwrap_or_default())
}

fn title(row: &Row<'_>) -> String {
    let requirement = row.requirement;
    line(&format!("{} for {} ({})", row.endpoint(), requirement.subject, requirement.role.title()))
}

fn properties(row: &Row<'_>) -> Vec<Value> {
    let grade = match row.judgement.grade {
        Grade::Required => "required",
        Grade::Advisory => "advisory",
    };
    let values = [
        ("verdict", words::name(row.judgement.verdict)),
        ("grade", grade),
        ("cause", row.code()),
        ("tier", row.requirement.tier.name()),
        ("catalog-entry", row.requirement.entry.0.as_str()),
        ("requirement", row.requirement.id.0.as_str()),
        ("evidence-grade", row.grade_of_evidence()),
        ("looked-at-from", row.machine()),
    ];
    values.iter().filter(|(_, value)| !value.trim().is_empty()).map(|(name, value)| property(name, value)).collect()
}

fn observation(row: &Row<'_>) -> Value {
    let requirement = row.requirement;
    let reasons = requirement.reasons.iter().map(|reason| format!("needed because {reason}"));
    let about: Vec<String> = std::iter::once(row.sentence())
        .chain([format!("route: {}", row.route())])
        .chain(row.judgement.notes.iter().cloned())
        .chain(reasons)
        .collect();
    let mut observation = json!({
        "uuid": id("observation", &requirement.id.0),
        "title": title(row),
        "description": lines(&about),
        "props": properties(row),
        "methods": [if row.observed().is_some() { "TEST" } else { "UNKNOWN" }],
        "types": ["control-objective"],
        "subjects": [{
            "subject-uuid": subject_id(&requirement.subject),
            "type": "inventory-item",
            "title": line(&requirement.subject.to_string()),
        }],
        "collected": row.moment().to_string(),
    });
    if !row.observations.is_empty() {
        let evidence = row.all_seen().map(|seen| json!({ "description": lines(&layers::lines(seen)) }));
        observation["relevant-evidence"] = evidence.collect();
    }
    let links = links(row);
    if !links.is_empty() {
        observation["links"] = links.into();
    }
    observation
}

fn links(row: &Row<'_>) -> Vec<Value> {
    let sources = row.entry.map_or(&[][..], |entry| &entry.sources);
    let known = sources.iter().filter(|source| row.run.catalog.documents.contains_key(&source.document));
    let mut links: Vec<Value> = known
        .map(|source| json!({ "href": format!("#{}", id("document", &source.document)), "rel": "reference" }))
        .collect();
    links.dedup();
    links
}

fn risk(row: &Row<'_>) -> Value {
    let key = &row.requirement.id.0;
    let waived = row.judgement.verdict == Verdict::Waived;
    let mut risk = json!({
        "uuid": id("risk", key),
        "title": title(row),
        "description": lines(&[row.sentence()]),
        "statement": lines(&[format!(
            "{} needs {} as {}; {}",
            row.requirement.subject,
            row.endpoint(),
            row.requirement.role.title(),
            row.requirement.reasons.join("; ")
        )]),
        "props": properties(row),
        "status": if waived { "deviation-approved" } else { "open" },
        "related-observations": [{ "observation-uuid": id("observation", key) }],
    });
    if let Some(waiver) = row.waiver() {
        risk["description"] = json!(lines(&[row.sentence(), format!("waived: {}", words::waiver(waiver))]));
        risk["deadline"] = json!(format!("{}T23:59:59Z", waiver.valid_through));
    }
    if !row.remedy().trim().is_empty() {
        risk["remediations"] = json!([{
            "uuid": id("remedy", key),
            "lifecycle": "recommendation",
            "title": "What to do",
            "description": lines(&[row.remedy().to_owned()]),
        }]);
    }
    risk
}

fn finding(row: &Row<'_>) -> Value {
    let key = &row.requirement.id.0;
    let (state, reason) = match row.judgement.verdict {
        Verdict::Pass => ("satisfied", "pass"),
        Verdict::Fail | Verdict::Waived => ("not-satisfied", "fail"),
        Verdict::NotObserved | Verdict::Error | Verdict::NotApplicable => ("not-satisfied", "other"),
    };
    let mut finding = Map::new();
    finding.insert("uuid".to_owned(), id("finding", key).into());
    finding.insert("title".to_owned(), title(row).into());
    finding.insert("description".to_owned(), lines(&[row.sentence()]).into());
    finding.insert("props".to_owned(), properties(row).into());
    finding.insert(
        "target".to_owned(),
        json!({
            "type": "objective-id",
            "target-id": format!("{}.{}", token(&row.requirement.entry.0), id("objective", key)),
            "status": { "state": state, "reason": reason },
        }),
    );
    finding.insert("related-observations".to_owned(), json!([{ "observation-uuid": id("observation", key) }]));
    if row.is_not_passing() {
        finding.insert("related-risks".to_owned(), json!([{ "risk-uuid": id("risk", key) }]));
    }
    finding.into()
}
