//! The text of the script, with the plan in it as data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::mark::FAILURES;
use crate::plan::{PlanDocument, Probe};
use crate::probe::public_root_marks;
use crate::vantage::script;

/// So many probes have room in an answer of 3,500 characters. Of more, the rest is left out by every client.
pub const MOST_PROBES: usize = 1600;

/// The script for the console's Run Scripts, in ASCII, with line ends of Windows. `thumbprints` are those of roots that
/// count as public besides the public programmes' own.
pub fn run_script(plan: &PlanDocument, thumbprints: &[String]) -> String {
    let data = STANDARD.encode(data(plan, thumbprints).to_string());
    let lines: Vec<&str> = script::lines(&data).collect();
    text().replace("# <data>\n", &(lines.join("\n") + "\n")).replace('\n', "\r\n")
}

/// What an answer names its plan by: the beginning of the plan's hash.
pub fn plan_mark(plan_sha256: &str) -> &str {
    plan_sha256.get(..32).unwrap_or(plan_sha256)
}

/// The text of the script without a plan.
fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let core = script::CORE_OF_PROBES.concat() + BRIEF;
        WRAPPER.replace("\r\n", "\n").replace("# <core>\n", &core.replace("\r\n", "\n"))
    });
    &TEXT
}

/// What the script needs of the plan, and no more: what is asked besides the layers is not looked at.
fn data(plan: &PlanDocument, thumbprints: &[String]) -> Value {
    let probe = |(number, Probe { target, via, .. }): (usize, &Probe)| json!({ "id": number.to_string(), "target": target, "via": via });
    let code =
        |code| serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    let codes: BTreeMap<String, &str> = FAILURES.iter().map(|(failure, mark)| (code(failure), *mark)).collect();
    json!({
        "plan": plan_mark(&plan.sha256),
        "agent": concat!("cmcomply/", env!("CARGO_PKG_VERSION")),
        "bounds": plan.bounds,
        "probes": plan.probes.iter().enumerate().map(probe).collect::<Vec<_>>(),
        "codes": codes,
        "roots": public_root_marks(thumbprints),
    })
}

const WRAPPER: &str = include_str!("../../../scripts/RunScript.ps1");
const BRIEF: &str = include_str!("../../../scripts/core/Brief.cs");
