//! Where the facts come from: a site database or a snapshot of one, and what the operator states besides.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::sql::SqlArgs;
use super::{Stop, progress};
use crate::catalog::Context;
use crate::derive::StatedRoutes;
use crate::proxies::Bypass;
use crate::settings::Settings;
use crate::site::{self, Facts, Options, ReadError, Snapshot};

/// Where the facts come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Facts")]
pub(super) struct FactsArgs {
    #[command(flatten)]
    sql: SqlArgs,
    /// Read the facts from this snapshot (`cmcomply snapshot`) instead of a site database.
    #[arg(long, value_name = "FILE", conflicts_with = "sql", help_heading = "Site database")]
    snapshot: Option<PathBuf>,
    /// What the site database cannot say, as a file that `cmcomply init` begins (cmcomply.toml).
    #[arg(long, value_name = "FILE", help_heading = "Site database")]
    settings: Option<PathBuf>,
}

/// Everything that can be wrong with the arguments is found; the site database has not been asked yet.
pub(super) struct Prepared {
    origin: Origin,
    settings: Settings,
}

enum Origin {
    Database(Options),
    Snapshot(Box<Snapshot>),
}

impl FactsArgs {
    /// Reads the files, and asks for a password where one is needed.
    pub(super) fn prepare(&self) -> Result<Prepared, Stop> {
        let settings = match &self.settings {
            Some(path) => Settings::read(path).map_err(Stop::usage)?,
            None => Settings::default(),
        };
        let origin = match &self.snapshot {
            Some(path) => Origin::Snapshot(Box::new(Snapshot::read(path).map_err(Stop::usage)?)),
            None => Origin::Database(self.sql.options()?),
        };
        Ok(Prepared { origin, settings })
    }
}

impl Prepared {
    /// The routes that the settings file states.
    pub(super) fn routes(&self) -> &StatedRoutes {
        &self.settings.routes
    }

    /// The bypass lists that the settings file states.
    pub(super) fn bypasses(&self) -> &BTreeMap<Context, Bypass> {
        &self.settings.bypasses
    }

    /// When the facts were read, for a snapshot.
    pub(super) fn taken(&self) -> Option<Timestamp> {
        match &self.origin {
            Origin::Database(_) => None,
            Origin::Snapshot(snapshot) => Some(snapshot.taken),
        }
    }

    /// The facts, with what the operator states. An interruption leaves every fact of a database unknown.
    pub(super) async fn read(self, cancel: &CancellationToken) -> Result<Facts, Stop> {
        let facts = match self.origin {
            Origin::Database(options) => from_database(&options, cancel).await?,
            Origin::Snapshot(snapshot) => snapshot.facts,
        };
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
