//! The faults of [`Options`](super::Options), with the count of those that happen a few times only.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::options::{Fault, Flood};
use super::sql::SqlError;

/// All faults of a server.
pub struct Faults {
    list: Vec<(Fault, AtomicUsize)>,
}

/// What goes wrong with one statement.
pub enum Hit {
    Error(SqlError),
    Cut { after_rows: usize },
    BreakOff { after_rows: usize, error: SqlError },
}

/// What happens before a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    For(Duration),
    Forever,
}

impl Faults {
    pub fn new(list: Vec<Fault>) -> Self {
        Self { list: list.into_iter().map(|f| (f, AtomicUsize::new(0))).collect() }
    }

    /// Whether a fault of the connection itself is set.
    pub fn has(&self, wanted: fn(&Fault) -> bool) -> bool {
        self.list.iter().any(|(f, _)| wanted(f))
    }

    /// What goes wrong with the statement, if anything.
    pub fn of_statement(&self, sql: &str) -> Option<Hit> {
        self.list.iter().find_map(|(fault, used)| {
            let again = |times: &usize| used.fetch_add(1, Ordering::Relaxed) < *times;
            match fault {
                Fault::Cut { containing, after_rows } if contains(sql, containing) => {
                    Some(Hit::Cut { after_rows: *after_rows })
                }
                Fault::CutOnce { containing } if contains(sql, containing) && again(&1) => {
                    Some(Hit::Cut { after_rows: 0 })
                }
                Fault::Refuse { containing, number } if contains(sql, containing) => {
                    Some(Hit::Error(SqlError::new(*number, 14, "The permission was denied.")))
                }
                Fault::BreakOff { containing, after_rows } if contains(sql, containing) => {
                    Some(Hit::BreakOff { after_rows: *after_rows, error: SqlError::deadlock() })
                }
                Fault::Deadlock { containing, times } if contains(sql, containing) && again(times) => {
                    Some(Hit::Error(SqlError::deadlock()))
                }
                Fault::LockTimeout { containing, times } if contains(sql, containing) && again(times) => {
                    Some(Hit::Error(SqlError::lock_timeout()))
                }
                _ => None,
            }
        })
    }

    /// What the answer to the request is drowned in, if anything.
    pub fn flood(&self, text: &str) -> Option<Flood> {
        self.list.iter().find_map(|(fault, _)| match fault {
            Fault::Flood { containing, what } if contains(text, containing) => Some(*what),
            _ => None,
        })
    }

    /// How long to wait before the request is answered.
    pub fn of_request(&self, text: &str) -> Option<Wait> {
        self.list.iter().find_map(|(fault, _)| match fault {
            Fault::Delay { containing, wait } if contains(text, containing) => Some(Wait::For(*wait)),
            Fault::Silent { containing } if contains(text, containing) => Some(Wait::Forever),
            _ => None,
        })
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
