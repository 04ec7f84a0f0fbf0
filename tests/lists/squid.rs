//! A real Squid on loopback, asked to CONNECT to names.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
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
    tools::find(&["squid", "/usr/sbin/squid"], &["-v"], "Squid Cache", "Squid (Debian: squid)")
}

/// What `squid -k parse` says of the lists, and whether it accepts them.
pub(crate) fn parse(program: &str, lists: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = write_config(&folder, lists, free_port(), free_port());
    let output = Command::new(program).args(["-k", "parse", "-f"]).arg(file).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

impl Squid {
    pub(crate) fn start(program: &str, lists: &str) -> Self {
        let parent = parent();
        // Between finding a free port and Squid's taking it somebody else may: then Squid ends, and we try another.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            let port = free_port();
            let file = write_config(&folder, lists, port, parent);
            let name = format!("cmcomply{port}");
            let mut child = Command::new(program)
                .args(["-N", "-n", &name, "-f"])
                .arg(file)
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
        }
        panic!("Squid did not start; it says: {}", parse(program, lists).1);
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

/// Nothing but loopback, no cache, no log, no helper process, no name server; what the lists do not allow is denied.
fn write_config(folder: &tempfile::TempDir, lists: &str, port: u16, parent: u16) -> PathBuf {
    let lists_file = folder.path().join("lists.conf");
    std::fs::write(&lists_file, lists).unwrap();
    let file = folder.path().join("squid.conf");
    let config = format!(
        "http_port 127.0.0.1:{port}\nvisible_hostname localhost\npid_filename none\naccess_log none\n\
         cache_log /dev/null\ncache deny all\ncache_mem 1 MB\npinger_enable off\nnetdb_filename none\n\
         coredump_dir none\ndns_nameservers 127.0.0.1\nshutdown_lifetime 0 seconds\n\
         cache_peer 127.0.0.1 parent {parent} 0 no-query no-digest default\nnever_direct allow all\n\
         include {lists}\nhttp_access deny all\n",
        lists = lists_file.display()
    );
    std::fs::write(&file, config).unwrap();
    file
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
