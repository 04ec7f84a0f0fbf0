//! Conditions over facts, in three values: a fact that is unknown decides nothing.

mod clients;
mod cloud;
mod hierarchy;
mod objects;
mod updates;

pub(super) use objects::objects;

use super::index::Index;
use crate::catalog::{Cloud, Condition, ConditionFact};
use crate::host::HostName;
use crate::site::{ClientOption, Fact, SiteCode, Subscription, UnknownWhy};

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

/// The value of one fact for one asker.
pub(super) fn evaluate_fact(fact: ConditionFact, asker: Asker<'_>) -> Tri {
    let facts = asker.facts;
    match fact {
        ConditionFact::ScpOnline => cloud::scp_online(asker),
        ConditionFact::HierarchyOnline => cloud::hierarchy_online(facts),
        ConditionFact::SiteTopLevel => hierarchy::site_top_level(asker),
        ConditionFact::SiteSecondary => hierarchy::site_secondary(asker),
        ConditionFact::CmgExists => cloud::cmg_exists(asker),
        ConditionFact::EntraTenant => cloud::entra_tenant(asker),
        ConditionFact::EntraUserDiscovery => flag("Microsoft Entra user discovery", &facts.entra_user_discovery),
        ConditionFact::AzureServices => some("Azure services", &facts.azure_services, |_| true),
        ConditionFact::CoManagement => cloud::co_management(facts),
        ConditionFact::TenantAttach => flag("tenant attach", &facts.tenant_attach),
        ConditionFact::EndpointAnalytics => flag("Endpoint analytics", &facts.endpoint_analytics),
        ConditionFact::DesktopAnalytics => count("Desktop Analytics settings", &facts.desktop_analytics),
        ConditionFact::StoreForBusiness => cloud::store_for_business(facts),
        ConditionFact::ExternalNotifications => cloud::external_notifications(facts),
        ConditionFact::DeliveryOptimization => clients::setting(facts, ClientOption::DeliveryOptimization),
        ConditionFact::ConnectedCacheClients => clients::setting(facts, ClientOption::ConnectedCache),
        ConditionFact::Microsoft365Management => clients::setting(facts, ClientOption::Microsoft365Apps),
        ConditionFact::ConnectedCache => hierarchy::connected_cache(asker),
        ConditionFact::Microsoft365Subscription => {
            updates::subscription(facts, "Microsoft 365 Apps", Subscription::MICROSOFT_365_APPS)
        }
        ConditionFact::UpgradesSubscription => updates::subscription(facts, "Upgrades", Subscription::UPGRADES),
        ConditionFact::ServicingPlans => count("Windows servicing plans", &facts.servicing_plans),
        ConditionFact::ThirdPartyCatalogs => updates::third_party_catalogs(facts),
        ConditionFact::UpdatesFromMicrosoftUpdate => updates::from_microsoft_update(facts),
        ConditionFact::SupSyncsFromMicrosoftUpdate => updates::of_sup(asker, updates::syncs_from_microsoft_update),
        ConditionFact::SupHasUpstream => updates::of_sup(asker, updates::has_upstream),
        ConditionFact::SupHasDownstream => updates::of_sup(asker, updates::has_downstream),
        ConditionFact::SupRemoteInternetBased => updates::of_sup(asker, updates::remote_internet_based),
    }
}

/// What is missing, for an unknown fact; `None` if the fact is known.
pub(super) fn missing<T>(what: &str, fact: &Fact<T>) -> Option<String> {
    match fact {
        Fact::Unknown { why, detail } => Some(unknown(what, *why, detail)),
        Fact::Known { .. } => None,
    }
}

/// What may be missing besides what is known: the rows that there are decide, and those that there are not do not.
pub(super) fn more<T>(what: &str, fact: &Fact<T>) -> Option<String> {
    fact.may_lack().map(|why| format!("more {what}: {why}"))
}

/// What is missing where a fact is unknown, or may not be whole.
pub(super) fn missing_or_more<T>(what: &str, fact: &Fact<T>) -> Option<String> {
    missing(what, fact).or_else(|| more(what, fact))
}

fn source<T>(fact: &Fact<T>) -> &str {
    match fact {
        Fact::Known { source, .. } => &source.object,
        Fact::Unknown { .. } => "",
    }
}

/// Whether a fact of yes or no is yes.
fn flag(what: &str, fact: &Fact<bool>) -> Tri {
    decide(what, fact, |on| Tri::of(*on, || format!("{what} is on ({})", source(fact))))
}

/// Whether there is at least one.
fn count(what: &str, fact: &Fact<u64>) -> Tri {
    decide(what, fact, |count| Tri::of(*count > 0, || format!("{what}: {count} ({})", source(fact))))
}

/// Whether there is a row that counts.
fn some<T>(what: &str, fact: &Fact<Vec<T>>, counts: impl Fn(&T) -> bool) -> Tri {
    decide(what, fact, |rows| {
        let count = rows.iter().filter(|row| counts(row)).count();
        Tri::of(count > 0, || format!("{what}: {count} ({})", source(fact)))
    })
}

/// Whether there is such a thing: what a known value says, unless it may not be all and says no. Unknown is unknown.
fn decide<T>(what: &str, fact: &Fact<T>, known: impl FnOnce(&T) -> Tri) -> Tri {
    look_up(what, fact, known).or(|| more(what, fact).map_or(Tri::False, Tri::unknown))
}

/// What a known value says of one thing that is in it; `known` knows that it may not be. Unknown is unknown.
fn look_up<T>(what: &str, fact: &Fact<T>, known: impl FnOnce(&T) -> Tri) -> Tri {
    match fact {
        Fact::Known { value, .. } => known(value),
        Fact::Unknown { why, detail } => Tri::unknown(unknown(what, *why, detail)),
    }
}

/// The keys of the settings file that state a fact where no object of the site database says it, or none that may be
/// read.
const STATED: [(&str, &str); 6] = [
    ("tenant attach", "tenant_attach"),
    ("Endpoint analytics", "endpoint_analytics"),
    ("Microsoft Entra user discovery", "entra_user_discovery"),
    ("cloud management gateways", "gateways"),
    ("external notifications", "notification_hosts"),
    ("hosts of external notifications", "notification_hosts"),
];

/// What is missing, why, and how to state or read it.
pub(super) fn unknown(what: &str, why: UnknownWhy, detail: &str) -> String {
    let key = STATED.iter().find(|(fact, _)| *fact == what).map(|(_, key)| *key);
    let rights = matches!(why, UnknownWhy::NotPermitted | UnknownWhy::NotVisible);
    let way = match (key, rights) {
        (Some(key), true) => format!("; grant the right (cmcomply queries --grants), or state {key} in cmcomply.toml"),
        (Some(key), false) => format!("; state {key} in cmcomply.toml"),
        (None, true) => "; grant the right (cmcomply queries --grants)".to_owned(),
        (None, false) => String::new(),
    };
    format!("{what}: {detail}{way}")
}
