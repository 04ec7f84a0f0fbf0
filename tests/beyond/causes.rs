//! Every code of the table of causes, provoked by a real server, with its words and its remedy.

use std::collections::BTreeSet;

use cmcomply::derive::Via;
use lab::internet::{Manner, ProxySpec};

use super::*;

/// For what is silent.
const SHORT: Duration = Duration::from_millis(400);

/// A name below `microsoft.com`, what it does, and what must come of it: code, words, remedy.
type Row = (&'static str, Behaviour, &'static str, &'static str, &'static str);

#[tokio::test]
async fn each_layer_that_fails_has_its_words_and_its_remedy() {
    let rows = servers();
    let mut spec = Spec::default()
        .known("microsoft.com")
        .known("contoso.com")
        .proxy(ProxySpec::new("strict.contoso.com", 8080).manner(Manner::WantsCredentials))
        .proxy(ProxySpec::new("silent.contoso.com", 8080).manner(Manner::Silent))
        .proxy(ProxySpec::new("odd.contoso.com", 8080).manner(Manner::Garbage))
        .proxy(ProxySpec::new("open.contoso.com", 8080).host("denied.microsoft.com", Behaviour::BlockPage(403)));
    for (name, behaviour, ..) in &rows {
        spec = spec.host(&format!("{name}.microsoft.com"), behaviour.clone());
    }
    for (name, answer, ..) in names() {
        spec = spec.name(&format!("{name}.microsoft.com"), answer);
    }
    let net = Internet::start(spec).await;
    let mut settings = settings(&net);
    let limits = &mut settings.deadlines;
    (limits.name, limits.connect, limits.tls, limits.http) =
        (Duration::from_secs(4), SHORT * 10, SHORT * 10, SHORT * 10);
    if cfg!(target_os = "linux") {
        limits.tcp = Duration::from_secs(4);
    }
    let behind = |name: &str, proxy: &str| {
        let mut requirement = https(&format!("{name}.microsoft.com"));
        requirement.route.via = Via::Proxy { host: host_name(&format!("{proxy}.contoso.com")).into(), port: 8080 };
        requirement
    };
    let mut requirements: Vec<_> = rows.iter().map(|(name, ..)| https(&format!("{name}.microsoft.com"))).collect();
    let mut expected: Vec<_> = rows.iter().map(|(_, _, code, words, remedy)| (*code, *words, *remedy)).collect();
    for (name, _, code, words, remedy) in names() {
        requirements.push(https(&format!("{name}.microsoft.com")));
        expected.push((code, words, remedy));
    }
    for (name, proxy, code, words, remedy) in [
        ("a", "strict", "proxy-auth-required", "wants credentials (407)", "without sign-in"),
        (
            "denied",
            "open",
            "proxy-refused",
            "answered itself to CONNECT with status 403",
            "allow denied.microsoft.com:443",
        ),
        ("b", "silent", "proxy-timeout", "silent.contoso.com:8080 did not answer", "its own way to"),
        ("c", "odd", "proxy-bad-reply", "gave no HTTP answer", "is an HTTP proxy"),
    ] {
        requirements.push(behind(name, proxy));
        expected.push((code, words, remedy));
    }
    let all = audit(&settings, &requirements).await;
    for ((code, words, remedy), (seen, judgement)) in expected.iter().zip(&all) {
        let found = cause(judgement, code);
        assert!(found.text.contains(words), "{code}: {found:?} {seen:#?}");
        assert!(found.remedy.contains(remedy), "{code}: {found:?}");
    }
    let shown: BTreeSet<&str> =
        expected.iter().map(|(code, ..)| *code).chain(ELSEWHERE.map(|(code, _)| code)).collect();
    let document = assess::causes_document();
    let known: BTreeSet<&str> =
        document.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert_eq!(known.difference(&shown).collect::<Vec<_>>(), [] as [&&str; 0], "codes that no server provokes");
    assert_eq!(shown.difference(&known).collect::<Vec<_>>(), [] as [&&str; 0], "codes that are none");
}

fn servers() -> Vec<Row> {
    use Behaviour as B;
    let mut rows = vec![
        ("refused", B::Refused, "tcp-refused", "refused the connection to cm-scp01", "ask for cm-scp01.contoso.com ->"),
        ("reset", B::ResetInHandshake, "tls-reset", "reads the server name (SNI)", "allow reset.microsoft.com"),
        ("mute", B::HandshakeSilence, "tls-timeout", "got no answer", "inspect TLS between"),
        ("alert", B::TlsAlert, "tls-alert", "refused the TLS handshake", "cipher suites"),
        ("old", B::OldTls, "tls-version", "speaks TLS 1.1 or older only", "turn TLS 1.2 on"),
        ("huge", B::HugeChain, "tls-protocol", "what came back is not TLS", "what answers for"),
        ("captive", B::Status(511), "http-status", "HTTP with status 511", "takes this status as not reached"),
        (
            "page",
            B::Answer(200, "Content-Type: text/html\r\n".into(), "It is blocked by your administrator.".into()),
            "http-block-page",
            "a block page came",
            "in the web filter",
        ),
        ("quiet", B::HttpSilence, "http-timeout", "no HTTP answer came", "inspect HTTP"),
        ("late", B::ResetAfterTls, "http-reset", "cut before an answer", "inspect HTTP"),
        ("garbage", B::HttpGarbage, "http-protocol", "not HTTP", "what answers for"),
    ];
    if cfg!(target_os = "linux") {
        rows.push(("dropped", B::Blocked, "tcp-timeout", "dropped on the way by a firewall", "(TCP)"));
    }
    rows
}

/// The same of names.
fn names() -> [(&'static str, Name, &'static str, &'static str, &'static str); 5] {
    [
        ("gone", Name::NxDomain, "name-nxdomain", "gone.microsoft.com does not exist (NXDOMAIN)", "filtering resolver"),
        ("broken", Name::ServFail, "name-servfail", "failed to resolve broken.microsoft.com", "forwarders"),
        ("nothing", Name::NoData, "name-no-data", "nothing.microsoft.com has no address", "whether it filters"),
        ("silence", Name::Silence, "name-timeout", "did not answer for silence.microsoft.com", "UDP and TCP 53"),
        ("noise", Name::Garbage, "name-error", "resolving noise.microsoft.com failed", "the resolver of"),
    ]
}

/// Where the other codes are provoked.
const ELSEWHERE: [(&str, &str); 54] = [
    ("host-not-reached", "tests/vantages.rs"),
    ("internal", "tests/probe_command.rs: descriptors"),
    ("name-server-refused", "a_server_that_refuses_questions_is_told_apart_from_a_silent_one"),
    ("name-sinkhole", "a_sinkhole_is_named"),
    ("tcp-timeout", "tests/namespaces.rs"),
    ("tcp-unreachable", "tests/namespaces.rs"),
    ("tcp-forbidden", "tests/namespaces.rs"),
    ("tcp-error", "tests/namespaces.rs"),
    ("tcp-reset", "of an attempt only: tests/probe.rs, a_reset_right_after_the_connection_is_always_the_same_failure"),
    ("proxy-auth-failed", "tests/probe.rs: accounts of proxies; tests/audit.rs"),
    ("tls-no-suite", "each_documented_suite_is_tried_alone"),
    ("tls-inspected", "inspection_is_told_apart_from_everything_that_looks_like_it"),
    ("tls-inspected-untrusted", "inspection_is_told_apart_from_everything_that_looks_like_it"),
    ("tls-issuer-untold", "tests/beyond/issuers.rs"),
    ("certificate-untrusted", "inspection_is_told_apart_from_everything_that_looks_like_it"),
    ("certificate-root-missing", "a_public_root_that_this_machine_lacks_is_told_apart_from_inspection"),
    ("certificate-self-signed", "inspection_is_told_apart_from_everything_that_looks_like_it"),
    ("certificate-incomplete", "inspection_is_told_apart_from_everything_that_looks_like_it; tests/beyond/issuers.rs"),
    ("certificate-expired", "inspection_is_told_apart_from_everything_that_looks_like_it"),
    ("certificate-revoked", "tests/revocation.rs: OpenSSL's responder"),
    ("certificate-wrong-name", "inspection_is_told_apart_from_everything_that_looks_like_it"),
    ("certificate-invalid", "tests/hostile/certificates.rs"),
    // The only verifier that waits is that of Windows, for revocation.
    ("certificate-timeout", "src/probe/trust.rs: a_check_that_does_not_end_is_one_failure"),
    ("revocation-unreachable", "tests/audit.rs: revocation lists"),
    ("http-redirect", "tests/revocation.rs: redirects of lists"),
    ("document-too-large", "tests/revocation.rs"),
    ("document-invalid", "tests/revocation.rs"),
    ("document-expired", "tests/revocation.rs"),
    ("redirect-target", "a_forwarder_whose_target_is_lost_fails_in_words"),
    ("redirect-refused", "a_forwarder_whose_target_is_lost_fails_in_words"),
    ("redirect-circle", "a_forwarder_whose_target_is_lost_fails_in_words"),
    ("redirect-missing", "a_forwarder_that_forwards_nowhere_is_a_failure"),
    ("http-unproved", "tests/probe/anybody.rs; tests/audit.rs"),
    ("range-stopped", "parts_of_files_must_be_had_where_files_are_documented"),
    ("not-seen", "the_verbs_of_clients_pass_to_a_gateway"),
    ("range-ignored", "parts_of_files_must_be_had_where_files_are_documented"),
    ("content-wrong", "the_document_of_the_tenant_is_read"),
    ("gateway-verb-stopped", "the_verbs_of_clients_pass_to_a_gateway"),
    ("gateway-alias", "tests/audit.rs: a gateway whose service name leads elsewhere"),
    ("idle-cut", "an_idle_connection_is_held_where_the_operator_wants_it"),
    ("retired", "no server: tests/audit.rs"),
    ("retired-reached", "tests/audit/retired.rs"),
    ("undecided", "no server: tests/audit.rs"),
    ("not-testable", "no server: tests/audit.rs"),
    ("route-unknown", "no server: tests/audit.rs"),
    ("interrupted", "tests/audit.rs: Ctrl-C and the total deadline"),
    ("other-host", "tests/audit.rs"),
    ("clients-silent", "no server: tests/run_script.rs"),
    ("clients-untold", "no server: tests/run_script.rs"),
    ("no-result", "a defect that nobody knows how to provoke"),
    // By name, so that a platform on which the lab cannot be silent has them too.
    ("tcp-refused", "here"),
    ("tls-timeout", "here"),
    ("http-timeout", "here"),
    ("name-timeout", "here"),
];

#[tokio::test]
async fn a_server_that_refuses_questions_is_told_apart_from_a_silent_one() {
    let net = Internet::start(Spec::default().known("microsoft.com")).await;
    let mut settings = settings(&net);
    // TCP's closed port has no UDP listener either.
    settings.dns_server = Some(net.closed());
    let all = audit(&settings, &[https("a.microsoft.com")]).await;
    let found = cause(&all[0].1, "name-server-refused");
    assert!(found.text.contains("nobody answers DNS at its port"), "{found:?}");
    assert!(found.detail.as_ref().unwrap().contains("refused"), "{found:?}");
}

#[tokio::test]
async fn a_sinkhole_is_named() {
    let zero = Name::Addresses(vec!["0.0.0.0".parse().unwrap()]);
    let net = Internet::start(Spec::default().name("zero.microsoft.com", zero)).await;
    let mut settings = settings(&net);
    settings.connect_to = Vec::new();
    let all = audit(&settings, &[https("zero.microsoft.com")]).await;
    let found = cause(&all[0].1, "name-sinkhole");
    assert!(found.text.contains("a DNS filter hides zero.microsoft.com"), "{found:?}");
}

/// No server can have a certificate of a real public root, so the lab's is one of theirs here.
#[tokio::test]
async fn a_public_root_that_this_machine_lacks_is_told_apart_from_inspection() {
    let spec = Spec::default().known("microsoft.com").host("inspected.microsoft.com", Behaviour::ForeignCa);
    let net = Internet::start(spec).await;
    let mut settings = settings(&net);
    settings.checks.public_elsewhere = std::mem::take(&mut settings.checks.public_roots);
    let all = audit(&settings, &[https("a.microsoft.com"), https("inspected.microsoft.com")]).await;
    let found = cause(&all[0].1, "certificate-root-missing");
    assert_eq!(all[0].0.trust.failure.as_ref().unwrap().code, FailureCode::CertificateRootMissing);
    assert_eq!(all[0].0.trust.evidence.as_ref().unwrap().issuance, Some(Issuance::Public));
    assert!(found.text.contains("a public root that cm-scp01.contoso.com lacks: \"O=Contoso Lab"), "{found:?}");
    assert!(found.remedy.contains("ctldl.windowsupdate.com"), "{found:?}");
    cause(&all[1].1, "tls-inspected-untrusted");
}

fn host_name(name: &str) -> cmcomply::host::HostName {
    cmcomply::host::HostName::parse(name).unwrap()
}
