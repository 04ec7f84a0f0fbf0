//! The server is right if the clients that administrators use get from it what we get, and we are right if we understand
//! what real Windows hosts said.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cmcomply::vantage::Answer;
use cmcomply::vantage::winrm::WinRmError;

use crate::server::{client, python, replay, start};

#[tokio::test]
async fn pypsrp_and_pywinrm_get_the_same_octets_from_the_server() {
    if python("pypsrp").is_none() || python("winrm").is_none() {
        return;
    }
    let Some(server) = start(&[]) else { return };
    let line = "printf 'a\\000b\\303\\274'; seq 20000; echo no >&2; exit 5";
    let ours = super::run(&server, line, b"").await.unwrap();
    assert!(ours.stdout.starts_with("a\0bü1\n".as_bytes()) && ours.stdout.len() > 100_000);
    let port = server.address().port().to_string();
    let others = client("clients.py", &[&port, line]);
    let expected = |name: &str| {
        let (stdout, stderr) = (BASE64_STANDARD.encode(&ours.stdout), BASE64_STANDARD.encode(&ours.stderr));
        format!("{name} {stdout} {stderr} {}\n", ours.code.unwrap())
    };
    assert!(others == expected("pypsrp") + &expected("pywinrm"), "{}", &others[..200.min(others.len())]);
}

#[tokio::test]
async fn what_windows_hosts_answered_is_understood() {
    for (recording, stdout, stderr, code) in [
        ("test_winrs_standard.yml", "hi\r\n", "", 0),
        ("test_winrs_stderr_rc.yml", "out \r\n", "err \r\n", 1),
        ("test_winrs_unicode.yml", "こんにちは\n", "", 0),
        // Twice it had nothing to say in time.
        ("test_winrs_operation_timeout.yml", "hi\nhi again\n", "", 0),
        ("test_winrs_send.yml", "output 1\noutput 2\n", "", 0),
    ] {
        let Some(server) = replay(recording) else { return };
        let answer = super::run(&server, "echo hi", b"").await.unwrap_or_else(|error| panic!("{recording}: {error:?}"));
        let recorded = Answer { stdout: stdout.into(), stderr: stderr.into(), code: Some(code) };
        assert_eq!(answer, recorded, "{recording}");
        assert_eq!(server.log().last().map(String::as_str), Some("Delete"), "{recording}");
    }
}

#[tokio::test]
async fn the_faults_of_windows_hosts_are_told_in_their_words() {
    for (recording, number, words) in [
        ("test_winrs_bad_cmd_id.yml", "2150858843", "a command identifier that does not exist"),
        ("test_winrs_no_cmd_shell.yml", "2147942402", "cannot find the file"),
    ] {
        let Some(server) = replay(recording) else { return };
        let error = super::run(&server, "echo hi", b"").await.unwrap_err();
        match &error {
            WinRmError::Fault { code, detail } if code == number && detail.contains(words) => {}
            other => panic!("{recording}: {other:?}"),
        }
        assert_eq!(server.log().last().map(String::as_str), Some("Delete"), "{recording}");
    }
}
