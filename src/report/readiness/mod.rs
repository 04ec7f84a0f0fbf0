//! Whether a hierarchy is ready for an update: one document, and its formats.

mod document;
mod html;
mod junit;
mod markdown;
mod read;
mod table;
mod words;

pub use document::{
    Assessed, Hierarchy, READINESS_FORMAT, Readiness, ReadinessEndpoint, ReadinessOrigin, ReadinessVerdict, Target,
    readiness,
};
pub use read::ReadinessError;
pub use table::readiness_table;

use std::fmt;

use super::Style;
use super::format::RenderError;

/// A format in which a readiness document can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReadinessFormat {
    /// The page of the terminal, 100 columns wide and without colours.
    Table,
    /// The document itself.
    Json,
    /// One page for people: no scripts, nothing fetched, made to be printed too.
    Html,
    /// Test results, for pipelines.
    Junit,
    /// For tickets and the summaries of pipelines.
    Markdown,
}

impl ReadinessFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Html, Self::Junit, Self::Markdown];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }

    /// The document in this format.
    pub fn render(self, document: &Readiness) -> Result<Vec<u8>, RenderError> {
        Ok(match self {
            Self::Table => readiness_table(document, Style { width: 100, colour: false }).into_bytes(),
            Self::Json => document.to_json()?,
            Self::Html => html::render(document).into_bytes(),
            Self::Junit => junit::render(document).into_bytes(),
            Self::Markdown => markdown::render(document).into_bytes(),
        })
    }
}

impl fmt::Display for ReadinessFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for ReadinessFormat {
    type Err = UnknownReadinessFormat;

    fn from_str(s: &str) -> Result<Self, UnknownReadinessFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == s);
        found.ok_or_else(|| UnknownReadinessFormat(crate::text::ascii(s, 40)))
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no format of a readiness report `{0}`; known: {known}", known = ReadinessFormat::ALL.map(ReadinessFormat::name).join(", "))]
pub struct UnknownReadinessFormat(String);
