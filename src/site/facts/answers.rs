//! What the facts say, in a line for each: so that absent, not visible, empty and off read differently.

use serde_json::{Map, Value};

use super::Facts;

/// Fields that say whether the thing of a row is on.
const SWITCHES: [&str; 4] = ["online", "synchronized", "on", "enabled"];

impl Facts {
    /// Every fact by its name in the document, with what it says, or why it is unknown.
    pub fn answers(&self) -> Vec<(String, String)> {
        let facts = serde_json::to_value(self).unwrap_or_default();
        let fields = facts.as_object().into_iter().flatten().filter(|(_, fact)| fact["state"].is_string());
        fields.map(|(name, fact)| (name.clone(), answer(fact))).collect()
    }
}

fn answer(fact: &Value) -> String {
    if fact["state"] == "unknown" {
        return format!("unknown: {}", fact["detail"].as_str().unwrap_or_default());
    }
    let object = fact["source"]["object"].as_str().unwrap_or_default();
    let no_rows = fact["source"]["no_rows"] == true;
    let said = match &fact["value"] {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) if no_rows => "never set up".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Array(rows) => list(rows),
        Value::Object(fields) => object_of(fields),
        other => plain(other),
    };
    let rows = if no_rows { " has no rows" } else { "" };
    let more = if fact["source"]["may_lack"].is_string() { "; there may be more" } else { "" };
    format!("{said} ({object}{rows}{more})")
}

fn list(rows: &[Value]) -> String {
    let off = rows.iter().filter(|row| SWITCHES.iter().any(|switch| row[*switch] == false)).count();
    match (rows.len(), off) {
        (0, _) => "none".to_owned(),
        (rows, 0) => rows.to_string(),
        (rows, off) => format!("{rows}, of which off: {off}"),
    }
}

fn object_of(fields: &Map<String, Value>) -> String {
    let field = |(name, value): (&String, &Value)| format!("{}: {}", name.replace('_', " "), plain(value));
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "not said".to_owned(),
        Value::Number(number) if number.as_u64() == Some(0) => "none".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fact::{Fact, Source, UnknownWhy};
    use super::*;
    use crate::site::readers::any::connection;
    use crate::site::{ServiceConnectionPoint, SiteCode};

    #[test]
    fn each_answer_has_its_own_words() {
        let mut facts = Facts::unknown(connection(), UnknownWhy::NotThere, "not in this database: dbo.vTest");
        let source = |no_rows| Source { no_rows, ..Source::of("dbo.vTest") };
        let said = |facts: &Facts, name: &str| {
            facts.answers().into_iter().find(|(known, _)| known == name).map(|(_, said)| said).unwrap()
        };
        assert_eq!(said(&facts, "entra_user_discovery"), "unknown: not in this database: dbo.vTest");
        for (value, no_rows, words) in [
            (true, false, "on (dbo.vTest)"),
            (false, false, "off (dbo.vTest)"),
            (false, true, "never set up (dbo.vTest has no rows)"),
        ] {
            facts.entra_user_discovery = Fact::Known { value, source: source(no_rows) };
            assert_eq!(said(&facts, "entra_user_discovery"), words);
        }
        let point = |online| ServiceConnectionPoint {
            site: SiteCode::parse("CAS").unwrap(),
            host: "cm-cas".parse().unwrap(),
            online: Some(online),
        };
        for (value, words) in [
            (vec![point(true)], "1 (dbo.vTest)"),
            (vec![point(false)], "1, of which off: 1 (dbo.vTest)"),
            (vec![], "none (dbo.vTest)"),
        ] {
            facts.service_connection_points = Fact::Known { value, source: source(false) };
            assert_eq!(said(&facts, "service_connection_points"), words);
        }
        facts.group_syncs = Fact::Known { value: 0, source: source(false) };
        assert_eq!(said(&facts, "group_syncs"), "none (dbo.vTest)");
        assert!(facts.answers().len() > 40 && facts.answers().iter().all(|(name, _)| name != "connection"));
    }
}
