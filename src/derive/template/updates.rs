//! Names from software update points and third-party catalogs.

use super::super::condition::{missing, more};
use super::super::index::Index;
use super::super::sup;
use super::{Filled, named, unfilled};
use crate::catalog::{Entry, Part, Ports, Variable};
use crate::host::{HostName, HostPattern, Scheme};
use crate::site::SiteCode;

pub(super) fn from_sups(
    entry: &Entry,
    parts: &[Part],
    facts: &Index<'_>,
    server: Option<(&SiteCode, &HostName)>,
) -> Vec<Filled> {
    let Some((site, host)) = server else {
        return vec![unfilled(entry, "names of the software update points".to_owned())];
    };
    let up = parts.iter().any(|p| matches!(p, Part::Variable(Variable::SupUpstream)));
    let links = if up {
        sup::upstream(facts, site, host).map(|link| link.into_iter().collect())
    } else {
        sup::downstream(facts, host).map(|links| links.into_iter().cloned().collect::<Vec<_>>())
    };
    let links = match links {
        Ok(links) => links,
        Err(missing) => return vec![unfilled(entry, missing)],
    };
    let mut filled = Vec::new();
    let unsure = if up { Vec::new() } else { facts.unsure_downstream(site, host) };
    if !unsure.is_empty() {
        filled.push(Filled { missing: unsure, ..unfilled(entry, String::new()) });
    }
    for link in links {
        let mut missing = Vec::new();
        let port = match (entry.scheme, link.tls) {
            (Scheme::Http, _) => link.http_port,
            (Scheme::Https, Some(false)) => continue,
            (Scheme::Https, Some(true)) => link.https_port,
            (Scheme::Https, None) => {
                missing.push(format!("whether {} is reached over TLS", link.host));
                link.https_port
            }
        };
        let ports = match (&entry.ports, port) {
            (Ports::Fixed(ports), _) => ports.clone(),
            (Ports::FromFacts(_), Some(port)) => vec![port],
            (Ports::FromFacts(_), None) => {
                missing.push(format!("{} port of WSUS on {}", entry.scheme, link.host));
                Vec::new()
            }
        };
        let direction = if up { "synchronizes from" } else { "is synchronized from by" };
        let reasons = vec![format!("{host} {direction} {}", link.host)];
        filled.push(named(entry, HostPattern::Exact(link.host), ports, reasons, missing));
    }
    filled
}

/// One endpoint for each third-party catalog that is synchronized, of the entry's scheme, at the port of its address.
pub(super) fn from_third_party_catalogs(entry: &Entry, facts: &Index<'_>) -> Vec<Filled> {
    let fact = &facts.third_party_catalogs;
    if let Some(missing) = missing("third-party update catalogs", fact) {
        return vec![unfilled(entry, missing)];
    }
    let mut filled: Vec<Filled> =
        more("third-party update catalogs", fact).into_iter().map(|more| unfilled(entry, more)).collect();
    for catalog in fact.rows().iter().filter(|catalog| catalog.synchronized != Some(false)) {
        let title = catalog.name.as_deref().unwrap_or("(no name)");
        let reasons = vec![format!("third-party update catalog {title}")];
        let unsure = format!("whether third-party update catalog {title} is synchronized");
        let missing = if catalog.synchronized.is_none() { vec![unsure] } else { Vec::new() };
        match &catalog.download {
            Some(place) if place.scheme == entry.scheme => {
                let ports = match &entry.ports {
                    Ports::Fixed(ports) => ports.clone(),
                    Ports::FromFacts(_) => vec![place.port],
                };
                filled.push(named(entry, HostPattern::Exact(place.host.clone()), ports, reasons, missing));
            }
            // An own catalog must use HTTPS, so an address that is not known is one of HTTPS.
            None if entry.scheme == Scheme::Https => {
                let missing = format!("download address of third-party update catalog {title}");
                filled.push(Filled { reasons, ..unfilled(entry, missing) });
            }
            Some(_) | None => {}
        }
    }
    filled
}
