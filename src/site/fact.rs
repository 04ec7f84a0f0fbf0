//! A fact is known or unknown; unknown is never "off".
//!
//! Four answers stay apart. The object that would tell is *absent* from this database ([`UnknownWhy::NotThere`]), which a
//! login that may read the whole database can tell; it is *not visible* ([`UnknownWhy::NotVisible`],
//! [`UnknownWhy::NotPermitted`]); it was read and is *empty* (an empty list, zero); or it says *off*. The first two
//! are both unknown: names and columns of a site database are no published contract, so another build may keep the same
//! thing elsewhere, and an object that is not there under the names known here proves nothing about the hierarchy.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::query::Identifier;
use crate::text;

/// Where an answer came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The database object that answered, such as `dbo.v_Site`, or several with commas between them; last, the key of a
    /// settings file that states it, such as `cmcomply.toml: consoles`; or `assumed`.
    #[serde(deserialize_with = "object")]
    pub object: String,
    /// Columns whose values are unknown: they are not in this object, or may not be read, or are not asked for since a
    /// secret may stand in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_columns: Vec<String>,
    /// Where the facts of several databases were put together and not all of them know this one: those that do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<String>,
    /// Why this may not be all that the hierarchy has, where it may not: what is seen is there, and what is not seen is
    /// unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_lack: Option<String>,
    /// Whether the object was read and has not one row: what it would tell of was never set up, which is not the same as
    /// rows that say that it is off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_rows: bool,
}

impl Source {
    /// An object that has all columns.
    pub fn of(object: impl Into<String>) -> Self {
        Self {
            object: object.into(),
            missing_columns: Vec::new(),
            databases: Vec::new(),
            may_lack: None,
            no_rows: false,
        }
    }
}

/// The longest text that names objects.
const MAX_OBJECT: usize = 8000;

/// A text that names where an answer came from, and nothing else.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_object(&text) {
        return Ok(text);
    }
    let shown = text::printable(&text, 80);
    Err(D::Error::custom(format!("`{shown}` is no source of a fact (dbo.NAME, or FILE: KEY)")))
}

fn is_object(text: &str) -> bool {
    let database = |part: &str| part == "assumed" || part.strip_prefix("dbo.").and_then(Identifier::parse).is_some();
    // The name of a file may hold commas too.
    let mut rest = Some(text);
    while let Some(now) = rest {
        let (part, after) = now.split_once(", ").map_or((now, None), |(part, after)| (part, Some(after)));
        if !database(part) {
            break;
        }
        rest = after;
    }
    let stated = |text: &str| {
        text.rsplit_once(": ").is_some_and(|(file, key)| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            !file.is_empty() && !key.is_empty() && key.bytes().all(plain)
        })
    };
    text.len() <= MAX_OBJECT && text::printable(text, MAX_OBJECT) == text && rest.is_none_or(stated)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_objects_and_nothing_else() {
        for good in [
            "dbo.v_Site",
            "dbo.CM_UpdatePackages, dbo.v_LocalizedUpdatePackageMetaData_SiteLoc",
            "assumed",
            "cmcomply.toml: consoles",
            "dbo.vRead, C:\\Contoso, Inc\\cmcomply.toml: gateways",
        ] {
            assert!(is_object(good), "{good}");
        }
        let long = format!("dbo.{}", "x".repeat(129));
        for bad in [
            "",
            "v_Site",
            "dbo.",
            "dbo.v_Site,",
            "dbo.v_Site; DROP TABLE x",
            "dbo.<b>",
            "dbo.v\u{1b}[2J",
            "x\u{202e}.toml: consoles",
            ": consoles",
            "file: <img>",
            &long,
        ] {
            assert!(!is_object(bad), "{bad}");
            let json = serde_json::json!({ "object": bad });
            let error = serde_json::from_value::<Source>(json).unwrap_err().to_string();
            assert!(error.contains("is no source of a fact") && !error.contains('\u{1b}'), "{error}");
        }
    }
}
