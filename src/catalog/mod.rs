//! The catalog: what is documented about the endpoints that Configuration Manager needs.

mod condition;
mod entry;
mod template;

pub use condition::{Condition, ConditionError, ConditionFact};
pub use entry::{
    CatalogRole, Cloud, Context, Document, Entry, EntryId, Inspection, PortRule, Ports, ProbeClass, ProbeRule,
    SourceRef, Status, Tier,
};
pub use template::{EndpointTemplate, Part, TemplateError, Variable};

use std::collections::BTreeMap;

/// All entries, with the documents that they cite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The catalog's version, such as `2026.11.22`.
    pub version: String,
    /// SHA-256 of its files in the order of their names, lower-case hexadecimal.
    pub sha256: String,
    /// Documents by key.
    pub documents: BTreeMap<String, Document>,
    /// Entries in the order of the files and of the lines in them.
    pub entries: Vec<Entry>,
}
