//! From requirements to the entries of a list.

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::ListPattern;
use crate::catalog::{Catalog, Context, EndpointTemplate, Entry, EntryId, Inspection, Status, Tier};
use crate::derive::{Decision, RequiredName, Requirement, Subject};
use crate::host::Scheme;

/// What goes into a list, and what does not and why. One host's list is made of that host's requirements.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandOff {
    /// What to allow, in the order of names, schemes and ports; each once.
    pub entries: Vec<ListEntry>,
    /// What may be needed: a fact is missing. In no list, named in each.
    pub undecided: Vec<Undecided>,
    /// Names whose service is gone or has moved: in no list, known so that they can be cleaned up.
    pub retired: BTreeMap<ListPattern, BTreeSet<EntryId>>,
}

/// One thing to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// The names.
    pub pattern: ListPattern,
    /// The protocol.
    pub scheme: Scheme,
    /// The port.
    pub port: u16,
    /// Who needs it.
    pub subjects: BTreeSet<Subject>,
    /// Whose proxy settings are used.
    pub contexts: BTreeSet<Context>,
    /// Unsupported if one of the catalog entries says so.
    pub inspection: Inspection,
    /// How much depends on it: the strongest of the catalog entries.
    pub tier: Tier,
    /// The paths that are needed; `None`: any.
    pub paths: Option<BTreeSet<String>>,
    /// The catalog entries that say so.
    pub entries: BTreeSet<EntryId>,
}

impl ListEntry {
    /// Whether it is never asked through a proxy: between site systems, and TCP-TLS to classic gateways.
    pub fn is_intranet(&self) -> bool {
        self.contexts.iter().all(|context| *context == Context::Intranet)
    }
}

/// Something that may be needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The name, or the template that could not be filled.
    pub name: RequiredName,
    /// The protocol.
    pub scheme: Scheme,
    /// The port, if that is known.
    pub port: Option<u16>,
    /// Who may need it.
    pub subjects: BTreeSet<Subject>,
    /// Unsupported if one of the catalog entries says so.
    pub inspection: Inspection,
    /// What is missing, and how to state or read it.
    pub missing: BTreeSet<String>,
    /// The catalog entries that say so.
    pub entries: BTreeSet<EntryId>,
}

type Key = (ListPattern, Scheme, u16);
type OpenKey = (RequiredName, Scheme, Option<u16>);

impl HandOff {
    /// Sorts requirements into what is needed, what may be, and what is gone.
    pub fn of<'a>(requirements: impl IntoIterator<Item = &'a Requirement>) -> Self {
        let mut needed: BTreeMap<Key, ListEntry> = BTreeMap::new();
        let mut open: BTreeMap<OpenKey, Undecided> = BTreeMap::new();
        let mut retired: BTreeMap<ListPattern, BTreeSet<EntryId>> = BTreeMap::new();
        for requirement in requirements {
            match (&requirement.decision, &requirement.name, requirement.port) {
                (Decision::Retired, RequiredName::Pattern(pattern), _) => {
                    let pattern = ListPattern::Host(pattern.clone());
                    retired.entry(pattern).or_default().insert(requirement.entry.clone());
                }
                (Decision::Retired, RequiredName::Template(_), _) => {}
                (Decision::Needed, RequiredName::Pattern(pattern), Some(port)) => {
                    let key = (ListPattern::Host(pattern.clone()), requirement.scheme, port);
                    add(needed.entry(key.clone()).or_insert_with(|| empty(key)), requirement);
                }
                (Decision::Needed | Decision::Undecided { .. }, ..) => add_open(&mut open, requirement),
            }
        }
        Self { undecided: still_open(open, &needed), entries: needed.into_values().collect(), retired }
    }
}

impl HandOff {
    /// Adds what the catalog knows to be gone or moved, whatever the facts say: a list may still have it. A name that
    /// one service has left and another one has is not gone.
    #[must_use]
    pub fn with_retired(mut self, catalog: &Catalog) -> Self {
        let names = |entry: &Entry| match &entry.endpoint {
            EndpointTemplate::Pattern(pattern) => Some(ListPattern::Host(pattern.clone())),
            EndpointTemplate::Template(_) => None,
        };
        let is_left = |entry: &&Entry| matches!(entry.status, Status::Retired | Status::Superseded);
        let (left, alive): (Vec<&Entry>, Vec<&Entry>) = catalog.entries.iter().partition(is_left);
        for (pattern, entry) in left.into_iter().filter_map(|entry| Some((names(entry)?, entry))) {
            self.retired.entry(pattern).or_default().insert(entry.id.clone());
        }
        let alive: Vec<ListPattern> = alive.into_iter().filter_map(names).collect();
        self.retired.retain(|pattern, _| !alive.iter().any(|other| other.covers(pattern)));
        self
    }
}

fn empty((pattern, scheme, port): Key) -> ListEntry {
    ListEntry {
        pattern,
        scheme,
        port,
        subjects: BTreeSet::new(),
        contexts: BTreeSet::new(),
        inspection: Inspection::Unstated,
        tier: Tier::Advisory,
        paths: Some(BTreeSet::new()),
        entries: BTreeSet::new(),
    }
}

fn add(entry: &mut ListEntry, requirement: &Requirement) {
    match (&mut entry.paths, &requirement.path) {
        (Some(paths), Some(path)) if path != "/" => _ = paths.insert(path.clone()),
        (paths, _) => *paths = None,
    }
    entry.subjects.insert(requirement.subject.clone());
    entry.contexts.insert(requirement.context);
    entry.entries.insert(requirement.entry.clone());
    entry.tier = entry.tier.min(requirement.tier);
    if requirement.inspection == Inspection::Unsupported {
        entry.inspection = Inspection::Unsupported;
    }
}

fn add_open(open: &mut BTreeMap<OpenKey, Undecided>, requirement: &Requirement) {
    let key = (requirement.name.clone(), requirement.scheme, requirement.port);
    let undecided = open.entry(key).or_insert_with_key(|(name, scheme, port)| Undecided {
        name: name.clone(),
        scheme: *scheme,
        port: *port,
        subjects: BTreeSet::new(),
        inspection: Inspection::Unstated,
        missing: BTreeSet::new(),
        entries: BTreeSet::new(),
    });
    undecided.subjects.insert(requirement.subject.clone());
    undecided.entries.insert(requirement.entry.clone());
    if requirement.inspection == Inspection::Unsupported {
        undecided.inspection = Inspection::Unsupported;
    }
    if let Decision::Undecided { missing } = &requirement.decision {
        undecided.missing.extend(missing.iter().cloned());
    }
    if matches!(requirement.name, RequiredName::Template(_)) {
        undecided.missing.insert("the name depends on a fact that is unknown".to_owned());
    } else if requirement.port.is_none() {
        undecided.missing.insert("the port depends on a fact that is unknown".to_owned());
    }
}

/// Leaves out the subjects for which the same name and port are needed anyway.
fn still_open(open: BTreeMap<OpenKey, Undecided>, needed: &BTreeMap<Key, ListEntry>) -> Vec<Undecided> {
    let decided = |undecided: &Undecided| match (&undecided.name, undecided.port) {
        (RequiredName::Pattern(p), Some(port)) => {
            needed.get(&(ListPattern::Host(p.clone()), undecided.scheme, port)).map(|entry| &entry.subjects)
        }
        _ => None,
    };
    let mut left: Vec<Undecided> = open.into_values().collect();
    for undecided in &mut left {
        if let Some(subjects) = decided(undecided) {
            undecided.subjects = &undecided.subjects - subjects;
        }
    }
    left.retain(|undecided| !undecided.subjects.is_empty());
    left
}
