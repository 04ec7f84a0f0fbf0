//! The register of all requirements, the attestation, and the method.

use super::super::row::rows;
use super::super::words;
use super::History;
use super::section::{Block, Cell, Section};
use crate::assess::Verdict;

pub(super) fn register(history: &History) -> Section {
    let rows = rows(history.newest());
    let table = rows
        .iter()
        .map(|row| {
            let documents = row.documents().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let port = row.requirement.port.map_or(Cell::Text("?".to_owned()), |port| Cell::Number(port.into()));
            vec![
                row.requirement.subject.to_string().into(),
                row.requirement.role.title().into(),
                row.endpoint().into(),
                port,
                row.route().into(),
                row.requirement.tier.name().into(),
                row.verdict().into(),
                row.requirement.reasons.join("; ").into(),
                documents.into(),
            ]
        })
        .collect();
    let columns = ["host", "role", "endpoint", "port", "route", "tier", "verdict", "why it is needed", "documented in"];
    Section::new(10, "register", "Register of requirements")
        .text(
            "Every endpoint that this hierarchy needs, with its justification: the list of allowed services, protocols \
               and ports with their business need. It supports the review of firewall rules and replaces none.",
        )
        .table("All requirements", &columns, table, "Nothing is needed.")
}

pub(super) fn attestation(history: &History) -> Section {
    let name = &history.newest_kept().name;
    let manifest = history.manifest(name).unwrap_or("none");
    Section::new(12, "attestation", "Attestation")
        .text(format!(
            "I have reviewed this report, which rests on run {name} (SHA-256 of its SHA256SUMS: {manifest})."
        ))
        .with(Block::Lines(vec!["name", "role", "date", "statement", "signature"]))
        .text("To verify, in the folder of the run and in that of the store:")
        .list(vec!["sha256sum -c SHA256SUMS".to_owned(), format!("cmcomply runs verify --store . --anchor {manifest}")])
}

pub(super) fn method(history: &History) -> Section {
    let run = history.newest();
    let meanings = Verdict::ALL.map(|verdict| vec![verdict.title().into(), words::meaning(verdict).into()]).to_vec();
    let mut dates: Vec<(String, String)> = run
        .catalog
        .entries
        .iter()
        .flat_map(|entry| &entry.sources)
        .map(|source| (source.document.clone(), source.date.to_string()))
        .collect();
    dates.sort();
    dates.dedup();
    let documents = run
        .catalog
        .documents
        .iter()
        .map(|(key, document)| {
            let dates = dates.iter().filter(|(own, _)| own == key).map(|(_, date)| date.as_str());
            let dates = dates.collect::<Vec<_>>().join(", ");
            vec![document.title.as_str().into(), dates.into(), document.url.as_str().into()]
        })
        .collect();
    Section::new(13, "method", "Method, words and documents")
        .text("The endpoints are derived from the site database and from a catalog of documented needs; each is probed layer \
               by layer (name, TCP, proxy, TLS, certificate, HTTP), and the first layer that fails is named. A need that \
               nobody could look at is not observed, never passing.")
        .text("Required endpoints decide the result; advisory ones are shown only. A waiver changes a verdict, never what \
               was seen. A change is on the side of the site, the catalog, the rules of cmcomply, the waivers or the \
               network; an update of the catalog is no regression of the site.")
        .table("Verdicts", &["verdict", "what it means"], meanings, "")
        .table("Documents", &["document", "revisions", "address"], documents, "No document is cited.")
}
