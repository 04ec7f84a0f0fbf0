//! Redaction of a whole run: the facts as a snapshot's, and everywhere else the same pseudonyms in the place of the same
//! names.
//!
//! What comes from outside (certificates, headers, pages, errors) and what people wrote (waivers) is hidden whole. In
//! texts that cmcomply composed, every name that is no public one is replaced, and so is every word that stands in
//! something hidden. A field that nobody thought of is hidden.

mod field;
mod words;

use serde_json::Value;

use self::field::{Treatment, treatment};
use self::words::Words;
use super::{CatalogRecord, Run};
use crate::catalog::Catalog;
use crate::host::{HostName, HostOrAddress};
use crate::site::{Facts, Pseudonyms};

/// Redacts runs under one key, which keeps their pseudonyms alike.
#[derive(Debug)]
pub struct Redaction {
    key: [u8; 32],
}

/// Why a run was not redacted.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// It cannot be taken apart or put together.
    #[error("it cannot be redacted: {0}")]
    Json(#[from] serde_json::Error),
    /// What came out is no run.
    #[error("it cannot be redacted: {0}")]
    NoRun(#[from] super::RunError),
}

impl Redaction {
    /// Under this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: *key }
    }

    /// The run under pseudonyms. It holds together as it did: the same requirements, verdicts and counts.
    pub fn run(&self, run: &Run) -> Result<Run, RedactError> {
        let mut names = Pseudonyms::new(&self.key);
        let facts: Facts = names.facts(&run.facts)?;
        if let Some(host) = &run.vantage.host {
            names.host(host);
        }
        for host in run.requirements.iter().filter_map(|requirement| requirement.subject.host()) {
            names.host(host);
        }
        let own_catalog = run.catalog.sha256 != Catalog::embedded().sha256;
        let mut document = serde_json::to_value(Run { facts: facts.clone(), redacted: true, ..run.clone() })?;
        let mut words = Words::new(names);
        collect(&document, &mut Vec::new(), &mut words);
        for observation in &run.observations {
            // The address of a redirect is what somebody outside wrote.
            if observation.redirected_from.is_some() {
                words.hide(&observation.probe.0);
            }
        }
        words.order();
        if let Some(parts) = document.as_object_mut() {
            for (part, value) in parts.iter_mut().filter(|(part, _)| *part != "facts") {
                if part != "catalog" || own_catalog {
                    replace(value, &mut vec![part.clone()], &mut words);
                }
                if part == "catalog" && own_catalog {
                    rename_documents(value, &mut words);
                }
            }
        }
        let mut redacted: Run = serde_json::from_value(document)?;
        if own_catalog {
            redacted.catalog.version = version(&run.catalog.version);
        }
        // Entries of the catalog in this program are nobody's secret, and by them catalogs stay comparable.
        let public = CatalogRecord::of(Catalog::embedded(), &[]).all;
        for (mark, was) in redacted.catalog.all.iter_mut().zip(&run.catalog.all) {
            if public.contains(was) {
                mark.clone_from(was);
            }
        }
        // Whatever is wrong with it shows now, and not in the hands of whoever gets it.
        Run::parse("redacted", &redacted.to_json()?)?;
        Ok(redacted)
    }
}

/// The keys of documents, as the sources that cite them have them now.
fn rename_documents(catalog: &mut Value, words: &mut Words<'_>) {
    let cited = ["catalog", "entries", "sources", "document"].map(ToOwned::to_owned);
    if let Some(documents) = catalog.get_mut("documents").and_then(Value::as_object_mut) {
        let named = std::mem::take(documents).into_iter();
        *documents = named.map(|(key, document)| (replaced(&key, &cited, words), document)).collect();
    }
}

/// The version of a catalog without what its owner calls it.
fn version(text: &str) -> String {
    let base = text.split('+').next().unwrap_or_default();
    let plain = !base.is_empty() && base.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match (plain, base == text) {
        (true, true) => base.to_owned(),
        (true, false) => format!("{base}+own"),
        (false, _) => "own".to_owned(),
    }
}

/// Gathers what is to be hidden whole.
fn collect(value: &Value, path: &mut Vec<String>, words: &mut Words<'_>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if path.is_empty() && matches!(name.as_str(), "facts" | "catalog") {
                    continue;
                }
                path.push(name.clone());
                collect(value, path, words);
                path.pop();
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, words)),
        Value::String(text) => match treatment(path) {
            Treatment::Name => words.names_in(text),
            Treatment::Hidden => words.hide(text),
            // Causes and notes repeat it. One word alone may stand anywhere.
            Treatment::Gone if text.contains(' ') => words.hide(text),
            Treatment::Product if text.starts_with('"') => words.hide(text.trim_matches('"')),
            _ => {}
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace(value: &mut Value, path: &mut Vec<String>, words: &mut Words<'_>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(name.clone());
                replace(value, path, words);
                path.pop();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, path, words)),
        Value::String(text) => *text = replaced(text, path, words),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replaced(text: &str, path: &[String], words: &mut Words<'_>) -> String {
    match treatment(path) {
        Treatment::Plain => text.to_owned(),
        Treatment::Gone => "redacted".to_owned(),
        Treatment::Hidden => words.hidden(text),
        Treatment::Name => words.hidden_name(text),
        Treatment::Hash => words.hash(text),
        Treatment::Site => words.site(text),
        Treatment::Host => match HostOrAddress::parse(text) {
            Ok(HostOrAddress::Name(name)) => words.host(&name),
            _ => words.composed(text),
        },
        Treatment::Path if text == "/" => text.to_owned(),
        Treatment::Path => format!("/{}", words.hidden(text)),
        Treatment::Url => url(text, words),
        Treatment::Product if text.starts_with('"') => words.hidden(text),
        Treatment::Composed | Treatment::Product => words.composed(text),
    }
}

/// The scheme and, under its pseudonym, the host; the path of a host that is nobody's business is hidden.
fn url(text: &str, words: &mut Words<'_>) -> String {
    let Ok(url) = url::Url::parse(text) else { return words.hidden(text) };
    let Some(Ok(host)) = url.host_str().map(HostName::parse) else { return words.hidden(text) };
    if words.is_public(&host) {
        return text.to_owned();
    }
    format!("{}://{}/{}", url.scheme(), words.host(&host), words.hidden(text))
}

#[cfg(test)]
mod tests;
