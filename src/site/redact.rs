//! Redaction: facts with stable keyed pseudonyms in the place of names, so that a snapshot can be shared.
//!
//! Everything that is text is replaced unless its field is known to hold words of the product, so that a new fact
//! leaks nothing by being forgotten here. Equal texts get equal pseudonyms under the same key, host names label by
//! label, so that who is who, and which requirement applies to whom, stay as they were.

mod address;
mod known;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::{Facts, SiteCode, Snapshot};
use crate::host::{HostName, HostOrAddress};

pub(crate) use self::known::is_microsoft;

/// Fields whose texts are words of closed sets of this program's, or moments: their types let nothing else in.
const PLAIN: [&str; 12] = [
    "state",
    "why",
    "kind",
    "use",
    "option",
    "certificate",
    "sign_in",
    "secret_expires",
    "released",
    "last_seen",
    "last_sync",
    "scheme",
];

/// Fields that hold a site code.
const SITE_CODES: [&str; 4] = ["site", "code", "parent", "this_site"];

/// The snapshot under pseudonyms. The same key gives the same pseudonyms; without it nobody can undo them.
pub fn redact(snapshot: &Snapshot, key: &[u8; 32]) -> Result<Snapshot, serde_json::Error> {
    let facts = Pseudonyms::new(key).facts(&snapshot.facts)?;
    Ok(Snapshot { redacted: true, facts, ..snapshot.clone() })
}

/// Pseudonyms under one key, and what they were given for.
pub(crate) struct Pseudonyms<'a> {
    key: &'a [u8; 32],
    given: HashMap<(&'static str, String), String>,
    used: HashSet<(&'static str, String)>,
    /// Texts that were replaced whole, with what stands in their place.
    replaced: HashMap<String, String>,
    addresses: HashMap<IpAddr, IpAddr>,
    used_addresses: HashSet<IpAddr>,
}

impl<'a> Pseudonyms<'a> {
    pub(crate) fn new(key: &'a [u8; 32]) -> Self {
        Self {
            key,
            given: HashMap::new(),
            used: HashSet::new(),
            replaced: HashMap::new(),
            addresses: HashMap::new(),
            used_addresses: HashSet::new(),
        }
    }

    /// The facts under pseudonyms.
    pub(crate) fn facts(&mut self, facts: &Facts) -> Result<Facts, serde_json::Error> {
        let mut facts = serde_json::to_value(facts)?;
        self.walk(&mut facts, &mut Vec::new());
        serde_json::from_value(facts)
    }

    /// Every text, label and site code that got a pseudonym, with it.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let parts = self.given.iter().map(|((_, text), pseudonym)| (text.as_str(), pseudonym.as_str()));
        parts.chain(self.replaced.iter().map(|(text, pseudonym)| (text.as_str(), pseudonym.as_str())))
    }

    fn walk(&mut self, value: &mut Value, path: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if path.first().is_some_and(|fact| fact == "azure_environments") && path.len() == 2 {
                    self.columns(fields);
                }
                for (name, value) in fields {
                    // `value` is where a known fact keeps what was seen: it has no meaning of its own.
                    let named = name != "value" || value.is_string();
                    let named = named && !(name == "value" && path.len() == 1);
                    if named {
                        path.push(name.clone());
                    }
                    self.walk(value, path);
                    if named {
                        path.pop();
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, path)),
            Value::String(text) => {
                let pseudonym = self.text(text, path);
                if pseudonym != *text {
                    self.replaced.insert(std::mem::replace(text, pseudonym.clone()), pseudonym);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Columns that no statement names are the keys of hosts, and may have any name.
    fn columns(&mut self, fields: &mut Map<String, Value>) {
        for (name, value) in std::mem::take(fields) {
            let known = known::is_column(&name);
            let column = if known { name.clone() } else { self.hidden(&name) };
            if !known {
                self.replaced.insert(name, column.clone());
            }
            fields.insert(column, value);
        }
    }

    fn text(&mut self, text: &str, path: &[String]) -> String {
        let field = path.last().map_or("", String::as_str);
        let fact = path.first().map_or("", String::as_str);
        if PLAIN.contains(&field) || is_of_product(fact, field, text) {
            return text.to_owned();
        }
        match (fact, field) {
            // A problem may name databases and what they say, and so may why something may lack.
            (_, "detail" | "row" | "problem" | "may_lack") | ("data_findings", "value") => {
                return "redacted".to_owned();
            }
            (_, "version" | "server_version" | "build") => return self.hidden(text),
            (_, "object") => return self.objects(text),
            (_, "databases") => return "redacted".to_owned(),
            ("connection" | "other_connections", "server") => return self.server(text),
            _ => {}
        }
        if SITE_CODES.contains(&field) && SiteCode::parse(text).is_ok() {
            return self.site(text);
        }
        if let Some(code) = text.strip_prefix("CM_").filter(|code| SiteCode::parse(code).is_ok()) {
            return format!("CM_{}", self.site(code));
        }
        if is_guid(text) {
            return self.guid(text);
        }
        match HostOrAddress::parse(text) {
            Ok(HostOrAddress::Name(name)) if is_host_field(field) || name.as_str().contains('.') => self.host(&name),
            Ok(HostOrAddress::Address(address)) => self.address_as(text, address),
            _ => self.hidden(text),
        }
    }

    /// A text of which nothing is left.
    pub(crate) fn hidden(&self, text: &str) -> String {
        format!("text-{}", &self.digest("text", text, 0)[..10])
    }

    /// A site code.
    pub(crate) fn site(&mut self, code: &str) -> String {
        self.shaped("site code", &code.to_ascii_uppercase())
    }

    /// Objects that no statement names are found by their columns, and may have any name; a file has a path.
    fn objects(&self, text: &str) -> String {
        let one = |object: &str| match object.rsplit_once(": ") {
            Some((_, key)) if known::is_column(key) => format!("cmcomply.toml: {key}"),
            None if known::is_object(object) || object == "assumed" => object.to_owned(),
            None if is_settings_file(object) => "cmcomply.toml".to_owned(),
            _ => format!("dbo.{}", self.hidden(object).replace('-', "_")),
        };
        text.split(", ").map(one).collect::<Vec<_>>().join(", ")
    }

    /// `HOST,PORT` and `HOST\INSTANCE` keep what is no name.
    fn server(&mut self, text: &str) -> String {
        let end = text.find([',', '\\']).unwrap_or(text.len());
        let (host, rest) = text.split_at(end);
        let host = match HostOrAddress::parse(host) {
            Ok(HostOrAddress::Name(name)) => self.host(&name),
            Ok(HostOrAddress::Address(address)) => self.address_as(host, address),
            Err(_) => self.hidden(host),
        };
        match rest.strip_prefix('\\') {
            Some(instance) => format!("{host}\\{}", self.shaped("instance", instance)),
            None => format!("{host}{rest}"),
        }
    }

    /// A host name label by label. A top-level domain that many have stays (it says little), and so do a domain of
    /// Microsoft's and the service and the region below it, since the product's rules depend on them.
    pub(crate) fn host(&mut self, name: &HostName) -> String {
        let labels: Vec<&str> = name.as_str().split('.').collect();
        let top = usize::from(labels.last().is_some_and(|label| known::is_top_level(label)));
        let microsoft = known::labels_of_domain(name.as_str());
        let hidden = labels.len().saturating_sub(microsoft.unwrap_or(top)).max(1);
        let one = |(index, label): (usize, &&str)| {
            let service = microsoft.is_some() && index > 0 && known::is_service_label(label);
            if index < hidden && !service { self.shaped("label", label) } else { (*label).to_owned() }
        };
        labels.iter().enumerate().map(one).collect::<Vec<_>>().join(".")
    }

    /// A pseudonym of the same shape: as many letters, digits and hyphens at the same places.
    fn shaped(&mut self, kind: &'static str, text: &str) -> String {
        if let Some(given) = self.given.get(&(kind, text.to_owned())) {
            return given.clone();
        }
        // Short texts may collide: then the next pseudonym is tried, so that different names stay different.
        for attempt in 0..10_000 {
            let digest = self.digest(kind, text, attempt);
            let shaped: String = text.chars().zip(digest.bytes().cycle()).enumerate().map(shape).collect();
            if self.used.insert((kind, shaped.clone())) {
                self.given.insert((kind, text.to_owned()), shaped.clone());
                return shaped;
            }
        }
        format!("x{}", self.given.len())
    }

    /// An address of the same kind; one that is anyone's stays. Two addresses of one kind may collide, then the later one
    /// gets the next: of a thousand addresses none is likely to.
    pub(crate) fn address(&mut self, address: IpAddr) -> IpAddr {
        if address::is_anyones(address) {
            return address;
        }
        if let IpAddr::V6(v6) = address
            && let Some(inside) = v6.to_ipv4_mapped()
        {
            return match self.address(inside.into()) {
                IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
                v6 @ IpAddr::V6(_) => v6,
            };
        }
        if let Some(given) = self.addresses.get(&address) {
            return *given;
        }
        let mut attempt = 0;
        loop {
            let digest = self.digest("address", &address.to_string(), attempt);
            let bits = u64::from_str_radix(&digest[..16], 16).unwrap_or_default();
            let pseudonym = address::pseudonym(address, bits.to_be_bytes());
            let is_free = pseudonym != address && !address::is_anyones(pseudonym);
            // No document has so many addresses that its networks are full; one that had would get some twice.
            if (is_free && self.used_addresses.insert(pseudonym)) || attempt > 10_000 {
                self.addresses.insert(address, pseudonym);
                return pseudonym;
            }
            attempt += 1;
        }
    }

    /// An address with brackets around it, if the text has them.
    fn address_as(&mut self, text: &str, address: IpAddr) -> String {
        let address = self.address(address);
        if text.trim_start().starts_with('[') { format!("[{address}]") } else { address.to_string() }
    }

    pub(crate) fn guid(&self, text: &str) -> String {
        let d = self.digest("guid", &text.to_ascii_lowercase(), 0);
        format!("{}-{}-4{}-8{}-{}", &d[..8], &d[8..12], &d[12..15], &d[15..18], &d[18..30])
    }

    fn digest(&self, kind: &str, text: &str, attempt: u32) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key).expect("HMAC takes keys of any length");
        mac.update(format!("{kind}\0{attempt}\0").as_bytes());
        mac.update(text.to_lowercase().as_bytes());
        crate::text::hexadecimal(&mac.finalize().into_bytes())
    }
}

/// One character in the place of another of its class; `byte` is a hexadecimal digit of the digest.
fn shape((index, (c, byte)): (usize, (char, u8))) -> char {
    let number = u32::from(byte) + u32::try_from(index % 7).unwrap_or(0);
    let letter = |base: u8| char::from(base + u8::try_from(number % 26).unwrap_or(0));
    match c {
        'a'..='z' => letter(b'a'),
        'A'..='Z' => letter(b'A'),
        '0'..='9' => char::from(b'0' + u8::try_from(number % 10).unwrap_or(0)),
        '-' | '_' => c,
        _ => 'x',
    }
}

/// Whether what stands in a field is known to be the product's: the derivation needs it, and it names nobody.
fn is_of_product(fact: &str, field: &str, text: &str) -> bool {
    match (fact, field) {
        (_, "version" | "server_version" | "build") => known::is_version(text),
        (_, "role") => known::is_role(text),
        (_, "region") => known::is_region(text),
        (_, "column" | "missing_columns") => known::is_column(text),
        ("sync_sources", "source") => true,
        ("subscriptions", "id") => known::is_subscription(text),
        ("azure_environments", "name") => known::is_cloud(text),
        ("azure_environments", _) => known::is_service(text),
        ("features" | "update_packages", "name") | ("clients_by_system", "system") => known::is_of_product(text),
        _ => false,
    }
}

fn is_settings_file(text: &str) -> bool {
    std::path::Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

fn is_host_field(field: &str) -> bool {
    ["host", "server", "default_sup", "upstream", "service_name", "deployment_name", "storage_name"].contains(&field)
}

pub(crate) fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::site::readers::any::any_facts;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_facts_can_be_redacted(facts in any_facts()) {
            let snapshot = Snapshot::new(facts, Timestamp::UNIX_EPOCH);
            prop_assert!(redact(&snapshot, &[7; 32]).is_ok());
        }
    }
}
