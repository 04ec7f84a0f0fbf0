//! How many connections one address may have at once, so that many names on one address do not flood it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One gate for each address, made when it is first asked for.
#[derive(Debug)]
pub(super) struct Gates {
    bound: usize,
    by_address: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Gates {
    /// With so many places at each.
    pub(super) fn new(bound: usize) -> Self {
        Self { bound: bound.clamp(1, Semaphore::MAX_PERMITS), by_address: Mutex::default() }
    }

    /// Waits for a place at the gate of the address.
    pub(super) async fn enter(&self, address: IpAddr) -> OwnedSemaphorePermit {
        let gate = {
            let mut gates = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(gates.entry(address).or_insert_with(|| Arc::new(Semaphore::new(self.bound))))
        };
        gate.acquire_owned().await.expect("the gates are never closed")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn each_address_has_its_own_places() {
        let gates = Gates::new(2);
        let [a, b] = ["192.0.2.1", "192.0.2.2"].map(|a| a.parse().unwrap());
        let first = gates.enter(a).await;
        let _second = gates.enter(a).await;
        let full = timeout(Duration::from_millis(10), gates.enter(a)).await;
        assert!(full.is_err(), "the third waits");
        let _other = gates.enter(b).await;
        drop(first);
        let _third = gates.enter(a).await;
    }
}
