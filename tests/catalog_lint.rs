//! The catalog's loader and lint against each kind of mistake.

use std::collections::{BTreeMap, BTreeSet};

use cmcomply::catalog::{Catalog, CatalogError, Rule};
use jiff::civil::Date;
use serde::Deserialize;

const SAMPLE: [(&str, &str); 6] = [
    ("addresses.toml", include_str!("catalog/sample/addresses.toml")),
    ("catalog.toml", include_str!("catalog/sample/catalog.toml")),
    ("retirements.toml", include_str!("catalog/sample/retirements.toml")),
    ("roots.toml", include_str!("catalog/sample/roots.toml")),
    ("sample.toml", include_str!("catalog/sample/sample.toml")),
    ("versions.toml", include_str!("catalog/sample/versions.toml")),
];

/// The day on which the sample is read.
const TODAY: Date = jiff::civil::date(2026, 11, 25);

/// See `catalog/mistakes.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    rule: String,
    #[serde(default = "sample_file")]
    file: String,
    entry: Option<String>,
    find: String,
    replace: String,
    at: Option<String>,
}

#[derive(Deserialize)]
struct Mistakes {
    mistake: Vec<Mistake>,
}

fn sample_file() -> String {
    "sample.toml".to_owned()
}

fn mistakes() -> Vec<Mistake> {
    toml::from_str::<Mistakes>(include_str!("catalog/mistakes.toml")).expect("the list of mistakes").mistake
}

type Files = BTreeMap<String, String>;

fn sample() -> Files {
    SAMPLE.map(|(name, text)| (name.to_owned(), text.replace("\r\n", "\n"))).into()
}

fn load(files: &Files) -> Result<Catalog, Vec<CatalogError>> {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Catalog::from_files(&files, TODAY)
}

/// Makes the mistake, and gives the line at which it must be seen.
fn make(mistake: &Mistake, files: &mut Files) -> usize {
    let text = files.get_mut(&mistake.file).expect("a file of the sample");
    let id = mistake.entry.as_ref().map(|entry| format!("id = \"{entry}\""));
    let from = id.map_or(0, |id| text.find(&id).unwrap_or_else(|| panic!("no {id}")));
    let at = from + text[from..].find(&mistake.find).unwrap_or_else(|| panic!("no `{}`", mistake.find));
    text.replace_range(at..at + mistake.find.len(), &mistake.replace);
    let seen =
        mistake.at.as_deref().unwrap_or_else(|| mistake.replace.lines().next().expect("`at`, where nothing is left"));
    let start = text[..from].rfind('\n').map_or(0, |end| end + 1);
    let offset = text[start..].find(seen).unwrap_or_else(|| panic!("no `{seen}`"));
    1 + text[..start + offset].matches('\n').count()
}

#[test]
fn the_sample_is_good() {
    let catalog = load(&sample()).unwrap();
    assert_eq!(catalog.entries.len(), 9);
    assert_eq!((catalog.releases.len(), catalog.roots.len(), catalog.ranges.len()), (2, 2, 1));
    assert!(catalog.entries.iter().all(|entry| entry.section == "Sample"));
}

#[test]
fn each_mistake_is_found_at_its_line_and_nothing_else() {
    let mut wrong = Vec::new();
    for mistake in mistakes() {
        let mut files = sample();
        let line = make(&mistake, &mut files);
        let errors = load(&files).err().unwrap_or_default();
        let found: Vec<(&str, &str, usize)> =
            errors.iter().map(|error| (error.rule.code(), error.file.as_str(), error.line)).collect();
        let expected = [(mistake.rule.as_str(), mistake.file.as_str(), line)];
        let named = mistake.entry.is_none()
            || errors.iter().all(|error| error.entry.is_some() || error.what.starts_with("not TOML"));
        if found != expected || !named {
            wrong.push(format!("`{}` for `{}`: expected {expected:?}, {errors:#?}", mistake.replace, mistake.find));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_has_a_mistake() {
    let mut tried: BTreeSet<String> = mistakes().into_iter().map(|mistake| mistake.rule).collect();
    // Only own entries can break this one: see `an_own_entry_that_says_nothing_new_is_told`.
    assert!(tried.insert(Rule::Repeats.code().to_owned()));
    // And this one: see `own_entries_follow_the_same_rules`.
    assert!(tried.insert(Rule::Reused.code().to_owned()));
    let rules: BTreeSet<String> = Rule::ALL.iter().map(|rule| rule.code().to_owned()).collect();
    assert_eq!(tried, rules);
    assert_eq!(rules.len(), Rule::ALL.len(), "two rules have one code");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_files_and_lines() {
    let mut files = sample();
    let chosen = ["text", "endpoint", "successor", "retired-tier"];
    for code in chosen {
        let mistakes = mistakes();
        make(
            mistakes.iter().rfind(|m| m.rule == code && m.file == "sample.toml" && m.entry.is_some()).unwrap(),
            &mut files,
        );
    }
    files.insert("broken.toml".to_owned(), "section = ".to_owned());
    let errors = load(&files).unwrap_err();
    assert_eq!(errors.len(), 5, "{errors:#?}");
    assert_eq!((errors[0].file.as_str(), errors[0].rule), ("broken.toml", Rule::Syntax));
    assert!(errors.is_sorted_by_key(|error| (error.file.clone(), error.line)));
    let codes: BTreeSet<&str> = errors[1..].iter().map(|error| error.rule.code()).collect();
    assert_eq!(codes, chosen.into());
}

#[test]
fn an_error_says_where_what_and_what_to_do() {
    let mut files = sample();
    let text = files.get_mut("sample.toml").unwrap();
    *text = text.replace("\"w.contoso.com\"", "\"contoso.com\"");
    assert_eq!(
        load(&files).unwrap_err()[0].to_string(),
        "sample.toml:31: entry `wild`: `contoso.com` does not belong to `*.contoso.com`; name a host that the pattern \
         matches, or use class `related` [representative-outside]"
    );
}

#[test]
fn missing_and_double_files_are_told() {
    let told = |files: &[(&str, &str)]| -> Vec<String> {
        let errors = Catalog::from_files(files, TODAY).unwrap_err();
        assert!(errors.iter().all(|error| error.line > 0));
        errors.iter().filter(|e| e.rule == Rule::File).map(|e| format!("{}: {}", e.file, e.what)).collect()
    };
    assert_eq!(told(&[]), ["catalog.toml: the file is missing", "versions.toml: the file is missing"]);
    assert_eq!(told(&SAMPLE[..5]), ["versions.toml: the file is missing"]);
    let twice: Vec<_> = SAMPLE.iter().copied().chain([SAMPLE[4]]).collect();
    assert_eq!(told(&twice), ["sample.toml: the file is given twice"]);
}

#[test]
fn hostile_text_comes_out_inert() {
    let bad = "\\u001b[2J\\u202e";
    for (find, file) in [("id = \"host\"", "id = \"BAD\""), ("/x", "BAD"), ("a.contoso.com", "BAD"), ("Here", "BAD")] {
        let mut files = sample();
        let text = files.get_mut("sample.toml").unwrap();
        *text = text.replacen(find, &file.replace("BAD", bad), 1);
        let errors: Vec<String> = load(&files).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(errors.iter().all(|error| !error.contains(['\u{1b}', '\u{202e}', '\n'])), "{errors:?}");
        assert!(errors.iter().any(|error| error.contains("u{1b}") || error.contains("U+001B")), "{errors:?}");
    }
    let deep = format!("section = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut files = sample();
    files.insert("\u{1b}deep.toml".to_owned(), deep);
    let errors = load(&files).unwrap_err();
    assert!(errors.iter().all(|error| error.rule == Rule::Syntax && error.file == "\\u{1b}deep.toml"), "{errors:?}");
}

#[test]
fn the_example_of_the_readme_is_good() {
    let readme = include_str!("../catalog/README.md").replace("\r\n", "\n");
    let (_, example) = readme.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let mut files = sample();
    files.insert("example.toml".to_owned(), example.to_owned());
    let catalog = load(&files).unwrap();
    assert_eq!(catalog.entries[0].section, "Updates and servicing");
    assert_eq!(catalog.entries.len(), 10);
}

const OWN: &str = r#"
section = "Contoso"

[[entry]]
id = "contoso-proxy-pac"
roles = ["client"]
endpoint = "pac.contoso.com"
scheme = "http"
ports = [80]
clouds = ["public", "us-government"]
when = "always"
context = "client-system"
tier = "required"
status = "active"
sources = [{ document = "contoso", section = "Proxies", date = "2026-01-31" }]

[[entry]]
id = "updates-cmbitsstore"
roles = ["service-connection-point"]
endpoint = "cmbitsstore.blob.core.windows.net"
scheme = "https"
ports = [8443]
clouds = ["public", "us-government"]
when = "scp.online"
context = "site-system-proxy"
tier = "required"
status = "active"
sources = [{ document = "contoso", section = "Mirrors", date = "2026-01-31" }]
"#;

const OWN_HEAD: &str = r#"
format = 1
version = "contoso-7"
as_of = "2026-01-31"

[documents.contoso]
title = "Network handbook"
url = "https://docs.contoso.com/handbook"
"#;

#[test]
fn own_entries_add_and_override() {
    let embedded = Catalog::embedded();
    let own = Catalog::with_own("own", &[("catalog.toml", OWN_HEAD), ("extra.toml", OWN)], TODAY).unwrap();
    assert_eq!(own.entries.len(), embedded.entries.len() + 1);
    assert_eq!(own.version, format!("{}+contoso-7", embedded.version));
    assert_ne!(own.sha256, embedded.sha256);
    let entry = |catalog: &Catalog, id: &str| {
        catalog.entry(&cmcomply::catalog::EntryId(id.to_owned())).map(|e| format!("{}:{}", e.endpoint, e.ports))
    };
    assert_eq!(entry(&own, "updates-cmbitsstore").as_deref(), Some("cmbitsstore.blob.core.windows.net:8443"));
    assert_eq!(entry(embedded, "updates-cmbitsstore").as_deref(), Some("cmbitsstore.blob.core.windows.net:443"));
    assert_eq!(entry(&own, "contoso-proxy-pac").as_deref(), Some("pac.contoso.com:80"));
    assert_eq!(own.overridden, [cmcomply::catalog::EntryId("updates-cmbitsstore".to_owned())]);
    assert_eq!(own.documents["contoso"].title, "Network handbook");
    assert_eq!(own.releases, embedded.releases);
    // The hash is that of the content, not of the folder.
    let elsewhere = Catalog::with_own("elsewhere", &[("extra.toml", OWN), ("catalog.toml", OWN_HEAD)], TODAY).unwrap();
    assert_eq!(elsewhere, own);
}

#[test]
fn own_entries_follow_the_same_rules() {
    let told = |own: &str| -> Vec<String> {
        let files = [("catalog.toml", OWN_HEAD), ("extra.toml", own)];
        let errors = Catalog::with_own("own", &files, TODAY).err().unwrap_or_default();
        errors.iter().map(|error| format!("{}:{} {}", error.file, error.line, error.rule.code())).collect()
    };
    assert_eq!(told(OWN), [""; 0]);
    assert_eq!(
        told(
            &OWN.replace("document = \"contoso\", section = \"Proxies\"", "document = \"cont\", section = \"Proxies\"")
        ),
        ["own/extra.toml:15 document"]
    );
    assert_eq!(told(&OWN.replace("pac.contoso.com", "pac contoso.com")), ["own/extra.toml:7 endpoint"]);
    assert_eq!(
        told(&OWN.replace("contoso-proxy-pac", "updates-cmbitsstore")),
        ["own/extra.toml:5 reused-id", "own/extra.toml:18 duplicate"]
    );
    // An id means one endpoint for ever, also where it is retired.
    let reused = OWN.replace("contoso-proxy-pac", "store-images-microsoft-com");
    assert_eq!(told(&reused), ["own/extra.toml:5 reused-id"]);
    // What the catalog in this program says already needs no second entry.
    let again = OWN
        .replace("cmbitsstore.blob.core.windows.net", "download.microsoft.com")
        .replace("8443", "443")
        .replace("updates-cmbitsstore", "again")
        .replace("\"Contoso\"", "\"Updates and servicing\"");
    assert_eq!(told(&again), ["own/extra.toml:20 contradiction"]);
    // The day on which it is read is the last that a source may have; the program's own entries have been judged.
    assert_eq!(
        told(&OWN.replace("Proxies\", date = \"2026-01-31\"", "Proxies\", date = \"2026-11-26\"")),
        ["own/extra.toml:15 future"]
    );
    // An entry that others are replaced by may not go.
    let gone = OWN
        .replace("updates-cmbitsstore", "updates-configmgrbits-cdn-manage-microsoft-com")
        .replace("cmbitsstore.blob.core.windows.net", "configmgrbits.cdn.manage.microsoft.com")
        .replace(
            "\"required\"\nstatus = \"active\"\nsources = [{ document = \"contoso\", section = \"Mirrors\"",
            "\"advisory\"\nstatus = \"retired\"\nsources = [{ document = \"contoso\", section = \"Mirrors\"",
        );
    let errors = told(&gone);
    assert!(
        errors.len() == 1 && errors[0].starts_with("updates-and-servicing.toml:") && errors[0].ends_with("successor"),
        "{errors:?}"
    );
}

/// One of the program's own entries on updates and servicing, as its file has it.
fn built_in(id: &str) -> String {
    let file = include_str!("../catalog/updates-and-servicing.toml").replace("\r\n", "\n");
    let start = file.find(&format!("[[entry]]\nid = \"{id}\"")).expect("an entry of this file");
    let end = file[start + 1..].find("[[entry]]").map_or(file.len(), |end| start + 1 + end);
    file[start..end].to_owned()
}

#[test]
fn an_own_entry_that_says_nothing_new_is_told() {
    let told = |section: &str, entry: &str| -> Vec<String> {
        let own = format!("section = \"{section}\"\n{entry}");
        let errors = Catalog::with_own("own", &[("extra.toml", &own)], TODAY).err().unwrap_or_default();
        errors.iter().map(|error| format!("{}:{} {}", error.file, error.line, error.rule.code())).collect()
    };
    let entry = built_in("updates-cmbitsstore");
    assert_eq!(told("Updates and servicing", &entry), ["own/extra.toml:3 repeats"]);
    // Under another name and in another section too.
    let renamed = entry.replace("updates-cmbitsstore", "contoso-cmbitsstore");
    assert_eq!(told("Contoso", &renamed), ["own/extra.toml:3 repeats"]);
    assert_eq!(told("Contoso", &renamed.replace("\"required\"", "\"critical\"")), [""; 0]);
    // It is the only one of its need where the program's is overridden by something else.
    let moved = entry.replace("ports = [443]", "ports = [8443]");
    assert_eq!(told("Contoso", &format!("{renamed}{moved}")), [""; 0]);
}

#[test]
fn the_catalog_in_this_program_is_judged_by_its_own_day_and_not_by_the_clock() {
    let long_ago = jiff::civil::date(1999, 1, 1);
    let own = "section = \"Contoso\"\n";
    assert!(Catalog::with_own("own", &[("extra.toml", own)], long_ago).is_ok());
    let mut files = sample();
    assert!(load(&files).is_ok());
    let early: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let errors = Catalog::from_files(&early, long_ago).unwrap_err();
    assert!(errors.iter().all(|error| error.rule == Rule::Future) && errors.len() > 9, "{errors:#?}");
    files.retain(|name, _| name != "catalog.toml");
    assert!(load(&files).is_err());
}
