//! Rules on roles: what is gone or going, and what must be there.

use super::answer::{Answer, Answered, NOT_SAID, lacks, rows};
use super::{Case, Severity};
use crate::site::{Role, SiteSystem};

/// A role that the product no longer has, or is about to lose.
struct Leaving {
    /// The name in the site database.
    database: &'static str,
    /// The name in the documentation.
    title: &'static str,
    /// The first build whose setup says so.
    build: u32,
    /// As an error or as a warning.
    severity: Severity,
}

/// The names are those of the site database, the builds those of the list of prerequisite checks.
const LEAVING: [Leaving; 8] = [
    leaving("SMS Certificate Registration Point", "certificate registration point", 9128, Severity::Error),
    leaving("SMS Portal Web Site", "application catalog website point", 9058, Severity::Error),
    leaving("SMS Application Web Service", "application catalog web service point", 9058, Severity::Error),
    leaving("SMS AMT Service Point", "out of band service point", 0, Severity::Error),
    leaving("SMS System Health Validator", "system health validation point", 0, Severity::Error),
    leaving("SMS Enrollment Server", "enrollment point", 9078, Severity::Warning),
    leaving("SMS Enrollment Web Site", "enrollment proxy point", 9078, Severity::Warning),
    leaving("SMS Device Management Point", "device management point", 9078, Severity::Warning),
];

const fn leaving(database: &'static str, title: &'static str, build: u32, severity: Severity) -> Leaving {
    Leaving { database, title, build, severity }
}

/// The servers with their roles. A hierarchy without one was not read.
pub(super) fn systems<'a>(case: &Case<'a>) -> Result<&'a [SiteSystem], Answer> {
    match rows("site systems", &case.facts.site_systems)? {
        [] => Err(Answer::missing("site systems", "the list is empty", "read the database of the top-level site")),
        systems => Ok(systems),
    }
}

/// What is missing where those may not be all.
pub(super) fn more_systems(case: &Case<'_>) -> Answer {
    lacks("site systems", &case.facts.site_systems)
}

pub(super) fn removed(case: &Case<'_>) -> Answered {
    leaving_roles(case, Severity::Error)
}

pub(super) fn deprecated(case: &Case<'_>) -> Answered {
    leaving_roles(case, Severity::Warning)
}

fn leaving_roles(case: &Case<'_>, severity: Severity) -> Answered {
    let looked_for: Vec<&Leaving> =
        LEAVING.iter().filter(|role| role.severity == severity && role.build <= case.target.build).collect();
    let systems = systems(case)?;
    let has = |system: &SiteSystem, role: &Leaving| {
        system.roles.iter().any(|installed| installed.role.database_name().eq_ignore_ascii_case(role.database))
    };
    let found = systems.iter().flat_map(|system| {
        let here = looked_for.iter().filter(|role| has(system, role));
        here.map(|role| Answer::wrong(format!("{} is {} of site {}", system.host, role.title, system.site)))
    });
    let found: Answer = found.collect();
    if !found.wrong.is_empty() {
        return Ok(found.and(more_systems(case)));
    }
    let titles: Vec<&str> = looked_for.iter().map(|role| role.title).collect();
    let none = format!("no {} on {} servers", titles.join(", no "), systems.len());
    Ok(Answer::fine(none).and(more_systems(case)))
}

pub(super) fn asset_intelligence(case: &Case<'_>) -> Answered {
    let is_point = |system: &&SiteSystem| {
        system.roles.iter().any(|installed| installed.role == Role::AssetIntelligenceSynchronizationPoint)
    };
    let systems = systems(case)?;
    let found: Answer =
        systems.iter().filter(is_point).map(|system| Answer::wrong(format!("{} has the role", system.host))).collect();
    let none = || Answer::fine(format!("not on {} servers", systems.len()));
    let found = if found.wrong.is_empty() { none() } else { found };
    Ok(found.and(more_systems(case)))
}

pub(super) fn service_connection_point(case: &Case<'_>) -> Answered {
    let sites = super::versions::sites(case)?;
    let points = rows("service connection points", &case.facts.service_connection_points)?;
    let more = more_points(case);
    let answer = match points {
        [] if more != Answer::default() => Answer::default(),
        [] => Answer::wrong("there is none, so that no update can be had"),
        [one] => match sites.iter().find(|site| site.code == one.site) {
            Some(site) if site.parent.is_none() => {
                Answer::fine(format!("{} in site {}, at the top", one.host, one.site))
            }
            Some(_) => Answer::wrong(format!("{} is in site {}, which is not at the top", one.host, one.site)),
            None => Answer::missing(
                format!("where site {} of {} stands", one.site, one.host),
                "the list of sites does not have it",
                "read the database of the top-level site",
            ),
        },
        several => several
            .iter()
            .map(|one| Answer::wrong(format!("{} in site {} is one of {}", one.host, one.site, several.len())))
            .collect(),
    };
    Ok(answer.and(more))
}

/// What is missing where the service connection points may not be all.
pub(super) fn more_points(case: &Case<'_>) -> Answer {
    lacks("service connection points", &case.facts.service_connection_points)
}

pub(super) fn online(case: &Case<'_>) -> Answered {
    let points = rows("service connection points", &case.facts.service_connection_points)?;
    if points.is_empty() {
        return Ok(Answer::needless("there is no service connection point").and(more_points(case)));
    }
    Ok(points
        .iter()
        .map(|point| match point.online {
            Some(online) => {
                Answer::of(online, format!("{} is {}", point.host, if online { "online" } else { "offline" }))
            }
            None => Answer::missing(
                format!("whether {} is online", point.host),
                NOT_SAID,
                "look at the properties of the service connection point in the console",
            ),
        })
        .chain([more_points(case)])
        .collect())
}

/// The roles that a distribution point with Microsoft Connected Cache may have besides.
const BESIDE_CACHE: [&str; 3] = ["SMS Site System", "SMS Component Server", "SMS Distribution Point"];

pub(super) fn connected_cache(case: &Case<'_>) -> Answered {
    let points = rows("distribution points", &case.facts.distribution_points)?;
    let systems = systems(case)?;
    let answer: Answer = points
        .iter()
        .filter(|point| point.connected_cache != Some(false))
        .map(|point| {
            let own: Vec<_> = systems.iter().filter(|system| system.host.same_machine(&point.host)).collect();
            if own.is_empty() {
                let why = "the list of site systems does not have it";
                let what = format!("which roles {} has", point.host);
                return Answer::missing(what, why, "read the database of the top-level site");
            }
            let roles = own.into_iter().flat_map(|system| &system.roles).map(|installed| &installed.role);
            let others: Vec<&str> = roles
                .filter(|role| !BESIDE_CACHE.iter().any(|name| role.database_name().eq_ignore_ascii_case(name)))
                .map(Role::title)
                .collect();
            match (others.is_empty(), point.connected_cache) {
                (true, Some(_)) => Answer::fine(format!("{} is nothing but a distribution point", point.host)),
                (true, None) => Answer::default(),
                (false, Some(_)) => Answer::wrong(format!("{} is also {}", point.host, others.join(", "))),
                (false, None) => Answer::missing(
                    format!("whether {} is a Connected Cache server", point.host),
                    NOT_SAID,
                    "look at the properties of the distribution point in the console",
                ),
            }
        })
        .chain([lacks("distribution points", &case.facts.distribution_points), more_systems(case)])
        .collect();
    if answer == Answer::default() {
        return Ok(Answer::needless("no distribution point has Microsoft Connected Cache and another role"));
    }
    Ok(answer)
}
