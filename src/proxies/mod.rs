//! Which proxy a context uses for an endpoint, where that is more than one fixed route: bypass lists, the settings of
//! this machine, and proxy auto-configuration (PAC).

mod bypass;
mod environment;
#[cfg(feature = "pac")]
mod pac;
mod reroute;
mod windows;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

pub use bypass::Bypass;
#[cfg(feature = "pac")]
pub use pac::{Pac, fetch_script};
pub use reroute::reroute;
pub use windows::{ConnectionSettings, SettingsBlobError};

use crate::catalog::Context;
use crate::derive::{StatedRoutes, Via};
use crate::host::{HostOrAddress, Scheme};
use crate::plan::Target;

/// The rules by which a context chooses its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Who says so, in words.
    pub origin: String,
    /// The way.
    pub choice: Choice,
}

/// How the way is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// By the scheme, but for the endpoints that are bypassed.
    ByScheme {
        /// For plain HTTP.
        http: Via,
        /// For HTTPS.
        https: Via,
        /// What goes directly.
        bypass: Bypass,
    },
    /// By a script.
    #[cfg(feature = "pac")]
    Script(Pac),
    /// A setting is there that cannot be followed; why.
    Unknown(String),
}

impl Rules {
    /// One proxy, with what goes past it.
    pub fn fixed(origin: &str, via: Via, bypass: Bypass) -> Self {
        Self { origin: origin.to_owned(), choice: Choice::ByScheme { http: via.clone(), https: via, bypass } }
    }

    /// The settings of this machine for a context: of Windows there, of the environment elsewhere. Windows is asked
    /// within the limit.
    pub fn of_this_machine(context: Context, limit: Duration) -> Self {
        if cfg!(windows) {
            windows::read(context, Instant::now() + limit)
        } else {
            environment::read(|name| std::env::var(name).ok())
        }
    }

    /// How the system itself fetches, such as revocation lists: by its own rules, else by the route that was stated,
    /// else directly.
    pub fn of_system(rules: &BTreeMap<Context, Self>, stated: &StatedRoutes) -> Self {
        let context = Context::SystemWinhttp;
        let fixed = || match stated.get(&context) {
            Some(via) => Self::fixed("stated by the operator", via.clone(), Bypass::default()),
            None => Self::fixed("no proxy is stated", Via::Direct, Bypass::default()),
        };
        rules.get(&context).cloned().unwrap_or_else(fixed)
    }

    /// The way to a target, and the same in words.
    pub fn route(&self, target: &Target) -> (Via, String) {
        let origin = &self.origin;
        match &self.choice {
            Choice::ByScheme { bypass, .. } if bypass.matches(&target.host) => {
                (Via::Direct, format!("direct: {} is on the bypass list ({origin})", target.host))
            }
            Choice::ByScheme { http, https, .. } => {
                let via = if target.scheme == Scheme::Http { http } else { https };
                (via.clone(), format!("{via} ({origin})"))
            }
            #[cfg(feature = "pac")]
            Choice::Script(pac) => match pac.route(target) {
                Ok((via, answer)) => (via, format!("the script answered \"{answer}\" ({origin})")),
                Err(why) => (Via::Unknown, format!("the script gave no way: {why} ({origin})")),
            },
            Choice::Unknown(why) => (Via::Unknown, format!("{why} ({origin})")),
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = &self.origin;
        match &self.choice {
            Choice::ByScheme { http, https, bypass } if bypass.is_empty() && http == https => {
                write!(f, "{https} ({origin})")
            }
            Choice::ByScheme { http, https, bypass } => {
                write!(f, "http {http}, https {https}, past it: {bypass} ({origin})")
            }
            #[cfg(feature = "pac")]
            Choice::Script(_) => write!(f, "script ({origin})"),
            Choice::Unknown(why) => write!(f, "unknown: {why} ({origin})"),
        }
    }
}

/// `HOST:PORT`, with the port of HTTP proxies that name none.
fn proxy(text: &str, default_port: u16) -> Option<Via> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.contains(']') => {
            (host, port.parse().ok().filter(|port| *port > 0)?)
        }
        _ => (text, default_port),
    };
    Some(Via::Proxy { host: HostOrAddress::parse(host).ok()?, port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostName;

    #[test]
    fn what_is_bypassed_goes_directly_and_says_so() {
        let target = |host: &str| Target {
            scheme: Scheme::Https,
            host: HostName::parse(host).unwrap(),
            port: 443,
            path: "/".to_owned(),
        };
        let via = proxy("proxy.contoso.com:8080", 80).unwrap();
        let rules = Rules::fixed("--no-proxy", via.clone(), "*.contoso.com;<local>".parse().unwrap());
        assert_eq!(rules.route(&target("aka.ms")), (via, "proxy proxy.contoso.com:8080 (--no-proxy)".to_owned()));
        let (via, words) = rules.route(&target("cm01.contoso.com"));
        assert_eq!((via, words.as_str()), (Via::Direct, "direct: cm01.contoso.com is on the bypass list (--no-proxy)"));
    }

    #[test]
    fn a_proxy_may_name_no_port() {
        let shown = |text| proxy(text, 80).map(|via| via.to_string());
        assert_eq!(shown("proxy").as_deref(), Some("proxy proxy:80"));
        assert_eq!(shown("[2001:db8::1]:3128").as_deref(), Some("proxy [2001:db8::1]:3128"));
        assert_eq!(shown("[2001:db8::1]").as_deref(), Some("proxy [2001:db8::1]:80"));
        for bad in ["", ":80", "a b:80", "proxy:0", "proxy:x"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }
}
