//! Conditions on facts: `scp.online and not (cmg.exists or entra.user-discovery)`.

use std::fmt;

use serde::Serialize;

use super::fact::ConditionFact;

/// A condition, evaluated over three values (see `derive`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `always`
    Always,
    /// A named fact.
    Fact(ConditionFact),
    /// `not …`
    Not(Box<Condition>),
    /// `… and …`
    And(Vec<Condition>),
    /// `… or …`
    Or(Vec<Condition>),
}

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// A word that is no fact.
    #[error("unknown fact `{word}` in condition; known facts: {}", known())]
    UnknownFact {
        /// The word.
        word: String,
    },
    /// Something else was expected.
    #[error("condition: expected a fact, `not`, `(` or `always`, found {found}")]
    Expected {
        /// What stands there.
        found: String,
    },
    /// More than one condition.
    #[error("condition: `{found}` after the end; use `and` or `or`")]
    Trailing {
        /// What stands there.
        found: String,
    },
    /// A parenthesis is not closed.
    #[error("condition: `)` missing")]
    Unclosed,
    /// Deeper than a reader would follow.
    #[error("condition: nested too deeply")]
    TooDeep,
}

fn known() -> String {
    ConditionFact::all().map(ConditionFact::name).collect::<Vec<_>>().join(", ")
}

impl Condition {
    /// Parses a condition: `or` binds weaker than `and`, `and` weaker than `not`.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut parser = Parser { words: &words, depth: 0 };
        let condition = parser.or()?;
        match parser.words.first() {
            None => Ok(condition),
            Some(word) => Err(ConditionError::Trailing { found: (*word).to_owned() }),
        }
    }

    /// The facts that it names, each once, in their order.
    pub fn facts(&self) -> Vec<ConditionFact> {
        let named = match self {
            Self::Always => Vec::new(),
            Self::Fact(fact) => vec![*fact],
            Self::Not(inner) => inner.facts(),
            Self::And(terms) | Self::Or(terms) => terms.iter().flat_map(Self::facts).collect(),
        };
        let mut facts = Vec::new();
        for fact in named {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        facts
    }

    /// Whether some values of its facts make it true. With too many facts to try them all, it is believed to.
    pub fn can_hold(&self) -> bool {
        const MOST: usize = 10;
        let facts = self.facts();
        facts.len() > MOST
            || (0u32..1 << facts.len()).any(|bits| {
                let is = |fact: ConditionFact| {
                    facts.iter().position(|known| *known == fact).is_some_and(|place| bits >> place & 1 == 1)
                };
                EXCLUDED.iter().all(|(one, other)| !(is(*one) && is(*other))) && self.is_true(&is)
            })
    }

    fn is_true(&self, is: &impl Fn(ConditionFact) -> bool) -> bool {
        match self {
            Self::Always => true,
            Self::Fact(fact) => is(*fact),
            Self::Not(inner) => !inner.is_true(is),
            Self::And(terms) => terms.iter().all(|term| term.is_true(is)),
            Self::Or(terms) => terms.iter().any(|term| term.is_true(is)),
        }
    }
}

/// Facts of which never both are true: a secondary site has a parent.
const EXCLUDED: [(ConditionFact, ConditionFact); 1] = [(ConditionFact::SiteTopLevel, ConditionFact::SiteSecondary)];

struct Parser<'a> {
    words: &'a [&'a str],
    depth: u8,
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn or(&mut self) -> Result<Condition, ConditionError> {
        let mut terms = vec![self.and()?];
        while self.take("or") {
            terms.push(self.and()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Condition::Or(terms) })
    }

    fn and(&mut self) -> Result<Condition, ConditionError> {
        let mut terms = vec![self.unary()?];
        while self.take("and") {
            terms.push(self.unary()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Condition::And(terms) })
    }

    fn unary(&mut self) -> Result<Condition, ConditionError> {
        self.depth += 1;
        if self.depth > 32 {
            return Err(ConditionError::TooDeep);
        }
        let condition = if self.take("not") {
            Condition::Not(Box::new(self.unary()?))
        } else if self.take("(") {
            let inner = self.or()?;
            if !self.take(")") {
                return Err(ConditionError::Unclosed);
            }
            inner
        } else if self.take("always") {
            Condition::Always
        } else {
            let word = *self.words.first().ok_or(ConditionError::Expected { found: "the end".to_owned() })?;
            if matches!(word, "and" | "or" | ")") {
                return Err(ConditionError::Expected { found: format!("`{word}`") });
            }
            let fact = ConditionFact::all()
                .find(|fact| fact.name() == word)
                .ok_or_else(|| ConditionError::UnknownFact { word: word.to_owned() })?;
            self.words = &self.words[1..];
            Condition::Fact(fact)
        };
        self.depth -= 1;
        Ok(condition)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, terms: &[Condition], word: &str| {
            for (i, term) in terms.iter().enumerate() {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                match term {
                    Self::Or(_) | Self::And(_) => write!(f, "({term})")?,
                    _ => write!(f, "{term}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Always => f.write_str("always"),
            Self::Fact(fact) => f.write_str(fact.name()),
            Self::Not(inner) => match **inner {
                Self::Or(_) | Self::And(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::And(terms) => join(f, terms, "and"),
            Self::Or(terms) => join(f, terms, "or"),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_and_round_trip() {
        for text in ["always", "scp.online and cmg.exists", "scp.online or (cmg.exists and not entra.user-discovery)"] {
            assert_eq!(Condition::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Condition::parse("scp.online or cmg.exists and not entra.user-discovery").unwrap().to_string(),
            "scp.online or (cmg.exists and not entra.user-discovery)"
        );
    }

    #[test]
    fn what_can_never_be_true_is_known() {
        let can_hold = |text: &str| Condition::parse(text).unwrap().can_hold();
        for possible in ["always", "not scp.online", "scp.online or not scp.online", "site.top-level or site.secondary"]
        {
            assert!(can_hold(possible), "{possible}");
        }
        for never in [
            "not always",
            "scp.online and not scp.online",
            "scp.online and (cmg.exists or entra.tenant) and not (cmg.exists or entra.tenant)",
            "site.top-level and site.secondary",
        ] {
            assert!(!can_hold(never), "{never}");
        }
        let all: Vec<&str> = ConditionFact::all().map(ConditionFact::name).collect();
        assert!(can_hold(&all.join(" and ")), "too many to try");
    }

    #[test]
    fn errors_say_what_stands_there() {
        assert!(matches!(Condition::parse("scp.onlin"), Err(ConditionError::UnknownFact { .. })));
        assert!(matches!(Condition::parse("scp.online cmg.exists"), Err(ConditionError::Trailing { .. })));
        assert!(matches!(Condition::parse("(scp.online"), Err(ConditionError::Unclosed)));
        assert!(matches!(Condition::parse("and"), Err(ConditionError::Expected { .. })));
        assert!(matches!(Condition::parse(""), Err(ConditionError::Expected { .. })));
        assert!(matches!(Condition::parse(&"not ".repeat(99)), Err(ConditionError::TooDeep)));
    }
}
