//! What the replica's Contoso rows mean, in full: for the lab, and for any server with the replica loaded.
#![allow(unreachable_pub, reason = "shared by two tests")]

mod rest;

use cmcomply::site::{
    Cmg, CmgConnectionPoint, Fact, Facts, ProxySetting, Role, ServiceConnectionPoint, SiteCode, SiteKind,
    SoftwareUpdatePoint, SyncFrom, SyncSource, Tenant,
};

/// Asserts every fact of the healthy Contoso central administration site.
pub fn assert_contoso(facts: &Facts) {
    assert_eq!(facts.data_findings, []);
    assert_eq!(known(&facts.this_site), &site("CAS"));
    sites(facts);
    site_systems(facts);
    proxies(facts);
    updates(facts);
    cloud(facts);
    rest::assert_rest(facts);
}

/// The value of a fact that has to be known.
pub fn known<T: std::fmt::Debug>(fact: &Fact<T>) -> &T {
    fact.known().unwrap_or_else(|| panic!("not known: {fact:?}"))
}

fn sites(facts: &Facts) {
    use SiteKind::{CentralAdministration, Primary, Secondary};
    let seen: Vec<_> = known(&facts.sites)
        .iter()
        .map(|s| {
            assert_eq!((s.build, s.version.as_deref()), (Some(9128), Some("5.00.9128.1000")));
            let parent = s.parent.as_ref().map(SiteCode::as_str);
            (s.code.as_str(), s.kind.unwrap(), parent, s.server.as_ref().unwrap().as_str(), s.name.as_deref().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("CAS", CentralAdministration, None, "cm-cas.corp.contoso.com", "Contoso Central Administration"),
            ("PS1", Primary, Some("CAS"), "cm-ps1.corp.contoso.com", "Contoso Americas"),
            ("PS2", Primary, Some("CAS"), "cm-ps2.corp.contoso.com", "Contoso Europe"),
            ("SS1", Secondary, Some("PS1"), "cm-ss1.corp.contoso.com", "Contoso Denver branch"),
        ]
    );
}

fn site_systems(facts: &Facts) {
    let seen: Vec<String> = known(&facts.site_systems)
        .iter()
        .map(|s| {
            let roles: Vec<&str> = s.roles.iter().map(|r| r.role.database_name()).collect();
            format!("{} {}: {}", s.site, s.host.short(), roles.join(", "))
        })
        .collect();
    assert_eq!(
        seen,
        [
            "CAS cm-cas-sql: Data Warehouse Service Point, SMS SQL Server, SMS SRS Reporting Point, SMS Site System",
            "CAS cm-cas: AI Update Service Point, SMS Component Server, SMS Dmp Connector, SMS Endpoint Protection \
             Point, SMS Provider, SMS Site Server, SMS Site System, SMS Software Update Point",
            "PS1 cm-ps1-ccp: SMS Cloud Proxy Connector, SMS Site System",
            "PS1 cm-ps1-dp1: SMS Distribution Point, SMS Site System",
            "PS1 cm-ps1-dp2: SMS Distribution Point, SMS Site System",
            "PS1 cm-ps1-sup: SMS Site System, SMS Software Update Point",
            "PS1 cm-ps1: SMS Component Server, SMS Management Point, SMS Provider, SMS SQL Server, SMS Site Server, SMS \
             Site System",
            "PS2 cm-ps2-dp1: SMS Distribution Point, SMS Site System",
            "PS2 cm-ps2: SMS Cloud Proxy Connector, SMS Component Server, SMS Management Point, SMS Provider, SMS SQL \
             Server, SMS Site Server, SMS Site System, SMS Software Update Point",
            "SS1 cm-ss1: SMS Component Server, SMS Distribution Point, SMS Management Point, SMS SQL Server, SMS Site \
             Server, SMS Site System",
        ]
    );
    let sup = &known(&facts.site_systems)[5];
    let of_system = sup.roles[0].properties.as_ref().unwrap();
    assert_eq!(of_system["Server Remote Public Name"].text.as_deref(), Some("sup.contoso.com"));
    assert_eq!(of_system["UseProxy"].number, Some(0));
    assert_eq!(sup.roles[1].role, Role::SoftwareUpdatePoint);
    assert_eq!(sup.roles[1].properties.as_ref().unwrap()["WSUSIISSSLPort"].number, Some(8531));
}

fn proxies(facts: &Facts) {
    let seen: Vec<_> = known(&facts.site_system_proxies).iter().map(|p| (p.host.short(), p.setting.clone())).collect();
    let proxy = |name: &str, port, account| ProxySetting::Proxy { host: name.parse().unwrap(), port, account };
    assert_eq!(
        seen,
        [
            ("cm-cas-sql", ProxySetting::Direct),
            ("cm-cas", proxy("proxy.contoso.com", 8080, false)),
            ("cm-ps1-ccp", proxy("proxy-us.contoso.com", 3128, true)),
            ("cm-ps1-dp1", ProxySetting::NeverSet),
            ("cm-ps1-dp2", ProxySetting::NeverSet),
            ("cm-ps1-sup", ProxySetting::Direct),
            ("cm-ps1", ProxySetting::Direct),
            ("cm-ps2-dp1", ProxySetting::NeverSet),
            ("cm-ps2", ProxySetting::Direct),
            ("cm-ss1", ProxySetting::NeverSet),
        ]
    );
    let scp = ServiceConnectionPoint {
        site: site("CAS"),
        host: "cm-cas.corp.contoso.com".parse().unwrap(),
        online: Some(true),
    };
    assert_eq!(known(&facts.service_connection_points), &[scp]);
    let ccp = |code: &str, host: &str| CmgConnectionPoint { site: site(code), host: host.parse().unwrap() };
    assert_eq!(
        known(&facts.cmg_connection_points),
        &[ccp("PS1", "cm-ps1-ccp.corp.contoso.com"), ccp("PS2", "cm-ps2.corp.contoso.com")]
    );
}

fn updates(facts: &Facts) {
    let point = |code: &str, host: &str| SoftwareUpdatePoint {
        site: site(code),
        host: host.parse().unwrap(),
        use_proxy: None,
        use_proxy_for_adr: None,
        tls: Some(false),
        http_port: Some(8530),
        https_port: None,
        internet_clients: Some(false),
        intranet_clients: Some(true),
        cmg_traffic: None,
    };
    let cas = SoftwareUpdatePoint {
        use_proxy: Some(true),
        use_proxy_for_adr: Some(true),
        https_port: Some(8531),
        ..point("CAS", "cm-cas.corp.contoso.com")
    };
    let ps1 = SoftwareUpdatePoint {
        use_proxy: Some(false),
        tls: Some(true),
        https_port: Some(8531),
        internet_clients: Some(true),
        cmg_traffic: Some(true),
        ..point("PS1", "cm-ps1-sup.corp.contoso.com")
    };
    let ps2 = point("PS2", "cm-ps2.corp.contoso.com");
    assert_eq!(known(&facts.software_update_points), &[cas, ps1, ps2]);

    let below = |code: &str, sup: &str| SyncSource {
        site: site(code),
        source: Some(SyncFrom::Upstream),
        default_sup: Some(sup.parse().unwrap()),
        upstream: Some("cm-cas.corp.contoso.com".parse().unwrap()),
        upstream_port: Some(8530),
        upstream_tls: Some(false),
    };
    let top = SyncSource {
        source: Some(SyncFrom::MicrosoftUpdate),
        upstream: None,
        upstream_port: None,
        upstream_tls: None,
        ..below("CAS", "cm-cas.corp.contoso.com")
    };
    let children = [below("PS1", "cm-ps1-sup.corp.contoso.com"), below("PS2", "cm-ps2.corp.contoso.com")];
    let [ps1, ps2] = children;
    assert_eq!(known(&facts.sync_sources), &[top, ps1, ps2]);
}

fn cloud(facts: &Facts) {
    let mut cmgs = known(&facts.cmgs).clone();
    cmgs.sort_by(|a, b| a.name.cmp(&b.name));
    let gateway = |name: &str, service: &str, deployment: &str, region: &str, instances, state| Cmg {
        name: Some(name.to_owned()),
        service_name: Some(service.parse().unwrap()),
        deployment_name: Some(deployment.parse().unwrap()),
        region: Some(region.to_owned()),
        environment: Some(1),
        instances: Some(instances),
        storage_name: Some(name.parse().unwrap()),
        state: Some(state),
    };
    let granite = "granitefalls.westus.cloudapp.azure.com";
    assert_eq!(
        cmgs,
        [
            gateway("BlueRidge", "cmg.contoso.com", "blueridge.cloudapp.net", "East US", 1, 6),
            gateway("GraniteFalls", granite, granite, "WestUS", 2, 0),
        ]
    );
    let tenant = Tenant {
        id: "11111111-2222-4333-8444-555555555555".to_owned(),
        name: Some("contoso.onmicrosoft.com".to_owned()),
        environment: Some(1),
    };
    assert_eq!(known(&facts.tenants), &[tenant]);
    assert_eq!(known(&facts.entra_user_discovery), &true);

    let [public, government] = known(&facts.azure_environments).as_slice() else {
        panic!("{:?}", facts.azure_environments)
    };
    assert_eq!((public.id, public.name.as_deref()), (1, Some("AzurePublicCloud")));
    let hosts: Vec<_> = public.hosts.iter().map(|(column, host)| format!("{column} {host}")).collect();
    assert_eq!(
        hosts,
        [
            "ActiveDirectoryEndpoint login.microsoftonline.com",
            "GalleryEndpoint gallery.azure.com",
            "GatewayService aka.ms",
            "GraphEndpoint graph.windows.net",
            "KeyVaultEndpoint vault.azure.net",
            "ManagementPortalURL portal.azure.com",
            "MicrosoftGraphEndpoint graph.microsoft.com",
            "ResourceManagerEndpoint management.azure.com",
            "ServiceManagementEndpoint management.core.windows.net",
        ]
    );
    let suffixes: Vec<_> = public.suffixes.iter().map(|(column, suffix)| format!("{column} {suffix}")).collect();
    assert_eq!(
        suffixes,
        [
            "CloudServiceSuffix cloudapp.net",
            "KeyVaultDNSSuffix vault.azure.net",
            "SQLDatabaseDNSSuffix database.windows.net",
            "ServiceBusEndpointSuffix servicebus.windows.net",
            "StorageEndpointSuffix core.windows.net",
            "TrafficManagerDNSSuffix trafficmanager.net",
        ]
    );
    assert_eq!((government.id, government.hosts.len(), government.suffixes.len()), (2, 8, 6));
}

fn site(code: &str) -> SiteCode {
    SiteCode::parse(code).unwrap()
}
