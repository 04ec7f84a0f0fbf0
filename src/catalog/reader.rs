//! One file after the other: what stands in it, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::Catalog;
use super::condition::Condition;
use super::entry::{
    CatalogRole, Cloud, Context, Document, Entry, EntryId, Inspection, Ports, ProbeRule, SourceRef, Status, Tier,
    TlsRule,
};
use super::error::{CatalogError, Rule};
use super::lint;
use super::network::AddressRange;
use super::place::{Place, Source};
use super::release::Release;
use super::retirement::{RawRetirement, Retirement};
use super::root::Root;
use super::template::EndpointTemplate;
use crate::host::Scheme;
use crate::text::printable;

/// The format that this program reads.
const FORMAT: u32 = 1;
/// The file with the version and the documents.
pub(super) const HEAD_FILE: &str = "catalog.toml";
/// The file with the versions of Configuration Manager.
pub(super) const RELEASES_FILE: &str = "versions.toml";
const RETIREMENTS_FILE: &str = "retirements.toml";
/// The file with the root certificates.
const ROOTS_FILE: &str = "roots.toml";
/// The file with the published addresses.
const RANGES_FILE: &str = "addresses.toml";

/// What has been read so far, and what was wrong with it.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) head: Option<Head>,
    /// Where the head says of which day it is.
    head_place: Option<Place>,
    pub(super) releases: Vec<(Place, Release)>,
    retirements: Vec<(Place, Retirement)>,
    roots: Vec<(Place, Root)>,
    ranges: Vec<(Place, AddressRange)>,
    entries: Vec<(Place, Entry)>,
    /// Entries of the layer below that own ones have replaced.
    overridden: Vec<EntryId>,
    /// What could not be read.
    pub(super) errors: Vec<CatalogError>,
    /// What is wrong with what could be.
    findings: Vec<CatalogError>,
}

/// `catalog.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    format: Spanned<u32>,
    version: Spanned<String>,
    as_of: Spanned<Date>,
    /// The sections of the documentation page.
    #[serde(default)]
    sections: BTreeSet<String>,
    #[serde(default)]
    documents: BTreeMap<String, Spanned<Document>>,
    #[serde(default)]
    samples: BTreeMap<String, Spanned<String>>,
}

/// An entry as it is written. Its section is that of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: EntryId,
    roles: Vec<CatalogRole>,
    endpoint: String,
    #[serde(default)]
    written: Vec<String>,
    scheme: Scheme,
    ports: Ports,
    path: Option<String>,
    clouds: Vec<Cloud>,
    when: String,
    context: Context,
    tier: Tier,
    status: Status,
    status_since: Option<Date>,
    replaced_by: Option<EntryId>,
    since_build: Option<u32>,
    until_build: Option<u32>,
    probe: Option<ProbeRule>,
    #[serde(default)]
    inspection: Inspection,
    tls: Option<TlsRule>,
    #[serde(default)]
    byte_ranges: bool,
    idle_seconds: Option<NonZeroU32>,
    note: Option<String>,
    sources: Vec<SourceRef>,
}

impl Reader {
    pub(super) fn read(&mut self, source: &Source<'_>) {
        match source.name {
            HEAD_FILE => self.read_head(source),
            RELEASES_FILE => {
                let (_, releases) = self.read_tables(source, "release", false);
                self.releases.extend(releases);
            }
            RETIREMENTS_FILE => self.read_retirements(source),
            ROOTS_FILE => {
                let (_, roots) = self.read_tables(source, "root", false);
                self.roots.extend(roots);
            }
            RANGES_FILE => {
                let (_, ranges) = self.read_tables(source, "range", false);
                self.ranges.extend(ranges);
            }
            _ => {
                let (section, raw) = self.read_tables(source, "entry", true);
                for (place, raw) in raw {
                    self.read_entry(place, raw, section.as_deref().unwrap_or_default());
                }
            }
        }
    }

    fn read_retirements(&mut self, source: &Source<'_>) {
        let (_, raw): (_, Vec<(Place, RawRetirement)>) = self.read_tables(source, "retirement", false);
        for (place, raw) in raw {
            match Condition::parse(&raw.when) {
                Ok(when) => self.retirements.push((place, raw.with(when))),
                Err(error) => self.errors.push(place.error("when", Rule::Condition, &format!("{error}"))),
            }
        }
    }

    fn read_head(&mut self, source: &Source<'_>) {
        let deserializer = match toml::Deserializer::parse(source.text) {
            Ok(deserializer) => deserializer,
            Err(error) => return self.errors.push(source.not_toml(&error)),
        };
        match Head::deserialize(deserializer) {
            Err(error) => self.errors.push(source.bad_table(&error, &source.place(0..0))),
            Ok(head) => {
                let format = *head.format.get_ref();
                if format != FORMAT {
                    let what = format!("format {format}; this program reads format {FORMAT}");
                    self.errors.push(source.place(head.format.span()).error("", Rule::File, &what));
                }
                self.errors.extend(lint::head(source, &head.version, &head.documents, &head.samples));
                self.head_place = Some(source.place(head.as_of.span()));
                self.head = Some(head);
            }
        }
    }

    /// The file's `section`, and its `[[key]]` tables, each read on its own, so that a bad one does not hide what is
    /// wrong with the next.
    fn read_tables<T: DeserializeOwned>(
        &mut self,
        source: &Source<'_>,
        key: &str,
        has_section: bool,
    ) -> (Option<String>, Vec<(Place, T)>) {
        let root = match DeTable::parse(source.text) {
            Ok(root) => root.into_inner(),
            Err(error) => {
                self.errors.push(source.not_toml(&error));
                return (None, Vec::new());
            }
        };
        let (mut section, mut read) = (None, Vec::new());
        for (name, value) in root {
            let span = value.span();
            match (name.get_ref().as_ref(), value.into_inner()) {
                ("section", value) if has_section => {
                    let text = value.as_str().unwrap_or_default();
                    self.errors.extend(lint::text(&source.place(span), "", "section", text, lint::SECTION_MAX));
                    section = Some(text.to_owned());
                }
                (name, DeValue::Array(tables)) if name == key => {
                    for table in tables {
                        self.read_table(source, table, &mut read);
                    }
                }
                (name, _) => {
                    let what = format!("unexpected `{}`; this file has `[[{key}]]` tables", printable(name, 40));
                    self.errors.push(source.place(span).error("", Rule::Syntax, &what));
                }
            }
        }
        if has_section && section.is_none() {
            let what = "`section` is missing: the section of the documentation page";
            self.errors.push(source.place(0..0).error("", Rule::Syntax, what));
        }
        (section, read)
    }

    fn read_table<T: DeserializeOwned>(
        &mut self,
        source: &Source<'_>,
        table: Spanned<DeValue<'_>>,
        read: &mut Vec<(Place, T)>,
    ) {
        let place = source.table_place(&table);
        match T::deserialize(ValueDeserializer::from(table)) {
            Ok(value) => read.push((place, value)),
            Err(error) => self.errors.push(source.bad_table(&error, &place)),
        }
    }

    fn read_entry(&mut self, place: Place, raw: RawEntry, section: &str) {
        let endpoint = EndpointTemplate::parse(&raw.endpoint)
            .map_err(|error| self.errors.push(place.error("endpoint", Rule::Endpoint, &error.to_string())));
        let when = Condition::parse(&raw.when)
            .map_err(|error| self.errors.push(place.error("when", Rule::Condition, &error.to_string())));
        let (Ok(endpoint), Ok(when)) = (endpoint, when) else { return };
        let entry = Entry {
            id: raw.id,
            section: section.to_owned(),
            roles: raw.roles,
            endpoint,
            written: raw.written,
            scheme: raw.scheme,
            ports: raw.ports,
            path: raw.path,
            clouds: raw.clouds,
            when,
            context: raw.context,
            tier: raw.tier,
            status: raw.status,
            status_since: raw.status_since,
            replaced_by: raw.replaced_by,
            since_build: raw.since_build,
            until_build: raw.until_build,
            probe: raw.probe,
            inspection: raw.inspection,
            tls: raw.tls,
            byte_ranges: raw.byte_ranges,
            idle_seconds: raw.idle_seconds.map(NonZeroU32::get),
            note: raw.note,
            sources: raw.sources,
        };
        self.entries.push((place, entry));
    }

    pub(super) fn whole_file(&mut self, folder: &str, name: &str, what: &str) {
        self.errors.push(Source::new(folder, name, "").place(0..0).error("", Rule::File, what));
    }

    /// Looks at the days of what has been read. Without `today`, the catalog's own day is the last: so a catalog that
    /// never changes is judged the same on any day.
    pub(super) fn judge_days(&mut self, today: Option<Date>) {
        let as_of = self.head.as_ref().map(|head| *head.as_of.get_ref());
        let Some(last) = today.or(as_of) else { return };
        if let (Some(place), Some(_)) = (&self.head_place, as_of.filter(|as_of| *as_of > last)) {
            self.findings.push(place.error("", Rule::Future, &format!("`as_of` is after {last}")));
        }
        let sourced = (self.releases.iter().map(|(place, release)| (place, &release.sources)))
            .chain(self.retirements.iter().map(|(place, one)| (place, &one.sources)))
            .chain(self.roots.iter().map(|(place, root)| (place, &root.sources)))
            .chain(self.ranges.iter().map(|(place, range)| (place, &range.sources)))
            .chain(self.entries.iter().map(|(place, entry)| (place, &entry.sources)));
        let late = sourced.filter(|(_, sources)| sources.iter().any(|source| source.date > last));
        let findings =
            late.map(|(place, _)| place.error("sources", Rule::Future, &format!("a source is after {last}")));
        self.findings.extend(findings);
        let begun = self.entries.iter().filter(|(_, entry)| entry.status_since.is_some_and(|since| since > last));
        let findings =
            begun.map(|(place, _)| place.error("status_since", Rule::Future, &format!("it is after {last}")));
        self.findings.extend(findings);
    }

    /// What another reader has read takes the place of what has the same name here, or comes behind it.
    pub(super) fn put_on_top(&mut self, own: Self) {
        self.findings.extend(own.findings);
        self.findings.extend(lint::repeats(&self.entries, &own.entries));
        self.findings.extend(lint::reused(&self.entries, &own.entries));
        let ids: BTreeSet<&EntryId> = self.entries.iter().map(|(_, entry)| &entry.id).collect();
        self.overridden = own.entries.iter().map(|(_, own)| &own.id).filter(|id| ids.contains(id)).cloned().collect();
        replace(&mut self.releases, own.releases, |release| release.version.clone());
        replace(&mut self.retirements, own.retirements, |one| one.id.clone());
        replace(&mut self.roots, own.roots, |root| root.sha1.clone());
        replace(&mut self.ranges, own.ranges, |range| range.name.clone());
        replace(&mut self.entries, own.entries, |entry| entry.id.clone());
        if let Some(head) = &mut self.head {
            let mark = own.head.as_ref().map_or("own", |own| own.version.get_ref().as_str());
            let version = format!("{}+{mark}", head.version.get_ref());
            head.version = Spanned::new(0..0, version);
            if let Some(own) = own.head {
                head.documents.extend(own.documents);
                head.sections.extend(own.sections);
                head.samples.extend(own.samples);
            }
        }
    }

    pub(super) fn finish(mut self, sha256: String) -> Result<Catalog, Vec<CatalogError>> {
        let documents: BTreeMap<String, Document> = self
            .head
            .as_mut()
            .map(|head| std::mem::take(&mut head.documents))
            .unwrap_or_default()
            .into_iter()
            .map(|(key, document)| (key, document.into_inner()))
            .collect();
        let sections = self.head.as_mut().map(|head| std::mem::take(&mut head.sections)).unwrap_or_default();
        self.releases.sort_by_key(|(_, release)| release.build);
        let known = lint::Known::new(&documents, &sections, &self.releases, &self.entries, self.errors.is_empty());
        let found = [
            lint::releases(&self.releases, &known),
            lint::retirements(&self.retirements, &known),
            lint::roots(&self.roots, &known),
            lint::ranges(&self.ranges, &known),
            lint::entries(&self.entries, &known),
        ]
        .concat();
        self.errors.extend(found);
        self.errors.extend(self.findings);
        self.errors.sort();
        self.errors.dedup();
        match self.head {
            Some(head) if self.errors.is_empty() => Ok(Catalog {
                version: head.version.into_inner(),
                as_of: head.as_of.into_inner(),
                sha256,
                documents,
                releases: without_places(self.releases),
                retirements: without_places(self.retirements),
                roots: without_places(self.roots),
                ranges: without_places(self.ranges),
                samples: head.samples.into_iter().map(|(name, reason)| (name, reason.into_inner())).collect(),
                entries: without_places(self.entries),
                overridden: self.overridden,
            }),
            _ => Err(self.errors),
        }
    }
}

fn without_places<T>(items: Vec<(Place, T)>) -> Vec<T> {
    items.into_iter().map(|(_, item)| item).collect()
}

/// Own items in the place of those with the same name. Two own ones of one name stay two, for the lint to see.
fn replace<T, K: Ord>(items: &mut Vec<(Place, T)>, own: Vec<(Place, T)>, name: impl Fn(&T) -> K) {
    let names: BTreeSet<K> = own.iter().map(|(_, item)| name(item)).collect();
    items.retain(|(_, item)| !names.contains(&name(item)));
    items.extend(own);
}
