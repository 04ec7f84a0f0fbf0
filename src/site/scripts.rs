//! What clients said in answer to a script: read page by page, so that the memory does not grow with the clients.

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connect::Connector;
use super::database;
use super::error::ReadError;
use super::options::Options;
use super::query::{DISCOVERY, PREAMBLE, SCRIPTS, envelope};
use super::retry::{Retries, is_passing};
use super::schema::{Schema, Statement};
use super::session::{End, Parameter, ResultSet, Session};
use super::value::Row;
use crate::text;

/// The rows of a page, as the statement says.
const PAGE: usize = 500;
/// More clients than any site has.
const MAX_CLIENTS: u64 = 5_000_000;
/// How often in all a connection that broke, or a statement that gave way, is tried again.
const MAX_RETRIES: u32 = 5;

/// The number of a script, as the console shows it (Script GUID).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptId(uuid::Uuid);

impl ScriptId {
    /// Takes a GUID, with or without braces and hyphens.
    pub fn parse(text: &str) -> Result<Self, String> {
        uuid::Uuid::try_parse(text.trim()).map(Self).map_err(|_| {
            "a script is named by its GUID, such as 937C2F69-67ED-4682-B072-8F4BA4C53655 (the column Script GUID of the \
             console)"
                .to_owned()
        })
    }
}

impl std::fmt::Display for ScriptId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:X}", self.0.hyphenated())
    }
}

/// A client that the site knows, with its newest result of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptResult {
    /// Its boundary group or network. Hostile text.
    pub group: Option<String>,
    /// The result; `None` if the site has none.
    pub result: Option<ScriptOutput>,
}

/// What the site has of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOutput {
    /// The state: 1 succeeded, 2 failed.
    pub state: Option<i64>,
    /// What the script said, or its beginning. Hostile text.
    pub output: Option<String>,
}

/// Where the results are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptSource {
    /// The objects that were asked.
    pub object: String,
    /// The word of the statement for the groups: `boundary_group`, `network` or `nothing`.
    pub grouped_by: String,
}

/// Reads the newest result of each client, in the order of their numbers, and hands it to `take` one by one.
pub async fn read_script(
    options: &Options,
    script: ScriptId,
    cancel: &CancellationToken,
    take: impl FnMut(ScriptResult),
) -> Result<ScriptSource, ReadError> {
    tokio::select! {
        () = cancel.cancelled() => Err(ReadError::Cancelled),
        read = read_pages(options, script, take) => read,
    }
}

async fn read_pages(
    options: &Options,
    script: ScriptId,
    mut take: impl FnMut(ScriptResult),
) -> Result<ScriptSource, ReadError> {
    let connector = Connector::new(options).await?;
    let database::SiteDatabase { name, mut session, .. } = database::find(&connector).await?;
    let statement = statement(&mut session, options).await?;
    let mut pages = Pages { connector: &connector, database: &name, session, statement: &statement, script };
    let mut source = ScriptSource { object: statement.source.object.clone(), grouped_by: "nothing".to_owned() };
    let (mut last, mut clients) = (i64::MIN, 0);
    loop {
        let rows = pages.after(last).await?;
        let full = rows.len() >= PAGE;
        let before = last;
        for row in rows {
            let client = row.get("resource_id").number().ok().flatten();
            // Each page rests on the order, and so does the end.
            let client = client.filter(|client| *client > before && *client >= last);
            let client = client.ok_or_else(|| failed("the server gives clients without a number, or in no order"))?;
            // Of a client with several results, the newest comes first.
            if client == last {
                continue;
            }
            last = client;
            clients += 1;
            if clients > MAX_CLIENTS {
                return Err(failed("the server has more clients than any site"));
            }
            if let Ok(Some(word)) = row.get("grouped_by").text() {
                source.grouped_by = word;
            }
            take(result(&row));
        }
        if !full {
            return Ok(source);
        }
    }
}

/// The statement for what this database has.
async fn statement(session: &mut Session, options: &Options) -> Result<Statement, ReadError> {
    // The first of these says whether the login sees everything.
    let questions: String = [&DISCOVERY[0], &SCRIPTS[0]].map(|file| envelope(&file.fact, &file.constant())).concat();
    let answer = session.ask(questions).await;
    if answer.end != End::Complete {
        return Err(failed(&words(&answer.end)));
    }
    if let Some((number, message)) = answer.sets.iter().find_map(ResultSet::error) {
        return Err(failed(&format!("error {number}, {}", text::printable(&message, 300))));
    }
    let unaskable = match Schema::from_sets(&answer.sets).statement(&SCRIPTS[1]) {
        Ok(statement) => return Ok(statement),
        Err(unaskable) => unaskable,
    };
    let server = &options.server;
    Err(failed(&format!(
        "{server}: {} (`cmcomply queries --grants LOGIN --run-script` prints the rights that it takes)",
        unaskable.detail
    )))
}

struct Pages<'a> {
    connector: &'a Connector<'a>,
    database: &'a str,
    session: Session,
    statement: &'a Statement,
    script: ScriptId,
}

impl Pages<'_> {
    /// The rows after a client, the next page of them. What passes is tried again, and a connection that broke is opened
    /// anew: the page says where it begins.
    async fn after(&mut self, client: i64) -> Result<Vec<Row>, ReadError> {
        let limit = self.connector.options().query_timeout;
        // No page is larger than a whole reading, however often it is asked for.
        self.connector.refill();
        let mut retries = Retries::new(MAX_RETRIES, Instant::now() + limit.saturating_mul(2));
        loop {
            let parameters = vec![Parameter::Text(self.script.to_string()), Parameter::Number(client)];
            let answer = self.session.ask_with(self.statement.sql.clone(), parameters).await;
            let end = match answer.end {
                End::Complete => match answer.sets.into_iter().find(|set| set.name == "fact_script_results") {
                    Some(set) => return Ok(set.rows),
                    None => End::Cut("the server sent no answer".to_owned()),
                },
                end => end,
            };
            let passes = match &end {
                End::Refused(number, _) => is_passing(i64::from(*number)),
                End::Cut(_) => true,
                End::Complete | End::TooMany(_) | End::TimedOut(_) => false,
            };
            if !passes || !retries.again().await {
                return Err(failed(&words(&end)));
            }
            if !self.session.is_usable() {
                let opened = self.connector.open(self.database).await;
                // What broke it tells more than what came of trying again.
                self.session = opened.map_err(|error| failed(&format!("{}, and then: {error}", words(&end))))?;
                self.session.ask(PREAMBLE.clone()).await;
            }
        }
    }
}

fn result(row: &Row) -> ScriptResult {
    let text = |column: &str| row.get(column).text().ok().flatten();
    let has = |column: &str| *row.get(column) != super::value::Value::Null;
    let result = ["state", "output", "updated"]
        .into_iter()
        .any(has)
        .then(|| ScriptOutput { state: row.get("state").number().ok().flatten(), output: text("output") });
    ScriptResult { group: text("client_group"), result }
}

fn words(end: &End) -> String {
    match end {
        End::Complete => "the answer makes no sense".to_owned(),
        End::Refused(number, message) => format!("error {number}, {message}"),
        End::TooMany(_) => "the server answers without end".to_owned(),
        End::TimedOut(limit) => format!("no answer within {} s (--sql-query-timeout)", limit.as_secs_f32()),
        End::Cut(detail) => format!("the connection broke ({detail})"),
    }
}

fn failed(what: &str) -> ReadError {
    ReadError::Scripts { what: text::printable(what, 600) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_a_guid_and_nothing_else() {
        let id = ScriptId::parse("{937c2f69-67ed-4682-b072-8f4ba4c53655}").unwrap();
        assert_eq!(id.to_string(), "937C2F69-67ED-4682-B072-8F4BA4C53655");
        assert_eq!(ScriptId::parse(" 937C2F6967ED4682B0728F4BA4C53655 "), Ok(id));
        for text in ["", "x", "937C2F69-67ED-4682-B072-8F4BA4C53655'; DROP TABLE x;--", "937C2F69", "1 OR 1 = 1"] {
            assert!(ScriptId::parse(text).unwrap_err().contains("GUID"), "{text}");
        }
    }
}
