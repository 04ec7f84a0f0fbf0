//! `cmcomply report --quarter`: the quarterly compliance report over a store.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::Stop;
use super::keep::DEFAULT_STORE;
use crate::evidence::store::{Check, PublicKey, RunName, Store};
use crate::report::Format;
use crate::report::quarter::{Damage, History, Kept, Quarter, QuarterReport};

/// Of which quarter, and of which store.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Quarterly report")]
pub(super) struct QuarterArgs {
    /// The compliance report of a quarter, such as 2026Q4, from the runs of a store. Formats: table (plain text), html,
    /// xlsx.
    #[arg(long, value_name = "QUARTER", conflicts_with = "run")]
    pub(super) quarter: Option<Quarter>,
    /// The store.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_STORE, conflicts_with = "run")]
    store: PathBuf,
    /// The site whose runs are meant, where the store holds runs of several hierarchies.
    #[arg(long, value_name = "CODE", requires = "quarter")]
    site: Option<String>,
    /// The public key of minisign with which every run must be signed: a file, or the key itself.
    #[arg(long, value_name = "KEY", requires = "quarter")]
    public_key: Option<String>,
}

/// The report in a format.
pub(super) fn render(args: &QuarterArgs, quarter: Quarter, format: Format) -> Result<Vec<u8>, Stop> {
    if !matches!(format, Format::Table | Format::Html | Format::Xlsx) {
        let text = format!("a quarterly report is written as table, html or xlsx, not as {format}");
        return Err(Stop::usage(anyhow::anyhow!(text)));
    }
    let key =
        args.public_key.as_deref().map(PublicKey::read).transpose().context("--public-key").map_err(Stop::usage)?;
    let store = Store::new(&args.store);
    let check = Check { key: key.as_ref(), hashes_only: true, ..Check::default() };
    let mut verification = store.verify(&check).map_err(Stop::usage)?;
    let (mut runs, mut damaged) = (Vec::new(), Vec::new());
    // Those that were verified: another may have been written meanwhile.
    let names: Vec<RunName> = verification.runs.iter().map(|verified| verified.run.clone()).collect();
    for name in names {
        match store.record(&name) {
            Ok(run) => runs.push(Kept { name, run }),
            Err(error) => {
                verification.add_unreadable(&name, &error);
                damaged.push(Damage { name, why: error.to_string() });
            }
        }
    }
    let history = History::new(quarter, args.site.as_deref(), runs, damaged, verification).map_err(Stop::usage)?;
    let report = QuarterReport::new(&history, Timestamp::now());
    match format {
        Format::Html => Ok(report.html()),
        Format::Xlsx => report.xlsx().context("the report cannot be made").map_err(Stop::usage),
        _ => Ok(report.text().into_bytes()),
    }
}
