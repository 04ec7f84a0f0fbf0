//! `cmcomply queries`: everything that is sent to a SQL Server, and the rights that it needs.

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{Stop, console, exit};
use crate::report::Listing;
use crate::site::{self, Login, Place, Query, Way};

/// Arguments of `cmcomply queries`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply queries
      every statement with what it is for, as T-SQL with comments
  cmcomply queries --grants 'CONTOSO\\cm-audit' > grants.sql
      a script that gives this login exactly the rights needed
  cmcomply queries --grants 'CONTOSO\\cm-audit' --run-script > grants.sql
      the same, and the right to read what clients said (`cmcomply run-script collect`)")]
pub(super) struct QueriesArgs {
    /// Print a T-SQL script that makes a role with exactly the rights needed, and this login a member of it.
    #[arg(long, value_name = "LOGIN", value_parser = Login::parse)]
    grants: Option<Login>,
    /// With --grants: also the right to read what clients said in answer to scripts, for `run-script collect`. No audit needs
    /// it.
    #[arg(long, requires = "grants")]
    run_script: bool,
    /// The form of the list.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text, conflicts_with = "grants")]
    format: Format,
    /// Columns of the table. Default: those of the terminal, else 80.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=1000))]
    width: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// T-SQL with comments.
    Text,
    /// JSON: name, file, purpose, objects, columns and statement of each.
    Json,
    /// Which statement asks which objects where, for people.
    Table,
    /// The same for spreadsheets.
    Csv,
}

/// Prints the statements or the script, and returns the exit code.
pub(super) fn run(args: &QueriesArgs) -> Result<u8, Stop> {
    let text = match (&args.grants, args.format) {
        (Some(login), _) => site::grant_script(login, args.run_script),
        (None, Format::Text) => listing(&site::queries()),
        (None, Format::Table) => rows(&site::queries()).table(console::style(console::Colour::Never, args.width).width),
        (None, Format::Csv) => rows(&site::queries()).csv(),
        (None, Format::Json) => {
            serde_json::to_string_pretty(&site::queries()).context("cannot write as JSON").map_err(Stop::usage)? + "\n"
        }
    };
    console::print(&text).context("cannot write to standard output").map_err(Stop::usage)?;
    Ok(exit::COMPLIANT)
}

fn rows(queries: &[Query]) -> Listing<5> {
    let row = |query: &Query| {
        let objects = query.ways.iter().flat_map(|way| &way.objects).map(|object| format!("dbo.{}", object.name));
        let objects: std::collections::BTreeSet<String> = objects.collect();
        let objects = objects.into_iter().collect::<Vec<_>>().join(", ");
        [query.name.clone(), query.file.clone(), place(query.place).to_owned(), objects, query.purpose.clone()]
    };
    Listing { columns: ["name", "file", "when", "objects", "purpose"], rows: queries.iter().map(row).collect() }
}

fn listing(queries: &[Query]) -> String {
    let mut text = format!(
        "-- cmcomply {}: every statement that it can send to a SQL Server. There are no others.\n\
         --\n\
         -- Of several ways to ask for a fact, the first one is sent whose objects and columns are there and may be\n\
         -- read; NULL takes the place of optional columns that are not. Each statement goes into sys.sp_executesql\n\
         -- inside TRY and CATCH, all of them in one batch, so that an error costs one fact. Those of run-script\n\
         -- collect are sent by themselves.\n--\n-- Contents\n",
        env!("CARGO_PKG_VERSION")
    );
    let width = queries.iter().map(|query| query.name.len()).max().unwrap_or(0);
    for (number, query) in (1..).zip(queries) {
        let first = query.purpose.split(". ").next().unwrap_or_default().trim_end_matches('.');
        let _ = writeln!(text, "--  {number:>3}  {:width$}  {first}", query.name);
    }
    for (number, query) in (1..).zip(queries) {
        let _ = write!(text, "\n\n-- {number}. {} ({}), {}\n", query.name, query.file, place(query.place));
        let _ = writeln!(text, "-- {}", query.purpose);
        for (way_number, way) in (1..).zip(&query.ways) {
            text.push('\n');
            if query.ways.len() > 1 {
                let _ = writeln!(text, "-- Way {way_number} of {}.", query.ways.len());
            }
            objects(way, &mut text);
            let _ = writeln!(text, "{}", way.sql);
        }
    }
    text
}

fn place(place: Place) -> &'static str {
    match place {
        Place::EveryConnection => "first on every connection",
        Place::Master => "to master, when no database is named",
        Place::Discovery => "to the site database, first round trip",
        Place::SiteDatabase => "to the site database, second round trip",
        Place::Scripts => "to the site database, by run-script collect alone",
    }
}

fn objects(way: &Way, text: &mut String) {
    for object in &way.objects {
        let column = |optional| object.columns.iter().filter(move |c| c.optional == optional).map(|c| c.name.as_str());
        let list = |optional| column(optional).collect::<Vec<_>>().join(", ");
        let kind = if object.function { "function" } else { "object" };
        let guess = if way.found_by_columns { " (a stand-in: the real one is found by its columns)" } else { "" };
        let _ = write!(text, "-- {kind} dbo.{}{guess}: {}", object.name, list(false));
        if column(true).next().is_some() {
            let _ = write!(text, "; optional: {}", list(true));
        }
        text.push('\n');
    }
}
