//! What the hosts themselves say: the input of the rules that no site database decides.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{DottedVersion, TlsVersion};
use crate::host::HostName;
use crate::settings::SettingsError;
use crate::text::{self, printable};

/// The format of [`HostsDocument`].
pub const HOSTS_FORMAT: &str = "cmcomply.host-facts/1";
/// A page or two for each host; nothing larger is read.
const MAX_OCTETS: u64 = 16 << 20;

/// What hosts say of themselves, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostsDocument {
    /// [`HOSTS_FORMAT`].
    pub format: String,
    /// Each host once.
    pub hosts: Vec<HostFacts>,
}

/// What one host says of itself. What is left out was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// The host.
    pub host: HostName,
    /// When this was read, in UTC.
    pub read: Timestamp,
    /// The version of Windows, such as `10.0.20348`.
    #[serde(default)]
    pub windows: Reading<DottedVersion>,
    /// Whether Windows waits for a restart.
    #[serde(default)]
    pub restart_pending: Reading<bool>,
    /// `Release` under `HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full`.
    #[serde(default)]
    pub net_release: Reading<u32>,
    /// The version of the Microsoft ODBC Driver 18 for SQL Server.
    #[serde(default)]
    pub odbc_driver: Reading<DottedVersion>,
    /// The versions of TLS that SCHANNEL offers as a client.
    #[serde(default)]
    pub tls_versions: Reading<Vec<TlsVersion>>,
    /// The cipher suites that SCHANNEL offers, under their IANA names.
    #[serde(default)]
    pub tls_suites: Reading<Vec<String>>,
    /// Values under `HKLM\SOFTWARE`, such as `Microsoft\.NETFramework\v4.0.30319\SchUseStrongCrypto`.
    #[serde(default)]
    pub strong_crypto: BTreeMap<String, Reading<u32>>,
    /// SHA-1 thumbprints of the trusted root certificates, in hexadecimal.
    #[serde(default)]
    pub roots: Reading<Vec<String>>,
    /// The machine's proxy (`netsh winhttp show proxy`), as `HOST:PORT`; absent: direct.
    #[serde(default)]
    pub winhttp_proxy: Reading<String>,
    /// `MUUrl` of WSUS.
    #[serde(default)]
    pub update_source: Reading<String>,
    /// When the service connection point last reached the cloud service (dmpdownloader.log).
    #[serde(default)]
    pub cloud_contact: Reading<Timestamp>,
}

/// One value of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Reading<T> {
    /// Looked at and seen.
    Known {
        /// What was seen.
        value: T,
    },
    /// Looked at, and it is not there.
    Absent,
    /// It may be there and could not be read.
    Unreadable {
        /// Why not.
        detail: String,
    },
    /// Not looked at.
    #[default]
    NotRead,
}

impl HostFacts {
    /// A host of which nothing was looked at.
    pub fn unread(host: HostName, read: Timestamp) -> Self {
        Self {
            host,
            read,
            windows: Reading::NotRead,
            restart_pending: Reading::NotRead,
            net_release: Reading::NotRead,
            odbc_driver: Reading::NotRead,
            tls_versions: Reading::NotRead,
            tls_suites: Reading::NotRead,
            strong_crypto: BTreeMap::new(),
            roots: Reading::NotRead,
            winhttp_proxy: Reading::NotRead,
            update_source: Reading::NotRead,
            cloud_contact: Reading::NotRead,
        }
    }
}

impl HostsDocument {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let file = text::path(path);
        let wrong = |what: String| SettingsError { file: file.clone(), line: None, what };
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
        opened.take(MAX_OCTETS + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > MAX_OCTETS {
            return Err(wrong(format!("larger than {MAX_OCTETS} octets: that is no list of host facts")));
        }
        Self::parse(&file, &bytes)
    }

    /// Parses the bytes of the file of that name.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, SettingsError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
        }
        let wrong = |what: String| SettingsError { file: file.to_owned(), line: None, what: printable(&what, 400) };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let head: Head = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if head.format != HOSTS_FORMAT {
            return Err(wrong(format!("of format {}; this version reads {HOSTS_FORMAT}", head.format)));
        }
        serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))
    }
}

/// The host that two of these are about, if any: which of the two counts, nobody can tell.
pub fn twice(hosts: &[HostFacts]) -> Option<&HostName> {
    let again = |(at, one): &(usize, &HostFacts)| hosts[..*at].iter().any(|other| other.host.same_machine(&one.host));
    hosts.iter().enumerate().find(again).map(|(_, one)| &one.host)
}
