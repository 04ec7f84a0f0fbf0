//! Every column of every fact with a value that it must not have: each is a finding of that column.

use std::sync::Arc;

use super::super::fact::Source;
use super::super::facts::DataFinding;
use super::super::query::{FACTS, QueryFile};
use super::super::read::{Answers, Raw};
use super::super::value::{Row, Value};
use super::any::connection;

/// Columns that only tell rows apart.
const NOT_READ: [(&str, &str); 5] = [
    ("cmgs", "service_id"),
    ("azure_services", "id"),
    ("entra_user_discovery", "cloud_service_id"),
    // Of the subquery, and no column of the result.
    ("online_clients", "place"),
    ("online_clients", "x"),
];

/// What stands in a column where nothing is wrong.
fn good(fact: &str, column: &str) -> Value {
    let text = match (fact, column) {
        (_, "site_code") => "PS1",
        (_, "parent_site_code" | "nal_path" | "resource_type" | "text1" | "text2") => return Value::Null,
        (_, "server_name" | "machine_name" | "sql_server_name" | "internet_name") => "cm01.contoso.com",
        (_, "service_name" | "deployment_name" | "storage_name") => "granitefalls.contoso.com",
        (_, "role_name") => "SMS Site System",
        (_, "property_name") => "AllowCMG",
        (_, "service_type") if fact == "cmgs" => "CloudProxyService",
        (_, "tenant_id" | "client_id") => "11111111-2222-4333-8444-555555555555",
        (_, "unique_id") => "Product:30eb551c-6288-4716-9a78-f300ec36d72b",
        ("subscriptions", "kind") => "Product",
        (_, "path" | "download_url") => "https://cmg.contoso.com/x",
        ("azure_environments", column) if column.ends_with("_suffix") => "core.windows.net",
        ("azure_environments", column) if !matches!(column, "id" | "environment_name") => "https://a.contoso.com/",
        (_, "secret_expires" | "last_seen" | "last_sync" | "released") => "2024-06-30T04:00:00",
        (_, "version") => "5.00.9128.1000",
        (_, "build_number") => return Value::Number(9128),
        _ => return Value::Number(1),
    };
    Value::Text(text.to_owned())
}

/// The findings where one column of the only row has this value.
fn findings(file: &QueryFile, changed: Option<(&str, &Value)>) -> Vec<DataFinding> {
    let candidate = &file.candidates[0];
    let names: Arc<[String]> = candidate.results().into_iter().map(str::to_owned).collect();
    let value = |name: &String| match changed {
        Some((column, value)) if column == name.as_str() => value.clone(),
        // The path is read where there is no name.
        Some(("nal_path", _)) if name == "server_name" => Value::Null,
        _ => good(&file.fact, name),
    };
    let rows = vec![Row::new(names.clone(), names.iter().map(value).collect())];
    let columns = candidate.aliases().map(|(alias, column)| (alias.to_owned(), column.to_owned())).collect();
    let raw = Raw::Rows { rows, source: Source::of("dbo.vTest"), columns };
    super::facts(connection(), Answers::from([(file.fact.clone(), raw)])).data_findings
}

/// Every fact with each of its columns.
fn columns() -> impl Iterator<Item = (&'static QueryFile, &'static str)> {
    FACTS.iter().flat_map(|file| file.candidates[0].results().into_iter().map(move |column| (file, column))).filter(
        |(file, column)| *column != format!("fact_{}", file.fact) && !NOT_READ.contains(&(file.fact.as_str(), *column)),
    )
}

#[test]
fn a_row_in_which_nothing_is_wrong_has_no_finding() {
    for file in FACTS.iter() {
        assert_eq!(findings(file, None), [], "{}", file.fact);
    }
}

#[test]
fn a_megabyte_and_an_odd_type_are_findings_of_every_column() {
    let mut looked = 0;
    for (file, column) in columns() {
        for value in [Value::TooLong(1 << 20, "x\u{1b}".repeat(40)), Value::Other("binary")] {
            let found = findings(file, Some((column, &value)));
            let is_it = |finding: &&DataFinding| finding.column == column && finding.object == "dbo.vTest";
            let finding = found.iter().find(is_it).unwrap_or_else(|| panic!("{} {column}: {found:?}", file.fact));
            assert!(finding.value.len() < 1000 && finding.value.is_ascii(), "{} {column}: {finding:?}", file.fact);
            looked += 1;
        }
    }
    assert!(looked > 200, "{looked}");
}

#[test]
fn null_where_none_is_expected_is_a_finding() {
    for (fact, column) in [
        ("this_site", "site_code"),
        ("sites", "site_code"),
        ("site_databases", "site_code"),
        ("site_databases", "sql_server_name"),
        ("site_systems", "site_code"),
        ("site_systems", "server_name"),
        ("site_systems", "role_name"),
        ("role_properties", "role_name"),
        ("site_system_proxies", "server_name"),
        ("internet_names", "server_name"),
        ("service_connection_points", "server_name"),
        ("software_update_points", "site_code"),
        ("sync_sources", "site_code"),
        ("cmg_connection_points", "server_name"),
        ("distribution_points", "server_name"),
        ("cloud_distribution_points", "site_code"),
        ("cmgs", "service_type"),
        ("tenants", "tenant_id"),
        ("entra_apps", "client_id"),
        ("azure_environments", "id"),
        ("custom_client_settings", "property_name"),
        ("subscriptions", "unique_id"),
        ("features", "name"),
        ("consoles", "machine_name"),
        ("clients_by_system", "clients"),
    ] {
        let file = FACTS.iter().find(|file| file.fact == fact).unwrap();
        let found = findings(file, Some((column, &Value::Null)));
        let [finding] = found.as_slice() else { panic!("{fact} {column}: {found:?}") };
        assert_eq!((finding.column.as_str(), finding.value.as_str()), (column, "NULL"), "{fact}");
    }
}
