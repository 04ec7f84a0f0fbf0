//! WinRM against servers that nobody here wrote: NTLM, sealing and channel binding of pyspnego, and what real Windows
//! hosts answered to pypsrp.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

#[path = "winrm/hosts.rs"]
mod hosts;
#[path = "winrm/others.rs"]
mod others;
#[path = "winrm/server.rs"]
mod server;

use std::time::Duration;

use cmcomply::site::Secret;
use cmcomply::vantage::winrm::{self, Account, Endpoint, Limits, Scheme, Transport, Trust, WinRmError};
use cmcomply::vantage::{Answer, Command};
use server::{Server, account, start, start_tls};
use tokio_util::sync::CancellationToken;

/// Long enough for any machine; nothing waits for it.
const LONG: Duration = Duration::from_mins(2);

fn command(line: &str, stdin: &[u8]) -> Command {
    Command { line: line.to_owned(), stdin: stdin.to_vec() }
}

fn limits() -> Limits {
    Limits { connect: LONG, total: LONG, ..Limits::default() }
}

async fn run_at(endpoint: &Endpoint, account: &Account, command: &Command) -> Result<Answer, WinRmError> {
    winrm::run(endpoint, account, command, &limits(), &CancellationToken::new()).await
}

async fn run(server: &Server, line: &str, stdin: &[u8]) -> Result<Answer, WinRmError> {
    run_at(&server.endpoint(), &account(Scheme::Ntlm), &command(line, stdin)).await
}

/// What the server logged of the end of a shell.
fn closing(server: &Server) -> Vec<String> {
    let log = server.log();
    assert!(!log.iter().any(|line| line.starts_with("error") || line == "leak"), "{log:?}");
    log.into_iter().filter(|line| ["signal terminate", "delete"].contains(&line.as_str())).collect()
}

#[tokio::test]
async fn a_command_runs_over_http_with_every_message_sealed() {
    let Some(server) = start(&[]) else { return };
    let answer = run(&server, "cat; echo \"<&>\" >&2; exit 7", b"in\0put\xff").await.unwrap();
    assert_eq!(answer.stdout, b"in\0put\xff");
    assert_eq!(answer.stderr, b"<&>\n");
    assert_eq!(answer.code, Some(7));
    let log = server.log();
    assert_eq!(log[0], r"signed in: CONTOSO\svc-cm by ntlm");
    assert_eq!(log[1], "create idle=PT180S");
    assert_eq!(closing(&server), ["delete"]);
}

#[tokio::test]
async fn input_goes_in_pieces_and_output_of_any_size_comes_back_whole() {
    let Some(server) = start(&[]) else { return };
    let input: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let answer = run(&server, "cat", &input).await.unwrap();
    assert!(answer.stdout == input, "{} octets of {}", answer.stdout.len(), input.len());
    let sent: Vec<_> = server.log().into_iter().filter(|line| line.starts_with("send")).collect();
    assert_eq!(sent.len(), 13);
    assert_eq!((sent[0].as_str(), sent[12].as_str()), ("send 65536", "send 13568 end"));
}

#[tokio::test]
async fn a_command_that_is_silent_for_long_is_waited_for() {
    let Some(server) = start(&["--poll", "0.2"]) else { return };
    let answer = run(&server, "sleep 1; echo done", b"").await.unwrap();
    assert_eq!((answer.stdout.as_slice(), answer.code), (b"done\n".as_slice(), Some(0)));
}

#[tokio::test]
async fn ntlm_over_https_is_bound_to_the_channel() {
    let Some(server) = start_tls(&[]) else { return };
    let answer = run(&server, "echo hi", b"").await.unwrap();
    assert_eq!(answer.stdout, b"hi\n");
    let Some(server) = start_tls(&["--wrong-binding"]) else { return };
    let error = run(&server, "echo hi", b"").await.unwrap_err();
    assert!(matches!(error, WinRmError::SignInRefused { bound: true, .. }), "{error:?}");
    assert!(error.remedy().contains("channel binding"), "{error:?}");
    assert_eq!(server.log(), ["refused: BadBindingsError"]);
}

#[tokio::test]
async fn basic_goes_over_https_and_never_in_clear() {
    let Some(server) = start_tls(&["--basic"]) else { return };
    let basic = Account { user: "svc-cm".to_owned(), ..account(Scheme::Basic) };
    let answer = run_at(&server.endpoint(), &basic, &command("echo hi", b"")).await.unwrap();
    assert_eq!(answer.stdout, b"hi\n");

    let Some(server) = start(&["--basic", "--unencrypted"]) else { return };
    let error = run_at(&server.endpoint(), &basic, &command("echo hi", b"")).await.unwrap_err();
    assert_eq!(error, WinRmError::BasicInClear);
    assert_eq!(server.log(), [""; 0], "nothing is sent");
}

#[tokio::test]
async fn a_way_of_signing_in_that_is_not_offered_is_named() {
    let Some(server) = start(&["--only-basic"]) else { return };
    let error = run(&server, "echo hi", b"").await.unwrap_err();
    assert_eq!(error.to_string(), "it does not take Negotiate (NTLM) here, it offers Basic");
    let Some(server) = start_tls(&[]) else { return };
    let error = run_at(&server.endpoint(), &account(Scheme::Basic), &command("echo hi", b"")).await.unwrap_err();
    assert_eq!(error.to_string(), "it does not take Basic here, it offers Negotiate");
}

#[tokio::test]
async fn a_wrong_password_is_a_refusal_that_does_not_show_it() {
    let wrong = |scheme| Account { password: Secret::new("Wrong-Secret-2"), ..account(scheme) };
    for (server, scheme, name) in [
        (start(&[]), Scheme::Ntlm, "NTLM"),
        (start_tls(&[]), Scheme::Ntlm, "NTLM, bound to the TLS channel"),
        (start_tls(&["--basic"]), Scheme::Basic, "Basic"),
    ] {
        let Some(server) = server else { return };
        let wrong = wrong(scheme);
        let error = run_at(&server.endpoint(), &wrong, &command("echo hi", b"")).await.unwrap_err();
        assert_eq!(error.to_string(), format!(r"it refused to sign CONTOSO\svc-cm in ({name})"));
        let shown = format!("{error:?} {wrong:?} {}", server.log().join(" "));
        assert!(!shown.contains("Secret-") && shown.contains("refused"), "{shown}");
        assert!(!server.log().iter().any(|line| line.starts_with("create")));
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_ends_it_before_anything_is_said() {
    let Some(server) = start_tls(&[]) else { return };
    let stranger = server.endpoint_with(Transport::Https(Trust::new(&[]).unwrap()));
    let error = run_at(&stranger, &account(Scheme::Ntlm), &command("echo hi", b"")).await.unwrap_err();
    assert!(matches!(&error, WinRmError::CertificateNotTrusted(why) if why.contains("UnknownIssuer")), "{error:?}");
    let other = Endpoint { host: "cm02.contoso.com".parse().unwrap(), ..server.endpoint() };
    let error = run_at(&other, &account(Scheme::Ntlm), &command("echo hi", b"")).await.unwrap_err();
    assert!(matches!(&error, WinRmError::CertificateNotTrusted(why) if why.contains("cm02")), "{error:?}");
    assert_eq!(server.log(), [""; 0]);
    let plain = server.endpoint_with(Transport::Http);
    let error = run_at(&plain, &account(Scheme::Ntlm), &command("echo hi", b"")).await.unwrap_err();
    assert!(matches!(error, WinRmError::Cut(_)), "{error:?}");
    let Some(server) = start(&[]) else { return };
    let tls = server.endpoint_with(Transport::Https(Trust::new(&[]).unwrap()));
    let error = run_at(&tls, &account(Scheme::Ntlm), &command("echo hi", b"")).await.unwrap_err();
    assert!(matches!(error, WinRmError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_refused_and_a_name_that_is_none_is_said() {
    let Some(server) = start(&[]) else { return };
    let gone = server.endpoint();
    drop(server);
    let error = run_at(&gone, &account(Scheme::Ntlm), &command("echo hi", b"")).await.unwrap_err();
    assert!(matches!(error, WinRmError::Refused { port, .. } if port == gone.port), "{error:?}");
    let nowhere = Endpoint { host: "nowhere.invalid".parse().unwrap(), address: None, ..gone };
    let error = run_at(&nowhere, &account(Scheme::Ntlm), &command("echo hi", b"")).await.unwrap_err();
    assert!(matches!(error, WinRmError::NameNotResolved(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_in_clear_or_with_a_flipped_bit_or_to_another_question_is_not_read() {
    for mode in ["plain", "flip", "other"] {
        let Some(server) = start(&["--mode", mode]) else { return };
        let error = run(&server, "echo hi", b"").await.unwrap_err();
        match (mode, &error) {
            ("plain", WinRmError::NotSealed) | ("flip", WinRmError::Altered(_)) | ("other", WinRmError::NotOurs(_)) => {
            }
            _ => panic!("{mode}: {error:?}"),
        }
        // The name of a shell comes with an answer; where that cannot be believed, idle time ends the shell.
        let closing = closing(&server);
        assert_eq!(closing, if mode == "flip" { vec!["signal terminate", "delete"] } else { vec![] }, "{mode}");
    }
}

#[tokio::test]
async fn rights_and_quotas_are_told_in_the_hosts_words() {
    let Some(server) = start(&["--mode", "denied"]) else { return };
    let error = run(&server, "echo hi", b"").await.unwrap_err();
    assert_eq!(error.to_string(), r"CONTOSO\svc-cm may not run commands there: Access is denied.");
    let Some(server) = start(&["--mode", "quota"]) else { return };
    let error = run(&server, "echo hi", b"").await.unwrap_err();
    assert!(matches!(&error, WinRmError::Quota(why) if why.contains("concurrent shells")), "{error:?}");
}

#[tokio::test]
async fn a_sign_in_makes_a_shell_deletes_it_and_runs_nothing() {
    let sign_in = async |server: &Server| {
        let cancel = CancellationToken::new();
        winrm::sign_in(&server.endpoint(), &account(Scheme::Ntlm), &limits(), &cancel).await
    };
    for server in [start(&[]), start_tls(&[])] {
        let Some(server) = server else { return };
        sign_in(&server).await.unwrap();
        assert_eq!(server.log(), [r"signed in: CONTOSO\svc-cm by ntlm", "create idle=PT180S", "delete"]);
    }
    let Some(server) = start(&["--mode", "denied"]) else { return };
    assert!(matches!(sign_in(&server).await, Err(WinRmError::NotAllowed { .. })));
    let Some(server) = start(&["--mode", "slow-create"]) else { return };
    let cancel = CancellationToken::new();
    let (endpoint, account, limits) = (server.endpoint(), account(Scheme::Ntlm), limits());
    let give_up = async {
        while !server.log().iter().any(|line| line == "creating") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cancel.cancel();
    };
    let (ended, ()) = tokio::join!(winrm::sign_in(&endpoint, &account, &limits, &cancel), give_up);
    assert_eq!(ended, Err(WinRmError::Cancelled));
    assert_eq!(closing(&server), ["delete"], "{:?}", server.log());
}

#[tokio::test]
async fn a_command_that_hangs_is_ended_there_at_the_deadline() {
    let Some(server) = start(&["--mode", "hang"]) else { return };
    let limits = Limits { total: Duration::from_secs(2), ..limits() };
    let (endpoint, account) = (server.endpoint(), account(Scheme::Ntlm));
    let command = command("sleep 3600", b"");
    let error = winrm::run(&endpoint, &account, &command, &limits, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error, WinRmError::Deadline(Duration::from_secs(2)));
    assert_eq!(closing(&server), ["signal terminate", "delete"]);
    assert!(server.log().iter().any(|line| line.starts_with("killed")), "{:?}", server.log());
}

#[tokio::test]
async fn a_caller_who_gives_up_leaves_nothing_behind() {
    // Before the shell has a name, and while its command runs.
    for (mode, sign, left) in
        [("slow-create", "creating", vec!["delete"]), ("ok", "send", vec!["signal terminate", "delete"])]
    {
        let Some(server) = start(&["--mode", mode]) else { return };
        let cancel = CancellationToken::new();
        let (endpoint, account, command, limits) =
            (server.endpoint(), account(Scheme::Ntlm), command("sleep 3600", b""), limits());
        let give_up = async {
            while !server.log().iter().any(|line| line.starts_with(sign)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            cancel.cancel();
        };
        let (ended, ()) = tokio::join!(winrm::run(&endpoint, &account, &command, &limits, &cancel), give_up);
        assert_eq!(ended, Err(WinRmError::Cancelled));
        assert_eq!(closing(&server), left, "{mode}: {:?}", server.log());
    }
}

#[tokio::test]
async fn a_server_that_dies_in_mid_answer_is_a_cut() {
    let Some(server) = start(&["--mode", "kill"]) else { return };
    let error = run(&server, "echo hi", b"").await.unwrap_err();
    assert!(matches!(error, WinRmError::Cut(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_of_a_gigabyte_is_not_taken() {
    let Some(server) = start(&["--mode", "huge"]) else { return };
    let error = run(&server, "echo hi", b"").await.unwrap_err();
    assert_eq!(error, WinRmError::TooLarge { limit: 614_400 });
    let Some(server) = start(&["--mode", "endless"]) else { return };
    let limits = Limits { output: 1 << 20, ..limits() };
    let (endpoint, account) = (server.endpoint(), account(Scheme::Ntlm));
    let command = command("sleep 3600", b"");
    let error = winrm::run(&endpoint, &account, &command, &limits, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error, WinRmError::TooLarge { limit: 1 << 20 });
    assert_eq!(closing(&server), ["signal terminate", "delete"]);
}

#[tokio::test]
async fn a_line_too_long_for_the_shell_is_not_sent() {
    let Some(server) = start(&[]) else { return };
    let error = run(&server, &"x".repeat(8001), b"").await.unwrap_err();
    assert_eq!(error, WinRmError::LineTooLong { length: 8001, limit: 8000 });
    assert_eq!(server.log(), [""; 0]);
}
