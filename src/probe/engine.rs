//! The engine: walks each probe through its layers.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::yield_now;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::author::Author;
use super::further::{self, Further, Line};
use super::gates::Gates;
use super::http::Manner;
use super::layer::{Seen, io_words};
use super::redirect::{self, Hops};
use super::route::Route;
use super::schedule::{broken, schedule};
use super::tcp::{Attempts, Opened, Turns, code_of, micros};
use super::trust::Trust;
use super::{
    Failure, FailureCode, Observation, Outcome, ProxyAccount, Settings, Stage, again, dns, http, sign_in, tls,
};
use crate::derive::Via;
use crate::host::HostOrAddress;
use crate::host::Scheme;
use crate::plan::Probe;

/// Probes all, and hands over each observation as it comes: exactly one for each probe, also when cancelled, and one
/// for each hop of a redirect that the plan asks to follow ([`Observation::redirected_from`]).
///
/// Returns when all are done, `cancel` was cancelled, or the total deadline has passed. What was under way is then
/// [`Outcome::Cancelled`], and a probe that had not begun is not tried at any stage. An error comes before anything is
/// sent.
pub async fn run(
    probes: &[Probe],
    settings: &Settings,
    cancel: CancellationToken,
    mut on_observation: impl FnMut(Observation),
) -> Result<(), SetupError> {
    let cancel = cancel.child_token();
    let engine = Arc::new(Engine::new(settings, cancel.clone())?);
    if probes.iter().any(|probe| probe.target.scheme == Scheme::Https) {
        // There is time until the first handshake.
        let engine = Arc::clone(&engine);
        tokio::spawn(async move { engine.trust.prepare().await });
    }
    let work = |probe: Probe| {
        let engine = Arc::clone(&engine);
        async move { engine.probe(&probe).await }
    };
    let began = Instant::now();
    let mut hops = Hops::of(probes);
    let mut wave = probes.to_vec();
    while !wave.is_empty() {
        let left = settings.deadlines.total.map(|total| total.saturating_sub(began.elapsed()));
        let take = |mut observation: Observation| {
            hops.look_at(&mut observation);
            on_observation(observation);
        };
        schedule(&wave, settings.bounds.probes, left, &cancel, work, take).await;
        wave = hops.next_wave();
    }
    Ok(())
}

/// Why nothing can be probed with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A root given besides the machine's is no certificate that can be used.
    #[error("certificate {number} of the extra roots cannot be used: {reason}")]
    ExtraRoot {
        /// Counted from one.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The crypto library refuses to work.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// What all probes of a run share: the settings, one gate per layer, one TLS client, one verifier.
struct Engine {
    settings: Settings,
    cancel: CancellationToken,
    names: Semaphore,
    /// TLS handshakes with the HTTP after them.
    talks: Semaphore,
    to_targets: Arc<Turns>,
    to_proxies: Arc<Turns>,
    tls: tls::Client,
    trust: Trust,
}

impl Engine {
    fn new(settings: &Settings, cancel: CancellationToken) -> Result<Self, SetupError> {
        let provider = tls::provider();
        let bounds = settings.bounds;
        let sockets = Arc::new(Semaphore::new(bounds.sockets()));
        let turns = |bound| Turns { sockets: Arc::clone(&sockets), addresses: Gates::new(bound) };
        Ok(Self {
            tls: tls::Client::new(Arc::clone(&provider))?,
            trust: Trust::new(settings, provider)?,
            settings: settings.clone(),
            cancel,
            names: Semaphore::new(bounds.names.max(1)),
            talks: Semaphore::new(bounds.tls.max(1)),
            to_targets: Arc::new(turns(bounds.per_address)),
            to_proxies: Arc::new(turns(bounds.per_proxy)),
        })
    }

    /// One probe, from the name to the answer; tried again where that may change the answer.
    async fn probe(&self, probe: &Probe) -> Observation {
        let Some(route) = Route::of(probe, &self.settings.connect_to) else {
            return broken(probe.id.clone(), "the route is unknown, so nothing was tried");
        };
        let mut seen = self.once(probe, &route).await;
        while seen.earlier.len() < self.settings.bounds.retries
            && let Some(pause) = again::pause(&seen, &self.settings.deadlines)
        {
            select! {
                () = sleep(pause) => {}
                () = self.cancel.cancelled() => break,
            }
            let next = self.once(probe, &route).await;
            // What was seen is worth more than a try that did not end.
            if next.was_cancelled() {
                break;
            }
            let mut earlier = std::mem::take(&mut seen.earlier);
            earlier.extend(again::as_try(&seen));
            seen = Observation { started: seen.started, earlier, ..next };
        }
        seen
    }

    /// One try of a probe.
    async fn once(&self, probe: &Probe, route: &Route) -> Observation {
        let mut seen = Observation::not_tried(probe.id.clone(), Timestamp::now());
        if !route.has_tunnel() {
            seen.connect = Stage::not_needed();
        }
        if probe.target.scheme == Scheme::Http {
            (seen.tls, seen.trust) = (Stage::not_needed(), Stage::not_needed());
        }
        self.walk(probe, route, &mut seen).await;
        self.look_further(probe, route, &mut seen).await;
        seen
    }

    /// What the plan asks for besides the layers.
    async fn look_further(&self, probe: &Probe, route: &Route, seen: &mut Observation) {
        let Some(address) = further::open_address(seen).filter(|_| !probe.asks.is_empty()) else { return };
        let provider = tls::provider();
        let account = self.account(probe);
        let line = Line {
            probe,
            route,
            address,
            account,
            settings: &self.settings,
            provider,
            tls: &self.tls,
            trust: &self.trust,
        };
        let mut further = Further::default();
        select! {
            biased;
            () = self.cancel.cancelled() => {}
            () = further::look(&line, seen, &mut further) => {}
        }
        seen.further = further;
    }

    /// Stage after stage until one does not succeed; `None` says that.
    async fn walk(&self, probe: &Probe, route: &Route, seen: &mut Observation) -> Option<()> {
        let addresses = match &route.dial {
            HostOrAddress::Address(address) => {
                seen.name = Stage { evidence: Some(route.address_evidence(*address)), ..Stage::not_needed() };
                vec![*address]
            }
            HostOrAddress::Name(name) => {
                let _place = self.enter(&self.names, &mut seen.name).await?;
                let (server, rule) = (self.settings.dns_server, route.rule.clone());
                self.stage(&mut seen.name, dns::resolve(name, server, rule, self.settings.deadlines.name)).await?
            }
        };
        if let Err(failure) = redirect::refuse_private(probe, &addresses) {
            (seen.http.outcome, seen.http.failure) = (Outcome::Failed, Some(failure));
            return None;
        }
        let (bound, limit) = (self.settings.bounds.addresses, self.settings.deadlines.tcp);
        let turns = if route.proxied { &self.to_proxies } else { &self.to_targets };
        let mut attempts = Attempts::start(&addresses, route.port, bound, limit, turns);
        let first = self.stage(&mut seen.tcp, async { Seen { evidence: None, result: attempts.first().await } }).await;
        seen.tcp.took_us = attempts.took_us().or(seen.tcp.took_us);
        match first {
            Some(Some(opened)) => _ = self.talk(probe, route, seen, opened).await,
            Some(None) => cut_at_once(seen, &attempts),
            None => {}
        }
        // The other addresses are part of the answer, so the probe ends with the last of them.
        select! {
            () = attempts.finish() => {}
            () = self.cancel.cancelled() => {}
        }
        seen.tcp.evidence = Some(attempts.evidence());
        Some(())
    }

    /// What is said over an open connection.
    async fn talk(&self, probe: &Probe, route: &Route, seen: &mut Observation, opened: Opened) -> Option<()> {
        let Opened { mut stream, address, places: _places } = opened;
        let (target, limits) = (&probe.target, &self.settings.deadlines);
        let account = self.account(probe);
        if route.has_tunnel() {
            let tunnel = sign_in::tunnel(stream, address, target, account, limits.connect);
            stream = self.stage(&mut seen.connect, tunnel).await?;
        }
        // A document or a part of a file is asked for by itself.
        let file = target.path != "/" && probe.asks.content.is_none() && !probe.asks.byte_range;
        if target.scheme == Scheme::Http {
            let _place = self.enter(&self.talks, &mut seen.http).await?;
            let manner = Manner { by_proxy: route.proxied, author: Author::Anybody, file };
            if route.proxied {
                let visit = sign_in::visit(stream, address, target, manner, account, limits.http);
                return self.stage(&mut seen.http, visit).await;
            }
            let again = async || Ok(Box::new(tcp_again(address).await?) as Box<dyn http::Wire>);
            let visit = http::visit(Box::new(stream), target, manner, None, limits.http, again);
            return self.stage(&mut seen.http, visit).await;
        }
        let _place = self.enter(&self.talks, &mut seen.tls).await?;
        // A handshake begins with work for the processor. Connections that opened at the same moment are noted before it,
        // else their time would be that of the queue.
        yield_now().await;
        select! {
            () = self.trust.prepare() => {}
            () = self.cancel.cancelled() => {}
        }
        let handshake = self.tls.handshake(stream, address, &target.host, limits.tls);
        let (session, chain) = self.stage(&mut seen.tls, handshake).await?;
        let judged = self.trust.judge(chain.clone(), &target.host, &probe.via, limits.trust);
        self.stage(&mut seen.trust, judged).await?;
        let again = async || {
            let mut stream = tcp_again(address).await?;
            if route.has_tunnel() {
                stream = sign_in::tunnel(stream, address, target, account, limits.connect).await.result?;
            }
            let handshake = self.tls.handshake(stream, address, &target.host, limits.tls);
            let (session, same) = handshake.await.result?;
            // Another certificate of the same host, as behind a load balancer, is judged like the first.
            if same != chain {
                self.trust.judge(same, &target.host, &probe.via, limits.trust).await.result?;
            }
            Ok(Box::new(session) as Box<dyn http::Wire>)
        };
        let issuance = seen.trust.evidence.as_ref().and_then(|trust| trust.issuance);
        let manner = Manner { by_proxy: false, author: Author::of(target, issuance), file };
        let visit = http::visit(Box::new(session), target, manner, None, limits.http, again);
        self.stage(&mut seen.http, visit).await
    }

    /// The account for the proxy of this probe.
    fn account(&self, probe: &Probe) -> Option<&ProxyAccount> {
        match &probe.via {
            Via::Proxy { host, port } => self.settings.proxy_accounts.get(&(host.clone(), *port)),
            Via::Direct | Via::Unknown => None,
        }
    }

    /// Runs one stage and writes down how it ended. `None` if it did not succeed.
    async fn stage<T, E>(&self, slot: &mut Stage<E>, work: impl Future<Output = Seen<T, E>>) -> Option<T> {
        let clock = Instant::now();
        let seen = select! {
            biased;
            () = self.cancel.cancelled() => {
                *slot = Stage { outcome: Outcome::Cancelled, took_us: Some(micros(clock)), ..Stage::not_tried() };
                return None;
            }
            seen = work => seen,
        };
        let (outcome, failure, value) = match seen.result {
            Ok(value) => (Outcome::Ok, None, Some(value)),
            Err(failure) => (Outcome::Failed, Some(failure), None),
        };
        *slot = Stage { outcome, took_us: Some(micros(clock)), failure, evidence: seen.evidence };
        value
    }

    /// Waits for a place at a gate. A cancelled stage that never began has no time.
    async fn enter<'a, E>(&self, gate: &'a Semaphore, slot: &mut Stage<E>) -> Option<SemaphorePermit<'a>> {
        select! {
            biased;
            () = self.cancel.cancelled() => {
                slot.outcome = Outcome::Cancelled;
                None
            }
            place = gate.acquire() => Some(place.expect("the gates are never closed")),
        }
    }
}

/// Another connection to an address that was open a moment ago, under the deadline of the stage that asks.
pub(super) async fn tcp_again(address: SocketAddr) -> Result<TcpStream, Failure> {
    TcpStream::connect(address).await.map_err(|error| {
        let detail = format!("connect to {address} once more: {}", io_words(&error));
        Failure::new(code_of(&error, address), &detail)
    })
}

/// The connection opened and was reset before anything could be sent: the failure of the next layer.
fn cut_at_once(seen: &mut Observation, attempts: &Attempts) {
    let attempts = attempts.evidence().attempts;
    let reset = attempts.iter().filter_map(|a| a.failure.as_ref()).find(|f| f.code == FailureCode::TcpReset);
    let how = reset.map_or("connection reset", |failure| failure.detail.as_str());
    let failure = |code| Some(Failure::new(code, &format!("{how} as soon as it was open")));
    if seen.connect.outcome == Outcome::NotTried {
        (seen.connect.outcome, seen.connect.failure) = (Outcome::Failed, failure(FailureCode::ProxyBadReply));
    } else if seen.tls.outcome == Outcome::NotTried {
        (seen.tls.outcome, seen.tls.failure) = (Outcome::Failed, failure(FailureCode::TlsReset));
    } else {
        (seen.http.outcome, seen.http.failure) = (Outcome::Failed, failure(FailureCode::HttpReset));
    }
}
