//! The facts that a condition may name, with their names in the catalog. Their values are found in `derive`.

use super::entry::CatalogRole;

/// Defines [`ConditionFact`] with the name and the meaning of each fact, so that none can be forgotten.
macro_rules! facts {
    ($($variant:ident, $name:literal, $about:expr, $meaning:literal;)+) => {
        /// The facts that a condition may name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ConditionFact {
            $(#[doc = $meaning] $variant,)+
        }

        impl ConditionFact {
            /// Each fact with its name in the catalog, the role that it is about, and what it means.
            const NAMED: &'static [(Self, &'static str, Option<CatalogRole>, &'static str)] =
                &[$((Self::$variant, $name, $about, $meaning),)+];
        }
    };
}

const SCP: Option<CatalogRole> = Some(CatalogRole::ServiceConnectionPoint);
const SUP: Option<CatalogRole> = Some(CatalogRole::SoftwareUpdatePoint);
const DP: Option<CatalogRole> = Some(CatalogRole::DistributionPoint);
const SITE_SERVER: Option<CatalogRole> = Some(CatalogRole::SiteServer);

facts! {
    ScpOnline, "scp.online", SCP, "the service connection point is in online mode";
    HierarchyOnline, "hierarchy.online", None, "the hierarchy has a service connection point in online mode";
    SiteTopLevel, "site.top-level", SITE_SERVER, "the site is at the top of the hierarchy";
    SiteSecondary, "site.secondary", SITE_SERVER, "the site is a secondary site";
    CmgExists, "cmg.exists", None, "the hierarchy has a cloud management gateway";
    EntraTenant, "entra.tenant", None, "the hierarchy is registered in a Microsoft Entra tenant";
    EntraUserDiscovery, "entra.user-discovery", None, "Microsoft Entra user discovery is on";
    AzureServices, "azure-services.exist", None, "Azure services are set up in the console";
    CoManagement, "co-management.enabled", None, "devices are co-managed with Microsoft Intune";
    TenantAttach, "tenant-attach.enabled", None, "the hierarchy is attached to a tenant of Microsoft Intune";
    EndpointAnalytics, "endpoint-analytics.enabled", None, "Endpoint analytics is on";
    DesktopAnalytics, "desktop-analytics.configured", None, "Desktop Analytics is still set up";
    StoreForBusiness, "store-for-business.connected", None, "Microsoft Store for Business is still connected";
    ExternalNotifications, "external-notifications.exist", None, "status messages are sent to an external service";
    DeliveryOptimization, "client-settings.delivery-optimization", None, "client settings set up Delivery Optimization";
    ConnectedCacheClients, "client-settings.connected-cache", None, "client settings make devices use Microsoft Connected Cache";
    Microsoft365Management, "client-settings.microsoft-365-apps", None, "client settings let Microsoft 365 Apps be managed";
    ConnectedCache, "dp.connected-cache", DP, "the distribution point is a Microsoft Connected Cache server";
    Microsoft365Subscription, "subscription.microsoft-365-apps", None, "updates of Microsoft 365 Apps are synchronized";
    UpgradesSubscription, "subscription.upgrades", None, "feature updates of Windows are synchronized";
    ServicingPlans, "servicing-plans.exist", None, "there are Windows servicing plans";
    ThirdPartyCatalogs, "third-party-catalogs.exist", None, "third-party update catalogs are synchronized";
    UpdatesFromMicrosoftUpdate, "updates.from-microsoft-update", None,
        "a site synchronizes software updates from Microsoft Update";
    SupSyncsFromMicrosoftUpdate, "sup.syncs-from-microsoft-update", SUP,
        "the software update point synchronizes from Microsoft Update";
    SupHasUpstream, "sup.has-upstream", SUP,
        "the software update point of a child site synchronizes from its parent site's";
    SupHasDownstream, "sup.has-downstream", SUP, "a child site's software update point synchronizes from this one";
    SupRemoteInternetBased, "sup.remote-internet-based", SUP,
        "the software update point serves internet clients and synchronizes from another one of its site";
}

impl ConditionFact {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMED.iter().map(|(fact, ..)| *fact)
    }

    fn row(self) -> &'static (Self, &'static str, Option<CatalogRole>, &'static str) {
        Self::NAMED.iter().find(|(fact, ..)| *fact == self).expect("the macro puts each fact into the table")
    }

    /// The name in the catalog.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The role whose servers it is about; `None` for facts about the hierarchy.
    pub fn about(self) -> Option<CatalogRole> {
        self.row().2
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        self.row().3
    }
}
