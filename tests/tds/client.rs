//! tiberius, ready to ask the lab.

use tiberius::{AuthMethod, Client, ColumnData, Config, EncryptionLevel, Row};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use lab::site_database::{Options, SiteDatabase};

pub(crate) type Connection = Client<Compat<TcpStream>>;

/// Settings that fit the default options of the lab.
pub(crate) fn config(db: &SiteDatabase) -> Config {
    let options = Options::default();
    let mut config = Config::new();
    config.host("localhost");
    config.port(db.address().port());
    config.database(&options.database);
    config.authentication(AuthMethod::sql_server(&options.user, &options.password));
    config.encryption(EncryptionLevel::Required);
    config.trust_cert_ca_bundle(db.ca_pem().as_bytes());
    config
}

pub(crate) async fn connect(db: &SiteDatabase, config: Config) -> tiberius::Result<Connection> {
    let tcp = TcpStream::connect(db.address()).await.expect("the lab listens");
    Box::pin(Client::connect(config, tcp.compat_write())).await
}

/// A server with these options, and a client signed in to it.
pub(crate) async fn lab(options: Options) -> (SiteDatabase, Connection) {
    let db = SiteDatabase::start(options).await;
    let client = connect(&db, config(&db)).await.expect("login");
    (db, client)
}

/// All result sets of a batch, as text.
pub(crate) async fn ask(client: &mut Connection, sql: &str) -> tiberius::Result<Vec<Vec<Vec<String>>>> {
    let sets = client.simple_query(sql).await?.into_results().await?;
    Ok(sets.iter().map(|rows| rows.iter().map(texts).collect()).collect())
}

/// The one result set of a query, each row as its values with `|` between them.
pub(crate) async fn rows(client: &mut Connection, sql: &str) -> Vec<String> {
    let mut sets = ask(client, sql).await.unwrap_or_else(|e| panic!("{e} in {sql}"));
    assert_eq!(sets.len(), 1, "one result set of {sql}");
    sets.remove(0).into_iter().map(|row| row.join("|")).collect()
}

/// The number of the error that a batch fails with.
pub(crate) async fn error(client: &mut Connection, sql: &str) -> u32 {
    match ask(client, sql).await {
        Ok(sets) => panic!("{sql} gave {sets:?}"),
        Err(error) => error.code().unwrap_or_else(|| panic!("{error} in {sql}")),
    }
}

fn texts(row: &Row) -> Vec<String> {
    row.cells().map(|(_, value)| text(value)).collect()
}

pub(crate) fn text(value: &ColumnData<'_>) -> String {
    let text = match value {
        ColumnData::String(v) => v.as_ref().map(ToString::to_string),
        ColumnData::U8(v) => v.map(|v| v.to_string()),
        ColumnData::I16(v) => v.map(|v| v.to_string()),
        ColumnData::I32(v) => v.map(|v| v.to_string()),
        ColumnData::I64(v) => v.map(|v| v.to_string()),
        ColumnData::F64(v) => v.map(|v| v.to_string()),
        ColumnData::Bit(v) => v.map(|v| v.to_string()),
        ColumnData::Guid(v) => v.map(|v| v.to_string()),
        ColumnData::DateTime(v) => v.map(|v| format!("day {} tick {}", v.days(), v.seconds_fragments())),
        other => panic!("the lab sends no {other:?}"),
    };
    text.unwrap_or_else(|| "NULL".to_owned())
}
