//! Conditions on software updates.

use super::super::index::Index;
use super::super::sup;
use super::{Asker, Tri, decide, missing, some, source};
use crate::host::HostName;
use crate::site::{Role, SiteCode, SyncFrom};

/// Whether a product or classification is synchronized, by its id: names are localized.
pub(super) fn subscription(facts: &Index<'_>, title: &str, id: &str) -> Tri {
    let fact = &facts.subscriptions;
    decide("subscribed products and classifications", fact, |rows| {
        Tri::of(rows.iter().any(|row| row.id.eq_ignore_ascii_case(id)), || {
            format!("{title} is among the subscribed products and classifications ({})", source(fact))
        })
    })
}

/// Whether any site gets its updates from Microsoft Update. A software update point whose site has no row may.
pub(super) fn from_microsoft_update(facts: &Index<'_>) -> Tri {
    let fact = &facts.sync_sources;
    decide("synchronization sources of software updates", fact, |rows| {
        if let Some(row) = rows.iter().find(|row| row.source == Some(SyncFrom::MicrosoftUpdate)) {
            let site = &row.site;
            return Tri::True(vec![format!("site {site} synchronizes from Microsoft Update ({})", source(fact))]);
        }
        let untold = rows.iter().find(|row| row.source.is_none()).map(|row| &row.site).or_else(|| {
            let sites = facts.sites_with_points().into_iter().map(|(site, _)| site);
            sites.filter(|site| facts.sync(site).is_none()).min()
        });
        match untold {
            Some(site) => Tri::unknown(format!("synchronization source of site {site}")),
            None if rows.is_empty() && facts.has_role(&Role::SoftwareUpdatePoint) != Some(false) => {
                Tri::unknown("synchronization sources of software updates: none is listed")
            }
            None => Tri::False,
        }
    })
}

/// A catalog that does not say whether it is synchronized may be.
pub(super) fn third_party_catalogs(facts: &Index<'_>) -> Tri {
    some("third-party update catalogs", &facts.third_party_catalogs, |catalog| catalog.synchronized != Some(false))
}

pub(super) fn of_sup(asker: Asker<'_>, ask: impl FnOnce(&Index<'_>, &SiteCode, &HostName) -> Tri) -> Tri {
    match asker.server {
        Some((site, host)) => ask(asker.facts, site, host),
        None => Tri::unknown("names of the software update points"),
    }
}

/// Whether servers of child sites, or others of its site, synchronize from this one.
pub(super) fn has_downstream(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
    let unsure = facts.unsure_downstream(site, host);
    match sup::downstream(facts, host) {
        Ok(links) if links.is_empty() && !unsure.is_empty() => Tri::Unknown(unsure),
        Ok(links) => Tri::of(!links.is_empty(), || {
            let names: Vec<&str> = links.iter().map(|l| l.host.as_str()).collect();
            format!("software update points that synchronize from this one: {}", names.join(", "))
        }),
        Err(missing) => Tri::unknown(missing),
    }
}

pub(super) fn syncs_from_microsoft_update(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
    match sup::site_sync(facts, site) {
        Err(missing) => Tri::unknown(missing),
        Ok(sync) => match sync.source {
            None => Tri::unknown(format!("synchronization source of site {site}")),
            Some(SyncFrom::MicrosoftUpdate) => match sup::is_default(facts, sync, host) {
                None => {
                    Tri::unknown(format!("which software update point of site {site} synchronizes from the source"))
                }
                Some(is_default) => Tri::of(is_default, || {
                    format!("{host} synchronizes site {site} from Microsoft Update ({})", source(&facts.sync_sources))
                }),
            },
            Some(SyncFrom::Upstream | SyncFrom::Nothing) => Tri::False,
        },
    }
}

pub(super) fn has_upstream(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
    match sup::site_sync(facts, site) {
        Err(missing) => Tri::unknown(missing),
        Ok(sync) => match sync.source {
            None => Tri::unknown(format!("synchronization source of site {site}")),
            Some(SyncFrom::Upstream) => match sup::is_default(facts, sync, host) {
                None => Tri::unknown(format!("which software update point of site {site} synchronizes from upstream")),
                Some(is_default) => Tri::of(is_default, || {
                    format!("{host} synchronizes site {site} from upstream ({})", source(&facts.sync_sources))
                }),
            },
            Some(SyncFrom::MicrosoftUpdate | SyncFrom::Nothing) => Tri::False,
        },
    }
}

pub(super) fn remote_internet_based(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
    let points = &facts.software_update_points;
    if let Some(missing) = missing("properties of the software update points", points) {
        return Tri::unknown(missing);
    }
    let serves_internet = facts.point(site, host).and_then(|p| p.internet_clients);
    let internet = match serves_internet {
        Some(yes) => Tri::of(yes, || format!("{host} serves internet clients ({})", source(points))),
        None => Tri::unknown(format!("whether {host} serves internet clients")),
    };
    internet.and(|| match sup::site_sync(facts, site) {
        Err(missing) => Tri::unknown(missing),
        Ok(sync) => match sup::is_default(facts, sync, host) {
            None => Tri::unknown(format!("which software update point of site {site} synchronizes from the source")),
            Some(is_default) => {
                Tri::of(!is_default, || format!("another server synchronizes site {site} from its source"))
            }
        },
    })
}
