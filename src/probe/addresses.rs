//! What names resolve to from here: for firewalls that know addresses only. Nothing is connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Bounds, dns};
use crate::host::HostName;

/// What a name resolved to, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolved {
    /// The name.
    pub name: HostName,
    /// When the answer was there, in UTC, to the second.
    pub at: Timestamp,
    /// Who was asked: the system's resolver, or a DNS server.
    pub resolver: String,
    /// The addresses, in their order as numbers; none if there was no answer.
    pub addresses: Vec<IpAddr>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Resolves the names, each within `limit`, and answers in their order. A name that was not asked before the
/// interruption says so.
pub async fn addresses(
    names: Vec<HostName>,
    server: Option<SocketAddr>,
    limit: Duration,
    bounds: &Bounds,
    cancel: &CancellationToken,
) -> Vec<Resolved> {
    let gate = Arc::new(Semaphore::new(bounds.names.max(1)));
    let mut tasks = JoinSet::new();
    for (place, name) in names.into_iter().enumerate() {
        let (gate, cancel) = (Arc::clone(&gate), cancel.clone());
        tasks.spawn(async move {
            // The gate is never closed; without a permit the name would only be asked earlier.
            let _permit = tokio::select! {
                permit = gate.acquire_owned() => permit.ok(),
                () = cancel.cancelled() => None,
            };
            let answer = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                seen = dns::resolve(&name, server, None, limit) => Some(seen),
            };
            let at = Timestamp::now();
            let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
            let resolver = server.map_or_else(|| dns::SYSTEM.to_owned(), |server| server.to_string());
            let (mut addresses, failure) = match answer {
                None => (Vec::new(), Some("interrupted".to_owned())),
                Some(seen) => match seen.result {
                    Ok(addresses) => (addresses, None),
                    Err(failure) => (Vec::new(), Some(failure.detail)),
                },
            };
            addresses.sort_unstable();
            addresses.dedup();
            (place, Resolved { name, at, resolver, addresses, failure })
        });
    }
    let mut resolved = tasks.join_all().await;
    resolved.sort_by_key(|(place, _)| *place);
    resolved.into_iter().map(|(_, resolved)| resolved).collect()
}
