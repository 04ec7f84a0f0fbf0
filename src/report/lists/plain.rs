//! The plain list: one name or wildcard a line, comments with `#`.

use std::collections::BTreeSet;

use super::entry::HandOff;
use super::pattern::ListPattern;
use super::{Head, ListEntry, Rendered, loss};

pub(super) fn render(hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let entries: Vec<&ListEntry> = hand_off.entries.iter().collect();
    let mut losses = loss::undecided(&hand_off.undecided);
    losses.extend(loss::ports(&entries));
    losses.extend(loss::paths(entries.iter().copied()));
    losses.extend(loss::hosts(&entries));
    let text = head.comments("names to allow", &losses, "#") + &lines(&entries);
    Rendered { text, losses }
}

/// Each name once, in the order of the names.
pub(super) fn lines(entries: &[&ListEntry]) -> String {
    names(entries).iter().map(|name| format!("{name}\n")).collect::<Vec<_>>().concat()
}

/// The distinct names of the entries; a wildcard stands where its name would.
pub(super) fn names<'a>(entries: &[&'a ListEntry]) -> Vec<&'a ListPattern> {
    let names: BTreeSet<_> = entries.iter().map(|entry| (entry.pattern.base(), &entry.pattern)).collect();
    names.into_iter().map(|(_, name)| name).collect()
}
