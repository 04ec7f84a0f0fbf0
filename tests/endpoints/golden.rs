//! The set of Contoso and what each variant of its database changes, as files that a person has looked at.

use std::collections::BTreeSet;

use cmcomply::catalog::{Catalog, Cloud, EntryId};
use lab::site_database::{Options, Rights};
use serde_json::Value;

use super::{Place, line, rows};

async fn set(place: &Place) -> BTreeSet<String> {
    rows(&place.document(&[]).await).iter().map(line).collect()
}

fn golden(name: &str, lines: &[String]) {
    insta::with_settings!({ snapshot_path => ".", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, lines.join("\n"));
    });
}

/// The primary site alone, which now has the service connection point and synchronizes from Microsoft Update itself.
const STAND_ALONE: &str = r#"
DELETE FROM dbo.Sites WHERE SiteCode IN (N'CAS', N'PS2', N'SS1');
DELETE FROM dbo.SC_SiteDefinition WHERE SiteCode IN (N'CAS', N'PS2', N'SS1');
UPDATE dbo.Sites SET ReportToSite = N'';
UPDATE dbo.SC_SiteDefinition SET ParentSiteCode = N'';
UPDATE dbo.SMSData SET ThisSiteCode = N'PS1';
UPDATE dbo.SC_SysResUse SET SiteNumber = 1,
    NALPath = N'["Display=\\CM-PS1.corp.contoso.com\"]MSWNET:["SMS_SITE=PS1"]\\CM-PS1.corp.contoso.com\'
    WHERE RoleTypeID = 23;
DELETE FROM repl.SUPSyncStatus WHERE SiteCode <> N'PS1';
UPDATE repl.SUPSyncStatus SET WSUSSourceServer = N'Microsoft Update';
UPDATE dbo.SC_Component_Property SET Value3 = 0 WHERE Name = N'DefaultUseParentWSUS';
UPDATE dbo.SC_Component_Property SET Value2 = N'' WHERE Name = N'ParentWSUS';
DELETE FROM repl.CloudProxyConnector WHERE SiteCode <> N'PS1';
"#;

/// Each variant of the replica, and what its set must not have.
const VARIANTS: [(&str, &str); 8] = [
    ("offline", "UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';"),
    ("no-discovery-object", "DROP VIEW dbo.vSMS_AAD_Discovery_Settings;"),
    (
        "us-government",
        "UPDATE dbo.AAD_Tenant_Ex SET Environment = 2;\nUPDATE repl.AzureService SET AzureEnvironmentId = 2, \
         Fqdn = N'GraniteFalls.usgovcloudapp.net' WHERE Name = N'GraniteFalls';",
    ),
    ("no-subscription", "UPDATE dbo.CI_UpdateCategorySubscription SET IsSubscribed = 0;"),
    ("no-gateway", "DELETE FROM repl.AzureService;"),
    (
        "no-entra-tenant",
        "DELETE FROM dbo.AAD_Tenant_Ex;\nDELETE FROM repl.AzureService;\nDELETE FROM repl.CoManagementSettings;",
    ),
    // Another name for an object that is found by its columns changes nothing.
    ("renamed-object", "EXEC sp_rename 'dbo.vSMS_AzureService', 'vSomethingElse';"),
    ("stand-alone-primary", STAND_ALONE),
];

#[tokio::test(flavor = "multi_thread")]
async fn contoso_and_each_variant_have_exactly_these_endpoints() {
    let contoso = set(&Place::contoso().await).await;
    golden("contoso", &contoso.iter().cloned().collect::<Vec<_>>());
    for (name, sql) in VARIANTS {
        let changed = set(&Place::variant(sql).await).await;
        let gone = contoso.difference(&changed).map(|line| format!("- {line}"));
        let new = changed.difference(&contoso).map(|line| format!("+ {line}"));
        golden(name, &gone.chain(new).collect::<Vec<_>>());
    }
}

/// Every change that the replica's own list of variants has, and how it is shown here.
#[test]
fn every_variant_of_the_replica_is_here() {
    let replica = include_str!("../lab/replica.sql");
    let (_, list) = replica.rsplit_once("VARIANTS for tests").unwrap();
    let numbers: Vec<&str> = list.lines().filter_map(|line| line.trim_start().split(' ').next()).collect();
    let numbers: Vec<&str> = numbers.into_iter().filter(|word| word.len() == 2 && word.starts_with('V')).collect();
    // V5 is a reader with fewer rights, and has a test of its own.
    let shown = [
        ("V1", "offline"),
        ("V2", "renamed-object"),
        ("V3", "no-discovery-object"),
        ("V4", "us-government"),
        ("V5", ""),
        ("V6", "stand-alone-primary"),
        ("V7", "no-subscription"),
    ];
    assert_eq!(numbers, shown.map(|(number, _)| number));
    for (_, name) in shown {
        assert!(name.is_empty() || VARIANTS.iter().any(|(known, _)| *known == name), "{name}");
    }
}

/// Whom the reporting role keeps from reading loses certainty and no endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_with_the_reporting_role_loses_nothing_but_certainty() {
    let options = Options { rights: Rights::reporting_role(), ..Options::default() };
    let document = Place::of(options).await.document(&[]).await;
    let entries = |document: &Value| -> BTreeSet<String> {
        rows(document).iter().map(|row| row["entry"].as_str().unwrap().to_owned()).collect()
    };
    let contoso = entries(&Place::contoso().await.document(&[]).await);
    // The template of a classic gateway's ports is there too: nobody can tell that there is none.
    assert_eq!(contoso.difference(&entries(&document)).collect::<Vec<_>>(), [] as [&String; 0]);
    let all: Vec<String> = rows(&document).iter().map(line).collect();
    assert!(all.iter().any(|line| line.starts_with("undecided ")), "{all:#?}");
    golden("reporting-role", &all.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_service_connection_point_needs_none_of_its_own() {
    let offline = set(&Place::variant(VARIANTS[0].1).await).await;
    let own: Vec<&String> = offline.iter().filter(|line| line.contains("service-connection-point:")).collect();
    assert_eq!(own, [] as [&String; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_us_government_hierarchy_has_no_endpoint_of_the_public_cloud_alone() {
    let sql = "UPDATE dbo.AAD_Tenant_Ex SET Environment = 2;\nUPDATE repl.AzureService SET AzureEnvironmentId = 2;";
    let document = Place::variant(sql).await.document(&[]).await;
    let public: Vec<String> = rows(&document)
        .iter()
        .filter(|row| {
            let id = EntryId(row["entry"].as_str().unwrap().to_owned());
            Catalog::embedded().entry(&id).unwrap().clouds == [Cloud::Public]
        })
        .map(line)
        .collect();
    assert_eq!(public, [] as [String; 0]);
    let all: BTreeSet<String> = rows(&document).iter().map(line).collect();
    assert!(all.iter().any(|line| line.contains("login.microsoftonline.us")));
    assert!(!all.iter().any(|line| line.contains("login.microsoftonline.com")), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_gone_takes_nothing_away() {
    let bare = |set: BTreeSet<String>| -> BTreeSet<String> {
        set.into_iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    };
    let contoso = bare(set(&Place::contoso().await).await);
    let without = bare(set(&Place::variant(VARIANTS[1].1).await).await);
    assert_eq!(contoso.difference(&without).collect::<Vec<_>>(), [] as [&String; 0]);
}
