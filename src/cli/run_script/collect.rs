//! `cmcomply run-script collect`: what clients said, from the site database.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args, value_parser};
use jiff::{SignedDuration, Timestamp};

use super::super::output::{self, OutputArgs};
use super::super::sql::SqlArgs;
use super::super::{Stop, audit, console, exit, progress};
use crate::plan::PlanDocument;
use crate::report;
use crate::site::{self, ReadError, ScriptId};
use crate::vantage::run_script::{ClientTally, GroupedBy};

/// Arguments of `cmcomply run-script collect`.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("source").args(["sql"]).required(true)), after_help = "\
Examples:
  cmcomply run-script collect --sql cm01.contoso.com --script 937C2F69-67ED-4682-B072-8F4BA4C53655 \\
      --plan clients.plan.json -o clients.json
      read what clients said, count it, and write what the audit takes (--observations clients.json)
  cmcomply run-script collect --sql cm01.contoso.com --script 937C2F69-67ED-4682-B072-8F4BA4C53655 \\
      --plan clients.plan.json --format csv
      the counts for a spreadsheet: by group and endpoint

Of a client with several results the newest counts. Every client that the site knows is counted; one that did not answer is
counted by the reason: no result, a script that failed, an answer that was cut, of another plan, or old.
The rights that it takes: `cmcomply queries --grants LOGIN --run-script`. It sends SELECT statements only.
Exit codes: 0 every client answered, 2 wrong arguments, 3 not every client answered, 4 the site database could not be read.")]
pub(super) struct CollectArgs {
    #[command(flatten)]
    sql: SqlArgs,
    /// The script, by its GUID: the column Script GUID of the console.
    #[arg(long, value_name = "GUID", value_parser = ScriptId::parse)]
    script: ScriptId,
    /// The plan that `cmcomply run-script new` wrote beside the script.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Answers that are older than so many hours count as none.
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = value_parser!(u16).range(1..=8760))]
    max_age: u16,
    #[command(flatten)]
    list: OutputArgs,
    /// Write the document for `audit --observations` to this file. A file of that name is replaced, and only by a whole one.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
}

/// Reads the results and counts them.
pub(super) async fn run(args: CollectArgs) -> Result<u8, Stop> {
    let plan = PlanDocument::read(&args.plan).map_err(Stop::usage)?;
    if plan.host.is_some() || plan.probes.is_empty() {
        return Err(Stop::usage(anyhow::anyhow!(
            "--plan is no plan of clients: give the one that `cmcomply run-script new` wrote"
        )));
    }
    if let Some(path) = &args.output {
        audit::writable(path)?;
    }
    let options = match args.sql.options()?.as_slice() {
        [one] => one.clone(),
        _ => {
            return Err(Stop::usage(anyhow::anyhow!(
                "--sql is given several times: the results are those of one database"
            )));
        }
    };
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is written (Ctrl-C again: end at once)");
    let max_age = SignedDuration::from_hours(args.max_age.into());
    let mut tally = ClientTally::new(&plan, Timestamp::now(), max_age);
    let wheel = progress::wheel("reading what clients said");
    let read = site::read_script(&options, args.script, &cancel, |client| tally.add(&client)).await;
    wheel.finish_and_clear();
    let source = match read {
        Ok(source) => source,
        Err(ReadError::Cancelled) => return Ok(exit::INCOMPLETE),
        Err(error) => {
            return Err(Stop::site(anyhow::Error::new(error).context("the site database could not be read")));
        }
    };
    let clients = tally.finish(args.script, &source);
    if let Some(path) = &args.output {
        let document = clients.to_json().context("cannot write JSON").map_err(Stop::usage)?;
        let text = String::from_utf8(document).context("cannot write JSON").map_err(Stop::usage)?;
        output::write_file(path, &text)?;
    }
    args.list.write(&report::clients(&clients), &clients)?;
    if args.list.format == output::Format::Table {
        output::write(&report::clients_summary(&clients))?;
    }
    let note = match clients.grouped_by {
        GroupedBy::BoundaryGroup => None,
        GroupedBy::Network => Some("boundary groups are not visible to this login, or not there: counted by network"),
        GroupedBy::Nothing => Some("neither boundary groups nor networks are visible to this login: counted together"),
    };
    if let Some(note) = note {
        console::note(note);
    }
    Ok(if clients.is_whole() { exit::COMPLIANT } else { exit::INCOMPLETE })
}
