//! In what two requirements differ, and two runs.

use serde::Serialize;

use super::super::run::Run;
use super::super::vantages::VantageRecord;
use super::ChangeCause;
use crate::derive::Requirement;

/// In what a requirement differs from one run to another.
pub(super) struct Difference {
    /// The side that it comes from.
    pub(super) cause: ChangeCause,
    pub(super) note: String,
    /// What it can do.
    pub(super) reach: Reach,
}

/// What another verdict can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The same is seen, and weighs or is judged otherwise.
    Judged,
    /// Something else is seen: another way, another host.
    Seen,
    /// It is needed, needed no more, or nobody can tell.
    Needed,
}

/// In what the requirement itself differs.
pub(super) fn of_requirements(old: &Requirement, new: &Requirement) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut say = |differs: bool, cause, reach, note: String| {
        if differs {
            found.push(Difference { cause, note, reach });
        }
    };
    let (site, catalog) = (ChangeCause::SiteConfig, ChangeCause::Catalog);
    let (via, now) = (&old.route.via, &new.route.via);
    say(via != now, site, Reach::Seen, format!("the route was {via} and is {now}"));
    for (what, reach, old, new) in [
        ("the tier", Reach::Judged, words(&old.tier), words(&new.tier)),
        ("the status", Reach::Needed, words(&old.status), words(&new.status)),
        ("the proxy context", Reach::Judged, words(&old.context), words(&new.context)),
        ("the rule for TLS inspection", Reach::Judged, words(&old.inspection), words(&new.inspection)),
    ] {
        say(old != new, catalog, reach, format!("{what} was {old} and is {new}"));
    }
    say(old.proof != new.proof, catalog, Reach::Seen, "it is proved by other hosts".to_owned());
    let decided = "what decides it became known or unknown, or changed";
    say(old.decision != new.decision, site, Reach::Needed, decided.to_owned());
    found
}

/// A value of a closed set in the words of the documents.
fn words(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// What makes two runs less comparable than they look.
pub(super) fn of_runs(old: &Run, new: &Run) -> Vec<String> {
    let mut limits = Vec::new();
    let mut say = |differs: bool, text: String| {
        if differs {
            limits.push(text);
        }
    };
    let site = |run: &Run| run.facts.this_site.known().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    say(site(old) != site(new), format!("the runs are of different sites: {} and {}", site(old), site(new)));
    let machine = |run: &Run| {
        let names: Vec<&str> = run.vantages.iter().map(VantageRecord::title).collect();
        if names.is_empty() { run.vantage.title().to_owned() } else { names.join(", ") }
    };
    say(machine(old) != machine(new), format!("probed from {} and from {}", machine(old), machine(new)));
    say(old.settings.from_here != new.settings.from_here, "only one of the runs has --from-here".to_owned());
    say(old.settings.connect_to != new.settings.connect_to, "the --connect-to rules differ".to_owned());
    say(old.settings.extra_roots != new.settings.extra_roots, "the extra roots (--ca-file) differ".to_owned());
    say(
        old.settings.public_roots != new.settings.public_roots,
        "the roots taken for public ones (--public-ca-file) differ".to_owned(),
    );
    say(
        old.settings.stated_proxies != new.settings.stated_proxies,
        "the proxies that the operator states differ: a route may be another without a change of the site".to_owned(),
    );
    let version = |run: &Run| run.settings.target_version.clone().unwrap_or_else(|| "the installed version".to_owned());
    say(version(old) != version(new), format!("derived for {} and for {}", version(old), version(new)));
    say(old.settings.dns_server != new.settings.dns_server, "the DNS servers (--dns-server) differ".to_owned());
    say(
        new.moments.started < old.moments.started,
        "the run that is given as the later one is the earlier one".to_owned(),
    );
    limits
}
