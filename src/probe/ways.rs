//! The way of each document: by the rules of whoever fetches it, which may differ from URL to URL.

use std::fmt;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use url::{Position, Url};

use crate::derive::Via;
use crate::host::{HostName, Scheme};
use crate::plan::Target;

/// Gives each URL its way, and the same in words.
#[derive(Clone)]
pub struct Ways(Arc<Rule>);

type Rule = dyn Fn(&Target) -> (Via, String) + Send + Sync;

impl Ways {
    /// By a rule, which may take its time (a script).
    pub fn new(rule: impl Fn(&Target) -> (Via, String) + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    /// The way to a URL over plain HTTP.
    pub(super) async fn to(&self, url: &Url) -> (Via, String) {
        let Ok(host) = HostName::parse(url.host_str().unwrap_or_default()) else {
            return (Via::Unknown, "the URL has no usable host".to_owned());
        };
        let target = Target {
            scheme: Scheme::Http,
            host,
            port: url.port_or_known_default().unwrap_or(80),
            path: url[Position::BeforePath..].to_owned(),
        };
        let rule = Arc::clone(&self.0);
        let way = spawn_blocking(move || rule(&target)).await;
        way.unwrap_or_else(|_| (Via::Unknown, "the rule broke on this URL".to_owned()))
    }
}

/// One way for all.
impl From<&Via> for Ways {
    fn from(via: &Via) -> Self {
        let via = via.clone();
        Self::new(move |_| (via.clone(), via.to_string()))
    }
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ways")
    }
}
