//! The route of a requirement: what the proxy settings of its context are.

use std::collections::BTreeMap;

use super::condition::missing;
use super::index::Index;
use super::requirement::{Route, RouteBasis, Via};
use crate::catalog::Context;
use crate::host::HostName;
use crate::site::{ProxySetting, SiteCode};

/// What the operator states of contexts that a site database cannot know.
pub type StatedRoutes = BTreeMap<Context, Via>;

/// Whether the site database knows the route of a context, so that the operator cannot state another one.
pub fn database_knows(context: Context) -> bool {
    matches!(context, Context::SiteSystemProxy | Context::Wsus)
}

/// The route of one context on one server (`None`: clients, consoles, unknown servers).
pub(super) fn route(
    facts: &Index<'_>,
    context: Context,
    server: Option<(&SiteCode, &HostName)>,
    stated: &StatedRoutes,
) -> Route {
    match (context, server) {
        (Context::SiteSystemProxy, Some((site, host))) => site_system(facts, site, host),
        (Context::Wsus, Some((site, host))) => wsus(facts, site, host),
        (Context::SiteSystemProxy | Context::Wsus, None) => unknown("the server is not known".to_owned()),
        (Context::Intranet, _) => Route {
            via: Via::Direct,
            basis: RouteBasis::Documentation,
            detail: "the product uses no proxy for it".to_owned(),
        },
        (context, _) => stated.get(&context).map_or_else(
            || Route {
                via: Via::Direct,
                basis: RouteBasis::Assumed,
                detail: format!(
                    "assumed direct: {} is set on each device; state it with --proxy or in cmcomply.toml",
                    context.name()
                ),
            },
            |via| Route { via: via.clone(), basis: RouteBasis::Operator, detail: "stated by the operator".to_owned() },
        ),
    }
}

fn unknown(detail: String) -> Route {
    Route { via: Via::Unknown, basis: RouteBasis::Database, detail }
}

fn database(via: Via, detail: String) -> Route {
    Route { via, basis: RouteBasis::Database, detail }
}

fn site_system(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Route {
    let fact = &facts.site_system_proxies;
    if let Some(missing) = missing("proxies of the site systems", fact) {
        return unknown(missing);
    }
    let rows: Vec<&ProxySetting> = facts.proxies(site, host).map(|p| &p.setting).collect();
    match rows.as_slice() {
        // A server that was never set has a row that says so. One without a row was not looked at.
        [] => unknown("the site database has no row for this server's proxy".to_owned()),
        [ProxySetting::NeverSet] => {
            database(Via::Direct, "the site system has no proxy setting (no UseProxy property)".to_owned())
        }
        [ProxySetting::Direct] => database(Via::Direct, "the site system uses no proxy (UseProxy 0)".to_owned()),
        [ProxySetting::Proxy { host, port, account }] => database(
            Via::Proxy { host: host.clone(), port: *port },
            format!(
                "the site system's proxy{}",
                if *account { ", with an account that cmcomply does not know" } else { "" }
            ),
        ),
        [ProxySetting::Unreadable] => {
            unknown("the site system's proxy has no usable name or port; see the data findings".to_owned())
        }
        _ => unknown("the site database holds several proxy settings for this server".to_owned()),
    }
}

fn wsus(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Route {
    let system = site_system(facts, site, host);
    if system.via == Via::Direct {
        return system;
    }
    match facts.point(site, host).and_then(|p| p.use_proxy) {
        Some(true) => system,
        Some(false) => database(
            Via::Direct,
            "the software update point does not use the site system's proxy to synchronize (UseProxy 0)".to_owned(),
        ),
        None => unknown("whether the software update point uses the site system's proxy to synchronize".to_owned()),
    }
}
