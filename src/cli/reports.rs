//! `--report FORMAT=FILE` and `--pages DIR`: a run in other formats, beside its record.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::Stop;
use crate::evidence::{Run, can_write_aside, can_write_folder_aside, write_aside, write_folder_aside};
use crate::report::{self, Format, RenderError};
use crate::text;

/// The reports that an audit writes.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReportsArgs {
    /// Also write the run as html, xlsx, csv, junit, oscal, hdf, markdown, prometheus, json or table. Several: separated
    /// by commas, or the option again. Each file is written whole or not at all.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',', help_heading = "Output")]
    reports: Vec<ReportFile<Format>>,
    /// Also make a folder with a page for each role of each host, to be passed on alone, and index.html, which leads to
    /// them. It must not be there yet.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pages: Option<PathBuf>,
}

/// A format and where to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportFile<F> {
    format: F,
    path: PathBuf,
}

impl<F: FromStr<Err: Display>> FromStr for ReportFile<F> {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let (format, path) = s.split_once('=').ok_or("expected FORMAT=FILE, such as html=q4.html")?;
        if path.is_empty() {
            return Err(format!("no file is named for {format}"));
        }
        Ok(Self { format: format.parse().map_err(|error| format!("{error}"))?, path: PathBuf::from(path) })
    }
}

impl<F: Display> ReportFile<F> {
    /// As on the command line, safe to print.
    fn shown(&self) -> String {
        format!("--report {}={}", self.format, text::path(&self.path))
    }

    pub(super) fn output(&self) -> Output<'_> {
        Output { shown: self.shown(), path: &self.path, is_folder: false }
    }
}

/// A file that is to be written, or a folder.
pub(super) struct Output<'a> {
    /// The option that names it, as on the command line and safe to print.
    shown: String,
    path: &'a Path,
    is_folder: bool,
}

impl<'a> Output<'a> {
    /// That an option names.
    pub(super) fn of(option: &str, path: &'a Path) -> Self {
        let shown = format!("{option} {}", text::path(path));
        Self { shown, path, is_folder: false }
    }

    /// The folder of `--pages`.
    pub(super) fn pages(path: &'a Path) -> Self {
        Self { is_folder: true, ..Self::of("--pages", path) }
    }

    /// Finds out whether it can be written.
    fn is_writable(&self) -> std::io::Result<()> {
        if self.is_folder { can_write_folder_aside(self.path) } else { can_write_aside(self.path) }
    }
}

/// Writes the folder of `--pages`, and says how many files it has.
pub(super) fn write_pages(run: &Run, path: &Path) -> Result<usize, String> {
    let pages = report::html_pages(run);
    let files = pages.iter().map(|page| (page.name.as_str(), page.bytes.as_slice()));
    write_folder_aside(path, files).map_err(|error| format!("{}: {error}", Output::pages(path).shown))?;
    Ok(pages.len())
}

/// Finds out before the work whether each can be written after it, to a file of its own.
pub(super) fn writable<'a>(outputs: impl IntoIterator<Item = Output<'a>>) -> Result<(), Stop> {
    let mut taken: Vec<PathBuf> = Vec::new();
    for output in outputs {
        let Output { shown, path, .. } = &output;
        output.is_writable().map_err(|error| Stop::usage(anyhow::anyhow!("cannot write {shown}: {error}")))?;
        let place = place(path);
        if taken.contains(&place) {
            return Err(Stop::usage(anyhow::anyhow!("{shown}: another output goes to this file")));
        }
        taken.push(place);
    }
    Ok(())
}

/// Writes each that can be; the error names those that cannot.
pub(super) fn write<F: Copy + Display>(
    reports: &[ReportFile<F>],
    render: impl Fn(F) -> Result<Vec<u8>, RenderError>,
) -> Result<(), String> {
    let failed = reports.iter().filter_map(|report| {
        let written = render(report.format).map_err(anyhow::Error::from);
        let error = written.and_then(|bytes| Ok(write_aside(&report.path, &bytes)?)).err()?;
        Some(format!("{}: {error:#}", report.shown()))
    });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

impl ReportsArgs {
    /// Finds out before the work whether each report can be written after it, to a file of its own.
    pub(super) fn writable(&self, record: Option<&Path>) -> Result<(), Stop> {
        let record = record.map(|path| Output::of("--output", path));
        let pages = self.pages.as_deref().map(Output::pages);
        writable(record.into_iter().chain(self.reports.iter().map(ReportFile::output)).chain(pages))
    }

    /// Writes each that can be, and names those that cannot.
    pub(super) fn write(&self, run: &Run) -> Result<(), Stop> {
        let files = write(&self.reports, |format| format.render(run)).err();
        let pages = self.pages.as_deref().and_then(|path| write_pages(run, path).err());
        let failed: Vec<String> = files.into_iter().chain(pages).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let failed = failed.join("; ");
        Err(Stop::usage(anyhow::anyhow!("the record is written, reports are missing: cannot write {failed}")))
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
        let report: ReportFile<Format> = "html=a=b.html".parse().unwrap();
        assert_eq!((report.format, report.path), (Format::Html, PathBuf::from("a=b.html")));
        for wrong in ["html", "html=", "pdf=x", "=x", ""] {
            assert!(wrong.parse::<ReportFile<Format>>().is_err(), "{wrong}");
        }
    }
}
