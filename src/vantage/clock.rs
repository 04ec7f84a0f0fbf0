//! The times of an answer against those of the question.

use jiff::{SignedDuration, Timestamp};

/// How many seconds the clock that wrote `started` and `finished` is ahead (less than zero: behind) of the one here, at the
/// least, where that is more than `bound`. `sent` and `received` are by the clock here; a file that was carried was not
/// sent.
pub(super) fn beyond(
    bound: SignedDuration,
    (started, finished): (Timestamp, Timestamp),
    (sent, received): (Option<Timestamp>, Timestamp),
) -> Option<i64> {
    let ahead = finished.duration_since(received);
    let behind = sent.map_or(SignedDuration::ZERO, |sent| sent.duration_since(started));
    match (ahead > bound, behind > bound) {
        (true, _) => Some(ahead.as_secs()),
        (false, true) => Some(-behind.as_secs()),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_day_is_told() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let asked = (Some(at("2026-11-25T12:00:00Z")), at("2026-11-25T12:00:10Z"));
        let off = |started, finished| beyond(SignedDuration::from_hours(24), (at(started), at(finished)), asked);
        assert_eq!(off("2026-11-25T12:00:01Z", "2026-11-25T12:00:09Z"), None);
        assert_eq!(off("2026-11-25T14:00:01Z", "2026-11-25T14:00:09Z"), None);
        assert_eq!(off("2026-11-24T12:00:00Z", "2026-11-24T12:00:10Z"), None);
        assert_eq!(off("2026-11-24T11:59:50Z", "2026-11-24T12:00:00Z"), Some(-86_410));
        assert_eq!(off("2026-11-26T12:00:10Z", "2026-11-26T12:00:20Z"), Some(86_410));
        let carried = beyond(SignedDuration::ZERO, (at("2020-01-01T00:00:00Z"), asked.1), (None, asked.1));
        assert_eq!(carried, None, "how old a file may be is another question");
    }
}
