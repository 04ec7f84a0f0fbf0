//! Azure, Microsoft Entra and cloud attach.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::HostName;
use crate::site::names::SiteCode;

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
    /// Column name to the host that its value names, also for columns that nobody has described. NULL columns are left
    /// out.
    pub hosts: BTreeMap<String, HostName>,
    /// Column name to domain suffix, for the columns whose name ends in `Suffix`.
    pub suffixes: BTreeMap<String, HostName>,
}

/// How a cloud management gateway is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CmgKind {
    /// A virtual machine scale set.
    ScaleSet,
    /// A cloud service (classic), retired by Azure.
    Classic,
}

impl Cmg {
    /// Scale set or classic, by the domain of the deployment name; `None` where that does not tell.
    pub fn kind(&self) -> Option<CmgKind> {
        let name = self.deployment_name.as_ref()?.as_str();
        if name.ends_with(".cloudapp.azure.com") {
            Some(CmgKind::ScaleSet)
        } else if name.ends_with(".cloudapp.net") {
            Some(CmgKind::Classic)
        } else {
            None
        }
    }
}

/// A cloud distribution point, or a cloud management gateway that serves content (`NALResType` `Windows Azure`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudDistributionPoint {
    /// The site.
    pub site: SiteCode,
    /// Its name, where the database has one that is a host name.
    pub host: Option<HostName>,
}

/// An application that is registered in Microsoft Entra. Its secret is never read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntraApp {
    /// The application (client) id, a GUID.
    pub client_id: String,
    /// Its name.
    pub name: Option<String>,
    /// When its secret ends, as the database writes it.
    pub secret_expires: Option<DateTime>,
}

/// An entry of "Azure services" in the console (`Azure_CloudService`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureService {
    /// Its name.
    pub name: Option<String>,
    /// `ServiceType`; what the numbers mean is not documented.
    pub service_type: Option<i64>,
}

/// Microsoft Store for Business accounts, of a service that Microsoft has retired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoreForBusiness {
    /// Accounts that are set up.
    pub accounts: u64,
    /// The last synchronization that worked.
    pub last_sync: Option<DateTime>,
}
