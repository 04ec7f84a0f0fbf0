//! What must show for each route and scheme, one line for each thing that is left out.

use jiff::Timestamp;

use super::*;
use crate::plan::ProbeId;
use crate::probe::{ConnectEvidence, Failure, HttpEvidence, NameEvidence, TcpEvidence, TlsEvidence, TrustEvidence};

fn target(scheme: Scheme) -> Target {
    let host = HostName::parse("a.contoso.com").unwrap();
    Target { scheme, host, port: scheme.default_port(), path: "/".to_owned() }
}

fn proxy(host: &str) -> Via {
    Via::Proxy { host: HostOrAddress::parse(host).unwrap(), port: 8080 }
}

fn ok<E>(evidence: E) -> Stage<E> {
    Stage { outcome: Outcome::Ok, took_us: Some(1), failure: None, evidence: Some(evidence) }
}

/// What is seen of an endpoint that is in order.
fn reached(scheme: Scheme, via: &Via) -> Observation {
    let secure = scheme == Scheme::Https;
    let (asked, port, given) = match via {
        Via::Proxy { host: HostOrAddress::Address(address), port } => (address.to_string(), *port, true),
        Via::Proxy { host, port } => (host.to_string(), *port, false),
        _ => ("a.contoso.com".to_owned(), scheme.default_port(), false),
    };
    let address = asked.parse().unwrap_or_else(|_| "10.1.1.1".parse().unwrap());
    let name = NameEvidence {
        asked,
        resolver: "system".to_owned(),
        connect_to: None,
        response_code: None,
        canonical_names: Vec::new(),
        addresses: vec![address],
        answers: Vec::new(),
        oddities: Vec::new(),
    };
    let attempt = TcpAttempt { address: (address, port).into(), took_us: 1, failure: None };
    let leaf = Certificate {
        subject: "CN=x".to_owned(),
        issuer: "CN=Contoso Root".to_owned(),
        names: vec!["*.contoso.com".to_owned()],
        not_before: Some(Timestamp::UNIX_EPOCH),
        not_after: Some(Timestamp::UNIX_EPOCH),
        sha256: "a".repeat(64),
        crl_urls: Vec::new(),
        ocsp_urls: Vec::new(),
        ocsp_request: None,
        issuer_urls: Vec::new(),
    };
    let mut seen = Observation::not_tried(ProbeId("p".to_owned()), Timestamp::UNIX_EPOCH);
    let outcome = if given { Outcome::NotNeeded } else { Outcome::Ok };
    seen.name = Stage { outcome, ..ok(name) };
    seen.tcp = ok(TcpEvidence { attempts: vec![attempt], used: None, untried: 0 });
    let tunnel = ConnectEvidence { status: Some(200), ..ConnectEvidence::default() };
    seen.connect = if secure && *via != Via::Direct { ok(tunnel) } else { Stage::not_needed() };
    (seen.tls, seen.trust) = (Stage::not_needed(), Stage::not_needed());
    if secure {
        seen.tls = ok(TlsEvidence { version: None, suite: None, alpn: None, chain: vec![leaf] });
        seen.trust = ok(TrustEvidence { roots: "this machine's".to_owned(), issuance: None, fetched: Vec::new() });
    }
    let (method, headers) = ("HEAD".to_owned(), Vec::new());
    seen.http = ok(HttpEvidence { method, status: Some(404), headers, ..HttpEvidence::default() });
    seen
}

const SCHEMES: [Scheme; 2] = [Scheme::Https, Scheme::Http];

fn ways() -> [Via; 3] {
    [Via::Direct, proxy("proxy.contoso.com"), proxy("10.9.9.9")]
}

/// What is said after a change.
fn said(scheme: Scheme, via: &Via, change: impl Fn(&mut Observation)) -> Option<&'static str> {
    let mut seen = reached(scheme, via);
    change(&mut seen);
    seen.unshown(&target(scheme), via).or_else(|| seen.astray(&target(scheme), via, &[]))
}

#[test]
fn what_shows_counts_on_every_route() {
    for (scheme, via) in SCHEMES.into_iter().flat_map(|scheme| ways().map(|via| (scheme, via))) {
        assert_eq!(said(scheme, &via, |_| {}), None, "{scheme} {via}");
        // Of what failed nothing more is claimed.
        assert_eq!(said(scheme, &via, |o| o.tcp = Stage { outcome: Outcome::Failed, ..Stage::not_tried() }), None);
        assert_eq!(said(scheme, &via, |o| o.name = Stage::not_tried()), None);
    }
}

#[test]
fn nothing_is_in_order_of_which_nothing_was_seen() {
    type Change = (&'static str, fn(&mut Observation));
    fn left_out<E>(stage: &mut Stage<E>) {
        *stage = Stage::not_needed();
    }
    fn bare<E>(stage: &mut Stage<E>) {
        stage.evidence = None;
    }
    let everywhere: [Change; 8] = [
        ("name was left out", |o| o.name = Stage { evidence: o.name.evidence.take(), ..Stage::not_needed() }),
        ("name without an address", |o| bare(&mut o.name)),
        ("name without an address", |o| o.name.evidence.as_mut().unwrap().addresses.clear()),
        ("a stage was left out", |o| left_out(&mut o.tcp)),
        ("nothing was seen", |o| bare(&mut o.tcp)),
        ("no address opened", |o| o.tcp.evidence.as_mut().unwrap().attempts.clear()),
        ("a stage was left out", |o| left_out(&mut o.http)),
        ("nothing was seen", |o| bare(&mut o.http)),
    ];
    let more: [Change; 3] = [
        ("no answer", |o| o.http.evidence.as_mut().unwrap().status = None),
        ("no answer", |o| o.http.evidence.as_mut().unwrap().block_page = Some("a page of a filter".to_owned())),
        ("in order, and failed", |o| o.http.failure = Some(Failure::new(FailureCode::HttpReset, "x"))),
    ];
    let secure: [Change; 5] = [
        ("a stage was left out", |o| left_out(&mut o.tls)),
        ("nothing was seen", |o| bare(&mut o.tls)),
        ("a stage was left out", |o| left_out(&mut o.trust)),
        ("nothing was seen", |o| bare(&mut o.trust)),
        ("nobody served", |o| o.tls.evidence.as_mut().unwrap().chain.clear()),
    ];
    let tunnel: [Change; 3] = [
        ("a stage was left out", |o| left_out(&mut o.connect)),
        ("nothing was seen", |o| bare(&mut o.connect)),
        ("no proxy opened", |o| o.connect.evidence.as_mut().unwrap().status = Some(407)),
    ];
    for (scheme, via) in SCHEMES.into_iter().flat_map(|scheme| ways().map(|via| (scheme, via))) {
        let (tls, by_proxy) = (scheme == Scheme::Https, via != Via::Direct);
        let given = matches!(via, Via::Proxy { host: HostOrAddress::Address(_), .. });
        let all = everywhere.iter().skip(usize::from(given)).chain(&more);
        let all = all.chain(secure.iter().filter(|_| tls)).chain(tunnel.iter().filter(|_| tls && by_proxy));
        for (number, (expected, change)) in all.enumerate() {
            let what = said(scheme, &via, change);
            assert!(what.is_some_and(|what| what.contains(expected)), "{scheme} {via}, {number}: {what:?}");
        }
        let all_left_out = said(scheme, &via, |o| {
            left_out(&mut o.name);
            left_out(&mut o.tcp);
            left_out(&mut o.connect);
            left_out(&mut o.tls);
            left_out(&mut o.trust);
            left_out(&mut o.http);
        });
        assert!(all_left_out.is_some(), "{scheme} {via}");
    }
    // What has no place there was not done there.
    let stray = ConnectEvidence { status: Some(200), ..ConnectEvidence::default() };
    assert!(said(Scheme::Https, &Via::Direct, |o| o.connect = ok(stray.clone())).is_some());
}

#[test]
fn somewhere_else_is_not_there() {
    let direct = |change: fn(&mut Observation)| said(Scheme::Https, &Via::Direct, change);
    let other: [fn(&mut Observation); 6] = [
        |o| o.name.evidence.as_mut().unwrap().asked = "b.contoso.com".to_owned(),
        |o| o.name.evidence.as_mut().unwrap().connect_to = Some(":443::8443".to_owned()),
        |o| o.tcp.evidence.as_mut().unwrap().attempts[0].address = "10.1.1.1:22".parse().unwrap(),
        |o| o.tcp.evidence.as_mut().unwrap().attempts[0].address = "10.1.1.2:443".parse().unwrap(),
        |o| o.tls.evidence.as_mut().unwrap().chain[0].names = vec!["evil.example".to_owned()],
        |o| o.tls.evidence.as_mut().unwrap().chain[0].names.clear(),
    ];
    for (number, change) in other.into_iter().enumerate() {
        assert!(direct(change).is_some(), "{number}");
    }
    // Where a certificate has no other names, Windows takes the common one.
    assert_eq!(
        direct(|o| {
            let leaf = &mut o.tls.evidence.as_mut().unwrap().chain[0];
            (leaf.names, leaf.subject) = (Vec::new(), "O=Contoso, CN=a.contoso.com".to_owned());
        }),
        None
    );
    let by_name = |change: fn(&mut Observation)| said(Scheme::Http, &proxy("proxy.contoso.com"), change);
    assert!(by_name(|o| o.name.evidence.as_mut().unwrap().asked = "a.contoso.com".to_owned()).is_some());
    let by_address = |change: fn(&mut Observation)| said(Scheme::Http, &proxy("10.9.9.9"), change);
    assert!(by_address(|o| o.name.evidence.as_mut().unwrap().addresses = vec!["10.1.1.1".parse().unwrap()]).is_some());
}

#[test]
fn a_rule_of_connect_to_leads_where_it_says() {
    let rules: Vec<ConnectTo> = vec!["a.contoso.com:443:10.5.5.5:8443".parse().unwrap()];
    let target = target(Scheme::Https);
    let mut seen = reached(Scheme::Https, &Via::Direct);
    assert!(seen.astray(&target, &Via::Direct, &rules).is_some(), "the rule was not followed");
    let name = seen.name.evidence.as_mut().unwrap();
    name.connect_to = Some(rules[0].to_string());
    (name.asked, name.addresses) = ("10.5.5.5".to_owned(), vec!["10.5.5.5".parse().unwrap()]);
    seen.name.outcome = Outcome::NotNeeded;
    seen.tcp.evidence.as_mut().unwrap().attempts[0].address = "10.5.5.5:8443".parse().unwrap();
    assert_eq!((seen.unshown(&target, &Via::Direct), seen.astray(&target, &Via::Direct, &rules)), (None, None));
    assert!(seen.astray(&target, &Via::Direct, &[]).is_some(), "no setting says so");
}

#[test]
fn a_wildcard_is_for_one_label() {
    let host = HostName::parse("a.contoso.com").unwrap();
    for name in ["a.contoso.com", "A.Contoso.com.", "*.contoso.com"] {
        assert!(fits(name, &host), "{name}");
    }
    for name in ["contoso.com", "*.com", "*", "*.a.contoso.com", "b.contoso.com", "a.contoso.com.evil.example"] {
        assert!(!fits(name, &host), "{name}");
    }
}
