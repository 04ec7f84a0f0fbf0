//! A database: SQLite in memory, with the catalog beside it.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use sqlparser::ast::{Expr, Query, SelectItem, Visit as _, Visitor};

use super::super::wire::token::Column;
use super::super::wire::value::{SqlType, Value};
use super::catalog::{Catalog, ObjectKind};
use super::functions::{self, View};
use super::session::{Access, Right, Session};
use super::translate::{self, NO_NAME, Scope};
use super::typing::{self, Surroundings};
use super::{SqlError, strict, system};

/// One database of the server.
pub struct Engine {
    pub db: Connection,
    pub catalog: Catalog,
    view: Arc<Mutex<View>>,
}

/// A result set.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultSet {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

impl Engine {
    /// An empty database on a server with these databases.
    pub fn new(databases: &[String]) -> rusqlite::Result<Self> {
        let db = Connection::open_in_memory()?;
        // Without these, a wrong "name" would be taken for a text.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        db.execute_batch("PRAGMA legacy_alter_table = ON")?;
        let view = Arc::new(Mutex::new(View::default()));
        functions::install(&db, &view)?;
        system::create(&db, databases)?;
        let mut engine = Self { db, catalog: Catalog::default(), view };
        for name in system::VIEWS {
            let columns = engine.columns_of(&format!("sys.{name}"), None)?;
            engine.catalog.add("sys", name, ObjectKind::System, columns);
        }
        Ok(engine)
    }

    /// The columns of a table or view of SQLite; types that it does not know come from `query`, which made the view.
    pub fn columns_of(&self, key: &str, query: Option<(&Query, &[String])>) -> rusqlite::Result<Vec<Column>> {
        let statement = self.db.prepare(&format!("SELECT * FROM \"{key}\""))?;
        let projection = query.and_then(|(q, _)| typing::projection(q));
        let surroundings = Surroundings { catalog: &self.catalog, objects: query.map_or(&[], |(_, o)| o) };
        let columns = statement.columns().enumerate().map(|(i, column)| {
            let declared = column.decl_type().and_then(SqlType::parse);
            let inferred = || surroundings.infer(projection.as_ref()?.get(i)?);
            let sql_type = declared.or_else(inferred).unwrap_or(SqlType::NVarChar(Some(4000)));
            Column { name: column.name().to_owned(), sql_type }
        });
        Ok(columns.collect())
    }

    /// Checks a query as SQL Server does when it compiles a batch: syntax, names, columns; no rights, no rows.
    pub fn compile(&self, query: &Query, scope: Scope<'_>) -> Result<(), SqlError> {
        let (sql, found) = translated(query, scope)?;
        self.db.prepare(&sql).map(drop).map_err(|e| SqlError::from_sqlite(&e, &found.aliases))
    }

    /// Runs a query for a session. An error in mid-way comes with the rows before it, which SQL Server has sent by then.
    pub fn query(&self, query: &Query, scope: Scope<'_>) -> Result<(ResultSet, Option<SqlError>), SqlError> {
        let (sql, found) = translated(query, scope)?;
        let failed = |e: rusqlite::Error| SqlError::from_sqlite(&e, &found.aliases);
        let mut statement = self.db.prepare(&sql).map_err(failed)?;
        self.check_rights(query, &found.objects, scope.session)?;
        self.look_as(scope.session);

        let declared: Vec<(String, Option<SqlType>)> =
            statement.columns().map(|c| (c.name().to_owned(), c.decl_type().and_then(SqlType::parse))).collect();
        let mut rows = Vec::new();
        let mut cursor = statement.query([]).map_err(failed)?;
        let error = loop {
            match cursor.next() {
                Ok(Some(row)) => {
                    let values = (0..declared.len()).map(|i| row.get_ref(i).map(value));
                    rows.push(values.collect::<Result<Vec<Value>, _>>().map_err(failed)?);
                }
                Ok(None) => break None,
                Err(error) => break Some(failed(error)),
            }
        };

        let projection = typing::projection(query);
        let surroundings = Surroundings { catalog: &self.catalog, objects: &found.objects };
        let columns = declared.into_iter().enumerate().map(|(i, (name, declared))| {
            let inferred = || match &projection {
                Some(expressions) => surroundings.infer(expressions.get(i)?),
                None => surroundings.column(&name),
            };
            let of_values = || typing::of_values(rows.iter().map(|row| &row[i]));
            let sql_type = declared.or_else(inferred).unwrap_or_else(of_values);
            Column { name: if name.starts_with(NO_NAME) { String::new() } else { name }, sql_type }
        });
        Ok((ResultSet { columns: columns.collect(), rows }, error))
    }

    /// The value of an expression outside of a query.
    pub fn scalar(&self, expr: &Expr, scope: Scope<'_>) -> Result<Value, SqlError> {
        let mut expr = expr.clone();
        let found = translate::node(&mut expr, scope)?;
        self.look_as(scope.session);
        let value = self.db.query_row(&format!("SELECT {expr}"), [], |row| row.get_ref(0).map(value));
        value.map_err(|e| SqlError::from_sqlite(&e, &found.aliases))
    }

    fn check_rights(&self, query: &Query, objects: &[String], session: &Session) -> Result<(), SqlError> {
        let mut named = Columns::default();
        let _ = query.visit(&mut named);
        for object in objects.iter().filter_map(|key| self.catalog.get(key)) {
            if named.all {
                named.names.extend(object.columns.iter().map(|c| c.name.to_lowercase()));
            }
            session.check(object, &named.names)?;
        }
        Ok(())
    }

    /// Lets the metadata functions see what this session may see.
    fn look_as(&self, session: &Session) {
        let reads_all = matches!(session.access, Access::All);
        let mut view = View { databases: session.databases.clone(), reads_all, ..View::default() };
        for object in self.catalog.objects() {
            view.objects.push((object.key(), object.name.clone(), object.id));
            match session.access.on(object) {
                Right::None => continue,
                Right::All => drop(view.readable.insert(object.id)),
                Right::Columns(columns) => view.readable_columns.extend(columns.into_iter().map(|c| (object.id, c))),
            }
            view.visible.insert(object.id);
            // `COL_LENGTH` knows tables and views only.
            if matches!(object.kind, ObjectKind::Table | ObjectKind::View { .. }) {
                let columns = object.columns.iter();
                let length = |c: &Column| ((object.id, c.name.to_lowercase()), c.sql_type.max_length());
                view.columns.extend(columns.map(length));
            }
        }
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }
}

/// The query in SQLite's words.
fn translated(query: &Query, scope: Scope<'_>) -> Result<(String, translate::Found), SqlError> {
    strict::check(query)?;
    let mut translated = query.clone();
    let found = translate::query(&mut translated, scope)?;
    Ok((translated.to_string(), found))
}

/// A scope without variables, for scripts of the lab itself.
pub fn owner_scope<'a>(catalog: &'a Catalog, session: &'a Session, variables: &'a HashMap<String, Value>) -> Scope<'a> {
    Scope { catalog, session, variables, caught: None, keep_variables: false }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Integer(n),
        ValueRef::Real(n) => Value::Real(n),
        ValueRef::Text(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// The names of columns in a query, lower case.
#[derive(Default)]
struct Columns {
    names: HashSet<String>,
    all: bool,
}

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => drop(self.names.insert(name.value.to_lowercase())),
            Expr::CompoundIdentifier(parts) => {
                self.names.extend(parts.last().map(|p| p.value.to_lowercase()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &sqlparser::ast::Select) -> ControlFlow<()> {
        let star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
        self.all |= select.projection.iter().any(star);
        ControlFlow::Continue(())
    }
}
