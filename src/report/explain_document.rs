//! An explanation as a document and as rows: the same that `explain` says in words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoints::Cited;
use super::explain::{Explained, Relation, Sum};
use super::listing::Listing;
use crate::catalog::{Catalog, CatalogRole, Entry, EntryId};
use crate::derive::{Decision, Requirement, Standing, Subject};
use crate::evidence::Tool;
use crate::host::Scheme;

/// The format of [`Explanation`]; a change that old readers would misread makes it a new one.
pub const EXPLANATION_FORMAT: &str = "cmcomply.explanation/1";

/// Why a name is needed, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// [`EXPLANATION_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// The catalog's version.
    pub catalog: String,
    /// What was asked: a host or a wildcard.
    pub name: String,
    /// With which scheme; null: with any.
    pub scheme: Option<Scheme>,
    /// On which port; null: on any.
    pub port: Option<u16>,
    /// For which host; null: for all.
    pub host: Option<String>,
    /// The answer.
    pub answer: Sum,
    /// The answer in words.
    pub words: String,
    /// What each entry says, for each server, client or console that it is about.
    pub entries: Vec<ExplainedEntry>,
    /// Names of the catalog that are near it, where no entry names it.
    pub near: Vec<String>,
}

/// What one entry says for one server, client or console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedEntry {
    /// The entry.
    pub entry: EntryId,
    /// Its section of the page.
    pub section: String,
    /// What the name has to do with it.
    pub relation: Relation,
    /// Whether it is needed here.
    pub standing: StandingHere,
    /// For whom, in words; null if nobody has the role.
    pub subject: Option<String>,
    /// In which role.
    pub role: CatalogRole,
    /// The endpoint: what is needed, or what the entry is about.
    pub endpoint: String,
    /// Under which facts the entry applies.
    pub when: String,
    /// Why it is needed.
    pub reasons: Vec<String>,
    /// What is missing to decide.
    pub missing: Vec<String>,
    /// What each fact of the entry says, where it does not apply.
    pub facts: Vec<FactSaid>,
    /// According to whom.
    pub sources: Vec<Cited>,
}

/// How an entry stands to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingHere {
    /// It is needed.
    Needed,
    /// A fact is missing.
    Undecided,
    /// The service is gone.
    Retired,
    /// The entry does not apply.
    NotNeeded,
}

impl StandingHere {
    fn word(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Undecided => "undecided",
            Self::Retired => "retired",
            Self::NotNeeded => "not needed",
        }
    }
}

/// What one fact says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactSaid {
    /// The fact, as a condition names it, or what else is asked.
    pub question: String,
    /// Yes, no, or null: unknown.
    pub value: Option<bool>,
    /// The evidence, or what is missing.
    pub words: Vec<String>,
}

/// The explanation as a document.
pub fn explanation_document(explained: &Explained<'_>, catalog: &Catalog) -> Explanation {
    let mut entries = Vec::new();
    for applied in &explained.applied {
        let rows = applied.requirements.iter();
        entries
            .extend(rows.map(|(requirement, relation)| of_requirement(applied.entry, requirement, relation, catalog)));
    }
    for silent in &explained.silent {
        for role in &silent.entry.roles {
            let standings: Vec<&Standing> = silent.standings.iter().filter(|s| s.role == *role).collect();
            if standings.is_empty() {
                entries.push(of_entry(silent.entry, *role, &silent.relation, None, catalog));
            }
            let rows = standings.into_iter();
            entries.extend(rows.map(|s| of_entry(silent.entry, *role, &silent.relation, Some(s), catalog)));
        }
    }
    for requirement in &explained.open {
        if let Some(entry) = catalog.entry(&requirement.entry) {
            entries.push(of_requirement(entry, requirement, &Relation::MayBe, catalog));
        }
    }
    Explanation {
        format: EXPLANATION_FORMAT.to_owned(),
        tool: Tool::this(),
        catalog: catalog.version.clone(),
        name: explained.asked.name.to_string(),
        scheme: explained.asked.scheme,
        port: explained.asked.port,
        host: explained.host.as_ref().map(ToString::to_string),
        answer: explained.sum(),
        words: explained.verdict(catalog),
        entries,
        near: explained.near.clone(),
    }
}

fn of_requirement(entry: &Entry, requirement: &Requirement, relation: &Relation, catalog: &Catalog) -> ExplainedEntry {
    let (standing, missing) = match &requirement.decision {
        Decision::Needed => (StandingHere::Needed, Vec::new()),
        Decision::Undecided { missing } => (StandingHere::Undecided, missing.clone()),
        Decision::Retired => (StandingHere::Retired, Vec::new()),
    };
    ExplainedEntry {
        standing,
        subject: Some(requirement.subject.to_string()),
        endpoint: requirement.endpoint(),
        reasons: requirement.reasons.clone(),
        missing,
        ..of_entry(entry, requirement.role, relation, None, catalog)
    }
}

fn of_entry(
    entry: &Entry,
    role: CatalogRole,
    relation: &Relation,
    standing: Option<&Standing>,
    catalog: &Catalog,
) -> ExplainedEntry {
    let answers = standing.map_or(&[][..], |standing| &standing.answers);
    let facts = answers.iter().map(|answer| FactSaid {
        question: answer.question.clone(),
        value: answer.value,
        words: answer.words.clone(),
    });
    ExplainedEntry {
        entry: entry.id.clone(),
        section: entry.section.clone(),
        relation: relation.clone(),
        standing: StandingHere::NotNeeded,
        subject: standing.map(|standing| Subject::to_string(&standing.subject)),
        role,
        endpoint: format!("{}://{}", entry.scheme, entry.endpoint),
        when: entry.when.to_string(),
        reasons: Vec::new(),
        missing: Vec::new(),
        facts: facts.collect(),
        sources: Cited::all(&entry.sources, catalog),
    }
}

/// The explanation in columns.
pub fn explanation_rows(document: &Explanation) -> Listing<7> {
    let row = |row: &ExplainedEntry| {
        let said = row.facts.iter().map(|fact| {
            let value = fact.value.map_or("unknown", |yes| if yes { "yes" } else { "no" });
            format!("{} {value} ({})", fact.question, fact.words.join("; "))
        });
        let why: Vec<String> = row.reasons.iter().chain(&row.missing).cloned().chain(said).collect();
        let sources = row.sources.iter().map(|source| format!("{}, {}, {}", source.title, source.section, source.date));
        [
            row.standing.word().to_owned(),
            row.endpoint.clone(),
            row.subject.clone().unwrap_or_else(|| "nobody here".to_owned()),
            row.role.title().to_owned(),
            row.entry.to_string(),
            why.join("; "),
            sources.collect::<Vec<_>>().join("; "),
        ]
    };
    Listing {
        columns: ["standing", "endpoint", "for", "role", "entry", "why", "sources"],
        rows: document.entries.iter().map(row).collect(),
    }
}
