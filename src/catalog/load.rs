//! Reading the catalog's files: text to a catalog, or all that is wrong with it.

use std::sync::LazyLock;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::error::CatalogError;
use super::place::Source;
use super::reader::{HEAD_FILE, RELEASES_FILE, Reader};
use super::{Catalog, embedded};
use crate::text::hexadecimal;

impl Catalog {
    /// The catalog in this program.
    pub fn embedded() -> &'static Self {
        static CATALOG: LazyLock<Catalog> =
            LazyLock::new(|| Catalog::whole("", embedded::FILES, None).expect("a test loads the embedded files"));
        &CATALOG
    }

    /// Reads a whole catalog from files (name and text), in the order of their names whatever order they come in.
    /// Gives everything that is wrong, in the order of files and lines. No source may be of a day after `today`.
    pub fn from_files(files: &[(&str, &str)], today: Date) -> Result<Self, Vec<CatalogError>> {
        Self::whole("", files, Some(today))
    }

    /// The same, with a folder that stands before the names of the files in errors. Without `today`, no source may be
    /// of a day after the catalog's own.
    pub(super) fn whole(folder: &str, files: &[(&str, &str)], today: Option<Date>) -> Result<Self, Vec<CatalogError>> {
        Layer::read(folder, files, today).catalog(None)
    }

    /// Reads own files on top of the catalog in this program: an entry, a document, a root or an address range with a
    /// name that is there already takes its place; every other one is added. The whole must follow the same rules as
    /// ever. `folder` stands before the names of the files in errors. No own source may be of a day after `today`.
    pub fn with_own(folder: &str, files: &[(&str, &str)], today: Date) -> Result<Self, Vec<CatalogError>> {
        Layer::read("", embedded::FILES, None).catalog(Some(Layer::read(folder, files, Some(today))))
    }
}

/// The files of one place: the program's, or the operator's.
struct Layer {
    folder: String,
    reader: Reader,
    /// Names and texts, in the order of the names.
    texts: Vec<(String, String)>,
    errors: Vec<CatalogError>,
}

impl Layer {
    fn read(folder: &str, files: &[(&str, &str)], today: Option<Date>) -> Self {
        let mut texts: Vec<(String, String)> =
            files.iter().map(|(name, text)| ((*name).to_owned(), text.replace("\r\n", "\n"))).collect();
        texts.sort();
        let mut reader = Reader::default();
        for (i, (name, text)) in texts.iter().enumerate() {
            if i > 0 && texts[i - 1].0 == *name {
                reader.whole_file(folder, name, "the file is given twice");
            } else {
                reader.read(&Source::new(folder, name, text));
            }
        }
        reader.judge_days(today);
        let errors = std::mem::take(&mut reader.errors);
        Self { folder: folder.to_owned(), reader, texts, errors }
    }

    /// This layer, with another one on top.
    fn catalog(self, own: Option<Self>) -> Result<Catalog, Vec<CatalogError>> {
        let Self { folder, mut reader, texts, mut errors } = self;
        for (name, missing) in [(HEAD_FILE, reader.head.is_none()), (RELEASES_FILE, reader.releases.is_empty())] {
            if missing && !texts.iter().any(|(given, _)| *given == name) {
                reader.whole_file(&folder, name, "the file is missing");
            }
        }
        let mut hashed: Vec<(String, String)> = texts;
        if let Some(own) = own {
            errors.extend(own.errors);
            hashed.extend(own.texts.into_iter().map(|(name, text)| (format!("own/{name}"), text)));
            reader.put_on_top(own.reader);
        }
        reader.errors.extend(errors);
        reader.finish(sha256(&hashed))
    }
}

/// Over names and texts, each with its length before it, so that no two sets of files run into one.
fn sha256(texts: &[(String, String)]) -> String {
    let mut hasher = Sha256::new();
    for part in texts.iter().flat_map(|(name, text)| [name, text]) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hexadecimal(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalog_loads() {
        if let Err(errors) = Catalog::whole("", embedded::FILES, None) {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"));
        }
        assert_eq!(Catalog::embedded().sha256.len(), 64);
    }

    #[test]
    fn the_hash_is_that_of_the_content_on_any_system() {
        let windows: Vec<(&str, String)> =
            embedded::FILES.iter().rev().map(|(name, text)| (*name, text.replace('\n', "\r\n"))).collect();
        let windows: Vec<(&str, &str)> = windows.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(&Catalog::whole("", &windows, None).unwrap(), Catalog::embedded());
        let texts = |name: &str, text: &str| sha256(&[(name.to_owned(), text.to_owned())]);
        assert_ne!(texts("a", "bc"), texts("ab", "c"));
    }
}
