//! The arguments that say what to assume: a version, features.

use std::str::FromStr as _;

use clap::Args;

use super::{Stop, console};
use crate::catalog::Catalog;
use crate::derive::{self, Assumption, Options, Requirement, StatedRoutes, assume, assumed_too, difference};
use crate::report::WhatIf;
use crate::site::Facts;

/// What to assume.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What if")]
pub(super) struct WhatIfArgs {
    /// After an update to this version of Configuration Manager, such as 2603.
    #[arg(long, value_name = "VERSION")]
    target_version: Option<String>,
    /// With features that are not there yet, such as `cmg,tenant-attach,cmg-instances=3`. An unknown one lists all.
    #[arg(long, value_name = "FEATURES", value_delimiter = ',', value_parser = Assumed::parse)]
    assume: Vec<Assumed>,
}

/// An assumption, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assumed {
    text: String,
    assumption: Assumption,
}

impl Assumed {
    fn parse(text: &str) -> Result<Self, derive::AssumptionError> {
        Assumption::from_str(text).map(|assumption| Self { text: text.to_owned(), assumption })
    }
}

/// A set of requirements, and the one without what is assumed.
pub(super) struct Derived {
    /// The facts with what is assumed.
    pub(super) facts: Facts,
    /// The options for the requirements.
    pub(super) options: Options,
    /// The requirements with what is assumed.
    pub(super) requirements: Vec<Requirement>,
    /// Those without; `None` if nothing is.
    pub(super) today: Option<(Vec<Requirement>, WhatIf)>,
}

/// Said where an assumption has no effect, so that an empty list is not taken for an answer without a question.
const NO_CHANGE: &str = "what is assumed adds nothing and decides nothing: its requirements are in the set of today, or \
                         no server has the role that it is about";

impl Derived {
    /// Tells what follows from the assumptions, where the output itself has no place for it.
    pub(super) fn note(&self) {
        for note in self.today.iter().flat_map(|(_, what_if)| &what_if.notes) {
            console::note(note);
        }
    }
}

impl WhatIfArgs {
    /// Finds out whether the catalog knows the version, and whether the assumptions can be true together.
    pub(super) fn check(&self, catalog: &Catalog) -> Result<(), Stop> {
        let mut counts = self.assume.iter().filter(|one| matches!(one.assumption, Assumption::CmgInstances(_)));
        if let Some(first) = counts.next()
            && let Some(other) = counts.find(|other| other.assumption != first.assumption)
        {
            let what = format!("--assume {} and {}: a gateway has one number of instances", first.text, other.text);
            return Err(Stop::usage(anyhow::anyhow!(what)));
        }
        self.options(Options::default(), catalog).map(drop)
    }

    /// Whether features are assumed, and nothing else.
    pub(super) fn only_features(&self) -> bool {
        !self.assume.is_empty() && self.target_version.is_none()
    }

    fn options(&self, options: Options, catalog: &Catalog) -> Result<Options, Stop> {
        match &self.target_version {
            None => Ok(options),
            Some(version) => options.for_version(version, catalog).map_err(Stop::usage),
        }
    }

    /// Derives with and without what is assumed.
    pub(super) fn derive(&self, facts: Facts, catalog: &Catalog, routes: &StatedRoutes) -> Result<Derived, Stop> {
        let now = Options::from(routes.clone());
        let options = self.options(now.clone(), catalog)?;
        let assumptions: Vec<Assumption> = self.assume.iter().map(|assumed| assumed.assumption).collect();
        let mut what_if = WhatIf {
            target_version: self.target_version.clone(),
            assumptions: self.assume.iter().map(|assumed| assumed.text.clone()).collect(),
            notes: assumed_too(&facts, &assumptions),
            changes_only: false,
        };
        let today = (!what_if.is_empty()).then(|| derive::requirements(&facts, catalog, &now));
        let facts = if assumptions.is_empty() { facts } else { assume(&facts, &assumptions) };
        let requirements = derive::requirements(&facts, catalog, &options);
        if let Some(today) = today.as_ref().filter(|_| !assumptions.is_empty()) {
            let change = difference(today, &requirements);
            if change.added.is_empty() && change.decided.is_empty() {
                what_if.notes.push(NO_CHANGE.to_owned());
            }
        }
        let today = today.map(|today| (today, what_if));
        Ok(Derived { facts, options, requirements, today })
    }
}
