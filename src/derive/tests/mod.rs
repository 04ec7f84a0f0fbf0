//! Derivation over hand-made facts: each condition, and that unknown never takes a requirement away.

mod conditions;
mod further;
mod what_if;

use super::*;
use crate::catalog::Context;
use crate::host::HostName;
use crate::site::{
    AssetIntelligencePoint, AzureEnvironment, AzureService, ClientOption, ClientSetting, Cmg, CmgConnectionPoint,
    CoManagedClients, Connection, DistributionPoint, DownloadPlace, Fact, InstalledRole, ProxySetting, Role,
    ServiceConnectionPoint, Site, SiteCode, SiteKind, SiteSystem, SiteSystemProxy, SoftwareUpdatePoint, Source,
    SqlCertificate, SqlSignIn, StoreForBusiness, Subscription, SubscriptionKind, SyncFrom, SyncSource, Tenant,
    ThirdPartyCatalog, UnknownWhy,
};

fn host(name: &str) -> HostName {
    HostName::parse(name).unwrap()
}

fn site(code: &str) -> SiteCode {
    SiteCode::parse(code).unwrap()
}

fn known<T>(value: T) -> Fact<T> {
    Fact::Known { value, source: Source::of("dbo.replica") }
}

fn unknown<T>() -> Fact<T> {
    Fact::Unknown { why: UnknownWhy::NotVisible, detail: "not visible".to_owned() }
}

const CAS: &str = "cm-cas.corp.contoso.com";
const PS1: &str = "cm-ps1.corp.contoso.com";
const DP1: &str = "cm-dp1.corp.contoso.com";
const TENANT: &str = "0C0FFEE0-1111-2222-3333-444455556666";

const ALL_OPTIONS: [ClientOption; 8] = [
    ClientOption::CloudManagementGateway,
    ClientOption::CloudDistributionPoint,
    ClientOption::DeliveryOptimization,
    ClientOption::ConnectedCache,
    ClientOption::Microsoft365Apps,
    ClientOption::ThirdPartyUpdates,
    ClientOption::WindowsUpdateForBusiness,
    ClientOption::DesktopAnalytics,
];

fn site_row(code: &str, kind: SiteKind, parent: Option<&str>, server: &str) -> Site {
    Site {
        code: site(code),
        name: None,
        kind: Some(kind),
        parent: parent.map(site),
        build: Some(9128),
        version: None,
        server: Some(host(server)),
    }
}

fn settings(options: &[ClientOption], on: bool) -> Vec<ClientSetting> {
    options.iter().map(|option| ClientSetting { settings: None, option: *option, on: Some(on) }).collect()
}

fn subscription(id: &str, kind: SubscriptionKind) -> Subscription {
    Subscription { kind, id: id.to_owned(), name: None }
}

fn catalog_at(name: &str, port: u16) -> ThirdPartyCatalog {
    let download = Some(DownloadPlace { scheme: crate::host::Scheme::Https, host: host(name), port });
    ThirdPartyCatalog { name: Some("Fabrikam".to_owned()), publisher: None, download, synchronized: Some(true) }
}

/// A central administration site with everything in the cloud, and a primary site below it.
#[expect(clippy::too_many_lines, reason = "one fact after the other")]
fn contoso() -> Facts {
    let system = |code: &str, name: &str, roles: &[Role]| SiteSystem {
        site: site(code),
        host: host(name),
        roles: roles.iter().map(|role| InstalledRole { role: role.clone(), properties: None }).collect(),
    };
    let sup = |code: &str, name: &str| SoftwareUpdatePoint {
        site: site(code),
        host: host(name),
        use_proxy: Some(true),
        use_proxy_for_adr: None,
        tls: Some(false),
        http_port: Some(8530),
        https_port: Some(8531),
        internet_clients: Some(false),
        intranet_clients: None,
        cmg_traffic: None,
    };
    let sync = |code: &str, source, upstream: Option<&str>, default: &str| SyncSource {
        site: site(code),
        source: Some(source),
        default_sup: Some(host(default)),
        upstream: upstream.map(host),
        upstream_port: upstream.map(|_| 8530),
        upstream_tls: Some(false),
    };
    let connection = Connection {
        server: "sql".to_owned(),
        database: "CM_CAS".to_owned(),
        server_version: None,
        certificate: SqlCertificate::MachineRoots,
        sign_in: SqlSignIn::SqlLogin { user: "reader".to_owned() },
    };
    Facts {
        this_site: known(site("CAS")),
        sites: known(vec![
            site_row("CAS", SiteKind::CentralAdministration, None, CAS),
            site_row("PS1", SiteKind::Primary, Some("CAS"), PS1),
        ]),
        site_systems: known(vec![
            system(
                "CAS",
                CAS,
                &[
                    Role::SiteServer,
                    Role::ServiceConnectionPoint,
                    Role::SoftwareUpdatePoint,
                    Role::AssetIntelligenceSynchronizationPoint,
                ],
            ),
            system("PS1", PS1, &[Role::SoftwareUpdatePoint, Role::CmgConnectionPoint, Role::SiteServer]),
            system("PS1", DP1, &[Role::DistributionPoint, Role::ManagementPoint]),
        ]),
        site_system_proxies: known(vec![
            SiteSystemProxy {
                site: site("CAS"),
                host: host(CAS),
                setting: ProxySetting::Proxy { host: host("proxy.contoso.com").into(), port: 8080, account: false },
            },
            SiteSystemProxy { site: site("PS1"), host: host(PS1), setting: ProxySetting::Direct },
        ]),
        service_connection_points: known(vec![ServiceConnectionPoint {
            site: site("CAS"),
            host: host(CAS),
            online: Some(true),
        }]),
        software_update_points: known(vec![sup("CAS", CAS), sup("PS1", PS1)]),
        sync_sources: known(vec![
            sync("CAS", SyncFrom::MicrosoftUpdate, None, CAS),
            sync("PS1", SyncFrom::Upstream, Some(CAS), PS1),
        ]),
        cmg_connection_points: known(vec![CmgConnectionPoint { site: site("PS1"), host: host(PS1) }]),
        cmgs: known(vec![Cmg {
            name: Some("GraniteFalls".to_owned()),
            service_name: Some(host("cmg.contoso.com")),
            deployment_name: Some(host("granitefalls.westus.cloudapp.azure.com")),
            region: None,
            environment: Some(1),
            instances: Some(2),
            storage_name: Some(host("granitefalls")),
            state: Some(0),
        }]),
        tenants: known(vec![Tenant { id: TENANT.to_owned(), name: None, environment: Some(1) }]),
        azure_environments: known(vec![AzureEnvironment {
            id: 1,
            name: Some("AzurePublicCloud".to_owned()),
            hosts: [
                ("ResourceManagerEndpoint", "management.azure.com"),
                ("ActiveDirectoryEndpoint", "login.microsoftonline.com"),
                ("MicrosoftGraphEndpoint", "graph.microsoft.com"),
            ]
            .map(|(column, name)| (column.to_owned(), host(name)))
            .into(),
            suffixes: [("StorageEndpointSuffix", "core.windows.net"), ("KeyVaultDNSSuffix", "vault.azure.net")]
                .map(|(column, name)| (column.to_owned(), host(name)))
                .into(),
        }]),
        entra_user_discovery: known(false),
        distribution_points: known(vec![DistributionPoint {
            site: site("PS1"),
            host: host(DP1),
            connected_cache: Some(true),
        }]),
        asset_intelligence: known(vec![AssetIntelligencePoint {
            site: site("CAS"),
            host: host(CAS),
            enabled: Some(true),
            periodic: None,
        }]),
        azure_services: known(vec![AzureService { name: None, service_type: Some(1) }]),
        co_management_policies: known(1),
        co_managed_clients: known(CoManagedClients { reported: 5, with_policy: 5, enrolled: 5 }),
        tenant_attach: known(true),
        endpoint_analytics: known(true),
        desktop_analytics: known(2),
        store_for_business: known(StoreForBusiness { accounts: 1, last_sync: None }),
        default_client_settings: known(settings(&ALL_OPTIONS, true)),
        custom_client_settings: known(Vec::new()),
        subscriptions: known(vec![
            subscription(Subscription::MICROSOFT_365_APPS, SubscriptionKind::Product),
            subscription(Subscription::UPGRADES, SubscriptionKind::Classification),
        ]),
        servicing_plans: known(1),
        third_party_catalogs: known(vec![catalog_at("catalog.fabrikam.com", 8443)]),
        notification_rules: known(1),
        notification_hosts: known(vec![host("prod-1.westus2.logic.azure.com")]),
        ..Facts::unknown(connection, UnknownWhy::NotVisible, "not visible")
    }
}

fn derive(facts: &Facts) -> Vec<Requirement> {
    requirements(facts, Catalog::embedded(), &Options::default())
}

/// `entry host name:port` of each requirement that is needed.
fn needed(facts: &Facts) -> Vec<String> {
    let show = |r: &Requirement| format!("{} {} {}:{}", r.entry, r.subject, r.name, r.port.unwrap_or(0));
    derive(facts).iter().filter(|r| r.decision == Decision::Needed).map(show).collect()
}

fn undecided(facts: &Facts) -> Vec<Requirement> {
    derive(facts).into_iter().filter(|r| matches!(r.decision, Decision::Undecided { .. })).collect()
}

#[test]
fn everything_is_decided_where_everything_is_known() {
    assert_eq!(undecided(&contoso()), []);
}

#[test]
fn ids_are_unique_and_stable() {
    let ids: Vec<_> = derive(&contoso()).into_iter().map(|r| r.id).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len());
    assert_eq!(ids, derive(&contoso()).into_iter().map(|r| r.id).collect::<Vec<_>>());
}

#[test]
fn a_gateway_with_two_instances_needs_two_ports_from_the_connection_point() {
    let ports = |facts: &Facts| -> Vec<u16> {
        derive(facts)
            .iter()
            .filter(|r| r.role == CatalogRole::CmgConnectionPoint && r.name.to_string() == "cmg.contoso.com")
            .filter_map(|r| r.port)
            .collect()
    };
    let mut facts = contoso();
    assert_eq!(ports(&facts), [10124, 10125]);
    let set = |facts: &mut Facts, instances| {
        if let Fact::Known { value, .. } = &mut facts.cmgs {
            value[0].instances = instances;
        }
    };
    set(&mut facts, Some(1));
    assert_eq!(ports(&facts), [443]);
    set(&mut facts, Some(16));
    assert_eq!(ports(&facts).len(), 16);
    for unusable in [None, Some(0), Some(17), Some(u32::MAX)] {
        set(&mut facts, unusable);
        assert_eq!(ports(&facts), [] as [u16; 0]);
        assert!(undecided(&facts).iter().any(|r| r.name.to_string() == "cmg.contoso.com"));
    }
}

#[test]
fn an_offline_service_connection_point_needs_nothing_of_its_own() {
    let of_scp = |facts: &Facts| derive(facts).iter().filter(|r| r.role == CatalogRole::ServiceConnectionPoint).count();
    let mut facts = contoso();
    assert!(of_scp(&facts) > 20);
    facts.service_connection_points =
        known(vec![ServiceConnectionPoint { site: site("CAS"), host: host(CAS), online: Some(false) }]);
    assert_eq!(of_scp(&facts), 0);
}

#[test]
fn unknown_never_shrinks_the_set() {
    let all = derive(&contoso());
    let breakers: &[fn(&mut Facts)] = &[
        |f| f.service_connection_points = unknown(),
        |f| f.cmgs = unknown(),
        |f| f.sync_sources = unknown(),
        |f| f.software_update_points = unknown(),
        |f| f.azure_environments = unknown(),
        |f| f.tenants = unknown(),
        |f| f.site_system_proxies = unknown(),
        |f| f.entra_user_discovery = unknown(),
        |f| f.cmg_connection_points = unknown(),
        |f| f.site_systems = unknown(),
        |f| f.sites = unknown(),
        |f| f.distribution_points = unknown(),
        |f| f.asset_intelligence = unknown(),
        |f| f.azure_services = unknown(),
        |f| (f.co_management_policies, f.co_managed_clients) = (unknown(), unknown()),
        |f| f.tenant_attach = unknown(),
        |f| f.endpoint_analytics = unknown(),
        |f| f.desktop_analytics = unknown(),
        |f| f.store_for_business = unknown(),
        |f| (f.default_client_settings, f.custom_client_settings) = (unknown(), unknown()),
        |f| f.subscriptions = unknown(),
        |f| f.servicing_plans = unknown(),
        |f| f.third_party_catalogs = unknown(),
        |f| (f.notification_rules, f.notification_hosts) = (unknown(), unknown()),
        |f| *f = Facts::unknown(f.connection.clone(), UnknownWhy::Cut, "all of it"),
    ];
    for (number, break_it) in breakers.iter().enumerate() {
        let mut facts = contoso();
        break_it(&mut facts);
        let left = derive(&facts);
        for requirement in &all {
            let covered = left.iter().any(|r| r.entry == requirement.entry && r.role == requirement.role);
            assert!(covered, "breaker {number} lost {}", requirement.id);
        }
    }
}

#[test]
fn a_hierarchy_without_cloud_has_no_cloud_requirement() {
    let mut facts = contoso();
    facts.cmgs = known(Vec::new());
    facts.tenants = known(Vec::new());
    facts.cmg_connection_points = known(Vec::new());
    if let Fact::Known { value, .. } = &mut facts.site_systems {
        for system in value.iter_mut() {
            system.roles.retain(|installed| installed.role != Role::CmgConnectionPoint);
        }
    }
    assert_eq!(undecided(&facts), []);
    assert!(!derive(&facts).iter().any(|r| r.section == "Cloud services"), "{:#?}", needed(&facts));
}

#[test]
fn a_us_government_hierarchy_has_no_public_endpoint() {
    let mut facts = contoso();
    facts.tenants = known(vec![Tenant { id: TENANT.to_owned(), name: None, environment: Some(2) }]);
    if let Fact::Known { value, .. } = &mut facts.cmgs {
        value[0].environment = Some(2);
    }
    if let Fact::Known { value, .. } = &mut facts.azure_environments {
        value.push(AzureEnvironment {
            id: 2,
            name: Some("AzureUSGovernmentCloud".to_owned()),
            hosts: [
                ("ResourceManagerEndpoint", "management.usgovcloudapi.net"),
                ("ActiveDirectoryEndpoint", "login.microsoftonline.us"),
                ("MicrosoftGraphEndpoint", "graph.microsoft.us"),
            ]
            .map(|(column, name)| (column.to_owned(), host(name)))
            .into(),
            suffixes: ["StorageEndpointSuffix", "KeyVaultDNSSuffix"]
                .map(|column| (column.to_owned(), host("core.usgovcloudapi.net")))
                .into(),
        });
    }
    let all = derive(&facts);
    assert_eq!(undecided(&facts), []);
    let names: Vec<String> = all.iter().map(|r| r.name.to_string()).collect();
    for government in ["login.microsoftonline.us", "*.manage.microsoft.us", "graph.microsoft.us"] {
        assert!(names.iter().any(|n| n == government), "{government}: {names:#?}");
    }
    for requirement in &all {
        let entry = Catalog::embedded().entry(&requirement.entry).unwrap();
        assert!(entry.clouds.contains(&Cloud::UsGovernment), "{}", requirement.id);
    }
    for public in ["login.microsoftonline.com", "management.azure.com", "aadcdn.msauth.net", "graph.windows.net"] {
        assert!(!names.iter().any(|n| n == public), "{public}");
    }
}

#[test]
fn only_the_top_synchronizes_from_the_internet_and_the_child_from_it() {
    let needed = needed(&contoso());
    let sup = |name: &str, what: &str| needed.iter().any(|n| n.contains(name) && n.contains(what));
    assert!(sup(&format!("{CAS} "), "ntservicepack.microsoft.com:80"));
    assert!(!sup(&format!("{PS1} "), "wsus-"));
    // Its site server may own deployment rules.
    assert!(sup("child-site-adr-download-windowsupdate-com ", &format!("{PS1} ")));
    assert!(sup("adr-download-windowsupdate-com ", &format!("{CAS} ")));
    assert!(sup("sup-upstream-http", &format!("{PS1} {CAS}:8530")));
    assert!(!sup("sup-upstream-https", PS1));
    assert!(sup("sup-downstream-http", &format!("{CAS} {PS1}:8530")));
}

#[test]
fn routes_come_from_the_database_and_stale_or_unreadable_settings_do_not_count() {
    let route = |facts: &Facts, name: &str, context: Context| {
        derive(facts)
            .into_iter()
            .find(|r| r.context == context && r.subject.host() == Some(&host(name)))
            .map(|r| r.route.via)
            .unwrap()
    };
    let mut facts = contoso();
    let proxy = Via::Proxy { host: host("proxy.contoso.com").into(), port: 8080 };
    assert_eq!(route(&facts, CAS, Context::SiteSystemProxy), proxy);
    assert_eq!(route(&facts, CAS, Context::Wsus), proxy);
    assert_eq!(route(&facts, PS1, Context::SiteSystemProxy), Via::Direct);
    if let Fact::Known { value, .. } = &mut facts.software_update_points {
        value[0].use_proxy = Some(false);
    }
    assert_eq!(route(&facts, CAS, Context::Wsus), Via::Direct);
    if let Fact::Known { value, .. } = &mut facts.software_update_points {
        value[0].use_proxy = None;
    }
    assert_eq!(route(&facts, CAS, Context::Wsus), Via::Unknown);
    if let Fact::Known { value, .. } = &mut facts.site_system_proxies {
        value[0].setting = ProxySetting::Unreadable;
    }
    assert_eq!(route(&facts, CAS, Context::SiteSystemProxy), Via::Unknown);
    facts.site_system_proxies = unknown();
    assert_eq!(route(&facts, PS1, Context::SiteSystemProxy), Via::Unknown);
}

#[test]
fn the_operator_states_what_the_database_cannot_know() {
    let stated = StatedRoutes::from([(Context::ClientSystem, Via::Direct)]);
    let all = requirements(&contoso(), Catalog::embedded(), &stated.into());
    let basis = |context| all.iter().find(|r| r.context == context).map(|r| r.route.basis);
    assert_eq!(basis(Context::ClientSystem), Some(RouteBasis::Operator));
    assert_eq!(basis(Context::ConsoleUser), Some(RouteBasis::Assumed));
}

#[test]
fn one_endpoint_of_two_gateways_is_one_requirement_with_both_reasons() {
    let mut facts = contoso();
    if let Fact::Known { value, .. } = &mut facts.cmgs {
        let mut second = value[0].clone();
        second.name = Some("BlueRidge".to_owned());
        value.push(second);
    }
    let all = derive(&facts);
    let shared: Vec<_> = all
        .iter()
        .filter(|r| {
            r.role == CatalogRole::CmgConnectionPoint
                && r.name.to_string() == "cmg.contoso.com"
                && r.port == Some(10124)
        })
        .collect();
    assert_eq!(shared.len(), 1);
    assert!(shared[0].reasons.iter().any(|r| r.contains("GraniteFalls")));
    assert!(shared[0].reasons.iter().any(|r| r.contains("BlueRidge")));
}
