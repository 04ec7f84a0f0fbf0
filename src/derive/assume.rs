//! What if: the facts as they would be with a feature that is not there yet. Pure.

use std::fmt;
use std::str::FromStr;

use crate::site::{
    ClientOption, ClientSetting, Cmg, DistributionPoint, Fact, Facts, Role, Source, Subscription, SubscriptionKind,
    Tenant, ThirdPartyCatalog, UnknownWhy,
};
use crate::text::ascii;

/// A feature that is assumed to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assumption {
    /// `us-government`: a Microsoft Entra tenant in Azure US Government. Other assumptions that need a tenant take the
    /// one that is there, else one of the public cloud.
    UsGovernment,
    /// `entra-tenant`
    EntraTenant,
    /// `online`: the service connection point is online.
    Online,
    /// `cmg`: a cloud management gateway, if there is none.
    Cmg,
    /// `cmg-instances=N`: so many instances of each gateway, 1 to 16.
    CmgInstances(u32),
    /// `entra-user-discovery`
    EntraUserDiscovery,
    /// `azure-services`
    AzureServices,
    /// `co-management`
    CoManagement,
    /// `tenant-attach`
    TenantAttach,
    /// `endpoint-analytics`
    EndpointAnalytics,
    /// `external-notifications`
    ExternalNotifications,
    /// `delivery-optimization`
    DeliveryOptimization,
    /// `connected-cache`: on every distribution point.
    ConnectedCache,
    /// `microsoft-365-apps`
    Microsoft365Apps,
    /// `windows-servicing`
    WindowsServicing,
    /// `third-party-catalogs`
    ThirdPartyCatalogs,
}

/// The assumptions without a value, by name.
const NAMED: [(&str, Assumption); 15] = [
    ("us-government", Assumption::UsGovernment),
    ("entra-tenant", Assumption::EntraTenant),
    ("online", Assumption::Online),
    ("cmg", Assumption::Cmg),
    ("entra-user-discovery", Assumption::EntraUserDiscovery),
    ("azure-services", Assumption::AzureServices),
    ("co-management", Assumption::CoManagement),
    ("tenant-attach", Assumption::TenantAttach),
    ("endpoint-analytics", Assumption::EndpointAnalytics),
    ("external-notifications", Assumption::ExternalNotifications),
    ("delivery-optimization", Assumption::DeliveryOptimization),
    ("connected-cache", Assumption::ConnectedCache),
    ("microsoft-365-apps", Assumption::Microsoft365Apps),
    ("windows-servicing", Assumption::WindowsServicing),
    ("third-party-catalogs", Assumption::ThirdPartyCatalogs),
];
/// The one with a value.
const CMG_INSTANCES: &str = "cmg-instances";

/// A text that is no assumption.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssumptionError {
    /// No such assumption.
    #[error("unknown assumption `{text}`; known: {}", Assumption::known().join(", "))]
    Unknown {
        /// What was given, fit to be shown.
        text: String,
    },
    /// A value that does not fit, or none where one is needed.
    #[error("assumption `{text}`: write cmg-instances=N with N from 1 to 16")]
    Instances {
        /// What was given, fit to be shown.
        text: String,
    },
}

impl Assumption {
    /// The names of all assumptions, as one writes them.
    pub fn known() -> Vec<String> {
        let values = [format!("{CMG_INSTANCES}=N")];
        NAMED.iter().map(|(name, _)| (*name).to_owned()).chain(values).collect()
    }

    /// Whether what it needs goes over the service connection point.
    fn needs_online(self) -> bool {
        match self {
            Self::UsGovernment
            | Self::EntraTenant
            | Self::Online
            | Self::Cmg
            | Self::CmgInstances(_)
            | Self::EntraUserDiscovery
            | Self::AzureServices
            | Self::CoManagement
            | Self::TenantAttach
            | Self::EndpointAnalytics
            | Self::ExternalNotifications
            | Self::WindowsServicing => true,
            Self::DeliveryOptimization | Self::ConnectedCache | Self::Microsoft365Apps | Self::ThirdPartyCatalogs => {
                false
            }
        }
    }
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::CmgInstances(count) = self {
            return write!(f, "{CMG_INSTANCES}={count}");
        }
        f.write_str(NAMED.iter().find(|(_, known)| known == self).map_or("", |(name, _)| name))
    }
}

impl FromStr for Assumption {
    type Err = AssumptionError;
    fn from_str(text: &str) -> Result<Self, AssumptionError> {
        let shown = || ascii(text, 60);
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name == CMG_INSTANCES {
            let count = value.and_then(|value| value.parse().ok()).filter(|count| (1..=16).contains(count));
            return count.map(Self::CmgInstances).ok_or_else(|| AssumptionError::Instances { text: shown() });
        }
        let found = NAMED.iter().find(|(known, _)| *known == text);
        found.map(|(_, assumption)| *assumption).ok_or_else(|| AssumptionError::Unknown { text: shown() })
    }
}

/// The facts with the assumptions applied, in whatever order they are given. An assumption adds; it takes nothing away.
/// Where a fact is unknown and more hangs on it than what is assumed, it stays unknown.
pub fn assume(facts: &Facts, assumptions: &[Assumption]) -> Facts {
    let mut assumed = facts.clone();
    let mut assumptions = assumptions.to_vec();
    // Without an online service connection point, they would add nothing, as if nothing were needed.
    if assumptions.iter().any(|assumption| assumption.needs_online()) && !is_online(facts) {
        assumptions.push(Assumption::Online);
    }
    assumptions.sort_unstable();
    for assumption in assumptions {
        apply(&mut assumed, assumption);
    }
    assumed
}

/// What is assumed besides, in words: what the assumptions cannot be without.
pub fn assumed_too(facts: &Facts, assumptions: &[Assumption]) -> Vec<String> {
    let needing: Vec<String> =
        assumptions.iter().filter(|assumption| assumption.needs_online()).map(ToString::to_string).collect();
    let mut words = Vec::new();
    if needing.is_empty() || is_online(facts) {
        return words;
    }
    if !assumptions.contains(&Assumption::Online) {
        let verb = if needing.len() == 1 { "needs" } else { "need" };
        words
            .push(format!("{} {verb} an online service connection point, which is assumed too", needing.join(" and ")));
    }
    if !has_connection_point(facts) {
        words.push(
            "no server is a service connection point: one is assumed, on a server that is not chosen yet".to_owned(),
        );
    }
    words
}

/// Whether a service connection point is known to be online.
fn is_online(facts: &Facts) -> bool {
    facts.service_connection_points.rows().iter().any(|point| point.online == Some(true))
}

/// Whether there is a service connection point, or may be one that could not be read.
fn has_connection_point(facts: &Facts) -> bool {
    facts.service_connection_points.is_unknown()
        || !facts.service_connection_points.rows().is_empty()
        || has_role(facts, &Role::ServiceConnectionPoint)
}

fn has_role(facts: &Facts, role: &Role) -> bool {
    facts.site_systems.rows().iter().flat_map(|system| &system.roles).any(|installed| installed.role == *role)
}

/// The name of what is assumed.
const ASSUMED: &str = "(assumed)";

fn apply(facts: &mut Facts, assumption: Assumption) {
    match assumption {
        Assumption::UsGovernment => tenant_of(facts, 2),
        Assumption::EntraTenant => tenant(facts),
        Assumption::Online => online(facts),
        Assumption::Cmg => cmg(facts),
        Assumption::CmgInstances(count) => {
            cmg(facts);
            if let Fact::Known { value, .. } = &mut facts.cmgs {
                for cmg in value.iter_mut() {
                    cmg.instances = Some(count);
                }
            }
        }
        Assumption::EntraUserDiscovery => {
            tenant(facts);
            facts.entra_user_discovery = known(true);
        }
        Assumption::AzureServices => {
            tenant(facts);
            let service = crate::site::AzureService { name: Some(ASSUMED.to_owned()), service_type: None };
            add_row(&mut facts.azure_services, || service);
        }
        Assumption::CoManagement => {
            tenant(facts);
            facts.co_management_policies = known(1);
        }
        Assumption::TenantAttach => {
            tenant(facts);
            facts.tenant_attach = known(true);
        }
        Assumption::EndpointAnalytics => {
            tenant(facts);
            facts.endpoint_analytics = known(true);
        }
        Assumption::ExternalNotifications => external_notifications(facts),
        Assumption::DeliveryOptimization => client_setting(facts, ClientOption::DeliveryOptimization),
        Assumption::ConnectedCache => connected_cache(facts),
        Assumption::Microsoft365Apps => {
            client_setting(facts, ClientOption::Microsoft365Apps);
            subscribe(facts, Subscription::MICROSOFT_365_APPS);
        }
        Assumption::WindowsServicing => facts.servicing_plans = known(1),
        Assumption::ThirdPartyCatalogs => {
            let name = Some(ASSUMED.to_owned());
            let catalog = ThirdPartyCatalog { name, publisher: None, download: None, synchronized: Some(true) };
            if !facts.third_party_catalogs.rows().iter().any(|catalog| catalog.synchronized == Some(true)) {
                add_row(&mut facts.third_party_catalogs, || catalog);
            }
        }
    }
}

fn source() -> Source {
    Source::of("assumed")
}

fn known<T>(value: T) -> Fact<T> {
    Fact::Known { value, source: source() }
}

/// Adds a row where the rows are known. Where they are not, the rows that are there would be lost.
fn add_row<T>(fact: &mut Fact<Vec<T>>, row: impl FnOnce() -> T) {
    match fact {
        Fact::Known { value, source } if !value.is_empty() || source.may_lack.is_some() => value.push(row()),
        Fact::Known { .. } => *fact = known(vec![row()]),
        Fact::Unknown { .. } => {}
    }
}

/// A tenant, if it is known that there is none.
fn tenant(facts: &mut Facts) {
    if facts.tenants.rows().is_empty() {
        tenant_of(facts, 1);
    }
}

fn tenant_of(facts: &mut Facts, environment: i64) {
    if !facts.tenants.rows().iter().any(|tenant| tenant.environment == Some(environment)) {
        let name = Some(ASSUMED.to_owned());
        add_row(&mut facts.tenants, || Tenant { id: ASSUMED.to_owned(), name, environment: Some(environment) });
    }
}

/// Every service connection point is online; without one, there is one on a server that is not chosen yet.
fn online(facts: &mut Facts) {
    if !has_connection_point(facts) {
        facts.service_connection_points = Fact::Unknown {
            why: UnknownWhy::NotEvidenced,
            detail: "which server is to be the assumed service connection point".to_owned(),
        };
    }
    if let Fact::Known { value, .. } = &mut facts.service_connection_points {
        for point in value.iter_mut() {
            point.online = Some(true);
        }
    }
}

/// A gateway in the tenant's cloud, and a CMG connection point on a server that is not chosen yet. Where the gateways are
/// unknown, those that may be there stay so: as one more, of which nothing is known.
fn cmg(facts: &mut Facts) {
    tenant(facts);
    let environment = facts.tenants.rows().iter().find_map(|tenant| tenant.environment);
    let gateway = |name: &str, environment| Cmg {
        name: Some(name.to_owned()),
        service_name: None,
        deployment_name: None,
        region: None,
        environment,
        instances: None,
        storage_name: None,
        state: None,
    };
    if facts.cmgs.is_unknown() {
        facts.cmgs = known(vec![gateway(ASSUMED, environment), gateway("(those that could not be read)", None)]);
    } else if facts.cmgs.rows().is_empty() {
        add_row(&mut facts.cmgs, || gateway(ASSUMED, environment));
    }
    if facts.cmg_connection_points.rows().is_empty() && !has_role(facts, &Role::CmgConnectionPoint) {
        facts.cmg_connection_points = Fact::Unknown {
            why: UnknownWhy::NotEvidenced,
            detail: "which server is to be the CMG connection point of the assumed gateway".to_owned(),
        };
    }
}

fn external_notifications(facts: &mut Facts) {
    facts.notification_rules = known(1);
    if facts.notification_hosts.rows().is_empty() {
        facts.notification_hosts = Fact::Unknown {
            why: UnknownWhy::NotEvidenced,
            detail: "the host of the assumed external notifications".to_owned(),
        };
    }
}

/// Puts an option into the default settings. An option that is not among them stays unknown, so none is lost.
fn client_setting(facts: &mut Facts, option: ClientOption) {
    let setting = || ClientSetting { settings: None, option, on: Some(true) };
    match &mut facts.default_client_settings {
        Fact::Known { value, .. } => value.push(setting()),
        fact @ Fact::Unknown { .. } => *fact = known(vec![setting()]),
    }
}

fn subscribe(facts: &mut Facts, id: &str) {
    if !facts.subscriptions.rows().iter().any(|row| row.id == id) {
        add_row(&mut facts.subscriptions, || Subscription {
            kind: SubscriptionKind::Product,
            id: id.to_owned(),
            name: Some(ASSUMED.to_owned()),
        });
    }
}

fn connected_cache(facts: &mut Facts) {
    client_setting(facts, ClientOption::ConnectedCache);
    if let Fact::Known { value, .. } = &mut facts.distribution_points {
        for point in value.iter_mut() {
            point.connected_cache = Some(true);
        }
        return;
    }
    let is_point = |system: &&crate::site::SiteSystem| {
        system.roles.iter().any(|installed| installed.role == Role::DistributionPoint)
    };
    if let Fact::Known { value, source: read } = &facts.site_systems {
        let on = |system: &crate::site::SiteSystem| DistributionPoint {
            site: system.site.clone(),
            host: system.host.clone(),
            connected_cache: Some(true),
        };
        // Where there may be more servers, there may be more distribution points.
        let source = Source { may_lack: read.may_lack.clone(), ..source() };
        facts.distribution_points = Fact::Known { value: value.iter().filter(is_point).map(on).collect(), source };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_assumption_and_others_list_the_known_ones() {
        for name in Assumption::known() {
            assert!(name.replace("=N", "=3").parse::<Assumption>().is_ok(), "{name}");
        }
        assert_eq!("cmg-instances=16".parse(), Ok(Assumption::CmgInstances(16)));
        for bad in ["cmg-instances", "cmg-instances=", "cmg-instances=0", "cmg-instances=17", "cmg-instances=-1"] {
            assert!(matches!(bad.parse::<Assumption>(), Err(AssumptionError::Instances { .. })), "{bad}");
        }
        for bad in ["", "cgm", "CMG", "cmg=1", "x\u{1b}[2J"] {
            let error = bad.parse::<Assumption>().unwrap_err().to_string();
            assert!(error.contains("tenant-attach") && error.contains("cmg-instances=N"), "{error}");
            assert!(!error.contains('\u{1b}'));
        }
    }
}
