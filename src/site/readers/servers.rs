//! More about servers: databases, internet names, distribution points, asset intelligence.

use std::collections::BTreeMap;

use super::super::fact::Fact;
use super::super::facts::{AssetIntelligencePoint, DatabaseServer, DistributionPoint, InternetName};
use super::super::names::SiteCode;
use super::super::read::Raw;
use super::super::value::Value;
use super::cells::{Cells, Findings};
use super::known;
use super::systems::place;
use crate::host::HostName;
use crate::text;

/// The database of each site; the server is written as a host, or as `HOST\\INSTANCE`.
pub(super) fn site_databases(raw: Raw, findings: &mut Findings) -> Fact<Vec<DatabaseServer>> {
    known(raw, |rows, object| {
        let mut databases: BTreeMap<SiteCode, DatabaseServer> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let (Some(site), Some(server)) = (cells.site("site_code"), cells.raw_text("sql_server_name")) else {
                cells.needed("sql_server_name", "no database server where one is needed");
                continue;
            };
            let (host, instance) = match server.split_once('\\') {
                Some((host, instance)) => (host, Some(text::printable(instance, 128))),
                None => (server.as_str(), None),
            };
            let host = match HostName::parse(host) {
                Ok(host) => host,
                Err(error) => {
                    cells.report("sql_server_name", &format!("not a host name: {error}"));
                    continue;
                }
            };
            let instance = instance.filter(|instance| !instance.is_empty());
            let database = DatabaseServer { site, host, instance, database: cells.name("database_name") };
            match databases.get(&database.site) {
                None => drop(databases.insert(database.site.clone(), database)),
                Some(known) if *known == database => {}
                Some(_) => cells.report("site_code", "two databases of one site; the first is used"),
            }
        }
        databases.into_values().collect()
    })
}

/// The internet names; a server has one row for each of its roles.
pub(super) fn internet_names(raw: Raw, findings: &mut Findings) -> Fact<Vec<InternetName>> {
    known(raw, |rows, object| {
        let mut names: BTreeMap<(SiteCode, HostName), HostName> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let (Some(place), Some(name)) = (place(&mut cells), cells.host("internet_name")) else { continue };
            match names.get(&place) {
                None => drop(names.insert(place, name)),
                Some(known) if *known == name => {}
                Some(_) => cells.report("internet_name", "two internet names of one server; the first is used"),
            }
        }
        names.into_iter().map(|((site, host), name)| InternetName { site, host, name }).collect()
    })
}

/// The distribution points that are servers.
pub(super) fn distribution_points(raw: Raw, findings: &mut Findings) -> Fact<Vec<DistributionPoint>> {
    known(raw, |rows, object| {
        let mut points: BTreeMap<(SiteCode, HostName), Option<bool>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            if cells.raw_text("resource_type").is_some_and(|kind| kind.eq_ignore_ascii_case("Windows Azure")) {
                continue;
            }
            let (place, cache) = (place(&mut cells), cells.flag("connected_cache"));
            let Some(place) = place else { continue };
            match points.get_mut(&place) {
                None => drop(points.insert(place, cache)),
                Some(known) if *known == cache => {}
                Some(known) => {
                    *known = None;
                    cells.report("connected_cache", "one distribution point with and without Connected Cache");
                }
            }
        }
        let point = |((site, host), connected_cache)| DistributionPoint { site, host, connected_cache };
        points.into_iter().map(point).collect()
    })
}

/// The asset intelligence synchronization points. The view keeps a row without a server where there is none.
pub(super) fn asset_intelligence(raw: Raw, findings: &mut Findings) -> Fact<Vec<AssetIntelligencePoint>> {
    known(raw, |rows, object| {
        let mut points = Vec::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            if matches!(row.get("server_name"), Value::Null) || *row.get("server_name") == Value::Text(String::new()) {
                continue;
            }
            let (Some(site), Some(host)) = (cells.site("site_code"), cells.host("server_name")) else { continue };
            let (enabled, periodic) = (cells.flag("enabled"), cells.flag("periodic"));
            points.push(AssetIntelligencePoint { site, host, enabled, periodic });
        }
        points.sort_by(|a, b| (&a.site, &a.host).cmp(&(&b.site, &b.host)));
        points
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    #[test]
    fn a_database_server_is_a_host_or_a_host_with_an_instance() {
        let rows = [
            "PS1|CM-PS1.corp.contoso.com|CM_PS1",
            "CAS|CM-SQL\\CMINST|CM_CAS",
            "PS2|NULL|CM_PS2",
            "PS3|a b\\x|CM_PS3",
            "PS1|other|CM_PS1",
        ];
        let columns = "site_code|sql_server_name|database_name";
        let (fact, findings) = with_findings(|f| site_databases(raw(columns, &rows), f));
        let [cas, ps1] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((cas.host.as_str(), cas.instance.as_deref()), ("cm-sql", Some("CMINST")));
        assert_eq!((ps1.host.as_str(), &ps1.instance), ("cm-ps1.corp.contoso.com", &None));
        let columns: Vec<_> = findings.iter().map(|f| f.column.as_str()).collect();
        assert_eq!(columns, ["sql_server_name", "sql_server_name", "site_code"]);
    }

    #[test]
    fn a_server_has_one_internet_name_whatever_its_roles() {
        let rows = [
            "PS1|sup|NULL|sup.contoso.com",
            "PS1|SUP|NULL|SUP.contoso.com",
            "PS1|sup|NULL|other.contoso.com",
            "PS1|mp|NULL|",
            "PS1|mp|NULL|two words",
        ];
        let columns = "site_code|server_name|nal_path|internet_name";
        let (fact, findings) = with_findings(|f| internet_names(raw(columns, &rows), f));
        let [name] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!(name.name.as_str(), "sup.contoso.com");
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn connected_cache_is_on_off_or_unsaid() {
        let rows = [
            "PS1|dp1|NULL|Windows NT Server|1",
            "PS1|dp2|NULL|Windows NT Server|0",
            "PS1|dp3|NULL|NULL|NULL",
            "PS1|dp4|NULL|NULL|7",
            "PS1|cdp.cloudapp.net|NULL|Windows Azure|0",
            "PS1|DP1|NULL|NULL|0",
            "NULL|dp5|NULL|NULL|0",
        ];
        let columns = "site_code|server_name|nal_path|resource_type|connected_cache";
        let (fact, findings) = with_findings(|f| distribution_points(raw(columns, &rows), f));
        let caches: Vec<_> = fact.rows().iter().map(|p| (p.host.as_str(), p.connected_cache)).collect();
        assert_eq!(caches, [("dp1", None), ("dp2", Some(false)), ("dp3", None), ("dp4", None)]);
        assert_eq!(findings.len(), 3);
    }

    #[test]
    fn asset_intelligence_without_a_server_is_none() {
        let rows = ["CAS|CM-CAS|1|1", "PS1||0|0", "PS2|NULL|0|0", "PS3|a b|0|0"];
        let columns = "site_code|server_name|enabled|periodic";
        let (fact, findings) = with_findings(|f| asset_intelligence(raw(columns, &rows), f));
        let [point] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((point.host.as_str(), point.enabled, point.periodic), ("cm-cas", Some(true), Some(true)));
        assert_eq!(findings.len(), 1);
    }
}
