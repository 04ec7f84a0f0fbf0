//! `cmcomply explain`: why a name is needed here, or why not.

use clap::Args;

use super::catalog::CatalogArgs;
use super::facts::FactsArgs;
use super::output::{Format, OutputArgs, write};
use super::what_if::WhatIfArgs;
use super::{Stop, audit, endpoints, exit};
use crate::host::{HostName, HostPattern};
use crate::report;

/// Arguments of `cmcomply explain`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply explain download.microsoft.com --snapshot site.json
      who needs it, in which role, because of which facts, according to which documents
  cmcomply explain graph.microsoft.com --host cm01.contoso.com --sql cm01.contoso.com
      the same for one host; if it does not need the name, which fact says so
  cmcomply explain '*.manage.microsoft.com' --snapshot site.json --target-version 2603
      a wildcard, as it would be after an update
  cmcomply explain aka.ms --snapshot site.json --format json
      the same for programs (table: in words)

Exit code 0: there is an answer, whatever it is.")]
pub(super) struct ExplainArgs {
    /// A host, a wildcard such as `*.manage.microsoft.com`, or a URL.
    #[arg(value_name = "NAME", value_parser = asked)]
    name: HostPattern,
    /// Explain for this host alone.
    #[arg(long, value_name = "HOST", value_parser = HostName::parse)]
    host: Option<HostName>,
    #[command(flatten)]
    facts: FactsArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    what_if: WhatIfArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Reads the facts, and explains.
pub(super) async fn run(args: ExplainArgs) -> Result<u8, Stop> {
    let catalog = args.catalog.load()?;
    args.what_if.check(&catalog)?;
    let prepared = args.facts.prepare()?;
    let routes = prepared.routes().clone();
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is known (Ctrl-C again: end at once)");
    let facts = prepared.read(&cancel).await?;
    if cancel.is_cancelled() {
        return Ok(exit::INCOMPLETE);
    }
    let derived = args.what_if.derive(facts, &catalog, &routes)?;
    derived.note();
    if let Some(host) = &args.host {
        endpoints::check_host(host, &derived.facts, &derived.requirements)?;
    }
    let from = (&derived.facts, &catalog, &derived.options);
    let explained = report::explain(&args.name, args.host.as_ref(), from, &derived.requirements);
    if args.output.format == Format::Table {
        write(&report::explanation(&explained, &catalog, args.output.width()))?;
    } else {
        let document = report::explanation_document(&explained, &catalog);
        args.output.write(&report::explanation_rows(&document), &document)?;
    }
    Ok(exit::COMPLIANT)
}

/// A host or a wildcard; of a URL, its host.
fn asked(text: &str) -> Result<HostPattern, String> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let head = text.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    });
    let rest = rest.unwrap_or(text);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    HostPattern::parse(host).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_given_as_it_stands_in_a_log() {
        for text in [
            "go.microsoft.com",
            "https://go.microsoft.com/fwlink/?LinkID=1",
            "GO.microsoft.com:443",
            "HTTP://go.microsoft.com.",
        ] {
            assert_eq!(asked(text).map(|name| name.to_string()), Ok("go.microsoft.com".to_owned()), "{text}");
        }
        assert_eq!(
            asked("https://*.manage.microsoft.com").map(|n| n.to_string()),
            Ok("*.manage.microsoft.com".to_owned())
        );
        for text in ["", "https://", "a b", "*", "10.0.0.1", "x\u{1b}", "\u{e9}\u{e9}\u{e9}\u{e9}"] {
            assert!(asked(text).is_err(), "{text}");
        }
    }
}
