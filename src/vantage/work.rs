//! Work at many machines: all at once, so many at a time, and what one of them does costs no other anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Unreached, UnreachedWhy};

/// Machines that are asked at the same time.
const AT_ONCE: usize = 16;

/// Does the work for every item, [`AT_ONCE`] at a time, and returns what became of each, in their order; `lost` of one
/// whose work broke.
pub(super) async fn for_all<T, R, F>(items: Vec<T>, lost: R, work: impl Fn(T) -> F) -> Vec<R>
where
    R: Clone + Send + 'static,
    F: Future<Output = R> + Send + 'static,
{
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut results = vec![lost; items.len()];
    let mut tasks = JoinSet::new();
    for (number, item) in items.into_iter().enumerate() {
        let (gate, work) = (gate.clone(), work(item));
        tasks.spawn(async move {
            let _turn = gate.acquire_owned().await;
            (number, work.await)
        });
    }
    while let Some(done) = tasks.join_next().await {
        if let Ok((number, result)) = done {
            results[number] = result;
        }
    }
    results
}

/// The work's result, unless its time is over or the operator ends it. The work is dropped then.
pub(super) async fn within<T>(
    limit: Duration,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Unreached>>,
) -> Result<T, Unreached> {
    let late = || Unreached::new(UnreachedWhy::Deadline, format!("no answer within {} s", limit.as_secs()));
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Unreached::new(UnreachedWhy::Interrupted, "interrupted by Ctrl-C")),
        done = tokio::time::timeout(limit, work) => done.unwrap_or_else(|_| Err(late())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn so_many_work_at_once_and_one_that_breaks_costs_no_other() {
        let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = |number: usize| {
            let (under_way, most) = (under_way.clone(), most.clone());
            async move {
                most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                under_way.fetch_sub(1, Ordering::SeqCst);
                assert_ne!(number, 7, "this one breaks");
                Some(number)
            }
        };
        let results = for_all((0..40).collect(), None, work).await;
        let expected: Vec<_> = (0..40).map(|number| (number != 7).then_some(number)).collect();
        assert_eq!((results, most.load(Ordering::SeqCst)), (expected, AT_ONCE));
    }
}
