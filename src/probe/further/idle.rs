//! How long an idle connection stays open: tenant attach holds one to the cloud, and a proxy that cuts it too early
//! breaks it.

use std::io;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::Line;
use crate::probe::http::Question;
use crate::probe::layer::io_words;

/// What became of an idle connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdleLook {
    /// How long it must stay open, in seconds, as the documentation says.
    pub needed_seconds: u32,
    /// How long it was idle, in milliseconds.
    pub idle_ms: u64,
    /// What became of it.
    pub end: Idle,
    /// What exactly was seen. Safe to print.
    pub detail: String,
}

/// What became of an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// It was still good.
    Held,
    /// The endpoint itself ended it, in good order and under its own key. What is on the way would have held it so long.
    ClosedByEndpoint,
    /// It was cut, or answered no more, and nothing shows that the endpoint did it.
    Cut,
    /// It could not be opened.
    NotSeen,
}

/// Holds a connection for as long as it must stay open, and no longer than `longest`.
pub(super) async fn look(line: &Line<'_>, needed_seconds: u32, longest: Duration) -> IdleLook {
    let result = |idle: Duration, end, detail: String| {
        let idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        IdleLook { needed_seconds, idle_ms, end, detail }
    };
    let mut session = match line.session().await {
        Ok(session) => session,
        Err(failure) => return result(Duration::ZERO, Idle::NotSeen, failure.detail),
    };
    let hold = Duration::from_secs(needed_seconds.into()).min(longest);
    let clock = Instant::now();
    match timeout(hold, session.read(&mut [0; 1])).await {
        // Under TLS, an end in good order is the endpoint's own word.
        Ok(Ok(0)) => {
            return result(clock.elapsed(), Idle::ClosedByEndpoint, "the endpoint ended the session".to_owned());
        }
        Ok(Ok(_)) => return result(clock.elapsed(), Idle::NotSeen, "something came that nobody asked for".to_owned()),
        Ok(Err(error)) => {
            let what = match error.kind() {
                io::ErrorKind::UnexpectedEof => "closed without the endpoint's farewell".to_owned(),
                _ => io_words(&error),
            };
            return result(clock.elapsed(), Idle::Cut, what);
        }
        Err(_) => {}
    }
    // A firewall may have forgotten the connection without a word.
    let question = Question { method: "HEAD", headers: &[], most: 0 };
    match line.ask_on(Box::new(session), &question).await {
        Ok(answer) => result(hold, Idle::Held, format!("then HEAD: status {}", answer.status)),
        Err(failure) => result(hold, Idle::Cut, failure.detail),
    }
}
