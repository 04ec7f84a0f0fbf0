//! Every fact, read from the lab's site database: the healthy hierarchy, each variant at the end of the replica, and
//! bad data.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod site_facts;
#[path = "facts/twice.rs"]
mod twice;

use std::collections::BTreeMap;
use std::time::Duration;

use cmcomply::settings::Settings;
use cmcomply::site::{Certificate, Fact, Facts, Network, Options, Secret, Server, SignIn, UnknownWhy, read};
use lab::site_database::{self, Fault, Rights, SiteDatabase};
use serde_json::Value;
use site_facts::{assert_contoso, known};
use tokio_util::sync::CancellationToken;

/// Facts that no object of a site database says.
const NOT_IN_SQL: [&str; 4] = ["tenant_attach", "endpoint_analytics", "notification_hosts", "revocation_restricted"];

async fn facts(options: site_database::Options) -> Facts {
    let (user, password) = (options.user.clone(), Secret::new(&options.password));
    // A deadlock victim is sent again, three times.
    let round_trips = if options.faults.is_empty() { 2 } else { 5 };
    let database = SiteDatabase::start(options).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), database.ca_pem()).unwrap();
    let options = Options {
        server: Server::parse(&format!("localhost,{}", database.address().port())).unwrap(),
        database: Some("CM_CAS".to_owned()),
        sign_in: SignIn::SqlLogin { user, password },
        certificate: Certificate::CaFile(ca.path().to_owned()),
        network: Network::default(),
        connect_timeout: Duration::from_secs(10),
        query_timeout: Duration::from_secs(20),
    };
    let facts = read(&options, CancellationToken::new()).await.unwrap();
    assert_eq!(database.statements().len(), round_trips);
    facts
}

async fn contoso() -> Facts {
    facts(site_database::Options::default()).await
}

/// A lab whose data has been changed by T-SQL.
async fn variant(sql: &str) -> Facts {
    facts(site_database::Options { variants: vec![sql.to_owned()], ..Default::default() }).await
}

fn why<T: std::fmt::Debug>(fact: &Fact<T>) -> UnknownWhy {
    match fact {
        Fact::Unknown { why, .. } => *why,
        other @ Fact::Known { .. } => panic!("not unknown: {other:?}"),
    }
}

/// The facts by name, as the run document has them.
fn by_name(facts: &Facts) -> BTreeMap<String, Value> {
    let mut all = serde_json::to_value(facts).unwrap().as_object().unwrap().clone();
    all.retain(|name, _| !matches!(name.as_str(), "connection" | "data_findings"));
    all.into_iter().collect()
}

/// The names of the facts whose values (not their sources) differ.
fn changed(facts: &Facts, from: &Facts) -> Vec<String> {
    let (now, before) = (by_name(facts), by_name(from));
    let value = |fact: &Value| (fact.get("state").cloned(), fact.get("value").cloned());
    now.into_iter().filter(|(name, fact)| value(fact) != value(&before[name])).map(|(name, _)| name).collect()
}

fn unknown(facts: &Facts) -> Vec<String> {
    by_name(facts).into_iter().filter(|(_, fact)| fact["state"] == "unknown").map(|(name, _)| name).collect()
}

#[tokio::test]
async fn all_that_the_database_can_tell_is_known() {
    let facts = contoso().await;
    assert_contoso(&facts);
    let mut not_in_sql = NOT_IN_SQL.map(str::to_owned);
    not_in_sql.sort();
    assert_eq!(unknown(&facts), not_in_sql);
    for (name, fact) in by_name(&facts) {
        let source = &fact["source"];
        assert!(source["missing_columns"].is_null(), "{name}: {source}");
    }
}

#[tokio::test]
async fn v1_an_offline_service_connection_point_changes_that_alone() {
    let facts = variant("UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';").await;
    assert_eq!(known(&facts.service_connection_points)[0].online, Some(false));
    // The same property stands in the list of roles.
    assert_eq!(changed(&facts, &contoso().await), ["service_connection_points", "site_systems"]);
    assert_eq!(facts.data_findings, []);
}

#[tokio::test]
async fn v2_renamed_objects_are_found_by_their_columns() {
    let renamed = [
        ("vSMS_AzureService", "cmgs"),
        ("vSMS_ISVCatalogs", "third_party_catalogs"),
        ("vSMS_ConsoleAdminsData", "consoles"),
        ("vSMS_AAD_Discovery_Settings", "entra_user_discovery"),
    ];
    let sql = renamed.map(|(object, _)| format!("EXEC sp_rename 'dbo.{object}', 'vElse_{object}';")).join("\nGO\n");
    let facts = variant(&sql).await;
    assert_eq!(changed(&facts, &contoso().await), [] as [&str; 0]);
    let all = by_name(&facts);
    for (object, fact) in renamed {
        assert_eq!(all[fact]["source"]["object"], format!("dbo.vElse_{object}"));
    }
}

/// A view in `dbo` with the columns by which gateways are found.
fn lookalike(name: &str, condition: &str) -> String {
    format!(
        "CREATE VIEW dbo.{name} AS SELECT AzureServiceID, Name, ServiceType, ServiceCName, Fqdn, Region, \
         AzureEnvironmentId, NumberOfInstances, State, StorageServiceName FROM repl.AzureService WHERE {condition};"
    )
}

#[tokio::test]
async fn several_objects_with_the_columns_of_a_fact_are_all_asked() {
    let whole = contoso().await;
    // An empty one says nothing, whatever its place in the order of names; a second one with the same rows no more.
    for (name, condition) in [("vAAA", "1 = 0"), ("vZZZ", "1 = 0"), ("vAAA", "1 = 1")] {
        let facts = variant(&lookalike(name, condition)).await;
        assert_eq!(changed(&facts, &whole), [] as [&str; 0], "{name} {condition}");
        assert_eq!(facts.data_findings, []);
    }
    // Nobody knows which of two is meant if they have different rows.
    let facts = variant(&lookalike("vAAA", "Name = N'BlueRidge'")).await;
    assert_eq!(changed(&facts, &whole), ["cmgs"]);
    let Fact::Unknown { why, detail } = &facts.cmgs else { panic!("{:?}", facts.cmgs) };
    assert_eq!(*why, UnknownWhy::NotEvidenced);
    assert!(detail.ends_with("not the same rows: dbo.vAAA, dbo.vSMS_AzureService"), "{detail}");
    // Nor is there no gateway while an object that cannot be asked may have one.
    let sql = ["EXEC sp_rename 'dbo.vSMS_AzureService', 'v Else';", &lookalike("vAAA", "1 = 0")].join("\nGO\n");
    let Fact::Unknown { detail, .. } = variant(&sql).await.cmgs else { panic!() };
    assert!(detail.contains("no rows in dbo.vAAA") && detail.ends_with("cannot be asked: v Else"), "{detail}");
}

#[tokio::test]
async fn v3_what_is_not_there_is_unknown_and_not_off() {
    let facts = variant("DROP VIEW dbo.vSMS_AAD_Discovery_Settings;\nGO\nDROP VIEW dbo.vSMS_ISVCatalogs;").await;
    assert_eq!(changed(&facts, &contoso().await), ["entra_user_discovery", "third_party_catalogs"]);
    assert_eq!(why(&facts.entra_user_discovery), UnknownWhy::NotThere);
    assert_eq!(why(&facts.third_party_catalogs), UnknownWhy::NotThere);

    // Without the list of connections, the inventory says where consoles are installed.
    let facts = variant("DROP VIEW dbo.vSMS_ConsoleAdminsData;").await;
    let [console] = known(&facts.consoles).as_slice() else { panic!("{:?}", facts.consoles) };
    assert_eq!((console.host.as_str(), console.last_seen), ("lt-002", None));
    assert!(matches!(&facts.consoles, Fact::Known { source, .. } if source.object.contains("v_Add_Remove_Programs")));
}

#[tokio::test]
async fn absent_empty_off_unsaid_and_not_visible_are_different_answers() {
    let absent = variant("DROP TABLE dbo.M365AProperties;\nGO\nDROP VIEW dbo.vProxy_Roles;").await;
    assert_eq!(
        (why(&absent.desktop_analytics), why(&absent.cmg_addresses)),
        (UnknownWhy::NotThere, UnknownWhy::NotThere)
    );
    let empty = variant("DELETE FROM dbo.CollectionAADGroupMapping;\nGO\nDELETE FROM repl.ISVCatalogs;").await;
    assert_eq!((known(&empty.group_syncs), known(&empty.third_party_catalogs).len()), (&0, 0));
    let off = variant(
        "UPDATE repl.ISVCatalogs SET SyncEnabled = 0;\nGO\nUPDATE dbo.DistributionPoints SET IsDoincEnabled = 0;\nGO\n\
         UPDATE repl.ClientAgentConfig SET DwordValue = 0;",
    )
    .await;
    assert!(known(&off.third_party_catalogs).iter().all(|c| c.synchronized == Some(false)));
    assert!(known(&off.distribution_points).iter().all(|d| d.connected_cache == Some(false)));
    assert!(known(&off.custom_client_settings).iter().all(|s| s.on == Some(false)));
    let unsaid = variant("UPDATE dbo.DistributionPoints SET IsDoincEnabled = NULL;").await;
    assert!(known(&unsaid.distribution_points).iter().all(|d| d.connected_cache.is_none()));
}

#[tokio::test]
async fn v4_the_us_government_cloud() {
    let sql = "UPDATE dbo.AAD_Tenant_Ex SET Environment = 2;\nGO\nUPDATE repl.AzureService SET AzureEnvironmentId = 2, \
               Fqdn = N'GraniteFalls.usgovcloudapp.net' WHERE Name = N'GraniteFalls';";
    let facts = variant(sql).await;
    assert_eq!(changed(&facts, &contoso().await), ["cmgs", "tenants"]);
    assert_eq!(known(&facts.tenants)[0].environment, Some(2));
    let granite = known(&facts.cmgs).iter().find(|cmg| cmg.environment == Some(2)).unwrap();
    assert_eq!(
        (granite.deployment_name.as_ref().unwrap().as_str(), granite.kind()),
        ("granitefalls.usgovcloudapp.net", None)
    );
    assert_eq!(facts.data_findings, []);
}

#[tokio::test]
async fn v5_the_reporting_role_knows_about_half() {
    let facts = facts(site_database::Options { rights: Rights::reporting_role(), ..Default::default() }).await;
    assert_eq!(facts.data_findings, []);
    assert_eq!(
        unknown(&facts),
        [
            "azure_environments",
            "azure_services",
            "cmg_addresses",
            "cmgs",
            "consoles",
            "custom_client_settings",
            "default_client_settings",
            "desktop_analytics",
            "endpoint_analytics",
            "entra_apps",
            "entra_user_discovery",
            "group_syncs",
            "notification_hosts",
            "notification_rules",
            "revocation_restricted",
            "service_connectors",
            "servicing_plans",
            "store_for_business",
            "sync_sources",
            "tenant_attach",
            "tenants",
            "third_party_catalogs",
        ]
    );
    // To a narrow login, what it does not see may be there.
    assert_eq!((why(&facts.cmgs), why(&facts.cmg_addresses)), (UnknownWhy::NotVisible, UnknownWhy::NotVisible));
    // What other objects say of the same: no names of categories, no states of updates, no word on Connected Cache.
    let whole = contoso().await;
    let ids = |facts: &Facts| known(&facts.subscriptions).iter().map(|s| s.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&facts), ids(&whole));
    assert!(known(&facts.subscriptions).iter().all(|s| s.name.is_none()));
    assert!(known(&facts.update_packages).iter().all(|p| p.name.is_some() && p.state.is_none()));
    assert!(known(&facts.distribution_points).iter().all(|d| d.connected_cache.is_none()));
    assert_eq!(known(&facts.distribution_points).len(), 4);
    assert_eq!(known(&facts.internet_names), known(&whole.internet_names));
    assert_eq!(known(&facts.client_counts), known(&whole.client_counts));
}

#[tokio::test]
async fn v6_a_stand_alone_primary() {
    let facts = variant(ALONE).await;
    assert_eq!(facts.data_findings, []);
    let [site] = known(&facts.sites).as_slice() else { panic!("{:?}", facts.sites) };
    assert_eq!((site.code.as_str(), &site.parent, known(&facts.this_site).as_str()), ("PS1", &None, "PS1"));
    assert_eq!(known(&facts.site_databases).len(), 1);
    assert!(known(&facts.site_systems).iter().all(|system| system.site.as_str() == "PS1"));
    assert_eq!(known(&facts.service_connection_points).len(), 0);
    assert_eq!(known(&facts.distribution_points).len(), 2);
}

/// Variant 6 in T-SQL: the central administration site, the other primary and the secondary site are gone.
const ALONE: &str = "\
DELETE FROM dbo.Sites WHERE SiteCode <> N'PS1';
GO
UPDATE dbo.Sites SET ReportToSite = N'';
GO
UPDATE dbo.SMSData SET ThisSiteCode = N'PS1';
GO
DELETE FROM dbo.SC_SysResUse WHERE SiteNumber <> 1;
GO
DELETE FROM dbo.SC_SiteDefinition WHERE SiteCode <> N'PS1';
GO
UPDATE dbo.SC_SiteDefinition SET ParentSiteCode = N'';
GO
DELETE FROM dbo.SysResList WHERE SiteCode <> N'PS1';
GO
DELETE FROM dbo.DistributionPoints WHERE SMSSiteCode <> N'PS1';
GO
DELETE FROM repl.AIProxy;";

#[tokio::test]
async fn v7_nothing_is_subscribed() {
    let facts = variant("UPDATE dbo.CI_UpdateCategorySubscription SET IsSubscribed = 0;").await;
    assert_eq!(known(&facts.subscriptions), &[]);
    assert_eq!(changed(&facts, &contoso().await), ["subscriptions"]);
}

#[tokio::test]
async fn a_cloud_distribution_point_is_no_server() {
    let sql = "INSERT dbo.SC_SysResUse (ID, SiteNumber, NALResType, NALPath, RoleTypeID, SslState) VALUES (7, 1, \
               N'Windows Azure', N'[\"Display=\\\\CDP.contoso.com\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\CDP.contoso.com\\', \
               3, 0);";
    let facts = variant(sql).await;
    let [point] = known(&facts.cloud_distribution_points).as_slice() else { panic!("{facts:?}") };
    assert_eq!((point.site.as_str(), point.host.as_ref().unwrap().as_str()), ("PS1", "cdp.contoso.com"));
    assert_eq!(changed(&facts, &contoso().await), ["cloud_distribution_points"]);
}

#[tokio::test]
async fn older_builds_lack_columns_and_cost_only_what_those_say() {
    let sql = "DROP TABLE dbo.DistributionPoints;\nGO\nCREATE VIEW dbo.DistributionPoints AS SELECT ID AS DPID, \
               ServerName, NALPath, SiteCode AS SMSSiteCode FROM repl.DistributionPointInfo;\nGO\n\
               DROP VIEW dbo.vSMS_AAD_Application_Ex;\nGO\nDROP TABLE dbo.AAD_Application_Ex;\nGO\nCREATE TABLE \
               dbo.AAD_Application_Ex (ID int, ClientID nvarchar(64));\nGO\nINSERT dbo.AAD_Application_Ex (ID, \
               ClientID) VALUES (1, N'aaaaaaaa-0000-4000-8000-000000000001');\nGO\n\
               DROP TABLE dbo.CI_LocalizedCategoryInstances;";
    let facts = variant(sql).await;
    let whole = contoso().await;
    assert_eq!(changed(&facts, &whole), ["distribution_points", "entra_apps", "subscriptions"]);
    let Fact::Known { value, source } = &facts.distribution_points else { panic!("{facts:?}") };
    assert_eq!(
        (value.len(), source.missing_columns.as_slice()),
        (4, &["Type".to_owned(), "IsDoincEnabled".to_owned()][..])
    );
    let [app] = known(&facts.entra_apps).as_slice() else { panic!("{:?}", facts.entra_apps) };
    assert_eq!((&app.name, app.secret_expires), (&None, None));
    assert_eq!(known(&facts.subscriptions).len(), 4);
}

#[tokio::test]
async fn one_object_that_fails_costs_one_fact() {
    let fault = Fault::Deadlock { containing: "AS always_internet".to_owned(), times: 9 };
    let facts = facts(site_database::Options { faults: vec![fault], ..Default::default() }).await;
    assert_eq!(changed(&facts, &contoso().await), ["client_counts"]);
    let Fact::Unknown { detail, .. } = &facts.client_counts else { panic!("{:?}", facts.client_counts) };
    assert!(detail.contains("error 1205"), "{detail}");
}

#[tokio::test]
async fn secrets_are_not_read_whatever_stands_in_them() {
    let canary = "CANARY-hunter2";
    let sql = format!(
        "UPDATE dbo.AAD_Application_Ex SET SecretKey = N'{canary}', SecretKeyForSCP = N'{canary}';\nGO\n\
         UPDATE repl.ISVCatalogs SET DownloadUrl = N'https://u:{canary}@updates.fabrikam.example/c.cab?sig={canary}';\nGO\n\
         UPDATE dbo.M365AProperties SET Value = N'{canary}';\nGO\n\
         UPDATE repl.ComponentPropertyLists SET Value = N'https://x.logic.azure.com/?sig={canary}';\nGO\n\
         UPDATE repl.ConsoleAdminsData SET UserName = N'{canary}';"
    );
    let facts = variant(&sql).await;
    assert!(!serde_json::to_string(&facts).unwrap().contains(canary));
    assert_eq!(known(&facts.third_party_catalogs)[0].download.as_ref().unwrap().port, 443);
    let bad = variant(&format!("UPDATE repl.ISVCatalogs SET DownloadUrl = N'sig={canary}';")).await;
    assert_eq!(bad.data_findings.len(), 2);
    assert!(!serde_json::to_string(&bad).unwrap().contains(canary), "{:?}", bad.data_findings);
}

#[tokio::test]
async fn secrets_in_names_and_urls_are_in_no_fact_and_no_finding() {
    let canary = "Hunter2Secret";
    let sql = format!(
        "UPDATE dbo.SC_SysResUse_Property SET Value2 = N'svc-proxy:{canary}@proxy.contoso.com' WHERE Name = \
         N'ProxyName';\nGO\n\
         UPDATE dbo.AzureEnvironments SET GatewayService = N'https://10.0.0.1/x?sv=1&sig={canary}' WHERE ID = 1;\nGO\n\
         UPDATE dbo.Sites SET SiteServer = N'https://u:{canary}@cm-cas/' WHERE SiteCode = N'CAS';"
    );
    let facts = variant(&sql).await;
    let json = serde_json::to_string(&facts).unwrap();
    assert!(!json.contains(canary) && !json.contains("svc-proxy"), "{:#?}", facts.data_findings);
    let mut found: Vec<_> = facts.data_findings.iter().map(|f| f.value.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, ["***@proxy.contoso.com", "https://***@cm-cas/", "https://10.0.0.1/x?***"]);
    // In the list of roles, what is no name is not kept.
    let names = known(&facts.site_systems)
        .iter()
        .flat_map(|system| &system.roles)
        .filter_map(|role| role.properties.as_ref().unwrap().get("ProxyName"));
    let texts: Vec<_> = names.map(|property| &property.text).collect();
    assert!(!texts.is_empty() && texts.iter().all(|text| text.is_none()), "{texts:?}");
}

#[tokio::test]
async fn bad_data_is_a_finding_with_its_place() {
    let sql = "UPDATE dbo.Sites SET ReportToSite = N'XXX' WHERE SiteCode = N'SS1';\nGO\n\
               UPDATE dbo.Sites SET BuildNumber = 99999 WHERE SiteCode = N'PS1';\nGO\n\
               UPDATE dbo.SC_SiteDefinition SET SQLServerName = N'<b>sql</b>' WHERE SiteCode = N'PS2';\nGO\n\
               UPDATE dbo.SysResList SET ServerRemoteName = N'sup contoso com' WHERE ServerRemoteName <> N'';\nGO\n\
               UPDATE repl.ConsoleAdminsData SET MachineName = N'lt\u{202e}001' WHERE ID = 1;\nGO\n\
               UPDATE dbo.DistributionPoints SET IsDoincEnabled = 7 WHERE SMSSiteCode = N'PS2';\nGO\n\
               UPDATE dbo.CI_CategoryInstances SET CategoryInstance_UniqueID = N'Product:Office' WHERE \
               CategoryInstanceID = 101;\nGO\n\
               INSERT repl.ProxyRoles (MutualAuthPath) VALUES (N'https://old.contoso.com/CCM_Proxy_MutualAuth/1');";
    let facts = variant(sql).await;
    let mut found: Vec<String> =
        facts.data_findings.iter().map(|f| format!("{} {} {}", f.object, f.column, f.value)).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "dbo.CI_CategoryInstances, dbo.CI_UpdateCategorySubscription, dbo.CI_LocalizedCategoryInstances unique_id Product:Office",
            "dbo.DistributionPoints connected_cache 7",
            "dbo.SysResList internet_name sup contoso com",
            "dbo.vProxy_Roles path old.contoso.com",
            "dbo.vSMS_ConsoleAdminsData machine_name lt\\u{202e}001",
            "dbo.v_SC_SiteDefinition sql_server_name <b>sql</b>",
            "dbo.v_Site build_number 99999",
            "dbo.v_Site parent_site_code XXX",
        ]
    );
    assert!(facts.data_findings.iter().all(|f| !f.problem.is_empty()));
    assert_eq!(known(&facts.internet_names), &[]);
    assert_eq!(known(&facts.sites)[1].build, None);
}

#[tokio::test]
async fn what_sql_cannot_say_is_stated_by_the_operator() {
    let text = "[stated]\ntenant_attach = true\nendpoint_analytics = false\nrevocation_restricted = false\n\
                notification_hosts = ['prod-01.westus2.logic.azure.com']\nconsoles = ['lt-007.corp.contoso.com']\n\
                entra_user_discovery = false";
    let settings = Settings::parse("cmcomply.toml", text).unwrap();
    let facts = contoso().await.state(&settings);
    assert_eq!(unknown(&facts), [] as [&str; 0]);
    let Fact::Known { value: true, source } = &facts.tenant_attach else { panic!("{:?}", facts.tenant_attach) };
    assert_eq!(source.object, "cmcomply.toml: tenant_attach");
    assert_eq!(known(&facts.consoles).len(), 3);
    // The database says that discovery is on, and that counts.
    assert_eq!(known(&facts.entra_user_discovery), &true);
    let [conflict] = facts.data_findings.as_slice() else { panic!("{:?}", facts.data_findings) };
    assert_eq!((conflict.object.as_str(), conflict.column.as_str()), ("cmcomply.toml", "entra_user_discovery"));
}
