//! Site systems: their roles, their proxies, and the roles that are facts of their own.

use std::collections::BTreeMap;

use super::super::fact::Fact;
use super::super::facts::{
    CmgConnectionPoint, InstalledRole, PropertyValue, ProxySetting, ServiceConnectionPoint, SiteSystem, SiteSystemProxy,
};
use super::super::names::{Role, SiteCode};
use super::super::read::Raw;
use super::cells::{Cells, Findings};
use super::known;
use super::properties::{Origin, Properties, gather};
use crate::host::HostName;

/// A server in a site.
type Place = (SiteCode, HostName);

/// The properties of each role of each server.
pub(super) type RoleProperties = BTreeMap<(Place, Role), BTreeMap<String, PropertyValue>>;

/// `UseProxy` without a port uses this one (the product's default).
const DEFAULT_PROXY_PORT: u16 = 80;

/// The properties, if they could be read.
pub(super) fn role_properties(raw: Raw, findings: &mut Findings) -> Option<RoleProperties> {
    let Raw::Rows { rows, source, .. } = raw else { return None };
    let owners = gather(&rows, &source.object, findings, |cells| Some((place(cells)?, role(cells)?)));
    Some(owners.into_iter().map(|(owner, properties)| (owner, properties.into_values())).collect())
}

/// The servers with their roles. Cloud services in Azure are in the same list; they are no servers of the hierarchy.
pub(super) fn site_systems(
    raw: Raw,
    properties: Option<&RoleProperties>,
    findings: &mut Findings,
) -> Fact<Vec<SiteSystem>> {
    known(raw, |rows, object| {
        let mut systems: BTreeMap<Place, BTreeMap<Role, InstalledRole>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            if cells.raw_text("resource_type").is_some_and(|kind| kind.eq_ignore_ascii_case("Windows Azure")) {
                continue;
            }
            let (Some(place), Some(role)) = (place(&mut cells), role(&mut cells)) else { continue };
            let roles = systems.entry(place.clone()).or_default();
            if roles.contains_key(&role) {
                continue;
            }
            let owner = (place, role);
            let properties = properties.map(|all| all.get(&owner).cloned().unwrap_or_default());
            roles.insert(owner.1.clone(), InstalledRole { role: owner.1, properties });
        }
        let system = |((site, host), roles): (Place, BTreeMap<Role, InstalledRole>)| {
            let mut roles: Vec<InstalledRole> = roles.into_values().collect();
            roles.sort_by(|a, b| a.role.database_name().cmp(b.role.database_name()));
            SiteSystem { site, host, roles }
        };
        systems.into_iter().map(system).collect()
    })
}

/// The proxy setting of each server.
pub(super) fn site_system_proxies(raw: Raw, findings: &mut Findings) -> Fact<Vec<SiteSystemProxy>> {
    known(raw, |rows, object| {
        let servers = gather(rows, object, findings, place);
        let proxy = |((site, host), properties): (Place, Properties)| {
            let owner = owner(&site, &host);
            let setting = proxy_setting(&properties, &mut Origin { object, owner, findings });
            SiteSystemProxy { site, host, setting }
        };
        servers.into_iter().map(proxy).collect()
    })
}

/// The name of a proxy counts only while `UseProxy` is 1: old names stay behind.
fn proxy_setting(properties: &Properties, origin: &mut Origin<'_>) -> ProxySetting {
    if properties.is_contradicted("UseProxy") {
        return ProxySetting::Unreadable;
    }
    if properties.get("UseProxy").is_none() {
        return ProxySetting::NeverSet;
    }
    match properties.flag("UseProxy", origin) {
        None => return ProxySetting::Unreadable,
        Some(false) => return ProxySetting::Direct,
        Some(true) => {}
    }
    let has_text = properties.get("ProxyName").is_some_and(|name| name.text.is_some());
    if !has_text && !properties.is_contradicted("ProxyName") {
        origin.report("ProxyName", "the proxy is on and has no name", None);
    }
    let host = properties.host_or_address("ProxyName", origin);
    let port = match properties.get("ProxyServerPort") {
        None if !properties.is_contradicted("ProxyServerPort") => Some(DEFAULT_PROXY_PORT),
        _ => properties.port("ProxyServerPort", origin),
    };
    match (host, port) {
        (Some(host), Some(port)) => {
            let account = properties.get("ProxyUserName").is_some_and(|user| user.number == Some(1));
            ProxySetting::Proxy { host, port, account }
        }
        _ => ProxySetting::Unreadable,
    }
}

/// The service connection points; `OfflineMode` 0 is online.
pub(super) fn service_connection_points(raw: Raw, findings: &mut Findings) -> Fact<Vec<ServiceConnectionPoint>> {
    known(raw, |rows, object| {
        let servers = gather(rows, object, findings, place);
        let point = |((site, host), properties): (Place, Properties)| {
            let owner = owner(&site, &host);
            let offline = properties.flag("OfflineMode", &mut Origin { object, owner, findings });
            ServiceConnectionPoint { site, host, online: offline.map(|offline| !offline) }
        };
        servers.into_iter().map(point).collect()
    })
}

/// The CMG connection points.
pub(super) fn cmg_connection_points(raw: Raw, findings: &mut Findings) -> Fact<Vec<CmgConnectionPoint>> {
    known(raw, |rows, object| {
        let servers = gather(rows, object, findings, place);
        servers.into_keys().map(|(site, host)| CmgConnectionPoint { site, host }).collect()
    })
}

/// The site and the server of a row; what is missing has been reported.
pub(super) fn place(cells: &mut Cells<'_>) -> Option<Place> {
    let (site, host) = (cells.site("site_code"), cells.server());
    Some((site?, host?))
}

/// How findings name a server.
pub(super) fn owner(site: &SiteCode, host: &HostName) -> String {
    format!("site_code={site}, server_name={host}")
}

fn role(cells: &mut Cells<'_>) -> Option<Role> {
    let name = cells.name("role_name");
    if name.is_none() {
        cells.report("role_name", "no role where one is needed");
    }
    name.map(|name| Role::from_database(&name))
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;
    use crate::host::HostOrAddress;

    const PROPERTY: &str = "site_code|server_name|property_name|text1|text2|number";

    fn proxies(rows: &[&str]) -> (Vec<ProxySetting>, Vec<String>) {
        let (fact, findings) = with_findings(|f| site_system_proxies(raw(PROPERTY, rows), f));
        let settings = fact.rows().iter().map(|proxy| proxy.setting.clone()).collect();
        (settings, findings.into_iter().map(|f| f.column).collect())
    }

    fn proxy(host: &str, port: u16, account: bool) -> ProxySetting {
        ProxySetting::Proxy { host: HostOrAddress::parse(host).unwrap(), port, account }
    }

    #[test]
    fn a_proxy_counts_only_while_it_is_on() {
        let (settings, findings) = proxies(&[
            "PS1|a|UseProxy|NULL|NULL|1",
            "PS1|a|ProxyName|NULL|proxy.contoso.com|NULL",
            "PS1|a|ProxyServerPort|NULL|NULL|3128",
            "PS1|a|ProxyUserName|NULL|NULL|1",
            "PS1|b|UseProxy|NULL|NULL|0",
            "PS1|b|ProxyName|NULL|old-proxy.contoso.com|NULL",
            "PS1|c|NULL|NULL|NULL|NULL",
            "PS1|d|UseProxy|NULL|NULL|1",
            "PS1|d|ProxyName|proxy|NULL|NULL",
        ]);
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!(
            settings,
            [
                proxy("proxy.contoso.com", 3128, true),
                ProxySetting::Direct,
                ProxySetting::NeverSet,
                proxy("proxy", 80, false)
            ]
        );
    }

    #[test]
    fn a_proxy_that_cannot_be_understood_is_unreadable() {
        for (rows, column) in [
            (&["PS1|a|UseProxy|NULL|NULL|1"][..], "ProxyName"),
            (&["PS1|a|UseProxy|NULL|NULL|1", "PS1|a|ProxyName|NULL|a b|NULL"], "ProxyName"),
            (
                &["PS1|a|UseProxy|NULL|NULL|1", "PS1|a|ProxyName|NULL|p|NULL", "PS1|a|ProxyServerPort|NULL|NULL|0"],
                "ProxyServerPort",
            ),
            (
                &["PS1|a|UseProxy|NULL|NULL|1", "PS1|a|ProxyName|NULL|p|NULL", "PS1|a|ProxyServerPort|NULL|NULL|99999"],
                "ProxyServerPort",
            ),
            (&["PS1|a|UseProxy|NULL|NULL|2"], "UseProxy"),
            (&["PS1|a|UseProxy|NULL|NULL|NULL"], "UseProxy"),
            (&["PS1|a|UseProxy|NULL|NULL|1", "PS1|A|useproxy|NULL|NULL|0"], "property_name"),
        ] {
            assert_eq!(proxies(rows), (vec![ProxySetting::Unreadable], vec![column.to_owned()]), "{rows:?}");
        }
    }

    #[test]
    fn roles_are_gathered_by_server_with_their_properties() {
        let columns = "site_code|role_name|server_name|nal_path|resource_type";
        let rows = [
            "PS1|SMS Site System|CM01|NULL|Windows NT Server",
            "PS1|SMS Management Point|cm01|NULL|Windows NT Server",
            "PS1|SMS Management Point|cm01|NULL|Windows NT Server",
            "PS1|SMS Nonsense\u{1b}|cm01|NULL|NULL",
            "PS1|SMS Distribution Point|dp.cloudapp.net|NULL|Windows Azure",
            "PS1|NULL|cm02|NULL|NULL",
        ];
        let properties = "site_code|role_name|server_name|nal_path|property_name|text1|text2|number";
        let property_rows = [
            "PS1|SMS Management Point|cm01|NULL|AllowProxyTraffic|NULL|NULL|1",
            "PS1|SMS Management Point|cm01|NULL|SQLServerName|NULL|sql01|NULL",
        ];
        let (fact, findings) = with_findings(|f| {
            let properties = role_properties(raw(properties, &property_rows), f);
            site_systems(raw(columns, &rows), properties.as_ref(), f)
        });
        assert_eq!(findings.len(), 1, "{findings:?}");
        let [system] = fact.rows() else { panic!("{fact:?}") };
        let names: Vec<_> = system.roles.iter().map(|r| r.role.database_name()).collect();
        assert_eq!(names, ["SMS Management Point", "SMS Nonsense\\u{1b}", "SMS Site System"]);
        let of_mp = system.roles[0].properties.as_ref().unwrap();
        assert_eq!(of_mp["AllowProxyTraffic"].number, Some(1));
        assert_eq!(of_mp["SQLServerName"].text.as_deref(), Some("sql01"));
        assert_eq!(system.roles[2].properties, Some(BTreeMap::new()));

        let (fact, _) = with_findings(|f| site_systems(raw(columns, &rows), None, f));
        assert!(fact.rows()[0].roles.iter().all(|r| r.properties.is_none()));
    }

    #[test]
    fn offline_mode_says_whether_a_service_connection_point_is_online() {
        let columns = "site_code|server_name|nal_path|property_name|number";
        let online = |row: &str| {
            let (fact, findings) = with_findings(|f| service_connection_points(raw(columns, &[row]), f));
            (fact.rows()[0].online, findings.len())
        };
        assert_eq!(online("CAS|a|NULL|OfflineMode|0"), (Some(true), 0));
        assert_eq!(online("CAS|a|NULL|OfflineMode|1"), (Some(false), 0));
        assert_eq!(online("CAS|a|NULL|NULL|NULL"), (None, 0));
        assert_eq!(online("CAS|a|NULL|OfflineMode|7"), (None, 1));
    }
}
