//! The chart: what counts and is not passing, a bar for each host. Passes are left out, because a few failures would
//! vanish beside them; they stand in the table below.

use std::collections::BTreeMap;

use super::super::markup::{Element, el};
use super::super::row::Group;
use super::figure::{key, label, rect, svg};
use crate::assess::{Grade, Verdict};
use crate::text::printable;

/// What is drawn, with its class, in this order.
pub(in crate::report) const DRAWN: [(Verdict, &str); 4] = [
    (Verdict::Fail, "bar-fail"),
    (Verdict::Error, "bar-error"),
    (Verdict::NotObserved, "bar-unseen"),
    (Verdict::Waived, "bar-waived"),
];
/// Bars; the table has all hosts.
const BARS: usize = 20;
/// Characters of a host's name.
const NAME: usize = 34;
/// Measures, in units of the drawing.
const WIDTH: usize = 760;
const LABELS: usize = 270;
const ROOM: usize = 400;
const LINE: usize = 28;
const HEAD: usize = 40;

/// `None` where all is passing.
pub(super) fn not_passing(groups: &[Group<'_>]) -> Option<Element> {
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for row in groups.iter().flat_map(|group| &group.rows) {
        let Some(at) = DRAWN.iter().position(|(verdict, _)| *verdict == row.judgement.verdict) else { continue };
        if row.judgement.grade == Grade::Required {
            counts.entry(row.requirement.subject.to_string()).or_default()[at] += 1;
        }
    }
    let mut bars: Vec<(String, [usize; 4])> = counts.into_iter().collect();
    bars.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<usize>()));
    let hosts = bars.len();
    bars.truncate(BARS);
    let most = bars.first().map(|(_, counts)| counts.iter().sum::<usize>())?;
    let height = HEAD + LINE * bars.len() + 8;
    let described = bars.iter().map(|(host, counts)| format!("{host}: {}", in_words(counts)));
    let shapes = legend(LABELS).into_iter();
    let shapes = shapes.chain(bars.iter().enumerate().flat_map(|(line, (host, counts))| bar(line, host, counts, most)));
    let title = "Endpoints that count and are not passing, by host";
    let svg = svg((WIDTH, height), title, &described.collect::<Vec<_>>().join("; "), shapes.collect());
    let caption = if hosts > BARS {
        format!("Not passing, by host: the {BARS} of {hosts} hosts with the most. The table below has them all.")
    } else {
        "Not passing, by host. The table below has the same numbers.".to_owned()
    };
    Some(el("figure").child(svg).child(el("figcaption").text(caption)))
}

fn in_words(counts: &[usize; 4]) -> String {
    let parts = DRAWN.iter().zip(counts).filter(|(_, count)| **count > 0);
    parts.map(|((verdict, _), count)| format!("{count} {}", verdict.title())).collect::<Vec<_>>().join(", ")
}

pub(super) fn hatches() -> Element {
    let pattern = |id: &str, size: &str| {
        el("pattern").attr("id", id).attr("width", size).attr("height", size).attr("patternUnits", "userSpaceOnUse")
    };
    let path = |class, d: &str| el("path").class(class).attr("d", d);
    let ground = |class: &'static str, size: &str| el("rect").class(class).attr("width", size).attr("height", size);
    el("defs")
        .child(pattern("hatch-error", "8").child(ground("ground-error", "8")).child(path("hatch", "M0 0L8 8M8 0L0 8")))
        .child(
            pattern("hatch-unseen", "8")
                .child(ground("ground-unseen", "8"))
                .child(path("hatch", "M-2 2L2 -2M0 8L8 0M6 10L10 6")),
        )
        .child(
            pattern("hatch-waived", "8").child(ground("ground-waived", "8")).child(path("hatch", "M2 3H5M6 7H8M0 7H1")),
        )
}

pub(in crate::report) fn legend(left: usize) -> Vec<Element> {
    let items = DRAWN.iter().zip([0, 80, 175, 310]);
    items.flat_map(|((verdict, class), at)| key(left + at, verdict.title(), class)).collect()
}

fn bar(line: usize, host: &str, counts: &[usize; 4], most: usize) -> Vec<Element> {
    let top = HEAD + LINE * line;
    let mut shapes = vec![label(LABELS - 8, top + 17, "end").text(printable(host, NAME))];
    shapes.extend(stacked((LABELS, top), ROOM, counts, most));
    shapes
}

/// The counts side by side, and their sum; `most` of them fill the room.
pub(in crate::report) fn stacked(
    (mut left, top): (usize, usize),
    room: usize,
    counts: &[usize; 4],
    most: usize,
) -> Vec<Element> {
    let mut shapes = Vec::new();
    for ((_, class), count) in DRAWN.iter().zip(counts).filter(|(_, count)| **count > 0) {
        let width = (count * room / most).max(2);
        shapes.push(rect(left, top + 3, width, class));
        left += width;
    }
    let all: usize = counts.iter().sum();
    shapes.push(label(left + 6, top + 17, "start").text(all.to_string()));
    shapes
}
