//! A command from its shell's beginning to its end.

use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::answer::{self, Fault};
use super::client::Client;
use super::soap::Verb;
use super::{Account, Endpoint, Limits, Scheme, WinRmError};
use crate::vantage::{Answer, Command};

/// Runs `command` in a shell of its own on the host, and takes the shell away again, whatever happened. `cancel` ends the
/// command there too.
pub async fn run(
    endpoint: &Endpoint,
    account: &Account,
    command: &Command,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Answer, WinRmError> {
    let length = command.line.encode_utf16().count();
    if length > MAX_LINE {
        return Err(WinRmError::LineTooLong { length, limit: MAX_LINE });
    }
    if command.line.chars().any(char::is_control) {
        return Err(WinRmError::Here("the command line holds a control character".to_owned()));
    }
    in_shell(endpoint, account, Some(command), limits, cancel).await
}

/// Signs in, makes a shell and deletes it, and runs nothing: the account may run commands there.
pub async fn sign_in(
    endpoint: &Endpoint,
    account: &Account,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<(), WinRmError> {
    in_shell(endpoint, account, None, limits, cancel).await.map(drop)
}

/// What a command answers, or nothing of no command; the shell is taken down in any case.
async fn in_shell(
    endpoint: &Endpoint,
    account: &Account,
    command: Option<&Command>,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Answer, WinRmError> {
    if account.scheme == Scheme::Basic && !endpoint.is_encrypted() {
        return Err(WinRmError::BasicInClear);
    }
    let until = Instant::now() + limits.total;
    let stopped = async || {
        select! {
            () = cancel.cancelled() => WinRmError::Cancelled,
            () = sleep_until(until) => WinRmError::Deadline(limits.total),
        }
    };
    let mut client = select! {
        opened = Client::open(endpoint, account, limits) => opened?,
        error = stopped() => return Err(error),
    };
    // A shell that is being made has no name yet by which it could be deleted, so its name is waited for.
    let (shell, stop) = {
        let mut made = Box::pin(make(&mut client));
        select! {
            shell = &mut made => (shell?, None),
            error = stopped() => match timeout(GRACE, made).await {
                Ok(Ok(shell)) => (shell, Some(error)),
                Ok(Err(_)) | Err(_) => return Err(error),
            },
        }
    };
    let mut work = Work { client: &mut client, shell: &shell, command: None };
    let ended = match (stop, command) {
        (Some(error), _) => Err(error),
        (None, None) => Ok(Answer::default()),
        (None, Some(command)) => select! {
            ended = work.run(command, limits, until) => ended,
            error = stopped() => Err(error),
        },
    };
    let running = work.command.take().filter(|_| ended.is_err());
    // Should it fail, the shell's idle time ends it.
    let down = timeout(GRACE, take_down(&mut client, endpoint, account, limits, &shell, running.as_deref())).await;
    match command {
        Some(_) => ended,
        // Here that is all there was to do.
        None => ended.and(down.unwrap_or(Err(WinRmError::Silent(GRACE))).map(|()| Answer::default())),
    }
}

async fn make(client: &mut Client<'_>) -> Result<String, WinRmError> {
    let user = client.user().to_owned();
    client.ask(Verb::Create, None, WAIT, answer::shell).await?.map_err(|fault| fault.into_error(&user))
}

/// A shell at work.
struct Work<'a, 'c> {
    client: &'a mut Client<'c>,
    shell: &'a str,
    /// The command, once it has begun.
    command: Option<String>,
}

impl Work<'_, '_> {
    async fn run(&mut self, command: &Command, limits: &Limits, until: Instant) -> Result<Answer, WinRmError> {
        let user = self.client.user().to_owned();
        let error = |fault: Fault| fault.into_error(&user);
        let verb = Verb::Command(&command.line);
        let id = self.client.ask(verb, Some(self.shell), WAIT, answer::command).await?.map_err(error)?;
        self.command = Some(id.clone());
        let pieces: Vec<&[u8]> = command.stdin.chunks(PIECE).collect();
        // Without input there is still its end to be told.
        for (index, piece) in pieces.iter().copied().chain(pieces.is_empty().then_some([].as_slice())).enumerate() {
            let verb = Verb::Send { command: &id, piece, last: index + 1 >= pieces.len() };
            self.client.ask(verb, Some(self.shell), WAIT, answer::nothing).await?.map_err(error)?;
        }
        let mut all = Answer::default();
        loop {
            let wait = WAIT.min(until.saturating_duration_since(Instant::now()));
            let take = |body: roxmltree::Node<'_, '_>| answer::output(body, &id);
            let output = match self.client.ask(Verb::Receive(&id), Some(self.shell), wait, take).await? {
                Ok(output) => output,
                Err(fault) if fault.is_timeout() => continue,
                Err(fault) => return Err(error(fault)),
            };
            if all.stdout.len() + all.stderr.len() + output.stdout.len() + output.stderr.len() > limits.output {
                return Err(WinRmError::TooLarge { limit: limits.output });
            }
            all.stdout.extend_from_slice(&output.stdout);
            all.stderr.extend_from_slice(&output.stderr);
            if output.done {
                all.code = output.code;
                return Ok(all);
            }
        }
    }
}

/// Ends the command, if it may still run, and deletes the shell; over another connection if this one waits for an answer.
async fn take_down<'a>(
    client: &mut Client<'a>,
    endpoint: &'a Endpoint,
    account: &'a Account,
    limits: &Limits,
    shell: &str,
    running: Option<&str>,
) -> Result<(), WinRmError> {
    let mut other;
    let client = if client.is_free() {
        client
    } else {
        other = Client::open(endpoint, account, limits).await?;
        &mut other
    };
    if let Some(command) = running {
        // Deleting the shell ends the command as well, so this may fail.
        let _ = client.ask(Verb::Terminate(command), Some(shell), GRACE, answer::nothing).await;
    }
    let deleted = client.ask(Verb::Delete, Some(shell), GRACE, answer::nothing).await?;
    deleted.map_err(|fault| fault.into_error(account.user.as_str()))
}

/// What `cmd.exe` takes, less what it adds itself.
const MAX_LINE: usize = 8_000;
/// What one Send holds; in Base64 it fits into the smallest envelope that any Windows has.
const PIECE: usize = 64 * 1024;
/// How long the server may wait for output before it says that there is none.
const WAIT: Duration = Duration::from_secs(20);
/// For taking the shell down, and for the name of a shell that is being made.
const GRACE: Duration = Duration::from_secs(10);
