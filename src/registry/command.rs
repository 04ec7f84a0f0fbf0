//! A program of the system, run to its end: within a deadline, with bounded output, and killed where it does not end.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What the program printed, if it ended in good order; `None` if it ended otherwise. The error says why nothing can be
/// said: it did not start, did not end by `until`, or printed more than `most` octets.
pub(super) fn run(command: &mut Command, until: Instant, most: usize) -> Result<Option<String>, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    let ended = end(&mut child, until, most).map_err(|why| format!("{name} {why}"));
    if ended.is_err() {
        let _ = child.kill(); // it may have ended by itself
        let _ = child.wait();
    }
    ended
}

fn end(child: &mut Child, until: Instant, most: usize) -> Result<Option<String>, String> {
    let output = child.stdout.take().ok_or("has no output")?;
    let (sender, receiver) = mpsc::channel();
    // A thread that is not waited for: what the program started may hold its output open after it was killed.
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let room = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let read = output.take(room).read_to_end(&mut text).map(|_| text);
        let _ = sender.send(read); // nobody waits any more where the deadline has passed
    });
    let late = || "did not end in time, and was killed".to_owned();
    let text = receiver.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|_| late())?;
    let text = text.map_err(|error| format!("cannot be read: {error}"))?;
    if text.len() > most {
        return Err(format!("printed more than {most} octets, and was killed"));
    }
    // Its output has ended; it itself has a moment more.
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success().then(|| String::from_utf8_lossy(&text).into_owned())),
            Ok(None) if Instant::now() < until => std::thread::sleep(STEP),
            Ok(None) => return Err(late()),
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

const STEP: Duration = Duration::from_millis(5);

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<Option<String>, String> {
        run(Command::new("sh").args(["-c", script]), Instant::now() + limit, 1000)
    }

    #[test]
    fn a_program_that_ends_is_read_and_one_that_fails_has_nothing_to_say() {
        let long = Duration::from_mins(1);
        assert_eq!(shell("echo said", long), Ok(Some("said\n".to_owned())));
        assert_eq!(shell("echo said; exit 1", long), Ok(None));
        let missing = run(&mut Command::new("/nonexistent/reg.exe"), Instant::now() + long, 1000);
        assert!(missing.unwrap_err().contains("does not start"));
    }

    /// Each would go on for an hour.
    #[test]
    fn a_program_without_end_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("pid").display().to_string();
        let runs = |script: &str| {
            let short = Duration::from_millis(300);
            let said = shell(&format!("echo $$ > {place}; {script}"), short).unwrap_err();
            let pid = std::fs::read_to_string(&place).unwrap();
            let alive = Command::new("kill").args(["-0", pid.trim()]).stderr(Stdio::null()).status().unwrap();
            assert!(!alive.success(), "{script} goes on");
            said
        };
        assert!(runs("exec sleep 3600").ends_with("did not end in time, and was killed"));
        assert!(runs("exec >&-; exec sleep 3600").ends_with("did not end in time, and was killed"));
        // Its child keeps the output open.
        assert!(runs("sleep 5 & exec sleep 3600").ends_with("did not end in time, and was killed"));
        assert!(runs("exec yes").ends_with("printed more than 1000 octets, and was killed"));
    }
}
