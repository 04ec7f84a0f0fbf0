//! Trying again: a few times, each time after a longer wait, and never beyond a deadline.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The first wait; each one after it is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// How often one may still try again.
#[derive(Debug)]
pub(super) struct Retries {
    left: u32,
    wait: Duration,
    deadline: Instant,
}

impl Retries {
    /// At most `times`, and none that would begin after `deadline`.
    pub(super) fn new(times: u32, deadline: Instant) -> Self {
        Self { left: times, wait: FIRST_WAIT, deadline }
    }

    /// Waits for the next try; false if there is none.
    pub(super) async fn again(&mut self) -> bool {
        match self.next(Instant::now(), RandomState::new().hash_one(self.left)) {
            Some(wait) => {
                sleep(wait).await;
                true
            }
            None => false,
        }
    }

    /// No more tries.
    pub(super) fn give_up(&mut self) {
        self.left = 0;
    }

    fn next(&mut self, now: Instant, random: u64) -> Option<Duration> {
        let wait = jittered(self.wait, random);
        if self.left == 0 || now + wait >= self.deadline {
            return None;
        }
        self.left -= 1;
        self.wait = self.wait.saturating_mul(2);
        Some(wait)
    }
}

/// Whether an error of the server says that the same statement may work a moment later: the victim of a deadlock
/// (1205), or a lock that was not to be had in time (1222). Missing rights (229, 230) stay missing.
pub(super) fn is_passing(number: i64) -> bool {
    matches!(number, 1205 | 1222)
}

/// Between half of `wait` and all of it, so that those who collided do not meet again.
fn jittered(wait: Duration, random: u64) -> Duration {
    let half = wait / 2;
    let part = u32::try_from(random % 1000).unwrap_or(0);
    half + half * part / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_and_end() {
        let now = Instant::now();
        let mut retries = Retries::new(3, now + Duration::from_mins(1));
        let waits: Vec<Duration> = std::iter::from_fn(|| retries.next(now, 999)).collect();
        assert_eq!(waits.iter().map(Duration::as_millis).collect::<Vec<_>>(), [199, 399, 799]);
        let mut retries = Retries::new(3, now + Duration::from_mins(1));
        retries.give_up();
        assert_eq!(retries.next(now, 0), None);
    }

    #[test]
    fn no_wait_goes_beyond_the_deadline() {
        let now = Instant::now();
        let mut retries = Retries::new(9, now + Duration::from_millis(250));
        assert_eq!(retries.next(now, 0), Some(Duration::from_millis(100)));
        assert_eq!(retries.next(now + Duration::from_millis(100), 0), None);
    }

    #[test]
    fn a_wait_is_half_or_more_and_never_longer() {
        let wait = Duration::from_millis(200);
        for random in [0, 1, 499, 999, u64::MAX] {
            assert!((wait / 2..=wait).contains(&jittered(wait, random)));
        }
        assert!(is_passing(1205) && is_passing(1222) && !is_passing(229) && !is_passing(230));
    }
}
