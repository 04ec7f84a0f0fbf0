//! What a program costs: time, processor time, memory. Linux says the last two in `/proc`.

use std::fs;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The cost of one run of a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system, of the program alone. In steps of 10 ms.
    pub(crate) cpu: Duration,
    /// Peak resident set in kilobytes; 0 if it was not seen.
    pub(crate) peak: u64,
    pub(crate) code: Option<i32>,
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> io::Result<Cost> {
    let before = children();
    let clock = Instant::now();
    let mut child = command.spawn()?;
    let (status, ended) = (format!("/proc/{}/status", child.id()), AtomicBool::new(false));
    let (waited, wall, peak) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !ended.load(Ordering::Relaxed) {
                peak = high_water(&status).unwrap_or(0).max(peak);
                std::thread::sleep(Duration::from_millis(4));
            }
            peak
        });
        let waited = child.wait();
        let wall = clock.elapsed();
        ended.store(true, Ordering::Relaxed);
        (waited, wall, watch.join().unwrap_or(0))
    });
    Ok(Cost { wall, cpu: children().saturating_sub(before), peak, code: waited?.code() })
}

/// The one in the middle by time.
pub(crate) fn median(mut costs: Vec<Cost>) -> Option<Cost> {
    costs.sort_by_key(|cost| cost.wall);
    costs.get(costs.len() / 2).copied()
}

/// The load of the machine, as it says.
pub(crate) fn load() -> String {
    fs::read_to_string("/proc/loadavg")
        .map_or_else(|_| "unknown".to_owned(), |text| text.split(' ').take(1).collect::<String>())
}

fn high_water(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The processor time of all children that were waited for.
fn children() -> Duration {
    let ticks = || -> Option<u64> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name in parentheses, the 14th and 15th field.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    };
    Duration::from_millis(ticks().unwrap_or(0) * 10)
}
