//! The probe through a real Squid: open, with access lists, with credentials, and one that inspects TLS.
//!
//! Behind it stand the servers of the pretend internet at their real ports; Squid knows their names from a hosts file.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod probing;
#[path = "lists/squid.rs"]
mod squid;
#[path = "lists/tools.rs"]
#[expect(dead_code, reason = "only the search is used here")]
mod tools;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cmcomply::host::HostOrAddress;
use cmcomply::probe::{FailureCode, Observation, Outcome, ProxyAccount, StageName};
use cmcomply::site::Secret;
use lab::internet::{Behaviour, Internet, Seen, Spec};
use probing::{Job, der, failure, through};
use squid::Squid;

#[tokio::test]
async fn an_open_proxy_lets_through_and_says_who_it_is() {
    let Some(program) = squid::program() else { return };
    let net = internet().await;
    let squid = Squid::run(&program, |folder, port| config(folder, &format!("127.0.0.1:{port}"), "", &net));
    let [tunnel, plain] = look(&net, &squid, "healthy").await;
    assert!(tunnel.reached(), "{tunnel:#?}");
    let connect = tunnel.connect.evidence.unwrap();
    assert_eq!(connect.status, Some(200));
    assert_eq!(tunnel.tls.evidence.unwrap().chain[0].names, ["healthy.contoso.com"]);
    assert!(plain.reached() && plain.connect.outcome == Outcome::NotNeeded, "{plain:#?}");
    let headers = plain.http.evidence.unwrap().headers;
    assert!(headers.iter().any(|h| h.name == "via" && h.value.contains("squid/")), "{headers:?}");
    assert_eq!(net.count(|seen| matches!(seen, Seen::Query { .. })), 0, "the proxy resolves, not the probe");
}

#[tokio::test]
async fn what_squid_cannot_reach_is_told_as_squids_own_answer() {
    let Some(program) = squid::program() else { return };
    let net = internet().await;
    let squid = Squid::run(&program, |folder, port| config(folder, &format!("127.0.0.1:{port}"), "", &net));
    let closed = net.closed().port();
    let [tunnel, plain] = look_at(&net, &squid, "refused", closed, closed).await;
    let refused = failure(&tunnel, StageName::Connect, FailureCode::ProxyRefused);
    assert!(refused.detail.ends_with(": 503 Service Unavailable"), "{refused:?}");
    let headers = &tunnel.connect.evidence.as_ref().unwrap().headers;
    assert!(headers.iter().any(|h| h.name == "x-squid-error" && h.value == "ERR_CONNECT_FAIL 111"), "{headers:?}");
    let page = failure(&plain, StageName::Http, FailureCode::HttpBlockPage);
    assert!(page.detail.contains("status 503, an error page of a Squid proxy"), "{page:?}");
    assert!(page.detail.contains("ERR_CONNECT_FAIL 111"), "{page:?}");
    // What Squid calls a name that it cannot resolve differs between its versions, and for plain HTTP from day to day.
    let [tunnel, plain] = look_at(&net, &squid, "gone", closed, closed).await;
    let refused = failure(&tunnel, StageName::Connect, FailureCode::ProxyRefused);
    assert!(refused.detail.contains(": 50"), "{refused:?}");
    assert!(plain.first_failure().is_some_and(|(_, failure)| failure.detail.contains("Squid")), "{plain:#?}");
}

#[tokio::test]
async fn an_access_list_that_denies_is_the_proxys_refusal() {
    let Some(program) = squid::program() else { return };
    let net = internet().await;
    let rules = "acl denied dstdomain denied.contoso.com\nhttp_access deny denied\n";
    let squid = Squid::run(&program, |folder, port| config(folder, &format!("127.0.0.1:{port}"), rules, &net));
    let [tunnel, plain] = look(&net, &squid, "denied").await;
    let refused = failure(&tunnel, StageName::Connect, FailureCode::ProxyRefused);
    assert!(refused.detail.contains("CONNECT denied.contoso.com:"), "{refused:?}");
    assert!(refused.detail.ends_with(": 403 Forbidden"), "{refused:?}");
    let headers = &tunnel.connect.evidence.as_ref().unwrap().headers;
    assert!(headers.iter().any(|h| h.name == "x-squid-error" && h.value == "ERR_ACCESS_DENIED 0"), "{headers:?}");
    let page = failure(&plain, StageName::Http, FailureCode::HttpBlockPage);
    assert!(page.detail.contains("an error page of a Squid proxy"), "{page:?}");
    assert!(look(&net, &squid, "healthy").await.iter().all(Observation::reached));
    assert_eq!(net.count(|seen| matches!(seen, Seen::Request { host, .. } if host.starts_with("denied"))), 0);
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_names_what_it_takes() {
    let Some(program) = squid::program() else { return };
    let net = internet().await;
    let Some(reader) = helper("basic_ncsa_auth") else { return };
    let Some(ntlm) = helper("ntlm_fake_auth") else { return };
    for (more, offered) in [(String::new(), "it offers Basic)"), (format!("auth_param ntlm program {ntlm}\n"), "NTLM")]
    {
        let squid = Squid::run(&program, |folder, port| {
            let rules = format!("{more}{}", basic(folder, &reader));
            config(folder, &format!("127.0.0.1:{port}"), &rules, &net)
        });
        let [tunnel, plain] = look(&net, &squid, "healthy").await;
        for (seen, stage) in [(tunnel, StageName::Connect), (plain, StageName::Http)] {
            let wants = failure(&seen, stage, FailureCode::ProxyAuthRequired);
            assert!(wants.detail.contains("407, the proxy wants credentials"), "{wants:?}");
            assert!(wants.detail.contains(offered) && wants.detail.contains("Basic"), "{wants:?}");
        }
    }
    assert_eq!(net.seen(), []);
}

#[tokio::test]
async fn an_account_opens_a_proxy_that_wants_credentials_and_a_wrong_password_does_not() {
    let Some(program) = squid::program() else { return };
    let Some(reader) = helper("basic_ncsa_auth") else { return };
    let net = internet().await;
    let squid = Squid::run(&program, |folder, port| {
        config(folder, &format!("127.0.0.1:{port}"), &basic(folder, &reader), &net)
    });
    let [tunnel, plain] = look_as(&net, &squid, "Contoso-Secret-1").await;
    assert!(tunnel.reached() && plain.reached(), "{tunnel:#?} {plain:#?}");
    let connect = tunnel.connect.evidence.unwrap();
    assert_eq!((connect.account.as_deref(), connect.scheme.as_deref()), (Some("cmcomply"), Some("Basic")));
    let before = net.seen().len();
    let [tunnel, plain] = look_as(&net, &squid, "Contoso-Secret-2").await;
    for (seen, stage) in [(tunnel, StageName::Connect), (plain, StageName::Http)] {
        let refused = failure(&seen, stage, FailureCode::ProxyAuthFailed);
        assert!(refused.detail.contains("407") && refused.detail.contains("also after cmcomply signed in with Basic"));
        assert!(!format!("{seen:?}").contains("Contoso-Secret"), "{seen:#?}");
    }
    assert_eq!(net.seen().len(), before, "nothing gets through");
}

/// Squid's own stand-in for a domain controller gives challenges of NTLM version 1, which shows too much of a password.
#[tokio::test]
async fn an_old_ntlm_is_not_spoken_and_basic_is_where_squid_offers_it_too() {
    let Some(program) = squid::program() else { return };
    let Some(reader) = helper("basic_ncsa_auth") else { return };
    let Some(ntlm) = helper("ntlm_fake_auth") else { return };
    let net = internet().await;
    let ntlm = format!("auth_param ntlm program {ntlm}\n");
    let alone = format!("{ntlm}acl known proxy_auth REQUIRED\nhttp_access deny !known\n");
    let squid = Squid::run(&program, |folder, port| config(folder, &format!("127.0.0.1:{port}"), &alone, &net));
    let [tunnel, plain] = look_as(&net, &squid, "Contoso-Secret-1").await;
    for (seen, stage) in [(tunnel, StageName::Connect), (plain, StageName::Http)] {
        let wants = failure(&seen, stage, FailureCode::ProxyAuthRequired);
        assert!(wants.detail.contains("no challenge of NTLM version 2"), "{wants:?}");
    }
    let squid = Squid::run(&program, |folder, port| {
        config(folder, &format!("127.0.0.1:{port}"), &format!("{ntlm}{}", basic(folder, &reader)), &net)
    });
    let [tunnel, plain] = look_as(&net, &squid, "Contoso-Secret-1").await;
    assert!(tunnel.reached() && plain.reached(), "{tunnel:#?} {plain:#?}");
    assert_eq!(tunnel.connect.evidence.unwrap().scheme.as_deref(), Some("Basic"));
}

/// Inspection: the certificate is of a CA that is not the endpoint's. If this machine trusts that one too, everything
/// works, and only the chain tells.
#[tokio::test]
async fn a_proxy_that_inspects_tls_shows_its_own_authority() {
    let Some(program) = squid::program() else { return };
    let Some(maker) = helper("security_file_certgen") else { return };
    let net = internet().await;
    let authority = tempfile::tempdir().unwrap();
    let (key, ca) = (authority.path().join("key.pem"), authority.path().join("ca.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj"])
        .args(["/O=Contoso Web Filter/CN=Contoso Inspection CA", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&ca)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let both = [&key, &ca].map(|file| std::fs::read_to_string(file).unwrap()).concat();
    let squid = Squid::run(&program, |folder, port| {
        let bump = squid::write(folder, "bump.pem", &both);
        let roots = squid::write(folder, "roots.pem", &net.ca_pem());
        let listen = format!(
            "127.0.0.1:{port} ssl-bump tls-cert={} generate-host-certificates=on dynamic_cert_mem_cache_size=1MB",
            bump.display()
        );
        let rules = format!(
            "sslcrtd_program {maker} -s {} -M 1MB\nsslcrtd_children 1\nacl hello at_step SslBump1\n\
             ssl_bump peek hello\nssl_bump bump all\ntls_outgoing_options cafile={}\n",
            certificates(folder, &maker).display(),
            roots.display()
        );
        config(folder, &listen, &rules, &net)
    });
    let url = format!("https://healthy.contoso.com:{}/", net.server(443).port());
    let mut job = Job::of(&net, vec![through(&url, squid.address())]);
    let seen = job.run().await.remove(&url).unwrap();
    let untrusted = failure(&seen, StageName::Trust, FailureCode::CertificateUntrusted);
    assert!(untrusted.detail.contains("nobody whom this machine trusts"), "{untrusted:?}");
    assert_eq!(seen.connect.evidence.as_ref().unwrap().status, Some(200));
    let chain = &seen.tls.evidence.as_ref().unwrap().chain;
    assert!(chain[0].issuer.contains("Contoso Inspection CA"), "{chain:?}");
    assert_eq!(chain[0].names, ["healthy.contoso.com"]);
    assert_eq!(net.count(|seen| matches!(seen, Seen::Request { .. })), 0, "nothing is said to it");

    job.extra_roots.push(der(&std::fs::read_to_string(&ca).unwrap()));
    let seen = job.run().await.remove(&url).unwrap();
    assert!(seen.reached(), "{seen:#?}");
    let chain = &seen.tls.evidence.as_ref().unwrap().chain;
    assert!(chain[0].issuer.contains("Contoso Inspection CA"), "{chain:?}");
}

async fn internet() -> Internet {
    Internet::start(Spec::default().known("contoso.com").host("denied.contoso.com", Behaviour::Status(200))).await
}

/// The same host over TLS and in clear, at the real ports of the pretend internet.
async fn look(net: &Internet, squid: &Squid, host: &str) -> [Observation; 2] {
    look_at(net, squid, host, net.server(443).port(), net.server(80).port()).await
}

/// The healthy host with the account `cmcomply` and this password.
async fn look_as(net: &Internet, squid: &Squid, password: &str) -> [Observation; 2] {
    let (https, http) = (net.server(443).port(), net.server(80).port());
    let urls = [format!("https://healthy.contoso.com:{https}/"), format!("http://healthy.contoso.com:{http}/")];
    let probes = urls.iter().map(|url| through(url, squid.address())).collect();
    let at = (HostOrAddress::Address(squid.address().ip()), squid.address().port());
    let account = ProxyAccount { user: "cmcomply".to_owned(), password: Secret::new(password) };
    let job = Job { connect_to: Vec::new(), ..Job::of(net, probes) };
    let mut seen = job.run_as([(at, account)].into()).await;
    urls.map(|url| seen.remove(&url).unwrap())
}

async fn look_at(net: &Internet, squid: &Squid, host: &str, https: u16, http: u16) -> [Observation; 2] {
    let urls = [format!("https://{host}.contoso.com:{https}/"), format!("http://{host}.contoso.com:{http}/")];
    let probes = urls.iter().map(|url| through(url, squid.address())).collect();
    let mut seen = Job { connect_to: Vec::new(), ..Job::of(net, probes) }.run().await;
    urls.map(|url| seen.remove(&url).unwrap())
}

/// Squid that lets through what the rules before do not stop, and knows the names of the pretend internet.
fn config(folder: &Path, listen: &str, rules: &str, net: &Internet) -> String {
    let mut hosts = String::new();
    for host in ["healthy", "denied", "refused"] {
        writeln!(hosts, "{} {host}.contoso.com", net.server(443).ip()).unwrap();
    }
    let hosts = squid::write(folder, "hosts", &hosts);
    let common = squid::common_config(listen);
    format!("{common}hosts_file {}\ndns_timeout 1 second\n{rules}http_access allow all\n", hosts.display())
}

/// Only with the name and password of the file.
fn basic(folder: &Path, helper: &str) -> String {
    let hash = Command::new("openssl").args(["passwd", "-apr1", "Contoso-Secret-1"]).output().unwrap();
    let users = squid::write(folder, "users", &format!("cmcomply:{}", String::from_utf8_lossy(&hash.stdout)));
    format!(
        "auth_param basic program {helper} {}\nauth_param basic realm Contoso proxy\n\
         acl known proxy_auth REQUIRED\nhttp_access deny !known\n",
        users.display()
    )
}

/// Where the maker of certificates keeps them; Squid's own account writes there.
fn certificates(folder: &Path, maker: &str) -> PathBuf {
    let store = folder.join("certificates");
    let made = Command::new(maker).args(["-c", "-s"]).arg(&store).args(["-M", "1MB"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    // Without the rights of root there is nothing to give away: then Squid runs as ourselves.
    let _ = Command::new("chown").args(["-R", "proxy"]).arg(&store).output();
    store
}

fn helper(name: &str) -> Option<String> {
    let path = format!("/usr/lib/squid/{name}");
    if Path::new(&path).exists() {
        return Some(path);
    }
    tools::skipped(&format!("no {name} of Squid (Debian: squid-openssl) here, so it did not judge the probe"));
    None
}
