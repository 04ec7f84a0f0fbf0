//! The arguments that say how to probe.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, value_parser};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::Stop;
use super::console::note;
use crate::catalog::Context;
use crate::derive::{StatedRoutes, Via, database_knows};
use crate::probe::{Bounds, Checks, ConnectTo, Deadlines, Settings, open_files};
use crate::settings::stated_via;

/// How to probe.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Probing")]
pub(super) struct ProbeArgs {
    /// Let this machine stand in for every host: what it reaches counts as reached. The run keeps saying so.
    #[arg(long)]
    pub(super) from_here: bool,
    /// The proxy of a context that the site database does not know: client-system, console-user, system-winhttp or
    /// system-wininet. ROUTE is `direct` or HOST:PORT. May be given several times.
    #[arg(long, value_name = "CONTEXT=ROUTE", value_parser = stated_proxy)]
    proxy: Vec<(Context, Via)>,
    /// Ask this DNS server instead of the system's resolver.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) dns_server: Option<SocketAddr>,
    /// Trust these certificate authorities (PEM or DER) besides this machine's roots. May be given several times.
    #[arg(long, value_name = "FILE")]
    ca_file: Vec<PathBuf>,
    /// Count these certificate authorities (PEM or DER) among the public ones, and trust them: what they issue is not
    /// taken for TLS inspection. For roots that are newer than this program. May be given several times.
    #[arg(long, value_name = "FILE")]
    public_ca_file: Vec<PathBuf>,
    /// Hold an idle connection where the documentation says how long one must stay open (3 minutes for tenant attach),
    /// for so long, and no longer than SECONDS.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "240",
          value_parser = value_parser!(u64).range(1..=3600))]
    idle_test: Option<u64>,
    /// Connect elsewhere, as curl does: HOST:PORT:CONNECT-HOST:CONNECT-PORT, each part may be empty; the first rule
    /// that fits counts. May be given several times.
    #[arg(long, value_name = "RULE")]
    pub(super) connect_to: Vec<ConnectTo>,
    /// Seconds for each stage of a probe (DNS, TCP, proxy, TLS, certificate, HTTP).
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = value_parser!(u64).range(1..=300))]
    stage_timeout: u64,
    /// Seconds for all probes together; what is not done by then is not observed.
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// Probes under way at once.
    #[arg(long, value_name = "NUMBER", default_value = "512", value_parser = value_parser!(u16).range(1..=4096))]
    concurrency: u16,
}

impl ProbeArgs {
    /// The limit of each stage.
    pub(super) fn stage_timeout(&self) -> Duration {
        Duration::from_secs(self.stage_timeout)
    }

    /// The limit of all probes together.
    pub(super) fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline)
    }

    /// The settings of the probe. Reads the CA files.
    pub(super) fn settings(&self) -> Result<Settings, Stop> {
        let read = |option, paths: &[PathBuf]| -> Result<Vec<Vec<u8>>, Stop> {
            let mut roots = Vec::new();
            for path in paths {
                roots.extend(certificates(option, path).map_err(Stop::usage)?);
            }
            Ok(roots)
        };
        let extra_roots = read("--ca-file", &self.ca_file)?;
        let public_roots = read("--public-ca-file", &self.public_ca_file)?;
        let wanted = Bounds { probes: usize::from(self.concurrency), ..Bounds::default() };
        let files = open_files();
        let bounds = wanted.within(files);
        if let (true, Some(files)) = (bounds != wanted, files) {
            note(&format!(
                "this process may open {files} files, so {} probes run at once and not {}; raise the limit (ulimit -n) \
                 for more",
                bounds.probes, wanted.probes
            ));
        }
        Ok(Settings {
            dns_server: self.dns_server,
            connect_to: self.connect_to.clone(),
            extra_roots,
            deadlines: Deadlines { total: Some(self.deadline()), ..Deadlines::all(self.stage_timeout()) },
            bounds,
            checks: Checks {
                public_roots,
                public_thumbprints: Vec::new(),
                idle: self.idle_test.map(Duration::from_secs),
            },
        })
    }

    /// The routes that the operator states. The same context twice is an error.
    pub(super) fn stated_routes(&self) -> Result<StatedRoutes, Stop> {
        let mut routes = StatedRoutes::new();
        for (context, via) in &self.proxy {
            if routes.insert(*context, via.clone()).is_some_and(|other| other != *via) {
                let name = context.name();
                return Err(Stop::usage(anyhow::anyhow!("--proxy {name} is given twice, with different routes")));
            }
        }
        Ok(routes)
    }
}

/// The certificates of a PEM or DER file.
fn certificates(option: &str, path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    const LIMIT: u64 = 4 << 20;
    let file = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {option} {file}"))?.len();
    anyhow::ensure!(size <= LIMIT, "{option} {file} is larger than 4 MB: that is no list of certificate authorities");
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {option} {file}"))?;
    if bytes.first() == Some(&0x30) {
        x509_parser::parse_x509_certificate(&bytes)
            .map_err(|error| anyhow::anyhow!("{option} {file} is no certificate: {error}"))?;
        return Ok(vec![bytes]);
    }
    let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(&bytes)
        .map(|certificate| certificate.map(|c| c.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| anyhow::anyhow!("{option} {file} is neither PEM nor DER: {error}"))?;
    anyhow::ensure!(!certificates.is_empty(), "{option} {file} holds no certificate (PEM or DER)");
    Ok(certificates)
}

/// `CONTEXT=direct` or `CONTEXT=HOST:PORT`.
fn stated_proxy(text: &str) -> Result<(Context, Via), String> {
    const FREE: [Context; 4] =
        [Context::ClientSystem, Context::ConsoleUser, Context::SystemWinhttp, Context::SystemWininet];
    let known = || FREE.map(Context::name).join(", ");
    let (context, route) = text.split_once('=').ok_or("expected CONTEXT=direct or CONTEXT=HOST:PORT")?;
    let named: Context = serde_json::from_value(serde_json::Value::String(context.to_owned()))
        .map_err(|_| format!("unknown context `{context}`; known: {}", known()))?;
    if database_knows(named) {
        return Err(format!("the site database says which proxy `{context}` uses; what can be stated: {}", known()));
    }
    if !FREE.contains(&named) {
        return Err(format!("`{context}` uses no proxy; what can be stated: {}", known()));
    }
    stated_via(route).map(|via| (named, via))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_database_does_not_know_can_be_stated() {
        assert_eq!(stated_proxy("client-system=direct"), Ok((Context::ClientSystem, Via::Direct)));
        assert!(matches!(stated_proxy("console-user=proxy.contoso.com:8080"), Ok((_, Via::Proxy { port: 8080, .. }))));
        assert!(stated_proxy("site-system-proxy=direct").unwrap_err().contains("site database says"));
        assert!(stated_proxy("intranet=direct").is_err());
        assert!(stated_proxy("nothing=direct").unwrap_err().contains("client-system"));
        assert!(stated_proxy("client-system=proxy:0").is_err());
        assert!(stated_proxy("client-system").is_err());
    }
}
