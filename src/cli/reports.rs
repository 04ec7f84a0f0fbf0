//! `--report FORMAT=FILE`: a run in other formats, beside its record.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::Stop;
use crate::evidence::{Run, can_write_aside, write_aside};
use crate::report::Format;
use crate::text::printable;

/// The reports that an audit writes.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReportsArgs {
    /// Also write the run as html, xlsx, csv, junit, oscal, hdf, markdown, prometheus, json or table. Several: separated
    /// by commas, or the option again. Each file is written whole or not at all.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',', help_heading = "Output")]
    reports: Vec<ReportFile>,
}

/// A format and where to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReportFile {
    format: Format,
    path: PathBuf,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let (format, path) = s.split_once('=').ok_or("expected FORMAT=FILE, such as html=q4.html")?;
        if path.is_empty() {
            return Err(format!("no file is named for {format}"));
        }
        Ok(Self { format: format.parse().map_err(|error| format!("{error}"))?, path: PathBuf::from(path) })
    }
}

impl ReportFile {
    /// As on the command line, safe to print.
    fn shown(&self) -> String {
        format!("--report {}={}", self.format, printable(&self.path.display().to_string(), 500))
    }
}

impl ReportsArgs {
    /// Finds out before the work whether each report can be written after it, to a file of its own.
    pub(super) fn writable(&self, record: Option<&Path>) -> Result<(), Stop> {
        let mut taken: Vec<PathBuf> = record.map(place).into_iter().collect();
        for report in &self.reports {
            can_write_aside(&report.path)
                .map_err(|error| Stop::usage(anyhow::anyhow!("cannot write {}: {error}", report.shown())))?;
            let place = place(&report.path);
            if taken.contains(&place) {
                return Err(Stop::usage(anyhow::anyhow!("{}: another output goes to this file", report.shown())));
            }
            taken.push(place);
        }
        Ok(())
    }

    /// Writes each that can be, and names those that cannot.
    pub(super) fn write(&self, run: &Run) -> Result<(), Stop> {
        let mut failed = Vec::new();
        for report in &self.reports {
            let written = report.format.render(run).map_err(anyhow::Error::from);
            if let Err(error) = written.and_then(|bytes| Ok(write_aside(&report.path, &bytes)?)) {
                failed.push(format!("{}: {error:#}", report.shown()));
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(Stop::usage(anyhow::anyhow!(
            "the record is written, reports are missing: cannot write {}",
            failed.join("; ")
        )))
    }
}

/// The file that a path leads to, as far as that can be told.
fn place(path: &Path) -> PathBuf {
    if let Ok(file) = path.canonicalize() {
        return file;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_format_and_a_file() {
        let report: ReportFile = "html=a=b.html".parse().unwrap();
        assert_eq!((report.format, report.path), (Format::Html, PathBuf::from("a=b.html")));
        for wrong in ["html", "html=", "pdf=x", "=x", ""] {
            assert!(wrong.parse::<ReportFile>().is_err(), "{wrong}");
        }
    }
}
