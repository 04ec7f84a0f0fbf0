//! Access lists of the Squid proxy, which keep names and ports together and are exact.
//!
//! `dstdomain .name` holds the name itself too; where that is not needed, a regular expression says so. Squid refuses to
//! start if one list says a thing twice, so covered names are left out. `-n`: an address in a request is never looked
//! up, or its owner could make it answer with an allowed name.

use std::collections::BTreeMap;

use super::entry::HandOff;
use super::pattern::{ListPattern, without_overlap};
use super::{Head, ListEntry, Loss, LossKind, Rendered, loss};
use crate::host::HostPattern;

pub(super) fn render(hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let mut losses = loss::undecided(&hand_off.undecided);
    let entries = for_a_proxy(hand_off, &mut losses);
    losses.extend(loss::paths(entries.iter().copied()));
    losses.extend(loss::hosts(&entries));
    let mut by_port: BTreeMap<u16, Vec<ListPattern>> = BTreeMap::new();
    for entry in &entries {
        by_port.entry(entry.port).or_default().push(entry.pattern.clone());
    }
    for port in by_port.keys().filter(|port| !matches!(port, 80 | 443)) {
        let detail = format!("port {port}: where CONNECT is denied but to SSL_ports, add it there and to Safe_ports");
        losses.push(Loss::of_list(LossKind::ByHand, detail));
    }
    let mut text = head.comments("Squid access lists; include before `http_access deny all`", &losses, "#");
    text.extend(by_port.into_iter().map(|(port, patterns)| group(port, patterns)));
    Rendered { text, losses }
}

/// What goes through a proxy: all but what site systems ask of each other.
pub(super) fn for_a_proxy<'a>(hand_off: &'a HandOff, losses: &mut Vec<Loss>) -> Vec<&'a ListEntry> {
    let (intranet, entries): (Vec<_>, Vec<_>) = hand_off.entries.iter().partition(|entry| entry.is_intranet());
    losses.extend(intranet.into_iter().map(|entry| {
        let detail = format!("{} {}: never through a proxy", entry.scheme, entry.port);
        Loss::new(LossKind::NotForThisList, &entry.pattern, detail)
    }));
    entries
}

/// The lists of one port. A name in several lists of one rule must match all, so each kind of list has its rule.
fn group(port: u16, patterns: Vec<ListPattern>) -> String {
    let lines = acl_lines(
        patterns,
        (&format!("cmcomply_names_{port}"), "dstdomain -n"),
        (&format!("cmcomply_below_{port}"), "dstdom_regex -n -i"),
    );
    let rules = lines.lists.iter().map(|list| format!("http_access allow cmcomply_port_{port} {list}\n"));
    format!("\nacl cmcomply_port_{port} port {port}\n{}{}", lines.text, rules.collect::<String>())
}

/// Lines that define lists, and the lists that have lines.
pub(super) struct AclLines {
    pub(super) text: String,
    pub(super) lists: Vec<String>,
}

/// Lines for names that Squid's domain lists can say, and for those that need a regular expression; each with the name
/// of its list and its type.
pub(super) fn acl_lines(
    patterns: Vec<ListPattern>,
    (names, names_type): (&str, &str),
    (regexes, regexes_type): (&str, &str),
) -> AclLines {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for pattern in without_overlap(patterns) {
        match &pattern {
            ListPattern::Host(HostPattern::Exact(_)) | ListPattern::ApexAndSubdomains(_) => {
                first.push(format!("acl {names} {names_type} {pattern}\n"));
            }
            ListPattern::Host(HostPattern::Subdomains(name)) => {
                let regex = format!(r"^[^.].*\.{}$", escape(name.as_str()));
                second.push(format!("acl {regexes} {regexes_type} {regex}\n"));
            }
            ListPattern::Host(HostPattern::LabelSuffix { suffix, parent }) => {
                let regex = format!(r"^[^.]+{}\.{}$", escape(suffix), escape(parent.as_str()));
                second.push(format!("acl {regexes} {regexes_type} {regex}\n"));
            }
        }
    }
    let lists = [(&first, names), (&second, regexes)];
    let lists = lists.into_iter().filter(|(lines, _)| !lines.is_empty()).map(|(_, list)| list.to_owned()).collect();
    AclLines { text: first.concat() + &second.concat(), lists }
}

/// Of the characters of host names, only the dot means something in a regular expression.
fn escape(name: &str) -> String {
    name.replace('.', r"\.")
}
