//! What was collected from clients, as a file.

use std::io::Read as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::CarriedError;
use super::run_script::Clients;
use crate::plan::PlanDocument;
use crate::text;

/// What the clients of a hierarchy said, as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientsFile {
    /// The file, for people.
    pub path: String,
    /// What it holds.
    pub clients: Clients,
}

/// What a document says it is.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
}

impl ClientsFile {
    /// Reads a file; `None` if it is another document. One that was collected more than `max_age` before `now` is refused.
    pub fn read(path: &Path, now: Timestamp, max_age: SignedDuration) -> Result<Option<Self>, CarriedError> {
        let name = text::path(path);
        let unreadable = |source| CarriedError::Unreadable { path: name.clone(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_OCTETS).read_to_end(&mut bytes).map_err(unreadable)?;
        // Also of one that was cut: the beginning says what it is.
        let head = serde_json::Deserializer::from_slice(&bytes).into_iter::<Head>().next();
        let is_head = |text: &str| text.trim_start().starts_with('{') && text.contains("\"cmcomply.clients/");
        let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
        let ours = match head {
            Some(Ok(head)) => head.format.starts_with("cmcomply.clients/"),
            _ => is_head(&beginning),
        };
        if !ours {
            return Ok(None);
        }
        let unfit = |what: String| CarriedError::Unfit { path: name.clone(), what };
        let clients = Clients::parse(&name, &bytes)?;
        let age = now.duration_since(clients.collected);
        if age < -AHEAD {
            return Err(unfit(format!("it was collected at {}, which is in the future here", clients.collected)));
        }
        if age > max_age {
            let hours = max_age.as_hours();
            return Err(unfit(format!("it is of {}, and older than {hours} hours (--max-age)", clients.collected)));
        }
        Ok(Some(Self { path: name, clients }))
    }

    /// Whether it is of what clients are to look at now.
    pub fn fits(&self, plan: &PlanDocument) -> Result<(), CarriedError> {
        if self.clients.is_of(plan) {
            return Ok(());
        }
        let what = "it is of another plan than clients have now: the site, the catalog or the options changed since; write \
                    the script again (`cmcomply run-script new`)";
        Err(CarriedError::Unfit { path: self.path.clone(), what: what.to_owned() })
    }
}

/// The most that is read of a clients document.
const MAX_OCTETS: u64 = 256 << 20;
/// How far a clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);
