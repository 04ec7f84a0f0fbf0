//! `cmcomply runs export`: runs in a new folder, which is a store again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::keep::{self, SignArgs};
use super::runs::{StoreArgs, named, warn};
use super::{Stop, exit, output, snapshot};
use crate::evidence::Redaction;
use crate::evidence::store::{Check, RunName, Store};
use crate::report::Format;
use crate::text;

/// Arguments of `cmcomply runs export`.
#[derive(Debug, Clone, Args)]
pub(super) struct ExportArgs {
    /// The runs: their names, the beginnings of them, or `latest`. Default: all.
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// The folder to make. It must not be there yet.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Replace names by stable keyed pseudonyms, in every part of every run. The exported runs have hashes and a chain of
    /// their own, and say that they are redacted; quarters stay comparable under the same key.
    #[arg(long)]
    redact: bool,
    /// The key of the pseudonyms. Made if it is not there; the same key gives the same pseudonyms.
    #[arg(long, value_name = "FILE", default_value = "redact-key.txt")]
    redact_key_file: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

/// Writes the folder whole or not at all.
pub(super) fn run(args: &ExportArgs) -> Result<u8, Stop> {
    let store = args.store.open()?;
    if args.sign.sign_key_is_given() && !args.redact {
        let text = "--sign-key signs what --redact writes anew; copies keep the signatures that they have";
        return Err(Stop::usage(anyhow::anyhow!(text)));
    }
    let shown = text::path(&args.to);
    if fs::symlink_metadata(&args.to).is_ok() {
        return Err(Stop::usage(anyhow::anyhow!("--to {shown} is there already; nothing was changed")));
    }
    let mut runs = match args.runs.as_slice() {
        [] => store.names().map_err(Stop::usage)?,
        names => names.iter().map(|name| named(&store, name)).collect::<Result<Vec<_>, _>>()?,
    };
    runs.sort();
    runs.dedup();
    if runs.is_empty() {
        return Err(Stop::usage(anyhow::anyhow!("the store holds no run")));
    }
    warn(&store.verify(&Check::default()).map_err(Stop::usage)?, None);
    let aside = aside(&args.to)?;
    let written = if args.redact { redacted(args, &store, &runs, &aside) } else { copied(&store, &runs, &aside) };
    let renamed = written.and_then(|()| fs::rename(&aside, &args.to).with_context(|| format!("cannot make {shown}")));
    if let Err(error) = renamed {
        // Best effort: the error that is reported is the first one.
        let _ = fs::remove_dir_all(&aside);
        return Err(Stop::usage(error.context("nothing is exported")));
    }
    let what = if args.redact { "under pseudonyms" } else { "as they are" };
    output::write(&format!("{shown}: {} runs {what}\n", runs.len()))?;
    Ok(exit::COMPLIANT)
}

/// A folder beside the one to make.
fn aside(to: &Path) -> Result<PathBuf, Stop> {
    let name = to.file_name().ok_or_else(|| Stop::usage(anyhow::anyhow!("--to names no folder")))?;
    Ok(to.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id())))
}

/// Every octet as it is, so that hashes and signatures hold. HEAD goes along where all runs do.
fn copied(store: &Store, runs: &[RunName], aside: &Path) -> anyhow::Result<()> {
    fs::create_dir(aside).with_context(|| format!("cannot make {}", text::path(aside)))?;
    for run in runs {
        copy_files(&store.run_folder(run), &aside.join(run.as_str()))?;
    }
    let head = store.folder().join("HEAD");
    let is_file = fs::symlink_metadata(&head).is_ok_and(|there| there.is_file());
    if runs.len() == store.names()?.len() && is_file {
        fs::copy(&head, aside.join("HEAD")).context("cannot copy HEAD")?;
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    let shown = || text::path(from);
    fs::create_dir(to).with_context(|| format!("cannot copy {}", shown()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", shown()))? {
        let entry = entry.with_context(|| format!("cannot read {}", shown()))?;
        anyhow::ensure!(entry.file_type()?.is_file(), "{} holds what is no regular file", shown());
        fs::copy(entry.path(), to.join(entry.file_name())).with_context(|| format!("cannot copy {}", shown()))?;
    }
    Ok(())
}

fn redacted(args: &ExportArgs, store: &Store, runs: &[RunName], aside: &Path) -> anyhow::Result<()> {
    let key = snapshot::key(&args.redact_key_file)?;
    let signer = args.sign.signer(store).map_err(|stop| stop.error)?;
    let redaction = Redaction::new(&key);
    let target = Store::new(aside);
    for name in runs {
        let folder = store.run_folder(name);
        let run = store.record(name)?;
        let run = redaction.run(&run).with_context(|| format!("run {name}"))?;
        let formats: Vec<Format> = Format::ALL
            .into_iter()
            .filter(|format| *format != Format::Json && folder.join(format.file_name()).is_file())
            .collect();
        let kept = target.keep(&run, &keep::parts(&run, &formats)?, signer.as_ref())?;
        // The next run would make up for it, and here none comes.
        kept.head.map_or(Ok(()), |error| Err(error).context("cannot write HEAD"))?;
    }
    fs::remove_file(aside.join(".lock")).context("cannot remove the lock of the new store")
}
