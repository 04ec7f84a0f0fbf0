//! Many hosts over WinRM at once, against the lab's WinRM server (Python with pyspnego) with 100 ms before each answer:
//! wall time against the floor of its round trips, and memory.
//!
//! `cargo bench --bench winrm`. Every host is a connection with an NTLM sign-in of its own and sealed messages. The server
//! is one Python process, so much of what is beyond the floor is its own work.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cmcomply::site::Secret;
use cmcomply::vantage::Command;
use cmcomply::vantage::winrm::{self, Account, Endpoint, Limits, Scheme, Transport};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const HOSTS: u16 = 200;
const LATENCY: Duration = Duration::from_millis(100);
/// Negotiate, authenticate, Create, Command, Send, Receive, Delete.
const ROUND_TRIPS: u32 = 7;
/// About what a plan has, and what an answer has.
const INPUT: usize = 40_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Process::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/winrm/server.py"))
        .arg("--log")
        .arg(folder.path().join("log"))
        .args(["--delay", &LATENCY.as_millis().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut port = String::new();
    BufReader::new(server.stdout.as_mut().expect("it is piped")).read_line(&mut port)?;
    let Ok(port) = port.trim().parse::<u16>() else {
        anyhow::bail!("no server: python3 needs pyspnego (pip install pyspnego==0.12.4)")
    };
    let mut out = std::io::stdout();
    let before = memory();
    writeln!(out, "{HOSTS} hosts, {} ms before each answer, {INPUT} octets in and out", LATENCY.as_millis())?;
    for at_once in [16, usize::from(HOSTS)] {
        let floor = LATENCY * ROUND_TRIPS * u32::try_from(usize::from(HOSTS).div_ceil(at_once))?;
        let took = run_all(port, at_once).await?;
        writeln!(
            out,
            "{at_once:3} at once: {} ms, the floor is {} ms (ratio {:.2}); {} KiB more memory than before, {} for a host",
            took.as_millis(),
            floor.as_millis(),
            took.as_secs_f64() / floor.as_secs_f64(),
            memory().saturating_sub(before),
            memory().saturating_sub(before) / u64::try_from(at_once)?,
        )?;
    }
    drop(server.stdin.take()); // it ends with its input
    server.wait()?;
    Ok(())
}

async fn run_all(port: u16, at_once: usize) -> anyhow::Result<Duration> {
    let (gate, begun) = (Arc::new(Semaphore::new(at_once)), Instant::now());
    let mut tasks = JoinSet::new();
    for number in 0..HOSTS {
        let gate = Arc::clone(&gate);
        tasks.spawn(async move {
            let _turn = gate.acquire().await?;
            let endpoint = Endpoint {
                host: format!("cm{number:03}.contoso.com").parse()?,
                port,
                transport: Transport::Http,
                address: Some(([127, 0, 0, 1], port).into()),
            };
            let account = Account {
                user: r"CONTOSO\svc-cm".to_owned(),
                password: Secret::new("Contoso-Secret-1"),
                scheme: Scheme::Ntlm,
            };
            let command = Command { line: "cat".to_owned(), stdin: vec![b'x'; INPUT] };
            let answer =
                winrm::run(&endpoint, &account, &command, &Limits::default(), &CancellationToken::new()).await?;
            anyhow::ensure!(answer.stdout == command.stdin && answer.code == Some(0), "another answer");
            Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(begun.elapsed())
}

/// The most that this process had, in KiB; zero where the system does not tell.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
