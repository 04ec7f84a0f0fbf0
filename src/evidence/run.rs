//! The run document.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::outcome::Outcome;
use super::vantages::VantageRecord;
use crate::assess::{AppliedWaivers, Judgement};
use crate::catalog::{Catalog, Document, Entry, EntryId, SourceRef};
use crate::derive::Requirement;
use crate::plan::Probe;
use crate::probe::{Observation, RevocationList};
use crate::site::{FACTS_DAYS, Facts};
use crate::text::hexadecimal;
use crate::vantage::Vantage;
use crate::vantage::run_script::Clients;

/// The format of [`Run`]; a change that old readers would misread makes it a new one.
pub const RUN_FORMAT: &str = "cmcomply.run/1";

/// The whole record of one audit. Everything that anyone reads is made from it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// [`RUN_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// Whether names were replaced by pseudonyms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// When.
    pub moments: Moments,
    /// With what settings.
    pub settings: RunSettings,
    /// What it came to.
    pub outcome: Outcome,
    /// The machine that ran the audit.
    pub vantage: Vantage,
    /// From where one looked; the first is the machine that ran the audit. Judgements name them by their position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vantages: Vec<VantageRecord>,
    /// The catalog.
    pub catalog: CatalogRecord,
    /// What the site database said.
    pub facts: Facts,
    /// What each host needs.
    pub requirements: Vec<Requirement>,
    /// What was to be probed, from each vantage in turn. Ids of probes from other machines begin with the machine's name.
    pub probes: Vec<Probe>,
    /// What was seen, in the order of the probes.
    pub observations: Vec<Observation>,
    /// The revocation lists that the certificates of trusted chains name, by URL. They decide nothing yet.
    pub revocation_lists: Vec<RevocationList>,
    /// What it means, in the order of the requirements.
    pub judgements: Vec<Judgement>,
    /// What clients said themselves, where a file of it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Clients>,
    /// The waivers that were applied, where a file of them was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waivers: Option<AppliedWaivers>,
}

/// What made a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `cmcomply`
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self { name: "cmcomply".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// When a run took place, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moments {
    /// Begin.
    pub started: Timestamp,
    /// When the facts had been read: before the run where a snapshot stands for the site database, of several the oldest.
    pub facts_read: Timestamp,
    /// End.
    pub finished: Timestamp,
}

impl Moments {
    /// Days from the reading of the facts to the end of the run; negative: still to come.
    fn age_of_facts(&self) -> i64 {
        self.finished.duration_since(self.facts_read).as_secs() / 86_400
    }

    /// What a reader must be told of the age of the facts, where they are not of the day of the run.
    pub fn old_facts(&self) -> Option<String> {
        let age = self.age_of_facts();
        let days = if age == 1 { "1 day".to_owned() } else { format!("{age} days") };
        let day = self.facts_read.strftime("%F");
        (age >= 1).then(|| {
            format!(
                "The site database was read on {day}, {days} before the end of the run (--snapshot): what changed there \
                 since is not known"
            )
        })
    }

    /// Why facts of that age leave the run incomplete, if they do: too old, or of a day to come. A clock may be a little
    /// fast.
    pub fn outdated_facts(&self) -> Option<String> {
        let day = self.facts_read.strftime("%F");
        match self.age_of_facts() {
            age if age > FACTS_DAYS => Some(format!(
                "the facts were read on {day}, {age} days before; after {FACTS_DAYS} days they count no more"
            )),
            age if age < -1 => Some(format!("the facts were read on {day}, which is to come")),
            _ => None,
        }
    }
}

/// The settings that can change what a run says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunSettings {
    /// `--target-version`: the requirements are those after an update to this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// `--from-here`: failures that this machine sees count for the hosts that need the endpoints.
    pub from_here: bool,
    /// `--remote`: hosts without a vantage in the settings are looked at over WinRM.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remote: bool,
    /// `--retired`: names of services that are gone were looked at too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// `--dns-server`
    pub dns_server: Option<String>,
    /// `--connect-to`
    pub connect_to: Vec<String>,
    /// SHA-256 over the DER of each certificate of `--ca-file`.
    pub extra_roots: Vec<String>,
    /// The same of `--public-ca-file`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_roots: Vec<String>,
    /// `--proxy`: context to route.
    pub stated_proxies: BTreeMap<String, String>,
    /// `--stage-timeout`, in milliseconds.
    pub stage_timeout_ms: u64,
    /// `--deadline`, in milliseconds.
    pub deadline_ms: u64,
    /// `--retries`
    #[serde(default)]
    pub retries: usize,
}

/// The catalog that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogRecord {
    /// Its version.
    pub version: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// The documents that its entries cite, by key.
    pub documents: BTreeMap<String, Document>,
    /// The entries that requirements of this run name.
    pub entries: Vec<CitedEntry>,
    /// Every entry of the catalog, so that a later run can tell a new one from one that applies only now. Records from
    /// before it was kept have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<EntryMark>,
}

/// A catalog entry by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryMark {
    /// Its id.
    pub id: EntryId,
    /// SHA-256 over all that the entry says.
    pub sha256: String,
}

impl EntryMark {
    fn of(entry: &Entry) -> Self {
        let said = serde_json::to_vec(entry).unwrap_or_default();
        Self { id: entry.id.clone(), sha256: hexadecimal(&Sha256::digest(said)) }
    }
}

/// A catalog entry as far as a reader of the run needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CitedEntry {
    /// Its id.
    pub id: EntryId,
    /// The endpoint as the catalog writes it.
    pub endpoint: String,
    /// The condition.
    pub when: String,
    /// What else one should know.
    pub note: Option<String>,
    /// According to whom.
    pub sources: Vec<SourceRef>,
}

impl CatalogRecord {
    /// The record of a catalog for these requirements.
    pub fn of(catalog: &Catalog, requirements: &[Requirement]) -> Self {
        let named: BTreeSet<&EntryId> = requirements.iter().map(|r| &r.entry).collect();
        let entries: Vec<CitedEntry> = catalog
            .entries
            .iter()
            .filter(|entry| named.contains(&entry.id))
            .map(|entry| CitedEntry {
                id: entry.id.clone(),
                endpoint: entry.endpoint.to_string(),
                when: entry.when.to_string(),
                note: entry.note.clone(),
                sources: entry.sources.clone(),
            })
            .collect();
        let cited: BTreeSet<&String> = entries.iter().flat_map(|e| e.sources.iter().map(|s| &s.document)).collect();
        let documents =
            catalog.documents.iter().filter(|(key, _)| cited.contains(key)).map(|(k, d)| (k.clone(), d.clone()));
        Self {
            version: catalog.version.clone(),
            sha256: catalog.sha256.clone(),
            documents: documents.collect(),
            entries,
            all: catalog.entries.iter().map(EntryMark::of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(facts_read: &str) -> Moments {
        let finished = "2026-11-25T08:00:00Z".parse().unwrap();
        Moments { started: finished, facts_read: facts_read.parse().unwrap(), finished }
    }

    #[test]
    fn old_facts_are_told_and_older_ones_count_no_more() {
        for today in ["2026-11-25T08:00:00Z", "2026-11-24T08:00:01Z", "2026-11-26T07:00:00Z"] {
            let moments = moments(today);
            assert_eq!((moments.old_facts(), moments.outdated_facts()), (None, None), "{today}");
        }
        let told = |day: &str| moments(day).old_facts().unwrap();
        assert!(told("2026-11-24T08:00:00Z").contains("read on 2026-11-24, 1 day before"));
        assert!(told("2026-10-26T08:00:00Z").contains("read on 2026-10-26, 30 days before"));
        assert_eq!(moments("2026-10-26T08:00:00Z").outdated_facts(), None);
        let outdated = |day: &str| moments(day).outdated_facts().unwrap();
        assert!(outdated("2025-01-02T03:04:05Z").contains("read on 2025-01-02, 692 days before"));
        assert!(outdated("2026-10-25T08:00:00Z").contains("31 days before"));
        assert!(outdated("2026-11-27T09:00:00Z").contains("2026-11-27, which is to come"));
    }
}
