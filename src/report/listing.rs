//! A list with columns, for people and for spreadsheets.

use unicode_width::UnicodeWidthStr as _;

use super::grid::{CELL, grid};
use crate::text::printable;

/// A list: one text for each column in each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<const N: usize> {
    /// The titles of the columns.
    pub columns: [&'static str; N],
    /// The rows.
    pub rows: Vec<[String; N]>,
}

/// A column is not made narrower than this.
const NARROW: usize = 8;
/// Characters of a cell of CSV; a spreadsheet takes no more than 32,767.
const CSV_CELL: usize = 32_000;
/// Blanks before each column.
const GAP: usize = 2;

impl<const N: usize> Listing<N> {
    /// As a table of so many columns of the terminal; what does not fit is wrapped.
    pub fn table(&self, width: usize) -> String {
        let widths = self.widths(width.max(60));
        let head = self.columns.map(str::to_owned);
        let rows = std::iter::once(&head).chain(&self.rows);
        grid(rows.map(|row| row.iter().map(String::as_str).zip(widths).collect()))
    }

    /// As CSV (RFC 4180), with the byte order mark that spreadsheets want. No cell is taken for a formula.
    pub fn csv(&self) -> String {
        let mut text = String::from("\u{feff}");
        let head = self.columns.map(str::to_owned);
        for row in std::iter::once(&head).chain(&self.rows) {
            text.push_str(&row.iter().map(|value| csv_cell(&printable(value, CSV_CELL))).collect::<Vec<_>>().join(","));
            text.push_str("\r\n");
        }
        text
    }

    /// As wide as the widest cell; where that is too much, the widest columns give.
    fn widths(&self, width: usize) -> [usize; N] {
        let mut widths = [NARROW; N];
        let head = self.columns.map(str::to_owned);
        for row in std::iter::once(&head).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(printable(cell, CELL).width());
            }
        }
        let room = width.saturating_sub(N * GAP);
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROW => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// A cell that no spreadsheet takes for a formula, quoted where it must be.
pub(super) fn csv_cell(value: &str) -> String {
    let begins_formula = |text: &str| {
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
    };
    // Where a semicolon separates, a quote in a cell is none, and what follows a semicolon is a cell.
    let mut inert = String::with_capacity(value.len() + 1);
    for (nth, part) in value.split(';').enumerate() {
        let part = if nth == 0 {
            part
        } else {
            inert.push(';');
            part
        };
        if begins_formula(part.trim_start_matches(['"', ' '])) {
            inert.push('\'');
        }
        inert.push_str(part);
    }
    if inert.contains(['"', ',', ';', '\r', '\n']) { format!("\"{}\"", inert.replace('"', "\"\"")) } else { inert }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing<3> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let long = "a-long-name-that-goes-on.and-on.contoso.com";
        Listing {
            columns: ["name", "what", "note"],
            rows: vec![
                row([long, long, "=1+1"]),
                row(["a", "b, \"c\"", "\u{1b}[2J"]),
                row(["CN=a;=1+1;b", "a; -b", "c;\"=2"]),
            ],
        }
    }

    #[test]
    fn a_table_fits_the_terminal_and_shows_everything() {
        for width in [60, 80, 200] {
            let table = listing().table(width);
            assert!(table.lines().all(|line| line.width() <= width), "{table}");
            assert!(!table.contains('\u{1b}'), "{table}");
            assert!(table.contains("=1+1") && table.contains("b, \"c\""), "{table}");
        }
        assert!(listing().table(200).contains("a-long-name-that-goes-on.and-on.contoso.com"));
    }

    #[test]
    fn csv_is_quoted_and_inert() {
        let csv = listing().csv();
        assert!(csv.starts_with("\u{feff}name,what,note\r\n"), "{csv}");
        assert!(csv.contains(",'=1+1\r\n") && csv.contains("\"b, \"\"c\"\"\""), "{csv}");
        assert!(csv.contains("CN=a;'=1+1;b") && csv.contains("a;' -b") && csv.contains("c;'\"\"=2"), "{csv}");
        assert!(csv.contains("\\u{1b}[2J") && !csv.contains('\u{1b}'), "{csv}");
    }
}
