//! Software update points, and where they synchronize from.

use super::super::fact::Fact;
use super::super::facts::{SoftwareUpdatePoint, SyncFrom, SyncSource};
use super::super::read::Raw;
use super::cells::Findings;
use super::known;
use super::properties::{Origin, Properties, gather};
use super::systems::{owner, place};

/// The software update points.
pub(super) fn software_update_points(raw: Raw, findings: &mut Findings) -> Fact<Vec<SoftwareUpdatePoint>> {
    known(raw, |rows, object| {
        let servers = gather(rows, object, findings, place);
        let mut points = Vec::new();
        for ((site, host), properties) in servers {
            let origin = &mut Origin { object, owner: owner(&site, &host), findings };
            points.push(SoftwareUpdatePoint {
                site,
                host,
                use_proxy: properties.flag("UseProxy", origin),
                use_proxy_for_adr: properties.flag("UseProxyForADR", origin),
                tls: properties.flag("SSLWSUS", origin),
                http_port: properties.port("WSUSIISPort", origin),
                https_port: properties.port("WSUSIISSSLPort", origin),
                internet_clients: properties.flag("IsINF", origin),
                intranet_clients: properties.flag("IsIntranet", origin),
                cmg_traffic: properties.flag("AllowProxyTraffic", origin),
            });
        }
        points
    })
}

/// The sync source of each site. The upstream's port is looked at only where there is an upstream: elsewhere it is 0.
pub(super) fn sync_sources(raw: Raw, findings: &mut Findings) -> Fact<Vec<SyncSource>> {
    known(raw, |rows, object| {
        let sites = gather(rows, object, findings, |cells| cells.site("site_code"));
        let mut sources = Vec::new();
        for (site, properties) in sites {
            let origin = &mut Origin { object, owner: format!("site_code={site}"), findings };
            let source = source(&properties, origin);
            let upstream = properties.host("ParentWSUS", origin);
            let has_upstream = upstream.is_some() || source == Some(SyncFrom::Upstream);
            sources.push(SyncSource {
                site,
                source,
                default_sup: properties.host("DefaultWSUS", origin),
                upstream,
                upstream_port: has_upstream.then(|| properties.port("ParentWSUSPort", origin)).flatten(),
                upstream_tls: has_upstream.then(|| properties.flag("SSLToParentWSUS", origin)).flatten(),
            });
        }
        sources
    })
}

fn source(properties: &Properties, origin: &mut Origin<'_>) -> Option<SyncFrom> {
    match properties.get("DefaultUseParentWSUS")?.number {
        Some(0) => Some(SyncFrom::MicrosoftUpdate),
        Some(1) => Some(SyncFrom::Upstream),
        Some(2) => Some(SyncFrom::Nothing),
        number => {
            origin.report("DefaultUseParentWSUS", "no known source (0, 1 or 2)", number);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    #[test]
    fn a_software_update_point_has_what_its_properties_say() {
        let columns = "site_code|server_name|nal_path|property_name|number";
        let rows = [
            "PS1|sup|NULL|SSLWSUS|1",
            "PS1|sup|NULL|WSUSIISPort|8530",
            "PS1|sup|NULL|WSUSIISSSLPort|99999",
            "PS1|sup|NULL|IsINF|1",
            "PS1|sup|NULL|UseProxy|5",
            "PS2|bare|NULL|NULL|NULL",
        ];
        let (fact, findings) = with_findings(|f| software_update_points(raw(columns, &rows), f));
        let [sup, bare] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((sup.tls, sup.http_port, sup.https_port), (Some(true), Some(8530), None));
        assert_eq!((sup.internet_clients, sup.use_proxy, sup.cmg_traffic), (Some(true), None, None));
        assert_eq!((bare.tls, bare.http_port), (None, None));
        assert_eq!(findings.iter().map(|f| f.column.as_str()).collect::<Vec<_>>(), ["UseProxy", "WSUSIISSSLPort"]);
        assert_eq!(findings[0].row, "site_code=PS1, server_name=sup");
    }

    #[test]
    fn the_number_of_a_sync_source_has_three_meanings() {
        let columns = "site_code|property_name|text1|text2|number";
        let rows = [
            "CAS|DefaultUseParentWSUS|NULL|NULL|0",
            "CAS|ParentWSUS|NULL||NULL",
            "CAS|ParentWSUSPort|NULL|NULL|0",
            "PS1|DefaultUseParentWSUS|NULL|NULL|1",
            "PS1|DefaultWSUS|NULL|sup.contoso.com|NULL",
            "PS1|ParentWSUS|NULL|cm-cas.contoso.com|NULL",
            "PS1|ParentWSUSPort|NULL|NULL|8531",
            "PS1|SSLToParentWSUS|NULL|NULL|1",
            "PS2|DefaultUseParentWSUS|NULL|NULL|2",
            "PS3|DefaultUseParentWSUS|NULL|NULL|3",
            "PS3|ParentWSUS|NULL|<b>|NULL",
        ];
        let (fact, findings) = with_findings(|f| sync_sources(raw(columns, &rows), f));
        let [cas, ps1, ps2, ps3] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((cas.source, &cas.upstream, cas.upstream_port), (Some(SyncFrom::MicrosoftUpdate), &None, None));
        assert_eq!(
            (ps1.source, ps1.upstream_port, ps1.upstream_tls),
            (Some(SyncFrom::Upstream), Some(8531), Some(true))
        );
        assert_eq!(ps1.default_sup.as_ref().unwrap().as_str(), "sup.contoso.com");
        assert_eq!(ps1.upstream.as_ref().unwrap().as_str(), "cm-cas.contoso.com");
        assert_eq!((ps2.source, ps3.source, &ps3.upstream), (Some(SyncFrom::Nothing), None, &None));
        let columns: Vec<_> = findings.iter().map(|f| f.column.as_str()).collect();
        assert_eq!(columns, ["DefaultUseParentWSUS", "ParentWSUS"]);
    }
}
