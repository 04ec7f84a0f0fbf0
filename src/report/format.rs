//! The formats of a run, each a pure rendering: the same run gives the same bytes.

use std::fmt;
use std::str::FromStr;

use super::{Style, csv, hdf, html, junit, markdown, oscal, prometheus, table, xlsx};
use crate::evidence::Run;
use crate::text;

/// A format in which a run can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// The table of the terminal, 100 columns wide and without colours.
    Table,
    /// The run document itself.
    Json,
    /// One page for people: no scripts, nothing fetched, made to be printed too.
    Html,
    /// One line for each requirement.
    Csv,
    /// The same as a workbook, with a summary.
    Xlsx,
    /// Test results, for pipelines.
    Junit,
    /// NIST OSCAL assessment results 1.2.1, for governance tools.
    Oscal,
    /// Heimdall Data Format 1 (`InSpec` exec-json), for MITRE Heimdall.
    Hdf,
    /// A summary for tickets and pipelines.
    Markdown,
    /// Counters for the textfile collector of a node exporter.
    Prometheus,
}

/// A run that could not be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A value that JSON cannot hold.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// More than a workbook can hold.
    #[error("cannot be written as a workbook: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Table,
        Self::Json,
        Self::Html,
        Self::Csv,
        Self::Xlsx,
        Self::Junit,
        Self::Oscal,
        Self::Hdf,
        Self::Markdown,
        Self::Prometheus,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Junit => "junit",
            Self::Oscal => "oscal",
            Self::Hdf => "hdf",
            Self::Markdown => "markdown",
            Self::Prometheus => "prometheus",
        }
    }

    /// The name of its file in a run's folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Table => "report.txt",
            Self::Json => crate::evidence::store::RUN,
            Self::Html => "report.html",
            Self::Csv => "report.csv",
            Self::Xlsx => "report.xlsx",
            Self::Junit => "report.junit.xml",
            Self::Oscal => "report.oscal.json",
            Self::Hdf => "report.hdf.json",
            Self::Markdown => "report.md",
            Self::Prometheus => "report.prom",
        }
    }

    /// Whether it is no text, and so nothing for a terminal.
    pub fn is_binary(self) -> bool {
        self == Self::Xlsx
    }

    /// The run in this format.
    pub fn render(self, run: &Run) -> Result<Vec<u8>, RenderError> {
        Ok(match self {
            Self::Table => table(run, Style { width: 100, colour: false }).into_bytes(),
            Self::Json => run.to_json()?,
            Self::Html => html::render(run).into_bytes(),
            Self::Csv => csv::render(run).into_bytes(),
            Self::Xlsx => xlsx::render(run)?,
            Self::Junit => junit::render(run).into_bytes(),
            Self::Oscal => oscal::render(run)?,
            Self::Hdf => hdf::render(run)?,
            Self::Markdown => markdown::render(run).into_bytes(),
            Self::Prometheus => prometheus::render(run).into_bytes(),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownReportFormat;

    fn from_str(s: &str) -> Result<Self, UnknownReportFormat> {
        Self::ALL.into_iter().find(|format| format.name() == s).ok_or_else(|| UnknownReportFormat(text::ascii(s, 40)))
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no report format `{0}`; known: {known}", known = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownReportFormat(String);
