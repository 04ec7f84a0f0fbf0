//! What a hierarchy needs, as a document: the set of requirements with who says so, before anything is probed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::Listing;
use crate::catalog::{
    AddressRange, Catalog, CatalogRole, Cloud, Context, EntryId, Inspection, Network, SourceRef, Status, Tier,
};
use crate::derive::{Change, Decision, Proof, RequiredName, Requirement, RequirementId, Subject, Via, difference};
use crate::evidence::{Tool, gaps};
use crate::host::{HostName, HostPattern, Scheme};
use crate::probe::Resolved;
use crate::site::{Facts, SiteCode};

/// The format of [`Endpoints`]; a change that old readers would misread makes it a new one.
pub const ENDPOINTS_FORMAT: &str = "cmcomply.endpoints/1";

/// The endpoints of a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoints {
    /// [`ENDPOINTS_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// What it was made from.
    pub origin: Origin,
    /// What was assumed: a version, features. The changes below are against the facts without these.
    pub what_if: WhatIf,
    /// Why this may not be the whole set; empty if every fact that decides is known.
    pub incomplete: Vec<String>,
    /// One for each requirement.
    pub endpoints: Vec<Endpoint>,
    /// What the exact names resolve to, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Addresses>,
}

/// What a document was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The SQL Server.
    pub server: String,
    /// The site database.
    pub database: String,
    /// Its site, if that is known.
    pub site: Option<SiteCode>,
    /// When the facts were read, in UTC.
    pub facts_read: Timestamp,
    /// The catalog's version.
    pub catalog: String,
    /// SHA-256 over the catalog's files.
    pub catalog_sha256: String,
}

/// What was assumed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIf {
    /// `--target-version`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// `--assume`
    pub assumptions: Vec<String>,
    /// What is assumed besides, since the assumptions cannot be without it, and whether they change nothing. In words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether only what changes is listed.
    pub changes_only: bool,
}

impl WhatIf {
    /// Whether nothing was assumed.
    pub fn is_empty(&self) -> bool {
        self.target_version.is_none() && self.assumptions.is_empty()
    }
}

/// One requirement, with all that a reader needs to act on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// The same in the next run of the same hierarchy.
    pub id: RequirementId,
    /// A site system, any client, any console, or servers that could not be read.
    pub subject: SubjectKind,
    /// The site system.
    pub host: Option<HostName>,
    /// Its site.
    pub site: Option<SiteCode>,
    /// In which role.
    pub role: CatalogRole,
    /// The host or wildcard; where a fact is unknown, the template as the catalog writes it.
    pub name: String,
    /// Whether `name` is one host, a wildcard, or a template.
    pub name_kind: NameKind,
    /// How.
    pub scheme: Scheme,
    /// The port; null if it depends on a fact that is unknown.
    pub port: Option<u16>,
    /// The path, where the page gives one.
    pub path: Option<String>,
    /// Whose proxy settings the product uses.
    pub context: Context,
    /// What those are: direct, a proxy, or unknown.
    pub route: Via,
    /// Who says so, in words.
    pub route_detail: String,
    /// How much depends on it.
    pub tier: Tier,
    /// Where the catalog entry stands in its life.
    pub status: Status,
    /// The entry that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<EntryId>,
    /// Whether TLS inspection is supported on the way.
    pub inspection: Inspection,
    /// How long an idle connection must be left open, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u32>,
    /// Concrete hosts that an audit probes for a wildcard.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub probed_by: Vec<HostName>,
    /// Whether it is needed.
    pub decision: Decided,
    /// Which facts are missing, and how to state or read them; empty if it is decided.
    pub missing: Vec<String>,
    /// Against today, where something was assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Why, from the facts to the entry.
    pub reasons: Vec<String>,
    /// The catalog entry.
    pub entry: EntryId,
    /// According to whom.
    pub sources: Vec<Cited>,
}

/// Who needs an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A site system, under `host`.
    Host,
    /// Any client.
    Clients,
    /// Any device with the console.
    Consoles,
    /// Servers with the role, whose names could not be read.
    UnknownHosts,
}

/// What kind of name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// One host.
    Exact,
    /// Many hosts.
    Wildcard,
    /// A value is unknown.
    Template,
}

/// Whether an endpoint is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// It is.
    Needed,
    /// A fact is unknown, so nobody can tell.
    Undecided,
    /// The service is gone: listed for the firewall's clean-up.
    Retired,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cited {
    /// The document's title.
    pub title: String,
    /// The section.
    pub section: String,
    /// The revision's date.
    pub date: Date,
    /// Where it is published.
    pub url: String,
}

impl Cited {
    /// The sources, with what the catalog says of the documents.
    pub fn all(sources: &[SourceRef], catalog: &Catalog) -> Vec<Self> {
        let cite = |source: &SourceRef| {
            let document = catalog.documents.get(&source.document);
            Self {
                title: document.map_or_else(|| source.document.clone(), |document| document.title.clone()),
                section: source.section.clone(),
                date: source.date,
                url: document.map(|document| document.url.clone()).unwrap_or_default(),
            }
        };
        sources.iter().map(cite).collect()
    }
}

/// Addresses, for firewalls that know no names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Addresses {
    /// [`ADDRESSES_AGE`].
    pub warning: String,
    /// What each exact name resolved to from here.
    pub resolved: Vec<Resolved>,
    /// The wildcards, which have no addresses of their own.
    pub wildcards: Vec<String>,
    /// Published ranges in which endpoints of this list may be.
    pub ranges: Vec<PublishedRange>,
}

/// How far a list of addresses can be trusted.
pub const ADDRESSES_AGE: &str = "A list of addresses is a snapshot: content networks change theirs within minutes and \
    give others elsewhere, published ranges change within weeks, and a wildcard has none of its own. Rules by name stay \
    right; rules by address must be renewed all the time.";

/// A published range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedRange {
    /// What the addresses are for.
    pub name: String,
    /// The endpoints of this list that may be in it.
    pub endpoints: Vec<String>,
    /// The cloud in which they are.
    pub cloud: Cloud,
    /// The addresses.
    pub networks: Vec<Network>,
    /// According to whom, and when.
    pub sources: Vec<Cited>,
}

/// The document for requirements and, where something was assumed, what they are without it.
pub fn endpoints(
    facts: &Facts,
    facts_read: Timestamp,
    catalog: &Catalog,
    requirements: &[Requirement],
    today: Option<(&[Requirement], WhatIf)>,
) -> Endpoints {
    let (mut all, mut what_if) = (Vec::new(), WhatIf::default());
    match today {
        None => all.extend(requirements.iter().map(|requirement| endpoint(requirement, None, catalog))),
        Some((today, assumed)) => {
            what_if = assumed;
            let change = difference(today, requirements);
            let changes: BTreeMap<&RequirementId, Change> = [
                (&change.added, Change::Added),
                (&change.decided, Change::Decided),
                (&change.removed, Change::Removed),
                (&change.kept, Change::Kept),
            ]
            .into_iter()
            .flat_map(|(set, kind)| set.iter().map(move |requirement| (&requirement.id, kind)))
            .collect();
            let set = requirements.iter().chain(change.removed.iter().copied());
            all.extend(set.map(|requirement| endpoint(requirement, changes.get(&requirement.id).copied(), catalog)));
        }
    }
    Endpoints {
        format: ENDPOINTS_FORMAT.to_owned(),
        tool: Tool::this(),
        origin: Origin {
            server: facts.connection.server.clone(),
            database: facts.connection.database.clone(),
            site: facts.this_site.known().cloned(),
            facts_read,
            catalog: catalog.version.clone(),
            catalog_sha256: catalog.sha256.clone(),
        },
        what_if,
        incomplete: incomplete(facts, requirements),
        endpoints: all,
        addresses: None,
    }
}

/// Why the set may not be whole. What is advisory decides no audit and is no reason here.
pub fn incomplete(facts: &Facts, requirements: &[Requirement]) -> Vec<String> {
    let is_open = |requirement: &&Requirement| {
        matches!(requirement.decision, Decision::Undecided { .. }) && requirement.tier != Tier::Advisory
    };
    let mut reasons = gaps(facts);
    match requirements.iter().filter(is_open).count() {
        0 => {}
        1 => reasons.push("1 endpoint is undecided".to_owned()),
        n => reasons.push(format!("{n} endpoints are undecided")),
    }
    if requirements.is_empty() && reasons.is_empty() {
        reasons.push("nothing was found that this hierarchy needs".to_owned());
    }
    reasons
}

fn endpoint(requirement: &Requirement, change: Option<Change>, catalog: &Catalog) -> Endpoint {
    let (host, site) = match &requirement.subject {
        Subject::Host { site, host } => (Some(host.clone()), Some(site.clone())),
        _ => (None, None),
    };
    let (decision, missing) = match &requirement.decision {
        Decision::Needed => (Decided::Needed, Vec::new()),
        Decision::Undecided { missing } => (Decided::Undecided, missing.clone()),
        Decision::Retired => (Decided::Retired, Vec::new()),
    };
    let sources = catalog.entry(&requirement.entry).map(|entry| Cited::all(&entry.sources, catalog));
    Endpoint {
        id: requirement.id.clone(),
        subject: match &requirement.subject {
            Subject::Host { .. } => SubjectKind::Host,
            Subject::Clients => SubjectKind::Clients,
            Subject::Consoles => SubjectKind::Consoles,
            Subject::UnknownHosts => SubjectKind::UnknownHosts,
        },
        host,
        site,
        role: requirement.role,
        name: requirement.name.to_string(),
        name_kind: match &requirement.name {
            RequiredName::Pattern(HostPattern::Exact(_)) => NameKind::Exact,
            RequiredName::Pattern(_) => NameKind::Wildcard,
            RequiredName::Template(_) => NameKind::Template,
        },
        scheme: requirement.scheme,
        port: requirement.port,
        path: requirement.path.clone(),
        context: requirement.context,
        route: requirement.route.via.clone(),
        route_detail: requirement.route.detail.clone(),
        tier: requirement.tier,
        status: requirement.status,
        replaced_by: requirement.replaced_by.clone(),
        inspection: requirement.inspection,
        idle_seconds: requirement.idle_seconds,
        probed_by: match &requirement.proof {
            Proof::Representative { hosts, .. } | Proof::Related { hosts, .. } => hosts.clone(),
            Proof::Itself | Proof::NotTestable { .. } => Vec::new(),
        },
        decision,
        missing,
        change,
        reasons: requirement.reasons.clone(),
        entry: requirement.entry.clone(),
        sources: sources.unwrap_or_default(),
    }
}

impl Endpoint {
    /// Whether it is needed or may be, and not gone.
    pub fn is_live(&self) -> bool {
        self.decision != Decided::Retired && self.change != Some(Change::Removed)
    }

    /// Who needs it, for people.
    pub fn who(&self) -> String {
        match (self.subject, &self.host) {
            (SubjectKind::Host, Some(host)) => host.to_string(),
            (SubjectKind::Clients, _) => Subject::Clients.to_string(),
            (SubjectKind::Consoles, _) => Subject::Consoles.to_string(),
            (SubjectKind::Host | SubjectKind::UnknownHosts, _) => Subject::UnknownHosts.to_string(),
        }
    }

    /// `https://*.manage.microsoft.com`, with the port where it is not the scheme's own.
    pub fn url(&self) -> String {
        crate::derive::endpoint(self.scheme, &self.name, self.port, self.path.as_deref())
    }

    /// `needed`, `undecided` or `retired`.
    pub fn decision_name(&self) -> &'static str {
        match self.decision {
            Decided::Needed => "needed",
            Decided::Undecided => "undecided",
            Decided::Retired => "retired",
        }
    }

    /// `added`, `removed`, `decided` (it is undecided today), or nothing.
    pub fn change_name(&self) -> &'static str {
        match self.change {
            None | Some(Change::Kept) => "",
            Some(Change::Added) => "added",
            Some(Change::Decided) => "decided",
            Some(Change::Removed) => "removed",
        }
    }
}

/// The published ranges in which some of these endpoints may be.
pub fn published_ranges(catalog: &Catalog, endpoints: &[Endpoint]) -> Vec<PublishedRange> {
    let fits = |range: &AddressRange, name: &str| {
        let pattern = HostPattern::parse(name).ok()?;
        let fits = range.endpoints.iter().any(|known| match &pattern {
            HostPattern::Exact(host) => known.matches(host),
            wildcard => known == wildcard,
        });
        fits.then(|| name.to_owned())
    };
    let publish = |range: &AddressRange| {
        let live = endpoints.iter().filter(|endpoint| endpoint.is_live());
        let mut names: Vec<String> = live.filter_map(|endpoint| fits(range, &endpoint.name)).collect();
        names.sort();
        names.dedup();
        (!names.is_empty()).then(|| PublishedRange {
            name: range.name.clone(),
            endpoints: names,
            cloud: range.cloud,
            networks: range.networks.clone(),
            sources: Cited::all(&range.sources, catalog),
        })
    };
    catalog.ranges.iter().filter_map(publish).collect()
}

/// All that a spreadsheet can sort and filter by.
pub fn endpoint_rows(document: &Endpoints) -> Listing<20> {
    let resolved: BTreeMap<&str, &Resolved> = document
        .addresses
        .iter()
        .flat_map(|addresses| &addresses.resolved)
        .map(|resolved| (resolved.name.as_str(), resolved))
        .collect();
    let row = |e: &Endpoint| {
        let seen = resolved.get(e.name.as_str());
        let cite = |cited: &Cited| format!("{}: {}, {}", cited.title, cited.section, cited.date);
        [
            e.who(),
            e.site.as_ref().map(ToString::to_string).unwrap_or_default(),
            e.role.title().to_owned(),
            e.name.clone(),
            e.scheme.to_string(),
            e.port.map(|port| port.to_string()).unwrap_or_default(),
            e.path.clone().unwrap_or_default(),
            e.context.name().to_owned(),
            e.route.to_string(),
            e.tier.name().to_owned(),
            e.status.name().to_owned(),
            e.decision_name().to_owned(),
            e.change_name().to_owned(),
            e.missing.join("; "),
            e.reasons.join("; "),
            e.sources.iter().map(cite).collect::<Vec<_>>().join("; "),
            e.entry.to_string(),
            e.probed_by.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            seen.map(|s| s.addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join("; ")).unwrap_or_default(),
            seen.map(|s| s.at.to_string()).unwrap_or_default(),
        ]
    };
    Listing {
        columns: [
            "host",
            "site",
            "role",
            "name",
            "scheme",
            "port",
            "path",
            "context",
            "route",
            "tier",
            "status",
            "decision",
            "change",
            "missing",
            "reasons",
            "sources",
            "entry",
            "probed by",
            "addresses",
            "resolved",
        ],
        rows: document.endpoints.iter().map(row).collect(),
    }
}
