//! What one probe saw, layer by layer, in words.

use super::{further, words};
use crate::probe::{
    Certificate, ConnectEvidence, Header, HttpEvidence, Issuance, NameAnswer, NameEvidence, Observation, Outcome,
    Stage, StageName, TcpEvidence, TlsEvidence, TrustEvidence,
};

/// One layer in words.
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) outcome: &'static str,
    /// What was seen, without the time.
    pub(super) text: String,
    pub(super) took_us: Option<u64>,
}

impl Layer {
    /// What was seen, and how long it took.
    pub(super) fn said(&self) -> String {
        let parts = [Some(self.text.clone()), self.took_us.map(took)];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// `TCP failed: ...`
    fn line(&self) -> String {
        let said = self.said();
        let said = if said.is_empty() { said } else { format!(": {said}") };
        format!("{} {}{said}", self.name, self.outcome)
    }
}

/// The tries before, then the layers in the order in which they are gone through, without those that have no place on
/// this route, then what was looked at besides.
pub(super) fn layers(seen: &Observation) -> Vec<Layer> {
    let layers = [
        layer(StageName::Name, &seen.name, name),
        layer(StageName::Tcp, &seen.tcp, tcp),
        layer(StageName::Connect, &seen.connect, connect),
        layer(StageName::Tls, &seen.tls, tls),
        layer(StageName::Trust, &seen.trust, trust),
        layer(StageName::Http, &seen.http, http),
    ];
    let earlier = Some(tries(seen)).filter(|tries| !tries.is_empty());
    let earlier = earlier.map(|text| Layer { name: "earlier tries", outcome: "failed", text, took_us: None });
    earlier.into_iter().chain(layers.into_iter().flatten()).chain(further::layers(&seen.further)).collect()
}

/// The same, one line each.
pub(super) fn lines(seen: &Observation) -> Vec<String> {
    let led = seen.redirected_from.as_ref().map(|from| format!(", where {from} leads to")).unwrap_or_default();
    std::iter::once(format!("{}{led}", seen.probe)).chain(layers(seen).iter().map(Layer::line)).collect()
}

/// How the tries before the last one failed; empty where there was but one.
pub(super) fn tries(seen: &Observation) -> String {
    let tries =
        seen.earlier.iter().map(|earlier| format!("{}: {}", words::stage(earlier.stage), earlier.failure.detail));
    tries.collect::<Vec<_>>().join("; then ")
}

fn layer<E>(name: StageName, stage: &Stage<E>, words: impl Fn(&E) -> String) -> Option<Layer> {
    let outcome = match stage.outcome {
        Outcome::Ok => "ok",
        Outcome::Failed => "failed",
        Outcome::NotTried => "not tried",
        Outcome::Cancelled => "interrupted",
        Outcome::NotNeeded if stage.evidence.is_some() => "not needed",
        Outcome::NotNeeded => return None,
    };
    let failure = stage.failure.as_ref().map(|failure| failure.detail.clone());
    let text = [failure, stage.evidence.as_ref().map(words)];
    let text = text.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    Some(Layer { name: words::stage(name), outcome, text, took_us: stage.took_us })
}

fn took(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

fn name(seen: &NameEvidence) -> String {
    let rule = seen.connect_to.as_ref().map(|rule| format!(", led elsewhere by --connect-to {rule}"));
    let aliases = if seen.canonical_names.is_empty() {
        String::new()
    } else {
        format!(", through {}", seen.canonical_names.join(", "))
    };
    let addresses = seen.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let answer = match (&seen.response_code, addresses.is_empty()) {
        (Some(code), true) => format!(": {code}"),
        (None, true) => String::new(),
        (_, false) => format!(": {addresses}"),
    };
    let odd = seen.oddities.iter().map(|odd| format!(", {}: {}", odd.address, odd.detail)).collect::<Vec<_>>().concat();
    let answers = answers(&seen.answers);
    let answers = if answers.is_empty() { answers } else { format!(" ({answers})") };
    format!("{} asked of {}{answer}{answers}{aliases}{odd}{}", seen.asked, seen.resolver, rule.unwrap_or_default())
}

/// What each question came to: `A: NOERROR, 2 addresses; AAAA: no answer within 5 s`.
pub(super) fn answers(answers: &[NameAnswer]) -> String {
    let one = |answer: &NameAnswer| {
        let code = answer.response_code.as_deref();
        let said = answer.extended_error.as_deref();
        let failure = answer.failure.as_ref().map(|failure| failure.detail.as_str());
        let number = match answer.addresses {
            0 => None,
            1 => Some("1 address".to_owned()),
            more => Some(format!("{more} addresses")),
        };
        let parts = [code, said, failure, number.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("{}: {}", answer.record, if parts.is_empty() { "nothing" } else { &parts })
    };
    answers.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn tcp(seen: &TcpEvidence) -> String {
    let several = seen.attempts.iter().filter(|attempt| attempt.failure.is_none()).count() > 1;
    let used = |address| if several && seen.used == Some(address) { " and used" } else { "" };
    let mut parts: Vec<String> = seen
        .attempts
        .iter()
        .map(|attempt| match &attempt.failure {
            None => format!("{} opened in {}{}", attempt.address, took(attempt.took_us), used(attempt.address)),
            Some(failure) => format!("{} {}", attempt.address, failure.detail),
        })
        .collect();
    if seen.untried > 0 {
        parts.push(format!("{} more addresses not tried", seen.untried));
    }
    parts.join(", ")
}

fn trust(seen: &TrustEvidence) -> String {
    let fetched = seen.fetched.iter().map(|issuer| format!("left out by the server, fetched from {}", issuer.url));
    let issued = match seen.issuance {
        Some(Issuance::Public) => Some("issued by a public authority".to_owned()),
        Some(Issuance::Private) => Some("not issued by a public authority".to_owned()),
        Some(Issuance::Untold) => Some("who issued it does not show".to_owned()),
        None => None,
    };
    fetched.chain([format!("judged against {}", seen.roots)]).chain(issued).collect::<Vec<_>>().join(", ")
}

fn connect(seen: &ConnectEvidence) -> String {
    let text = answer("CONNECT", seen.status, &seen.headers);
    let text = seen.product.as_ref().map_or_else(|| text.clone(), |product| format!("{text}, the proxy is {product}"));
    match (&seen.account, &seen.scheme) {
        (Some(account), Some(scheme)) => format!("{text}, signed in as {account} by {scheme}"),
        _ => text,
    }
}

fn http(seen: &HttpEvidence) -> String {
    let page = seen.block_page.as_ref().map(|page| format!("; a block page: {page}")).unwrap_or_default();
    let led = seen.redirect.as_ref().map(|redirect| format!("; leads to {}", words::redirect(redirect)));
    let led = led.unwrap_or_default();
    format!("{}{led}{page}", answer(&seen.method, seen.status, &seen.headers))
}

fn answer(method: &str, status: Option<u16>, headers: &[Header]) -> String {
    let status = status.map_or_else(|| "no status".to_owned(), |status| format!("status {status}"));
    headers
        .iter()
        .fold(format!("{method}: {status}"), |text, header| format!("{text}, {}: {}", header.name, header.value))
}

fn tls(seen: &TlsEvidence) -> String {
    let agreed = [&seen.version, &seen.suite, &seen.alpn].into_iter().flatten().cloned();
    agreed.chain(seen.chain.iter().map(certificate)).collect::<Vec<_>>().join(", ")
}

fn certificate(seen: &Certificate) -> String {
    let more = match seen.names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = seen.names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { names } else { format!(" for {names}{more}") };
    let from = seen.not_before.map(|begin| format!(", valid from {begin}")).unwrap_or_default();
    let until = seen.not_after.map(|end| format!(", valid through {end}")).unwrap_or_default();
    let Certificate { subject, issuer, sha256, .. } = seen;
    format!("certificate of \"{subject}\"{names} issued by \"{issuer}\"{from}{until}, SHA-256 {sha256}")
}

/// Names of a certificate that are shown.
const NAMES: usize = 8;
