//! Where the facts come from: site databases or snapshots of them, and what the operator states besides.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::sql::SqlArgs;
use super::{Stop, progress};
use crate::catalog::Context;
use crate::derive::StatedRoutes;
use crate::proxies::Bypass;
use crate::settings::{Settings, StatedProxyAccount};
use crate::site::{self, Facts, Options, ReadError, Snapshot};
use crate::vantage::VantageRule;

/// Where the facts come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Facts", group(ArgGroup::new("source").args(["sql", "snapshot"]).required(true).multiple(true)))]
pub(super) struct FactsArgs {
    #[command(flatten)]
    sql: SqlArgs,
    /// Read the facts from this snapshot (`cmcomply snapshot`) instead of a site database. Given several times, or
    /// besides --sql, the facts of all of them are put together; what they do not agree on is a finding.
    #[arg(long, value_name = "FILE", help_heading = "Site database")]
    snapshot: Vec<PathBuf>,
    /// What the site database cannot say, as a file that `cmcomply init` begins (cmcomply.toml).
    #[arg(long, value_name = "FILE", help_heading = "Site database")]
    settings: Option<PathBuf>,
}

/// Everything that can be wrong with the arguments is found; the site databases have not been asked yet.
pub(super) struct Prepared {
    databases: Vec<Options>,
    snapshots: Vec<Snapshot>,
    settings: Settings,
}

impl FactsArgs {
    /// Whether a password comes from standard input.
    pub(super) fn reads_standard_input(&self) -> bool {
        self.sql.reads_standard_input()
    }

    /// Reads the settings file, if one is given.
    pub(super) fn settings(&self) -> Result<Settings, Stop> {
        self.settings
            .as_deref()
            .map_or_else(|| Ok(Settings::default()), |path| Settings::read(path).map_err(Stop::usage))
    }

    /// Reads the files, and asks for a password where one is needed.
    pub(super) fn prepare(&self) -> Result<Prepared, Stop> {
        let settings = self.settings()?;
        let snapshots = self.snapshot.iter().map(|path| Snapshot::read(path).map_err(Stop::usage));
        let snapshots = snapshots.collect::<Result<Vec<_>, _>>()?;
        let redacted = snapshots.iter().filter(|snapshot| snapshot.redacted).count();
        if redacted > 0 && (redacted < snapshots.len() || self.sql.is_given()) {
            return Err(Stop::usage(anyhow::anyhow!(
                "a redacted snapshot cannot be put together with names that are not: its pseudonyms match nothing"
            )));
        }
        Ok(Prepared { databases: self.sql.options()?, snapshots, settings })
    }
}

impl Prepared {
    /// The routes that the settings file states.
    pub(super) fn routes(&self) -> &StatedRoutes {
        &self.settings.routes
    }

    /// The accounts for proxies that the settings file names.
    pub(super) fn proxy_accounts(&self) -> &[StatedProxyAccount] {
        &self.settings.proxy_accounts
    }

    /// The bypass lists that the settings file states.
    pub(super) fn bypasses(&self) -> &BTreeMap<Context, Bypass> {
        &self.settings.bypasses
    }

    /// From where hosts are looked at, as the settings file says.
    pub(super) fn vantages(&self) -> &[VantageRule] {
        &self.settings.vantages
    }

    /// When the oldest of the facts were read, where snapshots have some.
    pub(super) fn taken(&self) -> Option<Timestamp> {
        self.snapshots.iter().map(|snapshot| snapshot.taken).min()
    }

    /// Whether names are pseudonyms.
    pub(super) fn is_redacted(&self) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.redacted)
    }

    /// The facts of all sources as one, with what the operator states. An interruption leaves every fact of the
    /// databases unknown.
    pub(super) async fn read(self, cancel: &CancellationToken) -> Result<Facts, Stop> {
        let mut all: Vec<Facts> = self.snapshots.into_iter().map(|snapshot| snapshot.facts).collect();
        for options in &self.databases {
            all.push(from_database(options, cancel).await?);
        }
        let merged = site::merge(all).context("the facts could not be put together").map_err(Stop::usage)?;
        let facts = merged.ok_or_else(|| Stop::usage(anyhow::anyhow!("no site database: give --sql or --snapshot")))?;
        Ok(facts.state(&self.settings))
    }
}

async fn from_database(options: &Options, cancel: &CancellationToken) -> Result<Facts, Stop> {
    let wheel = progress::wheel("reading the site database");
    let read = site::read(options, cancel.clone()).await;
    wheel.finish_and_clear();
    match read {
        Ok(facts) => Ok(facts),
        Err(ReadError::Cancelled) => Ok(Facts::interrupted(options)),
        Err(error) => Err(Stop::site(anyhow::Error::new(error).context("the site database could not be read"))),
    }
}
