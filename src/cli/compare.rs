//! `cmcomply compare`: what changed from one run to a later one. Nothing is asked of the network or of a database.

use std::path::PathBuf;

use clap::Args;

use super::keep::record_of;
use super::output::{self, Format, OutputArgs};
use super::{Stop, exit};
use crate::evidence::{Run, compare};
use crate::report;

/// Arguments of `cmcomply compare`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply compare q3.json q4.json
      what became better or worse, and on whose side
  cmcomply compare q3.json q4.json --all --format csv > changes.csv
      every requirement of both runs, for a spreadsheet
  cmcomply compare cmcomply-runs/20260812T080000Z-CAS-1f0c9a3e cmcomply-runs/20261120T080000Z-CAS-5d1c7b20
      two runs of a store

The exit code: 1 if a required endpoint that was reached, waived or not needed before is not reached now; else 3 if a
required one cannot be compared, since nobody saw it in one of the runs; else 0.")]
pub(super) struct CompareArgs {
    /// The record of the earlier run, or its folder in a store.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The record of the later run, or its folder in a store.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Also what is as before.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Reads both runs and writes what changed.
pub(super) fn run(args: &CompareArgs) -> Result<u8, Stop> {
    let old = Run::read(&record_of(&args.old)).map_err(Stop::usage)?;
    let new = Run::read(&record_of(&args.new)).map_err(Stop::usage)?;
    let comparison = compare(&old, &new);
    match args.output.format {
        Format::Table => output::write(&report::comparison(&comparison, args.all, args.output.width()))?,
        Format::Csv => output::write(&report::comparison_rows(&comparison, args.all).csv())?,
        Format::Json => output::write(&output::json(&comparison)?)?,
    }
    Ok(match (comparison.is_worse(), comparison.is_incomparable()) {
        (true, _) => exit::NON_COMPLIANT,
        (false, true) => exit::INCOMPLETE,
        (false, false) => exit::COMPLIANT,
    })
}
