//! What a quarterly report is made of.

use std::collections::HashMap;

use crate::text::printable;

/// Characters of a cell in plain text and in a workbook.
pub(super) const CELL: usize = 3000;

/// One of the thirteen parts.
pub(super) struct Section {
    pub(super) number: usize,
    /// Anchor in the page.
    pub(super) anchor: &'static str,
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
pub(super) enum Block {
    Text(String),
    /// Something that must not be overlooked.
    Alert(String),
    /// Names and values.
    Facts(Vec<(&'static str, String)>),
    List(Vec<String>),
    Table {
        caption: String,
        columns: Vec<&'static str>,
        rows: Vec<Vec<Cell>>,
    },
    /// The trend as a drawing; its numbers are in the table after it.
    Trend(Vec<Point>),
    /// Lines to write on by hand.
    Lines(Vec<&'static str>),
}

/// A quarter of the trend; `None` where there is no run.
pub(super) struct Point {
    pub(super) quarter: String,
    /// Fail, error, not observed, waived.
    pub(super) counts: Option<[usize; 4]>,
}

/// A cell of a table.
#[derive(Clone)]
pub(super) enum Cell {
    Text(String),
    Number(usize),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&printable(text, CELL)),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl Section {
    pub(super) fn new(number: usize, anchor: &'static str, title: &'static str) -> Self {
        Self { number, anchor, title, blocks: Vec::new() }
    }

    pub(super) fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    pub(super) fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }

    pub(super) fn list(self, items: Vec<String>) -> Self {
        if items.is_empty() { self } else { self.with(Block::List(items)) }
    }

    /// A table, or the words for one without rows.
    pub(super) fn table(self, caption: &str, columns: &[&'static str], rows: Vec<Vec<Cell>>, none: &str) -> Self {
        if rows.is_empty() {
            return self.text(none);
        }
        self.with(Block::Table { caption: caption.to_owned(), columns: columns.to_vec(), rows })
    }
}

impl Block {
    /// As plain text.
    pub(super) fn text(&self) -> String {
        let safe = |text: &str| printable(text, CELL);
        match self {
            Self::Text(text) => format!("{}\n", safe(text)),
            Self::Alert(text) => format!("ATTENTION: {}\n", safe(text)),
            Self::Facts(facts) => joined(facts.iter().map(|(name, value)| format!("{name}: {}\n", safe(value)))),
            Self::List(items) => joined(items.iter().map(|item| format!("- {}\n", safe(item)))),
            Self::Table { caption, columns, rows } => {
                let rows = rows.iter().map(|row| {
                    let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
                    format!("  {}\n", cells.join(" | "))
                });
                format!("[{}]\n  {}\n{}", safe(caption), columns.join(" | "), joined(rows))
            }
            Self::Trend(_) => String::new(),
            Self::Lines(lines) => joined(lines.iter().map(|line| format!("{line}: ____________________\n"))),
        }
    }
}

/// Rows that say the same, once each: of several requirements with one endpoint, for example. How many they are stands
/// behind the text of that column.
pub(super) fn merged(rows: Vec<Vec<Cell>>, column: usize) -> Vec<Vec<Cell>> {
    let mut places = HashMap::new();
    let mut counted: Vec<(Vec<Cell>, usize)> = Vec::new();
    for row in rows {
        let said: Vec<String> = row.iter().map(ToString::to_string).collect();
        let place = *places.entry(said).or_insert(counted.len());
        match counted.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counted.push((row, 1)),
        }
    }
    let cell = |cell: Cell, count| if count > 1 { format!("{cell} ({count} requirements)").into() } else { cell };
    let row = |(mut row, count): (Vec<Cell>, usize)| {
        if let Some(of) = row.get_mut(column) {
            *of = cell(of.clone(), count);
        }
        row
    };
    counted.into_iter().map(row).collect()
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().concat()
}
