//! From what was seen to a cause and a remedy in words, by way of the table.

use super::causes::{IN_PRODUCT, row};
use super::verdict::Cause;
use crate::derive::{Requirement, Via};
use crate::plan::Probe;
use crate::probe::{Failure, FailureCode, Observation, StageName, further::SuiteAnswer, publicly_certified};

/// The values that the words of the table may name.
#[derive(Debug, Clone, Default)]
pub(super) struct Words(Vec<(&'static str, String)>);

impl Words {
    /// Adds a value.
    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.push((key, value.into()));
        self
    }

    /// What can be said of a probe: who needs it (`from`), who looked (`at`), and what was seen.
    pub(super) fn of(probe: &Probe, seen: &Observation, from: &str, at: &str) -> Self {
        let target = &probe.target;
        let endpoint = format!("{}:{}", target.host, target.port);
        // Who is dialled: the target on a direct route, the proxy else.
        let (dialled, proxy) = match &probe.via {
            Via::Proxy { host, port } => (format!("{host}:{port}"), format!("{host}:{port}")),
            Via::Direct | Via::Unknown => (endpoint.clone(), "the proxy".to_owned()),
        };
        let product = seen.connect.evidence.as_ref().and_then(|connect| connect.product.as_ref());
        let proxy = product.map_or_else(|| proxy.clone(), |product| format!("{proxy} ({product})"));
        let name = seen.name.evidence.as_ref().map_or_else(|| dialled.clone(), |name| name.asked.clone());
        Self::default()
            .with("tcp", addresses(seen, &dialled))
            .with("endpoint", endpoint)
            .with("host", target.host.as_str())
            .with("dialled", dialled)
            .with("proxy", proxy)
            .with("name", name)
            .with("from", from)
            .with("at", at)
            .with("issuer", issuer(seen))
            .with("names", names(seen))
            .with("validity", validity(seen))
            .with("suites", suites(seen))
            .with("status", status(seen))
    }

    /// The template with the values in it, each once: what a value says is not looked at again.
    fn fill(&self, template: &str) -> String {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((head, tail)) = rest.split_once('{') {
            let (key, after) = tail.split_once('}').unwrap_or((tail, ""));
            filled.push_str(head);
            // The last one that was added counts.
            filled.push_str(self.0.iter().rev().find(|(name, _)| *name == key).map_or("?", |(_, value)| value));
            rest = after;
        }
        filled + rest
    }
}

/// A cause of the table.
pub(super) fn of_code(code: &str, words: &Words) -> Cause {
    let row = row(code);
    Cause {
        code: row.code.to_owned(),
        stage: None,
        text: words.fill(row.text),
        detail: None,
        remedy: words.fill(row.remedy),
        in_product: None,
    }
}

/// What the first failure of an observation means and what to do, for the machine `from`, which looked itself; `None` if
/// nothing failed.
pub fn explain(probe: &Probe, observation: &Observation, from: &str) -> Option<Cause> {
    let (stage, failure) = observation.first_failure()?;
    let words = Words::of(probe, observation, from, from);
    let cause = of_code(&code_of(probe, observation, failure), &words);
    Some(Cause { stage: Some(stage), detail: Some(failure.detail.clone()), ..cause })
}

/// What a failure means and what to do.
pub(super) fn of_failure(
    requirement: &Requirement,
    probe: &Probe,
    seen: &Observation,
    (stage, failure): (StageName, &Failure),
    words: &Words,
) -> Cause {
    let cause = of_code(&code_of(probe, seen, failure), words);
    Cause {
        stage: Some(stage),
        text: for_host(requirement, probe, &cause.text),
        detail: Some(failure.detail.clone()),
        in_product: in_product(requirement),
        ..cause
    }
}

/// With the host before it, where that is not what the requirement names.
pub(super) fn for_host(requirement: &Requirement, probe: &Probe, text: &str) -> String {
    let host = probe.target.host.as_str();
    if requirement.name.to_string() == host { text.to_owned() } else { format!("{host}: {text}") }
}

/// Where the product shows the same.
pub(super) fn in_product(requirement: &Requirement) -> Option<String> {
    let found = IN_PRODUCT
        .iter()
        .find(|(role, section, _)| *role == requirement.role.title() && *section == requirement.section);
    found.map(|(.., place)| (*place).to_owned())
}

/// The inference: the code of the failure, or a closer one where other evidence stands beside it.
fn code_of(probe: &Probe, seen: &Observation, failure: &Failure) -> String {
    let taken = |answer| seen.further.suites.iter().any(|look| look.answer == answer);
    match failure.code {
        FailureCode::CertificateUntrusted if publicly_certified(&probe.target.host) => {
            "tls-inspected-untrusted".to_owned()
        }
        FailureCode::TlsAlert if taken(SuiteAnswer::Refused) && !taken(SuiteAnswer::Taken) => "tls-no-suite".to_owned(),
        code => code_name(code),
    }
}

/// The stable name of a failure, as the documents write it.
pub(crate) fn code_name(code: FailureCode) -> String {
    serde_json::to_value(code).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `TCP 443 to 4 of 4 addresses`
fn addresses(seen: &Observation, dialled: &str) -> String {
    let port = dialled.rsplit_once(':').map_or("", |(_, port)| port);
    let attempts = seen.tcp.evidence.as_ref().map_or(&[][..], |tcp| &tcp.attempts);
    let untried = seen.tcp.evidence.as_ref().map_or(0, |tcp| tcp.untried);
    let failed = attempts.iter().filter(|attempt| attempt.failure.is_some()).count();
    match (failed, attempts) {
        (_, []) => format!("TCP {port} to {dialled}"),
        (1, [one]) if untried == 0 => format!("TCP {port} to {}", one.address.ip()),
        (failed, all) => format!("TCP {port} to {failed} of {} addresses", all.len() + untried),
    }
}

/// Who issued the last certificate that was served.
pub(super) fn issuer(seen: &Observation) -> String {
    let chain = seen.tls.evidence.as_ref().map_or(&[][..], |tls| &tls.chain);
    chain.last().map_or_else(|| "nobody".to_owned(), |last| last.issuer.clone())
}

fn names(seen: &Observation) -> String {
    let leaf = seen.tls.evidence.as_ref().and_then(|tls| tls.chain.first());
    match leaf.map(|leaf| leaf.names.as_slice()) {
        None | Some([]) => "no name at all".to_owned(),
        Some([first]) => first.clone(),
        Some([first, rest @ ..]) => format!("{first} and {} more", rest.len()),
    }
}

fn validity(seen: &Observation) -> String {
    let chain = seen.tls.evidence.as_ref().map_or(&[][..], |tls| &tls.chain);
    let outside = |moment: Option<jiff::Timestamp>, late: bool| moment.is_some_and(|m| (m < seen.started) == late);
    let faulty = chain.iter().find(|one| outside(one.not_after, true) || outside(one.not_before, false));
    let day = |moment: Option<jiff::Timestamp>| moment.map_or_else(|| "?".to_owned(), |m| m.strftime("%F").to_string());
    faulty.or(chain.first()).map_or_else(
        || "at no time".to_owned(),
        |one| format!("from {} to {}", day(one.not_before), day(one.not_after)),
    )
}

/// The documented suites that were refused.
fn suites(seen: &Observation) -> String {
    let refused = seen.further.suites.iter().filter(|look| look.answer == SuiteAnswer::Refused);
    refused.map(|look| look.suite.as_str()).collect::<Vec<_>>().join(", ")
}

/// ` status 502`, if there was an answer of any kind.
fn status(seen: &Observation) -> String {
    let http = seen.http.evidence.as_ref().and_then(|http| http.status).map(|status| format!(" with status {status}"));
    let connect = seen.connect.evidence.as_ref().and_then(|connect| connect.status);
    http.or(connect.map(|status| format!(" to CONNECT with status {status}"))).unwrap_or_default()
}
