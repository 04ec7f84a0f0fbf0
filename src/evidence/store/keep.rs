//! Writing a run into the store: aside, whole, and renamed once.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::super::{Run, write_aside};
use super::lines::{self, Link};
use super::{
    FACTS, Folder, HEAD, LOCK, PART, PREVIOUS, RUN, RunName, SIGNATURE, SUMS, Signer, Store, StoreError, failed, newest,
};
use crate::site::Snapshot;
use crate::text::{self, hexadecimal};

/// How long another writer is waited for. It writes a few files.
const PATIENCE: Duration = Duration::from_mins(1);

/// A file of a run besides its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A run that is in the store now.
#[derive(Debug)]
pub struct Kept {
    /// Its name.
    pub run: RunName,
    /// Its folder.
    pub folder: PathBuf,
    /// SHA-256 of its SHA256SUMS. Kept elsewhere, it shows later whether the newest runs are still there and as they were.
    pub sums: String,
    /// Why HEAD does not name it, if that could not be written. The next run makes up for it.
    pub head: Option<io::Error>,
    /// What was amiss with HEAD before: a verification would have said it, and after this run says less.
    pub doubt: Option<String>,
}

/// Is called before each step that the file system can refuse; tests make it fail there, or end there.
type Step<'a> = &'a dyn Fn(&str) -> io::Result<()>;

impl Store {
    /// Finds out whether a run could be written, by doing all that comes before. A folder that is not there is not made:
    /// what comes next may end in an error, and an empty store would be left.
    pub fn can_keep(&self) -> Result<(), StoreError> {
        if !self.folder.exists() {
            let there = self.folder.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
            let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
            let trial = there.join(format!("{PART}{}", std::process::id()));
            fs::create_dir(&trial).map_err(failed("make store", &self.folder))?;
            return fs::remove_dir(&trial).map_err(failed("make store", &self.folder));
        }
        let _lock = self.lock()?;
        self.clean()?;
        let aside = self.folder.join(format!("{PART}{}", std::process::id()));
        fs::create_dir(&aside).map_err(failed("write in store", &self.folder))?;
        fs::remove_dir(&aside).map_err(failed("write in store", &self.folder))
    }

    /// Keeps a run with its parts. Either it is in the store whole, or an error says why not and the store is as before.
    pub fn keep(&self, run: &Run, parts: &[Part], signer: Option<&Signer>) -> Result<Kept, StoreError> {
        self.keep_by_steps(run, parts, signer, &|_| Ok(()))
    }

    fn keep_by_steps(
        &self,
        run: &Run,
        parts: &[Part],
        signer: Option<&Signer>,
        step: Step<'_>,
    ) -> Result<Kept, StoreError> {
        let record = run.to_json()?;
        let facts = Snapshot {
            redacted: run.redacted,
            tool_version: run.tool.version.clone(),
            ..Snapshot::new(run.facts.clone(), run.moments.facts_read)
        };
        let name = RunName::of(run, &record);
        let mut files = vec![(RUN.to_owned(), record), (FACTS.to_owned(), facts.to_json()?)];
        files.extend(parts.iter().map(|part| (part.name.clone(), part.bytes.clone())));

        let _lock = self.lock()?;
        self.clean()?;
        let folder = self.run_folder(&name);
        if fs::symlink_metadata(&folder).is_ok() {
            return Err(StoreError::Exists { path: shown(&self.folder), run: name });
        }
        let (folders, head) = (self.folders(&self.names()?), self.head()?);
        let doubt = doubt(&folders, head.as_ref());
        let lost_head = !matches!(head, Some(Ok(_)));
        let previous = newest(&folders, head.and_then(Result::ok));
        if let (true, Some(link)) = (lost_head, &previous) {
            // Else a second writer that is stopped before HEAD would leave two runs and nothing that names one.
            step("write HEAD anew")
                .and_then(|()| write_aside(&self.folder.join(HEAD), link.lines("").as_bytes()))
                .map_err(failed("write in store", &self.folder))?;
        }
        files.push((
            PREVIOUS.to_owned(),
            previous.as_ref().map_or(lines::NONE.to_owned(), |link| link.lines("../")).into(),
        ));
        files.sort();
        let sums: String =
            files.iter().map(|(name, bytes)| lines::line(&hexadecimal(&Sha256::digest(bytes)), name)).collect();
        let signature =
            signer.map(|signer| signer.sign(sums.as_bytes(), &comment(&name, previous.as_ref()))).transpose()?;
        let hash = |text: &String| hexadecimal(&Sha256::digest(text));
        let link = Link { run: name.clone(), sums: hash(&sums), signature: signature.as_ref().map(hash) };
        files.push((SUMS.to_owned(), sums.into()));
        files.extend(signature.map(|signature| (SIGNATURE.to_owned(), signature.into())));

        let aside = self.folder.join(format!("{PART}{}", std::process::id()));
        if let Err(error) = write(&aside, &folder, &files, step) {
            // Best effort: the error that is reported is the first one, and the next writer cleans too.
            let _ = fs::remove_dir_all(&aside);
            return Err(error);
        }
        // From here on the run is kept, whatever happens.
        let head = step("write HEAD")
            .and_then(|()| sync_folder(&self.folder))
            .and_then(|()| write_aside(&self.folder.join(HEAD), link.lines("").as_bytes()));
        Ok(Kept { run: name, folder, sums: link.sums, head: head.err(), doubt })
    }

    /// The lock, which ends with the file that is returned, however the program ends.
    fn lock(&self) -> Result<File, StoreError> {
        fs::create_dir_all(&self.folder).map_err(failed("make store", &self.folder))?;
        let path = self.folder.join(LOCK);
        // A pipe would wait for its other end, and a link leads out of the store.
        if fs::symlink_metadata(&path).is_ok_and(|there| !there.is_file()) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
            return Err(failed("lock", &path)(error));
        }
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed("write in store", &self.folder))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked { path: shown(&self.folder), seconds: PATIENCE.as_secs() });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
    }

    /// Removes what a writer that was stopped left. Whoever holds the lock knows that nobody writes there.
    fn clean(&self) -> Result<(), StoreError> {
        let entries = self.entries()?;
        for left in entries.unfinished {
            fs::remove_dir_all(&left).map_err(failed("remove what an unfinished run left", &left))?;
        }
        for left in entries.unfinished_heads {
            fs::remove_file(&left).map_err(failed("remove what an unfinished run left", &left))?;
        }
        Ok(())
    }
}

/// What is amiss with HEAD. Without it, one run is what a writer leaves that was stopped.
fn doubt(folders: &[Folder], head: Option<&Result<Link, String>>) -> Option<String> {
    match head {
        Some(Ok(link)) if folders.iter().all(|folder| folder.name != link.run) => {
            Some(format!("run {}, the newest by HEAD, was not there", link.run))
        }
        Some(Err(what)) => Some(format!("HEAD was damaged: {what}")),
        None if folders.len() > 1 => Some("HEAD was missing, so nothing said which run was the newest".to_owned()),
        _ => None,
    }
}

/// Writes the files aside and renames their folder. Everything is on the disk before it has its name.
fn write(aside: &Path, folder: &Path, files: &[(String, Vec<u8>)], step: Step<'_>) -> Result<(), StoreError> {
    let write_in = || failed("write in store", aside);
    step("make the folder").and_then(|()| fs::create_dir(aside)).map_err(write_in())?;
    for (name, bytes) in files {
        let path = aside.join(name);
        step(name).and_then(|()| write_file(&path, bytes, step)).map_err(failed("write", &path))?;
    }
    step("sync the folder").and_then(|()| sync_folder(aside)).map_err(write_in())?;
    step("rename").and_then(|()| fs::rename(aside, folder)).map_err(failed("make", folder))
}

fn write_file(path: &Path, bytes: &[u8], step: Step<'_>) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    file.write_all(half)?;
    step("the other half")?;
    file.write_all(rest)?;
    file.sync_all()
}

/// On Windows a folder cannot be synced, and need not be.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// What the signature says besides, under the same key.
fn comment(run: &RunName, previous: Option<&Link>) -> String {
    let previous = previous.map_or("none".to_owned(), |link| format!("{} {}", link.run, link.sums));
    format!("cmcomply run {run}, previous {previous}")
}

fn shown(path: &Path) -> String {
    text::path(path)
}

#[cfg(test)]
mod tests;
