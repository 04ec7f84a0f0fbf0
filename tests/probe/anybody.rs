//! Answers that anybody on the way can have written: in clear, through a proxy in clear, and out of TLS whose inspecting
//! authority this machine trusts. They count only where something shows that they are the endpoint's.

use super::*;

/// Name below `microsoft.com`, answer, and the failure that it must be; `None`: it is the endpoint's.
fn answers() -> Vec<(&'static str, Behaviour, Option<FailureCode>)> {
    use FailureCode::{HttpBlockPage, HttpProtocol, HttpUnproved};
    const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n";
    const STOPPED: &str = "<title>Your request was stopped</title>Category: software";
    const FONT: &str = "<title>Network sign-in</title><style>body{font-family:'Microsoft YaHei'}</style>Please sign in";
    let text = |status, body: &str| Behaviour::Answer(status, TEXT.into(), body.into());
    let page = |status, body: &str| Behaviour::Answer(status, "Server: nginx\r\n".into(), body.into());
    let signed = |status, headers: &str| Behaviour::Answer(status, format!("{headers}\r\n{TEXT}"), "x".into());
    let to =
        |location: &str| Behaviour::Answer(302, format!("Server: Portal\r\nLocation: {location}\r\n"), String::new());
    vec![
        (
            "azfw",
            text(470, "Action: Deny. Reason: No rule matched. Proceeding with default action."),
            Some(HttpBlockPage),
        ),
        ("azfw-page", page(470, "<title>denied</title>"), Some(HttpBlockPage)),
        ("azfw-words", text(403, "Action: Deny. Reason: No rule matched."), Some(HttpBlockPage)),
        ("text403", text(403, "Blocked by the firewall policy of Contoso"), Some(HttpUnproved)),
        ("envoy", text(503, "upstream connect error"), Some(HttpUnproved)),
        ("text200", text(200, "Sign in to the network first"), Some(HttpUnproved)),
        ("empty", text(204, ""), Some(HttpUnproved)),
        ("p300", page(300, STOPPED), Some(HttpUnproved)),
        ("p400", page(400, STOPPED), Some(HttpUnproved)),
        ("p401", page(401, STOPPED), Some(HttpUnproved)),
        ("p404", page(404, STOPPED), Some(HttpUnproved)),
        ("p999", page(999, STOPPED), Some(HttpUnproved)),
        ("font", page(200, FONT), Some(HttpUnproved)),
        ("category", page(200, "<title>Stopped</title>of the category Microsoft Updates"), Some(HttpUnproved)),
        ("portal", to("/guest/login?u=1"), Some(HttpUnproved)),
        ("customer", to("https://contosofilter.z6.web.core.windows.net/blocked.html"), Some(HttpBlockPage)),
        ("front", to("https://contoso-blockpage.azurefd.net/denied"), Some(HttpBlockPage)),
        ("s101", page(101, ""), Some(HttpProtocol)),
        ("iis404", signed(404, "Server: Microsoft-IIS/10.0"), None),
        ("akamai403", signed(403, "Server: AkamaiGHost"), None),
        ("edge400", signed(400, "X-Azure-Ref: 0abc"), None),
        ("cdn200", signed(200, "X-CID: 2"), None),
        ("own200", page(200, "<title>Microsoft Update Catalog</title>"), None),
        ("moved", to("https://www.office.com/"), None),
    ]
}

#[tokio::test]
async fn an_answer_of_just_anybody_counts_only_if_it_shows_whose_it_is() {
    let mut spec = Spec::default();
    for (name, behaviour, _) in answers() {
        spec = spec.host(&format!("{name}.microsoft.com"), behaviour);
    }
    let net = Internet::start(spec).await;
    let url = |scheme: &str, name: &str| format!("{scheme}://{name}.microsoft.com/");
    let urls = answers().into_iter().flat_map(|(name, ..)| ["http", "https"].map(|scheme| url(scheme, name)));
    let probes: Vec<_> = urls.map(|url| direct(&url)).collect();
    // The lab's authority is this machine's, and no public one: inspected, and trusted.
    let seen = run(&probes, &settings(&net)).await;
    for (name, _, expected) in answers() {
        for scheme in ["http", "https"] {
            let seen = &seen[&url(scheme, name)];
            let failed = seen.first_failure().map(|(_, failure)| failure.code);
            assert_eq!(failed, expected, "{scheme} {name}: {seen:#?}");
        }
    }
    // Whom a public authority certifies is whom the endpoint is.
    let mut certified = settings(&net);
    certified.checks.public_roots = std::mem::take(&mut certified.extra_roots);
    let names = ["text403", "text200", "p404", "portal", "customer"];
    let probes: Vec<_> = names.iter().map(|name| direct(&url("https", name))).collect();
    for (url, seen) in run(&probes, &certified).await {
        assert!(seen.reached(), "{url}: {seen:#?}");
    }
}

#[tokio::test]
async fn a_success_through_a_proxy_is_not_the_endpoints_by_itself() {
    const PROXY: Option<(&str, u16)> = Some(("proxy.contoso.com", 8080));
    let mut spec = Spec::default().known("contoso.com").proxy(ProxySpec::new("proxy.contoso.com", 8080));
    for (name, behaviour, _) in answers() {
        spec = spec.host(&format!("{name}.microsoft.com"), behaviour);
    }
    let net = Internet::start(spec).await;
    let below400 = |name: &str| ["text200", "empty", "p300", "font", "category", "portal"].contains(&name);
    let names = answers().into_iter().map(|(name, ..)| name).filter(|name| below400(name));
    let probes: Vec<_> = names.map(|name| probe(&format!("http://{name}.microsoft.com/"), PROXY)).collect();
    for (url, seen) in run(&probes, &settings(&net)).await {
        assert_eq!(failure(&seen, StageName::Http).code, FailureCode::HttpUnproved, "{url}: {seen:#?}");
    }
}

/// Filters of files let HEAD through.
#[tokio::test]
async fn what_has_a_path_of_its_own_is_asked_for_with_get() {
    let but = |asking, then| Behaviour::Unlike(asking, Box::new([Behaviour::File(1000, true), then]));
    let denied = Behaviour::Answer(403, String::new(), "<title>Stopped</title>.cab is not allowed".into());
    let spec = Spec::default()
        .host("denied.contoso.com", but(Asking::Get, denied))
        .host("cut.contoso.com", but(Asking::Get, Behaviour::ResetAfterTls))
        .host("good.contoso.com", Behaviour::File(1000, true));
    let net = Internet::start(spec).await;
    let urls = ["denied", "cut", "good"].map(|name| format!("https://{name}.contoso.com/f.cab"));
    let root = "https://good.contoso.com/".to_owned();
    let probes: Vec<_> = urls.iter().chain([&root]).map(|url| direct(url)).collect();
    let seen = run(&probes, &settings(&net)).await;
    let denied = failure(&seen[&urls[0]], StageName::Http);
    assert_eq!(denied.code, FailureCode::HttpBlockPage, "{denied:?}");
    assert!(denied.detail.contains("status 403, where HEAD had status 200"), "{denied:?}");
    assert_eq!(failure(&seen[&urls[1]], StageName::Http).code, FailureCode::HttpReset);
    let http = |url: &String| seen[url].http.evidence.as_ref().map(|http| (http.method.clone(), http.status));
    assert_eq!(http(&urls[2]), Some(("GET".into(), Some(206))), "no more than a part is loaded");
    assert_eq!(http(&root), Some(("HEAD".into(), Some(200))), "a start page need be no file");
}
