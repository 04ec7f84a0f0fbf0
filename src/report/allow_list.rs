//! What a comparison with an allow list found, as rows.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::Listing;
use super::lists::{Check, StaleWhy, who};
use crate::catalog::Catalog;
use crate::evidence::Tool;

/// The format of [`AllowListCheck`]; a change that old readers would misread makes it a new one.
pub const ALLOW_LIST_FORMAT: &str = "cmcomply.allow-list/1";

/// What a comparison with an allow list found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllowListCheck {
    /// [`ALLOW_LIST_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// The catalog's version.
    pub catalog: String,
    /// When the facts were read, in UTC.
    pub facts_read: Timestamp,
    /// Why what is needed may not be the whole set; empty if every fact that decides is known.
    pub incomplete: Vec<String>,
    /// Lines without a port, in a list without any port: they let every port through, unless the rule that uses the
    /// list says which.
    pub lines_without_port: usize,
    /// What differs: what is missing first, then the lines in their order.
    pub findings: Vec<AllowListFinding>,
}

/// What was found, with a stable word for its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AllowListFinding {
    /// The kind.
    pub finding: FindingKind,
    /// The line of the list; none for what is missing in it.
    pub line: Option<usize>,
    /// The line's text, or the endpoint that is missing.
    pub text: String,
    /// What that means.
    pub detail: String,
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// Needed, and not let through.
    Missing,
    /// Let through, and not needed by anything.
    Stale,
    /// Needed in part.
    #[serde(rename = "too broad")]
    TooBroad,
    /// Whether it is needed is undecided: a line, or without a line something that the list lacks.
    Undecided,
    /// A line that was not compared.
    #[serde(rename = "not understood")]
    NotUnderstood,
    /// Lines that name no port.
    #[serde(rename = "no port")]
    NoPort,
}

impl FindingKind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::TooBroad => "too broad",
            Self::Undecided => "undecided",
            Self::NotUnderstood => "not understood",
            Self::NoPort => "no port",
        }
    }
}

/// How many names a detail lists.
const MAX_NAMES: usize = 5;

/// The findings: what is missing first, then the lines in their order.
pub fn allow_list_findings(check: &Check) -> Vec<AllowListFinding> {
    let missing = check.missing.iter().map(|missing| {
        let entry = &missing.entry;
        let partly = match missing.partly.as_slice() {
            [] => String::new(),
            lines => format!("; a part of it is let through by line {}", joined(lines, ", ")),
        };
        AllowListFinding {
            finding: FindingKind::Missing,
            line: None,
            text: format!("{}://{}:{}", entry.scheme, entry.pattern, entry.port),
            detail: format!("needed by {}{partly}", who(&entry.subjects)),
        }
    });
    let maybe_missing = check.maybe_missing.iter().map(|undecided| AllowListFinding {
        finding: FindingKind::Undecided,
        line: None,
        text: {
            let port = undecided.port.map_or("?".to_owned(), |port| port.to_string());
            format!("{}://{}:{port}", undecided.scheme, undecided.name)
        },
        detail: format!(
            "may be needed by {}, and no line lets it through: {}",
            who(&undecided.subjects),
            joined(&undecided.missing, "; ")
        ),
    });
    let no_port = (check.any_port > 0).then(|| AllowListFinding {
        finding: FindingKind::NoPort,
        line: None,
        text: match check.any_port {
            1 => "1 line".to_owned(),
            lines => format!("{lines} lines"),
        },
        detail: "a list of names alone: each lets every port through, unless the rule that uses the list says which"
            .to_owned(),
    });
    let mut lines: Vec<AllowListFinding> = Vec::new();
    let mut found = |finding, line, text: &str, detail| {
        lines.push(AllowListFinding { finding, line: Some(line), text: text.to_owned(), detail });
    };
    for stale in &check.stale {
        let why = match &stale.why {
            StaleWhy::NotNeeded => "nothing needs it".to_owned(),
            StaleWhy::OnlyRetired(entries) => format!("what it was for has gone or moved ({})", joined(entries, ", ")),
            StaleWhy::OtherPort(ports) => format!("needed on port {} only", joined(ports, ", ")),
            StaleWhy::OtherScheme(scheme) => format!("needed with {scheme} only"),
        };
        found(FindingKind::Stale, stale.line, &stale.text, why);
    }
    for broad in &check.too_broad {
        let more = match broad.needed_count.saturating_sub(MAX_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let names = joined(broad.needed.iter().take(MAX_NAMES), ", ");
        let ports = match &broad.ports {
            Some(ports) => format!("; on port {} only, and not on every one", joined(ports, ", ")),
            None => String::new(),
        };
        found(FindingKind::TooBroad, broad.line, &broad.text, format!("needed of it: {names}{more}{ports}"));
    }
    for maybe in &check.undecided {
        found(
            FindingKind::Undecided,
            maybe.line,
            &maybe.text,
            format!("may be needed: {}", joined(&maybe.names, ", ")),
        );
    }
    for unknown in &check.not_understood {
        found(FindingKind::NotUnderstood, unknown.line, &unknown.text, format!("not compared: {}", unknown.error));
    }
    lines.sort_by_key(|finding| finding.line);
    missing.chain(maybe_missing).chain(lines).chain(no_port).collect()
}

/// The findings as a document.
pub fn allow_list_check(
    check: &Check,
    findings: Vec<AllowListFinding>,
    catalog: &Catalog,
    facts_read: Timestamp,
    incomplete: &[String],
) -> AllowListCheck {
    AllowListCheck {
        format: ALLOW_LIST_FORMAT.to_owned(),
        tool: Tool::this(),
        catalog: catalog.version.clone(),
        facts_read,
        incomplete: incomplete.to_vec(),
        lines_without_port: check.any_port,
        findings,
    }
}

/// The findings in columns.
pub fn allow_list_rows(findings: &[AllowListFinding]) -> Listing<4> {
    let row = |finding: &AllowListFinding| {
        let line = finding.line.map(|line| line.to_string()).unwrap_or_default();
        [finding.finding.word().to_owned(), line, finding.text.clone(), finding.detail.clone()]
    };
    Listing { columns: ["finding", "line", "text", "detail"], rows: findings.iter().map(row).collect() }
}

fn joined<'a, T: std::fmt::Display + 'a>(items: impl IntoIterator<Item = &'a T>, with: &str) -> String {
    items.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(with)
}
