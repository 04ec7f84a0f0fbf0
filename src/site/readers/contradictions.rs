//! Facts that cannot all be true. Nothing is changed: each contradiction is a finding, so that someone looks.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fact::Fact;
use super::super::facts::{Facts, Site};
use super::super::names::SiteCode;
use super::cells::Findings;
use crate::host::HostName;

/// Looks at the facts together.
pub(super) fn find(facts: &Facts, findings: &mut Findings) {
    sites(facts, findings);
    places(facts, findings);
    service_connection_points(facts, findings);
    environments(facts, findings);
    gateways(facts, findings);
}

/// Parents exist, and lead to a site without one.
fn sites(facts: &Facts, findings: &mut Findings) {
    let Some((sites, object)) = seen(&facts.sites) else { return };
    let by_code: BTreeMap<&SiteCode, &Site> = sites.iter().map(|site| (&site.code, site)).collect();
    let of = |code: &SiteCode| by_code.get(code).copied();
    for site in sites {
        let Some(parent) = &site.parent else { continue };
        let row = format!("site_code={}", site.code);
        if of(parent).is_none() {
            findings.add(object, "parent_site_code", &row, "no site has this code", parent.as_str());
        } else if is_in_circle(site, of) {
            findings.add(object, "parent_site_code", &row, "the parents go in a circle", parent.as_str());
        }
    }
    if let Fact::Known { value: this, source } = &facts.this_site
        && of(this).is_none()
        && !sites.is_empty()
    {
        let problem = format!("{object} has no such site");
        findings.add(&source.object, "site_code", &format!("site_code={this}"), &problem, this.as_str());
    }
}

/// Whether a site is its own parent, over others or at once.
fn is_in_circle<'a>(site: &'a Site, of: impl Fn(&SiteCode) -> Option<&'a Site>) -> bool {
    let mut passed = BTreeSet::new();
    let mut next = site.parent.as_ref();
    while let Some(parent) = next {
        if *parent == site.code {
            return true;
        }
        if !passed.insert(parent) {
            return false;
        }
        next = of(parent).and_then(|parent| parent.parent.as_ref());
    }
    false
}

/// Servers belong to sites that are there.
fn places(facts: &Facts, findings: &mut Findings) {
    let (Some((sites, list)), Some((systems, object))) = (seen(&facts.sites), seen(&facts.site_systems)) else {
        return;
    };
    let codes: BTreeSet<&SiteCode> = sites.iter().map(|site| &site.code).collect();
    for system in systems.iter().filter(|system| !codes.contains(&system.site)) {
        let problem = format!("{list} has no such site");
        findings.add(object, "site_code", &format!("server_name={}", system.host), &problem, system.site.as_str());
    }
}

/// A hierarchy has one service connection point, at its top-level site.
fn service_connection_points(facts: &Facts, findings: &mut Findings) {
    let Some((points, object)) = seen(&facts.service_connection_points) else { return };
    for point in points.iter().skip(1) {
        let row = format!("site_code={}", point.site);
        findings.add(object, "server_name", &row, "a second service connection point", point.host.as_str());
    }
    let Some((sites, _)) = seen(&facts.sites) else { return };
    let parents: BTreeMap<&SiteCode, Option<&SiteCode>> =
        sites.iter().map(|site| (&site.code, site.parent.as_ref())).collect();
    for point in points {
        if let Some(Some(parent)) = parents.get(&point.site) {
            let problem = format!("a service connection point below site {parent}; it belongs to the top-level site");
            findings.add(object, "site_code", &format!("server_name={}", point.host), &problem, point.site.as_str());
        }
    }
}

/// Gateways and tenants are in clouds that are listed.
fn environments(facts: &Facts, findings: &mut Findings) {
    let Some((environments, list)) = seen(&facts.azure_environments) else { return };
    if environments.is_empty() {
        return;
    }
    let ids: BTreeSet<i64> = environments.iter().map(|environment| environment.id).collect();
    let mut check = |object: &str, row: String, environment: Option<i64>| {
        if let Some(id) = environment.filter(|id| !ids.contains(id)) {
            findings.add(object, "environment", &row, &format!("{list} has no such environment"), &id.to_string());
        }
    };
    if let Some((gateways, object)) = seen(&facts.cmgs) {
        for cmg in gateways {
            check(object, format!("name={}", cmg.name.as_deref().unwrap_or_default()), cmg.environment);
        }
    }
    if let Some((tenants, object)) = seen(&facts.tenants) {
        for tenant in tenants {
            check(object, format!("tenant_id={}", tenant.id), tenant.environment);
        }
    }
}

/// The addresses that clients are given are those of gateways. If one is not, the list of gateways is not whole.
fn gateways(facts: &Facts, findings: &mut Findings) {
    let (Some((addresses, object)), Some((gateways, list))) = (seen(&facts.cmg_addresses), seen(&facts.cmgs)) else {
        return;
    };
    let known: BTreeSet<&HostName> =
        gateways.iter().flat_map(|cmg| [&cmg.service_name, &cmg.deployment_name]).flatten().collect();
    for address in addresses.iter().filter(|address| !known.contains(address)) {
        let problem = format!("clients are given this address, and no gateway in {list} has it");
        findings.add(object, "path", &format!("path={address}"), &problem, address.as_str());
    }
}

/// A list that was read, with the object that it is from.
fn seen<T>(fact: &Fact<Vec<T>>) -> Option<(&[T], &str)> {
    match fact {
        Fact::Known { value, source } => Some((value, &source.object)),
        Fact::Unknown { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::any::connection;
    use super::super::test_rows::raw;
    use super::super::{Answers, facts};

    /// The findings on these answers, as `column value`.
    fn found(answers: &[(&str, &str, &[&str])]) -> Vec<String> {
        let answers: Answers =
            answers.iter().map(|(fact, columns, rows)| ((*fact).to_owned(), raw(columns, rows))).collect();
        let findings = facts(connection(), answers).data_findings;
        findings.iter().map(|f| format!("{} {}", f.column, f.value)).collect()
    }

    const SITE: &str = "site_code|parent_site_code|server_name";

    #[test]
    fn parents_exist_and_lead_to_the_top() {
        let sites = |rows: &[&str]| found(&[("sites", SITE, rows)]);
        assert_eq!(sites(&["CAS||a", "PS1|CAS|b", "SS1|PS1|c"]), [] as [&str; 0]);
        assert_eq!(sites(&["PS1|CAS|b"]), ["parent_site_code CAS"]);
        assert_eq!(sites(&["PS1|PS1|b"]), ["parent_site_code PS1"]);
        assert_eq!(sites(&["PS1|PS2|a", "PS2|PS1|b", "PS3|PS1|c"]), ["parent_site_code PS2", "parent_site_code PS1"]);
    }

    #[test]
    fn this_site_and_those_of_the_servers_are_in_the_list() {
        let list = ("sites", SITE, &["CAS||a"][..]);
        assert_eq!(found(&[list, ("this_site", "site_code", &["PS9"])]), ["site_code PS9"]);
        let systems = ["CAS|SMS Site Server|a", "PS9|SMS Site Server|b"];
        assert_eq!(found(&[list, ("site_systems", "site_code|role_name|server_name", &systems)]), ["site_code PS9"]);
    }

    #[test]
    fn there_is_one_service_connection_point_and_it_is_at_the_top() {
        let list = ("sites", SITE, &["CAS||a", "PS1|CAS|b"][..]);
        let points = |rows: &'static [&'static str]| {
            found(&[list, ("service_connection_points", "site_code|server_name|property_name|number", rows)])
        };
        assert_eq!(points(&["CAS|a|OfflineMode|0"]), [] as [&str; 0]);
        assert_eq!(points(&["PS1|b|OfflineMode|0"]), ["site_code PS1"]);
        assert_eq!(points(&["CAS|a|OfflineMode|0", "CAS|b|OfflineMode|0"]), ["server_name b"]);
    }

    #[test]
    fn gateways_and_tenants_are_in_clouds_that_are_listed() {
        let list = ("azure_environments", "id|environment_name", &["1|AzurePublicCloud"][..]);
        let gateway = ("cmgs", "name|service_type|environment", &["GraniteFalls|CloudProxyService|3"][..]);
        let tenant = ("tenants", "tenant_id|environment", &["11111111-2222-4333-8444-555555555555|1"][..]);
        assert_eq!(found(&[list, gateway, tenant]), ["environment 3"]);
        assert_eq!(found(&[gateway, tenant]), [] as [&str; 0]);
    }

    #[test]
    fn an_address_without_a_gateway_says_that_the_list_is_not_whole() {
        let gateways = ("cmgs", "name|service_type|service_name", &["x|CloudProxyService|cmg.contoso.com"][..]);
        let paths =
            ["https://CMG.contoso.com/CCM_Proxy_MutualAuth/1", "https://old.contoso.com/CCM_Proxy_MutualAuth/1"];
        let addresses = ("cmg_addresses", "path", &paths[..]);
        assert_eq!(found(&[gateways, addresses]), ["path old.contoso.com"]);
        assert_eq!(found(&[addresses]), [] as [&str; 0]);
    }
}
