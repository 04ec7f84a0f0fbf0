//! From what happened in a batch to the bytes of its answer.

use super::sql::run::Event;
use super::wire::token::{DoneKind, Tokens, done};

/// An answer; not `complete` if the connection breaks at its end.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub complete: bool,
}

/// The answer to a batch, or to a call of a procedure.
pub fn answer(events: &[Event], called: bool) -> Answer {
    let mut tokens = Tokens::default();
    // The DONE of the last step is the only one without MORE; a call ends with a DONE of its own.
    for (i, event) in events.iter().enumerate() {
        let last = !called && i + 1 == events.len();
        let status = if last { 0 } else { done::MORE };
        let kind = |inside: bool| if inside || called { DoneKind::InProcedure } else { DoneKind::Statement };
        match event {
            Event::Rows { set, in_procedure, broken } => {
                tokens.columns(&set.columns);
                for row in &set.rows {
                    if let Err(error) = tokens.row(&set.columns, row) {
                        tokens.error(&error);
                        tokens.done(kind(*in_procedure), done::ERROR, None);
                        return Answer { bytes: tokens.0, complete: true };
                    }
                }
                match (broken, events.get(i + 1)) {
                    (_, Some(Event::Cut)) => {}
                    (true, _) => tokens.done(kind(*in_procedure), done::MORE | done::ERROR, None),
                    (false, _) => tokens.done(kind(*in_procedure), status, Some(set.rows.len() as u64)),
                }
            }
            Event::Done { in_procedure } => tokens.done(kind(*in_procedure), status, None),
            Event::ProcedureEnd => {
                tokens.return_status(0);
                tokens.done(if called { DoneKind::InProcedure } else { DoneKind::Procedure }, status, None);
            }
            Event::Info(text) => {
                tokens.info(0, 0, text);
                tokens.done(kind(false), status, None);
            }
            Event::Error(error) => {
                tokens.error(error);
                tokens.done(kind(false), status | done::ERROR, None);
            }
            Event::Cut => return Answer { bytes: tokens.0, complete: false },
        }
    }
    if called {
        let failed = matches!(events.last(), Some(Event::Error(_)));
        tokens.return_status(failed.into());
        tokens.done(DoneKind::Procedure, if failed { done::ERROR } else { 0 }, None);
    } else if events.is_empty() {
        tokens.done(DoneKind::Statement, 0, None);
    }
    Answer { bytes: tokens.0, complete: true }
}

/// The answer to an Attention.
pub fn attention() -> Vec<u8> {
    let mut tokens = Tokens::default();
    tokens.done(DoneKind::Statement, done::ATTENTION, None);
    tokens.0
}
