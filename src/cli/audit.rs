//! `cmcomply audit`: the flow, one statement for each stage.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::catalog::CatalogArgs;
use super::console::{self, Colour};
use super::facts::FactsArgs;
use super::probing::ProbeArgs;
use super::{Stop, here, progress};
use crate::assess::{AppliedWaivers, Waivers};
use crate::catalog::Context;
use crate::evidence::{
    CatalogRecord, Moments, Outcome, RUN_FORMAT, Run, RunSettings, Tool, can_write_aside, write_aside,
};
use crate::plan::Plan;
use crate::probe::{Observation, RevocationList, Settings};
use crate::text::hexadecimal;
use crate::vantage::Vantage;
use crate::{assess, derive, plan, probe, report};

/// Arguments of `cmcomply audit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply audit --sql cm01.contoso.com
      (on Windows) as the signed-in account, probing from this machine
  cmcomply audit --sql cm01.contoso.com --sql-user reader --from-here
      with a SQL login; this machine stands in for the role hosts
  cmcomply audit --sql cm01.contoso.com\\SCCM --database CM_PS1 --sql-ca-file ca.pem -o q4.json
      a named instance, its certificate signed by a CA of your own, the record in q4.json")]
pub(super) struct AuditArgs {
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    probing: ProbeArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
    /// Failures that somebody answers for until a day: a TOML file of `[[waiver]]` tables. A waiver changes the verdict,
    /// never what was observed.
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
    /// Where to write the record of the run. A file of that name is replaced, and only by a whole one.
    #[arg(short, long, value_name = "FILE", default_value = "run.json", help_heading = "Output")]
    output: PathBuf,
    /// Colours in the table. `auto`: on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    color: Colour,
    /// Columns of the table. Default: those of the terminal, else 80.
    #[arg(long, value_name = "COLUMNS", help_heading = "Output",
          value_parser = clap::value_parser!(u16).range(60..=1000))]
    width: Option<u16>,
}

/// Runs an audit and returns its exit code.
pub(super) async fn run(args: AuditArgs) -> Result<u8, Stop> {
    let mut bounds = args.probing.settings()?;
    let stated = args.probing.stated_routes()?;
    let catalog = args.catalog.load()?;
    bounds.checks.public_thumbprints = catalog.roots.iter().map(|root| root.sha1.clone()).collect();
    let waivers = args.waivers.as_deref().map(Waivers::read).transpose().map_err(Stop::usage)?;
    writable(&args.output)?;
    // Last, because it may ask for a password.
    let prepared = args.facts.prepare()?;
    // What the command line says of a context counts more than the file.
    let mut routes = prepared.routes().clone();
    routes.extend(stated);
    let cancel =
        cancel_on_ctrl_c("interrupted: ending the probes and writing what was seen (Ctrl-C again: end at once)");

    let started = Timestamp::now();
    let facts = prepared.read(&cancel).await?;
    let facts_read = Timestamp::now();
    let requirements = derive::requirements(&facts, &catalog, &routes.clone().into());
    let plan = plan::build(&requirements);
    let vantage = Vantage::local(&here::name());
    let (observations, interrupted) = probe_all(&plan, &bounds, &cancel).await?;
    let revocation_lists = fetch_lists(&observations, &routes, &bounds, &cancel, interrupted).await;
    let finished = Timestamp::now();
    let mut judgements = assess::judge(&requirements, &plan, &observations, &vantage, args.probing.from_here);
    assess::note_revocation(&mut judgements, &observations, &revocation_lists);
    let today = finished.to_zoned(TimeZone::UTC).date();
    let waivers = waivers.map(|list| AppliedWaivers::new(list, &requirements, &mut judgements, today));
    let run = Run {
        format: RUN_FORMAT.to_owned(),
        tool: Tool::this(),
        moments: Moments { started, facts_read, finished },
        settings: record_settings(&args.probing, &bounds, &routes),
        outcome: Outcome::of(&facts, &judgements, interrupted),
        vantage,
        catalog: CatalogRecord::of(&catalog, &requirements),
        facts,
        requirements,
        probes: plan.probes,
        observations,
        revocation_lists,
        judgements,
        waivers,
    };

    // The record first: a screen that cannot be written to must not cost it.
    let recorded = record(&run, &args.output);
    let place = crate::text::printable(&args.output.display().to_string(), 500);
    let mut table = report::table(&run, console::style(args.color, args.width));
    if recorded.is_ok() {
        table = format!("{table}  record: {place}\n");
    }
    let shown = console::print(&table).context("cannot write to standard output; the record is written");
    recorded
        .with_context(|| format!("cannot write {place}; the table is all that is left of this run"))
        .map_err(Stop::usage)?;
    shown.map_err(Stop::usage)?;
    Ok(run.outcome.exit_code())
}

fn record(run: &Run, path: &Path) -> anyhow::Result<()> {
    let mut document = serde_json::to_vec_pretty(run)?;
    document.push(b'\n');
    Ok(write_aside(path, &document)?)
}

/// All observations in the order of the plan, and why the probing ended before its end, if it did.
async fn probe_all(
    plan: &Plan,
    settings: &Settings,
    cancel: &CancellationToken,
) -> Result<(Vec<Observation>, Option<&'static str>), Stop> {
    let bar = progress::bar(plan.probes.len());
    let mut observations = Vec::with_capacity(plan.probes.len());
    let done = probe::run(&plan.probes, settings, cancel.clone(), |observation| {
        bar.inc(1);
        observations.push(observation);
    })
    .await;
    bar.finish_and_clear();
    done.map_err(Stop::usage)?;
    let order: std::collections::HashMap<_, _> = plan.probes.iter().enumerate().map(|(i, p)| (&p.id, i)).collect();
    // Hops of redirects come last.
    observations.sort_by_key(|observation| {
        (order.get(&observation.probe).copied().unwrap_or(usize::MAX), observation.probe.clone())
    });
    let interrupted = match (cancel.is_cancelled(), observations.iter().any(Observation::was_cancelled)) {
        (true, _) => Some("interrupted by Ctrl-C"),
        (false, true) => Some("the deadline for all probes passed"),
        (false, false) => None,
    };
    Ok((observations, interrupted))
}

/// The revocation lists that the served certificates name, on the route of the system's own fetches. After an
/// interruption they are listed as such, and none is fetched.
async fn fetch_lists(
    observations: &[Observation],
    routes: &derive::StatedRoutes,
    settings: &Settings,
    cancel: &CancellationToken,
    interrupted: Option<&str>,
) -> Vec<RevocationList> {
    let cancel = cancel.child_token();
    if interrupted.is_some() {
        cancel.cancel();
    }
    let via = routes.get(&Context::SystemWinhttp).unwrap_or(&derive::Via::Direct);
    let wheel = progress::wheel("fetching revocation lists");
    let lists = probe::revocation::fetch(observations, via, settings, Timestamp::now(), &cancel).await;
    wheel.finish_and_clear();
    lists
}

/// Ends the work at the first Ctrl-C and the program at the second.
pub(super) fn cancel_on_ctrl_c(note: &'static str) -> CancellationToken {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        token.cancel();
        console::note(note);
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(super::exit::INCOMPLETE));
        }
    });
    cancel
}

/// Finds out before the work whether the record can be written after it.
pub(super) fn writable(path: &Path) -> Result<(), Stop> {
    can_write_aside(path)
        .map_err(|error| Stop::usage(anyhow::anyhow!("cannot write --output {}: {error}", path.display())))
}

fn record_settings(args: &ProbeArgs, settings: &Settings, stated: &derive::StatedRoutes) -> RunSettings {
    let millis = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let hash = |der: &Vec<u8>| hexadecimal(&Sha256::digest(der));
    RunSettings {
        from_here: args.from_here,
        dns_server: args.dns_server.map(|address| address.to_string()),
        connect_to: args.connect_to.iter().map(ToString::to_string).collect(),
        extra_roots: settings.extra_roots.iter().map(hash).collect(),
        public_roots: settings.checks.public_roots.iter().map(hash).collect(),
        stated_proxies: stated.iter().map(|(context, via)| (context.name().to_owned(), via.to_string())).collect(),
        stage_timeout_ms: millis(args.stage_timeout()),
        deadline_ms: millis(args.deadline()),
    }
}
