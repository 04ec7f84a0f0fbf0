//! Whether a machine answers, before anything is probed from it.

use std::time::Duration;

use tokio::net::TcpStream;

use super::{Command, Place, Unreached, UnreachedWhy, VantageKind, ssh};

/// The longest that a check may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest that a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What was checked, in words; `None` where there is nothing to check. Nothing is probed, and nothing is left there.
pub async fn check(place: &Place) -> Result<Option<&'static str>, Unreached> {
    let late = |_| Unreached::new(UnreachedWhy::Deadline, format!("no answer within {} s", LIMIT.as_secs()));
    match place.rule.kind {
        VantageKind::Ssh => tokio::time::timeout(LIMIT, program(place)).await.map_err(late)?.map(Some),
        VantageKind::SshWindows => tokio::time::timeout(LIMIT, echo(place)).await.map_err(late)?.map(Some),
        VantageKind::Winrm => port(place).await.map(Some),
        VantageKind::Local | VantageKind::Carried | VantageKind::RunScripts | VantageKind::None => Ok(None),
    }
}

/// Signs in and asks the program for its version.
async fn program(place: &Place) -> Result<&'static str, Unreached> {
    let line = format!("{} --version", place.rule.program.as_deref().unwrap_or("cmcomply"));
    let answer = ssh::run(place, &Command { line, stdin: Vec::new() }, MAX).await?;
    if String::from_utf8_lossy(&answer.stdout).lines().any(|line| line.starts_with("cmcomply ")) {
        return Ok("signed in, and cmcomply is there");
    }
    Err(ssh::explain(&answer)
        .unwrap_or_else(|| Unreached::new(UnreachedWhy::Program, "what answers there is not cmcomply")))
}

/// Signs in.
async fn echo(place: &Place) -> Result<&'static str, Unreached> {
    let answer = ssh::run(place, &Command { line: "echo cmcomply".to_owned(), stdin: Vec::new() }, MAX).await?;
    if String::from_utf8_lossy(&answer.stdout).contains("cmcomply") {
        return Ok("signed in");
    }
    Err(ssh::explain(&answer).unwrap_or_else(|| Unreached::new(UnreachedWhy::Answer, "its shell says nothing")))
}

/// Connects to the port, and says no more: a password is for the audit.
async fn port(place: &Place) -> Result<&'static str, Unreached> {
    let port = place.rule.port().unwrap_or_default();
    let host = place.title();
    let addresses = tokio::time::timeout(CONNECT, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<_> = match addresses {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(error)) => return Err(Unreached::new(UnreachedWhy::Name, format!("{host}: {error}"))),
        Err(_) => return Err(Unreached::new(UnreachedWhy::Name, format!("{host}: no answer from DNS"))),
    };
    match tokio::time::timeout(CONNECT, TcpStream::connect(&addresses[..])).await {
        Ok(Ok(_)) => Ok("the port is open; not signed in"),
        Ok(Err(error)) => Err(Unreached::new(UnreachedWhy::Port, format!("port {port}: {error}"))),
        Err(_) => {
            let what = format!("port {port}: no answer within {} s", CONNECT.as_secs());
            Err(Unreached::new(UnreachedWhy::Port, what))
        }
    }
}

/// The most that is read of an answer.
const MAX: u64 = 64 << 10;
