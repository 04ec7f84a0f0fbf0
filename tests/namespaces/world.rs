//! Networks of the test's own: one namespace that is the internet, with real servers, and one for each site, behind its
//! own firewall. Nothing is added to the network of the machine, and everything goes when the test ends.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::probing::skipped;

/// What all names of namespaces begin with; the number of the process follows.
const PREFIX: &str = "cmcomply-test-";

/// The servers' addresses: of the ranges for documentation, and only in these namespaces.
pub const ADDRESSES: [&str; 2] = ["198.51.100.1", "198.51.100.2"];
pub const ADDRESS_V6: &str = "2001:db8::1";

/// The internet and its sites.
pub struct World {
    prefix: String,
    sites: usize,
    servers: Vec<Child>,
}

/// Whether namespaces can be had. Loud if not, and a failure where nothing may be skipped and it should work.
pub fn possible() -> bool {
    let root = text(&run("id", &["-u"])).trim() == "0";
    if !cfg!(target_os = "linux") || !root {
        let _ = writeln!(std::io::stderr(), "SKIPPED: network namespaces need Linux and root");
        return false;
    }
    for (program, argument) in [("ip", "-V"), ("nft", "--version"), ("iptables", "--version"), ("python3", "--version")]
    {
        if !Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success()) {
            skipped(&format!("no {program} here (Debian: iproute2, nftables, iptables, python3), so no namespaces"));
            return false;
        }
    }
    let trial = format!("{PREFIX}{}-trial", std::process::id());
    let made = run("ip", &["netns", "add", &trial]);
    let _ = run("ip", &["netns", "del", &trial]);
    if !made.status.success() {
        skipped(&format!("this machine gives no network namespaces: {}", text(&made)));
    }
    made.status.success()
}

impl World {
    /// The internet, with nobody in it.
    pub fn new() -> Self {
        remove_stale();
        let world = Self { prefix: format!("{PREFIX}{}-", std::process::id()), sites: 0, servers: Vec::new() };
        let core = world.name("core");
        ip(&["netns", "add", &core]);
        ip(&["-n", &core, "link", "set", "lo", "up"]);
        for address in ADDRESSES {
            ip(&["-n", &core, "address", "add", &format!("{address}/32"), "dev", "lo"]);
        }
        ip(&["-n", &core, "-6", "address", "add", &format!("{ADDRESS_V6}/128"), "dev", "lo", "nodad"]);
        world
    }

    /// A site with a way to the internet, for IPv6 too if `v6`. Seen from there, its interface has its name.
    pub fn site(&mut self, name: &str, v6: bool) {
        self.sites += 1;
        let (site, core, number) = (self.name(name), self.name("core"), self.sites);
        ip(&["netns", "add", &site]);
        ip(&["-n", &site, "link", "set", "lo", "up"]);
        ip(&["link", "add", "wan", "netns", &site, "type", "veth", "peer", "name", name, "netns", &core]);
        for (namespace, link, end) in [(&site, "wan", 2), (&core, name, 1)] {
            ip(&["-n", namespace, "address", "add", &format!("10.97.{number}.{end}/24"), "dev", link]);
            ip(&["-n", namespace, "link", "set", link, "up"]);
            if v6 {
                let address = format!("fd97:{number}::{end}/64");
                ip(&["-n", namespace, "-6", "address", "add", &address, "dev", link, "nodad"]);
            }
        }
        ip(&["-n", &site, "route", "add", "198.51.100.0/24", "via", &format!("10.97.{number}.1")]);
        if v6 {
            ip(&["-n", &site, "-6", "route", "add", "2001:db8::/32", "via", &format!("fd97:{number}::1")]);
        }
    }

    /// The way to the internet is gone.
    pub fn cut(&self, name: &str) {
        ip(&["-n", &self.name(name), "route", "del", "198.51.100.0/24"]);
    }

    /// The machine itself may not go there.
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub fn forbid(&self, name: &str) {
        ip(&["-n", &self.name(name), "route", "replace", "prohibit", "198.51.100.0/24"]);
    }

    /// Rules of the firewalls between the sites and the internet, for nft.
    pub fn firewall(&self, rules: &str) {
        let mut nft = Command::new("ip");
        nft.args(["netns", "exec", &self.name("core"), "nft", "-f", "-"]);
        let mut child = nft.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }

    /// Every ICMP error is sent, also when several are due at once.
    pub fn tell_every_error(&self) {
        ip(&["netns", "exec", &self.name("core"), "sh", "-c", "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit"]);
    }

    /// Resets the connection of whoever at the site says the word to port 443.
    pub fn reset_at(&self, site: &str, word: &str) {
        let mut rule = vec!["netns", "exec"];
        let core = self.name("core");
        rule.extend([core.as_str(), "iptables", "-A", "INPUT", "-i", site, "-p", "tcp", "--dport", "443"]);
        rule.extend(["-m", "string", "--algo", "bm", "--string", word, "-j", "REJECT", "--reject-with", "tcp-reset"]);
        ip(&rule);
    }

    /// Python's own web server over TLS at a port of the internet, with the chain and key of a PEM file.
    pub fn serve(&mut self, port: u16, pem: &Path) {
        let mut server = Command::new("ip")
            .args(["netns", "exec", &self.name("core"), "python3", "-c", SERVER, &port.to_string()])
            .arg(pem)
            .current_dir(pem.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(server.stdout.take().unwrap()).lines().next();
        self.servers.push(server);
        assert!(said.is_some_and(|line| line.unwrap() == "ready"), "the server at {port} did not start");
    }

    /// How a program is started at a site.
    pub fn at(&self, name: &str) -> [String; 4] {
        ["ip".to_owned(), "netns".to_owned(), "exec".to_owned(), self.name(name)]
    }

    fn name(&self, of: &str) -> String {
        format!("{}{of}", self.prefix)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
        for name in namespaces().iter().filter(|name| name.starts_with(&self.prefix)) {
            let _ = run("ip", &["netns", "del", name]);
        }
    }
}

/// Namespaces of a test that was killed.
fn remove_stale() {
    for name in namespaces() {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = run("ip", &["netns", "del", &name]);
        }
    }
}

fn namespaces() -> Vec<String> {
    let words = |line: &str| line.split_whitespace().next().map(str::to_owned);
    text(&run("ip", &["netns", "list"])).lines().filter_map(words).collect()
}

fn ip(arguments: &[&str]) {
    let output = run("ip", arguments);
    assert!(output.status.success(), "ip {arguments:?}: {}", text(&output));
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// For IPv4 and IPv6. The handshake is left to the thread of each connection: one that never ends holds up nobody.
const SERVER: &str = "\
import http.server, socket, ssl, sys
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 64
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return super().server_bind()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server = Server(('::', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print('ready', flush=True)
server.serve_forever()
";
