//! Names, addresses and rules of `--connect-to`.

use super::*;

#[tokio::test]
async fn names_are_followed_to_their_end() {
    let spec = Spec::default()
        .known("contoso.com")
        .name("long.contoso.com", Name::TcpOnly)
        .name("alias.contoso.com", Name::Alias("hop.contoso.com".into()))
        .name("hop.contoso.com", Name::Alias("healthy.contoso.com".into()))
        .name("dead-end.contoso.com", Name::Alias("service.cloudapp.example".into()));
    let net = Internet::start(spec).await;
    let long = look(&net, "https://long.contoso.com/").await;
    assert!(long.reached(), "{long:#?}");
    assert_eq!(net.count(|s| matches!(s, Seen::Query { tcp: true, .. })), 2);
    let alias = look(&net, "https://alias.contoso.com/").await;
    assert!(alias.reached(), "{alias:#?}");
    assert_eq!(alias.name.evidence.unwrap().canonical_names, ["hop.contoso.com", "healthy.contoso.com"]);
    let dead_end = look(&net, "https://dead-end.contoso.com/").await;
    assert_eq!(failure(&dead_end, StageName::Name).code, FailureCode::NameNxdomain);
    assert_eq!(dead_end.name.evidence.unwrap().canonical_names, ["service.cloudapp.example"]);
}

#[tokio::test]
async fn each_question_is_seen_and_odd_addresses_are_named() {
    let addresses = |texts: &[&str]| Name::Addresses(texts.iter().map(|a| a.parse().unwrap()).collect());
    let thousand = (0..1000u16).map(|n| std::net::Ipv4Addr::from(0x7f01_0000 + u32::from(n)).into()).collect();
    let spec = Spec::default()
        .name("zero.microsoft.com", addresses(&["0.0.0.0", "::"]))
        .name("hosts.microsoft.com", addresses(&["127.0.0.1"]))
        .name("umbrella.microsoft.com", addresses(&["146.112.61.106"]))
        .name("split.microsoft.com", addresses(&["127.0.0.1", "10.1.2.3"]))
        .name("many.microsoft.com", Name::Addresses(thousand))
        .name("v6.microsoft.com", addresses(&["::1"]));
    let net = Internet::start(spec).await;
    // Without rules of --connect-to; of addresses only the first is tried, which is this machine's.
    let mut settings = Settings { dns_server: Some(net.dns()), ..bare_settings() };
    settings.bounds = Bounds { addresses: 1, retries: 0, ..Bounds::default() };
    let url = |name: &str| format!("https://{name}.microsoft.com:9/");
    let probes: Vec<_> = ["zero", "hosts", "umbrella", "split", "many"].iter().map(|name| direct(&url(name))).collect();
    let seen = run(&probes, &settings).await;
    for (name, words) in [("zero", "no address at all"), ("hosts", "hosts file"), ("umbrella", "Cisco Umbrella")] {
        let failure = failure(&seen[&url(name)], StageName::Name);
        assert_eq!(failure.code, FailureCode::NameSinkhole, "{failure:?}");
        assert!(failure.detail.contains(words), "{failure:?}");
        assert_eq!(seen[&url(name)].tcp.outcome, Outcome::NotTried, "nobody there is asked");
    }
    let split = &seen[&url("split")];
    assert_ne!(split.tcp.outcome, Outcome::NotTried);
    let kinds: Vec<_> = split.name.evidence.as_ref().unwrap().oddities.iter().map(|odd| odd.kind).collect();
    assert_eq!(kinds, [OddityKind::Sinkhole, OddityKind::Private]);
    // With a rule it is the operator's word where the endpoint is.
    settings.connect_to = vec![format!("::127.0.0.1:{}", net.closed().port()).parse().unwrap()];
    let ruled = run(&[direct(&url("hosts"))], &settings).await.remove(&url("hosts")).unwrap();
    assert_eq!(failure(&ruled, StageName::Tcp).code, FailureCode::TcpRefused);
    let many = look(&net, "https://many.microsoft.com/").await;
    let name = many.name.evidence.unwrap();
    assert_eq!((name.addresses.len(), name.answers[0].addresses, name.oddities.len()), (64, 64, 0));
    let tcp = many.tcp.evidence.unwrap();
    assert_eq!((tcp.attempts.len(), tcp.untried), (Bounds::default().addresses, 64 - Bounds::default().addresses));
    let v6 = look(&net, "https://v6.microsoft.com/").await.name.evidence.unwrap();
    let answers: Vec<_> =
        v6.answers.iter().map(|a| (a.record.as_str(), a.response_code.as_deref(), a.addresses)).collect();
    assert_eq!(answers, [("A", Some("NOERROR"), 0), ("AAAA", Some("NOERROR"), 1)]);
}

#[cfg(target_os = "linux")] // elsewhere 127.0.0.2 is no address of this machine
#[tokio::test]
async fn every_address_is_tried_and_one_that_opens_is_enough() {
    let addresses = ["127.0.0.2", "127.0.0.1", "127.0.0.3"].map(|a| a.parse().unwrap()).to_vec();
    let net = Internet::start(Spec::default().name("many.contoso.com", Name::Addresses(addresses))).await;
    let seen = look(&net, "https://many.contoso.com/").await;
    assert!(seen.reached(), "{seen:#?}");
    let tcp = seen.tcp.evidence.unwrap();
    let codes: Vec<_> = tcp.attempts.iter().map(|a| a.failure.as_ref().map(|f| f.code)).collect();
    assert_eq!(codes, [Some(FailureCode::TcpRefused), None, Some(FailureCode::TcpRefused)]);
    assert_eq!(tcp.untried, 0);
}

#[tokio::test]
async fn an_unknown_route_says_nothing_about_the_endpoint() {
    let probe = Probe { via: Via::Unknown, ..direct("https://a.contoso.com/") };
    let seen = run(&[probe], &bare_settings()).await.remove("https://a.contoso.com/").unwrap();
    assert_eq!(failure(&seen, StageName::Name).code, FailureCode::Internal);
    assert!(!seen.reached());
}

#[tokio::test]
async fn an_address_in_a_rule_needs_no_name() {
    let net = Internet::start(Spec::default()).await;
    let mut settings = settings(&net);
    let rule = format!("a.contoso.com:443:127.0.0.1:{}", net.server(443).port());
    settings.connect_to.insert(0, rule.parse().unwrap());
    let seen = run(&[direct("https://a.contoso.com/")], &settings).await.remove("https://a.contoso.com/").unwrap();
    assert!(seen.reached(), "{seen:#?}");
    assert_eq!(seen.name.outcome, Outcome::NotNeeded);
    assert_eq!(seen.name.evidence.unwrap().connect_to, Some(rule));
    assert_eq!(net.count(|s| matches!(s, Seen::Query { .. })), 0);
}
