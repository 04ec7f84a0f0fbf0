//! Clients (counted, never one by one), their settings, and computers with the console.

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::HostName;

/// One value of a client setting that decides endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientSetting {
    /// The custom settings that it is in; `None` for the default ones.
    pub settings: Option<String>,
    /// Which.
    pub option: ClientOption,
    /// On or off; `None` if the database does not say.
    pub on: Option<bool>,
}

/// The client settings that decide endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientOption {
    /// `AllowCMG`: clients may use a cloud management gateway.
    CloudManagementGateway,
    /// `AllowCloudDP`: clients may use cloud distribution points.
    CloudDistributionPoint,
    /// `EnableWindowsDO`: boundary groups are used for Delivery Optimization.
    DeliveryOptimization,
    /// `StampDOINC`: devices use Microsoft Connected Cache servers of the hierarchy.
    ConnectedCache,
    /// `O365Management`: management of Microsoft 365 Apps.
    Microsoft365Apps,
    /// `EnableThirdPartyUpdates`
    ThirdPartyUpdates,
    /// `WUfBEnabled`: Windows Update for Business.
    WindowsUpdateForBusiness,
    /// `WAEnable`: Desktop Analytics (Windows analytics).
    DesktopAnalytics,
}

/// Clients with Microsoft 365 Apps, by hardware inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Microsoft365Clients {
    /// Whose updates come from Configuration Manager.
    pub managed: u64,
    /// Whose updates come from elsewhere.
    pub unmanaged: u64,
}

/// Clients in co-management.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoManagedClients {
    /// Clients that have reported a state.
    pub reported: u64,
    /// With a co-management policy.
    pub with_policy: u64,
    /// Enrolled in Intune.
    pub enrolled: u64,
}

/// Clients with one operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientsOfSystem {
    /// Such as `Microsoft Windows 11 Enterprise`.
    pub system: Option<String>,
    /// Such as `22631`.
    pub build: Option<String>,
    /// How many.
    pub clients: u64,
}

/// All clients, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientCounts {
    /// Clients.
    pub clients: u64,
    /// Set to be always on the internet.
    pub always_internet: Option<u64>,
    /// On the internet when they were last heard.
    pub on_internet: Option<u64>,
    /// Co-managed.
    pub co_managed: Option<u64>,
}

/// Clients that are online and not on the intranet, as the management points counted them last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OnlineClients {
    /// On the internet.
    pub internet: Option<u64>,
    /// Through a cloud management gateway.
    pub cmg: Option<u64>,
}

/// A computer from which the console is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Console {
    /// The computer.
    pub host: HostName,
    /// The newest version of the console seen there.
    pub version: Option<String>,
    /// When it was last seen.
    pub last_seen: Option<DateTime>,
}
