//! Reading a catalog from a folder of the operator.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::Catalog;
use super::error::CatalogError;
use super::reader::RELEASES_FILE;

/// The most files that are read, and the most bytes of each.
const FILES_MAX: usize = 500;
const BYTES_MAX: u64 = 1 << 20;

/// Why a folder gives no catalog.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that is larger than a catalog file can be, or no text.
    #[error("{}: {what}", .path.display())]
    NoCatalogFile {
        /// Which.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// No files, or too many.
    #[error("{}: {count} files that end in .toml; a catalog has 1 to {FILES_MAX}", .path.display())]
    Count {
        /// The folder.
        path: PathBuf,
        /// How many.
        count: usize,
    },
    /// The files break the catalog's rules, in the order of files and lines.
    #[error("{} mistakes in the catalog", .0.len())]
    Mistakes(Vec<CatalogError>),
}

impl Catalog {
    /// Reads the `.toml` files of a folder. A folder with `versions.toml` is a whole catalog and stands by itself; any
    /// other one adds to the catalog in this program, and overrides what has the same name.
    /// No source of it may be of a day after `today`.
    pub fn load(folder: &Path, today: Date) -> Result<Self, LoadError> {
        let files = read(folder)?;
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let shown = folder.display().to_string();
        let whole = files.iter().any(|(name, _)| *name == RELEASES_FILE);
        let read = if whole { Self::whole(&shown, &files, Some(today)) } else { Self::with_own(&shown, &files, today) };
        read.map_err(LoadError::Mistakes)
    }
}

/// Names and texts of the `.toml` files.
fn read(folder: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let error = |path: &Path| {
        let path = path.to_owned();
        move |source| LoadError::Read { path, source }
    };
    let mut files = Vec::new();
    let mut count = 0;
    for found in fs::read_dir(folder).map_err(error(folder))? {
        let path = found.map_err(error(folder))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        count += 1;
        if count <= FILES_MAX {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, text(&path)?));
        }
    }
    if count == 0 || count > FILES_MAX {
        return Err(LoadError::Count { path: folder.to_owned(), count });
    }
    Ok(files)
}

fn text(path: &Path) -> Result<String, LoadError> {
    let error = |source| LoadError::Read { path: path.to_owned(), source };
    let no_file = |what| LoadError::NoCatalogFile { path: path.to_owned(), what };
    // A pipe or a device would never end.
    if !fs::metadata(path).map_err(error)?.is_file() {
        return Err(no_file("no regular file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(error)?.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(no_file("larger than 1 MB: that is no file of a catalog"));
    }
    String::from_utf8(bytes).map_err(|_| no_file("not text (UTF-8)"))
}
