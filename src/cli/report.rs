//! `cmcomply report`: the record of a run, or a saved readiness document, in another format. Nothing is asked of the
//! network or of a database.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::console::{self, Colour};
use super::keep::record_of;
use super::quarter::{self, QuarterArgs};
use super::reports::{self, Output};
use super::{Stop, exit, output};
use crate::evidence::{Run, RunError, can_write_aside, read_bounded, write_aside};
use crate::report::{self, Format, Readiness, ReadinessFormat};
use crate::text;

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
  cmcomply report run.json --pages q4
      a folder with a page for each role of each host, to be passed on alone
  cmcomply report ready.json --format html -o ready.html
      what `cmcomply readiness --format json -o ready.json` said, as a page (or table, json, junit, markdown)
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
    /// The record of a run, as `cmcomply audit` writes it, or its folder in a store; or a readiness document.
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
    /// Instead, make a folder with a page for each role of each host, to be passed on alone, and index.html, which leads
    /// to them. It must not be there yet.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "output", "quarter"])]
    pages: Option<PathBuf>,
}

/// Reads the run and writes the report.
pub(super) fn run(args: &ReportCommandArgs) -> Result<u8, Stop> {
    let output = args.output.as_deref();
    if let (Some(run), Some(folder)) = (&args.run, &args.pages) {
        return pages(run, folder);
    }
    match (&args.run, &args.quarter.quarter) {
        (Some(path), _) => {
            ready(args.format, output)?;
            let (name, bytes) = read_bounded(&record_of(path)).map_err(Stop::usage)?;
            if Readiness::is_one(&bytes) {
                readiness(&Readiness::parse(&name, &bytes).map_err(Stop::usage)?, args.format, output)
            } else {
                write(|| Run::parse(&name, &bytes), args.format, output)
            }
        }
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

/// Writes a readiness document in a format that it has.
fn readiness(document: &Readiness, format: Format, output: Option<&Path>) -> Result<u8, Stop> {
    let format: ReadinessFormat = format.name().parse().map_err(Stop::usage)?;
    let bytes = match (output, format) {
        (None, ReadinessFormat::Table) => {
            report::readiness_table(document, console::style(Colour::Auto, None)).into_bytes()
        }
        _ => format.render(document).context("the report cannot be made").map_err(Stop::usage)?,
    };
    deliver(&bytes, output)
}

/// Makes the folder of pages.
fn pages(run: &Path, folder: &Path) -> Result<u8, Stop> {
    reports::writable([Output::pages(folder)])?;
    let run = Run::read(&record_of(run)).map_err(Stop::usage)?;
    let written = reports::write_pages(&run, folder);
    let number = written.map_err(|failed| Stop::usage(anyhow::anyhow!("cannot write {failed}")))?;
    let shown = text::path(folder);
    output::write(&format!("{shown}: index.html and {} pages of hosts and roles\n", number - 1))?;
    Ok(exit::COMPLIANT)
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
    format!("cannot write --output {}", text::path(path))
}

/// A reader that went away is no error.
fn print(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
