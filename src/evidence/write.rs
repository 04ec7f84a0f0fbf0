//! Writing a document whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` beside `path` and renames the file once it is complete, so that no half-written file is ever seen
/// under that name. A regular file of that name is replaced, a link is followed, and anything else (a device, a pipe,
/// a folder) is refused.
pub fn write_aside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_aside_with(path, |file| file.write_all(bytes))
}

/// As [`write_aside`], of a document that is written piece by piece.
pub fn write_aside_with(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let path = target(path)?;
    let aside = aside(&path)?;
    let written = (|| {
        let mut file = io::BufWriter::new(fs::OpenOptions::new().write(true).create_new(true).open(&aside)?);
        write(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&aside, &path)
    })();
    if written.is_err() {
        // Best effort: the error that is reported is the first one.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Finds out whether [`write_aside`] could write there, by making the file that it would make and removing it.
pub fn can_write_aside(path: &Path) -> io::Result<()> {
    let aside = aside(&target(path)?)?;
    fs::OpenOptions::new().write(true).create_new(true).open(&aside)?;
    fs::remove_file(&aside)
}

/// Where a path leads, if a file may be written there.
fn target(path: &Path) -> io::Result<PathBuf> {
    let path = if path.is_symlink() { fs::canonicalize(path)? } else { path.to_owned() };
    match fs::metadata(&path) {
        Ok(there) if there.is_dir() => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a folder")),
        Ok(there) if !there.is_file() => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
        Ok(there) if there.permissions().readonly() => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"))
        }
        Ok(_) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
        Err(error) => Err(error),
    }
}

/// A name in the same folder that nobody else uses.
fn aside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?
        .to_string_lossy();
    let unique =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    Ok(path.with_file_name(format!(".{name}.{}-{unique:09}.part", std::process::id())))
}

/// Whether a file of that name is one that [`write_aside`] makes beside `file`.
pub(super) fn is_aside(file: &str, name: &str) -> bool {
    let between = name.strip_prefix('.').and_then(|name| name.strip_prefix(file)?.strip_suffix(".part"));
    between.and_then(|text| text.strip_prefix('.')).is_some_and(|text| {
        let numbers = text.split_once('-');
        numbers.is_some_and(|(process, moment)| [process, moment].iter().all(|part| is_number(part)))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.json");
        write_aside(&path, b"one").unwrap();
        write_aside(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("run.json");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("inside"), b"kept").unwrap();
        assert!(write_aside(&folder, b"new").is_err() && can_write_aside(&folder).is_err());
        assert!(write_aside(Path::new("/"), b"x").is_err());
        let long = dir.path().join("x".repeat(250));
        assert!(can_write_aside(&long).is_err(), "the file beside it would have too long a name");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_name_beside_is_known_again() {
        let beside = aside(Path::new("runs/HEAD")).unwrap();
        let name = beside.file_name().unwrap().to_str().unwrap();
        assert!(is_aside("HEAD", name), "{name}");
        assert!(!is_aside("HEA", name) && !is_aside("HEAD", "HEAD") && !is_aside("HEAD", ".HEAD.part"));
        assert!(!is_aside("HEAD", ".HEAD.1-x.part") && !is_aside("HEAD", ".HEAD.-1.part"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_a_pipe_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.json"), dir.path().join("link.json"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_aside(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(link.is_symlink());
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(write_aside(&pipe, b"new").unwrap_err().to_string().contains("no regular file"));
        assert!(can_write_aside(Path::new("/dev/null")).is_err());
    }
}
