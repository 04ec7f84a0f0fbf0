//! How a catalog entry stands to this hierarchy: what each fact of its condition says, for each server of its roles.

use super::condition::{self, Asker, Tri};
use super::index::Index;
use super::requirement::Subject;
use super::servers::{Servers, Who};
use super::{Options, in_build, in_cloud};
use crate::catalog::{CatalogRole, ConditionFact, Entry};
use crate::site::Facts;

/// How an entry stands to one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whom.
    pub subject: Subject,
    /// In which role.
    pub role: CatalogRole,
    /// What makes it one of that role.
    pub reason: String,
    /// What the entry asks, and the answers.
    pub answers: Vec<Answer>,
}

/// What one fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The fact, as a condition names it, or what else is asked.
    pub question: String,
    /// Yes, no, or unknown.
    pub value: Option<bool>,
    /// The evidence, or what is missing.
    pub words: Vec<String>,
}

impl Answer {
    fn of(question: String, tri: Tri, no: impl FnOnce() -> String) -> Self {
        let (value, words) = match tri {
            Tri::True(reasons) => (Some(true), reasons),
            Tri::False => (Some(false), vec![no()]),
            Tri::Unknown(missing) => (None, missing),
        };
        Self { question, value, words }
    }
}

/// How the entry stands to each server, client or console of its roles. A role that nobody has is not in the answer.
pub fn standings(entry: &Entry, facts: &Facts, options: &Options) -> Vec<Standing> {
    let facts = &Index::new(facts);
    let servers = Servers::of(facts);
    let subjects = |role: CatalogRole| servers.subjects(role).into_iter().map(move |who| (role, who));
    entry
        .roles
        .iter()
        .flat_map(|&role| subjects(role))
        .map(|(r, who)| standing(entry, r, who, facts, options))
        .collect()
}

fn standing(entry: &Entry, role: CatalogRole, who: Who, facts: &Index<'_>, options: &Options) -> Standing {
    let server = match &who.subject {
        Subject::Host { site, host } => Some((site, host)),
        _ => None,
    };
    let asker = Asker { facts, server, clouds: &entry.clouds };
    let mut answers = Vec::new();
    if !who.missing.is_empty() {
        answers.push(Answer { question: "names of the servers".to_owned(), value: None, words: who.missing.clone() });
    }
    for fact in entry.when.facts() {
        let no = || {
            let about_cloud = matches!(fact, ConditionFact::CmgExists | ConditionFact::EntraTenant);
            let cloud = match entry.clouds.as_slice() {
                [cloud] if about_cloud => format!(" in {}", cloud.title()),
                _ => String::new(),
            };
            let objects = condition::objects(fact, facts).join(", ");
            format!("it is not so that {}{cloud} ({objects})", fact.meaning())
        };
        answers.push(Answer::of(fact.name().to_owned(), condition::evaluate_fact(fact, asker), no));
    }
    let clouds = || entry.clouds.iter().map(|cloud| cloud.title()).collect::<Vec<_>>().join(", ");
    match in_cloud(entry, facts) {
        Tri::True(reasons) if reasons.is_empty() => {}
        tri => answers.push(Answer::of("cloud".to_owned(), tri, || format!("nothing here is in {}", clouds()))),
    }
    match in_build(entry, facts, options) {
        Tri::True(reasons) if reasons.is_empty() => {}
        tri => {
            let build = options.target_build.or(facts.newest_build()).map_or_else(String::new, |b| b.to_string());
            let span = match (entry.since_build, entry.until_build) {
                (Some(since), None) => format!("from build {since} on"),
                (None, Some(until)) => format!("up to build {until}"),
                (since, until) => format!("builds {} to {}", since.unwrap_or(0), until.unwrap_or(u32::MAX)),
            };
            answers.push(Answer::of("build".to_owned(), tri, || format!("needed {span}; here it is {build}")));
        }
    }
    Standing { reason: who.reason, subject: who.subject, role, answers }
}
