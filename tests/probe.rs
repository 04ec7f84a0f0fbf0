//! The probe against the pretend internet: every kind of answer, and what becomes of it.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

#[path = "probe/answers.rs"]
mod answers;
#[path = "probe/anybody.rs"]
mod anybody;
#[path = "probe/names.rs"]
mod names;
#[path = "probe/proxies.rs"]
mod proxies;
#[path = "probe/runs.rs"]
mod runs;

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
use lab::internet::{Asking, Behaviour, Internet, Manner, Name, ProxySpec, Seen, Spec};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Long enough for any machine; nothing waits for it.
const LONG: Duration = Duration::from_mins(1);
/// For the one stage that is silent.
const SHORT: Duration = Duration::from_millis(400);

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
