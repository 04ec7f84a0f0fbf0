//! The facts, as the other stages and the run document know them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::names::{Role, SiteCode};
use crate::host::{HostName, HostOrAddress};

/// Everything that was read, and what was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The connection that the facts came through.
    pub connection: Connection,
    /// The site whose database this is (`SMSData`).
    pub this_site: Fact<SiteCode>,
    /// The sites of the hierarchy that this database knows.
    pub sites: Fact<Vec<Site>>,
    /// The site systems with their roles.
    pub site_systems: Fact<Vec<SiteSystem>>,
    /// The proxy that each site system is set to use, one per server.
    pub site_system_proxies: Fact<Vec<SiteSystemProxy>>,
    /// Service connection points; one at the top-level site is the normal case.
    pub service_connection_points: Fact<Vec<ServiceConnectionPoint>>,
    /// Software update points.
    pub software_update_points: Fact<Vec<SoftwareUpdatePoint>>,
    /// Where the software update point of each site synchronizes from.
    pub sync_sources: Fact<Vec<SyncSource>>,
    /// CMG connection points.
    pub cmg_connection_points: Fact<Vec<CmgConnectionPoint>>,
    /// Cloud management gateways.
    pub cmgs: Fact<Vec<Cmg>>,
    /// Microsoft Entra tenants.
    pub tenants: Fact<Vec<Tenant>>,
    /// Rows of `AzureEnvironments`, used or not.
    pub azure_environments: Fact<Vec<AzureEnvironment>>,
    /// Microsoft Entra user discovery: on, off or unknown.
    pub entra_user_discovery: Fact<bool>,
    /// Values in the database that are not what they should be. They are reported here and used nowhere.
    pub data_findings: Vec<DataFinding>,
}

/// How the site database was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// The server as the operator named it.
    pub server: String,
    /// The database that was read.
    pub database: String,
    /// What the server says of itself (`SERVERPROPERTY('ProductVersion')`), if it does.
    pub server_version: Option<String>,
    /// How the server's certificate was judged.
    pub certificate: SqlCertificate,
    /// How one signed in. Never the account's password.
    pub sign_in: SqlSignIn,
}

/// How the SQL Server's certificate was judged. The connection is always encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlCertificate {
    /// Checked against this machine's roots.
    MachineRoots,
    /// Checked against this machine's roots and the CA file given with `--sql-ca-file`.
    CaFile,
    /// Not checked: `--trust-server-certificate`.
    NotChecked,
}

/// How one signed in to SQL Server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SqlSignIn {
    /// A SQL login.
    SqlLogin {
        /// The login's name.
        user: String,
    },
    /// A Windows account given by name.
    WindowsAccount {
        /// `DOMAIN\user`.
        user: String,
    },
    /// The Windows account that runs cmcomply.
    WindowsCurrent,
}

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

/// A software update point (role `SMS Software Update Point`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SoftwareUpdatePoint {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
    /// `UseProxy`: synchronize through the proxy of the site system.
    pub use_proxy: Option<bool>,
    /// `UseProxyForADR`: download content of automatic deployment rules through the proxy.
    pub use_proxy_for_adr: Option<bool>,
    /// `SSLWSUS`: WSUS is reached over TLS.
    pub tls: Option<bool>,
    /// `WSUSIISPort`
    pub http_port: Option<u16>,
    /// `WSUSIISSSLPort`
    pub https_port: Option<u16>,
    /// `IsINF`: serves clients on the internet.
    pub internet_clients: Option<bool>,
    /// `IsIntranet`
    pub intranet_clients: Option<bool>,
    /// `AllowProxyTraffic`: serves clients through a CMG.
    pub cmg_traffic: Option<bool>,
}

/// Where the software update point of a site synchronizes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncSource {
    /// The site.
    pub site: SiteCode,
    /// `DefaultUseParentWSUS`: 0, 1, 2.
    pub source: Option<SyncFrom>,
    /// The software update point that synchronizes from the source (`DefaultWSUS`); the others of the site synchronize
    /// from it.
    pub default_sup: Option<HostName>,
    /// The upstream server (`ParentWSUS`).
    pub upstream: Option<HostName>,
    /// Its port.
    pub upstream_port: Option<u16>,
    /// Whether it is reached over TLS.
    pub upstream_tls: Option<bool>,
}

/// The source of a synchronization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncFrom {
    /// 0
    MicrosoftUpdate,
    /// 1
    Upstream,
    /// 2
    Nothing,
}

/// A CMG connection point (role `SMS Cloud Proxy Connector`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CmgConnectionPoint {
    /// The site.
    pub site: SiteCode,
    /// The server.
    pub host: HostName,
}

/// A cloud management gateway (class `SMS_AzureService`, `ServiceType` `CloudProxyService`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cmg {
    /// The name shown in the console.
    pub name: Option<String>,
    /// The service name: the CN of the server authentication certificate. Clients and connection points use it.
    pub service_name: Option<HostName>,
    /// The deployment name, always in an Azure domain.
    pub deployment_name: Option<HostName>,
    /// The Azure region as the database writes it.
    pub region: Option<String>,
    /// `AzureEnvironmentId`, key of [`AzureEnvironment::id`].
    pub environment: Option<i64>,
    /// Number of virtual machine instances.
    pub instances: Option<u32>,
    /// The storage account's name, without a suffix.
    pub storage_name: Option<HostName>,
    /// `State`: 0 ready, 4 starting, 6 stopped; other numbers are kept.
    pub state: Option<i64>,
}

/// A Microsoft Entra tenant (`AAD_Tenant_Ex`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tenant {
    /// The tenant id, a GUID.
    pub id: String,
    /// Its name, such as `contoso.onmicrosoft.com`.
    pub name: Option<String>,
    /// `Environment`, key of [`AzureEnvironment::id`]: 1 public, 2 US Government.
    pub environment: Option<i64>,
}

/// A row of `AzureEnvironments`. The page names this table as the list of the endpoints for deploying a CMG.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureEnvironment {
    /// 1 public, 2 US Government.
    pub id: i64,
    /// Such as `AzurePublicCloud`.
    pub name: Option<String>,
    /// Column name to the host that its value names. NULL columns are left out.
    pub hosts: BTreeMap<String, HostName>,
    /// Column name to domain suffix, for the columns whose name ends in `Suffix`.
    pub suffixes: BTreeMap<String, HostName>,
}

/// A value in the database that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataFinding {
    /// The database object.
    pub object: String,
    /// The column, as the statement names it.
    pub column: String,
    /// What tells the row from others, with everything but printable ASCII escaped.
    pub row: String,
    /// What is wrong with the value.
    pub problem: String,
    /// The value's beginning, with everything but printable ASCII escaped.
    pub value: String,
}
