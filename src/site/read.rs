//! The reading: two round trips, and one by one what they did not bring.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connect::Connector;
use super::database;
use super::error::ReadError;
use super::fact::{Source, UnknownWhy};
use super::facts::{Connection, Facts};
use super::matches;
use super::options::Options;
use super::query::{FACTS, PREAMBLE, envelope, max_rows};
use super::readers;
use super::schema::{Schema, Statement};
use super::session::{End, ResultSet, Session};
use super::value::Row;
use crate::text;

/// How often a broken connection is opened again.
const MAX_RECONNECTS: usize = 3;

/// Reads all facts. It ends within the limits of `options`, or at once when cancelled.
///
/// A fact that cannot be read is unknown and says why; only what leaves nothing to read is an error.
pub async fn read(options: &Options, cancel: CancellationToken) -> Result<Facts, ReadError> {
    tokio::select! {
        () = cancel.cancelled() => Err(ReadError::Cancelled),
        facts = read_facts(options) => facts,
    }
}

async fn read_facts(options: &Options) -> Result<Facts, ReadError> {
    let connector = Connector::new(options).await?;
    let site = database::find(&connector).await?;
    let connection = Connection {
        server: options.server.to_string(),
        database: text::printable(&site.name, 128),
        server_version: site.server_version,
        certificate: options.certificate.record(),
        sign_in: options.sign_in.record(),
    };
    let answers = ask_all(&connector, &site.name, site.session, &site.schema).await;
    // Not among what waits: whoever interrupts the reading does not wait for it.
    let reading = tokio::task::spawn_blocking(move || readers::facts(connection, answers));
    reading.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => ReadError::Cancelled,
    })
}

/// What is known about one fact before its rows are understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    /// Its rows, where they are from, and the columns behind the names in the result.
    Rows { rows: Vec<Row>, source: Source, columns: Vec<(String, String)> },
    /// Why there are none.
    Unknown { why: UnknownWhy, detail: String },
}

/// The answers by fact.
pub(super) type Answers = BTreeMap<String, Raw>;

/// Sends all statements as one batch; what that does not answer is sent one by one on a new connection, so that one
/// bad object costs one fact.
async fn ask_all(connector: &Connector<'_>, database: &str, mut session: Session, schema: &Schema) -> Answers {
    let mut answers = Answers::new();
    let mut pending = Vec::new();
    for file in FACTS.iter() {
        match schema.statement(file) {
            Ok(statement) => pending.push(statement),
            Err(no) => drop(answers.insert(file.fact.clone(), Raw::Unknown { why: no.why, detail: no.detail })),
        }
    }
    if pending.is_empty() {
        return answers;
    }
    let batch: String = pending.iter().map(|s| envelope(&s.fact, &s.sql)).collect();
    let answer = session.ask(batch).await;
    let complete = answer.end == End::Complete;
    let mut sets = answer.sets;
    if let End::TooMany(name) = &answer.end {
        let (endless, rest) = pending.into_iter().partition(|s| *name == format!("fact_{}", s.fact));
        pending = rest;
        let endless: Vec<Statement> = endless;
        answers.extend(endless.into_iter().map(|statement| (statement.fact, too_many(name))));
    }
    pending.retain(|statement| match answer_in(&mut sets, statement) {
        Some(raw) => {
            answers.insert(statement.fact.clone(), raw);
            false
        }
        None => true,
    });
    if complete {
        // The batch ran to its end, so an answer that is not there will not come.
        for statement in pending {
            let detail = format!("{}: the server sent no answer", statement.source.object);
            answers.insert(statement.fact, Raw::Unknown { why: UnknownWhy::QueryFailed, detail });
        }
        return answers;
    }
    answers.extend(give_up_heavy(&mut pending, &answer.end));
    let rest = ask_singly(connector, database, pending).await;
    answers.extend(rest);
    answers
}

/// A heavy statement that ran out of time, which is the first without an answer, would only do so again.
fn give_up_heavy(pending: &mut Vec<Statement>, end: &End) -> Option<(String, Raw)> {
    if !matches!(end, End::TimedOut(_)) || !pending.first().is_some_and(|statement| statement.heavy) {
        return None;
    }
    let statement = pending.remove(0);
    let raw = unanswered(end, &statement);
    Some((statement.fact, raw))
}

async fn ask_singly(connector: &Connector<'_>, database: &str, pending: Vec<Statement>) -> Answers {
    let mut answers = Answers::new();
    let deadline = Instant::now() + patience(connector.options().query_timeout);
    let mut session: Option<Session> = None;
    let mut reconnects = 0;
    let mut lost = String::new();
    for statement in pending {
        let mut first = false;
        if !session.as_ref().is_some_and(Session::is_usable) {
            session = None;
            if reconnects < MAX_RECONNECTS && Instant::now() < deadline {
                reconnects += 1;
                first = true;
                match connector.open(database).await {
                    Ok(opened) => session = Some(opened),
                    Err(error) => {
                        lost = format!("the connection broke and could not be opened again: {error}");
                        reconnects = MAX_RECONNECTS;
                    }
                }
            }
        }
        let Some(open) = &mut session else {
            let why = if lost.is_empty() { "the connection broke, and there was no time for more" } else { &lost };
            let detail = format!("{}: {why}", statement.source.object);
            answers.insert(statement.fact, Raw::Unknown { why: UnknownWhy::Cut, detail });
            continue;
        };
        let preamble = if first { PREAMBLE.as_str() } else { "" };
        let mut answer = open.ask(format!("{preamble}{}", envelope(&statement.fact, &statement.sql))).await;
        let raw = match answer_in(&mut answer.sets, &statement) {
            Some(raw) => raw,
            None => unanswered(&answer.end, &statement),
        };
        answers.insert(statement.fact, raw);
    }
    answers
}

/// The whole of the second attempt may take as long as this.
fn patience(query_timeout: Duration) -> Duration {
    query_timeout.saturating_mul(2)
}

/// The answer to a statement, if it is among the result sets. An error counts more than rows before it: they are not
/// all. Nor are rows that no end follows: the error may have been cut off.
fn answer_in(sets: &mut Vec<ResultSet>, statement: &Statement) -> Option<Raw> {
    let error = sets.iter().find(|set| set.name == format!("error_{}", statement.fact));
    if let Some(row) = error.map(|set| set.rows.first()) {
        let number = row.and_then(|row| row.get("error_number").number().ok().flatten()).unwrap_or(0);
        let message = row.and_then(|row| row.get("error_message").text().ok().flatten()).unwrap_or_default();
        return Some(refused(number, &message, statement));
    }
    sets.iter().find(|set| set.name == format!("end_{}", statement.fact))?;
    matches::answer(sets, statement)
}

fn unanswered(end: &End, statement: &Statement) -> Raw {
    let object = &statement.source.object;
    let (why, detail) = match end {
        End::Refused(number, message) => return refused(i64::from(*number), message, statement),
        End::TooMany(name) => return too_many(name),
        End::TimedOut(limit) => (UnknownWhy::Cut, format!("{object}: no answer within {} s", limit.as_secs_f32())),
        End::Cut(detail) => (UnknownWhy::Cut, format!("{object}: the connection broke ({detail})")),
        End::Complete => (UnknownWhy::QueryFailed, format!("{object}: the server sent no answer")),
    };
    Raw::Unknown { why, detail }
}

/// 229 and 230: no right on the object, or on a column of it.
fn refused(number: i64, message: &str, statement: &Statement) -> Raw {
    let why = if matches!(number, 229 | 230) { UnknownWhy::NotPermitted } else { UnknownWhy::QueryFailed };
    let message = text::printable(message.trim_end_matches('.'), 300);
    Raw::Unknown { why, detail: format!("{}: error {number}, {message}", statement.source.object) }
}

fn too_many(set: &str) -> Raw {
    Raw::Unknown { why: UnknownWhy::QueryFailed, detail: format!("more than {} rows", max_rows(set)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_heavy_statement_that_ran_out_of_time_is_given_up() {
        let statement = |fact: &str, heavy| Statement {
            fact: fact.to_owned(),
            sql: String::new(),
            heavy,
            source: Source { object: "dbo.v".to_owned(), missing_columns: Vec::new() },
            columns: Vec::new(),
            also: Vec::new(),
            unasked: Vec::new(),
        };
        let late = End::TimedOut(Duration::from_mins(1));
        let mut pending = vec![statement("clients", true), statement("sites", false)];
        assert_eq!(give_up_heavy(&mut pending, &End::Cut("x".to_owned())), None);
        let (fact, raw) = give_up_heavy(&mut pending, &late).unwrap();
        assert!(fact == "clients" && matches!(raw, Raw::Unknown { why: UnknownWhy::Cut, .. }));
        assert_eq!(give_up_heavy(&mut pending, &late), None);
        assert_eq!(pending.len(), 1);
    }
}
