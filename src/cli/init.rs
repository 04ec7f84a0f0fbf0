//! `cmcomply init`: a settings file to begin with.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::facts::FactsArgs;
use super::{Stop, audit, console, exit};
use crate::evidence::write_aside;
use crate::settings;
use crate::text::{self, printable};

/// Arguments of `cmcomply init`.
#[derive(Debug, Clone, Args)]
pub(super) struct InitArgs {
    #[command(flatten)]
    facts: FactsArgs,
    /// Where to write the settings file. A file of that name is left alone.
    #[arg(short, long, value_name = "FILE", default_value = "cmcomply.toml", help_heading = "Output")]
    output: PathBuf,
    /// Replace a file of that name.
    #[arg(long, help_heading = "Output")]
    force: bool,
}

/// Reads the site database and writes the settings file.
pub(super) async fn run(args: InitArgs) -> Result<u8, Stop> {
    let path = text::path(&args.output);
    if args.output.exists() && !args.force {
        return Err(Stop::usage(anyhow::anyhow!("{path} is there already; give another --output, or --force")));
    }
    let prepared = args.facts.prepare()?;
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is written");
    let facts = prepared.read(&cancel).await?;
    if cancel.is_cancelled() {
        return Ok(exit::INCOMPLETE);
    }
    write_aside(&args.output, settings::template(&facts).as_bytes())
        .with_context(|| format!("cannot write {path}"))
        .map_err(Stop::usage)?;
    let above = facts.above().map(|above| format!("  {}\n", printable(&above.to_string(), 500))).unwrap_or_default();
    console::print(&format!(
        "{path}: state in it what the site database cannot say, then audit with --settings\n{above}"
    ))
    .context("cannot write to standard output")
    .map_err(Stop::usage)?;
    Ok(exit::COMPLIANT)
}
