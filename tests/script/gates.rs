//! What holds of the text of the script: it is one text for every plan, of the language that old PowerShell has, and
//! everything that it is given is data.

use std::collections::BTreeSet;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmcomply::derive::Via;
use cmcomply::host::{HostName, Scheme};
use cmcomply::plan::{Asks, PlanBounds, PlanDocument, Probe, ProbeId, Target};
use cmcomply::vantage::run_script::run_script;
use cmcomply::vantage::script::{self, Options};

use crate::probing::skipped;

/// A plan whose every text looks like code.
fn evil() -> PlanDocument {
    let host = HostName::parse("evil-payload.contoso.internal").unwrap();
    let path = "/$(Remove-Item)';Stop-Process;'@`\"&calc.exe|%7B".to_owned();
    let target = Target { scheme: Scheme::Https, host, port: 443, path };
    let id = ProbeId("'@\"; $(evil) `n #> CMCOMPLY-PAYLOAD-END CMCOMPLY-SCRIPT".to_owned());
    let probe = Probe {
        id,
        target,
        via: Via::Direct,
        contexts: BTreeSet::new(),
        requirements: Vec::new(),
        asks: Asks::default(),
    };
    plan("evil-payload", vec![probe])
}

fn plan(host: &str, probes: Vec<Probe>) -> PlanDocument {
    let bounds =
        PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
    PlanDocument::new(HostName::parse(host).ok(), bounds, probes)
}

fn evil_options() -> Options {
    Options { as_system: true, roots: vec!["'; evil #".to_owned()] }
}

#[test]
fn nothing_of_a_plan_stands_outside_of_the_data() {
    let (plain, evil) = (plan("cm01", Vec::new()), evil());
    let [one, other] = [script::command(&plain, &Options::default()), script::command(&evil, &evil_options())];
    assert_eq!(one.line, other.line);
    let text = |command: &cmcomply::vantage::Command| String::from_utf8(command.stdin.clone()).unwrap();
    let [one, other] = [text(&one), text(&other)];
    let [(script, _), (same, data)] = [&one, &other].map(|all| all.split_once("CMCOMPLY-DATA ").unwrap());
    assert_eq!(script, same);
    let bytes = blocks(&other);
    assert_eq!(bytes[0], script::text().as_bytes());
    let given: serde_json::Value = serde_json::from_slice(&bytes[1]).unwrap();
    assert_eq!(given["plan"], serde_json::to_value(&evil).unwrap());
    assert_eq!(given["as_system"], true);
    assert!(!data.contains("evil") && data.ends_with("\nCMCOMPLY-PAYLOAD-END\n"));
    assert_eq!(other.matches("CMCOMPLY-").count(), 3);

    let [one, other] = [script::carried(&plain, &Options::default()), script::carried(&evil, &evil_options())];
    let parts = |file: &str| {
        let (head, rest) = file.split_once("@'\r\n").unwrap();
        let (data, tail) = rest.split_once("'@\r\n").unwrap();
        assert!(data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte)));
        (head.to_owned(), tail.to_owned())
    };
    assert_eq!(parts(&one), parts(&other));
    assert!(!other.contains("evil"));
}

/// The contents of the blocks, each as long and with the hash that it says.
fn blocks(stdin: &str) -> Vec<Vec<u8>> {
    use sha2::{Digest, Sha256};
    let blocks = stdin.split("CMCOMPLY-").filter(|part| part.starts_with("SCRIPT ") || part.starts_with("DATA "));
    let content = |block: &str| {
        let (head, body) = block.split_once('\n').unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        let bytes = STANDARD.decode(body.replace('\n', "")).unwrap();
        assert_eq!(words[1], bytes.len().to_string());
        assert_eq!(words[2], cmcomply::text::hexadecimal(&Sha256::digest(&bytes)));
        bytes
    };
    blocks.map(content).collect()
}

#[test]
fn nothing_of_a_plan_of_clients_stands_outside_of_its_data() {
    let [one, other] = [run_script(&plan("cm01", Vec::new()), &[]), run_script(&evil(), &["'; evil #".to_owned()])];
    let parts = |file: &str| {
        let (head, rest) = file.split_once("$data = @'\r\n").unwrap();
        let (data, tail) = rest.split_once("'@\r\n").unwrap();
        assert!(data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte)));
        (head.to_owned(), tail.to_owned())
    };
    assert_eq!(parts(&one), parts(&other));
    assert!(!other.contains("evil"));
    // It says of itself that it takes none, and has nothing that the console would ask for.
    assert!(!one.to_lowercase().contains("param(") && !one.contains("$args"));
    assert!(one.len() < 200 << 10, "{} octets", one.len());
}

#[test]
fn the_line_is_short_and_the_same_word_in_every_shell() {
    let line = script::command(&evil(), &evil_options()).line;
    assert!(line.len() < 6000, "{} characters, and cmd.exe takes 8191", line.len());
    // Nothing that cmd.exe or PowerShell reads as more than a word.
    assert!(line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .-+/=".contains(&byte)), "{line}");
}

#[test]
fn everything_is_ascii_and_short_lines() {
    let command = script::command(&evil(), &evil_options());
    let carried = script::carried(&evil(), &evil_options());
    let of_clients = run_script(&evil(), &[]);
    for text in
        [script::text(), &carried, &of_clients, std::str::from_utf8(&command.stdin).unwrap(), SELFTEST, BOOTSTRAP]
    {
        assert!(text.is_ascii());
        // A line of a pipe that a console reads.
        assert!(text.lines().all(|line| line.len() < 4000));
    }
}

const SELFTEST: &str = include_str!("../../scripts/windows-selftest.ps1");
const RUN_SCRIPT: &str = include_str!("../../scripts/RunScript.ps1");
const BOOTSTRAP: &str = include_str!("../../scripts/Bootstrap.ps1");

/// What only newer versions than PowerShell 4.0 have, and what would run a text.
const REFUSED: [&str; 22] = [
    "??",
    "?.",
    " ? ",
    "&&",
    "||",
    "-Parallel",
    "::new(",
    "class ",
    "enum ",
    "using namespace",
    "using module",
    "Invoke-Expression",
    "iex ",
    "ConvertFrom-Json -As",
    "-AsHashtable",
    "Import-Module",
    "#Requires -Modules",
    "clean {",
    "Join-String",
    "Test-Json",
    "Get-Error",
    "-Shuffle",
];

#[test]
fn the_powershell_is_that_of_version_4() {
    for text in [wrapper(), RUN_SCRIPT.to_owned(), BOOTSTRAP.to_owned(), SELFTEST.to_owned()] {
        // What stands in texts and comments is nobody's operator.
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            for token in REFUSED {
                assert!(!line.contains(token), "{token} in: {line}");
            }
        }
    }
}

/// The script without its core.
fn wrapper() -> String {
    script::text().replace(&crate::mono::core(), "")
}

#[test]
fn the_powershell_is_parsed_by_tree_sitter() {
    let here = Command::new("python3").args(["-c", "import tree_sitter, tree_sitter_powershell"]).output();
    if !here.is_ok_and(|output| output.status.success()) {
        return skipped("no tree-sitter-powershell here (PyPI: tree-sitter, tree-sitter-powershell)");
    }
    let folder = tempfile::tempdir().unwrap();
    let carried = script::carried(&evil(), &evil_options());
    let of_clients = run_script(&evil(), &[]);
    let broken = script::text().replacen("param(", "param((", 1);
    // Text of the task that runs as SYSTEM: it is a here-string in the script.
    let inner = wrapper().split("$inner = @'\n").nth(1).unwrap().split("\n'@").next().unwrap().to_owned();
    for (name, text, good) in [
        ("script", script::text(), true),
        ("carried", carried.as_str(), true),
        ("of clients", of_clients.as_str(), true),
        ("bootstrap", BOOTSTRAP, true),
        ("selftest", SELFTEST, true),
        ("inner", inner.as_str(), true),
        ("broken", broken.as_str(), false),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let output = Command::new("python3").args(["-c", PARSER]).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(said.trim().is_empty(), good, "{name}: {said}");
    }
}

const PARSER: &str = "
import sys, tree_sitter, tree_sitter_powershell
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
data = open(sys.argv[1], 'rb').read()
todo = [parser.parse(data).root_node]
while todo:
    node = todo.pop()
    if node.type == 'ERROR' or node.is_missing:
        print(node.type, node.start_point, data[node.start_byte:node.end_byte][:120])
    todo += node.children
";
