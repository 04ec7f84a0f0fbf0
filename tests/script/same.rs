//! The core and our own probe see the same of the same servers, stage by stage.

use cmcomply::derive::Via;
use cmcomply::host::{HostName, HostOrAddress, Scheme};
use cmcomply::plan::{Asks, Content, PlanBounds, PlanDocument, Probe, ProbeId, Target};
use lab::internet::{Behaviour, Internet, Manner, ProxySpec, Seen, Spec};

use crate::mono::{Machine, differences, plan};

fn probe(scheme: Scheme, name: &str, port: u16, via: Via) -> Probe {
    let host = HostName::parse(&format!("{name}.contoso.internal")).unwrap();
    let target = Target { scheme, host, port, path: "/".to_owned() };
    let id = ProbeId::of(&target, &via);
    Probe { id, target, via, contexts: [].into(), requirements: Vec::new(), asks: Asks::default() }
}

#[test]
fn every_server_of_the_lab() {
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
        ("leaf", B::LeafOnly),
        ("responder", B::NamesResponder),
        ("huge-chain", B::HugeChain),
        ("reset", B::ResetInHandshake),
        ("alert", B::TlsAlert),
        ("late-reset", B::ResetAfterTls),
        ("garbage", B::HttpGarbage),
        ("page", B::BlockPage(200)),
        ("page403", B::BlockPage(403)),
        ("endless", B::EndlessHeaders),
        ("huge", B::HugeHeaders),
        ("get-reset", B::GetReset(405)),
        ("get-cut", B::GetCut(405)),
        ("marked", B::Answer(200, "Content-Type: text/html\r\nX-Squid-Error: ERR 0\r\n".into(), "x".into())),
        ("titled", B::Answer(200, "Content-Type: text/html\r\n".into(), "<title>Web Page  Blocked</title>".into())),
        ("strange", B::Answer(200, "Server: \u{202e}evil\r\nVia: \u{e9}\r\n".into(), String::new())),
        ("flaps", B::AtFirst(1, Box::new(B::ResetInHandshake))),
    ];
    let spec = behaviours.iter().fold(Spec::default(), |spec, (name, behaviour)| {
        spec.host(&format!("{name}.contoso.internal"), behaviour.clone())
    });
    let net = Internet::start_blocking(spec);
    let names: Vec<String> = behaviours.iter().map(|(name, _)| format!("{name}.contoso.internal")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.extend(["refused.contoso.internal", "sinkhole.contoso.com"]);
    let Some(machine) = Machine::new(&names, &net.ca_pem()) else { return };
    let (https, http) = (net.server(443).port(), net.server(80).port());
    // What answers differently the second time is looked at by each with an internet of its own.
    let steady = behaviours.iter().filter(|(name, _)| *name != "flaps");
    let mut probes: Vec<Probe> = steady
        .flat_map(|(name, _)| {
            [probe(Scheme::Https, name, https, Via::Direct), probe(Scheme::Http, name, http, Via::Direct)]
        })
        .collect();
    probes.push(probe(Scheme::Https, "refused", net.closed().port(), Via::Direct));
    probes.push(probe(Scheme::Https, "no-such-name", https, Via::Direct));
    let mut sinkhole = probe(Scheme::Https, "x", https, Via::Direct);
    sinkhole.target.host = HostName::parse("sinkhole.contoso.com").unwrap();
    sinkhole.id = ProbeId("sinkhole".to_owned());
    probes.push(sinkhole);
    let plan = plan(probes, 20_000);
    let (ours, theirs) = (machine.own(&plan), machine.told(&plan));
    let different = differences(&ours, &theirs);
    assert!(different.is_empty(), "{}", different.concat());
    assert!(theirs.complete && ours.complete);
    let facts = theirs.host.unwrap();
    assert!(facts.len() > 60 && facts["powershell.version"].value() == Some("4.0"), "{facts:#?}");
}

#[test]
fn what_flaps_is_tried_again() {
    let flaps = || {
        let flaps = Behaviour::AtFirst(1, Box::new(Behaviour::ResetInHandshake));
        Internet::start_blocking(Spec::default().host("flaps.contoso.internal", flaps))
    };
    let look = |net: &Internet, own: bool| {
        let machine = Machine::new(&["flaps.contoso.internal"], &net.ca_pem())?;
        let plan = plan(vec![probe(Scheme::Https, "flaps", net.server(443).port(), Via::Direct)], 20_000);
        let mut seen = if own { machine.own(&plan) } else { machine.told(&plan) };
        Some(seen.observations.remove(0))
    };
    let (Some(ours), Some(theirs)) = (look(&flaps(), true), look(&flaps(), false)) else { return };
    for seen in [ours, theirs] {
        assert!(seen.reached() && seen.flapped(), "{seen:#?}");
        assert_eq!(seen.earlier.len(), 1);
    }
}

#[test]
fn silence_in_every_layer() {
    let spec = Spec::default()
        .host("silent-tls.contoso.internal", Behaviour::HandshakeSilence)
        .host("silent-http.contoso.internal", Behaviour::HttpSilence)
        .host("silent-get.contoso.internal", Behaviour::GetSilence(405))
        .host("loris.contoso.internal", Behaviour::SlowLoris)
        .proxy(ProxySpec::new("mute.contoso.internal", 8080).manner(Manner::Silent));
    let net = Internet::start_blocking(spec);
    let names =
        ["silent-tls", "silent-http", "silent-get", "loris", "hole"].map(|name| format!("{name}.contoso.internal"));
    let Some(machine) = Machine::new(&names.each_ref().map(String::as_str), &net.ca_pem()) else { return };
    let (https, http) = (net.server(443).port(), net.server(80).port());
    let mute = Via::Proxy {
        host: HostOrAddress::Address(net.proxy("mute.contoso.internal").ip()),
        port: net.proxy("mute.contoso.internal").port(),
    };
    let mut probes: Vec<Probe> = ["silent-tls", "silent-http", "silent-get", "loris"]
        .map(|name| probe(Scheme::Https, name, https, Via::Direct))
        .into();
    probes.extend(["silent-http", "loris"].map(|name| probe(Scheme::Http, name, http, Via::Direct)));
    probes.push(probe(Scheme::Https, "hole", net.black_hole().port(), Via::Direct));
    probes.push(probe(Scheme::Https, "any", 443, mute));
    let plan = plan(probes, 3000);
    let different = differences(&machine.own(&plan), &machine.told(&plan));
    assert!(different.is_empty(), "{}", different.concat());
}

#[test]
fn the_core_ends_at_the_deadline_of_its_plan() {
    let spec = Spec::default()
        .host("silent-tls.contoso.internal", Behaviour::HandshakeSilence)
        .host("silent-http.contoso.internal", Behaviour::HttpSilence);
    let net = Internet::start_blocking(spec);
    let names = ["silent-tls", "silent-http"].map(|name| format!("{name}.contoso.internal"));
    let Some(machine) = Machine::new(&names.each_ref().map(String::as_str), &net.ca_pem()) else { return };
    let https = net.server(443).port();
    let mut probes: Vec<Probe> =
        ["silent-tls", "silent-http"].map(|name| probe(Scheme::Https, name, https, Via::Direct)).into();
    probes.push(probe(Scheme::Https, "silent-tls", net.black_hole().port(), Via::Direct));
    // More than go at once, so that some do not begin.
    let (given, mut all) = (probes.clone(), Vec::new());
    for number in 0..3 {
        all.extend(given.iter().map(|one| Probe { id: ProbeId(format!("{number} {}", one.id)), ..one.clone() }));
    }
    let bounds =
        PlanBounds { stage_timeout_ms: 300_000, deadline_ms: 2000, probes_at_once: 4, addresses: 8, retries: 1 };
    let plan = PlanDocument::new(None, bounds, all);
    let theirs = machine.told(&plan);
    assert!(!theirs.complete && theirs.interrupted.as_deref() == Some("the deadline of the plan"), "{theirs:#?}");
    assert_eq!(theirs.observations.len(), 9);
    assert!(theirs.observations.iter().all(|seen| seen.was_cancelled() && !seen.reached()), "{theirs:#?}");
}

#[test]
fn the_core_names_the_bounds_of_its_plan() {
    let net = Internet::start_blocking(Spec::default());
    let Some(machine) = Machine::new(&[], &net.ca_pem()) else { return };
    let bounds =
        PlanBounds { stage_timeout_ms: 4000, deadline_ms: 70_000, probes_at_once: 1024, addresses: 9, retries: 2 };
    let theirs = machine.told(&PlanDocument::new(None, bounds, Vec::new()));
    assert_eq!(theirs.settings.bounds, bounds);
}

#[test]
fn proxies_of_every_manner() {
    let manners = [
        ("open", Manner::Open),
        ("wants", Manner::WantsCredentials),
        ("ntlm", Manner::WantsNtlm),
        ("inspecting", Manner::Inspecting),
        ("garbage", Manner::Garbage),
    ];
    let spec = Spec::default()
        .host("healthy.contoso.internal", Behaviour::HEALTHY)
        .host("refused.contoso.internal", Behaviour::Refused)
        .host("page.contoso.internal", Behaviour::BlockPage(403))
        .host("gone.contoso.internal", Behaviour::Status(404));
    let spec = manners.iter().fold(spec, |spec, (name, manner)| {
        spec.proxy(ProxySpec::new(&format!("{name}.contoso.internal"), 8080).manner(*manner))
    });
    let net = Internet::start_blocking(spec);
    let names = manners.map(|(name, _)| format!("{name}.contoso.internal"));
    let Some(machine) = Machine::new(&names.each_ref().map(String::as_str), &net.ca_pem()) else { return };
    let mut probes = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let address = net.proxy(name);
        // By name and by address.
        let host =
            if index % 2 == 0 { HostOrAddress::parse(name).unwrap() } else { HostOrAddress::Address(address.ip()) };
        let via = Via::Proxy { host, port: address.port() };
        for target in ["healthy", "refused", "page", "gone", "no-such-name"] {
            probes.push(probe(Scheme::Https, target, 443, via.clone()));
            probes.push(probe(Scheme::Http, target, 80, via.clone()));
        }
    }
    let plan = plan(probes, 20_000);
    let different = differences(&machine.own(&plan), &machine.told(&plan));
    assert!(different.is_empty(), "{}", different.concat());
}

#[test]
fn what_is_asked_besides_the_layers_and_redirects() {
    let spec = Spec::default()
        .host("file.contoso.internal", Behaviour::File(100, true))
        .host("whole.contoso.internal", Behaviour::File(100, false))
        .host("verbs.contoso.internal", Behaviour::PlainVerbs)
        .host("gateway.contoso.internal", Behaviour::Status(403))
        .host("page.contoso.internal", Behaviour::BlockPage(200));
    let (https, http);
    let spec = spec.host(
        "sign-in.contoso.internal",
        Behaviour::Answer(200, "Content-Type: application/json\r\n".into(), "{}".into()),
    );
    let net = Internet::start_blocking(spec);
    (https, http) = (net.server(443).port(), net.server(80).port());
    let names = ["file", "whole", "verbs", "gateway", "page", "sign-in"].map(|name| format!("{name}.contoso.internal"));
    let Some(machine) = Machine::new(&names.each_ref().map(String::as_str), &net.ca_pem()) else { return };
    let with = |name: &str, asks: Asks| Probe { asks, ..probe(Scheme::Https, name, https, Via::Direct) };
    let ranges = || Asks { byte_range: true, ..Asks::default() };
    let probes = vec![
        with("file", ranges()),
        with("whole", ranges()),
        with("page", ranges()),
        with("verbs", Asks { gateway: true, ..Asks::default() }),
        with("gateway", Asks { gateway: true, ..Asks::default() }),
        with("sign-in", Asks { content: Some(Content::OpenidConfiguration), ..Asks::default() }),
        Probe { asks: ranges(), ..probe(Scheme::Http, "file", http, Via::Direct) },
    ];
    let plan = plan(probes, 20_000);
    let (ours, theirs) = (machine.own(&plan), machine.told(&plan));
    let words = |all: &cmcomply::evidence::Observations| -> Vec<_> {
        let further = all.observations.iter().map(|one| one.further.clone());
        further.map(|f| (f.byte_range.map(|r| r.answer), f.content.map(|c| (c.status, c.fault)), f.gateway)).collect()
    };
    assert_eq!(words(&ours), words(&theirs));
    assert_eq!(net.count(|seen| matches!(seen, Seen::Request { method, .. } if method == "BITS_POST")), 4);
}

#[test]
fn hops_are_those_of_our_own_probe() {
    let target = Internet::start_blocking(Spec::default().host("end.contoso.internal", Behaviour::Status(404)));
    let end = target.server(80).port();
    let spec = Spec::default()
        .host("first.contoso.internal", Behaviour::Redirect(302, format!("http://second.contoso.internal:{end}/x?y=1")))
        .host("out.contoso.internal", Behaviour::Redirect(302, "http://10.0.0.1/".into()))
        .host("circle.contoso.internal", Behaviour::Redirect(301, "/".into()))
        .host(
            "umlaut.contoso.internal",
            Behaviour::Redirect(302, format!("http://b\u{fc}cher.contoso.internal:{end}/")),
        )
        // What a server may say, and nobody can be sent to.
        .host("hyphen.contoso.internal", Behaviour::Redirect(302, "http://a-.contoso.internal/".into()))
        .host("number.contoso.internal", Behaviour::Redirect(302, "http://foo.123/".into()))
        .host("zero.contoso.internal", Behaviour::Redirect(302, "http://second.contoso.internal:0/".into()));
    let net = Internet::start_blocking(spec);
    let odd = ["umlaut", "hyphen", "number", "zero"];
    let asked = ["first", "out", "circle"].into_iter().chain(odd);
    let names = asked.clone().chain(["second", "xn--bcher-kva"]).map(|name| format!("{name}.contoso.internal"));
    let names: Vec<String> = names.collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(machine) = Machine::new(&names, &net.ca_pem()) else { return };
    let asks = Asks { redirects: true, ..Asks::default() };
    let probes = asked
        .map(|name| Probe { asks: asks.clone(), ..probe(Scheme::Https, name, net.server(443).port(), Via::Direct) });
    let plan = plan(probes.collect(), 20_000);
    let (ours, theirs) = (machine.own(&plan), machine.told(&plan));
    assert_eq!(ours.observations.len(), 9, "two hops");
    let different = differences(&ours, &theirs);
    assert!(different.is_empty(), "{}", different.concat());
}
