//! The section of one role of one host: every endpoint with its verdict, reasons and evidence.

use super::super::layers;
use super::super::markup::{Element, el};
use super::super::row::{Group, Row};
use super::super::words;
use super::{anchor, column, count, verdict};
use crate::assess::{Grade, Verdict};
use crate::probe::Observation;

/// With its title and in how few words it stands.
pub(super) fn section(number: usize, group: &Group<'_>) -> Element {
    let required = group.rows.iter().filter(|row| row.judgement.grade == Grade::Required).count();
    let passing = count(&group.rows, Grade::Required, |verdict| verdict == Verdict::Pass);
    let site = group.site();
    let site = if site.is_empty() { String::new() } else { format!("Site {site}. ") };
    let advisory = group.rows.len() - required;
    let said = format!("{site}{passing} of {required} endpoints that count pass; {advisory} are advisory.");
    el("section")
        .class("group")
        .attr("id", anchor(number))
        .child(el("h2").text(group.title()))
        .child(el("p").text(said))
        .child(endpoints(group))
}

/// The table of its endpoints.
pub(super) fn endpoints(group: &Group<'_>) -> Element {
    let (required, advisory): (Vec<_>, Vec<_>) =
        group.rows.iter().partition(|row| row.judgement.grade == Grade::Required);
    let titles = ["verdict", "endpoint, route, catalog entry", "what was seen, and what to do"].map(column);
    let mut table = el("table")
        .class("endpoints")
        .child(el("caption").text(format!("Endpoints of {}", group.title())))
        .child(el("thead").child(el("tr").children(titles)));
    if !required.is_empty() {
        table = table.child(el("tbody").children(required.into_iter().map(row)));
    }
    if !advisory.is_empty() {
        let between =
            el("th").attr("colspan", "3").attr("scope", "rowgroup").text("Advisory: shown, and decides nothing");
        table = table.child(el("tbody").child(el("tr").child(between)).children(advisory.into_iter().map(row)));
    }
    table
}

fn row(row: &Row<'_>) -> Element {
    let requirement = row.requirement;
    let small = |text: String| el("p").class("small").text(text);
    let why = requirement.reasons.join("; ");
    let mut endpoint = el("td")
        .child(el("p").child(el("code").text(row.endpoint())))
        .child(small(format!("route: {}; proxy context: {}", row.route(), requirement.context.name())))
        .child(small(format!("catalog: {}, {}", requirement.entry, row.standing())));
    if !row.grade_of_evidence().is_empty() {
        endpoint = endpoint.child(small(row.evidence()));
    }
    if !why.is_empty() {
        endpoint = endpoint.child(small(format!("needed because: {why}")));
    }
    el("tr").child(el("td").child(verdict(row))).child(endpoint).child(seen(row))
}

fn seen(row: &Row<'_>) -> Element {
    let words = row.seen();
    let mut cell = el("td").child(el("p").text(if words.is_empty() { "reached" } else { &words }));
    if !row.detail().is_empty() {
        cell = cell.child(el("p").class("small").text(format!("in detail: {}", row.detail())));
    }
    if !row.remedy().is_empty() {
        cell = cell.child(el("p").child(el("strong").text("What to do:")).text(format!(" {}", row.remedy())));
    }
    if !row.in_product().is_empty() {
        cell =
            cell.child(el("p").class("small").text(format!("Configuration Manager shows it in {}", row.in_product())));
    }
    if let Some(waiver) = row.waiver() {
        cell = cell.child(el("p").child(el("strong").text("Waived:")).text(format!(" {}", words::waiver(waiver))));
    }
    cell = cell.children(row.judgement.notes.iter().map(|note| el("p").class("small").text(format!("note: {note}"))));
    cell.child(details(row))
}

/// Layer by layer, folded up. Paper shows it of what counts and does not pass: of all it would be a book.
fn details(row: &Row<'_>) -> Element {
    let summary = el("summary")
        .text("Evidence and sources")
        .child(el("span").class("aloud").text(format!(" for {}", row.endpoint())));
    let class = if row.is_not_passing() { "on-paper" } else { "on-screen" };
    let mut details = el("details").class(class).child(summary);
    if row.observations.is_empty() {
        details = details.child(el("p").text("Nothing was probed for it."));
    }
    details = details.children(row.all_seen().map(evidence));
    if let Some(note) = row.entry.and_then(|entry| entry.note.as_ref()) {
        details = details.child(el("p").text(format!("The catalog notes: {note}")));
    }
    details = details.child(el("p").text(format!("TLS inspection on the way: {}.", row.inspection())));
    let documents = row.documents();
    if documents.is_empty() {
        return details;
    }
    let items = documents.iter().map(|cited| el("li").text(cited.to_string()));
    details.child(el("p").text("Documented in:")).child(el("ul").children(items))
}

fn evidence(seen: &Observation) -> Element {
    let layers = layers::layers(seen).into_iter().map(|layer| {
        let said = layer.said();
        let text = if said.is_empty() { said } else { format!(": {said}") };
        el("li").child(el("strong").text(layer.name)).text(format!(" {}{text}", layer.outcome))
    });
    let mut probe = el("p").text(format!("Probed at {:.0}: ", seen.started)).child(el("code").text(&seen.probe.0));
    if let Some(from) = &seen.redirected_from {
        probe = probe.text(", where this leads to: ").child(el("code").text(&from.0));
    }
    el("div").child(probe).child(el("ul").children(layers))
}
