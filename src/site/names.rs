//! The names that a site database gives to sites and roles.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A three-character site code, upper case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct SiteCode(Arc<str>);

/// A text that is no site code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a site code (three letters or digits)")]
pub struct SiteCodeError;

impl SiteCode {
    /// Parses three letters or digits.
    pub fn parse(text: &str) -> Result<Self, SiteCodeError> {
        let text = text.trim();
        if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text.to_ascii_uppercase().into()))
        } else {
            Err(SiteCodeError)
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl TryFrom<String> for SiteCode {
    type Error = SiteCodeError;
    fn try_from(s: String) -> Result<Self, SiteCodeError> {
        Self::parse(&s)
    }
}

impl From<SiteCode> for String {
    fn from(code: SiteCode) -> Self {
        code.as_str().to_owned()
    }
}

/// A site system role, under the exact name that the site database uses (`vSMS_SC_SysResUse.RoleName`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Role {
    /// `SMS Site System`
    SiteSystem,
    /// `SMS Site Server`
    SiteServer,
    /// `SMS Provider`
    SmsProvider,
    /// `SMS Dmp Connector`
    ServiceConnectionPoint,
    /// `SMS Cloud Proxy Connector`
    CmgConnectionPoint,
    /// `SMS Software Update Point`
    SoftwareUpdatePoint,
    /// `SMS Management Point`
    ManagementPoint,
    /// `SMS Distribution Point`
    DistributionPoint,
    /// `AI Update Service Point`
    AssetIntelligenceSynchronizationPoint,
    /// Any other role; it is kept, and needs no endpoint of the catalog.
    Other(String),
}

impl Role {
    /// Each role that the catalog may name, with the database's name and ours.
    pub const NAMED: [(Role, &'static str, &'static str); 9] = [
        (Role::SiteSystem, "SMS Site System", "site system"),
        (Role::SiteServer, "SMS Site Server", "site server"),
        (Role::SmsProvider, "SMS Provider", "SMS Provider"),
        (Role::ServiceConnectionPoint, "SMS Dmp Connector", "service connection point"),
        (Role::CmgConnectionPoint, "SMS Cloud Proxy Connector", "CMG connection point"),
        (Role::SoftwareUpdatePoint, "SMS Software Update Point", "software update point"),
        (Role::ManagementPoint, "SMS Management Point", "management point"),
        (Role::DistributionPoint, "SMS Distribution Point", "distribution point"),
        (
            Role::AssetIntelligenceSynchronizationPoint,
            "AI Update Service Point",
            "asset intelligence synchronization point",
        ),
    ];

    /// The role that the database calls so, compared without case.
    pub fn from_database(name: &str) -> Self {
        Self::NAMED
            .iter()
            .find(|(_, db, _)| db.eq_ignore_ascii_case(name.trim()))
            .map_or_else(|| Self::Other(name.trim().to_owned()), |(role, _, _)| role.clone())
    }

    /// The name in the site database.
    pub fn database_name(&self) -> &str {
        match self {
            Self::Other(name) => name,
            named => Self::NAMED.iter().find(|(role, _, _)| role == named).map_or("", |(_, db, _)| db),
        }
    }

    /// The name in the product's documentation.
    pub fn title(&self) -> &str {
        match self {
            Self::Other(name) => name,
            named => Self::NAMED.iter().find(|(role, _, _)| role == named).map_or("", |(_, _, title)| title),
        }
    }
}

impl From<String> for Role {
    fn from(name: String) -> Self {
        Self::from_database(&name)
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.database_name().to_owned()
    }
}
