//! Probing: what this machine sees of an endpoint, layer by layer.

mod observation;
mod settings;

pub use observation::{
    Certificate, ConnectEvidence, Failure, FailureCode, Header, HttpEvidence, NameEvidence, Observation, Outcome,
    Stage, StageName, TcpAttempt, TcpEvidence, TlsEvidence, TrustEvidence,
};
pub use settings::{Bounds, ConnectHost, ConnectTo, ConnectToError, Deadlines, Settings};
