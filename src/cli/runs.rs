//! `cmcomply runs`: what is in a store. Nothing is asked of the network or of a database.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::keep::{self, DEFAULT_STORE, PartsArgs, SignArgs};
use super::output::{self, Format as ListFormat, OutputArgs};
use super::runs_export::{self, ExportArgs};
use super::{Stop, console, exit};
use crate::evidence::Run;
use crate::evidence::store::{Check, PublicKey, RunName, Store, StoreProblem, Verification};
use crate::report::{self, Format};
use crate::text;

/// Arguments of `cmcomply runs`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply runs list
      the runs in cmcomply-runs, with what they came to
  cmcomply runs show latest --format html -o q4.html
      a run by its name, by the beginning of it, or the newest one, in a format of `cmcomply report`
  cmcomply runs verify --store /srv/cmcomply --public-key auditor.pub
      whether every file of every run is as it was written, no run is missing, and each is signed with that key
  cmcomply runs add q3.json q4.json
      records that were written with `audit -o`, kept as if the audits had kept them
  cmcomply runs export --to for-the-auditor --redact
      all runs under pseudonyms, in a store of its own

A run can be verified without cmcomply, in its folder: `sha256sum -c SHA256SUMS`, `sha256sum -c PREVIOUS` (the run before),
and `minisign -V -p auditor.pub -m SHA256SUMS` where it is signed.")]
pub(super) struct RunsCommandArgs {
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum RunsCommand {
    /// The runs, in the order in which they began.
    List(ListArgs),
    /// One run, in a format of `cmcomply report`.
    Show(ShowArgs),
    /// Compare every file with its hash, and every run with what the next one says of it. Exit code 1 if something is
    /// not as it was written, 3 if there is no run.
    Verify(VerifyArgs),
    /// Keep records that were written to files.
    Add(AddArgs),
    /// Copy runs to a new folder, which is a store again; with `--redact` under pseudonyms.
    Export(ExportArgs),
}

/// Which store.
#[derive(Debug, Clone, Args)]
pub(super) struct StoreArgs {
    /// The store.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STORE)]
    pub(super) store: PathBuf,
}

#[derive(Debug, Clone, Args)]
struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
struct ShowArgs {
    /// The run: its name, the beginning of it, or `latest`.
    #[arg(value_name = "RUN")]
    run: String,
    #[command(flatten)]
    store: StoreArgs,
    /// The format; those of `cmcomply report`.
    #[arg(short, long, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    /// Where to write it. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct VerifyArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The public key of minisign with which every run must be signed: a file, or the key itself.
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// The SHA-256 of a SHA256SUMS that was noted elsewhere: a run of the store must have it.
    #[arg(long, value_name = "HASH")]
    anchor: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Args)]
struct AddArgs {
    /// Records of runs, in the order in which they are to stand in the chain.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    parts: PartsArgs,
    #[command(flatten)]
    sign: SignArgs,
}

/// Runs the command.
pub(super) fn run(args: &RunsCommandArgs) -> Result<u8, Stop> {
    match &args.command {
        RunsCommand::List(args) => list(args),
        RunsCommand::Show(args) => show(args),
        RunsCommand::Verify(args) => verify(args),
        RunsCommand::Add(args) => add(args),
        RunsCommand::Export(args) => runs_export::run(args),
    }
}

fn list(args: &ListArgs) -> Result<u8, Stop> {
    let list = args.store.open()?.list().map_err(Stop::usage)?;
    match args.output.format {
        ListFormat::Table => output::write(&report::runs_brief(&list).table(args.output.width()))?,
        _ => args.output.write(&report::run_rows(&list), &list)?,
    }
    Ok(exit::COMPLIANT)
}

fn show(args: &ShowArgs) -> Result<u8, Stop> {
    let store = args.store.open()?;
    let run = named(&store, &args.run)?;
    // The one record that is shown is read below.
    let verification = store.verify(&Check { hashes_only: true, ..Check::default() }).map_err(Stop::usage)?;
    warn(&verification, Some(&run));
    super::report::write(|| store.record(&run), args.format, args.output.as_deref())
}

fn verify(args: &VerifyArgs) -> Result<u8, Stop> {
    if args.anchor.as_ref().is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(Stop::usage(anyhow::anyhow!("--anchor is no SHA-256 (64 hexadecimal digits)")));
    }
    let key =
        args.public_key.as_deref().map(PublicKey::read).transpose().context("--public-key").map_err(Stop::usage)?;
    let check = Check { key: key.as_ref(), anchor: args.anchor.as_deref(), hashes_only: false };
    let verification = args.store.open()?.verify(&check).map_err(Stop::usage)?;
    match args.output.format {
        ListFormat::Table => output::write(&report::verification(&verification, args.output.width()))?,
        _ => args.output.write(&report::verification_rows(&verification), &verification)?,
    }
    Ok(match (verification.findings.is_empty(), verification.runs.is_empty()) {
        (false, _) => exit::NON_COMPLIANT,
        (true, true) => exit::INCOMPLETE,
        (true, false) => exit::COMPLIANT,
    })
}

fn add(args: &AddArgs) -> Result<u8, Stop> {
    // All are read before the first is kept.
    let runs = args.runs.iter().map(|path| Run::read(&keep::record_of(path))).collect::<Result<Vec<_>, _>>();
    let runs = runs.map_err(Stop::usage)?;
    let keeping = keep::prepare(args.store.store.clone(), &args.parts, &args.sign)?;
    for (run, path) in runs.iter().zip(&args.runs) {
        let name = text::path(path);
        let kept = keeping.keep(run).with_context(|| format!("{name} is not kept")).map_err(Stop::usage)?;
        output::write(&format!("{name}:\n{}", keep::said(&kept)))?;
    }
    Ok(exit::COMPLIANT)
}

impl StoreArgs {
    /// The store, which must be there.
    pub(super) fn open(&self) -> Result<Store, Stop> {
        let store = Store::new(&self.store);
        store.names().map_err(Stop::usage)?;
        Ok(store)
    }
}

/// The run that is meant.
pub(super) fn named(store: &Store, text: &str) -> Result<RunName, Stop> {
    store.find(text).map_err(Stop::usage)?.map_err(Stop::usage)
}

/// Says on standard error what a verification found, of all runs, or of one and of the store as a whole: where a run was
/// removed, the latest one is another.
pub(super) fn warn(verification: &Verification, run: Option<&RunName>) {
    let findings = verification.findings.iter().filter(|finding| {
        let of_all = finding.run.is_none() || finding.problem == StoreProblem::RemovedRun;
        run.is_none() || of_all || finding.run.as_ref() == run
    });
    for row in findings.map(report::finding) {
        console::note(&row);
    }
}
