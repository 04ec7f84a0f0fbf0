//! The names and words that are replaced, and what stands in their place.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use crate::catalog::Catalog;
use crate::host::HostName;
use crate::site::{Pseudonyms, SiteCode, is_guid, is_microsoft};

/// Shorter words say nothing by themselves; site codes are looked for all the same.
const SHORT: usize = 3;

/// Words of the product and of this program. A host that is called `proxy` gives nothing away where the word stands alone.
const COMMON: &str = "a address addresses advisory after all allow any as assumed at azure bits boundary by ca catalog cause \
    central certificate check checked client clients cloud cmcomply cn co com compliant configuration configmgr connection \
    console consoles corp data database default deployment device devices direct distribution dns dp entra error fact facts \
    file firewall for from gateway group gb gmbh health host hosts http https inc internet intune issuing it lab limited llc \
    local log ltd machine management manager microsoft mp name names net network no none not of office on org ou point port \
    primary proxy public reached redacted required role root secondary security server service set site sites sql standard \
    state status store sub sup system tcp team tenant test the this timeout tls to trusted unknown update updates us user \
    version via web windows with wsus www";

/// Pseudonyms for names and words.
pub(super) struct Words<'a> {
    names: Pseudonyms<'a>,
    /// A word in lower case, with what stands in its place.
    single: HashMap<String, String>,
    /// Texts that are hidden whole, the longest first.
    texts: Vec<String>,
    known: HashSet<String>,
}

impl<'a> Words<'a> {
    /// With every name that the facts hold.
    pub(super) fn new(names: Pseudonyms<'a>) -> Self {
        let pairs: Vec<(String, String)> =
            names.pairs().map(|(text, name)| (text.to_owned(), name.to_owned())).collect();
        let mut words = Self { names, single: HashMap::new(), texts: Vec::new(), known: HashSet::new() };
        for (text, pseudonym) in pairs {
            let is_word = text.chars().all(is_part) && !text.contains('.');
            if is_word && (SiteCode::parse(&text).is_ok() || is_secret(&text)) {
                words.single.insert(text.to_lowercase(), pseudonym);
            } else if !is_word {
                words.names_in(&text);
            }
        }
        words
    }

    /// Each word of this text is to be hidden wherever it stands.
    pub(super) fn names_in(&mut self, text: &str) {
        self.hide(text);
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| is_secret(word)) {
            let pseudonym = self.names.hidden(word);
            self.single.entry(word.to_lowercase()).or_insert(pseudonym);
        }
    }

    /// This text is to be hidden wherever it stands.
    pub(super) fn hide(&mut self, text: &str) {
        // An address gets the pseudonym of an address, wherever it stands.
        if text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok() {
            return;
        }
        if text.chars().count() > SHORT && !is_public_token(text) && self.known.insert(text.to_owned()) {
            self.texts.push(text.to_owned());
        }
    }

    /// To be called once everything is known.
    pub(super) fn order(&mut self) {
        self.texts.sort_by_key(|text| (std::cmp::Reverse(text.len()), text.clone()));
    }

    pub(super) fn hidden(&self, text: &str) -> String {
        if text.is_empty() { String::new() } else { self.names.hidden(text) }
    }

    /// A name of a certificate: the same pseudonym as the host of that name, where it is one.
    pub(super) fn hidden_name(&mut self, text: &str) -> String {
        if let Ok(address) = text.parse() {
            return self.names.address(address).to_string();
        }
        match HostName::parse(text) {
            Ok(name) if text.contains('.') => self.host(&name),
            _ => self.hidden(text),
        }
    }

    pub(super) fn site(&mut self, code: &str) -> String {
        self.names.site(code)
    }

    /// 64 other digits.
    pub(super) fn hash(&self, text: &str) -> String {
        let digits = |part: u8| self.names.hidden(&format!("{part}{text}"))["text-".len()..].to_owned();
        let all: String = (0..7).map(digits).collect();
        all.chars().take(text.len().min(64)).collect()
    }

    pub(super) fn host(&mut self, name: &HostName) -> String {
        if self.is_public(name) { name.to_string() } else { self.names.host(name) }
    }

    /// Whether a name says nothing about the customer: the catalog names it, or it is Microsoft's and no label of it is a
    /// name that the facts hold.
    pub(super) fn is_public(&self, name: &HostName) -> bool {
        let mut labels = name.as_str().split('.');
        is_public_token(name.as_str())
            || (is_microsoft(name.as_str()) && !labels.any(|label| self.single.contains_key(&label.to_lowercase())))
    }

    /// A text of this program's, with the names in it replaced.
    pub(super) fn composed(&mut self, text: &str) -> String {
        // An address of a redirect is hidden whole, also as an id.
        if self.known.contains(text) {
            return self.hidden(text);
        }
        let mut text = text.to_owned();
        for hidden in self.texts.iter().filter(|hidden| hidden.len() < 2000) {
            if text.contains(hidden.as_str()) {
                text = text.replace(hidden.as_str(), &self.names.hidden(hidden));
            }
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let end = rest.find(|c| !is_part(c) && c != ':').unwrap_or(rest.len());
            let (token, tail) = rest.split_at(end);
            out.push_str(&self.token(token));
            let next = tail.chars().next();
            out.extend(next);
            rest = &tail[next.map_or(0, char::len_utf8)..];
        }
        out
    }

    /// A run of letters, digits, dots, hyphens, underscores and colons.
    fn token(&mut self, token: &str) -> String {
        // A point or a colon after it ends a sentence or a part of one.
        let heads = [token, &token[..token.trim_end_matches(['.', ':']).len()]];
        if let Some((head, address)) =
            heads.into_iter().find_map(|head| Some((head, head.parse().ok().filter(IpAddr::is_ipv6)?)))
        {
            return format!("{}{}", self.names.address(address), &token[head.len()..]);
        }
        token.split(':').map(|part| self.part(part)).collect::<Vec<_>>().join(":")
    }

    fn part(&mut self, part: &str) -> String {
        let bare = part.trim_matches(['.', '-', '_']);
        let Some(start) = part.find(bare).filter(|_| !bare.is_empty()) else { return part.to_owned() };
        let (lead, trail) = (&part[..start], &part[start + bare.len()..]);
        if let Ok(address) = bare.parse() {
            return format!("{lead}{}{trail}", self.names.address(address));
        }
        let within = match HostName::parse(bare) {
            _ if is_guid(bare) => self.names.guid(bare),
            Ok(name) if bare.contains('.') && !is_public_token(part) && !is_number(bare) => self.host(&name),
            _ if bare.contains('.') && (is_public_token(part) || is_number(bare)) => bare.to_owned(),
            // With letters that no host name has, for one.
            _ if bare.contains('.') => bare.split('.').map(|label| self.word(label)).collect::<Vec<_>>().join("."),
            _ => self.word(bare),
        };
        format!("{lead}{within}{trail}")
    }

    /// A word, or the words that hyphens join.
    fn word(&self, word: &str) -> String {
        if let Some(pseudonym) = self.single.get(&word.to_lowercase()) {
            return pseudonym.clone();
        }
        match word.find(['-', '_']) {
            Some(at) => format!("{}{}{}", self.word(&word[..at]), &word[at..=at], self.word(&word[at + 1..])),
            None => word.to_owned(),
        }
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a word may name somebody.
fn is_secret(word: &str) -> bool {
    word.chars().count() >= SHORT
        && !word.bytes().all(|byte| byte.is_ascii_digit())
        && !COMMON.split_whitespace().any(|common| common.eq_ignore_ascii_case(word))
        && !public().contains(&word.to_lowercase())
}

fn is_public_token(token: &str) -> bool {
    public().contains(&token.to_lowercase())
}

/// What the catalog names, and the words of its texts and of the table of causes: nobody's secret.
fn public() -> &'static HashSet<String> {
    static PUBLIC: OnceLock<HashSet<String>> = OnceLock::new();
    PUBLIC.get_or_init(|| {
        let catalog = Catalog::embedded();
        let mut texts = vec![include_str!("../../../schema/causes.md").to_owned()];
        for entry in &catalog.entries {
            texts.extend([entry.endpoint.to_string(), entry.id.to_string(), entry.section.clone()]);
            texts.extend(entry.written.iter().chain(&entry.note).chain(&entry.path).cloned());
            if let Some(probe) = &entry.probe {
                texts.extend(probe.hosts.iter().map(ToString::to_string));
                texts.push(probe.evidence.clone());
            }
        }
        texts.extend(catalog.documents.values().flat_map(|document| [document.title.clone(), document.url.clone()]));
        let tokens = texts.iter().flat_map(|text| text.split(|c| !is_part(c)));
        let tokens = tokens.flat_map(|token| [token, token.trim_matches(['.', '-', '_'])]);
        tokens.filter(|token| !token.is_empty()).map(str::to_lowercase).collect()
    })
}
