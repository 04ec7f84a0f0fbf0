//! `cmcomply probe`: a quick look at one endpoint, or a plan that is run on this machine.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use url::{Host, Url};

use super::console::{self, Colour};
use super::probing::ProbeArgs;
use super::{Stop, account, audit, exit, here};
use crate::catalog::Catalog;
use crate::derive::{Requirement, Via};
use crate::evidence::{Observations, Seeing, write_aside_with};
use crate::host::{HostName, Scheme};
use crate::plan::{PlanDocument, Target};
use crate::probe::{FailureCode, Observation};
use crate::settings::{Settings, stated_via};
use crate::text;
use crate::vantage::Vantage;
use crate::{assess, derive, plan, report};

/// Arguments of `cmcomply probe`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply probe https://configmgrbits.azureedge.net
      name, every address, TLS with its chain, and HTTP, each with its time
  cmcomply probe https://manage.microsoft.com --via proxy.contoso.com:8080
      the same through a proxy
  cmcomply probe https://manage.microsoft.com --via proxy.contoso.com:8080 \\
      --proxy-user 'proxy.contoso.com:8080=CONTOSO\\svc-cm'
      signed in by NTLM, or by Basic if NTLM leads to nothing there; the password is asked for
  cmcomply probe https://manage.microsoft.com --layers-only
      without what the catalog asks of it besides (cipher suites, parts of files, known documents)
  cmcomply probe https://aka.ms --format json -o look.json
      the observations document instead of the tree, in a file
  cmcomply probe --plan plan.json -o seen.json
      all probes of a plan, within its bounds
  ssh cm01 cmcomply probe --plan - < plan.json > seen.json
      the same on another machine, which needs nothing but the program

Exit codes of a look: 0 reached and well, 1 not, 2 wrong arguments, 3 interrupted, or this machine could not try.
Exit codes of a plan: 0 all of it was looked at, whatever was seen, 2 the plan cannot be run, 3 not all of it was looked
at. A plan is judged by nobody here.")]
pub(super) struct ProbeCommandArgs {
    /// The endpoint: `https://NAME`, with `:PORT` and a path where needed; also `http://`.
    #[arg(value_name = "URL", value_parser = target, required_unless_present = "plan", conflicts_with = "plan")]
    target: Option<Target>,
    /// Go through this proxy; `direct` goes without one.
    #[arg(long, value_name = "HOST:PORT", default_value = "direct", value_parser = stated_via, conflicts_with = "plan")]
    via: Via,
    /// Look at the layers only. Without it, of an endpoint that the catalog names is asked what it asks there: cipher
    /// suites, parts of files, known documents, where redirects lead, and with --idle-test an idle connection.
    #[arg(long, conflicts_with = "plan")]
    layers_only: bool,
    /// Run all probes of this plan; `-` reads it from standard input. It brings its own bounds, so `--stage-timeout`,
    /// `--deadline` and `--concurrency`
    /// do not go with it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stage_timeout", "deadline", "concurrency"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    probing: ProbeArgs,
    /// Take the accounts for proxies from this file (cmcomply.toml, its tables `[[proxy_accounts]]`); nothing else of it is
    /// used.
    #[arg(long, value_name = "FILE", help_heading = "Probing")]
    settings: Option<PathBuf>,
    /// A tree to read, or the observations document.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Tree, conflicts_with = "plan",
          help_heading = "Output")]
    format: Format,
    /// Write the observations document to this file. A file of that name is replaced, and only by a whole one.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Colours in the tree. `auto`: on a terminal, unless `NO_COLOR` is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    color: Colour,
    /// Columns of the tree. Default: those of the terminal, else 80.
    #[arg(long, value_name = "COLUMNS", help_heading = "Output",
          value_parser = clap::value_parser!(u16).range(60..=1000))]
    width: Option<u16>,
}

/// What a look prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The stages as a tree.
    Tree,
    /// The observations document.
    Json,
}

/// Looks, or runs the plan, and returns the exit code.
pub(super) async fn run(args: ProbeCommandArgs) -> Result<u8, Stop> {
    if let Some(output) = &args.output {
        audit::writable(output)?;
    }
    match (&args.target, &args.plan) {
        (_, Some(path)) => {
            let plan = if path.as_os_str() == "-" {
                PlanDocument::read_from("standard input", io::stdin().lock())
            } else {
                PlanDocument::read(path)
            };
            let plan = plan.map_err(Stop::usage)?;
            let seen = observe(&plan, &args).await?;
            report_plan(&seen, args.output.as_deref())
        }
        (Some(target), None) => {
            let catalog = (!args.layers_only).then(Catalog::embedded);
            let asked = catalog.map_or_else(Vec::new, |catalog| derive::of_endpoint(catalog, target, &args.via));
            let probe = plan::look(target.clone(), args.via.clone(), &asked);
            let plan = PlanDocument::new(None, args.probing.plan_bounds(), vec![probe]);
            let seen = observe(&plan, &args).await?;
            report_look(&plan, &asked, &seen, &args)
        }
        (None, None) => Err(Stop::usage(anyhow::anyhow!("neither a URL nor --plan is given"))),
    }
}

/// Runs the plan on this machine.
async fn observe(plan: &PlanDocument, args: &ProbeCommandArgs) -> Result<Observations, Stop> {
    let probing = &args.probing;
    let stated = args.settings.as_deref().map(Settings::read).transpose().map_err(Stop::usage)?.unwrap_or_default();
    let mut settings = probing.settings_within(plan.bounds)?;
    settings.proxy_accounts = probing.proxy_accounts(&stated.proxy_accounts)?;
    // As in an audit, so that the same plan means the same everywhere.
    let roots = &Catalog::embedded().roots;
    settings.checks.public_thumbprints = roots.iter().map(|root| root.sha1.clone()).collect();
    let cancel = audit::cancel_on_ctrl_c("interrupted: writing what was seen (Ctrl-C again: end at once)");
    let started = Timestamp::now();
    let (observations, interrupted) = audit::probe_all(&plan.probes, &settings, &cancel).await?;
    let span = (started, Timestamp::now());
    let vantage = Vantage::local(&here::name());
    Ok(Observations::new(plan, vantage, account::account(), Seeing::new(&settings), span, interrupted, observations))
}

/// The document, and a line on how it went.
fn report_plan(seen: &Observations, output: Option<&Path>) -> Result<u8, Stop> {
    write(seen, output)?;
    let count = |what: fn(&Observation) -> bool| seen.observations.iter().filter(|o| what(o)).count();
    let (reached, cancelled) = (count(Observation::reached), count(Observation::was_cancelled));
    let failed = seen.observations.len() - reached - cancelled;
    let why = seen.interrupted.as_ref().map(|why| format!("; incomplete: {why}")).unwrap_or_default();
    console::note(&format!("{reached} reached, {failed} not reached, {cancelled} not looked at to the end{why}"));
    Ok(if seen.complete { exit::COMPLIANT } else { exit::INCOMPLETE })
}

/// The tree or the document.
fn report_look(
    plan: &PlanDocument,
    asked: &[Requirement],
    seen: &Observations,
    args: &ProbeCommandArgs,
) -> Result<u8, Stop> {
    let (Some(probe), Some(look)) = (plan.probes.first(), seen.observations.first()) else {
        return Err(Stop::usage(anyhow::anyhow!("the probe left no observation (a defect of this program)")));
    };
    let found = assess::look(asked, probe, &seen.observations, seen.vantage.title());
    if args.format == Format::Json || args.output.is_some() {
        write(seen, args.output.as_deref())?;
    }
    if args.format == Format::Tree {
        let tree = report::tree(probe, look, &found, seen.vantage.title(), console::style(args.color, args.width));
        console::print(&tree).context("cannot write to standard output").map_err(Stop::usage)?;
    }
    // What broke here says nothing about the endpoint.
    let broke = look.first_failure().is_some_and(|(_, failure)| failure.code == FailureCode::Internal);
    let code = found.cause.as_ref().map(|cause| cause.code.as_str());
    let broke = broke || matches!(code, Some("internal" | "interrupted" | "not-seen"));
    Ok(match (seen.complete && !broke, look.reached() && found.cause.is_none()) {
        (true, true) => exit::COMPLIANT,
        (true, false) => exit::NON_COMPLIANT,
        (false, _) => exit::INCOMPLETE,
    })
}

/// Writes the document to the file, else to standard output.
fn write(seen: &Observations, output: Option<&Path>) -> Result<(), Stop> {
    let Some(path) = output else {
        return match seen.write(io::BufWriter::new(io::stdout().lock())) {
            // A reader that went away, as in `| head`, is no error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done.context("cannot write to standard output").map_err(Stop::usage),
        };
    };
    let name = text::path(path);
    write_aside_with(path, |file| seen.write(file)).with_context(|| format!("cannot write {name}")).map_err(Stop::usage)
}

/// `https://NAME[:PORT][/PATH]`, or the same with `http`.
fn target(text: &str) -> Result<Target, String> {
    let lower = text.to_ascii_lowercase();
    let scheme = match lower.split_once("://") {
        Some(("https", _)) => Scheme::Https,
        Some(("http", _)) => Scheme::Http,
        _ => return Err("expected https://NAME[:PORT] or http://NAME[:PORT]".to_owned()),
    };
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("no credentials are sent, so none may stand in the URL".to_owned());
    }
    // A query may hold a signature, and all of this is printed and kept.
    if url.query().is_some() || url.fragment().is_some() {
        return Err("only a path may follow the name: no query (?) and no fragment (#)".to_owned());
    }
    let host = match url.host() {
        Some(Host::Domain(name)) => HostName::parse(name).map_err(|error| error.to_string())?,
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
            return Err("an address has no name to ask TLS and HTTP for; give the name, and the address by \
                        --connect-to ::ADDRESS:"
                .to_owned());
        }
        None => return Err("the host is missing".to_owned()),
    };
    let port = url.port_or_known_default().filter(|port| *port > 0).ok_or("port 0 is none")?;
    Ok(Target { scheme, host, port, path: url.path().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_nothing_secret() {
        let shown = |text: &str| target(text).map(|target| target.to_string());
        assert_eq!(shown("https://aka.ms").as_deref(), Ok("https://aka.ms:443/"));
        assert_eq!(shown("HTTP://Contoso.COM:8530/a/b").as_deref(), Ok("http://contoso.com:8530/a/b"));
        for (text, words) in [
            ("aka.ms", "expected https://"),
            ("ftp://aka.ms", "expected https://"),
            ("https://", "empty host"),
            ("https://a b", "invalid"),
            ("https://10.0.0.1/", "an address has no name"),
            ("https://[::1]/", "an address has no name"),
            ("https://user:pw@aka.ms/", "credentials"),
            ("https://aka.ms/?sig=secret", "no query"),
            ("https://aka.ms:0/", "port 0"),
            ("https://aka.ms:99999/", "port"),
        ] {
            let said = shown(text).unwrap_err();
            assert!(said.contains(words) && !said.contains("secret"), "{text}: {said}");
        }
    }
}
