//! Servers that leave out their issuer's certificate: a Windows client fetches it, and so does the probe where this
//! machine's verifier does not.
#![cfg(not(any(windows, target_vendor = "apple")))]

use lab::internet::{Hostile, Talk};

use super::*;

const PLACE: &str = "http://aia.contoso.example/issuing.crt";

#[tokio::test]
async fn a_chain_that_can_be_completed_is_judged_as_a_whole_one() {
    let spec = Spec::default()
        .known("microsoft.com")
        .known("contoso.example")
        .host("leaf.microsoft.com", Behaviour::LeafOnly)
        .host("other.microsoft.com", Behaviour::LeafOnly)
        .host("aia.contoso.example", Behaviour::IssuersCertificate);
    let net = Internet::start(spec).await;
    let asked = || net.count(|seen| matches!(seen, Seen::Request { host, .. } if host == "aia.contoso.example"));
    let all = audit(&settings(&net), &[https("leaf.microsoft.com"), https("other.microsoft.com")]).await;
    for (seen, judgement) in &all {
        assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?} {seen:#?}");
        let trust = seen.trust.evidence.as_ref().unwrap();
        assert_eq!((trust.issuance, trust.fetched.len()), (Some(Issuance::Public), 1));
        assert_eq!(trust.fetched[0].url, PLACE);
        assert!(trust.fetched[0].certificate.subject.contains("Contoso Lab Issuing CA"), "{trust:?}");
        assert_eq!(seen.tls.evidence.as_ref().unwrap().chain.len(), 1, "what was served stays what it was");
        let note = &judgement.notes[0];
        assert!(note.contains("the server leaves out") && note.contains(PLACE), "{note}");
    }
    assert_eq!(asked(), 1, "one place is asked once");

    // The same certificate leads to nobody whom a machine trusts that has not this root: no false green.
    let mut stranger = settings(&net);
    stranger.checks.public_roots = Vec::new();
    let all = audit(&stranger, &[https("leaf.microsoft.com")]).await;
    let found = cause(&all[0].1, "tls-inspected-untrusted");
    let detail = found.detail.as_ref().unwrap();
    assert!(detail.contains("also with the certificate of") && detail.contains(PLACE), "{detail}");
    assert_eq!(all[0].0.trust.evidence.as_ref().unwrap().issuance, Some(Issuance::Private));
}

/// Of what stands in a bundle, the certificate of the issuer alone completes the chain.
#[tokio::test]
async fn a_bundle_of_certificates_is_opened() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let spec = Spec::default()
        .known("microsoft.com")
        .known("contoso.example")
        .host("leaf.microsoft.com", Behaviour::LeafOnly)
        .host("aia.contoso.example", Behaviour::IssuersBundle);
    let net = Internet::start(spec).await;
    let all = audit(&settings(&net), &[https("leaf.microsoft.com")]).await;
    let (seen, judgement) = &all[0];
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?} {seen:#?}");
    let fetched = &seen.trust.evidence.as_ref().unwrap().fetched;
    let subjects: Vec<_> = fetched.iter().map(|issuer| issuer.certificate.subject.as_str()).collect();
    assert!(matches!(subjects.as_slice(), [only] if only.contains("Contoso Lab Issuing CA")), "{subjects:?}");
    // The same bundle under a root that this machine does not have.
    let mut stranger = settings(&net);
    stranger.checks.public_roots = Vec::new();
    let all = audit(&stranger, &[https("leaf.microsoft.com")]).await;
    assert_eq!(all[0].0.trust.evidence.as_ref().unwrap().issuance, Some(Issuance::Private));
    cause(&all[0].1, "tls-inspected-untrusted");
}

#[tokio::test]
async fn a_place_that_has_it_not_leaves_the_chain_incomplete() {
    let rows = [
        (Behaviour::Status(404), "status 404"),
        (Behaviour::Refused, "refused"),
        (Behaviour::File(100, true), "no certificate (DER)"),
        (Behaviour::RevocationList(lab::internet::List::Current), "no certificate (DER)"),
        (Behaviour::RevocationList(lab::internet::List::TooLarge), "more than 16777216 bytes"),
        (Behaviour::Redirect(302, PLACE.into()), "a circle"),
        (Behaviour::Redirect(302, "http://127.0.0.1/x".into()), "not followed"),
        (Behaviour::BlockPage(200), "no certificate (DER)"),
    ];
    for (behaviour, words) in rows {
        let spec = Spec::default()
            .known("contoso.example")
            .host("leaf.microsoft.com", Behaviour::LeafOnly)
            .host("aia.contoso.example", behaviour);
        let net = Internet::start(spec).await;
        let all = audit(&settings(&net), &[https("leaf.microsoft.com")]).await;
        let found = cause(&all[0].1, "certificate-incomplete");
        let detail = found.detail.as_ref().unwrap();
        assert!(
            detail.contains("the issuer's certificate cannot be had") && detail.contains(words),
            "{words}: {detail}"
        );
        assert!(all[0].0.trust.evidence.as_ref().unwrap().fetched.is_empty());
    }
}

/// The certificate of somebody else, and one that never ends.
#[test]
fn a_place_that_means_harm_is_one_clear_failure() {
    let foreign = Internet::start_blocking(Spec::default().host("aia.contoso.example", Behaviour::IssuersCertificate));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hostile = Hostile::new();
    let endless = hostile.http(Talk::Endless(b"HTTP/1.1 200 OK\r\n".into(), b"X-Filler: on\r\n".into()));
    let slow = hostile.http(Talk::Drip(b"HTTP/1.1 200 OK\r\n".into(), b"X-Filler: on\r\n".into()));
    for (place, code, words) in [
        // It has the right name, and another key.
        (foreign.server(80), "certificate-invalid", "also with the certificate of"),
        (endless, "certificate-incomplete", PLACE),
        (slow, "certificate-incomplete", "no answer within"),
    ] {
        let spec = Spec::default().known("contoso.example").host("leaf.microsoft.com", Behaviour::LeafOnly);
        let net = Internet::start_blocking(spec);
        let mut settings = settings(&net);
        settings.connect_to.insert(0, format!("aia.contoso.example:80:127.0.0.1:{}", place.port()).parse().unwrap());
        settings.deadlines.trust = Duration::from_secs(8);
        let all = runtime.block_on(audit(&settings, &[https("leaf.microsoft.com")]));
        let found = cause(&all[0].1, code);
        assert!(found.detail.as_ref().unwrap().contains(words), "{found:?}");
    }
}
