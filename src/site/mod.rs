//! Facts: what a Configuration Manager site database says of its hierarchy.
//!
//! The schema of a site database is not a published contract. So every object is optional, names are discovered
//! first, and "cannot tell" is an answer of its own.
//!
//! [`read()`] is the one entry point. What it sends is in `queries/`, one file per fact, and nothing else.

mod above;
mod browser;
mod connect;
mod database;
mod error;
mod fact;
mod facts;
mod further;
mod grants;
mod interrupted;
mod matches;
mod merge;
mod names;
mod options;
mod query;
mod read;
mod readers;
mod redact;
mod refusal;
mod retry;
mod schema;
mod scripts;
mod server;
mod session;
mod snapshot;
mod statements;
mod value;

pub use above::Above;
pub use error::{ConnectError, ReadError};
pub use fact::{Fact, Source, UnknownWhy};
pub use facts::{
    AssetIntelligencePoint, AzureEnvironment, AzureService, ClientCounts, ClientOption, ClientSetting, ClientsOfSystem,
    CloudDistributionPoint, Cmg, CmgConnectionPoint, CmgKind, CoManagedClients, Connection, Console, DataFinding,
    DatabaseServer, DistributionPoint, DownloadPlace, EntraApp, FACTS_DAYS, Facts, Feature, InstalledRole,
    InternetName, Microsoft365Clients, OnlineClients, PropertyValue, ProxySetting, ServiceConnectionPoint, Site,
    SiteKind, SiteSystem, SiteSystemProxy, SoftwareUpdatePoint, SqlCertificate, SqlSignIn, StoreForBusiness,
    Subscription, SubscriptionKind, SyncFrom, SyncSource, Tenant, ThirdPartyCatalog, UpdatePackage, UpdatePackageState,
};
pub use grants::{Login, LoginError, ROLE, grant_script};
pub use merge::merge;
pub use names::{Role, SiteCode, SiteCodeError};
pub use options::{Certificate, Encryption, Network, Options, Secret, SignIn};
pub use read::read;
#[cfg(test)]
pub(crate) use readers::any::nothing_known;
pub use redact::redact;
pub(crate) use redact::{Pseudonyms, is_guid, is_microsoft};
pub use scripts::{ScriptId, ScriptOutput, ScriptResult, ScriptSource, read_script};
pub use server::{Server, ServerError};
pub use snapshot::{SNAPSHOT_FORMAT, Snapshot, SnapshotError};
pub use statements::{ColumnUse, ObjectUse, Place, Query, Way, queries};
