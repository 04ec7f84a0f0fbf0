//! What a reviewer would miss: rules that one entry must follow, and rules between entries.

mod entry;

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::diff::PAGE;
use super::entry::{CatalogRole, Cloud, Document, Entry, EntryId, Ports, SourceRef, Status};
use super::error::{CatalogError, Rule};
use super::network::AddressRange;
use super::place::{Place, Source};
use super::release::Release;
use super::retirement::Retirement;
use super::root::Root;
use super::version::DottedVersion;
use crate::host::Scheme;
use crate::text::printable;

/// Characters of a section's name, and of a document's title.
pub(super) const SECTION_MAX: usize = 100;
/// Characters of a note, and of the evidence of a probe rule.
const PROSE_MAX: usize = 400;
/// Characters of a path or an address.
const ADDRESS_MAX: usize = 200;
/// Characters of an id, a document's key or a version.
const NAME_MAX: usize = 64;

/// Said of a condition that is one.
const NEVER: &str = "it can never be true";

/// What an entry may refer to.
pub(super) struct Known<'a> {
    documents: &'a BTreeMap<String, Document>,
    /// Those of the documentation page.
    sections: &'a BTreeSet<String>,
    releases: &'a [(Place, Release)],
    statuses: BTreeMap<&'a EntryId, Status>,
    /// Whether everything could be read. If not, what is not found may be in the rest, and is not reported.
    complete: bool,
}

impl<'a> Known<'a> {
    pub(super) fn new(
        documents: &'a BTreeMap<String, Document>,
        sections: &'a BTreeSet<String>,
        releases: &'a [(Place, Release)],
        entries: &'a [(Place, Entry)],
        complete: bool,
    ) -> Self {
        let statuses = entries.iter().map(|(_, entry)| (&entry.id, entry.status)).collect();
        Self { documents, sections, releases, statuses, complete }
    }

    fn has_build(&self, build: u32) -> bool {
        !self.complete || self.releases.iter().any(|(_, release)| release.build == build)
    }

    fn has_document(&self, key: &str) -> bool {
        !self.complete || self.documents.contains_key(key)
    }

    fn has_section(&self, section: &str) -> bool {
        !self.complete || self.sections.contains(section)
    }

    /// Whether the id is that of an entry that is needed today.
    fn has_needed(&self, id: &EntryId) -> bool {
        match self.statuses.get(id) {
            Some(status) => matches!(status, Status::Active | Status::Disputed),
            None => !self.complete,
        }
    }
}

/// The rules of `catalog.toml`.
pub(super) fn head(
    source: &Source<'_>,
    version: &Spanned<String>,
    documents: &BTreeMap<String, Spanned<Document>>,
    samples: &BTreeMap<String, Spanned<String>>,
) -> Vec<CatalogError> {
    let mut errors: Vec<_> =
        text(&source.place(version.span()), "", "version", version.get_ref(), NAME_MAX).into_iter().collect();
    for (name, reason) in samples {
        let place = source.place(reason.span());
        errors.extend(text(&place, "", "samples", name, ADDRESS_MAX));
        errors.extend(text(&place, "", "samples", reason.get_ref(), PROSE_MAX));
    }
    for (key, document) in documents {
        let place = source.place(document.span());
        let document = document.get_ref();
        errors.extend(name(&place, "", key));
        errors.extend(text(&place, "", "title", &document.title, SECTION_MAX));
        errors.extend(text(&place, "", "url", &document.url, ADDRESS_MAX));
        if url::Url::parse(&document.url).map_or(true, |url| url.scheme() != "https" || !url.has_host()) {
            let what = format!("document `{}` has no https address", printable(key, 40));
            errors.push(place.error("", Rule::Document, &what));
        }
    }
    errors
}

/// The rules of `versions.toml`.
pub(super) fn releases(releases: &[(Place, Release)], known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (i, (place, release)) in releases.iter().enumerate() {
        errors.extend(text(place, "version", "version", &release.version, NAME_MAX));
        errors.extend(sources(place, &release.sources, known));
        if releases[..i].iter().any(|(_, other)| other.version == release.version || other.build == release.build) {
            let what = format!("version `{}` or build {} is there already", release.version, release.build);
            errors.push(place.error("version", Rule::Duplicate, &what));
        }
        if release.support_ends < release.available {
            errors.push(place.error("support_ends", Rule::BuildOrder, "support ends before it begins"));
        }
        if let Some(floor) = &release.upgrade_floor
            && known.complete
            && !releases.iter().any(|(_, other)| other.version == *floor && other.build < release.build)
        {
            let what = format!("no earlier version `{}`", printable(floor, 20));
            errors.push(place.error("upgrade_floor", Rule::UnknownBuild, &what));
        }
        errors.extend(floors(place, release, &releases[..i]));
    }
    errors
}

/// What a version needs never becomes less with a later one, and a blocked driver is one that would do otherwise.
fn floors(place: &Place, release: &Release, earlier: &[(Place, Release)]) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    let mut falls = |field, own: &Option<DottedVersion>, of: fn(&Release) -> &Option<DottedVersion>| {
        let before =
            earlier.iter().filter(|(_, other)| other.build < release.build).filter_map(|(_, o)| of(o).as_ref());
        if let Some(higher) = before.max()
            && own.as_ref().is_none_or(|own| own < higher)
        {
            errors.push(place.error(field, Rule::BuildOrder, &format!("an earlier version needs {higher}")));
        }
    };
    falls("odbc_minimum", &release.odbc_minimum, |release| &release.odbc_minimum);
    falls("net_minimum", &release.net_minimum, |release| &release.net_minimum);
    for blocked in &release.odbc_blocked {
        if release.odbc_minimum.as_ref().is_none_or(|minimum| blocked < minimum) {
            let what = format!("{blocked} is below the minimum already");
            errors.push(place.error("odbc_blocked", Rule::BuildOrder, &what));
        }
    }
    errors
}

/// The rules of `retirements.toml`.
pub(super) fn retirements(retirements: &[(Place, Retirement)], known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (i, (place, one)) in retirements.iter().enumerate() {
        errors.extend(name(place, "id", &one.id));
        errors.extend(text(place, "what", "what", &one.what, PROSE_MAX));
        errors.extend(sources(place, &one.sources, known));
        if !one.when.can_hold() {
            errors.push(place.error("when", Rule::Condition, NEVER));
        }
        if let Some(fact) = one.when.facts().into_iter().find(|fact| fact.about().is_some()) {
            let what = format!("`{}` is about single servers, a retirement about the hierarchy", fact.name());
            errors.push(place.error("when", Rule::ForeignFact, &what));
        }
        if let Some(build) = one.until_build.filter(|build| !known.has_build(*build)) {
            errors.push(place.error("until_build", Rule::UnknownBuild, &format!("no build {build}")));
        }
        if retirements[..i].iter().any(|(_, other)| other.id == one.id) {
            errors.push(place.error("id", Rule::Duplicate, "the id is taken"));
        }
    }
    errors
}

/// The rules of `roots.toml`.
pub(super) fn roots(roots: &[(Place, Root)], known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (i, (place, root)) in roots.iter().enumerate() {
        errors.extend(text(place, "name", "name", &root.name, SECTION_MAX));
        errors.extend(root.note.iter().filter_map(|note| text(place, "note", "note", note, PROSE_MAX)));
        errors.extend(sources(place, &root.sources, known));
        if root.sha1.len() != 40 || !root.sha1.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            let what = format!("`{}` is no SHA-1 thumbprint", printable(&root.sha1, 60));
            errors.push(place.error("sha1", Rule::Thumbprint, &what));
        }
        if roots[..i].iter().any(|(_, other)| other.sha1 == root.sha1) {
            errors.push(place.error("sha1", Rule::Duplicate, "the root is there already"));
        }
    }
    errors
}

/// The rules of `addresses.toml`.
pub(super) fn ranges(ranges: &[(Place, AddressRange)], known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (i, (place, range)) in ranges.iter().enumerate() {
        errors.extend(text(place, "name", "name", &range.name, SECTION_MAX));
        errors.extend(sources(place, &range.sources, known));
        let lists = [
            ("endpoints", range.endpoints.len(), range.endpoints.iter().collect::<BTreeSet<_>>().len()),
            ("networks", range.networks.len(), range.networks.iter().collect::<BTreeSet<_>>().len()),
        ];
        for (key, given, different) in lists {
            if given == 0 || different < given {
                errors.push(place.error(key, Rule::List, &format!("`{key}` is empty, or has a member twice")));
            }
        }
        if ranges[..i].iter().any(|(_, other)| other.name == range.name) {
            errors.push(place.error("name", Rule::Duplicate, "the name is taken"));
        }
    }
    errors
}

/// The rules of the entries.
pub(super) fn entries(entries: &[(Place, Entry)], known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (place, entry) in entries {
        errors.extend(entry::check(place, entry, known));
        errors.extend(sources(place, &entry.sources, known));
        for source in entry.sources.iter().filter(|source| source.document == PAGE) {
            if !known.has_section(&source.section) {
                let what = format!("the page has no section `{}`", printable(&source.section, SECTION_MAX));
                errors.push(place.error("sources", Rule::Section, &what));
            }
        }
    }
    errors.extend(duplicates(entries));
    errors.extend(contradictions(entries));
    errors
}

/// One text: printable, not empty, not too long.
pub(super) fn text(place: &Place, key: &str, field: &str, text: &str, max: usize) -> Option<CatalogError> {
    let what = if text.trim().is_empty() {
        format!("`{field}` is empty")
    } else if text.chars().count() > max {
        format!("`{field}` has more than {max} characters")
    } else if printable(text, max) != text {
        format!("`{field}` has a character that does not print: {text}")
    } else {
        return None;
    };
    Some(place.error(key, Rule::Text, &what))
}

/// One name: lower-case words joined by hyphens.
fn name(place: &Place, key: &str, name: &str) -> Option<CatalogError> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let good = name.len() <= NAME_MAX && name.split('-').all(word);
    (!good).then(|| place.error(key, Rule::IdForm, &format!("`{}` is no name", printable(name, 80))))
}

fn sources(place: &Place, sources: &[SourceRef], known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    if sources.is_empty() {
        errors.push(place.error("sources", Rule::List, "`sources` is empty"));
    }
    for source in sources {
        if !known.has_document(&source.document) {
            let what = format!("document `{}` is not defined", printable(&source.document, 40));
            errors.push(place.error("sources", Rule::Document, &what));
        }
        errors.extend(text(place, "sources", "section", &source.section, SECTION_MAX));
    }
    errors
}

fn duplicates(entries: &[(Place, Entry)]) -> Vec<CatalogError> {
    let mut first: BTreeMap<&EntryId, &Place> = BTreeMap::new();
    let mut errors = Vec::new();
    for (place, entry) in entries {
        if let Some(other) = first.get(&entry.id) {
            errors.push(place.error("id", Rule::Duplicate, &format!("the id is taken at {}", other.at())));
        } else {
            first.insert(&entry.id, place);
        }
    }
    errors
}

/// Own entries that say no more than one of the program's. One of the same section and another id is a contradiction.
pub(super) fn repeats(entries: &[(Place, Entry)], own: &[(Place, Entry)]) -> Vec<CatalogError> {
    let overridden: BTreeSet<&EntryId> = own.iter().map(|(_, entry)| &entry.id).collect();
    let repeated = |new: &Entry| {
        let old = entries.iter().find(|(_, old)| {
            if old.id == new.id {
                return old == new;
            }
            let alike = Entry {
                id: new.id.clone(),
                section: new.section.clone(),
                written: new.written.clone(),
                note: new.note.clone(),
                sources: new.sources.clone(),
                ..old.clone()
            };
            old.section != new.section && !overridden.contains(&old.id) && alike == *new
        });
        old.map(|(place, old)| format!("says the same as `{}` at {}", old.id, place.at()))
    };
    own.iter().filter_map(|(place, new)| repeated(new).map(|what| place.error("id", Rule::Repeats, &what))).collect()
}

/// Own entries that take an id of the program for something else: reports and waivers that cite it would mean another
/// endpoint than the one that they were written about.
pub(super) fn reused(entries: &[(Place, Entry)], own: &[(Place, Entry)]) -> Vec<CatalogError> {
    let taken = |new: &Entry| {
        let old = entries.iter().find(|(_, old)| old.id == new.id && old.endpoint != new.endpoint);
        old.map(|(place, old)| format!("reused id: it is that of {} at {}", old.endpoint, place.at()))
    };
    own.iter().filter_map(|(place, new)| taken(new).map(|what| place.error("id", Rule::Reused, &what))).collect()
}

/// What makes two entries speak of one need: two lists of ports that share one do.
type Need<'a> = (CatalogRole, Cloud, &'a str, Scheme, String, Option<&'a str>, &'a str);

/// Two entries of one section for one need, or two of different sections that disagree on what is no matter of opinion.
fn contradictions(entries: &[(Place, Entry)]) -> Vec<CatalogError> {
    let texts: Vec<(String, String)> =
        entries.iter().map(|(_, entry)| (entry.endpoint.to_string(), entry.when.to_string())).collect();
    let mut needs: BTreeMap<Need<'_>, Vec<usize>> = BTreeMap::new();
    let mut pairs = BTreeSet::new();
    for (i, (_, entry)) in entries.iter().enumerate() {
        let ports = match &entry.ports {
            Ports::Fixed(ports) => ports.iter().map(ToString::to_string).collect(),
            rule @ Ports::FromFacts(_) => vec![rule.to_string()],
        };
        let clouds = |role| entry.clouds.iter().map(move |cloud| (role, *cloud));
        let whom = entry.roles.iter().copied().flat_map(clouds);
        for (role, cloud, port) in whom.flat_map(|(role, cloud)| ports.iter().map(move |port| (role, cloud, port))) {
            let (endpoint, when) = (texts[i].0.as_str(), texts[i].1.as_str());
            let need = (role, cloud, endpoint, entry.scheme, port.clone(), entry.path.as_deref(), when);
            let same = needs.entry(need).or_default();
            pairs.extend(
                same.iter()
                    .filter(|first| **first != i && disagree(&entries[**first].1, entry))
                    .map(|first| (*first, i)),
            );
            same.push(i);
        }
    }
    pairs
        .into_iter()
        .map(|(first, second)| {
            let (place, entry) = &entries[second];
            let (other_place, other) = &entries[first];
            let what = if entry.section == other.section {
                format!("says the same as `{}` at {}", other.id, other_place.at())
            } else {
                format!("has another context, status or inspection rule than `{}` at {}", other.id, other_place.at())
            };
            place.error("endpoint", Rule::Contradiction, &what)
        })
        .collect()
}

fn disagree(a: &Entry, b: &Entry) -> bool {
    let since = |entry: &Entry| entry.since_build.unwrap_or(0);
    let until = |entry: &Entry| entry.until_build.unwrap_or(u32::MAX);
    let overlap = since(a) <= until(b) && since(b) <= until(a);
    let differ = (a.context, a.status, a.inspection) != (b.context, b.status, b.inspection);
    overlap && (a.section == b.section || differ)
}
