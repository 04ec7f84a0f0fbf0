//! What every report says at its head: of which site, from where, with what result and which limits.

use sha2::{Digest as _, Sha256};

use super::table::limits;
use super::{hygiene, vantages};
use crate::evidence::Run;
use crate::text::hexadecimal;

/// The head of a report.
pub(super) struct Summary {
    /// `Internet endpoints of site CAS: non-compliant`
    pub(super) title: String,
    /// Names and values.
    pub(super) about: Vec<(&'static str, String)>,
    /// Why the run is incomplete.
    pub(super) incomplete: Vec<String>,
    /// What makes the result say less than a reader would take it to say.
    pub(super) limits: Vec<String>,
}

impl Summary {
    pub(super) fn of(run: &Run) -> Self {
        let facts = &run.facts;
        let site = facts.this_site.known().map_or_else(|| "an unknown site".to_owned(), |code| format!("site {code}"));
        let title = format!("Internet endpoints of {site}: {}", run.outcome.title());
        let place = if run.settings.from_here {
            format!("{}, whose failures count for every host that it looks at (--from-here)", run.vantage.title())
        } else {
            run.vantage.title().to_owned()
        };
        let from = vantages::lines(run).into_iter().map(|line| ("evidence", line));
        let probed =
            run.observations.iter().filter(|seen| seen.redirected_from.is_none() && !seen.was_cancelled()).count();
        let mut about = vec![
            ("result", format!("{} (exit code {})", run.outcome.title(), run.outcome.exit_code())),
            ("site database", format!("{} on {}, {site}", facts.connection.database, facts.connection.server)),
            ("run on", place),
            ("begun", format!("{:.0}", run.moments.started)),
            ("ended", format!("{:.0}", run.moments.finished)),
            ("endpoints probed", format!("{probed} of {}", run.probes.len())),
            ("catalog", format!("{}, SHA-256 {}", run.catalog.version, run.catalog.sha256)),
            ("made by", format!("{} {}", run.tool.name, run.tool.version)),
            ("SHA-256 of the run document", sha256(run)),
        ];
        about.extend(hygiene::said(run).map(|said| ("retired names", said)));
        about.splice(3..3, from);
        if let Some(version) = &run.settings.target_version {
            about.insert(1, ("needed after an update to", format!("version {version}")));
        }
        let mut limits = limits(run);
        limits.push(ONE_WAY.to_owned());
        Self { title, about, incomplete: run.outcome.incomplete.clone(), limits }
    }
}

/// Over the run document as it is written; a run that cannot be written has none.
pub(super) fn sha256(run: &Run) -> String {
    run.to_json().map_or_else(|_| "none".to_owned(), |document| hexadecimal(&Sha256::digest(&document)))
}

const ONE_WAY: &str = "It is proved that what is needed can be reached. Whether more is allowed than is needed only the \
                       rules of the firewall say";
