//! The end of the page: revocation lists, what could not be read, the documents, the words.

use super::super::markup::{Element, el};
use super::super::revocation::what_is_wrong;
use super::super::words;
use super::{column, heading, wide};
use crate::catalog::Document;
use crate::evidence::{Run, unknown_facts};

/// The anchors and titles of the sections that this run has.
pub(super) fn contents(run: &Run) -> Vec<(&'static str, &'static str)> {
    let mut contents = Vec::new();
    if run.waivers.is_some() {
        contents.push(("waivers", "Waivers"));
    }
    if !run.revocation_lists.is_empty() {
        contents.push(("revocation", "Revocation lists"));
    }
    contents.extend([("facts", "What could not be read"), ("documents", "Documents"), ("words", "Words")]);
    contents
}

pub(super) fn sections(run: &Run) -> Vec<Element> {
    contents(run)
        .into_iter()
        .map(|(anchor, title)| {
            let section = heading(anchor, title);
            match anchor {
                "waivers" => section.children(waivers(run)),
                "revocation" => section.child(revocation(run)),
                "facts" => section.children(facts(run)),
                "documents" => section.child(documents(run.catalog.documents.values())),
                _ => section.child(glossary()),
            }
        })
        .collect()
}

fn waivers(run: &Run) -> Vec<Element> {
    let Some(applied) = &run.waivers else { return Vec::new() };
    let mut parts = Vec::new();
    if applied.list.waivers.is_empty() {
        parts.push(el("p").text("The file of waivers holds none."));
    } else {
        let items = applied.list.waivers.iter().map(|waiver| {
            let excused =
                run.judgements.iter().filter(|judgement| judgement.waiver.as_ref() == Some(&waiver.id)).count();
            el("li").text(format!("{} [{excused} endpoints waived]", words::waiver(waiver)))
        });
        parts.push(el("ul").children(items));
    }
    if !applied.findings.is_empty() {
        let items =
            applied.findings.iter().map(|finding| el("li").text(format!("{}: {}", finding.waiver, finding.text)));
        parts.push(el("p").text("To be looked at:"));
        parts.push(el("ul").children(items));
    }
    parts
}

fn revocation(run: &Run) -> Element {
    let rows = run.revocation_lists.iter().map(|list| {
        let seen = if list.is_current() { "fetched and current".to_owned() } else { what_is_wrong(list) };
        el("tr")
            .child(el("th").attr("scope", "row").child(el("code").text(&list.url)))
            .child(el("td").text(seen))
            .child(el("td").text(list.named_by.join("; ")))
    });
    let titles = ["list", "what was seen", "named by the certificates of"].map(column);
    let caption = "Revocation lists that the served certificates name. They decide nothing yet";
    wide(caption, el("tr").children(titles), rows)
}

fn facts(run: &Run) -> Vec<Element> {
    let unknown = unknown_facts(&run.facts);
    let findings = &run.facts.data_findings;
    let mut parts = Vec::new();
    if unknown.is_empty() && findings.is_empty() {
        parts.push(el("p").text("Every fact that decides by itself was read, and every value was usable."));
    }
    if !unknown.is_empty() {
        let items = unknown.into_iter().map(|(name, detail)| el("li").text(format!("{name}: {detail}")));
        parts.push(el("p").text("Unknown facts. Unknown is never taken for absent:"));
        parts.push(el("ul").children(items));
    }
    if !findings.is_empty() {
        let rows = findings.iter().map(|finding| {
            el("tr")
                .child(el("th").attr("scope", "row").text(format!("{}.{}", finding.object, finding.column)))
                .children([&finding.row, &finding.problem, &finding.value].map(|text| el("td").text(text)))
        });
        let titles = ["object and column", "row", "problem", "value"].map(column);
        parts.push(wide("Unusable values in the site database", el("tr").children(titles), rows));
    }
    parts
}

/// Documents that are cited, as links.
pub(super) fn documents<'a>(documents: impl Iterator<Item = &'a Document>) -> Element {
    let items: Vec<Element> = documents.map(|document| el("li").child(link(document))).collect();
    if items.is_empty() { el("p").text("None is cited.") } else { el("ul").children(items) }
}

/// A link, if it leads to a page on the web and nowhere else.
pub(in super::super) fn link(document: &Document) -> Element {
    let leads = url::Url::parse(&document.url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
        && document.url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
    if leads {
        el("a").attr("href", &document.url).attr("rel", "noreferrer").text(&document.title)
    } else {
        el("span").text(format!("{} ({})", document.title, document.url))
    }
}

/// The words of the report.
pub(super) fn glossary() -> Element {
    WORDS.iter().fold(el("dl"), |list, (word, meaning)| list.child(el("dt").text(word)).child(el("dd").text(meaning)))
}

const WORDS: [(&str, &str); 10] = [
    (
        "endpoint",
        "A name, port and path that a role needs, derived from the site database and the catalog of documented needs.",
    ),
    ("required, advisory", "Required endpoints decide the result. Advisory ones are shown, and decide nothing."),
    (
        "tier",
        "How much depends on it: critical (the role does not work without it), required, feature (one feature needs it), advisory.",
    ),
    ("route", "The way that the product takes: direct, or through the proxy that its settings name, and who says so."),
    (
        "DNS, TCP",
        "The name was resolved, and a connection was opened to each address: a firewall may let some through.",
    ),
    ("proxy", "The proxy was asked to connect (CONNECT). 407 means that it wants credentials."),
    (
        "TLS, certificate",
        "The encrypted connection was begun; then the chain of certificates was judged. A chain that nobody trusts here is the mark of TLS inspection.",
    ),
    (
        "HTTP",
        "A request was sent. 407, 408, 426, 451, 502, 511, 598 and 599 do not count as reached, nor does a block page; any other status does.",
    ),
    (
        "grade of evidence",
        "A: the host itself, as SYSTEM. B: the host itself, as another account. C: a machine that stands in for it, as the operator states. D: any other machine, which alone proves nothing.",
    ),
    (
        "proved by a representative",
        "A wildcard cannot be probed. Documented hosts of it were, and the note says which.",
    ),
];
