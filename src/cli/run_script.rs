//! `cmcomply run-script`: clients look for themselves, by Configuration Manager's own Run Scripts.

mod collect;
mod new;

use clap::{Args, Subcommand};

use super::Stop;

/// Arguments of `cmcomply run-script`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply run-script new --sql cm01.contoso.com -o clients
      write clients.ps1 and clients.plan.json; import the script in the console,
      let somebody approve it, and run it on a collection of clients
  cmcomply run-script collect --sql cm01.contoso.com --script 937C2F69-67ED-4682-B072-8F4BA4C53655 \\
      --plan clients/clients.plan.json -o clients.json
      an hour later: read what they said from the site database
  cmcomply audit --sql cm01.contoso.com --observations clients.json
      what clients need is judged by what they said themselves

cmcomply starts no script and writes nothing to a site: that is done in the console, by whoever may.")]
pub(super) struct RunScriptArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Write the script that clients run, and its plan.
    New(Box<new::NewArgs>),
    /// Read from the site database what clients said, and count it by boundary group or network.
    Collect(Box<collect::CollectArgs>),
}

/// Runs the command and returns the exit code.
pub(super) async fn run(args: RunScriptArgs) -> Result<u8, Stop> {
    match args.command {
        Command::New(args) => new::run(*args).await,
        Command::Collect(args) => collect::run(*args).await,
    }
}
