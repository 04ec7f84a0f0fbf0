//! A full read of a large site database over a slow line: what it takes beyond the pure latency of its round trips.
//!
//! `cargo bench --bench site`. The aim is at most one second over the latency for 30 sites and 5,000 site systems at
//! 50 ms; the lab's own work, which SQL Server would do faster, counts as ours.

use std::io::Write as _;
use std::time::{Duration, Instant};

use cmcomply::site::{Certificate, Network, Options, Secret, Server, SignIn, read};
use lab::site_database::{self, SiteDatabase, large_hierarchy};
use tokio_util::sync::CancellationToken;

const SITES: usize = 30;
const SITE_SYSTEMS: usize = 5_000;
const LATENCY: Duration = Duration::from_millis(50);
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variants = large_hierarchy(SITES, SITE_SYSTEMS);
    let lab =
        SiteDatabase::start(site_database::Options { latency: Some(LATENCY), variants, ..Default::default() }).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem")?;
    std::fs::write(ca.path(), lab.ca_pem())?;
    let mut out = std::io::stdout();
    writeln!(out, "{SITES} sites, {SITE_SYSTEMS} site systems, {} ms of latency", LATENCY.as_millis())?;
    for database in [Some("CM_CAS"), None] {
        let options = Options {
            server: Server::parse(&format!("127.0.0.1,{}", lab.address().port()))?,
            database: database.map(str::to_owned),
            sign_in: SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new("Contoso-reads-0nly") },
            certificate: Certificate::CaFile(ca.path().to_owned()),
            network: Network::default(),
            connect_timeout: Duration::from_mins(1),
            query_timeout: Duration::from_mins(5),
        };
        let mut taken = Vec::new();
        let mut round_trips = 0;
        for _ in 0..ROUNDS {
            let (before, begun) = (lab.round_trips().unwrap_or(0), Instant::now());
            let facts = read(&options, CancellationToken::new()).await?;
            taken.push(begun.elapsed());
            round_trips = lab.round_trips().unwrap_or(0) - before;
            anyhow::ensure!(facts.site_systems.rows().len() == SITE_SYSTEMS, "the lab was not read in full");
        }
        taken.sort();
        let latency = LATENCY * u32::try_from(round_trips)?;
        let over = |time: Duration| time.saturating_sub(latency).as_millis();
        writeln!(
            out,
            "database {:7} {round_trips:3} round trips = {} ms; a full read {} ms (median), {} ms over the latency \
             (fastest {} ms, slowest {} ms)",
            if database.is_some() { "named:" } else { "found:" },
            latency.as_millis(),
            taken[ROUNDS / 2].as_millis(),
            over(taken[ROUNDS / 2]),
            over(taken[0]),
            over(taken[ROUNDS - 1]),
        )?;
    }
    Ok(())
}
