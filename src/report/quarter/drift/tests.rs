use super::*;
use crate::host::{HostName, HostOrAddress};
use crate::site::{
    Connection, InstalledRole, ServiceConnectionPoint, Site, SiteCode, SiteSystem, SiteSystemProxy, Source,
    SqlCertificate, SqlSignIn, SyncSource, UnknownWhy,
};

/// Nothing is known.
fn nothing() -> Facts {
    let connection = Connection {
        server: "sql01.contoso.com".to_owned(),
        database: "CM_PS1".to_owned(),
        server_version: None,
        certificate: SqlCertificate::NotChecked,
        sign_in: SqlSignIn::WindowsCurrent,
    };
    Facts::unknown(connection, UnknownWhy::NotPermitted, "SELECT was denied")
}

fn known<T>(value: T) -> Fact<T> {
    Fact::Known { value, source: Source::of("dbo.X") }
}

fn host(name: &str) -> HostName {
    HostName::parse(&format!("{name}.contoso.com")).unwrap()
}

fn site() -> SiteCode {
    SiteCode::parse("PS1").unwrap()
}

/// The rows between the facts with one value and with the other.
fn rows<T: Clone>(set: impl Fn(&mut Facts, Fact<T>), old: &T, new: &T) -> Vec<[String; 4]> {
    let (mut before, mut after) = (nothing(), nothing());
    set(&mut before, known(old.clone()));
    set(&mut after, known(new.clone()));
    let (rows, unknown) = drift(&before, &after);
    assert_eq!(unknown.len(), settings(&before).len() - 2, "all others are unknown: {unknown:?}");
    let texts = rows.iter().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().try_into().unwrap());
    texts.collect()
}

fn row(kind: &str, which: &str, before: &str, now: &str) -> [String; 4] {
    [kind, which, before, now].map(ToOwned::to_owned)
}

#[test]
fn a_proxy_that_changes_comes_or_goes_is_a_row() {
    let proxy = |name: &str, setting| SiteSystemProxy { site: site(), host: host(name), setting };
    let through = |name: &str, port, account| {
        let host = HostOrAddress::parse(name).unwrap();
        ProxySetting::Proxy { host, port, account }
    };
    let old = vec![
        proxy("cm01", through("proxy.contoso.com", 8080, false)),
        proxy("cm02", ProxySetting::NeverSet),
        proxy("cm03", through("10.0.0.7", 3128, true)),
        proxy("cm04", through("proxy.contoso.com", 8080, false)),
        proxy("cm06", through("proxy.contoso.com", 8080, false)),
    ];
    let new = vec![
        proxy("cm01", through("proxy-eu.contoso.com", 8080, false)),
        proxy("cm02", through("proxy.contoso.com", 8080, false)),
        proxy("cm03", ProxySetting::Unreadable),
        proxy("cm05", ProxySetting::Direct),
        proxy("cm06", through("proxy.contoso.com", 8080, true)),
    ];
    let of = |name: &str| format!("of {name}.contoso.com in site PS1");
    assert_eq!(
        rows(|facts, fact| facts.site_system_proxies = fact, &old, &new),
        [
            row("proxy", &of("cm01"), "proxy.contoso.com:8080", "proxy-eu.contoso.com:8080"),
            row("proxy", &of("cm02"), "none", "proxy.contoso.com:8080"),
            row("proxy", &of("cm03"), "10.0.0.7:3128 with an account", "unusable"),
            row("proxy", &of("cm04"), "proxy.contoso.com:8080", "-"),
            row("proxy", &of("cm05"), "-", "none"),
            row("proxy", &of("cm06"), "proxy.contoso.com:8080", "proxy.contoso.com:8080 with an account"),
        ]
    );
    let stale = vec![proxy("cm02", ProxySetting::Direct)];
    let unset = vec![proxy("cm02", ProxySetting::NeverSet)];
    assert!(rows(|facts, fact| facts.site_system_proxies = fact, &stale, &unset).is_empty(), "both are direct");
}

#[test]
fn a_gateway_that_changes_comes_or_goes_is_a_row() {
    let gateway = |service: Option<&str>, instances, state| Cmg {
        name: None,
        service_name: service.map(host),
        deployment_name: None,
        region: Some("WestUS".to_owned()),
        environment: Some(1),
        instances,
        storage_name: None,
        state,
    };
    let old = vec![gateway(Some("gone"), Some(1), Some(0)), gateway(Some("stays"), Some(2), Some(0))];
    let new = vec![gateway(Some("stays"), Some(3), Some(6)), gateway(None, None, Some(9)), gateway(None, None, None)];
    let set = |facts: &mut Facts, fact| facts.cmgs = fact;
    let kind = "cloud management gateway";
    assert_eq!(
        rows(set, &old, &new),
        [
            row(kind, "gone.contoso.com", "1 instance, ready, WestUS", "-"),
            row(kind, "stays.contoso.com", "2 instances, ready, WestUS", "3 instances, stopped, WestUS"),
            // Two without a name are two.
            row(
                kind,
                "without a name",
                "-",
                "instances unknown, state 9, WestUS; instances unknown, state unknown, WestUS"
            ),
        ]
    );
    // That there is one at all decides endpoints.
    let some = rows(set, &vec![], &vec![gateway(Some("first"), Some(1), Some(4))]);
    let exists = "the hierarchy has a cloud management gateway";
    assert!(some.contains(&row("what endpoints depend on", exists, "no", "yes")), "{some:?}");
}

#[test]
fn a_tenant_that_changes_comes_or_goes_is_a_row() {
    let tenant = |id: &str, name: Option<&str>, environment| Tenant {
        id: id.to_owned(),
        name: name.map(ToOwned::to_owned),
        environment,
    };
    let old = vec![tenant("1", Some("contoso.onmicrosoft.com"), Some(1)), tenant("2", None, None)];
    let new = vec![tenant("1", Some("contoso.onmicrosoft.com"), Some(2)), tenant("3", Some("eu"), Some(7))];
    let changed = rows(|facts, fact| facts.tenants = fact, &old, &new);
    assert_eq!(
        changed,
        [
            row("tenant", "2", "cloud unknown", "-"),
            row("tenant", "contoso.onmicrosoft.com", "Azure public cloud", "Azure US Government cloud"),
            row("tenant", "eu", "-", "Azure environment 7"),
        ]
    );
}

#[test]
fn a_feature_that_is_switched_or_is_new_is_a_row() {
    let feature = |name: &str, status| Feature { name: name.to_owned(), kind: Some(0), exposed: Some(1), status };
    let old = vec![feature("Cache", Some(0)), feature("Gateway", Some(1)), feature("Hub", Some(1))];
    let new = vec![feature("Cache", Some(1)), feature("Gateway", Some(1)), feature("New", None)];
    assert_eq!(
        rows(|facts, fact| facts.features = fact, &old, &new),
        [row("feature", "Cache", "off", "on"), row("feature", "Hub", "on", "-"), row("feature", "New", "-", "unknown")]
    );
}

#[test]
fn a_role_that_moves_is_gone_here_and_new_there() {
    let system = |name: &str| SiteSystem {
        site: site(),
        host: host(name),
        roles: vec![InstalledRole {
            role: serde_json::from_value("SMS Dmp Connector".into()).unwrap(),
            properties: None,
        }],
    };
    let moved = rows(|facts, fact| facts.site_systems = fact, &vec![system("cm01")], &vec![system("cm02")]);
    assert_eq!(
        moved,
        [
            row("role", "service connection point on cm01.contoso.com", "there", "-"),
            row("role", "service connection point on cm02.contoso.com", "-", "there"),
        ]
    );
}

#[test]
fn modes_sources_and_versions_are_rows() {
    let point = |online| vec![ServiceConnectionPoint { site: site(), host: host("cm01"), online }];
    let set = |facts: &mut Facts, fact| facts.service_connection_points = fact;
    let which = "on cm01.contoso.com in site PS1";
    let online = "the hierarchy has a service connection point in online mode";
    assert_eq!(
        rows(set, &point(Some(false)), &point(Some(true))),
        [
            row("service connection point", which, "offline", "online"),
            row("what endpoints depend on", online, "no", "yes"),
        ]
    );
    assert_eq!(rows(set, &point(Some(true)), &point(None))[0][3], "mode unknown");

    let source = |source, upstream: Option<&str>| {
        vec![SyncSource {
            site: site(),
            source,
            default_sup: None,
            upstream: upstream.map(host),
            upstream_port: None,
            upstream_tls: None,
        }]
    };
    let old = source(Some(SyncFrom::MicrosoftUpdate), None);
    let changed = rows(|facts, fact| facts.sync_sources = fact, &old, &source(Some(SyncFrom::Upstream), Some("wsus")));
    assert!(
        changed.contains(&row("source of software updates", "of site PS1", "Microsoft Update", "wsus.contoso.com")),
        "{changed:?}"
    );

    let version = |text: &str| {
        let version = Some(text.to_owned());
        vec![Site { code: site(), name: None, kind: None, parent: None, build: None, version, server: None }]
    };
    let updated = rows(|facts, fact| facts.sites = fact, &version("5.00.9128.1000"), &version("5.00.9146.1000"));
    assert_eq!(updated, [row("site", "PS1", "5.00.9128.1000", "5.00.9146.1000")]);
}

#[test]
fn what_is_unknown_on_one_side_is_no_drift_and_is_said() {
    let mut old = nothing();
    old.tenants = known(vec![Tenant { id: "1".to_owned(), name: None, environment: Some(1) }]);
    let (rows, unknown) = drift(&old, &nothing());
    let texts: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
    // What depends on it was yes, and nobody knows now.
    let registered = "the hierarchy is registered in a Microsoft Entra tenant";
    assert_eq!(texts, ["what endpoints depend on", registered, "yes", "unknown"]);
    assert!(unknown.iter().any(|text| text.starts_with("tenant: not known in one of the runs")), "{unknown:?}");
}
