//! Which objects of the site database say what a condition asks.

use super::super::index::Index;
use super::source;
use crate::catalog::ConditionFact;

/// The objects that answered, or the settings file; none where the answer is not known.
pub(in crate::derive) fn objects<'a>(fact: ConditionFact, facts: &'a Index<'_>) -> Vec<&'a str> {
    let mut objects = match fact {
        ConditionFact::ScpOnline | ConditionFact::HierarchyOnline => vec![source(&facts.service_connection_points)],
        ConditionFact::SiteTopLevel | ConditionFact::SiteSecondary => vec![source(&facts.sites)],
        ConditionFact::CmgExists => vec![source(&facts.cmgs)],
        ConditionFact::EntraTenant => vec![source(&facts.tenants)],
        ConditionFact::EntraUserDiscovery => vec![source(&facts.entra_user_discovery)],
        ConditionFact::AzureServices => vec![source(&facts.azure_services)],
        ConditionFact::CoManagement => vec![source(&facts.co_management_policies), source(&facts.co_managed_clients)],
        ConditionFact::TenantAttach => vec![source(&facts.tenant_attach)],
        ConditionFact::EndpointAnalytics => vec![source(&facts.endpoint_analytics)],
        ConditionFact::DesktopAnalytics => vec![source(&facts.desktop_analytics)],
        ConditionFact::StoreForBusiness => vec![source(&facts.store_for_business)],
        ConditionFact::ExternalNotifications => vec![source(&facts.notification_hosts)],
        ConditionFact::DeliveryOptimization
        | ConditionFact::ConnectedCacheClients
        | ConditionFact::Microsoft365Management => {
            vec![source(&facts.default_client_settings), source(&facts.custom_client_settings)]
        }
        ConditionFact::ConnectedCache => vec![source(&facts.distribution_points)],
        ConditionFact::Microsoft365Subscription | ConditionFact::UpgradesSubscription => {
            vec![source(&facts.subscriptions)]
        }
        ConditionFact::ServicingPlans => vec![source(&facts.servicing_plans)],
        ConditionFact::ThirdPartyCatalogs => vec![source(&facts.third_party_catalogs)],
        ConditionFact::UpdatesFromMicrosoftUpdate => vec![source(&facts.sync_sources)],
        ConditionFact::SupSyncsFromMicrosoftUpdate
        | ConditionFact::SupHasUpstream
        | ConditionFact::SupHasDownstream
        | ConditionFact::SupRemoteInternetBased => {
            vec![source(&facts.sync_sources), source(&facts.software_update_points)]
        }
    };
    objects.retain(|object| !object.is_empty());
    objects
}
