//! The statements: read from `queries/`, fitted to the columns that are there.
//!
//! A file is valid T-SQL as it stands. Its comments say the rest: `-- fact: NAME`, what it is for, and before each
//! statement `-- candidate: OBJECT AS ALIAS, …`, best first. A line that ends in `-- optional` asks for one column that
//! a build may lack; where it does, `NULL` takes its place. `-- further columns` stands where columns that no file names
//! may follow ([`super::further`]). `-- heavy` marks a fact that is not asked for twice, and
//! `-- at most N rows` one of which no hierarchy has more.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// The facts in the order in which they are asked for.
static FILES: [&str; 42] = [
    include_str!("../../queries/this_site.sql"),
    include_str!("../../queries/sites.sql"),
    include_str!("../../queries/site_databases.sql"),
    include_str!("../../queries/site_systems.sql"),
    include_str!("../../queries/role_properties.sql"),
    include_str!("../../queries/site_system_proxies.sql"),
    include_str!("../../queries/internet_names.sql"),
    include_str!("../../queries/service_connection_points.sql"),
    include_str!("../../queries/software_update_points.sql"),
    include_str!("../../queries/sync_sources.sql"),
    include_str!("../../queries/distribution_points.sql"),
    include_str!("../../queries/asset_intelligence.sql"),
    include_str!("../../queries/cmg_connection_points.sql"),
    include_str!("../../queries/cmgs.sql"),
    include_str!("../../queries/cmg_addresses.sql"),
    include_str!("../../queries/cloud_distribution_points.sql"),
    include_str!("../../queries/tenants.sql"),
    include_str!("../../queries/azure_environments.sql"),
    include_str!("../../queries/azure_services.sql"),
    include_str!("../../queries/entra_apps.sql"),
    include_str!("../../queries/entra_user_discovery.sql"),
    include_str!("../../queries/group_syncs.sql"),
    include_str!("../../queries/co_management_policies.sql"),
    include_str!("../../queries/intune_accounts.sql"),
    include_str!("../../queries/service_connectors.sql"),
    include_str!("../../queries/desktop_analytics.sql"),
    include_str!("../../queries/store_for_business.sql"),
    include_str!("../../queries/default_client_settings.sql"),
    include_str!("../../queries/custom_client_settings.sql"),
    include_str!("../../queries/subscriptions.sql"),
    include_str!("../../queries/servicing_plans.sql"),
    include_str!("../../queries/edge_policies.sql"),
    include_str!("../../queries/third_party_catalogs.sql"),
    include_str!("../../queries/update_packages.sql"),
    include_str!("../../queries/features.sql"),
    include_str!("../../queries/notification_rules.sql"),
    include_str!("../../queries/online_clients.sql"),
    include_str!("../../queries/co_managed_clients.sql"),
    include_str!("../../queries/microsoft_365_clients.sql"),
    include_str!("../../queries/clients_by_system.sql"),
    include_str!("../../queries/consoles.sql"),
    include_str!("../../queries/client_counts.sql"),
];

/// More rows than any fact of a real hierarchy has.
const MAX_ROWS: usize = 200_000;

/// Marks the place of columns that no file names.
const FURTHER: &str = "-- further columns";

/// How many rows a result set of this name may have.
pub(super) fn max_rows(set: &str) -> usize {
    let mut files = FACTS.iter().chain(SCRIPTS.iter());
    let fact = set.strip_prefix("fact_").and_then(|fact| files.find(|file| file.fact == fact));
    fact.map_or(MAX_ROWS, |file| file.max_rows)
}

/// The fact files, in the order in which they are asked for.
pub(super) static FACTS: LazyLock<Vec<QueryFile>> =
    LazyLock::new(|| FILES.iter().map(|text| QueryFile::parse(text).expect("a test parses every file")).collect());

/// The manners of a session, with comments.
pub(super) const SESSION: &str = include_str!("../../queries/session.sql");

/// The manners of a session: sent first on every connection.
pub(super) static PREAMBLE: LazyLock<String> = LazyLock::new(|| bare(SESSION));

/// What is asked before the facts: the server's version, the objects, and those found by signature.
pub(super) static DISCOVERY: LazyLock<Vec<QueryFile>> = LazyLock::new(|| {
    [
        include_str!("../../queries/server.sql"),
        include_str!("../../queries/discover.sql"),
        include_str!("../../queries/discover_signatures.sql"),
    ]
    .iter()
    .map(|text| QueryFile::parse(text).expect("a test parses every file"))
    .collect()
});

/// What `run-script collect` asks, and no audit: the objects, and then the results, page by page.
pub(super) static SCRIPTS: LazyLock<[QueryFile; 2]> = LazyLock::new(|| {
    [include_str!("../../queries/discover_scripts.sql"), include_str!("../../queries/script_results.sql")]
        .map(|text| QueryFile::parse(text).expect("a test parses every file"))
});

/// Sent to `master` to find the site database.
pub(super) static DATABASES: LazyLock<QueryFile> =
    LazyLock::new(|| QueryFile::parse(include_str!("../../queries/databases.sql")).expect("a test parses every file"));

/// One file of `queries/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueryFile {
    /// The fact; a result set of it has `fact_<name>` as the name of its first column.
    pub(super) fact: String,
    /// What it is for, in sentences.
    pub(super) purpose: String,
    /// Whether the statement goes over many rows (one for each client, say), so that one that ran out of time is not
    /// sent again.
    pub(super) heavy: bool,
    /// More rows than this are not taken.
    pub(super) max_rows: usize,
    /// The ways to ask for it, best first.
    pub(super) candidates: Vec<Candidate>,
}

/// One way to ask for a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The objects of schema `dbo` that it reads.
    pub(super) objects: Vec<Object>,
    /// Whether the object's name is found by its columns; the name in the file is a stand-in.
    pub(super) by_signature: bool,
    lines: Vec<Line>,
    /// Before which line further columns of the first object stand, if they are asked for.
    further: Option<usize>,
}

/// An object with the name that the statement gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) alias: String,
}

/// A column of one of a candidate's objects, by the object's place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnRef {
    pub(super) object: usize,
    pub(super) column: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    sql: String,
    columns: Vec<ColumnRef>,
    /// `… AS alias`, where the line names a result column.
    alias: Option<String>,
    optional: bool,
}

/// A text that is no query file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryFileError {
    #[error("`-- fact: NAME` missing")]
    NoFact,
    #[error("`{0}` is no candidate: expected OBJECT AS ALIAS")]
    Candidate(String),
    #[error("line `{0}` stands before the first `-- candidate:`")]
    Stray(String),
    #[error("`{0}` is no limit: expected `-- at most NUMBER rows`")]
    Limit(String),
    #[error("no statement after `-- candidate:`")]
    Empty,
    #[error("optional line `{0}` names no column of the candidate's objects, or no alias")]
    Optional(String),
}

impl QueryFile {
    /// Parses a file of `queries/`.
    pub(super) fn parse(text: &str) -> Result<Self, QueryFileError> {
        let (mut fact, mut heavy, mut max_rows) = (None, false, MAX_ROWS);
        let mut purpose: Vec<&str> = Vec::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("-- fact:") {
                fact = Some(name.trim().to_owned());
            } else if let Some(header) = line.strip_prefix("-- candidate:") {
                candidates.push(Candidate::parse_header(header.trim())?);
            } else if let Some(limit) = line.strip_prefix("-- at most ") {
                let limit = limit.strip_suffix(" rows").and_then(|number| number.parse().ok());
                max_rows = limit.ok_or_else(|| QueryFileError::Limit(line.to_owned()))?;
            } else if line == "-- heavy" {
                heavy = true;
            } else if let (Some(words), true) = (line.strip_prefix("--"), candidates.is_empty()) {
                purpose.push(words.trim());
            } else if let (FURTHER, Some(candidate)) = (line.trim(), candidates.last_mut()) {
                candidate.further = Some(candidate.lines.len());
            } else if !line.trim().is_empty() && !line.starts_with("--") {
                let candidate = candidates.last_mut().ok_or_else(|| QueryFileError::Stray(line.to_owned()))?;
                let parsed = Line::parse(line, &candidate.objects)?;
                candidate.lines.push(parsed);
            }
        }
        if candidates.iter().any(|c| c.lines.is_empty()) || candidates.is_empty() {
            return Err(QueryFileError::Empty);
        }
        let fact = fact.ok_or(QueryFileError::NoFact)?;
        Ok(Self { fact, purpose: purpose.join(" "), heavy, max_rows, candidates })
    }

    /// The statement of a file whose only candidate needs nothing discovered.
    pub(super) fn constant(&self) -> String {
        self.candidates[0].statement(|_| true, None, &[])
    }
}

impl Candidate {
    fn parse_header(header: &str) -> Result<Self, QueryFileError> {
        let (list, by_signature) = match header.strip_suffix("by signature") {
            Some(list) => (list, true),
            None => (header, false),
        };
        let objects = list
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| match item.split_once(" AS ") {
                Some((name, alias)) => Ok(Object { name: name.trim().to_owned(), alias: alias.trim().to_owned() }),
                None => Err(QueryFileError::Candidate(item.to_owned())),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { objects, by_signature, lines: Vec::new(), further: None })
    }

    /// Columns without which the statement cannot be sent.
    pub(super) fn required(&self) -> impl Iterator<Item = &ColumnRef> {
        self.lines.iter().filter(|line| !line.optional).flat_map(|line| &line.columns)
    }

    /// Columns that are asked for where they are.
    pub(super) fn optional(&self) -> impl Iterator<Item = &ColumnRef> {
        self.lines.iter().filter(|line| line.optional).flat_map(|line| &line.columns)
    }

    /// Result columns that are one column of an object: the name in the result, and the column.
    pub(super) fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| match (&line.alias, line.columns.as_slice()) {
            (Some(alias), [only]) => Some((alias.as_str(), only.column.as_str())),
            _ => None,
        })
    }

    /// Whether columns of the first object that no line names are asked for, where they are host-like.
    pub(super) fn takes_further(&self) -> bool {
        self.further.is_some()
    }

    /// The names of all result columns.
    pub(super) fn results(&self) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.alias.as_deref()).collect()
    }

    /// The statement, with `NULL` for every optional column that `visible` denies, with `found` in place of the
    /// stand-in's name, and with `further` columns of the first object, each under its own name.
    pub(super) fn statement(
        &self,
        visible: impl Fn(&ColumnRef) -> bool,
        found: Option<&Identifier>,
        further: &[Identifier],
    ) -> String {
        let mut sql = String::new();
        for (number, line) in self.lines.iter().enumerate() {
            if let (true, Some(object)) = (self.further == Some(number), self.objects.first()) {
                for column in further.iter().map(Identifier::as_str) {
                    let _ = write!(sql, "\n    {}.[{column}] AS [{column}],", object.alias);
                }
            }
            if !sql.is_empty() {
                sql.push('\n');
            }
            match &line.alias {
                Some(alias) if line.optional && !line.columns.iter().all(&visible) => {
                    sql.push_str("    NULL AS ");
                    sql.push_str(alias);
                    sql.push_str(if line.sql.ends_with(',') { "," } else { "" });
                }
                _ => sql.push_str(&line.sql),
            }
        }
        match (found, self.objects.first()) {
            (Some(found), Some(stand_in)) if self.by_signature => {
                sql.replace(&format!("dbo.{} AS", stand_in.name), &format!("dbo.[{}] AS", found.as_str()))
            }
            _ => sql,
        }
    }
}

impl Line {
    fn parse(line: &str, objects: &[Object]) -> Result<Self, QueryFileError> {
        let (sql, optional) = match line.strip_suffix("-- optional") {
            Some(sql) => (sql.trim_end(), true),
            None => (line.trim_end(), false),
        };
        let columns = references(sql, objects);
        let last = sql.trim_end_matches([',', ';']);
        let alias = last
            .rsplit_once(" AS ")
            .map(|(_, alias)| alias)
            .filter(|alias| Identifier::parse(alias).is_some() && !objects.iter().any(|o| o.alias == **alias))
            .map(str::to_owned);
        if optional && (columns.is_empty() || alias.is_none()) {
            return Err(QueryFileError::Optional(line.to_owned()));
        }
        Ok(Self { sql: sql.to_owned(), columns, alias, optional })
    }
}

/// Every `alias.Column` in a line. No text in our statements holds an alias and a dot.
fn references(sql: &str, objects: &[Object]) -> Vec<ColumnRef> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    sql.split(|c| !word(c))
        .filter_map(|token| token.split_once('.'))
        .filter_map(|(alias, column)| {
            let object = objects.iter().position(|o| o.alias == alias)?;
            Some(ColumnRef { object, column: column.to_owned() })
        })
        .collect()
}

/// The statement as it is sent: an error in it becomes a result set of its own, and the statements after it still run.
/// An error one level down is what `CATCH` sees; a missing object on its own level would end the whole batch.
///
/// The set `end_<fact>` comes only after the whole of the fact: rows without it are not all, whatever follows them.
pub(super) fn envelope(fact: &str, statement: &str) -> String {
    format!(
        "BEGIN TRY\nEXEC sys.sp_executesql N'{}';\nSELECT 1 AS end_{fact};\nEND TRY\nBEGIN CATCH\nSELECT 1 AS \
         error_{fact}, ERROR_NUMBER() AS error_number, ERROR_MESSAGE() AS error_message;\nEND CATCH;\n",
        statement.replace('\'', "''")
    )
}

/// A name that came from the server and is plain enough to stand in a statement, in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier(String);

impl Identifier {
    /// Letters, digits and underscores, at most 128 (the length of a `sysname`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        ((1..=128).contains(&text.len()) && plain).then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file without its comments.
fn bare(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with("--") && !line.trim().is_empty())
        .fold(String::new(), |sql, line| sql + line + "\n")
}

#[cfg(test)]
mod tests;
