//! What was looked at besides the layers, in words.

use super::layers::Layer;
use crate::probe::Further;
use crate::probe::further::{ContentLook, Idle, IdleLook, Range, RangeLook, SuiteAnswer, SuiteLook, VerbLook};

/// One entry for each kind of look that was taken.
pub(super) fn layers(seen: &Further) -> Vec<Layer> {
    let looks = [
        (!seen.suites.is_empty()).then(|| suites(&seen.suites)),
        seen.byte_range.as_ref().map(range),
        seen.content.as_ref().map(content),
        (!seen.gateway.is_empty()).then(|| gateway(&seen.gateway)),
        seen.idle.as_ref().map(idle),
    ];
    looks.into_iter().flatten().collect()
}

fn look(name: &'static str, outcome: &'static str, text: String) -> Layer {
    Layer { name, outcome, text, took_us: None }
}

fn suites(looks: &[SuiteLook]) -> Layer {
    let any = |answer| looks.iter().any(|look| look.answer == answer);
    let outcome = match (any(SuiteAnswer::Taken), any(SuiteAnswer::NotSeen), any(SuiteAnswer::Refused)) {
        (true, ..) => "ok",
        (false, false, true) => "failed",
        _ => "not seen",
    };
    let one = |look: &SuiteLook| {
        let answer = match look.answer {
            SuiteAnswer::Taken => "taken",
            SuiteAnswer::Refused => "refused",
            SuiteAnswer::NotOffered => "not tried, our TLS library has none",
            SuiteAnswer::NotSeen => "not seen",
        };
        let detail = look.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        format!("{} of {} {answer}{detail}", look.suite, look.version)
    };
    look("cipher suites", outcome, looks.iter().map(one).collect::<Vec<_>>().join("; "))
}

fn range(seen: &RangeLook) -> Layer {
    let outcome = match seen.answer {
        Range::Served => "ok",
        Range::Ignored => "ignored",
        Range::Denied | Range::Stopped => "failed",
        Range::NoFile | Range::NotSeen => "not seen",
    };
    look("part of a file", outcome, seen.detail.clone())
}

fn content(seen: &ContentLook) -> Layer {
    let status = seen.status.map(|status| format!("status {status}"));
    let issuer = seen.issuer.as_ref().map(|issuer| format!("issuer {issuer}"));
    let tokens = seen.token_endpoint.as_ref().map(|endpoint| format!("tokens at {endpoint}"));
    let parts = [seen.fault.clone(), status, issuer, tokens].into_iter().flatten().collect::<Vec<_>>();
    look("document", if seen.fault.is_none() { "ok" } else { "failed" }, parts.join(", "))
}

fn gateway(looks: &[VerbLook]) -> Layer {
    let stopped = looks.iter().any(|look| look.stopped.is_some());
    let one = |look: &VerbLook| {
        let status = look.status.map(|status| format!(" status {status}")).unwrap_or_default();
        let stopped = look.stopped.as_ref().map(|why| format!(" stopped ({why})")).unwrap_or_default();
        format!("{}{status}{stopped}", look.verb)
    };
    let text = looks.iter().map(one).collect::<Vec<_>>().join("; ");
    look("verbs of the gateway", if stopped { "failed" } else { "ok" }, text)
}

fn idle(seen: &IdleLook) -> Layer {
    let outcome = match seen.end {
        Idle::Held | Idle::ClosedByEndpoint => "ok",
        Idle::Cut => "failed",
        Idle::NotSeen => "not seen",
    };
    let needed = format!("{} s are needed, {} s were waited", seen.needed_seconds, seen.idle_ms / 1000);
    look("idle connection", outcome, format!("{needed}: {}", seen.detail))
}
