//! The runs that a quarterly report is made from.

use std::collections::BTreeSet;

use super::Quarter;
use crate::derive::RequirementId;
use crate::evidence::Run;
use crate::evidence::store::{RunName, Verification};
use crate::text;

/// Quarters of the trend.
const QUARTERS: usize = 8;

/// A run of the store.
pub struct Kept {
    /// Its name.
    pub name: RunName,
    /// Its record.
    pub run: Run,
}

/// A run of the store that cannot be read.
pub struct Damage {
    /// Its name.
    pub name: RunName,
    /// Why it cannot be read.
    pub why: String,
}

/// The runs of one hierarchy up to the end of a quarter.
pub struct History {
    quarter: Quarter,
    /// By time.
    runs: Vec<Kept>,
    /// What could not be read, and may be of any hierarchy.
    damaged: Vec<Damage>,
    /// What a verification of the store found.
    verification: Verification,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// There is no run.
    #[error("the store holds no run that can be read")]
    Empty,
    /// None in this quarter.
    #[error("no run of the store began in {quarter}; there are runs of {others}")]
    None {
        /// The quarter.
        quarter: Quarter,
        /// Quarters with runs.
        others: String,
    },
    /// Runs of several hierarchies.
    #[error("the store holds runs of the sites {0}: say which with --site")]
    Sites(String),
    /// None of this site.
    #[error("the store holds no run of site {site}; there are runs of {others}")]
    NoSite {
        /// The site.
        site: String,
        /// Sites with runs.
        others: String,
    },
}

impl History {
    /// The runs of a hierarchy up to this quarter. `site` is needed where the store holds runs of several.
    pub fn new(
        quarter: Quarter,
        site: Option<&str>,
        mut runs: Vec<Kept>,
        damaged: Vec<Damage>,
        verification: Verification,
    ) -> Result<Self, HistoryError> {
        if runs.is_empty() {
            return Err(HistoryError::Empty);
        }
        let sites: BTreeSet<String> = runs.iter().map(|kept| site_of(&kept.run)).collect();
        let others = || sites.iter().cloned().collect::<Vec<_>>().join(", ");
        match site {
            Some(site) if !sites.iter().any(|known| known.eq_ignore_ascii_case(site)) => {
                return Err(HistoryError::NoSite { site: text::ascii(site, 40), others: others() });
            }
            Some(site) => runs.retain(|kept| site_of(&kept.run).eq_ignore_ascii_case(site)),
            None if sites.len() > 1 => return Err(HistoryError::Sites(others())),
            None => {}
        }
        runs.sort_by(|one, other| (one.run.moments.started, &one.name).cmp(&(other.run.moments.started, &other.name)));
        let quarters: BTreeSet<Quarter> = runs.iter().map(|kept| Quarter::of(kept.run.moments.started)).collect();
        if !quarters.contains(&quarter) {
            let others = quarters.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(HistoryError::None { quarter, others });
        }
        runs.retain(|kept| Quarter::of(kept.run.moments.started) <= quarter);
        Ok(Self { quarter, runs, damaged, verification })
    }

    pub(super) fn quarter(&self) -> Quarter {
        self.quarter
    }

    pub(super) fn verification(&self) -> &Verification {
        &self.verification
    }

    pub(super) fn damaged(&self) -> &[Damage] {
        &self.damaged
    }

    /// All of them, by time.
    pub(super) fn runs(&self) -> &[Kept] {
        &self.runs
    }

    /// The last run of the quarter, which stands for it.
    pub(super) fn newest_kept(&self) -> &Kept {
        self.runs.last().expect("a history has a run of its quarter")
    }

    pub(super) fn newest(&self) -> &Run {
        &self.newest_kept().run
    }

    /// The last run of an earlier quarter.
    pub(super) fn earlier(&self) -> Option<&Kept> {
        self.runs.iter().rev().find(|kept| Quarter::of(kept.run.moments.started) < self.quarter)
    }

    pub(super) fn of(&self, quarter: Quarter) -> impl DoubleEndedIterator<Item = &Kept> {
        self.runs.iter().filter(move |kept| Quarter::of(kept.run.moments.started) == quarter)
    }

    /// The quarters of the trend, the oldest first: up to eight, from the first with a run on.
    pub(super) fn quarters(&self) -> Vec<Quarter> {
        let first = self.runs.first().map_or(self.quarter, |kept| Quarter::of(kept.run.moments.started));
        let back = std::iter::successors(Some(self.quarter), |quarter| Some(quarter.before()));
        let mut quarters: Vec<Quarter> = back.take_while(|quarter| *quarter >= first).take(QUARTERS).collect();
        quarters.reverse();
        quarters
    }

    /// SHA-256 of the SHA256SUMS of a run.
    pub(super) fn manifest(&self, name: &RunName) -> Option<&str> {
        let verified = self.verification.runs.iter().find(|run| run.run == *name)?;
        verified.manifest.as_deref()
    }

    pub(super) fn site_title(&self) -> String {
        format!("site {}", site_of(self.newest()))
    }

    /// The verdicts on a requirement, the newest first, each with its run.
    pub(super) fn back<'a>(
        &'a self,
        id: &'a RequirementId,
    ) -> impl Iterator<Item = (&'a Kept, crate::assess::Verdict)> {
        self.runs.iter().rev().filter_map(move |kept| {
            let judgement = kept.run.judgements.iter().find(|judgement| judgement.requirement == *id)?;
            Some((kept, judgement.verdict))
        })
    }
}

fn site_of(run: &Run) -> String {
    run.facts.this_site.known().map_or_else(|| "UNKNOWN".to_owned(), ToString::to_string)
}
