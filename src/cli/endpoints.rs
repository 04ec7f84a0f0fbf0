//! `cmcomply endpoints`: what this hierarchy needs, before anything is probed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::catalog::CatalogArgs;
use super::facts::FactsArgs;
use super::hand_off::{CheckArgs, ListArgs, Scope};
use super::output::{Format, OutputArgs, json, write, write_file};
use super::what_if::WhatIfArgs;
use super::{Stop, audit, exit, progress};
use crate::catalog::Catalog;
use crate::derive::{Change, Requirement, difference};
use crate::host::HostName;
use crate::probe::{self, Bounds, raise_open_files};
use crate::report::{self, ADDRESSES_AGE, Addresses, Endpoint, Endpoints, NameKind, WhatIf};
use crate::site::Facts;

/// Arguments of `cmcomply endpoints`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply endpoints --sql cm01.contoso.com
      what each host needs, in which role and through which proxy
  cmcomply endpoints --snapshot site.json --format json -o endpoints.json
      each requirement with its reasons and sources, for programs
  cmcomply endpoints --snapshot site.json --target-version 2603
      the set after the update, and what changes
  cmcomply endpoints --snapshot site.json --assume cmg,cmg-instances=3
      what a cloud management gateway with three instances would need besides
  cmcomply endpoints --snapshot site.json --list squid --per-host -o lists
      an access list for each host in the folder lists, each with its loss report
  cmcomply endpoints --snapshot site.json --check-against allowed.txt
      what an allow list lacks, and what is stale or too broad in it

Exit codes:
  0  the set is complete (with --check-against: and the list allows exactly that)
  1  the allow list differs
  2  wrong arguments or settings, or a file that cannot be read or written
  3  a fact that decides is unknown, so the set may not be whole (with --check-against: or something that the list
     allows or lacks is undecided); 1 wins over 3
  4  the site database could not be read")]
pub(super) struct EndpointsArgs {
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    what_if: WhatIfArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    addresses: AddressArgs,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    check: CheckArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Write to this file instead of the screen; with --per-host: to this folder. Files are replaced by whole ones.
    #[arg(short = 'o', long = "output", value_name = "FILE", help_heading = "Output")]
    file: Option<PathBuf>,
}

/// Which of them, and in which order.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Choice")]
struct ChoiceArgs {
    /// The order of the list, and the groups of the table.
    #[arg(long, value_enum, default_value_t = By::Host)]
    by: By,
    /// What this host needs.
    #[arg(long, value_name = "HOST", value_parser = HostName::parse)]
    host: Option<HostName>,
    /// With an assumption: all, or what changes. Default: what changes with --assume, else all.
    #[arg(long, value_enum, conflicts_with = "check_against")]
    show: Option<Show>,
}

/// How endpoints are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// By host and role, with the route.
    Host,
    /// By role, each endpoint once with who needs it.
    Role,
    /// Each endpoint once, with who needs it in which roles.
    Flat,
}

/// Which endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Show {
    /// The whole set.
    All,
    /// What is added, removed, or decided by what is assumed.
    Changes,
}

/// Addresses.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
struct AddressArgs {
    /// Resolve each exact name from here, and add the published ranges: for firewalls that know no names.
    #[arg(long, conflicts_with_all = ["list", "check_against"])]
    addresses: bool,
    /// Ask this DNS server instead of the system's resolver.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "addresses")]
    dns_server: Option<SocketAddr>,
    /// Seconds for each name.
    #[arg(long, value_name = "SECONDS", default_value = "5",
          value_parser = clap::value_parser!(u64).range(1..=300), requires = "addresses")]
    stage_timeout: u64,
}

/// Reads the facts, derives, and writes what was asked for.
pub(super) async fn run(args: EndpointsArgs) -> Result<u8, Stop> {
    let catalog = args.catalog.load()?;
    args.what_if.check(&catalog)?;
    let allow_list = args.check.read()?;
    match &args.file {
        Some(folder) if args.list.per_host() => ListArgs::folder(folder)?,
        Some(file) => args.list.writable(file)?,
        None if args.list.per_host() => {
            return Err(Stop::usage(anyhow::anyhow!(
                "--per-host writes a file for each host: say with -o in which folder"
            )));
        }
        None => {}
    }
    let prepared = args.facts.prepare()?;
    let routes = prepared.routes().clone();
    let read_before = prepared.taken();
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is written (Ctrl-C again: end at once)");
    let facts = prepared.read(&cancel).await?;
    let read = read_before.unwrap_or_else(Timestamp::now);
    if cancel.is_cancelled() {
        return Ok(exit::INCOMPLETE);
    }

    let mut derived = args.what_if.derive(facts, &catalog, &routes)?;
    if let Some(host) = &args.choice.host {
        check_host(host, &derived.facts, &derived.requirements)?;
        let today = derived.today.iter_mut().map(|(today, _)| today);
        for set in today.chain([&mut derived.requirements]) {
            set.retain(|requirement| requirement.subject.may_be(host));
        }
    }
    let incomplete = report::incomplete(&derived.facts, &derived.requirements);
    let code = if incomplete.is_empty() { exit::COMPLIANT } else { exit::INCOMPLETE };

    if allow_list.is_some() || args.list.wanted() || args.output.format == Format::Csv {
        derived.note();
    }
    if let Some(allow_list) = allow_list {
        let found = CheckArgs::compare(
            &allow_list,
            (&derived.requirements, &incomplete),
            (&catalog, read),
            &args.output,
            args.file.as_deref(),
        )?;
        note_gaps(&incomplete);
        return Ok(if found == exit::COMPLIANT { code } else { found });
    }
    let changes_only = args.choice.show.map_or(args.what_if.only_features(), |show| show == Show::Changes);
    if args.list.wanted() {
        let requirements = match &derived.today {
            Some((today, _)) if changes_only => changed(today, &derived.requirements),
            _ => derived.requirements.clone(),
        };
        let what_if = derived.today.as_ref().map(|(_, what_if)| WhatIf { changes_only, ..what_if.clone() });
        let scope = scope(args.choice.host.as_ref(), what_if.as_ref());
        args.list.write(&requirements, &catalog, read, &scope, args.file.as_deref())?;
        note_gaps(&incomplete);
        return Ok(code);
    }

    let today = derived.today.as_ref().map(|(today, what_if)| (today.as_slice(), what_if.clone()));
    let mut document = report::endpoints(&derived.facts, read, &catalog, &derived.requirements, today);
    if changes_only && !document.what_if.is_empty() {
        document.what_if.changes_only = true;
        document.endpoints.retain(|endpoint| endpoint.change != Some(Change::Kept));
    }
    sort(&mut document.endpoints, args.choice.by);
    let mut code = code;
    if args.addresses.addresses {
        let addresses = addresses(&args.addresses, &document.endpoints, &catalog, &cancel).await;
        let without = addresses.resolved.iter().filter(|resolved| resolved.failure.is_some()).count();
        if without > 0 {
            code = exit::INCOMPLETE;
            document.incomplete.push(format!("addresses: {without} names did not resolve from here"));
        }
        document.addresses = Some(addresses);
    }
    let text = rendered(&document, &args.output, args.choice.by)?;
    match &args.file {
        Some(file) => write_file(file, &text)?,
        None => write(&text)?,
    }
    // On the screen, the other formats say it themselves.
    if args.file.is_some() || args.output.format == Format::Csv {
        note_gaps(&document.incomplete);
    }
    Ok(code)
}

/// For whom a list is, and under which assumptions.
fn scope(host: Option<&HostName>, what_if: Option<&WhatIf>) -> Scope {
    let mut conditions = Vec::new();
    if let Some(what_if) = what_if {
        conditions.extend(what_if.target_version.as_ref().map(|version| format!(", after an update to {version}")));
        if !what_if.assumptions.is_empty() {
            conditions.push(format!(", assuming {}", what_if.assumptions.join(", ")));
        }
        if what_if.changes_only {
            conditions.push(", only what that adds".to_owned());
        }
    }
    let whom = host.map_or_else(|| "all hosts, clients and consoles".to_owned(), ToString::to_string);
    Scope { whom, conditions: conditions.concat() }
}

/// The exit code says it; a reader of a file is told too.
fn note_gaps(incomplete: &[String]) {
    for reason in incomplete {
        super::console::note(&format!("not the whole set: {reason}"));
    }
}

/// Finds out whether the host is one of this hierarchy. Where the servers are not known, it may be.
pub(super) fn check_host(host: &HostName, facts: &Facts, requirements: &[Requirement]) -> Result<(), Stop> {
    const SHOWN: usize = 20;
    let listed = facts.site_systems.rows().iter().map(|system| &system.host);
    let known: BTreeSet<&HostName> = listed.chain(requirements.iter().filter_map(|r| r.subject.host())).collect();
    if facts.site_systems.is_unknown() || known.iter().any(|known| known.same_machine(host)) {
        return Ok(());
    }
    let more = if known.len() > SHOWN { " and others" } else { "" };
    let shown: Vec<&str> = known.into_iter().take(SHOWN).map(HostName::as_str).collect();
    Err(Stop::usage(anyhow::anyhow!("no site system {host}; known: {}{more}", shown.join(", "))))
}

/// What is added or now decided.
fn changed(today: &[Requirement], after: &[Requirement]) -> Vec<Requirement> {
    let change = difference(today, after);
    change.added.into_iter().chain(change.decided).cloned().collect()
}

/// By host is the order in which they are derived.
fn sort(endpoints: &mut [Endpoint], by: By) {
    match by {
        By::Host => {}
        By::Role => endpoints.sort_by(|a, b| (a.role, &a.name, a.port).cmp(&(b.role, &b.name, b.port))),
        By::Flat => endpoints.sort_by(|a, b| (&a.name, a.scheme, a.port).cmp(&(&b.name, b.scheme, b.port))),
    }
}

fn rendered(document: &Endpoints, output: &OutputArgs, by: By) -> Result<String, Stop> {
    let by = match by {
        By::Host => report::By::Host,
        By::Role => report::By::Role,
        By::Flat => report::By::Flat,
    };
    match output.format {
        Format::Table => Ok(report::endpoints_table(document, by, output.width())),
        Format::Csv => Ok(report::endpoint_rows(document).csv()),
        Format::Json => json(document),
    }
}

async fn addresses(
    args: &AddressArgs,
    endpoints: &[Endpoint],
    catalog: &Catalog,
    cancel: &CancellationToken,
) -> Addresses {
    let live: Vec<&Endpoint> = endpoints.iter().filter(|endpoint| endpoint.is_live()).collect();
    let of_kind = |kind| live.iter().filter(move |e| e.name_kind == kind).map(|e| e.name.clone());
    let names: BTreeSet<HostName> = of_kind(NameKind::Exact).filter_map(|name| HostName::parse(&name).ok()).collect();
    let wheel = progress::wheel("resolving names");
    let bounds = Bounds::default().within(raise_open_files());
    let limit = Duration::from_secs(args.stage_timeout);
    let resolved = probe::addresses(names.into_iter().collect(), args.dns_server, limit, &bounds, cancel).await;
    wheel.finish_and_clear();
    Addresses {
        warning: ADDRESSES_AGE.to_owned(),
        resolved,
        wildcards: of_kind(NameKind::Wildcard).collect::<BTreeSet<_>>().into_iter().collect(),
        ranges: report::published_ranges(catalog, endpoints),
    }
}
