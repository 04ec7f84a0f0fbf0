//! Published address ranges, for firewalls that know no names.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entry::{Cloud, SourceRef};
use crate::host::HostPattern;

/// Addresses that a document gives for some endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressRange {
    /// What the addresses are for.
    pub name: String,
    /// The endpoints that may be at them.
    pub endpoints: Vec<HostPattern>,
    /// The cloud.
    pub cloud: Cloud,
    /// The addresses.
    pub networks: Vec<Network>,
    /// According to whom, and when: such lists age fast.
    pub sources: Vec<SourceRef>,
}

/// A range of addresses in CIDR notation, with no bit set behind the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Network {
    /// The first address.
    address: IpAddr,
    /// Bits that all addresses share.
    prefix: u8,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no range of addresses (ADDRESS/PREFIX, with no bit set behind the prefix)")]
pub struct NetworkError(String);

impl Network {
    /// Whether the address is in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = width(self.address);
        width(address) == bits && head(number(address), self.prefix, bits) == number(self.address)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The first `prefix` of `bits` bits, the others zero.
fn head(number: u128, prefix: u8, bits: u8) -> u128 {
    let tail = u32::from(bits - prefix);
    number.checked_shr(tail).and_then(|head| head.checked_shl(tail)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let parsed = text.split_once('/').and_then(|(address, prefix)| {
            let address: IpAddr = address.parse().ok()?;
            let prefix = prefix.parse().ok().filter(|prefix| *prefix <= width(address))?;
            let exact = head(number(address), prefix, width(address)) == number(address);
            exact.then_some(Self { address, prefix })
        });
        parsed.ok_or_else(|| NetworkError(crate::text::ascii(text, 60)))
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;
    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.address, self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_parsed_strictly() {
        for good in ["13.107.228.0/23", "2620:1ec:4a::/47", "0.0.0.0/0", "::/0", "10.0.0.1/32"] {
            assert_eq!(good.parse::<Network>().unwrap().to_string(), good);
        }
        for bad in ["", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/-1", "::1/127", "a/8", "\u{1b}/8"] {
            assert!(!bad.parse::<Network>().unwrap_err().to_string().contains('\u{1b}'), "{bad}");
        }
    }

    #[test]
    fn an_address_is_in_its_range_only() {
        let contains =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(contains("13.107.228.0/23", "13.107.229.255"));
        assert!(!contains("13.107.228.0/23", "13.107.230.0"));
        assert!(contains("0.0.0.0/0", "255.255.255.255"));
        assert!(!contains("0.0.0.0/0", "::1"));
        assert!(contains("2620:1ec:4a::/47", "2620:1ec:4b::1"));
        assert!(contains("10.0.0.1/32", "10.0.0.1") && !contains("10.0.0.1/32", "10.0.0.2"));
    }
}
