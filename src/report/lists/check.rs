//! Comparing what is needed with an allow list that somebody has already.

use std::collections::BTreeSet;

use super::allow_line::{AllowLine, AllowPattern, LineError};
use super::entry::{HandOff, ListEntry, Undecided};
use super::pattern::ListPattern;
use super::tree::Tree;
use crate::catalog::EntryId;
use crate::derive::RequiredName;
use crate::host::HostPattern;
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
/// A line without a port lets every port through. What is undecided makes no line stale or too broad.
pub fn check_against(hand_off: &HandOff, allow_list: &str) -> Result<Check, CheckError> {
    let mut check = Check::default();
    let lines = read(allow_list, &mut check.not_understood)?;
    let needs = Needs::of(hand_off);
    for line in &lines {
        needs.judge(line, &mut check);
    }
    let allowed = Tree::new(lines.iter().map(|line| (line.base(), line)));
    check.missing.extend(hand_off.entries.iter().filter_map(|entry| missing(entry, &allowed)));
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
    /// Not compared.
    pub not_understood: Vec<NotUnderstood>,
}

impl Check {
    /// Whether the list lets through what is needed, no more, and all of that is certain.
    pub fn is_exact(&self) -> bool {
        *self == Self::default()
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
    /// The services that it was for are gone.
    OnlyRetired(BTreeSet<EntryId>),
    /// The name is needed, on these ports.
    OtherPort(BTreeSet<u16>),
}

/// A wildcard where less is needed.
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
        if line.allow.allows(&entry.pattern, entry.port) {
            return None;
        }
        if line.allow.has_port(entry.port) && line.allow.overlaps(&entry.pattern) {
            partly.insert(line.number);
        }
    }
    Some(Missing { entry: entry.clone(), partly: partly.into_iter().take(MAX_LISTED).collect() })
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

    fn judge(&self, line: &Line<'_>, check: &mut Check) {
        let (allow, below) = (&line.allow, !line.is_exact());
        let near: Vec<&ListEntry> =
            self.needed.related(line.base(), below).filter(|e| allow.overlaps(&e.pattern)).copied().collect();
        let needed: Vec<&ListEntry> = near.iter().filter(|e| allow.has_port(e.port)).copied().collect();
        if !needed.is_empty() && all_is_needed(&allow.pattern, needed.iter().map(|e| &e.pattern)) {
            return;
        }
        let maybe: Vec<&(ListPattern, &Undecided)> = self
            .undecided
            .related(line.base(), below)
            .filter(|(pattern, u)| u.port.is_none_or(|port| allow.has_port(port)) && allow.overlaps(pattern))
            .collect();
        let (number, text) = (line.number, line.shown());
        let possible = needed.iter().map(|e| &e.pattern).chain(maybe.iter().map(|(pattern, _)| pattern));
        if !needed.is_empty() && !all_is_needed(&allow.pattern, possible) {
            let names: BTreeSet<ListPattern> = needed.iter().map(|entry| entry.pattern.clone()).collect();
            let needed_count = names.len();
            let needed = names.into_iter().take(MAX_LISTED).collect();
            check.too_broad.push(TooBroad { line: number, text, needed, needed_count });
            return;
        }
        let templates = self.templates.iter().filter(|(template, _)| may_fill(template, &allow.pattern));
        let names: BTreeSet<String> = maybe
            .iter()
            .map(|(pattern, _)| pattern.to_string())
            .chain(templates.map(|(template, _)| text::printable(template, 200)))
            .take(MAX_LISTED)
            .collect();
        if names.is_empty() {
            check.stale.push(Stale { line: number, text, why: self.why_stale(line, &near) });
        } else {
            check.undecided.push(MaybeNeeded { line: number, text, names });
        }
    }

    fn why_stale(&self, line: &Line<'_>, near: &[&ListEntry]) -> StaleWhy {
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

/// Whether a template, filled, may be a name of the pattern. In doubt it may.
pub(crate) fn may_fill(template: &str, allowed: &AllowPattern) -> bool {
    let AllowPattern::Names(pattern) = allowed else { return true };
    let template = template.to_ascii_lowercase();
    let literals: Vec<&str> = template.split('{').map(|piece| piece.rsplit('}').next().unwrap_or_default()).collect();
    let (start, end) = (literals[0], literals[literals.len() - 1]);
    let base = pattern.base().as_str();
    if !matches!(pattern, ListPattern::Host(HostPattern::Exact(_))) {
        return base.ends_with(end) || end.ends_with(&format!(".{base}"));
    }
    // What stands between the variables must be there in its order; a variable is never empty.
    let inner = base.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    inner.is_some_and(|mut rest| {
        let between = &literals[1..literals.len() - 1];
        between.iter().all(|literal| {
            let found = rest.get(1..).and_then(|after| after.split_once(literal));
            found.inspect(|(_, after)| rest = after).is_some()
        }) && !rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_may_be_what_its_words_allow() {
        let may = |template, line| may_fill(template, &AllowLine::parse(line).unwrap().unwrap().pattern);
        let storage = "{cmg.storage}.blob.{azure.StorageEndpointSuffix}";
        assert!(may(storage, "granitefalls.blob.core.windows.net") && may(storage, "*.blob.core.windows.net"));
        assert!(!may(storage, "granitefalls.table.core.windows.net") && !may(storage, "blob.core.windows.net"));
        let gateway = "{cmg.prefix}.Gateway.contoso.com";
        assert!(may(gateway, "a.gateway.contoso.com") && may(gateway, "*.contoso.com") && may(gateway, "*"));
        assert!(may(gateway, ".gateway.contoso.com") && may(gateway, "*.a.gateway.contoso.com"));
        assert!(
            !may(gateway, "gateway.contoso.com") && !may(gateway, "a.contoso.com") && !may(gateway, "*.fabrikam.com")
        );
        assert!(!may(gateway, ".agateway.contoso.com"));
        assert!(may("{sup.upstream}", "anything.example"));
    }
}
