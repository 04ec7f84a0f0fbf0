//! `cmcomply readiness`: whether the hierarchy is ready for an update, and what comes next.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Stop;
use super::audit::{Asked, Audited, audited, record};
use super::catalog::CatalogArgs;
use super::console::{self, Colour};
use super::facts::FactsArgs;
use super::probing::{ProbeArgs, RouteArgs};
use super::reports::{self, Output, ReportFile};
use super::vantages::VantageArgs;
use crate::assess::readiness::{Case, HostFacts, HostsDocument, calendar, findings, twice};
use crate::catalog::{Catalog, Release};
use crate::derive::{self, Change, Options, RequirementId, difference};
use crate::evidence::{Run, write_aside};
use crate::report::{self, Assessed, Readiness, ReadinessFormat};
use crate::site::Facts;
use crate::text::{self, day, printable};
use crate::vantage::EvidenceGrade;

/// Arguments of `cmcomply readiness`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply readiness --sql cm01.contoso.com --target-version 2603 --settings cmcomply.toml
      the endpoints that version 2603 needs, today's and new, proved from where the settings say, and the rules
  cmcomply readiness --snapshot site.json --target-version 2603 --host-facts hosts.json --settings cmcomply.toml
      with what the servers say of themselves, and what no site database says
  cmcomply readiness --sql cm01.contoso.com --target-version 2603 --on 2026-12-12
      as of the day on which the update is planned
  cmcomply readiness --snapshot site.json --target-version 2603 --format html -o readiness.html
      one page for people
  cmcomply readiness --snapshot site.json --target-version 2603 --report junit=ready.xml,html=ready.html
      for a pipeline, with the page of the terminal in its log

Exit codes:
  0  ready: no rule of severity error is violated, what counts is reached or waived, nothing is open
  1  not ready (wins over 3; the result line names both)
  2  wrong arguments or settings, an unknown version, or one that is older than the hierarchy's
  3  incomplete: a rule cannot be decided, or not everything that counts was observed
  4  the site database could not be read")]
pub(super) struct ReadinessArgs {
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    routes: RouteArgs,
    #[command(flatten)]
    vantages: VantageArgs,
    #[command(flatten)]
    probing: ProbeArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    update: UpdateArgs,
    #[command(flatten)]
    output: WritingArgs,
}

/// What is asked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Readiness")]
struct UpdateArgs {
    /// The version of Configuration Manager to update to, such as 2603. An unknown one lists all.
    #[arg(long, value_name = "VERSION")]
    target_version: String,
    /// Judge as of this day (UTC), such as the day on which the update is planned; a waiver counts only if it lasts to that
    /// day. Default: today.
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Date>,
    /// What servers say of themselves: a file of the format of schema/host-facts.schema.json. May be given several times.
    #[arg(long, value_name = "FILE")]
    host_facts: Vec<PathBuf>,
    /// Endpoints that fail and that somebody answers for until a day: a TOML file of `[[waiver]]` tables.
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
}

/// How and where to write.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
struct WritingArgs {
    /// The format: table, json, html, junit or markdown.
    #[arg(long, value_name = "FORMAT", default_value_t = ReadinessFormat::Table)]
    format: ReadinessFormat,
    /// Where to write it. A file of that name is replaced, and only by a whole one. Default: standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write it in another format as well. Several: separated by commas, or the option again.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',')]
    reports: Vec<ReportFile<ReadinessFormat>>,
    /// Where to write the record of the run that it rests on, as `cmcomply audit` does.
    #[arg(long, value_name = "FILE", default_value = "readiness-run.json")]
    record: PathBuf,
    /// Colours in the table. `auto`: on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    color: Colour,
    /// Columns of the table. Default: those of the terminal, else 80.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=1000))]
    width: Option<u16>,
}

/// Audits what the target needs, applies the rules, and writes what that comes to.
pub(super) async fn run(args: ReadinessArgs) -> Result<u8, Stop> {
    let catalog = args.catalog.load()?;
    let target = target(&args.update.target_version, &catalog)?;
    let stated = args.facts.settings()?.readiness;
    let said = host_facts(&args.update.host_facts)?;
    args.output.writable()?;
    let (update, output) = (args.update, args.output);
    let asked = Asked {
        facts: args.facts,
        routes: args.routes,
        vantages: args.vantages,
        probing: args.probing,
        catalog: args.catalog,
        waivers: update.waivers,
        target_version: Some(target.version.clone()),
        retired: false,
        on: update.on,
    };
    let run = match audited(&asked, None, &catalog, |facts| not_older(target, facts)).await? {
        Audited::Run(run) => *run,
        Audited::Planned(code) => return Ok(code),
    };
    let recorded = record(&run, &output.record);
    let hosts = with_seen(said, &run);
    let case = Case {
        facts: &run.facts,
        catalog: &catalog,
        requirements: &run.requirements,
        judgements: &run.judgements,
        hosts: &hosts,
        stated: &stated,
        waivers: run.waivers.as_ref(),
        target,
        day: update.on.unwrap_or_else(|| run.moments.finished.to_zoned(TimeZone::UTC).date()),
        now: run.moments.finished,
    };
    let document = document(&run, &case);
    let written = output.write(&document);
    let place = text::path(&output.record);
    recorded.with_context(|| format!("cannot write --record {place}")).map_err(Stop::usage)?;
    written?;
    Ok(document.verdict.exit_code)
}

/// The version that is asked for.
fn target<'a>(version: &str, catalog: &'a Catalog) -> Result<&'a Release, Stop> {
    let build = Options::default().for_version(version, catalog).map_err(Stop::usage)?.target_build;
    let found = build.and_then(|build| catalog.release(build));
    found.ok_or_else(|| Stop::usage(anyhow::anyhow!("no version {}", printable(version, 40))))
}

/// Refuses a version that is older than the newest of the hierarchy: there is no way back.
fn not_older(target: &Release, facts: &Facts) -> Result<(), Stop> {
    match facts.sites.rows().iter().filter_map(|site| site.build).max() {
        Some(newest) if newest > target.build => Err(Stop::usage(anyhow::anyhow!(
            "version {} (build {}) is older than the hierarchy's, which is build {newest}: there is no way back",
            target.version,
            target.build
        ))),
        _ => Ok(()),
    }
}

/// What hosts say of themselves, from all files. A host twice is an error: nobody can tell which counts.
fn host_facts(paths: &[PathBuf]) -> Result<Vec<HostFacts>, Stop> {
    let mut hosts = Vec::new();
    for path in paths {
        let document = HostsDocument::read(path).context("host facts cannot be used").map_err(Stop::usage)?;
        hosts.extend(document.hosts);
    }
    match twice(&hosts) {
        Some(host) => Err(Stop::usage(anyhow::anyhow!("--host-facts says two things of {host}: give each host once"))),
        None => Ok(hosts),
    }
}

/// What hosts say of themselves, completed by what was read on them when they were looked at.
fn with_seen(mut said: Vec<HostFacts>, run: &Run) -> Vec<HostFacts> {
    for vantage in &run.vantages {
        let own = vantage.looks_for.iter().filter(|looked| looked.grade.is_some_and(EvidenceGrade::is_of_the_host));
        for host in own.filter_map(|looked| looked.subject.host()) {
            let (Some(facts), Some(read)) = (&vantage.facts, vantage.finished) else { continue };
            let seen = HostFacts::seen_there(host.clone(), read, facts);
            match said.iter_mut().find(|said| said.host.same_machine(host)) {
                Some(said) => *said = said.clone().or(seen, run.moments.finished),
                None => said.push(seen),
            }
        }
    }
    said
}

/// The document: what the rules say, and what changes from today's needs.
fn document(run: &Run, case: &Case<'_>) -> Readiness {
    let today = derive::requirements(case.facts, case.catalog, &Options::default());
    let change = difference(&today, case.requirements);
    let marked = |rows: &[&derive::Requirement], change| -> Vec<(RequirementId, Change)> {
        rows.iter().map(|row| (row.id.clone(), change)).collect()
    };
    let changes: HashMap<RequirementId, Change> =
        marked(&change.added, Change::Added).into_iter().chain(marked(&change.decided, Change::Decided)).collect();
    let gone = change.removed.iter().map(|row| format!("{} for {}", row.endpoint(), row.subject)).collect();
    let versions: BTreeMap<u32, String> =
        case.catalog.releases.iter().map(|release| (release.build, release.version.clone())).collect();
    let assessed = Assessed {
        target: case.target,
        day: case.day,
        findings: findings(case),
        calendar: calendar(case),
        changes,
        no_longer_needed: gone,
        documents: &case.catalog.documents,
        versions,
    };
    report::readiness(run, assessed)
}

impl WritingArgs {
    /// Finds out before the work whether everything can be written after it, each to a file of its own.
    fn writable(&self) -> Result<(), Stop> {
        let record = Output::of("--record", &self.record);
        let output = self.output.as_deref().map(|path| Output::of("--output", path));
        reports::writable([record].into_iter().chain(output).chain(self.reports.iter().map(ReportFile::output)))
    }

    fn write(&self, document: &Readiness) -> Result<(), Stop> {
        let written = reports::write(&self.reports, |format| format.render(document));
        match &self.output {
            Some(path) => {
                let bytes = self.format.render(document).context("the report cannot be made").map_err(Stop::usage)?;
                let shown = || format!("cannot write --output {}", text::path(path));
                write_aside(path, &bytes).with_context(shown).map_err(Stop::usage)?;
            }
            None => self.print(document)?,
        }
        written.map_err(|failed| Stop::usage(anyhow::anyhow!("reports are missing: cannot write {failed}")))
    }

    fn print(&self, document: &Readiness) -> Result<(), Stop> {
        let bytes = match self.format {
            ReadinessFormat::Table => {
                report::readiness_table(document, console::style(self.color, self.width)).into_bytes()
            }
            format => format.render(document).context("the report cannot be made").map_err(Stop::usage)?,
        };
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(&bytes).and_then(|()| stdout.flush()) {
            // A reader that went away is no error.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Stop::usage(anyhow::Error::new(error).context("cannot write to standard output")))
            }
            _ => Ok(()),
        }
    }
}
