//! Hand-off lists: what firewalls and proxies must allow, in their own words.
//!
//! A list is made from requirements ([`HandOff::of`]; one host's, or all) and rendered by [`render`]. What a format
//! cannot say is told in the loss report, which stands in the list itself where the format has comments, and beside it
//! always. [`check_against`] compares with a list that somebody has already.

mod allow_line;
mod azure;
mod bypass;
mod check;
mod csv;
mod edl;
mod entry;
mod fill;
mod loss;
mod pac;
mod pattern;
mod plain;
mod squid;
mod tree;

pub use allow_line::{AllowLine, AllowPattern, AllowPort, LineError};
pub use check::{
    Check, CheckError, MAX_LINE, MAX_LINES, MAX_TEXT, MaybeNeeded, Missing, NotUnderstood, Stale, StaleWhy, TooBroad,
    check_against,
};
pub use entry::{HandOff, ListEntry, Undecided};
pub(crate) use fill::may_fill;
pub(crate) use loss::who;
pub use loss::{Loss, LossKind};
pub use pac::PacRoutes;
pub use pattern::ListPattern;

use std::fmt;
use std::str::FromStr;

use crate::text;

/// Renders a list. The same input gives the same bytes, printable ASCII and line ends (and a byte order mark for CSV).
pub fn render(format: Format, hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let mut rendered = match format {
        Format::Plain => plain::render(hand_off, head),
        Format::Csv => csv::render(hand_off),
        Format::PanOsEdl => edl::render(hand_off),
        Format::Squid => squid::render(hand_off, head),
        Format::AzureFirewall => azure::render(hand_off, head),
        Format::Pac => pac::render(hand_off, head),
        Format::InspectionBypass => bypass::plain(hand_off, head),
        Format::SquidSplice => bypass::squid(hand_off, head),
    };
    rendered.losses.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    rendered
}

/// The formats of hand-off lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// One name or wildcard a line.
    Plain,
    /// A table, one row for each name, scheme and port.
    Csv,
    /// An external dynamic list of type URL, for PAN-OS; also for its custom URL categories.
    PanOsEdl,
    /// Access lists of the Squid proxy.
    Squid,
    /// An ARM template with an application rule collection of Azure Firewall.
    AzureFirewall,
    /// A proxy auto-configuration script.
    Pac,
    /// The names for which TLS inspection is not supported, one a line.
    InspectionBypass,
    /// The same for Squid.
    SquidSplice,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Csv,
        Self::PanOsEdl,
        Self::Squid,
        Self::AzureFirewall,
        Self::Pac,
        Self::InspectionBypass,
        Self::SquidSplice,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Csv => "csv",
            Self::PanOsEdl => "pan-os-edl",
            Self::Squid => "squid",
            Self::AzureFirewall => "azure-firewall",
            Self::Pac => "pac",
            Self::InspectionBypass => "tls-bypass",
            Self::SquidSplice => "squid-tls-bypass",
        }
    }

    /// How the names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::AzureFirewall => "json",
            Self::Pac => "pac",
            Self::Squid | Self::SquidSplice => "conf",
            Self::Plain | Self::PanOsEdl | Self::InspectionBypass => "txt",
        }
    }

    /// Whether the loss report stands in the list itself; else it must be kept beside it.
    pub fn has_comments(self) -> bool {
        !matches!(self, Self::Csv | Self::PanOsEdl)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(s: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.name() == s).ok_or_else(|| UnknownFormat(text::ascii(s, 40)))
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no list format `{0}`; known: {known}", known = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(String);

/// What a list says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'a> {
    /// When it was made, as text.
    pub generated_at: &'a str,
    /// The version of the catalog.
    pub catalog_version: &'a str,
    /// For whom it is, such as a host's name or `all hosts`.
    pub scope: &'a str,
    /// What a PAC script answers.
    pub pac: PacRoutes,
}

/// A list, and what it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The list, as it goes into a file.
    pub text: String,
    /// The loss report, the weightiest first.
    pub losses: Vec<Loss>,
}

impl Head<'_> {
    /// What the list is, when and from what it was made.
    fn lines(&self, title: &str) -> Vec<String> {
        vec![
            format!("cmcomply: {title}"),
            format!("for {}", text::ascii(self.scope, 200)),
            format!(
                "generated {} from catalog {}",
                text::ascii(self.generated_at, 80),
                text::ascii(self.catalog_version, 80)
            ),
        ]
    }

    /// The head and the loss report as comment lines.
    fn comments(&self, title: &str, losses: &[Loss], prefix: &str) -> String {
        let mut lines = self.lines(title);
        lines.push(match losses.len() {
            0 => "this list says all that is needed as far as it is decided, and no more".to_owned(),
            n => format!("what this list does not say, or says differently ({n}):"),
        });
        let mut losses: Vec<&Loss> = losses.iter().collect();
        losses.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        lines.extend(losses.iter().map(|loss| format!("- {loss}")));
        lines.iter().map(|line| format!("{prefix} {line}\n")).collect::<Vec<_>>().concat()
    }
}
