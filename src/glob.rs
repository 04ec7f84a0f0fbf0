//! Patterns in which `*` stands for any text: of hosts, of catalog entries.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text in which `*` stands for any text. Compared without case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Glob(String);

impl Glob {
    /// A pattern; any text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.to_lowercase(), text.to_lowercase());
        let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
        let Some(mut text) = text.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            match text.find(part) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
        text.ends_with(last)
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        let glob = |pattern: &str, text: &str| Glob(pattern.to_owned()).matches(text);
        assert!(glob("cm01.contoso.com", "CM01.contoso.com") && !glob("cm01", "cm01.contoso.com"));
        assert!(glob("*", "") && glob("*", "anything") && glob("a*", "a") && glob("*a", "ba"));
        assert!(glob("*.contoso.com", "a.b.contoso.com") && !glob("*.contoso.com", "contoso.com"));
        assert!(glob("a*b*c", "a-b-b-c") && !glob("a*b*c", "a-c-b") && !glob("ab*ba", "aba"));
        assert!(!glob("cm0?", "cm01") && !glob("", "x"));
    }
}
