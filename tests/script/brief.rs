//! The script for Run Scripts: its text, and its core run by Mono, held against our own probe.

use cmcomply::derive::Via;
use cmcomply::host::{HostName, Scheme};
use cmcomply::plan::{Asks, PlanBounds, PlanDocument, Probe, ProbeId, Target};
use cmcomply::probe::{FailureCode, StageName};
use cmcomply::vantage::run_script::{ClientAnswer, MOST_PROBES, Mark, Silence, read_answer, run_script};
use lab::internet::{Behaviour, Internet, Manner, ProxySpec, Spec};

use crate::mono::{Machine, plan};

fn probe(scheme: Scheme, name: &str, port: u16, via: Via) -> Probe {
    let host = HostName::parse(&format!("{name}.contoso.internal")).unwrap();
    let target = Target { scheme, host, port, path: "/".to_owned() };
    let id = ProbeId::of(&target, &via);
    Probe { id, target, via, contexts: [].into(), requirements: Vec::new(), asks: Asks::default() }
}

/// What the core brings back for the plan, read as the site database would have it.
fn answer(machine: &Machine, plan: &PlanDocument, thumbprints: &[String]) -> (String, ClientAnswer) {
    let line = machine.brief(&run_script(plan, thumbprints));
    assert!(line.len() <= 3500 && line.is_ascii() && !line.contains(['"', '\\', '<', '>', '&', '\'']), "{line}");
    let answer = read_answer(&line, &plan.sha256, plan.probes.len()).unwrap_or_else(|why| panic!("{why:?}: {line}"));
    assert!(answer.system);
    (line, answer)
}

fn thumbprint(pem: &str) -> String {
    use sha1::{Digest, Sha1};
    cmcomply::text::hexadecimal(&Sha1::digest(der(pem)))
}

fn der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let lines = pem.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let text: String = lines.take_while(|line| !line.starts_with("-----END")).collect();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn a_client_says_what_our_own_probe_sees() {
    use Behaviour as B;
    let behaviours = [
        ("healthy", B::HEALTHY),
        ("gone404", B::Status(404)),
        ("denied", B::Status(403)),
        ("teapot405", B::Status(405)),
        ("empty", B::Status(204)),
        ("captive", B::Status(511)),
        ("bad-gateway", B::Status(502)),
        ("redirect", B::Redirect(302, "/elsewhere".into())),
        ("stray", B::Redirect(302, "https://filter.example/deny".into())),
        ("inspected", B::ForeignCa),
        ("expired", B::Expired),
        ("wrong", B::WrongName),
        ("self", B::SelfSigned),
        ("reset", B::ResetInHandshake),
        ("alert", B::TlsAlert),
        ("late-reset", B::ResetAfterTls),
        ("garbage", B::HttpGarbage),
        ("page", B::BlockPage(200)),
        ("page403", B::BlockPage(403)),
        ("huge", B::HugeHeaders),
        ("get-cut", B::GetCut(405)),
        ("marked", B::Answer(200, "Content-Type: text/html\r\nX-Squid-Error: ERR 0\r\n".into(), "x".into())),
    ];
    let spec = behaviours.iter().fold(Spec::default(), |spec, (name, behaviour)| {
        spec.host(&format!("{name}.contoso.internal"), behaviour.clone())
    });
    let net = Internet::start_blocking(spec);
    let names: Vec<String> = behaviours.iter().map(|(name, _)| format!("{name}.contoso.internal")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push("refused.contoso.internal");
    let Some(machine) = Machine::new(&names, &net.ca_pem()) else { return };
    let (https, http) = (net.server(443).port(), net.server(80).port());
    let mut probes: Vec<Probe> = behaviours
        .iter()
        .flat_map(|(name, _)| {
            [probe(Scheme::Https, name, https, Via::Direct), probe(Scheme::Http, name, http, Via::Direct)]
        })
        .collect();
    probes.push(probe(Scheme::Https, "refused", net.closed().port(), Via::Direct));
    probes.push(probe(Scheme::Https, "no-such-name", https, Via::Direct));
    let plan = plan(probes, 20_000);
    let ours = machine.own(&plan);
    let (_, public) = answer(&machine, &plan, &[thumbprint(&net.ca_pem())]);
    let (_, private) = answer(&machine, &plan, &[]);
    let mut reached = 0;
    for ((seen, mark), without_root) in ours.observations.iter().zip(&public.marks).zip(&private.marks) {
        let id = &seen.probe;
        let secure = id.0.starts_with("https");
        match seen.first_failure() {
            // Nobody looks at pages there: what may be one counts as not told.
            Some((_, failure)) if failure.code == FailureCode::HttpBlockPage => {
                // Over TLS that leads to a public root no filter stands in between, whatever the page says.
                assert!(*mark == Mark::Page || (secure && *mark == Mark::Reached), "{id}: {mark:?}");
                assert!(matches!(without_root, Mark::Page | Mark::OtherRootPage), "{id}: {without_root:?}");
            }
            Some((StageName::Trust, failure)) => {
                let expected = match failure.code {
                    code @ (FailureCode::CertificateExpired | FailureCode::CertificateWrongName) => code,
                    _ => FailureCode::CertificateUntrusted,
                };
                assert_eq!(*mark, Mark::Failed(expected), "{id}: {failure:?}");
            }
            Some((_, failure)) => assert_eq!(*mark, Mark::Failed(failure.code), "{id}: {failure:?}"),
            None => {
                let doubtful = !secure && matches!(mark, Mark::Page);
                assert!(*mark == Mark::Reached || doubtful, "{id}: {mark:?}");
                reached += usize::from(*mark == Mark::Reached);
                if secure {
                    assert!(matches!(without_root, Mark::OtherRoot | Mark::OtherRootPage), "{id}: {without_root:?}");
                } else {
                    assert_eq!(without_root, mark, "{id}");
                }
            }
        }
    }
    assert!(reached >= 8, "{reached}");
}

#[test]
fn proxies_are_those_of_the_plan() {
    let manners = [("open", Manner::Open), ("wants", Manner::WantsCredentials), ("garbage", Manner::Garbage)];
    let spec = Spec::default()
        .host("healthy.contoso.internal", Behaviour::HEALTHY)
        .host("gone.contoso.internal", Behaviour::Status(404));
    let spec = manners.iter().fold(spec, |spec, (name, manner)| {
        spec.proxy(ProxySpec::new(&format!("{name}.contoso.internal"), 8080).manner(*manner))
    });
    let net = Internet::start_blocking(spec);
    let names = manners.map(|(name, _)| format!("{name}.contoso.internal"));
    let Some(machine) = Machine::new(&names.each_ref().map(String::as_str), &net.ca_pem()) else { return };
    let mut probes = Vec::new();
    for name in &names {
        let via = Via::Proxy { host: name.parse::<HostName>().unwrap().into(), port: net.proxy(name).port() };
        probes.push(probe(Scheme::Https, "healthy", 443, via.clone()));
        probes.push(probe(Scheme::Http, "healthy", 80, via.clone()));
        probes.push(probe(Scheme::Http, "gone", 80, via));
    }
    let plan = plan(probes, 20_000);
    let (_, answer) = answer(&machine, &plan, &[thumbprint(&net.ca_pem())]);
    let failed = Mark::Failed;
    assert_eq!(answer.marks[0], Mark::Reached);
    // An error by way of a proxy may be the proxy's.
    assert_eq!(answer.marks[2], Mark::Page);
    assert_eq!(answer.marks[3], failed(FailureCode::ProxyAuthRequired));
    assert_eq!(answer.marks[4], failed(FailureCode::HttpStatus));
    assert_eq!(answer.marks[6], failed(FailureCode::ProxyBadReply));
    assert_eq!(answer.marks[7], failed(FailureCode::HttpProtocol));
}

#[test]
fn what_has_no_room_is_left_out_and_said() {
    let net = Internet::start_blocking(Spec::default());
    let Some(machine) = Machine::new(&["closed.contoso.internal"], &net.ca_pem()) else { return };
    let closed = net.closed().port();
    let one = probe(Scheme::Http, "closed", closed, Via::Direct);
    let many = (0..MOST_PROBES + 200).map(|number| {
        let target = Target { path: format!("/{number}"), ..one.target.clone() };
        Probe { id: ProbeId::of(&target, &Via::Direct), target, ..one.clone() }
    });
    let bounds =
        PlanBounds { stage_timeout_ms: 20_000, deadline_ms: 300_000, probes_at_once: 64, addresses: 8, retries: 0 };
    let plan = PlanDocument::new(None, bounds, many.collect());
    let (line, answer) = answer(&machine, &plan, &[]);
    assert!(line.len() > 3490, "{}", line.len());
    let seen = answer.marks.iter().filter(|mark| **mark == Mark::Failed(FailureCode::TcpRefused)).count();
    assert!(seen >= MOST_PROBES, "{seen}");
    assert_eq!(answer.marks.iter().filter(|mark| **mark == Mark::NotSeen).count(), plan.probes.len() - seen);
    assert_eq!(answer.marks.last(), Some(&Mark::NotSeen));
}

#[test]
fn a_client_ends_at_the_deadline_and_says_what_it_did_not_see() {
    let spec = Spec::default().host("silent.contoso.internal", Behaviour::HandshakeSilence);
    let net = Internet::start_blocking(spec);
    let Some(machine) = Machine::new(&["silent.contoso.internal"], &net.ca_pem()) else { return };
    let probes = vec![
        probe(Scheme::Https, "silent", net.server(443).port(), Via::Direct),
        probe(Scheme::Https, "silent", net.black_hole().port(), Via::Direct),
    ];
    let bounds =
        PlanBounds { stage_timeout_ms: 300_000, deadline_ms: 1500, probes_at_once: 1, addresses: 8, retries: 1 };
    let plan = PlanDocument::new(None, bounds, probes);
    assert_eq!(answer(&machine, &plan, &[]).1.marks, [Mark::NotSeen, Mark::NotSeen]);
}

#[test]
fn an_answer_that_was_cut_anywhere_is_none() {
    let net = Internet::start_blocking(Spec::default());
    let Some(machine) = Machine::new(&["closed.contoso.internal"], &net.ca_pem()) else { return };
    let plan = plan(vec![probe(Scheme::Http, "closed", net.closed().port(), Via::Direct)], 20_000);
    let (line, _) = answer(&machine, &plan, &[]);
    for end in 1..line.len() {
        let cut = read_answer(&line[..end], &plan.sha256, 1);
        assert!(matches!(cut, Err(Silence::Cut | Silence::NotOurs)), "{}: {cut:?}", &line[..end]);
    }
}
