//! Role hosts in network namespaces: each with a name of its own, an sshd of Debian, and a firewall on its way.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::probing::authority::Authority;
use crate::probing::skipped;
use crate::world::{ADDRESSES, World};

/// The hosts: site, machine, the host of the Contoso hierarchy that it is, and its address.
pub const HOSTS: [(&str, &str, &str, &str); 3] = [
    ("cas", "CM-CAS", "cm-cas.corp.contoso.com", "10.97.1.2"),
    ("dp1", "CM-PS1-DP1", "cm-ps1-dp1.corp.contoso.com", "10.97.2.2"),
    ("dp2", "CM-PS1-DP2", "cm-ps1-dp2.corp.contoso.com", "10.97.3.2"),
];

/// The sites, the internet, and a folder with what the programs there need.
pub struct Sites {
    world: World,
    servers: Vec<Child>,
    pub folder: tempfile::TempDir,
}

/// Whether sshd can be had. Loud if not, and a failure where nothing may be skipped.
pub fn possible() -> bool {
    let there = ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/unshare"];
    match there.iter().find(|program| !Path::new(program).exists()) {
        None => true,
        Some(missing) => {
            skipped(&format!("no {missing} here (Debian: openssh-server, openssh-client, util-linux), so no SSH"));
            false
        }
    }
}

impl Sites {
    /// Three hosts. The first reaches the internet through the proxy alone, the second is refused one address, and the
    /// third's packets are dropped.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("Contoso Lab Test Root CA");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let pem = file("server.pem", &authority.pem(&["open.contoso.net", "shut.contoso.net"]));
        file("ca.pem", &authority.root_pem());
        let mut world = World::new();
        for (site, ..) in HOSTS {
            world.site(site, false);
        }
        world.firewall(FIREWALL);
        world.serve(443, &pem);
        let mut sites = Self { world, servers: Vec::new(), folder };
        sites.names();
        sites.proxy();
        std::fs::create_dir_all("/run/sshd").unwrap();
        for key in ["host", "audit", "stranger"] {
            let path = sites.path(key);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
            assert!(made.unwrap().success());
        }
        let known = std::fs::read_to_string(sites.path("host.pub")).unwrap();
        let known = HOSTS.map(|(_, _, host, _)| format!("{host} {known}"));
        std::fs::write(sites.path("known_hosts"), known.concat()).unwrap();
        for (site, machine, _, address) in HOSTS {
            sites.sshd(site, machine, address);
            sites.program(site, "exec \"$CMCOMPLY\" \"$@\" --ca-file=\"$HERE/ca.pem\"\n");
        }
        sites
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program at all hosts, which they have under this name.
    pub fn program(&self, name: &str, script: &str) -> String {
        let (path, here) = (self.path(name), self.folder.path().display());
        let head = format!("#!/bin/sh\nCMCOMPLY={}\nHERE={here}\n", env!("CARGO_BIN_EXE_cmcomply"));
        std::fs::write(&path, format!("{head}{script}")).unwrap();
        std::os::unix::fs::PermissionsExt::set_mode(&mut std::fs::metadata(&path).unwrap().permissions(), 0o755);
        let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        path.display().to_string()
    }

    /// The program, run by the operator, whose machine reaches every host.
    pub fn operator(&self, arguments: &[&str]) -> Command {
        let mut command = self.at("core");
        command.arg(env!("CARGO_BIN_EXE_cmcomply")).args(arguments);
        command
    }

    /// A command at a site, in the folder.
    pub fn at(&self, site: &str) -> Command {
        let [program, rest @ ..] = self.world.at(site);
        let mut command = Command::new(program);
        command.args(rest).current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("NO_COLOR");
        command
    }

    /// Names as each namespace knows them. `ip netns exec` lays these files over those of the machine.
    fn names(&self) {
        let [open, shut] = ADDRESSES;
        let mut hosts = format!(
            "127.0.0.1 localhost\n{open} open.contoso.net\n{shut} shut.contoso.net\n{open} proxy.contoso.com\n"
        );
        for (_, _, host, address) in HOSTS {
            let _ = writeln!(hosts, "{address} {host}");
        }
        // Hosts that are there only by name: nobody at the port, and a host whose key nobody knows.
        hosts += "127.0.0.1 cm-ps1.corp.contoso.com\n10.97.1.2 cm-ps2.corp.contoso.com\n";
        for site in HOSTS.map(|(site, ..)| site).into_iter().chain(["core"]) {
            let folder = Path::new("/etc/netns").join(&self.world.at(site)[3]);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("hosts"), &hosts).unwrap();
            std::fs::write(folder.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
        }
    }

    fn sshd(&mut self, site: &str, machine: &str, address: &str) {
        let here = self.folder.path().display();
        let settings = format!(
            "Port 22\nListenAddress {address}\nHostKey {here}/host\nPidFile none\nAuthorizedKeysFile {here}/audit.pub\n\
             SetEnv PATH={here}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\n\
             UsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nUseDNS no\n"
        );
        let file = self.path(&format!("{site}.sshd"));
        std::fs::write(&file, settings).unwrap();
        let mut command = self.at(site);
        command.args(["unshare", "--uts", "sh", "-c", "hostname \"$1\" && exec /usr/sbin/sshd -D -e -f \"$2\"", "sh"]);
        let server = command.arg(machine).arg(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.servers.push(server);
        let address: SocketAddr = format!("{address}:22").parse().unwrap();
        for _ in 0..600 {
            let mut probe = self.at("core");
            let script = format!("import socket; socket.create_connection(('{}', 22), 1).close()", address.ip());
            if probe.args(["python3", "-c", &script]).stderr(Stdio::null()).status().unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("sshd at {site} did not start");
    }

    fn proxy(&mut self) {
        let mut command = self.at("core");
        command.args(["python3", "-c", PROXY]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let said = BufReader::new(server.stdout.take().unwrap()).lines().next();
        self.servers.push(server);
        assert!(said.is_some_and(|line| line.unwrap() == "ready"), "the proxy did not start");
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        for site in HOSTS.map(|(site, ..)| site).into_iter().chain(["core"]) {
            let _ = std::fs::remove_dir_all(Path::new("/etc/netns").join(&self.world.at(site)[3]));
        }
    }
}

pub fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

const FIREWALL: &str = r#"
table inet firewall {
    chain input {
        type filter hook input priority 0; policy accept;
        iifname "cas" tcp dport 443 drop
        iifname "dp1" ip daddr 198.51.100.2 tcp dport 443 reject with tcp reset
        iifname "dp2" tcp dport 443 drop
    }
}
"#;

/// CONNECT alone.
const PROXY: &str = "\
import socket, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def serve(client):
    head = b''
    while b'\\r\\n\\r\\n' not in head:
        data = client.recv(4096)
        if not data:
            return
        head += data
    host, port = head.split()[1].decode().rsplit(':', 1)
    try:
        server = socket.create_connection((host, int(port)), 10)
    except OSError:
        client.sendall(b'HTTP/1.1 502 Bad Gateway\\r\\ncontent-length: 0\\r\\n\\r\\n')
        return
    client.sendall(b'HTTP/1.1 200 ok\\r\\n\\r\\n')
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)
listener = socket.create_server(('198.51.100.1', 8080))
print('ready', flush=True)
while True:
    client, _ = listener.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
";
