//! The command line: arguments and wiring. What a command does stands in the other modules.

mod account;
mod audit;
mod catalog;
mod compare;
mod console;
mod endpoints;
mod explain;
mod facts;
mod hand_off;
mod here;
mod hosts;
mod init;
mod keep;
mod output;
mod plan;
mod probe;
mod probing;
mod progress;
mod quarter;
mod queries;
mod readiness;
mod report;
mod reports;
mod run_script;
mod runs;
mod runs_export;
mod secret;
mod snapshot;
mod sql;
mod vantages;
mod what_if;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{Parser, Subcommand};

/// The exit codes. Where several hold, the lower line of the table in the README says which wins.
pub mod exit {
    /// Everything that is required was looked at and reached.
    pub const COMPLIANT: u8 = 0;
    /// Something that is required was not reached.
    pub const NON_COMPLIANT: u8 = 1;
    /// The arguments or settings are wrong, or a file could not be read or written.
    pub const USAGE: u8 = 2;
    /// Not everything was looked at.
    pub const INCOMPLETE: u8 = 3;
    /// The site database could not be read.
    pub const SITE_DATABASE: u8 = 4;
}

/// Proves that a Configuration Manager hierarchy can reach exactly the internet endpoints it needs.
#[derive(Debug, Parser)]
#[command(name = "cmcomply", version, about, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the site database, derive what each host needs, probe it and say what is compliant.
    Audit(Box<audit::AuditArgs>),
    /// Say whether the hierarchy is ready for an update of Configuration Manager: endpoints, rules, what comes next.
    Readiness(Box<readiness::ReadinessArgs>),
    /// Write the record of a run in another format, offline.
    Report(report::ReportCommandArgs),
    /// List, show, verify and export the runs of a store; offline.
    Runs(runs::RunsCommandArgs),
    /// Say what changed from one run to a later one, and on whose side; offline.
    Compare(compare::CompareArgs),
    /// List the hosts, from where each is looked at, and whether that answers, before anything is probed.
    Hosts(Box<hosts::HostsArgs>),
    /// Write what a host is to look at as a file that is carried there; the audit takes what comes back.
    Plan(Box<plan::PlanArgs>),
    /// Let clients look for themselves, by Configuration Manager's Run Scripts: write the script, read what they said.
    RunScript(Box<run_script::RunScriptArgs>),
    /// Look at one endpoint layer by layer, or run a plan on this machine and write what was seen.
    Probe(Box<probe::ProbeCommandArgs>),
    /// Say what each host needs, without probing: as a table, JSON, CSV, or a list for a firewall or proxy.
    Endpoints(Box<endpoints::EndpointsArgs>),
    /// Say why a name is needed here, or why not: which facts, which documents.
    Explain(Box<explain::ExplainArgs>),
    /// Print every statement that is sent to a SQL Server, or a script that grants exactly the rights needed.
    Queries(queries::QueriesArgs),
    /// Read the site database and begin a settings file: what was found, and what still has to be stated.
    Init(Box<init::InitArgs>),
    /// Read the site database and write all facts as one file, which stands in for it everywhere.
    Snapshot(Box<snapshot::SnapshotArgs>),
    /// List, show, check and compare the catalog of endpoints.
    Catalog(catalog::CatalogCommandArgs),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  compliant: everything required was looked at, and reached or waived
  1  non-compliant: something required was neither reached nor waived (wins over 3; the result line names both)
  2  wrong arguments or settings, or a file that cannot be read or written
  3  incomplete: not everything required was looked at
  4  the site database could not be read";

/// What ends a command without a result, with its exit code.
#[derive(Debug)]
struct Stop {
    code: u8,
    error: anyhow::Error,
}

impl Stop {
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: exit::USAGE, error: error.into() }
    }

    fn site(error: impl Into<anyhow::Error>) -> Self {
        Self { code: exit::SITE_DATABASE, error: error.into() }
    }
}

/// Parses the arguments (the program's name first), runs the command and returns the exit code.
pub async fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with code 0, errors to standard error with code 2.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
        }
    };
    let done = match cli.command {
        Command::Audit(args) => Box::pin(audit::run(*args)).await,
        Command::Readiness(args) => Box::pin(readiness::run(*args)).await,
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Hosts(args) => hosts::run(*args).await,
        Command::Plan(args) => plan::run(*args).await,
        Command::RunScript(args) => run_script::run(*args).await,
        Command::Runs(args) => runs::run(&args),
        Command::Probe(args) => probe::run(*args).await,
        Command::Endpoints(args) => endpoints::run(*args).await,
        Command::Explain(args) => explain::run(*args).await,
        Command::Queries(args) => queries::run(&args),
        Command::Init(args) => init::run(*args).await,
        Command::Snapshot(args) => snapshot::run(*args).await,
        Command::Catalog(args) => catalog::run(args),
    };
    match done {
        Ok(code) => code,
        Err(Stop { code, error }) => {
            let _ = writeln!(std::io::stderr(), "cmcomply: {}", said(&error));
            code
        }
    }
}

/// An error with its causes, each once: many an error names its cause itself.
fn said(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in error.chain().map(|part| crate::text::printable(&part.to_string(), 2000)) {
        if !parts.last().is_some_and(|before| before.ends_with(&part)) {
            parts.push(part);
        }
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn a_cause_is_said_once() {
        let missing = crate::evidence::Run::read(std::path::Path::new("no-such.json")).unwrap_err();
        let alone = missing.to_string();
        assert!(alone.starts_with("cannot read run no-such.json: "), "{alone}");
        let error = anyhow::Error::from(missing).context("the report cannot be made");
        assert_eq!(super::said(&error), format!("the report cannot be made: {alone}"));
    }

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }
}
