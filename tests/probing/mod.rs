//! What the tests of the probe against foreign and hostile servers share: settings, probes by URL, and a probe in a
//! process of its own, so that it can be in another network and its memory can be measured.
#![allow(dead_code, unreachable_pub, reason = "each test uses its own part")]

pub mod authority;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use cmcomply::derive::Via;
use cmcomply::host::{HostName, HostOrAddress, Scheme};
use cmcomply::plan::{Probe, ProbeId, Target};
use cmcomply::probe::{
    self, Bounds, Certificate, Checks, Deadlines, Failure, FailureCode, Observation, Outcome, ProxyAccounts,
    RevocationList, Settings, Stage, StageName, TlsEvidence,
};
use jiff::Timestamp;
use lab::internet::{Internet, Name, Spec};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Long enough for any machine; nothing waits for it.
const LONG: Duration = Duration::from_mins(1);
/// For what never ends.
const SHORT: Duration = Duration::from_millis(800);

/// Settings of a run, in the form of a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub probes: Vec<Probe>,
    /// Revocation lists to fetch as well, as if a trusted certificate named them.
    pub lists: Vec<String>,
    pub dns_server: Option<SocketAddr>,
    /// With these, the names of the run are served by a DNS server that starts beside it.
    pub names: BTreeMap<String, Vec<IpAddr>>,
    pub connect_to: Vec<String>,
    /// DER.
    pub extra_roots: Vec<Vec<u8>>,
    /// The stage whose end is awaited; nothing waits for the others' deadlines.
    pub short: Option<StageName>,
}

/// What a job came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    pub observations: Vec<Observation>,
    pub lists: Vec<RevocationList>,
    /// The most memory that the process had, in KiB, beyond what it had before. Zero where that is not to be known.
    pub grown_by: u64,
}

impl Job {
    pub fn new(probes: Vec<Probe>) -> Self {
        Self {
            probes,
            lists: Vec::new(),
            dns_server: None,
            names: BTreeMap::new(),
            connect_to: Vec::new(),
            extra_roots: Vec::new(),
            short: None,
        }
    }

    /// Against the pretend internet, with its names, rules and root.
    pub fn of(net: &Internet, probes: Vec<Probe>) -> Self {
        Self {
            dns_server: Some(net.dns()),
            connect_to: net.connect_to(),
            extra_roots: vec![der(&net.ca_pem())],
            ..Self::new(probes)
        }
    }

    pub fn settings(&self) -> Settings {
        let mut deadlines = Deadlines::all(LONG);
        match self.short {
            None => {}
            Some(StageName::Name) => deadlines.name = SHORT,
            Some(StageName::Tcp) => deadlines.tcp = SHORT,
            Some(StageName::Connect) => deadlines.connect = SHORT,
            Some(StageName::Tls) => deadlines.tls = SHORT,
            Some(StageName::Trust) => deadlines.trust = SHORT,
            Some(StageName::Http) => deadlines.http = SHORT,
        }
        Settings {
            dns_server: self.dns_server,
            connect_to: self.connect_to.iter().map(|rule| rule.parse().expect("a rule")).collect(),
            extra_roots: self.extra_roots.clone(),
            deadlines,
            bounds: Bounds::default(),
            proxy_accounts: ProxyAccounts::new(),
            checks: Checks::default(),
        }
    }

    /// All observations, by the id of their probe.
    pub async fn run(&self) -> BTreeMap<String, Observation> {
        self.run_as(ProxyAccounts::new()).await
    }

    /// The same with accounts for proxies.
    pub async fn run_as(&self, accounts: ProxyAccounts) -> BTreeMap<String, Observation> {
        let settings = Settings { proxy_accounts: accounts, ..self.settings() };
        let mut seen = BTreeMap::new();
        let keep = |observation: Observation| {
            let id = observation.probe.0.clone();
            assert!(seen.insert(id, observation).is_none(), "one for each probe");
        };
        probe::run(&self.probes, &settings, CancellationToken::new(), keep).await.expect("settings that work");
        assert_eq!(seen.len(), self.probes.len());
        seen
    }

    async fn fetch(&self) -> Vec<RevocationList> {
        let (seen, cancel) = (named(&self.lists), CancellationToken::new());
        probe::revocation::fetch(&[seen], &Via::Direct, &self.settings(), Timestamp::now(), &cancel).await
    }

    /// The same in a process of its own, started by `before` (such as `ip netns exec`). The test program must have a
    /// test `a_process_that_probes`, which calls [`child`].
    pub fn do_apart(&self, before: &[&str]) -> Done {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let job = folder.path().join("job.json");
        std::fs::write(&job, serde_json::to_vec(self).expect("a document")).expect("room for a file");
        let this = std::env::current_exe().expect("this program has a path");
        let words: Vec<_> = before.iter().map(AsRef::as_ref).chain([this.as_os_str()]).collect();
        let output = Command::new(words[0])
            .args(&words[1..])
            .args(["--exact", "a_process_that_probes", "--nocapture"])
            .env(JOB, &job)
            .output()
            .expect("this program starts once more");
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        let done = std::fs::read(job.with_extension("done")).unwrap_or_else(|_| panic!("no result: {said}"));
        let done: Done = serde_json::from_slice(&done).expect("a document");
        assert!(output.status.success(), "{said}");
        assert_eq!(done.observations.len(), self.probes.len(), "one for each probe");
        done
    }

    /// The observations by the id of their probe, and the memory in KiB.
    pub fn run_apart(&self, before: &[&str]) -> (BTreeMap<String, Observation>, u64) {
        let done = self.do_apart(before);
        (done.observations.into_iter().map(|seen| (seen.probe.0.clone(), seen)).collect(), done.grown_by)
    }
}

/// The other process: does the job that the environment names, if it names one.
pub fn child() {
    let Some(path) = std::env::var_os(JOB) else { return };
    let mut job: Job = serde_json::from_slice(&std::fs::read(&path).expect("the job")).expect("a document");
    let names = std::mem::take(&mut job.names);
    let net = (!names.is_empty()).then(|| {
        let add = |spec: Spec, (name, addresses): (String, Vec<IpAddr>)| spec.name(&name, Name::Addresses(addresses));
        Internet::start_blocking(names.into_iter().fold(Spec::default(), add))
    });
    job.dns_server = net.as_ref().map(Internet::dns).or(job.dns_server);
    let before = memory("VmRSS:");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads can be had");
    let (seen, lists) = runtime.block_on(async { (job.run().await, job.fetch().await) });
    let grown_by = memory("VmHWM:").saturating_sub(before);
    let done = Done { observations: seen.into_values().collect(), lists, grown_by };
    let out = std::path::Path::new(&path).with_extension("done");
    std::fs::write(out, serde_json::to_vec(&done).expect("a document")).expect("room for a file");
}

/// A figure of this process, in KiB; zero where the system does not tell.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// An observation of a trusted certificate that names these lists.
fn named(urls: &[String]) -> Observation {
    let mut seen = Observation::not_tried(ProbeId("p".into()), Timestamp::UNIX_EPOCH);
    let certificate = Certificate {
        subject: "CN=a.contoso.com".into(),
        issuer: "CN=Contoso Lab".into(),
        names: Vec::new(),
        not_before: None,
        not_after: None,
        sha256: String::new(),
        crl_urls: urls.to_vec(),
        ocsp_urls: Vec::new(),
        ocsp_request: None,
        issuer_urls: Vec::new(),
    };
    let evidence = TlsEvidence { version: None, suite: None, alpn: None, chain: vec![certificate] };
    seen.tls = Stage { outcome: Outcome::Ok, took_us: None, failure: None, evidence: Some(evidence) };
    seen.trust.outcome = Outcome::Ok;
    seen
}

/// The certificate of a PEM text.
pub fn der(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate").to_vec()
}

/// Where the URL leads; the id is the URL.
pub fn direct(url: &str) -> Probe {
    probe(url, Via::Direct)
}

/// Through a proxy that is known by its address.
pub fn through(url: &str, proxy: SocketAddr) -> Probe {
    probe(url, Via::Proxy { host: HostOrAddress::Address(proxy.ip()), port: proxy.port() })
}

fn probe(url: &str, via: Via) -> Probe {
    let parsed = Url::parse(url).expect("a URL");
    let target = Target {
        scheme: if parsed.scheme() == "http" { Scheme::Http } else { Scheme::Https },
        host: HostName::parse(parsed.host_str().expect("a URL with a host")).expect("a host name"),
        port: parsed.port_or_known_default().expect("a URL with a port"),
        path: parsed.path().to_owned(),
    };
    Probe {
        id: ProbeId(url.to_owned()),
        target,
        via,
        contexts: BTreeSet::new(),
        requirements: Vec::new(),
        asks: cmcomply::plan::Asks::default(),
    }
}

/// The failure of this stage and kind that the observation must have.
pub fn failure(seen: &Observation, stage: StageName, code: FailureCode) -> &Failure {
    match seen.first_failure() {
        Some((failed, failure)) if (failed, failure.code) == (stage, code) => failure,
        _ => panic!("{stage:?} should have failed with {code:?}: {seen:#?}"),
    }
}

/// Says what was skipped, past the capture of test output; fails where nothing may be.
pub fn skipped(what: &str) {
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|set| set != "1"), "{what}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

const JOB: &str = "CMCOMPLY_TEST_JOB";
