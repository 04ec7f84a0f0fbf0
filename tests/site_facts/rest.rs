//! The facts that are not about sites, servers, gateways and synchronization alone.

use cmcomply::site::SubscriptionKind::{Classification, Product};
use cmcomply::site::UpdatePackageState::{AvailableToDownload, Installed};
use cmcomply::site::{ClientOption, ClientSetting, CmgKind, Fact, Facts, Subscription};

use super::known;

/// Asserts all of them.
pub fn assert_rest(facts: &Facts) {
    servers(facts);
    cloud(facts);
    updates(facts);
    clients(facts);
}

fn servers(facts: &Facts) {
    let databases: Vec<String> = known(&facts.site_databases)
        .iter()
        .map(|d| format!("{} {} {:?} {}", d.site, d.host.short(), d.instance, d.database.as_deref().unwrap()))
        .collect();
    assert_eq!(
        databases,
        [
            "CAS cm-cas-sql None CM_CAS",
            "PS1 cm-ps1 None CM_PS1",
            "PS2 cm-ps2 Some(\"CMINST\") CM_PS2",
            "SS1 cm-ss1 Some(\"CONFIGMGRSEC\") CM_SS1",
        ]
    );
    let [name] = known(&facts.internet_names).as_slice() else { panic!("{:?}", facts.internet_names) };
    assert_eq!((name.host.short(), name.name.as_str()), ("cm-ps1-sup", "sup.contoso.com"));
    let caches: Vec<_> =
        known(&facts.distribution_points).iter().map(|d| (d.host.short(), d.connected_cache)).collect();
    let off = Some(false);
    assert_eq!(caches, [("cm-ps1-dp1", Some(true)), ("cm-ps1-dp2", off), ("cm-ps2-dp1", off), ("cm-ss1", off)]);
    let [point] = known(&facts.asset_intelligence).as_slice() else { panic!("{:?}", facts.asset_intelligence) };
    assert_eq!((point.host.short(), point.enabled, point.periodic), ("cm-cas", Some(true), Some(true)));
}

fn cloud(facts: &Facts) {
    let addresses: Vec<_> = known(&facts.cmg_addresses).iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["cmg.contoso.com", "granitefalls.westus.cloudapp.azure.com"]);
    let mut kinds: Vec<_> = known(&facts.cmgs).iter().map(|cmg| (cmg.name.as_deref().unwrap(), cmg.kind())).collect();
    kinds.sort_by_key(|(name, _)| *name);
    assert_eq!(kinds, [("BlueRidge", Some(CmgKind::Classic)), ("GraniteFalls", Some(CmgKind::ScaleSet))]);
    let ends: Vec<_> =
        known(&facts.entra_apps).iter().map(|app| app.secret_expires.map(|end| end.to_string())).collect();
    assert_eq!(ends, [Some("2026-01-10T09:00:00".to_owned()), None, Some("2026-02-02T09:00:00".to_owned())]);
    assert_eq!(known(&facts.azure_services)[0].name.as_deref(), Some("Contoso cloud management"));
    assert_eq!(known(&facts.cloud_distribution_points), &[]);
    assert_eq!(
        (known(&facts.group_syncs), known(&facts.intune_accounts), known(&facts.service_connectors)),
        (&1, &1, &1)
    );
    assert_eq!((known(&facts.co_management_policies), known(&facts.notification_rules)), (&2, &1));
    let managed = known(&facts.co_managed_clients);
    assert_eq!((managed.reported, managed.with_policy, managed.enrolled), (4, 3, 2));
    assert_eq!((known(&facts.desktop_analytics), known(&facts.store_for_business).accounts), (&0, 0));
}

fn updates(facts: &Facts) {
    let subscriptions: Vec<_> = known(&facts.subscriptions).iter().map(|s| (s.kind, s.id.as_str())).collect();
    assert_eq!(
        subscriptions,
        [
            (Product, Subscription::MICROSOFT_365_APPS),
            (Product, Subscription::MICROSOFT_EDGE),
            (Classification, "00000000-0000-4000-8000-000000000202"),
            (Classification, Subscription::UPGRADES),
        ]
    );
    assert_eq!((known(&facts.servicing_plans), known(&facts.edge_policies)), (&1, &0));
    let catalogs: Vec<_> = known(&facts.third_party_catalogs)
        .iter()
        .map(|c| (c.download.as_ref().unwrap().host.as_str(), c.synchronized.unwrap()))
        .collect();
    assert_eq!(catalogs, [("updates.fabrikam.example", true), ("catalog.tailspin.example", false)]);
    let packages: Vec<_> =
        known(&facts.update_packages).iter().map(|p| (p.version.as_deref().unwrap(), p.state.unwrap())).collect();
    assert_eq!(packages, [("5.00.9132.1000", AvailableToDownload), ("5.00.9128.1000", Installed)]);
    let features: Vec<_> = known(&facts.features).iter().map(|f| (f.name.as_str(), f.status)).collect();
    assert_eq!(
        features,
        [("Cloud Management Gateway", Some(1)), ("Community hub", Some(1)), ("Microsoft Connected Cache", Some(0))]
    );
}

fn clients(facts: &Facts) {
    let option =
        |fact: &Fact<Vec<ClientSetting>>, option| known(fact).iter().find(|s| s.option == option).map(|s| s.on);
    let (default, custom) = (&facts.default_client_settings, &facts.custom_client_settings);
    assert_eq!(option(default, ClientOption::CloudManagementGateway), Some(Some(true)));
    assert_eq!(option(default, ClientOption::CloudDistributionPoint), Some(Some(false)));
    assert_eq!(option(default, ClientOption::DeliveryOptimization), None);
    assert_eq!(option(custom, ClientOption::DeliveryOptimization), Some(Some(true)));
    assert_eq!(option(custom, ClientOption::Microsoft365Apps), Some(Some(true)));
    assert_eq!(known(custom)[0].settings.as_deref(), Some("Contoso laptops"));

    let systems: Vec<_> =
        known(&facts.clients_by_system).iter().map(|s| (s.build.as_deref().unwrap(), s.clients)).collect();
    assert_eq!(systems, [("19045", 2), ("22631", 2), ("20348", 1)]);
    let counts = known(&facts.client_counts);
    assert_eq!(
        (counts.clients, counts.always_internet, counts.on_internet, counts.co_managed),
        (5, Some(1), Some(2), Some(2))
    );
    assert_eq!((known(&facts.online_clients).internet, known(&facts.online_clients).cmg), (Some(4), Some(4)));
    let office = known(&facts.microsoft_365_clients);
    assert_eq!((office.managed, office.unmanaged), (2, 1));
    let consoles: Vec<_> =
        known(&facts.consoles).iter().map(|c| (c.host.short(), c.last_seen.unwrap().to_string())).collect();
    assert_eq!(consoles, [("cm-cas", "2024-06-27T09:30:00".to_owned()), ("lt-002", "2024-06-28T12:00:00".to_owned())]);
}
