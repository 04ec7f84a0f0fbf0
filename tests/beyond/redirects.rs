//! Forwarders, and where they lead.

use super::*;

#[tokio::test]
async fn the_targets_of_forwarders_are_probed_too() {
    use Behaviour as B;
    let to = |url: &str| B::Redirect(302, url.to_owned());
    let spec = Spec::default()
        .known("microsoft.com")
        .host("aka.ms", to("https://first.microsoft.com/a?sig=secret"))
        .host("first.microsoft.com", to("https://second.microsoft.com/b"))
        .host("second.microsoft.com", B::File(10, true));
    let net = Internet::start(spec).await;
    let all = audit(&settings(&net), &[at("aka.ms", "/link")]).await;
    assert_eq!(all[0].1.verdict, Verdict::Pass, "{all:#?}");
    assert_eq!(all[0].1.notes, ["leads to first.microsoft.com:443, then to second.microsoft.com:443"]);
    let run = observe(&settings(&net), &[at("aka.ms", "/link")]).await;
    let parents: Vec<_> = run.iter().map(|seen| seen.redirected_from.as_ref().map(|id| id.0.clone())).collect();
    let first = "https://first.microsoft.com:443/a direct";
    assert_eq!(parents, [None, Some("https://aka.ms:443/link direct".to_owned()), Some(first.to_owned())]);
    assert!(!serde_json::to_string(&run).unwrap().contains("secret"), "a signature is nobody's business");
}

#[tokio::test]
async fn a_forwarder_whose_target_is_lost_fails_in_words() {
    use Behaviour as B;
    let cases = [
        (
            B::Redirect(302, "https://lost.microsoft.com/x".into()),
            "redirect-target",
            "lost.microsoft.com:443, which cannot",
        ),
        (
            B::Redirect(302, "https://reset.microsoft.com/x".into()),
            "redirect-target",
            "reset.microsoft.com:443, which cannot",
        ),
        (B::Redirect(302, "https://aka.ms/link".into()), "redirect-circle", "in a circle (aka.ms:443)"),
        (B::Redirect(302, "https://go.microsoft.com/0".into()), "redirect-circle", "too far (5 hops"),
        (B::Redirect(302, "file:///etc/passwd".into()), "http-block-page", "block page"),
        (B::Redirect(302, "https://127.0.0.1/".into()), "http-block-page", "block page"),
        (B::Redirect(302, "https://u:p@www.microsoft.com/".into()), "redirect-refused", "an address with credentials"),
    ];
    for (behaviour, code, words) in cases {
        let mut spec = Spec::default()
            .known("microsoft.com")
            .host("aka.ms", behaviour)
            .host("reset.microsoft.com", B::ResetInHandshake)
            .name("lost.microsoft.com", Name::NxDomain)
            .host("go.microsoft.com", B::Redirect(302, "https://n1.microsoft.com/".into()));
        for n in 1..20 {
            let next = format!("https://n{}.microsoft.com/", n + 1);
            spec = spec.host(&format!("n{n}.microsoft.com"), B::Redirect(301, next));
        }
        let net = Internet::start(spec).await;
        let all = audit(&settings(&net), &[at("aka.ms", "/link")]).await;
        let found = cause(&all[0].1, code);
        assert!(found.text.contains(words), "{found:?}");
        assert!(net.count(|seen| matches!(seen, Seen::Handshake { .. })) <= 7, "bounded");
        if code == "redirect-target" {
            assert!(found.remedy.starts_with("allow ") && found.detail.is_some(), "{found:?}");
            // What the start page of a host leads to is not needed.
            let root = audit(&settings(&net), &[https("aka.ms")]).await;
            assert_eq!(root[0].1.verdict, Verdict::Pass);
            assert!(root[0].1.notes[0].contains("cannot be reached"), "{:?}", root[0].1.notes);
        }
    }
    // Nobody else's redirects are followed.
    let net = Internet::start(
        Spec::default()
            .known("microsoft.com")
            .host("a.microsoft.com", Behaviour::Redirect(302, "https://b.microsoft.com/".into())),
    )
    .await;
    assert_eq!(observe(&settings(&net), &[at("a.microsoft.com", "/x")]).await.len(), 1);
}

#[tokio::test]
async fn a_forwarder_that_forwards_nowhere_is_a_failure() {
    for status in [200, 403, 404] {
        let net = Internet::start(Spec::default().host("aka.ms", Behaviour::Status(status))).await;
        let all = audit(&settings(&net), &[at("aka.ms", "/configmgrgateway")]).await;
        let found = cause(&all[0].1, "redirect-missing");
        assert!(found.text.contains(&format!("aka.ms forwards nowhere: HTTP with status {status}")), "{found:?}");
    }
}

/// The plan has the endpoint that the link leads to, and asks nothing of it.
#[tokio::test]
async fn a_redirect_is_followed_past_an_endpoint_of_the_plan() {
    let to = |url: &str| Behaviour::Redirect(302, url.to_owned());
    let spec = Spec::default()
        .host("aka.ms", to("https://edgeupdates.microsoft.com/api/products"))
        .host("edgeupdates.microsoft.com", to("https://third.microsoft.com/x"))
        .host("third.microsoft.com", Behaviour::File(1, true));
    let net = Internet::start(spec).await;
    let requirements = [at("edgeupdates.microsoft.com", "/api/products"), at("aka.ms", "/cmedgeapi")];
    let all = audit(&settings(&net), &requirements).await;
    assert_eq!(all[1].1.verdict, Verdict::Pass, "{:#?}", all[1]);
    assert_eq!(all[1].1.notes, ["leads to edgeupdates.microsoft.com:443, then to third.microsoft.com:443"]);
    assert_eq!((all[0].1.verdict, all[0].1.notes.len()), (Verdict::Pass, 0), "nobody asked where it leads");
    // Without the link in the plan nothing is followed.
    assert_eq!(observe(&settings(&net), &requirements[..1]).await.len(), 1);
}

#[tokio::test]
async fn a_redirect_to_plain_http_is_followed_and_said() {
    let spec = Spec::default()
        .known("microsoft.com")
        .host("aka.ms", Behaviour::Redirect(302, "http://plain.microsoft.com/x".into()))
        .host("plain.microsoft.com", Behaviour::File(1, true));
    let net = Internet::start(spec).await;
    let all = audit(&settings(&net), &[at("aka.ms", "/link")]).await;
    assert_eq!(all[0].1.verdict, Verdict::Pass);
    assert_eq!(all[0].1.notes, ["leads to plain.microsoft.com:80", "the redirect leaves TLS for plain HTTP"]);
}
