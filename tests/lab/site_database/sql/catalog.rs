//! What is in a database: objects, their columns, and who may read them.

use std::collections::BTreeMap;

use sqlparser::ast::{Expr, ObjectName, ObjectNamePart};

use super::super::wire::token::Column;
use super::super::wire::value::SqlType;
use super::SqlError;

/// The objects of a database, by `schema.name` in lower case.
#[derive(Debug, Default)]
pub struct Catalog {
    objects: BTreeMap<String, Object>,
    /// What each GRANT of the scripts said.
    pub grants: Vec<Grant>,
    next_id: i32,
}

/// A table, view or function.
#[derive(Debug, Clone)]
pub struct Object {
    pub id: i32,
    pub schema: String,
    pub name: String,
    pub kind: ObjectKind,
    pub columns: Vec<Column>,
}

/// What an object is.
#[derive(Debug, Clone)]
pub enum ObjectKind {
    Table,
    View {
        sql: String,
    },
    TableFunction {
        sql: String,
        parameters: usize,
    },
    ScalarFunction {
        parameters: Vec<String>,
        returns: SqlType,
        body: Box<Expr>,
    },
    /// Part of the engine (`sys.objects`): everyone may read it, and it does not list itself.
    System,
}

/// A right to read an object, or some columns of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role, lower case.
    pub role: String,
    /// The key of the object, see [`key`].
    pub object: String,
    /// Lower case; empty for all.
    pub columns: Vec<String>,
}

/// A name of one to three parts, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub database: Option<String>,
    pub schema: Option<String>,
    pub object: String,
}

/// The key of an object: `schema.name` in lower case.
pub fn key(schema: &str, name: &str) -> String {
    format!("{schema}.{name}").to_lowercase()
}

impl Object {
    /// The key of this object; also its name in SQLite.
    pub fn key(&self) -> String {
        key(&self.schema, &self.name)
    }

    /// `sys.objects.type`, without the padding.
    pub fn type_code(&self) -> &'static str {
        match self.kind {
            ObjectKind::Table => "U",
            ObjectKind::View { .. } => "V",
            ObjectKind::TableFunction { .. } => "IF",
            ObjectKind::ScalarFunction { .. } => "FN",
            ObjectKind::System => "S",
        }
    }

    /// `sys.objects.type_desc`.
    pub fn type_description(&self) -> &'static str {
        match self.kind {
            ObjectKind::Table => "USER_TABLE",
            ObjectKind::View { .. } => "VIEW",
            ObjectKind::TableFunction { .. } => "SQL_INLINE_TABLE_VALUED_FUNCTION",
            ObjectKind::ScalarFunction { .. } => "SQL_SCALAR_FUNCTION",
            ObjectKind::System => "SYSTEM_TABLE",
        }
    }
}

impl Catalog {
    /// Adds an object, or replaces the one of that name.
    pub fn add(&mut self, schema: &str, name: &str, kind: ObjectKind, columns: Vec<Column>) {
        self.next_id += 1;
        let object =
            Object { id: 245_575_913 + self.next_id * 16, schema: schema.into(), name: name.into(), kind, columns };
        self.objects.insert(object.key(), object);
    }

    /// Takes an object out.
    pub fn remove(&mut self, key: &str) -> Option<Object> {
        self.objects.remove(key)
    }

    /// The object of that key.
    pub fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key)
    }

    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// The object that a name in a query means, in this database.
    pub fn resolve(&self, name: &Name, database: &str) -> Result<&Object, SqlError> {
        let found = match &name.database {
            Some(other) if !other.eq_ignore_ascii_case(database) => None,
            _ => self.get(&key(name.schema.as_deref().unwrap_or("dbo"), &name.object)),
        };
        found.ok_or_else(|| SqlError::invalid_object(&name.to_string()))
    }
}

impl Name {
    /// The name in the syntax tree.
    pub fn of(name: &ObjectName) -> Result<Self, SqlError> {
        let parts: Option<Vec<&str>> = name.0.iter().map(|p| p.as_ident().map(|i| i.value.as_str())).collect();
        let mut parts = parts.ok_or_else(|| SqlError::not_in_lab(name))?.into_iter().rev().map(str::to_owned);
        let object = parts.next().ok_or_else(|| SqlError::syntax("."))?;
        let (schema, database) = (parts.next(), parts.next());
        if parts.next().is_some() {
            return Err(SqlError::not_in_lab("names of four parts"));
        }
        // `db..object` has an empty schema.
        Ok(Self { database, schema: schema.filter(|s| !s.is_empty()), object })
    }

    /// The name in a text such as `dbo.[v_Site]`.
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let (mut part, mut bracketed) = (String::new(), false);
        for c in text.trim().chars() {
            match c {
                '[' if !bracketed => bracketed = true,
                ']' if bracketed => bracketed = false,
                '.' if !bracketed => parts.push(std::mem::take(&mut part)),
                c => part.push(c),
            }
        }
        let schema = parts.pop();
        Self { database: parts.pop(), schema, object: part }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in [&self.database, &self.schema].into_iter().flatten() {
            write!(f, "{part}.")?;
        }
        f.write_str(&self.object)
    }
}

/// A name of one quoted part, for SQLite.
pub fn flat(key: &str) -> ObjectName {
    ObjectName(vec![ObjectNamePart::Identifier(sqlparser::ast::Ident::with_quote('"', key))])
}
