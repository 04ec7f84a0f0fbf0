//! The names for which TLS inspection is documented as not supported.

use super::entry::HandOff;
use super::pattern::ListPattern;
use super::plain::{lines, names};
use super::squid::{acl_lines, for_a_proxy};
use super::{Head, ListEntry, Loss, LossKind, Rendered, loss};
use crate::catalog::Inspection;
use crate::host::Scheme;

/// One name a line, comments with `#`.
pub(super) fn plain(hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let entries: Vec<&ListEntry> =
        hand_off.entries.iter().filter(|entry| is_bypassed(entry.scheme, entry.inspection)).collect();
    let mut losses = loss::undecided(hand_off.undecided.iter().filter(|u| is_bypassed(u.scheme, u.inspection)));
    losses.extend(loss::ports(&entries));
    losses.extend(loss::hosts(&entries));
    let text = head.comments("names without TLS inspection", &losses, "#") + &lines(&entries);
    Rendered { text, losses }
}

/// For `squid-openssl`: the plain `squid` of some distributions does not know `ssl::server_name`.
pub(super) fn squid(hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let mut losses = loss::undecided(hand_off.undecided.iter().filter(|u| is_bypassed(u.scheme, u.inspection)));
    let mut entries = for_a_proxy(hand_off, &mut losses);
    entries.retain(|entry| is_bypassed(entry.scheme, entry.inspection));
    losses.retain(|loss| loss.kind != LossKind::NotForThisList);
    losses.extend(loss::ports(&entries));
    losses.extend(loss::hosts(&entries));
    let detail = "the step ssl_bump peek must stand before these lines, and ssl_bump bump after them";
    losses.push(Loss::of_list(LossKind::ByHand, detail));
    let patterns: Vec<ListPattern> = names(&entries).into_iter().cloned().collect();
    let lines = acl_lines(
        patterns,
        ("cmcomply_no_inspection", "ssl::server_name"),
        ("cmcomply_no_inspection_below", "ssl::server_name_regex -i"),
    );
    let mut text = head.comments("Squid: names without TLS inspection", &losses, "#") + &lines.text;
    text.extend(lines.lists.iter().map(|list| format!("ssl_bump splice {list}\n")));
    Rendered { text, losses }
}

fn is_bypassed(scheme: Scheme, inspection: Inspection) -> bool {
    scheme == Scheme::Https && inspection == Inspection::Unsupported
}
