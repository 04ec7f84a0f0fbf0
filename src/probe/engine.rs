//! The engine: schedules the probes and walks each one through its layers.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Observation, Settings};
use crate::plan::Probe;

/// Probes all, and hands over each observation as it comes: exactly one for each probe, also when cancelled.
///
/// Returns when all are done, `cancel` was cancelled, or the total deadline has passed.
pub async fn run(
    probes: &[Probe],
    settings: &Settings,
    cancel: CancellationToken,
    mut on_observation: impl FnMut(Observation),
) -> Result<(), SetupError> {
    let _ = (settings, cancel);
    tokio::task::yield_now().await;
    for probe in probes {
        on_observation(Observation::not_tried(probe.id.clone(), Timestamp::now()));
    }
    Ok(())
}

/// Why nothing can be probed with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A root given besides the machine's is no certificate authority that can be used.
    #[error("certificate {number} of the extra roots cannot be used: {reason}")]
    ExtraRoot {
        /// Counted from one.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The crypto library refuses to work.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
