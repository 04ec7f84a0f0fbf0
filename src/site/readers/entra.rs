//! What else is in Azure and Microsoft Entra: addresses of gateways, cloud distribution points, applications, services.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fact::Fact;
use super::super::facts::{AzureService, CloudDistributionPoint, EntraApp};
use super::super::read::Raw;
use super::cells::{Cells, Findings};
use super::cloud::host_in;
use super::known;
use crate::host::HostName;

/// The hosts in `https://HOST/CCM_Proxy_MutualAuth/NUMBER`; the same gateway stands there once for each role behind it.
pub(super) fn cmg_addresses(raw: Raw, findings: &mut Findings) -> Fact<Vec<HostName>> {
    known(raw, |rows, object| {
        let mut hosts = BTreeSet::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(path) = cells.raw_text("path") else { continue };
            match host_in(&path) {
                Some(host) => drop(hosts.insert(host)),
                None => cells.report("path", "no URL with a host name"),
            }
        }
        hosts.into_iter().collect()
    })
}

/// The cloud distribution points. One whose name is no host name is still there.
pub(super) fn cloud_distribution_points(raw: Raw, findings: &mut Findings) -> Fact<Vec<CloudDistributionPoint>> {
    known(raw, |rows, object| {
        let mut points = BTreeSet::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(site) = cells.site("site_code") else { continue };
            points.insert((site, cells.server()));
        }
        points.into_iter().map(|(site, host)| CloudDistributionPoint { site, host }).collect()
    })
}

/// The applications, by their ids.
pub(super) fn entra_apps(raw: Raw, findings: &mut Findings) -> Fact<Vec<EntraApp>> {
    known(raw, |rows, object| {
        let mut apps: BTreeMap<String, EntraApp> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(client_id) = cells.guid("client_id") else {
                cells.needed("client_id", "no client id where one is needed");
                continue;
            };
            let (name, secret_expires) = (cells.name("name"), cells.date("secret_expires"));
            let app = EntraApp { client_id: client_id.clone(), name, secret_expires };
            match apps.get_mut(&client_id) {
                None => drop(apps.insert(client_id, app)),
                Some(known) => {
                    match (&known.name, app.name) {
                        (None, name) => known.name = name,
                        (Some(first), Some(name)) if *first != name => {
                            cells.report("name", "two names of one application; the first is used");
                        }
                        (Some(_), _) => {}
                    }
                    if let (Some(one), Some(other)) = (known.secret_expires, app.secret_expires)
                        && one != other
                    {
                        cells
                            .report("secret_expires", "two ends of the secret of one application; the earlier is used");
                    }
                    // What ends first is what has to be looked after.
                    known.secret_expires = known.secret_expires.into_iter().chain(app.secret_expires).min();
                }
            }
        }
        apps.into_values().collect()
    })
}

/// The Azure services of the console.
pub(super) fn azure_services(raw: Raw, findings: &mut Findings) -> Fact<Vec<AzureService>> {
    known(raw, |rows, object| {
        let service = |row| {
            let mut cells = Cells { object, row, findings };
            AzureService { name: cells.name("name"), service_type: cells.number("service_type") }
        };
        let mut services: Vec<AzureService> = rows.iter().map(service).collect();
        services.sort_by(|a, b| (&a.name, a.service_type).cmp(&(&b.name, b.service_type)));
        services
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    #[test]
    fn clients_are_given_one_address_for_each_gateway() {
        let rows = [
            "https://GraniteFalls.WestUS.CloudApp.Azure.Com/CCM_Proxy_MutualAuth/72057594037928011",
            "https://granitefalls.westus.cloudapp.azure.com/CCM_Proxy_MutualAuth/9",
            "https://cmg.contoso.com/CCM_Proxy_MutualAuth/7",
            "NULL",
            "",
            "https:///nothing here",
            "<img src=x>",
        ];
        let (fact, findings) = with_findings(|f| cmg_addresses(raw("path", &rows), f));
        let hosts: Vec<&str> = fact.rows().iter().map(HostName::as_str).collect();
        assert_eq!(hosts, ["cmg.contoso.com", "granitefalls.westus.cloudapp.azure.com"]);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn a_cloud_distribution_point_has_a_site_and_perhaps_a_name() {
        let path = r#"["Display=cdp.contoso.com"]MSAZURE:["SMS_SITE=PS1"]\\CDP.CONTOSO.COM\"#;
        let rows =
            ["PS1|CDP.contoso.com|NULL", "PS1|cdp.contoso.com|NULL", &format!("PS2|NULL|{path}"), "PS3|a b|NULL"];
        let (fact, findings) =
            with_findings(|f| cloud_distribution_points(raw("site_code|server_name|nal_path", &rows), f));
        let points: Vec<_> =
            fact.rows().iter().map(|p| (p.site.as_str(), p.host.as_ref().map(HostName::as_str))).collect();
        assert_eq!(points, [("PS1", Some("cdp.contoso.com")), ("PS2", Some("cdp.contoso.com")), ("PS3", None)]);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn an_application_has_an_id_and_the_end_of_its_secret() {
        let rows = [
            "AAAAAAAA-0000-4000-8000-000000000001|ConfigMgr Server App|2026-01-10T09:00:00",
            "aaaaaaaa-0000-4000-8000-000000000001|ConfigMgr Server App|2025-01-10T09:00:00",
            "{aaaaaaaa-0000-4000-8000-000000000002}|Client App|NULL",
            "not-a-guid|x|NULL",
            "NULL|x|NULL",
            "aaaaaaaa-0000-4000-8000-000000000003|x|soon",
        ];
        let (fact, findings) = with_findings(|f| entra_apps(raw("client_id|name|secret_expires", &rows), f));
        let [server, client, odd] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!(server.secret_expires.unwrap().to_string(), "2025-01-10T09:00:00");
        assert_eq!((client.name.as_deref(), client.secret_expires), (Some("Client App"), None));
        assert_eq!(odd.secret_expires, None);
        assert_eq!(findings.len(), 4, "{findings:?}");
        let ends = findings.iter().find(|finding| finding.problem.contains("two ends")).unwrap();
        assert_eq!((ends.object.as_str(), ends.column.as_str()), ("dbo.vTest", "secret_expires"));
        assert_eq!(ends.value, "2025-01-10T09:00:00");
        assert!(ends.row.starts_with("client_id=aaaaaaaa-0000-4000-8000-000000000001"), "{ends:?}");
    }

    #[test]
    fn two_names_of_one_application_are_a_finding() {
        let id = "aaaaaaaa-0000-4000-8000-000000000001";
        let rows = [format!("{id}|Server App|NULL"), format!("{id}|Other App|2026-01-10T09:00:00")];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let (fact, findings) = with_findings(|f| entra_apps(raw("client_id|name|secret_expires", &rows), f));
        let [app] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((app.name.as_deref(), app.secret_expires.is_some()), (Some("Server App"), true));
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.column.as_str(), finding.value.as_str()), ("name", "Other App"));
    }

    #[test]
    fn services_keep_their_number() {
        let rows = ["1|Contoso cloud management|1", "2|NULL|x"];
        let (fact, findings) = with_findings(|f| azure_services(raw("id|name|service_type", &rows), f));
        assert_eq!(fact.rows().len(), 2);
        assert_eq!(fact.rows()[1].service_type, Some(1));
        assert_eq!(findings.len(), 1);
    }
}
