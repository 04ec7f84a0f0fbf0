//! The system's own client, on Windows: `Invoke-Command`. It needs no crate, signs in as whoever runs cmcomply, and knows
//! every way of signing in that the domain allows, Kerberos among them.
//!
//! What `powershell.exe` is given on its command line is constant, and so is the block that it runs there. Host, command
//! line and payload are data on its standard input, one line each. There is no password: another account is not offered
//! here. Nobody here could run it against a Windows host; what is tested is how it is put together.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::process::Command as Process;
use tokio::select;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Endpoint, Limits, WinRmError};
use crate::text::printable;
use crate::vantage::process::{self, Broke};
use crate::vantage::{Answer, Command};

/// What `powershell.exe` runs here. It reads the host, the port, the scheme, and in Base64 the command line and the input;
/// these go over as arguments of a block that is always the same, so neither is ever read as PowerShell. Windows
/// PowerShell would take a program's standard error for errors of its own, so that is left there.
const SCRIPT: &str = "\
$ErrorActionPreference='Stop';\
[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false;\
$r=[Console]::In;$h=$r.ReadLine();$p=[int]$r.ReadLine();$t=$r.ReadLine() -eq 'https';\
$d={param($x)[Text.Encoding]::ASCII.GetString([Convert]::FromBase64String($x))};\
$l=&$d $r.ReadLine();$i=&$d $r.ReadLine();\
try{Invoke-Command -ComputerName $h -Port $p -UseSSL:$t -ArgumentList $l,$i -ScriptBlock \
{param($l,$i)$i|&$env:ComSpec /d /c $l 2>$null;'CMCOMPLY-EXIT '+$LASTEXITCODE}|\
ForEach-Object{[Console]::Out.WriteLine([string]$_)};exit 0}\
catch{[Console]::Error.WriteLine($_.FullyQualifiedErrorId);[Console]::Error.WriteLine($_.Exception.Message);exit 3}";

/// The program and its arguments: the same for every host and payload.
fn program() -> (&'static str, [&'static str; 5]) {
    ("powershell.exe", ["-NoProfile", "-NonInteractive", "-NoLogo", "-Command", SCRIPT])
}

/// What it reads: five lines, none of which can hold the end of one.
fn input(endpoint: &Endpoint, command: &Command) -> Result<String, WinRmError> {
    let here = |what: &str| Err(WinRmError::Here(what.to_owned()));
    if !command.line.is_ascii() || command.line.contains('"') || command.line.chars().any(char::is_control) {
        return here("the command line has a quotation mark or a character that Invoke-Command would change");
    }
    if !command.stdin.is_ascii() {
        return here("the input has octets that Invoke-Command would change");
    }
    let scheme = if endpoint.is_encrypted() { "https" } else { "http" };
    let [line, stdin] = [command.line.as_bytes(), &command.stdin].map(|text| BASE64_STANDARD.encode(text));
    Ok(format!("{}\n{}\n{scheme}\n{line}\n{stdin}\n", endpoint.host, endpoint.port))
}

/// Runs a command on the host of `endpoint`, as the account that runs this program. The trust and the address of
/// `endpoint` are not used, since the system has its own.
pub async fn run(
    endpoint: &Endpoint,
    command: &Command,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Answer, WinRmError> {
    let input = input(endpoint, command)?;
    let (program, arguments) = program();
    let mut shell = Process::new(program);
    shell.args(arguments);
    ask(shell, input, limits, cancel).await
}

/// Gives the program its input and takes what it says, within the limits.
async fn ask(
    program: Process,
    input: String,
    limits: &Limits,
    cancel: &CancellationToken,
) -> Result<Answer, WinRmError> {
    let here = |error: io::Error| WinRmError::Here(format!("PowerShell cannot be run: {error}"));
    let most = u64::try_from(limits.output).unwrap_or(u64::MAX);
    let work = process::run(program, input.as_bytes(), most);
    let answer = select! {
        ended = timeout(limits.total, work) => ended.map_err(|_| WinRmError::Deadline(limits.total))?,
        () = cancel.cancelled() => return Err(WinRmError::Cancelled),
    };
    let Answer { mut stdout, stderr, code } = answer.map_err(|broke| match broke {
        Broke::Start(error) | Broke::End(error) => here(error),
        Broke::TooMuch => WinRmError::TooLarge { limit: limits.output },
    })?;
    if code != Some(0) {
        return Err(refusal(&String::from_utf8_lossy(&stderr)));
    }
    let code = exit_code(&mut stdout);
    if code.is_none() {
        return Err(WinRmError::Cut("the end of the command was not told".to_owned()));
    }
    Ok(Answer { stdout, stderr, code })
}

/// The identifier of the error, which is the same in every language, and the text, which is not.
fn refusal(said: &str) -> WinRmError {
    let (code, detail) = said.split_once('\n').unwrap_or((said, ""));
    let code = code.trim().split(',').next().unwrap_or_default();
    let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
    match code {
        "AccessDenied" => {
            WinRmError::NotAllowed { user: "this account".to_owned(), detail: printable(&detail, MAX_DETAIL) }
        }
        code => WinRmError::Fault { code: printable(code, 60), detail: printable(&detail, MAX_DETAIL) },
    }
}

/// The exit code, which is told in the last line. It is taken off.
fn exit_code(stdout: &mut Vec<u8>) -> Option<i32> {
    let start = stdout.windows(MARK.len()).rposition(|window| window == MARK.as_bytes())?;
    let code = std::str::from_utf8(&stdout[start + MARK.len()..]).ok()?.trim().parse().ok();
    stdout.truncate(start);
    code
}

const MARK: &str = "CMCOMPLY-EXIT ";
const MAX_DETAIL: usize = 300;

#[cfg(test)]
mod tests {
    use super::super::Transport;
    use super::*;

    fn command(line: &str, stdin: &[u8]) -> Command {
        Command { line: line.to_owned(), stdin: stdin.to_vec() }
    }

    fn endpoint() -> Endpoint {
        Endpoint::usual("cm01.contoso.com".parse().unwrap(), Transport::Http)
    }

    #[test]
    fn what_is_run_is_constant_and_what_differs_is_data() {
        let (program, arguments) = program();
        assert_eq!((program, arguments[3], arguments[4]), ("powershell.exe", "-Command", SCRIPT));
        assert!(SCRIPT.is_ascii() && !SCRIPT.contains(['"', '\n']) && SCRIPT.len() < 8_000);
        let input = input(&endpoint(), &command("whoami & calc", b"'; calc\n$(calc)")).unwrap();
        assert_eq!(input, "cm01.contoso.com\n5985\nhttp\nd2hvYW1pICYgY2FsYw==\nJzsgY2FsYwokKGNhbGMp\n");
    }

    #[test]
    fn what_would_not_arrive_as_it_is_is_refused() {
        for (line, stdin) in [("say \"a\"", b"".as_slice()), ("a\nb", b""), ("f\u{fc}r", b""), ("a", b"\xff")] {
            assert!(matches!(input(&endpoint(), &command(line, stdin)), Err(WinRmError::Here(_))), "{line:?}");
        }
    }

    #[test]
    fn refusals_go_by_the_identifier_of_the_error() {
        let denied = refusal("AccessDenied,PSSessionStateBroken\r\nConnecting to  remote server\r\nfailed.\r\n");
        assert!(
            matches!(&denied, WinRmError::NotAllowed { detail, .. } if detail == "Connecting to remote server failed.")
        );
        let other = refusal("CannotUseIPAddress,PSSessionStateBroken\r\nx\x1b[2J");
        assert_eq!(other.to_string(), "it refused: x\\u{1b}[2J (code CannotUseIPAddress)");
        assert!(matches!(refusal(""), WinRmError::Fault { .. }));
    }

    #[cfg(unix)]
    mod with_a_stand_in {
        use std::time::Duration;

        use super::*;

        async fn ask_shell(script: &str, limits: &Limits) -> Result<Answer, WinRmError> {
            let mut shell = Process::new("sh");
            shell.args(["-c", script]);
            ask(shell, "one\ntwo\n".to_owned(), limits, &CancellationToken::new()).await
        }

        #[tokio::test]
        async fn output_and_code_come_back() {
            let limits = Limits::default();
            let answer = ask_shell("cat; echo 'CMCOMPLY-EXIT 7'", &limits).await.unwrap();
            assert_eq!((answer.stdout.as_slice(), answer.code), (b"one\ntwo\n".as_slice(), Some(7)));
            assert!(matches!(ask_shell("cat", &limits).await, Err(WinRmError::Cut(_))));
            let failed = ask_shell("echo AccessDenied,x >&2; echo no >&2; exit 3", &limits).await;
            assert!(matches!(failed, Err(WinRmError::NotAllowed { .. })), "{failed:?}");
        }

        #[tokio::test]
        async fn too_much_and_too_long_end_it() {
            let limits = Limits { output: 1000, total: Duration::from_secs(1), ..Limits::default() };
            assert_eq!(ask_shell("exec sleep 60", &limits).await, Err(WinRmError::Deadline(limits.total)));
            let patient = Limits { total: Duration::from_mins(1), ..limits };
            assert_eq!(ask_shell("exec yes", &patient).await, Err(WinRmError::TooLarge { limit: 1000 }));
        }
    }
}
