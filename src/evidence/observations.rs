//! The observations document: what one machine saw of one plan.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Tool;
use crate::host::HostName;
use crate::plan::{PlanBounds, PlanDocument};
use crate::probe::{Observation, Settings};
use crate::text::hexadecimal;
use crate::vantage::Vantage;

/// The format of [`Observations`]; a change that old readers would misread makes it a new one.
pub const OBSERVATIONS_FORMAT: &str = "cmcomply.observations/1";

/// What one machine saw of one plan. It judges nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observations {
    /// [`OBSERVATIONS_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// The `sha256` of the plan.
    pub plan_sha256: String,
    /// The host that the plan is for, as the plan says.
    pub plan_host: Option<HostName>,
    /// The machine that probed, as it names itself.
    pub vantage: Vantage,
    /// The account that probed, as the environment names it. Which proxy is used may depend on it.
    pub account: Option<String>,
    /// With what settings.
    pub settings: Seeing,
    /// Begin, in UTC.
    pub started: Timestamp,
    /// End, in UTC.
    pub finished: Timestamp,
    /// Whether every probe of the plan was gone through to its end. What was not observed is neither good nor bad.
    pub complete: bool,
    /// Why it is not complete.
    pub interrupted: Option<String>,
    /// What was seen: one for each probe, in the order of the plan.
    pub observations: Vec<Observation>,
}

/// The settings of the machine that can change what it sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seeing {
    /// `--dns-server`
    pub dns_server: Option<String>,
    /// `--connect-to`
    pub connect_to: Vec<String>,
    /// SHA-256 over the DER of each certificate of `--ca-file`.
    pub extra_roots: Vec<String>,
    /// The bounds that held: those of the plan, or smaller ones where this machine has fewer sockets.
    pub bounds: PlanBounds,
}

impl Seeing {
    /// The record of settings that were used.
    pub fn new(settings: &Settings) -> Self {
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let number = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let hash = |der: &Vec<u8>| hexadecimal(&Sha256::digest(der));
        Self {
            dns_server: settings.dns_server.map(|address| address.to_string()),
            connect_to: settings.connect_to.iter().map(ToString::to_string).collect(),
            extra_roots: settings.extra_roots.iter().map(hash).collect(),
            bounds: PlanBounds {
                stage_timeout_ms: millis(settings.deadlines.tcp),
                deadline_ms: settings.deadlines.total.map_or(u64::MAX, millis),
                probes_at_once: number(settings.bounds.probes),
                addresses: number(settings.bounds.addresses),
                retries: u8::try_from(settings.bounds.retries).unwrap_or(u8::MAX),
            },
        }
    }
}

impl Observations {
    /// The document of what was seen. `interrupted` says why the probing ended before its end, if it did.
    pub fn new(
        plan: &PlanDocument,
        vantage: Vantage,
        account: Option<String>,
        settings: Seeing,
        (started, finished): (Timestamp, Timestamp),
        interrupted: Option<&str>,
        observations: Vec<Observation>,
    ) -> Self {
        let missing = observations.len() < plan.probes.len() || observations.iter().any(Observation::was_cancelled);
        let interrupted = interrupted.or_else(|| missing.then_some("not every probe was gone through"));
        Self {
            format: OBSERVATIONS_FORMAT.to_owned(),
            tool: Tool::this(),
            plan_sha256: plan.sha256.clone(),
            plan_host: plan.host.clone(),
            vantage,
            account,
            settings,
            started,
            finished,
            complete: interrupted.is_none(),
            interrupted: interrupted.map(str::to_owned),
            observations,
        }
    }

    /// Writes the document, indented, with a line end.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}
