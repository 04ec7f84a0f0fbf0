//! What a format cannot say of a list: the loss report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::entry::{ListEntry, Undecided};
use super::pattern::ListPattern;
use crate::derive::Subject;
use crate::host::Scheme;
use crate::text;

/// One thing that a rendered list says differently from what is needed, or does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What kind.
    pub kind: LossKind,
    /// The name it is about; `None` for the list as a whole.
    pub name: Option<String>,
    /// What is lost, and what to do about it. Printable ASCII, one line.
    pub detail: String,
}

/// The kinds of loss. The first two change what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// The list allows more names than are needed.
    Broader,
    /// The format has no words for the name: it is not in the list.
    NotExpressible,
    /// Not in the list: whether it is needed is undecided.
    Undecided,
    /// Not in the list: this kind of list is not for it.
    NotForThisList,
    /// The rule that uses the list must say the ports.
    PortsDropped,
    /// The list allows every path of a name of which only some are needed.
    PathsDropped,
    /// The rule that uses the list must say the sources.
    HostsDropped,
    /// Something must be set by hand before the list works.
    ByHand,
}

impl LossKind {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Broader => "broader",
            Self::NotExpressible => "not-expressible",
            Self::Undecided => "undecided",
            Self::NotForThisList => "not-for-this-list",
            Self::PortsDropped => "ports-dropped",
            Self::PathsDropped => "paths-dropped",
            Self::HostsDropped => "hosts-dropped",
            Self::ByHand => "by-hand",
        }
    }
}

impl Loss {
    pub(super) fn new(kind: LossKind, name: impl fmt::Display, detail: impl AsRef<str>) -> Self {
        Self { kind, name: Some(text::ascii(&name.to_string(), 300)), detail: text::ascii(detail.as_ref(), 600) }
    }

    pub(super) fn of_list(kind: LossKind, detail: impl AsRef<str>) -> Self {
        Self { kind, name: None, detail: text::ascii(detail.as_ref(), 600) }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}: {name}: {}", self.kind.code(), self.detail),
            None => write!(f, "{}: {}", self.kind.code(), self.detail),
        }
    }
}

/// What is undecided: in no list, and named in each.
pub(super) fn undecided<'a>(undecided: impl IntoIterator<Item = &'a Undecided>) -> Vec<Loss> {
    let loss = |u: &Undecided| {
        let port = u.port.map_or_else(|| "unknown port".to_owned(), |p| p.to_string());
        let missing = u.missing.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
        let detail = format!("not in the list: {} {port} for {}: {missing}", u.scheme, who(&u.subjects));
        Loss::new(LossKind::Undecided, &u.name, detail)
    };
    undecided.into_iter().map(loss).collect()
}

/// The ports that a list of bare names leaves to the rule. Names that need 443 alone are said in one line.
pub(super) fn ports(entries: &[&ListEntry]) -> Vec<Loss> {
    let mut by_name: BTreeMap<&ListPattern, BTreeSet<(Scheme, u16)>> = BTreeMap::new();
    for entry in entries {
        by_name.entry(&entry.pattern).or_default().insert((entry.scheme, entry.port));
    }
    let usual = BTreeSet::from([(Scheme::Https, 443)]);
    let (plain, other): (Vec<_>, Vec<_>) = by_name.into_iter().partition(|(_, ports)| *ports == usual);
    let mut losses = Vec::new();
    if !plain.is_empty() {
        let which = if other.is_empty() { "every name needs" } else { "names without a line of their own need" };
        losses.push(Loss::of_list(LossKind::PortsDropped, format!("{which} https 443, and no other port")));
    }
    losses.extend(other.into_iter().map(|(name, ports)| {
        let ports: Vec<String> = ports.iter().map(|(scheme, port)| format!("{scheme} {port}")).collect();
        Loss::new(LossKind::PortsDropped, name, format!("needs {}", ports.join(", ")))
    }));
    losses
}

/// The paths that a list of names does not say.
pub(super) fn paths<'a>(entries: impl IntoIterator<Item = &'a ListEntry>) -> Vec<Loss> {
    let loss = |entry: &ListEntry| {
        let paths = entry.paths.as_ref()?.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let detail = format!("only {paths} is needed of {} {}, and every path is allowed", entry.scheme, entry.port);
        Some(Loss::new(LossKind::PathsDropped, &entry.pattern, detail))
    };
    entries.into_iter().filter_map(loss).collect()
}

/// Who needs what, which a list for several does not say.
pub(super) fn hosts(entries: &[&ListEntry]) -> Option<Loss> {
    let all: BTreeSet<Subject> = entries.iter().flat_map(|entry| entry.subjects.iter().cloned()).collect();
    let differ = entries.iter().any(|entry| entry.subjects != all);
    match all.len() {
        0 => None,
        1 => Some(format!("the rule must be for {} alone", who(&all))),
        _ if differ => Some(format!(
            "this list is the union for {}; not each of them needs every name: make one list per host to keep them \
             apart",
            who(&all)
        )),
        _ => Some(format!("the rule must be for {} alone", who(&all))),
    }
    .map(|detail| Loss::of_list(LossKind::HostsDropped, detail))
}

/// Up to five subjects by name.
pub(crate) fn who(subjects: &BTreeSet<Subject>) -> String {
    let named: Vec<String> = subjects.iter().take(5).map(ToString::to_string).collect();
    match subjects.len().saturating_sub(5) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
