//! Several objects with the columns of one fact: all are asked, so that one which is empty, or of something else, does
//! not speak for the others.

use super::fact::UnknownWhy;
use super::read::Raw;
use super::schema::{Statement, Unaskable};
use super::session::ResultSet;

/// More objects than this with the columns of one fact tell nothing.
const MAX_MATCHES: usize = 8;

/// One statement of all that fit, best first; none if none fits.
pub(super) fn join(fitting: Vec<Statement>, unasked: Vec<String>) -> Result<Option<Statement>, Unaskable> {
    if fitting.len() + unasked.len() > MAX_MATCHES {
        let detail = format!("{} objects have the columns of this fact", fitting.len() + unasked.len());
        return Err(Unaskable { why: UnknownWhy::NotEvidenced, detail });
    }
    let mut fitting = fitting.into_iter();
    let Some(mut all) = fitting.next() else { return Ok(None) };
    for other in fitting {
        all.sql.push('\n');
        all.sql.push_str(&other.sql);
        all.also.push(other.source);
    }
    all.unasked = unasked;
    Ok(Some(all))
}

/// What the objects of a statement say together; none if not all have answered.
///
/// A view and the table below it have equally many rows, and then the best says it. Objects without rows say nothing
/// while another has some. All else is unknown: nobody knows which of them is meant.
pub(super) fn answer(sets: &mut Vec<ResultSet>, statement: &Statement) -> Option<Raw> {
    let name = format!("fact_{}", statement.fact);
    let (own, others) = std::mem::take(sets).into_iter().partition(|set| set.name == name);
    *sets = others;
    let own: Vec<ResultSet> = own;
    if own.len() != 1 + statement.also.len() {
        return None;
    }
    let sources = || std::iter::once(&statement.source).chain(&statement.also);
    let names = |names: Vec<&str>| names.join(", ");
    let full: Vec<_> = own.into_iter().zip(sources()).filter(|(set, _)| !set.rows.is_empty()).collect();
    if let [(first, _), rest @ ..] = full.as_slice()
        && rest.iter().any(|(set, _)| set.rows.len() != first.rows.len())
    {
        let objects = names(full.iter().map(|(_, source)| source.object.as_str()).collect());
        let detail = format!("several objects have the columns of this fact, and not the same rows: {objects}");
        return Some(Raw::Unknown { why: UnknownWhy::NotEvidenced, detail });
    }
    if full.is_empty() && !statement.unasked.is_empty() {
        let empty = names(sources().map(|source| source.object.as_str()).collect());
        let unasked = names(statement.unasked.iter().map(String::as_str).collect());
        let detail =
            format!("no rows in {empty}; these have the columns of this fact too, and cannot be asked: {unasked}");
        return Some(Raw::Unknown { why: UnknownWhy::NotEvidenced, detail });
    }
    let (rows, source) =
        full.into_iter().next().map_or_else(|| (Vec::new(), &statement.source), |(set, source)| (set.rows, source));
    Some(Raw::Rows { rows, source: source.clone(), columns: statement.columns.clone() })
}
