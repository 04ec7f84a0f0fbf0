//! Lists of hashes as `sha256sum` writes and checks them: 64 digits, two blanks, a name.

use super::{RunName, SIGNATURE, SUMS};

/// What a run says of the run before it, and HEAD of the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The run.
    pub run: RunName,
    /// SHA-256 of its SHA256SUMS.
    pub sums: String,
    /// SHA-256 of its signature, if it had one then.
    pub signature: Option<String>,
}

/// What PREVIOUS holds where there is no run before.
pub(super) const NONE: &str = "none\n";

impl Link {
    /// The lines of PREVIOUS (`lead` is `../`) or HEAD.
    pub(super) fn lines(&self, lead: &str) -> String {
        let Self { run, sums, signature } = self;
        let signature = signature.as_ref().map(|hash| line(hash, &format!("{lead}{run}/{SIGNATURE}")));
        line(sums, &format!("{lead}{run}/{SUMS}")) + &signature.unwrap_or_default()
    }
}

/// One line.
pub(super) fn line(hash: &str, name: &str) -> String {
    format!("{hash}  {name}\n")
}

/// Reads a link. What cmcomply would not have written so is an error in words.
pub(super) fn link(bytes: &[u8], lead: &str) -> Result<Option<Link>, String> {
    if bytes == NONE.as_bytes() {
        return Ok(None);
    }
    let lines = sums(bytes)?;
    let (first, rest) = lines.split_first().ok_or("it is empty")?;
    let of = |name: &str, file: &str| {
        let run = name.strip_prefix(lead)?.strip_suffix(file)?.strip_suffix('/')?;
        RunName::parse(run)
    };
    let run = of(&first.1, SUMS).ok_or("it names no run")?;
    let signature = match rest {
        [] => None,
        [(hash, name)] if of(name, SIGNATURE).as_ref() == Some(&run) => Some(hash.clone()),
        _ => return Err("it names more than one run".to_owned()),
    };
    Ok(Some(Link { run, sums: first.0.clone(), signature }))
}

/// Reads hashes and names.
pub(super) fn sums(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text")?;
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let body = text.strip_suffix('\n').ok_or("its last line has no end")?;
    (1..)
        .zip(body.split('\n'))
        .map(|(number, line)| {
            let wrong = || format!("line {number} is no hash and name");
            let (hash, name) = line.split_once("  ").ok_or_else(wrong)?;
            let hash_fits = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let name_fits = !name.is_empty()
                && name.len() <= 200
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte));
            if hash_fits && name_fits { Ok((hash.to_owned(), name.to_owned())) } else { Err(wrong()) }
        })
        .collect()
}

/// Reads the hashes of one folder's files: plain names, sorted, none twice.
pub(super) fn manifest(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let lines = sums(bytes)?;
    if let Some((_, name)) = lines.iter().find(|(_, name)| name.contains('/') || name.starts_with('.')) {
        return Err(format!("{name} is no file of the run"));
    }
    if !lines.is_sorted_by(|(_, one), (_, next)| one < next) {
        return Err("its lines are not sorted".to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "20261125T080000Z-CAS-1f0c9a3e";

    #[test]
    fn a_link_is_read_back() {
        for signature in [None, Some("b".repeat(64))] {
            let whole = Link { run: RunName::parse(RUN).unwrap(), sums: "a".repeat(64), signature };
            for lead in ["", "../"] {
                assert_eq!(link(whole.lines(lead).as_bytes(), lead).unwrap(), Some(whole.clone()));
            }
            assert!(link(whole.lines("").as_bytes(), "../").is_err());
        }
        assert_eq!(link(b"none\n", "../").unwrap(), None);
    }

    #[test]
    fn what_is_no_link_is_an_error() {
        let hash = "a".repeat(64);
        let two = format!("{hash}  ../{RUN}/SHA256SUMS\n{hash}  ../20271125T080000Z-CAS-1f0c9a3e/SHA256SUMS.minisig\n");
        for text in [
            String::new(),
            "none".to_owned(),
            format!("{hash}  ../../etc/passwd\n"),
            format!("{hash}  ../{RUN}/SHA256SUMS"),
            format!("{hash} ../{RUN}/SHA256SUMS\n"),
            format!("{}  ../{RUN}/SHA256SUMS\n", "A".repeat(64)),
            two,
        ] {
            assert!(link(text.as_bytes(), "../").is_err(), "{text}");
        }
        assert!(link(&[0xff, b'\n'], "").is_err());
    }

    #[test]
    fn a_manifest_names_files_of_its_folder_once_each() {
        let (a, b) = (line(&"a".repeat(64), "a"), line(&"b".repeat(64), "b"));
        assert_eq!(manifest(format!("{a}{b}").as_bytes()).unwrap().len(), 2);
        assert!(manifest(format!("{b}{a}").as_bytes()).is_err());
        assert!(manifest(format!("{a}{a}").as_bytes()).is_err());
        assert!(manifest(line(&"a".repeat(64), "../x").as_bytes()).is_err());
        assert!(manifest(line(&"a".repeat(64), ".x").as_bytes()).is_err());
    }
}
