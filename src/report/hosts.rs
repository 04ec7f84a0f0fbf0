//! The hosts of a hierarchy, from where each is looked at, and whether that works.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Listing;
use crate::derive::Subject;
use crate::host::HostName;
use crate::vantage::{EvidenceGrade, Unreached, VantageKind};

/// The format of [`Hosts`].
pub const HOSTS_FORMAT: &str = "cmcomply.hosts/1";

/// Who is looked at from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hosts {
    /// [`HOSTS_FORMAT`].
    pub format: String,
    /// One for each host of each site; clients and consoles come last.
    pub hosts: Vec<HostRow>,
}

/// A host, or a kind of device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRow {
    /// Who.
    pub subject: Subject,
    /// Its roles, in the words of the product's documentation.
    pub roles: Vec<String>,
    /// How it is looked at.
    pub vantage: VantageKind,
    /// Whether the settings say so; else it is the default.
    pub stated: bool,
    /// The machine that looks; `null` where this machine has no name.
    pub machine: Option<HostName>,
    /// The account that signs in there, where the settings name one.
    pub account: Option<String>,
    /// The best grade of evidence that this can give.
    pub grade: EvidenceGrade,
    /// Whether it answers; `null` where nothing is asked.
    pub answers: Option<bool>,
    /// What was checked.
    pub checked: Option<String>,
    /// Why it does not answer.
    pub unreached: Option<Unreached>,
}

/// As a list with columns.
pub fn hosts(hosts: &Hosts) -> Listing<8> {
    let failed = |unreached: &Unreached| format!("{}: {unreached}", unreached.why.title());
    let row = |row: &HostRow| {
        let site = match &row.subject {
            Subject::Host { site, .. } => site.to_string(),
            _ => String::new(),
        };
        let by_default = if row.stated { "" } else { " (default)" };
        let looks = row.machine.as_ref().map_or("this machine", HostName::as_str);
        let answers = match row.answers {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not asked",
        };
        let unreached = row.unreached.as_ref().map(failed);
        [
            row.subject.to_string(),
            site,
            row.roles.join(", "),
            format!("{}{by_default}", row.vantage.name()),
            row.account.as_ref().map_or_else(|| looks.to_owned(), |account| format!("{looks} as {account}")),
            row.grade.to_string(),
            answers.to_owned(),
            unreached.or_else(|| row.checked.clone()).unwrap_or_default(),
        ]
    };
    Listing {
        columns: ["host", "site", "roles", "vantage", "looked at from", "grade", "answers", "what was found"],
        rows: hosts.hosts.iter().map(row).collect(),
    }
}
