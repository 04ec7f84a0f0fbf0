//! Everything that can be sent to a SQL Server, as a list that people can read.

use schemars::JsonSchema;
use serde::Serialize;

use super::query::{Candidate, ColumnRef, DATABASES, DISCOVERY, FACTS, PREAMBLE, QueryFile, SCRIPTS, SESSION};

/// One file of `queries/`: what it asks for, and the ways to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Query {
    /// The fact that it gives, or what else it is for.
    pub name: String,
    /// Its file.
    pub file: String,
    /// What it is for, in sentences.
    pub purpose: String,
    /// Where it is sent.
    pub place: Place,
    /// The ways to ask, best first. The first one whose objects and columns are there and may be read is sent.
    pub ways: Vec<Way>,
}

/// Where and when a statement is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// First on every connection.
    EveryConnection,
    /// To `master`, when no database was named.
    Master,
    /// To the site database, before the facts.
    Discovery,
    /// To the site database.
    SiteDatabase,
    /// To the site database, by `run-script collect` alone.
    Scripts,
}

/// One way to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Way {
    /// The objects of schema `dbo` that it reads; none if it reads the server's own catalog only.
    pub objects: Vec<ObjectUse>,
    /// Whether the object's name is not documented, so that it is found by its columns. The name here is a stand-in.
    pub found_by_columns: bool,
    /// The statement with all its columns. `NULL` takes the place of each optional column that is not there.
    pub sql: String,
}

/// An object that a statement reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ObjectUse {
    /// Its name in schema `dbo`.
    pub name: String,
    /// Whether it is a table-valued function.
    pub function: bool,
    /// The columns that are read.
    pub columns: Vec<ColumnUse>,
}

/// A column that a statement reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ColumnUse {
    /// Its name.
    pub name: String,
    /// Whether the statement is sent without it where it is missing or may not be read.
    pub optional: bool,
}

/// Every statement, in the order in which they are sent.
pub fn queries() -> Vec<Query> {
    let session = Query {
        name: "session".to_owned(),
        file: "queries/session.sql".to_owned(),
        purpose: comments(SESSION),
        place: Place::EveryConnection,
        ways: vec![Way { objects: Vec::new(), found_by_columns: false, sql: PREAMBLE.trim_end().to_owned() }],
    };
    let discovery = DISCOVERY.iter().zip(["server", "discover", "discover_signatures"]);
    let facts = FACTS.iter().map(|file| query(file, &file.fact, Place::SiteDatabase));
    let scripts = SCRIPTS.iter().zip(["discover_scripts", "script_results"]);
    [session, query(&DATABASES, "databases", Place::Master)]
        .into_iter()
        .chain(discovery.map(|(file, stem)| query(file, stem, Place::Discovery)))
        .chain(facts)
        .chain(scripts.map(|(file, stem)| query(file, stem, Place::Scripts)))
        .collect()
}

fn query(file: &QueryFile, stem: &str, place: Place) -> Query {
    Query {
        name: file.fact.clone(),
        file: format!("queries/{stem}.sql"),
        purpose: file.purpose.clone(),
        place,
        ways: file.candidates.iter().map(way).collect(),
    }
}

fn way(candidate: &Candidate) -> Way {
    let sql = candidate.statement(|_| true, None, &[]);
    let objects = candidate.objects.iter().enumerate().map(|(place, object)| ObjectUse {
        name: object.name.clone(),
        function: sql.contains(&format!("dbo.{}(", object.name)),
        columns: columns(candidate, place),
    });
    Way { objects: objects.collect(), found_by_columns: candidate.by_signature, sql }
}

/// The columns of one object, those that are needed first.
fn columns(candidate: &Candidate, object: usize) -> Vec<ColumnUse> {
    let mut columns: Vec<ColumnUse> = Vec::new();
    let mut add = |column: &ColumnRef, optional: bool| {
        if column.object == object && !columns.iter().any(|c| c.name.eq_ignore_ascii_case(&column.column)) {
            columns.push(ColumnUse { name: column.column.clone(), optional });
        }
    };
    candidate.required().for_each(|column| add(column, false));
    candidate.optional().for_each(|column| add(column, true));
    columns
}

/// The comments at the beginning of a file.
fn comments(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("--"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_says_what_it_is_for() {
        let all = queries();
        assert_eq!(all.len(), FACTS.len() + 7);
        for query in &all {
            assert!(query.purpose.len() > 20 && query.purpose.ends_with('.'), "{}: {}", query.name, query.purpose);
            assert!(!query.ways.is_empty() && query.ways.iter().all(|way| !way.sql.is_empty()));
            if query.place == Place::SiteDatabase {
                for object in query.ways.iter().flat_map(|way| &way.objects) {
                    assert_eq!(object.function, object.name.starts_with("fn_"), "{}", object.name);
                }
            }
        }
        let sites = all.iter().find(|query| query.name == "sites").unwrap();
        assert_eq!(sites.file, "queries/sites.sql");
        let view = &sites.ways[0].objects[0];
        let needed: Vec<_> = view.columns.iter().filter(|c| !c.optional).map(|c| c.name.as_str()).collect();
        assert_eq!((view.name.as_str(), needed), ("v_Site", vec!["SiteCode", "ReportingSiteCode"]));
    }
}
