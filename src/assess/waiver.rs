//! Waivers: failures that somebody answers for until a day. The file `waivers.toml`.

use std::io::Read as _;
use std::path::Path;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::derive::{Requirement, Subject};
use crate::glob::Glob;
use crate::settings::SettingsError;
use crate::text::{day, hexadecimal, printable};

/// A list of waivers is a page or two; nothing larger is read.
const MAX_OCTETS: u64 = 1 << 20;
/// An exception has a duration (NIST SP 800-53, SC-7(4)); the longest is a year and a month to renew it in.
const MAX_DAYS: i32 = 400;
/// The longest text of a field.
const MAX_TEXT: usize = 2000;

/// A file of waivers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waivers {
    /// The file's name.
    pub file: String,
    /// SHA-256 over the file, lower-case hexadecimal.
    pub sha256: String,
    /// The waivers, in the order of the file.
    pub waivers: Vec<Waiver>,
}

/// One waiver. It changes the verdict of a failure, never what was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Unique in the file, such as `W-0007`.
    pub id: String,
    /// The catalog entry: its id, or a pattern in which `*` stands for any text.
    pub requirement: Glob,
    /// The host: its name, or a pattern in which `*` stands for any text; `clients` and `consoles` for those.
    pub host: Glob,
    /// The endpoint as reports write it, where the entry has several: `https://name`, with the port if it is not the
    /// scheme's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Accepted, or met in another way.
    pub category: WaiverCategory,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Who approved it.
    pub approved_by: String,
    /// When it was approved; the waiver holds from that day on, in UTC.
    #[serde(deserialize_with = "date")]
    pub approved_on: Date,
    /// Where it is written down.
    pub ticket: String,
    /// The last day on which it holds, in UTC, at most 400 days after the approval.
    #[serde(deserialize_with = "date")]
    pub valid_through: Date,
}

/// What kind of exception a waiver is; the words are those of Azure Policy's exemptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverCategory {
    /// The failure is accepted for a time.
    Waiver,
    /// The need is met in another way.
    Mitigated,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    waiver: Vec<toml::Spanned<Waiver>>,
}

impl Waivers {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let file = path.display().to_string();
        let unreadable = |what: String| SettingsError { file: printable(&file, 500), line: None, what };
        let mut text = String::new();
        let opened = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
        opened.take(MAX_OCTETS + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        if text.len() as u64 > MAX_OCTETS {
            return Err(unreadable(format!("larger than {MAX_OCTETS} octets: that is no list of waivers")));
        }
        Self::parse(&file, &text)
    }

    /// Parses the text of the file of that name.
    pub fn parse(file: &str, text: &str) -> Result<Self, SettingsError> {
        let parsed: File = toml::from_str(text).map_err(|error| SettingsError::of_toml(file, text, &error))?;
        let mut waivers: Vec<Waiver> = Vec::new();
        for spanned in parsed.waiver {
            let start = spanned.span().start.min(text.len());
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            let waiver = spanned.into_inner();
            let wrong = waiver.fault().or_else(|| {
                let twice = waivers.iter().any(|other| other.id == waiver.id);
                twice.then(|| format!("a second waiver has the id {}", waiver.id))
            });
            if let Some(what) = wrong {
                return Err(SettingsError {
                    file: printable(file, 500),
                    line: Some(line),
                    what: printable(&what, 500),
                });
            }
            waivers.push(waiver);
        }
        Ok(Self { file: printable(file, 500), sha256: hexadecimal(&Sha256::digest(text)), waivers })
    }
}

impl Waiver {
    /// Whether it is for this requirement; `endpoint` is the requirement's in the words of reports.
    pub fn covers(&self, requirement: &Requirement, endpoint: &str) -> bool {
        let host = match &requirement.subject {
            Subject::Host { host, .. } => host.as_str(),
            Subject::Clients => "clients",
            Subject::Consoles => "consoles",
            // A waiver names who is excused; where nobody knows who that is, it covers nobody.
            Subject::UnknownHosts => return false,
        };
        self.requirement.matches(&requirement.entry.0)
            && self.host.matches(host)
            && self.endpoint.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(endpoint))
    }

    /// What makes it unusable.
    fn fault(&self) -> Option<String> {
        let texts = [
            ("id", self.id.as_str()),
            ("requirement", self.requirement.text()),
            ("host", self.host.text()),
            ("reason", &self.reason),
            ("owner", &self.owner),
            ("approved_by", &self.approved_by),
            ("ticket", &self.ticket),
        ];
        for (key, text) in texts {
            if text.trim().is_empty() {
                return Some(format!("{key} is empty"));
            }
            if text.chars().count() > MAX_TEXT || printable(text, MAX_TEXT) != *text {
                return Some(format!("{key} is longer than {MAX_TEXT} characters or has control characters"));
            }
        }
        if self.valid_through < self.approved_on {
            return Some(format!(
                "{} ends ({}) before it was approved ({})",
                self.id, self.valid_through, self.approved_on
            ));
        }
        let days = (self.valid_through - self.approved_on).get_days();
        (days > MAX_DAYS)
            .then(|| format!("{} holds for {days} days; at most {MAX_DAYS} days after the approval", self.id))
    }
}

/// A day, written as a TOML date or as a text. A time or an offset would make it another day in UTC.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(moment) => moment.to_string(),
        _ => String::new(),
    };
    day(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[waiver]]\nid = 'W-0007'\nrequirement = 'console-*'\nhost = 'cm01.contoso.com'\n\
        category = 'waiver'\nreason = 'the proxy is replaced in January'\nowner = 'network team'\n\
        approved_by = 'security officer'\napproved_on = 2026-11-01\nticket = 'CHG-1'\nvalid_through = '2027-01-31'\n";

    fn error(text: &str) -> String {
        Waivers::parse("waivers.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn dates_are_taken_as_dates_and_as_texts() {
        let waivers = Waivers::parse("waivers.toml", GOOD).unwrap();
        let waiver = &waivers.waivers[0];
        assert_eq!(
            (waiver.approved_on, waiver.valid_through),
            (Date::constant(2026, 11, 1), Date::constant(2027, 1, 31))
        );
        assert_eq!(waivers.sha256.len(), 64);
        assert_eq!(Waivers::parse("waivers.toml", "").unwrap().waivers, []);
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let missing = GOOD.replace("ticket = 'CHG-1'\n", "");
        assert!(
            error(&missing).starts_with("waivers.toml:1: ") && error(&missing).contains("ticket"),
            "{}",
            error(&missing)
        );
        let unknown = GOOD.replace("ticket", "tiket");
        assert!(error(&unknown).starts_with("waivers.toml:10: ") && error(&unknown).contains("tiket"));
        assert!(error(&format!("{GOOD}\n{GOOD}")).starts_with("waivers.toml:13: a second waiver has the id W-0007"));
        let no_day = |written: &str| error(&GOOD.replace("'2027-01-31'", written));
        for written in [
            "'31.1.2027'",
            "2027-01-31T23:00:00-08:00",
            "2027-01-31T23:00:00Z",
            "2027-01-31 23:00:00",
            "'2027-01-31T23:00'",
            "'20270131'",
            "' 2027-01-31'",
            "'+002027-01-31'",
            "23:00:00",
            "20270131",
        ] {
            let said = no_day(written);
            let wanted = "a day is expected, such as 2027-01-31, without a time";
            assert!(said.starts_with("waivers.toml:11: ") && said.contains(wanted), "{written}: {said}");
        }
        assert!(error(&GOOD.replace("'2027-01-31'", "2027-02-30")).starts_with("waivers.toml:"));
        assert!(error(&GOOD.replace("2027-01-31", "2026-10-31")).contains("before it was approved"));
        assert!(error(&GOOD.replace("2027-01-31", "2027-12-07")).contains("401 days"));
        assert!(error(&GOOD.replace("CHG-1", "")).contains("ticket is empty"));
        assert!(error(&GOOD.replace("'CHG-1'", "\"\\u001b[2J\"")).contains("control characters"));
        assert!(error("[waivers]\n").starts_with("waivers.toml:1: "));
    }
}
