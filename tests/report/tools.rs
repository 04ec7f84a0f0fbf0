//! Software that nobody here wrote: found, or loudly skipped.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The first of the programs that runs with these arguments; `None` after a loud line if there is none, and a failure
/// where nothing may be skipped.
pub(crate) fn find(programs: &[&str], arguments: &[&str], what: &str) -> Option<String> {
    let runs = |program: &&&str| Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success());
    let found = programs.iter().find(runs);
    if found.is_none() {
        skipped(&format!("no {what} here, so it did not judge the reports"));
    }
    found.map(|program| (*program).to_owned())
}

/// A Python that has these modules.
pub(crate) fn python(modules: &str, what: &str) -> Option<String> {
    find(&["python3"], &["-c", &format!("import {modules}")], what)
}

/// A file of an npm package, where `CMCOMPLY_NODE_MODULES` says that packages are.
pub(crate) fn npm(file: &str) -> Option<PathBuf> {
    let modules = std::env::var_os("CMCOMPLY_NODE_MODULES").map(PathBuf::from);
    let found = modules.map(|modules| modules.join(file)).filter(|path| path.exists());
    if found.is_none() {
        skipped(&format!("no {file} here (npm; CMCOMPLY_NODE_MODULES), so it did not judge the reports"));
    }
    found
}

/// Says what was skipped, past the capture of test output; fails where nothing may be.
pub(crate) fn skipped(what: &str) {
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|set| set != "1"), "{what}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// Runs a program and returns whether it was content, and everything that it said.
pub(crate) fn ask(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.success(), said)
}
