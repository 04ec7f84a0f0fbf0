//! The snapshot: all facts as one document, so that reading and everything after it can happen at different places.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::text::{self, printable};

/// The format of [`Snapshot`]; a change that old readers would misread makes it a new one.
pub const SNAPSHOT_FORMAT: &str = "cmcomply.snapshot/1";

/// The most that is read of a snapshot file.
const MAX_OCTETS: u64 = 256 << 20;

/// All facts of a hierarchy at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// [`SNAPSHOT_FORMAT`].
    pub format: String,
    /// The version of cmcomply that took it.
    pub tool_version: String,
    /// When the facts were read, in UTC.
    pub taken: Timestamp,
    /// Whether names were replaced by pseudonyms.
    pub redacted: bool,
    /// The facts.
    pub facts: Facts,
}

/// Why a file is no snapshot that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read.
    #[error("cannot read snapshot {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than any snapshot.
    #[error("snapshot {path} is larger than 256 MB: that is no snapshot")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// Of another version, or something else.
    #[error("{path} is of format {format}; this version reads {SNAPSHOT_FORMAT}: take the snapshot again")]
    Format {
        /// The file.
        path: String,
        /// What it says it is.
        format: String,
    },
    /// Damaged or edited.
    #[error("snapshot {path} is damaged: {what}; take it again")]
    Damaged {
        /// The file.
        path: String,
        /// Where and what.
        what: String,
    },
}

impl Snapshot {
    /// A snapshot of facts that were read at `taken`.
    pub fn new(facts: Facts, taken: Timestamp) -> Self {
        let tool_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: SNAPSHOT_FORMAT.to_owned(), tool_version, taken, redacted: false, facts }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        use std::io::Read as _;
        let name = text::path(path);
        let unreadable = |source| SnapshotError::Unreadable { path: name.clone(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_OCTETS + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_OCTETS {
            return Err(SnapshotError::TooLarge { path: name });
        }
        Self::parse(&name, &bytes)
    }

    /// Parses the bytes of a file; `path` is for the errors.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let damaged = |error: serde_json::Error| SnapshotError::Damaged {
            path: path.to_owned(),
            what: printable(&error.to_string(), 400),
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.format != SNAPSHOT_FORMAT {
            return Err(SnapshotError::Format { path: path.to_owned(), format: printable(&head.format, 80) });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// The document, indented, with a line end.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::readers::any::any_facts;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_facts_survive_a_round_trip(facts in any_facts(), seconds in 0_i64..4_000_000_000) {
            let snapshot = Snapshot::new(facts, Timestamp::from_second(seconds).unwrap());
            let json = snapshot.to_json().unwrap();
            let again = Snapshot::parse("site.json", &json).unwrap();
            prop_assert_eq!(&again, &snapshot);
            prop_assert_eq!(again.to_json().unwrap(), json);
        }
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_the_reason() {
        let refused = |bytes: &[u8]| Snapshot::parse("site.json", bytes).unwrap_err().to_string();
        assert!(refused(b"").contains("damaged"));
        assert!(refused(b"{\"format\":\"cmcomply.run/1\"}").contains("cmcomply.run/1"));
        assert!(refused(b"{\"format\":\"cmcomply.snapshot/1\"}").contains("missing field"));
        assert!(refused(b"{\"format\":\"cmcomply.snapshot/2\\u001b[2J\"}").contains("\\u{1b}"));
        assert!(refused("[".repeat(10_000).as_bytes()).contains("damaged"));
    }
}
