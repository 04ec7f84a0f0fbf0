//! The probe against the pretend internet: every kind of answer, and what becomes of it.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cmcomply::derive::Via;
use cmcomply::host::{HostName, Scheme};
use cmcomply::plan::{Asks, Probe, ProbeId, Target};
use cmcomply::probe::{
    self, Bounds, Checks, Deadlines, Failure, FailureCode, Observation, OddityKind, Outcome, ProxyAccount,
    ProxyAccounts, Settings, SetupError, StageName,
};
use cmcomply::site::Secret;
use lab::internet::{Behaviour, Internet, Manner, Name, ProxySpec, Seen, Spec};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Long enough for any machine; nothing waits for it.
const LONG: Duration = Duration::from_mins(1);
/// For the one stage that is silent.
const SHORT: Duration = Duration::from_millis(400);

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
        .host("marked.microsoft.com", stopped(200, "It is blocked by your administrator."))
        .host("moved.microsoft.com", B::Redirect(301, "https://www.office.com/".into()))
        .host("update.microsoft.com", stopped(200, "Microsoft Update"))
        .host("blob.core.windows.net", B::Answer(403, "x-ms-request-id: 1\r\n".into(), "<b>no</b>".into()));
    let net = Internet::start(spec).await;
    let strange = [
        ("http://deny.windowsupdate.com/", "status 302, redirected to filter.corp.example"),
        ("https://deny.windowsupdate.com/", "status 302, redirected to filter.corp.example"),
        ("http://login.windowsupdate.com/", "status 307, redirected to 10.0.0.1"),
        ("http://stopped.microsoft.com/", "title: your request was stopped"),
        ("http://stopped403.microsoft.com/", "title: your request was stopped"),
        ("https://marked.microsoft.com/", "blocked by your administrator"),
    ];
    let healthy = [
        "http://moved.microsoft.com/",
        "https://moved.microsoft.com/",
        "http://update.microsoft.com/",
        "http://blob.core.windows.net/",
        "https://stopped403.microsoft.com/",
    ];
    let probes: Vec<_> = strange.iter().map(|(url, _)| url).chain(&healthy).map(|url| direct(url)).collect();
    let seen = run(&probes, &settings(&net)).await;
    for (url, words) in strange {
        let failure = failure(&seen[url], StageName::Http);
        assert_eq!(failure.code, FailureCode::HttpBlockPage, "{url}: {failure:?}");
        assert!(failure.detail.contains(words), "{url}: {failure:?}");
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

/// One probe of its own run.
async fn look(net: &Internet, url: &str) -> Observation {
    run(&[direct(url)], &settings(net)).await.remove(url).unwrap()
}

/// All observations by the URL of their probe.
async fn run(probes: &[Probe], settings: &Settings) -> BTreeMap<String, Observation> {
    let mut seen = BTreeMap::new();
    let run = probe::run(probes, settings, CancellationToken::new(), |observation| {
        assert!(seen.insert(observation.probe.0.clone(), observation).is_none(), "one for each probe");
    });
    run.await.unwrap();
    assert_eq!(seen.len(), probes.len());
    seen
}

fn settings(net: &Internet) -> Settings {
    Settings {
        dns_server: Some(net.dns()),
        connect_to: net.connect_to().iter().map(|rule| rule.parse().unwrap()).collect(),
        extra_roots: vec![CertificateDer::from_pem_slice(net.ca_pem().as_bytes()).unwrap().to_vec()],
        ..bare_settings()
    }
}

fn bare_settings() -> Settings {
    Settings {
        dns_server: None,
        connect_to: Vec::new(),
        proxy_accounts: ProxyAccounts::new(),
        extra_roots: Vec::new(),
        deadlines: Deadlines::all(LONG),
        bounds: Bounds::default(),
        checks: Checks::default(),
    }
}

fn direct(url: &str) -> Probe {
    probe(url, None)
}

/// The id is the URL.
fn probe(url: &str, proxy: Option<(&str, u16)>) -> Probe {
    let parsed = Url::parse(url).unwrap();
    let host = |name| HostName::parse(name).unwrap();
    let target = Target {
        scheme: if parsed.scheme() == "http" { Scheme::Http } else { Scheme::Https },
        host: host(parsed.host_str().unwrap()),
        port: parsed.port_or_known_default().unwrap(),
        path: parsed.path().to_owned(),
    };
    let via = proxy.map_or(Via::Direct, |(name, port)| Via::Proxy { host: host(name).into(), port });
    Probe {
        id: ProbeId(url.to_owned()),
        target,
        via,
        contexts: BTreeSet::new(),
        requirements: Vec::new(),
        asks: Asks::default(),
    }
}

fn failure(seen: &Observation, stage: StageName) -> &Failure {
    match seen.first_failure() {
        Some((failed, failure)) if failed == stage => failure,
        _ => panic!("{stage:?} should have failed: {seen:#?}"),
    }
}
