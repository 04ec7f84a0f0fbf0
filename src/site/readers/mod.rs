//! Rows to facts. A value that is not what it should be becomes a data finding and is used nowhere.

mod cells;
mod cloud;
mod properties;
mod sites;
mod systems;
mod updates;

use super::fact::{Fact, UnknownWhy};
use super::facts::{Connection, Facts};
use super::read::{Answers, Raw};
use super::value::Row;
use cells::Findings;

/// Understands all answers.
pub(super) fn facts(connection: Connection, mut answers: Answers) -> Facts {
    let mut findings = Findings::default();
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
    Facts {
        connection,
        this_site,
        sites,
        site_systems,
        site_system_proxies,
        service_connection_points,
        software_update_points,
        sync_sources,
        cmg_connection_points,
        cmgs,
        tenants,
        azure_environments,
        entra_user_discovery,
        data_findings: findings.into_list(),
    }
}

/// The fact that `read` makes of the rows of an object; an unknown one stays unknown.
fn known<T>(raw: Raw, read: impl FnOnce(&[Row], &str) -> T) -> Fact<T> {
    match raw {
        Raw::Rows { rows, source, .. } => Fact::Known { value: read(&rows, &source.object), source },
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
        let source = Source { object: "dbo.vTest".to_owned(), missing_columns: Vec::new() };
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
