//! Where in the catalog's files something stands.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::entry::EntryId;
use super::error::{CatalogError, Rule};
use crate::text::printable;

/// One file.
pub(super) struct Source<'a> {
    /// The folder, for people; empty for the catalog in this program.
    folder: &'a str,
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// Where each line ends, so that a line is found without reading the text again.
    line_ends: Vec<usize>,
}

/// A table of a file, with the lines of its keys.
#[derive(Debug, Clone)]
pub(super) struct Place {
    file: String,
    line: usize,
    keys: BTreeMap<String, usize>,
    id: Option<EntryId>,
}

impl<'a> Source<'a> {
    pub(super) fn new(folder: &'a str, name: &'a str, text: &'a str) -> Self {
        Self { folder, name, text, line_ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// The place of a part of the text.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let line = 1 + self.line_ends.partition_point(|end| *end < span.start);
        let (folder, name) = (printable(self.folder, 300), printable(self.name, 80));
        let file = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        Place { file, line, keys: BTreeMap::new(), id: None }
    }

    /// The place of a table, and of each of its keys.
    pub(super) fn table_place(&self, table: &Spanned<DeValue<'_>>) -> Place {
        let mut place = self.place(table.span());
        if let Some(keys) = table.get_ref().as_table() {
            place.keys = keys.iter().map(|(key, _)| (key.get_ref().to_string(), self.place(key.span()).line)).collect();
            place.id = keys.get("id").and_then(|id| id.get_ref().as_str()).map(|id| EntryId(printable(id, 80)));
        }
        place
    }

    /// A file that is no TOML.
    pub(super) fn not_toml(&self, error: &toml::de::Error) -> CatalogError {
        self.place(error.span().unwrap_or(0..0)).error("", Rule::Syntax, &format!("not TOML: {}", one_line(error)))
    }

    /// A table that has not the keys and values it should have.
    pub(super) fn bad_table(&self, error: &toml::de::Error, table: &Place) -> CatalogError {
        let place = error.span().map_or_else(|| table.clone(), |span| self.place(span));
        Place { id: table.id.clone(), ..place }.error("", Rule::Syntax, &one_line(error))
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', ", ")
}

impl Place {
    /// An error at a key of the table, or at its first line where it has no such key.
    pub(super) fn error(&self, key: &str, rule: Rule, what: &str) -> CatalogError {
        CatalogError {
            file: self.file.clone(),
            line: self.keys.get(key).copied().unwrap_or(self.line),
            entry: self.id.clone(),
            rule,
            what: printable(what, 500),
        }
    }

    /// The place as `file:line`.
    pub(super) fn at(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}
