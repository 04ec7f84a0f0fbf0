//! The arguments that say how to probe.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, value_parser};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use super::console::note;
use super::{Stop, secret};
use crate::catalog::Context;
use crate::derive::{StatedRoutes, Via, database_knows};
use crate::host::HostOrAddress;
use crate::plan::PlanBounds;
use crate::probe::{Bounds, Checks, ConnectTo, Deadlines, ProxyAccount, ProxyAccounts, Settings, raise_open_files};
use crate::proxies::{Bypass, Rules};
use crate::settings::{StatedProxyAccount, stated_via};

/// By which routes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Probing")]
pub(super) struct RouteArgs {
    /// The proxy of a context that the site database does not know: client-system, console-user, system-winhttp or
    /// system-wininet. ROUTE is `direct`, HOST:PORT, `system` (the settings of this machine: WinHTTP or WinINET on
    /// Windows, environment variables elsewhere), or `pac:FILE` or `pac:http://...` for a script. May be given several
    /// times.
    #[arg(long, value_name = "CONTEXT=ROUTE", value_parser = stated_proxy)]
    proxy: Vec<(Context, Way)>,
    /// What goes past the proxy of a context, as Windows writes it: `*.contoso.com;<local>`. May be given several times.
    #[arg(long, value_name = "CONTEXT=LIST", value_parser = stated_bypass)]
    no_proxy: Vec<(Context, Bypass)>,
}

/// How to probe.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Probing")]
pub(super) struct ProbeArgs {
    /// The account of a proxy that asks for one (NTLM, or Basic in clear where NTLM leads to nothing), such as
    /// proxy.contoso.com:8080=CONTOSO\svc-cm. Its password comes from the file, standard input, `CMCOMPLY_PROXY_PASSWORD`, or a prompt. May be given several times.
    #[arg(long, value_name = "HOST:PORT=USER", value_parser = proxy_user)]
    proxy_user: Vec<((HostOrAddress, u16), String)>,
    /// Read the password of --proxy-user from the first line of a file.
    #[arg(long, value_name = "FILE", requires = "proxy_user", conflicts_with = "proxy_password_stdin")]
    proxy_password_file: Option<PathBuf>,
    /// Read the password of --proxy-user from the first line of standard input.
    #[arg(long, requires = "proxy_user")]
    pub(super) proxy_password_stdin: bool,
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
    /// for so long, and no longer than SECONDS. Held for less than documented, it is not observed.
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
    #[arg(long, value_name = "NUMBER", default_value = "1024", value_parser = value_parser!(u16).range(1..=4096))]
    concurrency: u16,
    /// Tries after one that failed by an answer (a refusal, a reset, SERVFAIL, 502); silence is not tried again.
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = value_parser!(u8).range(0..=5))]
    pub(super) retries: u8,
}

impl ProbeArgs {
    /// The bounds as a plan carries them.
    pub(super) fn plan_bounds(&self) -> PlanBounds {
        let bounds = PlanBounds::within(self.stage_timeout, self.deadline);
        PlanBounds { probes_at_once: self.concurrency, retries: self.retries, ..bounds }
    }

    /// The settings of the probe. Reads the CA files.
    pub(super) fn settings(&self) -> Result<Settings, Stop> {
        self.settings_within(self.plan_bounds())
    }

    /// The settings of the probe within the bounds of a plan. Reads the CA files.
    pub(super) fn settings_within(&self, plan: PlanBounds) -> Result<Settings, Stop> {
        let read = |option, paths: &[PathBuf]| -> Result<Vec<Vec<u8>>, Stop> {
            let mut roots = Vec::new();
            for path in paths {
                roots.extend(certificates(option, path).map_err(Stop::usage)?);
            }
            Ok(roots)
        };
        let extra_roots = read("--ca-file", &self.ca_file)?;
        let public_roots = read("--public-ca-file", &self.public_ca_file)?;
        let wanted = Bounds {
            probes: plan.probes_at_once.into(),
            addresses: plan.addresses.into(),
            retries: plan.retries.into(),
            ..Bounds::default()
        };
        let files = raise_open_files();
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
            proxy_accounts: ProxyAccounts::new(),
            extra_roots,
            deadlines: Deadlines {
                total: Some(Duration::from_millis(plan.deadline_ms)),
                ..Deadlines::all(Duration::from_millis(plan.stage_timeout_ms))
            },
            bounds,
            checks: Checks {
                public_roots,
                public_elsewhere: Vec::new(),
                public_thumbprints: Vec::new(),
                idle: self.idle_test.map(Duration::from_secs),
            },
        })
    }

    /// The accounts for proxies: those of the settings file, and of the command line, which counts more. May ask for a
    /// password, so it comes after everything that can be wrong.
    pub(super) fn proxy_accounts(&self, stated: &[StatedProxyAccount]) -> Result<ProxyAccounts, Stop> {
        let (file, stdin) = (self.proxy_password_file.as_deref(), self.proxy_password_stdin);
        let mut shared = None;
        let mut accounts = ProxyAccounts::new();
        for (proxy, user) in &self.proxy_user {
            let password = match &shared {
                Some(password) => Clone::clone(password),
                None => secret::proxy_password(user, &format!("{}:{}", proxy.0, proxy.1), file, stdin)
                    .map_err(Stop::usage)?,
            };
            // Standard input is read once, and has one password for all.
            if stdin {
                shared = Some(password.clone());
            }
            let account = ProxyAccount { user: user.clone(), password };
            if accounts.insert(proxy.clone(), account).is_some() {
                let name = format!("--proxy-user {}:{} is given twice", proxy.0, proxy.1);
                return Err(Stop::usage(anyhow::anyhow!(name)));
            }
        }
        for StatedProxyAccount { proxy, account, password } in stated {
            if !accounts.contains_key(proxy) {
                let whose = format!("the account of proxy {}:{}", proxy.0, proxy.1);
                let password = secret::stated(password).context(whose).map_err(Stop::usage)?;
                accounts.insert(proxy.clone(), ProxyAccount { user: account.clone(), password });
            }
        }
        Ok(accounts)
    }
}

impl RouteArgs {
    /// The routes that the operator states. The same context twice is an error.
    pub(super) fn stated_routes(&self) -> Result<StatedRoutes, Stop> {
        let mut routes = StatedRoutes::new();
        for (context, way) in &self.proxy {
            let Way::Fixed(via) = way else { continue };
            if routes.insert(*context, via.clone()).is_some_and(|other| other != *via) {
                let name = context.name();
                return Err(Stop::usage(anyhow::anyhow!("--proxy {name} is given twice, with different routes")));
            }
        }
        Ok(routes)
    }

    /// The rules of the contexts whose way is no fixed one, given the fixed routes of the others and the bypass lists of
    /// the settings file. May fetch scripts, each under the deadline of a stage.
    pub(super) async fn rules(
        &self,
        routes: &StatedRoutes,
        bypasses: &BTreeMap<Context, Bypass>,
        limit: Duration,
    ) -> Result<BTreeMap<Context, Rules>, Stop> {
        let mut bypasses = bypasses.clone();
        bypasses.extend(self.no_proxy.iter().cloned());
        let mut rules = BTreeMap::new();
        for (context, bypass) in bypasses {
            let Some(via) = routes.get(&context) else {
                let fixed = format!("a bypass list for {0} needs --proxy {0}=HOST:PORT", context.name());
                return Err(Stop::usage(anyhow::anyhow!(fixed)));
            };
            rules.insert(context, Rules::fixed("stated by the operator", via.clone(), bypass));
        }
        for (context, way) in &self.proxy {
            let found = match way {
                Way::Fixed(_) => continue,
                Way::System => Rules::of_this_machine(*context, limit),
                Way::Script(place) => script(place, limit).await.map_err(Stop::usage)?,
            };
            if rules.insert(*context, found).is_some() || routes.contains_key(context) {
                let name = context.name();
                return Err(Stop::usage(anyhow::anyhow!("--proxy {name} is given twice, with different routes")));
            }
        }
        Ok(rules)
    }
}

/// How the operator says that a context finds its way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Fixed(Via),
    System,
    Script(String),
}

/// Reads or fetches a script.
#[cfg(feature = "pac")]
async fn script(place: &str, limit: Duration) -> anyhow::Result<Rules> {
    use crate::proxies::{Choice, Pac, fetch_script};
    let shown = crate::text::printable(&crate::text::without_secrets(place), 200);
    let text = if place.starts_with("http://") {
        fetch_script(place, limit).await.map_err(anyhow::Error::msg)
    } else {
        std::fs::read_to_string(place).map_err(Into::into)
    };
    let pac = text.and_then(|text| Pac::new(&text).map_err(anyhow::Error::msg));
    let pac = pac.with_context(|| format!("--proxy ...=pac:{shown} cannot be used"))?;
    Ok(Rules { origin: format!("script {shown}"), choice: Choice::Script(pac) })
}

#[cfg(not(feature = "pac"))]
#[expect(clippy::unused_async, reason = "the same as where scripts are fetched")]
async fn script(_: &str, _: Duration) -> anyhow::Result<Rules> {
    anyhow::bail!("this cmcomply was built without `pac`, so it runs no scripts: state the route as HOST:PORT")
}

/// The certificates of a PEM or DER file.
pub(super) fn certificates(option: &str, path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
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

/// `HOST:PORT=USER`. A colon in the user would be the password's beginning in Basic (RFC 7617), so it is refused.
fn proxy_user(text: &str) -> Result<((HostOrAddress, u16), String), String> {
    let (proxy, user) = text.split_once('=').ok_or("expected HOST:PORT=USER")?;
    let Via::Proxy { host, port } = stated_via(proxy)? else {
        return Err("expected HOST:PORT=USER".to_owned());
    };
    if user.is_empty() || user.chars().any(char::is_control) {
        return Err("the user is empty or has control characters".to_owned());
    }
    if user.contains(':') {
        return Err("the user has a colon: a password is never an argument, it is asked for".to_owned());
    }
    Ok(((host, port), user.to_owned()))
}

/// `CONTEXT=direct`, `CONTEXT=HOST:PORT`, `CONTEXT=system` or `CONTEXT=pac:PLACE`.
fn stated_proxy(text: &str) -> Result<(Context, Way), String> {
    let (context, route) = stated_for(text, "expected CONTEXT=direct, HOST:PORT, system or pac:FILE")?;
    let way = match route.strip_prefix("pac:") {
        Some("") => return Err("expected CONTEXT=pac:FILE or CONTEXT=pac:http://...".to_owned()),
        Some(place) if place.starts_with("https://") => {
            return Err("scripts are fetched over plain HTTP only: give a file".to_owned());
        }
        Some(place) => {
            if place.starts_with("http://") {
                bare(place)?;
            }
            Way::Script(place.to_owned())
        }
        None if route == "system" => Way::System,
        None => Way::Fixed(stated_via(route)?),
    };
    Ok((context, way))
}

/// The place of a script is printed and kept, so nothing that may be a secret is taken in it.
fn bare(place: &str) -> Result<(), String> {
    let url = Url::parse(place).map_err(|error| error.to_string())?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("no account, query (?) or fragment (#) may stand in the place of a script: it is printed and kept"
            .to_owned());
    }
    Ok(())
}

/// `CONTEXT=*.contoso.com;<local>`.
fn stated_bypass(text: &str) -> Result<(Context, Bypass), String> {
    let (context, list) = stated_for(text, "expected CONTEXT=LIST")?;
    Ok((context, list.parse()?))
}

/// What stands after a context that the site database does not know.
fn stated_for<'a>(text: &'a str, expected: &str) -> Result<(Context, &'a str), String> {
    const FREE: [Context; 4] =
        [Context::ClientSystem, Context::ConsoleUser, Context::SystemWinhttp, Context::SystemWininet];
    let known = || FREE.map(Context::name).join(", ");
    let (context, route) = text.split_once('=').ok_or(expected)?;
    let named: Context = serde_json::from_value(serde_json::Value::String(context.to_owned()))
        .map_err(|_| format!("unknown context `{context}`; known: {}", known()))?;
    if database_knows(named) {
        return Err(format!("the site database says which proxy `{context}` uses; what can be stated: {}", known()));
    }
    if !FREE.contains(&named) {
        return Err(format!("`{context}` uses no proxy; what can be stated: {}", known()));
    }
    Ok((named, route))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_for_one_proxy_and_has_no_password_in_it() {
        let ((host, port), user) = proxy_user(r"proxy.contoso.com:8080=CONTOSO\svc-cm").unwrap();
        assert_eq!((host.to_string().as_str(), port, user.as_str()), ("proxy.contoso.com", 8080, r"CONTOSO\svc-cm"));
        for bad in ["svc-cm", "direct=svc-cm", "proxy:8080=", "proxy:8080=svc:hunter2", "proxy=svc"] {
            let error = proxy_user(bad).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[cfg(feature = "pac")]
    #[tokio::test]
    async fn where_a_script_is_from_is_told_without_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("svc:hunter2@p.pac");
        std::fs::write(&file, "function FindProxyForURL(url, host) { return 'DIRECT'; }").unwrap();
        let rules = script(file.to_str().unwrap(), Duration::from_secs(5)).await.unwrap();
        assert_eq!(rules.origin, "script ***@p.pac");
    }

    #[test]
    fn only_what_the_database_does_not_know_can_be_stated() {
        assert_eq!(stated_proxy("client-system=direct"), Ok((Context::ClientSystem, Way::Fixed(Via::Direct))));
        let fixed = stated_proxy("console-user=proxy.contoso.com:8080");
        assert!(matches!(fixed, Ok((_, Way::Fixed(Via::Proxy { port: 8080, .. })))));
        assert_eq!(stated_proxy("console-user=system"), Ok((Context::ConsoleUser, Way::System)));
        let script = Way::Script("http://wpad.contoso.com/p.pac".to_owned());
        assert_eq!(
            stated_proxy("system-winhttp=pac:http://wpad.contoso.com/p.pac"),
            Ok((Context::SystemWinhttp, script))
        );
        assert!(stated_proxy("client-system=pac:").is_err());
        assert!(stated_proxy("client-system=pac:https://a/p.pac").unwrap_err().contains("plain HTTP only"));
        for secret in ["http://svc:hunter2@wpad/p.pac", "http://wpad/p.pac?sig=hunter2", "http://wpad/p.pac#hunter2"] {
            let error = stated_proxy(&format!("client-system=pac:{secret}")).unwrap_err();
            assert!(error.contains("printed and kept") && !error.contains("hunter2"), "{error}");
        }
        assert!(stated_bypass("site-system-proxy=*").unwrap_err().contains("site database says"));
        assert!(stated_bypass("client-system=*.contoso.com;<local>").is_ok());
        assert!(stated_proxy("site-system-proxy=direct").unwrap_err().contains("site database says"));
        assert!(stated_proxy("intranet=direct").is_err());
        assert!(stated_proxy("nothing=direct").unwrap_err().contains("client-system"));
        assert!(stated_proxy("client-system=proxy:0").is_err());
        assert!(stated_proxy("client-system").is_err());
    }
}
