//! What is looked at besides the layers, where the plan asks for it: cipher suites, parts of files, known documents, the
//! verbs of a cloud management gateway, idle connections.
//!
//! Each look opens a connection of its own, on the route and to the address of the probe, one after the other.

pub(super) mod content;
pub(super) mod gateway;
mod idle;
mod line;
pub(super) mod range;
mod suites;

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use content::ContentLook;
pub(crate) use gateway::VERBS as GATEWAY_VERBS;
pub use gateway::VerbLook;
pub use idle::{Idle, IdleLook};
pub use range::{Range, RangeLook};
pub use suites::{SuiteAnswer, SuiteLook};

pub(super) use line::Line;

use super::{FailureCode, Observation, Outcome};
use crate::plan::Content;

/// What the plan asked for besides the layers, and what was seen. What could not be looked at, because a layer below
/// failed, is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Further {
    /// One for each cipher suite that is documented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<SuiteLook>,
    /// A part of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte_range: Option<RangeLook>,
    /// A known document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentLook>,
    /// The verbs of clients of a cloud management gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateway: Vec<VerbLook>,
    /// An idle connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleLook>,
}

impl Further {
    /// Nothing was looked at.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Looks at everything that is asked for and that the layers below allow. What is done stands in `further`, also where
/// the rest is cut off.
pub(super) async fn look(line: &Line<'_>, seen: &Observation, further: &mut Further) {
    let asks = &line.probe.asks;
    let refused = seen.tls.failure.as_ref().is_some_and(|failure| failure.code == FailureCode::TlsAlert);
    if let Some(rule) = asks.tls.as_ref().filter(|_| seen.tls.outcome == Outcome::Ok || refused) {
        suites::look(line, rule, &mut further.suites).await;
    }
    if seen.http.outcome != Outcome::Ok {
        return;
    }
    if asks.byte_range {
        further.byte_range = Some(range::look(line).await);
    }
    if asks.content == Some(Content::OpenidConfiguration) {
        further.content = Some(content::look(line).await);
    }
    if asks.gateway {
        gateway::look(line, &mut further.gateway).await;
    }
    if let (Some(seconds), Some(longest)) = (asks.idle_seconds, line.settings.checks.idle) {
        further.idle = Some(idle::look(line, seconds, longest).await);
    }
}

/// Where the probe got through.
pub(super) fn open_address(seen: &Observation) -> Option<SocketAddr> {
    seen.tcp.evidence.as_ref()?.used
}
