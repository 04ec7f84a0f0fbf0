//! Rules on proxies: settings that contradict each other.

use super::Case;
use super::answer::{Answer, Answered, NOT_SAID, lacks, rows};
use super::hosts::reading;
use super::roles::more_points;
use crate::assess::Verdict;
use crate::catalog::Context;
use crate::derive::Decision;
use crate::host::HostName;
use crate::site::{ProxySetting, SiteCode, SoftwareUpdatePoint, SyncFrom};

/// The setting of a server of a site.
fn setting<'a>(case: &Case<'a>, site: &SiteCode, host: &HostName) -> Result<&'a ProxySetting, Answer> {
    let all = rows("proxies of the site systems", &case.facts.site_system_proxies)?;
    let found: Vec<_> = all.iter().filter(|one| one.site == *site && one.host.same_machine(host)).collect();
    match found.as_slice() {
        [one] if one.setting != ProxySetting::Unreadable => Ok(&one.setting),
        _ => Err(Answer::missing_of(
            host,
            "the proxy",
            "the site database has no usable setting, or several",
            "look at the properties of the site system in the console",
        )),
    }
}

pub(super) fn update_points_agree(case: &Case<'_>) -> Answered {
    let points = rows("software update points", &case.facts.software_update_points)?;
    let more = lacks("software update points", &case.facts.software_update_points);
    if points.is_empty() {
        return Ok(Answer::needless("there is no software update point").and(more));
    }
    Ok(points.iter().map(|point| agrees(case, point).unwrap_or_else(|missing| missing)).chain([more]).collect())
}

/// Whether the point's two options and the server's proxy fit each other.
fn agrees(case: &Case<'_>, point: &SoftwareUpdatePoint) -> Answered {
    let host = &point.host;
    let (sync, rules) = (point.use_proxy, point.use_proxy_for_adr);
    let unsaid = |what: &str| {
        Answer::missing(
            format!("whether {host} uses the proxy {what}"),
            NOT_SAID,
            "look at the properties of the software update point in the console",
        )
    };
    Ok(match (setting(case, &point.site, host)?, sync, rules) {
        (ProxySetting::Direct | ProxySetting::NeverSet, Some(true), _) => {
            Answer::wrong(format!("{host} is set to synchronize through a proxy, and the server has none"))
        }
        (ProxySetting::Direct | ProxySetting::NeverSet, _, Some(true)) => {
            Answer::wrong(format!("{host} is set to download for rules through a proxy, and the server has none"))
        }
        (ProxySetting::Direct | ProxySetting::NeverSet, Some(false), Some(false)) => {
            Answer::fine(format!("{host} goes directly"))
        }
        (_, Some(true), Some(false)) => {
            Answer::wrong(format!("{host} synchronizes through the proxy, and downloads for rules past it"))
        }
        (_, Some(false), Some(true)) => {
            Answer::wrong(format!("{host} downloads for rules through the proxy, and synchronizes past it"))
        }
        (_, Some(true), Some(true)) => Answer::fine(format!("{host} uses the server's proxy for both")),
        (_, Some(false), Some(false)) => past_the_proxy(case, point)?,
        (_, None, _) => unsaid("to synchronize"),
        (_, _, None) => unsaid("for automatic deployment rules"),
    })
}

/// A point that goes past its server's proxy. Fine, unless it fetches from Microsoft Update.
fn past_the_proxy(case: &Case<'_>, point: &SoftwareUpdatePoint) -> Answered {
    let host = &point.host;
    let sources = rows("synchronization sources", &case.facts.sync_sources)?;
    let own = sources.iter().find(|source| source.site == point.site);
    let Some((from, source)) = own.and_then(|own| Some((own.source?, own))) else {
        return Err(Answer::missing(
            format!("from where site {} synchronizes", point.site),
            NOT_SAID,
            "look at the software update point component of the site in the console",
        ));
    };
    let from_microsoft =
        from == SyncFrom::MicrosoftUpdate && source.default_sup.as_ref().is_none_or(|sup| sup.same_machine(host));
    Ok(Answer::of(!from_microsoft, format!("{host} does not use the server's proxy")))
}

pub(super) fn revocation(case: &Case<'_>) -> Answered {
    let points = rows("service connection points", &case.facts.service_connection_points)?;
    if points.is_empty() {
        return Ok(Answer::needless("there is no service connection point").and(more_points(case)));
    }
    Ok(points
        .iter()
        .map(|point| revocation_of(case, &point.site, &point.host).unwrap_or_else(|missing| missing))
        .chain([more_points(case)])
        .collect())
}

fn revocation_of(case: &Case<'_>, site: &SiteCode, host: &HostName) -> Answered {
    if !matches!(setting(case, site, host)?, ProxySetting::Proxy { .. }) {
        return Ok(Answer::needless(format!("{host} uses no proxy")));
    }
    if let Some(proxy) = reading(case, host, "the WinHTTP proxy", |facts| &facts.winhttp_proxy)? {
        return Ok(Answer::fine(format!("{host} has the WinHTTP proxy {proxy} too")));
    }
    // None: revocation lists are fetched directly. That is fine if they can be.
    let fetched = case.requirements.iter().zip(case.judgements).filter(|(requirement, _)| {
        requirement.context == Context::SystemWinhttp
            && requirement.decision == Decision::Needed
            && requirement.subject.host().is_some_and(|own| own.same_machine(host))
    });
    let verdicts: Vec<Verdict> = fetched.map(|(_, judgement)| judgement.verdict).collect();
    // A waiver changes who answers for it, not what is reached.
    Ok(if verdicts.contains(&Verdict::Fail) || verdicts.contains(&Verdict::Waived) {
        Answer::wrong(format!("{host} uses a proxy, WinHTTP there has none, and the direct way is blocked"))
    } else if !verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == Verdict::Pass) {
        Answer::fine(format!("{host} reaches revocation lists directly"))
    } else {
        Answer::missing(
            format!("whether {host} reaches revocation lists directly"),
            "not observed",
            "set the WinHTTP proxy, or state revocation_restricted and let the audit observe it",
        )
    })
}
