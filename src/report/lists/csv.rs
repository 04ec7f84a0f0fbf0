//! The table for spreadsheets: RFC 4180, with the byte order mark that Excel wants.

use super::entry::HandOff;
use super::{ListEntry, Rendered, loss};
use crate::catalog::{Context, Inspection};
use crate::report::listing::Listing;

/// The columns. Several values in a cell are joined by `; `.
const COLUMNS: [&str; 9] = ["name", "kind", "scheme", "port", "hosts", "contexts", "TLS inspection", "tier", "entries"];

pub(super) fn render(hand_off: &HandOff) -> Rendered {
    let listing = Listing { columns: COLUMNS, rows: hand_off.entries.iter().map(row).collect() };
    let mut losses = loss::undecided(&hand_off.undecided);
    losses.extend(loss::paths(&hand_off.entries));
    Rendered { text: listing.csv(), losses }
}

fn row(entry: &ListEntry) -> [String; 9] {
    [
        entry.pattern.to_string(),
        entry.pattern.kind().to_owned(),
        entry.scheme.to_string(),
        entry.port.to_string(),
        joined(entry.subjects.iter().map(ToString::to_string)),
        joined(entry.contexts.iter().copied().map(Context::name).map(str::to_owned)),
        match entry.inspection {
            Inspection::Unsupported => "not supported",
            Inspection::Unstated => "not stated",
        }
        .to_owned(),
        entry.tier.name().to_owned(),
        joined(entry.entries.iter().map(ToString::to_string)),
    ]
}

fn joined(values: impl Iterator<Item = String>) -> String {
    values.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use crate::report::listing::csv_cell as cell;

    #[test]
    fn no_cell_is_a_formula_and_no_cell_breaks_out() {
        for start in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\u{ff1d}1"] {
            let made = cell(start);
            assert!(made.trim_start_matches('"').starts_with('\''), "{made:?}");
        }
        assert_eq!(cell("a\"b"), "\"a\"\"b\"");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("*.contoso.com"), "*.contoso.com");
    }
}
