//! Dotted version numbers, such as those of drivers.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version of up to four numbers, such as `18.4.1.1`. Numbers that are left out count as 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DottedVersion {
    parts: Vec<u32>,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a version (one to four numbers with dots between them)")]
pub struct VersionError;

impl DottedVersion {
    /// The number at a place, counted from 0; 0 where it is left out.
    pub fn part(&self, place: usize) -> u32 {
        self.parts.get(place).copied().unwrap_or(0)
    }

    fn all(&self) -> [u32; 4] {
        [0, 1, 2, 3].map(|place| self.part(place))
    }
}

impl FromStr for DottedVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|_| digits).ok_or(VersionError)
        };
        let parts = text.trim().split('.').map(number).collect::<Result<Vec<u32>, _>>()?;
        if parts.len() > 4 { Err(VersionError) } else { Ok(Self { parts }) }
    }
}

impl fmt::Display for DottedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
    }
}

impl Ord for DottedVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.all().cmp(&other.all()).then(self.parts.len().cmp(&other.parts.len()))
    }
}

impl PartialOrd for DottedVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for DottedVersion {
    type Error = VersionError;
    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<DottedVersion> for String {
    fn from(version: DottedVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> DottedVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("18.4.1.1") < version("18.10"));
        assert!(version("4.8") < version("4.8.1") && version("4.8") > version("4.7.2"));
        assert_eq!(version("18.4.1.1").to_string(), "18.4.1.1");
        for wrong in ["", "18.", ".1", "1.2.3.4.5", "1.x", "+1", "99999999999"] {
            assert_eq!(wrong.parse::<DottedVersion>(), Err(VersionError), "{wrong}");
        }
    }
}
