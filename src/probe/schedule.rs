//! Which probe runs when: so many at once, exactly one observation for each, whatever happens to it.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::{select, time};
use tokio_util::sync::CancellationToken;

use super::{Failure, FailureCode, Observation, Outcome, Stage};
use crate::plan::{Probe, ProbeId};

/// Runs `work` for every probe, at most `at_once` at a time, each as a task of its own.
///
/// After `total`, `cancel` is cancelled; `work` watches it. What has not begun by then is not tried.
pub(super) async fn schedule<F: Future<Output = Observation> + Send + 'static>(
    probes: &[Probe],
    at_once: usize,
    total: Option<Duration>,
    cancel: &CancellationToken,
    work: impl Fn(Probe) -> F,
    mut on_observation: impl FnMut(Observation),
) {
    let mut under_way = JoinSet::new();
    let mut ids: HashMap<tokio::task::Id, ProbeId> = HashMap::new();
    let mut waiting = probes.iter();
    let mut too_late = pin!(async {
        match total {
            Some(limit) => time::sleep(limit).await,
            None => pending().await,
        }
    });
    loop {
        while under_way.len() < at_once.max(1)
            && !cancel.is_cancelled()
            && let Some(probe) = waiting.next()
        {
            let task = under_way.spawn(work(probe.clone())).id();
            ids.insert(task, probe.id.clone());
        }
        select! {
            ended = under_way.join_next_with_id() => match ended {
                None => break,
                Some(Ok((task, observation))) => {
                    ids.remove(&task);
                    on_observation(observation);
                }
                Some(Err(error)) => {
                    if let Some(probe) = ids.remove(&error.id()) {
                        on_observation(broken(probe, "the probe itself broke (a defect of this program)"));
                    }
                }
            },
            () = &mut too_late, if !cancel.is_cancelled() => cancel.cancel(),
        }
    }
    for probe in waiting {
        on_observation(Observation::not_tried(probe.id.clone(), Timestamp::now()));
    }
}

/// An observation that says nothing about the endpoint.
pub(super) fn broken(probe: ProbeId, why: &str) -> Observation {
    let mut seen = Observation::not_tried(probe, Timestamp::now());
    let failure = Failure::new(FailureCode::Internal, why);
    seen.name = Stage { outcome: Outcome::Failed, failure: Some(failure), ..Stage::not_tried() };
    seen
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::derive::Via;
    use crate::host::{HostName, Scheme};
    use crate::plan::{Asks, Target};

    fn probes(count: usize) -> Vec<Probe> {
        let host = HostName::parse("a.contoso.com").unwrap();
        let target = Target { scheme: Scheme::Https, host, port: 443, path: "/".into() };
        let probe = |n| Probe {
            id: ProbeId(format!("p{n}")),
            target: target.clone(),
            via: Via::Direct,
            contexts: BTreeSet::new(),
            requirements: Vec::new(),
            asks: Asks::default(),
        };
        (0..count).map(probe).collect()
    }

    fn done(probe: Probe) -> Observation {
        let mut seen = Observation::not_tried(probe.id, Timestamp::now());
        seen.http.outcome = Outcome::Ok;
        seen
    }

    #[tokio::test]
    async fn a_probe_that_panics_is_an_observation_and_the_others_go_on() {
        let mut seen = BTreeMap::new();
        let work = |probe: Probe| async move {
            assert!(probe.id.0 != "p3", "on purpose");
            done(probe)
        };
        let cancel = CancellationToken::new();
        schedule(&probes(8), 2, None, &cancel, work, |o| assert!(seen.insert(o.probe.0.clone(), o).is_none())).await;
        assert_eq!(seen.len(), 8);
        let failure = seen["p3"].name.failure.as_ref().unwrap();
        assert_eq!(failure.code, FailureCode::Internal);
        assert_eq!(seen.values().filter(|o| o.http.outcome == Outcome::Ok).count(), 7);
    }

    #[tokio::test]
    async fn no_more_than_the_bound_at_once() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = |probe| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                done(probe)
            }
        };
        let mut count = 0;
        schedule(&probes(50), 7, None, &CancellationToken::new(), work, |_| count += 1).await;
        assert_eq!((count, most.load(Ordering::SeqCst)), (50, 7));
    }

    #[tokio::test]
    async fn the_total_deadline_cancels() {
        let cancel = CancellationToken::new();
        let work = |probe: Probe| {
            let cancel = cancel.clone();
            async move {
                cancel.cancelled().await;
                done(probe)
            }
        };
        let (mut begun, mut not_begun) = (0, 0);
        let total = Some(Duration::from_millis(20));
        schedule(&probes(5), 2, total, &cancel, work, |o| match o.http.outcome {
            Outcome::Ok => begun += 1,
            _ => not_begun += 1,
        })
        .await;
        assert_eq!((begun, not_begun), (2, 3));
    }
}
