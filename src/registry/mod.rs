//! The registry of Windows, asked through the system's own `reg.exe`: what that prints is the same in every language.

mod command;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// What `reg query KEY` prints by `until`, or `None` where there is no such key, or no right to read it. The key is ours;
/// the output is bounded by what values may have.
pub(crate) fn query(key: &str, until: Instant) -> Result<Option<String>, String> {
    let root = std::env::var_os("SystemRoot").ok_or("the folder of Windows is unknown (SystemRoot)")?;
    let program = Path::new(&root).join("System32").join("reg.exe");
    command::run(Command::new(program).args(["query", key]), until, MAX_OUTPUT)
}

/// The data of a value in the output of `reg query`: `    NAME    REG_TYPE    DATA`.
pub(crate) fn value<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    output.lines().find_map(|line| {
        let (head, rest) = line.strip_prefix("    ")?.split_once("    REG_")?;
        let (_, data) = rest.split_once("    ").filter(|_| head.eq_ignore_ascii_case(name))?;
        Some(data.trim()).filter(|data| !data.is_empty())
    })
}

const MAX_OUTPUT: usize = 256 * 1024;
