//! A fact is known or unknown; unknown is never "off".
//!
//! Four answers stay apart. The object that would tell is *absent* from this database ([`UnknownWhy::NotThere`]), which a
//! login that may read the whole database can tell; it is *not visible* ([`UnknownWhy::NotVisible`],
//! [`UnknownWhy::NotPermitted`]); it was read and is *empty* (an empty list, zero); or it says *off*. The first two
//! are both unknown: names and columns of a site database are no published contract, so another build may keep the same
//! thing elsewhere, and an object that is not there under the names known here proves nothing about the hierarchy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an answer came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The database object that answered, such as `dbo.v_Site`.
    pub object: String,
    /// Columns that were asked for and are not in this object; their values are unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_columns: Vec<String>,
    /// Where the facts of several databases were put together and not all of them know this one: those that do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<String>,
    /// Why this may not be all that the hierarchy has, where it may not: what is seen is there, and what is not seen is
    /// unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_lack: Option<String>,
}

impl Source {
    /// An object that has all columns.
    pub fn of(object: impl Into<String>) -> Self {
        Self { object: object.into(), missing_columns: Vec::new(), databases: Vec::new(), may_lack: None }
    }
}

/// Why a fact is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWhy {
    /// None of the objects that could tell is in this database, and this login would see them. What they would say of
    /// this hierarchy is unknown: another build may keep it elsewhere.
    NotThere,
    /// None of the objects that could tell is visible to this login, which may not read the whole database: absent in
    /// this build, or no right on it. SQL Server answers both alike.
    NotVisible,
    /// The object is there and the login may not read it.
    NotPermitted,
    /// The statement failed for another reason.
    QueryFailed,
    /// The connection broke before the answer was complete.
    Cut,
    /// The answer does not say it: a NULL, a missing row or column, a value outside the documented ones.
    NotEvidenced,
}

/// Something read from the site database, with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fact<T> {
    /// Looked at and seen. An empty list is known too: the object was read and has no rows.
    Known {
        /// What was seen.
        value: T,
        /// Where.
        source: Source,
    },
    /// Could not be looked at.
    Unknown {
        /// Why not.
        why: UnknownWhy,
        /// The same in words, with the object and the server's error number where there is one.
        detail: String,
    },
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Unknown { .. } => None,
        }
    }

    /// Why what is known may not be all, if it may not.
    pub fn may_lack(&self) -> Option<&str> {
        match self {
            Self::Known { source, .. } => source.may_lack.as_deref(),
            Self::Unknown { .. } => None,
        }
    }

    /// Whether the fact could not be looked at.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

impl<T> Fact<Vec<T>> {
    /// The rows, none if the fact is not known. Callers that decide something ask [`Fact::is_unknown`] first.
    pub fn rows(&self) -> &[T] {
        self.known().map_or(&[], Vec::as_slice)
    }
}
