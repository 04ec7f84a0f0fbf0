//! What goes over the wire is what `queries/` says, and nothing else.

use std::path::{Path, PathBuf};

use crate::lab;
use lab::site_database;

#[tokio::test]
async fn what_is_sent_is_what_the_query_files_say() {
    let mut lab = lab(site_database::Options::default()).await;
    lab.options.database = Some("CM_CAS".to_owned());
    lab.facts().await;
    let [discovery, facts] = &lab.database.statements()[..] else { panic!() };

    // The first candidate of each file, with all its columns, and the name that was found in brackets.
    let first = |name: &str| statements(name).remove(0).replace("dbo.vSMS_Az", "dbo.[vSMS_Az");
    let bracketed = |sql: String| {
        sql.replace("AzureService AS", "AzureService] AS")
            .replace("dbo.vSMS_AAD_Discovery_Settings AS", "dbo.[vSMS_AAD_Discovery_Settings] AS")
            .replace("dbo.vSMS_ISVCatalogs AS", "dbo.[vSMS_ISVCatalogs] AS")
            .replace("dbo.vSMS_ConsoleAdminsData AS", "dbo.[vSMS_ConsoleAdminsData] AS")
    };
    let preamble = statements("session").remove(0);
    assert_eq!(discovery.lines().take(4).collect::<Vec<_>>().join("\n"), preamble);
    assert_eq!(enclosed(discovery), ["server", "discover", "discover_signatures"].map(first));
    let order = [
        "this_site",
        "sites",
        "site_databases",
        "site_systems",
        "role_properties",
        "site_system_proxies",
        "internet_names",
        "service_connection_points",
        "software_update_points",
        "sync_sources",
        "distribution_points",
        "asset_intelligence",
        "cmg_connection_points",
        "cmgs",
        "cmg_addresses",
        "cloud_distribution_points",
        "tenants",
        "azure_environments",
        "azure_services",
        "entra_apps",
        "entra_user_discovery",
        "group_syncs",
        "co_management_policies",
        "intune_accounts",
        "service_connectors",
        "desktop_analytics",
        "store_for_business",
        "default_client_settings",
        "custom_client_settings",
        "subscriptions",
        "servicing_plans",
        "edge_policies",
        "third_party_catalogs",
        "update_packages",
        "features",
        "notification_rules",
        "online_clients",
        "co_managed_clients",
        "microsoft_365_clients",
        "clients_by_system",
        "consoles",
        "client_counts",
    ];
    assert_eq!(enclosed(facts), order.map(|name| bracketed(first(name))));
    let files = std::fs::read_dir(queries()).unwrap().count();
    assert_eq!(files, order.len() + 7, "session, server, databases, two for discovery, and two of run-script");

    // Around the statements stands nothing but what catches their errors.
    for line in discovery.lines().skip(4).chain(facts.lines()).filter(|l| !l.starts_with([' ', ')'])) {
        if let Some(end) = line.strip_prefix("SELECT 1 AS end_") {
            assert!(
                end.strip_suffix(';').is_some_and(|fact| fact.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
            );
            continue;
        }
        let known = ["BEGIN TRY", "END TRY", "BEGIN CATCH", "END CATCH;", "EXEC sys.sp_executesql N'SELECT"];
        let sql = ["SELECT 1 AS error_", "FROM ", "JOIN ", "LEFT JOIN ", "WHERE ", "GROUP BY ", "SELECT"];
        assert!(known.contains(&line) || sql.iter().any(|start| line.starts_with(start)), "{line}");
    }
}

fn queries() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("queries")
}

/// The statements of a query file, read without the product's own parser: no comments, no marks.
fn statements(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(queries().join(name).with_extension("sql")).unwrap();
    let mut parts = text.split("-- candidate:");
    let mut found: Vec<&str> = parts.by_ref().collect();
    if found.len() > 1 {
        found.remove(0);
    }
    let bare = |part: &str| {
        let skip = usize::from(!part.starts_with("--"));
        let lines = part.lines().skip(skip).filter(|line| !line.trim_start().starts_with("--") && !line.is_empty());
        lines.map(|line| line.trim_end_matches(" -- optional")).collect::<Vec<_>>().join("\n")
    };
    found.into_iter().map(bare).collect()
}

/// The texts inside `N'…'` of the calls in a batch.
fn enclosed(batch: &str) -> Vec<String> {
    let calls = batch.split("EXEC sys.sp_executesql N'").skip(1);
    calls.map(|call| call.split("';\nSELECT 1 AS end_").next().unwrap().replace("''", "'")).collect()
}
