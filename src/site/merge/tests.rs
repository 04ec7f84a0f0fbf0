use proptest::prelude::*;

use super::*;
use crate::site::names::Role;
use crate::site::readers::any::{any_facts, connection};
use crate::site::{
    Cmg, Console, InstalledRole, InternetName, PropertyValue, ServiceConnectionPoint, Site, SiteCode, SiteKind,
    SiteSystem, SyncFrom, SyncSource, UpdatePackage, UpdatePackageState,
};

fn known<T>(value: T) -> Fact<T> {
    Fact::Known { value, source: Source::of("dbo.vTest") }
}

fn site(code: &str) -> SiteCode {
    SiteCode::parse(code).unwrap()
}

fn at(server: &str) -> Connection {
    Connection { server: server.to_owned(), ..connection() }
}

/// Facts from the database of a site: CAS at the top, PS1 below it.
fn of(code: &str) -> Facts {
    let row = |code: &str, parent: Option<&str>| Site {
        code: site(code),
        name: None,
        kind: None,
        parent: parent.map(site),
        build: None,
        version: None,
        server: None,
    };
    let connection = Connection { database: format!("CM_{code}"), ..at(&format!("{}-sql", code.to_lowercase())) };
    Facts {
        this_site: known(site(code)),
        sites: known(vec![row("CAS", None), row("PS1", Some("CAS"))]),
        ..Facts::unknown(connection, UnknownWhy::NotVisible, "not visible")
    }
}

fn merged(sources: &[&Facts]) -> Facts {
    merge(sources.iter().map(|facts| (*facts).clone()).collect()).unwrap().unwrap()
}

fn point(online: Option<bool>) -> ServiceConnectionPoint {
    ServiceConnectionPoint { site: site("CAS"), host: "cm-cas".parse().unwrap(), online }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_sources_does_not_matter(a in any_facts(), b in any_facts(), c in any_facts()) {
        let named = |facts: Facts, server: &str| Facts { connection: at(server), ..facts };
        let (a, b, c) = (named(a, "a"), named(b, "b"), named(c, "c"));
        let first = merged(&[&a, &b, &c]);
        prop_assert_eq!(&merged(&[&c, &a, &b]), &first);
        prop_assert_eq!(&merged(&[&b, &c, &a, &b]), &first);
        // What any of them knows, all of them know, unless two of them say different things.
        for list in [|facts: &Facts| facts.sites.is_unknown(), |facts: &Facts| facts.site_systems.is_unknown()] {
            prop_assert_eq!(list(&first), [&a, &b, &c].into_iter().all(list));
        }
        prop_assert_eq!(first.other_connections.len(), 2);
        let json = serde_json::to_string(&first).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Facts>(&json).unwrap(), &first);
    }

    #[test]
    fn one_source_stays_as_it_is(a in any_facts()) {
        prop_assert_eq!(&merged(&[&a]), &a);
        prop_assert_eq!(&merged(&[&a, &a]), &a);
    }
}

#[test]
fn no_source_gives_no_facts() {
    assert_eq!(merge(Vec::new()).unwrap(), None);
}

#[test]
fn what_one_does_not_know_another_tells_with_its_source() {
    let (cas, mut ps1) = (of("CAS"), of("PS1"));
    ps1.service_connection_points = known(vec![point(Some(true))]);
    let facts = merged(&[&cas, &ps1]);
    let Fact::Known { value, source } = &facts.service_connection_points else { panic!() };
    assert_eq!(
        (value.as_slice(), source.databases.as_slice()),
        (&[point(Some(true))][..], &["CM_PS1 on ps1-sql".to_owned()][..])
    );
    // Where all say the same, no database is named; and the first one is that of the top-level site.
    assert!(matches!(&facts.sites, Fact::Known { source, .. } if source.databases.is_empty()));
    assert_eq!(facts.this_site.known().unwrap().as_str(), "CAS");
    assert_eq!(
        (facts.connection.database.as_str(), facts.other_connections[0].database.as_str()),
        ("CM_CAS", "CM_PS1")
    );
    // The top could not say it, and a site below may not have all of it: no list of that kind counts as whole.
    let [finding] = facts.data_findings.as_slice() else { panic!("{:?}", facts.data_findings) };
    assert_eq!(finding.column, "service_connection_points");
    assert!(
        finding
            .problem
            .starts_with("known from CM_PS1 on ps1-sql alone, which may not have all of it; CM_CAS on cas-sql"),
        "{finding:?}"
    );
    assert_eq!(facts.tenants, cas.tenants, "unknown for one reason");
    // A field that one row lacks is taken from the other.
    let mut whole = cas.clone();
    whole.service_connection_points = known(vec![point(None)]);
    assert_eq!(merged(&[&whole, &ps1]).service_connection_points.rows(), [point(Some(true))]);
    // But no database below the top switches off what the top could not say.
    ps1.service_connection_points = known(vec![point(Some(false))]);
    let facts = merged(&[&whole, &ps1]);
    assert_eq!(facts.service_connection_points.rows(), [point(None)]);
    assert!(facts.data_findings.iter().any(|finding| finding.column == "online"), "{:?}", facts.data_findings);
}

#[test]
fn what_the_top_could_not_say_is_not_settled_below_where_it_may_rule_endpoints_out() {
    let mut sides = [of("CAS"), of("PS1")];
    for (facts, below) in sides.iter_mut().zip([false, true]) {
        let Fact::Known { value: sites, .. } = &mut facts.sites else { panic!() };
        sites[1].kind = below.then_some(SiteKind::Secondary);
        sites[1].name = below.then(|| "Lyon".to_owned());
        facts.sync_sources = known(vec![SyncSource {
            site: site("CAS"),
            source: below.then_some(SyncFrom::Nothing),
            default_sup: None,
            upstream: below.then(|| "wsus.contoso.com".parse().unwrap()),
            upstream_port: None,
            upstream_tls: None,
        }]);
        facts.update_packages = known(vec![UpdatePackage {
            name: Some("2503".to_owned()),
            version: Some("5.00.9135".to_owned()),
            state: below.then_some(UpdatePackageState::Installed),
            released: None,
        }]);
    }
    let facts = merged(&[&sides[0], &sides[1]]);
    let site = &facts.sites.rows()[1];
    assert_eq!((site.kind, site.name.as_deref()), (None, Some("Lyon")), "a name rules nothing out");
    let source = &facts.sync_sources.rows()[0];
    assert_eq!((source.source, source.upstream.is_some()), (None, true));
    assert_eq!(facts.update_packages.rows()[0].state, None);
    for column in ["kind", "source", "state"] {
        let found = facts.data_findings.iter().find(|finding| finding.column == column);
        assert!(found.is_some_and(|finding| finding.problem.contains("CM_CAS on cas-sql says nothing")), "{found:?}");
    }
}

#[test]
fn a_column_that_one_database_does_not_show_is_not_empty() {
    let (mut cas, mut ps1) = (of("CAS"), of("PS1"));
    (cas.entra_apps, ps1.entra_apps) = (known(Vec::new()), known(Vec::new()));
    if let Fact::Known { source, .. } = &mut cas.entra_apps {
        source.missing_columns = vec!["SecretKeyExpiry".to_owned()];
    }
    let Fact::Known { source, .. } = merged(&[&cas, &ps1]).entra_apps else { panic!() };
    assert_eq!(source.missing_columns, ["SecretKeyExpiry"]);
}

#[test]
fn what_only_a_site_below_knows_may_not_be_all() {
    let (cas, mut ps1) = (of("CAS"), of("PS1"));
    ps1.cmgs = known(Vec::new());
    assert!(merged(&[&cas, &ps1]).cmgs.may_lack().is_some_and(|why| why.contains("CM_CAS on cas-sql could not say")));
    // One database that has all of it is enough, and one that may not have it is none.
    let whole = Facts { cmgs: known(Vec::new()), ..cas };
    let mut partial = ps1.clone();
    if let Fact::Known { source, .. } = &mut partial.cmgs {
        source.may_lack = Some("read from below".to_owned());
    }
    assert_eq!(merged(&[&whole, &partial]).cmgs.may_lack(), None);
    let other = Facts { connection: at("other"), ..partial.clone() };
    assert_eq!(merged(&[&other, &partial]).cmgs.may_lack(), Some("read from below"));
}

#[test]
fn a_list_that_is_empty_at_the_top_and_not_below_is_a_finding() {
    let (mut cas, mut ps1) = (of("CAS"), of("PS1"));
    cas.service_connection_points = known(Vec::new());
    ps1.service_connection_points = known(vec![point(Some(true))]);
    cas.consoles = known(Vec::new());
    ps1.consoles = known(vec![Console { host: "lt-1".parse().unwrap(), version: None, last_seen: None }]);
    let facts = merged(&[&ps1, &cas]);
    assert_eq!(facts.service_connection_points.rows(), [point(Some(true))]);
    let [finding] = facts.data_findings.as_slice() else { panic!("{:?}", facts.data_findings) };
    assert_eq!((finding.object.as_str(), finding.column.as_str()), ("dbo.vTest", "service_connection_points"));
    assert_eq!(
        finding.problem,
        "the site databases do not agree: CM_CAS on cas-sql has none, CM_PS1 on ps1-sql has 1; what is there is used"
    );
    // The other way round nothing is wrong: a site below may not have all of it.
    (cas.service_connection_points, ps1.service_connection_points) =
        (ps1.service_connection_points, cas.service_connection_points);
    assert_eq!(merged(&[&ps1, &cas]).data_findings, []);
}

#[test]
fn unknown_in_all_gives_the_reason_of_each() {
    let (cas, mut ps1) = (of("CAS"), of("PS1"));
    ps1.tenants = Fact::Unknown { why: UnknownWhy::Cut, detail: "cut".to_owned() };
    let facts = merged(&[&ps1, &cas]);
    let Fact::Unknown { why, detail } = &facts.tenants else { panic!() };
    assert_eq!(*why, UnknownWhy::NotVisible);
    assert_eq!(detail, "CM_CAS on cas-sql: not visible; CM_PS1 on ps1-sql: cut");
}

#[test]
fn what_differs_is_a_finding_that_names_both_and_is_not_used() {
    let (mut cas, mut ps1) = (of("CAS"), of("PS1"));
    cas.service_connection_points = known(vec![point(Some(false))]);
    ps1.service_connection_points = known(vec![point(Some(true))]);
    cas.entra_user_discovery = known(false);
    ps1.entra_user_discovery = known(true);
    let facts = merged(&[&ps1, &cas]);
    assert_eq!(facts.service_connection_points.rows(), [point(None)]);
    assert!(facts.entra_user_discovery.is_unknown());
    let found: Vec<String> =
        facts.data_findings.iter().map(|f| format!("{} {} [{}] {}", f.object, f.column, f.row, f.problem)).collect();
    assert_eq!(
        found,
        [
            "dbo.vTest entra_user_discovery [] the site databases do not agree: CM_CAS on cas-sql says false, CM_PS1 on \
             ps1-sql says true",
            "dbo.vTest online [site=CAS, host=cm-cas] the site databases do not agree: CM_CAS on cas-sql says false, \
             CM_PS1 on ps1-sql says true",
        ]
    );
    // A third one does not decide what two others dispute.
    let third = Facts { connection: at("third"), ..ps1.clone() };
    assert_eq!(merged(&[&ps1, &third, &cas]).service_connection_points.rows(), [point(None)]);
}

#[test]
fn two_rows_of_one_key_in_one_database_are_compared_with_the_other_database_all_the_same() {
    let with = |code: &str, points: &[Option<bool>]| Facts {
        service_connection_points: known(points.iter().map(|online| point(*online)).collect()),
        ..of(code)
    };
    let compared = |cas: &[Option<bool>], ps1: &[Option<bool>]| {
        let (cas, ps1) = (with("CAS", cas), with("PS1", ps1));
        let facts = merged(&[&cas, &ps1]);
        assert_eq!(merged(&[&ps1, &cas]), facts);
        let findings = facts.data_findings.iter().filter(|finding| finding.column == "online").count();
        (facts.service_connection_points.rows().len(), findings)
    };
    // Each row of either has one in the other that does not contradict it.
    assert_eq!(compared(&[Some(true), None], &[Some(true)]), (2, 0));
    assert_eq!(compared(&[Some(true), Some(false)], &[Some(true), Some(false)]), (2, 0));
    // One of two is matched by nothing.
    assert_eq!(compared(&[Some(true), Some(false)], &[Some(true)]), (2, 1));
    assert_eq!(compared(&[Some(true)], &[Some(false), Some(false)]), (2, 1));
}

#[test]
fn the_roles_of_a_server_unite_and_so_do_their_properties() {
    let (mut cas, mut ps1) = (of("CAS"), of("PS1"));
    let property = |name: &str, number| (name.to_owned(), PropertyValue { number: Some(number), text: None });
    let role = |role, properties: Option<&[(String, PropertyValue)]>| InstalledRole {
        role,
        properties: properties.map(|all| all.iter().cloned().collect()),
    };
    let system = |roles: [InstalledRole; 2]| {
        let roles = roles.into();
        SiteSystem { site: site("PS1"), host: "cm-ps1".parse().unwrap(), roles }
    };
    cas.site_systems = known(vec![system([
        role(Role::ManagementPoint, Some(&[property("a", 1), property("b", 1)])),
        role(Role::SiteServer, None),
    ])]);
    ps1.site_systems = known(vec![system([
        role(Role::ManagementPoint, Some(&[property("b", 2), property("c", 1)])),
        role(Role::DistributionPoint, Some(&[])),
    ])]);
    let facts = merged(&[&cas, &ps1]);
    let [united] = facts.site_systems.rows() else { panic!("{:?}", facts.site_systems) };
    let roles: Vec<&Role> = united.roles.iter().map(|installed| &installed.role).collect();
    assert_eq!(roles, [&Role::ManagementPoint, &Role::SiteServer, &Role::DistributionPoint]);
    let properties = united.roles[0].properties.as_ref().unwrap();
    assert_eq!(properties.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(properties["b"], PropertyValue { number: None, text: None });
    assert_eq!(facts.data_findings.len(), 1);
    assert_eq!(facts.data_findings[0].row, "site=PS1, host=cm-ps1, role=SMS Management Point");
}

#[test]
fn a_database_below_the_top_may_count_less_and_none_else() {
    let count = |cas, ps1| {
        let sources = [Facts { group_syncs: known(cas), ..of("CAS") }, Facts { group_syncs: known(ps1), ..of("PS1") }];
        let facts = merged(&[&sources[0], &sources[1]]);
        (facts.group_syncs.known().copied(), facts.data_findings.len())
    };
    assert_eq!([count(3, 3), count(3, 1), count(1, 3)], [(Some(3), 0), (Some(3), 0), (Some(3), 1)]);
}

#[test]
fn two_hierarchies_are_not_one() {
    let mut other = of("CAS");
    other.connection = at("other");
    other.sites.clone_from(&known(Vec::new()));
    assert!(merged(&[&of("CAS"), &other]).data_findings.iter().any(|f| f.problem.contains("not of one hierarchy")));
}

#[test]
fn every_list_of_the_facts_has_its_key_or_is_told_apart_by_all_it_has() {
    let facts = serde_json::to_value(of("CAS")).unwrap();
    for (list, _) in KEYS {
        assert!(facts.get(list).is_some() || list == "roles", "{list} is no fact");
    }
}

#[test]
fn names_compare_without_case_and_rows_without_a_name_are_not_one() {
    let gateway = |name: Option<&str>, service: &str| -> Cmg {
        let service_name = serde_json::json!(service);
        serde_json::from_value(serde_json::json!({
            "name": name, "service_name": service_name, "deployment_name": null, "region": null, "environment": null,
            "instances": null, "storage_name": null, "state": null, "kind": null
        }))
        .unwrap()
    };
    let (mut cas, mut ps1) = (of("CAS"), of("PS1"));
    cas.cmgs = known(vec![gateway(Some("GRANITE"), "a.contoso.com"), gateway(None, "c.contoso.com")]);
    ps1.cmgs = known(vec![gateway(Some("Granite"), "b.contoso.com"), gateway(None, "d.contoso.com")]);
    let facts = merged(&[&cas, &ps1]);
    let names: Vec<_> =
        facts.cmgs.rows().iter().map(|row| row.service_name.as_ref().map(ToString::to_string)).collect();
    assert_eq!(names, [None, Some("c.contoso.com".to_owned()), Some("d.contoso.com".to_owned())]);
    assert!(facts.data_findings.iter().any(|finding| finding.column == "service_name"), "{:?}", facts.data_findings);
}

#[test]
fn two_internet_names_of_one_server_are_a_finding() {
    let name = |name: &str| InternetName {
        site: site("PS1"),
        host: "mp1.contoso.com".parse().unwrap(),
        name: name.parse().unwrap(),
    };
    let (mut cas, mut ps1) = (of("CAS"), of("PS1"));
    cas.internet_names = known(vec![name("a.contoso.com")]);
    ps1.internet_names = known(vec![name("b.contoso.com")]);
    let facts = merged(&[&ps1, &cas]);
    assert_eq!(facts.internet_names.rows(), [name("a.contoso.com")]);
    assert!(facts.data_findings.iter().any(|finding| finding.column == "name"), "{:?}", facts.data_findings);
}
