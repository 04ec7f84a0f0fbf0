//! Names of services that are gone and still reached: rules that can go. They decide nothing.

use std::collections::BTreeMap;

use crate::evidence::Run;

/// The endpoints, each with who reaches it.
pub(super) fn still_reached(run: &Run) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (requirement, judgement) in run.requirements.iter().zip(&run.judgements) {
        if judgement.cause.as_ref().is_some_and(|cause| cause.code == "retired-reached") {
            let subjects = found.entry(requirement.endpoint()).or_default();
            let subject = requirement.subject.to_string();
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
    }
    found
}

/// The same in one line, if there are any.
pub(super) fn said(run: &Run) -> Option<String> {
    let found = still_reached(run);
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    match names.as_slice() {
        _ if !run.settings.retired => None,
        [] => Some("no name of a service that is gone was seen to be reached (--retired)".to_owned()),
        names => Some(format!(
            "{} of services that are gone are still reached, so that rules can go (--retired): {}",
            if names.len() == 1 { "1 name".to_owned() } else { format!("{} names", names.len()) },
            names.join(", ")
        )),
    }
}
