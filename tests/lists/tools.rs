//! Software that nobody here wrote: found, or loudly skipped.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The first of the programs that runs with the argument and says the word; `None` after a loud line if there is none,
/// and a failure where nothing may be skipped.
pub(crate) fn find(programs: &[&str], arguments: &[&str], word: &str, package: &str) -> Option<String> {
    let found = programs.iter().find(|program| {
        Command::new(program).args(arguments).output().is_ok_and(|output| {
            output.status.success()
                && [output.stdout, output.stderr].iter().any(|text| String::from_utf8_lossy(text).contains(word))
        })
    });
    if found.is_none() {
        skipped(&format!("no {package} here, so it did not judge the lists"));
    }
    found.map(|program| (*program).to_owned())
}

/// Says what was skipped, past the capture of test output; fails where nothing may be.
pub(crate) fn skipped(what: &str) {
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|set| set != "1"), "{what}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// Runs a program that reads the input to its end and then answers.
pub(crate) fn filter(command: &mut Command, input: String) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join();
    output
}
