//! Names of services that are gone: looked at only where the operator wants to know which rules can go.

use super::{Plan, hosts, probes};
use crate::derive::{Decision, RequiredName, Requirement};
use crate::host::HostName;

/// What is retired and whose hosts nothing else in the hierarchy needs: a rule for such a name has no use any more.
pub fn spare(requirements: &[Requirement]) -> Vec<&Requirement> {
    let (gone, live): (Vec<&Requirement>, Vec<&Requirement>) =
        requirements.iter().partition(|requirement| requirement.decision == Decision::Retired);
    let needs = |other: &Requirement, host: &HostName, port: Option<u16>| {
        let named = match &other.name {
            RequiredName::Pattern(pattern) => pattern.matches(host),
            // It may become any name.
            RequiredName::Template(_) => false,
        };
        (named || hosts(other).contains(host)) && (other.port.is_none() || other.port == port)
    };
    let is_needed =
        |one: &Requirement| hosts(one).iter().any(|host| live.iter().any(|other| needs(other, host, one.port)));
    gone.into_iter().filter(|requirement| !is_needed(requirement)).collect()
}

/// Their probes: the layers and nothing besides.
pub fn retired<'a>(spare: impl IntoIterator<Item = &'a Requirement>) -> Plan {
    probes(spare.into_iter().filter(|requirement| requirement.decision == Decision::Retired), false)
}
