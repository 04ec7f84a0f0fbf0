//! `--store`: keeping a run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use clap::Args;

use super::{Stop, console, secret};
use crate::evidence::Run;
use crate::evidence::store::{Kept, LockedKey, Part, Signer, Store, StoreError};
use crate::report::{Format, RenderError};
use crate::text;

/// The store where none is named.
pub(super) const DEFAULT_STORE: &str = "cmcomply-runs";

/// Whether and how a run is kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct KeepArgs {
    /// The store: a folder in which each run gets one of its own, never to be changed. Default: `cmcomply-runs` in the
    /// working folder.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    #[command(flatten)]
    parts: PartsArgs,
    #[command(flatten)]
    sign: SignArgs,
}

/// What lies in a run's folder besides its record.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct PartsArgs {
    /// Reports that are kept with the run: formats of `--report`, or `none`.
    #[arg(long = "store-formats", value_name = "FORMATS", default_value = "html,xlsx")]
    formats: Formats,
}

/// How a run is signed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct SignArgs {
    /// Sign the run with this secret key of minisign. It must not lie in the store. Its password, if it has one, comes
    /// from `--sign-password-file`, from `CMCOMPLY_SIGN_PASSWORD` or from a prompt.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    /// Read the password of the key from the first line of a file.
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    sign_password_file: Option<PathBuf>,
}

/// Formats, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Formats(Vec<Format>);

impl FromStr for Formats {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        if s == "none" {
            return Ok(Self(Vec::new()));
        }
        let mut formats =
            s.split(',').map(str::parse).collect::<Result<Vec<Format>, _>>().map_err(|e| e.to_string())?;
        // The record is there in any case.
        formats.retain(|format| *format != Format::Json);
        formats.sort_unstable();
        formats.dedup();
        Ok(Self(formats))
    }
}

/// A store that can be written to, and what goes into it.
pub(super) struct Keeping {
    store: Store,
    parts: PartsArgs,
    signer: Option<Signer>,
}

/// Why a run is not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a report of it {0}")]
    Report(#[from] RenderError),
}

impl KeepArgs {
    /// Finds out before the work whether the run can be kept after it; `None` where it is not to be.
    pub(super) fn prepare(&self, has_output: bool) -> Result<Option<Keeping>, Stop> {
        let folder = match (&self.store, has_output) {
            (Some(folder), _) => folder.clone(),
            (None, false) => PathBuf::from(DEFAULT_STORE),
            (None, true) if self.sign.sign_key.is_some() => {
                return Err(Stop::usage(anyhow::anyhow!("--sign-key signs a run in a store: give --store DIR too")));
            }
            (None, true) => return Ok(None),
        };
        prepare(folder, &self.parts, &self.sign).map(Some)
    }
}

/// Opens a store for writing.
pub(super) fn prepare(folder: PathBuf, parts: &PartsArgs, sign: &SignArgs) -> Result<Keeping, Stop> {
    let store = Store::new(folder);
    let signer = sign.signer(&store)?;
    store.can_keep().context("the run could not be kept").map_err(Stop::usage)?;
    Ok(Keeping { store, parts: parts.clone(), signer })
}

impl SignArgs {
    /// Whether there is one to sign with.
    pub(super) fn sign_key_is_given(&self) -> bool {
        self.sign_key.is_some()
    }

    /// The key, opened; `None` where none is given.
    pub(super) fn signer(&self, store: &Store) -> Result<Option<Signer>, Stop> {
        let Some(path) = &self.sign_key else { return Ok(None) };
        if let (Ok(key), Ok(store)) = (path.canonicalize(), store.folder().canonicalize())
            && key.starts_with(store)
        {
            let text = "--sign-key lies in the store: whoever can change a run could sign it again";
            return Err(Stop::usage(anyhow::anyhow!(text)));
        }
        let locked = LockedKey::read(path).context("--sign-key").map_err(Stop::usage)?;
        if let Some(signer) = locked.open() {
            return Ok(Some(signer));
        }
        let name = text::path(path);
        let password = secret::sign_password(&name, self.sign_password_file.as_deref()).map_err(Stop::usage)?;
        locked.open_with(password.expose()).context("--sign-key").map_err(Stop::usage).map(Some)
    }
}

impl Keeping {
    /// Keeps the run with its reports.
    pub(super) fn keep(&self, run: &Run) -> Result<Kept, KeepError> {
        let parts = parts(run, &self.parts.formats.0)?;
        Ok(self.store.keep(run, &parts, self.signer.as_ref())?)
    }
}

/// The reports of a run as files of its folder.
pub(super) fn parts(run: &Run, formats: &[Format]) -> Result<Vec<Part>, RenderError> {
    let part = |format: &Format| Ok(Part { name: format.file_name().to_owned(), bytes: format.render(run)? });
    formats.iter().map(part).collect()
}

/// Where a run is kept, for people.
pub(super) fn said(kept: &Kept) -> String {
    if let Some(error) = &kept.head {
        console::note(&format!("the run is kept, and HEAD could not be written: {error}"));
    }
    if let Some(doubt) = &kept.doubt {
        console::note(&format!("before this run was kept, {doubt}; see `cmcomply runs verify`"));
    }
    let mut said = format!("  kept: {}\n", text::path(&kept.folder));
    let _ = writeln!(said, "  SHA-256 of its SHA256SUMS, to be noted elsewhere: {}", kept.sums);
    said
}

/// The folder of a run, for a path that may be one.
pub(super) fn record_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(crate::evidence::store::RUN) } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named_once() {
        let formats = |text: &str| text.parse::<Formats>().map(|formats| formats.0);
        assert_eq!(formats("none").unwrap(), []);
        assert_eq!(formats("xlsx,html,json,html").unwrap(), [Format::Html, Format::Xlsx]);
        assert!(formats("").is_err() && formats("html,pdf").is_err());
    }
}
