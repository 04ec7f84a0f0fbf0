//! The catalog: what is documented about the endpoints that Configuration Manager needs.

mod condition;
mod diff;
mod embedded;
mod entry;
mod error;
mod fact;
mod folder;
mod html;
mod lint;
mod load;
mod network;
mod page;
mod place;
mod reader;
mod release;
mod retirement;
mod root;
mod template;
mod version;

pub use condition::{Condition, ConditionError};
pub use diff::{GoneRow, PageDiff, diff};
pub use entry::{
    CatalogRole, Cloud, Context, Document, Entry, EntryId, Inspection, PortRule, Ports, ProbeClass, ProbeRule,
    SourceRef, Status, Tier, TlsRule, TlsVersion,
};
pub use error::{CatalogError, Rule};
pub use fact::ConditionFact;
pub use folder::LoadError;
pub use network::{AddressRange, Network, NetworkError};
pub use page::{PAGE_LIMIT, PageError, PageRow, Unclear};
pub use release::Release;
pub use retirement::Retirement;
pub use root::Root;
pub use template::{AZURE_COLUMNS, EndpointTemplate, Part, TemplateError, Variable};
pub use version::{DottedVersion, VersionError};

use std::collections::BTreeMap;

use jiff::civil::Date;

/// All entries, with the documents that they cite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The catalog's version, such as `2026.11.22`.
    pub version: String,
    /// The day on which its documents were last compared with it.
    pub as_of: Date,
    /// SHA-256 of its files in the order of their names, lower-case hexadecimal, the same on every system.
    pub sha256: String,
    /// Documents by key.
    pub documents: BTreeMap<String, Document>,
    /// Versions of Configuration Manager, oldest first.
    pub releases: Vec<Release>,
    /// Features and services that go away.
    pub retirements: Vec<Retirement>,
    /// Root certificates that the endpoints' certificates lead to.
    pub roots: Vec<Root>,
    /// Published addresses.
    pub ranges: Vec<AddressRange>,
    /// Names on the page that are no endpoints, such as samples, with the reason.
    pub samples: BTreeMap<String, String>,
    /// Entries in the order of the files and of the lines in them.
    pub entries: Vec<Entry>,
    /// Entries of this program in whose place there are own ones.
    pub overridden: Vec<EntryId>,
}

impl Catalog {
    /// The entry with this id.
    pub fn entry(&self, id: &EntryId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == *id)
    }

    /// The version with this build, the third field of `5.00.BUILD`.
    pub fn release(&self, build: u32) -> Option<&Release> {
        self.releases.iter().find(|release| release.build == build)
    }
}
