//! Properties: one row each, a number or a text under a name, gathered by server or by site.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::facts::PropertyValue;
use super::super::value::Row;
use super::cells::{Cells, Findings};
use crate::host::{HostError, HostName, HostOrAddress};
use crate::text;

/// Properties of roles whose texts are names of hosts, or addresses.
const NAMES: [&str; 2] = ["ProxyName", "Server Remote Public Name"];

/// The properties of one server or site. A name with two different values has none.
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// By name in lower case: the name as it was written first, and the value, none if two rows contradict each other.
    values: BTreeMap<String, (String, Option<PropertyValue>)>,
}

/// Where properties are from, for findings about them.
pub(super) struct Origin<'a> {
    pub(super) object: &'a str,
    /// What tells the owner from others, such as `site=PS1 server=cm01`.
    pub(super) owner: String,
    pub(super) findings: &'a mut Findings,
}

impl Properties {
    /// Adds the property of a row, without what may be a secret in its text; a row without a name has none.
    pub(super) fn add(&mut self, cells: &mut Cells<'_>) {
        let Some(name) = cells.name("property_name") else { return };
        let text = cells.raw_text("text2").or_else(|| cells.raw_text("text1"));
        let value = PropertyValue {
            number: cells.number("number"),
            text: text.map(|text| text::printable(&text::without_secrets(&text), 255)),
        };
        match self.values.entry(name.to_ascii_lowercase()) {
            Entry::Vacant(place) => drop(place.insert((name, Some(value)))),
            Entry::Occupied(mut place) => {
                if place.get().1.as_ref().is_some_and(|known| *known != value) {
                    cells.report("property_name", "two different values for one property");
                    place.get_mut().1 = None;
                }
            }
        }
    }

    /// All of them. Texts that should be names and are none are left out: nobody knows what they hold.
    pub(super) fn into_values(self) -> BTreeMap<String, PropertyValue> {
        let agreed = self.values.into_values().filter_map(|(name, value)| Some((name, value?)));
        let kept = |(name, mut value): (String, PropertyValue)| {
            if NAMES.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                value.text = value.text.take().filter(|text| HostOrAddress::parse(text).is_ok());
            }
            (name, value)
        };
        agreed.map(kept).collect()
    }

    /// Whether rows contradict each other about this one.
    pub(super) fn is_contradicted(&self, name: &str) -> bool {
        self.values.get(&name.to_ascii_lowercase()).is_some_and(|(_, value)| value.is_none())
    }

    /// A property, by its name without regard to case.
    pub(super) fn get(&self, name: &str) -> Option<&PropertyValue> {
        self.values.get(&name.to_ascii_lowercase())?.1.as_ref()
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str, origin: &mut Origin<'_>) -> Option<bool> {
        match self.get(name)?.number {
            Some(0) => Some(false),
            Some(1) => Some(true),
            number => {
                origin.report(name, "neither 0 nor 1", number);
                None
            }
        }
    }

    /// A TCP port.
    pub(super) fn port(&self, name: &str, origin: &mut Origin<'_>) -> Option<u16> {
        let number = self.get(name)?.number;
        let port = number.and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
        if port.is_none() {
            origin.report(name, "not a TCP port", number);
        }
        port
    }

    /// A host name; an empty text is none.
    pub(super) fn host(&self, name: &str, origin: &mut Origin<'_>) -> Option<HostName> {
        self.parsed(name, origin, "not a host name", HostName::parse)
    }

    /// A host name or an address; anything else is a finding.
    pub(super) fn host_or_address(&self, name: &str, origin: &mut Origin<'_>) -> Option<HostOrAddress> {
        self.parsed(name, origin, "neither a host name nor an address", HostOrAddress::parse)
    }

    fn parsed<T>(
        &self,
        name: &str,
        origin: &mut Origin<'_>,
        problem: &str,
        parse: impl Fn(&str) -> Result<T, HostError>,
    ) -> Option<T> {
        let text = self.get(name)?.text.as_deref()?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let problem = format!("{problem}: {error}");
                origin.findings.add(origin.object, name, &origin.owner, &problem, text);
                None
            }
        }
    }
}

impl Origin<'_> {
    /// Reports a property's number.
    pub(super) fn report(&mut self, name: &str, problem: &str, number: Option<i64>) {
        let value = number.map_or_else(|| "NULL".to_owned(), |number| number.to_string());
        self.findings.add(self.object, name, &self.owner, problem, &value);
    }
}

/// Gathers the properties of each owner that `key` names; rows without one have been reported by it.
pub(super) fn gather<K: Ord>(
    rows: &[Row],
    object: &str,
    findings: &mut Findings,
    key: impl Fn(&mut Cells<'_>) -> Option<K>,
) -> BTreeMap<K, Properties> {
    let mut owners: BTreeMap<K, Properties> = BTreeMap::new();
    for row in rows {
        let mut cells = Cells { object, row, findings };
        if let Some(key) = key(&mut cells) {
            owners.entry(key).or_default().add(&mut cells);
        }
    }
    owners
}
