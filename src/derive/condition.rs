//! Conditions over facts, in three values: a fact that is unknown decides nothing.

use super::index::Index;
use super::sup;
use crate::catalog::{Cloud, Condition, ConditionFact};
use crate::host::HostName;
use crate::site::{Fact, SiteCode, SyncFrom};

/// The value of a condition, with the facts that made it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tri {
    /// It holds, because of these.
    True(Vec<String>),
    /// It does not hold.
    False,
    /// These facts are missing to tell.
    Unknown(Vec<String>),
}

/// Whom a condition is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) facts: &'a Index<'a>,
    /// The server, for facts about one server; `None` for clients, consoles and servers that could not be read.
    pub(super) server: Option<(&'a SiteCode, &'a HostName)>,
    /// The clouds of the entry: a gateway of another cloud does not count.
    pub(super) clouds: &'a [Cloud],
}

impl Tri {
    pub(super) fn of(value: bool, reason: impl FnOnce() -> String) -> Self {
        if value { Self::True(vec![reason()]) } else { Self::False }
    }

    pub(super) fn unknown(missing: impl Into<String>) -> Self {
        Self::Unknown(vec![missing.into()])
    }

    /// Both hold; false wins over unknown.
    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::False => Self::False,
            Self::True(mut reasons) => match other() {
                Self::True(more) => {
                    reasons.extend(more);
                    Self::True(reasons)
                }
                decided => decided,
            },
            Self::Unknown(mut missing) => match other() {
                Self::False => Self::False,
                Self::True(_) => Self::Unknown(missing),
                Self::Unknown(more) => {
                    missing.extend(more);
                    Self::Unknown(missing)
                }
            },
        }
    }

    /// One holds; true wins over unknown.
    fn or(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::True(reasons) => Self::True(reasons),
            Self::False => other(),
            Self::Unknown(mut missing) => match other() {
                Self::True(reasons) => Self::True(reasons),
                Self::False => Self::Unknown(missing),
                Self::Unknown(more) => {
                    missing.extend(more);
                    Self::Unknown(missing)
                }
            },
        }
    }
}

/// The value of a condition for one asker.
pub(super) fn evaluate(condition: &Condition, asker: Asker<'_>) -> Tri {
    match condition {
        Condition::Always => Tri::True(Vec::new()),
        Condition::Fact(fact) => evaluate_fact(*fact, asker),
        Condition::Not(inner) => match evaluate(inner, asker) {
            Tri::True(_) => Tri::False,
            Tri::False => Tri::True(vec![format!("not: {inner}")]),
            unknown @ Tri::Unknown(_) => unknown,
        },
        Condition::And(terms) => terms.iter().fold(Tri::True(Vec::new()), |sum, t| sum.and(|| evaluate(t, asker))),
        Condition::Or(terms) => terms.iter().fold(Tri::False, |sum, t| sum.or(|| evaluate(t, asker))),
    }
}

fn evaluate_fact(fact: ConditionFact, asker: Asker<'_>) -> Tri {
    match fact {
        ConditionFact::ScpOnline => scp_online(asker),
        ConditionFact::CmgExists => cmg_exists(asker),
        ConditionFact::EntraUserDiscovery => entra_user_discovery(asker.facts),
        ConditionFact::SupSyncsFromMicrosoftUpdate => of_sup(asker, syncs_from_microsoft_update),
        ConditionFact::SupHasUpstream => of_sup(asker, has_upstream),
        ConditionFact::SupHasDownstream => of_sup(asker, |facts, _, host| match sup::downstream(facts, host) {
            Ok(links) => Tri::of(!links.is_empty(), || {
                let names: Vec<&str> = links.iter().map(|l| l.host.as_str()).collect();
                format!("software update points that synchronize from this one: {}", names.join(", "))
            }),
            Err(missing) => Tri::unknown(missing),
        }),
        ConditionFact::SupRemoteInternetBased => of_sup(asker, remote_internet_based),
    }
}

/// What is missing, for an unknown fact; `None` if the fact is known or known to be absent.
pub(super) fn missing<T>(what: &str, fact: &Fact<T>) -> Option<String> {
    match fact {
        Fact::Unknown { detail, .. } => Some(format!("{what}: {detail}")),
        _ => None,
    }
}

fn source<T>(fact: &Fact<T>) -> &str {
    match fact {
        Fact::Known { source, .. } | Fact::Absent { source } => &source.object,
        Fact::Unknown { .. } => "",
    }
}

fn scp_online(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.service_connection_points;
    if let Some(missing) = missing("mode of the service connection point", fact) {
        return Tri::unknown(missing);
    }
    let row = fact.rows().iter().find(|scp| asker.server.is_none_or(|(_, host)| host.same_machine(&scp.host)));
    match row.and_then(|scp| scp.online.map(|online| (scp, online))) {
        Some((scp, online)) => {
            Tri::of(online, || format!("the service connection point on {} is online ({})", scp.host, source(fact)))
        }
        None => Tri::unknown("mode of the service connection point: the site database does not say online or offline"),
    }
}

fn cmg_exists(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.cmgs;
    if let Some(missing) = missing("cloud management gateways", fact) {
        return Tri::unknown(missing);
    }
    let mut undecided = None;
    for cmg in fact.rows() {
        let name = cmg.name.as_deref().unwrap_or("(no name)");
        match cmg.environment.map(Cloud::from_environment) {
            Some(Some(cloud)) if asker.clouds.contains(&cloud) => {
                return Tri::True(vec![format!(
                    "cloud management gateway {name} in {} ({})",
                    cloud.title(),
                    source(fact)
                )]);
            }
            Some(Some(_)) => {}
            // A gateway in a cloud that is not known may be in this one.
            _ => undecided = Some(format!("Azure environment of cloud management gateway {name}")),
        }
    }
    undecided.map_or(Tri::False, Tri::unknown)
}

fn entra_user_discovery(facts: &Index<'_>) -> Tri {
    match &facts.entra_user_discovery {
        Fact::Known { value, source } => {
            Tri::of(*value, || format!("Microsoft Entra user discovery is on ({})", source.object))
        }
        Fact::Absent { .. } => Tri::False,
        Fact::Unknown { detail, .. } => Tri::unknown(format!("Microsoft Entra user discovery: {detail}")),
    }
}

fn of_sup(asker: Asker<'_>, ask: impl FnOnce(&Index<'_>, &SiteCode, &HostName) -> Tri) -> Tri {
    match asker.server {
        Some((site, host)) => ask(asker.facts, site, host),
        None => Tri::unknown("names of the software update points"),
    }
}

fn syncs_from_microsoft_update(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
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

fn has_upstream(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
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

fn remote_internet_based(facts: &Index<'_>, site: &SiteCode, host: &HostName) -> Tri {
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
