//! Which database: the one that was named, or the one `CM_xxx` of the server that has a site.

use tokio::time::Instant;

use super::connect::Connector;
use super::error::{ConnectError, ReadError};
use super::names::SiteCode;
use super::query::{DATABASES, DISCOVERY, FACTS, PREAMBLE, envelope};
use super::retry::{Retries, is_passing};
use super::schema::Schema;
use super::session::{Answer, End, ResultSet, Session};
use crate::text;

/// More `CM_` databases than this on one server are not looked into.
const MAX_CANDIDATES: usize = 32;
/// How often the first question is asked again.
const MAX_RETRIES: u32 = 3;

/// A site database, with a session in it and what was discovered.
pub(super) struct SiteDatabase {
    pub(super) name: String,
    pub(super) session: Session,
    pub(super) schema: Schema,
    pub(super) server_version: Option<String>,
}

/// Opens the site database, and takes the first round trip in it.
pub(super) async fn find(connector: &Connector<'_>) -> Result<SiteDatabase, ReadError> {
    let server = connector.options().server.to_string();
    if let Some(name) = &connector.options().database {
        return match look(connector, name).await? {
            Some(found) => Ok(found),
            None => Err(ReadError::NotASiteDatabase { server, database: text::printable(name, 128) }),
        };
    }
    let (listed, mut closed) = candidates(connector).await?;
    let mut found = Vec::new();
    let mut rejected = Vec::new();
    for name in listed {
        match look(connector, &name).await {
            Ok(Some(database)) => found.push(database),
            Ok(None) => rejected.push(format!("{name}: no site in it")),
            Err(ReadError::Connect(ConnectError::DatabaseUnavailable { .. })) => {
                closed.push(format!("{name} (cannot be opened)"));
            }
            Err(error) => return Err(error),
        }
    }
    match found.len() {
        0 => {
            let seen = if rejected.is_empty() && closed.is_empty() {
                "no database named CM_xxx is open to it".to_owned()
            } else {
                rejected.into_iter().chain(closed).collect::<Vec<_>>().join("; ")
            };
            Err(ReadError::NoSiteDatabase { server, seen })
        }
        1 if closed.is_empty() => Ok(found.remove(0)),
        _ => {
            // A database that was not looked into may be the one that is meant.
            let databases = found.into_iter().map(|database| database.name).chain(closed).collect();
            Err(ReadError::SeveralSiteDatabases { server, databases })
        }
    }
}

/// The names of databases that may be a site's and can be opened, in the server's order, and in words those that are
/// not looked into.
async fn candidates(connector: &Connector<'_>) -> Result<(Vec<String>, Vec<String>), ReadError> {
    let sql = format!("{}{}", *PREAMBLE, DATABASES.constant());
    let (_, answer) = ask_first(connector, "master", &sql, "the list of its databases").await?;
    let rows = answer.sets.into_iter().find(|set| set.name == "fact_databases").map(|set| set.rows);
    let (mut names, mut closed) = (Vec::new(), Vec::new());
    for row in rows.unwrap_or_default() {
        let Ok(Some(name)) = row.get("database_name").text() else { continue };
        let is_candidate = name.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("CM_"))
            && SiteCode::parse(&name[3..]).is_ok_and(|code| code.as_str().len() == name.len() - 3);
        if is_candidate {
            match row.get("can_open").flag() {
                Ok(Some(false)) => closed.push(format!("{name} (cannot be opened)")),
                _ => names.push(name),
            }
        }
    }
    let mut over = 0;
    for rest in [&mut names, &mut closed] {
        if rest.len() > MAX_CANDIDATES {
            let more = rest.len() - MAX_CANDIDATES;
            rest.truncate(MAX_CANDIDATES);
            over += more;
        }
    }
    if over > 0 {
        closed.push(format!("{over} more"));
    }
    Ok((names, closed))
}

/// Opens a database and asks what is in it; none if it is no site database.
async fn look(connector: &Connector<'_>, name: &str) -> Result<Option<SiteDatabase>, ReadError> {
    let questions: String = DISCOVERY.iter().map(|file| envelope(&file.fact, &file.constant())).collect();
    let sql = format!("{}{questions}", *PREAMBLE);
    let (session, answer) = ask_first(connector, name, &sql, "which objects it has").await?;
    if let Some((number, message)) =
        answer.sets.iter().find(|set| set.name == "error_objects").and_then(ResultSet::error)
    {
        return Err(ReadError::Refused {
            server: connector.options().server.to_string(),
            number: u32::try_from(number).unwrap_or(0),
            message: text::printable(&message, 300),
        });
    }
    let server_version = answer
        .sets
        .iter()
        .find(|set| set.name == "fact_server")
        .and_then(|set| set.rows.first()?.get("product_version").text().ok()?)
        .map(|version| text::printable(&version, 40));
    let schema = Schema::from_sets(&answer.sets);
    let is_site = schema.is_site_database(&FACTS);
    Ok(is_site.then(|| SiteDatabase { name: name.to_owned(), session, schema, server_version }))
}

/// Opens a database and asks the first question in it. A connection that breaks and a server that is busy are tried
/// again, within the time of one round trip.
async fn ask_first(
    connector: &Connector<'_>,
    database: &str,
    sql: &str,
    question: &str,
) -> Result<(Session, Answer), ReadError> {
    let mut retries = Retries::new(MAX_RETRIES, Instant::now() + connector.options().query_timeout);
    loop {
        let error = match connector.open(database).await {
            Ok(mut session) => {
                let answer = session.ask(sql.to_owned()).await;
                let busy = answer.sets.iter().filter_map(ResultSet::error).any(|(number, _)| is_passing(number));
                match complete(answer, connector, question) {
                    Ok(_) if busy && retries.again().await => continue,
                    Ok(answer) => return Ok((session, answer)),
                    Err(error) => error,
                }
            }
            Err(error) => error.into(),
        };
        if !error.is_passing() || !retries.again().await {
            return Err(error);
        }
    }
}

/// Without this answer nothing else can be asked.
fn complete(answer: Answer, connector: &Connector<'_>, question: &str) -> Result<Answer, ReadError> {
    let server = connector.options().server.to_string();
    match answer.end {
        End::Complete => Ok(answer),
        End::Refused(number, message) => Err(ReadError::Refused { server, number, message }),
        End::TooMany(_) => Err(ReadError::Endless { server }),
        End::TimedOut(limit) => Err(ReadError::Timeout { server, limit, detail: question.to_owned() }),
        End::Cut(detail) => Err(ReadError::Cut { server, detail }),
    }
}
