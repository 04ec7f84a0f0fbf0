//! What the database has of the objects that we know, and which statement that makes of each fact.

use std::collections::{BTreeMap, HashMap};

use super::fact::{Source, UnknownWhy};
use super::further;
use super::matches;
use super::query::{Candidate, ColumnRef, Identifier, Object, QueryFile};
use super::session::ResultSet;
use super::value::Row;
use crate::text;

/// The objects that this login sees.
#[derive(Debug, Default)]
pub(super) struct Schema {
    objects: BTreeMap<String, Columns>,
    /// Objects found by their columns, for each fact that needs one, best first.
    found: BTreeMap<String, Vec<Found>>,
    /// Whether this login may read the whole database, so that what it does not see is not there.
    reads_all: bool,
    /// Why the search by columns gave nothing, if it failed.
    search_failed: Option<String>,
}

/// Columns by lower-case name.
type Columns = BTreeMap<String, Column>;

#[derive(Debug)]
struct Column {
    /// As the database writes it.
    name: String,
    readable: bool,
    is_text: bool,
}

#[derive(Debug)]
struct Found {
    name: String,
    is_view: bool,
    hits: i64,
    columns: Columns,
}

/// A statement that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) fact: String,
    pub(super) sql: String,
    /// See [`QueryFile::heavy`].
    pub(super) heavy: bool,
    pub(super) source: Source,
    /// Name in the result and column in the object, where a result column is simply one.
    pub(super) columns: Vec<(String, String)>,
    /// More objects with the columns of this fact. Each answers with a result set of its own, in this order.
    pub(super) also: Vec<Source>,
    /// Objects with these columns that cannot be asked.
    pub(super) unasked: Vec<String>,
}

/// Why a fact cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unaskable {
    pub(super) why: UnknownWhy,
    pub(super) detail: String,
}

impl Schema {
    /// Takes the result sets of the discovery statements.
    pub(super) fn from_sets(sets: &[ResultSet]) -> Self {
        let mut schema = Self::default();
        for set in sets {
            match set.name.as_str() {
                "fact_server" => {
                    let row = set.rows.first();
                    schema.reads_all = row.is_some_and(|row| row.get("reads_all").flag() == Ok(Some(true)));
                }
                "fact_objects" | "fact_script_objects" => set.rows.iter().for_each(|row| schema.add_object(row)),
                "fact_signatures" => {
                    let mut places = HashMap::new();
                    set.rows.iter().for_each(|row| schema.add_found(row, &mut places));
                }
                "error_signatures" => {
                    let number = set.rows.first().and_then(|row| row.get("error_number").number().ok().flatten());
                    let number = number.map_or_else(String::new, |number| format!(" (error {number})"));
                    schema.search_failed = Some(format!("the search for its object by columns failed{number}"));
                }
                _ => {}
            }
        }
        if schema.search_failed.is_some() {
            // What was found before the error is not all, and its columns are not.
            schema.found.clear();
        }
        for found in schema.found.values_mut() {
            found.sort_by(|a, b| (b.hits, b.is_view).cmp(&(a.hits, a.is_view)).then_with(|| a.name.cmp(&b.name)));
        }
        schema
    }

    /// Whether the facts that make a site database one can be asked for, or at least are there.
    pub(super) fn is_site_database(&self, facts: &[QueryFile]) -> bool {
        facts.iter().filter(|file| matches!(file.fact.as_str(), "this_site" | "sites" | "site_systems")).any(|file| {
            match self.statement(file) {
                Ok(_) => true,
                Err(unaskable) => unaskable.why == UnknownWhy::NotPermitted,
            }
        })
    }

    /// The statement of the first candidate that can be sent: all its objects and required columns are there and may
    /// be read. Where objects are found by their columns, all that are found are asked.
    pub(super) fn statement(&self, file: &QueryFile) -> Result<Statement, Unaskable> {
        let mut forbidden = None;
        let mut odd_name = false;
        for candidate in &file.candidates {
            if candidate.by_signature {
                let (mut fitting, mut unasked) = (Vec::new(), Vec::new());
                for found in self.found.get(&file.fact).into_iter().flatten() {
                    // A name that is not plain stays out of every statement.
                    let Some(name) = Identifier::parse(&found.name) else {
                        odd_name = true;
                        unasked.push(text::printable(&found.name, 128));
                        continue;
                    };
                    match fit(file, candidate, &[&found.columns], Some(&name)) {
                        Ok(statement) => fitting.push(statement),
                        Err(Some(refused)) => {
                            unasked.push(refused.clone());
                            forbidden = forbidden.or(Some(refused));
                        }
                        Err(None) => {}
                    }
                }
                if let Some(statement) = matches::join(fitting, unasked)? {
                    return Ok(statement);
                }
            } else {
                let columns: Option<Vec<&Columns>> =
                    candidate.objects.iter().map(|o| self.objects.get(&o.name.to_ascii_lowercase())).collect();
                match columns.map(|columns| fit(file, candidate, &columns, None)) {
                    Some(Ok(statement)) => return Ok(statement),
                    Some(Err(refused)) => forbidden = forbidden.or(refused),
                    None => {}
                }
            }
        }
        Err(match forbidden {
            Some(name) => {
                Unaskable { why: UnknownWhy::NotPermitted, detail: format!("dbo.{name}: this login may not read it") }
            }
            None => match &self.search_failed {
                Some(detail) if file.candidates.iter().any(|c| c.by_signature) => {
                    Unaskable { why: UnknownWhy::QueryFailed, detail: detail.clone() }
                }
                _ if odd_name => Unaskable {
                    why: UnknownWhy::QueryFailed,
                    detail: "the object with the columns of this fact has a name that is not asked for".to_owned(),
                },
                _ if self.reads_all => Unaskable { why: UnknownWhy::NotThere, detail: not_there(file) },
                _ => Unaskable { why: UnknownWhy::NotVisible, detail: not_visible(file) },
            },
        })
    }

    fn add_object(&mut self, row: &Row) {
        if let (Some(object), Some((name, column))) = (name(row, "object_name"), column(row)) {
            self.objects.entry(object.to_ascii_lowercase()).or_default().insert(name, column);
        }
    }

    /// `places` are those of the objects in the list of their signature.
    fn add_found(&mut self, row: &Row, places: &mut HashMap<(String, String), usize>) {
        let (Some(signature), Some(name), Some((column_name, column))) =
            (name(row, "signature"), name(row, "object_name"), column(row))
        else {
            return;
        };
        let found = self.found.entry(signature.clone()).or_default();
        let place = *places.entry((signature, name.clone())).or_insert_with(|| {
            let is_view = row.get("object_type").text().is_ok_and(|t| t.is_some_and(|t| t.trim() == "V"));
            let hits = row.get("hits").number().ok().flatten().unwrap_or(0);
            found.push(Found { name, is_view, hits, columns: Columns::new() });
            found.len() - 1
        });
        found[place].columns.insert(column_name, column);
    }
}

/// The statement, or the name of the object that may not be read; `Err(None)` if a required column is not there.
fn fit(
    file: &QueryFile,
    candidate: &Candidate,
    objects: &[&Columns],
    found: Option<&Identifier>,
) -> Result<Statement, Option<String>> {
    let name_of = |object: &Object| found.map_or_else(|| object.name.clone(), |name| name.as_str().to_owned());
    let state =
        |c: &ColumnRef| objects.get(c.object)?.get(&c.column.to_ascii_lowercase()).map(|column| column.readable);
    let mut forbidden = None;
    for column in candidate.required() {
        match state(column) {
            None => return Err(None),
            Some(true) => {}
            Some(false) => forbidden = forbidden.or_else(|| candidate.objects.get(column.object).map(name_of)),
        }
    }
    // A statement without one readable column would tell nothing.
    if forbidden.is_none() && candidate.optional().next().is_some() && candidate.required().next().is_none() {
        let any = candidate.optional().any(|column| state(column) == Some(true));
        forbidden = (!any).then(|| candidate.objects.first().map(name_of)).flatten();
    }
    if forbidden.is_some() {
        return Err(forbidden);
    }
    let visible = |c: &ColumnRef| state(c) == Some(true);
    let mut missing: Vec<String> = Vec::new();
    for column in candidate.optional().filter(|c| !visible(c)) {
        let several = candidate.objects.len() > 1;
        let object = candidate.objects.get(column.object).filter(|_| several).map(name_of);
        let text = object.map_or_else(|| column.column.clone(), |object| format!("{object}.{}", column.column));
        if !missing.contains(&text) {
            missing.push(text);
        }
    }
    let further = match objects.first() {
        Some(columns) if candidate.takes_further() => further_columns(candidate, columns, &mut missing),
        _ => Vec::new(),
    };
    let own = further.iter().map(|column| (column.as_str().to_ascii_lowercase(), column.as_str().to_owned()));
    let objects: Vec<String> = candidate.objects.iter().map(|object| format!("dbo.{}", name_of(object))).collect();
    Ok(Statement {
        fact: file.fact.clone(),
        sql: candidate.statement(visible, found, &further),
        heavy: file.heavy,
        source: Source { missing_columns: missing, ..Source::of(objects.join(", ")) },
        columns: candidate.aliases().map(|(alias, column)| (alias.to_owned(), column.to_owned())).chain(own).collect(),
        also: Vec::new(),
        unasked: Vec::new(),
    })
}

/// The host-like columns that the candidate does not name and that can be asked for; the others of them go to `missing`.
fn further_columns(candidate: &Candidate, columns: &Columns, missing: &mut Vec<String>) -> Vec<Identifier> {
    let results = candidate.results();
    let named = |lower: &str| {
        let mut all = candidate.required().chain(candidate.optional());
        all.any(|column| column.object == 0 && column.column.eq_ignore_ascii_case(lower))
    };
    let mut further = Vec::new();
    for (lower, column) in columns {
        if named(lower) || !column.is_text || !further::is_host_like(lower) {
            continue;
        }
        let free = further.len() < further::MAX_FURTHER && !results.contains(&lower.as_str());
        match further::askable(&column.name).filter(|_| column.readable && free) {
            Some(name) => further.push(name),
            None => missing.push(text::printable(&column.name, 128)),
        }
    }
    further
}

fn not_there(file: &QueryFile) -> String {
    match named(file) {
        None => "no object of this database has the columns of this fact".to_owned(),
        Some(names) => format!("not in this database, or without the columns of this fact: {names}"),
    }
}

fn not_visible(file: &QueryFile) -> String {
    match named(file) {
        None => "no object with the columns of this fact is visible to this login".to_owned(),
        Some(names) => format!("not in this database, or not visible to this login: {names}"),
    }
}

/// The objects that are known by name, if any is.
fn named(file: &QueryFile) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for object in file.candidates.iter().filter(|c| !c.by_signature).flat_map(|c| &c.objects) {
        let name = format!("dbo.{}", object.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

fn name(row: &Row, column: &str) -> Option<String> {
    row.get(column).text().ok().flatten()
}

/// The column of a row, by its name in small letters; where a server does not say whether it may be read (NULL), it is
/// simply asked.
fn column(row: &Row) -> Option<(String, Column)> {
    let name = name(row, "column_name")?;
    let readable = row.get("can_select").flag() != Ok(Some(false));
    let is_text = row.get("column_type").number().is_ok_and(|number| number.is_some_and(further::is_text));
    Some((name.to_ascii_lowercase(), Column { name, readable, is_text }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::query::FACTS;
    use crate::site::value::Value;

    fn set(name: &str, columns: &[&str], rows: &[&[&str]]) -> ResultSet {
        let columns: std::sync::Arc<[String]> = columns.iter().map(|c| (*c).to_owned()).collect();
        let value = |text: &&str| text.parse().map_or_else(|_| Value::Text((*text).to_owned()), Value::Number);
        let row = |cells: &&[&str]| Row::new(columns.clone(), cells.iter().map(value).collect());
        ResultSet { name: name.to_owned(), rows: rows.iter().map(row).collect() }
    }

    fn objects(rows: &[&[&str]]) -> Schema {
        Schema::from_sets(&[set("fact_objects", &["object_name", "column_name", "can_select"], rows)])
    }

    fn file(fact: &str) -> &'static QueryFile {
        FACTS.iter().find(|file| file.fact == fact).unwrap()
    }

    #[test]
    fn the_first_candidate_that_can_be_sent_wins() {
        let table: [&[&str]; 2] = [&["Sites", "SiteCode", "1"], &["Sites", "ReportToSite", "1"]];
        let statement = objects(&table).statement(file("sites")).unwrap();
        assert_eq!(statement.source.object, "dbo.Sites");
        assert!(statement.sql.contains("NULL AS build_number,\n") && statement.sql.ends_with("FROM dbo.Sites AS s;"));
        assert!(statement.source.missing_columns.contains(&"SiteServer".to_owned()));

        // The view is there as well, so it wins; its names come back in lower case from some engines.
        let view: [&[&str]; 2] = [&["v_site", "sitecode", "1"], &["v_site", "reportingsitecode", "1"]];
        let both = objects(&[&table[..], &view[..]].concat()).statement(file("sites")).unwrap();
        assert_eq!(both.source.object, "dbo.v_Site");

        // A view without a column that is needed does not.
        let short = objects(&[&table[..], &view[..1]].concat()).statement(file("sites")).unwrap();
        assert_eq!(short.source.object, "dbo.Sites");
    }

    #[test]
    fn an_object_that_may_not_be_read_is_not_an_absent_one() {
        let denied = objects(&[&["SMSData", "ThisSiteCode", "0"]]);
        let refused = denied.statement(file("this_site")).unwrap_err();
        assert_eq!(refused.why, UnknownWhy::NotPermitted);
        assert_eq!(refused.detail, "dbo.SMSData: this login may not read it");
        assert!(denied.is_site_database(&FACTS));

        let absent = objects(&[]).statement(file("this_site")).unwrap_err();
        assert_eq!(absent.why, UnknownWhy::NotVisible);
        let server = set("fact_server", &["product_version", "reads_all"], &[&["16.0", "1"]]);
        assert_eq!(Schema::from_sets(&[server]).statement(file("this_site")).unwrap_err().why, UnknownWhy::NotThere);
        assert!(absent.detail.contains("dbo.SMSData, dbo.v_Identification"));
        assert!(!objects(&[&["AAD_Tenant_Ex", "TenantID", "1"]]).is_site_database(&FACTS));

        // Another candidate that may be read is taken instead.
        let other = objects(&[&["SMSData", "ThisSiteCode", "0"], &["v_Identification", "ThisSiteCode", "1"]]);
        assert_eq!(other.statement(file("this_site")).unwrap().source.object, "dbo.v_Identification");
    }

    #[test]
    fn a_column_that_may_not_be_read_is_left_out() {
        let schema = objects(&[&["AAD_Tenant_Ex", "TenantID", "1"], &["AAD_Tenant_Ex", "Name", "0"]]);
        let statement = schema.statement(file("tenants")).unwrap();
        assert!(statement.sql.contains("NULL AS name,") && statement.sql.contains("t.TenantID AS tenant_id,"));
        assert_eq!(statement.source.missing_columns, ["Name", "Environment"]);
    }

    #[test]
    fn host_like_columns_that_no_file_names_are_read_too() {
        let rows = |rows: &[&[&str]]| {
            let columns = ["object_name", "column_name", "column_type", "can_select"];
            Schema::from_sets(&[set("fact_objects", &columns, rows)]).statement(file("azure_environments")).unwrap()
        };
        let statement = rows(&[
            &["AzureEnvironments", "ID", "56", "1"],
            &["AzureEnvironments", "GraphEndpoint", "231", "1"],
            &["AzureEnvironments", "OfficeEndpoint", "231", "1"],
            &["AzureEnvironments", "SovereignURL", "231", "0"],
            &["AzureEnvironments", "TokenEndpoint", "231", "1"],
            &["AzureEnvironments", "x] FROM y;-- URL", "231", "1"],
            &["AzureEnvironments", "BinaryURL", "165", "1"],
            &["AzureEnvironments", "Description", "231", "1"],
            &["AzureEnvironments", "gateway_service", "231", "1"],
        ]);
        assert_eq!(statement.sql.matches("e.[").count(), 1, "{}", statement.sql);
        assert!(
            statement.sql.contains("\n    e.[OfficeEndpoint] AS [OfficeEndpoint],\n    NULL AS mdm"),
            "{}",
            statement.sql
        );
        assert!(statement.columns.contains(&("officeendpoint".to_owned(), "OfficeEndpoint".to_owned())));
        let missing = &statement.source.missing_columns;
        for name in ["SovereignURL", "TokenEndpoint", "x] FROM y;-- URL", "gateway_service", "GalleryEndpoint"] {
            assert!(missing.iter().any(|column| column == name), "{name}: {missing:?}");
        }
        for name in ["BinaryURL", "Description", "OfficeEndpoint", "GraphEndpoint"] {
            assert!(!missing.iter().any(|column| column == name), "{name}: {missing:?}");
        }
    }

    #[test]
    fn an_object_found_by_its_columns_stands_in_brackets() {
        let columns = ["signature", "hits", "object_name", "object_type", "column_name", "can_select"];
        let rows: [&[&str]; 5] = [
            &["cmgs", "4", "TheTable", "U ", "ServiceCName", "1"],
            &["cmgs", "4", "vSomethingElse", "V ", "ServiceCName", "1"],
            &["cmgs", "4", "vSomethingElse", "V ", "Region", "1"],
            &["cmgs", "4", "v]; DROP TABLE x;--", "V ", "ServiceCName", "1"],
            &["cmgs", "3", "vWeaker", "V ", "ServiceCName", "1"],
        ];
        let schema = Schema::from_sets(&[set("fact_signatures", &columns, &rows)]);
        let statement = schema.statement(file("cmgs")).unwrap();
        assert_eq!(statement.source.object, "dbo.vSomethingElse");
        assert!(statement.sql.contains("FROM dbo.[vSomethingElse] AS a;\nSELECT\n"), "{}", statement.sql);
        assert!(statement.sql.ends_with("FROM dbo.[vWeaker] AS a;"), "{}", statement.sql);
        assert_eq!(
            statement.also.iter().map(|s| s.object.as_str()).collect::<Vec<_>>(),
            ["dbo.TheTable", "dbo.vWeaker"]
        );
        assert_eq!(statement.unasked, ["v]; DROP TABLE x;--"]);
        assert!(statement.sql.contains("a.Region AS region,") && statement.sql.contains("NULL AS deployment_name,"));

        let hostile = Schema::from_sets(&[set("fact_signatures", &columns, &rows[3..4])]);
        assert_eq!(hostile.statement(file("cmgs")).unwrap_err().why, UnknownWhy::QueryFailed);
    }
}
