//! Sites, servers, roles and proxies.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::{HostName, HostOrAddress};
use crate::site::names::{Role, SiteCode};

/// One site of the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    /// Its code.
    pub code: SiteCode,
    /// Its name, for people.
    pub name: Option<String>,
    /// Secondary, primary or central administration site.
    pub kind: Option<SiteKind>,
    /// The parent; `None` for a top-level site.
    pub parent: Option<SiteCode>,
    /// The build, such as 9128 for version 2403.
    pub build: Option<u32>,
    /// The full version, such as `5.00.9128.1000`.
    pub version: Option<String>,
    /// The site server.
    pub server: Option<HostName>,
}

/// The kind of a site (`v_Site.Type`: 1, 2, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// 1
    Secondary,
    /// 2
    Primary,
    /// 4
    CentralAdministration,
}

/// One server with what it is in one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSystem {
    /// The site it belongs to.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// Its roles, in the order of their names.
    pub roles: Vec<InstalledRole>,
}

/// A role on a server, with those of its properties that are no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstalledRole {
    /// The role.
    pub role: Role,
    /// Property name to value; `None` if the properties could not be read.
    pub properties: Option<BTreeMap<String, PropertyValue>>,
}

/// A role property: a number lives in `Value3`, a text in `Value1` or `Value2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PropertyValue {
    /// `Value3`.
    pub number: Option<i64>,
    /// `Value2`, else `Value1`.
    pub text: Option<String>,
}

/// The proxy setting of one server (properties of role `SMS Site System`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SiteSystemProxy {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// What it is set to.
    pub setting: ProxySetting,
}

/// What a site system's proxy is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "use", rename_all = "snake_case")]
pub enum ProxySetting {
    /// `UseProxy` is 0, whatever stale name is left behind.
    Direct,
    /// There is no `UseProxy` property: never set, which means direct.
    NeverSet,
    /// `UseProxy` is 1.
    Proxy {
        /// `ProxyName`: a name or an address.
        host: HostOrAddress,
        /// `ProxyServerPort`, 80 where there is none (the product's default).
        port: u16,
        /// Whether an account is set for the proxy. Its name is never read.
        account: bool,
    },
    /// The proxy is on and its name or port is no name or port; see the data findings.
    Unreadable,
}

/// The service connection point (role `SMS Dmp Connector`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceConnectionPoint {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// Online or offline; `None` if the database does not say.
    pub online: Option<bool>,
}

/// The database of a site (`v_SC_SiteDefinition`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseServer {
    /// The site.
    pub site: SiteCode,
    /// The SQL Server's host.
    pub host: HostName,
    /// The named instance; `None` for the default one.
    pub instance: Option<String>,
    /// The database, such as `CM_PS1`.
    pub database: Option<String>,
}

/// The name under which clients on the internet know a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InternetName {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// Its name on the internet (`ServerRemoteName`, property `Server Remote Public Name`).
    pub name: HostName,
}

/// A distribution point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionPoint {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// Whether it is a Microsoft Connected Cache server (`IsDoincEnabled`); `None` if the database does not say.
    pub connected_cache: Option<bool>,
}

/// The asset intelligence synchronization point (`v_AIProxy`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetIntelligencePoint {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// `ProxyEnabled`
    pub enabled: Option<bool>,
    /// `PeriodicCatalogUpdateEnabled`: it synchronizes by itself.
    pub periodic: Option<bool>,
}
