//! What a reviewer would miss: rules that one entry must follow, and rules between entries.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::condition::{Condition, ConditionFact};
use super::entry::{
    CatalogRole, Cloud, Context, Document, Entry, EntryId, PortRule, Ports, ProbeClass, SourceRef, Status, Tier,
};
use super::error::{CatalogError, Rule};
use super::place::{Place, Source};
use super::release::Release;
use super::template::{AZURE_COLUMNS, EndpointTemplate, Part, Variable};
use crate::host::{HostPattern, Scheme};
use crate::text::printable;

/// Characters of a section's name, and of a document's title.
pub(super) const SECTION_MAX: usize = 100;
/// Characters of a note, and of the evidence of a probe rule.
const PROSE_MAX: usize = 400;
/// Characters of a path or an address.
const ADDRESS_MAX: usize = 200;
/// Characters of an id, a document's key or a version.
const NAME_MAX: usize = 64;

type Documents = BTreeMap<String, Document>;

/// The rules of `catalog.toml`.
pub(super) fn head(
    source: &Source<'_>,
    version: &str,
    documents: &BTreeMap<String, Spanned<Document>>,
) -> Vec<CatalogError> {
    let mut errors: Vec<_> = text(&source.place(0..0), "", "version", version, NAME_MAX).into_iter().collect();
    for (key, document) in documents {
        let place = source.place(document.span());
        let document = document.get_ref();
        errors.extend(name(&place, "", key));
        errors.extend(text(&place, "", "title", &document.title, SECTION_MAX));
        errors.extend(text(&place, "", "url", &document.url, ADDRESS_MAX));
        if url::Url::parse(&document.url).map_or(true, |url| url.scheme() != "https" || !url.has_host()) {
            let what = format!("document `{}` has no https address", printable(key, 40));
            errors.push(place.error("", Rule::Document, what));
        }
    }
    errors
}

/// The rules of `versions.toml`.
pub(super) fn releases(releases: &[(Place, Release)], documents: &Documents) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (i, (place, release)) in releases.iter().enumerate() {
        errors.extend(text(place, "version", "version", &release.version, NAME_MAX));
        errors.extend(sources(place, &release.sources, documents));
        if releases[..i].iter().any(|(_, other)| other.version == release.version || other.build == release.build) {
            let what = format!("version `{}` or build {} is there already", release.version, release.build);
            errors.push(place.error("version", Rule::Duplicate, what));
        }
        if release.support_ends < release.available {
            errors.push(place.error("support_ends", Rule::BuildOrder, "support ends before it begins".to_owned()));
        }
        if let Some(floor) = &release.upgrade_floor
            && !releases.iter().any(|(_, other)| other.version == *floor && other.build < release.build)
        {
            let what = format!("no earlier version `{}`", printable(floor, 20));
            errors.push(place.error("upgrade_floor", Rule::UnknownBuild, what));
        }
    }
    errors
}

/// The rules of the entries.
pub(super) fn entries(
    entries: &[(Place, Entry)],
    documents: &Documents,
    releases: &[(Place, Release)],
) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    for (place, entry) in entries {
        let mut report = |key: &str, rule, what: String| errors.push(place.error(key, rule, what));
        lists(entry, &mut report);
        endpoint(entry, &mut report);
        ports(entry, &mut report);
        contexts(entry, &mut report);
        probe(entry, &mut report);
        lifecycle(entry, entries, &mut report);
        builds(entry, releases, &mut report);
        errors.extend(texts(place, entry));
        errors.extend(sources(place, &entry.sources, documents));
    }
    errors.extend(duplicates(entries));
    errors.extend(contradictions(entries));
    errors
}

/// One text: printable, not empty, not too long.
pub(super) fn text(place: &Place, key: &str, field: &str, text: &str, max: usize) -> Option<CatalogError> {
    let what = if text.trim().is_empty() {
        format!("`{field}` is empty")
    } else if text.chars().count() > max {
        format!("`{field}` has more than {max} characters")
    } else if printable(text, max) != text {
        format!("`{field}` has a character that does not print: {text}")
    } else {
        return None;
    };
    Some(place.error(key, Rule::Text, what))
}

/// One name: lower-case words joined by hyphens.
fn name(place: &Place, key: &str, name: &str) -> Option<CatalogError> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let good = name.len() <= NAME_MAX && name.split('-').all(word);
    (!good).then(|| place.error(key, Rule::IdForm, format!("`{}` is no name", printable(name, 80))))
}

fn texts(place: &Place, entry: &Entry) -> Vec<CatalogError> {
    let prose = entry.note.iter().map(|note| ("note", "note", note, PROSE_MAX));
    let evidence = entry.probe.iter().map(|probe| ("probe", "evidence", &probe.evidence, PROSE_MAX));
    let mut errors: Vec<_> =
        prose.chain(evidence).filter_map(|(key, field, value, max)| text(place, key, field, value, max)).collect();
    errors.extend(name(place, "id", &entry.id.0));
    if let Some(path) = &entry.path
        && (!path.starts_with('/') || path.len() > ADDRESS_MAX || !path.bytes().all(|b| b.is_ascii_graphic()))
    {
        errors.push(place.error("path", Rule::Path, format!("`{}` is no path", printable(path, 80))));
    }
    errors
}

fn sources(place: &Place, sources: &[SourceRef], documents: &Documents) -> Vec<CatalogError> {
    let mut errors = Vec::new();
    if sources.is_empty() {
        errors.push(place.error("sources", Rule::List, "`sources` is empty".to_owned()));
    }
    for source in sources {
        if !documents.contains_key(&source.document) {
            let what = format!("document `{}` is not defined", printable(&source.document, 40));
            errors.push(place.error("sources", Rule::Document, what));
        }
        errors.extend(text(place, "sources", "section", &source.section, SECTION_MAX));
    }
    errors
}

fn lists(entry: &Entry, report: &mut impl FnMut(&str, Rule, String)) {
    let mut check = |key: &str, members: Vec<String>| {
        if members.is_empty() {
            report(key, Rule::List, format!("`{key}` is empty"));
        }
        if members.iter().collect::<BTreeSet<_>>().len() < members.len() {
            report(key, Rule::List, format!("`{key}` has a member twice"));
        }
    };
    check("roles", entry.roles.iter().map(|role| role.title().to_owned()).collect());
    check("clouds", entry.clouds.iter().map(|cloud| cloud.title().to_owned()).collect());
    if let Ports::Fixed(ports) = &entry.ports {
        check("ports", ports.iter().map(ToString::to_string).collect());
    }
}

/// Variables that exist, and facts of the entry's own role.
fn endpoint(entry: &Entry, report: &mut impl FnMut(&str, Rule, String)) {
    for variable in variables(entry) {
        if let Variable::Azure(column) = variable
            && !AZURE_COLUMNS.contains(&column.as_str())
        {
            let what = format!("no column `{}` of AzureEnvironments; known: {}", column, AZURE_COLUMNS.join(", "));
            report("endpoint", Rule::Endpoint, what);
        }
        if let Variable::SupUpstream | Variable::SupDownstream = variable
            && entry.roles != [CatalogRole::SoftwareUpdatePoint]
        {
            report("endpoint", Rule::ForeignFact, format!("`{{{variable}}}` is known for software update points"));
        }
    }
    let mut facts = BTreeSet::new();
    collect_facts(&entry.when, &mut facts);
    for fact in facts {
        if let Some(role) = fact_role(fact)
            && entry.roles != [role]
        {
            report("when", Rule::ForeignFact, format!("`{}` is a fact about the {}", fact.name(), role.title()));
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

fn collect_facts(condition: &Condition, facts: &mut BTreeSet<ConditionFact>) {
    match condition {
        Condition::Always => {}
        Condition::Fact(fact) => drop(facts.insert(*fact)),
        Condition::Not(inner) => collect_facts(inner, facts),
        Condition::And(terms) | Condition::Or(terms) => terms.iter().for_each(|term| collect_facts(term, facts)),
    }
}

/// The role that a fact is about; `None` for facts about the hierarchy.
fn fact_role(fact: ConditionFact) -> Option<CatalogRole> {
    match fact {
        ConditionFact::ScpOnline => Some(CatalogRole::ServiceConnectionPoint),
        ConditionFact::SupSyncsFromMicrosoftUpdate
        | ConditionFact::SupHasUpstream
        | ConditionFact::SupHasDownstream
        | ConditionFact::SupRemoteInternetBased => Some(CatalogRole::SoftwareUpdatePoint),
        ConditionFact::CmgExists | ConditionFact::EntraUserDiscovery => None,
    }
}

fn ports(entry: &Entry, report: &mut impl FnMut(&str, Rule, String)) {
    match &entry.ports {
        Ports::Fixed(ports) => {
            for port in ports {
                let other = match entry.scheme {
                    Scheme::Https => matches!(port, 80 | 8530),
                    Scheme::Http => matches!(port, 443 | 8531),
                };
                if *port == 0 {
                    report("ports", Rule::Port, "port 0".to_owned());
                } else if other {
                    report("ports", Rule::SchemePort, format!("{} on port {port}", entry.scheme));
                }
            }
        }
        Ports::FromFacts(rule) => {
            let fed = variables(entry).any(|variable| match rule {
                PortRule::CmgInstances => {
                    !matches!(variable, Variable::Azure(_) | Variable::SupUpstream | Variable::SupDownstream)
                }
                PortRule::SoftwareUpdatePoint => matches!(variable, Variable::SupUpstream | Variable::SupDownstream),
            });
            if !fed {
                report("ports", Rule::PortRule, format!("nothing in `{}` gives these ports", entry.endpoint));
            }
        }
    }
}

fn contexts(entry: &Entry, report: &mut impl FnMut(&str, Rule, String)) {
    for role in &entry.roles {
        let possible = match role {
            CatalogRole::Console => entry.context == Context::ConsoleUser,
            CatalogRole::Client => entry.context == Context::ClientSystem,
            CatalogRole::SoftwareUpdatePoint => !matches!(entry.context, Context::ConsoleUser | Context::ClientSystem),
            _ => !matches!(entry.context, Context::ConsoleUser | Context::ClientSystem | Context::Wsus),
        };
        if !possible {
            let what = format!("a {} does not use the context `{}`", role.title(), entry.context.name());
            report("context", Rule::Context, what);
        }
    }
}

fn probe(entry: &Entry, report: &mut impl FnMut(&str, Rule, String)) {
    let wildcard = match &entry.endpoint {
        EndpointTemplate::Pattern(pattern) if pattern.is_wildcard() => Some(pattern),
        _ => None,
    };
    let (Some(pattern), Some(probe)) = (wildcard, &entry.probe) else {
        if wildcard.is_some() {
            report("endpoint", Rule::WildcardUnproved, format!("`{}` has no probe rule", entry.endpoint));
        } else if entry.probe.is_some() {
            report("probe", Rule::NeedlessProbe, format!("`{}` is no wildcard", entry.endpoint));
        }
        return;
    };
    match probe.class {
        ProbeClass::NotTestable if !probe.hosts.is_empty() => {
            report("probe", Rule::NotTestableHosts, "not testable, and yet hosts to test".to_owned());
        }
        ProbeClass::Representative | ProbeClass::Related if probe.hosts.is_empty() => {
            report("probe", Rule::ProbeHosts, "no hosts to probe".to_owned());
        }
        _ => {}
    }
    for host in &probe.hosts {
        match (probe.class, pattern.matches(host)) {
            (ProbeClass::Representative, false) => {
                report("probe", Rule::RepresentativeOutside, format!("`{host}` does not belong to `{pattern}`"));
            }
            (ProbeClass::Related, true) => {
                report("probe", Rule::RelatedInside, format!("`{host}` belongs to `{pattern}`"));
            }
            _ => {}
        }
    }
    if probe.class != ProbeClass::Representative && entry.tier != Tier::Advisory {
        report("tier", Rule::UnprovableTier, unprovable(pattern));
    }
}

fn unprovable(pattern: &HostPattern) -> String {
    format!("`{pattern}` can never be proved, so demanding it would leave every run incomplete")
}

fn lifecycle(entry: &Entry, entries: &[(Place, Entry)], report: &mut impl FnMut(&str, Rule, String)) {
    let needed = matches!(entry.status, Status::Active | Status::Disputed);
    if let Some(successor) = &entry.replaced_by {
        let found = entries.iter().find(|(_, other)| other.id == *successor).map(|(_, other)| other.status);
        if !matches!(found, Some(Status::Active | Status::Disputed)) {
            let what = format!("`{}` is no entry that is needed today", printable(&successor.0, 80));
            report("replaced_by", Rule::Successor, what);
        }
        if needed {
            report("replaced_by", Rule::SupersededAlone, "replaced, and yet needed by its status".to_owned());
        }
    } else if entry.status == Status::Superseded {
        report("status", Rule::SupersededAlone, "superseded by nothing".to_owned());
    }
    if entry.status == Status::Retired && entry.tier != Tier::Advisory {
        report("tier", Rule::RetiredTier, "retired, and yet demanded".to_owned());
    }
}

fn builds(entry: &Entry, releases: &[(Place, Release)], report: &mut impl FnMut(&str, Rule, String)) {
    for (key, build) in [("since_build", entry.since_build), ("until_build", entry.until_build)] {
        if let Some(build) = build
            && !releases.iter().any(|(_, release)| release.build == build)
        {
            report(key, Rule::UnknownBuild, format!("build {build} is not known"));
        }
    }
    if let (Some(since), Some(until)) = (entry.since_build, entry.until_build)
        && since > until
    {
        report("since_build", Rule::BuildOrder, format!("since build {since}, until build {until}"));
    }
}

fn duplicates(entries: &[(Place, Entry)]) -> Vec<CatalogError> {
    let mut first: BTreeMap<&EntryId, &Place> = BTreeMap::new();
    let mut errors = Vec::new();
    for (place, entry) in entries {
        if let Some(other) = first.get(&entry.id) {
            errors.push(place.error("id", Rule::Duplicate, format!("the id is taken at {}", other.at())));
        } else {
            first.insert(&entry.id, place);
        }
    }
    errors
}

/// What makes two entries speak of one need.
type Need<'a> = (CatalogRole, Cloud, String, Scheme, String, Option<&'a str>, String);

/// Two entries of one section for one need, or two of different sections that disagree on what is no matter of opinion.
fn contradictions(entries: &[(Place, Entry)]) -> Vec<CatalogError> {
    let mut needs: BTreeMap<Need<'_>, Vec<usize>> = BTreeMap::new();
    let mut pairs = BTreeSet::new();
    for (i, (_, entry)) in entries.iter().enumerate() {
        for need in entry.roles.iter().flat_map(|role| entry.clouds.iter().map(|cloud| (*role, *cloud))) {
            let (endpoint, ports, when) =
                (entry.endpoint.to_string(), format!("{:?}", entry.ports), entry.when.to_string());
            let need = (need.0, need.1, endpoint, entry.scheme, ports, entry.path.as_deref(), when);
            let same = needs.entry(need).or_default();
            pairs.extend(same.iter().filter(|first| disagree(&entries[**first].1, entry)).map(|first| (*first, i)));
            same.push(i);
        }
    }
    pairs
        .into_iter()
        .map(|(first, second)| {
            let (place, entry) = &entries[second];
            let (other_place, other) = &entries[first];
            let what = if entry.section == other.section {
                format!("says the same as `{}` at {}", other.id, other_place.at())
            } else {
                format!("has another context, status or inspection rule than `{}` at {}", other.id, other_place.at())
            };
            place.error("endpoint", Rule::Contradiction, what)
        })
        .collect()
}

fn disagree(a: &Entry, b: &Entry) -> bool {
    let since = |entry: &Entry| entry.since_build.unwrap_or(0);
    let until = |entry: &Entry| entry.until_build.unwrap_or(u32::MAX);
    let overlap = since(a) <= until(b) && since(b) <= until(a);
    let differ = (a.context, a.status, a.inspection) != (b.context, b.status, b.inspection);
    overlap && (a.section == b.section || differ)
}
