//! Lists that cannot be had, and bounds.

use super::*;

#[tokio::test]
async fn every_failure_has_its_code_and_names_what_failed() {
    use Behaviour as B;
    use FailureCode as C;
    let circle = "http://circle.contoso.example/x.crl";
    let spec = Spec::default()
        .host("old.contoso.example", B::RevocationList(List::Expired))
        .host("garbage.contoso.example", B::RevocationList(List::Garbage))
        .host("large.contoso.example", B::RevocationList(List::TooLarge))
        .host("endless.contoso.example", B::RevocationList(List::Endless))
        .host("missing.contoso.example", B::Status(404))
        .host("welcome.contoso.example", B::Status(200))
        .host("blocked-page.contoso.example", B::BlockPage(200))
        .host("refused.contoso.example", B::Refused)
        .host("reset.contoso.example", B::ResetAfterTls)
        .host("noise.contoso.example", B::HttpGarbage)
        .host("headers.contoso.example", B::EndlessHeaders)
        .host("huge.contoso.example", B::HugeHeaders)
        .host("circle.contoso.example", B::Redirect(302, circle.into()))
        .host("ping.contoso.example", B::Redirect(301, "http://pong.contoso.example/".into()))
        .host("pong.contoso.example", B::Redirect(301, "http://ping.contoso.example/a.crl".into()))
        .host("secure.contoso.example", B::Redirect(302, "https://crl.contoso.example/a.crl".into()))
        .host("file.contoso.example", B::Redirect(302, "file:///etc/passwd".into()))
        .host("home.contoso.example", B::Redirect(307, "http://127.0.0.1:22/".into()))
        .name("gone.contoso.example", Name::NxDomain)
        .name("broken.contoso.example", Name::ServFail);
    let net = Internet::start(spec).await;
    let expected = [
        ("old", C::DocumentExpired, "was to be renewed by"),
        ("garbage", C::DocumentInvalid, "no revocation list"),
        ("large", C::DocumentTooLarge, "more than 16777216 bytes"),
        ("endless", C::DocumentTooLarge, "more than 16777216 bytes"),
        ("missing", C::HttpStatus, "status 404"),
        ("welcome", C::DocumentInvalid, "no revocation list"),
        ("blocked-page", C::HttpBlockPage, "blocked by your administrator"),
        ("refused", C::TcpRefused, "connection refused"),
        ("reset", C::HttpReset, "GET http://reset.contoso.example/x.crl"),
        ("noise", C::HttpProtocol, "GET http://noise.contoso.example/x.crl"),
        ("headers", C::HttpProtocol, "GET http://headers.contoso.example/x.crl"),
        ("huge", C::HttpProtocol, "GET http://huge.contoso.example/x.crl"),
        ("circle", C::HttpRedirect, "a circle"),
        ("ping", C::HttpRedirect, "a circle"),
        ("secure", C::HttpRedirect, "not followed, over TLS"),
        ("file", C::HttpRedirect, "not followed, no http URL"),
        ("home", C::HttpRedirect, "not followed, no usable host"),
        ("gone", C::NameNxdomain, "NXDOMAIN"),
        ("broken", C::NameServfail, "SERVFAIL"),
    ];
    let url = |host: &str| format!("http://{host}.contoso.example/x.crl");
    let urls: Vec<_> = expected.iter().map(|(host, ..)| url(host)).collect();
    let lists = fetch(&net, &[named(&urls)], &Via::Direct, |_| {}).await;
    assert_eq!(lists.len(), expected.len());
    for (host, code, words) in expected {
        let failure = failure(&lists, &url(host));
        assert_eq!(failure.code, code, "{host}: {failure:?}");
        assert!(failure.detail.contains(words), "{host}: {failure:?}");
        let asked = net.count(|s| {
            matches!(s, Seen::Request { host: h, path, .. }
                if *h == format!("{host}.contoso.example") && path == "/x.crl")
        });
        let never = matches!(host, "refused" | "gone" | "broken");
        assert_eq!(asked, usize::from(!never), "{host}");
    }
    let old = find(&lists, &url("old")).fetch.evidence.as_ref().unwrap();
    assert!(old.contents.as_ref().unwrap().next_update.unwrap() < Timestamp::now());
    let ping = find(&lists, &url("ping")).fetch.evidence.as_ref().unwrap();
    assert_eq!(ping.document.redirects.len(), 3, "pong, ping at another path, pong again: {ping:?}");
    assert_eq!(net.count(|s| matches!(s, Seen::Handshake { .. })), 0, "nothing went over TLS");
}

#[tokio::test]
async fn silence_ends_at_its_deadline() {
    let spec = Spec::default()
        .host("mute.contoso.example", Behaviour::HttpSilence)
        .host("slow.contoso.example", Behaviour::SlowLoris)
        .host("blocked.contoso.example", Behaviour::Blocked)
        .name("quiet.contoso.example", Name::Silence)
        .proxy(ProxySpec::new("silent.contoso.com", 8080).manner(Manner::Silent));
    let net = Internet::start(spec).await;
    let proxy = proxy("silent.contoso.com", 8080);
    let check = async |host: &str, via: &Via, limit: fn(&mut Deadlines), code| {
        let url = format!("http://{host}.contoso.example/x.crl");
        let seen = [named(&[&url])];
        let all = fetch(&net, &seen, via, |deadlines| {
            *deadlines = Deadlines::all(Duration::from_secs(10));
            limit(deadlines);
        });
        let lists = tokio::time::timeout(LONG, all).await;
        let lists = lists.expect("it ends at its deadline");
        assert_eq!(failure(&lists, &url).code, code, "{lists:#?}");
    };
    tokio::join!(
        check("mute", &Via::Direct, |d| (d.http, d.tcp) = (SHORT, SHORT), FailureCode::HttpTimeout),
        check("slow", &Via::Direct, |d| (d.http, d.tcp) = (SHORT, SHORT), FailureCode::HttpTimeout),
        check("quiet", &Via::Direct, |d| d.name = SHORT, FailureCode::NameTimeout),
        check("crl", &proxy, |d| (d.http, d.tcp) = (SHORT, SHORT), FailureCode::HttpTimeout),
    );
    if cfg!(target_os = "linux") {
        check("blocked", &Via::Direct, |d| d.tcp = SHORT, FailureCode::TcpTimeout).await;
    }
}

#[tokio::test]
async fn what_is_not_plain_http_is_named_with_the_reason_and_not_fetched() {
    let net = Internet::start(Spec::default()).await;
    let urls =
        ["ldap:///CN=Lab,DC=contoso,DC=com", "https://crl.contoso.example/a.crl", "http://localhost/x", "nonsense"];
    let seen = [named(&urls), named(&["HTTP://CRL.contoso.example:80/issuing.crl", ISSUING])];
    let lists = fetch(&net, &seen, &Via::Direct, |_| {}).await;
    assert_eq!(lists.len(), 5, "two spellings are one list: {lists:#?}");
    for (url, why) in urls.iter().zip(["LDAP", "over TLS", "this machine itself", "no http URL"]) {
        let list = find(&lists, url);
        assert!(list.not_fetched.as_ref().unwrap().contains(why), "{list:?}");
        assert_eq!((list.fetch.outcome, list.is_current()), (Outcome::NotTried, false));
    }
    assert!(find(&lists, ISSUING).is_current());
    assert_eq!(net.count(|s| matches!(s, Seen::Request { .. })), 1);
}

#[tokio::test]
async fn many_lists_are_bounded_and_none_is_lost() {
    let net = Internet::start(Spec::default()).await;
    let seen: Vec<_> = (0..100).map(|n| named(&[format!("http://crl.contoso.example/{n}.crl")])).collect();
    let lists = fetch(&net, &seen, &Via::Direct, |_| {}).await;
    let (current, rest): (Vec<_>, Vec<_>) = lists.iter().partition(|list| list.is_current());
    assert_eq!((current.len(), rest.len()), (64, 36));
    assert!(rest.iter().all(|list| list.not_fetched.as_ref().unwrap().contains("more than 64")));
    assert_eq!(net.count(|s| matches!(s, Seen::Request { .. })), 64);
}

#[tokio::test]
async fn an_interruption_and_the_total_deadline_end_it() {
    let net = Internet::start(Spec::default().host("mute.contoso.example", Behaviour::HttpSilence)).await;
    let seen: Vec<_> = (0..20).map(|n| named(&[format!("http://mute.contoso.example/{n}.crl")])).collect();
    let cancelled = |lists: &[RevocationList]| lists.iter().filter(|l| l.fetch.outcome == Outcome::Cancelled).count();

    let lists = fetch(&net, &seen, &Via::Direct, |deadlines| deadlines.total = Some(SHORT));
    let lists = tokio::time::timeout(LONG / 2, lists).await.expect("it ends long before the other deadlines");
    assert_eq!((lists.len(), cancelled(&lists)), (20, 20));

    let before = net.seen().len();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let lists = revocation::fetch(&seen, &Via::Direct, &settings(&net), Timestamp::now(), &cancel).await;
    assert_eq!((lists.len(), cancelled(&lists)), (20, 20));
    assert_eq!(net.seen().len(), before, "nothing is sent after an interruption");
}

/// Whoever runs a server writes its certificate: what stands there sends nobody to this machine itself.
#[tokio::test]
async fn no_certificate_chooses_what_is_asked_of_this_machine() {
    let here: std::net::IpAddr = "127.0.0.1".parse().unwrap();
    let spec = Spec::default().known("contoso.example").name("here.contoso.example", Name::Addresses(vec![here]));
    let net = Internet::start(spec).await;
    let url = format!("http://here.contoso.example:{}/issuing.crl", net.server(80).port());
    let settings = Settings { connect_to: Vec::new(), ..settings(&net) };
    let lists =
        revocation::fetch(&[named(&[&url])], &Via::Direct, &settings, Timestamp::now(), &CancellationToken::new())
            .await;
    let failure = failure(&lists, &url);
    assert_eq!(failure.code, FailureCode::NameSinkhole, "{failure:?}");
    assert!(failure.detail.contains("of this machine or link alone"), "{failure:?}");
    assert_eq!(net.count(|seen| matches!(seen, Seen::Request { .. })), 0);
}
