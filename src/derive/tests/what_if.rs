//! After an update, and with features that are not there yet.

use std::collections::BTreeSet;

use super::*;

fn for_version(facts: &Facts, version: &str) -> Vec<Requirement> {
    let options = Options::default().for_version(version, Catalog::embedded()).unwrap();
    requirements(facts, Catalog::embedded(), &options)
}

fn entries<'a>(set: impl IntoIterator<Item = &'a &'a Requirement>) -> BTreeSet<&'a str> {
    set.into_iter().map(|requirement| requirement.entry.0.as_str()).collect()
}

#[test]
fn an_update_to_2603_adds_the_management_point_and_nothing_else() {
    let (today, after) = (derive(&contoso()), for_version(&contoso(), "2603"));
    let change = difference(&today, &after);
    assert_eq!(entries(&change.added), ["mp-login-microsoftonline-com", "mp-sts-windows-net"].into());
    assert_eq!(change.removed, [] as [&Requirement; 0]);
    assert_eq!(change.kept.len(), today.len());
    let login = change.added.iter().find(|r| r.entry.0 == "mp-login-microsoftonline-com").unwrap();
    assert_eq!(login.path.as_deref(), Some("/0c0ffee0-1111-2222-3333-444455556666/.well-known/openid-configuration"));
    assert_eq!(login.context, Context::SystemWininet);
    assert!(login.reasons.iter().any(|reason| reason == "the target build is 9146"), "{:?}", login.reasons);
    assert_eq!(difference(&after, &today).removed.len(), change.added.len());
}

#[test]
fn an_update_over_2303_leaves_the_community_hub_behind() {
    let mut facts = contoso();
    if let Fact::Known { value, .. } = &mut facts.sites {
        for site in value.iter_mut() {
            site.build = Some(9096);
        }
    }
    let (today, after) = (derive(&facts), for_version(&facts, "2303"));
    let hub = ["community-hub-communityhub-microsoft-com", "community-hub-github-com"];
    assert_eq!(entries(&difference(&today, &after).removed), hub.into());
}

#[test]
fn two_tenants_are_two_requirements_and_a_bad_id_is_never_a_path() {
    let mut facts = contoso();
    let other = "11111111-1111-2222-3333-444455556666";
    if let Fact::Known { value, .. } = &mut facts.tenants {
        value.push(Tenant { id: other.to_owned(), name: None, environment: Some(1) });
        value.push(Tenant { id: "x/../?\u{1b}[2J".to_owned(), name: Some("bad".to_owned()), environment: Some(1) });
        value.push(Tenant { id: other.to_owned(), name: None, environment: Some(2) });
    }
    let all = for_version(&facts, "2603");
    let login: Vec<_> = all.iter().filter(|r| r.entry.0 == "mp-login-microsoftonline-com").collect();
    assert_eq!(login.len(), 3);
    assert_eq!(login.iter().filter(|r| r.decision == Decision::Needed).count(), 2);
    let bad = login.iter().find(|r| r.decision != Decision::Needed).unwrap();
    assert_eq!(bad.path.as_deref(), Some("/{tenant.id}/.well-known/openid-configuration"));
    let ids: BTreeSet<_> = all.iter().map(|r| &r.id).collect();
    assert_eq!(ids.len(), all.len());
}

#[test]
fn the_target_decides_where_the_builds_are_unknown() {
    let mut facts = contoso();
    facts.sites = unknown();
    let open = |all: &[Requirement]| all.iter().any(|r| r.entry.0.starts_with("mp-") && r.decision != Decision::Needed);
    assert!(open(&derive(&facts)));
    assert!(!open(&for_version(&facts, "2603")));
}

/// Contoso before any cloud: on premises, online, nothing else.
fn on_premises() -> Facts {
    let mut facts = contoso();
    facts.cmgs = known(Vec::new());
    facts.tenants = known(Vec::new());
    facts.cmg_connection_points = known(Vec::new());
    if let Fact::Known { value, .. } = &mut facts.site_systems {
        for system in value.iter_mut() {
            system.roles.retain(|r| r.role != Role::CmgConnectionPoint);
        }
    }
    facts.azure_services = known(Vec::new());
    facts.co_management_policies = known(0);
    facts.co_managed_clients = known(CoManagedClients { reported: 0, with_policy: 0, enrolled: 0 });
    facts.tenant_attach = known(false);
    facts.endpoint_analytics = known(false);
    facts.desktop_analytics = known(0);
    facts.store_for_business = known(StoreForBusiness { accounts: 0, last_sync: None });
    facts.default_client_settings = known(settings(&ALL_OPTIONS, false));
    facts.subscriptions = known(Vec::new());
    facts.servicing_plans = known(0);
    facts.third_party_catalogs = known(Vec::new());
    facts.notification_rules = known(0);
    facts.notification_hosts = known(Vec::new());
    if let Fact::Known { value, .. } = &mut facts.distribution_points {
        value[0].connected_cache = Some(false);
    }
    facts
}

/// What assumptions add to the hierarchy on premises, by entry. They never take anything away.
fn added(assumptions: &[&str]) -> BTreeSet<String> {
    added_to(&on_premises(), assumptions)
}

fn added_to(facts: &Facts, assumptions: &[&str]) -> BTreeSet<String> {
    let assumptions: Vec<Assumption> = assumptions.iter().map(|text| text.parse().unwrap()).collect();
    let (today, after) = (derive(facts), derive(&assume(facts, &assumptions)));
    let change = difference(&today, &after);
    assert_eq!(change.removed, [] as [&Requirement; 0], "{assumptions:?}");
    change.added.iter().map(|requirement| requirement.entry.0.clone()).collect()
}

#[test]
fn every_assumption_adds_what_its_feature_needs() {
    let expected = [
        ("tenant-attach", "tenant-attach-gateway-link"),
        ("tenant-attach", "revocation-crl3-digicert-com"),
        ("co-management", "co-management-enterpriseenrollment"),
        ("endpoint-analytics", "endpoint-analytics-manage-microsoft-com"),
        ("azure-services", "azure-services-management-azure-com"),
        ("entra-user-discovery", "scp-graph-microsoft-com"),
        ("external-notifications", "external-notifications-host"),
        ("delivery-optimization", "do-client-do-dsp-mp-microsoft-com"),
        ("connected-cache", "cache-delivery-mp-microsoft-com"),
        ("microsoft-365-apps", "m365-officecdn-https"),
        ("windows-servicing", "windows-servicing-fwlink"),
        ("third-party-catalogs", "third-party-partner-catalogs"),
        ("cmg", "cmgcp-service-name"),
        ("cmg", "client-login-microsoftonline-com"),
        ("cmg-instances=3", "cmgcp-service-name"),
    ];
    for (assumption, entry) in expected {
        let added = added(&[assumption]);
        assert!(added.contains(entry), "{assumption}: {added:?}");
    }
    // A tenant alone makes its cloud's row of AzureEnvironments count, and the management point's from 2603 on.
    assert!(added(&["entra-tenant"]).iter().all(|entry| entry.starts_with("scp-azure-")));
    assert_eq!(added(&["online"]), BTreeSet::new());
}

#[test]
fn a_feature_brings_the_service_connection_point_that_it_needs() {
    let mut offline = on_premises();
    let Fact::Known { value, .. } = &mut offline.service_connection_points else { panic!("{offline:#?}") };
    value[0].online = Some(false);
    let mut absent = on_premises();
    absent.service_connection_points = known(Vec::new());
    let Fact::Known { value, .. } = &mut absent.site_systems else { panic!("{absent:#?}") };
    for system in value.iter_mut() {
        system.roles.retain(|installed| installed.role != Role::ServiceConnectionPoint);
    }
    for name in Assumption::known() {
        let name = name.replace("=N", "=2");
        let online = added(&[&name]);
        for facts in [&offline, &absent] {
            let added = added_to(facts, &[&name]);
            assert!(added.is_superset(&online), "{name}: {:?}", online.difference(&added).collect::<Vec<_>>());
        }
    }
    let words = |facts: &Facts, names: &[&str]| {
        let assumptions: Vec<Assumption> = names.iter().map(|text| text.parse().unwrap()).collect();
        assumed_too(facts, &assumptions)
    };
    let needs = "tenant-attach needs an online service connection point, which is assumed too";
    assert_eq!(words(&offline, &["tenant-attach"]), [needs]);
    assert_eq!(words(&offline, &["online", "tenant-attach"]), [""; 0]);
    assert_eq!(words(&on_premises(), &["tenant-attach"]), [""; 0]);
    assert_eq!(words(&offline, &["delivery-optimization"]), [""; 0]);
    assert_eq!(words(&absent, &["tenant-attach"]).len(), 2);
    assert_eq!(words(&absent, &["online", "tenant-attach"]).len(), 1);
    // The server is not known, so the rows are undecided, for a server that could not be named.
    let after = derive(&assume(&absent, &[Assumption::Online, Assumption::TenantAttach]));
    let link = after.iter().find(|r| r.entry.0 == "tenant-attach-gateway-link").unwrap();
    assert_eq!(link.subject, Subject::UnknownHosts);
    assert!(matches!(link.decision, Decision::Undecided { .. }), "{link:#?}");
}

#[test]
fn an_assumed_gateway_has_its_ports_and_no_invented_name() {
    let assumptions = ["cmg", "cmg-instances=3"].map(|text| text.parse().unwrap());
    let after = derive(&assume(&on_premises(), &assumptions));
    let service = after.iter().find(|r| r.entry.0 == "cmgcp-service-name").unwrap();
    assert_eq!((&service.subject, service.name.to_string()), (&Subject::UnknownHosts, "{cmg.service-name}".to_owned()));
    let Decision::Undecided { missing } = &service.decision else { panic!("{service:#?}") };
    assert!(missing.iter().any(|text| text.contains("which server is to be the CMG connection point")), "{missing:?}");
    // A gateway that is there keeps its name and gets the ports.
    let known = derive(&assume(&contoso(), &[Assumption::CmgInstances(3)]));
    let ports: Vec<_> = known.iter().filter(|r| r.entry.0 == "cmgcp-service-name").filter_map(|r| r.port).collect();
    assert_eq!(ports, [10124, 10125, 10126]);
}

/// The ports of an entry, for whomever.
fn ports(all: &[Requirement], entry: &str) -> BTreeSet<u16> {
    all.iter().filter(|r| r.entry.0 == entry).filter_map(|r| r.port).collect()
}

#[test]
fn assumed_instances_give_ports_whatever_is_known_of_gateways() {
    let assumed =
        |facts: &Facts, count: u32| derive(&assume(facts, &[Assumption::Cmg, Assumption::CmgInstances(count)]));
    let mut unread = contoso();
    unread.cmgs = unknown();
    // A connection point, and no gateway: the list is not whole.
    let mut contradicted = contoso();
    contradicted.cmgs = known(Vec::new());
    for facts in [&on_premises(), &unread, &contradicted] {
        assert_eq!(ports(&assumed(facts, 3), "cmgcp-service-name"), [10124, 10125, 10126].into());
        assert_eq!(ports(&assumed(facts, 1), "cmgcp-service-name"), [443].into());
        assert_eq!(ports(&assumed(facts, 16), "cmgcp-service-name"), (10124..=10139).collect());
    }
    // The assumed gateway is certain, in the tenant's cloud; in another cloud there may be one that could not be read.
    let after = assumed(&unread, 3);
    let login = |entry: &str| after.iter().find(|r| r.entry.0 == entry).map(|r| r.decision == Decision::Needed);
    assert_eq!(login("client-login-microsoftonline-com"), Some(true));
    assert_eq!(login("client-login-microsoftonline-us"), Some(false));
    // Without a number, the two possibilities are named.
    let open = derive(&assume(&unread, &[Assumption::Cmg]));
    let service = open.iter().find(|r| r.entry.0 == "cmgcp-service-name").unwrap();
    let Decision::Undecided { missing } = &service.decision else { panic!("{service:#?}") };
    assert!(missing.iter().any(|text| text.contains("443 with one, 10124 and up to 10139 with more")), "{missing:?}");
}

#[test]
fn only_a_classic_gateway_has_the_tcp_tls_ports() {
    let with = |name: Option<&str>, instances: Option<u32>| {
        let mut facts = contoso();
        let Fact::Known { value, .. } = &mut facts.cmgs else { panic!("{facts:#?}") };
        value.truncate(1);
        value[0].deployment_name = name.map(|name| HostName::parse(name).unwrap());
        value[0].instances = instances;
        let all = derive(&facts);
        let classic: Vec<_> = all.iter().filter(|r| r.entry.0 == "cmgcp-classic-tcp-tls").cloned().collect();
        (ports(&all, "cmgcp-classic-tcp-tls"), classic.iter().any(|r| r.decision != Decision::Needed), classic.len())
    };
    assert_eq!(with(Some("granitefalls.cloudapp.net"), Some(2)), ([10140, 10141].into(), false, 2));
    assert_eq!(with(Some("granitefalls.cloudapp.net"), Some(16)).0, (10140..=10155).collect());
    assert_eq!(with(Some("granitefalls.westus.cloudapp.azure.com"), Some(2)), (BTreeSet::new(), false, 0));
    assert_eq!(with(Some("acloudapp.net"), Some(1)), ([10140].into(), true, 1));
    assert_eq!(with(None, Some(1)), ([10140].into(), true, 1));
    assert_eq!(with(Some("granitefalls.cloudapp.net"), None), (BTreeSet::new(), true, 1));
}

#[test]
fn assumptions_in_the_government_cloud_stay_there() {
    let added = added(&["tenant-attach", "us-government", "co-management"]);
    assert!(added.contains("tenant-attach-manage-microsoft-us"), "{added:?}");
    assert!(!added.contains("tenant-attach-manage-microsoft-com"), "{added:?}");
    assert!(!added.contains("co-management-manage-microsoft-com"), "{added:?}");
}

#[test]
fn an_assumption_never_shrinks_what_is_unknown() {
    let facts = Facts::unknown(contoso().connection, UnknownWhy::NotVisible, "not visible");
    let before = derive(&facts);
    for name in Assumption::known() {
        let after = derive(&assume(&facts, &[name.replace("=N", "=2").parse().unwrap()]));
        let lost: Vec<_> = before
            .iter()
            .filter(|r| !after.iter().any(|other| other.entry == r.entry && other.role == r.role))
            .map(|r| &r.id)
            .collect();
        assert_eq!(lost, [] as [&RequirementId; 0], "{name}");
    }
    // Nor what servers there may be besides those that are known.
    let doubted = conditions::doubted(|facts| facts.distribution_points = unknown());
    let before = derive(&doubted);
    for name in Assumption::known() {
        let after = derive(&assume(&doubted, &[name.replace("=N", "=2").parse().unwrap()]));
        let is_there =
            |r: &Requirement| after.iter().any(|o| (&o.entry, o.role, &o.subject) == (&r.entry, r.role, &r.subject));
        let lost: Vec<_> = before.iter().filter(|r| !is_there(r)).map(|r| &r.id).collect();
        assert_eq!(lost, [] as [&RequirementId; 0], "{name}");
    }
}

#[test]
fn a_site_whose_build_is_not_known_may_be_the_newest() {
    let mut facts = contoso();
    let Fact::Known { value, .. } = &mut facts.sites else { panic!("{facts:#?}") };
    value[1].build = None;
    let all = derive(&facts);
    let login = all.iter().find(|r| r.entry.0 == "mp-login-microsoftonline-com").expect("it may be needed");
    let Decision::Undecided { missing } = &login.decision else { panic!("{login:#?}") };
    assert!(missing.iter().any(|text| text.contains("not of every site")), "{missing:?}");
    // What the known build needs is needed, whatever the other is.
    let Fact::Known { value, .. } = &mut facts.sites else { panic!("{facts:#?}") };
    value[0].build = Some(9146);
    let all = derive(&facts);
    let login = all.iter().find(|r| r.entry.0 == "mp-login-microsoftonline-com").unwrap();
    assert_eq!(login.decision, Decision::Needed);
}
