//! The endpoints of a hierarchy for a terminal: by host, by role, or flat.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::endpoints::{Addresses, Decided, Endpoint, Endpoints, SubjectKind};
use super::grid::grid;
use super::table::line;
use crate::catalog::Status;
use crate::derive::Change;

/// How the endpoints are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By host and role, with the route.
    Host,
    /// By role: each endpoint once, with who needs it.
    Role,
    /// Each endpoint once, with who needs it in which roles.
    Flat,
}

/// The decision or the change: fits `undecided`.
const STATE: usize = 9;
/// How many hosts a cell names.
const MAX_HOSTS: usize = 4;

/// The endpoints as a table, then what is missing, the addresses, and a summary.
pub fn endpoints_table(document: &Endpoints, by: By, width: usize) -> String {
    let width = width.max(60);
    let mut out = String::new();
    head(document, width, &mut out);
    let missing = missing(document);
    match by {
        By::Host => by_host(document, &missing, width, &mut out),
        By::Role => by_role(document, &missing, width, &mut out),
        By::Flat => {
            out.push_str(&draw(&once(shown(document), &missing, &Who::HostsAndRoles), width));
            out.push('\n');
        }
    }
    footnotes(&missing, width, &mut out);
    if let Some(addresses) = &document.addresses {
        self::addresses(addresses, width, &mut out);
    }
    summary(document, width, &mut out);
    out
}

fn head(document: &Endpoints, width: usize, out: &mut String) {
    let origin = &document.origin;
    let site = origin.site.as_ref().map_or_else(|| "unknown site".to_owned(), |code| format!("site {code}"));
    line(&format!("Database {} on {}, {site}", origin.database, origin.server), width, out);
    line(&format!("Facts read {}", origin.facts_read.strftime("%Y-%m-%dT%H:%M:%SZ")), width, out);
    if let Some(version) = &document.what_if.target_version {
        line(&format!("As it would be with version {version} (--target-version)"), width, out);
    }
    if !document.what_if.assumptions.is_empty() {
        line(&format!("Assumed: {} (--assume)", document.what_if.assumptions.join(", ")), width, out);
    }
    for note in &document.what_if.notes {
        line(&format!("  {note}"), width, out);
    }
    out.push('\n');
}

/// What is missing, with its number in the footnotes.
fn missing(document: &Endpoints) -> BTreeMap<&str, usize> {
    let mut numbers = BTreeMap::new();
    for text in document.endpoints.iter().flat_map(|endpoint| &endpoint.missing) {
        let next = numbers.len() + 1;
        numbers.entry(text.as_str()).or_insert(next);
    }
    numbers
}

/// A route in words, and what is reached by it.
type Routed<'a> = (String, Vec<&'a Endpoint>);

fn by_host(document: &Endpoints, missing: &BTreeMap<&str, usize>, width: usize, out: &mut String) {
    let mut groups: Vec<(String, Vec<Routed<'_>>)> = Vec::new();
    for endpoint in shown(document) {
        let site = endpoint.site.as_ref().map(|site| format!(", site {site}")).unwrap_or_default();
        let title = format!("{}, {}{site}", endpoint.who(), endpoint.role.title());
        let route = format!(" {}: {}", endpoint.route, endpoint.route_detail);
        let at = groups.iter().position(|(known, _)| *known == title).unwrap_or_else(|| {
            groups.push((title, Vec::new()));
            groups.len() - 1
        });
        let routes = &mut groups[at].1;
        match routes.iter_mut().find(|(known, _)| *known == route) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => routes.push((route, vec![endpoint])),
        }
    }
    for (title, routes) in groups {
        line(&title, width, out);
        for (route, endpoints) in routes {
            line(&route, width, out);
            let rows = once(endpoints.into_iter(), missing, &Who::Nobody);
            out.push_str(&draw(&rows, width));
        }
        out.push('\n');
    }
}

fn by_role(document: &Endpoints, missing: &BTreeMap<&str, usize>, width: usize, out: &mut String) {
    let mut roles: Vec<_> = document.endpoints.iter().map(|endpoint| endpoint.role).collect();
    roles.sort_unstable();
    roles.dedup();
    for role in roles {
        line(role.title(), width, out);
        out.push_str(&draw(&once(shown(document).filter(|e| e.role == role), missing, &Who::Hosts), width));
        out.push('\n');
    }
}

/// All but what is undecided by one entry and needed by another, for the same role of the same host.
fn shown(document: &Endpoints) -> impl Iterator<Item = &Endpoint> {
    let place = |e: &Endpoint| (e.who(), e.role, e.url());
    let all = document.endpoints.iter();
    let needed: HashSet<_> = all.clone().filter(|e| e.decision == Decided::Needed && !is_gone(e)).map(place).collect();
    all.filter(move |e| e.decision != Decided::Undecided || !needed.contains(&place(e)))
}

/// What a row says of who needs it.
#[derive(PartialEq, Eq)]
enum Who {
    /// It stands in the title.
    Nobody,
    Hosts,
    HostsAndRoles,
}

/// Each endpoint once, since two entries may name it, with the strongest tier.
fn once<'a>(
    endpoints: impl Iterator<Item = &'a Endpoint>,
    missing: &BTreeMap<&str, usize>,
    who: &Who,
) -> Vec<[String; 3]> {
    let mut places: BTreeMap<(String, String, String), Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        places.entry((endpoint.name.clone(), endpoint.url(), state(endpoint))).or_default().push(endpoint);
    }
    let row = |((_, url, state), endpoints): ((String, String, String), Vec<&Endpoint>)| {
        let strongest = endpoints.iter().min_by_key(|e| e.tier);
        let mut text = strongest.map(|e| remark(e, missing)).unwrap_or_default();
        if *who != Who::Nobody {
            let _ = write!(text, "; {}", names(&endpoints, *who == Who::HostsAndRoles));
        }
        [state, url, text]
    };
    places.into_iter().map(row).collect()
}

fn names(endpoints: &[&Endpoint], with_roles: bool) -> String {
    let mut names: Vec<String> = endpoints
        .iter()
        .map(|e| match (with_roles, e.subject) {
            (true, SubjectKind::Host | SubjectKind::UnknownHosts) => format!("{} ({})", e.who(), e.role.title()),
            _ => e.who(),
        })
        .collect();
    names.sort();
    names.dedup();
    match names.len().saturating_sub(MAX_HOSTS) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..MAX_HOSTS].join(", ")),
    }
}

/// What changes, else whether it is needed.
fn state(endpoint: &Endpoint) -> String {
    match endpoint.change {
        None | Some(Change::Kept) => endpoint.decision_name().to_owned(),
        Some(Change::Added) if endpoint.decision == Decided::Undecided => "added, undecided".to_owned(),
        Some(_) => endpoint.change_name().to_owned(),
    }
}

/// The tier, where the entry stands in its life, and the numbers of what is missing.
fn remark(endpoint: &Endpoint, missing: &BTreeMap<&str, usize>) -> String {
    let mut remark = endpoint.tier.name().to_owned();
    match (endpoint.status, &endpoint.replaced_by) {
        (Status::Active | Status::Retired, _) => {}
        (status, None) => drop(write!(remark, ", {}", status.name())),
        (status, Some(by)) => drop(write!(remark, ", {} by {by}", status.name())),
    }
    let numbers: Vec<String> =
        endpoint.missing.iter().filter_map(|text| missing.get(text.as_str())).map(|n| format!("({n})")).collect();
    if !numbers.is_empty() {
        let _ = write!(remark, ", missing {}", numbers.join(" "));
    }
    remark
}

fn draw(rows: &[[String; 3]], width: usize) -> String {
    let room = width - STATE - 6;
    let endpoint = (room * 3 / 5).min(72);
    let widths = [STATE, endpoint, room - endpoint];
    grid(rows.iter().map(|row| row.iter().map(String::as_str).zip(widths).collect()))
}

fn footnotes(missing: &BTreeMap<&str, usize>, width: usize, out: &mut String) {
    if missing.is_empty() {
        return;
    }
    let mut numbered: Vec<_> = missing.iter().map(|(text, number)| (number, text)).collect();
    numbered.sort();
    line("Undecided until these are known", width, out);
    for (number, text) in numbered {
        line(&format!("  ({number}) {text}"), width, out);
    }
    out.push('\n');
}

fn addresses(addresses: &Addresses, width: usize, out: &mut String) {
    line("What the exact names resolve to from here", width, out);
    for resolved in &addresses.resolved {
        let seen = match &resolved.failure {
            Some(failure) => failure.clone(),
            None => resolved.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        line(&format!("  {}: {seen} ({}, {})", resolved.name, resolved.resolver, resolved.at), width, out);
    }
    if !addresses.wildcards.is_empty() {
        line(&format!("  no addresses of their own: {}", addresses.wildcards.join(", ")), width, out);
    }
    out.push('\n');
    for range in &addresses.ranges {
        let networks: Vec<String> = range.networks.iter().map(ToString::to_string).collect();
        let (name, cloud) = (&range.name, range.cloud.title());
        line(&format!("Published for {name} in {cloud} ({})", range.endpoints.join(", ")), width, out);
        // In portions, because a line of text is bounded.
        for portion in networks.chunks(40) {
            line(&format!("  {}", portion.join(", ")), width, out);
        }
        for source in &range.sources {
            line(
                &format!("  according to {}: {}, {} {}", source.title, source.section, source.date, source.url),
                width,
                out,
            );
        }
        out.push('\n');
    }
    line(&addresses.warning, width, out);
    out.push('\n');
}

fn summary(document: &Endpoints, width: usize, out: &mut String) {
    let count = |decision| document.endpoints.iter().filter(|e| e.decision == decision && !is_gone(e)).count();
    let mut parts = vec![format!("{} needed", count(Decided::Needed))];
    for (decision, word) in [(Decided::Undecided, "undecided"), (Decided::Retired, "retired")] {
        match count(decision) {
            0 => {}
            n => parts.push(format!("{n} {word}")),
        }
    }
    if !document.what_if.is_empty() {
        let changes = |change| document.endpoints.iter().filter(|e| e.change == Some(change)).count();
        parts.push(format!(
            "against today {} added, {} decided that are undecided today, {} removed",
            changes(Change::Added),
            changes(Change::Decided),
            changes(Change::Removed)
        ));
    }
    line(&format!("Requirements: {}; catalog {}", parts.join(", "), document.origin.catalog), width, out);
    if document.what_if.changes_only {
        line("  only what changes is listed; the whole set: --show all", width, out);
    }
    for reason in &document.incomplete {
        line(&format!("  not the whole set: {reason}"), width, out);
    }
}

fn is_gone(endpoint: &Endpoint) -> bool {
    endpoint.change == Some(Change::Removed)
}
