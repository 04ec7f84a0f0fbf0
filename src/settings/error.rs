//! What can be wrong with a settings file.

use crate::text::printable;

/// A settings file that cannot be used. It never shows a value of the file, since one may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct SettingsError {
    /// The file.
    pub file: String,
    /// The line, from one, where there is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl SettingsError {
    /// An error of the TOML reader about the text of a file.
    pub(crate) fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start).min(text.len());
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        let what = without_values(&error.message().replace('\n', ", "));
        Self { file: printable(file, 500), line: Some(line), what: printable(&what, 500) }
    }
}

/// The message without the values of the file that the reader quotes: texts in `"…"`, and keys that are none of ours.
fn without_values(message: &str) -> String {
    let cut = |message: &str, open: &str, close: &str| -> String {
        match (message.find(open), message.rfind(close)) {
            (Some(from), Some(to)) if from + open.len() <= to => {
                format!("{}{}", &message[..from + open.len()], &message[to..])
            }
            _ => message.to_owned(),
        }
    };
    let message = cut(message, "string \"", "\"");
    let plain = |key: &str| key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    for start in ["unknown field `", "unknown variant `", "duplicate key `"] {
        if let Some((_, rest)) = message.split_once(start) {
            let (key, tail) = rest.split_once("`, ").unwrap_or((rest.trim_end_matches('`'), ""));
            if !plain(key) {
                return format!("{start}…`, {tail}");
            }
        }
    }
    message
}
