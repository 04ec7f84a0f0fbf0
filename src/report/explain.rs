//! Why a name is needed here, or why not: which facts, which documents.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoints::Cited;
use super::grid::grid;
use super::lists::{AllowPattern, ListPattern, may_fill};
use super::table::line;
use crate::catalog::{Catalog, CatalogRole, EndpointTemplate, Entry, EntryId, Part, Status};
use crate::derive::{Answer, Decision, Options, Proof, RequiredName, Requirement, Standing, Subject, standings};
use crate::host::{HostName, HostPattern, Scheme};
use crate::site::Facts;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// A host or a wildcard.
    pub name: HostPattern,
    /// The scheme, where one is given.
    pub scheme: Option<Scheme>,
    /// The port, where one is given or the scheme has one.
    pub port: Option<u16>,
}

impl Asked {
    /// Whether a requirement has this scheme and port, or may have.
    fn is(&self, requirement: &Requirement) -> bool {
        self.scheme.is_none_or(|scheme| scheme == requirement.scheme)
            && self.port.is_none_or(|port| requirement.port.is_none_or(|own| own == port))
    }
}

/// What is known of a name in one hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained<'a> {
    /// What was asked.
    pub asked: Asked,
    /// For which host; `None`: all.
    pub host: Option<HostName>,
    /// Entries that name it, and for which it is needed, may be, or is gone.
    pub applied: Vec<Applied<'a>>,
    /// Entries that name it, and do not apply.
    pub silent: Vec<Silent<'a>>,
    /// Requirements whose name is not known at all, so that it may be any.
    pub open: Vec<&'a Requirement>,
    /// Names of the catalog that are near it, where no entry names it.
    pub near: Vec<String>,
}

/// An entry that applies, with its requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What the name has to do with each requirement.
    pub requirements: Vec<(&'a Requirement, Relation)>,
}

/// An entry that does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What the name has to do with it.
    pub relation: Relation,
    /// How it stands to each server, client or console of its roles.
    pub standings: Vec<Standing>,
    /// What it needs here instead: other names of the same form, or other hosts.
    pub instead: Vec<String>,
}

/// Whether a name is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sum {
    /// It is.
    Needed,
    /// It is, or may be, but not with the scheme and port that were asked.
    Elsewhere,
    /// Not for itself; an audit probes it for a wildcard.
    Probed,
    /// A fact is missing.
    Undecided,
    /// It is not: the service is gone.
    Retired,
    /// It is not: the entries that name it do not apply.
    NotNeeded,
    /// No entry names it.
    Unknown,
}

/// What the name has to do with an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It is the name.
    Itself,
    /// It is one of the names of the wildcard.
    Within,
    /// The name that was asked is a wildcard that holds it.
    Holds,
    /// An audit probes it for the wildcard.
    ProbedFor,
    /// It may be the value of the template.
    MayBe,
}

/// Everything that the catalog and the facts say of a name.
pub fn explain<'a>(
    asked: &Asked,
    host: Option<&HostName>,
    (facts, catalog, options): (&Facts, &'a Catalog, &Options),
    requirements: &'a [Requirement],
) -> Explained<'a> {
    let name = &asked.name;
    let mut by_entry: BTreeMap<&EntryId, Vec<&Requirement>> = BTreeMap::new();
    for requirement in requirements {
        by_entry.entry(&requirement.entry).or_default().push(requirement);
    }
    let is_asked = |subject: &Subject| host.is_none_or(|host| subject.may_be(host));
    let (mut applied, mut silent, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &catalog.entries {
        let all = by_entry.get(&entry.id).map_or(&[][..], Vec::as_slice);
        if !has_words(entry) && all.iter().any(|r| matches!(r.name, RequiredName::Template(_))) {
            open.extend(
                all.iter().copied().filter(|r| matches!(r.name, RequiredName::Template(_)) && is_asked(&r.subject)),
            );
        }
        let related: Vec<(&Requirement, Relation)> =
            all.iter().filter_map(|r| of_requirement(name, r, entry).map(|relation| (*r, relation))).collect();
        let theirs: Vec<_> = related.iter().filter(|(r, _)| is_asked(&r.subject)).cloned().collect();
        if !theirs.is_empty() {
            applied.push(Applied { entry, requirements: theirs });
            continue;
        }
        let Some(relation) = related.first().map(|(_, relation)| relation.clone()).or_else(|| of_entry(name, entry))
        else {
            continue;
        };
        let mut instead: Vec<String> = match related.as_slice() {
            [] => all.iter().map(|r| r.endpoint()).collect(),
            others => others.iter().map(|(r, _)| format!("{} ({})", r.subject, r.role.title())).collect(),
        };
        instead.sort();
        instead.dedup();
        let mut standings = standings(entry, facts, options);
        standings.retain(|standing| is_asked(&standing.subject));
        silent.push(Silent { entry, relation, standings, instead });
    }
    // What is needed first, and what names the name itself before wildcards.
    applied.sort_by_key(|applied: &Applied<'_>| {
        applied.requirements.iter().map(|(r, relation)| (rank(&r.decision), relation.clone())).min()
    });
    let near = if applied.is_empty() && silent.is_empty() { near(name, catalog) } else { Vec::new() };
    Explained { asked: asked.clone(), host: host.cloned(), applied, silent, open, near }
}

fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Needed => 0,
        Decision::Undecided { .. } => 1,
        Decision::Retired => 2,
    }
}

/// Whether an endpoint has words of its own. A template without any may be every name, which says nothing.
fn has_words(entry: &Entry) -> bool {
    match &entry.endpoint {
        EndpointTemplate::Pattern(_) => true,
        EndpointTemplate::Template(parts) => {
            parts.iter().any(|part| matches!(part, Part::Text(text) if text.len() > 1))
        }
    }
}

fn of_requirement(name: &HostPattern, requirement: &Requirement, entry: &Entry) -> Option<Relation> {
    let probed = match &requirement.proof {
        Proof::Representative { hosts, .. } | Proof::Related { hosts, .. } => hosts.as_slice(),
        Proof::Itself | Proof::NotTestable { .. } => &[],
    };
    match &requirement.name {
        RequiredName::Pattern(own) => of_pattern(name, own).or_else(|| of_probed(name, probed)),
        RequiredName::Template(template) => {
            let asked = AllowPattern::Names(ListPattern::Host(name.clone()));
            (has_words(entry) && may_fill(template, &asked)).then_some(Relation::MayBe)
        }
    }
}

fn of_entry(name: &HostPattern, entry: &Entry) -> Option<Relation> {
    let probed = entry.probe.as_ref().map_or(&[][..], |rule| rule.hosts.as_slice());
    match &entry.endpoint {
        EndpointTemplate::Pattern(own) => of_pattern(name, own).or_else(|| of_probed(name, probed)),
        EndpointTemplate::Template(_) => {
            let asked = AllowPattern::Names(ListPattern::Host(name.clone()));
            (has_words(entry) && may_fill(&entry.endpoint.to_string(), &asked)).then_some(Relation::MayBe)
        }
    }
}

fn of_pattern(name: &HostPattern, own: &HostPattern) -> Option<Relation> {
    let (asked, known) = (ListPattern::Host(name.clone()), ListPattern::Host(own.clone()));
    match (name == own, known.covers(&asked), asked.covers(&known)) {
        (true, ..) => Some(Relation::Itself),
        (_, true, _) => Some(Relation::Within),
        (.., true) => Some(Relation::Holds),
        _ => None,
    }
}

fn of_probed(name: &HostPattern, hosts: &[HostName]) -> Option<Relation> {
    hosts.iter().any(|host| name.matches(host)).then_some(Relation::ProbedFor)
}

/// Names of the catalog with the same last labels.
fn near(name: &HostPattern, catalog: &Catalog) -> Vec<String> {
    let base = ListPattern::Host(name.clone()).base().to_string();
    let labels: Vec<&str> = base.split('.').collect();
    let near = |count: usize| -> Vec<String> {
        let end = labels[labels.len() - count..].join(".");
        let is_near = |text: &String| *text == end || text.ends_with(&format!(".{end}"));
        let mut names: Vec<String> =
            catalog.entries.iter().map(|entry| entry.endpoint.to_string()).filter(is_near).collect();
        names.sort();
        names.dedup();
        names
    };
    (2..=labels.len()).rev().map(near).find(|names| !names.is_empty()).unwrap_or_default()
}

/// How many servers an explanation goes through.
const MAX_SUBJECTS: usize = 8;

/// The explanation in words.
pub fn explanation(explained: &Explained<'_>, catalog: &Catalog, width: usize) -> String {
    let width = width.max(60);
    let mut out = String::new();
    line(&explained.verdict(catalog), width, &mut out);
    for applied in &explained.applied {
        out.push('\n');
        self::applied(applied, &explained.asked.name, catalog, width, &mut out);
    }
    for silent in &explained.silent {
        out.push('\n');
        self::silent(silent, explained, catalog, width, &mut out);
    }
    for requirement in &explained.open {
        let Decision::Undecided { missing } = &requirement.decision else { continue };
        let subject = subject(&requirement.subject, requirement.role);
        out.push('\n');
        let text = format!(
            "It may still be {} of {subject} ({}): missing {}",
            requirement.name,
            requirement.entry,
            missing.join("; ")
        );
        line(&text, width, &mut out);
    }
    if !explained.near.is_empty() {
        let shown: Vec<&str> = explained.near.iter().take(10).map(String::as_str).collect();
        line(&format!("Near it, the catalog has: {}", shown.join(", ")), width, &mut out);
    }
    out
}

impl Explained<'_> {
    /// The answer.
    pub fn sum(&self) -> Sum {
        match self.sum_of(|requirement| self.asked.is(requirement)) {
            Sum::Unknown | Sum::NotNeeded => match self.sum_of(|_| true) {
                Sum::Needed | Sum::Undecided => Sum::Elsewhere,
                sum => sum,
            },
            sum => sum,
        }
    }

    fn sum_of(&self, counts: impl Fn(&Requirement) -> bool) -> Sum {
        let counted = || self.applied.iter().flat_map(|a| &a.requirements).filter(|(r, _)| counts(r));
        let decisions = || counted().map(|(r, relation)| (&r.decision, relation));
        let some = |wanted: fn(&Decision, &Relation) -> bool| decisions().any(|(d, relation)| wanted(d, relation));
        if some(|decision, relation| *decision == Decision::Needed && !matches!(relation, Relation::ProbedFor)) {
            Sum::Needed
        } else if some(|decision, _| *decision == Decision::Needed) {
            Sum::Probed
        } else if some(|decision, _| matches!(decision, Decision::Undecided { .. })) {
            Sum::Undecided
        } else if some(|decision, _| *decision == Decision::Retired) {
            Sum::Retired
        } else if self.silent.is_empty() && self.applied.is_empty() {
            Sum::Unknown
        } else {
            Sum::NotNeeded
        }
    }

    /// The answer in words.
    pub fn verdict(&self, catalog: &Catalog) -> String {
        let name = &self.asked.name;
        let place = self.host.as_ref().map_or_else(|| "in this hierarchy".to_owned(), |host| format!("by {host}"));
        match self.sum() {
            Sum::Needed => format!("{name} is needed {place}."),
            Sum::Elsewhere => {
                let needed = self.sum_of(|_| true) == Sum::Needed;
                let verb = if needed { "is needed" } else { "may be needed" };
                format!("{name} {verb} {place}, but not {}: {}.", self.asked_words(), self.elsewhere(needed))
            }
            Sum::Probed => format!("{name} is not needed {place} for itself; an audit probes it."),
            Sum::Undecided => format!("Whether {name} is needed {place} is undecided: a fact is missing."),
            Sum::Retired => format!("{name} is not needed {place}: its service is gone."),
            Sum::Unknown => format!("No entry of catalog {} names {name}.{}", catalog.version, self.open_words()),
            Sum::NotNeeded => {
                let open = self.open_words();
                format!("{name} is not needed {place}: the entries that name it do not apply.{open}")
            }
        }
    }
}

impl Explained<'_> {
    /// What a "no" must not hide.
    fn open_words(&self) -> &'static str {
        if self.open.is_empty() { "" } else { " A name that is not known yet may still be it." }
    }

    /// What sets the scheme and port that were asked apart from those of the name.
    fn asked_words(&self) -> String {
        let Asked { scheme, port, .. } = self.asked;
        let mut schemes = self.applied.iter().flat_map(|a| &a.requirements).map(|(r, _)| r.scheme);
        let scheme = scheme.filter(|asked| !schemes.any(|own| own == *asked)).map(|scheme| format!("with {scheme}"));
        let words = scheme.into_iter().chain(port.map(|port| format!("on port {port}")));
        words.collect::<Vec<_>>().join(" ")
    }

    /// The schemes and ports with which it is needed, or, if it is not, may be.
    fn elsewhere(&self, needed: bool) -> String {
        let all = self.applied.iter().flat_map(|a| &a.requirements).filter(|(r, relation)| match r.decision {
            Decision::Needed => !matches!(relation, Relation::ProbedFor),
            Decision::Undecided { .. } => !needed,
            Decision::Retired => false,
        });
        let ports = all.map(|(r, _)| {
            let port = r.port.map_or_else(|| "?".to_owned(), |port| port.to_string());
            format!("{} {port}", r.scheme)
        });
        ports.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    }
}

fn applied(applied: &Applied<'_>, name: &HostPattern, catalog: &Catalog, width: usize, out: &mut String) {
    let entry = applied.entry;
    title(entry, name, &applied.requirements[0].1, width, out);
    let mut groups: Vec<(&Requirement, Vec<String>)> = Vec::new();
    for (requirement, _) in &applied.requirements {
        let endpoint = requirement.endpoint();
        match groups.iter_mut().find(|(first, _)| {
            (&first.subject, first.role, &first.decision, &first.reasons)
                == (&requirement.subject, requirement.role, &requirement.decision, &requirement.reasons)
        }) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => groups.push((requirement, vec![endpoint])),
        }
    }
    for (requirement, endpoints) in groups.iter().take(MAX_SUBJECTS) {
        let subject = subject(&requirement.subject, requirement.role);
        let what = match &requirement.decision {
            Decision::Needed => format!("needed ({}) by {subject}", requirement.tier.name()),
            Decision::Undecided { .. } => format!("undecided for {subject}"),
            Decision::Retired => format!("gone, and would have been for {subject}"),
        };
        line(&format!("  {what}: {}", endpoints.join(", ")), width, out);
        for reason in &requirement.reasons {
            line(&format!("    because {reason}"), width, out);
        }
        if let Decision::Undecided { missing } = &requirement.decision {
            for missing in missing {
                line(&format!("    missing {missing}"), width, out);
            }
        }
        let route = &requirement.route;
        line(&format!("    route {}: {} ({})", route.via, route.detail, requirement.context.name()), width, out);
    }
    if groups.len() > MAX_SUBJECTS {
        line(&format!("  and {} more; ask with --host", groups.len() - MAX_SUBJECTS), width, out);
    }
    foot(entry, catalog, width, out);
}

fn silent(silent: &Silent<'_>, explained: &Explained<'_>, catalog: &Catalog, width: usize, out: &mut String) {
    let entry = silent.entry;
    title(entry, &explained.asked.name, &silent.relation, width, out);
    let place = explained.host.as_ref().map_or_else(|| "nobody here".to_owned(), ToString::to_string);
    for role in &entry.roles {
        let standings: Vec<&Standing> = silent.standings.iter().filter(|s| s.role == *role).collect();
        if standings.is_empty() {
            match explained.host {
                None => line(&format!("  does not apply: {place} is {}", role.title()), width, out),
                Some(_) => line(&format!("  does not apply: {place} is not {}", role.title()), width, out),
            }
        }
        for standing in standings.iter().take(MAX_SUBJECTS) {
            let subject = subject(&standing.subject, standing.role);
            if standing.answers.iter().all(|answer| answer.value == Some(true)) && silent.instead.is_empty() {
                line(&format!("  applies to {subject}, but the value that makes its name is empty here"), width, out);
            } else {
                line(&format!("  {subject}: applies when {}", entry.when), width, out);
            }
            out.push_str(&answers(&standing.answers, width));
        }
        if standings.len() > MAX_SUBJECTS {
            line(&format!("  and {} more; ask with --host", standings.len() - MAX_SUBJECTS), width, out);
        }
    }
    if !silent.instead.is_empty() {
        let shown: Vec<&str> = silent.instead.iter().take(MAX_SUBJECTS).map(String::as_str).collect();
        let more = silent.instead.len().saturating_sub(MAX_SUBJECTS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let lead = if silent.relation == Relation::MayBe { "what it needs here is" } else { "it applies to" };
        line(&format!("  {lead} {}{more}", shown.join(", ")), width, out);
    }
    foot(entry, catalog, width, out);
}

fn title(entry: &Entry, name: &HostPattern, relation: &Relation, width: usize, out: &mut String) {
    let how = match relation {
        Relation::Itself => String::new(),
        Relation::Within => format!(" ({name} is one of these)"),
        Relation::Holds => format!(" (within {name})"),
        Relation::ProbedFor => format!(" (an audit probes {name} for it)"),
        Relation::MayBe => format!(" ({name} has this form)"),
    };
    line(&format!("{}, section {}: {}{how}", entry.id, entry.section, entry.endpoint), width, out);
}

fn answers(answers: &[Answer], width: usize) -> String {
    const VALUE: usize = 7;
    let question = answers.iter().map(|answer| answer.question.len()).max().unwrap_or(0).min(30);
    // Two blanks before each of the three columns, and two more for the depth.
    let room = width.saturating_sub(VALUE + question + 8);
    let rows: Vec<(&str, &str, String)> = answers
        .iter()
        .map(|answer| {
            let value = match answer.value {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            (value, answer.question.as_str(), answer.words.join("; "))
        })
        .collect();
    let drawn = grid(
        rows.iter().map(|(value, asked, words)| vec![(*value, VALUE), (*asked, question), (words.as_str(), room)]),
    );
    drawn.lines().map(|line| format!("  {line}\n")).collect::<Vec<_>>().concat()
}

fn foot(entry: &Entry, catalog: &Catalog, width: usize, out: &mut String) {
    if entry.status != Status::Active {
        let since = entry.status_since.map(|day| format!(" since {day}")).unwrap_or_default();
        let by = entry.replaced_by.as_ref().map(|id| format!(", replaced by {id}")).unwrap_or_default();
        line(&format!("  {}{since}{by}", entry.status.name()), width, out);
    }
    if let Some(note) = &entry.note {
        line(&format!("  note: {note}"), width, out);
    }
    for source in Cited::all(&entry.sources, catalog) {
        let text = format!("  according to {}: {}, {} {}", source.title, source.section, source.date, source.url);
        line(&text, width, out);
    }
}

fn subject(subject: &Subject, role: CatalogRole) -> String {
    match subject {
        Subject::Host { site, host } => format!("{host}, {} of site {site}", role.title()),
        Subject::UnknownHosts => format!("servers that are {}", role.title()),
        other => other.to_string(),
    }
}
