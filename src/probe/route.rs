//! Where a probe really connects: the target or its proxy, as the `--connect-to` rules say.

use std::net::IpAddr;

use super::{ConnectTo, NameEvidence};
use crate::derive::Via;
use crate::host::{HostName, HostOrAddress, Scheme};
use crate::plan::Probe;

/// The way of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// Through a proxy.
    pub(super) proxied: bool,
    /// The scheme of the target.
    scheme: Scheme,
    /// What is dialled.
    pub(super) dial: HostOrAddress,
    pub(super) port: u16,
    /// The rule that changed it, as it was given.
    pub(super) rule: Option<String>,
}

impl Route {
    /// `None` if the plan does not know the route. With a proxy the rules are for the proxy, as it is what is dialled.
    pub(super) fn of(probe: &Probe, rules: &[ConnectTo]) -> Option<Self> {
        Self::to(probe.target.scheme, &probe.target.host, probe.target.port, &probe.via, rules)
    }

    /// The way to a host.
    pub(super) fn to(scheme: Scheme, host: &HostName, port: u16, via: &Via, rules: &[ConnectTo]) -> Option<Self> {
        let (proxied, host, port) = match via {
            Via::Direct => (false, HostOrAddress::Name(host.clone()), port),
            Via::Proxy { host, port } => (true, host.clone(), *port),
            Via::Unknown => return None,
        };
        let rule = rules.iter().find(|rule| rule.applies(&host, port));
        let route = Self {
            proxied,
            scheme,
            port: rule.and_then(|rule| rule.to_port).unwrap_or(port),
            dial: rule.and_then(|rule| rule.to_host.clone()).unwrap_or(host),
            rule: rule.map(ToString::to_string),
        };
        Some(route)
    }

    /// Whether CONNECT is needed: plain HTTP asks the proxy itself.
    pub(super) fn has_tunnel(&self) -> bool {
        self.proxied && self.scheme == Scheme::Https
    }

    /// The evidence where the address is given and nothing is resolved.
    pub(super) fn address_evidence(&self, address: IpAddr) -> NameEvidence {
        NameEvidence {
            asked: address.to_string(),
            resolver: "none".to_owned(),
            connect_to: self.rule.clone(),
            response_code: None,
            canonical_names: Vec::new(),
            addresses: vec![address],
            answers: Vec::new(),
            oddities: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::{Asks, ProbeId, Target};

    fn probe(scheme: Scheme, via: Via) -> Probe {
        let host = HostName::parse("a.contoso.com").unwrap();
        let target = Target { scheme, host, port: scheme.default_port(), path: "/".into() };
        Probe {
            id: ProbeId("p".into()),
            target,
            via,
            contexts: BTreeSet::new(),
            requirements: Vec::new(),
            asks: Asks::default(),
        }
    }

    fn rules(texts: &[&str]) -> Vec<ConnectTo> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_first_rule_that_applies_counts_and_is_recorded() {
        let rules = rules(&["b.contoso.com:443:10.0.0.1:1", ":443::8443", "a.contoso.com:443:10.0.0.2:2"]);
        let route = Route::of(&probe(Scheme::Https, Via::Direct), &rules).unwrap();
        assert_eq!(route.dial, HostOrAddress::Name(HostName::parse("a.contoso.com").unwrap()));
        assert_eq!((route.port, route.rule.as_deref()), (8443, Some(":443::8443")));
        let route = Route::of(&probe(Scheme::Http, Via::Direct), &rules).unwrap();
        assert_eq!((route.port, route.rule), (80, None));
    }

    #[test]
    fn with_a_proxy_the_rules_are_for_the_proxy() {
        let via = Via::Proxy { host: HostOrAddress::parse("proxy.contoso.com").unwrap(), port: 8080 };
        let rules = rules(&["a.contoso.com:443:10.0.0.9:9", "proxy.contoso.com:8080:127.0.0.1:3128"]);
        let route = Route::of(&probe(Scheme::Https, via.clone()), &rules).unwrap();
        assert_eq!((route.dial.clone(), route.port), (HostOrAddress::Address("127.0.0.1".parse().unwrap()), 3128));
        assert!(route.has_tunnel());
        assert!(!Route::of(&probe(Scheme::Http, via), &rules).unwrap().has_tunnel());
    }

    #[test]
    fn an_unknown_route_is_none() {
        assert_eq!(Route::of(&probe(Scheme::Https, Via::Unknown), &[]), None);
    }
}
