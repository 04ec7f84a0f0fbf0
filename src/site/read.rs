//! The reading: two round trips, and one by one what they did not bring.

use std::collections::BTreeMap;

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
use super::retry::{Retries, is_passing};
use super::schema::{Schema, Statement};
use super::session::{Answer, End, ResultSet, Session};
use super::value::Row;
use crate::text;

/// How often a broken connection is opened again.
const MAX_RECONNECTS: u32 = 3;
/// How often statements are sent again that were the victims of deadlocks, or ran into locks.
const MAX_RETRIES: u32 = 3;

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
/// bad object costs one fact. What failed for a passing reason is sent again.
async fn ask_all(connector: &Connector<'_>, database: &str, session: Session, schema: &Schema) -> Answers {
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
    let mut line = Line::new(connector, database, session);
    let (mut busy, rest) = ask_at_once(&mut line, pending, &mut answers).await;

    // The whole of what follows may take twice as long as one round trip.
    let deadline = Instant::now() + connector.options().query_timeout.saturating_mul(2);
    line.reconnects = Retries::new(MAX_RECONNECTS, deadline);
    busy.extend(ask_singly(&mut line, rest, &mut answers).await);
    let mut retries = Retries::new(MAX_RETRIES, deadline);
    while !busy.is_empty() && retries.again().await {
        busy = ask_singly(&mut line, busy, &mut answers).await;
    }
    answers
}

/// Sends all statements as one batch. What comes back are those that failed for a passing reason, and those without an
/// answer that another connection may bring.
async fn ask_at_once(
    line: &mut Line<'_>,
    mut pending: Vec<Statement>,
    answers: &mut Answers,
) -> (Vec<Statement>, Vec<Statement>) {
    let batch: String = pending.iter().map(|s| envelope(&s.fact, &s.sql)).collect();
    let answer = line.ask(batch).await;
    let mut sets = answer.sets;
    if let End::TooMany(name) = &answer.end {
        let (endless, rest): (Vec<_>, _) = pending.into_iter().partition(|s| *name == format!("fact_{}", s.fact));
        pending = rest;
        answers.extend(endless.into_iter().map(|statement| (statement.fact, too_many(name))));
    }
    let mut busy = Vec::new();
    pending.retain(|statement| {
        let Some((raw, passing)) = answer_in(&mut sets, statement) else { return true };
        if passing {
            busy.push(statement.clone());
        }
        answers.insert(statement.fact.clone(), raw);
        false
    });
    if answer.end == End::Complete {
        // The batch ran to its end, so an answer that is not there will not come.
        answers.extend(pending.drain(..).map(|statement| {
            let raw = unanswered(&answer.end, &statement);
            (statement.fact, raw)
        }));
    }
    answers.extend(give_up_heavy(&mut pending, &answer.end));
    (busy, pending)
}

/// Sends statements one by one, and gives back those that failed for a passing reason.
async fn ask_singly(line: &mut Line<'_>, pending: Vec<Statement>, answers: &mut Answers) -> Vec<Statement> {
    let mut busy = Vec::new();
    for statement in pending {
        let mut answer = line.ask(envelope(&statement.fact, &statement.sql)).await;
        let (raw, passing) = answer_in(&mut answer.sets, &statement)
            .unwrap_or_else(|| (unanswered(&answer.end, &statement), passes(&answer.end)));
        answers.insert(statement.fact.clone(), raw);
        if passing {
            busy.push(statement);
        }
    }
    busy
}

/// A connection that is opened again when it breaks.
struct Line<'a> {
    connector: &'a Connector<'a>,
    database: &'a str,
    session: Session,
    reconnects: Retries,
    /// Why it could not be opened again.
    lost: Option<String>,
}

impl<'a> Line<'a> {
    /// A line that is not opened again until `reconnects` says how often.
    fn new(connector: &'a Connector<'a>, database: &'a str, session: Session) -> Self {
        Self { connector, database, session, reconnects: Retries::new(0, Instant::now()), lost: None }
    }

    async fn ask(&mut self, sql: String) -> Answer {
        if self.session.is_usable() {
            return self.session.ask(sql).await;
        }
        while self.reconnects.again().await {
            match self.connector.open(self.database).await {
                Ok(session) => {
                    self.session = session;
                    return self.session.ask(format!("{}{sql}", *PREAMBLE)).await;
                }
                Err(error) => {
                    if !error.is_passing() {
                        self.reconnects.give_up();
                    }
                    self.lost = Some(format!("it could not be opened again: {error}"));
                }
            }
        }
        let detail = self.lost.clone().unwrap_or_else(|| "there was no time for more".to_owned());
        Answer { sets: Vec::new(), end: End::Cut(detail) }
    }
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

/// The answer to a statement, if it is among the result sets, and whether it may be another one a moment later. An
/// error counts more than rows before it: they are not all. Nor are rows that no end follows: the error may have been
/// cut off.
fn answer_in(sets: &mut Vec<ResultSet>, statement: &Statement) -> Option<(Raw, bool)> {
    let error = sets.iter().find(|set| set.name == format!("error_{}", statement.fact)).and_then(ResultSet::error);
    if let Some((number, message)) = error {
        return Some((refused(number, &message, statement), is_passing(number)));
    }
    sets.iter().find(|set| set.name == format!("end_{}", statement.fact))?;
    matches::answer(sets, statement).map(|raw| (raw, false))
}

fn passes(end: &End) -> bool {
    matches!(end, End::Refused(number, _) if is_passing(i64::from(*number)))
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
    let detail = format!("more than {} rows, or more columns than were asked for", max_rows(set));
    Raw::Unknown { why: UnknownWhy::QueryFailed, detail }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_heavy_statement_that_ran_out_of_time_is_given_up() {
        let statement = |fact: &str, heavy| Statement {
            fact: fact.to_owned(),
            sql: String::new(),
            heavy,
            source: Source::of("dbo.v"),
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
