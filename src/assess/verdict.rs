//! Verdicts: what the observations mean for a requirement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::derive::RequirementId;
use crate::plan::ProbeId;
use crate::probe::StageName;
use crate::vantage::EvidenceGrade;

/// The verdict of one requirement, with the chain that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The requirement.
    pub requirement: RequirementId,
    /// What it came to.
    pub verdict: Verdict,
    /// Whether the verdict counts for the run's outcome.
    pub grade: Grade,
    /// The observations that it rests on.
    pub probes: Vec<ProbeId>,
    /// Whether the role's own host observed it. `false` says that another machine did, or none.
    pub observed_from_role_host: bool,
    /// The vantage from which it was looked at, or was to be, by its position in the run.
    #[serde(default)]
    pub vantage: usize,
    /// How near to the role the machine was that looked; `None`: nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_grade: Option<EvidenceGrade>,
    /// Why it is no plain pass.
    pub cause: Option<Cause>,
    /// The waiver that excuses it, by its id. The cause stays what was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<String>,
    /// What else limits the verdict: a representative, an assumed route, another host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a requirement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The requirement is met.
    Pass,
    /// It is not met.
    Fail,
    /// It is not met, and somebody answers for that until a date.
    Waived,
    /// Nobody looked, or not from the right place, or it cannot be told.
    NotObserved,
    /// The probe itself broke.
    Error,
    /// Nothing is needed.
    NotApplicable,
}

impl Verdict {
    /// Every verdict, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Fail, Self::Error, Self::NotObserved, Self::Waived, Self::Pass, Self::NotApplicable];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Waived => "waived",
            Self::NotObserved => "not observed",
            Self::Error => "ERROR",
            Self::NotApplicable => "not needed",
        }
    }
}

/// Whether a verdict counts for the run's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// It does.
    Required,
    /// It is shown and decides nothing.
    Advisory,
}

/// Why a verdict is no plain pass, in words that a firewall engineer can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Stable, kebab-case.
    pub code: String,
    /// The stage that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
    /// What it is, in words.
    pub text: String,
    /// What exactly was seen: operation, address, error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do or to ask for.
    pub remedy: String,
    /// Where Configuration Manager itself shows the same: log files, status messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_product: Option<String>,
}
