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
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// A table of a file, with the lines of its keys.
#[derive(Debug, Clone)]
pub(super) struct Place {
    file: String,
    line: usize,
    keys: BTreeMap<String, usize>,
    id: Option<EntryId>,
}

impl Source<'_> {
    /// The place of a part of the text.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Place { file: printable(self.name, 80), line, keys: BTreeMap::new(), id: None }
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

    /// What the TOML reader says, in one line.
    pub(super) fn toml_error(&self, error: &toml::de::Error, table: Option<&Place>) -> CatalogError {
        let message = printable(&error.message().replace('\n', ", "), 300);
        let mut place = match (error.span(), table) {
            (None, Some(table)) => table.clone(),
            (span, _) => self.place(span.unwrap_or(0..0)),
        };
        place.id = table.and_then(|table| table.id.clone());
        place.error("", Rule::Syntax, message)
    }
}

impl Place {
    /// An error at a key of the table, or at its first line where it has no such key.
    pub(super) fn error(&self, key: &str, rule: Rule, what: String) -> CatalogError {
        CatalogError {
            file: self.file.clone(),
            line: self.keys.get(key).copied().unwrap_or(self.line),
            entry: self.id.clone(),
            rule,
            what: printable(&what, 500),
        }
    }

    /// The place as `file:line`.
    pub(super) fn at(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}
