//! Who is asking, and what that one may read.

use std::collections::{HashMap, HashSet};

use super::super::options::Rights;
use super::SqlError;
use super::catalog::{Catalog, Name, Object, ObjectKind, key};

/// A signed-in client.
#[derive(Debug, Clone)]
pub struct Session {
    pub user: String,
    pub application: String,
    pub host: String,
    pub database: String,
    pub access: Access,
    /// The databases of the server, and whether this one may open them.
    pub databases: Vec<(String, bool)>,
}

/// What may be read.
#[derive(Debug, Clone)]
pub enum Access {
    All,
    /// By object key: the columns, lower case; empty for all.
    Only(HashMap<String, HashSet<String>>),
}

/// The right on one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    None,
    Columns(HashSet<String>),
    All,
}

impl Access {
    /// What `rights` mean in this database.
    pub fn of(rights: &Rights, catalog: &Catalog) -> Self {
        let mut only: HashMap<String, HashSet<String>> = HashMap::new();
        let mut grant = |object: String, columns: Vec<String>| {
            let whole = columns.is_empty() || only.get(&object).is_some_and(HashSet::is_empty);
            let entry = only.entry(object).or_default();
            if whole {
                entry.clear();
            } else {
                entry.extend(columns);
            }
        };
        match rights {
            Rights::All => return Self::All,
            Rights::Role(role) => {
                for g in catalog.grants.iter().filter(|g| g.role.eq_ignore_ascii_case(role)) {
                    grant(g.object.clone(), g.columns.clone());
                }
            }
            Rights::Only(grants) => {
                for g in grants {
                    let name = Name::parse(&g.object);
                    let object = key(name.schema.as_deref().unwrap_or("dbo"), &name.object);
                    grant(object, g.columns.iter().map(|c| c.to_lowercase()).collect());
                }
            }
        }
        Self::Only(only)
    }

    /// The right on `object`.
    pub fn on(&self, object: &Object) -> Right {
        match self {
            _ if matches!(object.kind, ObjectKind::System) => Right::All,
            Self::All => Right::All,
            Self::Only(only) => match only.get(&object.key()) {
                None => Right::None,
                Some(columns) if columns.is_empty() => Right::All,
                Some(columns) => Right::Columns(columns.clone()),
            },
        }
    }
}

impl Session {
    /// Fails with 229 or 230 unless all of `columns` (lower case) of `object` may be read.
    pub fn check(&self, object: &Object, columns: &HashSet<String>) -> Result<(), SqlError> {
        match self.access.on(object) {
            Right::All => Ok(()),
            Right::None => Err(SqlError::denied("SELECT", &object.name, &self.database, &object.schema)),
            Right::Columns(granted) => {
                match object.columns.iter().find(|c| {
                    let name = c.name.to_lowercase();
                    columns.contains(&name) && !granted.contains(&name)
                }) {
                    Some(c) => Err(SqlError::column_denied(&c.name, &object.name, &self.database, &object.schema)),
                    None => Ok(()),
                }
            }
        }
    }
}
