//! The store: a folder of runs, each in a folder of its own that is written once and never changed.
//!
//! ```text
//! cmcomply-runs/
//!   20261125T080000Z-CAS-1f0c9a3e/
//!     run.json  facts.json  report.html  ...
//!     PREVIOUS            the run before: lines that `sha256sum -c` takes, or `none`
//!     SHA256SUMS          every file above, and PREVIOUS
//!     SHA256SUMS.minisig  a signature, where a key was given
//!   HEAD                  the newest run, in lines of the same form
//!   .lock                 held by whoever writes
//! ```
//!
//! PREVIOUS makes a chain: who changes a run must change every later one, and HEAD. What no store can show by itself is
//! that all of this was done; for that the hash of the newest SHA256SUMS has to be kept elsewhere.

mod keep;
mod lines;
mod list;
mod names;
mod sign;
mod verify;

use std::fs::FileType;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use keep::{Kept, Part};
pub use lines::Link;
pub use list::{RUNS_FORMAT, RecordBrief, RunList, StoredRun};
pub use names::{RunName, UnknownRun};
pub use sign::{LockedKey, PublicKey, SignError, Signer};
pub use verify::{Check, StoreFinding, StoreProblem, VERIFICATION_FORMAT, Verification, VerifiedRun};

use super::write::is_aside;
use super::{MAX_RUN_OCTETS, Run, RunError};
use crate::text::{self, hexadecimal, printable};

/// The record.
pub const RUN: &str = "run.json";
/// The facts alone, as a snapshot that stands in for the site database.
pub const FACTS: &str = "facts.json";
/// Which run was before.
pub const PREVIOUS: &str = "PREVIOUS";
/// The hashes.
pub const SUMS: &str = "SHA256SUMS";
/// The signature over the hashes.
pub const SIGNATURE: &str = "SHA256SUMS.minisig";
/// The newest run.
const HEAD: &str = "HEAD";
/// Held by whoever writes.
const LOCK: &str = ".lock";
/// The beginning of the name of a folder that is being written.
const PART: &str = ".part-";
/// The most that is read of a list of hashes, and of a link.
const MAX_LIST_OCTETS: u64 = 1 << 20;

/// A folder of runs.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// What a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file or folder.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else is writing and does not end.
    #[error("store {path} is locked: another cmcomply has been writing to it for {seconds} s")]
    Locked {
        /// The store.
        path: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The run is there.
    #[error("store {path} has run {run} already; nothing was changed")]
    Exists {
        /// The store.
        path: String,
        /// The run.
        run: RunName,
    },
    /// It cannot be written as JSON.
    #[error("the run cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// A run's folder as far as the chain needs it.
struct Folder {
    name: RunName,
    /// What PREVIOUS says; `None` where it is missing, and the error in words.
    previous: Option<Result<Option<Link>, String>>,
    /// Hash of SHA256SUMS, if it is there.
    sums: Option<String>,
    /// Hash of the signature, if it is there.
    signature: Option<String>,
}

impl Folder {
    /// The run before, if PREVIOUS names one.
    fn previous(&self) -> Option<&Link> {
        self.previous.as_ref()?.as_ref().ok()?.as_ref()
    }

    /// The link that a later run must hold.
    fn link(&self) -> Option<Link> {
        Some(Link { run: self.name.clone(), sums: self.sums.clone()?, signature: self.signature.clone() })
    }
}

impl Store {
    /// The store in that folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of a run.
    pub fn run_folder(&self, run: &RunName) -> PathBuf {
        self.folder.join(run.as_str())
    }

    /// The record of a run. Only a regular file is one: a pipe never ends, and a link leads out of the store.
    pub fn record(&self, run: &RunName) -> Result<Run, RunError> {
        let path = self.run_folder(run).join(RUN);
        let name = text::path(&path);
        match read(&path, MAX_RUN_OCTETS) {
            Ok(bytes) => Run::parse(&name, &bytes),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(RunError::TooLarge { path: name }),
            Err(source) => Err(RunError::Unreadable { path: name, source }),
        }
    }

    /// The names of the runs, in the order in which they began.
    pub fn names(&self) -> Result<Vec<RunName>, StoreError> {
        Ok(self.entries()?.runs)
    }

    /// The run of that name, of the only name that begins so, or the newest (`latest`).
    pub fn find(&self, text: &str) -> Result<Result<RunName, UnknownRun>, StoreError> {
        let names = self.names()?;
        if text == "latest" {
            let newest = self.newest(&self.folders(&names))?.map(|link| link.run);
            return Ok(newest
                .filter(|run| names.contains(run))
                .or_else(|| names.last().cloned())
                .ok_or(UnknownRun::Empty));
        }
        Ok(names::find(text, &names))
    }

    /// The newest run by the chain, and what a later run must say of it.
    fn newest(&self, folders: &[Folder]) -> Result<Option<Link>, StoreError> {
        Ok(newest(folders, self.head()?.and_then(Result::ok)))
    }

    /// What HEAD says; `None` where there is none.
    fn head(&self) -> Result<Option<Result<Link, String>>, StoreError> {
        let path = self.folder.join(HEAD);
        match read(&path, MAX_LIST_OCTETS) {
            Ok(bytes) => Ok(Some(match lines::link(&bytes, "") {
                Ok(Some(link)) => Ok(link),
                Ok(None) => Err("it names no run".to_owned()),
                Err(what) => Err(what),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    fn folders(&self, names: &[RunName]) -> Vec<Folder> {
        names
            .iter()
            .map(|name| {
                let folder = self.run_folder(name);
                let hash = |file: &str| hash(&folder.join(file)).ok();
                let previous = match read(&folder.join(PREVIOUS), MAX_LIST_OCTETS) {
                    Ok(bytes) => Some(lines::link(&bytes, "../")),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    Err(error) => Some(Err(error.to_string())),
                };
                Folder { name: name.clone(), previous, sums: hash(SUMS), signature: hash(SIGNATURE) }
            })
            .collect()
    }

    /// What lies in the store.
    fn entries(&self) -> Result<Entries, StoreError> {
        let mut entries = Entries::default();
        let failed = || failed("read store", &self.folder);
        for entry in std::fs::read_dir(&self.folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let kind = entry.file_type();
            let (file, folder) = (kind.as_ref().is_ok_and(FileType::is_file), kind.is_ok_and(|kind| kind.is_dir()));
            match name.to_str() {
                Some(HEAD | LOCK) => {}
                Some(name) if folder && name.starts_with(PART) => entries.unfinished.push(entry.path()),
                Some(name) if file && is_aside(HEAD, name) => entries.unfinished_heads.push(entry.path()),
                Some(name) if folder && RunName::parse(name).is_some() => entries.runs.extend(RunName::parse(name)),
                _ => entries.strange.push(printable(&name.to_string_lossy(), 200)),
            }
        }
        entries.runs.sort();
        entries.unfinished.sort();
        entries.unfinished_heads.sort();
        entries.strange.sort();
        Ok(entries)
    }
}

/// The newest of these runs, from where HEAD leads.
fn newest(folders: &[Folder], head: Option<Link>) -> Option<Link> {
    let follows = |link: &Link| {
        folders.iter().find(|folder| {
            let previous = folder.previous();
            previous.is_some_and(|previous| previous.run == link.run && previous.sums == link.sums)
        })
    };
    let Some(mut newest) = head else {
        // Nothing says which is the newest: the last one that nothing follows.
        let mut links = folders.iter().rev().filter_map(Folder::link);
        return links.find(|link| follows(link).is_none());
    };
    // Whoever was stopped before HEAD was written left runs that follow it.
    for _ in 0..folders.len() {
        match follows(&newest).and_then(Folder::link) {
            Some(next) => newest = next,
            None => break,
        }
    }
    Some(newest)
}

/// What lies in the folder of a store.
#[derive(Debug, Default)]
struct Entries {
    runs: Vec<RunName>,
    /// Folders that somebody writes, or was stopped while writing.
    unfinished: Vec<PathBuf>,
    /// The same of HEAD.
    unfinished_heads: Vec<PathBuf>,
    /// What no cmcomply put there.
    strange: Vec<String>,
}

/// An error of the file system, with what was tried.
fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = text::path(path);
    move |source| StoreError::Io { what, path, source }
}

/// A regular file that is not larger than that. Links and pipes are no part of a run.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} octets")));
    }
    Ok(bytes)
}

fn open(path: &Path) -> io::Result<std::fs::File> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    std::fs::File::open(path)
}

/// The SHA-256 of a regular file, lower-case hexadecimal.
fn hash(path: &Path) -> io::Result<String> {
    let mut file = open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hexadecimal(&hasher.finalize())),
            octets => hasher.update(&chunk[..octets]),
        }
    }
}
