//! The lab's site database on its own: a pretend SQL Server with the Contoso replica, over real TDS with TLS on loopback.
//!
//! `cargo run --example site_database` prints how to reach it, and serves until standard input ends (Ctrl-D). Other
//! programs can talk to it, and so can the opt-in suite:
//!
//! ```sh
//! CMCOMPLY_TEST_SQL=localhost,PORT CMCOMPLY_TEST_SQL_USER=cmcomply CMCOMPLY_TEST_SQL_PASSWORD=Contoso-reads-0nly \
//!     CMCOMPLY_TEST_SQL_CA_FILE=FILE cargo test --test opt_in_sql
//! ```

use std::error::Error;
use std::io::{Read, Write};

use lab::site_database::{Options, SiteDatabase};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::default();
    let database = SiteDatabase::start(options.clone()).await;
    let folder = tempfile::tempdir()?;
    let ca_file = folder.path().join("site-database-ca.pem");
    std::fs::write(&ca_file, database.ca_pem())?;
    let mut out = std::io::stdout();
    writeln!(out, "CMCOMPLY_TEST_SQL=localhost,{}", database.address().port())?;
    writeln!(out, "CMCOMPLY_TEST_SQL_DATABASE={}", options.database)?;
    writeln!(out, "CMCOMPLY_TEST_SQL_USER={}", options.user)?;
    writeln!(out, "CMCOMPLY_TEST_SQL_PASSWORD={}", options.password)?;
    writeln!(out, "CMCOMPLY_TEST_SQL_CA_FILE={}", ca_file.display())?;
    out.flush()?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
