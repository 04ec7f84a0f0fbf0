//! What a probe looks at besides the layers, because the catalog says that it matters there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalog::{CatalogRole, TlsRule};
use crate::derive::Requirement;
use crate::host::{HostName, Scheme};

/// What a probe looks at besides the layers. The requirements that it serves ask for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Asks {
    /// Whether the other end takes each of these cipher suites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsRule>,
    /// Where redirects lead, each hop probed too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redirects: bool,
    /// For a hop: not to a private address, since its parent is public.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public_only: bool,
    /// Whether a part of a file can be had (BITS and Delivery Optimization load so).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub byte_range: bool,
    /// Whether the document is what it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Whether the verbs and headers of clients pass on the way to a cloud management gateway.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gateway: bool,
    /// How many seconds an idle connection must stay open. It is held only where the operator wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u32>,
}

/// A document that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The `OpenID` configuration of a Microsoft Entra tenant.
    OpenidConfiguration,
}

impl Asks {
    /// Nothing is asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what one more requirement asks of a host.
    pub(super) fn add(&mut self, requirement: &Requirement, host: &HostName, path: &str) {
        self.redirects |= FORWARDERS.contains(&host.as_str());
        self.byte_range |= requirement.byte_ranges;
        self.gateway |= requirement.role == CatalogRole::Client && is_gateway(&requirement.entry.0);
        if requirement.scheme == Scheme::Https {
            self.tls = self.tls.take().or_else(|| requirement.tls.clone());
            self.idle_seconds = self.idle_seconds.max(requirement.idle_seconds);
        }
        if path.ends_with("/.well-known/openid-configuration") {
            self.content = Some(Content::OpenidConfiguration);
        }
    }
}

/// The entries whose endpoint is a cloud management gateway itself.
fn is_gateway(entry: &str) -> bool {
    matches!(entry, "client-cmg-service-name" | "client-cmg-deployment-name")
}

/// Microsoft's redirectors: they are worth nothing without what they lead to.
const FORWARDERS: [&str; 2] = ["aka.ms", "go.microsoft.com"];
