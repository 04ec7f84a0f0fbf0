//! How lists are written: the format, the width, and where to.

use std::path::Path;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{Stop, console};
use crate::evidence::write_aside;
use crate::report::Listing;
use crate::text;

/// How to write a list.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// The format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Columns of the table. Default: those of the terminal, else 80.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=1000))]
    width: Option<u16>,
}

/// The formats of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

impl OutputArgs {
    /// Columns of the table.
    pub(super) fn width(&self) -> usize {
        console::style(console::Colour::Never, self.width).width
    }

    /// Writes a list, or what it was made from.
    pub(super) fn write<const N: usize>(
        &self,
        listing: &Listing<N>,
        source: &impl serde::Serialize,
    ) -> Result<(), Stop> {
        match self.format {
            Format::Table => write(&listing.table(self.width())),
            Format::Csv => write(&listing.csv()),
            Format::Json => write(&json(source)?),
        }
    }
}

/// Writes to standard output.
pub(super) fn write(text: &str) -> Result<(), Stop> {
    console::print(text).context("cannot write to standard output").map_err(Stop::usage)
}

/// Writes a file whole or not at all.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Stop> {
    let shown = text::path(path);
    write_aside(path, text.as_bytes()).with_context(|| format!("cannot write {shown}")).map_err(Stop::usage)
}

/// As JSON, with a line end.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, Stop> {
    let mut text = serde_json::to_string_pretty(value).context("cannot write JSON").map_err(Stop::usage)?;
    text.push('\n');
    Ok(text)
}
