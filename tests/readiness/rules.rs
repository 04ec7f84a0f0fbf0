//! Each rule is provoked alone and found alone; what is unknown is never taken for fine.

use std::collections::BTreeSet;

use cmcomply::assess::Verdict;
use cmcomply::assess::readiness::{HostFacts, RULES, Reading, Severity, State, calendar};
use cmcomply::catalog::{Catalog, CatalogRole, Context, Status};
use cmcomply::settings::{StatedReadiness, Workload};
use cmcomply::site::{Connection, Fact, Facts, ProxySetting, SqlCertificate, SqlSignIn, UnknownWhy};

use super::world::World;

/// What violates one rule and no other.
struct Provocation {
    rule: &'static str,
    /// T-SQL, on top of the hierarchy that is ready.
    sql: &'static str,
    target: &'static str,
    change: fn(&mut World),
}

const fn by_sql(rule: &'static str, sql: &'static str) -> Provocation {
    Provocation { rule, sql, target: "2603", change: |_| {} }
}

const fn by(rule: &'static str, change: fn(&mut World)) -> Provocation {
    Provocation { rule, sql: "", target: "2603", change }
}

fn known<T>(value: T) -> Reading<T> {
    Reading::Known { value }
}

/// One for each rule.
#[expect(clippy::too_many_lines, reason = "a table")]
fn provocations() -> Vec<Provocation> {
    vec![
        by("target-supported", |world| world.target.support_ends = "2026-11-24".parse().unwrap()),
        by_sql("sites-supported", "UPDATE dbo.Sites SET BuildNumber = 9135, Version = N'5.00.9135.1000';"),
        Provocation {
            change: |world| world.day = "2025-10-01".parse().unwrap(),
            ..by_sql("update-path", "UPDATE dbo.Sites SET BuildNumber = 9128, Version = N'5.00.9128.1000';")
        },
        Provocation {
            change: |world| world.day = "2026-09-01".parse().unwrap(),
            ..by_sql(
                "equal-builds",
                "UPDATE dbo.Sites SET BuildNumber = 9135, Version = N'5.00.9135.1000' WHERE SiteCode = N'SS1';",
            )
        },
        by_sql("update-listed", "DELETE FROM dbo.CM_UpdatePackages WHERE FullVersion = N'5.00.9146.1000';"),
        by_sql("service-connection-point", "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 23;"),
        by_sql(
            "service-connection-online",
            "UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';",
        ),
        by("cloud-contact", |world| {
            world.host("cm-cas").cloud_contact = known("2026-11-18T11:00:00Z".parse().unwrap());
        }),
        by_sql(
            "classic-gateway",
            "UPDATE repl.AzureService SET Fqdn = N'granitefalls.cloudapp.net' WHERE Name = N'GraniteFalls';",
        ),
        by_sql(
            "cloud-distribution-point",
            "INSERT dbo.SC_SysResUse (ID, SiteNumber, NALResType, NALPath, RoleTypeID, SslState) VALUES (7, 1, \
             N'Windows Azure', N'[\"Display=\\\\CDP.contoso.com\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\CDP.contoso.com\\', 3, 0);",
        ),
        by_sql(
            "secret-expired",
            "UPDATE dbo.AAD_Application_Ex SET SecretKeyExpiry = '2026-11-25T23:00:00' WHERE Name = N'ConfigMgr Server App';",
        ),
        by_sql(
            "secret-ends-soon",
            "UPDATE dbo.AAD_Application_Ex SET SecretKeyExpiry = '2027-01-24T09:00:00' WHERE Name = N'ConfigMgr Server App';",
        ),
        Provocation {
            target: "2509",
            change: |world| world.stated.compliance_workload = Some(Workload::Intune),
            ..by_sql("compliance-service", "")
        },
        by("https-or-enhanced-http", |world| world.stated.https_or_enhanced_http = Some(false)),
        by_sql(
            "store-for-business",
            "INSERT repl.WSfBConfigurationData (TenantID, ClientID) VALUES (N'11111111-2222-4333-8444-555555555555', N'x');",
        ),
        by_sql("desktop-analytics", "INSERT dbo.M365AProperties (Name, Value) VALUES (N'CommercialId', N'x');"),
        by("retired-connector", |world| world.stated.retired_connectors = Some(true)),
        by_sql(
            "removed-role",
            "UPDATE repl.RoleType SET RoleName = N'SMS Certificate Registration Point' WHERE RoleTypeID = 911;",
        ),
        by_sql(
            "deprecated-role",
            "UPDATE repl.RoleType SET RoleName = N'SMS Enrollment Server' WHERE RoleTypeID = 911;",
        ),
        by_sql(
            "asset-intelligence",
            "UPDATE repl.RoleType SET RoleName = N'AI Update Service Point' WHERE RoleTypeID = 911;",
        ),
        by_sql(
            "connected-cache-alone",
            "UPDATE dbo.DistributionPoints SET IsDoincEnabled = 1 WHERE SMSSiteCode = N'SS1';",
        ),
        by_sql("proxies-agree", "UPDATE dbo.SC_SysResUse_Property SET Value3 = 0 WHERE Name = N'UseProxyForADR';"),
        by("revocation-proxy", |world| {
            world.host("cm-cas").winhttp_proxy = Reading::Absent;
            world.observe(Verdict::Fail, |requirement, _| {
                requirement.context == Context::SystemWinhttp
                    && requirement.subject.host().is_some_and(|host| host.short() == "cm-cas")
            });
        }),
        by("management-point-tokens", |world| {
            world.observe(Verdict::Fail, |requirement, _| {
                requirement.role == CatalogRole::ManagementPoint && requirement.name.to_string() == "sts.windows.net"
            });
        }),
        by("successor-reached", |world| {
            let catalog = Catalog::embedded();
            let superseded = catalog.entries.iter().filter(|entry| entry.status == Status::Superseded);
            let successors: Vec<_> = superseded.filter_map(|old| old.replaced_by.as_ref()).collect();
            world.observe(Verdict::Fail, |requirement, _| successors.contains(&&requirement.entry));
        }),
        by("tls-suites", |world| {
            world.host("cm-cas").tls_suites = known(vec!["TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()]);
        }),
        by("strong-crypto", |world| {
            let key = r"Microsoft\.NETFramework\v4.0.30319\SchUseStrongCrypto".to_owned();
            assert!(world.host("cm-ps2").strong_crypto.insert(key, known(0)).is_some());
        }),
        by("trusted-roots", |world| {
            world.host("cm-cas").roots = Reading::Absent;
            world.observe(Verdict::Fail, |requirement, judgement| {
                requirement.subject.host().is_some_and(|host| host.short() == "cm-cas")
                    && judgement.probes.iter().any(|probe| probe.0.contains("//ctldl.windowsupdate.com:"))
            });
        }),
        by("odbc-driver", |world| world.host("cm-ps1").odbc_driver = known("18.6.1.1".parse().unwrap())),
        by("net-framework", |world| world.host("cm-ps1-sup").net_release = known(461_814)),
        by("windows-supported", |world| world.host("cm-ps1-dp2").windows = known("6.3.9600".parse().unwrap())),
        by("restart-pending", |world| world.host("cm-ps2").restart_pending = known(true)),
        by("update-source", |world| {
            world.host("cm-cas").update_source = known("https://fe2.update.microsoft.com/v6".to_owned());
        }),
    ]
}

/// The rules that are neither met nor needless.
fn open(world: &World) -> Vec<(String, State)> {
    let findings = world.findings().into_iter();
    let open = findings.filter(|finding| !matches!(finding.state, State::Met | State::DoesNotApply));
    open.map(|finding| (finding.rule, finding.state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_is_provoked_alone_and_found_alone() {
    let ready = World::new("", "2603").await;
    assert_eq!(open(&ready), []);
    let mut wrong = Vec::new();
    for Provocation { rule, sql, target, change } in provocations() {
        let mut world = if sql.is_empty() && target == "2603" { ready.clone() } else { World::new(sql, target).await };
        change(&mut world);
        let found = open(&world);
        if found != [(rule.to_owned(), State::NotMet)] {
            wrong.push(format!("{rule}: {found:?}"));
        }
    }
    assert_eq!(wrong, [] as [&str; 0]);
}

#[test]
fn each_rule_has_an_id_of_its_own_a_provocation_and_a_document() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    assert_eq!(provocations().iter().map(|one| one.rule).collect::<BTreeSet<_>>(), ids);
    for rule in RULES {
        let kebab = rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(kebab, "{}", rule.id);
        assert!(!rule.title.ends_with('.') && rule.remedy.ends_with('.'), "{}", rule.id);
        assert!(Catalog::embedded().documents.contains_key(&rule.source().document), "{}", rule.id);
    }
}

fn nothing_known() -> Facts {
    let connection = Connection {
        server: "cm01.contoso.com".to_owned(),
        database: "CM_CAS".to_owned(),
        server_version: None,
        certificate: SqlCertificate::MachineRoots,
        sign_in: SqlSignIn::SqlLogin { user: "reader".to_owned() },
    };
    Facts::unknown(connection, UnknownWhy::NotVisible, "not visible")
}

#[test]
fn nothing_is_met_of_which_nothing_is_known() {
    let mut world = World::of(nothing_known(), StatedReadiness::default(), "2603");
    world.hosts.clear();
    for finding in world.findings() {
        // The table of versions alone decides these.
        let decided = ["target-supported", "compliance-service"].contains(&finding.rule.as_str());
        // What needs nobody's endpoint cannot be told from what nobody knows; the endpoints themselves are incomplete.
        let expected = if decided { State::Met } else { State::Undecided };
        assert_eq!(finding.state, expected, "{}", finding.rule);
        assert_eq!(finding.leaves_open(), !decided && finding.severity != Severity::Info, "{}", finding.rule);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_does_not_say_is_undecided() {
    let ready = World::new("", "2603").await;
    let of_hosts = [
        "cloud-contact",
        "revocation-proxy",
        "tls-suites",
        "strong-crypto",
        "trusted-roots",
        "odbc-driver",
        "net-framework",
        "windows-supported",
        "restart-pending",
        "update-source",
    ];
    let undecided = of_hosts.map(|rule| (rule.to_owned(), State::Undecided));
    let unread = |facts: &HostFacts| HostFacts::unread(facts.host.clone(), facts.read);
    let old = |facts: &HostFacts| HostFacts { read: "2026-10-20T08:00:00Z".parse().unwrap(), ..facts.clone() };
    let unreadable = |facts: &HostFacts| {
        fn no<T>() -> Reading<T> {
            Reading::Unreadable { detail: "access is denied".to_owned() }
        }
        HostFacts {
            windows: no(),
            restart_pending: no(),
            net_release: no(),
            odbc_driver: no(),
            tls_versions: no(),
            tls_suites: no(),
            strong_crypto: facts.strong_crypto.keys().map(|key| (key.clone(), no())).collect(),
            roots: no(),
            winhttp_proxy: no(),
            update_source: no(),
            cloud_contact: no(),
            ..facts.clone()
        }
    };
    let to_come = |facts: &HostFacts| HostFacts { read: "2026-12-20T08:00:00Z".parse().unwrap(), ..facts.clone() };
    let changes: [&dyn Fn(&HostFacts) -> HostFacts; 4] = [&unread, &old, &to_come, &unreadable];
    for change in changes {
        let mut world = ready.clone();
        world.hosts = world.hosts.iter().map(change).collect();
        assert_eq!(open(&world), undecided);
    }
    let mut nobody = ready.clone();
    nobody.hosts.clear();
    assert_eq!(open(&nobody), undecided);
    // One server of many is enough, and what is wrong with another is still said.
    let mut one = ready.clone();
    one.host("cm-ps1").odbc_driver = Reading::NotRead;
    one.host("cm-ps2").odbc_driver = Reading::Absent;
    let finding = one.findings().into_iter().find(|finding| finding.rule == "odbc-driver").unwrap();
    assert_eq!((finding.state, finding.missing.len(), finding.leaves_open()), (State::NotMet, 1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_that_others_contradict_decides_nothing() {
    let gone = World::new("DELETE FROM repl.AzureService;", "2603").await;
    assert_eq!(open(&gone).first(), Some(&("classic-gateway".to_owned(), State::Undecided)));
    let no_servers = World::new("DELETE FROM dbo.SC_SysResUse;", "2603").await;
    let findings = no_servers.findings();
    for rule in ["removed-role", "asset-intelligence", "windows-supported", "net-framework", "strong-crypto"] {
        assert_eq!(findings.iter().find(|finding| finding.rule == rule).unwrap().state, State::Undecided, "{rule}");
    }
    let no_sites = World::new("DELETE FROM dbo.Sites;", "2603").await;
    for rule in ["sites-supported", "update-path", "equal-builds", "update-listed"] {
        let findings = no_sites.findings();
        assert_eq!(findings.iter().find(|finding| finding.rule == rule).unwrap().state, State::Undecided, "{rule}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calendar_has_what_matters_here_and_unannounced_days_last() {
    let said = |world: &World| -> Vec<(Option<String>, Option<i32>, String)> {
        let of = calendar(&world.case()).into_iter();
        of.map(|one| (one.day.map(|day| day.to_string()), one.in_days, one.what)).collect()
    };
    let ready = World::new("", "2603").await;
    let days = said(&ready);
    let expected = [
        (Some("2025-03-01"), "configmgrbits.azureedge.net is replaced"),
        (Some("2026-10-01"), "The service behind compliance checks goes away"),
        (Some("2027-05-12"), "support of version 2509 ends (in use)"),
        (Some("2027-11-05"), "support of version 2603 ends (the target)"),
        (Some("2028-01-10"), "the secret of ConfigMgr Server App ends"),
        (Some("2028-01-10"), "the secret of ConfigMgrSvc_00000000 ends"),
        (None, "Microsoft Connected Cache in Configuration Manager is deprecated"),
    ];
    assert_eq!(days.len(), expected.len(), "{days:?}");
    for ((day, _, what), (expected_day, beginning)) in days.iter().zip(expected) {
        assert_eq!(day.as_deref(), expected_day);
        assert!(what.starts_with(beginning), "{what}");
    }
    assert_eq!(days[1].1, Some(-55));
    // It matters up to a build, and under a condition; where that is unknown, it says so.
    let newer = World::new("UPDATE dbo.Sites SET BuildNumber = 9146, Version = N'5.00.9146.1000';", "2603").await;
    assert!(!said(&newer).iter().any(|(.., what)| what.contains("compliance checks")));
    let sql = "UPDATE dbo.Sites SET BuildNumber = CASE WHEN SiteCode = N'PS2' THEN NULL ELSE 9146 END, Version = NULL;";
    let half_known = World::new(sql, "2603").await;
    assert!(said(&half_known).iter().any(|(.., what)| what.contains("compliance checks")));
    let unsure = World::of(nothing_known(), StatedReadiness::default(), "2603");
    let store = said(&unsure).into_iter().find(|(.., what)| what.contains("Store for Business")).unwrap();
    assert!(store.2.contains("whether that matters here is unknown"), "{store:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_root_is_no_defect_where_windows_can_fetch_it() {
    let mut world = World::new("", "2603").await;
    world.host("cm-cas").roots = known(vec![]);
    assert_eq!(open(&world), [], "ctldl is reached");
    world.observe(Verdict::NotObserved, |_, judgement| {
        judgement.probes.iter().any(|probe| probe.0.contains("//ctldl.windowsupdate.com:"))
    });
    assert_eq!(open(&world), [("trusted-roots".to_owned(), State::Undecided)]);
    // What is waived is not reached.
    world.observe(Verdict::Waived, |requirement, judgement| {
        requirement.subject.host().is_some_and(|host| host.short() == "cm-cas")
            && judgement.probes.iter().any(|probe| probe.0.contains("//ctldl.windowsupdate.com:"))
    });
    assert_eq!(open(&world), [("trusted-roots".to_owned(), State::NotMet)]);
}

/// The rows of a fact, to be changed.
fn rows<T>(fact: &mut Fact<Vec<T>>) -> &mut Vec<T> {
    match fact {
        Fact::Known { value, .. } => value,
        Fact::Unknown { detail, .. } => panic!("{detail}"),
    }
}

/// Every software update point goes past its server's proxy.
fn past(world: &mut World) {
    for point in rows(&mut world.facts.software_update_points) {
        (point.use_proxy, point.use_proxy_for_adr) = (Some(false), Some(false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_row_says_is_undecided() {
    let ready = World::new("", "2603").await;
    let undecided = |change: fn(&mut World)| {
        let mut world = ready.clone();
        change(&mut world);
        open(&world)
    };
    let alone = |rule: &str| vec![(rule.to_owned(), State::Undecided)];
    // From where a site synchronizes, whose point goes past the proxy.
    let of_sites = |change: fn(&mut World)| undecided(change).into_iter().find(|(rule, _)| rule == "proxies-agree");
    let agree = alone("proxies-agree").pop();
    let gone = of_sites(|world| {
        past(world);
        rows(&mut world.facts.sync_sources).clear();
    });
    assert_eq!(gone, agree);
    let unsaid = of_sites(|world| {
        past(world);
        for source in rows(&mut world.facts.sync_sources) {
            source.source = None;
        }
    });
    assert_eq!(unsaid, agree);
    // Each site has a server.
    let no_site_server = undecided(|world| {
        for system in rows(&mut world.facts.site_systems) {
            system.roles.retain(|installed| !installed.role.database_name().starts_with("SMS "));
        }
    });
    for rule in ["restart-pending", "odbc-driver"] {
        assert!(no_site_server.contains(&(rule.to_owned(), State::Undecided)), "{rule}: {no_site_server:?}");
    }
    // The cloud is not reached tomorrow.
    assert_eq!(
        undecided(|world| world.host("cm-cas").cloud_contact = known("2026-12-20T08:00:00Z".parse().unwrap())),
        alone("cloud-contact")
    );
    // A cache server with other roles, maybe.
    let unlisted = undecided(|world| {
        let point = &mut rows(&mut world.facts.distribution_points)[0];
        point.connected_cache = Some(true);
        point.host = "cm-ps9-dp9.corp.contoso.com".parse().unwrap();
    });
    assert!(unlisted.contains(&("connected-cache-alone".to_owned(), State::Undecided)), "{unlisted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_waived_is_not_reached_for_a_rule() {
    let mut world = World::new("", "2603").await;
    world.observe(Verdict::Waived, |requirement, _| {
        requirement.role == CatalogRole::ManagementPoint && requirement.name.to_string() == "sts.windows.net"
    });
    assert_eq!(open(&world), [("management-point-tokens".to_owned(), State::NotMet)]);
    let mut world = World::new("", "2603").await;
    world.host("cm-cas").winhttp_proxy = Reading::Absent;
    world.observe(Verdict::Waived, |requirement, _| {
        requirement.context == Context::SystemWinhttp
            && requirement.subject.host().is_some_and(|host| host.short() == "cm-cas")
    });
    assert_eq!(open(&world), [("revocation-proxy".to_owned(), State::NotMet)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_said_is_not_taken_for_no() {
    let ready = World::new("", "2603").await;
    let undecided = |rule: &str, change: fn(&mut World)| {
        let mut world = ready.clone();
        change(&mut world);
        let found = open(&world);
        assert_eq!(found, [(rule.to_owned(), State::Undecided)]);
    };
    // A server without a proxy, whose update point says nothing.
    undecided("proxies-agree", |world| {
        for proxy in rows(&mut world.facts.site_system_proxies) {
            proxy.setting = ProxySetting::Direct;
        }
        for point in rows(&mut world.facts.software_update_points) {
            (point.use_proxy, point.use_proxy_for_adr) = (Some(false), Some(false));
        }
        rows(&mut world.facts.software_update_points)[0].use_proxy_for_adr = None;
    });
    undecided("restart-pending", |world| world.host("cm-ps2").restart_pending = Reading::Absent);
    undecided("update-source", |world| {
        let site = rows(&mut world.facts.software_update_points)[0].site.clone();
        rows(&mut world.facts.sync_sources).retain(|source| source.site != site);
    });
    undecided("service-connection-point", |world| {
        let site = rows(&mut world.facts.service_connection_points)[0].site.clone();
        rows(&mut world.facts.sites).retain(|one| one.code != site);
    });
}

/// What the database of a lower site says may not be all.
fn may_lack<T>(fact: &mut Fact<T>) {
    if let Fact::Known { source, .. } = fact {
        source.may_lack = Some("read from below".to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_all_proves_nothing_of_the_rest() {
    let mut world = World::new("", "2603").await;
    let facts = &mut world.facts;
    may_lack(&mut facts.sites);
    may_lack(&mut facts.site_systems);
    may_lack(&mut facts.service_connection_points);
    may_lack(&mut facts.software_update_points);
    may_lack(&mut facts.sync_sources);
    may_lack(&mut facts.distribution_points);
    may_lack(&mut facts.cmgs);
    may_lack(&mut facts.cloud_distribution_points);
    may_lack(&mut facts.entra_apps);
    may_lack(&mut facts.store_for_business);
    may_lack(&mut facts.desktop_analytics);
    may_lack(&mut facts.azure_services);
    may_lack(&mut facts.update_packages);
    let found = open(&world);
    for rule in [
        "sites-supported",
        "update-path",
        "equal-builds",
        "service-connection-point",
        "service-connection-online",
        "cloud-contact",
        "classic-gateway",
        "cloud-distribution-point",
        "secret-expired",
        "secret-ends-soon",
        "store-for-business",
        "desktop-analytics",
        "retired-connector",
        "removed-role",
        "deprecated-role",
        "asset-intelligence",
        "connected-cache-alone",
        "proxies-agree",
        "revocation-proxy",
        "strong-crypto",
        "odbc-driver",
        "net-framework",
        "windows-supported",
        "restart-pending",
        "update-source",
    ] {
        assert!(found.contains(&(rule.to_owned(), State::Undecided)), "{rule}: {found:?}");
    }
    // An update that is listed is there; one that is not may be.
    assert!(!found.iter().any(|(rule, _)| rule == "update-listed"), "{found:?}");
    rows(&mut world.facts.update_packages).clear();
    assert!(open(&world).contains(&("update-listed".to_owned(), State::Undecided)));
    // What is seen and wrong stays wrong.
    rows(&mut world.facts.entra_apps)[0].secret_expires = Some("2026-01-10T09:00:00".parse().unwrap());
    assert!(open(&world).contains(&("secret-expired".to_owned(), State::NotMet)));
}
