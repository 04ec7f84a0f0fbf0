//! Redirects: where an answer sends its readers, and the probes of these hops.
//!
//! A forwarder (`aka.ms`, `go.microsoft.com/fwlink`) is worth nothing without the host that it leads to, and no document
//! names that host. So each hop is probed like an endpoint of the plan, on the same route. Nobody is led to another
//! scheme than HTTP, to an address, to this machine itself, or from a public address to a private one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::layer::without_signature;
use super::{Failure, FailureCode, Observation};
use crate::host::{HostName, Scheme};
use crate::plan::{Asks, Probe, ProbeId, Target};
use crate::text::printable;

/// Where an answer sends its readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Redirect {
    /// To this endpoint. A path with a signature has lost its query.
    To(Target),
    /// To where nobody is sent.
    NotFollowed {
        /// Where to, as it said. Safe to print.
        to: String,
        /// Why not.
        why: String,
    },
}

impl Redirect {
    /// Reads the address of a redirect. `None` if the status is none of a redirect, or there is no address.
    pub(super) fn read(from: &Target, status: u16, location: Option<&[u8]>) -> Option<Self> {
        let location = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))?;
        let shown = String::from_utf8_lossy(location);
        let refused =
            |why: &str| Self::NotFollowed { to: printable(without_signature(&shown), MAX_SHOWN), why: why.to_owned() };
        if location.len() > MAX_LENGTH {
            return Some(refused("longer than any real address"));
        }
        let text = std::str::from_utf8(location).ok().map(str::trim);
        let base = Url::parse(&from.to_string()).ok();
        Some(match text.zip(base).and_then(|(text, base)| base.join(text).ok()) {
            Some(url) => target(&url).map_or_else(refused, Self::To),
            None => refused("no web address"),
        })
    }

    /// Whether it leads from TLS to plain HTTP.
    pub fn leaves_tls(&self, from: &Target) -> bool {
        matches!(self, Self::To(to) if from.scheme == Scheme::Https && to.scheme == Scheme::Http)
    }
}

fn target(url: &Url) -> Result<Target, &'static str> {
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err("no web address"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with credentials");
    }
    let host = HostName::parse(url.host_str().unwrap_or_default().trim_end_matches('.'));
    let host = host.map_err(|_| "no name of a host")?;
    if host.as_str() == "localhost" || host.as_str().ends_with(".localhost") {
        return Err("this machine itself");
    }
    if url.port() == Some(0) {
        return Err("port 0 is none");
    }
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let path = without_signature(&path).to_owned();
    Ok(Target { scheme, host, port: url.port_or_known_default().unwrap_or(scheme.default_port()), path })
}

/// The hops that come out of a run, each once, in waves.
#[derive(Debug, Default)]
pub(super) struct Hops {
    /// All probes so far: of the plan and of hops.
    known: HashMap<ProbeId, Probe>,
    /// The probe whose answer led to it.
    parents: HashMap<ProbeId, ProbeId>,
    /// Endpoints of the plan that a redirect led to: theirs are followed too, whether the plan asks for that or not.
    asked: HashSet<ProbeId>,
    /// Where the answers of endpoints of the plan lead that nobody has asked for so far.
    leads: HashMap<ProbeId, (Target, bool)>,
    found: Vec<Probe>,
    wave: usize,
}

impl Hops {
    /// Of the probes of a plan.
    pub(super) fn of(plan: &[Probe]) -> Self {
        let known = plan.iter().map(|probe| (probe.id.clone(), probe.clone())).collect();
        Self { known, ..Self::default() }
    }

    /// Takes note of where the observation leads, and writes down in it where it comes from.
    pub(super) fn look_at(&mut self, observation: &mut Observation) {
        let id = &observation.probe;
        observation.redirected_from = self.parents.get(id).cloned();
        let Some(Redirect::To(target)) = observation.http.evidence.as_ref().and_then(|http| http.redirect.as_ref())
        else {
            return;
        };
        let Some(probe) = self.known.get(id) else { return };
        let was_public = was_public(observation);
        if probe.asks.redirects || self.asked.contains(id) {
            self.follow(id.clone(), target.clone(), was_public);
        } else {
            self.leads.insert(id.clone(), (target.clone(), was_public));
        }
    }

    /// Follows an answer to a hop of its own, or past endpoints of the plan to where these lead.
    fn follow(&mut self, mut from: ProbeId, mut target: Target, mut public_only: bool) {
        let Some(via) = self.known.get(&from).map(|probe| probe.via.clone()) else { return };
        let mut id = ProbeId::of(&target, &via);
        while self.known.contains_key(&id) {
            // It is looked at by itself; where it leads comes to light now or with its own observation.
            if !self.asked.insert(id.clone()) {
                return;
            }
            let Some(lead) = self.leads.remove(&id) else { return };
            (target, public_only) = lead;
            (from, id) = (id, ProbeId::of(&target, &via));
        }
        if self.parents.len() >= MAX_HOPS || self.wave >= MAX_DEPTH {
            return;
        }
        let contexts = self.known.get(&from).map_or_else(BTreeSet::new, |probe| probe.contexts.clone());
        let asks = Asks { redirects: true, public_only, ..Asks::default() };
        let hop = Probe { id: id.clone(), target, via, contexts, requirements: Vec::new(), asks };
        self.parents.insert(id.clone(), from);
        self.known.insert(id, hop.clone());
        self.found.push(hop);
    }

    /// The hops that were found since the last time.
    pub(super) fn next_wave(&mut self) -> Vec<Probe> {
        self.wave += 1;
        std::mem::take(&mut self.found)
    }
}

/// Whether all addresses of what was dialled are public ones.
fn was_public(observation: &Observation) -> bool {
    observation.name.evidence.as_ref().is_some_and(|name| name.addresses.iter().all(|address| !is_private(*address)))
}

/// Refuses a hop that leads from a public address to one of this network or of this machine.
pub(super) fn refuse_private(probe: &Probe, addresses: &[IpAddr]) -> Result<(), Failure> {
    match addresses.iter().find(|address| probe.asks.public_only && is_private(**address)) {
        Some(address) => Err(Failure::new(
            FailureCode::HttpRedirect,
            &format!(
                "redirected to {}: not followed, a public address leads to {address}, a private one",
                probe.target
            ),
        )),
        None => Ok(()),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            // Also the addresses that providers share among their customers (RFC 6598).
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

const MAX_SHOWN: usize = 300;
const MAX_LENGTH: usize = 4096;
/// Hops in a row.
pub(crate) const MAX_DEPTH: usize = 5;
/// Hops of a whole run: no real hierarchy meets so many.
const MAX_HOPS: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from(url: &str) -> Target {
        target(&Url::parse(url).unwrap()).unwrap()
    }

    fn read(from: &Target, location: &str) -> String {
        match Redirect::read(from, 302, Some(location.as_bytes())).unwrap() {
            Redirect::To(to) => to.to_string(),
            Redirect::NotFollowed { why, .. } => why,
        }
    }

    #[test]
    fn web_addresses_are_followed_and_nothing_else() {
        let aka = from("https://aka.ms/x");
        for (location, expected) in [
            ("https://download.microsoft.com/a?b=c", "https://download.microsoft.com:443/a?b=c"),
            ("/elsewhere", "https://aka.ms:443/elsewhere"),
            ("//www.microsoft.com", "https://www.microsoft.com:443/"),
            ("http://a.blob.core.windows.net/x?sv=1&SIG=secret", "http://a.blob.core.windows.net:80/x"),
            ("file:///etc/passwd", "no web address"),
            ("ftp://microsoft.com/", "no web address"),
            ("data:text/html,x", "no web address"),
            ("https://127.0.0.1/", "no name of a host"),
            ("https://2130706433/", "no name of a host"),
            ("https://[::1]/", "no name of a host"),
            ("https://localhost/", "this machine itself"),
            ("http://a-.example/", "no name of a host"),
            ("http://foo.123/", "no web address"),
            ("http://a.example:0/", "port 0 is none"),
            ("http://b\u{fc}cher.example/", "http://xn--bcher-kva.example:80/"),
            ("https://user:word@www.microsoft.com/", "an address with credentials"),
        ] {
            assert_eq!(read(&aka, location), expected, "{location}");
        }
        assert!(read(&aka, &format!("https://a.example/{}", "x".repeat(10_000))).contains("longer"));
        assert_eq!(Redirect::read(&aka, 200, Some(b"https://www.microsoft.com/")), None);
        assert_eq!(Redirect::read(&aka, 301, None), None);
        let down = Redirect::read(&aka, 301, Some(b"http://www.microsoft.com/")).unwrap();
        assert!(down.leaves_tls(&aka) && !down.leaves_tls(&from("http://aka.ms/")));
    }

    #[test]
    fn private_addresses_are_known() {
        for address in ["10.1.2.3", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["13.107.4.50", "100.128.0.1", "2620:1ec:4a::1"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_location_panics(location in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Redirect::read(&from("https://aka.ms/"), 302, Some(&location));
        }
    }
}
