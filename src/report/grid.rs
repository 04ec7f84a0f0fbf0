//! Cells in columns.
//!
//! The only user of prettytable-rs. Cells hold text made harmless and wrapped beforehand, because the crate neither
//! wraps nor escapes.

use prettytable::format::FormatBuilder;
use prettytable::{Cell, Row, Table};
use unicode_width::UnicodeWidthStr as _;

use super::layout::wrap;
use crate::text::printable;

/// Characters of a cell.
pub(super) const CELL: usize = 600;

/// Rows of cells, each cell as wide as its column; two blanks stand before each column.
pub(super) fn grid<'a>(rows: impl IntoIterator<Item = Vec<(&'a str, usize)>>) -> String {
    let mut table = Table::new();
    table.set_format(FormatBuilder::new().padding(2, 0).build());
    for row in rows {
        table.add_row(Row::new(row.iter().map(|(text, width)| cell(text, *width)).collect()));
    }
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = table.print(&mut bytes);
    let mut out = String::with_capacity(bytes.len());
    for line in String::from_utf8_lossy(&bytes).lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A cell as wide as its column, so that the columns stand alike in every table.
fn cell(text: &str, width: usize) -> Cell {
    let mut lines = wrap(&printable(text, CELL), width);
    if let Some(first) = lines.first_mut() {
        let missing = width.saturating_sub(first.width());
        first.push_str(&" ".repeat(missing));
    }
    Cell::new(&lines.join("\n"))
}
