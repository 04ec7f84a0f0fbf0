//! The types of a catalog entry: one documented need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::template::EndpointTemplate;
use crate::host::{HostName, Scheme};
use crate::site::Role;

/// One documented need: who, what, when, in which cloud, with what lifecycle, according to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// Stable, never reused.
    pub id: EntryId,
    /// The section of the documentation page.
    pub section: String,
    /// Who needs it.
    pub roles: Vec<CatalogRole>,
    /// What: a host pattern, or a template that the site database fills.
    #[schemars(with = "String")]
    pub endpoint: EndpointTemplate,
    /// How the page writes it, where that is neither the endpoint nor a host.
    pub written: Vec<String>,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// On which ports.
    pub ports: Ports,
    /// The path, where the page gives one; `{tenant.id}` in it is the id of each Microsoft Entra tenant.
    pub path: Option<String>,
    /// The clouds in which it is needed.
    pub clouds: Vec<Cloud>,
    /// The facts under which it is needed.
    #[schemars(with = "String")]
    pub when: Condition,
    /// Whose proxy the product uses for it.
    pub context: Context,
    /// How much depends on it.
    pub tier: Tier,
    /// Where it stands in its life.
    pub status: Status,
    /// When the status began, where that is known.
    pub status_since: Option<jiff::civil::Date>,
    /// The entry that takes its place.
    pub replaced_by: Option<EntryId>,
    /// The first build that needs it.
    pub since_build: Option<u32>,
    /// The last build that needs it.
    pub until_build: Option<u32>,
    /// How a wildcard is probed. `None` for exact hosts and templates: they are probed themselves.
    pub probe: Option<ProbeRule>,
    /// Whether TLS inspection is supported on the way.
    pub inspection: Inspection,
    /// What TLS the other end demands, where that is documented.
    pub tls: Option<TlsRule>,
    /// Whether parts of files must be had (HTTP ranges), as BITS and Delivery Optimization load them.
    pub byte_ranges: bool,
    /// How long an idle connection must be left open, in seconds.
    pub idle_seconds: Option<u32>,
    /// What else one should know.
    pub note: Option<String>,
    /// According to whom, with section and date.
    pub sources: Vec<SourceRef>,
}

/// The stable id of an entry: lower-case words joined by hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct EntryId(pub String);

impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// Who needs an endpoint: a site system role, or a kind of device that the database does not list as a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CatalogRole {
    /// Service connection point.
    ServiceConnectionPoint,
    /// CMG connection point.
    CmgConnectionPoint,
    /// Software update point.
    SoftwareUpdatePoint,
    /// Management point.
    ManagementPoint,
    /// Distribution point.
    DistributionPoint,
    /// Site server.
    SiteServer,
    /// Asset intelligence synchronization point.
    AssetIntelligenceSynchronizationPoint,
    /// Any device with the Configuration Manager client.
    Client,
    /// Any device with the Configuration Manager console.
    Console,
}

impl CatalogRole {
    /// The site system role; `None` for clients and consoles.
    pub fn site_role(self) -> Option<Role> {
        Some(match self {
            Self::ServiceConnectionPoint => Role::ServiceConnectionPoint,
            Self::CmgConnectionPoint => Role::CmgConnectionPoint,
            Self::SoftwareUpdatePoint => Role::SoftwareUpdatePoint,
            Self::ManagementPoint => Role::ManagementPoint,
            Self::DistributionPoint => Role::DistributionPoint,
            Self::SiteServer => Role::SiteServer,
            Self::AssetIntelligenceSynchronizationPoint => Role::AssetIntelligenceSynchronizationPoint,
            Self::Client | Self::Console => return None,
        })
    }

    /// The name in the product's documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::ServiceConnectionPoint => "service connection point",
            Self::CmgConnectionPoint => "CMG connection point",
            Self::SoftwareUpdatePoint => "software update point",
            Self::ManagementPoint => "management point",
            Self::DistributionPoint => "distribution point",
            Self::SiteServer => "site server",
            Self::AssetIntelligenceSynchronizationPoint => "asset intelligence synchronization point",
            Self::Client => "client",
            Self::Console => "console",
        }
    }
}

/// The ports of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a list of ports, or the name of a rule such as \"cmg-instances\"")]
pub enum Ports {
    /// These.
    Fixed(Vec<u16>),
    /// As the site database says.
    FromFacts(PortRule),
}

impl std::fmt::Display for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fixed(ports) => f.pad(&ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
            Self::FromFacts(PortRule::CmgInstances) => f.pad("cmg-instances"),
            Self::FromFacts(PortRule::CmgClassic) => f.pad("cmg-classic"),
            Self::FromFacts(PortRule::SoftwareUpdatePoint) => f.pad("software-update-point"),
            Self::FromFacts(PortRule::ThirdPartyCatalog) => f.pad("third-party-catalog"),
        }
    }
}

/// Ports that depend on facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PortRule {
    /// 443 with one instance of the CMG, 10124 and up, one for each instance, with two or more.
    CmgInstances,
    /// 10140 and up, one for each instance of a classic deployment of the CMG; none of any other.
    CmgClassic,
    /// The port on which the software update point at the other end is reached.
    SoftwareUpdatePoint,
    /// The port in the address of the third-party catalog.
    ThirdPartyCatalog,
}

/// A cloud of Azure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Azure public cloud (`AzureEnvironments.ID` 1).
    Public,
    /// Azure US Government cloud (2).
    UsGovernment,
}

impl Cloud {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Public, Self::UsGovernment];

    /// The cloud of an `AzureEnvironments.ID`.
    pub fn from_environment(id: i64) -> Option<Self> {
        match id {
            1 => Some(Self::Public),
            2 => Some(Self::UsGovernment),
            _ => None,
        }
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Public => "Azure public cloud",
            Self::UsGovernment => "Azure US Government cloud",
        }
    }
}

/// Whose proxy settings the product uses for an endpoint, as its documentation on proxy servers says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// The proxy of the site system, from the site database.
    SiteSystemProxy,
    /// WSUS synchronization: the site system's proxy, if the software update point is set to use it.
    Wsus,
    /// `WinINET` settings of LOCAL SYSTEM.
    SystemWininet,
    /// `WinHTTP` settings of the machine.
    SystemWinhttp,
    /// The signed-in user of a console.
    ConsoleUser,
    /// The client's services, running as LOCAL SYSTEM.
    ClientSystem,
    /// Direct, always: between site systems, and where the product uses no proxy.
    Intranet,
}

impl Context {
    /// The name in the catalog and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SiteSystemProxy => "site-system-proxy",
            Self::Wsus => "wsus",
            Self::SystemWininet => "system-wininet",
            Self::SystemWinhttp => "system-winhttp",
            Self::ConsoleUser => "console-user",
            Self::ClientSystem => "client-system",
            Self::Intranet => "intranet",
        }
    }
}

/// How much depends on an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The role does not work without it.
    Critical,
    /// Documented as required.
    Required,
    /// Required for one feature.
    Feature,
    /// Good to have; its failure alone is no non-compliance.
    Advisory,
}

impl Tier {
    /// The name in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Required => "required",
            Self::Feature => "feature",
            Self::Advisory => "advisory",
        }
    }
}

/// Where an entry stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Needed.
    Active,
    /// Its successor has taken over or is about to; both are listed.
    Superseded,
    /// The service is gone; still documented somewhere.
    Retired,
    /// The documentation contradicts itself.
    Disputed,
}

impl Status {
    /// The name in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Superseded => "superseded",
            Self::Retired => "retired",
            Self::Disputed => "disputed",
        }
    }
}

/// How a wildcard is probed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeRule {
    /// What a success of the hosts proves.
    pub class: ProbeClass,
    /// Concrete hosts; none if not testable.
    #[serde(default)]
    pub hosts: Vec<HostName>,
    /// Why these hosts, or why none.
    pub evidence: String,
}

/// What a probe of a wildcard proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeClass {
    /// The hosts belong to the pattern and are documented: the pattern is *proved by a representative*.
    Representative,
    /// The hosts are near the pattern, not in it: a failure counts, a success proves nothing.
    Related,
    /// No host is documented.
    NotTestable,
}

/// Whether TLS inspection is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Inspection {
    /// The documentation does not say.
    #[default]
    Unstated,
    /// Documented as not supported.
    Unsupported,
}

/// What TLS the other end demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsRule {
    /// The oldest version that it speaks.
    pub min_version: TlsVersion,
    /// The suites that it takes, under their IANA names: a client offers at least one of them.
    pub suites: Vec<String>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.2
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3
    #[serde(rename = "1.3")]
    Tls13,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRef {
    /// Key of a document of the catalog.
    pub document: String,
    /// The section in it.
    pub section: String,
    /// The revision's date.
    pub date: jiff::civil::Date,
}

/// A document that entries cite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Where it is published.
    pub url: String,
}
