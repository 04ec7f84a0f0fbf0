//! Probing: what this machine sees of an endpoint, layer by layer.
//!
//! Each layer has its file and hands on what it opened: [`dns`] addresses, [`tcp`] a stream, [`proxy`] a tunnel in it,
//! [`tls`] a session over it, [`trust`] a judgement of the chain, [`http`] one answer. [`engine`] schedules them.

mod engine;
mod observation;
mod settings;

pub use engine::{SetupError, run};
pub use observation::{
    Certificate, ConnectEvidence, Failure, FailureCode, Header, HttpEvidence, NameEvidence, Observation, Outcome,
    Stage, StageName, TcpAttempt, TcpEvidence, TlsEvidence, TrustEvidence,
};
pub use settings::{Bounds, ConnectHost, ConnectTo, ConnectToError, Deadlines, Settings};
