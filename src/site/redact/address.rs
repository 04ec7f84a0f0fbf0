//! Pseudonyms of addresses: one of the same kind for each, in networks in which no host of the internet is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address says nothing about anybody: loopback, none at all, everybody.
pub(super) fn is_anyones(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// The address in the place of another one; `digest` picks it from the network of its kind. What is private, link-local,
/// of a carrier's inside or of a test network stays so; all else is of a network that is reserved (`240.0.0.0/4`) or for
/// documents (`2001:db8::/32`).
pub(super) fn pseudonym(address: IpAddr, digest: [u8; 8]) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let (network, length) = network(v4);
            let host = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) & (u32::MAX >> length);
            Ipv4Addr::from_bits(network.to_bits() | host).into()
        }
        IpAddr::V6(v6) => {
            let first: [u16; 2] = if v6.is_unicast_link_local() {
                [0xfe80, 0]
            } else if v6.is_unique_local() {
                [0xfd00, 0]
            } else {
                [0x2001, 0x0db8]
            };
            let network = (u128::from(first[0]) << 112) | (u128::from(first[1]) << 96);
            Ipv6Addr::from_bits(network | u128::from(u64::from_be_bytes(digest))).into()
        }
    }
}

/// The network in which the pseudonym of an address is, and the bits that name it.
fn network(address: Ipv4Addr) -> (Ipv4Addr, u32) {
    match address.octets() {
        _ if address.is_private() => (Ipv4Addr::new(10, 0, 0, 0), 8),
        [169, 254, ..] => (Ipv4Addr::new(169, 254, 0, 0), 16),
        [100, 64..=127, ..] => (Ipv4Addr::new(100, 64, 0, 0), 10),
        [198, 18 | 19, ..] => (Ipv4Addr::new(198, 18, 0, 0), 15),
        _ => (Ipv4Addr::new(240, 0, 0, 0), 4),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pseudonyms;
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn kinds_stay_and_nothing_else_does() {
        let mut names = Pseudonyms::new(&[7; 32]);
        for (address, network) in [
            ("10.1.2.3", "10."),
            ("172.16.0.9", "10."),
            ("192.168.1.1", "10."),
            ("169.254.10.1", "169.254."),
            ("100.64.3.2", "100."),
            ("198.19.0.1", "198.1"),
            ("13.107.4.50", "2"),
            ("224.0.0.251", "2"),
            ("fe80::1", "fe80::"),
            ("fd12:3456::1", "fd00::"),
            ("2620:1ec:4a::1", "2001:db8::"),
            ("::ffff:10.1.2.3", "::ffff:10."),
        ] {
            let hidden = names.address(ip(address)).to_string();
            assert!(hidden.starts_with(network) && hidden != address, "{address}: {hidden}");
        }
        for address in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "255.255.255.255"] {
            assert_eq!(names.address(ip(address)), ip(address));
        }
    }

    #[test]
    fn each_address_has_its_own_whatever_else_is_there() {
        let all: Vec<IpAddr> = (0..=255u8)
            .flat_map(|n| [ip(&format!("10.1.2.{n}")), ip(&format!("13.107.4.{n}")), ip(&format!("2620:1ec::{n:x}"))])
            .collect();
        let mut names = Pseudonyms::new(&[7; 32]);
        let hidden: Vec<IpAddr> = all.iter().map(|address| names.address(*address)).collect();
        assert_eq!(hidden.iter().collect::<std::collections::HashSet<_>>().len(), all.len());
        // Another document under the same key, with the addresses in another order.
        let mut others = Pseudonyms::new(&[7; 32]);
        assert!(all.iter().zip(&hidden).rev().all(|(address, hidden)| others.address(*address) == *hidden));
        assert_ne!(Pseudonyms::new(&[8; 32]).address(all[0]), hidden[0]);
        let mapped = others.address(ip("::ffff:10.1.2.0"));
        assert_eq!(mapped.to_canonical(), hidden[0]);
    }

    #[test]
    fn one_that_is_taken_goes_to_the_next() {
        // A network of 65,536: some of these collide.
        let mut names = Pseudonyms::new(&[7; 32]);
        let all = (0..2000u32).map(|n| names.address(Ipv4Addr::from_bits(0xa9fe_0000 + n).into()));
        assert_eq!(all.collect::<std::collections::HashSet<_>>().len(), 2000);
    }
}
