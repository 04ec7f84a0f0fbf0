//! The real audit against the built-in Contoso lab: a site database over real TDS with TLS, and a pretend internet with
//! blocked, refused, reset, inspected and unresolvable endpoints. Nothing to install, no rights needed, loopback only.
//!
//! `cargo run --release --example contoso` reads, derives, probes, prints the table and keeps the run in `cmcomply-runs`; the exit
//! code is the audit's: 1, since the lab is not compliant.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use lab::internet::{Internet, Spec};
use lab::site_database::{Options, SiteDatabase};

/// The lab has no hosts to look from, so this machine is stated to stand in for all of them.
const STANDS_IN: &str = "[[vantages]]\nhosts = ['*', 'clients', 'consoles']\nkind = 'here'\nsame_subnet = true\n";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let database = SiteDatabase::start(Options::default()).await;
    let internet = Internet::start(Spec::contoso()).await;
    let folder = tempfile::tempdir()?;
    let file = |name: &str, text: &str| -> Result<String, Box<dyn Error>> {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path.to_str().ok_or("the folder for temporary files has no Unicode name")?.to_owned())
    };

    let mut arguments = vec![
        "cmcomply".to_owned(),
        "audit".to_owned(),
        format!("--sql=localhost,{}", database.address().port()),
        format!("--sql-ca-file={}", file("site-database-ca.pem", database.ca_pem())?),
        format!("--sql-user={}", Options::default().user),
        format!("--sql-password-file={}", file("password", &Options::default().password)?),
        format!("--settings={}", file("cmcomply.toml", STANDS_IN)?),
        format!("--dns-server={}", internet.dns()),
        format!("--public-ca-file={}", file("internet-ca.pem", &internet.ca_pem())?),
    ];
    arguments.extend(internet.connect_to().iter().map(|rule| format!("--connect-to={rule}")));
    // What follows `--` goes to the audit too, such as `--width 160`.
    arguments.extend(std::env::args().skip(1));

    writeln!(std::io::stdout(), "{}\n", arguments.join(" "))?;
    Ok(ExitCode::from(cmcomply::cli::run(arguments).await))
}
