//! Rules on TLS and trust, by what the servers say of themselves.

use std::collections::BTreeMap;

use super::Case;
use super::answer::{Answer, Answered};
use super::hosts::{all_servers, each, facts_of, reading, value};
use super::roles::more_systems;
use crate::assess::Verdict;
use crate::catalog::{Context, TlsRule, TlsVersion};
use crate::derive::{Decision, Requirement};
use crate::host::{HostName, Scheme};

/// The values that make the .NET Framework use strong cryptography and the system's versions of TLS.
const KEYS: [&str; 4] = [
    r"Microsoft\.NETFramework\v2.0.50727",
    r"Microsoft\.NETFramework\v4.0.30319",
    r"Wow6432Node\Microsoft\.NETFramework\v2.0.50727",
    r"Wow6432Node\Microsoft\.NETFramework\v4.0.30319",
];
const VALUES: [&str; 2] = ["SchUseStrongCrypto", "SystemDefaultTlsVersions"];
/// The host of the lists of trusted roots.
const ROOT_LISTS: &str = "ctldl.windowsupdate.com";

pub(super) fn strong_crypto(case: &Case<'_>) -> Answered {
    let of = |host: &&HostName| -> Answered {
        let facts = facts_of(case, host, "the registry values of .NET")?;
        let (mut wrong, mut missing) = (Vec::new(), Answer::default());
        for name in KEYS.iter().flat_map(|key| VALUES.map(|value| format!(r"{key}\{value}"))) {
            let reading = facts.strong_crypto.get(&name).cloned().unwrap_or_default();
            match value(host, &name, &reading) {
                Ok(Some(1)) => {}
                Ok(Some(other)) => wrong.push(format!("{name} is {other}")),
                Ok(None) => wrong.push(format!("{name} is not set")),
                Err(unread) => missing = missing.and(unread),
            }
        }
        Ok(match (wrong.as_slice(), missing == Answer::default()) {
            ([], true) => Answer::fine(format!("{host} has all {} values", KEYS.len() * VALUES.len())),
            ([], false) => missing,
            (wrong, _) => Answer::wrong(format!("{host}: {}", wrong.join("; "))).and(missing),
        })
    };
    let answers = all_servers(case)?.into_iter().map(|host| of(&host).unwrap_or_else(|missing| missing));
    Ok(answers.chain([more_systems(case)]).collect())
}

/// What is needed, or may be.
fn needs<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Requirement> {
    case.requirements.iter().filter(|requirement| requirement.decision != Decision::Retired)
}

/// What is missing where nobody can tell whether something is needed.
fn open(requirement: &Requirement, missing: &[String]) -> Answer {
    let what = format!("whether {} needs {}", requirement.subject, requirement.name);
    Answer::missing(what, missing.join("; "), "see the endpoint itself")
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
pub(super) fn suites(case: &Case<'_>) -> Answered {
    let mut rules: BTreeMap<(&HostName, Vec<&str>), (&TlsRule, String)> = BTreeMap::new();
    let mut unsure = Vec::new();
    for requirement in needs(case) {
        let Some(rule) = &requirement.tls else { continue };
        match (&requirement.decision, requirement.subject.host()) {
            (Decision::Undecided { missing }, _) => unsure.push(open(requirement, missing)),
            (_, Some(host)) => {
                let suites = rule.suites.iter().map(String::as_str).collect();
                rules.entry((host, suites)).or_insert_with(|| (rule, requirement.name.to_string()));
            }
            // Clients and consoles are many; what they offer is not asked.
            (_, None) => {}
        }
    }
    if rules.is_empty() && unsure.is_empty() {
        return Ok(Answer::needless("no server needs an endpoint whose suites are documented"));
    }
    let of = |((host, _), (rule, name)): (&(&HostName, _), &(&TlsRule, String))| -> Answered {
        let versions = reading(case, host, "the versions of TLS", |facts| &facts.tls_versions)?;
        let suites = reading(case, host, "the cipher suites", |facts| &facts.tls_suites)?;
        let speaks = |version| versions.is_some_and(|versions| versions.contains(&version));
        let usable = |suite: &&String| {
            let version = if suite.starts_with("TLS_AES_") { TlsVersion::Tls13 } else { TlsVersion::Tls12 };
            let offered = suites.is_some_and(|suites| suites.iter().any(|own| own.eq_ignore_ascii_case(suite)));
            version >= rule.min_version && speaks(version) && offered
        };
        let common: Vec<&str> = rule.suites.iter().filter(usable).map(String::as_str).collect();
        Ok(match common.first() {
            Some(suite) => Answer::fine(format!("{host} offers {suite} to {name}")),
            None => {
                Answer::wrong(format!("{host} offers none of the suites that {name} takes: {}", rule.suites.join(", ")))
            }
        })
    };
    Ok(rules.iter().map(|rule| of(rule).unwrap_or_else(|missing| missing)).chain(unsure).collect())
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
pub(super) fn roots(case: &Case<'_>) -> Answered {
    let mut hosts: Vec<&HostName> = Vec::new();
    let mut unsure = Vec::new();
    let public = needs(case)
        .filter(|need| need.scheme == Scheme::Https && need.context != Context::Intranet)
        .collect::<Vec<_>>();
    for (requirement, host) in public.iter().filter_map(|need| Some((need, need.subject.host()?))) {
        if requirement.decision == Decision::Needed && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    for requirement in public {
        let named = requirement.subject.host().is_some_and(|host| hosts.contains(&host));
        let of_server = requirement.role.site_role().is_some();
        if let (Decision::Undecided { missing }, false, true) = (&requirement.decision, named, of_server) {
            unsure.push(open(requirement, missing));
        }
    }
    if hosts.is_empty() && unsure.is_empty() {
        return Ok(Answer::needless("no server needs an endpoint over TLS"));
    }
    let wanted: Vec<_> =
        case.catalog.roots.iter().filter(|root| root.expired.is_none_or(|day| day > case.day)).collect();
    let asked = each(
        case,
        &hosts,
        "the trusted roots",
        |facts| &facts.roots,
        |host, own| {
            let has = |sha1: &str| own.is_some_and(|own| own.iter().any(|root| same_thumbprint(root, sha1)));
            let lacking: Vec<&str> =
                wanted.iter().filter(|root| !has(&root.sha1)).map(|root| root.name.as_str()).collect();
            if lacking.is_empty() {
                return Answer::fine(format!("{host} trusts all {}", wanted.len()));
            }
            let lacking = lacking.join(", ");
            match fetches_roots(case, host) {
                Some(Verdict::Pass) => {
                    Answer::fine(format!("{host} lacks {lacking}; it reaches {ROOT_LISTS}, which brings them"))
                }
                // A waiver changes who answers for it, not what is reached.
                Some(Verdict::Fail | Verdict::Waived) => Answer::wrong(format!(
                    "{host} lacks {lacking}, and does not reach {ROOT_LISTS}, which would bring them"
                )),
                _ => Answer::missing(
                    format!("whether {host}, which lacks {lacking}, reaches {ROOT_LISTS}"),
                    "not observed from there",
                    "install the roots, or probe http://ctldl.windowsupdate.com from the host (cmcomply probe)",
                ),
            }
        },
    );
    Ok(std::iter::once(asked).chain(unsure).collect())
}

/// As Windows shows it, or with blanks, colons and capitals.
fn same_thumbprint(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
    bare(one) == bare(other)
}

/// What was observed of the lists of roots from this host, the worst first.
fn fetches_roots(case: &Case<'_>, host: &HostName) -> Option<Verdict> {
    let observed = case.requirements.iter().zip(case.judgements).filter(|(requirement, judgement)| {
        requirement.subject.host().is_some_and(|own| own.same_machine(host))
            && judgement.probes.iter().any(|probe| probe.0.contains(&format!("//{ROOT_LISTS}:")))
    });
    let verdicts: Vec<Verdict> = observed.map(|(_, judgement)| judgement.verdict).collect();
    let worst = [Verdict::Fail, Verdict::Waived, Verdict::Error, Verdict::NotObserved, Verdict::Pass];
    worst.into_iter().find(|verdict| verdicts.contains(verdict))
}
