//! One client, from PRELOGIN to the end.

use std::io;
use std::sync::{Arc, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::LoginRecord;
use super::faults::Wait;
use super::flood;
use super::options::{Encryption, Fault};
use super::respond::{Answer, answer, attention};
use super::server::{Database, Server};
use super::sql::SqlError;
use super::sql::run::{self, Event, Variables};
use super::sql::session::Session;
use super::wire::login::Login;
use super::wire::malformed;
use super::wire::packet::{self, DEFAULT_SIZE, Message, kind};
use super::wire::prelogin::{self, encryption};
use super::wire::request::{self, Argument};
use super::wire::tls::Wrapped;
use super::wire::token::{DoneKind, Tokens, done};
use super::wire::value::Value;

/// A TLS alert: fatal, `handshake_failure`.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Serves one client until it leaves.
pub async fn serve(server: Arc<Server>, mut tcp: TcpStream) -> io::Result<()> {
    let faults = &server.faults;
    if faults.has(|f| matches!(f, Fault::CloseAtOnce)) {
        return Ok(());
    }
    if server.options.encryption == Encryption::Strict {
        let mut tls = TlsAcceptor::from(server.tls.clone()).accept(tcp).await?;
        let Some(hello) = packet::read(&mut tls).await? else { return Ok(()) };
        let federated = prelogin::wants_federation(&hello.body)?;
        // What PRELOGIN says of encryption counts no more.
        let answer = prelogin::answer(encryption::REQUIRED, federated);
        packet::write(&mut tls, kind::RESPONSE, &answer, DEFAULT_SIZE, true).await?;
        return signed_out(&server, tls).await;
    }
    let Some(hello) = packet::read(&mut tcp).await? else { return Ok(()) };
    if faults.has(|f| matches!(f, Fault::NeverAnswer)) {
        return std::future::pending().await;
    }
    if faults.has(|f| matches!(f, Fault::Garbage)) {
        return tcp.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nThis is no SQL Server.").await;
    }
    if hello.kind != kind::PRELOGIN {
        return Err(malformed("the first message is no PRELOGIN"));
    }
    let wanted = prelogin::wanted_encryption(&hello.body)?;
    let federated = prelogin::wants_federation(&hello.body)?;
    let agreed = match (server.options.encryption, wanted) {
        (Encryption::NotSupported, _) | (Encryption::Offered, encryption::NOT_SUPPORTED) => encryption::NOT_SUPPORTED,
        (Encryption::Required | Encryption::Strict, _) => encryption::REQUIRED,
        (Encryption::Offered, encryption::OFF) => encryption::OFF,
        (Encryption::Offered, _) => encryption::ON,
    };
    packet::write(&mut tcp, kind::RESPONSE, &prelogin::answer(agreed, federated), DEFAULT_SIZE, true).await?;
    if agreed == encryption::NOT_SUPPORTED {
        return signed_out(&server, tcp).await;
    }
    if wanted == encryption::NOT_SUPPORTED {
        return Ok(()); // a client without TLS, where TLS is a must
    }
    if faults.has(|f| matches!(f, Fault::RefuseHandshake)) {
        packet::read(&mut tcp).await?;
        return packet::write(&mut tcp, kind::PRELOGIN, &HANDSHAKE_FAILURE, DEFAULT_SIZE, true).await;
    }
    let mut tls = TlsAcceptor::from(server.tls.clone()).accept(Wrapped::new(tcp)).await?;
    tls.get_mut().0.finish_handshake();
    if agreed == encryption::OFF {
        // TLS for the login only: what follows it is in clear.
        let login = packet::read(&mut tls).await?;
        return log_in(&server, tls.into_inner().0.into_inner(), login).await;
    }
    signed_out(&server, tls).await
}

async fn signed_out(server: &Server, mut stream: impl Stream) -> io::Result<()> {
    let login = packet::read(&mut stream).await?;
    log_in(server, stream, login).await
}

async fn log_in(server: &Server, mut stream: impl Stream, message: Option<Message>) -> io::Result<()> {
    let Some(message) = message else { return Ok(()) };
    if message.kind != kind::LOGIN7 {
        return Err(malformed("expected LOGIN7"));
    }
    let login = Login::parse(&message.body)?;
    let admitted = server.admit(&login);
    server.logins.lock().unwrap_or_else(PoisonError::into_inner).push(LoginRecord {
        user: login.user.clone(),
        database: login.database.clone(),
        application: login.application.clone(),
        host: login.host.clone(),
        entra: login.token.is_some(),
        read_only: login.read_only,
        accepted: admitted.is_ok(),
    });
    let mut tokens = Tokens::default();
    let (session, database) = match admitted {
        Ok(admitted) => admitted,
        Err(errors) => {
            for error in &errors {
                tokens.error(error);
            }
            tokens.done(DoneKind::Statement, done::ERROR, None);
            packet::write(&mut stream, kind::RESPONSE, &tokens.0, DEFAULT_SIZE, true).await?;
            return stream.shutdown().await;
        }
    };
    let size = match login.packet_size {
        0 => DEFAULT_SIZE,
        n => usize::try_from(n).unwrap_or(DEFAULT_SIZE).clamp(512, 32_767),
    };
    let name = &session.database;
    tokens.environment(1, name, "master");
    tokens.info(5701, 0, &format!("Changed database context to '{name}'."));
    tokens.collation();
    tokens.environment(2, "us_english", "");
    tokens.info(5703, 0, "Changed language setting to us_english.");
    tokens.login_ack(login.tds_version);
    if login.token.is_some() {
        tokens.federated();
    }
    tokens.environment(4, &size.to_string(), &DEFAULT_SIZE.to_string());
    tokens.done(DoneKind::Statement, 0, None);
    packet::write(&mut stream, kind::RESPONSE, &tokens.0, DEFAULT_SIZE, true).await?;
    Client { server, session, database, stream, packet_size: size }.serve().await
}

struct Client<'a, S> {
    server: &'a Server,
    session: Session,
    database: &'a Database,
    stream: S,
    packet_size: usize,
}

impl<S: Stream> Client<'_, S> {
    async fn serve(mut self) -> io::Result<()> {
        let mut next = packet::read(&mut self.stream).await?;
        while let Some(message) = next {
            let (text, answer) = match message.kind {
                kind::SQL_BATCH => self.batch(&request::batch(&message.body)?),
                kind::RPC => self.call(request::call(&message.body)?),
                kind::ATTENTION => (String::new(), Answer { bytes: attention(), complete: true }),
                kind::TRANSACTION_MANAGER => (String::new(), transaction(&message.body)?),
                other => return Err(malformed(&format!("request of kind {other}"))),
            };
            next = match self.server.faults.of_request(&text).filter(|_| !text.is_empty()) {
                Some(wait) => self.wait(wait).await?,
                None => None,
            };
            if next.as_ref().is_some_and(|m| m.kind == kind::ATTENTION) {
                continue; // the answer to the Attention is the whole answer
            }
            if let Some(what) = self.server.faults.flood(&text) {
                return flood::pour(&mut self.stream, what, self.packet_size).await;
            }
            let Answer { bytes, complete } = answer;
            if self.server.options.keep_answers {
                self.server.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(&bytes);
            }
            packet::write(&mut self.stream, kind::RESPONSE, &bytes, self.packet_size, complete).await?;
            if !complete {
                return Ok(());
            }
            if next.is_none() {
                next = packet::read(&mut self.stream).await?;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> (String, Answer) {
        let events = self.run(sql, Variables::new());
        (sql.to_owned(), answer(&events, false))
    }

    fn call(&self, call: request::Call) -> (String, Answer) {
        let values: Vec<Value> = call.arguments.iter().map(|a| a.value.clone()).collect();
        let Some(Value::Text(sql)) = values.first().cloned() else {
            return (String::new(), refused(&call.procedure));
        };
        if call.procedure != "sp_executesql" {
            return (sql, refused(&call.procedure));
        }
        let mut variables = run::positional(values);
        let named = call.arguments.into_iter().skip(2).filter(|a| !a.name.is_empty());
        variables.extend(named.map(|Argument { name, value }| (name.to_lowercase(), value)));
        let events = self.run(&sql, variables);
        let answer = answer(&events, true);
        (sql, answer)
    }

    fn run(&self, sql: &str, variables: Variables) -> Vec<Event> {
        self.server.statements.lock().unwrap_or_else(PoisonError::into_inner).push(sql.to_owned());
        let engine = self.database.engine.lock().unwrap_or_else(PoisonError::into_inner);
        run::run(&engine, &self.session, &self.server.faults, sql, variables)
    }

    /// Waits, but not longer than until the client says something (an Attention) or leaves.
    async fn wait(&mut self, wait: Wait) -> io::Result<Option<Message>> {
        let said = packet::read(&mut self.stream);
        let message = match wait {
            Wait::Forever => said.await,
            Wait::For(time) => match tokio::time::timeout(time, said).await {
                Ok(message) => message,
                Err(_) => return Ok(None),
            },
        };
        match message? {
            Some(message) => Ok(Some(message)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn refused(procedure: &str) -> Answer {
    let error = SqlError::new(2812, 16, format!("Could not find stored procedure '{procedure}'."));
    answer(&[Event::Error(error)], true)
}

/// Transactions have no meaning for readers, but some clients open one.
fn transaction(body: &[u8]) -> io::Result<Answer> {
    let mut fields = super::wire::Fields(body);
    fields.skip_all_headers()?;
    let mut tokens = Tokens::default();
    match fields.u16()? {
        5 => tokens.transaction(8),
        7 => tokens.transaction(9),
        8 => tokens.transaction(10),
        other => return Err(malformed(&format!("transaction request {other}"))),
    }
    tokens.done(DoneKind::Statement, 0, None);
    Ok(Answer { bytes: tokens.0, complete: true })
}
