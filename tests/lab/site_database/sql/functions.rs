//! T-SQL's scalar functions for SQLite, where SQLite has none of the same meaning.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};

use super::super::wire::value::SqlType;
use super::SqlError;
use super::catalog::{Name, key};

/// What the metadata functions see: set before each statement.
#[derive(Debug, Default)]
pub struct View {
    /// Key, name and id of each object.
    pub objects: Vec<(String, String, i32)>,
    /// The ids of the objects on which the session has any right, and of those that it may read whole.
    pub visible: HashSet<i32>,
    pub readable: HashSet<i32>,
    /// Keys of columns that may be read one by one: `(object id, column)`.
    pub readable_columns: HashSet<(i32, String)>,
    /// Length in octets of each column: `(object id, column)`.
    pub columns: HashMap<(i32, String), i64>,
    /// Whether the session may read the whole database.
    pub reads_all: bool,
    /// Databases, and whether the session may open them.
    pub databases: Vec<(String, bool)>,
}

type Shared = Arc<Mutex<View>>;

/// Adds all functions to a connection.
pub fn install(db: &Connection, view: &Shared) -> rusqlite::Result<()> {
    text_functions(db)?;
    value_functions(db)?;
    metadata_functions(db, view)
}

fn text_functions(db: &Connection) -> rusqlite::Result<()> {
    pure(db, "tsql_len", 1, |a| Ok(text(a, 0).map(|t| integer(t.trim_end_matches(' ').chars().count()))))?;
    pure(db, "tsql_datalength", 1, |a| Ok(text(a, 0).map(|t| integer(t.encode_utf16().count() * 2))))?;
    pure(db, "tsql_reverse", 1, |a| Ok(text(a, 0).map(|t| Stored::Text(t.chars().rev().collect()))))?;
    pure(db, "tsql_left", 2, |a| Ok(characters(a, |_, n| (0, n))))?;
    pure(db, "tsql_right", 2, |a| Ok(characters(a, |len, n| (len.saturating_sub(n), n))))?;
    pure(db, "tsql_substring", 3, |a| {
        let (Some(t), Some(start), Some(length)) = (text(a, 0), int(a, 1), int(a, 2)) else { return Ok(None) };
        if length < 0 {
            let why = "Invalid length parameter passed to the LEFT or SUBSTRING function.";
            return Err(SqlError::new(537, 16, why));
        }
        let end = start.saturating_add(length).max(1);
        let (skip, take) = (start.max(1) - 1, end - start.max(1));
        let count = |n: i64| usize::try_from(n).unwrap_or(0);
        Ok(Some(Stored::Text(t.chars().skip(count(skip)).take(count(take)).collect())))
    })?;
    pure(db, "tsql_charindex", 2, |a| Ok(charindex(a)))?;
    pure(db, "tsql_charindex", 3, |a| Ok(charindex(a)))?;
    pure(db, "tsql_quotename", 1, |a| {
        Ok(text(a, 0).filter(|t| t.chars().count() <= 128).map(|t| Stored::Text(format!("[{}]", t.replace(']', "]]")))))
    })?;
    // SQLite asks these for LIKE: the pattern comes first.
    pure(db, "like", 2, |a| Ok(text(a, 0).zip(text(a, 1)).map(|(p, t)| Stored::Integer(like(&p, &t, None).into()))))?;
    pure(db, "like", 3, |a| {
        let escape = text(a, 2).and_then(|e| e.chars().next());
        Ok(text(a, 0).zip(text(a, 1)).map(|(p, t)| Stored::Integer(like(&p, &t, escape).into())))
    })
}

fn value_functions(db: &Connection) -> rusqlite::Result<()> {
    pure(db, "tsql_add", 2, |a| match (&a[0], &a[1]) {
        (Stored::Null, _) | (_, Stored::Null) => Ok(None),
        (Stored::Text(x), Stored::Text(y)) => Ok(Some(Stored::Text(format!("{x}{y}")))),
        (Stored::Real(x), Stored::Real(y)) => Ok(Some(Stored::Real(x + y))),
        (x, y) => {
            let (x, y) = (whole_number(x)?, whole_number(y)?);
            let sum = x.checked_add(y).ok_or_else(|| overflow("bigint"))?;
            Ok(Some(Stored::Integer(sum)))
        }
    })?;
    pure(db, "tsql_divide", 2, |a| match (&a[0], &a[1]) {
        (Stored::Null, _) | (_, Stored::Null) => Ok(None),
        (Stored::Real(x), Stored::Real(y)) if *y != 0.0 => Ok(Some(Stored::Real(x / y))),
        (x, y) => match whole_number(x)?.checked_div(whole_number(y)?) {
            Some(n) => Ok(Some(Stored::Integer(n))),
            None => Err(SqlError::new(8134, 16, "Divide by zero error encountered.")),
        },
    })?;
    pure(db, "tsql_cast", 2, |a| cast(&a[0], &text(a, 1).unwrap_or_default()).map(Some))?;
    pure(db, "tsql_try_cast", 2, |a| Ok(cast(&a[0], &text(a, 1).unwrap_or_default()).ok()))?;
    pure(db, "tsql_now", 0, |_| {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime();
        Ok(Some(Stored::Text(now.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string())))
    })?;
    pure(db, "tsql_serverproperty", 1, |a| {
        Ok(match text(a, 0).unwrap_or_default().to_ascii_lowercase().as_str() {
            "productversion" => Some(Stored::Text("16.0.1000.6".into())),
            "productlevel" => Some(Stored::Text("RTM".into())),
            "edition" => Some(Stored::Text("Enterprise Edition (64-bit)".into())),
            "servername" | "machinename" => Some(Stored::Text("CM-CAS-SQL".into())),
            "collation" => Some(Stored::Text("SQL_Latin1_General_CP1_CI_AS".into())),
            "engineedition" => Some(Stored::Integer(3)),
            "productmajorversion" => Some(Stored::Text("16".into())),
            "ishadrenabled" => Some(Stored::Integer(0)),
            _ => None,
        })
    })?;
    pure(db, "tsql_schema_id", 1, |a| {
        Ok(match text(a, 0).unwrap_or_default().to_ascii_lowercase().as_str() {
            "dbo" => Some(Stored::Integer(1)),
            "sys" => Some(Stored::Integer(4)),
            "repl" => Some(Stored::Integer(5)),
            _ => None,
        })
    })?;
    pure(db, "tsql_schema_id", 0, |_| Ok(Some(Stored::Integer(1))))?;
    pure(db, "tsql_schema_name", 1, |a| {
        let names = [(1, "dbo"), (4, "sys"), (5, "repl")];
        Ok(int(a, 0).and_then(|id| names.iter().find(|n| n.0 == id)).map(|n| Stored::Text(n.1.into())))
    })
}

fn metadata_functions(db: &Connection, view: &Shared) -> rusqlite::Result<()> {
    let shared = view.clone();
    pure(db, "lab_visible", 1, move |a| {
        let view = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let visible = int(a, 0).and_then(|id| i32::try_from(id).ok()).is_some_and(|id| view.visible.contains(&id));
        Ok(Some(Stored::Integer(visible.into())))
    })?;
    let shared = view.clone();
    let object_id = move |a: &[Stored]| {
        let view = shared.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(text(a, 0).and_then(|t| find(&view, &t)).map(|id| Stored::Integer(id.into())))
    };
    pure(db, "tsql_object_id", 1, object_id.clone())?;
    pure(db, "tsql_object_id", 2, object_id)?;
    let shared = view.clone();
    pure(db, "tsql_col_length", 2, move |a| {
        let view = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let key = text(a, 0).and_then(|t| find(&view, &t)).zip(text(a, 1).map(|c| c.to_lowercase()));
        Ok(key.and_then(|key| view.columns.get(&key)).map(|length| Stored::Integer(*length)))
    })?;
    let shared = view.clone();
    pure(db, "tsql_object_name", 1, move |a| {
        let view = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let object = view.objects.iter().find(|o| Some(i64::from(o.2)) == int(a, 0) && view.visible.contains(&o.2));
        Ok(object.map(|o| Stored::Text(o.1.clone())))
    })?;
    let shared = view.clone();
    pure(db, "tsql_has_dbaccess", 1, move |a| {
        let view = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let name = text(a, 0).unwrap_or_default();
        let database = view.databases.iter().find(|d| d.0.eq_ignore_ascii_case(&name));
        Ok(database.map(|d| Stored::Integer(d.1.into())))
    })?;
    for count in [3, 4, 5] {
        let shared = view.clone();
        pure(db, "tsql_has_perms_by_name", count, move |a| {
            let view = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let class = text(a, 1).unwrap_or_default().to_ascii_uppercase();
            let permission = text(a, 2).unwrap_or_default().to_ascii_uppercase();
            if class != "OBJECT" {
                let may = permission == "CONNECT" || (permission == "SELECT" && view.reads_all);
                return Ok(Some(Stored::Integer((class == "DATABASE" && may).into())));
            }
            let Some(id) = text(a, 0).and_then(|t| find(&view, &t)) else { return Ok(None) };
            let column = text(a, 3).map(|c| c.to_lowercase());
            let may = permission == "SELECT"
                && (view.readable.contains(&id) || column.is_some_and(|c| view.readable_columns.contains(&(id, c))));
            Ok(Some(Stored::Integer(may.into())))
        })?;
    }
    Ok(())
}

fn find(view: &View, name: &str) -> Option<i32> {
    let name = Name::parse(name);
    let key = key(name.schema.as_deref().unwrap_or("dbo"), &name.object);
    let id = view.objects.iter().find(|o| o.0 == key)?.2;
    view.visible.contains(&id).then_some(id)
}

/// Adds a function of plain values; `None` is NULL.
fn pure<F>(db: &Connection, name: &str, count: i32, f: F) -> rusqlite::Result<()>
where
    F: Fn(&[Stored]) -> Result<Option<Stored>, SqlError> + Send + 'static,
{
    db.create_scalar_function(name, count, FunctionFlags::SQLITE_UTF8, move |context: &Context<'_>| {
        let arguments: Vec<Stored> = (0..context.len()).map(|i| owned(context.get_raw(i))).collect();
        let value = f(&arguments).map_err(|e| e.in_sqlite())?;
        Ok(ToSqlOutput::Owned(value.unwrap_or(Stored::Null)))
    })
}

fn owned(value: ValueRef<'_>) -> Stored {
    match value {
        ValueRef::Text(bytes) => Stored::Text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Integer(n) => Stored::Integer(n),
        ValueRef::Real(n) => Stored::Real(n),
        ValueRef::Blob(bytes) => Stored::Blob(bytes.to_vec()),
        ValueRef::Null => Stored::Null,
    }
}

/// An argument as text; `None` for NULL.
fn text(arguments: &[Stored], at: usize) -> Option<String> {
    match arguments.get(at)? {
        Stored::Text(text) => Some(text.clone()),
        Stored::Integer(n) => Some(n.to_string()),
        Stored::Real(n) => Some(n.to_string()),
        Stored::Null | Stored::Blob(_) => None,
    }
}

fn int(arguments: &[Stored], at: usize) -> Option<i64> {
    whole_number(arguments.get(at)?).ok()
}

fn integer(n: usize) -> Stored {
    Stored::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn whole_number(value: &Stored) -> Result<i64, SqlError> {
    match value {
        Stored::Integer(n) => Ok(*n),
        #[expect(clippy::cast_possible_truncation, reason = "T-SQL cuts the fraction off")]
        Stored::Real(n) => Ok(*n as i64),
        Stored::Text(text) => text.trim().parse().map_err(|_| {
            SqlError::new(
                245,
                16,
                format!("Conversion failed when converting the nvarchar value '{text}' to data type int."),
            )
        }),
        _ => Err(SqlError::conversion("no number")),
    }
}

fn overflow(data_type: &str) -> SqlError {
    SqlError::new(8115, 16, format!("Arithmetic overflow error converting expression to data type {data_type}."))
}

fn characters(arguments: &[Stored], range: impl Fn(usize, usize) -> (usize, usize)) -> Option<Stored> {
    let text = text(arguments, 0)?;
    let (skip, take) = range(text.chars().count(), usize::try_from(int(arguments, 1)?).unwrap_or(0));
    Some(Stored::Text(text.chars().skip(skip).take(take).collect()))
}

fn charindex(arguments: &[Stored]) -> Option<Stored> {
    let (needle, text) = (text(arguments, 0)?, text(arguments, 1)?);
    let start = usize::try_from(int(arguments, 2).unwrap_or(1).max(1) - 1).unwrap_or(0);
    let (needle, text): (Vec<char>, Vec<char>) =
        (needle.to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let found = (start..text.len()).find(|i| !needle.is_empty() && text[*i..].starts_with(&needle));
    Some(integer(found.map_or(0, |i| i + 1)))
}

/// CAST to a declared type; 245 or 8115 if the value does not fit.
fn cast(value: &Stored, declaration: &str) -> Result<Stored, SqlError> {
    let sql_type = SqlType::parse(declaration).ok_or_else(|| SqlError::not_in_lab(format!("CAST AS {declaration}")))?;
    if *value == Stored::Null {
        return Ok(Stored::Null);
    }
    let bounded = |least: i64, most: i64| {
        let n = whole_number(value)?;
        if (least..=most).contains(&n) { Ok(Stored::Integer(n)) } else { Err(overflow(declaration)) }
    };
    match sql_type {
        SqlType::Bit => Ok(Stored::Integer((whole_number(value)? != 0).into())),
        SqlType::TinyInt => bounded(0, 255),
        SqlType::SmallInt => bounded(i16::MIN.into(), i16::MAX.into()),
        SqlType::Int => bounded(i32::MIN.into(), i32::MAX.into()),
        SqlType::BigInt => bounded(i64::MIN, i64::MAX),
        SqlType::Float => match value {
            Stored::Text(text) => text.trim().parse().map(Stored::Real).map_err(|_| SqlError::conversion("no number")),
            other => Ok(other.clone()),
        },
        SqlType::VarBinary => Ok(value.clone()),
        SqlType::DateTime | SqlType::Guid => {
            Ok(text(std::slice::from_ref(value), 0).map_or(Stored::Null, Stored::Text))
        }
        SqlType::NVarChar(limit) | SqlType::VarChar(limit) => {
            let text = text(std::slice::from_ref(value), 0).unwrap_or_default();
            let limit = limit.map_or(usize::MAX, usize::from);
            Ok(Stored::Text(text.chars().take(limit).collect()))
        }
        SqlType::Char(n) => {
            let text = text(std::slice::from_ref(value), 0).unwrap_or_default();
            Ok(Stored::Text(text.chars().take(usize::from(n)).collect()))
        }
    }
}

/// LIKE of T-SQL: `%`, `_`, `[a-z]`, `[^a]`, without case.
fn like(pattern: &str, text: &str, escape: Option<char>) -> bool {
    let lower = |s: &str| s.to_lowercase().chars().collect::<Vec<_>>();
    matches(&lower(pattern), &lower(text), escape)
}

fn matches(pattern: &[char], text: &[char], escape: Option<char>) -> bool {
    match pattern {
        [] => text.is_empty(),
        [e, c, rest @ ..] if Some(*e) == escape => text.first() == Some(c) && matches(rest, &text[1..], escape),
        ['%', rest @ ..] => (0..=text.len()).any(|i| matches(rest, &text[i..], escape)),
        ['_', rest @ ..] => !text.is_empty() && matches(rest, &text[1..], escape),
        ['[', rest @ ..] if rest.contains(&']') => {
            let end = rest.iter().position(|c| *c == ']').unwrap_or(0);
            let (set, rest) = (&rest[..end], &rest[end + 1..]);
            let (negated, set) = if let ['^', set @ ..] = set { (true, set) } else { (false, set) };
            text.first().is_some_and(|c| in_set(set, *c) != negated) && matches(rest, &text[1..], escape)
        }
        [c, rest @ ..] => text.first() == Some(c) && matches(rest, &text[1..], escape),
    }
}

fn in_set(set: &[char], c: char) -> bool {
    match set {
        [from, '-', to, rest @ ..] => (*from..=*to).contains(&c) || in_set(rest, c),
        [one, rest @ ..] => *one == c || in_set(rest, c),
        [] => false,
    }
}
