//! What the probe observes is what OpenSSL and curl observe: version, suite, chain and status, of the pretend internet's
//! servers and of OpenSSL's own.
#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

#[path = "internet/clients.rs"]
#[expect(dead_code, reason = "each test uses its own part")]
mod clients;
mod probing;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use clients::{Curl, curl_exit, have};
use cmcomply::probe::{FailureCode, Observation, StageName};
use cmcomply::text::hexadecimal;
use lab::internet::{Behaviour, Internet, Spec};
use probing::authority::Authority;
use probing::{Job, direct, failure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

/// What two programs can agree on.
#[derive(Debug, PartialEq, Eq)]
struct Session {
    version: String,
    suite: String,
    /// SHA-256 of each certificate, the server's own first.
    chain: Vec<String>,
}

#[tokio::test]
async fn openssl_sees_the_same_sessions_of_the_pretend_internet() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let net = Internet::start(internet()).await;
    let names = ["healthy", "missing", "inspected", "expired", "wrong", "self", "page"];
    let urls = names.map(|name| format!("https://{name}.contoso.com/"));
    let seen = Job::of(&net, urls.iter().map(|url| direct(url)).collect()).run().await;
    for (name, url) in names.iter().zip(&urls) {
        let theirs = s_client(net.server(443), &format!("{name}.contoso.com"), &[]).0.unwrap();
        assert_eq!(session(&seen[url]), Some(theirs), "{name}");
    }
}

#[tokio::test]
async fn curl_sees_the_same_answers_of_the_pretend_internet() {
    let net = Internet::start(internet()).await;
    let Some(curl) = Curl::new(&net) else { return };
    let secure = [
        "healthy",
        "missing",
        "captive",
        "moved",
        "inspected",
        "expired",
        "wrong",
        "self",
        "alert",
        "reset",
        "late-reset",
        "garbage",
    ];
    let urls = secure.iter().map(|name| format!("https://{name}.contoso.com/"));
    let urls = urls
        .chain(["healthy", "missing", "captive", "reset", "garbage"].map(|name| format!("http://{name}.contoso.com/")));
    let urls: Vec<_> = urls.collect();
    let seen = Job::of(&net, urls.iter().map(|url| direct(url)).collect()).run().await;
    for url in &urls {
        let ours = &seen[url];
        let theirs = curl.get(url, &["--verbose", "--head"]);
        let status = ours.http.evidence.as_ref().and_then(|http| http.status).unwrap_or_default();
        assert_eq!(status, theirs.status, "{url}: {ours:#?} {theirs:?}");
        let stage = ours.first_failure().filter(|_| status == 0).map(|(stage, _)| stage);
        let expected = match stage {
            None => &[curl_exit::OK][..],
            Some(StageName::Tls) => &[curl_exit::TLS],
            Some(StageName::Trust) => &[curl_exit::CERTIFICATE],
            Some(_) => &[curl_exit::RECEIVE, curl_exit::NO_HTTP],
        };
        assert!(expected.contains(&theirs.exit), "{url}: {ours:#?} {theirs:?}");
        // `SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384`, and in newer versions more behind it.
        if let Some(line) = theirs.message.lines().find_map(|line| line.split_once("SSL connection using ")) {
            let tls = ours.tls.evidence.as_ref().unwrap();
            let mut words = line.1.split(" / ").map(str::trim);
            assert_eq!(words.next(), tls.version.as_deref(), "{url}");
            assert_eq!(words.next(), tls.suite.as_deref(), "{url}");
            assert!(theirs.message.contains("ALPN") && tls.alpn.as_deref() == Some("http/1.1"), "{url}: {theirs:?}");
        }
        for line in theirs.message.lines().filter_map(|line| line.split_once("  issuer: ")) {
            let common_name = line.1.rsplit("CN=").next().unwrap();
            let issuer = &ours.tls.evidence.as_ref().unwrap().chain[0].issuer;
            assert!(issuer.contains(common_name), "{url}: {issuer} {common_name}");
        }
    }
}

/// OpenSSL's own server, with one version and one suite at a time.
#[tokio::test]
async fn each_version_and_suite_of_openssls_server_is_named_as_openssl_names_it() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let authority = Authority::new("Contoso Lab Test Root CA");
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("server.pem");
    std::fs::write(&pem, authority.pem(&["a.contoso.com"])).unwrap();
    let names = standard_names();
    for (version, option, suite) in [
        ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
        ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"),
        ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ] {
        let server = Server::start(&pem, &[version, option, suite]);
        let ours = look(&authority, server.address).await;
        let theirs = s_client(server.address, "a.contoso.com", &[]).0.unwrap();
        let expected = names.get(suite).map_or(suite, String::as_str);
        assert_eq!((theirs.suite.as_str(), theirs.chain.len()), (expected, 1));
        assert_eq!(theirs.version, if version == "-tls1_3" { "TLSv1.3" } else { "TLSv1.2" });
        assert_eq!(session(&ours), Some(theirs), "{suite}");
    }
}

#[tokio::test]
async fn a_server_that_offers_only_what_is_out_of_date_refuses_openssl_with_our_suites_too() {
    if !have("openssl", "version", "OpenSSL") {
        return;
    }
    let authority = Authority::new("Contoso Lab Test Root CA");
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("server.pem");
    std::fs::write(&pem, authority.pem(&["a.contoso.com"])).unwrap();
    for (server, words) in [
        (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"], "HandshakeFailure"),
        (&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "ProtocolVersion"),
    ] {
        let server = Server::start(&pem, server);
        let ours = look(&authority, server.address).await;
        let refused = failure(&ours, StageName::Tls, FailureCode::TlsAlert);
        assert!(refused.detail.contains(words), "{refused:?}");
        let modern = ["-cipher", "ECDHE+AESGCM:ECDHE+CHACHA20"];
        let (theirs, said) = s_client(server.address, "a.contoso.com", &modern);
        assert!(theirs.is_none() && said.contains("alert"), "{said}");
    }
}

fn internet() -> Spec {
    use Behaviour as B;
    Spec::default()
        .known("contoso.com")
        .host("missing.contoso.com", B::Status(404))
        .host("captive.contoso.com", B::Status(511))
        .host("moved.contoso.com", B::Redirect(302, "https://healthy.contoso.com/".into()))
        .host("inspected.contoso.com", B::ForeignCa)
        .host("expired.contoso.com", B::Expired)
        .host("wrong.contoso.com", B::WrongName)
        .host("self.contoso.com", B::SelfSigned)
        .host("page.contoso.com", B::BlockPage(403))
        .host("alert.contoso.com", B::TlsAlert)
        .host("reset.contoso.com", B::ResetInHandshake)
        .host("late-reset.contoso.com", B::ResetAfterTls)
        .host("garbage.contoso.com", B::HttpGarbage)
}

/// OpenSSL's server answers GET only: what counts here is TLS.
async fn look(authority: &Authority, server: SocketAddr) -> Observation {
    let url = "https://a.contoso.com/";
    let mut job = Job { short: Some(StageName::Http), ..Job::new(vec![direct(url)]) };
    job.extra_roots = vec![authority.root()];
    job.connect_to = vec![format!("::127.0.0.1:{}", server.port())];
    job.run().await.remove(url).unwrap()
}

fn session(seen: &Observation) -> Option<Session> {
    let tls = seen.tls.evidence.as_ref()?;
    let chain = tls.chain.iter().map(|certificate| certificate.sha256.clone()).collect();
    Some(Session { version: tls.version.clone()?, suite: tls.suite.clone()?, chain })
}

/// The session of OpenSSL's client, if there is one, and all it says.
fn s_client(server: SocketAddr, host: &str, more: &[&str]) -> (Option<Session>, String) {
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-showcerts", "-alpn", "http/1.1", "-servername", host, "-connect", &server.to_string()]);
    let output = openssl.args(more).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    // `New, TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384`; the version there is that of the suite.
    let cipher = said.lines().find_map(|line| line.split_once(", Cipher is ")).map(|(_, name)| name.trim().to_owned());
    let Some(cipher) = cipher.filter(|name| name != "(NONE)") else { return (None, said) };
    let version = if cipher.starts_with("TLS_") { "TLSv1.3" } else { "TLSv1.2" };
    assert!(said.contains(version), "{said}");
    let chain = CertificateDer::pem_slice_iter(said.as_bytes()).map(|der| hexadecimal(&Sha256::digest(der.unwrap())));
    let suite = standard_names().remove(&cipher).unwrap_or(cipher);
    (Some(Session { version: version.to_owned(), suite, chain: chain.collect() }), said)
}

/// OpenSSL's names of suites, and those of the standard.
fn standard_names() -> BTreeMap<String, String> {
    let output = Command::new("openssl").args(["ciphers", "-stdname", "ALL"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let both = |line: &str| {
        let mut words = line.split_whitespace();
        let (standard, own) = (words.next()?, words.nth(1)?);
        Some((own.to_owned(), standard.to_owned()))
    };
    text.lines().filter_map(both).collect()
}

/// `openssl s_server`, until it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(pem: &Path, arguments: &[&str]) -> Self {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-alpn", "http/1.1", "-cert"]).arg(pem);
        let mut child =
            openssl.arg("-key").arg(pem).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // `ACCEPT 127.0.0.1:43211`
        let address = lines.find_map(|line| line.ok()?.strip_prefix("ACCEPT ")?.trim().parse().ok());
        // Nobody reads on: what it says of each connection must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("it says where it listens") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
