//! Rows to facts. A value that is not what it should be becomes a data finding and is used nowhere.

#[cfg(test)]
pub(super) mod any;
mod cells;
mod clients;
mod cloud;
mod contradictions;
mod counts;
mod entra;
#[cfg(test)]
mod every_column;
mod machines;
mod properties;
mod servers;
mod sites;
mod subscriptions;
mod systems;
mod updates;

use super::fact::{Fact, UnknownWhy};
use super::facts::{Connection, DataFinding, Facts};
use super::read::{Answers, Raw};
use super::value::Row;
use cells::Findings;

/// Understands all answers.
pub(super) fn facts(connection: Connection, mut answers: Answers) -> Facts {
    let mut findings = Findings::default();
    machines::join(&mut answers, &mut findings);
    let mut take = |fact: &str| {
        let detail = || "it was not asked for".to_owned();
        answers.remove(fact).unwrap_or_else(|| Raw::Unknown { why: UnknownWhy::QueryFailed, detail: detail() })
    };
    let notes = &mut findings;
    let this_site = sites::this_site(take("this_site"), notes);
    let sites = sites::sites(take("sites"), notes);
    let properties = systems::role_properties(take("role_properties"), notes);
    let site_systems = systems::site_systems(take("site_systems"), properties.as_ref(), notes);
    let site_system_proxies = systems::site_system_proxies(take("site_system_proxies"), notes);
    let service_connection_points = systems::service_connection_points(take("service_connection_points"), notes);
    let cmg_connection_points = systems::cmg_connection_points(take("cmg_connection_points"), notes);
    let software_update_points = updates::software_update_points(take("software_update_points"), notes);
    let sync_sources = updates::sync_sources(take("sync_sources"), notes);
    let cmgs = cloud::cmgs(take("cmgs"), notes);
    let tenants = cloud::tenants(take("tenants"), notes);
    let azure_environments = cloud::azure_environments(take("azure_environments"), notes);
    let entra_user_discovery = cloud::entra_user_discovery(take("entra_user_discovery"), notes);
    let mut facts = Facts {
        this_site,
        sites,
        site_databases: servers::site_databases(take("site_databases"), notes),
        site_systems,
        site_system_proxies,
        internet_names: servers::internet_names(take("internet_names"), notes),
        service_connection_points,
        software_update_points,
        sync_sources,
        distribution_points: servers::distribution_points(take("distribution_points"), notes),
        asset_intelligence: servers::asset_intelligence(take("asset_intelligence"), notes),
        cmg_connection_points,
        cmgs,
        cmg_addresses: entra::cmg_addresses(take("cmg_addresses"), notes),
        cloud_distribution_points: entra::cloud_distribution_points(take("cloud_distribution_points"), notes),
        tenants,
        azure_environments,
        azure_services: entra::azure_services(take("azure_services"), notes),
        entra_apps: entra::entra_apps(take("entra_apps"), notes),
        entra_user_discovery,
        group_syncs: counts::amount(take("group_syncs"), notes),
        co_management_policies: counts::amount(take("co_management_policies"), notes),
        co_managed_clients: counts::co_managed_clients(take("co_managed_clients"), notes),
        intune_accounts: counts::amount(take("intune_accounts"), notes),
        service_connectors: counts::amount(take("service_connectors"), notes),
        desktop_analytics: counts::amount(take("desktop_analytics"), notes),
        store_for_business: counts::store_for_business(take("store_for_business"), notes),
        default_client_settings: clients::client_settings(take("default_client_settings"), notes),
        custom_client_settings: clients::client_settings(take("custom_client_settings"), notes),
        subscriptions: subscriptions::subscriptions(take("subscriptions"), notes),
        servicing_plans: counts::amount(take("servicing_plans"), notes),
        edge_policies: counts::amount(take("edge_policies"), notes),
        third_party_catalogs: subscriptions::third_party_catalogs(take("third_party_catalogs"), notes),
        update_packages: subscriptions::update_packages(take("update_packages"), notes),
        features: subscriptions::features(take("features"), notes),
        notification_rules: counts::amount(take("notification_rules"), notes),
        online_clients: counts::online_clients(take("online_clients"), notes),
        microsoft_365_clients: counts::microsoft_365_clients(take("microsoft_365_clients"), notes),
        clients_by_system: counts::clients_by_system(take("clients_by_system"), notes),
        consoles: clients::consoles(take("consoles"), notes),
        client_counts: counts::client_counts(take("client_counts"), notes),
        // The rest is in no object of a site database.
        ..Facts::unknown(connection, UnknownWhy::NotEvidenced, NOT_IN_SQL)
    };
    contradictions::find(&facts, &mut findings);
    facts.data_findings = findings.into_list();
    facts.seen_from_here()
}

/// What in these facts cannot all be true.
pub(super) fn contradictions(facts: &Facts) -> Vec<DataFinding> {
    let mut findings = Findings::default();
    contradictions::find(facts, &mut findings);
    findings.into_list()
}

/// Tenant attach, endpoint analytics, where notifications go, how the network treats revocation lists.
const NOT_IN_SQL: &str = "no object of a site database says it";

/// The fact that `read` makes of the rows of an object; an unknown one stays unknown.
fn known<T>(raw: Raw, read: impl FnOnce(&[Row], &str) -> T) -> Fact<T> {
    match raw {
        Raw::Rows { rows, mut source, .. } => {
            source.no_rows = rows.is_empty();
            Fact::Known { value: read(&rows, &source.object), source }
        }
        Raw::Unknown { why, detail } => Fact::Unknown { why, detail },
    }
}

#[cfg(test)]
mod test_rows {
    use super::super::fact::Source;
    use super::super::facts::DataFinding;
    use super::super::read::Raw;
    use super::super::value::{Row, Value};
    use super::cells::Findings;

    /// Text that is a number becomes one, `NULL` becomes NULL.
    pub(super) fn value(text: &str) -> Value {
        match text {
            "NULL" => Value::Null,
            _ => text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number),
        }
    }

    /// An answer of rows that are written as `a|b|c`, under columns written alike.
    pub(super) fn raw(columns: &str, rows: &[&str]) -> Raw {
        let names: std::sync::Arc<[String]> = columns.split('|').map(str::to_owned).collect();
        let rows = rows.iter().map(|row| Row::new(names.clone(), row.split('|').map(value).collect())).collect();
        let source = Source::of("dbo.vTest");
        let columns = names.iter().map(|name| (name.clone(), name.clone())).collect();
        Raw::Rows { rows, source, columns }
    }

    /// What `read` makes of it, and the findings.
    pub(super) fn with_findings<T>(read: impl FnOnce(&mut Findings) -> T) -> (T, Vec<DataFinding>) {
        let mut findings = Findings::default();
        let value = read(&mut findings);
        (value, findings.into_list())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::any::{any_answers, connection};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_rows_give_facts_and_findings_of_harmless_text(answers in any_answers()) {
            let facts = facts(connection(), answers);
            let json = serde_json::to_string(&facts).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Facts>(&json).unwrap(), &facts);
            // JSON writes control characters as escapes, and our texts have none to write so.
            prop_assert!(!json.contains("\\u00"), "{}", json);
            let acts = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            prop_assert!(!json.contains(acts), "{}", json);
        }
    }

    #[test]
    fn many_rows_are_read_in_one_pass() {
        // Each of these took minutes when a row was looked for among all those before it.
        const ROWS: usize = 100_000;
        let rows = |row: &dyn Fn(usize) -> String| (0..ROWS).map(row).collect::<Vec<_>>();
        let raw = |columns: &str, rows: &[String]| {
            test_rows::raw(columns, &rows.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let tenant = rows(&|n| format!("11111111-2222-4333-8444-{n:012}|x|1"));
        let environment = rows(&|n| format!("{n}|x"));
        let property = rows(&|n| format!("PS1|cm01|Property{n}|1"));
        let role = rows(&|n| format!("PS1|Role {n}|cm01"));
        let point = rows(&|n| format!("PS1|dp{n}.contoso.com"));
        let answers = [
            ("tenants", raw("tenant_id|name|environment", &tenant)),
            ("azure_environments", raw("id|environment_name", &environment)),
            ("site_system_proxies", raw("site_code|server_name|property_name|number", &property)),
            ("site_systems", raw("site_code|role_name|server_name", &role)),
            ("cloud_distribution_points", raw("site_code|server_name", &point)),
        ];
        let facts = facts(connection(), answers.into_iter().map(|(fact, raw)| (fact.to_owned(), raw)).collect());
        assert_eq!((facts.tenants.rows().len(), facts.azure_environments.rows().len()), (ROWS, ROWS));
        assert_eq!(
            (facts.site_systems.rows()[0].roles.len(), facts.cloud_distribution_points.rows().len()),
            (ROWS, ROWS)
        );
    }

    #[test]
    fn what_was_not_answered_is_unknown() {
        let facts = facts(connection(), BTreeMap::new());
        assert!(facts.sites.is_unknown() && facts.this_site.is_unknown() && facts.cmgs.is_unknown());
        assert_eq!(facts.data_findings, []);
    }
}
