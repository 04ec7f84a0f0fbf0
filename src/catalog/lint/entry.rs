//! The rules that one entry must follow.

use std::collections::BTreeSet;

use super::{ADDRESS_MAX, Known, NAME_MAX, NEVER, PROSE_MAX, name, text};
use crate::catalog::entry::{CatalogRole, Context, Entry, PortRule, Ports, ProbeClass, Status, Tier};
use crate::catalog::error::{CatalogError, Rule};
use crate::catalog::place::Place;
use crate::catalog::template::{AZURE_COLUMNS, EndpointTemplate, Part, Variable};
use crate::host::{HostPattern, Scheme};
use crate::text::printable;

/// Everything that is wrong with an entry by itself.
pub(super) fn check(place: &Place, entry: &Entry, known: &Known<'_>) -> Vec<CatalogError> {
    let mut errors = texts(place, entry);
    let mut report = |key: &str, rule, what: &str| errors.push(place.error(key, rule, what));
    lists(entry, &mut report);
    endpoint(entry, &mut report);
    ports(entry, &mut report);
    contexts(entry, &mut report);
    tls(entry, &mut report);
    probe(entry, &mut report);
    lifecycle(entry, known, &mut report);
    builds(entry, known, &mut report);
    errors
}

fn texts(place: &Place, entry: &Entry) -> Vec<CatalogError> {
    let prose = entry.note.iter().map(|note| ("note", "note", note, PROSE_MAX));
    let evidence = entry.probe.iter().map(|probe| ("probe", "evidence", &probe.evidence, PROSE_MAX));
    let mut errors: Vec<_> =
        prose.chain(evidence).filter_map(|(key, field, value, max)| text(place, key, field, value, max)).collect();
    errors.extend(entry.written.iter().filter_map(|name| text(place, "written", "written", name, ADDRESS_MAX)));
    errors.extend(name(place, "id", &entry.id.0));
    if let Some(path) = &entry.path
        && (!path.starts_with('/')
            || path.len() > ADDRESS_MAX
            || !path.bytes().all(|b| b.is_ascii_graphic())
            || path.replace("{tenant.id}", "").contains(['{', '}']))
    {
        errors.push(place.error("path", Rule::Path, &format!("`{}` is no path", printable(path, 80))));
    }
    errors
}

fn lists(entry: &Entry, report: &mut impl FnMut(&str, Rule, &str)) {
    let mut check = |key: &str, members: Vec<String>| {
        if members.is_empty() {
            report(key, Rule::List, &format!("`{key}` is empty"));
        }
        if members.iter().collect::<BTreeSet<_>>().len() < members.len() {
            report(key, Rule::List, &format!("`{key}` has a member twice"));
        }
    };
    check("roles", entry.roles.iter().map(|role| role.title().to_owned()).collect());
    check("clouds", entry.clouds.iter().map(|cloud| cloud.title().to_owned()).collect());
    if let Ports::Fixed(ports) = &entry.ports {
        check("ports", ports.iter().map(ToString::to_string).collect());
    }
}

/// Variables that exist, and facts of the entry's own role.
fn endpoint(entry: &Entry, report: &mut impl FnMut(&str, Rule, &str)) {
    for variable in variables(entry) {
        if let Variable::Azure(column) = variable
            && !AZURE_COLUMNS.contains(&column.as_str())
        {
            let what = format!("no column `{}` of AzureEnvironments; known: {}", column, AZURE_COLUMNS.join(", "));
            report("endpoint", Rule::Endpoint, &what);
        }
        if let Variable::SupUpstream | Variable::SupDownstream = variable
            && entry.roles.iter().any(|role| *role != CatalogRole::SoftwareUpdatePoint)
        {
            report("endpoint", Rule::ForeignFact, &format!("`{{{variable}}}` is known for software update points"));
        }
    }
    // These are names from elsewhere, and no part of a longer one.
    let whole = |variable: &Variable| {
        let alone = [Variable::NotificationHost, Variable::ThirdPartyCatalogHost, Variable::AzureFurther];
        alone.contains(variable)
    };
    if let EndpointTemplate::Template(parts) = &entry.endpoint
        && parts.len() > 1
        && let Some(variable) = variables(entry).find(|variable| whole(variable))
    {
        report("endpoint", Rule::Endpoint, &format!("`{{{variable}}}` stands alone"));
    }
    if !entry.when.can_hold() {
        report("when", Rule::Condition, NEVER);
    }
    for fact in entry.when.facts() {
        if let Some(role) = fact.about()
            && entry.roles.iter().any(|other| *other != role)
        {
            report("when", Rule::ForeignFact, &format!("`{}` is a fact about the {}", fact.name(), role.title()));
        }
    }
}

fn variables(entry: &Entry) -> impl Iterator<Item = &Variable> {
    let parts = match &entry.endpoint {
        EndpointTemplate::Pattern(_) => [].as_slice(),
        EndpointTemplate::Template(parts) => parts.as_slice(),
    };
    parts.iter().filter_map(|part| if let Part::Variable(variable) = part { Some(variable) } else { None })
}

fn ports(entry: &Entry, report: &mut impl FnMut(&str, Rule, &str)) {
    match &entry.ports {
        Ports::Fixed(ports) => {
            for port in ports {
                let other = match entry.scheme {
                    Scheme::Https => matches!(port, 80 | 8530),
                    Scheme::Http => matches!(port, 443 | 8531),
                };
                if *port == 0 {
                    report("ports", Rule::Port, "port 0");
                } else if other {
                    report("ports", Rule::SchemePort, &format!("{} on port {port}", entry.scheme));
                }
            }
        }
        Ports::FromFacts(rule) => {
            let fed = variables(entry).any(|variable| match rule {
                PortRule::CmgInstances | PortRule::CmgClassic => matches!(
                    variable,
                    Variable::CmgServiceName | Variable::CmgDeploymentName | Variable::CmgStorage | Variable::CmgPrefix
                ),
                PortRule::SoftwareUpdatePoint => matches!(variable, Variable::SupUpstream | Variable::SupDownstream),
                PortRule::ThirdPartyCatalog => *variable == Variable::ThirdPartyCatalogHost,
            });
            if !fed {
                report("ports", Rule::PortRule, &format!("nothing in `{}` gives these ports", entry.endpoint));
            }
        }
    }
}

fn contexts(entry: &Entry, report: &mut impl FnMut(&str, Rule, &str)) {
    for role in &entry.roles {
        let possible = match role {
            CatalogRole::Console => entry.context == Context::ConsoleUser,
            CatalogRole::Client => entry.context == Context::ClientSystem,
            CatalogRole::SoftwareUpdatePoint => !matches!(entry.context, Context::ConsoleUser | Context::ClientSystem),
            _ => !matches!(entry.context, Context::ConsoleUser | Context::ClientSystem | Context::Wsus),
        };
        if !possible {
            let what = format!("a {} does not use the context `{}`", role.title(), entry.context.name());
            report("context", Rule::Context, &what);
        }
    }
}

fn tls(entry: &Entry, report: &mut impl FnMut(&str, Rule, &str)) {
    let Some(rule) = &entry.tls else { return };
    let named = |suite: &String| {
        suite.starts_with("TLS_")
            && suite.len() <= NAME_MAX
            && suite.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    if entry.scheme != Scheme::Https {
        report("tls", Rule::Tls, "no TLS on http");
    }
    if rule.suites.is_empty() || !rule.suites.iter().all(named) {
        report("tls", Rule::Tls, "`suites` is empty, or a member is no suite");
    }
}

fn probe(entry: &Entry, report: &mut impl FnMut(&str, Rule, &str)) {
    let wildcard = match &entry.endpoint {
        EndpointTemplate::Pattern(pattern) if pattern.is_wildcard() => Some(pattern),
        _ => None,
    };
    let (Some(pattern), Some(probe)) = (wildcard, &entry.probe) else {
        if wildcard.is_some() {
            report("endpoint", Rule::WildcardUnproved, &format!("`{}` has no probe rule", entry.endpoint));
        } else if entry.probe.is_some() {
            report("probe", Rule::NeedlessProbe, &format!("`{}` is no wildcard", entry.endpoint));
        }
        return;
    };
    match probe.class {
        ProbeClass::NotTestable if !probe.hosts.is_empty() => {
            report("probe", Rule::NotTestableHosts, "not testable, and yet hosts to test");
        }
        ProbeClass::Representative | ProbeClass::Related if probe.hosts.is_empty() => {
            report("probe", Rule::ProbeHosts, "no hosts to probe");
        }
        _ => {}
    }
    for host in &probe.hosts {
        match (probe.class, pattern.matches(host)) {
            (ProbeClass::Representative, false) => {
                report("probe", Rule::RepresentativeOutside, &format!("`{host}` does not belong to `{pattern}`"));
            }
            (ProbeClass::Related, true) => {
                report("probe", Rule::RelatedInside, &format!("`{host}` belongs to `{pattern}`"));
            }
            _ => {}
        }
    }
    if probe.class != ProbeClass::Representative && entry.tier != Tier::Advisory {
        report("tier", Rule::UnprovableTier, &unprovable(pattern));
    }
}

fn unprovable(pattern: &HostPattern) -> String {
    format!("`{pattern}` can never be proved, so demanding it would leave every run incomplete")
}

fn lifecycle(entry: &Entry, known: &Known<'_>, report: &mut impl FnMut(&str, Rule, &str)) {
    let needed = matches!(entry.status, Status::Active | Status::Disputed);
    if let Some(successor) = &entry.replaced_by {
        if !known.has_needed(successor) {
            let what = format!("`{}` is no entry that is needed today", printable(&successor.0, 80));
            report("replaced_by", Rule::Successor, &what);
        }
        if needed {
            report("replaced_by", Rule::SupersededAlone, "replaced, and yet needed by its status");
        }
    } else if entry.status == Status::Superseded {
        report("status", Rule::SupersededAlone, "superseded by nothing");
    }
    if entry.status == Status::Retired && entry.tier != Tier::Advisory {
        report("tier", Rule::RetiredTier, "retired, and yet demanded");
    }
}

fn builds(entry: &Entry, known: &Known<'_>, report: &mut impl FnMut(&str, Rule, &str)) {
    for (key, build) in [("since_build", entry.since_build), ("until_build", entry.until_build)] {
        if let Some(build) = build
            && !known.has_build(build)
        {
            report(key, Rule::UnknownBuild, &format!("build {build} is not known"));
        }
    }
    if let (Some(since), Some(until)) = (entry.since_build, entry.until_build)
        && since > until
    {
        report("since_build", Rule::BuildOrder, &format!("since build {since}, until build {until}"));
    }
}
