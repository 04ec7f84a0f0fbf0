//! The catalog against a saved copy of the documentation page.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::Catalog;
use super::entry::{Entry, EntryId, Ports, Status};
use super::page::{INTRODUCTION, Page, PageError, PageRow, Unclear, names, rows};
use super::template::EndpointTemplate;
use crate::host::Scheme;

/// The page, among the documents of the catalog.
pub(super) const PAGE: &str = "internet-access";

/// How a page and the catalog differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PageDiff {
    /// How many rows the page has that the catalog has too, or knows to be samples.
    pub matched: usize,
    /// Rows of the page that the catalog does not have in that section, with that scheme, port and path.
    pub lacking: Vec<PageRow>,
    /// Entries of a section that the page does not have there any more, or not yet.
    pub gone: Vec<GoneRow>,
    /// What the page has in the place of a host, and is none that can be compared: a person has to look.
    pub not_understood: Vec<Unclear>,
}

/// An entry that the page does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct GoneRow {
    /// The section of the page that the entry cites.
    pub section: String,
    /// The endpoint as the catalog writes it.
    pub name: String,
    /// Its scheme.
    pub scheme: Scheme,
    /// The entry.
    pub entry: EntryId,
    /// Where the entry stands in its life. A retired one is not missed.
    pub status: Status,
}

impl PageDiff {
    /// Whether there is nothing to do: nothing is lacking or not understood, and what is gone is known to be retired.
    pub fn is_settled(&self) -> bool {
        self.lacking.is_empty()
            && self.not_understood.is_empty()
            && self.gone.iter().all(|row| row.status == Status::Retired)
    }
}

/// Compares a saved copy of the page, HTML, Markdown or plain text, with the catalog.
pub fn diff(catalog: &Catalog, page: &[u8]) -> Result<PageDiff, PageError> {
    let cited = Cited::of(catalog);
    let Page { rows, not_understood } = rows(page, &cited.headings())?;
    let lacking: Vec<PageRow> = rows.iter().filter(|row| !cited.has(row, catalog)).cloned().collect();
    let mut gone: Vec<GoneRow> = cited
        .by_section
        .iter()
        .flat_map(|(section, needs)| needs.iter().map(move |need| (*section, need)))
        .filter(|(section, need)| {
            !need.names.is_empty() && !rows.iter().any(|row| row.section == *section && need.is(row))
        })
        .map(|(section, need)| GoneRow {
            section: section.to_owned(),
            name: need.entry.endpoint.to_string(),
            scheme: need.entry.scheme,
            entry: need.entry.id.clone(),
            status: need.entry.status,
        })
        .collect();
    gone.sort();
    Ok(PageDiff {
        matched: rows.len() - lacking.len(),
        lacking,
        gone,
        not_understood: not_understood.into_iter().collect(),
    })
}

/// The entries that cite the page, by section.
struct Cited<'a> {
    by_section: BTreeMap<&'a str, Vec<Need<'a>>>,
}

/// An entry with the names under which the page may have it; none if the page only speaks of it.
struct Need<'a> {
    entry: &'a Entry,
    names: BTreeSet<String>,
}

impl<'a> Cited<'a> {
    fn of(catalog: &'a Catalog) -> Self {
        let mut by_section: BTreeMap<&str, Vec<Need<'_>>> = BTreeMap::new();
        for entry in &catalog.entries {
            for source in entry.sources.iter().filter(|source| source.document == PAGE) {
                by_section.entry(&source.section).or_default().push(Need { entry, names: names_of(entry) });
            }
        }
        Self { by_section }
    }

    fn headings(&self) -> BTreeSet<&'a str> {
        self.by_section.keys().copied().filter(|section| *section != INTRODUCTION).collect()
    }

    fn has(&self, row: &PageRow, catalog: &Catalog) -> bool {
        catalog.samples.contains_key(&row.name)
            || self.by_section.get(row.section.as_str()).is_some_and(|needs| needs.iter().any(|need| need.is(row)))
    }
}

/// The endpoint itself unless it is a template, and how the page writes it.
fn names_of(entry: &Entry) -> BTreeSet<String> {
    let endpoint = match &entry.endpoint {
        EndpointTemplate::Pattern(pattern) => Some(pattern.to_string()),
        EndpointTemplate::Template(_) => None,
    };
    // A placeholder counts as a name only where it has a scheme before it.
    let written = entry.written.iter().flat_map(|name| names(&format!("{}://{name}", entry.scheme)));
    written.map(|found| found.host).chain(endpoint).collect()
}

impl Need<'_> {
    /// Ports that the facts give may be any.
    fn has_port(&self, port: u16) -> bool {
        match &self.entry.ports {
            Ports::Fixed(ports) => ports.contains(&port),
            Ports::FromFacts(_) => true,
        }
    }

    /// Whether a row of the page is this entry. What the page leaves open, the entry may have.
    fn is(&self, row: &PageRow) -> bool {
        let path = self.entry.path.as_deref().filter(|path| *path != "/");
        self.names.contains(&row.name)
            && row.scheme.is_none_or(|scheme| scheme == self.entry.scheme)
            && row.port.is_none_or(|port| self.has_port(port))
            && row.path.as_deref().is_none_or(|given| path.is_some_and(|path| path.eq_ignore_ascii_case(given)))
    }
}
