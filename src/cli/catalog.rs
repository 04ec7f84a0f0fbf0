//! `cmcomply catalog`: what is documented, checked and compared.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::output::{Format, OutputArgs, json, write};
use super::{Stop, console, exit};
use crate::catalog::{self, Catalog, EntryId, LoadError, PAGE_LIMIT};
use crate::report::{self, LintReport};
use crate::text::printable;

/// Arguments of `cmcomply catalog`.
#[derive(Debug, Clone, Args)]
pub(super) struct CatalogCommandArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// List all entries.
    List {
        #[command(flatten)]
        catalog: CatalogArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Show one entry: what, who, when, in which cloud, how it is probed, and according to whom.
    Show {
        /// The entry's id, as `list` has it.
        id: String,
        #[command(flatten)]
        catalog: CatalogArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Check a catalog against its rules. Exit code 2: a rule is broken; file and line stand before each mistake.
    Lint {
        /// A folder of own entries, or of a whole catalog. Default: the catalog in this program.
        folder: Option<PathBuf>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Compare the catalog with a saved copy of the page "Internet access requirements". Exit code 1: they differ.
    Diff {
        /// The copy: HTML, Markdown or text.
        page: PathBuf,
        #[command(flatten)]
        catalog: CatalogArgs,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// Which catalog.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Catalog")]
pub(super) struct CatalogArgs {
    /// Own entries: files in this folder add to the catalog in this program, and override what has the same id. A
    /// folder with versions.toml is a whole catalog and takes its place.
    #[arg(long = "catalog", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl CatalogArgs {
    /// The catalog. Tells every mistake in it, with file and line.
    pub(super) fn load(&self) -> Result<Catalog, Stop> {
        match &self.folder {
            None => Ok(Catalog::embedded().clone()),
            Some(folder) => {
                let catalog = load(folder)?;
                if let Some(note) = overridden(&catalog) {
                    console::note(&note);
                }
                Ok(catalog)
            }
        }
    }
}

/// Runs a command on the catalog and returns its exit code.
pub(super) fn run(args: CatalogCommandArgs) -> Result<u8, Stop> {
    match args.command {
        Command::List { catalog, output } => {
            let catalog = catalog.load()?;
            match output.format {
                Format::Table => write(&report::entries_brief(&catalog).table(output.width()))?,
                _ => output.write(&report::entries(&catalog), &catalog.entries)?,
            }
            Ok(exit::COMPLIANT)
        }
        Command::Show { id, catalog, output } => show(&id, &catalog.load()?, &output),
        Command::Lint { folder, output } => lint(folder.as_deref(), &output),
        Command::Diff { page, catalog, output } => diff(&page, &catalog.load()?, &output),
    }
}

fn show(id: &str, catalog: &Catalog, output: &OutputArgs) -> Result<u8, Stop> {
    let Some(entry) = catalog.entry(&EntryId(id.to_owned())) else {
        let near: Vec<&str> = catalog
            .entries
            .iter()
            .map(|entry| entry.id.0.as_str())
            .filter(|known| known.contains(id))
            .take(5)
            .collect();
        let hint = if near.is_empty() { "see `cmcomply catalog list`".to_owned() } else { near.join(", ") };
        return Err(Stop::usage(anyhow::anyhow!("no entry `{}`: {hint}", printable(id, 80))));
    };
    match output.format {
        Format::Table => write(&report::entry(catalog, entry, output.width()))?,
        Format::Json => write(&json(entry)?)?,
        Format::Csv => {
            let mut listing = report::entries(catalog);
            listing.rows.retain(|row| row[0] == entry.id.0);
            write(&listing.csv())?;
        }
    }
    Ok(exit::COMPLIANT)
}

fn lint(folder: Option<&Path>, output: &OutputArgs) -> Result<u8, Stop> {
    if output.format != Format::Table {
        let (report, code) = match folder.map(|folder| (folder, Catalog::load(folder, today()))) {
            None => (LintReport::of(Ok(Catalog::embedded())), exit::COMPLIANT),
            Some((_, Ok(catalog))) => (LintReport::of(Ok(&catalog)), exit::COMPLIANT),
            Some((_, Err(LoadError::Mistakes(mistakes)))) => (LintReport::of(Err(&mistakes)), exit::USAGE),
            Some((folder, Err(error))) => return Err(refused(folder, error)),
        };
        output.write(&report.rows(), &report)?;
        return Ok(code);
    }
    let catalog = folder.map_or_else(|| Ok(Catalog::embedded().clone()), load)?;
    write(&format!(
        "catalog {}: {} entries, {} documents, {} versions; no mistakes\nsha256 {}\n",
        catalog.version,
        catalog.entries.len(),
        catalog.documents.len(),
        catalog.releases.len(),
        catalog.sha256
    ))?;
    if let Some(note) = overridden(&catalog) {
        write(&format!("{note}\n"))?;
    }
    Ok(exit::COMPLIANT)
}

fn diff(page: &Path, catalog: &Catalog, output: &OutputArgs) -> Result<u8, Stop> {
    let shown = page.display();
    let file = std::fs::File::open(page).with_context(|| format!("cannot read {shown}")).map_err(Stop::usage)?;
    let mut bytes = Vec::new();
    file.take(PAGE_LIMIT as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {shown}"))
        .map_err(Stop::usage)?;
    let diff = catalog::diff(catalog, &bytes).with_context(|| shown.to_string()).map_err(Stop::usage)?;
    output.write(&report::page_diff(&diff), &diff)?;
    if output.format == Format::Table {
        write(&format!(
            "lacking: on the page, not in the catalog; gone: in the catalog, not on the page; not understood: look at it\n\
             {} rows of the page are in the catalog, {} are lacking; {} entries are gone; {} not understood\n",
            diff.matched,
            diff.lacking.len(),
            diff.gone.len(),
            diff.not_understood.len()
        ))?;
    }
    Ok(if diff.is_settled() { exit::COMPLIANT } else { exit::NON_COMPLIANT })
}

/// Which entries of this program are not used, since own ones take their place.
fn overridden(catalog: &Catalog) -> Option<String> {
    const SHOWN: usize = 10;
    let ids: Vec<&str> = catalog.overridden.iter().map(|id| id.0.as_str()).collect();
    let more = if ids.len() > SHOWN { format!(" and {} more", ids.len() - SHOWN) } else { String::new() };
    let shown = ids.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    (!ids.is_empty()).then(|| format!("own entries override those of this program: {shown}{more}"))
}

/// No source of a catalog may be of a later day.
fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

/// A catalog from a folder. All mistakes go to standard error, one on a line.
fn load(folder: &Path) -> Result<Catalog, Stop> {
    const SHOWN: usize = 200;
    Catalog::load(folder, today()).map_err(|error| {
        if let LoadError::Mistakes(mistakes) = &error {
            for mistake in mistakes.iter().take(SHOWN) {
                console::plain_note(&mistake.to_string());
            }
            if mistakes.len() > SHOWN {
                console::plain_note(&format!("and {} more", mistakes.len() - SHOWN));
            }
        }
        refused(folder, error)
    })
}

fn refused(folder: &Path, error: LoadError) -> Stop {
    Stop::usage(anyhow::Error::new(error).context(format!("catalog {}", folder.display())))
}
