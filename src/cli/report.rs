//! `cmcomply report`: the record of a run in another format. Nothing is asked of the network or of a database.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::{self, Colour};
use super::keep::record_of;
use super::quarter::{self, QuarterArgs};
use super::{Stop, exit};
use crate::evidence::{Run, RunError, can_write_aside, write_aside};
use crate::report::{self, Format};
use crate::text::printable;

/// Arguments of `cmcomply report`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply report run.json
      the table of that run again
  cmcomply report run.json --format html -o q4.html
      a page to read, to print or to archive
  cmcomply report run.json --format junit -o cmcomply.xml
      test results for a pipeline
  cmcomply report --quarter 2026Q4 --format html -o 2026Q4.html
      the quarterly compliance report, from the runs of a store (`--store`)

Formats:
  table       the table of the terminal
  json        the run document itself
  html        one page for people: no scripts, nothing fetched
  csv, xlsx   every requirement, for spreadsheets
  junit       test results: what fails is a failure, what was not seen an error
  oscal       NIST OSCAL 1.2.1 assessment results
  hdf         Heimdall Data Format 1, for MITRE Heimdall
  markdown    a summary for tickets
  prometheus  counters for the textfile collector of a node exporter

The exit code says whether the report was written (0, else 2), not what the run came to.")]
pub(super) struct ReportCommandArgs {
    /// The record of a run, as `cmcomply audit` writes it, or its folder in a store.
    #[arg(value_name = "RUN", required_unless_present = "quarter")]
    run: Option<PathBuf>,
    #[command(flatten)]
    quarter: QuarterArgs,
    /// The format; see below.
    #[arg(short, long, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    /// Where to write it. A file of that name is replaced, and only by a whole one. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Reads the run and writes the report.
pub(super) fn run(args: &ReportCommandArgs) -> Result<u8, Stop> {
    let output = args.output.as_deref();
    match (&args.run, &args.quarter.quarter) {
        (Some(run), _) => write(|| Run::read(&record_of(run)), args.format, output),
        (None, Some(quarter)) => {
            ready(args.format, output)?;
            let bytes = quarter::render(&args.quarter, *quarter, args.format)?;
            deliver(&bytes, output)
        }
        (None, None) => Err(Stop::usage(anyhow::anyhow!("neither a run nor --quarter is given"))),
    }
}

/// Writes the record that is read in a format, to a file or to standard output.
pub(super) fn write(
    read: impl FnOnce() -> Result<Run, RunError>,
    format: Format,
    output: Option<&Path>,
) -> Result<u8, Stop> {
    ready(format, output)?;
    let run = read().map_err(Stop::usage)?;
    let bytes = match (output, format) {
        (None, Format::Table) => report::table(&run, console::style(Colour::Auto, None)).into_bytes(),
        _ => format.render(&run).context("the report cannot be made").map_err(Stop::usage)?,
    };
    deliver(&bytes, output)
}

/// Finds out before the work whether the report can be written after it.
fn ready(format: Format, output: Option<&Path>) -> Result<(), Stop> {
    if output.is_none() && format.is_binary() && std::io::stdout().is_terminal() {
        return Err(Stop::usage(anyhow::anyhow!("{format} is nothing for a terminal: give --output FILE")));
    }
    match output {
        Some(path) => can_write_aside(path).with_context(|| cannot_write(path)).map_err(Stop::usage),
        None => Ok(()),
    }
}

fn deliver(bytes: &[u8], output: Option<&Path>) -> Result<u8, Stop> {
    match output {
        Some(path) => write_aside(path, bytes).with_context(|| cannot_write(path)).map_err(Stop::usage)?,
        None => print(bytes).context("cannot write to standard output").map_err(Stop::usage)?,
    }
    Ok(exit::COMPLIANT)
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write --output {}", printable(&path.display().to_string(), 500))
}

/// A reader that went away is no error.
fn print(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
