//! Every kind of answer of servers, and of none.

use super::*;

#[tokio::test]
async fn a_healthy_endpoint_is_seen_in_every_layer() {
    let net = Internet::start(Spec::default().known("contoso.com")).await;
    let seen = look(&net, "https://healthy.contoso.com/x").await;
    assert!(seen.reached(), "{seen:#?}");
    assert_eq!(seen.connect.outcome, Outcome::NotNeeded);
    let name = seen.name.evidence.unwrap();
    assert_eq!((name.resolver, name.response_code.as_deref()), (net.dns().to_string(), Some("NOERROR")));
    assert_eq!(name.connect_to.unwrap(), format!(":443::{}", net.server(443).port()));
    let attempts = seen.tcp.evidence.unwrap().attempts;
    assert_eq!((attempts.len(), attempts[0].address), (1, net.server(443)));
    let tls = seen.tls.evidence.unwrap();
    assert_eq!((tls.version.as_deref(), tls.alpn.as_deref()), (Some("TLSv1.3"), Some("http/1.1")));
    assert!(tls.suite.unwrap().starts_with("TLS_"));
    assert_eq!(tls.chain[0].names, ["healthy.contoso.com"]);
    assert_eq!(seen.trust.evidence.unwrap().roots, "this machine's and 1 given");
    let http = seen.http.evidence.unwrap();
    assert_eq!((http.method.as_str(), http.status, http.block_page), ("GET", Some(200), None));
    for took in [seen.name.took_us, seen.tcp.took_us, seen.tls.took_us, seen.trust.took_us, seen.http.took_us] {
        assert!(took.is_some());
    }
}

#[tokio::test]
async fn one_exchange_of_each_kind_for_a_probe() {
    let net = Internet::start(Spec::default().host("healthy.contoso.com", Behaviour::Status(404))).await;
    assert!(look(&net, "https://healthy.contoso.com/x").await.reached());
    let seen = net.seen();
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Query { tcp: false, .. })).count(), 2, "A and AAAA");
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Connection { .. })).count(), 1);
    assert_eq!(seen.iter().filter(|s| matches!(s, Seen::Handshake { .. })).count(), 1);
    let requests: Vec<_> = seen.iter().filter(|s| matches!(s, Seen::Request { .. })).collect();
    let asked = Seen::Request {
        via: None,
        host: "healthy.contoso.com".into(),
        port: 443,
        method: "HEAD".into(),
        path: "/x".into(),
    };
    assert_eq!(requests, [&asked]);
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn every_failure_has_its_code_and_names_what_failed() {
    use Behaviour as B;
    use FailureCode as C;
    let spec = Spec::default()
        .known("contoso.com")
        .host("captive.contoso.com", B::Status(511))
        .host("inspected.contoso.com", B::ForeignCa)
        .host("expired.contoso.com", B::Expired)
        .host("wrong.contoso.com", B::WrongName)
        .host("self.contoso.com", B::SelfSigned)
        .host("reset.contoso.com", B::ResetInHandshake)
        .host("alert.contoso.com", B::TlsAlert)
        .host("late-reset.contoso.com", B::ResetAfterTls)
        .host("garbage.contoso.com", B::HttpGarbage)
        .host("page.contoso.com", B::BlockPage(200))
        .host("page403.contoso.com", B::BlockPage(403))
        .host("endless.contoso.com", B::EndlessHeaders)
        .host("huge.contoso.com", B::HugeHeaders)
        .host("refused.contoso.com", B::Refused)
        .name("gone.contoso.com", Name::NxDomain)
        .name("broken.contoso.com", Name::ServFail)
        .name("nothing.contoso.com", Name::NoData);
    let net = Internet::start(spec).await;
    let expected = [
        ("https://gone.contoso.com/", StageName::Name, C::NameNxdomain, "NXDOMAIN"),
        ("https://broken.contoso.com/", StageName::Name, C::NameServfail, "SERVFAIL"),
        ("https://nothing.contoso.com/", StageName::Name, C::NameNoData, "neither A nor AAAA"),
        ("https://refused.contoso.com/", StageName::Tcp, C::TcpRefused, "connect to 127.0.0.1:"),
        ("http://refused.contoso.com/", StageName::Tcp, C::TcpRefused, "connection refused"),
        (
            "https://reset.contoso.com/",
            StageName::Tls,
            C::TlsReset,
            "TLS handshake with reset.contoso.com at 127.0.0.1:",
        ),
        ("https://alert.contoso.com/", StageName::Tls, C::TlsAlert, "HandshakeFailure"),
        (
            "https://inspected.contoso.com/",
            StageName::Trust,
            C::CertificateUntrusted,
            "nobody whom this machine trusts",
        ),
        ("https://page.contoso.com/", StageName::Trust, C::CertificateUntrusted, "certificate of page.contoso.com"),
        ("https://self.contoso.com/", StageName::Trust, C::CertificateSelfSigned, "certificate of self.contoso.com"),
        ("https://expired.contoso.com/", StageName::Trust, C::CertificateExpired, "expired"),
        ("https://wrong.contoso.com/", StageName::Trust, C::CertificateWrongName, "wrong.contoso.com"),
        ("https://captive.contoso.com/", StageName::Http, C::HttpStatus, "status 511"),
        ("https://late-reset.contoso.com/", StageName::Http, C::HttpReset, "HEAD https://late-reset.contoso.com:443/"),
        ("https://garbage.contoso.com/", StageName::Http, C::HttpProtocol, "no HTTP"),
        ("https://endless.contoso.com/", StageName::Http, C::HttpProtocol, "no HTTP"),
        ("https://huge.contoso.com/", StageName::Http, C::HttpProtocol, "no HTTP"),
        ("http://reset.contoso.com/", StageName::Http, C::HttpReset, "HEAD http://reset.contoso.com:80/"),
        ("http://garbage.contoso.com/", StageName::Http, C::HttpProtocol, "no HTTP"),
        ("http://page.contoso.com/", StageName::Http, C::HttpBlockPage, "status 200"),
        ("http://page403.contoso.com/", StageName::Http, C::HttpBlockPage, "status 403"),
    ];
    let probes: Vec<_> = expected.iter().map(|(url, ..)| direct(url)).collect();
    let seen = run(&probes, &settings(&net)).await;
    for (url, stage, code, words) in expected {
        let failure = failure(&seen[url], stage);
        assert_eq!(failure.code, code, "{url}: {failure:?}");
        assert!(failure.detail.contains(words), "{url}: {failure:?}");
    }
    let page = seen["http://page.contoso.com/"].http.evidence.as_ref().unwrap();
    assert_eq!(page.method, "GET");
    assert!(page.block_page.as_ref().unwrap().contains("blocked"), "{page:?}");
    let inspected = seen["https://inspected.contoso.com/"].tls.evidence.as_ref().unwrap();
    assert_eq!(inspected.chain[0].names, ["inspected.contoso.com"], "the chain is kept though nobody trusts it");
    assert_eq!(seen["https://inspected.contoso.com/"].http.outcome, Outcome::NotTried);
    let unsafe_requests = net.count(|s| matches!(s, Seen::Request { host, .. } if host == "inspected.contoso.com"));
    assert_eq!(unsafe_requests, 0, "nothing is said to somebody who is not trusted");
}

#[tokio::test]
async fn whatever_other_status_means_reached() {
    let mut spec = Spec::default().known("contoso.com");
    let reached = [204, 301, 400, 401, 403, 404, 405, 429, 500, 501, 503, 504];
    let not_reached = [407, 408, 426, 451, 502, 511, 598, 599];
    for status in reached.into_iter().chain(not_reached) {
        spec = spec.host(&format!("s{status}.contoso.com"), Behaviour::Status(status));
    }
    let moved = "https://elsewhere.contoso.com/";
    let net = Internet::start(spec.host("moved.contoso.com", Behaviour::Redirect(302, moved.into()))).await;
    let url = |status| format!("https://s{status}.contoso.com/");
    let mut probes: Vec<_> = reached.iter().chain(&not_reached).map(|status| direct(&url(*status))).collect();
    probes.push(direct("https://moved.contoso.com/"));
    let seen = run(&probes, &settings(&net)).await;
    for status in reached {
        assert!(seen[&url(status)].reached(), "{:#?}", seen[&url(status)]);
        let method = if matches!(status, 403 | 405 | 500 | 501 | 503 | 504) { "GET" } else { "HEAD" };
        assert_eq!(seen[&url(status)].http.evidence.as_ref().unwrap().method, method, "{status}");
    }
    for status in not_reached {
        let failure = failure(&seen[&url(status)], StageName::Http);
        assert_eq!(failure.code, FailureCode::HttpStatus, "{failure:?}");
    }
    let headers = &seen["https://moved.contoso.com/"].http.evidence.as_ref().unwrap().headers;
    assert!(headers.iter().any(|header| header.name == "location" && header.value == moved), "{headers:?}");
    assert_eq!(net.count(|s| matches!(s, Seen::Request { host, .. } if host.starts_with("elsewhere"))), 0);
}

/// Over plain HTTP anybody can answer, and over TLS a filter whose root this machine trusts.
#[tokio::test]
async fn a_strangers_page_or_redirect_is_not_the_endpoint() {
    use Behaviour as B;
    let stopped = |status, words: &str| {
        let page = format!("<html><title>Your request was stopped</title>{words}</html>");
        B::Answer(status, "Server: nginx\r\n".into(), page)
    };
    let spec = Spec::default()
        .host("deny.windowsupdate.com", B::Redirect(302, "http://filter.corp.example/deny?url=x".into()))
        .host("login.windowsupdate.com", B::Redirect(307, "http://10.0.0.1/login".into()))
        .host("stopped.microsoft.com", stopped(200, "http://stopped.microsoft.com/ by Example"))
        .host("stopped403.microsoft.com", stopped(403, "http://stopped403.microsoft.com/ by Example"))
        .host("stopped403.contoso.com", stopped(403, "http://stopped403.contoso.com/ by Example"))
        .host("marked.microsoft.com", stopped(200, "It is blocked by your administrator."))
        .host("moved.microsoft.com", B::Redirect(301, "https://www.office.com/".into()))
        .host("update.microsoft.com", stopped(200, "<footer>\u{a9} Microsoft</footer>"))
        .host("blob.core.windows.net", B::Answer(403, "x-ms-request-id: 1\r\n".into(), "<b>no</b>".into()));
    let net = Internet::start(spec).await;
    let strange = [
        ("http://deny.windowsupdate.com/", "status 302, redirected to filter.corp.example"),
        ("https://deny.windowsupdate.com/", "status 302, redirected to filter.corp.example"),
        ("http://login.windowsupdate.com/", "status 307, redirected to 10.0.0.1"),
        ("https://marked.microsoft.com/", "blocked by your administrator"),
    ];
    let doubtful = ["http://stopped", "http://stopped403", "https://stopped", "https://stopped403"];
    let doubtful = doubtful.map(|start| format!("{start}.microsoft.com/"));
    let healthy = [
        "http://moved.microsoft.com/",
        "https://moved.microsoft.com/",
        "http://update.microsoft.com/",
        "http://blob.core.windows.net/",
        // Whom an authority of its own certifies.
        "https://stopped403.contoso.com/",
    ];
    let urls = strange.iter().map(|(url, _)| *url).chain(healthy).chain(doubtful.iter().map(String::as_str));
    let probes: Vec<_> = urls.map(direct).collect();
    let seen = run(&probes, &settings(&net)).await;
    for (url, words) in strange {
        let failure = failure(&seen[url], StageName::Http);
        assert_eq!(failure.code, FailureCode::HttpBlockPage, "{url}: {failure:?}");
        assert!(failure.detail.contains(words), "{url}: {failure:?}");
    }
    for url in doubtful {
        let failure = failure(&seen[&url], StageName::Http);
        assert_eq!(failure.code, FailureCode::HttpUnproved, "{url}: {failure:?}");
        assert!(failure.detail.contains("title: your request was stopped"), "{url}: {failure:?}");
    }
    for url in healthy {
        assert!(seen[url].reached(), "{:#?}", seen[url]);
    }
}

/// HEAD looked like a filter's page, or was not understood: then only the GET can tell.
#[tokio::test]
async fn a_get_that_is_needed_and_not_answered_is_a_failure() {
    use Behaviour as B;
    let spec = Spec::default()
        .known("contoso.com")
        .host("silent.contoso.com", B::GetSilence(403))
        .host("silent405.contoso.com", B::GetSilence(405))
        .host("reset.contoso.com", B::GetReset(403))
        .host("cut.contoso.com", B::GetCut(503));
    let net = Internet::start(spec).await;
    let mut settings = settings(&net);
    settings.deadlines.http = SHORT;
    let names = [
        ("silent", FailureCode::HttpTimeout),
        ("silent405", FailureCode::HttpTimeout),
        ("reset", FailureCode::HttpReset),
        ("cut", FailureCode::HttpReset),
    ];
    let urls = |name: &str| [format!("https://{name}.contoso.com/"), format!("http://{name}.contoso.com/")];
    let probes: Vec<_> = names.iter().flat_map(|(name, _)| urls(name)).map(|url| direct(&url)).collect();
    let seen = run(&probes, &settings).await;
    for (name, code) in names {
        for url in urls(name) {
            let failure = failure(&seen[&url], StageName::Http);
            assert_eq!(failure.code, code, "{url}: {failure:?}");
            assert!(failure.detail.starts_with("GET http"), "{url}: {failure:?}");
            assert_eq!(seen[&url].http.evidence.as_ref().unwrap().method, "HEAD", "what HEAD said is kept");
        }
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_of_its_stage() {
    use Behaviour as B;
    let spec = Spec::default()
        .known("contoso.com")
        .host("mute.contoso.com", B::HandshakeSilence)
        .host("late-mute.contoso.com", B::HttpSilence)
        .host("slow.contoso.com", B::SlowLoris)
        .host("blocked.contoso.com", B::Blocked)
        .name("quiet.contoso.com", Name::Silence)
        .name("noise.contoso.com", Name::Garbage)
        .proxy(ProxySpec::new("silent.contoso.com", 8080).manner(Manner::Silent));
    let net = Internet::start(spec).await;
    let check = async |url: &str, via, limit: fn(&mut Deadlines), stage, code| {
        let mut settings = settings(&net);
        limit(&mut settings.deadlines);
        let seen = run(&[probe(url, via)], &settings).await.remove(url).unwrap();
        let failure = failure(&seen, stage);
        assert_eq!(failure.code, code, "{url}: {failure:?}");
    };
    tokio::join!(
        check("https://quiet.contoso.com/", None, |d| d.name = SHORT, StageName::Name, FailureCode::NameTimeout),
        check("https://noise.contoso.com/", None, |d| d.name = SHORT, StageName::Name, FailureCode::NameError),
        check("https://mute.contoso.com/", None, |d| d.tls = SHORT, StageName::Tls, FailureCode::TlsTimeout),
        check("https://late-mute.contoso.com/", None, |d| d.http = SHORT, StageName::Http, FailureCode::HttpTimeout),
        check("http://slow.contoso.com/", None, |d| d.http = SHORT, StageName::Http, FailureCode::HttpTimeout),
        check(
            "https://a.contoso.com/",
            Some(("silent.contoso.com", 8080)),
            |d| d.connect = SHORT,
            StageName::Connect,
            FailureCode::ProxyTimeout
        ),
    );
    if cfg!(target_os = "linux") {
        check("https://blocked.contoso.com/", None, |d| d.tcp = SHORT, StageName::Tcp, FailureCode::TcpTimeout).await;
    }
}

/// Whether such a reset comes to light while connecting, writing or reading is luck; the answer must not depend on it.
#[tokio::test]
async fn a_reset_right_after_the_connection_is_always_the_same_failure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rule = format!("::127.0.0.1:{}", listener.local_addr().unwrap().port());
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_zero_linger().unwrap();
        }
    });
    let mut settings = bare_settings();
    settings.connect_to = vec![rule.parse().unwrap()];
    let urls = (0..50).flat_map(|n| ["https", "http"].map(|scheme| format!("{scheme}://n{n}.contoso.com/")));
    let probes: Vec<_> = urls.map(|url| direct(&url)).collect();
    for (url, seen) in run(&probes, &settings).await {
        assert_eq!(seen.tcp.outcome, Outcome::Ok, "{seen:#?}");
        let (stage, code) = if url.starts_with("https") {
            (StageName::Tls, FailureCode::TlsReset)
        } else {
            (StageName::Http, FailureCode::HttpReset)
        };
        assert_eq!(failure(&seen, stage).code, code, "{seen:#?}");
    }
    server.abort();
}
