//! The names of runs in a store.

use std::fmt;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::Run;
use crate::text::{hexadecimal, printable};

/// The name of a run's folder: when it began (UTC), of which site it is, and the beginning of its record's SHA-256, as in
/// `20261125T080000Z-CAS-1f0c9a3e`. So names sort by time, and no two runs share one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RunName(String);

/// Hexadecimal digits of the hash.
const DIGITS: usize = 8;

/// No run, or more than one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRun {
    /// There is none at all.
    #[error("the store holds no run")]
    Empty,
    /// None begins so.
    #[error("the store holds no run {0}")]
    None(String),
    /// Several begin so.
    #[error("{text} may be {names}")]
    Several {
        /// What was asked for.
        text: String,
        /// The names.
        names: String,
    },
}

impl RunName {
    /// The name of this run, whose record these bytes are.
    pub(super) fn of(run: &Run, record: &[u8]) -> Self {
        Self::of_hashed(run, &hexadecimal(&Sha256::digest(record)))
    }

    /// The same by the SHA-256 of the record, in hexadecimal.
    pub(super) fn of_hashed(run: &Run, sha256: &str) -> Self {
        let began = run.moments.started.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        let site = run.facts.this_site.known().map_or_else(|| "UNKNOWN".to_owned(), ToString::to_string);
        Self(format!("{began}-{site}-{}", sha256.get(..DIGITS).unwrap_or_default()))
    }

    /// The name, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (moment, site, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (day, time) = moment.strip_suffix('Z')?.split_once('T')?;
        let fits = day.len() == 8
            && digits(day)
            && time.len() == 6
            && digits(time)
            && (3..=7).contains(&site.len())
            && site.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && hash.len() == DIGITS
            && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && parts.next().is_none();
        fits.then(|| Self(text.to_owned()))
    }

    /// As the folder is called.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The one of these names that is so, or begins so.
pub(super) fn find(text: &str, names: &[RunName]) -> Result<RunName, UnknownRun> {
    if let Some(name) = names.iter().find(|name| name.as_str() == text) {
        return Ok(name.clone());
    }
    let alike: Vec<&RunName> =
        names.iter().filter(|name| !text.is_empty() && name.as_str().starts_with(text)).collect();
    match alike.as_slice() {
        _ if names.is_empty() => Err(UnknownRun::Empty),
        [] => Err(UnknownRun::None(printable(text, 80))),
        [name] => Ok((*name).clone()),
        several => {
            let names: Vec<&str> = several.iter().take(5).map(|name| name.as_str()).collect();
            Err(UnknownRun::Several { text: printable(text, 80), names: names.join(", ") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_moment_a_site_and_a_hash() {
        for text in ["20261125T080000Z-CAS-1f0c9a3e", "20261125T080000Z-UNKNOWN-00000000"] {
            assert_eq!(RunName::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "..",
            ".part-1",
            "20261125T080000Z-CAS",
            "20261125T080000Z-CAS-1f0c9a3e-x",
            "20261125T080000Z-CAS-1F0C9A3E",
            "2026112T080000Z-CAS-1f0c9a3e",
            "20261125T080000Z-../-1f0c9a3e",
            "20261125T080000Z-CAS-1f0c9a3e/",
        ] {
            assert_eq!(RunName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_beginning_is_enough_where_it_is_of_one() {
        let names: Vec<RunName> = ["20261125T080000Z-CAS-1f0c9a3e", "20261126T080000Z-CAS-1f0c9a3e"]
            .iter()
            .filter_map(|n| RunName::parse(n))
            .collect();
        assert_eq!(find("20261126", &names).unwrap(), names[1]);
        assert!(matches!(find("2026", &names), Err(UnknownRun::Several { .. })));
        assert!(matches!(find("2027", &names), Err(UnknownRun::None(_))));
        assert!(matches!(find("", &names), Err(UnknownRun::None(_))));
        assert_eq!(find("2026", &[]), Err(UnknownRun::Empty));
    }
}
