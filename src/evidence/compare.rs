//! Two runs of one hierarchy, held against each other: what changed, and on whose side. Pure.

mod differences;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use differences::Reach;

use super::run::{CitedEntry, Run};
use crate::assess::{Grade, Judgement, Verdict};
use crate::catalog::EntryId;
use crate::derive::{Requirement, RequirementId};
use crate::probe::{FailureCode, StageName};

/// The format of [`Comparison`].
pub const COMPARISON_FORMAT: &str = "cmcomply.comparison/1";

/// What changed from one run to a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// [`COMPARISON_FORMAT`].
    pub format: String,
    /// The earlier run.
    pub old: ComparedRun,
    /// The later run.
    pub new: ComparedRun,
    /// What makes the two less comparable than they look.
    pub limits: Vec<String>,
    /// One row for each requirement of either run, in the order of their ids.
    pub rows: Vec<Change>,
}

/// A run as a comparison names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedRun {
    /// When it began.
    pub started: jiff::Timestamp,
    /// The version of the program.
    pub tool: String,
    /// The version of the catalog.
    pub catalog: String,
    /// The result in words.
    pub result: String,
}

/// One requirement in both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The requirement.
    pub requirement: RequirementId,
    /// Who needs it, in words.
    pub subject: String,
    /// The endpoint as reports write it.
    pub endpoint: String,
    /// What happened.
    pub class: ChangeClass,
    /// The verdict before; `None` where the earlier run does not have the requirement.
    pub before: Option<Verdict>,
    /// The verdict after; `None` where the later run does not have the requirement.
    pub after: Option<Verdict>,
    /// Whether it decides the result of the later run (of the earlier one, where the later does not have it).
    pub grade: Grade,
    /// On whose side the change is; `None` where nothing changed.
    pub cause: Option<ChangeCause>,
    /// The change in words, where there is more to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What happened to a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeClass {
    /// Reached before, not reached now.
    NewFailure,
    /// A failure that nobody answers for any more.
    WaiverEnded,
    /// A failure that somebody answers for now.
    WaiverStarted,
    /// Not reached before, reached now.
    Fixed,
    /// Needed now, and not before.
    NewlyRequired,
    /// Needed before, and not now.
    NoLongerRequired,
    /// Still needed, and in another way: by another route, with another weight, proved by other hosts.
    RequirementChanged,
    /// On one side nobody looked, or the probe broke.
    Incomparable,
    /// Not reached before and now.
    StillFailing,
    /// Waived before and now.
    StillWaived,
    /// Reached before and now.
    StillPassing,
    /// Not needed before and now.
    StillNotApplicable,
}

impl ChangeClass {
    /// Every class, what one must look at first.
    pub const ALL: [Self; 12] = [
        Self::NewFailure,
        Self::WaiverEnded,
        Self::StillFailing,
        Self::Incomparable,
        Self::NewlyRequired,
        Self::RequirementChanged,
        Self::WaiverStarted,
        Self::StillWaived,
        Self::Fixed,
        Self::NoLongerRequired,
        Self::StillPassing,
        Self::StillNotApplicable,
    ];

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::NewFailure => "new failure",
            Self::WaiverEnded => "waiver ended",
            Self::WaiverStarted => "waiver started",
            Self::Fixed => "fixed",
            Self::NewlyRequired => "newly required",
            Self::NoLongerRequired => "no longer required",
            Self::RequirementChanged => "requirement changed",
            Self::Incomparable => "not comparable",
            Self::StillFailing => "still failing",
            Self::StillWaived => "still waived",
            Self::StillPassing => "still passing",
            Self::StillNotApplicable => "still not needed",
        }
    }

    /// Whether a reader of changes wants to see it.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::StillPassing | Self::StillNotApplicable | Self::StillWaived)
    }
}

/// On whose side a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeCause {
    /// The site: roles, features, proxies.
    SiteConfig,
    /// The catalog of this program.
    Catalog,
    /// The rules of this program: the same was seen and judged otherwise.
    Tool,
    /// The network, or the endpoint.
    Environment,
    /// Who looked: in one of the runs nobody did, or the probe broke.
    Coverage,
    /// Both the site and the catalog changed, and the run documents do not tell which of them it was.
    SiteConfigOrCatalog,
    /// The file of waivers.
    Waivers,
}

impl ChangeCause {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SiteConfig => "site configuration",
            Self::Catalog => "catalog",
            Self::Tool => "rules of cmcomply",
            Self::Environment => "network or endpoint",
            Self::Coverage => "nobody looked in one of the runs",
            Self::SiteConfigOrCatalog => "site configuration or catalog",
            Self::Waivers => "waivers",
        }
    }
}

/// What changed from `old` to `new`.
pub fn compare(old: &Run, new: &Run) -> Comparison {
    let (before, after) = (Side::new(old), Side::new(new));
    let sides =
        Sides { same_facts: before.facts == after.facts, same_catalog: old.catalog.sha256 == new.catalog.sha256 };
    let ids: BTreeSet<&RequirementId> = before.rows.keys().chain(after.rows.keys()).copied().collect();
    let alone = |row: &Row<'_>, class| {
        let entry = &row.requirement.entry;
        one(row, class, &sides, &[before.entry(entry), after.entry(entry)])
    };
    let rows = ids
        .into_iter()
        .filter_map(|id| match (before.rows.get(id), after.rows.get(id)) {
            (Some(old), Some(new)) => Some(both(old, new)),
            (Some(old), None) => Some(alone(old, ChangeClass::NoLongerRequired)),
            (None, Some(new)) => Some(alone(new, ChangeClass::NewlyRequired)),
            (None, None) => None,
        })
        .collect();
    Comparison {
        format: COMPARISON_FORMAT.to_owned(),
        old: ComparedRun::of(old),
        new: ComparedRun::of(new),
        limits: differences::of_runs(old, new),
        rows,
    }
}

impl Comparison {
    /// Whether a required endpoint is not reached now that was reached, waived or not needed before.
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| {
            row.grade == Grade::Required
                && row.after == Some(Verdict::Fail)
                && matches!(row.before, None | Some(Verdict::Pass | Verdict::Waived | Verdict::NotApplicable))
        })
    }

    /// Whether a required endpoint was not seen in one of the runs.
    pub fn is_incomparable(&self) -> bool {
        self.rows.iter().any(|row| row.grade == Grade::Required && row.class == ChangeClass::Incomparable)
    }
}

impl ComparedRun {
    fn of(run: &Run) -> Self {
        Self {
            started: run.moments.started,
            tool: run.tool.version.clone(),
            catalog: run.catalog.version.clone(),
            result: run.outcome.title().to_owned(),
        }
    }
}

/// One run, by requirement.
struct Side<'a> {
    rows: BTreeMap<&'a RequirementId, Row<'a>>,
    /// The facts without how they were read.
    facts: serde_json::Value,
    run: &'a Run,
}

struct Row<'a> {
    requirement: &'a Requirement,
    judgement: &'a Judgement,
    /// Where each of its probes failed first.
    seen: Vec<Option<(StageName, FailureCode)>>,
}

/// What the two runs have in common.
struct Sides {
    same_facts: bool,
    same_catalog: bool,
}

impl<'a> Side<'a> {
    fn new(run: &'a Run) -> Self {
        let seen: BTreeMap<_, _> = run.observations.iter().map(|o| (&o.probe, o)).collect();
        let rows = run.requirements.iter().zip(&run.judgements).map(|(requirement, judgement)| {
            let observations = judgement.probes.iter().filter_map(|id| seen.get(id));
            let seen = observations.map(|o| o.first_failure().map(|(stage, failure)| (stage, failure.code))).collect();
            (&requirement.id, Row { requirement, judgement, seen })
        });
        let mut facts = serde_json::to_value(&run.facts).unwrap_or_default();
        if let Some(facts) = facts.as_object_mut() {
            facts.remove("connection");
            facts.remove("other_connections");
        }
        Self { rows: rows.collect(), facts, run }
    }

    /// What the run's catalog says of an entry.
    fn entry(&self, id: &EntryId) -> Known<'a> {
        let all = &self.run.catalog.all;
        match all.iter().find(|mark| mark.id == *id) {
            Some(mark) => Known::As(&mark.sha256),
            None if all.is_empty() => Known::Unsaid(self.run.catalog.entries.iter().find(|entry| entry.id == *id)),
            None => Known::No,
        }
    }
}

/// What the catalog of a run says of an entry.
#[derive(PartialEq)]
enum Known<'a> {
    /// It has none of that id.
    No,
    /// It has one with this hash.
    As(&'a str),
    /// The record does not hold the whole catalog: only what its requirements name, if they name it.
    Unsaid(Option<&'a CitedEntry>),
}

/// A requirement that only one run has, and what the catalogs of the two say of its entry.
fn one(row: &Row<'_>, class: ChangeClass, sides: &Sides, entry: &[Known<'_>; 2]) -> Change {
    let cause = match entry {
        _ if sides.same_facts && sides.same_catalog => ChangeCause::Tool,
        _ if sides.same_facts => ChangeCause::Catalog,
        _ if sides.same_catalog => ChangeCause::SiteConfig,
        // Nobody could need it before, or can now.
        [Known::As(_), Known::No] | [Known::No, Known::As(_)] => ChangeCause::Catalog,
        [Known::As(old), Known::As(new)] if old == new => ChangeCause::SiteConfig,
        [Known::Unsaid(Some(old)), Known::Unsaid(Some(new))] if old == new => ChangeCause::SiteConfig,
        _ => ChangeCause::SiteConfigOrCatalog,
    };
    let (before, after) = match class {
        ChangeClass::NewlyRequired => (None, Some(row.judgement.verdict)),
        _ => (Some(row.judgement.verdict), None),
    };
    Change { cause: Some(cause), before, after, ..row.change(class) }
}

/// A requirement that both runs have.
fn both(old: &Row<'_>, new: &Row<'_>) -> Change {
    let (before, after) = (old.judgement.verdict, new.judgement.verdict);
    let class = class(before, after);
    let differences = differences::of_requirements(old.requirement, new.requirement);
    let class = match (class.is_change(), differences.is_empty()) {
        (false, false) => ChangeClass::RequirementChanged,
        _ => class,
    };
    let seen_alike = old.seen == new.seen && !new.seen.is_empty();
    // Another weight breaks no endpoint, and another way does not keep anybody from looking.
    let (reaches, else_of): (&[Reach], _) = match class {
        ChangeClass::Incomparable => (&[Reach::Needed], ChangeCause::Coverage),
        _ if seen_alike => (&[Reach::Judged, Reach::Seen, Reach::Needed], ChangeCause::Tool),
        _ => (&[Reach::Seen, Reach::Needed], ChangeCause::Environment),
    };
    let cause = match class {
        _ if before == after => differences.first().map(|differs| differs.cause),
        ChangeClass::WaiverStarted | ChangeClass::WaiverEnded => Some(ChangeCause::Waivers),
        _ => {
            let cause =
                differences.iter().find(|differs| reaches.contains(&differs.reach)).map(|differs| differs.cause);
            Some(cause.unwrap_or(else_of))
        }
    };
    let notes = differences.into_iter().map(|differs| differs.note).collect();
    Change { before: Some(before), after: Some(after), cause, notes, ..new.change(class) }
}

impl Row<'_> {
    fn change(&self, class: ChangeClass) -> Change {
        Change {
            requirement: self.requirement.id.clone(),
            subject: self.requirement.subject.to_string(),
            endpoint: self.requirement.endpoint(),
            class,
            before: None,
            after: None,
            grade: self.judgement.grade,
            cause: None,
            notes: Vec::new(),
        }
    }
}

/// The class of two verdicts. What nobody saw on one side is never counted as better or worse.
fn class(before: Verdict, after: Verdict) -> ChangeClass {
    use Verdict::{Error, Fail, NotApplicable, NotObserved, Pass, Waived};
    match (before, after) {
        (NotObserved | Error, _) | (_, NotObserved | Error) => ChangeClass::Incomparable,
        (Pass, Pass) => ChangeClass::StillPassing,
        (Fail, Fail) => ChangeClass::StillFailing,
        (Waived, Waived) => ChangeClass::StillWaived,
        (NotApplicable, NotApplicable) => ChangeClass::StillNotApplicable,
        (Fail, Waived) => ChangeClass::WaiverStarted,
        (Waived, Fail) => ChangeClass::WaiverEnded,
        (Pass, Fail | Waived) => ChangeClass::NewFailure,
        (Fail | Waived, Pass) => ChangeClass::Fixed,
        (NotApplicable, _) => ChangeClass::NewlyRequired,
        (_, NotApplicable) => ChangeClass::NoLongerRequired,
    }
}
