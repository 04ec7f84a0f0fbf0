//! Who synchronizes from whom: the links between software update points.

use super::condition::missing;
use super::index::Index;
use crate::host::HostName;
use crate::site::{SiteCode, SyncFrom, SyncSource};

/// The other end of a synchronization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The server at the other end.
    pub(super) host: HostName,
    /// Whether it is set to TLS. Content is fetched over HTTP even then.
    pub(super) tls: Option<bool>,
    /// Its WSUS port for HTTP.
    pub(super) http_port: Option<u16>,
    /// Its WSUS port for HTTPS.
    pub(super) https_port: Option<u16>,
}

/// The synchronization source of a site, or what is missing.
pub(super) fn site_sync<'a>(facts: &Index<'a>, site: &SiteCode) -> Result<&'a SyncSource, String> {
    if let Some(missing) = missing("synchronization sources", &facts.sync_sources) {
        return Err(missing);
    }
    facts.sync(site).ok_or_else(|| format!("synchronization source of site {site}: no row in the site database"))
}

/// Whether this server is the one of its site that synchronizes from the source. Where the database does not name it,
/// a site with one software update point has no choice. A name that no software update point of the site has is stale,
/// and says nothing.
pub(super) fn is_default(facts: &Index<'_>, sync: &SyncSource, host: &HostName) -> Option<bool> {
    if let Some(default) = &sync.default_sup {
        if default.same_machine(host) {
            return Some(true);
        }
        return facts.point(&sync.site, default).map(|_| false);
    }
    let points = &facts.software_update_points;
    points.known().filter(|_| points.may_lack().is_none())?;
    (facts.points_of(&sync.site).len() == 1).then_some(true)
}

/// The server that this one synchronizes from: the upstream of its site, or the default software update point of the
/// site where this is another one. `Ok(None)`: it has none.
pub(super) fn upstream(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Result<Option<Link>, String> {
    let sync = site_sync(facts, site)?;
    match is_default(facts, sync, host) {
        None => Err(format!("which software update point of site {site} synchronizes from the source")),
        Some(true) => match (sync.source, &sync.upstream) {
            (Some(SyncFrom::Upstream), Some(upstream)) => Ok(Some(upstream_link(facts, sync, upstream))),
            (Some(SyncFrom::Upstream), None) => Err(format!("name of the upstream server of site {site}")),
            (None, _) => Err(format!("synchronization source of site {site}")),
            _ => Ok(None),
        },
        Some(false) => match &sync.default_sup {
            Some(default) => Ok(Some(link_to(facts, site, default))),
            None => Err(format!("which software update point of site {site} synchronizes from the source")),
        },
    }
}

/// The servers that synchronize from this one, of child sites and of its own.
pub(super) fn downstream<'a>(facts: &'a Index<'_>, host: &HostName) -> Result<Vec<&'a Link>, String> {
    if let Some(missing) = missing("synchronization sources", &facts.sync_sources) {
        return Err(missing);
    }
    if let Some(missing) = missing("software update points", &facts.software_update_points) {
        return Err(missing);
    }
    Ok(facts.downstream(host).collect())
}

/// A synchronization in the hierarchy, seen from its upper end.
pub(super) enum Synchronization {
    /// This server is the upper end of this link.
    Link(HostName, Link),
    /// This server may be the upper end of one more: what is missing to tell.
    Unsure(HostName, String),
    /// Any server outside this site may be.
    UnsureAnywhere(SiteCode, String),
}

/// Every synchronization in the hierarchy, also those of which nobody can tell.
pub(super) fn synchronizations(facts: &Index<'_>) -> Vec<Synchronization> {
    let mut all = Vec::new();
    for (site, points) in facts.sites_with_points() {
        let Some(sync) = facts.sync(site) else {
            let missing = format!("synchronization source of site {site}: no row in the site database");
            all.push(Synchronization::UnsureAnywhere(site.clone(), missing));
            continue;
        };
        for point in points {
            let upper = match is_default(facts, sync, &point.host) {
                Some(true) if sync.source == Some(SyncFrom::Upstream) => sync.upstream.as_ref(),
                Some(false) => sync.default_sup.as_ref(),
                _ => None,
            };
            if let Some(upper) = upper.filter(|upper| !upper.same_machine(&point.host)) {
                all.push(Synchronization::Link(upper.clone(), link_to(facts, &point.site, &point.host)));
            }
        }
        unsure(facts, sync, &mut all);
    }
    all
}

/// What may be synchronized besides, where the default or the source of a site is not known.
fn unsure(facts: &Index<'_>, sync: &SyncSource, all: &mut Vec<Synchronization>) {
    let (site, points) = (&sync.site, facts.points_of(&sync.site));
    let is_open = points.iter().any(|point| is_default(facts, sync, &point.host).is_none());
    let which = format!("which software update point of site {site} synchronizes from the source");
    if is_open && points.len() > 1 {
        all.extend(points.iter().map(|point| Synchronization::Unsure(point.host.clone(), which.clone())));
    }
    match (sync.source, &sync.upstream) {
        (Some(SyncFrom::Upstream), Some(upstream)) if is_open => {
            all.push(Synchronization::Unsure(upstream.clone(), which));
        }
        (Some(SyncFrom::Upstream), None) => {
            let missing = format!("name of the upstream server of site {site}");
            all.push(Synchronization::UnsureAnywhere(site.clone(), missing));
        }
        (None, _) => {
            let missing = format!("synchronization source of site {site}");
            all.push(Synchronization::UnsureAnywhere(site.clone(), missing));
        }
        _ => {}
    }
}

/// The link to an upstream server: what the synchronization source says of it, else what its own role says.
fn upstream_link(facts: &Index<'_>, sync: &SyncSource, upstream: &HostName) -> Link {
    let point = facts.point_of_any_site(upstream);
    let stated = |tls: bool| sync.upstream_port.filter(|_| sync.upstream_tls == Some(tls));
    Link {
        host: upstream.clone(),
        tls: sync.upstream_tls,
        http_port: stated(false).or_else(|| point.and_then(|p| p.http_port)),
        https_port: stated(true).or_else(|| point.and_then(|p| p.https_port)),
    }
}

fn link_to(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Link {
    let point = facts.point(site, host);
    Link {
        host: host.clone(),
        tls: point.and_then(|p| p.tls),
        http_port: point.and_then(|p| p.http_port),
        https_port: point.and_then(|p| p.https_port),
    }
}
