//! What was looked at besides the layers, and what it means.

use super::*;
use crate::plan::Asks;
use crate::probe::TlsEvidence;
use crate::probe::further::{Idle, IdleLook, Range, RangeLook, SuiteAnswer, SuiteLook, VerbLook};

/// The verdict on a requirement at this path, of a probe that asks and saw this, with this status.
fn verdict(path: Option<&str>, status: u16, asks: Asks, see: impl Fn(&mut Observation)) -> (Verdict, String) {
    let mut requirement = requirement("a.microsoft.com");
    requirement.path = path.map(str::to_owned);
    let mut plan = plan::build(std::slice::from_ref(&requirement));
    plan.probes[0].asks = asks;
    let observation = seen(&plan.probes[0], |o| {
        o.http.evidence.as_mut().unwrap().status = Some(status);
        see(o);
    });
    let (name, observations) = ("cm01", std::slice::from_ref(&observation));
    let witness = Witness { name, probes: &plan.probes, observations, unreached: None, clients: None };
    let all = judge(&[requirement], &[witness], |_| View { vantage: 0, grade: EvidenceGrade::B }, false);
    (all[0].verdict, code(&all[0]).to_owned())
}

fn is(verdict: Verdict, code: &str) -> (Verdict, String) {
    (verdict, code.to_owned())
}

#[test]
fn an_answer_that_may_be_anybodys_is_no_observation() {
    let unproved = |o: &mut Observation| o.http = stage(Outcome::Failed, Some(FailureCode::HttpUnproved));
    let all = judged(&[requirement("a.example")], "CM01", false, |p| Some(seen(p, unproved)));
    assert_eq!((all[0].verdict, code(&all[0])), (Verdict::NotObserved, "http-unproved"));
}

#[test]
fn a_part_of_a_file_must_be_had_as_the_probe_had_it() {
    let of = |path: Option<&str>, status, answer| {
        let look = RangeLook { answer, detail: "as seen".to_owned() };
        let asks = Asks { byte_range: true, ..Asks::default() };
        verdict(path, status, asks, |o| o.further.byte_range = Some(look.clone()))
    };
    let file = Some("/f.cab");
    for (path, status, answer, expected) in [
        (file, 200, Range::Served, is(Verdict::Pass, "")),
        (None, 200, Range::Served, is(Verdict::Pass, "")),
        (file, 200, Range::Ignored, is(Verdict::Fail, "range-ignored")),
        (None, 200, Range::Ignored, is(Verdict::Pass, "")),
        (file, 200, Range::Denied, is(Verdict::Fail, "range-stopped")),
        (None, 200, Range::Denied, is(Verdict::Fail, "range-stopped")),
        (None, 403, Range::Denied, is(Verdict::Pass, "")),
        (file, 200, Range::NoFile, is(Verdict::Fail, "range-stopped")),
        (file, 404, Range::NoFile, is(Verdict::Pass, "")),
        (None, 404, Range::NoFile, is(Verdict::Pass, "")),
        (None, 404, Range::Stopped, is(Verdict::Fail, "range-stopped")),
        (file, 404, Range::NotSeen, is(Verdict::NotObserved, "not-seen")),
    ] {
        assert_eq!(of(path, status, answer), expected, "{path:?} {status} {answer:?}");
    }
}

#[test]
fn suites_that_were_not_seen_are_not_in_order() {
    use SuiteAnswer::{NotOffered, NotSeen, Refused, Taken};
    let of = |agreed: &str, answers: [SuiteAnswer; 3]| {
        let names = ["ONE", "TWO", "THREE"].into_iter().zip(answers);
        let looks = names.map(|(name, answer)| SuiteLook {
            suite: name.to_owned(),
            version: "TLSv1.3".to_owned(),
            answer,
            detail: Some("connection reset".to_owned()),
        });
        let looks: Vec<SuiteLook> = looks.collect();
        let tls = TlsEvidence { version: None, suite: Some(agreed.to_owned()), alpn: None, chain: Vec::new() };
        verdict(None, 200, Asks::default(), |o| {
            o.further.suites.clone_from(&looks);
            o.tls.evidence = Some(tls.clone());
        })
    };
    assert_eq!(of("X", [Refused, Taken, NotSeen]), is(Verdict::Pass, ""));
    assert_eq!(of("X", [Refused, Refused, NotOffered]), is(Verdict::Fail, "tls-no-suite"));
    assert_eq!(of("X", [Refused, NotSeen, NotSeen]), is(Verdict::NotObserved, "not-seen"));
    assert_eq!(of("ONE", [Refused, NotSeen, NotSeen]), is(Verdict::NotObserved, "not-seen"));
    // What bounds connections cuts the tries; that the first connection agreed on one of them stands.
    assert_eq!(of("ONE", [NotSeen, NotSeen, NotSeen]), is(Verdict::Pass, ""));
    assert_eq!(of("X", [NotSeen, NotSeen, NotSeen]), is(Verdict::NotObserved, "not-seen"));
}

#[test]
fn a_verb_that_did_not_come_to_light_is_no_pass() {
    let of = |stopped: Option<&str>, doubt: Option<&str>| {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let look = VerbLook { verb: "CCM_POST".into(), status: Some(403), stopped: own(stopped), doubt: own(doubt) };
        verdict(None, 200, Asks::default(), |o| o.further.gateway = vec![look.clone()])
    };
    assert_eq!(of(None, None), is(Verdict::Pass, ""));
    assert_eq!(of(Some("status 502"), None), is(Verdict::Fail, "gateway-verb-stopped"));
    assert_eq!(of(None, Some("status 403")), is(Verdict::NotObserved, "not-seen"));
}

#[test]
fn an_idle_connection_is_observed_for_its_whole_time_or_not() {
    let of = |idle_ms, end| {
        let look = IdleLook { needed_seconds: 180, idle_ms, end, detail: "as seen".to_owned() };
        verdict(None, 200, Asks::default(), |o| o.further.idle = Some(look.clone()))
    };
    assert_eq!(of(180_000, Idle::Held), is(Verdict::Pass, ""));
    assert_eq!(of(2000, Idle::Held), is(Verdict::NotObserved, "not-seen"));
    assert_eq!(of(0, Idle::NotSeen), is(Verdict::NotObserved, "not-seen"));
    assert_eq!(of(2000, Idle::Cut), is(Verdict::Fail, "idle-cut"));
    assert_eq!(of(2000, Idle::ClosedByEndpoint), is(Verdict::Pass, ""));
}

#[test]
fn a_forwarder_must_forward() {
    let asks = || Asks { redirects: true, ..Asks::default() };
    for status in [200, 403, 404] {
        let missing = is(Verdict::Fail, "redirect-missing");
        assert_eq!(verdict(Some("/configmgrgateway"), status, asks(), |_| {}), missing, "{status}");
        assert_eq!(verdict(None, status, asks(), |_| {}), is(Verdict::Pass, ""), "{status}");
    }
}
