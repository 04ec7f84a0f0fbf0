//! Derivation for large hierarchies: time, and allocations as a measure of memory.
//!
//! `cargo bench --bench derive`. The aim is below 100 ms for 10,000 site systems, with memory that grows with hosts times
//! requirements and with nothing else.

use cmcomply::catalog::Catalog;
use cmcomply::derive::{self, Options};
use cmcomply::host::HostName;
use cmcomply::plan;
use cmcomply::site::{
    AzureEnvironment, Cmg, CmgConnectionPoint, Connection, DistributionPoint, Fact, Facts, InstalledRole, ProxySetting,
    Role, ServiceConnectionPoint, SiteCode, SiteSystem, SiteSystemProxy, SoftwareUpdatePoint, Source, SqlCertificate,
    SqlSignIn, SyncFrom, SyncSource, Tenant, UnknownWhy,
};
use divan::{AllocProfiler, Bencher, black_box};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// All requirements of a hierarchy with so many site systems.
#[divan::bench(args = [100, 1_000, 10_000])]
fn requirements(bencher: Bencher<'_, '_>, site_systems: usize) {
    let facts = hierarchy(site_systems);
    let catalog = Catalog::embedded();
    bencher.bench(|| derive::requirements(black_box(&facts), catalog, &Options::default()));
}

/// The plan of these requirements.
#[divan::bench(args = [100, 1_000, 10_000])]
fn probes(bencher: Bencher<'_, '_>, site_systems: usize) {
    let requirements = derive::requirements(&hierarchy(site_systems), Catalog::embedded(), &Options::default());
    bencher.bench(|| plan::build(black_box(&requirements)));
}

fn known<T>(value: T) -> Fact<T> {
    Fact::Known { value, source: Source::of("dbo.benchmark") }
}

fn host(text: &str) -> HostName {
    HostName::parse(text).expect("the names are made here")
}

/// One central administration site and primary sites of 100 site systems each. In every primary site one server in ten
/// is a software update point, one in twenty a CMG connection point, and the rest distribution points.
#[expect(clippy::too_many_lines, reason = "one literal of all facts")]
fn hierarchy(site_systems: usize) -> Facts {
    let code = |number: usize| {
        let digit = |n: usize| char::from_digit(u32::try_from(n % 36).unwrap_or(0), 36).unwrap_or('0');
        let text: String = [number / 1296, number / 36, number].into_iter().map(digit).collect();
        SiteCode::parse(&text).expect("three letters or digits")
    };
    let top = code(0);
    let top_server = host("cm-cas.corp.contoso.com");
    let mut systems = vec![SiteSystem {
        site: top.clone(),
        host: top_server.clone(),
        roles: [Role::SiteServer, Role::ServiceConnectionPoint, Role::SoftwareUpdatePoint]
            .map(|role| InstalledRole { role, properties: None })
            .into(),
    }];
    let point = |site: &SiteCode, host: &HostName| SoftwareUpdatePoint {
        site: site.clone(),
        host: host.clone(),
        use_proxy: Some(true),
        use_proxy_for_adr: Some(true),
        tls: Some(true),
        http_port: Some(8530),
        https_port: Some(8531),
        internet_clients: Some(false),
        intranet_clients: Some(true),
        cmg_traffic: Some(false),
    };
    let mut points = vec![point(&top, &top_server)];
    let mut syncs = vec![SyncSource {
        site: top.clone(),
        source: Some(SyncFrom::MicrosoftUpdate),
        default_sup: Some(top_server.clone()),
        upstream: None,
        upstream_port: None,
        upstream_tls: None,
    }];
    let (mut connection_points, mut distribution_points, mut proxies) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..site_systems {
        let (site, server) =
            (code(1 + number / 100), host(&format!("cm-{number}.branch-{}.corp.contoso.com", number % 40)));
        let role = match number % 20 {
            0 => Role::CmgConnectionPoint,
            1 | 11 => Role::SoftwareUpdatePoint,
            _ => Role::DistributionPoint,
        };
        if role == Role::SoftwareUpdatePoint {
            points.push(point(&site, &server));
            if syncs.last().is_none_or(|sync| sync.site != site) {
                syncs.push(SyncSource {
                    site: site.clone(),
                    source: Some(SyncFrom::Upstream),
                    default_sup: Some(server.clone()),
                    upstream: Some(top_server.clone()),
                    upstream_port: Some(8531),
                    upstream_tls: Some(true),
                });
            }
        } else if role == Role::CmgConnectionPoint {
            connection_points.push(CmgConnectionPoint { site: site.clone(), host: server.clone() });
        } else {
            // One in ten is a Connected Cache server.
            let connected_cache = Some(number % 10 == 2);
            distribution_points.push(DistributionPoint { site: site.clone(), host: server.clone(), connected_cache });
        }
        let setting = ProxySetting::Proxy { host: host("proxy.contoso.com").into(), port: 8080, account: false };
        proxies.push(SiteSystemProxy { site: site.clone(), host: server.clone(), setting });
        systems.push(SiteSystem { site, host: server, roles: vec![InstalledRole { role, properties: None }] });
    }
    let column = |name: &str, value: &str| (name.to_owned(), host(value));
    let connection = Connection {
        server: "benchmark".to_owned(),
        database: "CM_000".to_owned(),
        server_version: None,
        certificate: SqlCertificate::MachineRoots,
        sign_in: SqlSignIn::SqlLogin { user: "benchmark".to_owned() },
    };
    Facts {
        this_site: known(top.clone()),
        sites: known(Vec::new()),
        site_systems: known(systems),
        site_system_proxies: known(proxies),
        service_connection_points: known(vec![ServiceConnectionPoint {
            site: top,
            host: top_server,
            online: Some(true),
        }]),
        software_update_points: known(points),
        sync_sources: known(syncs),
        cmg_connection_points: known(connection_points),
        distribution_points: known(distribution_points),
        cmgs: known(vec![Cmg {
            name: Some("GraniteFalls".to_owned()),
            service_name: Some(host("cmg.contoso.com")),
            deployment_name: Some(host("granitefalls.westus.cloudapp.azure.com")),
            region: Some("WestUS".to_owned()),
            environment: Some(1),
            instances: Some(2),
            storage_name: Some(host("granitefalls")),
            state: Some(0),
        }]),
        tenants: known(vec![Tenant { id: "tenant".to_owned(), name: None, environment: Some(1) }]),
        azure_environments: known(vec![AzureEnvironment {
            id: 1,
            name: Some("AzurePublicCloud".to_owned()),
            hosts: [column("ResourceManagerEndpoint", "management.azure.com")].into(),
            suffixes: [
                column("StorageEndpointSuffix", "core.windows.net"),
                column("KeyVaultDNSSuffix", "vault.azure.net"),
            ]
            .into(),
        }]),
        entra_user_discovery: known(true),
        ..Facts::unknown(connection, UnknownWhy::NotVisible, "not visible")
    }
}
