//! Facts of several site databases as one. Pure.
//!
//! The order in which the databases are given does not matter. What one says and another does not know is known; lists
//! unite; what two say differently is a finding that names both, and is taken for unknown. It works on the facts as
//! JSON, so that a new fact is merged without being named here; [`tables`] say what is special.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::fact::{Fact, Source, UnknownWhy};
use super::facts::{Connection, DataFinding, Facts};
use super::readers;
use crate::text;

mod tables;

use tables::{GIVE_WAY, KEYS, NULL_SAYS, PARTS, instead, is_count, is_same};

/// One set of facts of all that were read from databases of one hierarchy. `None` for no facts at all.
pub fn merge(sources: Vec<Facts>) -> Result<Option<Facts>, serde_json::Error> {
    let mut sources = sources.into_iter().map(Read::of).collect::<Result<Vec<_>, _>>()?;
    sources.sort_by(|a, b| a.rank.cmp(&b.rank));
    sources.dedup_by(|a, b| a.rank == b.rank);
    if sources.len() < 2 {
        return Ok(sources.pop().map(|read| read.facts));
    }
    let mut merger = Merger { read: &sources, findings: Vec::new() };
    let mut merged = Map::new();
    for name in sources[0].json.keys().filter(|name| !is_about_reading(name)) {
        merged.insert(name.clone(), merger.fact(name)?);
    }
    let Merger { findings, .. } = merger;
    merged.insert("connection".to_owned(), sources[0].json["connection"].clone());
    merged.insert("data_findings".to_owned(), Value::Array(Vec::new()));
    let mut facts: Facts = serde_json::from_value(Value::Object(merged))?;
    let connections =
        sources.iter().flat_map(|Read { facts, .. }| [&facts.connection].into_iter().chain(&facts.other_connections));
    for connection in connections.skip(1) {
        if *connection != facts.connection && !facts.other_connections.contains(connection) {
            facts.other_connections.push(connection.clone());
        }
    }
    facts.data_findings = all_findings(&sources);
    facts.data_findings.extend(findings);
    facts.data_findings.extend(not_one_hierarchy(&sources));
    for finding in readers::contradictions(&facts) {
        if !facts.data_findings.iter().any(|known| known.column == finding.column && known.row == finding.row) {
            facts.data_findings.push(finding);
        }
    }
    Ok(Some(facts))
}

/// What is about the reading, not about the hierarchy.
fn is_about_reading(name: &str) -> bool {
    matches!(name, "connection" | "other_connections" | "data_findings")
}

/// The facts of one database.
struct Read {
    facts: Facts,
    json: Map<String, Value>,
    /// The database as findings name it.
    label: String,
    /// The database of the top-level site is first; no two different sources are equal.
    rank: (bool, Option<String>, String, String),
}

impl Read {
    fn of(facts: Facts) -> Result<Self, serde_json::Error> {
        let Connection { server, database, .. } = &facts.connection;
        let label = text::ascii(&format!("{database} on {server}"), 200);
        let site = facts.this_site.known().map(ToString::to_string);
        let is_top = site.is_some() && facts.above().is_none();
        let json = match serde_json::to_value(&facts)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let rank = (!is_top, site, label.clone(), serde_json::to_string(&json)?);
        Ok(Self { facts, json, label, rank })
    }

    fn is_top(&self) -> bool {
        !self.rank.0
    }
}

/// A value with the number of the source that says it.
type Said<'a> = (usize, &'a Value);

/// What a value is of: for findings.
#[derive(Clone, Copy)]
struct Place<'a> {
    fact: &'a str,
    object: &'a str,
    column: &'a str,
    row: &'a str,
}

struct Merger<'a> {
    read: &'a [Read],
    findings: Vec<DataFinding>,
}

impl Merger<'_> {
    /// One fact of all sources.
    fn fact(&mut self, name: &str) -> Result<Value, serde_json::Error> {
        let read = self.read;
        let facts: Vec<Fact<Value>> = read
            .iter()
            .map(|read| serde_json::from_value(read.json.get(name).cloned().unwrap_or_default()))
            .collect::<Result<_, _>>()?;
        let known: Vec<(usize, &Value, &Source)> = facts
            .iter()
            .enumerate()
            .filter_map(|(number, fact)| match fact {
                Fact::Known { value, source } => Some((number, value, source)),
                Fact::Unknown { .. } => None,
            })
            .collect();
        let Some((_, first, _)) = known.first() else { return serde_json::to_value(self.unknown(&facts)) };
        let mut source = self.source(&known);
        let object = source.object.clone();
        let place = Place { fact: name, object: &object, column: name, row: "" };
        if let Some(finding) = self.said_from_below(place, &known, &facts) {
            source.may_lack.get_or_insert_with(|| finding.problem.clone());
            self.findings.push(finding);
        }
        let said: Vec<Said<'_>> = known.iter().map(|(number, value, _)| (*number, *value)).collect();
        self.empty_at_the_top(place, &said);
        let value = match first {
            // Each database has its own site: that of the first one, which is the top-level site's if it was read.
            _ if name == "this_site" => (*first).clone(),
            Value::Array(_) => self.rows(place, &said),
            Value::Object(_) => self.fields(place, &said),
            _ => self.one(place, &said),
        };
        if value.is_null() {
            let detail = format!("{}: the site databases do not agree; see the data findings", source.object);
            return serde_json::to_value(Fact::<Value>::Unknown { why: UnknownWhy::NotEvidenced, detail });
        }
        serde_json::to_value(Fact::Known { value, source })
    }

    /// What the database of the top-level site could not say, and another one did: a list of that one may lack what
    /// only the top has, so it does not count as whole.
    fn said_from_below(
        &self,
        place: Place<'_>,
        known: &[(usize, &Value, &Source)],
        facts: &[Fact<Value>],
    ) -> Option<DataFinding> {
        let from_top = known.iter().any(|(number, ..)| self.read[*number].is_top());
        let (silent, detail) = facts.iter().zip(self.read).find_map(|(fact, read)| match fact {
            Fact::Unknown { detail, .. } => Some((read, detail)),
            Fact::Known { .. } => None,
        })?;
        let by: Vec<&str> = known.iter().map(|(number, ..)| self.read[*number].label.as_str()).collect();
        (!from_top && place.fact != "this_site").then(|| DataFinding {
            object: place.object.to_owned(),
            column: place.column.to_owned(),
            row: String::new(),
            problem: format!(
                "known from {} alone, which may not have all of it; {} could not say: {}",
                by.join(", "),
                silent.label,
                text::ascii(detail, 200)
            ),
            value: String::new(),
        })
    }

    /// A list that is empty at the top, and is not below: the top has all that the sites below it have. Only who opens a
    /// console is noted where it connects.
    fn empty_at_the_top(&mut self, place: Place<'_>, said: &[Said<'_>]) {
        let rows = |value: &Value| value.as_array().map(Vec::len);
        let top = said.iter().find(|(number, value)| self.read[*number].is_top() && rows(value) == Some(0));
        let others = said.iter().filter(|(_, value)| rows(value).is_some_and(|rows| rows > 0));
        let others: Vec<String> = others
            .map(|(number, value)| format!("{} has {}", self.read[*number].label, rows(value).unwrap_or_default()))
            .collect();
        let Some((top, _)) = top.filter(|_| !others.is_empty() && place.fact != "consoles") else { return };
        let problem = format!(
            "the site databases do not agree: {} has none, {}; what is there is used",
            self.read[*top].label,
            others.join(", ")
        );
        self.findings.push(DataFinding {
            object: place.object.to_owned(),
            column: place.column.to_owned(),
            row: String::new(),
            problem: text::ascii(&problem, 600),
            value: String::new(),
        });
    }

    /// No source knows it: unknown with the reason of each.
    fn unknown(&self, facts: &[Fact<Value>]) -> Fact<Value> {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut first = None;
        for (fact, read) in facts.iter().zip(self.read) {
            let Fact::Unknown { why, detail } = fact else { continue };
            first.get_or_insert(*why);
            match reasons.iter_mut().find(|(known, _)| known == detail) {
                Some((_, labels)) => labels.push(&read.label),
                None => reasons.push((detail, vec![&read.label])),
            }
        }
        let reason = |(detail, labels): &(&str, Vec<&str>)| match labels.len() {
            all if all == self.read.len() => (*detail).to_owned(),
            _ => format!("{}: {detail}", labels.join(", ")),
        };
        let detail = reasons.iter().map(reason).collect::<Vec<_>>().join("; ");
        Fact::Unknown { why: first.unwrap_or(UnknownWhy::NotEvidenced), detail }
    }

    /// The objects that answered; the databases too, if not all of them know the fact.
    fn source(&self, known: &[(usize, &Value, &Source)]) -> Source {
        let mut objects: Vec<&str> = Vec::new();
        for (_, _, source) in known {
            if !objects.contains(&source.object.as_str()) {
                objects.push(&source.object);
            }
        }
        // Missing in one is missing: what that one has in it is not known, and no other says that it has nothing there.
        let missing: BTreeSet<&String> = known.iter().flat_map(|(_, _, source)| &source.missing_columns).collect();
        let missing_columns = missing.into_iter().cloned().collect();
        let databases = if known.len() == self.read.len() {
            Vec::new()
        } else {
            let of = |(number, _, source): &(usize, &Value, &Source)| match source.databases.as_slice() {
                [] => vec![self.read[*number].label.clone()],
                databases => databases.to_vec(),
            };
            known.iter().flat_map(of).collect()
        };
        // One database that has all of it is enough.
        let may_lack = known.iter().map(|(_, _, source)| source.may_lack.clone()).min().flatten();
        let no_rows = known.iter().all(|(_, _, source)| source.no_rows);
        Source { object: objects.join(", "), missing_columns, databases, may_lack, no_rows }
    }

    /// The rows of all lists; those of one thing become one row.
    fn rows(&mut self, place: Place<'_>, said: &[Said<'_>]) -> Value {
        let keys = KEYS.iter().find(|(list, _)| *list == place.column).map(|(_, keys)| *keys);
        let mut order = Vec::new();
        let mut by_key: BTreeMap<String, Vec<Said<'_>>> = BTreeMap::new();
        for (number, rows) in said {
            for row in rows.as_array().into_iter().flatten() {
                let key = match keys {
                    // Rows without a name are not rows of one name.
                    Some(keys) if keys.iter().any(|key| !row[*key].is_null()) => {
                        keys.iter().map(|key| format!("{key}={}", shown(&row[*key]))).collect::<Vec<_>>().join(", ")
                    }
                    _ => row.to_string(),
                };
                // A site database tells no small letters from capitals.
                let same = by_key.entry(key.to_ascii_lowercase()).or_default();
                if same.is_empty() {
                    order.push(key);
                }
                same.push((*number, row));
            }
        }
        let mut merged = Vec::new();
        for key in order {
            let rows = by_key.remove(&key.to_ascii_lowercase()).unwrap_or_default();
            let row = if place.row.is_empty() { key.clone() } else { format!("{}, {key}", place.row) };
            merged.extend(self.row(Place { row: &row, ..place }, rows));
        }
        Value::Array(merged)
    }

    /// What the sources say of one thing: one row, or several where one source alone has several. Then all are kept, and
    /// a row that agrees with none of another source's is a finding.
    fn row(&mut self, place: Place<'_>, mut rows: Vec<Said<'_>>) -> Vec<Value> {
        if place.fact == "consoles" {
            // Two sightings are no contradiction: the newer one counts.
            let newest = rows.iter().map(|(_, row)| row["last_seen"].as_str()).max();
            rows.retain(|(_, row)| newest == Some(row["last_seen"].as_str()));
        }
        let several = rows.iter().any(|(number, _)| rows.iter().filter(|(other, _)| other == number).count() > 1);
        if !several {
            return vec![self.fields(place, &rows)];
        }
        self.compare(place, &rows);
        let mut distinct: Vec<Value> = Vec::new();
        for (_, row) in &rows {
            if !distinct.contains(row) {
                distinct.push((*row).clone());
            }
        }
        distinct
    }

    /// Each row against those that the other sources have of the same thing: one of them must not contradict it.
    fn compare(&mut self, place: Place<'_>, rows: &[Said<'_>]) {
        for &(number, row) in rows {
            let sources: BTreeSet<usize> =
                rows.iter().map(|(other, _)| *other).filter(|other| *other != number).collect();
            for source in sources {
                let theirs = rows.iter().filter(|(other, _)| *other == source);
                // Of several that all contradict it, the one that comes closest says why.
                let contradictions = theirs.map(|&other| {
                    let mut pair = [(number, row), other];
                    pair.sort_by_key(|(number, _)| *number);
                    let mut trial = Merger { read: self.read, findings: Vec::new() };
                    trial.fields(place, &pair);
                    trial.findings
                });
                let closest = contradictions.min_by_key(Vec::len).unwrap_or_default();
                for finding in closest {
                    if !self.findings.contains(&finding) {
                        self.findings.push(finding);
                    }
                }
            }
        }
    }

    /// Field by field.
    fn fields(&mut self, place: Place<'_>, said: &[Said<'_>]) -> Value {
        let (_, first) = said[0];
        let Value::Object(fields) = first else { return first.clone() };
        let mut merged = Map::new();
        for name in fields.keys() {
            let values: Vec<Said<'_>> = said.iter().map(|(number, row)| (*number, &row[name.as_str()])).collect();
            merged.insert(name.clone(), self.one(Place { column: name, ..place }, &values));
        }
        Value::Object(merged)
    }

    /// The parts of all objects, by name.
    fn parts(&mut self, place: Place<'_>, said: &[Said<'_>]) -> Value {
        let mut by_name: BTreeMap<String, (&String, Vec<Said<'_>>)> = BTreeMap::new();
        for (number, object) in said {
            for (name, value) in object.as_object().into_iter().flatten() {
                let (_, values) = by_name.entry(name.to_ascii_lowercase()).or_insert((name, Vec::new()));
                values.push((*number, value));
            }
        }
        let mut merged = Map::new();
        for (name, values) in by_name.into_values() {
            let value = self.one(Place { column: name, ..place }, &values);
            // A host on which the databases do not agree is none; the finding on its column says that it is not empty.
            if !value.is_null() {
                merged.insert(name.clone(), value);
            }
        }
        Value::Object(merged)
    }

    /// One value. Null is unknown, and gives way; but no database below the top settles what the top could not say, where
    /// that may rule an endpoint out.
    fn one(&mut self, place: Place<'_>, said: &[Said<'_>]) -> Value {
        let mut distinct: Vec<Said<'_>> = Vec::new();
        for (number, value) in said {
            let says = !value.is_null() || NULL_SAYS.contains(&place.column);
            if says && !distinct.iter().any(|(_, known)| is_same(place.column, known, value)) {
                distinct.push((*number, value));
            }
        }
        match distinct.as_slice() {
            [] => Value::Null,
            [only @ (_, value)] => {
                let adds = **value == Value::Bool(true) || GIVE_WAY.contains(&place.column);
                let silent = said.iter().find(|(number, value)| value.is_null() && self.read[*number].is_top());
                match silent.filter(|_| !adds && !value.is_null()) {
                    Some(silent) => {
                        self.differ(place, &[*silent, *only]);
                        instead(place, value)
                    }
                    None => (*value).clone(),
                }
            }
            several if place.column == "roles" => self.rows(place, several),
            several if PARTS.contains(&place.column) => self.parts(place, several),
            several if several.iter().all(|(_, value)| value.is_number()) && is_count(place) => self.count(place, said),
            several => {
                self.differ(place, several);
                instead(place, several[0].1)
            }
        }
    }

    /// Counts that differ: the largest. A database below the top may count less, and no other.
    fn count(&mut self, place: Place<'_>, said: &[Said<'_>]) -> Value {
        let counts: Vec<Said<'_>> = said.iter().copied().filter(|(_, value)| value.is_number()).collect();
        let largest = counts.iter().copied().max_by_key(|(_, value)| value.as_u64());
        let Some((number, largest)) = largest else { return Value::Null };
        let less = counts.iter().copied().find(|(number, value)| *value != largest && self.read[*number].is_top());
        if let Some(less) = less {
            self.differ(place, &[less, (number, largest)]);
        }
        largest.clone()
    }

    /// A finding: which database says what.
    fn differ(&mut self, place: Place<'_>, said: &[Said<'_>]) {
        let says = |(number, value): &Said<'_>| format!("{} says {}", self.read[*number].label, shown(value));
        let problem =
            format!("the site databases do not agree: {}", said.iter().map(says).collect::<Vec<_>>().join(", "));
        self.findings.push(DataFinding {
            object: place.object.to_owned(),
            column: place.column.to_owned(),
            row: text::ascii(place.row, 200),
            problem: text::ascii(&problem, 600),
            value: text::ascii(&shown(said[0].1), 80),
        });
    }
}

/// A value as a finding shows it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    text::ascii(&text, 120)
}

/// The findings of all sources, each once. One that not every source has says in which it is.
fn all_findings(sources: &[Read]) -> Vec<DataFinding> {
    let mut all: Vec<(&DataFinding, Vec<&str>)> = Vec::new();
    for read in sources {
        for finding in &read.facts.data_findings {
            match all.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, labels)) => labels.push(&read.label),
                None => all.push((finding, vec![&read.label])),
            }
        }
    }
    let placed = |(finding, labels): (&DataFinding, Vec<&str>)| {
        let mut finding = finding.clone();
        if labels.len() < sources.len() {
            finding.problem = format!("{} (in {})", finding.problem, labels.join(", "));
        }
        finding
    };
    all.into_iter().map(placed).collect()
}

/// A finding if two sources have no site in common.
fn not_one_hierarchy(sources: &[Read]) -> Option<DataFinding> {
    let codes = |read: &Read| {
        read.facts.sites.known().map(|sites| sites.iter().map(|site| site.code.clone()).collect::<Vec<_>>())
    };
    let (first, rest) = sources.split_first()?;
    let ours = codes(first)?;
    let stranger =
        rest.iter().find(|read| codes(read).is_some_and(|theirs| !theirs.iter().any(|code| ours.contains(code))))?;
    Some(DataFinding {
        object: "sites".to_owned(),
        column: "code".to_owned(),
        row: String::new(),
        problem: format!("no site is both in {} and in {}: they are not of one hierarchy", first.label, stranger.label),
        value: String::new(),
    })
}

#[cfg(test)]
mod tests;
