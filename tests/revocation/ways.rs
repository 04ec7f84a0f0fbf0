//! The ways on which lists are fetched: redirects, ports, proxies.

use super::*;

#[tokio::test]
async fn a_redirect_to_another_name_is_followed() {
    let spec = Spec::default().host("moved.contoso.example", Behaviour::Redirect(301, ISSUING.into()));
    let net = Internet::start(spec).await;
    let lists = fetch(&net, &[named(&["http://moved.contoso.example/"])], &Via::Direct, |_| {}).await;
    assert!(lists[0].is_current(), "{lists:#?}");
    let document = &lists[0].fetch.evidence.as_ref().unwrap().document;
    assert_eq!(document.redirects, [ISSUING]);
    assert_eq!(document.name.as_ref().unwrap().asked, "crl.contoso.example");
}

#[tokio::test]
async fn a_port_in_the_url_is_dialled_as_the_rules_say() {
    let net = Internet::start(Spec::default().http_port(8530)).await;
    let url = "http://crl.contoso.example:8530/issuing.crl";
    let lists = fetch(&net, &[named(&[url])], &Via::Direct, |_| {}).await;
    assert!(lists[0].is_current(), "{lists:#?}");
    assert_eq!(net.count(|s| matches!(s, Seen::Connection { port: 8530, .. })), 1);
}

#[tokio::test]
async fn through_a_proxy_the_proxy_resolves_and_its_refusals_are_its_own() {
    let spec = Spec::default()
        .proxy(ProxySpec::new("proxy.contoso.com", 8080).host("denied.contoso.example", Behaviour::BlockPage(403)))
        .proxy(ProxySpec::new("strict.contoso.com", 3128).manner(Manner::WantsCredentials));
    let net = Internet::start(spec).await;
    let denied = "http://denied.contoso.example/x.crl";
    let seen = [named(&[ISSUING, denied])];
    let open = proxy("proxy.contoso.com", 8080);
    let lists = fetch(&net, &seen, &open, |_| {}).await;
    assert!(find(&lists, ISSUING).is_current(), "{lists:#?}");
    assert_eq!(find(&lists, ISSUING).via, open);
    assert_eq!(failure(&lists, denied).code, FailureCode::HttpBlockPage, "{lists:#?}");
    let asked = Seen::Request {
        via: Some("proxy.contoso.com".into()),
        host: "crl.contoso.example".into(),
        port: 80,
        method: "GET".into(),
        path: "/issuing.crl".into(),
    };
    assert_eq!(net.count(|s| *s == asked), 1);
    assert_eq!(net.count(|s| matches!(s, Seen::Query { name, .. } if name.ends_with(".example"))), 0);
    assert_eq!(net.count(|s| matches!(s, Seen::Connect { .. })), 0, "no tunnel for plain HTTP");

    // A proxy may be given by its address.
    let address = net.proxy("proxy.contoso.com");
    let by_address = Via::Proxy { host: HostOrAddress::Address(address.ip()), port: address.port() };
    assert!(find(&fetch(&net, &seen, &by_address, |_| {}).await, ISSUING).is_current());

    let strict = fetch(&net, &seen, &proxy("strict.contoso.com", 3128), |_| {}).await;
    let refused = failure(&strict, ISSUING);
    assert_eq!(refused.code, FailureCode::ProxyAuthRequired);
    assert!(refused.detail.contains("Negotiate, NTLM, Basic"), "{refused:?}");
}

#[tokio::test]
async fn each_list_goes_its_own_way_and_so_does_each_redirect() {
    let moved = "http://moved.contoso.example/x.crl";
    let unknown = "http://unknown.contoso.example/x.crl";
    let spec = Spec::default()
        .host("moved.contoso.example", Behaviour::Redirect(302, ISSUING.into()))
        .host("lost.contoso.example", Behaviour::Redirect(302, unknown.into()))
        .proxy(ProxySpec::new("proxy.contoso.com", 8080));
    let net = Internet::start(spec).await;
    let through = proxy("proxy.contoso.com", 8080);
    let rule = through.clone();
    let ways = Ways::new(move |target| match target.host.as_str() {
        "crl.contoso.example" => (Via::Direct, "on the bypass list".to_owned()),
        "unknown.contoso.example" => (Via::Unknown, "the script \u{1b} broke".to_owned()),
        _ => (rule.clone(), "by the rule".to_owned()),
    });
    let lost = "http://lost.contoso.example/x.crl";
    let seen = [named(&[ISSUING, ROOT, moved, unknown, lost])];
    let lists = revocation::fetch(&seen, ways, &settings(&net), Timestamp::now(), &CancellationToken::new()).await;
    for (url, via) in [(ISSUING, &Via::Direct), (ROOT, &through), (moved, &through)] {
        let list = find(&lists, url);
        assert!(list.is_current() && list.via == *via, "{list:#?}");
    }
    let asked = |by: Option<&str>, of: &str| {
        net.count(|s| matches!(s, Seen::Request { via, host, .. } if via.as_deref() == by && host == of))
    };
    let by = Some("proxy.contoso.com");
    assert_eq!(
        (asked(None, "crl.contoso.example"), asked(by, "crl.contoso.example")),
        (2, 0),
        "also behind a redirect"
    );
    assert_eq!((asked(by, "root-crl.contoso.example"), asked(by, "moved.contoso.example")), (1, 1));
    let unasked = find(&lists, unknown);
    let why = unasked.not_fetched.as_ref().unwrap();
    assert!(why.starts_with("which proxy is used is unknown: the script \\u{1b} broke"), "{why}");
    assert_eq!((unasked.fetch.outcome, unasked.is_lost(), &unasked.via), (Outcome::NotTried, false, &Via::Unknown));
    let failure = failure(&lists, lost);
    assert_eq!(failure.code, FailureCode::HttpRedirect, "{failure:?}");
    assert_eq!((asked(None, "unknown.contoso.example"), asked(by, "unknown.contoso.example")), (0, 0));
}
