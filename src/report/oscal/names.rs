//! The data types of OSCAL: what is allowed in a token, a value, a text.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::text::printable;

/// Where this program's properties are explained: in its README.
const PROPERTIES: &str = "urn:cmcomply:oscal";
/// The name space of the identifiers; chosen once, never changed.
const NAME_SPACE: Uuid = Uuid::from_u128(0x4c1f_7a52_6d0b_4f7e_9b43_2f6c_1d5e_a801);
/// Characters of a text.
const TEXT: usize = 4000;

/// The identifier of a thing of a kind: version 5, so the same in every run.
pub(super) fn id(kind: &str, key: &str) -> String {
    Uuid::new_v5(&NAME_SPACE, format!("{kind}\n{key}").as_bytes()).to_string()
}

/// A token: begins with a letter or `_`, and goes on with those, digits, `.`, `-` and `_`.
pub(super) fn token(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let token: String = text.chars().take(200).map(|c| if fits(c) { c } else { '-' }).collect();
    if token.starts_with(|c: char| c.is_ascii_alphabetic()) { token } else { format!("_{token}") }
}

/// A property of ours. Its value is one line, and never empty.
pub(super) fn property(name: &str, value: &str) -> Value {
    let value = printable(value.trim(), TEXT);
    json!({ "name": name, "ns": PROPERTIES, "value": if value.is_empty() { "none" } else { &value } })
}

/// Text that goes through a reader of OSCAL's Markdown unchanged.
pub(super) fn line(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text.trim(), TEXT).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '{' | '}' | '|' | '#' | '~' | '^' | '$' | '&'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    if out.is_empty() { "none".to_owned() } else { out }
}

/// Paragraphs.
pub(super) fn lines(texts: &[String]) -> String {
    let lines: Vec<String> = texts.iter().map(|text| line(text)).collect();
    if lines.is_empty() { "none".to_owned() } else { lines.join("\n\n") }
}

/// Whether a text may stand as an address.
pub(super) fn is_reference(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_stay() {
        assert_eq!(id("finding", "a"), id("finding", "a"));
        assert_ne!(id("finding", "a"), id("risk", "a"));
        assert_eq!(id("finding", "a").as_bytes()[14], b'5');
    }

    #[test]
    fn names_and_texts_fit_their_types() {
        assert_eq!(token("3 host:443/\u{1b}"), "_3-host-443--");
        assert_eq!(property("a", " \n ")["value"], "none");
        assert_eq!(line("*.x\n<b>"), "\\*.x\\\\u\\{a\\}\\<b\\>");
        assert!(is_reference("https://learn.microsoft.com/a#b") && !is_reference("javascript:alert(1)"));
    }
}
