//! `cmcomply audit`: the flow, one statement for each stage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::catalog::CatalogArgs;
use super::console::{self, Colour};
use super::facts::FactsArgs;
use super::keep::KeepArgs;
use super::probing::{ProbeArgs, RouteArgs};
use super::reports::ReportsArgs;
use super::vantages::VantageArgs;
use super::{Stop, here, progress, vantages};
use crate::assess::{AppliedWaivers, Waivers};
use crate::catalog::{Catalog, Context};
use crate::derive::{Options, Requirement};
use crate::evidence::{
    CatalogRecord, Moments, Outcome, RUN_FORMAT, Run, RunSettings, Seeing, Tool, can_write_aside, gather, write_aside,
};
use crate::host::HostName;
use crate::plan::{PlanBounds, PlanDocument, Probe};
use crate::probe::{Observation, RevocationList, Settings};
use crate::proxies::Rules;
use crate::site::Facts;
use crate::vantage::run_script::Clients;
use crate::vantage::{ClientsFile, THIS_MACHINE, Vantage};
use crate::{assess, derive, plan, probe, proxies, report, text, vantage};

/// Arguments of `cmcomply audit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply audit --sql cm01.contoso.com
      (on Windows) as the signed-in account, probing from this machine
  cmcomply audit --sql cm01.contoso.com --sql-user reader --from-here
      with a SQL login; what fails from this machine counts as failed for every host
  cmcomply audit --sql cm01.contoso.com --settings cmcomply.toml
      each host from where the tables [[vantages]] of the file say: itself over SSH or WinRM, for example
  cmcomply audit --sql cm01.contoso.com --observations dp07.seen.json
      with what was brought back from a host that nobody reaches (`cmcomply plan`)
  cmcomply audit --sql cm01.contoso.com --observations clients.json
      with what clients said themselves (`cmcomply run-script`)
  cmcomply audit --sql cm01.contoso.com\\SCCM --database CM_PS1 --sql-ca-file ca.pem -o q4.json
      a named instance, its certificate signed by a CA of your own, the record in q4.json and in no store
  cmcomply audit --sql cm01.contoso.com --store /srv/cmcomply --sign-key auditor.key
      kept in that store and signed; `cmcomply runs` lists and verifies what is there
  cmcomply audit --sql cm01.contoso.com --report html=q4.html,xlsx=q4.xlsx
      the same run for people too; `cmcomply report` makes them later from the record
  cmcomply audit --sql cm01.contoso.com --retired
      also which names of services that are gone are still reached: rules that can go
  cmcomply audit --sql cas-sql.contoso.com --sql ps1-sql.contoso.com
      the databases of two sites of one hierarchy; what they do not agree on is a finding")]
pub(super) struct AuditArgs {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    keep: KeepArgs,
    /// Write the record of the run to this file, and keep the run in no store but one that `--store` names. A file of
    /// that name is replaced, and only by a whole one.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    #[command(flatten)]
    reports: ReportsArgs,
    /// Probe nothing: write what would be probed to this file, as a plan for `cmcomply probe --plan`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "store"], help_heading = "Output")]
    plan_only: Option<PathBuf>,
    /// Colours in the table. `auto`: on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    color: Colour,
    /// Columns of the table. Default: those of the terminal, else 80.
    #[arg(long, value_name = "COLUMNS", help_heading = "Output",
          value_parser = clap::value_parser!(u16).range(60..=1000))]
    width: Option<u16>,
}

/// What is audited, and how; nothing about what becomes of it.
#[derive(Debug, Clone, Args)]
pub(super) struct Asked {
    #[command(flatten)]
    pub(super) facts: FactsArgs,
    #[command(flatten)]
    pub(super) routes: RouteArgs,
    #[command(flatten)]
    pub(super) vantages: VantageArgs,
    #[command(flatten)]
    pub(super) probing: ProbeArgs,
    #[command(flatten)]
    pub(super) catalog: CatalogArgs,
    /// Failures that somebody answers for until a day: a TOML file of `[[waiver]]` tables. A waiver changes the verdict,
    /// never what was observed.
    #[arg(long, value_name = "FILE")]
    pub(super) waivers: Option<PathBuf>,
    /// Audit what is needed after an update to this version of Configuration Manager, such as 2603. The record says so.
    #[arg(long, value_name = "VERSION", help_heading = "Catalog")]
    pub(super) target_version: Option<String>,
    /// Look at the names of services that are gone too, after all that counts: one that is still reached, and that nothing
    /// else here needs, shows a rule that can go. It decides nothing. Files of `--observations` do not hold them.
    #[arg(long, conflicts_with = "plan_only")]
    pub(super) retired: bool,
    /// A later day on which waivers must hold as well (`readiness --on`).
    #[arg(skip)]
    pub(super) on: Option<Date>,
}

/// What an audit came to.
pub(super) enum Audited {
    /// It took place.
    Run(Box<Run>),
    /// The plan was written and nothing was probed; the exit code.
    Planned(u8),
}

/// Runs an audit and returns its exit code.
pub(super) async fn run(args: AuditArgs) -> Result<u8, Stop> {
    let catalog = args.asked.catalog.load()?;
    args.reports.writable(args.output.as_deref())?;
    if let Some(path) = args.plan_only.as_ref().or(args.output.as_ref()) {
        writable(path)?;
    }
    let keeping = match &args.plan_only {
        Some(_) => None,
        None => args.keep.prepare(args.output.is_some())?,
    };
    let run = match audited(&args.asked, args.plan_only.as_deref(), &catalog, |_| Ok(())).await? {
        Audited::Run(run) => *run,
        Audited::Planned(code) => return Ok(code),
    };
    // The record first: a screen that cannot be written to must not cost it.
    let recorded = args.output.as_deref().map(|path| record(&run, path));
    let kept = keeping.map(|keeping| keeping.keep(&run));
    let reported = args.reports.write(&run);
    let mut table = report::table(&run, console::style(args.color, args.width));
    if let (Some(path), Some(Ok(()))) = (&args.output, &recorded) {
        table = format!("{table}  record: {}\n", text::path(path));
    }
    if let Some(Ok(kept)) = &kept {
        table = format!("{table}{}", super::keep::said(kept));
    }
    let printed = console::print(&table).context("cannot write to standard output; the record is written");
    let nothing = |written: bool| if written { "" } else { "; the table is all that is left of this run" };
    let (in_file, in_store) = (matches!(recorded, Some(Ok(()))), matches!(kept, Some(Ok(_))));
    if let (Some(Err(error)), Some(path)) = (recorded, &args.output) {
        return Err(Stop::usage(error.context(format!("cannot write {}{}", text::path(path), nothing(in_store)))));
    }
    if let Some(Err(error)) = kept {
        return Err(Stop::usage(
            anyhow::Error::from(error).context(format!("the run is not kept{}", nothing(in_file))),
        ));
    }
    printed.map_err(Stop::usage)?;
    reported?;
    Ok(run.outcome.exit_code())
}

/// Does what these arguments say and returns the run; nothing of it is written yet, but the plan where `plan_only` names a
/// file. `accept` looks at the facts before
/// anything is probed.
pub(super) async fn audited(
    args: &Asked,
    plan_only: Option<&Path>,
    catalog: &Catalog,
    accept: impl FnOnce(&Facts) -> Result<(), Stop>,
) -> Result<Audited, Stop> {
    let mut bounds = args.probing.settings()?;
    let stated = args.routes.stated_routes()?;
    if args.probing.proxy_password_stdin && args.facts.reads_standard_input() {
        return Err(Stop::usage(anyhow::anyhow!(
            "--proxy-password-stdin and --sql-password-stdin cannot both be given: standard input holds one password"
        )));
    }
    bounds.checks.public_thumbprints = catalog.roots.iter().map(|root| root.sha1.clone()).collect();
    let waivers = args.waivers.as_deref().map(Waivers::read).transpose().map_err(Stop::usage)?;
    let target = match &args.target_version {
        Some(version) => Options::default().for_version(version, catalog).map_err(Stop::usage)?.target_build,
        None => None,
    };
    let (carried, from_clients) = args.vantages.carried(Timestamp::now(), &bounds.checks)?;
    // Last, because it may ask for a password.
    let prepared = args.facts.prepare()?;
    if args.vantages.remote && prepared.is_redacted() {
        return Err(Stop::usage(anyhow::anyhow!(
            "the names of a redacted snapshot lead to no machine: leave out --remote"
        )));
    }
    let looked_at_by = prepared.vantages().to_vec();
    bounds.proxy_accounts = args.probing.proxy_accounts(prepared.proxy_accounts())?;
    // What the command line says of a context counts more than the file.
    let mut routes = prepared.routes().clone();
    routes.extend(stated);
    let rules = args.routes.rules(&routes, prepared.bypasses(), bounds.deadlines.name).await?;
    let cancel =
        cancel_on_ctrl_c("interrupted: ending the probes and writing what was seen (Ctrl-C again: end at once)");

    let started = Timestamp::now();
    let redacted = prepared.is_redacted();
    let read_before = prepared.taken();
    let facts = prepared.read(&cancel).await?;
    let facts_read = read_before.unwrap_or_else(Timestamp::now);
    accept(&facts)?;
    let mut requirements =
        derive::requirements(&facts, catalog, &Options { routes: routes.clone(), target_build: target });
    proxies::reroute(&mut requirements, &rules);
    if let Some(path) = plan_only {
        return planned(path, args, &facts, &requirements);
    }
    let vantage = Vantage::local(&here::name());
    let subjects = requirements.iter().map(|requirement| &requirement.subject);
    let machines: Vec<HostName> = carried.iter().map(|file| file.machine.clone()).collect();
    let default = args.vantages.default_kind();
    let mut seats = vantage::assign(subjects, &facts, &looked_at_by, default, &vantage, &machines);
    let clients_at = from_clients.as_ref().and_then(|_| seats.let_clients_look());
    let plans = seats.plans(&requirements, args.probing.plan_bounds());
    let mut brought = Vec::new();
    for file in carried {
        brought.push((file.place(&seats, &plans).map_err(Stop::usage)?, file));
    }
    let retired = if args.retired { seats.retired(&requirements) } else { Vec::new() };
    let clients = from_clients.map(|file| fitting(file, clients_at, &plans)).transpose()?;
    let seen = vantages::look(&seats, plans, retired, brought, clients, &bounds, &cancel).await?;
    let interrupted = seen.interrupted;
    // Revocation lists are fetched by the system itself, and from here also those that others met.
    let system = Rules::of_system(&rules, &routes);
    let revocation_lists = fetch_lists(&seen.of_all_machines(), &system, &bounds, &cancel, interrupted).await;
    let finished = Timestamp::now();
    proxies::confirm(&mut requirements, |subject| seen.there(subject));
    let witnesses = seen.witnesses();
    let mut judgements =
        assess::judge(&requirements, &witnesses, |subject| seen.view(subject), args.vantages.from_here);
    assess::judge_gateways(&facts, &requirements, &witnesses, &mut judgements);
    assess::note_revocation(&mut judgements, &witnesses, THIS_MACHINE, &revocation_lists);
    let today = finished.to_zoned(TimeZone::UTC).date();
    let waivers = waivers.map(|list| AppliedWaivers::new(list, &requirements, &mut judgements, today, args.on));
    let (looks, clients) = seen.into_looks();
    let (vantages, probes, observations) = gather(looks, &mut judgements);
    let moments = Moments { started, facts_read, finished };
    let mut outcome = Outcome::of(&facts, &judgements, interrupted);
    outcome.incomplete.extend(moments.outdated_facts());
    let run = Run {
        format: RUN_FORMAT.to_owned(),
        tool: Tool::this(),
        redacted,
        moments,
        settings: record_settings(args, &bounds, &routes, &rules),
        outcome,
        vantage,
        vantages,
        catalog: CatalogRecord::of(catalog, &requirements),
        facts,
        requirements,
        probes,
        observations,
        revocation_lists,
        judgements,
        clients,
        waivers,
    };
    Ok(Audited::Run(Box::new(run)))
}

/// Writes the plan, and says what it lacks.
fn planned(path: &Path, args: &Asked, facts: &Facts, requirements: &[Requirement]) -> Result<Audited, Stop> {
    let document = PlanDocument::new(None, args.probing.plan_bounds(), plan::build(requirements).probes);
    let mut said = write_plan(path, &document)?;
    let code = super::plan::lacks(facts, requirements, &mut said);
    console::print(&said).context("cannot write to standard output").map_err(Stop::usage)?;
    Ok(Audited::Planned(code))
}

/// What clients said, with their place, if it answers the plan of that place.
fn fitting(file: ClientsFile, place: Option<usize>, plans: &[PlanDocument]) -> Result<(usize, Clients), Stop> {
    let Some(place) = place else {
        return Err(Stop::usage(anyhow::anyhow!("{}: nothing is known to be needed by clients", file.path)));
    };
    file.fits(&plans[place]).map_err(Stop::usage)?;
    Ok((place, file.clients))
}

/// Writes the plan; what is to be said of it.
fn write_plan(path: &Path, plan: &PlanDocument) -> Result<String, Stop> {
    let name = text::path(path);
    let document = plan.to_json().context("the plan could not be written as JSON").map_err(Stop::usage)?;
    write_aside(path, &document).with_context(|| format!("cannot write {name}")).map_err(Stop::usage)?;
    Ok(format!("{name}: {} probes\n", plan.probes.len()))
}

pub(super) fn record(run: &Run, path: &Path) -> anyhow::Result<()> {
    Ok(write_aside(path, &run.to_json()?)?)
}

/// All observations in the order of the plan, and why the probing ended before its end, if it did.
pub(super) async fn probe_all(
    probes: &[Probe],
    settings: &Settings,
    cancel: &CancellationToken,
) -> Result<(Vec<Observation>, Option<&'static str>), Stop> {
    let bar = progress::bar(probes.len());
    let mut observations = Vec::with_capacity(probes.len());
    let done = probe::run(probes, settings, cancel.clone(), |observation| {
        bar.inc(1);
        observations.push(observation);
    })
    .await;
    bar.finish_and_clear();
    done.map_err(Stop::usage)?;
    let order: std::collections::HashMap<_, _> = probes.iter().enumerate().map(|(i, p)| (&p.id, i)).collect();
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

/// The revocation lists that the served certificates name, each on the route of the system's own fetches. After an
/// interruption they are listed as such, and none is fetched.
async fn fetch_lists(
    observations: &[Observation],
    system: &Rules,
    settings: &Settings,
    cancel: &CancellationToken,
    interrupted: Option<&str>,
) -> Vec<RevocationList> {
    let cancel = cancel.child_token();
    if interrupted.is_some() {
        cancel.cancel();
    }
    let wheel = progress::wheel("fetching revocation lists");
    let rules = system.clone();
    let ways = probe::Ways::new(move |target| rules.route(target));
    let lists = probe::revocation::fetch(observations, ways, settings, Timestamp::now(), &cancel).await;
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

fn record_settings(
    args: &Asked,
    settings: &Settings,
    stated: &derive::StatedRoutes,
    rules: &BTreeMap<Context, Rules>,
) -> RunSettings {
    let fixed = stated.iter().map(|(context, via)| (context.name().to_owned(), via.to_string()));
    let ruled = rules.iter().map(|(context, rules)| (context.name().to_owned(), rules.to_string()));
    let PlanBounds { stage_timeout_ms, deadline_ms, .. } = args.probing.plan_bounds();
    let hash = |der: &Vec<u8>| text::hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(der));
    let public_roots = settings.checks.public_roots.iter().map(hash).collect();
    let Seeing { dns_server, connect_to, extra_roots, .. } = Seeing::new(settings);
    RunSettings {
        target_version: args.target_version.clone(),
        from_here: args.vantages.from_here,
        remote: args.vantages.remote,
        retired: args.retired,
        dns_server,
        connect_to,
        extra_roots,
        public_roots,
        stated_proxies: fixed.chain(ruled).collect(),
        stage_timeout_ms,
        deadline_ms,
        retries: settings.bounds.retries,
    }
}
