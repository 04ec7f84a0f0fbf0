//! The published JSON Schemas are those that the types make.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

#[test]
fn the_schemas_in_the_repository_are_those_of_the_types() {
    let documents = [
        ("run", schemars::schema_for!(cmcomply::evidence::Run)),
        ("comparison", schemars::schema_for!(cmcomply::evidence::Comparison)),
        ("runs", schemars::schema_for!(cmcomply::evidence::store::RunList)),
        ("verification", schemars::schema_for!(cmcomply::evidence::store::Verification)),
        ("plan", schemars::schema_for!(cmcomply::plan::PlanDocument)),
        ("observations", schemars::schema_for!(cmcomply::evidence::Observations)),
        ("clients", schemars::schema_for!(cmcomply::vantage::run_script::Clients)),
        ("hosts", schemars::schema_for!(cmcomply::report::Hosts)),
        ("endpoints", schemars::schema_for!(cmcomply::report::Endpoints)),
        ("readiness", schemars::schema_for!(cmcomply::report::Readiness)),
        ("host-facts", schemars::schema_for!(cmcomply::assess::readiness::HostsDocument)),
        ("allow-list", schemars::schema_for!(cmcomply::report::AllowListCheck)),
        ("explanation", schemars::schema_for!(cmcomply::report::Explanation)),
        ("catalog-entries", schemars::schema_for!(Vec<cmcomply::catalog::Entry>)),
        ("catalog-entry", schemars::schema_for!(cmcomply::catalog::Entry)),
        ("catalog-lint", schemars::schema_for!(cmcomply::report::LintReport)),
        ("page-diff", schemars::schema_for!(cmcomply::catalog::PageDiff)),
        ("queries", schemars::schema_for!(Vec<cmcomply::site::Query>)),
        ("snapshot", schemars::schema_for!(cmcomply::site::Snapshot)),
    ];
    for (name, made) in documents {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"));
        let made = schema(&made);
        if std::env::var_os("CMCOMPLY_UPDATE_SCHEMA").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            kept == made,
            "schema/{name}.schema.json is out of date: run this test with CMCOMPLY_UPDATE_SCHEMA=1 and commit"
        );
    }
}

#[test]
fn the_schema_refuses_what_is_no_run() {
    let schema = serde_json::to_value(schemars::schema_for!(cmcomply::evidence::Run)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&serde_json::json!({})));
    assert!(!validator.is_valid(&serde_json::json!({ "format": "cmcomply.run/1" })));
}

fn schema(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap();
    text.push('\n');
    text
}
