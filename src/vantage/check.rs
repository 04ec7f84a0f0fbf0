//! Whether a machine answers, before anything is probed from it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::access::Trusts;
use super::{Access, Command, Place, Unreached, UnreachedWhy, VantageKind, ssh, winrm, work};

/// What was checked, in words; `None` where there is nothing to check.
pub type Check = Result<Option<&'static str>, Unreached>;

/// The longest that a check may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Checks every machine, several at a time, and returns what was found, in their order. Nothing is probed, and nothing is
/// left there.
pub async fn check_all(accesses: Vec<Access>, cancel: &CancellationToken) -> Vec<Check> {
    let trusts = Arc::new(Trusts::of(accesses.iter()).await);
    let lost = Err(Unreached::new(UnreachedWhy::Answer, "the check broke (a defect)"));
    let check = |access: Access| {
        let (trusts, cancel) = (trusts.clone(), cancel.clone());
        async move { check(&access, &trusts, &cancel).await }
    };
    work::for_all(accesses, lost, check).await
}

async fn check(access: &Access, trusts: &Trusts, cancel: &CancellationToken) -> Check {
    let place = &access.place;
    match place.rule.kind {
        VantageKind::Ssh => work::within(LIMIT, cancel, program(place)).await.map(Some),
        VantageKind::SshWindows => work::within(LIMIT, cancel, echo(place)).await.map(Some),
        VantageKind::Winrm => shell(access, trusts, cancel).await.map(Some),
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

/// Signs in, makes a shell, which shows the rights, and deletes it. Without an account the port is all there is to try.
async fn shell(access: &Access, trusts: &Trusts, cancel: &CancellationToken) -> Result<&'static str, Unreached> {
    let (endpoint, account) = access.winrm(trusts)?;
    let limits = winrm::Limits { total: LIMIT, ..winrm::Limits::default() };
    let Some(account) = account else {
        let knock = async { Ok(winrm::knock(&endpoint, &limits).await?) };
        work::within(LIMIT, cancel, knock).await?;
        return Ok("only the port was tried, and it is open: no account is stated");
    };
    winrm::sign_in(&endpoint, &account, &limits, cancel).await?;
    Ok("signed in, and may run commands: a shell was made and deleted")
}

/// The most that is read of an answer.
const MAX: u64 = 64 << 10;
