//! Comparing what is needed with an allow list that somebody has already.

use std::collections::BTreeSet;

use super::allow_line::{AllowLine, AllowPattern, AllowPort, LineError};
use super::entry::{HandOff, ListEntry, Undecided};
use super::fill::{may_fill, parents};
use super::pattern::ListPattern;
use super::tree::Tree;
use crate::catalog::EntryId;
use crate::derive::RequiredName;
use crate::host::{HostPattern, Scheme};
use crate::text;

/// The longest allow list, in octets.
pub const MAX_TEXT: usize = 4 << 20;
/// The longest line of it, in octets.
pub const MAX_LINE: usize = 4 << 10;
/// The most lines of it.
pub const MAX_LINES: usize = 100_000;
/// How many names or lines one finding lists; it says how many there are.
const MAX_LISTED: usize = 20;

/// Compares an allow list, one pattern a line (see [`AllowLine::parse`]), with what is needed. Lines count from 1.
///
/// A line without a port lets every port through: the usual form of a list of domains, so it is only counted, unless
/// other lines of the list have ports. What is undecided makes no line stale or too broad.
pub fn check_against(hand_off: &HandOff, allow_list: &str) -> Result<Check, CheckError> {
    let mut check = Check::default();
    let lines = read(allow_list, &mut check.not_understood)?;
    let needs = Needs::of(hand_off);
    let has_ports = lines.iter().any(|line| line.allow.port != AllowPort::Unsaid);
    let mut told = BTreeSet::new();
    for line in &lines {
        needs.judge(line, has_ports, &mut told, &mut check);
    }
    check.any_port = if has_ports { 0 } else { lines.len() };
    let allowed = Tree::new(lines.iter().map(|line| (line.base(), line)));
    check.missing.extend(hand_off.entries.iter().filter_map(|entry| missing(entry, &allowed)));
    let open = hand_off.undecided.iter().filter(|undecided| !is_allowed(undecided, &allowed, &told));
    check.maybe_missing = open.cloned().collect();
    Ok(check)
}

/// What the comparison found. Lines are in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// Needed, and not let through.
    pub missing: Vec<Missing>,
    /// Let through, and not needed by anything.
    pub stale: Vec<Stale>,
    /// Needed in part: lets more names through than are needed.
    pub too_broad: Vec<TooBroad>,
    /// Whether these are needed is undecided.
    pub undecided: Vec<MaybeNeeded>,
    /// May be needed, and no line lets it through.
    pub maybe_missing: Vec<Undecided>,
    /// Not compared.
    pub not_understood: Vec<NotUnderstood>,
    /// Lines without a port, in a list that has no ports at all. They let every port through, unless the rule that
    /// uses the list says which.
    pub any_port: usize,
}

impl Check {
    /// Whether the list differs from what is needed, for certain: what is undecided, and a list without ports, is not.
    pub fn differs(&self) -> bool {
        !(self.missing.is_empty()
            && self.stale.is_empty()
            && self.too_broad.is_empty()
            && self.not_understood.is_empty())
    }

    /// Whether the list lets through what is needed, no more, and all of that is certain.
    pub fn is_exact(&self) -> bool {
        self.any_port == 0 && self.names_are_exact()
    }

    /// The same, but for the ports: a list of domains has none.
    pub fn names_are_exact(&self) -> bool {
        *self == Self { any_port: self.any_port, ..Self::default() }
    }
}

/// Something needed that the list does not let through, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What is needed.
    pub entry: ListEntry,
    /// The first lines that let through a part of it.
    pub partly: Vec<usize>,
}

/// A line that nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Its number.
    pub line: usize,
    /// The line, made printable.
    pub text: String,
    /// Why.
    pub why: StaleWhy,
}

/// Why a line is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaleWhy {
    /// No requirement has to do with it.
    NotNeeded,
    /// What it was for has gone or moved.
    OnlyRetired(BTreeSet<EntryId>),
    /// The name is needed, on these ports.
    OtherPort(BTreeSet<u16>),
    /// Name and port are needed, with this scheme.
    OtherScheme(Scheme),
}

/// A line of which only a part is needed: some names of a wildcard, some ports of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooBroad {
    /// The line's number.
    pub line: usize,
    /// The line, made printable.
    pub text: String,
    /// The first names that are needed of it.
    pub needed: BTreeSet<ListPattern>,
    /// How many there are.
    pub needed_count: usize,
    /// The ports that are needed, where the line lets every port through and says so.
    pub ports: Option<BTreeSet<u16>>,
}

/// A line that may be needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeNeeded {
    /// Its number.
    pub line: usize,
    /// The line, made printable.
    pub text: String,
    /// The first undecided names that it is for.
    pub names: BTreeSet<String>,
}

/// A line that was not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Its number.
    pub line: usize,
    /// The line, made printable.
    pub text: String,
    /// Why not.
    pub error: LineError,
}

/// An allow list that is too long to be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// More than [`MAX_TEXT`].
    #[error("the allow list has {0} octets (at most {MAX_TEXT})")]
    TextTooLong(usize),
    /// More than [`MAX_LINE`].
    #[error("line {line} of the allow list has {length} octets (at most {MAX_LINE})")]
    LineTooLong {
        /// The line's number.
        line: usize,
        /// Its length.
        length: usize,
    },
    /// More than [`MAX_LINES`].
    #[error("the allow list has more than {MAX_LINES} lines")]
    TooManyLines,
}

/// A line that was understood.
#[derive(Debug)]
struct Line<'a> {
    number: usize,
    text: &'a str,
    allow: AllowLine,
}

impl Line<'_> {
    fn base(&self) -> Option<&crate::host::HostName> {
        match &self.allow.pattern {
            AllowPattern::Everything => None,
            AllowPattern::Names(pattern) => Some(pattern.base()),
        }
    }

    fn is_exact(&self) -> bool {
        matches!(self.allow.pattern, AllowPattern::Names(ListPattern::Host(HostPattern::Exact(_))))
    }

    fn shown(&self) -> String {
        text::printable(self.text.trim(), 200)
    }
}

fn read<'a>(allow_list: &'a str, not_understood: &mut Vec<NotUnderstood>) -> Result<Vec<Line<'a>>, CheckError> {
    if allow_list.len() > MAX_TEXT {
        return Err(CheckError::TextTooLong(allow_list.len()));
    }
    let mut lines = Vec::new();
    for (index, text) in allow_list.strip_prefix('\u{feff}').unwrap_or(allow_list).lines().enumerate() {
        let number = index + 1;
        if number > MAX_LINES {
            return Err(CheckError::TooManyLines);
        }
        if text.len() > MAX_LINE {
            return Err(CheckError::LineTooLong { line: number, length: text.len() });
        }
        match AllowLine::parse(text) {
            Ok(None) => {}
            Ok(Some(allow)) => lines.push(Line { number, text, allow }),
            Err(error) => {
                not_understood.push(NotUnderstood { line: number, text: text::printable(text.trim(), 200), error });
            }
        }
    }
    Ok(lines)
}

/// The entry, if no line lets it through. One line must let all of it through: two wildcards never make up a third.
fn missing(entry: &ListEntry, allowed: &Tree<&Line<'_>>) -> Option<Missing> {
    let exact = matches!(entry.pattern, ListPattern::Host(HostPattern::Exact(_)));
    let mut partly = BTreeSet::new();
    for line in allowed.related(Some(entry.pattern.base()), !exact) {
        if line.allow.allows(&entry.pattern, entry.scheme, entry.port) {
            return None;
        }
        if line.allow.has_port(entry.scheme, entry.port) && line.allow.overlaps(&entry.pattern) {
            partly.insert(line.number);
        }
    }
    Some(Missing { entry: entry.clone(), partly: partly.into_iter().take(MAX_LISTED).collect() })
}

/// Whether something undecided is let through, or a line was told to be for it perhaps.
fn is_allowed(undecided: &Undecided, allowed: &Tree<&Line<'_>>, told: &BTreeSet<Open<'_>>) -> bool {
    match &undecided.name {
        RequiredName::Template(template) => {
            let holds = |line: &&Line<'_>| {
                !matches!(
                    line.allow.pattern,
                    AllowPattern::Names(ListPattern::Host(HostPattern::Exact(_) | HostPattern::LabelSuffix { .. }))
                ) && undecided.port.is_none_or(|port| line.allow.has_port(undecided.scheme, port))
            };
            told.contains(&open(template, undecided))
                || parents(template).iter().any(|parent| allowed.related(parent.as_ref(), false).any(holds))
        }
        RequiredName::Pattern(pattern) => {
            let exact = matches!(pattern, HostPattern::Exact(_));
            let pattern = ListPattern::Host(pattern.clone());
            // Where the port is not known, a line for any port may be the one.
            allowed.related(Some(pattern.base()), !exact).any(|line| match undecided.port {
                Some(port) => line.allow.allows(&pattern, undecided.scheme, port),
                None => line.allow.covers(&pattern),
            })
        }
    }
}

/// A template that could not be filled, with its scheme and port.
type Open<'a> = (&'a str, Scheme, Option<u16>);

fn open<'a>(template: &'a str, undecided: &Undecided) -> Open<'a> {
    (template, undecided.scheme, undecided.port)
}

/// What is needed, may be, and is gone, by name.
struct Needs<'a> {
    needed: Tree<&'a ListEntry>,
    undecided: Tree<(ListPattern, &'a Undecided)>,
    templates: Vec<(&'a str, &'a Undecided)>,
    retired: Tree<(&'a ListPattern, &'a BTreeSet<EntryId>)>,
}

impl<'a> Needs<'a> {
    fn of(hand_off: &'a HandOff) -> Self {
        let (mut patterns, mut templates) = (Vec::new(), Vec::new());
        for undecided in &hand_off.undecided {
            match &undecided.name {
                RequiredName::Pattern(pattern) => patterns.push((ListPattern::Host(pattern.clone()), undecided)),
                RequiredName::Template(template) => templates.push((template.as_str(), undecided)),
            }
        }
        let bases: Vec<_> = patterns.iter().map(|(pattern, _)| pattern.base().clone()).collect();
        Self {
            needed: Tree::new(hand_off.entries.iter().map(|entry| (Some(entry.pattern.base()), entry))),
            undecided: Tree::new(bases.iter().map(Some).zip(patterns)),
            templates,
            retired: Tree::new(hand_off.retired.iter().map(|(p, entries)| (Some(p.base()), (p, entries)))),
        }
    }

    /// Puts what there is to say of a line into `check`, and the templates that it may be for into `told`.
    fn judge(&self, line: &Line<'_>, has_ports: bool, told: &mut BTreeSet<Open<'a>>, check: &mut Check) {
        let (allow, below) = (&line.allow, !line.is_exact());
        let near: Vec<&ListEntry> =
            self.needed.related(line.base(), below).filter(|e| allow.overlaps(&e.pattern)).copied().collect();
        let needed: Vec<&ListEntry> = near.iter().filter(|e| allow.has_port(e.scheme, e.port)).copied().collect();
        let maybe: Vec<&(ListPattern, &Undecided)> = self
            .undecided
            .related(line.base(), below)
            .filter(|(pattern, u)| u.port.is_none_or(|port| allow.has_port(u.scheme, port)) && allow.overlaps(pattern))
            .collect();
        let (number, text) = (line.number, line.shown());
        if !needed.is_empty() {
            let every_port = allow.port == AllowPort::Every || (has_ports && allow.port == AllowPort::Unsaid);
            let names_needed = all_is_needed(&allow.pattern, needed.iter().map(|e| &e.pattern));
            let possible = needed.iter().map(|e| &e.pattern).chain(maybe.iter().map(|(pattern, _)| pattern));
            if every_port || !all_is_needed(&allow.pattern, possible) {
                let ports = every_port.then(|| needed.iter().map(|entry| entry.port).collect());
                let names: BTreeSet<ListPattern> = needed.iter().map(|entry| entry.pattern.clone()).collect();
                let needed_count = names.len();
                let needed = names.into_iter().take(MAX_LISTED).collect();
                check.too_broad.push(TooBroad { line: number, text, needed, needed_count, ports });
                return;
            }
            if names_needed {
                return;
            }
        }
        let why = self.why_stale(line, &near);
        // What is known to be gone, and a name with a wrong port or scheme, is no unknown name's.
        let known = self.is_gone(line) || (line.is_exact() && why != StaleWhy::NotNeeded);
        let templates = (!known).then_some(&self.templates).into_iter().flatten();
        let templates: Vec<_> = templates
            .filter(|(template, u)| {
                u.port.is_none_or(|port| allow.has_port(u.scheme, port)) && may_fill(template, &allow.pattern)
            })
            .collect();
        told.extend(templates.iter().map(|(template, undecided)| open(template, undecided)));
        let names: BTreeSet<String> = maybe
            .iter()
            .map(|(pattern, _)| pattern.to_string())
            .chain(templates.iter().map(|(template, _)| text::printable(template, 200)))
            .take(MAX_LISTED)
            .collect();
        if names.is_empty() {
            check.stale.push(Stale { line: number, text, why });
        } else {
            check.undecided.push(MaybeNeeded { line: number, text, names });
        }
    }

    /// Whether all that a line lets through is known to be gone.
    fn is_gone(&self, line: &Line<'_>) -> bool {
        let AllowPattern::Names(names) = &line.allow.pattern else { return false };
        self.retired.related(line.base(), !line.is_exact()).any(|(pattern, _)| pattern.covers(names))
    }

    fn why_stale(&self, line: &Line<'_>, near: &[&ListEntry]) -> StaleWhy {
        if let Some(other) = near.iter().find(|entry| line.allow.port.has(entry.port)) {
            return StaleWhy::OtherScheme(other.scheme);
        }
        if !near.is_empty() {
            return StaleWhy::OtherPort(near.iter().map(|entry| entry.port).collect());
        }
        let retired = self.retired.related(line.base(), !line.is_exact());
        let retired: BTreeSet<EntryId> = retired
            .filter(|(pattern, _)| line.allow.overlaps(pattern))
            .flat_map(|(_, entries)| entries.iter().cloned())
            .collect();
        if retired.is_empty() { StaleWhy::NotNeeded } else { StaleWhy::OnlyRetired(retired) }
    }
}

/// Whether every name that a line lets through is needed. A name and all below it may be needed by two entries.
fn all_is_needed<'a>(allowed: &AllowPattern, needed: impl Iterator<Item = &'a ListPattern>) -> bool {
    let AllowPattern::Names(allowed) = allowed else { return false };
    let (mut apex, mut subdomains) = (false, false);
    for pattern in needed {
        if pattern.covers(allowed) {
            return true;
        }
        if let ListPattern::ApexAndSubdomains(name) = allowed {
            apex |= pattern.matches(name);
            subdomains |= pattern.covers(&ListPattern::subdomains(name.clone()));
        }
    }
    apex && subdomains
}
