//! The words of reports, said once.

use crate::assess::Judgement;
use crate::derive::Requirement;
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

/// `https://*.manage.microsoft.com`, with the port where it is not the scheme's own.
pub(super) fn endpoint(requirement: &Requirement) -> String {
    let port = match requirement.port {
        Some(port) if port == requirement.scheme.default_port() => String::new(),
        Some(port) => format!(":{port}"),
        None => ":?".to_owned(),
    };
    let path = requirement.path.as_deref().filter(|path| *path != "/").unwrap_or_default();
    format!("{}://{}{port}{path}", requirement.scheme, requirement.name)
}

/// What marks a note that belongs beside a pass.
const TELLING: &[&str] = &[" addresses ", ": flapping", " has the address ", " records failed"];

/// What was seen, in a few words.
pub(super) fn seen(judgement: &Judgement, observations: &[&Observation]) -> String {
    if let Some(cause) = &judgement.cause {
        let stage = cause.stage.map(|s| format!("{}: ", stage(s))).unwrap_or_default();
        return format!("{stage}{}", cause.text);
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
    parts.extend(judgement.notes.iter().filter(|note| TELLING.iter().any(|word| note.contains(word))).cloned());
    parts.join(", ")
}
