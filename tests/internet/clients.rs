//! Clients that nobody here wrote, as subprocesses.
#![allow(unreachable_pub, reason = "a module of a test program")]

use std::io::Write;
use std::process::Command;

use lab::internet::Internet;

/// curl, led to the lab by the lab's own rules.
pub struct Curl {
    rules: Vec<String>,
    ca: tempfile::NamedTempFile,
}

/// What curl saw.
#[derive(Debug)]
pub struct CurlSaw {
    pub connect: u16,
    pub status: u16,
    pub exit: i32,
    pub message: String,
    pub body: String,
}

/// Exit codes of curl.
pub mod curl_exit {
    pub const OK: i32 = 0;
    pub const NO_HTTP: i32 = 1;
    pub const CONNECT: i32 = 7;
    pub const TIMEOUT: i32 = 28;
    pub const TLS: i32 = 35;
    pub const RECEIVE: i32 = 56;
    pub const CERTIFICATE: i32 = 60;
}

impl Curl {
    pub fn new(net: &Internet) -> Option<Self> {
        // curl would ask the system for the names; the lab's rules leave them as they are.
        let place = |rule: String| rule.rsplit_once("::").map(|(host, port)| format!("{host}:127.0.0.1:{port}"));
        have("curl", "--version", "OpenSSL/").then(|| Self {
            rules: net.connect_to().into_iter().filter_map(place).collect(),
            ca: pem_file(&net.ca_pem()),
        })
    }

    pub fn get(&self, url: &str, arguments: &[&str]) -> CurlSaw {
        let mut curl = Command::new("curl");
        curl.args(["--disable", "--silent", "--show-error", "--max-time", "30", "--cacert"]).arg(self.ca.path());
        curl.args(["--write-out", "\n%{http_connect}|%{http_code}"]);
        if arguments.contains(&"--proxy") {
            // Through a proxy, rules for the target would make curl CONNECT to somewhere else.
            curl.args(["--noproxy", ""]);
        } else {
            curl.args(["--noproxy", "*"]);
            curl.args(self.rules.iter().flat_map(|rule| ["--connect-to", rule]));
        }
        let output = curl.args(arguments).arg(url).output().expect("curl starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, facts) = text.rsplit_once('\n').expect("curl writes its facts");
        let (connect, status) = facts.split_once('|').expect("curl writes both");
        CurlSaw {
            connect: connect.parse().expect("a status"),
            status: status.parse().expect("a status"),
            exit: output.status.code().expect("nobody kills curl"),
            message: String::from_utf8_lossy(&output.stderr).into_owned(),
            body: body.to_owned(),
        }
    }
}

/// Short where the deadline is what is waited for, generous where it must not come.
pub fn limit(exit: i32) -> &'static [&'static str] {
    if exit == curl_exit::TIMEOUT { &["--max-time", "1"] } else { &[] }
}

pub fn url_of(net: &Internet, proxy: &str) -> String {
    format!("http://{}", net.proxy(&format!("{proxy}.contoso.com")))
}

pub fn pem_file(pem: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary directory");
    file.write_all(pem.as_bytes()).expect("room for a certificate");
    file
}

/// Whether the program is there, and is the one whose words these tests know (its version says `maker`). Loud if it is
/// not, past the capture of test output, and a failure where nothing may be skipped.
pub fn have(program: &str, version: &str, maker: &str) -> bool {
    let found = Command::new(program).arg(version).output().is_ok_and(|output| {
        [output.stdout, output.stderr].iter().any(|text| String::from_utf8_lossy(text).contains(maker))
    });
    if !found {
        let nothing_skipped = std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_some_and(|set| set == "1");
        assert!(!nothing_skipped, "{program} ({maker}) is not installed");
        let _ = writeln!(std::io::stderr(), "SKIPPED: no {program} ({maker}) here, so it did not judge the lab");
    }
    found
}
