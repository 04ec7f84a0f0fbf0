//! `cmcomply queries`: what can be sent, and the rights that it needs, judged by a T-SQL parser that nobody here wrote
//! and by a login that has these rights and no other.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "queries/further.rs"]
mod further;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cmcomply::site::{self, Certificate, Fact, Facts, Network, Options, Secret, Server, SignIn, read};
use lab::site_database::{self, Rights, SiteDatabase};
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, SelectItem, SetExpr, Statement, TableFactor,
    Visit as _, Visitor,
};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;
use tokio_util::sync::CancellationToken;

/// What a statement or a script names: by object, the columns; none for all of them.
type Rows = BTreeMap<String, BTreeSet<String>>;

fn cmcomply(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cmcomply")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn grants(login: &str) -> String {
    let (code, script, error) = cmcomply(&["queries", "--grants", login, "--run-script"]);
    assert_eq!((code, error.as_str()), (0, ""));
    script
}

#[test]
fn the_list_begins_with_its_contents_and_is_t_sql() {
    let (code, text, _) = cmcomply(&["queries"]);
    assert_eq!(code, 0);
    let (contents, _) = text.split_once("-- 1. session (queries/session.sql)").unwrap();
    let names: Vec<String> = site::queries().into_iter().map(|query| query.name).collect();
    for name in &names {
        assert_eq!(contents.matches(&format!("  {name} ")).count(), 1, "{name}");
        assert!(text.contains(&format!(". {name} (queries/")), "{name}");
    }
    assert!(text.lines().filter(|line| line.starts_with("--  ")).count() == names.len());
    let statements = Parser::parse_sql(&MsSqlDialect {}, &text).unwrap();
    let sets = statements.iter().filter(|statement| matches!(statement, Statement::Set(_))).count();
    let queries = statements.iter().filter(|statement| matches!(statement, Statement::Query(_))).count();
    assert_eq!((sets, sets + queries), (4, statements.len()), "four SETs, and SELECTs");
    let ways: usize = site::queries().iter().skip(1).map(|query| query.ways.len()).sum();
    assert_eq!(queries, ways);

    let (code, json, _) = cmcomply(&["queries", "--format", "json"]);
    let list: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((code, list.len()), (0, names.len()));
    let sites = list.iter().find(|query| query["name"] == "sites").unwrap();
    assert_eq!(sites["ways"][0]["objects"][0]["columns"][0]["name"], "SiteCode");
}

#[test]
fn a_login_that_is_no_name_is_refused() {
    for login in ["", "a\nGO\nDROP ROLE db_owner", "$(USER)"] {
        let (code, out, error) = cmcomply(&["queries", "--grants", login]);
        assert_eq!((code, out.as_str()), (2, ""), "{login:?}");
        assert!(error.contains("login") || error.contains("script") || error.contains("sqlcmd"), "{error}");
    }
}

#[test]
fn the_files_touch_no_column_outside_the_grants() {
    let granted = granted(&grants("CONTOSO\\cm-audit"));
    let mut seen = BTreeSet::new();
    // The files themselves, read by the parser as they stand: nothing here rests on how the product reads them.
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/queries")).unwrap() {
        let path = file.unwrap().path();
        for statement in Parser::parse_sql(&MsSqlDialect {}, &std::fs::read_to_string(&path).unwrap()).unwrap() {
            for (object, columns) in touched(&statement) {
                if matches!(object.as_str(), "sys.objects" | "sys.columns" | "sys.databases") {
                    continue; // what the server shows of itself to everyone, cut to one's rights
                }
                let allowed = granted.get(&object).unwrap_or_else(|| panic!("{}: {object}", path.display()));
                assert!(
                    allowed.is_empty() || columns.is_subset(allowed),
                    "{}: {object}: {columns:?} of {allowed:?}",
                    path.display()
                );
                seen.insert(object);
            }
        }
    }
    // And nothing is granted that no statement reads.
    assert_eq!(seen, granted.keys().cloned().collect());
}

#[test]
fn no_right_reaches_a_secret() {
    let granted = granted(&grants("reader"));
    for (object, secrets) in [
        ("dbo.aad_application_ex", &["secretkey", "secretkeyforscp"][..]),
        ("dbo.distributionpoints", &["pxepassword"]),
        ("dbo.m365aproperties", &["value"]),
        ("dbo.vsms_sc_component_propertylists", &["value"]),
    ] {
        let columns = &granted[object];
        assert!(!columns.is_empty(), "{object} is granted whole");
        assert!(secrets.iter().all(|secret| !columns.contains(*secret)), "{object}: {columns:?}");
    }
}

#[tokio::test]
async fn a_login_with_these_rights_reads_every_fact() {
    let everything = facts(&[], Rights::All).await;
    let script = grants("cmcomply");
    let granted = facts(&[&script], Rights::Role("cmcomply_reader".to_owned())).await;
    let (everything, granted) = (by_name(&everything), by_name(&granted));
    for (name, fact) in &everything {
        // The four that only the operator can state stay unknown, for the same reason.
        assert_eq!(&granted[name], fact, "{name}");
    }
    let known = everything.values().filter(|fact| fact["state"] == "known").count();
    assert_eq!(known, everything.len() - 4);
}

#[tokio::test]
async fn where_a_view_is_missing_the_script_grants_the_next_way() {
    let script = grants("cmcomply");
    let gone = "DROP VIEW dbo.v_Identification;\nGO\nDROP FUNCTION dbo.fn_rbac_Site;\nGO\nDROP VIEW dbo.v_Site;";
    let rights = Rights::Role("cmcomply_reader".to_owned());
    let facts = facts(&[gone, &script], rights).await;
    let sites = serde_json::to_value(&facts.sites).unwrap();
    assert_eq!((sites["state"].as_str(), sites["source"]["object"].as_str()), (Some("known"), Some("dbo.Sites")));
}

async fn facts(variants: &[&str], rights: Rights) -> Facts {
    let variants = variants.iter().map(|text| (*text).to_owned()).collect();
    let database = SiteDatabase::start(site_database::Options { rights, variants, ..Default::default() }).await;
    let ca = ca_of(&database);
    read(&options_for(&database, ca.path()), CancellationToken::new()).await.unwrap()
}

/// The certificate authority of a lab, as a file.
fn ca_of(database: &SiteDatabase) -> tempfile::NamedTempFile {
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), database.ca_pem()).unwrap();
    ca
}

/// Where the lab's site database is.
fn options_for(database: &SiteDatabase, ca: &Path) -> Options {
    Options {
        server: Server::parse(&format!("localhost,{}", database.address().port())).unwrap(),
        database: Some("CM_CAS".to_owned()),
        sign_in: SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new("Contoso-reads-0nly") },
        certificate: Certificate::CaFile(ca.to_owned()),
        network: Network::default(),
        connect_timeout: Duration::from_secs(10),
        query_timeout: Duration::from_secs(20),
    }
}

fn by_name(facts: &Facts) -> BTreeMap<String, serde_json::Value> {
    let all = serde_json::to_value(facts).unwrap().as_object().unwrap().clone();
    all.into_iter().filter(|(_, value)| value.get("state").is_some()).collect()
}

/// What the script grants, over all its branches.
fn granted(script: &str) -> Rows {
    let mut granted = Rows::new();
    for line in script.lines().filter_map(|line| line.trim().strip_prefix("GRANT SELECT ON OBJECT::dbo.[")) {
        let (object, rest) = line.split_once(']').unwrap();
        let (columns, to) = rest.split_once("TO cmcomply_reader;").unwrap();
        assert_eq!(to, "");
        let names = columns.trim().trim_matches(['(', ')']).split(',').map(|name| name.trim().trim_matches(['[', ']']));
        let names: BTreeSet<String> = names.filter(|name| !name.is_empty()).map(str::to_lowercase).collect();
        let entry = granted.entry(format!("dbo.{}", object.to_lowercase()));
        // Once granted whole, always whole.
        let whole = names.is_empty();
        let columns = entry.or_insert_with(|| names.clone());
        if whole || columns.is_empty() { columns.clear() } else { columns.extend(names) }
    }
    assert_eq!(script.matches("GRANT").count(), script.matches("GRANT SELECT ON OBJECT::dbo.[").count());
    granted
}

/// What a statement touches. It fails on everything whose object is not plain to see.
fn touched(statement: &Statement) -> Rows {
    let Statement::Query(query) = statement else {
        assert!(matches!(statement, Statement::Set(_)), "neither SELECT nor SET: {statement}");
        return Rows::new();
    };
    let mut reader = Reader::default();
    assert!(query.visit(&mut reader).is_continue());
    let mut rows: Rows = reader.objects.values().map(|object| (object.clone(), BTreeSet::new())).collect();
    for (alias, column) in reader.columns {
        match reader.objects.get(&alias) {
            Some(object) => drop(rows.get_mut(object).unwrap().insert(column)),
            None => assert!(reader.derived.contains(&alias), "{alias}.{column} is of no object: {statement}"),
        }
    }
    rows
}

#[derive(Default)]
struct Reader {
    /// By alias.
    objects: BTreeMap<String, String>,
    /// Aliases of subqueries.
    derived: BTreeSet<String>,
    columns: Vec<(String, String)>,
}

impl Visitor for Reader {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let plain = |body: &SetExpr| matches!(body, SetExpr::Select(_) | SetExpr::SetOperation { .. });
        assert!(plain(&query.body) && query.with.is_none() && query.for_clause.is_none(), "{query}");
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &sqlparser::ast::Select) -> ControlFlow<()> {
        assert!(select.into.is_none(), "{select}");
        for item in &select.projection {
            assert!(matches!(item, SelectItem::ExprWithAlias { .. }), "every column has a name: {item}");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias: Some(alias), .. } => {
                let object = name.to_string().to_lowercase();
                assert!(object.starts_with("dbo.") || object.starts_with("sys."), "{object}");
                let before = self.objects.insert(alias.name.value.clone(), object.clone());
                assert!(before.is_none_or(|before| before == object), "one alias for two objects: {factor}");
            }
            TableFactor::Derived { alias: Some(alias), .. } => {
                self.derived.insert(alias.name.value.clone());
            }
            other => panic!("no alias, or no plain table: {other}"),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundIdentifier(parts) => {
                let [alias, column] = parts.as_slice() else { panic!("{expr}") };
                self.columns.push((alias.value.clone(), column.value.to_lowercase()));
            }
            // The value of a parameter.
            Expr::Identifier(name) if name.value.starts_with("@P") => {}
            Expr::Identifier(name) => panic!("a column of who knows what: {name}"),
            Expr::Function(function) => {
                let name = function.name.to_string().to_uppercase();
                let known = "CAST COALESCE COUNT HAS_DBACCESS HAS_PERMS_BY_NAME LEFT MAX MIN NULLIF QUOTENAME ROW_NUMBER SCHEMA_ID \
                             SERVERPROPERTY SUM";
                assert!(known.split_whitespace().any(|word| word == name), "{name}");
                let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
                for argument in &list.args {
                    if let FunctionArg::Unnamed(FunctionArgExpr::Wildcard) = argument {
                        assert_eq!(name, "COUNT");
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn the_product_lists_what_the_parser_sees() {
    for query in site::queries().iter().filter(|query| !query.ways[0].objects.is_empty()) {
        for way in &query.ways {
            let [statement] = &Parser::parse_sql(&MsSqlDialect {}, &way.sql).unwrap()[..] else { panic!() };
            let mut listed = Rows::new();
            for object in &way.objects {
                let columns = object.columns.iter().map(|column| column.name.to_lowercase());
                listed.entry(format!("dbo.{}", object.name.to_lowercase())).or_default().extend(columns);
            }
            assert_eq!(touched(statement), listed, "{}", query.name);
        }
    }
}
