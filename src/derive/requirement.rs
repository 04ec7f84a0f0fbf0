//! A requirement: a catalog entry applied to one host of this hierarchy.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{CatalogRole, Context, EntryId, Inspection, Status, Tier, TlsRule};
use crate::host::{HostName, HostOrAddress, HostPattern, Scheme};
use crate::site::SiteCode;

/// One endpoint that one host, or one kind of device, needs in one role, with the chain of reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// Unique in a run, and the same in the next run of the same hierarchy.
    pub id: RequirementId,
    /// Who needs it.
    pub subject: Subject,
    /// In which role.
    pub role: CatalogRole,
    /// By which catalog entry.
    pub entry: EntryId,
    /// The section of the documentation page.
    pub section: String,
    /// What.
    pub name: RequiredName,
    /// How.
    pub scheme: Scheme,
    /// The port; `None` if it depends on a fact that is unknown.
    pub port: Option<u16>,
    /// The path, where the page gives one.
    pub path: Option<String>,
    /// Whose proxy settings the product uses.
    pub context: Context,
    /// What those settings are.
    pub route: Route,
    /// How much depends on it.
    pub tier: Tier,
    /// Where the entry stands in its life.
    pub status: Status,
    /// The entry that takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<EntryId>,
    /// Whether TLS inspection is supported on the way.
    pub inspection: Inspection,
    /// What TLS the other end demands, where that is documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsRule>,
    /// Whether parts of files must be had (HTTP ranges).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub byte_ranges: bool,
    /// How long an idle connection must be left open, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u32>,
    /// What is probed for it.
    pub proof: Proof,
    /// Whether it is needed.
    pub decision: Decision,
    /// Why, from the facts to the entry. The documents stand at the entry, in the run's catalog part.
    pub reasons: Vec<String>,
}

impl Requirement {
    /// The endpoint as reports write it: `https://*.manage.microsoft.com`, with the port where it is not the scheme's own.
    pub fn endpoint(&self) -> String {
        endpoint(self.scheme, &self.name, self.port, self.path.as_deref())
    }
}

/// As [`Requirement::endpoint`], of its parts.
pub(crate) fn endpoint(scheme: Scheme, name: &impl fmt::Display, port: Option<u16>, path: Option<&str>) -> String {
    let port = match port {
        Some(port) if port == scheme.default_port() => String::new(),
        Some(port) => format!(":{port}"),
        None => ":?".to_owned(),
    };
    let path = path.filter(|path| *path != "/").unwrap_or_default();
    format!("{scheme}://{name}{port}{path}")
}

/// Unique in a run: subject, role, entry and endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RequirementId(pub String);

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who needs an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// A site system.
    Host {
        /// Its site.
        site: SiteCode,
        /// Its name.
        host: HostName,
    },
    /// Any client.
    Clients,
    /// Any device with the console.
    Consoles,
    /// Servers with the role, whose names could not be read.
    UnknownHosts,
}

impl Subject {
    /// The host, where there is one.
    pub fn host(&self) -> Option<&HostName> {
        match self {
            Self::Host { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Whether it is this host, or may be: servers whose names could not be read may be any.
    pub fn may_be(&self, other: &HostName) -> bool {
        match self {
            Self::Host { host, .. } => host.same_machine(other),
            Self::UnknownHosts => true,
            Self::Clients | Self::Consoles => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, .. } => f.pad(host.as_str()),
            Self::Clients => f.pad("any client"),
            Self::Consoles => f.pad("any console"),
            Self::UnknownHosts => f.pad("unknown hosts"),
        }
    }
}

/// The name of what is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequiredName {
    /// A host or a wildcard.
    Pattern(HostPattern),
    /// A template whose values are unknown, as the catalog writes it.
    Template(String),
}

impl fmt::Display for RequiredName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => f.pad(&pattern.to_string()),
            Self::Template(text) => f.pad(text),
        }
    }
}

/// How the product reaches the endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Direct, through a proxy, or unknown.
    pub via: Via,
    /// Who says so.
    pub basis: RouteBasis,
    /// The same in words.
    pub detail: String,
}

/// Direct, through a proxy, or unknown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// No proxy.
    Direct,
    /// An HTTP proxy.
    Proxy {
        /// Its name or address.
        host: HostOrAddress,
        /// Its port.
        port: u16,
    },
    /// The setting could not be read.
    Unknown,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Proxy { host, port } => write!(f, "proxy {host}:{port}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Who says how an endpoint is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteBasis {
    /// The site database.
    Database,
    /// The documentation: this traffic never uses a proxy.
    Documentation,
    /// The operator, with `--proxy`.
    Operator,
    /// The settings of the machine that looked, as they were read there.
    Host,
    /// Nobody: the setting is on each device, and a direct route was assumed. The verdict says so.
    Assumed,
}

/// What is probed for a requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum Proof {
    /// The endpoint itself.
    Itself,
    /// Documented hosts of the wildcard.
    Representative {
        /// The hosts.
        hosts: Vec<HostName>,
        /// Why these.
        evidence: String,
    },
    /// Hosts near the wildcard: a failure counts, a success proves nothing.
    Related {
        /// The hosts.
        hosts: Vec<HostName>,
        /// Why these.
        evidence: String,
    },
    /// Nothing can be probed.
    NotTestable {
        /// Why not.
        evidence: String,
    },
}

/// Whether a requirement applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It does.
    Needed,
    /// A fact is unknown, so nobody can tell.
    Undecided {
        /// What is missing, and how to state or read it.
        missing: Vec<String>,
    },
    /// The service is gone: listed for the firewall's clean-up, not probed.
    Retired,
}
