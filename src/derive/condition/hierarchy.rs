//! Conditions on sites and on single servers.

use super::{Asker, Tri, look_up, source};
use crate::site::SiteKind;

/// Whether the server's site has no parent.
pub(super) fn site_top_level(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.sites;
    let Some((code, _)) = asker.server else { return Tri::unknown("names of the site servers") };
    look_up("sites", fact, |sites| match sites.iter().find(|site| site.code == *code) {
        None => Tri::unknown(format!("parent of site {code}: no row in the site database")),
        Some(site) => {
            Tri::of(site.parent.is_none(), || format!("site {code} is at the top of the hierarchy ({})", source(fact)))
        }
    })
}

/// Whether the server's site is a secondary one.
pub(super) fn site_secondary(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.sites;
    let Some((code, _)) = asker.server else { return Tri::unknown("names of the site servers") };
    look_up("sites", fact, |sites| match sites.iter().find(|site| site.code == *code).map(|site| site.kind) {
        Some(Some(kind)) => {
            Tri::of(kind == SiteKind::Secondary, || format!("site {code} is secondary ({})", source(fact)))
        }
        _ => Tri::unknown(format!("kind of site {code}: not in the site database")),
    })
}

/// Whether the distribution point is a Connected Cache server.
pub(super) fn connected_cache(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.distribution_points;
    let Some((code, host)) = asker.server else { return Tri::unknown("names of the distribution points") };
    look_up("Microsoft Connected Cache", fact, |_| {
        match asker.facts.distribution_point(code, host).and_then(|point| point.connected_cache) {
            Some(on) => Tri::of(on, || format!("{host} is a Microsoft Connected Cache server ({})", source(fact))),
            None => Tri::unknown(format!("whether {host} is a Microsoft Connected Cache server")),
        }
    })
}
