//! What counts besides the layers, against the pretend internet: who issued a certificate, where redirects lead, cipher
//! suites, parts of files, known documents, gateways, idle connections. Each with the observation and the words.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

#[path = "lists/sample.rs"]
#[expect(dead_code, reason = "only its hand-made requirement is used")]
mod sample;

#[path = "internet/clients.rs"]
#[expect(dead_code, reason = "only OpenSSL is asked here")]
mod clients;

#[path = "beyond/causes.rs"]
mod causes;
#[path = "beyond/issuers.rs"]
mod issuers;
#[path = "beyond/redirects.rs"]
mod redirects;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use clients::have;

use cmcomply::assess::{self, Cause, Grade, Judgement, Verdict, View, Witness};
use cmcomply::catalog::{CatalogRole, EntryId, Inspection, TlsRule, TlsVersion};
use cmcomply::derive::{Requirement, Subject};
use cmcomply::host::Scheme;
use cmcomply::plan;
use cmcomply::probe::further::SuiteAnswer::{NotOffered, Refused, Taken};
use cmcomply::probe::further::{Idle, Range};
use cmcomply::probe::{
    self, Bounds, Checks, Deadlines, FailureCode, Issuance, Observation, Outcome, Settings, StageName,
};
use cmcomply::vantage::EvidenceGrade;
use lab::internet::{Asking, Behaviour, Internet, Name, Seen, Spec};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; nothing waits for it.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn inspection_is_told_apart_from_everything_that_looks_like_it() {
    use Behaviour as B;
    use FailureCode as C;
    let spec = Spec::default()
        .known("microsoft.com")
        .host("inspected.microsoft.com", B::ForeignCa)
        .host("self.microsoft.com", B::SelfSigned)
        .host("expired.microsoft.com", B::Expired)
        .host("wrong.microsoft.com", B::WrongName)
        .host("leaf.microsoft.com", B::LeafOnly)
        .host("own.contoso.com", B::ForeignCa);
    let net = Internet::start(spec).await;
    let hosts =
        ["healthy", "inspected", "self", "expired", "wrong", "leaf"].map(|name| format!("{name}.microsoft.com"));
    let hosts = [hosts.as_slice(), &["own.contoso.com".to_owned()]].concat();

    let strangers = audit(&settings(&net), &hosts.iter().map(|host| https(host)).collect::<Vec<_>>()).await;
    let expected = [
        ("healthy", None, Some(Issuance::Public), "", ""),
        (
            "inspected",
            Some(C::CertificateUntrusted),
            Some(Issuance::Private),
            "tls-inspected-untrusted",
            "Contoso Web Filter",
        ),
        ("self", Some(C::CertificateSelfSigned), Some(Issuance::Private), "certificate-self-signed", "block page"),
        ("expired", Some(C::CertificateExpired), Some(Issuance::Untold), "certificate-expired", "valid from 20"),
        (
            "wrong",
            Some(C::CertificateWrongName),
            Some(Issuance::Untold),
            "certificate-wrong-name",
            "default.hosting.example",
        ),
        ("leaf", Some(C::CertificateIncomplete), Some(Issuance::Untold), "certificate-incomplete", "were not sent"),
        ("own", Some(C::CertificateUntrusted), Some(Issuance::Private), "certificate-untrusted", "Contoso Web Filter"),
    ];
    for ((name, failure, issuance, code, words), (seen, judgement)) in expected.into_iter().zip(&strangers) {
        assert_eq!(seen.trust.failure.as_ref().map(|failure| failure.code), failure, "{name}: {:?}", seen.trust);
        assert_eq!(seen.trust.evidence.as_ref().unwrap().issuance, issuance, "{name}");
        let cause = judgement.cause.as_ref();
        assert_eq!(cause.map_or("", |cause| &cause.code), code, "{name}");
        assert!(cause.is_none_or(|cause| cause.text.contains(words)), "{name}: {cause:?}");
    }

    // The inspecting root is in the machine's store: all layers are well, and what is documented decides.
    let mut trusting = settings(&net);
    trusting.extra_roots = vec![der(&net.foreign_ca_pem())];
    let mut forbidden = https("inspected.microsoft.com");
    forbidden.inspection = Inspection::Unsupported;
    let all = audit(&trusting, &[forbidden, https("own.contoso.com"), https("healthy.microsoft.com")]).await;
    let [(seen, forbidden), (_, own), (_, healthy)] = all.as_slice() else { panic!() };
    assert!(seen.reached() && seen.trust.evidence.as_ref().unwrap().issuance == Some(Issuance::Private));
    let words = cause(forbidden, "tls-inspected");
    assert!(words.text.contains("Contoso Web Filter") && words.text.contains("not supported"), "{words:?}");
    assert_eq!(words.remedy, "exempt inspected.microsoft.com from TLS inspection");
    assert_eq!((own.verdict, own.notes.as_slice()), (Verdict::Pass, &[][..]), "customers may have their own authority");
    assert_eq!((healthy.verdict, healthy.notes.as_slice()), (Verdict::Pass, &[][..]));
    let allowed = audit(&trusting, &[https("inspected.microsoft.com")]).await;
    assert_eq!(allowed[0].1.verdict, Verdict::Pass);
    assert!(allowed[0].1.notes[0].contains("TLS is inspected on the way"), "{:?}", allowed[0].1.notes);

    // A root that the operator gives as this machine's does not make a certificate a public one.
    let mut machine = settings(&net);
    machine.extra_roots = std::mem::take(&mut machine.checks.public_roots);
    let own = audit(&machine, &[https("healthy.microsoft.com")]).await;
    assert_eq!(own[0].0.trust.evidence.as_ref().unwrap().issuance, Some(Issuance::Private));
}

#[tokio::test]
async fn each_documented_suite_is_tried_alone() {
    let only = |suites: &[&str]| Behaviour::OnlySuites(suites.iter().map(|&suite| suite.to_owned()).collect());
    let spec = Spec::default()
        .host("both.microsoft.com", Behaviour::HEALTHY)
        .host("one.microsoft.com", only(&[FRONT_DOOR[1]]))
        .host("none.microsoft.com", only(&["TLS_CHACHA20_POLY1305_SHA256"]))
        .host("alert.microsoft.com", Behaviour::TlsAlert);
    let net = Internet::start(spec).await;
    let with_rule = |host: &str| {
        let mut requirement = https(host);
        let suites = FRONT_DOOR.iter().map(|&suite| suite.to_owned()).collect();
        requirement.tls = Some(TlsRule { min_version: TlsVersion::Tls12, suites });
        requirement
    };
    let requirements = ["both", "one", "none", "alert"].map(|name| with_rule(&format!("{name}.microsoft.com")));
    let all = audit(&settings(&net), &requirements).await;
    let answers = |index: usize| -> Vec<_> { all[index].0.further.suites.iter().map(|look| look.answer).collect() };
    // The lab's keys are of elliptic curves, so no suite with RSA in its name is taken.
    assert_eq!(answers(0), [Taken, Taken, Refused, NotOffered]);
    assert_eq!(answers(1), [Refused, Taken, Refused, NotOffered]);
    assert_eq!(answers(2), [Refused, Refused, Refused, NotOffered]);
    assert_eq!(answers(3), answers(2));
    let versions: Vec<_> = all[0].0.further.suites.iter().map(|look| look.version.as_str()).collect();
    assert_eq!(versions, ["TLSv1.3", "TLSv1.3", "TLSv1.2", "TLSv1.2"]);
    assert_eq!((all[0].1.verdict, all[1].1.verdict), (Verdict::Pass, Verdict::Pass));
    let note = &all[1].1.notes[0];
    assert!(note.contains("takes TLS_AES_128_GCM_SHA256; refuses TLS_AES_256_GCM_SHA384"), "{note}");
    assert!(note.contains("our TLS library has no TLS_RSA_WITH_AES_256_GCM_SHA384"), "{note}");
    for lost in [&all[2], &all[3]] {
        let found = cause(&lost.1, "tls-no-suite");
        assert!(found.text.contains("TLS_AES_256_GCM_SHA384") && found.detail.is_some(), "{found:?}");
    }
    assert!(cause(&all[2].1, "tls-no-suite").detail.as_ref().unwrap().contains("CHACHA20"));
    // Where no entry asks for it, one handshake is enough.
    let net = Internet::start(Spec::default().host("a.microsoft.com", Behaviour::Status(404))).await;
    audit(&settings(&net), &[https("a.microsoft.com")]).await;
    assert_eq!(net.count(|seen| matches!(seen, Seen::Handshake { .. })), 1);
}

/// OpenSSL's server, which nobody here wrote, with an RSA key.
#[tokio::test]
async fn a_server_of_openssl_takes_what_it_says() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2"])
        .args(["-subj", "/CN=a.microsoft.com", "-addext", "subjectAltName=DNS:a.microsoft.com"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut server = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-www", "-tls1_2"])
        .args(["-cipher", "ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.as_mut().unwrap()).lines();
    let port =
        lines.map_while(Result::ok).find_map(|line| line.strip_prefix("ACCEPT ")?.rsplit_once(':')?.1.parse().ok());
    let port: u16 = port.unwrap();
    let net = Internet::start(Spec::default().known("microsoft.com")).await;
    let mut settings = settings(&net);
    settings.connect_to = vec![format!(":443:127.0.0.1:{port}").parse().unwrap()];
    settings.checks.public_roots = vec![der(&std::fs::read_to_string(folder.path().join("cert.pem")).unwrap())];
    // It has no answer to HEAD, and what is asked here comes before.
    settings.deadlines.http = Duration::from_millis(400);
    let mut requirement = https("a.microsoft.com");
    let suites = [&FRONT_DOOR[..], &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]].concat();
    let suites = suites.iter().map(|&suite| suite.to_owned()).collect();
    requirement.tls = Some(TlsRule { min_version: TlsVersion::Tls12, suites });
    let all = audit(&settings, &[requirement]).await;
    let _ = server.kill();
    let _ = server.wait();
    let tls = all[0].0.tls.evidence.as_ref().unwrap();
    let agreed = (tls.version.as_deref(), tls.suite.as_deref());
    assert_eq!(agreed, (Some("TLSv1.2"), Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")), "{all:#?}");
    let answers: Vec<_> = all[0].0.further.suites.iter().map(|look| look.answer).collect();
    assert_eq!(answers, [Refused, Refused, Refused, NotOffered, Taken], "{all:#?}");
}

#[tokio::test]
async fn parts_of_files_must_be_had_where_files_are_documented() {
    let part = |then| Behaviour::Unlike(Asking::Part, Box::new([Behaviour::File(1000, true), then]));
    let spec = Spec::default()
        .host("good.microsoft.com", Behaviour::File(1000, true))
        .host("whole.microsoft.com", Behaviour::File(1000, false))
        .host("missing.microsoft.com", Behaviour::Status(404))
        .host("denied.microsoft.com", part(Behaviour::Answer(403, String::new(), "no parts".into())))
        .host("lost.microsoft.com", part(Behaviour::Status(502)))
        .host("cut.microsoft.com", part(Behaviour::ResetAfterTls));
    let net = Internet::start(spec).await;
    let ranged = |host: &str, path: Option<&str>| {
        let mut requirement = https(host);
        requirement.byte_ranges = true;
        requirement.path = path.map(str::to_owned);
        requirement
    };
    let requirements = [
        ranged("good.microsoft.com", Some("/f")),
        ranged("whole.microsoft.com", Some("/f")),
        ranged("whole.microsoft.com", None),
        ranged("missing.microsoft.com", Some("/f")),
        ranged("denied.microsoft.com", None),
        ranged("lost.microsoft.com", None),
        ranged("cut.microsoft.com", Some("/f")),
    ];
    let all = audit(&settings(&net), &requirements).await;
    let answers: Vec<_> = all.iter().map(|(seen, _)| seen.further.byte_range.as_ref().unwrap().answer).collect();
    assert_eq!(answers[..4], [Range::Served, Range::Ignored, Range::Ignored, Range::NoFile]);
    assert_eq!(answers[4..], [Range::Denied, Range::Stopped, Range::Stopped]);
    let verdicts: Vec<_> = all[..4].iter().map(|(_, judgement)| judgement.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Pass, Verdict::Pass]);
    for (_, judgement) in &all[4..] {
        cause(judgement, "range-stopped");
    }
    let found = cause(&all[1].1, "range-ignored");
    assert!(found.detail.as_ref().unwrap().contains("status 200") && found.remedy.contains("206"), "{found:?}");
    assert!(all[2].1.notes[0].contains("status 200"), "{:?}", all[2].1.notes);
    assert!(all[2].1.notes[0].contains("not tested: no file is documented"), "{:?}", all[2].1.notes);
    assert!(all[3].1.notes[0].contains("not tested: the file is not there"), "{:?}", all[3].1.notes);
}

#[tokio::test]
async fn the_document_of_the_tenant_is_read() {
    const PATH: &str = "/11111111-2222-3333-4444-555555555555/.well-known/openid-configuration";
    let other = r#"{"issuer":"https://sts.windows.net/x/","token_endpoint":"https://login.microsoftonline.com/x/y"}"#;
    let answer =
        |body: &str| Behaviour::Answer(200, "Server: Microsoft-IIS/10.0\r\nx-ms-request-id: 1\r\n".into(), body.into());
    let bomb = Behaviour::Answer(200, "Content-Encoding: gzip\r\n".into(), "\u{1f}".repeat(1 << 20));
    let spec = Spec::default()
        .host("login.microsoftonline.com", Behaviour::HEALTHY)
        .host("login.microsoftonline.us", answer(other))
        .host("login.windows.net", answer("<html><title>Sign in</title></html>"))
        .host("login.microsoft.com", bomb)
        .host("sts.windows.net", Behaviour::Status(404));
    let net = Internet::start(spec).await;
    let hosts = [
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
    ];
    let requirements = hosts.map(|host| {
        let mut requirement = at(host, PATH);
        requirement.role = CatalogRole::ManagementPoint;
        requirement.section = "Management point".to_owned();
        requirement
    });
    let all = audit(&settings(&net), &requirements).await;
    assert_eq!(all[0].1.verdict, Verdict::Pass, "{:?}", all[0]);
    let content = all[0].0.further.content.as_ref().unwrap();
    assert!(content.issuer.as_ref().unwrap().starts_with("https://sts.windows.net/11111111-"), "{content:?}");
    let faults = ["another tenant", "no OpenID configuration", "no OpenID configuration", "status 404"];
    for ((_, judgement), fault) in all[1..].iter().zip(faults) {
        let found = cause(judgement, "content-wrong");
        assert!(found.text.contains(fault), "{found:?}");
        assert!(found.in_product.as_ref().unwrap().contains("MISE12034"), "{found:?}");
    }
}

#[tokio::test]
async fn the_verbs_of_clients_pass_to_a_gateway() {
    let spec =
        Spec::default().host("cmg.contoso.com", Behaviour::Status(403)).host("old.contoso.com", Behaviour::PlainVerbs);
    let net = Internet::start(spec).await;
    let client = |host: &str| {
        let mut requirement = https(host);
        requirement.subject = Subject::Clients;
        requirement.role = CatalogRole::Client;
        requirement.entry = EntryId("client-cmg-service-name".to_owned());
        requirement
    };
    let all = audit(&settings(&net), &[client("cmg.contoso.com"), client("old.contoso.com")]).await;
    assert_eq!((all[0].1.verdict, all[0].0.further.gateway.len()), (Verdict::Pass, 5));
    let found = cause(&all[1].1, "gateway-verb-stopped");
    assert!(found.text.starts_with("CCM_POST, BITS_POST, PROPFIND does not pass"), "{found:?}");
    // Devices that answer in the gateway's place, where HEAD and GET pass.
    let but = |then| Behaviour::Unlike(Asking::OtherVerb, Box::new([Behaviour::Status(403), then]));
    let answer = |status, headers: &str, body: &str| but(Behaviour::Answer(status, headers.into(), body.into()));
    let f5 = "<title>Request Rejected</title>The requested URL was rejected. Your support ID is: 1";
    let stopped = [
        ("bad.contoso.com", answer(502, "Server: BigIP\r\n", "")),
        ("rejected.contoso.com", answer(400, "Server: F5\r\n", f5)),
        ("denied.contoso.com", answer(470, "", "")),
        ("asks.contoso.com", answer(407, "", "")),
        ("away.contoso.com", answer(302, "Location: http://filter.example/deny\r\n", "")),
    ];
    let doubtful = ("waf.contoso.com", answer(403, "Server: cloudflare\r\n", "Method not permitted"));
    let mut spec = Spec::default();
    for (host, behaviour) in stopped.iter().chain([&doubtful]) {
        spec = spec.host(host, behaviour.clone());
    }
    let devices = Internet::start(spec).await;
    let requirements: Vec<_> = stopped.iter().map(|(host, _)| client(host)).chain([client(doubtful.0)]).collect();
    let mut judged: Vec<_> = audit(&settings(&devices), &requirements).await.into_iter().map(|(_, j)| j).collect();
    let waf = judged.pop().unwrap();
    for judgement in &judged {
        let found = cause(judgement, "gateway-verb-stopped");
        assert!(found.text.starts_with("CCM_POST, BITS_POST, PROPFIND does not pass"), "{found:?}");
    }
    let found = waf.cause.unwrap();
    assert_eq!((waf.verdict, found.code.as_str()), (Verdict::NotObserved, "not-seen"));
    assert!(found.text.contains("status 403, and nothing shows that the gateway said so"), "{found:?}");
    let asked = |verb: &str| net.count(|s| matches!(s, Seen::Request { method, .. } if method == verb));
    assert_eq!((asked("CCM_POST"), asked("BITS_POST"), asked("PROPFIND")), (2, 2, 2));
}

#[tokio::test]
async fn an_idle_connection_is_held_where_the_operator_wants_it() {
    // Long enough for the probe itself, which asks at once.
    let short = Duration::from_secs(4);
    let spec = Spec::default()
        .host("held.manage.microsoft.com", Behaviour::HEALTHY)
        .host("ended.manage.microsoft.com", Behaviour::EndsIdle(short))
        .host("cut.manage.microsoft.com", Behaviour::CutsIdle(short));
    let net = Internet::start(spec).await;
    let held = |name: &str, seconds| {
        let mut requirement = https(&format!("{name}.manage.microsoft.com"));
        requirement.idle_seconds = Some(seconds);
        requirement
    };
    let requirements = [held("held", 1), held("ended", 180), held("cut", 180)];
    let untested = audit(&settings(&net), &requirements).await;
    assert!(untested.iter().all(|(seen, judgement)| seen.further.idle.is_none()
        && judgement.verdict == Verdict::Pass
        && judgement.notes[0].contains("--idle-test")));
    let mut settings = settings(&net);
    settings.checks.idle = Some(LONG);
    let all = audit(&settings, &requirements).await;
    let ends: Vec<_> = all.iter().map(|(seen, _)| seen.further.idle.as_ref().unwrap().end).collect();
    assert_eq!(ends, [Idle::Held, Idle::ClosedByEndpoint, Idle::Cut]);
    assert_eq!((all[0].1.verdict, all[1].1.verdict), (Verdict::Pass, Verdict::Pass));
    assert!(all[1].1.notes[0].contains("ended by the endpoint itself"), "{:?}", all[1].1.notes);
    let found = cause(&all[2].1, "idle-cut");
    assert!(found.text.contains("must stay open for 180 s") && found.detail.is_some(), "{found:?}");
}

#[tokio::test]
async fn a_huge_chain_is_one_clear_failure() {
    let net = Internet::start(Spec::default().host("huge.microsoft.com", Behaviour::HugeChain)).await;
    let all = audit(&settings(&net), &[https("huge.microsoft.com")]).await;
    let (seen, judgement) = &all[0];
    assert_eq!((seen.tls.outcome, judgement.verdict), (Outcome::Failed, Verdict::Fail), "{seen:#?}");
    assert_eq!(cause(judgement, "tls-protocol").stage, Some(StageName::Tls));
    assert!(serde_json::to_string(seen).unwrap().len() < 100_000);
}

#[tokio::test]
async fn a_firewall_is_asked_for_in_words() {
    let net = Internet::start(Spec::default().known("microsoft.com").host("a.microsoft.com", Behaviour::Refused)).await;
    let mut requirement = https("a.microsoft.com");
    requirement.section = "Updates and servicing".to_owned();
    let all = audit(&settings(&net), &[requirement]).await;
    let found = cause(&all[0].1, "tcp-refused");
    assert!(found.text.starts_with("TCP 443 to 127.0.0.1 refused the connection to cm-scp01.contoso.com"), "{found:?}");
    assert_eq!(found.remedy, "ask for cm-scp01.contoso.com -> a.microsoft.com:443 (TCP)");
    assert!(found.in_product.as_ref().unwrap().contains("dmpdownloader.log"), "{found:?}");
    assert_eq!(all[0].1.grade, Grade::Required);
}

const FRONT_DOOR: [&str; 4] = [
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
];

fn https(host: &str) -> Requirement {
    sample::needed(sample::host("cm-scp01.contoso.com"), Scheme::Https, host, 443)
}

fn at(host: &str, path: &str) -> Requirement {
    let mut requirement = https(host);
    requirement.path = Some(path.to_owned());
    requirement
}

fn cause<'a>(judgement: &'a Judgement, code: &str) -> &'a Cause {
    let found = judgement.cause.as_ref().unwrap_or_else(|| panic!("{code} was expected: {judgement:#?}"));
    assert_eq!((judgement.verdict, found.code.as_str()), (Verdict::Fail, code), "{judgement:#?}");
    found
}

async fn observe(settings: &Settings, requirements: &[Requirement]) -> Vec<Observation> {
    let plan = plan::build(requirements);
    let mut seen = Vec::new();
    probe::run(&plan.probes, settings, CancellationToken::new(), |o| seen.push(o)).await.unwrap();
    seen
}

/// What the role's own host sees of each requirement, and what it means.
async fn audit(settings: &Settings, requirements: &[Requirement]) -> Vec<(Observation, Judgement)> {
    // Two requirements of one endpoint get an id each.
    let mut requirements = requirements.to_vec();
    for (number, requirement) in requirements.iter_mut().enumerate() {
        requirement.id.0 = format!("{number} {}", requirement.id.0);
    }
    let seen = observe(settings, &requirements).await;
    let plan = plan::build(&requirements);
    let witness = Witness {
        name: "cm-scp01.contoso.com",
        probes: &plan.probes,
        observations: &seen,
        unreached: None,
        clients: None,
    };
    let view = |_: &_| View { vantage: 0, grade: EvidenceGrade::B };
    let judgements = assess::judge(&requirements, &[witness], view, false);
    let of = |judgement: &Judgement| seen.iter().find(|o| o.probe == judgement.probes[0]).unwrap().clone();
    judgements.into_iter().map(|judgement| (of(&judgement), judgement)).collect()
}

fn der(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

/// The lab's root counts as a public one.
fn settings(net: &Internet) -> Settings {
    Settings {
        dns_server: Some(net.dns()),
        connect_to: net.connect_to().iter().map(|rule| rule.parse().unwrap()).collect(),
        extra_roots: Vec::new(),
        proxy_accounts: probe::ProxyAccounts::new(),
        deadlines: Deadlines::all(LONG),
        bounds: Bounds::default(),
        checks: Checks { public_roots: vec![der(&net.ca_pem())], ..Checks::default() },
    }
}
