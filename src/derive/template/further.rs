//! Hosts in columns of `AzureEnvironments` that nobody has described.

use super::super::index::Index;
use super::cloud::{EnvironmentsInUse, is_alias, unknown_cloud};
use super::{Filled, fixed, named, unfilled};
use crate::catalog::{AZURE_COLUMNS, Cloud, Entry};
use crate::host::HostPattern;
use crate::site::Fact;

/// One endpoint for each such host in a row in use, and one that is not filled for each such column that was not read or
/// has no host in it. The described columns have entries of their own, which say what is missing of the table.
pub(super) fn from_environments(entry: &Entry, facts: &Index<'_>) -> Vec<Filled> {
    let Fact::Known { value: rows, source } = &facts.azure_environments else { return Vec::new() };
    let mut filled = Vec::new();
    let in_use = EnvironmentsInUse::of(facts);
    for (id, user) in &in_use.ids {
        let cloud = Cloud::from_environment(*id);
        if cloud.is_some_and(|cloud| !entry.clouds.contains(&cloud)) {
            continue;
        }
        let unsure = cloud.is_none().then(|| unknown_cloud(*id, user));
        let hosts = rows.iter().filter(|row| row.id == *id).flat_map(|row| &row.hosts);
        for (column, host) in hosts.filter(|(column, _)| is_further(column)) {
            let reason = format!(
                "AzureEnvironments row {id}, used by {user}, has it in column {column}, which nobody has described"
            );
            let pattern = HostPattern::Exact(host.clone());
            let missing = unsure.clone().into_iter().collect();
            filled.push(named(entry, pattern, fixed(&entry.ports), vec![reason], missing));
        }
    }
    let not_in_use = |row: &&crate::site::AzureEnvironment| !in_use.ids.iter().any(|(id, _)| *id == row.id);
    let others = rows.iter().filter(not_in_use).any(|row| row.hosts.keys().any(|column| is_further(column)));
    if others {
        // Who uses what is not all known, and one of them may use such a row.
        filled.extend(in_use.missing.iter().map(|missing| unfilled(entry, missing.clone())));
    }
    for column in source.missing_columns.iter().filter(|column| is_further(column)) {
        filled.push(unfilled(entry, format!("column {column} of AzureEnvironments was not read")));
    }
    for finding in facts.data_findings.iter().filter(|finding| finding.object == source.object) {
        if is_further(&finding.column) {
            let column = &finding.column;
            filled.push(unfilled(entry, format!("column {column} of AzureEnvironments: see the data findings")));
        }
    }
    filled
}

/// Whether a column is none of those that are described; a finding names it as the statement does.
fn is_further(column: &str) -> bool {
    !AZURE_COLUMNS.iter().chain(&["ID", "EnvironmentName"]).any(|described| is_alias(column, described))
}
