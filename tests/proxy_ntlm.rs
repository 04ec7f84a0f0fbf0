//! Signing in to proxies by NTLM: to one whose NTLM is pyspnego's.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod probing;
#[path = "winrm/server.rs"]
#[expect(dead_code, reason = "only the processes are used here")]
mod server;

use cmcomply::host::HostOrAddress;
use cmcomply::probe::{FailureCode, Observation, ProxyAccount, StageName};
use cmcomply::site::Secret;
use lab::internet::{Behaviour, Internet, Spec};
use probing::{Job, failure, through};
use server::Process;

const USER: &str = r"CONTOSO\svc-cm";
const PASSWORD: &str = "Contoso-Secret-1";

async fn internet() -> Internet {
    // One whose HEAD is not enough, so that a GET follows on the same connection.
    Internet::start(Spec::default().known("contoso.com").host("page.contoso.com", Behaviour::Status(405))).await
}

fn proxy(net: &Internet, port: u16, arguments: &[&str]) -> Option<Process> {
    let to = net.server(port).port().to_string();
    server::start_script("proxy.py", &[&["--to", &to], arguments].concat())
}

async fn look(net: &Internet, proxy: &Process, url: &str, password: &str) -> Observation {
    let job = Job { connect_to: Vec::new(), ..Job::of(net, vec![through(url, proxy.address())]) };
    let at = (HostOrAddress::Address(proxy.address().ip()), proxy.address().port());
    let account = ProxyAccount { user: USER.to_owned(), password: Secret::new(password) };
    job.run_as([(at, account)].into()).await.remove(url).unwrap()
}

#[tokio::test]
async fn a_tunnel_is_signed_in_on_its_own_connection_by_what_shows_no_password() {
    let net = internet().await;
    for (offer, scheme) in [
        (["--offer", "NTLM", "--offer", "Basic realm=\"x\""].as_slice(), "NTLM"),
        (&["--offer", "Basic realm=\"x\"", "--offer", "Negotiate"], "Negotiate"),
        (&["--offer", "NTLM", "--mode", "chunked"], "NTLM"),
    ] {
        let Some(proxy) = proxy(&net, 443, offer) else { return };
        let seen = look(&net, &proxy, "https://healthy.contoso.com/", PASSWORD).await;
        assert!(seen.reached(), "{seen:#?}");
        let connect = seen.connect.evidence.unwrap();
        assert_eq!((connect.account.as_deref(), connect.scheme.as_deref()), (Some(USER), Some(scheme)));
        let signed = format!(r"signed in: CONTOSO\svc-cm by {scheme}");
        assert_eq!(proxy.log()[..3], ["asked", &signed, "tunnel to healthy.contoso.com:443"]);
    }
}

#[tokio::test]
async fn a_visit_in_clear_is_signed_in_too_and_a_second_request_needs_nothing_more() {
    let net = internet().await;
    let Some(proxy) = proxy(&net, 80, &["--offer", "NTLM"]) else { return };
    let seen = look(&net, &proxy, "http://page.contoso.com/", PASSWORD).await;
    let answer = seen.http.evidence.unwrap();
    assert_eq!((answer.method.as_str(), answer.status), ("GET", Some(405)));
    let log = proxy.log();
    assert_eq!(log[..2], ["asked", r"signed in: CONTOSO\svc-cm by NTLM"]);
    assert_eq!(log[2..], ["HEAD http://page.contoso.com/", "GET http://page.contoso.com/"]);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_tried_another_way() {
    let net = internet().await;
    let Some(proxy) = proxy(&net, 443, &["--offer", "NTLM", "--offer", "Basic realm=\"x\""]) else { return };
    let seen = look(&net, &proxy, "https://healthy.contoso.com/", "Wrong-Secret-2").await;
    let refused = failure(&seen, StageName::Connect, FailureCode::ProxyAuthFailed);
    assert!(refused.detail.contains(r"also after CONTOSO\svc-cm signed in with NTLM"), "{refused:?}");
    assert!(!proxy.log().iter().any(|line| line == "Basic"), "{:?}", proxy.log());
    assert!(!format!("{seen:?}").contains("Secret-"));
    let Some(proxy) = self::proxy(&net, 80, &["--offer", "NTLM"]) else { return };
    let seen = look(&net, &proxy, "http://healthy.contoso.com/", "Wrong-Secret-2").await;
    let refused = failure(&seen, StageName::Http, FailureCode::ProxyAuthFailed);
    assert!(refused.detail.contains("signed in with NTLM"), "{refused:?}");
}

#[tokio::test]
async fn where_ntlm_is_offered_and_not_spoken_basic_is_left_or_nothing() {
    let net = internet().await;
    let basic = ["--mode", "no-challenge", "--offer", "Negotiate", "--offer", "Basic realm=\"x\""];
    let Some(proxy) = proxy(&net, 443, &basic) else { return };
    let seen = look(&net, &proxy, "https://healthy.contoso.com/", PASSWORD).await;
    assert!(seen.reached(), "{seen:#?}");
    assert_eq!(seen.connect.evidence.unwrap().scheme.as_deref(), Some("Basic"));
    let Some(proxy) = self::proxy(&net, 443, &basic[..4]) else { return };
    let seen = look(&net, &proxy, "https://healthy.contoso.com/", PASSWORD).await;
    let wants = failure(&seen, StageName::Connect, FailureCode::ProxyAuthRequired);
    assert!(
        wants.detail.contains("it offers Negotiate") && wants.detail.contains("no challenge of NTLM version 2"),
        "{wants:?}"
    );
}

#[tokio::test]
async fn a_proxy_that_breaks_off_or_talks_nonsense_is_told_so() {
    let net = internet().await;
    for (mode, code, words) in [
        ("closing", FailureCode::ProxyBadReply, "closes the connection in the middle"),
        ("garbage", FailureCode::ProxyAuthRequired, "no challenge of NTLM version 2"),
    ] {
        let Some(proxy) = proxy(&net, 443, &["--offer", "NTLM", "--mode", mode]) else { return };
        let seen = look(&net, &proxy, "https://healthy.contoso.com/", PASSWORD).await;
        let failed = failure(&seen, StageName::Connect, code);
        assert!(failed.detail.contains(words), "{failed:?}");
    }
}

/// The whole program, with the account in a settings file.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_takes_the_account_from_its_settings_and_the_password_from_the_environment() {
    let net = internet().await;
    let Some(proxy) = proxy(&net, 443, &["--offer", "Negotiate"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (ca, settings) = (folder.path().join("ca.pem"), folder.path().join("cmcomply.toml"));
    std::fs::write(&ca, net.ca_pem()).unwrap();
    let table = format!(
        "[[proxy_accounts]]\nproxy = '{}'\naccount = '{USER}'\npassword_env = 'CONTOSO_PROXY_PASSWORD'\n",
        proxy.address()
    );
    std::fs::write(&settings, table).unwrap();
    let look = |password: Option<&str>| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        program.args(["probe", "https://healthy.contoso.com/", "--format", "json", "--via"]);
        program.arg(proxy.address().to_string()).arg("--settings").arg(&settings).arg("--ca-file").arg(&ca);
        program.env_remove("CONTOSO_PROXY_PASSWORD");
        program.envs(password.map(|password| ("CONTOSO_PROXY_PASSWORD", password)));
        let output = program.output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(!said.contains("Contoso-Secret"), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = tokio::task::block_in_place(|| look(None));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("environment variable") && proxy.log().is_empty(), "{said}");
    let (code, said) = tokio::task::block_in_place(|| look(Some(PASSWORD)));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\"scheme\": \"Negotiate\""), "{said}");
    let (code, said) = tokio::task::block_in_place(|| look(Some("Contoso-Secret-2")));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("signed in with Negotiate"), "{said}");
}
