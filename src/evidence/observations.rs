//! The observations document: what one machine saw of one plan.

use std::collections::HashSet;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Tool;
use super::document::left_out;
use crate::host::HostName;
use crate::plan::{PlanBounds, PlanDocument, ProbeId};
use crate::probe::{Observation, Settings};
use crate::text::{canonical_sha256_with, decoded, hexadecimal, printable};
use crate::vantage::{HostFacts, Vantage, harmless};

/// The format of [`Observations`]; a change that old readers would misread makes it a new one.
pub const OBSERVATIONS_FORMAT: &str = "cmcomply.observations/1";

/// What one machine saw of one plan. It judges nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observations {
    /// [`OBSERVATIONS_FORMAT`].
    pub format: String,
    /// What made this.
    pub tool: Tool,
    /// The `sha256` of the plan.
    pub plan_sha256: String,
    /// The host that the plan is for, as the plan says.
    pub plan_host: Option<HostName>,
    /// The bounds of the plan, where those that held are others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_bounds: Option<PlanBounds>,
    /// The machine that probed, as it names itself.
    pub vantage: Vantage,
    /// The account that probed, as the environment names it. Which proxy is used may depend on it.
    pub account: Option<String>,
    /// With what settings.
    pub settings: Seeing,
    /// Begin, in UTC.
    pub started: Timestamp,
    /// End, in UTC.
    pub finished: Timestamp,
    /// Whether every probe of the plan was gone through to its end. What was not observed is neither good nor bad.
    pub complete: bool,
    /// Why it is not complete.
    pub interrupted: Option<String>,
    /// What was seen: one for each probe, in the order of the plan.
    pub observations: Vec<Observation>,
    /// Facts of the host that decide what its services can do, where they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostFacts>,
    /// SHA-256, in lower-case hexadecimal, over the canonical form of the document without this field, as of a plan. It
    /// shows damage; it is no signature.
    pub sha256: String,
}

/// The most that is read of an observations document.
pub const MAX_OBSERVATIONS_OCTETS: u64 = 256 << 20;

/// Why something is no observations document that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ObservationsError {
    /// Larger than any.
    #[error("{path} is larger than 256 MB: that is no observations document")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// Of another version, or something else.
    #[error("{path} is of format {format}; this version reads {OBSERVATIONS_FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// What it says it is.
        format: String,
    },
    /// No JSON, cut, or a field is missing, unknown or of a wrong type or value.
    #[error("{path} is no observations document, or was cut: {what}")]
    Invalid {
        /// The file.
        path: String,
        /// Where and what.
        what: String,
    },
    /// Damaged or edited.
    #[error("{path} was changed after it was made: its hash is {given}, and of what it says {computed}")]
    Hash {
        /// The file.
        path: String,
        /// What the document says.
        given: String,
        /// What its content comes to.
        computed: String,
    },
}

/// The settings of the machine that can change what it sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seeing {
    /// `--dns-server`
    pub dns_server: Option<String>,
    /// `--connect-to`
    pub connect_to: Vec<String>,
    /// SHA-256 over the DER of each certificate of `--ca-file`.
    pub extra_roots: Vec<String>,
    /// The bounds that held: those of the plan, or smaller ones where this machine has fewer sockets. Of the script's
    /// observations always those of the plan, of which it has no more than 64 probes under way.
    pub bounds: PlanBounds,
}

impl Seeing {
    /// The record of settings that were used.
    pub fn new(settings: &Settings) -> Self {
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let number = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let hash = |der: &Vec<u8>| hexadecimal(&Sha256::digest(der));
        Self {
            dns_server: settings.dns_server.map(|address| address.to_string()),
            connect_to: settings.connect_to.iter().map(ToString::to_string).collect(),
            extra_roots: settings.extra_roots.iter().map(hash).collect(),
            bounds: PlanBounds {
                stage_timeout_ms: millis(settings.deadlines.tcp),
                deadline_ms: settings.deadlines.total.map_or(u64::MAX, millis),
                probes_at_once: number(settings.bounds.probes),
                addresses: number(settings.bounds.addresses),
                retries: u8::try_from(settings.bounds.retries).unwrap_or(u8::MAX),
            },
        }
    }
}

impl Seeing {
    /// With texts that are safe to print, and of bounded number.
    pub(crate) fn harmless(self) -> Self {
        let texts = |texts: Vec<String>| texts.iter().take(200).map(|text| printable(text, 300)).collect();
        Self {
            dns_server: self.dns_server.map(|server| printable(&server, 80)),
            connect_to: texts(self.connect_to),
            extra_roots: texts(self.extra_roots),
            bounds: self.bounds,
        }
    }

    /// The options that let a machine see something else than it would by itself.
    pub(crate) fn options(&self) -> Vec<&'static str> {
        [
            ("--connect-to", !self.connect_to.is_empty()),
            ("--dns-server", self.dns_server.is_some()),
            ("--ca-file", !self.extra_roots.is_empty()),
        ]
        .into_iter()
        .filter_map(|(option, given)| given.then_some(option))
        .collect()
    }
}

impl Observations {
    /// The document of what was seen. `interrupted` says why the probing ended before its end, if it did.
    pub fn new(
        plan: &PlanDocument,
        vantage: Vantage,
        account: Option<String>,
        settings: Seeing,
        (started, finished): (Timestamp, Timestamp),
        interrupted: Option<&str>,
        observations: Vec<Observation>,
    ) -> Self {
        let missing = observations.len() < plan.probes.len() || observations.iter().any(Observation::was_cancelled);
        let interrupted = interrupted.or_else(|| missing.then_some("not every probe was gone through"));
        let (bounds, plan) = (plan.bounds, (plan.sha256.clone(), plan.host.clone()));
        let interrupted = interrupted.map(str::to_owned);
        let mut document =
            Self::of_host(plan, vantage, account, settings, (started, finished), interrupted, observations, None);
        if bounds != document.settings.bounds {
            document.plan_bounds = Some(bounds);
            document.sha256 = document.hash();
        }
        document
    }

    /// The same with facts of the host, for a plan of which only the hash and the host are known.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the document")]
    pub fn of_host(
        (plan_sha256, plan_host): (String, Option<HostName>),
        vantage: Vantage,
        account: Option<String>,
        settings: Seeing,
        (started, finished): (Timestamp, Timestamp),
        interrupted: Option<String>,
        observations: Vec<Observation>,
        host: Option<HostFacts>,
    ) -> Self {
        let cut = observations.iter().any(Observation::was_cancelled);
        let interrupted = interrupted.or_else(|| cut.then(|| "not every probe was gone through".to_owned()));
        let mut document = Self {
            format: OBSERVATIONS_FORMAT.to_owned(),
            tool: Tool::this(),
            plan_sha256,
            plan_host,
            plan_bounds: None,
            vantage,
            account,
            settings,
            started,
            finished,
            complete: interrupted.is_none(),
            interrupted,
            observations,
            host,
            sha256: String::new(),
        };
        document.sha256 = document.hash();
        document
    }

    /// Parses a document and checks all of it; `path` is for the errors. It may be in UTF-8 or UTF-16, with or without a
    /// byte order mark, and lines of a shell may stand before it.
    pub fn parse(path: &str, bytes: &[u8]) -> Result<Self, ObservationsError> {
        let path = || path.to_owned();
        let invalid = |what: &str| ObservationsError::Invalid { path: path(), what: printable(what, 400) };
        if bytes.len() as u64 > MAX_OBSERVATIONS_OCTETS {
            return Err(ObservationsError::TooLarge { path: path() });
        }
        let (text, whole) = decoded(bytes);
        if !whole {
            return Err(invalid("it is no text in UTF-8 or UTF-16"));
        }
        let start = text.find("{\n").or_else(|| text.find('{')).ok_or_else(|| invalid("it holds nothing"))?;
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        let given = match values.next() {
            Some(Ok(given)) => given,
            Some(Err(error)) => return Err(invalid(&error.to_string())),
            None => return Err(invalid("it holds nothing")),
        };
        let format = given.get("format").and_then(Value::as_str).unwrap_or("no known kind");
        if format != OBSERVATIONS_FORMAT {
            return Err(ObservationsError::Format { path: path(), format: printable(format, 80) });
        }
        let mut document = Self::deserialize(&given).map_err(|error| invalid(&error.to_string()))?;
        let understood = serde_json::to_value(&document).map_err(|error| invalid(&error.to_string()))?;
        if let Some(key) = left_out(&given, &understood) {
            return Err(invalid(&format!("this version does not know `{}`", key.trim_start_matches('.'))));
        }
        let computed = document.hash();
        if document.sha256 != computed {
            return Err(ObservationsError::Hash { path: path(), given: printable(&document.sha256, 64), computed });
        }
        Ok(Self { host: document.host.map(harmless), ..document })
    }

    /// What in it does not fit the plan that it says to be of.
    pub fn fits(&self, plan: &PlanDocument) -> Result<(), String> {
        if self.plan_sha256 != plan.sha256 {
            return Err("it is an answer to another plan, or to this one in another run".to_owned());
        }
        self.fits_probes(plan)
    }

    /// What in it does not fit what a plan probes, whatever its hash.
    pub(crate) fn fits_probes(&self, plan: &PlanDocument) -> Result<(), String> {
        let planned: HashSet<&ProbeId> = plan.probes.iter().map(|probe| &probe.id).collect();
        let hops = self.observations.iter().filter(|seen| seen.redirected_from.is_some()).map(|seen| &seen.probe);
        let known: HashSet<&ProbeId> = planned.iter().copied().chain(hops).collect();
        let mut seen = HashSet::new();
        for observation in &self.observations {
            let id = printable(&observation.probe.0, 200);
            if !seen.insert(&observation.probe) {
                return Err(format!("it holds {id} twice"));
            }
            match &observation.redirected_from {
                None if !planned.contains(&observation.probe) => {
                    return Err(format!("it holds {id}, which nobody asked for"));
                }
                Some(parent) if !known.contains(parent) || planned.contains(&observation.probe) => {
                    return Err(format!("it holds {id}, a hop that nothing leads to"));
                }
                _ => {}
            }
        }
        if self.started > self.finished {
            return Err("it ends before it begins".to_owned());
        }
        Ok(())
    }

    fn hash(&mut self) -> String {
        let observations = std::mem::take(&mut self.observations);
        let rest = serde_json::to_value(&*self).expect("strings, numbers and lists of them become JSON");
        self.observations = observations;
        canonical_sha256_with(rest, "observations", &self.observations)
    }

    /// Writes the document, indented, with a line end.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Probe, Target};
    use crate::vantage::HostFact;

    fn plan() -> PlanDocument {
        let target = Target {
            scheme: crate::host::Scheme::Https,
            host: HostName::parse("a.contoso.com").unwrap(),
            port: 443,
            path: "/".to_owned(),
        };
        let probe = Probe {
            id: ProbeId("p".to_owned()),
            target,
            via: crate::derive::Via::Direct,
            contexts: std::collections::BTreeSet::new(),
            requirements: Vec::new(),
            asks: crate::plan::Asks::default(),
        };
        let bounds =
            PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
        PlanDocument::new(HostName::parse("CM01").ok(), bounds, vec![probe])
    }

    fn document(plan: &PlanDocument) -> Observations {
        let seen = Observation::not_tried(ProbeId("p".to_owned()), Timestamp::UNIX_EPOCH);
        let seeing = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds: plan.bounds };
        let span = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        Observations::new(plan, Vantage::local("cm01"), Some("caf\u{e9}".to_owned()), seeing, span, None, vec![seen])
    }

    fn written(document: &Observations) -> Vec<u8> {
        let mut bytes = Vec::new();
        document.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_was_written_is_read_in_every_encoding_of_windows_and_behind_a_banner() {
        let document = document(&plan());
        let bytes = written(&document);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let marked = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        for bytes in [
            bytes.clone(),
            marked(b"\xef\xbb\xbf", bytes.clone()),
            marked(b"\xff\xfe", wide(u16::to_le_bytes)),
            marked(b"\xfe\xff", wide(u16::to_be_bytes)),
            wide(u16::to_le_bytes),
            marked(b"Welcome to {cm01}!\n", bytes),
        ] {
            assert_eq!(Observations::parse("seen.json", &bytes).unwrap(), document);
        }
    }

    #[test]
    fn what_was_cut_changed_or_is_something_else_is_told_apart() {
        let said = |bytes: &[u8]| Observations::parse("seen.json", bytes).unwrap_err().to_string();
        let bytes = written(&document(&plan()));
        let text = String::from_utf8(bytes.clone()).unwrap();
        for cut in [0, 1, 100, bytes.len() / 2, bytes.len() - 3] {
            assert!(said(&bytes[..cut]).contains("no observations document, or was cut"), "{cut}");
        }
        assert!(said(text.replace("caf\u{e9}", "tea").as_bytes()).contains("was changed after it was made"));
        assert!(said(text.replace("observations/1", "observations/9").as_bytes()).contains("observations/9"));
        assert!(said(b"{}").contains("of format no known kind") && said(b"\xff\xfe\x00").contains("no text"));
        let more = text.replacen("{\n", "{\n  \"extra\": 1,\n", 1);
        assert!(said(more.as_bytes()).contains("does not know `extra`"));
        assert!(said(text.replace("cmcomply.observations/1", "\u{202e}").as_bytes()).contains("\\u{202e}"));
    }

    #[test]
    fn facts_of_the_host_are_made_harmless_and_bounded() {
        let mut document = document(&plan());
        let known = |values: Vec<String>| HostFact::Known { values };
        let facts = (0..600).map(|number| (format!("a{number:03}"), HostFact::Absent));
        let mut facts: HostFacts = facts.collect();
        facts.insert("a".to_owned(), known(vec!["\u{1b}[2J".to_owned(); 300]));
        facts.insert("0\u{202e}".to_owned(), known(vec!["x".repeat(10_000)]));
        document.host = Some(facts);
        document.sha256 = document.hash();
        let read = Observations::parse("seen.json", &written(&document)).unwrap().host.unwrap();
        assert_eq!(read.len(), 500);
        assert_eq!(read["a"], known(vec!["\\u{1b}[2J".to_owned(); 200]));
        assert!(read["0\\u{202e}"].value().is_some_and(|text| text.len() < 2100));
    }

    #[test]
    fn the_bounds_of_the_plan_are_kept_where_others_held() {
        let plan = plan();
        assert_eq!(document(&plan).plan_bounds, None, "the same bounds held");
        let fewer = PlanBounds { probes_at_once: 10, ..plan.bounds };
        let seeing = Seeing { dns_server: None, connect_to: Vec::new(), extra_roots: Vec::new(), bounds: fewer };
        let span = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        let told = Observations::new(&plan, Vantage::local("cm01"), None, seeing, span, None, Vec::new());
        assert_eq!((told.plan_bounds, told.settings.bounds), (Some(plan.bounds), fewer));
        assert_eq!(Observations::parse("seen.json", &written(&told)).unwrap(), told);
    }

    #[test]
    fn an_answer_fits_its_own_plan_alone() {
        let plan = plan();
        let fits = |change: &dyn Fn(&mut Observations)| {
            let mut document = document(&plan);
            change(&mut document);
            document.fits(&plan)
        };
        let says = |what: &str, change: &dyn Fn(&mut Observations)| assert!(fits(change).unwrap_err().contains(what));
        fits(&|_| {}).unwrap();
        says("another plan", &|d| d.plan_sha256 = "0".repeat(64));
        says("nobody asked for", &|d| d.observations[0].probe = ProbeId("q".to_owned()));
        says("twice", &|d| d.observations.push(d.observations[0].clone()));
        says("nothing leads to", &|d| d.observations[0].redirected_from = Some(ProbeId("q".to_owned())));
        says("ends before it begins", &|d| d.finished = "1969-12-31T00:00:00Z".parse().unwrap());
    }
}
