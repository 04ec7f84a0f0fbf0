//! The verdict rules, one test for each.

mod beyond;

use jiff::Timestamp;

use super::*;
use crate::catalog::{Context, Inspection};
use crate::derive::{RequiredName, Route};
use crate::host::{HostName, HostPattern, Scheme};
use crate::plan;
use crate::probe::{
    Failure, FailureCode, Further, HttpEvidence, NameAnswer, NameEvidence, Oddity, OddityKind, Outcome, Stage,
    StageName, Try,
};
use crate::site::SiteCode;

fn host(name: &str) -> HostName {
    HostName::parse(name).unwrap()
}

pub(super) fn requirement(endpoint: &str) -> Requirement {
    Requirement {
        id: RequirementId(endpoint.to_owned()),
        subject: Subject::Host { site: SiteCode::parse("PS1").unwrap(), host: host("cm01.contoso.com") },
        role: CatalogRole::ServiceConnectionPoint,
        entry: EntryId(endpoint.replace('.', "-")),
        section: "Updates and servicing".to_owned(),
        name: RequiredName::Pattern(HostPattern::parse(endpoint).unwrap()),
        scheme: Scheme::Https,
        port: Some(443),
        path: None,
        context: Context::SiteSystemProxy,
        route: Route { via: Via::Direct, basis: RouteBasis::Database, detail: "UseProxy 0".to_owned() },
        tier: Tier::Required,
        status: Status::Active,
        replaced_by: None,
        inspection: Inspection::Unstated,
        tls: None,
        byte_ranges: false,
        idle_seconds: None,
        proof: Proof::Itself,
        decision: Decision::Needed,
        reasons: Vec::new(),
    }
}

fn stage<E>(outcome: Outcome, failure: Option<FailureCode>) -> Stage<E> {
    let failure = failure.map(|code| Failure { code, detail: "as seen".to_owned() });
    Stage { outcome, took_us: Some(1), failure, evidence: None }
}

/// Reached with HTTP 200, or failed at the stage that `break_it` sets.
pub(super) fn seen(probe: &Probe, break_it: impl Fn(&mut Observation)) -> Observation {
    let mut observation = Observation {
        probe: probe.id.clone(),
        started: Timestamp::UNIX_EPOCH,
        name: stage(Outcome::Ok, None),
        tcp: stage(Outcome::Ok, None),
        connect: Stage::not_needed(),
        tls: stage(Outcome::Ok, None),
        trust: stage(Outcome::Ok, None),
        http: stage(Outcome::Ok, None),
        further: Further::default(),
        redirected_from: None,
        earlier: Vec::new(),
    };
    observation.http.evidence = Some(HttpEvidence {
        method: "HEAD".to_owned(),
        status: Some(200),
        headers: Vec::new(),
        ..HttpEvidence::default()
    });
    break_it(&mut observation);
    observation
}

pub(super) fn reset(observation: &mut Observation) {
    observation.tls = stage(Outcome::Failed, Some(FailureCode::TlsReset));
    observation.trust = Stage::not_tried();
    observation.http = Stage::not_tried();
}

/// Judges `requirements`, with every probe seen as `look` says (`None`: no observation).
pub(super) fn judged(
    requirements: &[Requirement],
    machine: &str,
    from_here: bool,
    look: impl Fn(&Probe) -> Option<Observation>,
) -> Vec<Judgement> {
    let grade = if machine.eq_ignore_ascii_case("cm01") { EvidenceGrade::B } else { EvidenceGrade::D };
    judged_at(requirements, machine, grade, from_here, None, look)
}

fn judged_at(
    requirements: &[Requirement],
    name: &str,
    grade: EvidenceGrade,
    from_here: bool,
    unreached: Option<&Unreached>,
    look: impl Fn(&Probe) -> Option<Observation>,
) -> Vec<Judgement> {
    let plan = plan::build(requirements);
    let observations: Vec<Observation> = plan.probes.iter().filter_map(look).collect();
    let witness = Witness { name, probes: &plan.probes, observations: &observations, unreached, clients: None };
    judge(requirements, &[witness], |_| View { vantage: 0, grade }, from_here)
}

fn code(judgement: &Judgement) -> &str {
    judgement.cause.as_ref().map_or("", |cause| &cause.code)
}

#[test]
fn the_role_host_itself_proves_a_requirement() {
    let all = judged(&[requirement("a.example")], "CM01", false, |p| Some(seen(p, |_| {})));
    assert_eq!((all[0].verdict, all[0].observed_from_role_host), (Verdict::Pass, true));
    assert_eq!(all[0].notes, [] as [&str; 0]);
    let all = judged(&[requirement("a.example")], "CM01", false, |p| Some(seen(p, reset)));
    assert_eq!((all[0].verdict, code(&all[0])), (Verdict::Fail, "tls-reset"));
}

#[test]
fn what_was_asked_for_and_not_looked_at_is_no_proof() {
    use crate::plan::{Asks, Content};
    use crate::probe::further::{ContentLook, Range, RangeLook};
    let judged = |asks: Asks, further: Further| {
        let mut requirement = requirement("a.example");
        requirement.path = Some("/a.cab".to_owned());
        let mut plan = plan::build(std::slice::from_ref(&requirement));
        plan.probes[0].asks = asks;
        let observation = seen(&plan.probes[0], |o| o.further = further.clone());
        let witness = Witness {
            name: "cm01",
            probes: &plan.probes,
            observations: std::slice::from_ref(&observation),
            unreached: None,
            clients: None,
        };
        let view = View { vantage: 0, grade: EvidenceGrade::B };
        let mut all = judge(&[requirement], &[witness], |_| view, false);
        all.remove(0)
    };
    let content = || Asks { content: Some(Content::OpenidConfiguration), ..Asks::default() };
    let range = || Asks { byte_range: true, ..Asks::default() };
    for asks in [content(), range(), Asks { gateway: true, ..Asks::default() }] {
        let judgement = judged(asks, Further::default());
        assert_eq!((judgement.verdict, code(&judgement)), (Verdict::NotObserved, "interrupted"));
    }
    let look = ContentLook { status: Some(200), issuer: None, token_endpoint: None, fault: None };
    assert_eq!(judged(content(), Further { content: Some(look), ..Further::default() }).verdict, Verdict::Pass);
    let look = RangeLook { answer: Range::Served, detail: String::new() };
    assert_eq!(judged(range(), Further { byte_range: Some(look), ..Further::default() }).verdict, Verdict::Pass);
    // One handshake with the machine's own list of suites is no look at each of them, and says so.
    let suites =
        crate::catalog::TlsRule { min_version: crate::catalog::TlsVersion::Tls12, suites: vec!["X".to_owned()] };
    let judgement = judged(Asks { tls: Some(suites), ..Asks::default() }, Further::default());
    assert_eq!(judgement.notes, ["which of the documented cipher suites are taken was not tried"]);
}

#[test]
fn another_machine_proves_nothing_and_its_failures_count_where_the_operator_says_so() {
    for broken in [false, true] {
        let look = |p: &Probe| {
            Some(seen(p, |o| {
                if broken {
                    reset(o);
                }
            }))
        };
        let all = judged(&[requirement("a.example")], "ops07", false, look);
        assert_eq!((all[0].verdict, code(&all[0])), (Verdict::NotObserved, "other-host"));
        assert!(!all[0].observed_from_role_host);
    }
    // With --from-here its failures count, and what it reaches is still no proof.
    let all = judged(&[requirement("a.example")], "ops07", true, |p| Some(seen(p, reset)));
    assert_eq!((all[0].verdict, all[0].evidence_grade), (Verdict::Fail, Some(EvidenceGrade::D)));
    let all = judged(&[requirement("a.example")], "ops07", true, |p| Some(seen(p, |_| {})));
    assert_eq!((all[0].verdict, code(&all[0])), (Verdict::NotObserved, "other-host"));
    assert!(all[0].notes[0].contains("probed from ops07, not from cm01.contoso.com"));
}

#[test]
fn every_grade_but_d_can_make_a_requirement_pass_and_the_record_says_which() {
    for grade in EvidenceGrade::ALL {
        let all = judged_at(&[requirement("a.example")], "cm02", grade, true, None, |p| Some(seen(p, |_| {})));
        assert_eq!(all[0].verdict == Verdict::Pass, grade != EvidenceGrade::D, "{grade}");
        assert_eq!(all[0].evidence_grade, Some(grade));
        assert_eq!(all[0].observed_from_role_host, matches!(grade, EvidenceGrade::A | EvidenceGrade::B));
        let stands_in = all[0].notes.iter().any(|note| note.contains("which the operator lets stand in"));
        assert_eq!(stands_in, grade == EvidenceGrade::C, "{grade}");
    }
}

#[test]
fn a_host_that_was_not_reached_is_not_observed_with_the_reason_and_what_came_back_counts() {
    let unreached = Unreached::new(crate::vantage::UnreachedWhy::Port, "port 22: connection refused");
    let both = [requirement("a.example"), requirement("b.example")];
    let all = judged_at(&both, "cm01", EvidenceGrade::B, false, Some(&unreached), |_| None);
    assert_eq!(
        (all[0].verdict, code(&all[0]), all[0].evidence_grade),
        (Verdict::NotObserved, "host-not-reached", None)
    );
    let cause = all[0].cause.as_ref().unwrap();
    assert!(cause.text.contains("port 22: connection refused") && cause.remedy.contains("reach the port"), "{cause:?}");
    let half = |p: &Probe| (p.target.host == host("a.example")).then(|| seen(p, |_| {}));
    let all = judged_at(&both, "cm01", EvidenceGrade::B, false, Some(&unreached), half);
    assert_eq!([all[0].verdict, all[1].verdict], [Verdict::Pass, Verdict::NotObserved]);
}

#[test]
fn what_nobody_looked_at_is_never_a_pass() {
    let interrupted = |o: &mut Observation| o.tls = stage(Outcome::Cancelled, None);
    let all = judged(&[requirement("a.example")], "CM01", false, |p| Some(seen(p, interrupted)));
    assert_eq!((all[0].verdict, code(&all[0])), (Verdict::NotObserved, "interrupted"));
    let all = judged(&[requirement("a.example")], "CM01", false, |_| None);
    assert_eq!((all[0].verdict, code(&all[0])), (Verdict::NotObserved, "interrupted"));
    let untried = |p: &Probe| Some(Observation::not_tried(p.id.clone(), Timestamp::UNIX_EPOCH));
    let all = judged(&[requirement("a.example")], "CM01", true, untried);
    assert_eq!(all[0].verdict, Verdict::NotObserved);
    let half = |o: &mut Observation| o.http = Stage::not_tried();
    let all = judged(&[requirement("a.example")], "CM01", true, |p| Some(seen(p, half)));
    assert_eq!(all[0].verdict, Verdict::Error);
}

#[test]
fn a_probe_that_broke_is_an_error_and_no_verdict_on_the_endpoint() {
    let broke = |o: &mut Observation| o.name = stage(Outcome::Failed, Some(FailureCode::Internal));
    for from_here in [false, true] {
        let all = judged(&[requirement("a.example")], "ops07", from_here, |p| Some(seen(p, broke)));
        assert_eq!((all[0].verdict, code(&all[0])), (Verdict::Error, "internal"));
    }
}

#[test]
fn undecided_retired_untestable_and_unknown_routes_are_not_probed_and_say_why() {
    let mut undecided = requirement("a.example");
    undecided.decision = Decision::Undecided { missing: vec!["mode of the service connection point".to_owned()] };
    let mut retired = requirement("b.example");
    retired.decision = Decision::Retired;
    let mut untestable = requirement("*.c.example");
    untestable.proof = Proof::NotTestable { evidence: "no host is documented".to_owned() };
    let mut lost = requirement("d.example");
    lost.route.via = Via::Unknown;
    let all = [undecided, retired, untestable, lost];
    assert_eq!(plan::build(&all).probes, []);
    let all = judged(&all, "CM01", true, |p| Some(seen(p, |_| {})));
    let said: Vec<_> = all.iter().map(|j| (j.verdict, code(j))).collect();
    assert_eq!(
        said,
        [
            (Verdict::NotObserved, "undecided"),
            (Verdict::NotApplicable, "retired"),
            (Verdict::NotObserved, "not-testable"),
            (Verdict::NotObserved, "route-unknown"),
        ]
    );
}

#[test]
fn a_wildcard_needs_all_its_representatives_and_neighbours_prove_nothing() {
    let mut wildcard = requirement("*.example.com");
    let hosts = vec![host("a.example.com"), host("b.example.com")];
    wildcard.proof = Proof::Representative { hosts: hosts.clone(), evidence: "documented".to_owned() };
    let one_broken = |p: &Probe| {
        Some(seen(p, |o| {
            if p.target.host == host("b.example.com") {
                reset(o);
            }
        }))
    };
    let all = judged(std::slice::from_ref(&wildcard), "CM01", false, one_broken);
    assert_eq!(all[0].verdict, Verdict::Fail);
    assert!(all[0].cause.as_ref().unwrap().text.starts_with("b.example.com: "));
    let all = judged(std::slice::from_ref(&wildcard), "CM01", false, |p| Some(seen(p, |_| {})));
    assert_eq!(all[0].verdict, Verdict::Pass);
    assert!(all[0].notes[0].starts_with("proved by the representative"));
    wildcard.proof = Proof::Related { hosts, evidence: "beside it".to_owned() };
    let all = judged(&[wildcard], "CM01", false, |p| Some(seen(p, |_| {})));
    assert_eq!((all[0].verdict, code(&all[0])), (Verdict::NotObserved, "not-testable"));
}

#[test]
fn of_a_name_and_its_successor_one_is_enough_and_two_failures_are_a_failure() {
    let new = requirement("new.example");
    let mut old = requirement("old.example");
    old.status = Status::Superseded;
    old.replaced_by = Some(new.entry.clone());
    let pair = [old, new];
    let graded = |broken: &[&str]| -> Vec<(Verdict, Grade)> {
        let look = |p: &Probe| {
            Some(seen(p, |o| {
                if broken.contains(&p.target.host.as_str()) {
                    reset(o);
                }
            }))
        };
        judged(&pair, "CM01", false, look).iter().map(|j| (j.verdict, j.grade)).collect()
    };
    let (pass, fail) = ((Verdict::Pass, Grade::Required), (Verdict::Fail, Grade::Required));
    assert_eq!(graded(&[]), [pass, pass]);
    assert_eq!(graded(&["old.example"]), [(Verdict::Fail, Grade::Advisory), pass]);
    assert_eq!(graded(&["new.example"]), [pass, (Verdict::Fail, Grade::Advisory)]);
    assert_eq!(graded(&["new.example", "old.example"]), [fail, fail]);
}

#[test]
fn one_probe_serves_every_requirement_of_its_endpoint_and_route() {
    let mut other = requirement("a.example");
    other.id = RequirementId("second".to_owned());
    let mut proxied = requirement("a.example");
    proxied.id = RequirementId("third".to_owned());
    proxied.route.via = Via::Proxy { host: host("proxy.example").into(), port: 8080 };
    let plan = plan::build(&[requirement("a.example"), other, proxied]);
    let served: Vec<usize> = plan.probes.iter().map(|p| p.requirements.len()).collect();
    assert_eq!(served, [2, 1]);
}

#[test]
fn advisory_tiers_are_advisory_and_every_failure_code_has_words() {
    let mut advisory = requirement("a.example");
    advisory.tier = Tier::Advisory;
    let all = judged(&[advisory], "CM01", false, |p| Some(seen(p, reset)));
    assert_eq!((all[0].verdict, all[0].grade), (Verdict::Fail, Grade::Advisory));
    let cause = all[0].cause.clone().unwrap();
    assert!(cause.text.starts_with("the connection was cut during the TLS handshake"), "{}", cause.text);
    assert!(!cause.remedy.is_empty());
}

#[test]
fn flapping_is_no_plain_pass() {
    let earlier = || {
        let failure = Failure { code: FailureCode::TlsReset, detail: "TLS handshake: connection reset".to_owned() };
        vec![Try { stage: StageName::Tls, failure }]
    };
    let all = judged(&[requirement("a.example")], "CM01", false, |p| Some(seen(p, |o| o.earlier = earlier())));
    assert_eq!(all[0].verdict, Verdict::Pass);
    let note = "a.example: flapping: failed (TLS handshake: connection reset), and worked at try 2";
    assert_eq!(all[0].notes, [note]);
    let twice = |o: &mut Observation| {
        reset(o);
        o.earlier = earlier();
    };
    let all = judged(&[requirement("a.example")], "CM01", false, |p| Some(seen(p, twice)));
    assert_eq!((all[0].verdict, all[0].notes.len()), (Verdict::Fail, 0), "twice the same is no flapping");
}

#[test]
fn a_name_that_half_works_or_has_odd_addresses_is_no_plain_pass() {
    let notes = |change: &dyn Fn(&mut NameEvidence)| {
        let look = |p: &Probe| {
            Some(seen(p, |o| {
                let mut name = NameEvidence {
                    asked: "a.example".to_owned(),
                    resolver: "192.0.2.53:53".to_owned(),
                    connect_to: None,
                    response_code: Some("NOERROR".to_owned()),
                    canonical_names: Vec::new(),
                    addresses: vec!["10.0.0.1".parse().unwrap()],
                    answers: Vec::new(),
                    oddities: Vec::new(),
                };
                change(&mut name);
                o.name.evidence = Some(name);
            }))
        };
        let all = judged(&[requirement("a.example")], "CM01", false, look);
        assert_eq!(all[0].verdict, Verdict::Pass);
        all[0].notes.clone()
    };
    assert_eq!(notes(&|_| {}), [] as [&str; 0]);
    let private = |name: &mut NameEvidence| {
        let (address, detail) = (name.addresses[0], "of a private network (RFC 1918)".to_owned());
        name.oddities = vec![Oddity { address, kind: OddityKind::Private, detail }];
    };
    assert_eq!(notes(&private), ["a.example: the name has the address 10.0.0.1, of a private network (RFC 1918)"]);
    let half = |name: &mut NameEvidence| {
        let answer = |record: &str, code: &str| NameAnswer {
            record: record.to_owned(),
            response_code: Some(code.to_owned()),
            extended_error: None,
            failure: None,
            addresses: 1,
        };
        name.answers = vec![answer("A", "NOERROR"), answer("AAAA", "SERVFAIL")];
    };
    assert_eq!(notes(&half), ["a.example: the question for AAAA records failed (SERVFAIL)"]);
}

#[test]
fn a_name_of_a_service_that_is_gone_is_hygiene_and_never_a_failure() {
    let gone = |name: &str| Requirement { decision: Decision::Retired, ..requirement(name) };
    let mut wildcard = requirement("*.live.example");
    wildcard.proof = Proof::Representative { hosts: vec![host("x.other.example")], evidence: "documented".to_owned() };
    let all = [
        gone("still.example"),
        gone("lost.example"),
        gone("shared.example"),
        gone("a.live.example"),
        gone("x.other.example"),
        Requirement { id: RequirementId("live".to_owned()), ..requirement("shared.example") },
        Requirement { path: Some("/a.cab".to_owned()), byte_ranges: true, ..gone("quiet.example") },
        wildcard,
    ];
    // What something else needs is not looked at, and of the others only the layers.
    let plan = plan::retired(plan::spare(&all));
    let ids: Vec<&str> = plan.probes.iter().map(|probe| probe.id.0.as_str()).collect();
    let expected = ["lost.example", "quiet.example", "still.example"];
    assert_eq!(ids, expected.map(|name| format!("https://{name}:443/ direct")));
    assert!(plan.probes.iter().all(|probe| probe.asks.is_empty()));
    let observations: Vec<Observation> = plan
        .probes
        .iter()
        .filter_map(|probe| match probe.target.host.as_str() {
            "still.example" => Some(seen(probe, |_| {})),
            "lost.example" => Some(seen(probe, reset)),
            _ => None,
        })
        .collect();
    let judged = |grade| {
        let witness =
            Witness { name: "cm01", probes: &plan.probes, observations: &observations, unreached: None, clients: None };
        let all = judge(&all, &[witness], |_| View { vantage: 0, grade }, true);
        all.iter().map(|judgement| (judgement.verdict, code(judgement).to_owned())).collect::<Vec<_>>()
    };
    let told = judged(EvidenceGrade::B);
    let none = |code: &str| (Verdict::NotApplicable, code.to_owned());
    assert_eq!(told[0], none("retired-reached"));
    assert!(told[1..5].iter().chain(&told[6..7]).all(|one| *one == none("retired")), "{told:?}");
    // What another machine reaches shows nothing of the host's rules.
    assert_eq!(judged(EvidenceGrade::D)[0], none("retired"));
}
