//! Verification: whether every run is whole, and whether the chain is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::RunError;
use super::sign::Signature;
use super::{
    Folder, Link, MAX_LIST_OCTETS, PREVIOUS, PublicKey, RUN, RunName, SIGNATURE, SUMS, Store, StoreError, hash, lines,
    newest, read,
};
use crate::text::printable;

/// The format of [`Verification`].
pub const VERIFICATION_FORMAT: &str = "cmcomply.verification/1";

/// Signatures and time stamps of other programs may lie beside the list that they are over.
const BESIDE: [&str; 5] = [SIGNATURE, "SHA256SUMS.sig", "SHA256SUMS.asc", "SHA256SUMS.p7s", "SHA256SUMS.tsr"];

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// [`VERIFICATION_FORMAT`].
    pub format: String,
    /// The runs, in the order in which they began.
    pub runs: Vec<VerifiedRun>,
    /// What is wrong; empty where the store is whole.
    pub findings: Vec<StoreFinding>,
    /// What one should know and is no fault.
    pub notes: Vec<String>,
}

impl Verification {
    /// Adds what somebody found who read the record, unless that run is named already.
    pub fn add_unreadable(&mut self, run: &RunName, why: &RunError) {
        if !self.findings.iter().any(|finding| finding.run.as_ref() == Some(run)) {
            self.findings.push(unreadable(run, why));
            self.findings.sort();
        }
    }
}

fn unreadable(run: &RunName, why: &RunError) -> StoreFinding {
    let (run, file) = (Some(run.clone()), Some(RUN.to_owned()));
    StoreFinding { run, file, problem: StoreProblem::Unreadable, text: why.to_string() }
}

/// A run that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedRun {
    /// Its name.
    pub run: RunName,
    /// How many of its files were compared with their hashes.
    pub files: usize,
    /// SHA-256 of its SHA256SUMS, if there is one.
    pub manifest: Option<String>,
    /// The run before, as PREVIOUS says.
    pub previous: Option<RunName>,
    /// The id of the key that it is signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the signature was checked against a public key and is good; `None` where no key was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_is_good: Option<bool>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct StoreFinding {
    /// The run.
    pub run: Option<RunName>,
    /// The file.
    pub file: Option<String>,
    /// What kind it is of.
    pub problem: StoreProblem,
    /// The same in words.
    pub text: String,
}

/// What can be wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StoreProblem {
    /// A run that a later one, or HEAD, names is not there.
    RemovedRun,
    /// A list of hashes is not the one that a later run, or HEAD, names.
    RewrittenManifest,
    /// A file is not there.
    MissingFile,
    /// A file has another hash.
    ChangedFile,
    /// A file that no list of hashes names.
    ExtraFile,
    /// The list of hashes, or the link to the run before, is not what cmcomply writes.
    Damaged,
    /// The record has the right hash, and cannot be read or contradicts itself.
    Unreadable,
    /// The signature is not the one that a later run, or HEAD, names.
    ReSigned,
    /// The signature is not one over this list of hashes by the key that was given.
    BadSignature,
    /// There is no signature, and a public key was given.
    Unsigned,
    /// Two runs say that they follow the same one, or both that they are the first.
    Forked,
    /// The hash that was kept elsewhere is of no run of this store.
    LostAnchor,
}

impl StoreProblem {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::RemovedRun => "removed run",
            Self::RewrittenManifest => "rewritten manifest",
            Self::MissingFile => "missing file",
            Self::ChangedFile => "changed file",
            Self::ExtraFile => "extra file",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable record",
            Self::ReSigned => "re-signed",
            Self::BadSignature => "bad signature",
            Self::Unsigned => "not signed",
            Self::Forked => "forked chain",
            Self::LostAnchor => "lost anchor",
        }
    }
}

/// With what to verify besides the store itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Check<'a> {
    /// Every run must be signed with this key.
    pub key: Option<&'a PublicKey>,
    /// The hash of a SHA256SUMS that was kept elsewhere: a run of this store must have it.
    pub anchor: Option<&'a str>,
    /// Compare hashes alone, and leave the records to whoever reads them anyway.
    pub hashes_only: bool,
}

impl Store {
    /// Looks at every file of every run, and at the chain. Nothing is changed.
    pub fn verify(&self, check: &Check<'_>) -> Result<Verification, StoreError> {
        // HEAD before the runs: whoever writes meanwhile makes a run first, and HEAD name it then.
        let head = self.head();
        let entries = self.entries()?;
        let folders = self.folders(&entries.runs);
        let mut found = Found::default();
        verify_chain(&folders, head, &mut found);
        let runs = folders.iter().map(|folder| self.verify_run(folder, check, &mut found)).collect();
        if let Some(anchor) = check.anchor
            && !folders
                .iter()
                .any(|folder| folder.sums.as_deref().is_some_and(|sums| sums.eq_ignore_ascii_case(anchor)))
        {
            found.say(None, None, StoreProblem::LostAnchor, format!("no run has a SHA256SUMS of SHA-256 {anchor}"));
        }
        for name in &entries.strange {
            found.say(None, Some(name), StoreProblem::ExtraFile, "no cmcomply put it into the store".to_owned());
        }
        let count = entries.unfinished.len() + entries.unfinished_heads.len();
        if count > 0 {
            found.notes.push(format!(
                "{count} unfinished: a run that is being written, or whose writer was stopped; it counts for nothing, and \
                 the next run removes what was left"
            ));
        }
        found.findings.sort();
        Ok(Verification { format: VERIFICATION_FORMAT.to_owned(), runs, findings: found.findings, notes: found.notes })
    }

    fn verify_run(&self, folder: &Folder, check: &Check<'_>, found: &mut Found) -> VerifiedRun {
        let run = &folder.name;
        let place = self.run_folder(run);
        let mut verified = VerifiedRun {
            run: run.clone(),
            files: 0,
            manifest: folder.sums.clone(),
            previous: folder.previous().map(|link| link.run.clone()),
            key: None,
            signature_is_good: None,
        };
        let sums = match read(&place.join(SUMS), MAX_LIST_OCTETS) {
            Ok(sums) => sums,
            Err(error) => {
                let problem = missing_or(&error, StoreProblem::Damaged);
                found.say(Some(run), Some(SUMS), problem, format!("nothing shows what the run was: {error}"));
                return verified;
            }
        };
        let listed = lines::manifest(&sums).unwrap_or_else(|what| {
            found.say(Some(run), Some(SUMS), StoreProblem::Damaged, what);
            Vec::new()
        });
        for (expected, file) in &listed {
            match hash(&place.join(file)) {
                Ok(hash) if hash == *expected => verified.files += 1,
                Ok(_) => found.say(Some(run), Some(file), StoreProblem::ChangedFile, "its hash is another".to_owned()),
                Err(error) => {
                    found.say(Some(run), Some(file), missing_or(&error, StoreProblem::ChangedFile), error.to_string());
                }
            }
        }
        let names: BTreeSet<&str> = listed.iter().map(|(_, name)| name.as_str()).collect();
        for needed in [RUN, PREVIOUS].into_iter().filter(|needed| !listed.is_empty() && !names.contains(needed)) {
            found.say(Some(run), Some(needed), StoreProblem::Damaged, "SHA256SUMS does not name it".to_owned());
        }
        for name in listing(&place) {
            let name = match &name {
                Ok(name) => name.to_string_lossy(),
                Err(error) => {
                    let text = format!("its files cannot be listed: {error}");
                    found.say(Some(run), None, StoreProblem::Damaged, text);
                    continue;
                }
            };
            if !names.contains(&*name) && *name != *SUMS && !BESIDE.contains(&&*name) {
                let text = "SHA256SUMS does not name it".to_owned();
                found.say(Some(run), Some(&printable(&name, 200)), StoreProblem::ExtraFile, text);
            }
        }
        // What is not as it was written need not be understood.
        if !check.hashes_only && !found.has(run) {
            let sha256 = listed.iter().find(|(_, file)| file == RUN).map_or("", |(sha256, _)| sha256);
            match self.record(run).map(|record| RunName::of_hashed(&record, sha256)) {
                Err(error) => found.findings.push(unreadable(run, &error)),
                Ok(name) if name != *run => {
                    let text = format!("it is the folder of the run {name}, under another name");
                    found.say(Some(run), None, StoreProblem::Damaged, text);
                }
                Ok(_) => {}
            }
        }
        self.verify_signature(folder, &sums, check.key, &mut verified, found);
        verified
    }

    fn verify_signature(
        &self,
        folder: &Folder,
        sums: &[u8],
        key: Option<&PublicKey>,
        verified: &mut VerifiedRun,
        found: &mut Found,
    ) {
        let run = &folder.name;
        let mut say = |problem, text: String| found.say(Some(run), Some(SIGNATURE), problem, text);
        let signature = match read(&self.run_folder(run).join(SIGNATURE), MAX_LIST_OCTETS) {
            Ok(bytes) => match Signature::parse(&bytes) {
                Ok(signature) => signature,
                Err(what) => return say(StoreProblem::BadSignature, what),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(key) = key {
                    say(StoreProblem::Unsigned, format!("nobody signed it with key {}", key.id()));
                }
                return;
            }
            Err(error) => return say(StoreProblem::BadSignature, error.to_string()),
        };
        verified.key = Some(signature.key());
        let Some(key) = key else { return };
        let good = signature.is_good(key, sums);
        verified.signature_is_good = Some(good);
        if signature.key() != key.id() {
            say(StoreProblem::BadSignature, format!("signed with key {}, not with {}", signature.key(), key.id()));
        } else if !good {
            say(StoreProblem::BadSignature, format!("key {} did not sign this SHA256SUMS", key.id()));
        } else if signature.comment().starts_with("cmcomply run ")
            && !signature.comment().starts_with(&format!("cmcomply run {run},"))
        {
            say(StoreProblem::BadSignature, format!("it was made for another run: {}", signature.comment()));
        }
    }
}

/// Whether every run that is named is there and as it was; `head` is what HEAD said before the runs were listed.
fn verify_chain(folders: &[Folder], head: Result<Option<Result<Link, String>>, StoreError>, found: &mut Found) {
    let by_name: BTreeMap<&RunName, &Folder> = folders.iter().map(|folder| (&folder.name, folder)).collect();
    let mut followed: BTreeMap<Option<&RunName>, Vec<&RunName>> = BTreeMap::new();
    for folder in folders {
        match &folder.previous {
            Some(Ok(previous)) => {
                followed.entry(previous.as_ref().map(|link| &link.run)).or_default().push(&folder.name);
                if let Some(link) = previous {
                    hold(link, &by_name, &format!("run {}", folder.name), found);
                }
            }
            // Its list of hashes misses it.
            None => {}
            Some(Err(what)) => found.say(Some(&folder.name), Some(PREVIOUS), StoreProblem::Damaged, what.clone()),
        }
    }
    for (previous, runs) in followed.iter().filter(|(_, runs)| runs.len() > 1) {
        let runs = runs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let text = match previous {
            Some(previous) => format!("{runs} all say that they follow {previous}"),
            None => format!("{runs} all say that they are the first"),
        };
        found.say(None, None, StoreProblem::Forked, text);
    }
    let mut newest_named = None;
    match head {
        Ok(Some(Ok(link))) => {
            hold(&link, &by_name, super::HEAD, found);
            newest_named = Some(link);
        }
        Ok(Some(Err(what))) => found.say(None, Some(super::HEAD), StoreProblem::Damaged, what),
        Err(error) => found.say(None, Some(super::HEAD), StoreProblem::Damaged, error.to_string()),
        // Whoever wrote the only run may have been stopped before HEAD.
        Ok(None) if folders.len() > 1 => {
            let text = "nothing says which run is the newest".to_owned();
            found.say(None, Some(super::HEAD), StoreProblem::MissingFile, text);
        }
        Ok(None) => {}
    }
    if let (Some(first), Some(newest)) = (folders.first(), newest(folders, newest_named)) {
        found.notes.push(format!(
            "the first run is {}, the newest {} with SHA256SUMS of SHA-256 {}",
            first.name, newest.run, newest.sums
        ));
    }
}

/// The names in a folder, and what could not be listed.
fn listing(folder: &Path) -> Vec<io::Result<OsString>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// Whether the run that a link names is there, and as the link says.
fn hold(link: &Link, runs: &BTreeMap<&RunName, &Folder>, who: &str, found: &mut Found) {
    let run = &link.run;
    let Some(folder) = runs.get(run) else {
        return found.say(Some(run), None, StoreProblem::RemovedRun, format!("{who} names it, and it is not there"));
    };
    // A list of hashes that is missing is a finding of its own.
    if folder.sums.as_ref().is_some_and(|sums| *sums != link.sums) {
        let text = format!("{who} names it with another hash");
        found.say(Some(run), Some(SUMS), StoreProblem::RewrittenManifest, text);
    }
    if link.signature.is_some() && link.signature != folder.signature {
        let what = if folder.signature.is_some() { "with another hash" } else { "and it is not there" };
        found.say(Some(run), Some(SIGNATURE), StoreProblem::ReSigned, format!("{who} names it {what}"));
    }
}

fn missing_or(error: &io::Error, other: StoreProblem) -> StoreProblem {
    if error.kind() == io::ErrorKind::NotFound { StoreProblem::MissingFile } else { other }
}

#[derive(Default)]
struct Found {
    findings: Vec<StoreFinding>,
    notes: Vec<String>,
}

impl Found {
    /// The same twice, as where a run and HEAD both miss a third, is said once.
    fn say(&mut self, run: Option<&RunName>, file: Option<&str>, problem: StoreProblem, text: String) {
        let known =
            |one: &StoreFinding| one.run.as_ref() == run && one.file.as_deref() == file && one.problem == problem;
        if !self.findings.iter().any(known) {
            self.findings.push(StoreFinding { run: run.cloned(), file: file.map(str::to_owned), problem, text });
        }
    }

    fn has(&self, run: &RunName) -> bool {
        self.findings.iter().any(|finding| finding.run.as_ref() == Some(run))
    }
}
