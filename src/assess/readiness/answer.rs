//! What a rule finds: in parts, one for each site, host or thing that it looks at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::State;
use crate::host::HostName;
use crate::site::{Fact, UnknownWhy};

/// What is missing to decide a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// The fact.
    pub fact: String,
    /// Of which host, where it is a host's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Why it is missing.
    pub why: String,
    /// How to read or state it.
    pub how: String,
}

/// The parts of an answer. What is wrong decides, then what is missing, then what is fine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) wrong: Vec<String>,
    pub(super) missing: Vec<Missing>,
    pub(super) fine: Vec<String>,
    pub(super) needless: Vec<String>,
}

/// Why a fact is missing, most often.
pub(super) const NOT_SAID: &str = "the site database does not say it";
/// The same of what it never says.
pub(super) const NEVER_SAID: &str = "no object of a site database says it";

/// A rule's answer; an early one where there is nothing to go on with.
pub(super) type Answered = Result<Answer, Answer>;

impl Answer {
    pub(super) fn wrong(text: impl Into<String>) -> Self {
        Self { wrong: vec![text.into()], ..Self::default() }
    }

    pub(super) fn missing(fact: impl Into<String>, why: impl Into<String>, how: impl Into<String>) -> Self {
        let missing = Missing { fact: fact.into(), host: None, why: why.into(), how: how.into() };
        Self { missing: vec![missing], ..Self::default() }
    }

    /// As [`Answer::missing`], of a host.
    pub(super) fn missing_of(host: &HostName, fact: &str, why: impl Into<String>, how: &str) -> Self {
        let missing = Missing { fact: fact.to_owned(), host: Some(host.clone()), why: why.into(), how: how.to_owned() };
        Self { missing: vec![missing], ..Self::default() }
    }

    pub(super) fn fine(text: impl Into<String>) -> Self {
        Self { fine: vec![text.into()], ..Self::default() }
    }

    pub(super) fn needless(why: impl Into<String>) -> Self {
        Self { needless: vec![why.into()], ..Self::default() }
    }

    /// Fine or wrong.
    pub(super) fn of(fine: bool, text: impl Into<String>) -> Self {
        if fine { Self::fine(text) } else { Self::wrong(text) }
    }

    /// With the parts of another one.
    pub(super) fn and(self, other: Self) -> Self {
        [self, other].into_iter().collect()
    }

    pub(super) fn state(&self) -> State {
        match (self.wrong.is_empty(), self.missing.is_empty(), self.fine.is_empty()) {
            (false, ..) => State::NotMet,
            (_, false, _) => State::Undecided,
            (_, _, false) => State::Met,
            _ => State::DoesNotApply,
        }
    }
}

impl FromIterator<Answer> for Answer {
    fn from_iter<I: IntoIterator<Item = Answer>>(answers: I) -> Self {
        let mut all = Self::default();
        for answer in answers {
            all.wrong.extend(answer.wrong);
            all.missing.extend(answer.missing.into_iter().filter(|one| !all.missing.contains(one)).collect::<Vec<_>>());
            all.fine.extend(answer.fine);
            all.needless.extend(answer.needless);
        }
        all
    }
}

/// The value of a fact.
pub(super) fn known<'a, T>(what: &str, fact: &'a Fact<T>) -> Result<&'a T, Answer> {
    match fact {
        Fact::Known { value, .. } => Ok(value),
        Fact::Unknown { why, detail } => {
            let how = match why {
                UnknownWhy::NotPermitted | UnknownWhy::NotVisible => {
                    "grant the right: cmcomply queries --grants LOGIN prints the script"
                }
                UnknownWhy::Cut | UnknownWhy::QueryFailed => "read the site database again",
                UnknownWhy::NotThere | UnknownWhy::NotEvidenced => {
                    "this site database does not say it: look at it in the console"
                }
            };
            Err(Answer::missing(what, detail, how))
        }
    }
}

/// What is missing where the fact may not be all that there is: what is seen there counts, and proves nothing of the rest.
pub(super) fn lacks<T>(what: &str, fact: &Fact<T>) -> Answer {
    let how = "read the database of the top-level site as well";
    fact.may_lack().map_or_else(Answer::default, |why| Answer::missing(format!("more {what}"), why, how))
}

/// The rows of a fact. They may not be all: see [`lacks`].
pub(super) fn rows<'a, T>(what: &str, fact: &'a Fact<Vec<T>>) -> Result<&'a [T], Answer> {
    Ok(known(what, fact)?.as_slice())
}
