//! `cmcomply catalog` as a user runs it, and `--catalog` with folders of all kinds.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cmcomply::catalog::{Catalog, EndpointTemplate, Status};
use tempfile::TempDir;

/// Exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cmcomply")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

const OWN_HEAD: &str = "format = 1\nversion = \"contoso-7\"\nas_of = \"2026-01-31\"\n\n[documents.contoso]\n\
    title = \"Network handbook\"\nurl = \"https://docs.contoso.com/handbook\"\n";

const OWN: &str = r#"section = "Contoso"

[[entry]]
id = "contoso-pac"
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
"#;

fn own() -> TempDir {
    folder(&[("catalog.toml", OWN_HEAD.as_bytes()), ("extra.toml", OWN.as_bytes()), ("notes.txt", b"\xff no catalog")])
}

#[test]
fn list_writes_every_entry_in_each_format() {
    let entries = Catalog::embedded().entries.len();
    let (code, table, _) = run(&["catalog", "list", "--width", "80"]);
    assert_eq!(code, 0);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let (_, wide, _) = run(&["catalog", "list", "--width", "200"]);
    assert!(wide.contains("https://aka.ms/configmgrgateway") && !wide.contains('\u{1b}'), "{wide}");
    assert_eq!(wide.lines().count(), entries + 1);
    let (_, json, _) = run(&["catalog", "list", "--format", "json"]);
    let json: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&json).unwrap();
    assert_eq!(json.len(), entries);
    assert!(json.iter().all(|entry| entry["sources"][0]["date"].is_string() && entry["when"].is_string()));
    let (_, csv, _) = run(&["catalog", "list", "--format", "csv"]);
    assert_eq!(csv.lines().count(), entries + 1);
    assert!(csv.starts_with("\u{feff}id,endpoint,role,when,context,tier,status,section\r\n"), "{csv}");
}

#[test]
fn show_says_everything_or_what_comes_near() {
    let (code, text, _) = run(&["catalog", "show", "mp-login-microsoftonline-com", "--width", "120"]);
    assert_eq!(code, 0);
    for part in ["9146 (2603)", "system-wininet", "{tenant.id}", "Proxy server support", "2026-06-08"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, json, _) = run(&["catalog", "show", "updates-configmgrbits-azureedge-net", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["tls"]["min_version"]), (0, &serde_json::json!("1.2")));
    let (code, out, error) = run(&["catalog", "show", "configmgrbits"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("updates-configmgrbits-azureedge-net"), "{error}");
    let (code, _, error) = run(&["catalog", "show", "\u{1b}[2J"]);
    assert!(code == 2 && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn lint_takes_the_catalog_of_the_repository_as_a_whole_one() {
    let (code, embedded, _) = run(&["catalog", "lint"]);
    assert_eq!(code, 0);
    assert!(embedded.contains(&Catalog::embedded().sha256), "{embedded}");
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog");
    assert_eq!(run(&["catalog", "lint", repository]), (0, embedded, String::new()));
}

#[test]
fn own_entries_are_listed_with_the_others() {
    let own = own();
    let (code, out, error) = run(&["catalog", "lint", &shown(own.path())]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.contains("+contoso-7: "), "{out}");
    let (code, text, _) = run(&["catalog", "show", "contoso-pac", "--catalog", &shown(own.path())]);
    assert!(code == 0 && text.contains("Network handbook"), "{text}");
    let (code, json, _) = run(&["catalog", "list", "--format", "json", "--catalog", &shown(own.path())]);
    assert!(code == 0 && json.contains("pac.contoso.com"));
}

#[test]
fn a_mistake_in_own_entries_has_file_and_line_wherever_they_are_used() {
    let wrong = OWN.replace("when = \"always\"", "when = \"sup.onlin\"").replace("tier = ", "teir = ");
    let own = folder(&[("catalog.toml", OWN_HEAD.as_bytes()), ("extra.toml", wrong.as_bytes())]);
    let path = shown(own.path());
    for arguments in [
        vec!["catalog", "lint", &path],
        vec!["catalog", "list", "--catalog", &path],
        vec!["catalog", "diff", "page.html", "--catalog", &path],
        vec!["audit", "--sql", "sql.contoso.com", "--sql-user", "reader", "--catalog", &path],
    ] {
        let (code, out, error) = run(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(error.starts_with(&format!("{path}/extra.toml:12: entry `contoso-pac`: unknown field")), "{error}");
        assert!(error.contains("[syntax]") && error.contains("1 mistakes in the catalog"), "{error}");
    }
}

#[test]
fn own_entries_in_the_place_of_others_are_told_and_no_id_is_used_again() {
    let retired = Catalog::embedded().entries.iter().find(|entry| entry.status == Status::Retired).unwrap();
    let reused = OWN.replace("contoso-pac", &retired.id.0);
    let files = folder(&[("catalog.toml", OWN_HEAD.as_bytes()), ("extra.toml", reused.as_bytes())]);
    let path = shown(files.path());
    for arguments in [vec!["catalog", "lint", &path], vec!["catalog", "list", "--catalog", &path]] {
        let (code, out, error) = run(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(error.starts_with(&format!("{path}/extra.toml:4: entry `{}`: reused id", retired.id)), "{error}");
    }
    let over = OWN
        .replace("contoso-pac", "updates-cmbitsstore")
        .replace("pac.contoso.com", "cmbitsstore.blob.core.windows.net");
    std::fs::write(files.path().join("extra.toml"), over).unwrap();
    let told = "own entries override those of this program: updates-cmbitsstore";
    let (code, out, _) = run(&["catalog", "lint", &path]);
    assert!(code == 0 && out.contains(told), "{out}");
    let (code, _, error) = run(&["catalog", "list", "--catalog", &path]);
    assert!(code == 0 && error.contains(told), "{error}");
    let (_, json, _) = run(&["catalog", "lint", "--format=json", &path]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["overridden"], serde_json::json!(["updates-cmbitsstore"]));
}

/// The files of a folder, and what is said of it.
type Case<'a> = (&'a [(&'a str, &'a [u8])], &'a str);

#[test]
fn folders_that_are_no_catalog_are_refused() {
    let large = vec![b'#'; (1 << 20) + 1];
    let cases: [Case<'_>; 5] = [
        (&[], "0 files that end in .toml"),
        (&[("a.txt", b"")], "0 files that end in .toml"),
        (&[("a.toml", b"\xff\xfe")], "not text"),
        (&[("a.toml", &large)], "larger than 1 MB"),
        (&[("a.toml", b"section = \"\x1b\"")], "a.toml:1:"),
    ];
    for (files, expected) in cases {
        let folder = folder(files);
        let (code, out, error) = run(&["catalog", "lint", &shown(folder.path())]);
        assert_eq!((code, out.as_str()), (2, ""), "{error}");
        assert!(error.contains(expected) && !error.contains('\u{1b}'), "{expected}: {error}");
    }
    let nowhere = shown(&PathBuf::from("no").join("such"));
    let (code, _, error) = run(&["catalog", "lint", &nowhere]);
    assert!(code == 2 && error.contains("cannot read"), "{error}");
    let inside = TempDir::new().unwrap();
    std::fs::create_dir(inside.path().join("a.toml")).unwrap();
    let (code, _, error) = run(&["catalog", "lint", &shown(inside.path())]);
    assert!(code == 2 && error.contains("no regular file"), "{error}");
}

#[test]
fn lint_tells_its_findings_to_programs_too() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../schema/catalog-lint.schema.json")).unwrap();
    let read = |arguments: &[&str]| -> (i32, serde_json::Value) {
        let (code, out, error) = run(&[&["catalog", "lint", "--format=json"], arguments].concat());
        let document = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
        jsonschema::validate(&schema, &document).unwrap();
        (code, document)
    };
    let (code, good) = read(&[]);
    assert_eq!((code, good["mistakes"].as_array().unwrap().len()), (0, 0));
    assert_eq!(good["version"], Catalog::embedded().version.as_str());
    let bad = folder(&[("a.toml", b"section = \"A\"\n\n[[entry]]\nid = \"a\"\n")]);
    let (code, document) = read(&[&shown(bad.path())]);
    assert_eq!((code, document["mistakes"][0]["line"].as_u64()), (2, Some(3)), "{document:#}");
    assert!(document["version"].is_null() && document["mistakes"][0]["rule"] == "syntax");
    let (code, csv, _) = run(&["catalog", "lint", "--format=csv", &shown(bad.path())]);
    assert!(code == 2 && csv.contains("a.toml") && csv.lines().count() == 2, "{csv}");
    // What is no catalog at all is an error in every format.
    let (code, out, error) = run(&["catalog", "lint", "--format=json", "no-such-folder"]);
    assert!(code == 2 && out.is_empty() && error.contains("cannot read"), "{error}");
}

/// A page that has just what the catalog says of it.
fn page() -> String {
    let mut sections: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in Catalog::embedded().entries.iter().filter(|entry| entry.status != Status::Retired) {
        for source in entry.sources.iter().filter(|source| source.document == "internet-access") {
            let rows = sections.entry(source.section.as_str()).or_default();
            let path = entry.path.as_deref().filter(|path| !path.contains('{')).unwrap_or_default();
            if let EndpointTemplate::Pattern(pattern) = &entry.endpoint {
                rows.push(format!("{}://{pattern}{path}", entry.scheme));
            }
            rows.extend(entry.written.iter().map(|name| format!("{}://{name}", entry.scheme)));
        }
    }
    let introduction = sections.remove("Introduction").unwrap();
    let mut page = format!("Internet access requirements\n{}\n", introduction.join("\n"));
    for (section, rows) in sections {
        let _ = writeln!(page, "{section}\n{}", rows.join("\n"));
    }
    page
}

fn html(page: &str) -> String {
    let headings: Vec<&str> = page.lines().filter(|line| !line.contains("://")).collect();
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let line = |line: &str| {
        if headings.contains(&line) {
            format!("<h2>{line}</h2>\n")
        } else {
            format!("<li><code>{}</code></li>\n", escape(line))
        }
    };
    // What Microsoft Learn has around the text.
    let (title, text) = page.split_once('\n').unwrap();
    format!(
        "<!DOCTYPE html><html><head><title>{title} - Configuration Manager | Microsoft Learn</title></head><body>\
         <nav><a>learn.contoso.com</a></nav><main><h1 id=\"x\">{title}</h1>\
         <button id=\"user-feedback-button\" type=\"button\"><span class=\"icon\"></span><span>Feedback</span></button>\
         <div id=\"notice\" class=\"box\" hidden><div>signin.contoso.com</div></div>\
         <nav id=\"outline\"><h2>In this article</h2><ul><li>Next steps</li></ul></nav>{}\
         <h2>Next steps</h2><p>after.contoso.com</p></main></body></html>",
        text.lines().map(line).collect::<String>()
    )
}

#[test]
fn diff_is_silent_on_a_page_that_says_the_same_and_tells_what_changes() {
    let page = page();
    let files = folder(&[("page.txt", page.as_bytes()), ("page.html", html(&page).as_bytes())]);
    let diff =
        |name: &str, format: &str| run(&["catalog", "diff", &shown(&files.path().join(name)), "--format", format]);
    for name in ["page.txt", "page.html"] {
        let (code, json, error) = diff(name, "json");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((code, error.as_str(), &json["lacking"]), (0, "", &serde_json::json!([])), "{name}: {json}");
        let gone = json["gone"].as_array().unwrap();
        assert!(gone.iter().all(|row| row["status"] == "retired"), "{name}: {gone:?}");
    }
    let changed = page.replacen("http://crl3.digicert.com", "http://crl9.digicert.com", 1);
    std::fs::write(files.path().join("page.txt"), changed).unwrap();
    let (code, json, _) = diff("page.txt", "json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["lacking"][0]["name"]), (1, &serde_json::json!("crl9.digicert.com")));
    assert!(json["gone"].as_array().unwrap().iter().any(|row| row["entry"] == "revocation-crl3-digicert-com"));
    let (code, table, _) = diff("page.txt", "table");
    assert!(code == 1 && table.contains("lacking") && table.contains("1 are lacking"), "{table}");
    let (code, csv, _) = diff("page.txt", "csv");
    assert!(code == 1 && csv.contains("lacking,Tenant attach,http://crl9.digicert.com,,\r\n"), "{csv}");
}

#[test]
fn diff_tells_other_ports_names_of_any_country_and_what_it_does_not_understand() {
    let odd = "https://aka.ms:8443 `update.contoso.cloud` wss://hub.contoso.com {region}.contoso.com";
    let (title, rest) = page().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let files = folder(&[("page.md", format!("# {title}\n{odd}\n{rest}").as_bytes())]);
    let path = shown(&files.path().join("page.md"));
    let (code, json, _) = run(&["catalog", "diff", &path, "--format=json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let texts = |list: &str, key: &str| -> Vec<String> {
        json[list].as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((code, texts("lacking", "name")), (1, vec!["aka.ms".to_owned(), "update.contoso.cloud".to_owned()]));
    assert_eq!(json["lacking"][0]["port"], 8443);
    assert_eq!(texts("not_understood", "text"), ["wss://hub.contoso.com", "{region}.contoso.com"]);
    let (_, csv, _) = run(&["catalog", "diff", &path, "--format=csv"]);
    assert!(csv.contains("lacking,Introduction,https://aka.ms:8443,,\r\n"), "{csv}");
    assert!(csv.contains("not understood,Introduction,wss://hub.contoso.com,,\r\n"), "{csv}");
}

#[test]
fn what_is_no_page_is_refused() {
    let large = vec![b' '; (8 << 20) + 1];
    let files = folder(&[
        ("binary", b"\x7fELF\xff"),
        ("other.html", b"<html><h1>Hello</h1>"),
        ("empty.html", b"<html><h1>Internet access requirements</h1><p>Sign in to see this page.</p>"),
        ("large", &large),
    ]);
    for (name, expected) in [
        ("binary", "not text"),
        ("other.html", "is not there"),
        ("empty.html", "no copy of the documentation page"),
        ("large", "larger than 8 MB"),
        ("missing", "cannot read"),
    ] {
        let (code, out, error) = run(&["catalog", "diff", &shown(&files.path().join(name))]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}");
        assert!(error.contains(expected), "{name}: {error}");
    }
    let hostile = "Internet access requirements\nhttps://a\u{202e}b.com \u{1b}[2Jevil.example.com https://x.example.com/\u{1b}]0;\u{7}";
    std::fs::write(files.path().join("hostile"), hostile).unwrap();
    for format in ["table", "json", "csv"] {
        let (code, out, _) = run(&["catalog", "diff", &shown(&files.path().join("hostile")), "--format", format]);
        assert!(code == 1 && !out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{out}");
    }
}
