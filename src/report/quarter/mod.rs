//! The quarterly compliance report: what an auditor gets, made from the runs of a store and from nothing else.
//!
//! It is built once as sections of texts and tables; HTML, the workbook and plain text are drawings of the same sections.

mod calendar;
mod catalog;
mod changes;
mod drift;
mod exceptions;
mod findings;
mod history;
mod html;
mod opening;
mod register;
mod section;
mod xlsx;

pub use calendar::{NoQuarter, Quarter};
pub use history::{Damage, History, HistoryError, Kept};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use section::{Block, Section};

use crate::evidence::{Outcome, compare};

/// The report of one quarter.
pub struct QuarterReport {
    title: String,
    outcome: Outcome,
    /// The end of the newest run in it.
    made_from: Timestamp,
    /// What stands on every sheet of paper: the run, and the hash that shows later that it is still the same.
    margin: String,
    sections: Vec<Section>,
}

impl QuarterReport {
    /// The report of the newest quarter of a history. `now` decides whether that quarter and its
    /// waivers are over.
    pub fn new(history: &History, now: Timestamp) -> Self {
        let run = history.newest();
        let comparison = history.earlier().map(|earlier| compare(&earlier.run, run));
        let sections = vec![
            opening::cover(history, now),
            opening::verdict(history),
            opening::coverage(history),
            findings::not_passing(history),
            changes::since_last(history, comparison.as_ref()),
            exceptions::section(history, now.to_zoned(TimeZone::UTC).date()),
            drift::site(history, comparison.as_ref()),
            catalog::section(history),
            changes::trend(history),
            register::register(history),
            findings::inspection(history),
            register::attestation(history),
            register::method(history),
        ];
        Self {
            title: format!("Internet endpoints of {}: compliance report {}", history.site_title(), history.quarter()),
            outcome: run.outcome.clone(),
            made_from: run.moments.finished,
            margin: format!(
                "{}, run {}, SHA-256 of its SHA256SUMS: {}",
                history.quarter(),
                history.newest_kept().name,
                history.manifest(&history.newest_kept().name).unwrap_or("none")
            ),
            sections,
        }
    }

    /// Whether something is said that a reader of the verdict alone must not miss.
    fn has_alert(&self) -> bool {
        self.sections.iter().flat_map(|section| &section.blocks).any(|block| matches!(block, Block::Alert(_)))
    }

    /// One page for people, as [`super::Format::Html`] is.
    pub fn html(&self) -> Vec<u8> {
        html::render(self).into_bytes()
    }

    /// A workbook, a sheet for each section.
    pub fn xlsx(&self) -> Result<Vec<u8>, super::RenderError> {
        Ok(xlsx::render(self)?)
    }

    /// The same as plain text.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for section in &self.sections {
            out.extend(["\n", &section.number.to_string(), ". ", section.title, "\n"]);
            for block in &section.blocks {
                out.push_str(&block.text());
            }
        }
        out
    }
}
