//! What one probe saw, layer by layer, in words.

use super::words;
use crate::probe::{
    Certificate, ConnectEvidence, Header, HttpEvidence, NameEvidence, Observation, Outcome, Stage, StageName,
    TcpEvidence, TlsEvidence, TrustEvidence,
};

/// One layer in words.
pub(super) struct Layer {
    pub(super) name: &'static str,
    pub(super) outcome: &'static str,
    pub(super) text: String,
}

/// The layers in the order in which they are gone through, without those that have no place on this route.
pub(super) fn layers(seen: &Observation) -> Vec<Layer> {
    [
        layer(StageName::Name, &seen.name, name),
        layer(StageName::Tcp, &seen.tcp, tcp),
        layer(StageName::Connect, &seen.connect, connect),
        layer(StageName::Tls, &seen.tls, tls),
        layer(StageName::Trust, &seen.trust, trust),
        layer(StageName::Http, &seen.http, http),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The same, one line each: `TCP failed: ...`.
pub(super) fn lines(seen: &Observation) -> Vec<String> {
    let lines = layers(seen).into_iter().map(|layer| {
        let text = if layer.text.is_empty() { String::new() } else { format!(": {}", layer.text) };
        format!("{} {}{text}", layer.name, layer.outcome)
    });
    std::iter::once(seen.probe.to_string()).chain(lines).collect()
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
    let text = [failure, stage.evidence.as_ref().map(words), stage.took_us.map(took)];
    let text = text.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    Some(Layer { name: words::stage(name), outcome, text })
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
    format!("{} asked of {}{answer}{aliases}{}", seen.asked, seen.resolver, rule.unwrap_or_default())
}

fn tcp(seen: &TcpEvidence) -> String {
    let mut parts: Vec<String> = seen
        .attempts
        .iter()
        .map(|attempt| match &attempt.failure {
            None => format!("{} opened in {}", attempt.address, took(attempt.took_us)),
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
    fetched.chain([format!("judged against {}", seen.roots)]).collect::<Vec<_>>().join(", ")
}

fn connect(seen: &ConnectEvidence) -> String {
    let text = answer("CONNECT", seen.status, &seen.headers);
    match (&seen.account, &seen.scheme) {
        (Some(account), Some(scheme)) => format!("{text}, signed in as {account} by {scheme}"),
        _ => text,
    }
}

fn http(seen: &HttpEvidence) -> String {
    let page = seen.block_page.as_ref().map(|page| format!("; a block page: {page}")).unwrap_or_default();
    format!("{}{page}", answer(&seen.method, seen.status, &seen.headers))
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
    let until = seen.not_after.map(|end| format!(", valid through {end}")).unwrap_or_default();
    format!("certificate of \"{}\" issued by \"{}\"{until}, SHA-256 {}", seen.subject, seen.issuer, seen.sha256)
}
