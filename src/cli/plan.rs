//! `cmcomply plan`: what a host is to look at, as a file that somebody carries there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, value_parser};

use super::catalog::CatalogArgs;
use super::facts::FactsArgs;
use super::probing::RouteArgs;
use super::{Stop, audit, console, exit};
use crate::catalog::Tier;
use crate::derive::{Decision, Options, Requirement, Via};
use crate::evidence::{can_write_aside, write_aside};
use crate::host::HostName;
use crate::plan::{PlanBounds, PlanDocument};
use crate::site::Facts;
use crate::text::{self, printable};
use crate::vantage::Vantage;
use crate::vantage::script;
use crate::{derive, proxies, report, vantage};

/// Arguments of `cmcomply plan`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply plan --sql cm01.contoso.com --host dp07.dmz.contoso.com -o carry
      the plan of one host in the folder carry, and the same as a script for Windows, which needs nothing installed
  powershell.exe -NoProfile -ExecutionPolicy Bypass -File dp07.dmz.contoso.com.observe.ps1
      there, as an administrator: it changes nothing, and writes one file beside itself
  cmcomply probe --plan dp07.dmz.contoso.com.plan.json -o dp07.seen.json
      or there, where cmcomply is: what it sees, in one file
  cmcomply audit --sql cm01.contoso.com --observations dp07.seen.json
      back here: the file counts for that host, if it is whole, of the same plan, and of the last 24 hours

Give the audit the same --settings, --proxy, --catalog and --target-version, since the plan depends on them.
Exit codes: 0 written, 2 wrong arguments, 3 written, and something is unknown or undecided, so that the plan may lack
probes (it says what), 4 the site database could not be read.")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    routes: RouteArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
    /// The host, or the machine that cmcomply.toml names for clients or consoles. May be given several times.
    #[arg(long, value_name = "HOST", required = true, value_parser = HostName::parse)]
    host: Vec<HostName>,
    /// What is needed after an update to this version of Configuration Manager, such as 2603.
    #[arg(long, value_name = "VERSION", help_heading = "Catalog")]
    target_version: Option<String>,
    /// Seconds for each stage of a probe there.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = value_parser!(u64).range(1..=300))]
    stage_timeout: u64,
    /// Seconds for all probes there together.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// The folder for the files; it is made if it is not there.
    #[arg(short, long, value_name = "FOLDER", default_value = ".", help_heading = "Output")]
    output: PathBuf,
}

/// Reads the facts and writes the plans.
pub(super) async fn run(args: PlanArgs) -> Result<u8, Stop> {
    let stated = args.routes.stated_routes()?;
    let catalog = args.catalog.load()?;
    let target_build = match &args.target_version {
        Some(version) => Options::default().for_version(version, &catalog).map_err(Stop::usage)?.target_build,
        None => None,
    };
    let files: Vec<(&HostName, PathBuf)> =
        args.host.iter().map(|host| (host, args.output.join(format!("{host}.plan.json")))).collect();
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", text::path(&args.output)))
        .map_err(Stop::usage)?;
    for (_, path) in &files {
        for path in [path, &script_beside(path)] {
            can_write_aside(path).with_context(|| format!("cannot write {}", text::path(path))).map_err(Stop::usage)?;
        }
    }
    let thumbprints: Vec<String> = catalog.roots.iter().map(|root| root.sha1.clone()).collect();
    let prepared = args.facts.prepare()?;
    let mut routes = prepared.routes().clone();
    routes.extend(stated);
    let limit = std::time::Duration::from_secs(args.stage_timeout);
    let rules = args.routes.rules(&routes, prepared.bypasses(), limit).await?;
    let vantages = prepared.vantages().to_vec();
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is written (Ctrl-C again: end at once)");
    let facts = prepared.read(&cancel).await?;
    if cancel.is_cancelled() {
        return Ok(exit::INCOMPLETE);
    }
    let mut requirements = derive::requirements(&facts, &catalog, &Options { routes, target_build });
    proxies::reroute(&mut requirements, &rules);
    let subjects = requirements.iter().map(|requirement| &requirement.subject);
    // Nobody is here: what this machine would look at itself is carried too, where it is asked for.
    let seats = vantage::assign(subjects, &facts, &vantages, None, &Vantage::local(""), &args.host);
    let plans = seats.plans(&requirements, PlanBounds::within(args.stage_timeout, args.deadline));
    let mut said = String::new();
    for (host, path) in &files {
        let place = seats.place_of(host).ok_or_else(|| {
            let what = "is no host of which anything is known to be needed, and cmcomply.toml names it for nobody";
            Stop::usage(anyhow::anyhow!("{host} {what}"))
        })?;
        let plan: &PlanDocument = &plans[place];
        let document = plan.to_json().context("the plan could not be written as JSON").map_err(Stop::usage)?;
        write_aside(path, &document)
            .with_context(|| format!("cannot write {}", text::path(path)))
            .map_err(Stop::usage)?;
        let options = script::Options { as_system: false, roots: thumbprints.clone() };
        let script_path = script_beside(path);
        write_aside(&script_path, script::carried(plan, &options).as_bytes())
            .with_context(|| format!("cannot write {}", text::path(&script_path)))
            .map_err(Stop::usage)?;
        let _ = writeln!(said, "{}: {} probes", text::path(path), plan.probes.len());
        let _ = writeln!(said, "{}: the same as a script for Windows", text::path(&script_path));
    }
    let places: Vec<Option<usize>> = args.host.iter().map(|host| seats.place_of(host)).collect();
    requirements.retain(|requirement| {
        let subject = &requirement.subject;
        places.contains(&Some(seats.seat(subject).place)) || args.host.iter().any(|host| subject.may_be(host))
    });
    let code = lacks(&facts, &requirements, &mut said);
    console::print(&said).context("cannot write to standard output").map_err(Stop::usage)?;
    Ok(code)
}

/// Says why a plan for these requirements may lack probes; the exit code.
pub(super) fn lacks(facts: &Facts, requirements: &[Requirement], said: &mut String) -> u8 {
    let mut reasons = report::incomplete(facts, requirements);
    let is_lost = |requirement: &&Requirement| {
        let is_needed = requirement.decision == Decision::Needed && requirement.tier != Tier::Advisory;
        is_needed && requirement.route.via == Via::Unknown
    };
    match requirements.iter().filter(is_lost).count() {
        0 => {}
        1 => reasons.push("the route to 1 endpoint is unknown".to_owned()),
        n => reasons.push(format!("the routes to {n} endpoints are unknown")),
    }
    for reason in &reasons {
        let _ = writeln!(said, "  may lack probes: {}", printable(reason, 1000));
    }
    if reasons.is_empty() { exit::COMPLIANT } else { exit::INCOMPLETE }
}

/// The script of a plan, beside it.
fn script_beside(plan: &Path) -> PathBuf {
    let name = plan.file_name().map(|name| name.to_string_lossy().replace(".plan.json", ".observe.ps1"));
    plan.with_file_name(name.unwrap_or_default())
}
