//! Hand-off lists as files, and the comparison with a list that is there already.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::output::{Format, OutputArgs, json, write, write_file};
use super::{Stop, audit, console, exit};
use crate::catalog::Catalog;
use crate::derive::{Requirement, Subject, Via};
use crate::report::lists::{self, HandOff, Head, MAX_TEXT, PacRoutes, Rendered};
use crate::report::{allow_list_check, allow_list_findings, allow_list_rows};
use crate::settings::stated_via;
use crate::text::{self, printable};

/// Lists for firewalls and proxies.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hand-off lists")]
pub(super) struct ListArgs {
    /// Write what is needed as a list: plain, csv, pan-os-edl, squid, azure-firewall, pac, tls-bypass or
    /// squid-tls-bypass. What the format cannot say goes to FILE.losses.txt, or to standard error without -o.
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["format", "by"])]
    list: Option<lists::Format>,
    /// A list for each host instead of one for all; -o names the folder.
    #[arg(long, requires = "list")]
    per_host: bool,
    /// What the PAC script answers for the listed names: `direct` or HOST:PORT.
    #[arg(long, value_name = "ROUTE", value_parser = stated_via, requires = "list")]
    pac_listed: Option<Via>,
    /// What it answers for all others. Without it, the script has a line to be edited.
    #[arg(long, value_name = "ROUTE", value_parser = stated_via, requires = "list")]
    pac_other: Option<Via>,
}

/// What the names of loss reports end with.
const LOSSES: &str = ".losses.txt";

/// What a list says of itself.
pub(super) struct Scope {
    /// For whom it is.
    pub(super) whom: String,
    /// Under which assumptions; empty, or words after a comma.
    pub(super) conditions: String,
}

impl ListArgs {
    pub(super) fn wanted(&self) -> bool {
        self.list.is_some()
    }

    pub(super) fn per_host(&self) -> bool {
        self.per_host
    }

    /// Finds out before the work whether the file can be written after it, and its loss report.
    pub(super) fn writable(&self, file: &Path) -> Result<(), Stop> {
        audit::writable(file)?;
        if self.wanted() { audit::writable(&losses_file(file)) } else { Ok(()) }
    }

    /// A folder for lists; made if it is not there.
    pub(super) fn folder(path: &Path) -> Result<(), Stop> {
        let shown = text::path(path);
        std::fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder --output {shown}"))
            .map_err(Stop::usage)?;
        audit::writable(&path.join("list"))
    }

    /// Writes the list or the lists, with their loss reports.
    pub(super) fn write(
        &self,
        requirements: &[Requirement],
        catalog: &Catalog,
        read: Timestamp,
        scope: &Scope,
        output: Option<&Path>,
    ) -> Result<(), Stop> {
        let Some(format) = self.list else { return Ok(()) };
        let render = |requirements: &[&Requirement], scope: &str| {
            let head = Head {
                generated_at: &format!("{} (when the facts were read)", read.strftime("%Y-%m-%dT%H:%M:%SZ")),
                catalog_version: &catalog.version,
                scope,
                pac: PacRoutes {
                    listed: self.pac_listed.clone().unwrap_or(Via::Direct),
                    other: self.pac_other.clone().unwrap_or(Via::Unknown),
                },
            };
            lists::render(format, &HandOff::of(requirements.iter().copied()), &head)
        };
        let all: Vec<&Requirement> = requirements.iter().collect();
        let whole = format!("{}{}", scope.whom, scope.conditions);
        match (output, self.per_host) {
            (Some(folder), true) => {
                let lists = by_subject(requirements);
                let mut written = BTreeSet::new();
                for ((name, whom), requirements) in &lists {
                    let place = folder.join(format!("{format}-{name}.{}", format.extension()));
                    write_list(&place, &render(requirements, &format!("{whom}{}", scope.conditions)))?;
                    written.extend([losses_file(&place), place]);
                }
                note_old(folder, &format!("{format}-"), &written);
                let folder = text::path(folder);
                console::note(&format!("{} lists in {folder}, each with its .losses.txt", lists.len()));
                Ok(())
            }
            (Some(file), false) => {
                let rendered = render(&all, &whole);
                write_list(file, &rendered)?;
                let (shown, beside) = (file.display().to_string(), losses_file(file).display().to_string());
                console::note(&format!("{shown}; what it does not say ({}): {beside}", rendered.losses.len()));
                Ok(())
            }
            (None, _) => {
                let rendered = render(&all, &whole);
                write(&rendered.text)?;
                if !format.has_comments() {
                    for loss in &rendered.losses {
                        console::note(&format!("the list does not say: {loss}"));
                    }
                }
                Ok(())
            }
        }
    }
}

/// Tells which lists of this format in the folder are of an earlier run: what is for no host any more is not taken away.
fn note_old(folder: &Path, prefix: &str, written: &BTreeSet<PathBuf>) {
    const SHOWN: usize = 10;
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let old: BTreeSet<String> = found
        .filter(|path| !written.contains(path))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| name.starts_with(prefix) && !name.ends_with(LOSSES))
        .map(|name| printable(&name, 100))
        .collect();
    if !old.is_empty() {
        let more = if old.len() > SHOWN { format!(" and {} more", old.len() - SHOWN) } else { String::new() };
        let shown = old.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
        console::note(&format!("not of this run, and left as they are: {shown}{more}"));
    }
}

/// The requirements of each host, of clients and of consoles, under a name that is good for a file and one for people.
/// A host's own name is a DNS name; behind the format's name it is no device of Windows either.
fn by_subject(requirements: &[Requirement]) -> BTreeMap<(String, String), Vec<&Requirement>> {
    let mut lists: BTreeMap<_, Vec<&Requirement>> = BTreeMap::new();
    for requirement in requirements {
        let name = match &requirement.subject {
            Subject::Host { host, .. } => (format!("host-{host}"), host.to_string()),
            Subject::Clients => ("clients".to_owned(), requirement.subject.to_string()),
            Subject::Consoles => ("consoles".to_owned(), requirement.subject.to_string()),
            Subject::UnknownHosts => ("unknown-hosts".to_owned(), requirement.subject.to_string()),
        };
        lists.entry(name).or_default().push(requirement);
    }
    lists
}

/// The loss report first: a list without it would say more than it does.
fn write_list(path: &Path, rendered: &Rendered) -> Result<(), Stop> {
    let mut losses = rendered.losses.iter().map(|loss| format!("{loss}\n")).collect::<Vec<_>>().concat();
    if losses.is_empty() {
        "this list says all that is needed as far as it is decided, and no more\n".clone_into(&mut losses);
    }
    write_file(&losses_file(path), &losses)?;
    write_file(path, &rendered.text)
}

fn losses_file(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(LOSSES);
    path.with_file_name(name)
}

/// The comparison with an allow list.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hand-off lists")]
pub(super) struct CheckArgs {
    /// Compare with an allow list (one name, wildcard or URL a line): what is missing in it, stale, or too broad.
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    check_against: Option<PathBuf>,
}

impl CheckArgs {
    /// The allow list, if there is one to compare with.
    pub(super) fn read(&self) -> Result<Option<String>, Stop> {
        let Some(path) = &self.check_against else { return Ok(None) };
        let shown = text::path(path);
        let read = || -> anyhow::Result<String> {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes)?;
            anyhow::ensure!(bytes.len() <= MAX_TEXT, "larger than {MAX_TEXT} octets: that is no allow list");
            String::from_utf8(bytes).context("not text in UTF-8")
        };
        read().with_context(|| format!("cannot read --check-against {shown}")).map_err(Stop::usage).map(Some)
    }

    /// Writes what differs. The exit code: whether anything does for certain, else whether anything is undecided.
    pub(super) fn compare(
        allow_list: &str,
        (requirements, incomplete): (&[Requirement], &[String]),
        (catalog, read): (&Catalog, Timestamp),
        output: &OutputArgs,
        file: Option<&Path>,
    ) -> Result<u8, Stop> {
        let hand_off = HandOff::of(requirements).with_retired(catalog);
        let check = lists::check_against(&hand_off, allow_list).map_err(Stop::usage)?;
        let findings = allow_list_findings(&check);
        let text = match output.format {
            Format::Csv => allow_list_rows(&findings).csv(),
            Format::Json => json(&allow_list_check(&check, findings, catalog, read, incomplete))?,
            Format::Table => {
                let table = if findings.is_empty() {
                    String::new()
                } else {
                    format!("{}\n", allow_list_rows(&findings).table(output.width()))
                };
                format!(
                    "{table}{} missing, {} stale, {} too broad, {} undecided, {} not understood\n",
                    check.missing.len(),
                    check.stale.len(),
                    check.too_broad.len(),
                    check.undecided.len() + check.maybe_missing.len(),
                    check.not_understood.len()
                )
            }
        };
        match file {
            Some(file) => write_file(file, &text)?,
            None => write(&text)?,
        }
        Ok(if check.differs() {
            exit::NON_COMPLIANT
        } else if check.names_are_exact() {
            exit::COMPLIANT
        } else {
            exit::INCOMPLETE
        })
    }
}
