//! A real Squid on loopback.
#![allow(dead_code, reason = "each test uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::tools;

/// The longest that starting, and each answer, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Squid with access lists, and a parent proxy of ours behind it that accepts everything: no name is ever resolved.
pub(crate) struct Squid {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// The program, if it is here.
pub(crate) fn program() -> Option<String> {
    tools::find(&["squid", "/usr/sbin/squid"], &["-v"], "Squid Cache", "Squid (Debian: squid-openssl)")
}

/// What `squid -k parse` says of the lists, and whether it accepts them.
pub(crate) fn parse(program: &str, lists: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "squid.conf", &lists_config(folder.path(), lists, free_port(), free_port()));
    let output = Command::new(program).args(["-k", "parse", "-f"]).arg(file).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

impl Squid {
    /// With access lists, and a parent that accepts everything: no name is ever resolved.
    pub(crate) fn start(program: &str, lists: &str) -> Self {
        let parent = parent();
        Self::run(program, |folder, port| lists_config(folder, lists, port, parent))
    }

    /// With the settings for a port and a folder that everybody may read.
    pub(crate) fn run(program: &str, config: impl Fn(&Path, u16) -> String) -> Self {
        let mut said = String::new();
        // Between finding a free port and Squid's taking it somebody else may: then Squid ends, and we try another.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            open_to_all(folder.path());
            let port = free_port();
            let file = write(folder.path(), "squid.conf", &config(folder.path(), port));
            let name = format!("cmcomply{port}");
            let mut child = Command::new(program)
                .args(["-N", "-n", &name, "-f"])
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let deadline = Instant::now() + PATIENCE;
            while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
                if TcpStream::connect_timeout(&address, PATIENCE).is_ok() {
                    return Self { child, address, _folder: folder };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
            let output = Command::new(program).args(["-k", "parse", "-f"]).arg(file).output().unwrap();
            said = String::from_utf8_lossy(&output.stderr).into_owned();
        }
        panic!("Squid did not start; it says: {said}");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether Squid lets a CONNECT through. Only 200 and 403 are answers.
    pub(crate) fn allows(&self, name: &str, port: u16) -> bool {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream.take(4096)).read_line(&mut line).unwrap();
        match line.split(' ').nth(1) {
            Some("200") => true,
            Some("403") => false,
            _ => panic!("CONNECT {name}:{port}: {line:?}"),
        }
    }
}

impl Drop for Squid {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Squid gives up its rights to an account of its own, which must be able to read what it is given.
fn open_to_all(folder: &Path) {
    #[cfg(unix)]
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let _ = folder;
}

/// Writes a file for Squid.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// What every Squid of the tests has: nothing but loopback, no cache, no log, no helper process, no name server.
pub(crate) fn common_config(port: &str) -> String {
    format!(
        "http_port {port}\nvisible_hostname localhost\npid_filename none\naccess_log none\ncache_log /dev/null\n\
         cache deny all\ncache_mem 1 MB\npinger_enable off\nnetdb_filename none\ncoredump_dir none\n\
         dns_nameservers 127.0.0.1\nshutdown_lifetime 0 seconds\n"
    )
}

/// What the lists do not allow is denied.
fn lists_config(folder: &Path, lists: &str, port: u16, parent: u16) -> String {
    let lists = write(folder, "lists.conf", lists);
    format!(
        "{}cache_peer 127.0.0.1 parent {parent} 0 no-query no-digest default\nnever_direct allow all\n\
         include {}\nhttp_access deny all\n",
        common_config(&format!("127.0.0.1:{port}")),
        lists.display()
    )
}

/// A proxy that says 200 to whatever it is asked, for as long as the test runs.
fn parent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(PATIENCE));
            let mut reader = BufReader::new(stream.take(8192));
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                line.clear();
            }
            let _ = reader.into_inner().into_inner().write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        }
    });
    port
}
