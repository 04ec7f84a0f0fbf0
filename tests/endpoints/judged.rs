//! What the program writes as JSON, judged by software that nobody here wrote.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Place;

/// The documents, how each is made, and the name of its schema. The run of the audit is judged elsewhere.
const DOCUMENTS: [(&[&str], &str); 11] = [
    (&["endpoints", "--snapshot=site.json", "--format=json"], "endpoints"),
    (&["endpoints", "--snapshot=site.json", "--assume=cmg-instances=3", "--format=json"], "endpoints"),
    (&["endpoints", "--snapshot=site.json", "--check-against=allowed.txt", "--format=json"], "allow-list"),
    (&["explain", "go.microsoft.com", "--snapshot=site.json", "--format=json"], "explanation"),
    (&["explain", "*.fabrikam.com", "--snapshot=site.json", "--format=json"], "explanation"),
    (&["catalog", "list", "--format=json"], "catalog-entries"),
    (&["catalog", "show", "cmgcp-service-name", "--format=json"], "catalog-entry"),
    (&["catalog", "diff", "page.txt", "--format=json"], "page-diff"),
    (&["catalog", "lint", "--format=json"], "catalog-lint"),
    (&["queries", "--format=json"], "queries"),
    (&["compare", "run.json", "run.json", "--format=json"], "comparison"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_document_is_what_its_schema_says() {
    let place = Place::contoso().await;
    place.write("allowed.txt", "go.microsoft.com\nold.contoso.com:*\n*.microsoft.com\n10.0.0.0/8\n");
    place.write(
        "page.txt",
        "# Internet access requirements\n\n## Updates and servicing\n\n- `go.microsoft.com`\n- `new.contoso.com`\n",
    );
    let audit = [
        "audit",
        "--snapshot=site.json",
        "--output=run.json",
        "--dns-server=127.0.0.1:9",
        "--deadline=1",
        "--stage-timeout=1",
    ];
    place.run(&audit).await;
    place.run(&["audit", "--snapshot=site.json", "--plan-only=plan.json"]).await;
    let mut documents = vec![("site.json".to_owned(), "snapshot"), ("plan.json".to_owned(), "plan")];
    documents.push(("run.json".to_owned(), "run"));
    for (number, (arguments, schema)) in DOCUMENTS.into_iter().enumerate() {
        let done = place.run(arguments).await;
        assert!(done.code != 2 && done.out.starts_with(['{', '[']), "{arguments:?}: {}{}", done.out, done.err);
        let name = format!("{number}.json");
        place.write(&name, &done.out);
        documents.push((name, schema));
    }
    for (name, schema) in &documents {
        // First by the validator among our own dependencies, on any machine.
        let text = std::fs::read_to_string(schema_file(schema)).unwrap();
        let schema = serde_json::from_str(&text).unwrap();
        let document = serde_json::from_str(&place.read(name)).unwrap();
        jsonschema::validate(&schema, &document).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let runs = Command::new("python3").args(["-c", "import check_jsonschema"]).stderr(Stdio::null()).status();
    if !runs.is_ok_and(|status| status.success()) {
        return skipped("no check-jsonschema (PyPI) here, so it did not judge the documents");
    }
    for (name, schema) in &documents {
        let ask = |file: &str| {
            let mut check = Command::new("python3");
            check.args(["-m", "check_jsonschema", "--schemafile"]).arg(schema_file(schema)).arg(file);
            check.current_dir(place.folder.path()).output().unwrap()
        };
        let answer = ask(name);
        assert!(answer.status.success(), "{name}, {schema}: {}", String::from_utf8_lossy(&answer.stdout));
        place.write("wrong.json", "[{\"format\": 1}]");
        assert!(!ask("wrong.json").status.success(), "{schema} refuses nothing");
    }
}

fn schema_file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"))
}

/// Says what was skipped, past the capture of test output; fails where nothing may be.
fn skipped(what: &str) {
    assert!(std::env::var_os("CMCOMPLY_NOTHING_SKIPPED").is_none_or(|set| set != "1"), "{what}");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {what}\n").as_bytes());
}
