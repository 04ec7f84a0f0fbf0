//! Addresses that a public name should not have: sinkholes of DNS filters, and those of private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::HostName;

/// An address in an answer that does not belong to a public name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Oddity {
    /// The address.
    pub address: IpAddr,
    /// What kind of address it is.
    pub kind: OddityKind,
    /// The same in words.
    pub detail: String,
}

/// What is odd about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OddityKind {
    /// Where DNS filters send names that they block: `0.0.0.0`, `::`, loopback, and the block-page servers of known
    /// filters. Whoever answers there is not the endpoint.
    Sinkhole,
    /// An address of a private network, the carrier's, or of this link: split DNS, a private endpoint, or a filter.
    Private,
}

/// What is odd about the addresses of this name; nothing where the name is of an inside network itself.
pub(super) fn of(name: &HostName, addresses: &[IpAddr]) -> Vec<Oddity> {
    if !is_public(name) {
        return Vec::new();
    }
    let odd = |address: &IpAddr| judge(*address).map(|(kind, words)| (*address, kind, words));
    addresses
        .iter()
        .filter_map(odd)
        .map(|(address, kind, detail)| Oddity { address, kind, detail: detail.to_owned() })
        .collect()
}

/// An address that leads no further than this machine or its link.
pub(super) fn is_of_this_machine_or_link(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_unspecified() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unicast_link_local(),
    }
}

/// IPv4 in the clothes of IPv6 is IPv4.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// A name that the whole internet can resolve: it has a domain, and none that is reserved for inside networks
/// (RFC 2606, 6761, 6762, 8375, and what Windows domains are often called).
fn is_public(name: &HostName) -> bool {
    let name = name.as_str();
    let top = name.rsplit('.').next().unwrap_or(name);
    top != name && !INSIDE.contains(&top)
}

fn judge(address: IpAddr) -> Option<(OddityKind, &'static str)> {
    if let Some((_, who)) = KNOWN_SINKHOLES.iter().find(|(sinkhole, _)| *sinkhole == address) {
        return Some((OddityKind::Sinkhole, who));
    }
    let address = plain(address);
    match address {
        _ if address.is_unspecified() => Some((OddityKind::Sinkhole, "no address at all: a DNS filter's answer")),
        _ if address.is_loopback() => {
            Some((OddityKind::Sinkhole, "this machine itself: a DNS filter's answer, or the hosts file"))
        }
        IpAddr::V4(v4) if matches!(v4.octets(), [0 | 240..=255, ..]) => {
            Some((OddityKind::Sinkhole, "an address that no host has"))
        }
        IpAddr::V4(v4) if v4.is_private() => Some((OddityKind::Private, "of a private network (RFC 1918)")),
        IpAddr::V4(v4) if v4.is_link_local() => Some((OddityKind::Private, "link-local")),
        IpAddr::V4(v4) if matches!(v4.octets(), [100, 64..=127, ..]) => {
            Some((OddityKind::Private, "of a carrier's inside network (RFC 6598)"))
        }
        IpAddr::V4(v4) if matches!(v4.octets(), [198, 18 | 19, ..]) => {
            Some((OddityKind::Private, "of a test network that secure gateways use for names (RFC 2544)"))
        }
        IpAddr::V6(v6) if v6.is_unique_local() => Some((OddityKind::Private, "of a private network (RFC 4193)")),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some((OddityKind::Private, "link-local")),
        _ => None,
    }
}

/// Top-level names that are never public.
const INSIDE: &[&str] = &[
    "ad",
    "arpa",
    "corp",
    "domain",
    "example",
    "home",
    "internal",
    "intern",
    "intra",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
];

/// Where known filters send blocked names, as their makers document it.
const KNOWN_SINKHOLES: &[(IpAddr, &str)] = &[
    (v4(146, 112, 61, 104), UMBRELLA),
    (v4(146, 112, 61, 105), UMBRELLA),
    (v4(146, 112, 61, 106), UMBRELLA),
    (v4(146, 112, 61, 107), UMBRELLA),
    (v4(146, 112, 61, 108), UMBRELLA),
    (v4(146, 112, 61, 109), UMBRELLA),
    (v4(146, 112, 61, 110), UMBRELLA),
    (v4(72, 5, 65, 111), PALO_ALTO),
    (v4(198, 135, 184, 22), PALO_ALTO),
    (IpAddr::V6(Ipv6Addr::new(0x2600, 0x5200, 0, 0, 0, 0, 0, 1)), PALO_ALTO),
    (v4(208, 91, 112, 55), FORTIGUARD),
];
const UMBRELLA: &str = "the block page of Cisco Umbrella";
const PALO_ALTO: &str = "the sinkhole of Palo Alto Networks";
const FORTIGUARD: &str = "the block page of FortiGuard";

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, address: &str) -> Option<OddityKind> {
        of(&HostName::parse(name).unwrap(), &[address.parse().unwrap()]).first().map(|odd| odd.kind)
    }

    #[test]
    fn what_a_public_name_should_not_have() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.8.8.8",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:0.0.0.0",
            "::ffff:127.0.0.1",
            "146.112.61.106",
            "72.5.65.111",
            "2600:5200::1",
        ] {
            assert_eq!(kind("download.microsoft.com", address), Some(OddityKind::Sinkhole), "{address}");
        }
        for address in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert_eq!(kind("download.microsoft.com", address), Some(OddityKind::Private), "{address}");
        }
        for address in
            ["13.107.42.14", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2620:1ec:c11::200", "146.112.61.103"]
        {
            assert_eq!(kind("download.microsoft.com", address), None, "{address}");
        }
    }

    #[test]
    fn an_inside_name_may_have_any_address() {
        for name in ["cm01", "cm01.contoso.local", "cm01.corp", "x.internal", "localhost"] {
            assert_eq!(kind(name, "10.0.0.1"), None, "{name}");
        }
        assert!(kind("cm01.corp.contoso.com", "10.0.0.1").is_some());
    }
}
