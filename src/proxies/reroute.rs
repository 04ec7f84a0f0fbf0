//! Routes that depend on the endpoint: bypass lists and scripts.

use std::collections::BTreeMap;

use super::Rules;
use crate::catalog::Context;
use crate::derive::{Proof, RequiredName, Requirement, RouteBasis, Via};
use crate::host::{HostName, HostPattern};
use crate::plan::Target;

/// Gives each requirement of a context that has rules its route, with the reason in words. The operator stated the
/// rules, so the routes are the operator's.
///
/// A wildcard goes the way of the hosts that are probed for it; where these go different ways, or there are none, its way
/// is unknown, and the words say so.
pub fn reroute(requirements: &mut [Requirement], rules: &BTreeMap<Context, Rules>) {
    for requirement in requirements {
        let Some(rules) = rules.get(&requirement.context) else { continue };
        let mut ways: Vec<(Via, String)> = targets(requirement).iter().map(|target| rules.route(target)).collect();
        ways.dedup_by(|a, b| a.0 == b.0);
        let route = &mut requirement.route;
        match ways.as_slice() {
            [] => continue,
            [(via, words)] => (route.via, route.detail) = (via.clone(), words.clone()),
            [(_, first), (_, second), ..] => {
                route.via = Via::Unknown;
                route.detail = format!("its hosts go different ways: {first}; {second}");
            }
        }
        route.basis = RouteBasis::Operator;
    }
}

/// What is probed for the requirement.
fn targets(requirement: &Requirement) -> Vec<Target> {
    let hosts: &[HostName] = match (&requirement.proof, &requirement.name) {
        (Proof::Representative { hosts, .. } | Proof::Related { hosts, .. }, _) => hosts,
        (_, RequiredName::Pattern(HostPattern::Exact(host))) => std::slice::from_ref(host),
        _ => &[],
    };
    let scheme = requirement.scheme;
    let port = requirement.port.unwrap_or(scheme.default_port());
    let path = requirement.path.as_deref().unwrap_or("/");
    hosts.iter().map(|host| Target { scheme, host: host.clone(), port, path: path.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::derive::{Options, requirements};
    use crate::site::nothing_known;

    #[test]
    fn only_contexts_with_rules_are_rerouted_and_each_endpoint_by_itself() {
        let facts = nothing_known();
        let before = requirements(&facts, Catalog::embedded(), &Options::default());
        let via = super::super::proxy("proxy.contoso.com:8080", 80).unwrap();
        let rules = Rules::fixed("stated", via.clone(), "*.windowsupdate.com;graph.microsoft.com".parse().unwrap());
        let mut after = before.clone();
        reroute(&mut after, &[(Context::ClientSystem, rules)].into());
        let mut seen = [0; 3];
        for (before, after) in before.iter().zip(&after) {
            if before.context != Context::ClientSystem || targets(before).is_empty() {
                assert_eq!(before, after);
                seen[0] += 1;
            } else if after.route.via == via {
                assert_eq!((after.route.basis, after.route.detail.contains("stated")), (RouteBasis::Operator, true));
                seen[1] += 1;
            } else if after.route.via == Via::Direct {
                assert!(after.route.detail.contains("on the bypass list"), "{after:?}");
                seen[2] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}
