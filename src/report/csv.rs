//! CSV (RFC 4180): one line for each requirement, with the byte order mark that spreadsheets want.

use super::columns::{COLUMNS, Cell};
use super::listing::csv_cell;
use super::row::rows;
use crate::evidence::Run;

pub(super) fn render(run: &Run) -> String {
    let mut out = String::from("\u{feff}");
    line(COLUMNS.iter().map(|column| column.title.to_owned()), &mut out);
    for row in rows(run) {
        let cells = COLUMNS.iter().map(|column| match column.cell(&row) {
            Cell::Text(text) => text,
            Cell::Number(number) => number.to_string(),
            Cell::Moment(moment) => format!("{moment:.0}"),
            Cell::Empty => String::new(),
        });
        line(cells, &mut out);
    }
    out
}

fn line(cells: impl Iterator<Item = String>, out: &mut String) {
    out.push_str(&cells.map(|cell| csv_cell(&cell)).collect::<Vec<_>>().join(","));
    out.push_str("\r\n");
}
