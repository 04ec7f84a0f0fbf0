//! `cmcomply run-script new`: the script for the console.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, value_parser};

use super::super::catalog::CatalogArgs;
use super::super::facts::FactsArgs;
use super::super::plan::lacks;
use super::super::probing::RouteArgs;
use super::super::{Stop, audit, console, exit};
use crate::derive::{Options, Subject};
use crate::evidence::{can_write_aside, write_aside};
use crate::plan::{PlanBounds, PlanDocument};
use crate::text;
use crate::vantage::run_script::{MOST_PROBES, run_script};
use crate::{derive, plan, proxies};

/// Arguments of `cmcomply run-script new`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply run-script new --sql cm01.contoso.com -o clients
      the script and its plan, in the folder clients
  cmcomply run-script new --snapshot site.json --proxy client-system=proxy.contoso.com:8080
      through the proxy that clients use; without it a direct route is assumed, and the verdict says so

The script takes no parameters: what was approved is what runs. Its plan is in it as data (Base64), and beside it in clear.
Give the audit the same --settings, --proxy, --catalog and --target-version, since the plan depends on them.
Exit codes: 0 written, 2 wrong arguments, 3 written, and facts are unknown, so that the plan may lack endpoints, 4 the site
database could not be read.")]
pub(super) struct NewArgs {
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    routes: RouteArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
    /// What is needed after an update to this version of Configuration Manager, such as 2603.
    #[arg(long, value_name = "VERSION", help_heading = "Catalog")]
    target_version: Option<String>,
    /// Seconds for each stage of a look at an endpoint.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = value_parser!(u64).range(1..=60))]
    stage_timeout: u64,
    /// Seconds for all endpoints together, on each client. Configuration Manager gives up on a script after an hour.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = value_parser!(u64).range(1..=3000))]
    deadline: u64,
    /// Endpoints that a client looks at, at once.
    #[arg(long, value_name = "NUMBER", default_value = "8", value_parser = value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// The folder for the files; it is made if it is not there.
    #[arg(short, long, value_name = "FOLDER", default_value = ".", help_heading = "Output")]
    output: PathBuf,
}

/// Reads the facts and writes the script.
pub(super) async fn run(args: NewArgs) -> Result<u8, Stop> {
    let stated = args.routes.stated_routes()?;
    let catalog = args.catalog.load()?;
    let target_build = match &args.target_version {
        Some(version) => Options::default().for_version(version, &catalog).map_err(Stop::usage)?.target_build,
        None => None,
    };
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make the folder {}", text::path(&args.output)))
        .map_err(Stop::usage)?;
    let [script_path, plan_path] = ["clients.ps1", "clients.plan.json"].map(|name| args.output.join(name));
    for path in [&script_path, &plan_path] {
        can_write_aside(path).with_context(|| format!("cannot write {}", text::path(path))).map_err(Stop::usage)?;
    }
    let prepared = args.facts.prepare()?;
    if prepared.is_redacted() {
        return Err(Stop::usage(anyhow::anyhow!("the names of a redacted snapshot lead to no endpoint")));
    }
    let mut routes = prepared.routes().clone();
    routes.extend(stated);
    let limit = std::time::Duration::from_secs(args.stage_timeout);
    let rules = args.routes.rules(&routes, prepared.bypasses(), limit).await?;
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is written (Ctrl-C again: end at once)");
    let facts = prepared.read(&cancel).await?;
    if cancel.is_cancelled() {
        return Ok(exit::INCOMPLETE);
    }
    let mut requirements = derive::requirements(&facts, &catalog, &Options { routes, target_build });
    proxies::reroute(&mut requirements, &rules);
    requirements.retain(|requirement| requirement.subject == Subject::Clients);
    let probes = plan::build(&requirements).probes;
    if probes.is_empty() {
        return Err(Stop::usage(anyhow::anyhow!("nothing is known to be needed by clients that could be looked at")));
    }
    let bounds =
        PlanBounds { probes_at_once: args.concurrency, ..PlanBounds::within(args.stage_timeout, args.deadline) };
    let plan = PlanDocument::new(None, bounds, probes);
    let thumbprints: Vec<String> = catalog.roots.iter().map(|root| root.sha1.clone()).collect();
    let script = run_script(&plan, &thumbprints);
    let document = plan.to_json().context("the plan could not be written as JSON").map_err(Stop::usage)?;
    for (path, bytes) in [(&plan_path, document.as_slice()), (&script_path, script.as_bytes())] {
        write_aside(path, bytes).with_context(|| format!("cannot write {}", text::path(path))).map_err(Stop::usage)?;
    }
    let mut said = format!(
        "{}: {} endpoints, {} KB; import it in the console, Software Library, Scripts\n{}: its plan, for run-script collect \
         (--plan)\n",
        text::path(&script_path),
        plan.probes.len(),
        script.len().div_ceil(1024),
        text::path(&plan_path),
    );
    if let Some(more) = plan.probes.len().checked_sub(MOST_PROBES).filter(|more| *more > 0) {
        said = format!("{said}the last {more} endpoints have no room in an answer, and stay not observed\n");
    }
    let code = lacks(&facts, &requirements, &mut said);
    console::print(&said).context("cannot write to standard output").map_err(Stop::usage)?;
    Ok(code)
}
