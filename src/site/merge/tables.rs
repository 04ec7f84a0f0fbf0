//! What is special in a merge, by the names of facts and fields. A new fact is merged without being named here.

use serde_json::{Value, json};

use super::Place;

/// The fields that tell the rows of a list apart. Rows of a list that is not here are told apart by all they have.
pub(super) const KEYS: [(&str, &[&str]); 24] = [
    ("sites", &["code"]),
    ("site_databases", &["site"]),
    ("site_systems", &["site", "host"]),
    ("roles", &["role"]),
    ("site_system_proxies", &["site", "host"]),
    ("internet_names", &["site", "host"]),
    ("service_connection_points", &["site", "host"]),
    ("software_update_points", &["site", "host"]),
    ("sync_sources", &["site"]),
    ("distribution_points", &["site", "host"]),
    ("asset_intelligence", &["site", "host"]),
    ("cmgs", &["name"]),
    ("tenants", &["id"]),
    ("azure_environments", &["id"]),
    ("azure_services", &["name"]),
    ("entra_apps", &["client_id"]),
    ("default_client_settings", &["settings", "option"]),
    ("custom_client_settings", &["settings", "option"]),
    ("subscriptions", &["kind", "id"]),
    ("third_party_catalogs", &["name", "publisher"]),
    ("update_packages", &["name", "version"]),
    ("features", &["name", "kind"]),
    ("consoles", &["host"]),
    ("clients_by_system", &["system", "build"]),
];

/// Fields in which null is an answer: no parent, the default instance.
pub(super) const NULL_SAYS: [&str; 2] = ["parent", "instance"];

/// Fields that hold parts of their own, by name.
pub(super) const PARTS: [&str; 3] = ["properties", "hosts", "suffixes"];

/// Fields that need a value: where the databases differ, that of the first one is kept.
const NEEDED: [&str; 3] = ["parent", "instance", "host"];

/// Names, texts and days: they can make more endpoints needed, and rule none out. Of all other fields, what only a database
/// below the top says may do so.
pub(super) const GIVE_WAY: [&str; 19] = [
    "database",
    "default_sup",
    "deployment_name",
    "host",
    "last_seen",
    "last_sync",
    "name",
    "publisher",
    "region",
    "released",
    "secret_expires",
    "server",
    "server_version",
    "service_name",
    "settings",
    "storage_name",
    "system",
    "text",
    "upstream",
];

/// Numbers that count something, and are no ids and no ports.
pub(super) fn is_count(place: Place<'_>) -> bool {
    place.column == place.fact
        || matches!(place.fact, "co_managed_clients" | "microsoft_365_clients" | "online_clients" | "client_counts")
        || (place.fact == "clients_by_system" && place.column == "clients")
        || (place.fact == "store_for_business" && place.column == "accounts")
}

/// Whether two databases say the same. Small letters and capitals are told apart in no name that tells rows apart.
pub(super) fn is_same(column: &str, one: &Value, other: &Value) -> bool {
    let is_key = KEYS.iter().any(|(_, keys)| keys.contains(&column));
    match (one, other) {
        (Value::String(one), Value::String(other)) if is_key => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}

/// What stands in the place of a value on which the databases do not agree.
pub(super) fn instead(place: Place<'_>, first: &Value) -> Value {
    match (place.column, first) {
        ("setting", _) => json!({ "use": "unreadable" }),
        ("name", first) if place.fact == "internet_names" => first.clone(),
        (column, first) if NEEDED.contains(&column) => first.clone(),
        (_, Value::Object(fields)) if fields.contains_key("number") => json!({ "number": null, "text": null }),
        _ => Value::Null,
    }
}
