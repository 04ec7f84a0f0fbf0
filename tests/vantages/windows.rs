//! The script's core under Mono, in the place of PowerShell: what a Windows host is asked, really run at the sites.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use cmcomply::vantage::script;

use crate::probing::skipped;
use crate::sites::Sites;

/// What starts the core, in the place of PowerShell.
const ENTRY: &str = "static class Entry { static void Main() { \
    System.Console.Out.WriteLine(Cmcomply.Observer.Run(System.Console.In.ReadToEnd(), \"4.0\", \"FullLanguage\")); } }";

/// Takes the data out of what came on standard input, as the bootstrap does, and gives it to the core.
const POWERSHELL: &str = "\
import base64, os, re, subprocess, sys
data = re.search(r'CMCOMPLY-DATA \\d+ [0-9a-f]{64}\\s+([A-Za-z0-9+/=\\s]+?)\\s*CMCOMPLY-', sys.stdin.read()).group(1)
here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
environment = dict(os.environ, XDG_CONFIG_HOME=here + '/config', LC_ALL='C')
sys.exit(subprocess.run(['mono', here + '/core.exe'], input=base64.b64decode(data), env=environment).returncode)
";

/// Puts `powershell.exe` into the folder `bin`, which is on the path at every site. Loud where Mono is not here.
pub fn install(sites: &Sites) -> bool {
    for program in ["mcs", "mono", "openssl"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        if !found.status.success() {
            skipped(&format!(
                "no {program} here (Debian: mono-mcs, mono-runtime, openssl), so no script is run at sites"
            ));
            return false;
        }
    }
    let (_, rest) = script::text().split_once("$core = @'\n").unwrap();
    std::fs::write(sites.path("core.cs"), rest.split_once("\n'@\n").unwrap().0).unwrap();
    std::fs::write(sites.path("entry.cs"), ENTRY).unwrap();
    let mut compiler = Command::new("mcs");
    compiler.args(["-langversion:5", "-out:core.exe", "core.cs", "entry.cs"]).current_dir(sites.folder.path());
    let compiled = compiler.output().unwrap();
    assert!(compiled.status.success(), "{}", crate::sites::text(&compiled));
    let mut hash = Command::new("openssl");
    let hash = hash.args(["x509", "-hash", "-noout", "-in"]).arg(sites.path("ca.pem")).output().unwrap();
    let trust = sites.path("config/.mono/new-certs/Trust");
    std::fs::create_dir_all(&trust).unwrap();
    let name = String::from_utf8(hash.stdout).unwrap();
    std::fs::copy(sites.path("ca.pem"), trust.join(format!("{}.0", name.trim()))).unwrap();
    std::fs::create_dir_all(sites.path("bin")).unwrap();
    std::fs::write(sites.path("bin/powershell.py"), POWERSHELL).unwrap();
    sites.program("bin/powershell.exe", "exec python3 \"$HERE/bin/powershell.py\"\n");
    true
}

/// The lab's WinRM server beside the operator, on a machine of this name. `None` after a loud line without pyspnego.
pub fn winrm(sites: &Sites, machine: &str) -> Option<(Child, u16)> {
    if !Command::new("python3").args(["-c", "import spnego"]).stderr(Stdio::null()).status().unwrap().success() {
        skipped("no pyspnego here (PyPI), so no audit over WinRM");
        return None;
    }
    let mut command = sites.at("core");
    let path = format!("{}:{}", sites.path("bin").display(), std::env::var("PATH").unwrap());
    command.args(["unshare", "--uts", "sh", "-c", "hostname \"$1\" && shift && exec python3 \"$@\"", "sh", machine]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/winrm/server.py")).args(["--log", "winrm.log"]);
    let mut server = command.env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap();
    Some((server, port))
}
