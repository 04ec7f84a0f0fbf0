//! Configuration Manager's own Run Scripts: a script that an administrator imports, that a collection of clients runs as
//! SYSTEM, and whose answers stand in the site database.
//!
//! Nothing here starts a script: cmcomply writes its text, and reads what clients said. A site keeps 4,000 characters of
//! each answer, so a client says in two characters what a probe came to ([`Mark`]).

mod answer;
mod clients;
mod mark;
mod payload;
mod tally;

pub use answer::{ClientAnswer, Silence, read_answer};
pub use clients::{CLIENTS_FORMAT, ClientCounts, ClientGroup, Clients, ClientsError, GroupedBy};
pub use mark::{Mark, stage_of};
pub use payload::{MOST_PROBES, plan_mark, run_script};
pub use tally::ClientTally;

#[cfg(test)]
pub(crate) use answer::tests::line;
