//! `cmcomply snapshot`: all facts as one file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::facts::FactsArgs;
use super::{Stop, audit, console, exit};
use crate::evidence::write_aside;
use crate::site::{Facts, Snapshot, redact};
use crate::text::{self, printable};

/// Arguments of `cmcomply snapshot`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  cmcomply snapshot --sql cm01.contoso.com -o site.json
      read once; `--snapshot site.json` stands in for `--sql` from then on
  cmcomply snapshot --snapshot site.json --redact -o share.json
      the same under pseudonyms; the key stays in redact-key.txt, beside nothing that is shared
  cmcomply snapshot --snapshot cas.json --snapshot ps1.json -o hierarchy.json
      the facts of two sites, each read with an account of its own, as one")]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    facts: FactsArgs,
    /// Replace names by stable keyed pseudonyms: host names, site codes, tenant ids keep their shape.
    #[arg(long, help_heading = "Output")]
    redact: bool,
    /// The key of the pseudonyms. Made if it is not there; the same key gives the same pseudonyms.
    #[arg(long, value_name = "FILE", default_value = "redact-key.txt", help_heading = "Output")]
    redact_key_file: PathBuf,
    /// Where to write the snapshot. A file of that name is replaced, and only by a whole one.
    #[arg(short, long, value_name = "FILE", default_value = "site.json", help_heading = "Output")]
    output: PathBuf,
}

/// Reads the facts and writes the snapshot.
pub(super) async fn run(args: SnapshotArgs) -> Result<u8, Stop> {
    let path = text::path(&args.output);
    audit::writable(&args.output)?;
    if args.redact && same_place(&args.redact_key_file, &args.output) {
        return Err(Stop::usage(anyhow::anyhow!("--output {path} is the file of the key (--redact-key-file)")));
    }
    let prepared = args.facts.prepare()?;
    let key = if args.redact { Some(key(&args.redact_key_file).map_err(Stop::usage)?) } else { None };
    let cancel = audit::cancel_on_ctrl_c("interrupted: nothing is written");
    let taken = prepared.taken().unwrap_or_else(Timestamp::now);
    let redacted = prepared.is_redacted();
    let facts = prepared.read(&cancel).await?;
    if cancel.is_cancelled() {
        return Ok(exit::INCOMPLETE);
    }
    let mut snapshot = Snapshot { redacted, ..Snapshot::new(facts, taken) };
    if let Some(key) = key {
        snapshot = redact(&snapshot, &key).context("the facts could not be redacted").map_err(Stop::usage)?;
    }
    let document = snapshot.to_json().context("the facts could not be written as JSON").map_err(Stop::usage)?;
    write_aside(&args.output, &document).with_context(|| format!("cannot write {path}")).map_err(Stop::usage)?;
    console::print(&said(&path, &snapshot.facts)).context("cannot write to standard output").map_err(Stop::usage)?;
    Ok(exit::COMPLIANT)
}

/// What the facts say, a line for each; those that are unknown come last.
fn said(path: &str, facts: &Facts) -> String {
    let line = |(name, answer): &(String, String)| format!("  {name}: {}\n", printable(answer, 300));
    let (unknown, known): (Vec<_>, Vec<_>) =
        facts.answers().into_iter().partition(|(_, answer)| answer.starts_with("unknown: "));
    let all: String = known.iter().chain(&unknown).map(line).collect();
    let findings = match facts.data_findings.len() {
        0 => String::new(),
        n => format!("  {n} unusable values in the site database (data_findings)\n"),
    };
    let above = facts.above().map(|above| format!("  {}\n", printable(&above.to_string(), 500))).unwrap_or_default();
    format!("{path}: {} facts are unknown\n{all}{findings}{above}", unknown.len())
}

/// Whether two paths are of one file, also one that is not there yet.
fn same_place(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    one == other || whole(one).is_some_and(|one| whole(other).is_some_and(|other| one == other))
}

/// The key in a file: 64 hexadecimal digits. A file that is not there is made, for its owner alone.
pub(super) fn key(path: &Path) -> anyhow::Result<[u8; 32]> {
    let name = text::path(path);
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let text = text.trim();
            let mut key = [0; 32];
            anyhow::ensure!(
                text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()),
                "--redact-key-file {name} holds no key (64 hexadecimal digits)"
            );
            for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
            }
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            getrandom::fill(&mut key)
                .map_err(|error| anyhow::anyhow!("this system gives no random numbers: {error}"))?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path).with_context(|| format!("cannot write --redact-key-file {name}"))?;
            writeln!(file, "{}", text::hexadecimal(&key))
                .with_context(|| format!("cannot write --redact-key-file {name}"))?;
            Ok(key)
        }
        Err(error) => Err(anyhow::anyhow!("cannot read --redact-key-file {name}: {error}")),
    }
}
