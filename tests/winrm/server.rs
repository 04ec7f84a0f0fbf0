//! The WinRM server of server.py in a process of its own, and what it logged.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cmcomply::host::HostName;
use cmcomply::site::Secret;
use cmcomply::vantage::winrm::{Account, Endpoint, Scheme, Transport, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// The name by which the server is known.
pub(crate) const HOST: &str = "cm01.contoso.com";
const USER: &str = r"CONTOSO\svc-cm";
const PASSWORD: &str = "Contoso-Secret-1";

/// A Python program that listens; dropping it ends it.
pub(crate) struct Process {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// A running WinRM server.
pub(crate) struct Server {
    process: Process,
    ca: Option<Vec<u8>>,
}

/// A server with these arguments; `None` after a loud line where there is no pyspnego.
pub(crate) fn start(arguments: &[&str]) -> Option<Server> {
    Some(Server { process: start_script("server.py", arguments)?, ca: None })
}

/// The same over TLS, with a certificate of a CA of its own.
pub(crate) fn start_tls(arguments: &[&str]) -> Option<Server> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Contoso Lab");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    fs::write(&file, leaf.pem() + &key.serialize_pem()).unwrap();
    let tls = ["--tls", file.to_str().unwrap()];
    let process = start_script("server.py", &[&tls, arguments].concat())?;
    Some(Server { process, ca: Some(ca.der().to_vec()) })
}

/// A server that answers as a Windows host once answered pypsrp; `None` after a loud line where there is no recording.
pub(crate) fn replay(recording: &str) -> Option<Server> {
    let folder = std::env::var_os("CMCOMPLY_PYPSRP_RESPONSES").map(PathBuf::from).filter(|folder| folder.is_dir());
    let Some(folder) = folder else {
        skipped("no recordings of pypsrp here (CMCOMPLY_PYPSRP_RESPONSES), so no real Windows was heard");
        return None;
    };
    python("yaml")?;
    start(&["--replay", folder.join(recording).to_str().unwrap()])
}

/// A program of this folder that needs pyspnego and prints its port.
pub(crate) fn start_script(script: &str, arguments: &[&str]) -> Option<Process> {
    python("spnego")?;
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("python3")
        .arg(path(script))
        .arg("--log")
        .arg(log_of(&folder))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap_or_else(|_| panic!("no port: {line}"));
    Some(Process { child, port, folder })
}

fn path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/winrm").join(script)
}

/// A Python that has the module.
pub(crate) fn python(module: &str) -> Option<()> {
    let has = Command::new("python3").args(["-c", &format!("import {module}")]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(());
    }
    skipped(&format!("no Python with {module} here, so nobody else's WinRM was spoken to"));
    None
}

/// Says what was skipped, past the capture of test output; fails where nothing may be.
pub(crate) fn skipped(what: &str) {
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|set| set != "1"), "{what}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// What another client's program says.
pub(crate) fn client(script: &str, arguments: &[&str]) -> String {
    let output = Command::new("python3").arg(path(script)).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn log_of(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

impl Process {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// What happened, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        fs::read_to_string(log_of(&self.folder)).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take()); // it ends with its input
        let _ = self.child.wait();
    }
}

impl Server {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// What happened, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.process.log()
    }

    /// The server as an endpoint of ours, trusted if it speaks TLS.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let transport = match &self.ca {
            Some(ca) => Transport::Https(Trust::new(std::slice::from_ref(ca)).unwrap()),
            None => Transport::Http,
        };
        Endpoint { host: host(), port: self.process.port, transport, address: Some(self.address()) }
    }

    /// A bare endpoint with the same address.
    pub(crate) fn endpoint_with(&self, transport: Transport) -> Endpoint {
        Endpoint { transport, ..self.endpoint() }
    }
}

pub(crate) fn host() -> HostName {
    HostName::parse(HOST).unwrap()
}

/// The account that the server knows.
pub(crate) fn account(scheme: Scheme) -> Account {
    Account { user: USER.to_owned(), password: Secret::new(PASSWORD), scheme }
}
