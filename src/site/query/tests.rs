use std::collections::BTreeSet;

use super::*;

const SAMPLE: &str = "-- fact: x\n-- For tests.\n\n-- candidate: vA AS a, vB AS b\nSELECT\n    1 AS fact_x,\n    \
    a.One AS one, -- optional\n    CASE WHEN b.Two = 1 THEN a.Three END AS two, -- optional\n    b.Four AS four -- \
    optional\nFROM dbo.vA AS a\nJOIN dbo.vB AS b ON b.ID = a.ID;\n";

#[test]
fn a_missing_optional_column_becomes_null_and_keeps_its_comma() {
    let file = QueryFile::parse(SAMPLE).unwrap();
    let candidate = &file.candidates[0];
    let sql = candidate.statement(|c| !matches!(c.column.as_str(), "Three" | "Four"), None, &[]);
    assert_eq!(
        sql,
        "SELECT\n    1 AS fact_x,\n    a.One AS one,\n    NULL AS two,\n    NULL AS four\nFROM dbo.vA AS a\n\
         JOIN dbo.vB AS b ON b.ID = a.ID;"
    );
    let required: Vec<_> = candidate.required().map(|c| (c.object, c.column.as_str())).collect();
    assert_eq!(required, [(1, "ID"), (0, "ID")]);
    assert_eq!(candidate.aliases().collect::<Vec<_>>(), [("one", "One"), ("four", "Four")]);
}

#[test]
fn further_columns_stand_at_their_place_in_brackets() {
    let text = SAMPLE.replace("    b.Four", "    -- further columns\n    b.Four");
    let candidate = &QueryFile::parse(&text).unwrap().candidates[0];
    let further = [Identifier::parse("PortalURL").unwrap(), Identifier::parse("select").unwrap()];
    let sql = candidate.statement(|_| true, None, &further);
    assert!(
        sql.contains(" AS two,\n    a.[PortalURL] AS [PortalURL],\n    a.[select] AS [select],\n    b.Four"),
        "{sql}"
    );
    assert!(candidate.takes_further() && !candidate.statement(|_| true, None, &[]).contains("further"));
    let asked: Vec<&str> =
        FACTS.iter().filter(|f| f.candidates.iter().any(Candidate::takes_further)).map(|f| f.fact.as_str()).collect();
    assert_eq!(asked, ["azure_environments"]);
}

#[test]
fn a_file_that_breaks_the_form_is_refused() {
    let error = |text: &str| QueryFile::parse(text).unwrap_err();
    assert_eq!(error("-- candidate: a AS b\nSELECT 1;"), QueryFileError::NoFact);
    assert_eq!(error("-- fact: x\nSELECT 1;"), QueryFileError::Stray("SELECT 1;".to_owned()));
    assert_eq!(error("-- fact: x\n-- candidate: vA\nSELECT 1;"), QueryFileError::Candidate("vA".to_owned()));
    assert_eq!(error("-- fact: x\n-- candidate: vA AS a\n"), QueryFileError::Empty);
    assert_eq!(error("-- at most many rows"), QueryFileError::Limit("-- at most many rows".to_owned()));
    assert!(matches!(
        error("-- fact: x\n-- candidate: vA AS a\n    1 AS one, -- optional"),
        QueryFileError::Optional(_)
    ));
}

#[test]
fn only_plain_names_get_into_a_statement() {
    for text in ["", "a b", "a]b", "a'b", "a;b", "naïve", &"x".repeat(129)] {
        assert!(Identifier::parse(text).is_none(), "{text}");
    }
    assert!(Identifier::parse("vSMS_AzureService2").is_some());
}

#[test]
fn quotes_are_doubled_in_the_envelope() {
    let sql = envelope("x", "SELECT N'a' AS b;");
    assert!(sql.contains("EXEC sys.sp_executesql N'SELECT N''a'' AS b;';"), "{sql}");
    assert!(sql.contains("1 AS error_x") && sql.contains("\nSELECT 1 AS end_x;\nEND TRY\n"));
}

#[test]
fn every_file_keeps_the_form() {
    let all = FACTS.iter().chain(DISCOVERY.iter()).chain(SCRIPTS.iter()).chain([&*DATABASES]);
    for file in all {
        for candidate in &file.candidates {
            let sql = candidate.statement(|_| true, None, &[]);
            let first = sql.lines().nth(1).unwrap();
            assert_eq!(first.trim(), format!("1 AS fact_{},", file.fact), "the first column names the fact");
            assert!(sql.starts_with("SELECT\n") && sql.ends_with(';'), "{sql}");
            assert_eq!(sql.matches(';').count(), 1, "one statement: {sql}");
            assert!(!sql.contains("--") && sql.is_ascii(), "{sql}");
            for object in &candidate.objects {
                assert_eq!(
                    ["", "(N'disabled')", "(1033)"]
                        .map(|call| format!("dbo.{}{call} AS {}", object.name, object.alias))
                        .map(|text| sql.matches(&text).count())
                        .iter()
                        .sum::<usize>(),
                    1
                );
                assert!(Identifier::parse(&object.name).is_some());
            }
            assert_eq!(sql.matches("dbo.").count(), candidate.objects.len().max(sql.matches("N'dbo.'").count()));
        }
    }
}

#[test]
fn a_small_fact_has_few_rows() {
    let limits = ["sites", "cmgs", "tenants", "azure_environments", "site_systems"];
    let limits = limits.map(|fact| max_rows(&format!("fact_{fact}")));
    assert_eq!(limits, [10_000, 1000, 1000, 1000, MAX_ROWS]);
    assert_eq!((max_rows("error_sites"), max_rows("fact_script_results")), (MAX_ROWS, 500));
}

#[test]
fn heavy_facts_come_last() {
    let first = FACTS.iter().position(|file| file.heavy).unwrap();
    let light = FACTS.iter().skip(first).filter(|file| !file.heavy).map(|file| file.fact.as_str());
    assert_eq!(light.collect::<Vec<_>>(), [] as [&str; 0]);
    assert!(FACTS.last().is_some_and(|file| file.fact == "client_counts"));
}

#[test]
fn all_candidates_of_a_fact_have_the_same_result_columns() {
    for file in FACTS.iter().chain(SCRIPTS.iter()) {
        for candidate in &file.candidates {
            assert_eq!(candidate.results(), file.candidates[0].results(), "{}", file.fact);
        }
    }
}

#[test]
fn discovery_asks_for_exactly_the_objects_that_the_facts_name() {
    asks_for_exactly(&DISCOVERY[1], &FACTS);
    asks_for_exactly(&SCRIPTS[0], &SCRIPTS[1..]);
}

fn asks_for_exactly(discovery: &QueryFile, facts: &[QueryFile]) {
    let named: BTreeSet<&str> = facts
        .iter()
        .flat_map(|file| &file.candidates)
        .filter(|candidate| !candidate.by_signature)
        .flat_map(|candidate| candidate.objects.iter().map(|object| object.name.as_str()))
        .collect();
    let sql = discovery.constant();
    let list = sql.split_once("o.name IN (").unwrap().1;
    let asked: BTreeSet<&str> = list.split("N'").skip(1).filter_map(|t| t.split('\'').next()).collect();
    assert_eq!(asked, named);
}

#[test]
fn signatures_are_asked_for_exactly_where_a_fact_needs_one() {
    let sql = DISCOVERY[2].constant();
    for file in FACTS.iter() {
        let by_signature = file.candidates.iter().any(|c| c.by_signature);
        assert_eq!(sql.contains(&format!("N'{}' AS signature", file.fact)), by_signature, "{}", file.fact);
    }
}

#[test]
fn no_secret_column_is_asked_for() {
    for file in FACTS.iter().chain(SCRIPTS.iter()) {
        for column in file.candidates.iter().flat_map(|c| c.required().chain(c.optional())) {
            let name = column.column.to_ascii_lowercase();
            if name == "secretkeyexpiry" {
                continue; // when a secret ends is none
            }
            for secret in ["secret", "password", "certificate", "privatekey", "pfx", "token", "username"] {
                assert!(!name.contains(secret), "{}: {name}", file.fact);
            }
        }
        // The account of a proxy is only ever tested for being there.
        for line in file.candidates.iter().flat_map(|c| &c.lines).filter(|l| l.sql.contains("ProxyUserName")) {
            let harmless = line.sql.contains("= N'ProxyUserName' THEN NULL ELSE")
                || line.sql.contains("<> N'' THEN 1 ELSE p.Value3 END AS number")
                || line.sql.trim_start().starts_with("ON p.ID = u.ID AND p.Name IN (");
            assert!(harmless, "{}", line.sql);
        }
    }
}
