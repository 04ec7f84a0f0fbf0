//! An external dynamic list of type URL, for PAN-OS.
//!
//! Entries have no scheme, and end in `/`: without it, and with "append ending token" off, `example.com` also means
//! `example.com.evil.example`. A wildcard stands for whole labels only, and `*.example.com/` does not hold
//! `example.com` (vendor documentation: guidelines for URL category exceptions). The format has no comments.

use super::entry::HandOff;
use super::pattern::ListPattern;
use super::plain::names;
use super::{ListEntry, Loss, LossKind, Rendered, loss};
use crate::host::HostPattern;

pub(super) fn render(hand_off: &HandOff) -> Rendered {
    let all: Vec<&ListEntry> = hand_off.entries.iter().collect();
    let (labels, entries): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|e| matches!(e.pattern, ListPattern::Host(HostPattern::LabelSuffix { .. })));
    let mut losses = loss::undecided(&hand_off.undecided);
    losses.extend(names(&labels).into_iter().map(|name| {
        let detail = format!(
            "a wildcard stands for whole labels only; the nearest is *.{}/, which is broader: add it by hand if that \
             is accepted",
            name.base()
        );
        Loss::new(LossKind::NotExpressible, name, detail)
    }));
    losses.extend(loss::ports(&entries));
    losses.extend(loss::paths(entries.iter().copied()));
    losses.extend(loss::hosts(&entries));
    let text = names(&entries).into_iter().map(line).collect();
    Rendered { text, losses }
}

fn line(name: &ListPattern) -> String {
    match name {
        ListPattern::Host(pattern) => format!("{pattern}/\n"),
        ListPattern::ApexAndSubdomains(apex) => format!("{apex}/\n*.{apex}/\n"),
    }
}
