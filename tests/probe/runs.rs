//! A whole run: tries, bounds, interruptions.

use super::*;

#[tokio::test]
async fn what_failed_by_an_answer_is_tried_again_and_flapping_is_kept() {
    use Behaviour as B;
    let flaps = |times, behaviour| B::AtFirst(times, Box::new(behaviour));
    let spec = Spec::default()
        .known("contoso.com")
        .host("flap.contoso.com", flaps(1, B::ResetInHandshake))
        .host("flap408.contoso.com", flaps(1, B::Status(408)))
        .host("longer.contoso.com", flaps(2, B::ResetInHandshake))
        .host("dead.contoso.com", B::ResetInHandshake)
        .host("expired.contoso.com", B::Expired);
    let net = Internet::start(spec).await;
    let names = ["flap", "flap408", "longer", "dead", "expired"];
    let url = |name: &str| format!("https://{name}.contoso.com/");
    let probes: Vec<_> = names.iter().map(|name| direct(&url(name))).collect();
    let seen = run(&probes, &settings(&net)).await;
    for (name, stage, code) in
        [("flap", StageName::Tls, FailureCode::TlsReset), ("flap408", StageName::Http, FailureCode::HttpStatus)]
    {
        let seen = &seen[&url(name)];
        assert!(seen.reached() && seen.flapped(), "{seen:#?}");
        assert_eq!(seen.earlier.iter().map(|e| (e.stage, e.failure.code)).collect::<Vec<_>>(), [(stage, code)]);
    }
    for (name, tries) in [("longer", 2), ("dead", 2), ("expired", 1)] {
        let seen = &seen[&url(name)];
        assert_eq!((seen.earlier.len() + 1, seen.flapped()), (tries, false), "{seen:#?}");
        let host = format!("{name}.contoso.com");
        assert_eq!(net.count(|s| matches!(s, Seen::Handshake { host: h, .. } if *h == host)), tries);
    }
    let mut more = settings(&net);
    more.bounds.retries = 2;
    let net_again = Internet::start(Spec::default().host("longer.contoso.com", flaps(2, B::ResetInHandshake))).await;
    more.dns_server = Some(net_again.dns());
    more.connect_to = net_again.connect_to().iter().map(|rule| rule.parse().unwrap()).collect();
    more.extra_roots = settings(&net_again).extra_roots;
    let seen = run(&[direct(&url("longer"))], &more).await.remove(&url("longer")).unwrap();
    assert!(seen.reached() && seen.earlier.len() == 2, "{seen:#?}");
}

#[tokio::test]
async fn a_try_that_was_interrupted_does_not_hide_the_one_before() {
    let net = Internet::start(Spec::default().known("contoso.com").host("dead.contoso.com", Behaviour::Refused)).await;
    let mut settings = settings(&net);
    settings.bounds.retries = 1000; // without the total deadline it would go on for minutes
    settings.deadlines.total = Some(SHORT);
    let url = "https://dead.contoso.com/";
    let seen = tokio::time::timeout(LONG / 2, run(&[direct(url)], &settings)).await.unwrap().remove(url).unwrap();
    assert_eq!(failure(&seen, StageName::Tcp).code, FailureCode::TcpRefused);
    assert!(!seen.was_cancelled());
}

/// The queue is at the address and not at the machine: others are not held up.
#[tokio::test]
async fn one_address_or_proxy_is_not_flooded() {
    let spec = Spec::default()
        .known("contoso.com")
        .host("mute.contoso.com", Behaviour::HandshakeSilence)
        .proxy(ProxySpec::new("proxy.contoso.com", 8080));
    for via in [None, Some(("proxy.contoso.com", 8080))] {
        let net = Internet::start(spec.clone()).await;
        let mut settings = settings(&net);
        settings.deadlines.tls = SHORT;
        (settings.bounds.per_address, settings.bounds.per_proxy) = if via.is_none() { (2, 512) } else { (512, 2) };
        let cancel = CancellationToken::new();
        let probes: Vec<_> = (0..8).map(|n| probe(&format!("https://mute.contoso.com/{n}"), via)).collect();
        let mut ended = 0;
        let run = probe::run(&probes, &settings, cancel.clone(), |_| {
            // When the first ends, the two that began with it are all that ever connected; then one more may have.
            if ended == 0 {
                let connected = net.count(|s| matches!(s, Seen::Connection { .. }));
                assert!((1..=4).contains(&connected), "{connected}");
            }
            ended += 1;
        });
        run.await.unwrap();
        assert_eq!(ended, 8);
    }
}

#[tokio::test]
async fn an_interrupted_run_has_one_observation_for_each_probe() {
    let spec = Spec::default().known("contoso.com").host("mute.contoso.com", Behaviour::HandshakeSilence);
    let net = Internet::start(spec).await;
    let mut probes = vec![direct("https://healthy.contoso.com/")];
    probes.extend((0..40).map(|n| direct(&format!("https://mute.contoso.com/{n}"))));
    let mut settings = settings(&net);
    settings.bounds = Bounds { probes: 10, tls: 4, ..Bounds::default() };
    let cancel = CancellationToken::new();
    let mut seen = BTreeMap::new();
    let stopper = cancel.clone();
    let run = probe::run(&probes, &settings, cancel, |observation| {
        stopper.cancel(); // at the first, which is the healthy one's
        assert!(seen.insert(observation.probe.0.clone(), observation).is_none(), "one for each probe");
    });
    tokio::time::timeout(LONG / 2, run).await.expect("it ends long before the deadlines").unwrap();
    assert_eq!(seen.len(), probes.len());
    assert!(seen["https://healthy.contoso.com/"].reached());
    assert_eq!(seen.values().filter(|o| o.was_cancelled()).count(), 40);
    let cancelled =
        seen.values().filter(|o| o.tls.outcome == Outcome::Cancelled || o.name.outcome == Outcome::Cancelled);
    assert!(cancelled.count() >= 9, "those under way");
    let not_begun = seen.values().filter(|o| o.name.outcome == Outcome::NotTried).count();
    assert!((30..=31).contains(&not_begun), "{not_begun}");
}

#[tokio::test]
async fn the_total_deadline_ends_a_run() {
    let net = Internet::start(Spec::default().host("mute.contoso.com", Behaviour::HandshakeSilence)).await;
    let mut settings = settings(&net);
    settings.deadlines.total = Some(SHORT);
    let probes = [direct("https://mute.contoso.com/")];
    let run = run(&probes, &settings);
    let seen = tokio::time::timeout(LONG / 2, run).await.expect("it ends long before the deadlines of the stages");
    assert!(seen["https://mute.contoso.com/"].was_cancelled());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let net = Internet::start(Spec::default().known("contoso.com")).await;
    let mut settings = settings(&net);
    settings.extra_roots.push(b"no certificate".to_vec());
    let probes = [direct("https://healthy.contoso.com/")];
    let result = probe::run(&probes, &settings, CancellationToken::new(), |_| panic!("nothing is observed")).await;
    assert!(matches!(result, Err(SetupError::ExtraRoot { number: 2, .. })), "{result:?}");
    assert_eq!(net.seen(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_healthy_targets_fail_nowhere() {
    let spec =
        (0..1000).fold(Spec::default(), |spec, n| spec.host(&format!("n{n}.contoso.com"), Behaviour::Status(404)));
    let net = Internet::start(spec).await;
    let probes: Vec<_> = (0..1000).map(|n| direct(&format!("https://n{n}.contoso.com/"))).collect();
    let mut settings = settings(&net);
    // Client and servers are one process, and often one of 1,024 files.
    settings.bounds.probes = 200;
    let seen = run(&probes, &settings).await;
    assert_eq!(seen.len(), 1000);
    let failed: Vec<_> = seen.values().filter(|o| !o.reached()).collect();
    assert!(failed.is_empty(), "{} of 1000, such as {:#?}", failed.len(), failed[0]);
    assert_eq!(net.count(|s| matches!(s, Seen::Connection { .. })), 1000);
    assert_eq!(net.count(|s| matches!(s, Seen::Request { .. })), 1000);
}
