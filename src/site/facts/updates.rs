//! Software updates, updates and servicing, features.

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::{HostName, Scheme};
use crate::site::names::SiteCode;

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

/// A product or classification that the top-level software update point synchronizes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// Product or classification.
    pub kind: SubscriptionKind,
    /// Its GUID, lower case: names are localized, ids are not.
    pub id: String,
    /// Its name, where it could be read.
    pub name: Option<String>,
}

impl Subscription {
    /// The product Microsoft 365 Apps, Office 2019, Office LTSC ("Office 365 Client").
    pub const MICROSOFT_365_APPS: &'static str = "30eb551c-6288-4716-9a78-f300ec36d72b";
    /// The product Microsoft Edge.
    pub const MICROSOFT_EDGE: &'static str = "69010383-ff55-4227-bd6c-d91c26f2643b";
    /// The classification Upgrades: Windows servicing.
    pub const UPGRADES: &'static str = "3689bdc8-b205-4af4-8d4a-a63924c5e9d5";
}

/// What one can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionKind {
    /// `Product`
    Product,
    /// `UpdateClassification`
    Classification,
}

/// A third-party update catalog. It is downloaded by the service connection point's site from the publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThirdPartyCatalog {
    /// Its name.
    pub name: Option<String>,
    /// Its publisher.
    pub publisher: Option<String>,
    /// Where it is downloaded from; `None` if the database does not say so in a usable way. The rest of the URL is not
    /// kept, since it may hold a key.
    pub download: Option<DownloadPlace>,
    /// Whether it is synchronized.
    pub synchronized: Option<bool>,
}

/// The part of a URL that a firewall sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DownloadPlace {
    /// HTTP or HTTPS.
    pub scheme: Scheme,
    /// The host.
    pub host: HostName,
    /// The port, also where the URL leaves it out.
    pub port: u16,
}

/// An update of the product itself (`CM_UpdatePackages`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdatePackage {
    /// Its name, such as `Configuration Manager 2403`.
    pub name: Option<String>,
    /// The version that it brings, such as `5.00.9128.1000`.
    pub version: Option<String>,
    /// How far it is.
    pub state: Option<UpdatePackageState>,
    /// When it was released.
    pub released: Option<DateTime>,
}

/// The state of an update package (`State`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePackageState {
    /// 196612
    Installed,
    /// 262146
    ReadyToInstall,
    /// 327682
    AvailableToDownload,
    /// 393213
    Hidden,
    /// 393214
    NotApplicable,
    /// Any other number; most are steps on the way.
    Other(i64),
}

/// An optional feature of the product, on or off. What the numbers mean is not documented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feature {
    /// Its name in English (locale 1033).
    pub name: String,
    /// `FeatureType`
    pub kind: Option<i64>,
    /// `Exposed`
    pub exposed: Option<i64>,
    /// `Status`; 1 is taken to be on.
    pub status: Option<i64>,
}
