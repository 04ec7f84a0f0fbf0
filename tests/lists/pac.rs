//! Two PAC engines: pacparser (`SpiderMonkey`) and pac-resolver (`QuickJS`).

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::tools;

/// A script, and the hosts to ask it about.
pub(crate) struct Case {
    pub(crate) script: String,
    pub(crate) hosts: Vec<String>,
}

/// An engine that is here.
pub(crate) enum Engine {
    Pacparser { python: String },
    PacResolver { folder: PathBuf },
}

const PACPARSER: &str = r"
import json, sys, pacparser
answers = []
for case in json.load(sys.stdin):
    pacparser.init()
    pacparser.parse_pac_string(case['script'])
    answers.append([pacparser.find_proxy('https://' + host + '/', host) for host in case['hosts']])
    pacparser.cleanup()
json.dump(answers, sys.stdout)
";

const PAC_RESOLVER: &str = r"
import { createPacResolver } from 'pac-resolver';
import { QuickJS } from 'quickjs-wasi';
let text = '';
for await (const chunk of process.stdin) text += chunk;
const answers = [];
for (const one of JSON.parse(text)) {
  const resolve = createPacResolver(await QuickJS.create(), one.script);
  const own = [];
  for (const host of one.hosts) own.push(await resolve('https://' + host + '/', host));
  answers.push(own);
}
process.stdout.write(JSON.stringify(answers));
";

pub(crate) fn pacparser() -> Option<Engine> {
    let import = ["-c", "import pacparser; print('pacparser is here')"];
    tools::find(&["python3", "/usr/bin/python3"], &import, "is here", "pacparser (Debian: python3-pacparser)")
        .map(|python| Engine::Pacparser { python })
}

/// The packages are found by `CMCOMPLY_NODE_MODULES`, the path of a `node_modules` folder.
pub(crate) fn pac_resolver() -> Option<Engine> {
    let modules = std::env::var_os("CMCOMPLY_NODE_MODULES").map(PathBuf::from);
    let here = |modules: &PathBuf| ["pac-resolver", "quickjs-wasi"].iter().all(|name| modules.join(name).is_dir());
    let Some(modules) = modules.filter(here) else {
        tools::skipped(
            "no pac-resolver here (npm: pac-resolver and quickjs-wasi, their folder named by CMCOMPLY_NODE_MODULES), \
             so it did not judge the lists",
        );
        return None;
    };
    tools::find(&["node"], &["--version"], "v", "Node.js")?;
    Some(Engine::PacResolver { folder: modules.parent().map_or_else(PathBuf::new, Path::to_path_buf) })
}

impl Engine {
    /// The answers to each case, in the order of its hosts.
    pub(crate) fn ask(&self, cases: &[Case]) -> Vec<Vec<String>> {
        let mut command = match self {
            Self::Pacparser { python } => {
                let mut command = Command::new(python);
                command.args(["-c", PACPARSER]);
                command
            }
            Self::PacResolver { folder } => {
                let mut command = Command::new("node");
                command.args(["--input-type=module", "-e", PAC_RESOLVER]).current_dir(folder);
                command
            }
        };
        let cases: Vec<Value> = cases.iter().map(|c| json!({ "script": c.script, "hosts": c.hosts })).collect();
        let output = tools::filter(&mut command, Value::from(cases).to_string());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the engine failed: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}
