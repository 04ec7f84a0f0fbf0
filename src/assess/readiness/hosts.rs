//! Rules on what is installed on the servers, by what they say of themselves.

use jiff::Timestamp;

use super::answer::{Answer, Answered, NOT_SAID, known, lacks, rows};
use super::cloud::STRICT_SETUP;
use super::roles::{more_points, more_systems};
use super::{Case, HostFacts, Reading, roles};
use crate::catalog::DottedVersion;
use crate::host::HostName;
use crate::site::{FACTS_DAYS, Role, SiteSystem, SoftwareUpdatePoint, SyncFrom};

/// How a fact of a host comes in.
const HOW: &str = "look from the host itself (WinRM or the script), or give it with --host-facts";
/// .NET Framework by its `Release`, newest first, as Microsoft's table of versions has it.
const NET: [(u32, &str); 11] = [
    (533_320, "4.8.1"),
    (528_040, "4.8"),
    (461_808, "4.7.2"),
    (461_308, "4.7.1"),
    (460_798, "4.7"),
    (394_802, "4.6.2"),
    (394_254, "4.6.1"),
    (393_295, "4.6"),
    (379_893, "4.5.2"),
    (378_675, "4.5.1"),
    (378_389, "4.5"),
];
/// Roles that need the .NET Framework, by their names in the site database.
const NET_ROLES: [&str; 11] = [
    "SMS Site Server",
    "SMS Provider",
    "SMS Dmp Connector",
    "SMS Management Point",
    "SMS Software Update Point",
    "SMS SRS Reporting Point",
    "Data Warehouse Service Point",
    "AI Update Service Point",
    "SMS Certificate Registration Point",
    "SMS Enrollment Server",
    "SMS Enrollment Web Site",
];
/// Roles with the ODBC driver.
const ODBC_ROLES: [&str; 2] = ["SMS Site Server", "SMS Management Point"];

/// Whether a moment is still to come. A clock may be a little fast.
pub(super) fn is_to_come(moment: Timestamp, now: Timestamp) -> bool {
    now.duration_since(moment).as_secs() / 86_400 < -1
}

/// What a host says of itself, if that is known and not too old.
pub(super) fn facts_of<'a>(case: &Case<'a>, host: &HostName, what: &str) -> Result<&'a HostFacts, Answer> {
    let Some(facts) = case.hosts.iter().find(|facts| facts.host.same_machine(host)) else {
        return Err(Answer::missing_of(host, what, "nobody has read it there", HOW));
    };
    let age = case.now.duration_since(facts.read).as_secs() / 86_400;
    let day = facts.read.strftime("%F");
    if is_to_come(facts.read, case.now) {
        return Err(Answer::missing_of(host, what, format!("read on {day}, which is to come"), HOW));
    }
    if age > FACTS_DAYS {
        let why = format!("read on {day}, more than {FACTS_DAYS} days before");
        return Err(Answer::missing_of(host, what, why, HOW));
    }
    Ok(facts)
}

/// A value of a reading; `None` if it is known to be absent.
pub(super) fn value<'a, T>(host: &HostName, what: &str, reading: &'a Reading<T>) -> Result<Option<&'a T>, Answer> {
    match reading {
        Reading::Known { value } => Ok(Some(value)),
        Reading::Absent => Ok(None),
        Reading::Unreadable { detail } => Err(Answer::missing_of(host, what, detail, HOW)),
        Reading::NotRead => Err(Answer::missing_of(host, what, "not among what was read there", HOW)),
    }
}

/// One value of one host; `None` if it is known to be absent.
pub(super) fn reading<'a, T>(
    case: &Case<'a>,
    host: &HostName,
    what: &str,
    of: fn(&HostFacts) -> &Reading<T>,
) -> Result<Option<&'a T>, Answer> {
    value(host, what, of(facts_of(case, host, what)?))
}

/// The servers of which some condition holds, each once.
fn servers<'a>(case: &Case<'a>, which: impl Fn(&SiteSystem) -> bool) -> Result<Vec<&'a HostName>, Answer> {
    let mut hosts: Vec<&HostName> = Vec::new();
    for system in roles::systems(case)?.iter().filter(|system| which(system)) {
        if !hosts.contains(&&system.host) {
            hosts.push(&system.host);
        }
    }
    Ok(hosts)
}

/// All servers, each once.
pub(super) fn all_servers<'a>(case: &Case<'a>) -> Result<Vec<&'a HostName>, Answer> {
    servers(case, |_| true)
}

/// The servers with one of these roles, each once. The site servers are always among them, so that none means a list that
/// is not whole.
fn servers_with<'a>(case: &Case<'a>, names: &[&str]) -> Result<Vec<&'a HostName>, Answer> {
    let named = |role: &Role| names.iter().any(|name| role.database_name().eq_ignore_ascii_case(name));
    let hosts = servers(case, |system| system.roles.iter().any(|installed| named(&installed.role)))?;
    if hosts.is_empty() {
        let why = "the list of site systems has none, and each site has one";
        return Err(Answer::missing("the site servers", why, "read the database of the top-level site"));
    }
    Ok(hosts)
}

/// Asks each of these hosts for one value.
pub(super) fn each<T>(
    case: &Case<'_>,
    hosts: &[&HostName],
    what: &str,
    of: fn(&HostFacts) -> &Reading<T>,
    ask: impl Fn(&HostName, Option<&T>) -> Answer,
) -> Answer {
    let of_host = |host: &&HostName| match reading(case, host, what, of) {
        Ok(value) => ask(host, value),
        Err(missing) => missing,
    };
    hosts.iter().map(of_host).collect()
}

pub(super) fn net_framework(case: &Case<'_>) -> Answered {
    let Some(minimum) = &case.target.net_minimum else {
        return Ok(Answer::needless(format!("no minimum is documented for version {}", case.target.version)));
    };
    let hosts = servers_with(case, &NET_ROLES)?;
    Ok(each(
        case,
        &hosts,
        "the .NET Framework",
        |facts| &facts.net_release,
        |host, release| {
            let version = release.and_then(|release| NET.iter().find(|(least, _)| release >= least));
            match version.and_then(|(_, version)| version.parse::<DottedVersion>().ok()) {
                Some(version) => Answer::of(version >= *minimum, format!("{host} has {version}; it needs {minimum}")),
                None => Answer::wrong(format!("{host} has none of version 4.5 or later; it needs {minimum}")),
            }
        },
    )
    .and(more_systems(case)))
}

pub(super) fn odbc_driver(case: &Case<'_>) -> Answered {
    let Some(minimum) = &case.target.odbc_minimum else {
        return Ok(Answer::needless(format!("no minimum is documented for version {}", case.target.version)));
    };
    let hosts = servers_with(case, &ODBC_ROLES)?;
    Ok(each(
        case,
        &hosts,
        "the ODBC driver",
        |facts| &facts.odbc_driver,
        |host, version| match version {
            Some(version) if case.target.odbc_blocked.contains(version) => {
                Answer::wrong(format!("{host} has {version}, which must not be used"))
            }
            Some(version) => Answer::of(version >= minimum, format!("{host} has {version}; it needs {minimum}")),
            None => Answer::wrong(format!("{host} has no ODBC Driver 18; it needs {minimum}")),
        },
    )
    .and(more_systems(case)))
}

pub(super) fn windows(case: &Case<'_>) -> Answered {
    // Windows Server 2012 R2 is 6.3.
    if case.target.build < STRICT_SETUP {
        return Ok(Answer::needless("setup looks at it from version 2403 on"));
    }
    let hosts = all_servers(case)?;
    Ok(each(
        case,
        &hosts,
        "the version of Windows",
        |facts| &facts.windows,
        |host, version| match version {
            Some(version) => Answer::of(version.part(0) >= 10, format!("{host} has Windows {version}")),
            None => Answer::missing_of(host, "the version of Windows", "it says that it has none", HOW),
        },
    )
    .and(more_systems(case)))
}

pub(super) fn restart(case: &Case<'_>) -> Answered {
    let hosts = servers_with(case, &["SMS Site Server"])?;
    Ok(each(
        case,
        &hosts,
        "whether a restart is pending",
        |facts| &facts.restart_pending,
        |host, pending| match pending {
            Some(true) => Answer::wrong(format!("{host} waits for a restart")),
            Some(false) => Answer::fine(format!("{host} waits for none")),
            None => Answer::missing_of(host, "whether a restart is pending", "it says neither yes nor no", HOW),
        },
    )
    .and(more_systems(case)))
}

pub(super) fn update_source(case: &Case<'_>) -> Answered {
    const NOW: &str = "sws.update.microsoft.com";
    let sources = rows("synchronization sources", &case.facts.sync_sources)?;
    let points = rows("software update points", &case.facts.software_update_points)?;
    let mut answers = Vec::new();
    for source in sources {
        match (source.source, &source.default_sup) {
            (Some(SyncFrom::MicrosoftUpdate), Some(host)) => {
                answers.push(each(
                    case,
                    &[host],
                    "MUUrl of WSUS",
                    |facts| &facts.update_source,
                    |host, url| {
                        let url = url.map_or("nothing", String::as_str);
                        let name = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
                        // The rest of the address says no more.
                        let shown = name.as_deref().unwrap_or(url);
                        Answer::of(name.as_deref() == Some(NOW), format!("{host} synchronizes from {shown}"))
                    },
                ));
            }
            (Some(SyncFrom::Upstream | SyncFrom::Nothing), _) => {}
            (Some(SyncFrom::MicrosoftUpdate), None) | (None, _) => answers.push(Answer::missing(
                format!("which server of site {} synchronizes from where", source.site),
                NOT_SAID,
                "look at the software update point component of the site in the console",
            )),
        }
    }
    let unsaid = |point: &&SoftwareUpdatePoint| !sources.iter().any(|source| source.site == point.site);
    answers.extend(points.iter().filter(unsaid).map(|point| {
        Answer::missing(
            format!("from where {} of site {} synchronizes", point.host, point.site),
            NOT_SAID,
            "look at the software update point component of the site in the console",
        )
    }));
    answers.extend([
        lacks("synchronization sources", &case.facts.sync_sources),
        lacks("software update points", &case.facts.software_update_points),
    ]);
    answers.retain(|answer| *answer != Answer::default());
    if answers.is_empty() {
        let why = if points.is_empty() { "there is no software update point" } else { "none uses Microsoft Update" };
        return Ok(Answer::needless(why));
    }
    Ok(answers.into_iter().collect())
}

pub(super) fn cloud_contact(case: &Case<'_>) -> Answered {
    const DAYS: i64 = 7;
    let points = known("service connection points", &case.facts.service_connection_points)?;
    let online: Vec<&HostName> =
        points.iter().filter(|point| point.online != Some(false)).map(|point| &point.host).collect();
    if online.is_empty() {
        return Ok(Answer::needless("no service connection point is online").and(more_points(case)));
    }
    Ok(each(
        case,
        &online,
        "the last contact with the cloud service",
        |facts| &facts.cloud_contact,
        |host, last| {
            let Some(last) = last else {
                return Answer::wrong(format!("{host} has never reached it"));
            };
            if is_to_come(*last, case.now) {
                let why = format!("{} is still to come", last.strftime("%F"));
                return Answer::missing_of(host, "the last contact with the cloud service", why, HOW);
            }
            let days = case.now.duration_since(*last).as_secs() / 86_400;
            Answer::of(days < DAYS, format!("{host} reached it on {}, {days} days before", last.strftime("%F")))
        },
    )
    .and(more_points(case)))
}
