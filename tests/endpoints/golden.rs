//! The set of Contoso and what each variant of its database changes, as files that a person has looked at.

use std::collections::BTreeSet;

use cmcomply::catalog::{Catalog, Cloud, EntryId};

use super::{Place, line, rows};

async fn set(place: &Place) -> BTreeSet<String> {
    rows(&place.document(&[]).await).iter().map(line).collect()
}

fn golden(name: &str, lines: &[String]) {
    insta::with_settings!({ snapshot_path => ".", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, lines.join("\n"));
    });
}

/// Each variant of the replica, and what its set must not have.
const VARIANTS: [(&str, &str); 6] = [
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
