//! What the lint of a catalog found, as a document and as rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::Listing;
use crate::catalog::{Catalog, CatalogError, EntryId};

/// What the lint of a catalog found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LintReport {
    /// The catalog's version; null if there are mistakes.
    pub version: Option<String>,
    /// SHA-256 over the catalog's files; null if there are mistakes.
    pub sha256: Option<String>,
    /// How many entries it has; null if there are mistakes.
    pub entries: Option<usize>,
    /// Entries of this program in whose place there are own ones.
    pub overridden: Vec<EntryId>,
    /// What is wrong, in the order of files and lines.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, from one.
    pub line: usize,
    /// The entry, where there is one.
    pub entry: Option<EntryId>,
    /// The rule's stable name.
    pub rule: String,
    /// What is wrong, in words.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl LintReport {
    /// Of a catalog, or of what kept it from being one.
    pub fn of(read: Result<&Catalog, &[CatalogError]>) -> Self {
        let catalog = read.ok();
        let mistake = |error: &CatalogError| Mistake {
            file: error.file.clone(),
            line: error.line,
            entry: error.entry.clone(),
            rule: error.rule.code().to_owned(),
            what: error.what.clone(),
            help: error.rule.help().to_owned(),
        };
        Self {
            version: catalog.map(|catalog| catalog.version.clone()),
            sha256: catalog.map(|catalog| catalog.sha256.clone()),
            entries: catalog.map(|catalog| catalog.entries.len()),
            overridden: catalog.map(|catalog| catalog.overridden.clone()).unwrap_or_default(),
            mistakes: read.err().unwrap_or_default().iter().map(mistake).collect(),
        }
    }

    /// The mistakes in columns.
    pub fn rows(&self) -> Listing<6> {
        let row = |mistake: &Mistake| {
            [
                mistake.file.clone(),
                mistake.line.to_string(),
                mistake.entry.as_ref().map(ToString::to_string).unwrap_or_default(),
                mistake.rule.clone(),
                mistake.what.clone(),
                mistake.help.clone(),
            ]
        };
        Listing {
            columns: ["file", "line", "entry", "rule", "what", "help"],
            rows: self.mistakes.iter().map(row).collect(),
        }
    }
}
