//! Azure and Microsoft Entra.

use std::collections::{BTreeMap, HashMap};

use url::Url;

use super::super::fact::{Fact, UnknownWhy};
use super::super::facts::{AzureEnvironment, Cmg, Tenant};
use super::super::read::Raw;
use super::super::value::Value;
use super::cells::{Cells, Findings};
use super::known;
use crate::catalog::AZURE_COLUMNS;
use crate::host::HostName;

/// The service type of a cloud management gateway.
const CMG: &str = "CloudProxyService";
/// The other documented type; cloud distribution points are a fact of their own.
const CLOUD_DISTRIBUTION_POINT: &str = "CloudDistributionPoint";

/// The cloud management gateways. Where the object does not say what a row is, its rows could be anything.
pub(super) fn cmgs(raw: Raw, findings: &mut Findings) -> Fact<Vec<Cmg>> {
    if let Raw::Rows { rows, source, .. } = &raw
        && !rows.is_empty()
        && source.missing_columns.iter().any(|column| column.eq_ignore_ascii_case("ServiceType"))
    {
        let detail = format!("{} has no ServiceType, so its rows may be gateways or not", source.object);
        return Fact::Unknown { why: UnknownWhy::NotEvidenced, detail };
    }
    known(raw, |rows, object| {
        let mut gateways = Vec::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            match cells.raw_text("service_type") {
                Some(kind) if kind.eq_ignore_ascii_case(CMG) => {}
                Some(kind) if kind.eq_ignore_ascii_case(CLOUD_DISTRIBUTION_POINT) => continue,
                Some(_) => {
                    // It may be a gateway under a name or a number that we do not know.
                    cells.report("service_type", "no known service type; this may be a gateway");
                    continue;
                }
                None => {
                    if matches!(row.get("service_type"), Value::Null | Value::Text(_)) {
                        cells.report("service_type", "no service type where one is needed");
                    }
                    continue;
                }
            }
            gateways.push(Cmg {
                name: cells.name("name"),
                service_name: cells.host("service_name"),
                deployment_name: cells.host("deployment_name"),
                region: cells.name("region"),
                environment: cells.number("environment"),
                instances: cells.count("instances"),
                storage_name: cells.host("storage_name"),
                state: cells.number("state"),
            });
        }
        gateways
    })
}

/// The Entra tenants.
pub(super) fn tenants(raw: Raw, findings: &mut Findings) -> Fact<Vec<Tenant>> {
    known(raw, |rows, object| {
        let mut tenants: Vec<Tenant> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(id) = cells.guid("tenant_id") else {
                cells.needed("tenant_id", "no tenant id where one is needed");
                continue;
            };
            let (name, environment) = (cells.name("name"), cells.number("environment"));
            let tenant = Tenant { id, name, environment };
            match places.get(&tenant.id).and_then(|place| tenants.get_mut(*place)) {
                None => {
                    places.insert(tenant.id.clone(), tenants.len());
                    tenants.push(tenant);
                }
                Some(known) => {
                    if known.environment != tenant.environment {
                        known.environment = None;
                        cells.report("environment", "one tenant in two clouds");
                    }
                    match (&known.name, tenant.name) {
                        (None, name) => known.name = name,
                        (Some(first), Some(name)) if *first != name => {
                            cells.report("name", "two names of one tenant; the first is used");
                        }
                        (Some(_), _) => {}
                    }
                }
            }
        }
        tenants
    })
}

/// The Azure clouds. A column holds a URL or a host, or a suffix if its name says so.
pub(super) fn azure_environments(raw: Raw, findings: &mut Findings) -> Fact<Vec<AzureEnvironment>> {
    let columns = match &raw {
        Raw::Rows { columns, .. } => columns.clone(),
        Raw::Unknown { .. } => Vec::new(),
    };
    known(raw, |rows, object| {
        let mut environments: BTreeMap<i64, AzureEnvironment> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(id) = cells.number("id") else {
                if *row.get("id") == Value::Null {
                    cells.report("id", "no id where one is needed");
                }
                continue;
            };
            if environments.contains_key(&id) {
                cells.report("id", "two environments with one id; the first is used");
                continue;
            }
            let name = cells.name("environment_name");
            let (mut hosts, mut suffixes) = (BTreeMap::new(), BTreeMap::new());
            for (alias, column) in
                columns.iter().filter(|(alias, _)| !matches!(alias.as_str(), "id" | "environment_name"))
            {
                let Some(text) = cells.raw_text(alias) else { continue };
                let is_suffix = column.to_ascii_lowercase().ends_with("suffix");
                let found = if is_suffix { HostName::parse(text.trim_start_matches('.')).ok() } else { host_in(&text) };
                // A column that nobody has described may hold one word of something else.
                let is_described = AZURE_COLUMNS.contains(&column.as_str());
                let found = found.filter(|host| is_described || host.as_str().contains('.'));
                match found {
                    Some(host) if is_suffix => drop(suffixes.insert(column.clone(), host)),
                    Some(host) => drop(hosts.insert(column.clone(), host)),
                    None if is_suffix => cells.report(alias, "not a domain suffix"),
                    None => cells.report(alias, "neither a URL with a host name nor a host name"),
                }
            }
            environments.insert(id, AzureEnvironment { id, name, hosts, suffixes });
        }
        environments.into_values().collect()
    })
}

/// Whether Entra discovery is on: any row with full or delta synchronization. No row: it was never set up.
pub(super) fn entra_user_discovery(raw: Raw, findings: &mut Findings) -> Fact<bool> {
    let mut unsaid = false;
    let fact = known(raw, |rows, object| {
        let mut on = false;
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let (full, delta) = (cells.flag("full_sync"), cells.flag("delta_sync"));
            on |= full == Some(true) || delta == Some(true);
            unsaid |= full.is_none() || delta.is_none();
        }
        on
    });
    match fact {
        Fact::Known { value: false, source } if unsaid => Fact::Unknown {
            why: UnknownWhy::NotEvidenced,
            detail: format!("{} does not say whether a synchronization is on", source.object),
        },
        fact => fact,
    }
}

/// The host of a URL, or a text that is a host name.
pub(super) fn host_in(text: &str) -> Option<HostName> {
    if text.contains("://") {
        HostName::parse(Url::parse(text).ok()?.host_str()?).ok()
    } else {
        HostName::parse(text.trim_end_matches('/')).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    const SERVICE: &str =
        "service_id|name|service_type|service_name|deployment_name|region|environment|instances|state|storage_name";

    #[test]
    fn only_a_cloud_proxy_service_is_a_gateway() {
        let rows = [
            "1|GraniteFalls|CloudProxyService|cmg.contoso.com|GraniteFalls.WestUS.CloudApp.Azure.Com|WestUS|1|2|0|granitefalls",
            "2|Old|CloudDistributionPoint|dp.contoso.com|NULL|WestUS|1|1|0|dp",
            "3|Bare|cloudproxyservice|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "4|What|NULL|x|x|x|1|1|1|x",
            "5|Bad|CloudProxyService|<script>|a..b|x|1|-2|1|x y",
        ];
        let (fact, findings) = with_findings(|f| cmgs(raw(SERVICE, &rows), f));
        let [granite, bare, bad] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!(granite.deployment_name.as_ref().unwrap().as_str(), "granitefalls.westus.cloudapp.azure.com");
        assert_eq!((granite.environment, granite.instances, granite.state), (Some(1), Some(2), Some(0)));
        assert_eq!((&bare.service_name, &bare.deployment_name, bare.state), (&None, &None, None));
        assert_eq!(
            (&bad.service_name, &bad.deployment_name, &bad.storage_name, bad.instances),
            (&None, &None, &None, None)
        );
        let columns: Vec<_> = findings.iter().map(|f| f.column.as_str()).collect();
        assert_eq!(columns, ["service_type", "service_name", "deployment_name", "instances", "storage_name"]);
    }

    #[test]
    fn a_service_of_an_unknown_type_is_reported() {
        let rows = ["1|a|2|a.contoso.com", "2|b|CloudProxyService2|b.contoso.com", "3|c|clouddistributionpoint|c"];
        let (fact, findings) = with_findings(|f| cmgs(raw("service_id|name|service_type|service_name", &rows), f));
        assert_eq!(fact.known(), Some(&Vec::new()));
        let found: Vec<_> = findings.iter().map(|f| (f.column.as_str(), f.value.as_str())).collect();
        assert_eq!(found, [("service_type", "2"), ("service_type", "CloudProxyService2")]);
    }

    #[test]
    fn without_a_service_type_nobody_knows_what_a_row_is() {
        let unsaid = |rows: &[&str]| {
            let Raw::Rows { rows, mut source, columns } = raw(SERVICE, rows) else { unreachable!() };
            source.missing_columns.push("ServiceType".to_owned());
            with_findings(|f| cmgs(Raw::Rows { rows, source, columns }, f)).0
        };
        assert!(unsaid(&["1|x|NULL|a|b|c|1|1|1|d"]).is_unknown());
        assert_eq!(unsaid(&[]).known(), Some(&Vec::new()));
    }

    #[test]
    fn a_tenant_has_a_guid_and_one_cloud() {
        let rows = [
            "11111111-2222-4333-8444-55555555555A|contoso.onmicrosoft.com|1",
            "11111111-2222-4333-8444-55555555555a|contoso.onmicrosoft.com|2",
            "not-a-guid|x|1",
            "NULL|x|1",
        ];
        let (fact, findings) = with_findings(|f| tenants(raw("tenant_id|name|environment", &rows), f));
        let [tenant] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((tenant.id.as_str(), tenant.environment), ("11111111-2222-4333-8444-55555555555a", None));
        assert_eq!(findings.len(), 3);
    }

    #[test]
    fn two_names_of_one_tenant_are_a_finding() {
        let tenant = "11111111-2222-4333-8444-55555555555a";
        let rows = ["NULL", "contoso.onmicrosoft.com", "contoso.onmicrosoft.com", "other.onmicrosoft.com"];
        let rows = rows.map(|name| format!("{tenant}|{name}|1"));
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let (fact, findings) = with_findings(|f| tenants(raw("tenant_id|name|environment", &rows), f));
        let [tenant] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!(tenant.name.as_deref(), Some("contoso.onmicrosoft.com"));
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        let place = (finding.object.as_str(), finding.column.as_str(), finding.value.as_str());
        assert_eq!(place, ("dbo.vTest", "name", "other.onmicrosoft.com"));
        assert!(finding.row.contains("tenant_id=11111111-2222"), "{finding:?}");
    }

    #[test]
    fn azure_columns_are_hosts_urls_or_suffixes() {
        let columns =
            "id|environment_name|ResourceManagerEndpoint|KeyVaultEndpoint|StorageEndpointSuffix|GraphEndpoint";
        let rows = [
            "1|AzurePublicCloud|https://management.azure.com/|vault.azure.net|.core.windows.net|NULL",
            "2|Bad|javascript:alert(1)|https://10.0.0.1/|a b|two words",
            "NULL|x|NULL|NULL|NULL|NULL",
            "1|Again|NULL|NULL|NULL|NULL",
        ];
        let (fact, findings) = with_findings(|f| azure_environments(raw(columns, &rows), f));
        let [public, bad] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!(public.hosts["ResourceManagerEndpoint"].as_str(), "management.azure.com");
        assert_eq!(public.hosts["KeyVaultEndpoint"].as_str(), "vault.azure.net");
        assert_eq!(public.suffixes["StorageEndpointSuffix"].as_str(), "core.windows.net");
        assert_eq!(public.hosts.len(), 2);
        assert_eq!((bad.hosts.len(), bad.suffixes.len()), (0, 0));
        assert_eq!(findings.len(), 6, "{findings:?}");
    }

    #[test]
    fn entra_discovery_is_on_off_or_unsaid() {
        let on = |rows: &[&str]| with_findings(|f| entra_user_discovery(raw("full_sync|delta_sync", rows), f)).0;
        assert_eq!(on(&[]).known(), Some(&false));
        assert_eq!(on(&["0|0"]).known(), Some(&false));
        assert_eq!(on(&["0|0", "0|1"]).known(), Some(&true));
        assert_eq!(on(&["1|NULL"]).known(), Some(&true));
        assert!(on(&["0|NULL"]).is_unknown() && on(&["0|9"]).is_unknown());
    }
}
