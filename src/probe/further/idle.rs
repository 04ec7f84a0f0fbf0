//! How long an idle connection stays open: tenant attach holds one to the cloud, and a proxy that cuts it too early
//! breaks it.

use std::io;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::Line;
use crate::probe::Failure;
use crate::probe::http::{Answer, NOT_REACHED, Question};
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
    /// It could not be opened, or was not left idle: nothing is known.
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
        // Such as 408: whoever says so may then end it.
        Ok(Ok(_)) => {
            let what = "an answer came that nobody asked for, so it was idle no more".to_owned();
            return result(clock.elapsed(), Idle::NotSeen, what);
        }
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
    let (end, detail) = after(line.ask_on(Box::new(session), &question).await);
    result(hold, end, detail)
}

/// What the answer to a question after the pause means.
fn after(answer: Result<Answer, Failure>) -> (Idle, String) {
    match answer {
        // A proxy that kept this end has lost the other.
        Ok(answer) if NOT_REACHED.contains(&answer.status) => {
            (Idle::Cut, format!("then HEAD: status {}", answer.status))
        }
        Ok(answer) => (Idle::Held, format!("then HEAD: status {}", answer.status)),
        Err(failure) => (Idle::Cut, failure.detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::FailureCode;

    #[test]
    fn a_connection_is_good_if_the_endpoint_still_answers() {
        let of = |status| after(Ok(Answer { status, headers: Vec::new(), content_range: None, body: Vec::new() })).0;
        assert_eq!((of(404), of(200)), (Idle::Held, Idle::Held));
        assert_eq!((of(502), of(408), of(407)), (Idle::Cut, Idle::Cut, Idle::Cut));
        assert_eq!(after(Err(Failure::new(FailureCode::HttpReset, "x"))).0, Idle::Cut);
    }
}
