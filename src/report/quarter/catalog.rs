//! What the catalog says now and said before: documents change, and with them what is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::History;
use super::changes::FIRST;
use super::section::{Cell, Section};
use crate::catalog::EntryId;
use crate::evidence::{CatalogRecord, CitedEntry};

pub(super) fn section(history: &History) -> Section {
    let section = Section::new(8, "catalog", "Changes of the catalog");
    let Some(earlier) = history.earlier() else { return section.text(FIRST) };
    let (old, new) = (&earlier.run.catalog, &history.newest().catalog);
    if old.sha256 == new.sha256 {
        return section.text(format!("None: both runs have catalog {}.", new.version));
    }
    let same_tool = earlier.run.tool == history.newest().tool;
    let (old, new) = (Side::new(old), Side::new(new));
    let ids: BTreeSet<&EntryId> = old.cited.keys().chain(new.cited.keys()).copied().collect();
    let rows: Vec<Vec<Cell>> = ids.iter().filter_map(|id| row(id, &old, &new, same_tool)).collect();
    let mut section = section.text(format!("From catalog {} to {}.", old.record.version, new.record.version));
    if old.marks.is_empty() || new.marks.is_empty() {
        section = section.text(
            "One of the records holds the entries that apply to its hierarchy, and not the whole catalog: one that is new \
             here may be new, or apply only now.",
        );
    } else {
        section = section.text(elsewhere(&old, &new, &ids));
    }
    let columns = ["change", "entry", "endpoint", "what differs", "documented in"];
    section.table("Entries that differ", &columns, rows, "No entry that applies to this hierarchy differs.")
}

/// The catalog of one run.
struct Side<'a> {
    record: &'a CatalogRecord,
    /// The entries that apply.
    cited: BTreeMap<&'a EntryId, &'a CitedEntry>,
    /// The hash of every entry; none in records from before they were kept.
    marks: BTreeMap<&'a EntryId, &'a str>,
}

impl<'a> Side<'a> {
    fn new(record: &'a CatalogRecord) -> Self {
        let cited = record.entries.iter().map(|entry| (&entry.id, entry)).collect();
        let marks = record.all.iter().map(|mark| (&mark.id, mark.sha256.as_str())).collect();
        Self { record, cited, marks }
    }
}

/// An entry that applies to one of the runs at least; `None` where the catalogs say the same of it.
fn row(id: &EntryId, old: &Side<'_>, new: &Side<'_>, same_tool: bool) -> Option<Vec<Cell>> {
    let marks = (old.marks.get(id), new.marks.get(id));
    let unsaid = old.marks.is_empty() || new.marks.is_empty();
    let (change, entry, differs) = match (old.cited.get(id), new.cited.get(id)) {
        (Some(before), Some(after)) => {
            let mut parts = parts(before, after);
            // Another version of the program may write the same entry in another way.
            if parts.is_empty() && same_tool && marks.0 != marks.1 {
                parts.push("ports, weight, proof or another part");
            }
            if parts.is_empty() {
                return None;
            }
            ("changed", after, parts.join(", "))
        }
        (None, Some(after)) if unsaid => ("new here", after, String::new()),
        (Some(before), None) if unsaid => ("no longer here", before, String::new()),
        (None, Some(after)) if marks.0.is_none() => ("added", after, String::new()),
        (Some(before), None) if marks.1.is_none() => ("removed", before, String::new()),
        // It was there and did not apply: of the site, unless its words are others.
        (None, Some(after)) if marks.0 != marks.1 => ("changed", after, "it applies only now".to_owned()),
        (Some(before), None) if marks.0 != marks.1 => ("changed", before, "it applies no longer".to_owned()),
        _ => return None,
    };
    let side = if new.cited.contains_key(id) { new } else { old };
    let title = |key: &String| side.record.documents.get(key).map_or(key.clone(), |document| document.title.clone());
    let sources = entry.sources.iter().map(|source| format!("{}, {}", title(&source.document), source.date));
    let sources = sources.collect::<Vec<_>>().join("; ");
    Some(vec![change.into(), id.0.as_str().into(), entry.endpoint.as_str().into(), differs.into(), sources.into()])
}

/// In which of its parts that a record holds an entry differs.
fn parts(old: &CitedEntry, new: &CitedEntry) -> Vec<&'static str> {
    let parts = [
        ("endpoint", old.endpoint != new.endpoint),
        ("condition", old.when != new.when),
        ("note", old.note != new.note),
        ("documents", old.sources != new.sources),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect()
}

/// How many entries differ that no run needs.
fn elsewhere(old: &Side<'_>, new: &Side<'_>, shown: &BTreeSet<&EntryId>) -> String {
    let beyond = |marks: &BTreeMap<&EntryId, &str>, other: &BTreeMap<&EntryId, &str>| {
        marks.keys().filter(|id| !other.contains_key(*id) && !shown.contains(*id)).count()
    };
    format!(
        "Entries that do not apply to this hierarchy: {} added, {} removed.",
        beyond(&new.marks, &old.marks),
        beyond(&old.marks, &new.marks)
    )
}
