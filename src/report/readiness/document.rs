//! The readiness document: everything that its formats are made of.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::summary::sha256;
use super::super::table::{FROM_HERE, limits_for};
use super::super::vantages;
use crate::assess::readiness::{Coming, Finding};
use crate::assess::{Grade, Verdict};
use crate::catalog::{Document, Release};
use crate::derive::{Change, RequirementId};
use crate::evidence::{Run, Tool};
use crate::text::printable;

/// The format of [`Readiness`]; a change that old readers would misread makes it a new one.
pub const READINESS_FORMAT: &str = "cmcomply.readiness/1";

/// Whether a hierarchy is ready for an update, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// [`READINESS_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// The version to update to.
    pub target: Target,
    /// The day for which is asked, in UTC.
    pub day: Date,
    /// What it came to.
    pub verdict: ReadinessVerdict,
    /// The hierarchy.
    pub hierarchy: Hierarchy,
    /// What makes the verdict say less, or something else, than a reader would take it to say.
    pub limits: Vec<String>,
    /// The rules, in the order of their table.
    pub rules: Vec<Finding>,
    /// The endpoints that the target needs.
    pub endpoints: Vec<ReadinessEndpoint>,
    /// Endpoints that are needed today and not after the update.
    pub no_longer_needed: Vec<String>,
    /// What comes next, and what is overdue, by date.
    pub calendar: Vec<Coming>,
    /// The documents that the rules cite, by key.
    pub documents: BTreeMap<String, Document>,
    /// Where it comes from.
    pub origin: ReadinessOrigin,
}

/// A version of Configuration Manager to update to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Such as `2603`.
    pub version: String,
    /// The third field of `5.00.BUILD`.
    pub build: u32,
    /// The last day of support.
    pub support_ends: Date,
}

/// The verdict. Not ready and incomplete can both hold; not ready decides the exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadinessVerdict {
    /// A rule of severity error is not met, or an endpoint that counts is not reached.
    pub not_ready: bool,
    /// Why it cannot be told for certain; empty if it can.
    pub incomplete: Vec<String>,
    /// Rules of severity warning that are not met.
    pub warnings: usize,
    /// Endpoints that count, are not reached, and for which somebody answers.
    #[serde(default)]
    pub waived: usize,
    /// The exit code: 0 ready, 1 not ready, 3 incomplete.
    pub exit_code: u8,
}

/// The hierarchy that is to be updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hierarchy {
    /// The site database, in words.
    pub database: String,
    /// The sites with their versions, in words.
    pub sites: Vec<String>,
}

/// An endpoint that the target needs, with what was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadinessEndpoint {
    /// The requirement's id, as the record of the run has it.
    pub id: RequirementId,
    /// Who needs it.
    pub subject: String,
    /// In which role.
    pub role: String,
    /// What, as reports write it.
    pub endpoint: String,
    /// Whether the update adds it.
    pub change: Change,
    /// Whether it counts.
    pub grade: Grade,
    /// What it came to.
    pub verdict: Verdict,
    /// What was seen, where it is no plain pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// What to do or to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Where a readiness document comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadinessOrigin {
    /// Begin of the run, in UTC.
    pub started: Timestamp,
    /// Its end.
    pub finished: Timestamp,
    /// The machine that probed.
    pub probed_from: String,
    /// The catalog's version.
    pub catalog: String,
    /// SHA-256 over the record of the run.
    pub run_sha256: String,
}

/// What the readiness document is made of, besides the run.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// The version to update to.
    pub target: &'a Release,
    /// The day for which is asked.
    pub day: Date,
    /// The rules.
    pub findings: Vec<Finding>,
    /// What comes next.
    pub calendar: Vec<Coming>,
    /// What changes for each requirement of the target.
    pub changes: HashMap<RequirementId, Change>,
    /// Endpoints that are no longer needed.
    pub no_longer_needed: Vec<String>,
    /// The documents of the catalog.
    pub documents: &'a BTreeMap<String, Document>,
    /// What the version of a build is, for people.
    pub versions: BTreeMap<u32, String>,
}

/// The document for this run.
pub fn readiness(run: &Run, assessed: Assessed<'_>) -> Readiness {
    let Assessed { target, day, findings, calendar, changes, mut no_longer_needed, documents, versions } = assessed;
    no_longer_needed.sort();
    no_longer_needed.dedup();
    let cited = findings.iter().map(|finding| &finding.source.document);
    let cited = cited.chain(calendar.iter().filter_map(|one| one.source.as_ref()).map(|source| &source.document));
    let documents = cited.filter_map(|key| Some((key.clone(), documents.get(key)?.clone()))).collect();
    Readiness {
        format: READINESS_FORMAT.to_owned(),
        tool: run.tool.clone(),
        target: Target { version: target.version.clone(), build: target.build, support_ends: target.support_ends },
        day,
        verdict: ReadinessVerdict::of(run, &findings),
        hierarchy: hierarchy(run, &versions),
        limits: limits_of(run, day),
        rules: findings,
        endpoints: endpoints(run, &changes),
        no_longer_needed,
        calendar,
        documents,
        origin: ReadinessOrigin {
            started: run.moments.started,
            finished: run.moments.finished,
            probed_from: run.vantage.title().to_owned(),
            catalog: run.catalog.version.clone(),
            run_sha256: sha256(run),
        },
    }
}

/// Why the rules alone leave a verdict incomplete.
pub(super) fn undecided(findings: &[Finding]) -> Option<String> {
    let open: Vec<&str> =
        findings.iter().filter(|finding| finding.leaves_open()).map(|finding| finding.rule.as_str()).collect();
    (!open.is_empty()).then(|| format!("{} rules cannot be decided: {}", open.len(), open.join(", ")))
}

impl ReadinessVerdict {
    fn of(run: &Run, findings: &[Finding]) -> Self {
        let not_ready = run.outcome.non_compliant || findings.iter().any(Finding::stops);
        let mut incomplete: Vec<String> = undecided(findings).into_iter().collect();
        incomplete.extend(run.outcome.incomplete.iter().cloned());
        let warnings = findings.iter().filter(|f| f.warns()).count();
        let verdict = Self { not_ready, incomplete, warnings, waived: run.outcome.waived(), exit_code: 0 };
        Self { exit_code: verdict.exit_code_that_fits(), ..verdict }
    }

    /// The exit code of what else it says.
    pub(super) fn exit_code_that_fits(&self) -> u8 {
        match (self.not_ready, self.incomplete.is_empty()) {
            (true, _) => 1,
            (false, false) => 3,
            (false, true) => 0,
        }
    }

    /// In words: `not ready`.
    pub fn title(&self) -> &'static str {
        match (self.not_ready, self.incomplete.is_empty()) {
            (true, true) => "not ready",
            (true, false) => "not ready and incomplete",
            (false, false) => "incomplete",
            (false, true) => match (self.warnings, self.waived) {
                (0, 0) => "ready",
                (_, 0) => "ready, with warnings",
                (0, _) => "ready, with waivers",
                _ => "ready, with warnings and waivers",
            },
        }
    }
}

impl Readiness {
    /// What it is about, in one line.
    pub fn title(&self) -> String {
        format!("Readiness for version {}: {}", self.target.version, self.verdict.title())
    }

    /// How many endpoints of this grade have this verdict.
    pub fn count(&self, grade: Grade, verdict: Verdict) -> usize {
        self.endpoints.iter().filter(|row| row.grade == grade && row.verdict == verdict).count()
    }

    /// A place in a document, for people.
    pub(super) fn cite(&self, document: &str, section: &str, date: Date) -> String {
        let title = self.documents.get(document).map_or(document, |document| document.title.as_str());
        format!("{title}, section \"{section}\", {date}")
    }

    /// The source of a rule, for people.
    pub(super) fn source(&self, finding: &Finding) -> String {
        self.cite(&finding.source.document, &finding.source.section, finding.source.date)
    }

    /// The document as JSON, indented, with a line end.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(crate::evidence::inert(&(serde_json::to_string_pretty(self)? + "\n")).into_bytes())
    }
}

impl ReadinessEndpoint {
    /// Whether it counts and somebody must look at it.
    pub(super) fn is_open(&self) -> bool {
        self.grade == Grade::Required
            && matches!(self.verdict, Verdict::Fail | Verdict::Error | Verdict::NotObserved | Verdict::Waived)
    }
}

fn hierarchy(run: &Run, versions: &BTreeMap<u32, String>) -> Hierarchy {
    let facts = &run.facts;
    let site = facts.this_site.known().map_or_else(|| "unknown site".to_owned(), |code| format!("site {code}"));
    let database = format!("{} on {}, {site}", facts.connection.database, facts.connection.server);
    let mut sites: Vec<(String, Vec<String>)> = Vec::new();
    for site in facts.sites.rows() {
        let version = match site.build {
            Some(build) => versions.get(&build).map_or_else(|| format!("build {build}"), |v| format!("version {v}")),
            None => "an unknown version".to_owned(),
        };
        match sites.iter_mut().find(|(known, _)| *known == version) {
            Some((_, codes)) => codes.push(site.code.to_string()),
            None => sites.push((version, vec![site.code.to_string()])),
        }
    }
    let sites = sites.into_iter().map(|(version, codes)| format!("{} with {version}", codes.join(", ")));
    Hierarchy { database, sites: sites.collect() }
}

fn limits_of(run: &Run, day: Date) -> Vec<String> {
    // That it is about the target, the title says.
    let mut limits = limits_for(run, None);
    let today = run.moments.finished.strftime("%F").to_string();
    if today != day.to_string() {
        limits.insert(0, format!("Judged as of {day} (--on), with what was seen on {today}"));
    }
    limits.extend(vantages::lines(run).into_iter().map(|from| format!("Looked from {from}")));
    if run.settings.from_here {
        limits.push(FROM_HERE.to_owned());
    }
    limits
}

fn endpoints(run: &Run, changes: &HashMap<RequirementId, Change>) -> Vec<ReadinessEndpoint> {
    let rows = run.requirements.iter().zip(&run.judgements);
    rows.map(|(requirement, judgement)| ReadinessEndpoint {
        id: requirement.id.clone(),
        subject: requirement.subject.to_string(),
        role: requirement.role.title().to_owned(),
        endpoint: requirement.endpoint(),
        change: changes.get(&requirement.id).copied().unwrap_or(Change::Kept),
        grade: judgement.grade,
        verdict: judgement.verdict,
        seen: judgement.cause.as_ref().map(|cause| printable(&cause.text, 1000)),
        remedy: judgement.cause.as_ref().map(|cause| printable(&cause.remedy, 1000)),
    })
    .collect()
}
