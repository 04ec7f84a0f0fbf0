//! How the script and its plan travel: a constant line for the shell, and everything else on standard input, in Base64.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::plan::PlanDocument;
use crate::text::hexadecimal;
use crate::vantage::Command;

/// What is asked besides the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Run once as SYSTEM, by a task of the Task Scheduler that is removed again. It changes the host for a moment, so never
    /// by default.
    pub as_system: bool,
    /// Thumbprints (SHA-1, lower-case hexadecimal) of the roots to look for there.
    pub roots: Vec<String>,
}

/// The command that runs a plan on a Windows host. Its line is the same for every plan.
pub fn command(plan: &PlanDocument, options: &Options) -> Command {
    static LINE: LazyLock<String> = LazyLock::new(|| {
        let utf16: Vec<u8> = BOOTSTRAP.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let encoded = STANDARD.encode(utf16);
        format!("powershell.exe -NoLogo -NoProfile -NonInteractive -EncodedCommand {encoded}")
    });
    static SCRIPT: LazyLock<String> = LazyLock::new(|| block("SCRIPT", text().as_bytes()));
    let data = block("DATA", &data(plan, options));
    Command { line: LINE.clone(), stdin: format!("{}{data}CMCOMPLY-PAYLOAD-END\n", *SCRIPT).into_bytes() }
}

/// The script with the plan in it, as a file that a person carries to the host. It writes `observations-NAME.json` beside
/// itself, NAME being what the host calls itself.
pub fn carried(plan: &PlanDocument, options: &Options) -> String {
    let mut file = CARRIED_HEAD.to_owned();
    for line in lines(&STANDARD.encode(data(plan, options))) {
        file.push_str(line);
        file.push('\n');
    }
    file.push_str("'@\n\n");
    file.push_str(CARRIED_RUN);
    file.push_str(text());
    file.push_str(CARRIED_TAIL);
    // Editors and PowerShell of Windows agree on these.
    file.replace('\n', "\r\n")
}

/// The text of the script: the same for every plan.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let core = (CORE_OF_PROBES.concat() + FACTS + OBSERVER).replace("\r\n", "\n");
        WRAPPER.replace("\r\n", "\n").replace("# <core>\n", &core)
    });
    &TEXT
}

/// The plan and what is asked besides, as one JSON document.
fn data(plan: &PlanDocument, options: &Options) -> Vec<u8> {
    let Options { as_system, roots } = options;
    let agent = concat!("cmcomply/", env!("CARGO_PKG_VERSION"));
    json!({ "plan": plan, "agent": agent, "as_system": as_system, "roots": roots }).to_string().into_bytes()
}

/// A name, the length and the SHA-256 of the content, and the content in Base64.
fn block(name: &str, content: &[u8]) -> String {
    let mut text = format!("CMCOMPLY-{name} {} {}\n", content.len(), hexadecimal(&Sha256::digest(content)));
    for line in lines(&STANDARD.encode(content)) {
        let _ = writeln!(text, "{line}"); // writing to a string cannot fail
    }
    text
}

/// Lines that every console reads.
pub(crate) fn lines(base64: &str) -> impl Iterator<Item = &str> {
    base64.as_bytes().chunks(LINE_LENGTH).map(|line| std::str::from_utf8(line).unwrap_or_default())
}

const LINE_LENGTH: usize = 1000;
const BOOTSTRAP: &str = include_str!("../../../scripts/Bootstrap.ps1");
const WRAPPER: &str = include_str!("../../../scripts/Observe.ps1");
/// The part of the core that probes; each script has its own on top of it.
pub(crate) const CORE_OF_PROBES: [&str; 9] = [
    include_str!("../../../scripts/core/Json.cs"),
    include_str!("../../../scripts/core/Stages.cs"),
    include_str!("../../../scripts/core/Names.cs"),
    include_str!("../../../scripts/core/Tcp.cs"),
    include_str!("../../../scripts/core/Registry.cs"),
    include_str!("../../../scripts/core/Tls.cs"),
    include_str!("../../../scripts/core/Http.cs"),
    include_str!("../../../scripts/core/Probe.cs"),
    include_str!("../../../scripts/core/Runner.cs"),
];
const FACTS: &str = include_str!("../../../scripts/core/Facts.cs");
const OBSERVER: &str = include_str!("../../../scripts/core/Observer.cs");

const CARRIED_HEAD: &str = "\
# cmcomply: what this host sees of the internet endpoints that it needs.
#
# Run it on the host that the plan is for, as an administrator:
#     powershell.exe -NoProfile -ExecutionPolicy Bypass -File THIS-FILE
# It changes nothing, and writes one file beside itself, observations-NAME.json. Bring that file back:
#     cmcomply audit --sql SERVER --observations observations-NAME.json
# The block below is the plan, in Base64: names, ports and proxies to look at. Nothing in it is run.
$carriedData = @'
";
const CARRIED_RUN: &str = "\
& {
";
const CARRIED_TAIL: &str = "
} $carriedData $PSScriptRoot
";
