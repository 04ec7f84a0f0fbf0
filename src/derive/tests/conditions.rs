//! Each condition by itself: taking one fact away takes away its endpoints and nothing else.

use std::collections::BTreeSet;

use super::*;

/// The entries by which anything is needed, undecided or known to be retired.
fn applied(facts: &Facts) -> BTreeSet<String> {
    derive(facts).into_iter().map(|requirement| requirement.entry.0).collect()
}

/// A fact that is taken away, with the beginnings of the ids of all entries that go with it.
type Removal = (&'static str, fn(&mut Facts), &'static [&'static str]);

const REMOVALS: [Removal; 18] = [
    ("azure services", |f| f.azure_services = known(Vec::new()), &["azure-services-"]),
    (
        "co-management",
        |f| {
            f.co_management_policies = known(0);
            f.co_managed_clients = known(CoManagedClients { reported: 0, with_policy: 0, enrolled: 0 });
        },
        &["co-management-", "endpoint-analytics-events-data"],
    ),
    ("tenant attach", |f| f.tenant_attach = known(false), &["tenant-attach-", "revocation-"]),
    ("endpoint analytics", |f| f.endpoint_analytics = known(false), &["endpoint-analytics-"]),
    ("desktop analytics", |f| f.desktop_analytics = known(0), &["desktop-analytics-"]),
    (
        "store for business",
        |f| f.store_for_business = known(StoreForBusiness { accounts: 0, last_sync: None }),
        &["store-"],
    ),
    ("delivery optimization", |f| f.default_client_settings = known(settings(&ALL_OPTIONS, false)), &["do-client-"]),
    ("connected cache", |f| set_cache(f, Some(false)), &["do-cache-", "cache-"]),
    (
        "microsoft 365 apps",
        |f| {
            f.subscriptions = known(vec![subscription(Subscription::UPGRADES, SubscriptionKind::Classification)]);
            f.default_client_settings =
                known(settings(&[ClientOption::DeliveryOptimization, ClientOption::ConnectedCache], true));
            let Fact::Known { value, .. } = &mut f.default_client_settings else { return };
            value.extend(settings(&[ClientOption::Microsoft365Apps], false));
        },
        &["m365-officecdn-", "m365-config-", "m365-clients-", "m365-fwlink-", "child-site-m365-"],
    ),
    (
        "microsoft 365 apps synchronized",
        |f| f.subscriptions = known(vec![subscription(Subscription::UPGRADES, SubscriptionKind::Classification)]),
        &["m365-officecdn-", "child-site-m365-"],
    ),
    (
        "windows servicing",
        |f| {
            f.servicing_plans = known(0);
            f.subscriptions = known(vec![subscription(Subscription::MICROSOFT_365_APPS, SubscriptionKind::Product)]);
        },
        &["windows-servicing-"],
    ),
    ("third-party catalogs", |f| f.third_party_catalogs = known(Vec::new()), &["third-party-"]),
    ("external notifications", |f| f.notification_hosts = known(Vec::new()), &["external-notifications-"]),
    (
        "asset intelligence",
        |f| {
            f.asset_intelligence = known(Vec::new());
            take_role(f, &Role::AssetIntelligenceSynchronizationPoint);
        },
        &["asset-intelligence-"],
    ),
    (
        "online",
        |f| {
            let offline = ServiceConnectionPoint { site: site("CAS"), host: host(CAS), online: Some(false) };
            f.service_connection_points = known(vec![offline]);
        },
        &[
            "scp-",
            "updates-",
            "forwarding-aka-ms-scp",
            "forwarding-go-microsoft-com-scp",
            "windows-servicing-",
            "azure-services-",
            "store-",
            "tenant-attach-",
            "revocation-",
            "endpoint-analytics-graph",
            "endpoint-analytics-manage",
            "desktop-analytics-aka-ms",
            "desktop-analytics-graph",
            "desktop-analytics-manage",
            "desktop-analytics-dc-",
            "external-notifications-",
            "console-push-",
            "m365-readiness-",
            "m365-add-in-",
        ],
    ),
    (
        "distribution point",
        |f| {
            f.distribution_points = known(Vec::new());
            take_role(f, &Role::DistributionPoint);
        },
        &["do-cache-", "cache-"],
    ),
    (
        // No site is without a server, so only the site's place can be taken from it.
        "top-level site server",
        |f| {
            if let Fact::Known { value, .. } = &mut f.sites {
                value[0].parent = Some(site("PS1"));
            }
        },
        &[
            "m365-readiness-file",
            "m365-add-in-",
            "m365-clients-config-site-server",
            "m365-fwlink-site-server",
            "m365-officecdn-site-server-",
            "adr-",
        ],
    ),
    ("user discovery is already off", |f| f.entra_user_discovery = known(false), &[]),
];

fn set_cache(facts: &mut Facts, on: Option<bool>) {
    if let Fact::Known { value, .. } = &mut facts.distribution_points {
        value[0].connected_cache = on;
    }
}

fn take_role(facts: &mut Facts, role: &Role) {
    if let Fact::Known { value, .. } = &mut facts.site_systems {
        for system in value.iter_mut() {
            system.roles.retain(|installed| installed.role != *role);
        }
    }
}

#[test]
fn taking_one_fact_away_takes_away_exactly_its_endpoints() {
    let all = applied(&contoso());
    for (name, take_away, beginnings) in REMOVALS {
        let mut facts = contoso();
        take_away(&mut facts);
        let left = applied(&facts);
        let gone: BTreeSet<&String> = all.difference(&left).collect();
        let expected: BTreeSet<&String> =
            all.iter().filter(|id| beginnings.iter().any(|beginning| id.starts_with(beginning))).collect();
        assert_eq!(gone, expected, "{name}");
        assert!(left.is_subset(&all), "{name} adds something");
        assert!(beginnings.iter().all(|beginning| expected.iter().any(|id| id.starts_with(beginning))), "{name}");
        assert_eq!(undecided(&facts), [], "{name}");
    }
}

#[test]
fn every_fact_of_a_condition_is_used_and_has_its_name() {
    let used: BTreeSet<&str> = Catalog::embedded()
        .entries
        .iter()
        .flat_map(|entry| {
            crate::catalog::ConditionFact::all().filter(|fact| entry.when.to_string().contains(fact.name()))
        })
        .map(crate::catalog::ConditionFact::name)
        .collect();
    let all: BTreeSet<&str> = crate::catalog::ConditionFact::all().map(crate::catalog::ConditionFact::name).collect();
    assert_eq!(used, all);
    assert!(crate::catalog::ConditionFact::all().all(|fact| !fact.meaning().is_empty()));
}

#[test]
fn what_is_not_said_stays_undecided_with_what_is_missing() {
    let open = |change: fn(&mut Facts)| -> BTreeSet<String> {
        let mut facts = contoso();
        change(&mut facts);
        undecided(&facts).into_iter().map(|requirement| requirement.entry.0).collect()
    };
    let all = |beginning: &'static str, open: &BTreeSet<String>| {
        let entries: BTreeSet<String> =
            applied(&contoso()).into_iter().filter(|id| id.starts_with(beginning)).collect();
        assert!(!entries.is_empty() && entries.is_subset(open), "{beginning}: {open:?}");
    };
    all("cache-", &open(|f| set_cache(f, None)));
    all(
        "third-party-catalog-https",
        &open(|f| {
            if let Fact::Known { value, .. } = &mut f.third_party_catalogs {
                value[0].download = None;
            }
        }),
    );
    // A trace says that there is something, and not where.
    all("external-", &open(|f| f.notification_hosts = unknown()));
    // No trace says nothing.
    all("external-", &open(|f| (f.notification_rules, f.notification_hosts) = (known(0), unknown())));
    // Default settings without the option, custom settings without it: nobody knows the default.
    all("do-client-", &open(|f| f.default_client_settings = known(Vec::new())));
    all("co-management-manage", &open(|f| (f.co_management_policies, f.co_managed_clients) = (known(0), unknown())));
    // What is known to be on needs no second witness.
    assert_eq!(open(|f| f.co_managed_clients = unknown()), BTreeSet::new());
    assert_eq!(open(|f| f.custom_client_settings = unknown()), BTreeSet::new());
}

#[test]
fn the_third_party_catalog_is_asked_at_its_own_port_and_scheme() {
    let of = |facts: &Facts| -> Vec<String> {
        needed(facts).into_iter().filter(|line| line.starts_with("third-party-catalog-")).collect()
    };
    let mut facts = contoso();
    assert_eq!(of(&facts), [format!("third-party-catalog-https {CAS} catalog.fabrikam.com:8443")]);
    if let Fact::Known { value, .. } = &mut facts.third_party_catalogs {
        value[0].download =
            Some(DownloadPlace { scheme: crate::host::Scheme::Http, host: host("old.fabrikam.com"), port: 80 });
        let mut off = catalog_at("off.fabrikam.com", 443);
        off.synchronized = Some(false);
        value.push(off);
    }
    assert_eq!(of(&facts), [format!("third-party-catalog-http {CAS} old.fabrikam.com:80")]);
}

#[test]
fn notifications_go_to_the_host_that_the_operator_states() {
    assert!(
        needed(&contoso()).contains(&format!("external-notifications-host {CAS} prod-1.westus2.logic.azure.com:443"))
    );
}

/// Contoso as a database tells it that may not have all of a list.
pub(super) fn doubted(change: fn(&mut Facts)) -> Facts {
    fn doubt<T>(fact: &mut Fact<T>) {
        if let Fact::Known { source, .. } = fact {
            source.may_lack = Some("read from below".to_owned());
        }
    }
    let mut facts = contoso();
    change(&mut facts);
    doubt(&mut facts.site_systems);
    doubt(&mut facts.service_connection_points);
    doubt(&mut facts.software_update_points);
    doubt(&mut facts.sync_sources);
    doubt(&mut facts.distribution_points);
    doubt(&mut facts.asset_intelligence);
    doubt(&mut facts.cmg_connection_points);
    doubt(&mut facts.cmgs);
    doubt(&mut facts.tenants);
    doubt(&mut facts.third_party_catalogs);
    doubt(&mut facts.subscriptions);
    doubt(&mut facts.servicing_plans);
    facts
}

#[test]
fn what_may_not_be_all_decides_what_it_has_and_leaves_the_rest_open() {
    let needed = |facts: &Facts| -> BTreeSet<String> {
        let all = derive(facts).into_iter().filter(|one| one.decision == Decision::Needed);
        all.map(|one| one.id.0).collect()
    };
    // What is there is needed as before. Only who synchronizes from whom is less sure where servers may be missing.
    let (whole, doubted_facts) = (needed(&contoso()), doubted(|_| {}));
    let less: Vec<String> = whole.difference(&needed(&doubted_facts)).cloned().collect();
    assert!(less.iter().all(|id| id.contains("/sup-") || id.contains("software-update-point")), "{less:?}");
    assert!(needed(&doubted_facts).is_subset(&whole));
    // Every role of a server may be on one more.
    let open = undecided(&doubted_facts);
    let of_servers = |one: &Requirement| one.role.site_role().map(|_| one.role);
    let roles: BTreeSet<CatalogRole> = derive(&contoso()).iter().filter_map(of_servers).collect();
    let further = derive(&doubted_facts);
    let further = further.iter().filter(|one| one.subject == Subject::UnknownHosts).filter_map(of_servers);
    assert_eq!(further.collect::<BTreeSet<_>>(), roles);
    // And there may be one more gateway, tenant, catalog.
    for part in ["{cmg.", "{azure.", "{third-party"] {
        let is_open = |one: &Requirement| matches!(&one.name, RequiredName::Template(text) if text.contains(part));
        assert!(open.iter().any(is_open), "{part}: {open:#?}");
    }
}

#[test]
fn what_a_list_that_may_not_be_all_does_not_have_takes_nothing_away() {
    let all = applied(&contoso());
    for (name, take_away, _) in REMOVALS.iter().filter(|(name, ..)| {
        ["third-party catalogs", "microsoft 365 apps synchronized", "asset intelligence", "online"].contains(name)
    }) {
        let mut facts = contoso();
        take_away(&mut facts);
        assert_ne!(applied(&facts), all, "{name}");
        assert!(applied(&doubted(*take_away)).is_superset(&all), "{name}");
    }
}
