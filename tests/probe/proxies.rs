//! Proxies, and what is behind them.

use super::*;

#[tokio::test]
async fn proxies_are_told_apart_from_what_is_behind_them() {
    use FailureCode as C;
    const OPEN: Option<(&str, u16)> = Some(("proxy.contoso.com", 8080));
    const STRICT: Option<(&str, u16)> = Some(("strict.contoso.com", 3128));
    let spec = Spec::default()
        .known("contoso.com")
        .host("refused.contoso.com", Behaviour::Refused)
        .host("alert.contoso.com", Behaviour::TlsAlert)
        .proxy(ProxySpec::new("proxy.contoso.com", 8080).host("denied.contoso.com", Behaviour::BlockPage(403)))
        .proxy(ProxySpec::new("strict.contoso.com", 3128).manner(Manner::WantsCredentials))
        .proxy(ProxySpec::new("curious.contoso.com", 8080).manner(Manner::Inspecting))
        .proxy(ProxySpec::new("odd.contoso.com", 8080).manner(Manner::Garbage));
    let net = Internet::start(spec).await;
    let curious = Some(("curious.contoso.com", 8080));
    let odd = Some(("odd.contoso.com", 8080));
    let expected = [
        ("https://denied.contoso.com/", OPEN, StageName::Connect, C::ProxyRefused, ": 403"),
        ("https://refused.contoso.com/", OPEN, StageName::Connect, C::ProxyRefused, ": 503"),
        ("https://alert.contoso.com/", OPEN, StageName::Tls, C::TlsAlert, "HandshakeFailure"),
        ("http://denied.contoso.com/", OPEN, StageName::Http, C::HttpBlockPage, "Squid"),
        ("http://refused.contoso.com/", OPEN, StageName::Http, C::HttpBlockPage, "ERR_CONNECT_FAIL"),
        ("https://a.contoso.com/", STRICT, StageName::Connect, C::ProxyAuthRequired, "Negotiate, NTLM, Basic"),
        ("http://a.contoso.com/", STRICT, StageName::Http, C::ProxyAuthRequired, "Negotiate, NTLM, Basic"),
        ("https://b.contoso.com/", curious, StageName::Trust, C::CertificateUntrusted, "nobody whom"),
        (
            "https://c.contoso.com/",
            odd,
            StageName::Connect,
            C::ProxyBadReply,
            "CONNECT c.contoso.com:443 through 127.0.0.1:",
        ),
        ("https://d.contoso.com/", Some(("gone.example", 8080)), StageName::Name, C::NameNxdomain, "gone.example"),
    ];
    let mut probes: Vec<_> = expected.iter().map(|(url, via, ..)| probe(url, *via)).collect();
    probes.extend(["https://ok.contoso.com/x", "http://ok.contoso.com/x"].map(|url| probe(url, OPEN)));
    let seen = run(&probes, &settings(&net)).await;
    for (url, _, stage, code, words) in expected {
        let failure = failure(&seen[url], stage);
        assert_eq!(failure.code, code, "{url}: {failure:?}");
        assert!(failure.detail.contains(words), "{url}: {failure:?}");
    }
    let tunnel = &seen["https://ok.contoso.com/x"];
    assert!(tunnel.reached(), "{tunnel:#?}");
    assert_eq!(tunnel.name.evidence.as_ref().unwrap().asked, "proxy.contoso.com", "the proxy resolves the target");
    assert_eq!(tunnel.connect.evidence.as_ref().unwrap().status, Some(200));
    let plain = &seen["http://ok.contoso.com/x"];
    assert!(plain.reached() && plain.connect.outcome == Outcome::NotNeeded, "{plain:#?}");
    let connects = net.count(|s| matches!(s, Seen::Connect { port: 80, .. }));
    assert_eq!(connects, 0, "plain HTTP goes through a proxy without a tunnel");
    let targets = net.count(|s| matches!(s, Seen::Query { name, .. } if name == "ok.contoso.com"));
    assert_eq!(targets, 0);
    let denied = seen["https://denied.contoso.com/"].connect.evidence.as_ref().unwrap();
    assert!(denied.headers.iter().any(|header| header.name == "x-squid-error"), "{denied:?}");
}

#[tokio::test]
async fn a_proxys_account_is_for_that_proxy_alone_and_used_when_it_asks() {
    const PASSWORD: &str = "hunter2:x";
    let spec = Spec::default()
        .known("contoso.com")
        .proxy(ProxySpec::new("basic.contoso.com", 8080).manner(Manner::WantsBasic("c3ZjLWNtOmh1bnRlcjI6eA==")))
        .proxy(ProxySpec::new("other.contoso.com", 8080).manner(Manner::WantsBasic("c3ZjLWNtOmh1bnRlcjI6eA==")))
        .proxy(ProxySpec::new("ntlm.contoso.com", 8080).manner(Manner::WantsNtlm))
        .proxy(ProxySpec::new("open.contoso.com", 8080));
    let net = Internet::start(spec).await;
    let mut settings = settings(&net);
    let account = |password: &str| ProxyAccount { user: "svc-cm".into(), password: Secret::new(password) };
    let at = |name: &str| (HostName::parse(name).unwrap().into(), 8080);
    settings.proxy_accounts = ["basic.contoso.com", "ntlm.contoso.com", "open.contoso.com"]
        .map(|proxy| (at(proxy), account(PASSWORD)))
        .into();
    let probes: Vec<_> = ["basic", "other", "ntlm", "open"]
        .iter()
        .flat_map(|proxy| ["https", "http"].map(|scheme| (*proxy, scheme)))
        .map(|(proxy, scheme)| {
            probe(&format!("{scheme}://by-{proxy}.contoso.com/"), Some((&format!("{proxy}.contoso.com"), 8080)))
        })
        .collect();
    let seen = run(&probes, &settings).await;
    assert!(seen.values().all(|seen| !format!("{seen:?}").contains("hunter2")));
    for scheme in ["https", "http"] {
        let of = |proxy: &str| &seen[&format!("{scheme}://by-{proxy}.contoso.com/")];
        let stage = if scheme == "https" { StageName::Connect } else { StageName::Http };
        assert!(of("basic").reached() && of("open").reached(), "{:#?}", of("basic"));
        assert_eq!(failure(of("other"), stage).code, FailureCode::ProxyAuthRequired);
        let ntlm = failure(of("ntlm"), stage);
        assert_eq!(ntlm.code, FailureCode::ProxyAuthRequired);
        assert!(
            ntlm.detail.contains("offers Negotiate, NTLM") && ntlm.detail.contains("no challenge of NTLM version 2"),
            "{ntlm:?}"
        );
    }
    let connect = seen["https://by-basic.contoso.com/"].connect.evidence.as_ref().unwrap();
    assert_eq!(connect.account.as_deref(), Some("svc-cm"));
    let open = seen["https://by-open.contoso.com/"].connect.evidence.as_ref().unwrap();
    assert_eq!(open.account, None, "who does not ask gets no credentials");

    settings.proxy_accounts = [(at("basic.contoso.com"), account("wrong"))].into();
    let seen = run(&probes[..2], &settings).await;
    for (url, stage) in [("https", StageName::Connect), ("http", StageName::Http)] {
        let failure = failure(&seen[&format!("{url}://by-basic.contoso.com/")], stage);
        assert_eq!(failure.code, FailureCode::ProxyAuthFailed);
        assert!(failure.detail.ends_with("also after svc-cm signed in with Basic"), "{failure:?}");
    }
}

/// Not every proxy says that an error is its own.
#[tokio::test]
async fn an_error_through_a_proxy_is_the_endpoints_only_if_something_shows_it() {
    const PROXY: Option<(&str, u16)> = Some(("proxy.contoso.com", 8080));
    let answer = |status, headers: &str| {
        let headers = format!("{headers}Via: 1.1 proxy.contoso.com\r\n");
        Behaviour::Answer(status, headers, "<title>Microsoft</title>".to_owned())
    };
    let errors = [400, 403, 404, 500, 503, 504];
    let mut spec = Spec::default().known("contoso.com").proxy(ProxySpec::new("proxy.contoso.com", 8080));
    for status in errors {
        spec = spec.host(&format!("proxy{status}.contoso.com"), answer(status, ""));
        spec = spec.host(&format!("nginx{status}.contoso.com"), answer(status, "Server: nginx\r\n"));
        spec = spec.host(&format!("iis{status}.contoso.com"), answer(status, "Server: Microsoft-IIS/10.0\r\n"));
        spec = spec.host(&format!("cdn{status}.contoso.com"), answer(status, "X-Azure-Ref: 0abc\r\n"));
    }
    let net = Internet::start(spec).await;
    let url = |scheme, name, status| format!("{scheme}://{name}{status}.contoso.com/");
    let urls = errors.iter().flat_map(|status| {
        let plain = ["proxy", "nginx", "iis", "cdn"].map(|name| url("http", name, status));
        plain.into_iter().chain([url("https", "proxy", status)])
    });
    let probes: Vec<_> = urls.map(|url| probe(&url, PROXY)).collect();
    let seen = run(&probes, &settings(&net)).await;
    for status in &errors {
        for name in ["proxy", "nginx"] {
            let failure = failure(&seen[&url("http", name, status)], StageName::Http);
            assert_eq!(failure.code, FailureCode::ProxyRefused, "{failure:?}");
            let words = format!("status {status}, nothing shows that the endpoint answered, and not the proxy itself");
            assert!(failure.detail.contains(&words), "{failure:?}");
            assert!(failure.detail.contains("via: 1.1 proxy.contoso.com"), "{failure:?}");
        }
        for url in [url("http", "iis", status), url("http", "cdn", status), url("https", "proxy", status)] {
            assert!(seen[&url].reached(), "{:#?}", seen[&url]);
        }
    }
}
