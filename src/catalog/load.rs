//! Reading the catalog's files: text to a catalog, or all that is wrong with it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::condition::Condition;
use super::entry::{
    CatalogRole, Cloud, Context, Document, Entry, EntryId, Inspection, Ports, ProbeRule, SourceRef, Status, Tier,
};
use super::error::{CatalogError, Rule};
use super::lint;
use super::place::{Place, Source};
use super::release::Release;
use super::template::EndpointTemplate;
use super::{Catalog, embedded};
use crate::host::Scheme;
use crate::text::{hexadecimal, printable};

/// The format that this program reads.
const FORMAT: u32 = 1;
/// The file with the version and the documents.
const HEAD_FILE: &str = "catalog.toml";
/// The file with the versions of Configuration Manager.
const RELEASES_FILE: &str = "versions.toml";

impl Catalog {
    /// The catalog in this program.
    pub fn embedded() -> &'static Self {
        static CATALOG: LazyLock<Catalog> =
            LazyLock::new(|| Catalog::from_files(embedded::FILES).expect("a test loads the embedded files"));
        &CATALOG
    }

    /// Reads a catalog from files (name and text), in the order of their names whatever order they come in. Gives
    /// everything that is wrong, in the order of files and lines.
    pub fn from_files(files: &[(&str, &str)]) -> Result<Self, Vec<CatalogError>> {
        let mut texts: Vec<(&str, String)> =
            files.iter().map(|(name, text)| (*name, text.replace("\r\n", "\n"))).collect();
        texts.sort();
        let mut reader = Reader::default();
        for (i, (name, text)) in texts.iter().enumerate() {
            if i > 0 && texts[i - 1].0 == *name {
                reader.whole_file(name, "the file is given twice");
            } else {
                reader.read(&Source::new(name, text));
            }
        }
        for (name, missing) in [(HEAD_FILE, reader.head.is_none()), (RELEASES_FILE, reader.releases.is_empty())] {
            if missing && !texts.iter().any(|(given, _)| *given == name) {
                reader.whole_file(name, "the file is missing");
            }
        }
        reader.finish(sha256(&texts))
    }
}

/// What has been read so far, and what was wrong with it.
#[derive(Default)]
struct Reader {
    head: Option<Head>,
    releases: Vec<(Place, Release)>,
    entries: Vec<(Place, Entry)>,
    errors: Vec<CatalogError>,
}

/// `catalog.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: Spanned<u32>,
    version: Spanned<String>,
    as_of: Date,
    documents: BTreeMap<String, Spanned<Document>>,
}

/// An entry as it is written. Its section is that of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    id: EntryId,
    roles: Vec<CatalogRole>,
    endpoint: String,
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
    idle_seconds: Option<u32>,
    note: Option<String>,
    sources: Vec<SourceRef>,
}

impl Reader {
    fn read(&mut self, source: &Source<'_>) {
        match source.name {
            HEAD_FILE => self.read_head(source),
            RELEASES_FILE => {
                let (_, releases) = self.read_tables(source, "release", false);
                self.releases.extend(releases);
            }
            _ => {
                let (section, raw) = self.read_tables(source, "entry", true);
                for (place, raw) in raw {
                    self.read_entry(place, raw, section.as_deref().unwrap_or_default());
                }
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
                self.errors.extend(lint::head(source, &head.version, &head.documents));
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
            idle_seconds: raw.idle_seconds,
            note: raw.note,
            sources: raw.sources,
        };
        self.entries.push((place, entry));
    }

    fn whole_file(&mut self, name: &str, what: &str) {
        self.errors.push(Source::new(name, "").place(0..0).error("", Rule::File, what));
    }

    fn finish(mut self, sha256: String) -> Result<Catalog, Vec<CatalogError>> {
        let documents: BTreeMap<String, Document> = self
            .head
            .as_mut()
            .map(|head| std::mem::take(&mut head.documents))
            .unwrap_or_default()
            .into_iter()
            .map(|(key, document)| (key, document.into_inner()))
            .collect();
        self.releases.sort_by_key(|(_, release)| release.build);
        let known = lint::Known::new(&documents, &self.releases, &self.entries, self.errors.is_empty());
        let found = [lint::releases(&self.releases, &known), lint::entries(&self.entries, &known)].concat();
        self.errors.extend(found);
        self.errors.sort();
        self.errors.dedup();
        match self.head {
            Some(head) if self.errors.is_empty() => Ok(Catalog {
                version: head.version.into_inner(),
                as_of: head.as_of,
                sha256,
                documents,
                releases: self.releases.into_iter().map(|(_, release)| release).collect(),
                entries: self.entries.into_iter().map(|(_, entry)| entry).collect(),
            }),
            _ => Err(self.errors),
        }
    }
}

/// Over names and texts, each with its length before it, so that no two sets of files run into one.
fn sha256(texts: &[(&str, String)]) -> String {
    let mut hasher = Sha256::new();
    for part in texts.iter().flat_map(|(name, text)| [*name, text.as_str()]) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hexadecimal(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalog_loads() {
        if let Err(errors) = Catalog::from_files(embedded::FILES) {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"));
        }
        assert_eq!(Catalog::embedded().sha256.len(), 64);
    }

    #[test]
    fn the_hash_is_that_of_the_content_on_any_system() {
        let windows: Vec<(&str, String)> =
            embedded::FILES.iter().rev().map(|(name, text)| (*name, text.replace('\n', "\r\n"))).collect();
        let windows: Vec<(&str, &str)> = windows.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(&Catalog::from_files(&windows).unwrap(), Catalog::embedded());
        let texts = |name, text: &str| sha256(&[(name, text.to_owned())]);
        assert_ne!(texts("a", "bc"), texts("ab", "c"));
    }
}
