//! The facts, as the other stages and the run document know them.

mod answers;
mod clients;
mod cloud;
mod hierarchy;
mod updates;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, UnknownWhy};
use super::names::SiteCode;
use crate::host::HostName;

pub use clients::{
    ClientCounts, ClientOption, ClientSetting, ClientsOfSystem, CoManagedClients, Console, Microsoft365Clients,
    OnlineClients,
};
pub use cloud::{
    AzureEnvironment, AzureService, CloudDistributionPoint, Cmg, CmgConnectionPoint, CmgKind, EntraApp,
    StoreForBusiness, Tenant,
};
pub use hierarchy::{
    AssetIntelligencePoint, DatabaseServer, DistributionPoint, InstalledRole, InternetName, PropertyValue,
    ProxySetting, ServiceConnectionPoint, Site, SiteKind, SiteSystem, SiteSystemProxy,
};
pub use updates::{
    DownloadPlace, Feature, SoftwareUpdatePoint, Subscription, SubscriptionKind, SyncFrom, SyncSource,
    ThirdPartyCatalog, UpdatePackage, UpdatePackageState,
};

/// Everything that was read, and what was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The connection that the facts came through.
    pub connection: Connection,
    /// The connections to further databases of the hierarchy whose facts were put together with these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_connections: Vec<Connection>,
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
    /// The database server of each site.
    pub site_databases: Fact<Vec<DatabaseServer>>,
    /// Names under which internet clients know servers.
    pub internet_names: Fact<Vec<InternetName>>,
    /// Distribution points, with Microsoft Connected Cache or without.
    pub distribution_points: Fact<Vec<DistributionPoint>>,
    /// Cloud distribution points, and gateways that serve content.
    pub cloud_distribution_points: Fact<Vec<CloudDistributionPoint>>,
    /// The addresses of cloud management gateways that clients are given (`vProxy_Roles.MutualAuthPath`).
    pub cmg_addresses: Fact<Vec<HostName>>,
    /// Applications registered in Microsoft Entra.
    pub entra_apps: Fact<Vec<EntraApp>>,
    /// "Azure services" of the console.
    pub azure_services: Fact<Vec<AzureService>>,
    /// How many collections are synchronized to Microsoft Entra groups.
    pub group_syncs: Fact<u64>,
    /// How many co-management policies there are.
    pub co_management_policies: Fact<u64>,
    /// Clients in co-management.
    pub co_managed_clients: Fact<CoManagedClients>,
    /// Trace of cloud attach, no proof: Intune accounts.
    pub intune_accounts: Fact<u64>,
    /// Trace of cloud attach, no proof: servers with the component `SMS_SERVICE_CONNECTOR`.
    pub service_connectors: Fact<u64>,
    /// Tenant attach. No object of the site database says it; only the operator can.
    pub tenant_attach: Fact<bool>,
    /// Endpoint analytics. No object of the site database says it; only the operator can.
    pub endpoint_analytics: Fact<bool>,
    /// Trace of Desktop Analytics, which Microsoft has retired: rows of `M365AProperties`.
    pub desktop_analytics: Fact<u64>,
    /// Microsoft Store for Business, which Microsoft has retired.
    pub store_for_business: Fact<StoreForBusiness>,
    /// Asset intelligence synchronization points.
    pub asset_intelligence: Fact<Vec<AssetIntelligencePoint>>,
    /// Client settings that decide endpoints, of the default settings.
    pub default_client_settings: Fact<Vec<ClientSetting>>,
    /// Client settings that decide endpoints, of custom settings.
    pub custom_client_settings: Fact<Vec<ClientSetting>>,
    /// Products and classifications that are synchronized.
    pub subscriptions: Fact<Vec<Subscription>>,
    /// Servicing plans that are enabled.
    pub servicing_plans: Fact<u64>,
    /// Microsoft Edge browser policies.
    pub edge_policies: Fact<u64>,
    /// Third-party update catalogs.
    pub third_party_catalogs: Fact<Vec<ThirdPartyCatalog>>,
    /// Updates of the product, and how far they are.
    pub update_packages: Fact<Vec<UpdatePackage>>,
    /// Optional features of the product.
    pub features: Fact<Vec<Feature>>,
    /// Trace of external notifications: status filter rules of the name that the documented set-up gives them.
    pub notification_rules: Fact<u64>,
    /// Hosts that external notifications go to, such as Azure logic apps. The site database encrypts their URLs; only
    /// the operator can say.
    pub notification_hosts: Fact<Vec<HostName>>,
    /// Whether the network allows certificate revocation lists and OCSP of listed locations only. Only the operator can
    /// say.
    pub revocation_restricted: Fact<bool>,
    /// Computers from which the console is used.
    pub consoles: Fact<Vec<Console>>,
    /// Clients with Microsoft 365 Apps.
    pub microsoft_365_clients: Fact<Microsoft365Clients>,
    /// Clients by operating system.
    pub clients_by_system: Fact<Vec<ClientsOfSystem>>,
    /// Clients online through the internet or a cloud management gateway.
    pub online_clients: Fact<OnlineClients>,
    /// All clients, counted.
    pub client_counts: Fact<ClientCounts>,
    /// Values in the database that are not what they should be. They are reported here and used nowhere.
    pub data_findings: Vec<DataFinding>,
}

impl Facts {
    /// Facts of which none is known, for one reason.
    pub fn unknown(connection: Connection, why: UnknownWhy, detail: &str) -> Self {
        fn unknown<T>(why: UnknownWhy, detail: &str) -> Fact<T> {
            Fact::Unknown { why, detail: detail.to_owned() }
        }
        Self {
            connection,
            other_connections: Vec::new(),
            this_site: unknown(why, detail),
            sites: unknown(why, detail),
            site_systems: unknown(why, detail),
            site_system_proxies: unknown(why, detail),
            service_connection_points: unknown(why, detail),
            software_update_points: unknown(why, detail),
            sync_sources: unknown(why, detail),
            cmg_connection_points: unknown(why, detail),
            cmgs: unknown(why, detail),
            tenants: unknown(why, detail),
            azure_environments: unknown(why, detail),
            entra_user_discovery: unknown(why, detail),
            site_databases: unknown(why, detail),
            internet_names: unknown(why, detail),
            distribution_points: unknown(why, detail),
            cloud_distribution_points: unknown(why, detail),
            cmg_addresses: unknown(why, detail),
            entra_apps: unknown(why, detail),
            azure_services: unknown(why, detail),
            group_syncs: unknown(why, detail),
            co_management_policies: unknown(why, detail),
            co_managed_clients: unknown(why, detail),
            intune_accounts: unknown(why, detail),
            service_connectors: unknown(why, detail),
            tenant_attach: unknown(why, detail),
            endpoint_analytics: unknown(why, detail),
            desktop_analytics: unknown(why, detail),
            store_for_business: unknown(why, detail),
            asset_intelligence: unknown(why, detail),
            default_client_settings: unknown(why, detail),
            custom_client_settings: unknown(why, detail),
            subscriptions: unknown(why, detail),
            servicing_plans: unknown(why, detail),
            edge_policies: unknown(why, detail),
            third_party_catalogs: unknown(why, detail),
            update_packages: unknown(why, detail),
            features: unknown(why, detail),
            notification_rules: unknown(why, detail),
            notification_hosts: unknown(why, detail),
            revocation_restricted: unknown(why, detail),
            consoles: unknown(why, detail),
            microsoft_365_clients: unknown(why, detail),
            clients_by_system: unknown(why, detail),
            online_clients: unknown(why, detail),
            client_counts: unknown(why, detail),
            data_findings: Vec::new(),
        }
    }
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
    /// A Microsoft Entra access token.
    EntraToken,
    /// The Kerberos ticket of the account that runs cmcomply.
    Kerberos,
    /// A Windows account given by name.
    WindowsAccount {
        /// `DOMAIN\user`.
        user: String,
    },
    /// The Windows account that runs cmcomply.
    WindowsCurrent,
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
