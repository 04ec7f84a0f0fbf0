//! The revocation lists that served certificates name, against the pretend internet.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

#[path = "internet/clients.rs"]
#[expect(dead_code, reason = "only OpenSSL is asked here")]
mod clients;

#[path = "revocation/failures.rs"]
mod failures;
#[path = "revocation/ways.rs"]
mod ways;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use clients::have;
use cmcomply::assess::{self, Grade, Judgement, Verdict, Witness};
use cmcomply::derive::Via;
use cmcomply::host::{HostName, HostOrAddress, Scheme};
use cmcomply::plan::{Asks, Probe, ProbeId, Target};
use cmcomply::probe::{
    self, Bounds, Certificate, Checks, Deadlines, Failure, FailureCode, Observation, OcspStatus, Outcome,
    ProxyAccounts, RevocationKind, RevocationList, Settings, Stage, TlsEvidence, Ways, revocation,
};
use jiff::{Timestamp, ToSpan};
use lab::internet::{Behaviour, Internet, List, Manner, Name, ProxySpec, Seen, Spec};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; nothing waits for it.
const LONG: Duration = Duration::from_mins(1);
/// For what is silent.
const SHORT: Duration = Duration::from_millis(400);

const ISSUING: &str = "http://crl.contoso.example/issuing.crl";
const ROOT: &str = "http://root-crl.contoso.example/root.crl";

#[tokio::test]
async fn the_lists_of_trusted_chains_are_fetched_once_each() {
    let spec = Spec::default()
        .known("contoso.com")
        .host("inspected.contoso.com", Behaviour::ForeignCa)
        .host("expired.contoso.com", Behaviour::Expired);
    let net = Internet::start(spec).await;
    let seen = observe(&net, &["a", "b", "inspected", "expired"]).await;
    let served = &seen[0].tls.evidence.as_ref().unwrap().chain;
    assert_eq!((served[0].crl_urls.clone(), served[1].crl_urls.clone()), (vec![ISSUING.into()], vec![ROOT.into()]));
    assert!(seen.iter().any(|o| o.trust.outcome == Outcome::Failed && names(o, "filter-crl.contoso.example")));

    let lists = fetch(&net, &seen, &Via::Direct, |_| {}).await;
    let urls: Vec<_> = lists.iter().map(|list| list.url.as_str()).collect();
    assert_eq!(urls, [ISSUING, ROOT], "nothing of the inspecting proxy");
    assert!(lists.iter().all(RevocationList::is_current), "{lists:#?}");
    assert_eq!(lists[0].named_by.len(), 2, "{:?}", lists[0].named_by);
    assert!(lists[0].named_by[0].contains("contoso.com"), "{:?}", lists[0].named_by);
    let evidence = lists[0].fetch.evidence.as_ref().unwrap();
    assert_eq!(evidence.document.name.as_ref().unwrap().resolver, net.dns().to_string());
    assert_eq!(evidence.document.status, Some(200));
    assert!(evidence.document.bytes.unwrap() > 100);
    let contents = evidence.contents.as_ref().unwrap();
    assert!(contents.issuer.contains("Contoso Lab Issuing CA"), "{contents:?}");
    assert!(contents.this_update.unwrap() < Timestamp::now() && contents.next_update.unwrap() > Timestamp::now());
    for (host, path) in [("crl.contoso.example", "/issuing.crl"), ("root-crl.contoso.example", "/root.crl")] {
        let asked = Seen::Request { via: None, host: host.into(), port: 80, method: "GET".into(), path: path.into() };
        assert_eq!(net.count(|s| *s == asked), 1, "{host}");
    }
    assert_eq!(net.count(|s| matches!(s, Seen::Request { host, .. } if host.contains("filter-crl"))), 0);
    assert_eq!(net.count(|s| matches!(s, Seen::Query { name, .. } if name.contains("filter-crl"))), 0);
}

#[tokio::test]
async fn a_list_is_judged_by_the_time_of_the_run() {
    let net = Internet::start(Spec::default()).await;
    let seen = [named(&[ISSUING])];
    for (days, outcome) in [(-30, Outcome::Failed), (0, Outcome::Ok), (5, Outcome::Ok), (30, Outcome::Failed)] {
        let now = Timestamp::now() + (days * 24).hours();
        let lists = revocation::fetch(&seen, &Via::Direct, &settings(&net), now, &CancellationToken::new()).await;
        assert_eq!(lists[0].fetch.outcome, outcome, "{days}: {:?}", lists[0].fetch);
        if outcome == Outcome::Failed {
            assert_eq!(failure(&lists, ISSUING).code, FailureCode::DocumentExpired);
        }
    }
}

#[tokio::test]
async fn openssl_reads_the_same_times() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let net = Internet::start(Spec::default()).await;
    let lists = fetch(&net, &[named(&[ISSUING, ROOT])], &Via::Direct, |_| {}).await;
    for url in [ISSUING, ROOT] {
        let contents = find(&lists, url).fetch.evidence.as_ref().unwrap().contents.as_ref().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&get(&net, url)).unwrap();
        let output = Command::new("openssl")
            .args(["crl", "-inform", "DER", "-noout", "-lastupdate", "-nextupdate", "-issuer", "-in"])
            .arg(file.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let time = |of: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(of)).unwrap_or_else(|| panic!("{said}"));
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let time = jiff::civil::DateTime::strptime("%b %d %H:%M:%S %Y GMT", line).unwrap();
            time.in_tz("UTC").unwrap().timestamp()
        };
        assert_eq!(contents.this_update, Some(time("lastUpdate=")), "{said}");
        assert_eq!(contents.next_update, Some(time("nextUpdate=")), "{said}");
        let issuer = if url == ROOT { "Contoso Lab Root CA" } else { "Contoso Lab Issuing CA" };
        assert!(said.contains(issuer) && contents.issuer.contains(issuer), "{said} {contents:?}");
    }
}

/// The responder is OpenSSL's, which nobody here wrote.
#[tokio::test]
async fn a_responder_is_asked_and_the_issuers_certificate_is_fetched() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let spec = Spec::default()
        .known("contoso.example")
        .host("named.contoso.com", Behaviour::NamesResponder)
        .host("aia.contoso.example", Behaviour::IssuersCertificate)
        .host("ocsp.contoso.example", Behaviour::BlockPage(200));
    let net = Internet::start(spec).await;
    let seen = observe(&net, &["named"]).await;
    let lists = fetch(&net, &seen, &Via::Direct, |_| {}).await;
    let responder = find(&lists, "http://ocsp.contoso.example/");
    assert_eq!((responder.kind, responder.is_lost()), (RevocationKind::Responder, true));
    assert!(responder.fetch.failure.as_ref().unwrap().detail.contains("no OCSP response"), "{responder:?}");
    assert!(responder.is_named_by(&seen[0].tls.evidence.as_ref().unwrap().chain[0]));
    let issuer = find(&lists, "http://aia.contoso.example/issuing.crt");
    let certificate = issuer.fetch.evidence.as_ref().unwrap().certificate.as_ref().unwrap();
    assert_eq!((issuer.kind, issuer.is_current()), (RevocationKind::Issuer, true));
    assert!(certificate.contains("Contoso Lab Issuing CA"), "{certificate}");

    let spec = Spec::default()
        .known("contoso.example")
        .host("named.contoso.com", Behaviour::NamesResponder)
        .host("aia.contoso.example", Behaviour::IssuersBundle);
    let with_bundle = Internet::start(spec).await;
    let lists = fetch(&with_bundle, &observe(&with_bundle, &["named"]).await, &Via::Direct, |_| {}).await;
    let issuer = find(&lists, "http://aia.contoso.example/issuing.crt");
    let subjects = issuer.fetch.evidence.as_ref().unwrap().certificate.as_ref().unwrap();
    assert!(
        subjects.contains("Lab Root CA") && subjects.contains("; ") && subjects.contains("Lab Issuing CA"),
        "{subjects}"
    );

    for (letter, status) in [('V', OcspStatus::Good), ('R', OcspStatus::Revoked)] {
        let port = {
            // Free a moment ago; OpenSSL's responder cannot say which port it took.
            std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
        };
        let folder = tempfile::tempdir().unwrap();
        let _responder = responder_at(&net, folder.path(), port, letter);
        let mut settings = settings(&net);
        settings.connect_to.insert(0, format!("ocsp.contoso.example:80:127.0.0.1:{port}").parse().unwrap());
        let ask = || revocation::fetch(&seen, &Via::Direct, &settings, Timestamp::now(), &CANCEL);
        let mut lists = ask().await;
        // It takes a moment until it listens.
        for _ in 0..100 {
            if find(&lists, "http://ocsp.contoso.example/").fetch.evidence.as_ref().unwrap().status.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            lists = ask().await;
        }
        let answer = find(&lists, "http://ocsp.contoso.example/");
        let contents = answer.fetch.evidence.as_ref().unwrap().status.as_ref().unwrap_or_else(|| panic!("{answer:#?}"));
        assert_eq!((contents.status, answer.is_current()), (status, status == OcspStatus::Good), "{answer:?}");
        let mut judgement = passed(&seen[0].probe);
        let here = Witness { name: "here", probes: &[], observations: &seen, unreached: None, clients: None };
        assess::note_revocation(std::slice::from_mut(&mut judgement), &[here], 0, &lists);
        let code = judgement.cause.map(|cause| cause.code);
        let expected = match status {
            OcspStatus::Revoked => (Verdict::Fail, Some("certificate-revoked")),
            _ => (Verdict::Pass, None),
        };
        assert_eq!((judgement.verdict, code.as_deref()), expected);
        assert!(contents.this_update.unwrap() <= Timestamp::now() && contents.next_update.is_some());
    }
}

static CANCEL: std::sync::LazyLock<CancellationToken> = std::sync::LazyLock::new(CancellationToken::new);

/// Ends with its value.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A requirement that is met as far as the probe shows.
fn passed(probe: &ProbeId) -> Judgement {
    Judgement {
        requirement: serde_json::from_str("\"a\"").unwrap(),
        verdict: Verdict::Pass,
        grade: Grade::Required,
        probes: vec![probe.clone()],
        observed_from_role_host: true,
        vantage: 0,
        evidence_grade: None,
        cause: None,
        waiver: None,
        notes: Vec::new(),
    }
}

/// OpenSSL's responder, which knows the certificate of `named.contoso.com` as valid (`V`) or revoked (`R`).
fn responder_at(net: &Internet, folder: &std::path::Path, port: u16, letter: char) -> Running {
    let openssl = |arguments: &[&str], input: &[u8]| {
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let address = net.server(443).to_string();
    let shown = openssl(&["s_client", "-connect", &address, "-servername", "named.contoso.com"], b"");
    let serial = String::from_utf8(openssl(&["x509", "-noout", "-serial"], &shown)).unwrap();
    let serial = serial.trim().strip_prefix("serial=").unwrap_or_else(|| panic!("{serial}"));
    let revoked = if letter == 'R' { "260101000000Z" } else { "" };
    let index = format!("{letter}\t360101000000Z\t{revoked}\t{serial}\tunknown\t/CN=named.contoso.com\n");
    std::fs::write(folder.join("index.txt"), index).unwrap();
    let (certificate, key) = net.issuing_pem();
    std::fs::write(folder.join("ca.pem"), certificate).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
    let child = Command::new("openssl")
        .args(["ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "key.pem"])
        .args(["-ndays", "1", "-ignore_err", "-port", &port.to_string()])
        .current_dir(folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

/// The octets of a list, by hand.
fn get(net: &Internet, url: &str) -> Vec<u8> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(net.server(80)).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

/// What the probe sees of `https://HOST.contoso.com/`, in the order in which it ends.
async fn observe(net: &Internet, hosts: &[&str]) -> Vec<Observation> {
    let probe = |host: &&str| Probe {
        id: ProbeId((*host).to_owned()),
        target: Target {
            scheme: Scheme::Https,
            host: HostName::parse(&format!("{host}.contoso.com")).unwrap(),
            port: 443,
            path: "/".into(),
        },
        via: Via::Direct,
        contexts: BTreeSet::new(),
        requirements: Vec::new(),
        asks: Asks::default(),
    };
    let probes: Vec<_> = hosts.iter().map(probe).collect();
    let mut seen = Vec::new();
    probe::run(&probes, &settings(net), CancellationToken::new(), |o| seen.push(o)).await.unwrap();
    seen.sort_by(|a, b| a.probe.0.cmp(&b.probe.0));
    seen
}

/// An observation of a trusted chain of one certificate that names these lists.
fn named<S: AsRef<str>>(urls: &[S]) -> Observation {
    let mut seen = Observation::not_tried(ProbeId("p".into()), Timestamp::UNIX_EPOCH);
    let certificate = Certificate {
        subject: "CN=a.contoso.com".into(),
        issuer: "CN=Contoso Lab".into(),
        names: Vec::new(),
        not_before: None,
        not_after: None,
        sha256: String::new(),
        crl_urls: urls.iter().map(|url| url.as_ref().to_owned()).collect(),
        ocsp_urls: Vec::new(),
        ocsp_request: None,
        issuer_urls: Vec::new(),
    };
    let evidence = TlsEvidence { version: None, suite: None, alpn: None, chain: vec![certificate] };
    seen.tls = Stage { outcome: Outcome::Ok, took_us: None, failure: None, evidence: Some(evidence) };
    seen.trust.outcome = Outcome::Ok;
    seen
}

fn names(seen: &Observation, host: &str) -> bool {
    let chain = &seen.tls.evidence.as_ref().unwrap().chain;
    chain.iter().any(|certificate| certificate.crl_urls.iter().any(|url| url.contains(host)))
}

async fn fetch(
    net: &Internet,
    seen: &[Observation],
    via: &Via,
    limit: impl FnOnce(&mut Deadlines),
) -> Vec<RevocationList> {
    let mut settings = settings(net);
    limit(&mut settings.deadlines);
    revocation::fetch(seen, via, &settings, Timestamp::now(), &CancellationToken::new()).await
}

fn settings(net: &Internet) -> Settings {
    Settings {
        dns_server: Some(net.dns()),
        connect_to: net.connect_to().iter().map(|rule| rule.parse().unwrap()).collect(),
        proxy_accounts: ProxyAccounts::new(),
        extra_roots: vec![CertificateDer::from_pem_slice(net.ca_pem().as_bytes()).unwrap().to_vec()],
        deadlines: Deadlines::all(LONG),
        bounds: Bounds::default(),
        checks: Checks::default(),
    }
}

fn proxy(name: &str, port: u16) -> Via {
    Via::Proxy { host: HostName::parse(name).unwrap().into(), port }
}

fn find<'a>(lists: &'a [RevocationList], url: &str) -> &'a RevocationList {
    lists.iter().find(|list| list.url == url).unwrap_or_else(|| panic!("{url} is not in {lists:#?}"))
}

fn failure<'a>(lists: &'a [RevocationList], url: &str) -> &'a Failure {
    let list = find(lists, url);
    list.fetch.failure.as_ref().unwrap_or_else(|| panic!("should have failed: {list:#?}"))
}
