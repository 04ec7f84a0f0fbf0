//! `cmcomply explain`: why a name is needed here, or why not.

use clap::Args;

use super::catalog::CatalogArgs;
use super::facts::FactsArgs;
use super::output::{Format, OutputArgs, write};
use super::what_if::WhatIfArgs;
use super::{Stop, audit, endpoints, exit};
use crate::host::{HostName, HostPattern, Scheme};
use crate::report::{self, Asked};
use crate::text::printable;

/// Arguments of `cmcomply explain`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply explain download.microsoft.com --snapshot site.json
      who needs it, in which role, because of which facts, according to which documents
  cmcomply explain graph.microsoft.com --host cm01.contoso.com --sql cm01.contoso.com
      the same for one host; if it does not need the name, which fact says so
  cmcomply explain https://aka.ms:8443 --snapshot site.json
      the same for one scheme and port: needed, but perhaps not there
  cmcomply explain '*.manage.microsoft.com' --snapshot site.json --target-version 2603
      a wildcard, as it would be after an update
  cmcomply explain aka.ms --snapshot site.json --format json
      the same for programs (table: in words)

Exit code 0: there is an answer, whatever it is.")]
pub(super) struct ExplainArgs {
    /// A host, a wildcard such as `*.manage.microsoft.com`, or a URL. With a scheme or a port, the answer is for just
    /// that.
    #[arg(value_name = "NAME", value_parser = asked)]
    name: Asked,
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

/// A host or a wildcard, with scheme and port where they are given; a URL has the port of its scheme.
fn asked(text: &str) -> Result<Asked, String> {
    let given = [Scheme::Https, Scheme::Http].into_iter().find_map(|scheme| {
        let (head, rest) = text.split_once("://")?;
        head.eq_ignore_ascii_case(&scheme.to_string()).then_some((scheme, rest))
    });
    let (scheme, rest) = given.map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => {
            let number = port.parse().ok().filter(|port| *port > 0);
            (host, Some(number.ok_or_else(|| format!("port `{}`: write 1 to 65535", printable(port, 40)))?))
        }
        None => (authority, scheme.map(Scheme::default_port)),
    };
    let name = HostPattern::parse(host).map_err(|error| error.to_string())?;
    Ok(Asked { name, scheme, port })
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
            assert_eq!(asked(text).map(|asked| asked.name.to_string()), Ok("go.microsoft.com".to_owned()), "{text}");
        }
        let all = |text: &str| asked(text).map(|asked| (asked.name.to_string(), asked.scheme, asked.port)).unwrap();
        let wildcard = "*.manage.microsoft.com".to_owned();
        assert_eq!(all("https://*.manage.microsoft.com"), (wildcard, Some(Scheme::Https), Some(443)));
        assert_eq!(all("HTTP://aka.ms:8080/x:1"), ("aka.ms".to_owned(), Some(Scheme::Http), Some(8080)));
        assert_eq!(all("aka.ms:9999"), ("aka.ms".to_owned(), None, Some(9999)));
        assert_eq!(all("aka.ms"), ("aka.ms".to_owned(), None, None));
        for text in [
            "",
            "https://",
            "a b",
            "*",
            "10.0.0.1",
            "x\u{1b}",
            "aka.ms:0",
            "aka.ms:65536",
            "aka.ms:",
            "ftp://aka.ms",
            "\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert!(asked(text).is_err(), "{text}");
        }
    }
}
