//! The words of reports, said once.

use crate::assess::Judgement;
use crate::probe::{Observation, StageName};

/// A stage, for people.
pub(super) fn stage(stage: StageName) -> &'static str {
    match stage {
        StageName::Name => "DNS",
        StageName::Tcp => "TCP",
        StageName::Connect => "proxy",
        StageName::Tls => "TLS",
        StageName::Trust => "certificate",
        StageName::Http => "HTTP",
    }
}

/// What was seen, in a few words.
pub(super) fn seen(judgement: &Judgement, observations: &[&Observation]) -> String {
    if let Some(cause) = &judgement.cause {
        let stage = cause.stage.map(|s| format!("{}: ", stage(s))).unwrap_or_default();
        let waived = judgement.waiver.as_ref().map(|id| format!(" (waived by {id})")).unwrap_or_default();
        return format!("{stage}{}{waived}", cause.text);
    }
    let mut parts = Vec::new();
    if let Some(status) = observations.first().and_then(|o| o.http.evidence.as_ref()).and_then(|http| http.status) {
        parts.push(format!("HTTP {status}"));
    }
    if let Some(tls) = observations.first().and_then(|o| o.tls.evidence.as_ref())
        && let Some(version) = &tls.version
    {
        parts.push(version.clone());
    }
    if let Some(note) = judgement.notes.iter().find(|note| note.starts_with("proved by")) {
        parts.push(note.clone());
    }
    parts.extend(judgement.notes.iter().filter(|note| note.contains(" addresses ")).cloned());
    parts.join(", ")
}
