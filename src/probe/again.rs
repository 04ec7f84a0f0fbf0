//! Which failures are tried again, and when.
//!
//! A probe is tried again as a whole, since each layer stands on the one before. Tried again is only a failure that came
//! as an *answer* (a refusal, a reset, SERVFAIL, a 502) and that another moment may change. Silence is not: the stage has
//! waited for its whole deadline, in which the system has repeated its packets and the DNS client its question, and a run
//! over dead endpoints must not take two deadlines. What a repetition cannot change (NXDOMAIN, a certificate, a 407, a
//! block page) is not tried again either. An answer that needed more than half of its stage's deadline counts as silence
//! here, so that a second one as slow still fits into it.

use std::time::Duration;

use super::{Deadlines, FailureCode, Observation, StageName, Try};

/// How long to wait before the next try; `None` if there is nothing that another try could change.
pub(super) fn pause(seen: &Observation, limits: &Deadlines) -> Option<Duration> {
    let (stage, failure) = seen.first_failure()?;
    if !may_change(failure.code, seen) {
        return None;
    }
    let (took, limit) = match stage {
        StageName::Name => (seen.name.took_us, limits.name),
        StageName::Tcp => (seen.tcp.took_us, limits.tcp),
        StageName::Connect => (seen.connect.took_us, limits.connect),
        StageName::Tls => (seen.tls.took_us, limits.tls),
        StageName::Trust => (seen.trust.took_us, limits.trust),
        StageName::Http => (seen.http.took_us, limits.http),
    };
    (Duration::from_micros(took.unwrap_or_default()) <= limit / 2).then(|| jittered(limit))
}

/// What a try saw that was not the last.
pub(super) fn as_try(seen: &Observation) -> Option<Try> {
    seen.first_failure().map(|(stage, failure)| Try { stage, failure: failure.clone() })
}

fn may_change(code: FailureCode, seen: &Observation) -> bool {
    use FailureCode as C;
    match code {
        C::NameServfail
        | C::NameServerRefused
        | C::NameError
        | C::TcpRefused
        | C::TcpReset
        | C::TcpUnreachable
        | C::TcpError
        | C::ProxyBadReply
        | C::TlsReset
        | C::HttpReset => true,
        C::ProxyRefused => status(seen).is_some_and(|status| matches!(status, 429 | 500 | 502..=504)),
        C::HttpStatus => status(seen).is_some_and(|status| matches!(status, 408 | 502 | 598 | 599)),
        _ => false,
    }
}

/// The status that the failure rests on.
fn status(seen: &Observation) -> Option<u16> {
    let http = seen.http.evidence.as_ref().and_then(|http| http.status);
    http.or_else(|| seen.connect.evidence.as_ref().and_then(|connect| connect.status))
}

/// Between a half and the whole of [`PAUSE`], so that those who failed together do not come back together.
fn jittered(limit: Duration) -> Duration {
    let part = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
    PAUSE.min(limit / 4).mul_f64(0.5 + part / 2.0)
}

/// Longer than a blink of a load balancer; short beside any deadline.
const PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::plan::ProbeId;
    use crate::probe::{ConnectEvidence, Failure, Outcome, Stage};

    const LIMITS: fn() -> Deadlines = || Deadlines::all(Duration::from_secs(5));

    fn failed(code: FailureCode, took: Duration) -> Observation {
        let mut seen = Observation::not_tried(ProbeId("p".into()), Timestamp::UNIX_EPOCH);
        let took_us = Some(u64::try_from(took.as_micros()).unwrap());
        seen.tcp = Stage { outcome: Outcome::Failed, took_us, failure: Some(Failure::new(code, "x")), evidence: None };
        seen
    }

    #[test]
    fn an_answer_is_tried_again_and_silence_is_not() {
        let quick = Duration::from_millis(5);
        let again = |code| pause(&failed(code, quick), &LIMITS()).is_some();
        assert!(again(FailureCode::TcpRefused) && again(FailureCode::NameServfail) && again(FailureCode::TlsReset));
        for code in [
            FailureCode::TcpTimeout,
            FailureCode::NameTimeout,
            FailureCode::TlsTimeout,
            FailureCode::HttpTimeout,
            FailureCode::NameNxdomain,
            FailureCode::CertificateUntrusted,
            FailureCode::ProxyAuthRequired,
            FailureCode::HttpBlockPage,
            FailureCode::Internal,
        ] {
            assert!(!again(code), "{code:?}");
        }
        assert!(pause(&failed(FailureCode::TcpRefused, Duration::from_secs(3)), &LIMITS()).is_none(), "too slow");
    }

    #[test]
    fn a_proxys_refusal_is_tried_again_where_it_speaks_of_the_moment() {
        let again = |status| {
            let mut seen = failed(FailureCode::ProxyRefused, Duration::ZERO);
            seen.connect.evidence = Some(ConnectEvidence { status: Some(status), ..ConnectEvidence::default() });
            pause(&seen, &LIMITS()).is_some()
        };
        assert!(again(503) && again(502) && !again(403) && !again(400));
    }

    #[test]
    fn the_pause_is_short_and_bounded_by_the_deadline() {
        for _ in 0..100 {
            let waits = jittered(Duration::from_secs(5));
            assert!(waits >= PAUSE / 2 && waits <= PAUSE, "{waits:?}");
            assert!(jittered(Duration::from_millis(400)) <= Duration::from_millis(100));
        }
    }
}
