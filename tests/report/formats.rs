//! What each format says, and that nothing in it acts.

use std::collections::HashSet;

use cmcomply::assess::Verdict;
use cmcomply::evidence::Run;
use cmcomply::report::Format;
use serde_json::Value;

use super::{counts, sample};

fn text(format: Format) -> String {
    String::from_utf8(format.render(&sample::run()).unwrap()).unwrap()
}

fn json(format: Format, run: &Run) -> Value {
    serde_json::from_slice(&format.render(run).unwrap()).unwrap()
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    for format in Format::ALL {
        let first = format.render(&sample::run()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(if format == Format::Xlsx { 2100 } else { 0 }));
        assert!(first == format.render(&sample::run()).unwrap(), "{format}");
    }
}

#[test]
fn every_format_says_what_the_evidence_is_worth_and_why_nobody_looked() {
    for format in Format::ALL {
        if format == Format::Xlsx {
            continue; // its cells are those of the CSV
        }
        let text = text(format);
        let worth = match format {
            Format::Json | Format::Hdf => "\"evidence_grade\": \"B\"",
            Format::Csv => ",no,B,cm01.contoso.com,",
            Format::Oscal => "\"name\": \"evidence-grade\"",
            Format::Prometheus => "cmcomply_vantage_used{machine=\"cm01.contoso.com\",kind=\"ssh\"} 1",
            _ => "evidence of grade B",
        };
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(worth), "{format}: {text}");
        let why = match format {
            Format::Csv | Format::Junit => continue, // of requirements, which say it in their cause
            Format::Prometheus => "cmcomply_vantage_used{machine=\"cm02.contoso.com\",kind=\"winrm\"} 0",
            _ => "the account was refused",
        };
        assert!(squeezed.contains(why), "{format}: {text}");
    }
}

#[test]
fn every_format_with_details_has_the_newer_ones_too() {
    for format in [Format::Html, Format::Junit, Format::Oscal, Format::Hdf] {
        let text = text(format);
        for said in ["earlier tries", "AAAA: Filtered", "the proxy is Squid 5.7", "cipher suites"] {
            assert!(text.contains(said), "{format}: {said}");
        }
        // What passed has no details for a pipeline.
        let of_passes = matches!(format, Format::Html | Format::Oscal);
        assert_eq!(text.contains("hop.contoso.com:443/hop"), of_passes, "{format}");
    }
}

#[test]
fn a_row_of_the_csv_says_how_it_was_looked_at() {
    let mut run = sample::run();
    run.settings.target_version = Some("2603".to_owned());
    let rows = counts::csv(&String::from_utf8(Format::Csv.render(&run).unwrap()).unwrap());
    let cell = |row: &Vec<String>, title: &str| {
        row[rows[0].iter().position(|column| column == title).unwrap_or_else(|| panic!("{title}"))].clone()
    };
    let failed = rows.iter().find(|row| row[0] == "FAIL" && row[1] == "required").unwrap();
    let led = rows.iter().find(|row| cell(row, "leads to").starts_with("https://hop.contoso.com:443/hop")).unwrap();
    for (row, title, expected) in [
        (failed, "Configuration Manager shows it in", "dmpdownloader.log"),
        (failed, "proxy context", "site-system-proxy"),
        (failed, "looked at by", "ssh"),
        (failed, "looked at as", "CONTOSO\\audit"),
        (failed, "clock there", "7200 s ahead"),
        (failed, "tries", "2"),
        (failed, "earlier tries", "TCP: refused at first"),
        (failed, "DNS answers", "A: NOERROR, 1 address; AAAA: Filtered, no answer within 5 s"),
        (failed, "addresses", "192.0.2.1"),
        (failed, "proxy product", "Squid 5.7"),
        (failed, "account at the proxy", "CONTOSO\\proxy"),
        (failed, "needed for version", "2603"),
        (failed, "run begun (UTC)", "2026-11-25T08:00:00Z"),
        (led, "leads to", "https://hop.contoso.com:443/hop; ftp://x (not followed: no web address)"),
        (led, "certificate valid through (UTC)", "2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(cell(row, title), expected, "{title}");
    }
    assert!(cell(led, "probes").ends_with("; https://hop.contoso.com:443/hop direct"), "{}", cell(led, "probes"));
}

#[test]
fn the_version_to_update_to_stands_at_the_head() {
    let mut run = sample::run();
    run.settings.target_version = Some("2603".to_owned());
    for format in [Format::Html, Format::Markdown, Format::Oscal, Format::Hdf] {
        let text = String::from_utf8(format.render(&run).unwrap()).unwrap();
        assert!(text.contains("needed after an update to") || text.contains("needed-after-an-update-to"), "{format}");
    }
}

#[test]
fn a_date_that_no_workbook_knows_costs_no_workbook() {
    let mut run = sample::run();
    for seen in &mut run.observations {
        if let Some(tls) = &mut seen.tls.evidence {
            tls.chain[0].not_after = Some("1601-01-01T00:00:00Z".parse().unwrap());
        }
    }
    Format::Xlsx.render(&run).unwrap();
}

#[test]
fn a_chain_of_hops_in_a_circle_ends() {
    let mut run = sample::run();
    let last = run.observations.len() - 1;
    let (first, hop) = (run.observations[0].probe.clone(), run.observations[last].probe.clone());
    run.observations[last].redirected_from = Some(first);
    run.observations[0].redirected_from = Some(hop);
    for format in Format::ALL {
        format.render(&run).unwrap();
    }
}

#[test]
fn names_of_formats_are_read_back() {
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    let error = "pdf\u{1b}".parse::<Format>().unwrap_err().to_string();
    assert!(error.contains("pdf\\u{1b}") && error.contains("html"), "{error}");
}

#[test]
fn hostile_text_acts_nowhere() {
    for run in sample::hostile() {
        for format in Format::ALL {
            let bytes = format.render(&run).unwrap();
            if format == Format::Xlsx {
                continue;
            }
            let text = String::from_utf8(bytes).unwrap();
            let lines = if format == Format::Csv { "\u{feff}\r\n" } else { "\n" };
            let bad = acting(&text, lines);
            assert_eq!(bad, None, "{format}");
        }
    }
}

/// The first character that acts on something, besides these.
pub(crate) fn acting(text: &str, besides: &str) -> Option<char> {
    text.chars().find(|c| {
        !besides.contains(*c)
            && (c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                    | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' | '\u{ffff}'))
    })
}

#[test]
fn html_has_no_element_or_attribute_but_its_own() {
    let known: HashSet<String> = tags(&text(Format::Html)).into_iter().collect();
    for run in sample::hostile() {
        let page = String::from_utf8(Format::Html.render(&run).unwrap()).unwrap();
        for tag in tags(&page) {
            // The class and the target of a link are the program's own.
            assert!(known.contains(&tag) || tag == "span", "{tag}");
        }
        assert!(!page.contains("href=\"javascript") && !page.contains("<script"));
    }
}

/// The names of elements with the names of their attributes.
pub(crate) fn tags(page: &str) -> Vec<String> {
    let body = page.split("</style>").nth(1).unwrap();
    let tags = body.split('<').skip(1).map(|rest| rest.split('>').next().unwrap());
    tags.map(|tag| {
        let names = tag.split('"').step_by(2).collect::<Vec<_>>().join("");
        names.trim().to_owned()
    })
    .collect()
}

#[test]
fn html_explains_itself() {
    let page = text(Format::Html);
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(page.contains("default-src &#39;none&#39;; style-src &#39;sha256-"), "the policy");
    for said in [
        "of 15 endpoints that count, 5 pass, 3 fail, 2 are waived, 4 were not observed, 1 ended in an error",
        "4 required endpoints not observed",
        "certificate was not checked (--trust-server-certificate)",
        "needed because: cm01.contoso.com is service connection point",
        "Internet access requirements, section &quot;Updates and servicing&quot;, 2026-06-08",
        "What to do:",
        "W-0007 until 2027-01-31 (UTC, that day included), met in another way: the updates come from a share",
        "it is needed no more",
        "SELECT was denied",
        "in a directory (LDAP)",
        "12.3 ms",
        "proxy context: site-system-proxy",
        "Configuration Manager shows it in dmpdownloader.log",
        "<strong>earlier tries</strong> failed: TCP: refused at first",
        "(A: NOERROR, 1 address; AAAA: Filtered, no answer within 5 s)",
        "192.0.2.1: of a private network",
        "the proxy is Squid 5.7, signed in as CONTOSO\\proxy by NTLM",
        "for *.contoso.com issued by",
        "issued by a public authority",
        "leads to ftp://x (not followed: no web address)",
        "leads to https://hop.contoso.com:443/hop",
        "https://hop.contoso.com:443/hop direct</code>, where this leads to: <code>https://e",
        "<strong>cipher suites</strong> ok: SUITE_A of TLSv1.3 taken (an alert came); SUITE_B of TLSv1.3 refused",
        "<strong>part of a file</strong> ignored: the whole came",
        "<strong>document</strong> failed: another tenant, status 200, issuer https://sts.contoso.com",
        "<strong>verbs of the gateway</strong> failed: CCM_POST status 403 stopped (a page of a proxy)",
        "<strong>idle connection</strong> failed: 240 s are needed, 200 s were waited: a reset came",
        "by ssh as CONTOSO\\audit: evidence of grade B, from 2026-11-25T08:00:10Z to 2026-11-25T08:00:40Z, its clock 7200 s \
         ahead",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(!page.contains("title=\"") && !page.contains(" src=") && !page.contains(" style="), "no hovering");
}

#[test]
fn no_cell_of_the_csv_is_a_formula() {
    for run in sample::hostile() {
        let rows = counts::csv(&String::from_utf8(Format::Csv.render(&run).unwrap()).unwrap());
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        let formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        assert_eq!(rows.iter().flatten().find(formula), None);
    }
}

#[test]
fn a_pipeline_takes_nothing_unseen_for_fine() {
    let xml = text(Format::Junit);
    // 29 endpoints of which 5 were not seen, and as many reasons as the run has for being incomplete.
    let reasons = sample::run().outcome.incomplete.len();
    let counts = format!("tests=\"{}\" failures=\"3\" errors=\"{}\">", 29 + reasons, 5 + reasons);
    assert!(reasons > 0 && xml.contains(&counts), "{}", &xml[..400]);
    // Waived, not needed, and all that is advisory but the passes.
    assert_eq!(xml.matches("<skipped ").count(), 2 + 1 + 2 + 1 + 3 + 1 + 2);
    assert!(
        xml.contains("message=\"waived: TLS: the connection was cut (waived by W-0007) until 2027-01-31\""),
        "what was observed stays"
    );
    assert!(xml.contains("message=\"FAIL (advisory): "));
}

#[test]
fn a_pipeline_sees_what_was_left_out_where_every_endpoint_is_fine() {
    let mut run = sample::run();
    run.outcome.incomplete = vec!["unknown: site systems (not <visible>)".to_owned()];
    let render = |run: &Run| String::from_utf8(Format::Junit.render(run).unwrap()).unwrap();
    let xml = render(&run);
    let suite = xml.split("<testsuite name=\"completeness\" tests=\"1\" failures=\"0\" errors=\"1\"").nth(1).unwrap();
    assert!(suite.contains("<error type=\"incomplete\" message=\"unknown: site systems (not &lt;visible&gt;)\">"));
    run.outcome.incomplete.clear();
    assert!(!render(&run).contains("completeness"));
}

#[test]
fn heimdall_sees_one_result_for_each_control_and_waives_nothing_away() {
    let document = json(Format::Hdf, &sample::run());
    for control in document["profiles"][0]["controls"].as_array().unwrap() {
        let results = control["results"].as_array().unwrap();
        assert_eq!(results.len(), 1);
        let expected = match control["tags"]["verdict"].as_str().unwrap() {
            "pass" => "passed",
            "fail" | "waived" => "failed",
            "error" => "error",
            _ => "skipped",
        };
        assert_eq!(results[0]["status"], expected);
        assert_eq!(control["impact"] == 0.0, control["tags"]["verdict"] == "not_applicable");
        let waived = control["tags"]["verdict"] == "waived";
        assert_eq!(control["waiver_data"]["skipped_due_to_waiver"] == Value::Bool(false), waived);
    }
    for run in sample::hostile() {
        assert!(!String::from_utf8(Format::Hdf.render(&run).unwrap()).unwrap().contains('<'));
    }
}

#[test]
fn oscal_names_only_what_is_there_and_claims_only_what_was_seen() {
    for run in sample::hostile().into_iter().chain([sample::run(), sample::empty()]) {
        let document = json(Format::Oscal, &run);
        let (mut defined, mut named) = (Vec::new(), Vec::new());
        references(&document, &mut defined, &mut named);
        let unique: HashSet<&String> = defined.iter().collect();
        assert_eq!(unique.len(), defined.len(), "an identifier stands there twice");
        assert_eq!(named.iter().find(|id| !unique.contains(id)), None, "a reference leads nowhere");
    }
    let document = json(Format::Oscal, &sample::run());
    let result = &document["assessment-results"]["results"][0];
    let satisfied = |f: &&Value| f["target"]["status"]["state"] == "satisfied";
    assert_eq!(result["findings"].as_array().unwrap().iter().filter(satisfied).count(), 9);
    assert_eq!(result["findings"].as_array().unwrap().len(), 26, "what is not needed has no objective");
    assert!(result["risks"].to_string().contains("2027-01-31T23:59:59Z"));
    let risks = result["risks"].as_array().unwrap();
    assert_eq!(risks.len(), 10);
    assert_eq!(risks.iter().filter(|risk| risk["status"] == "deviation-approved").count(), 2);
}

/// The identifiers that a document defines, and those that it names.
fn references(value: &Value, defined: &mut Vec<String>, named: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(id) if key == "uuid" => defined.push(id.to_owned()),
                    Some(id) if key.ends_with("-uuid") => named.push(id.to_owned()),
                    Some(id) if key == "href" && id.starts_with('#') => named.push(id[1..].to_owned()),
                    _ => references(value, defined, named),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, defined, named)),
        _ => {}
    }
}

#[test]
fn prometheus_names_every_verdict_also_where_there_is_none() {
    let zero = String::from_utf8(Format::Prometheus.render(&sample::empty()).unwrap()).unwrap();
    assert_eq!(zero.matches("cmcomply_requirements{").count(), 2 * Verdict::ALL.len());
    let text = text(Format::Prometheus);
    assert!(text.contains("cmcomply_run_compliant 0\n") && text.contains("cmcomply_run_exit_code 1\n"), "{text}");
    assert!(text.contains("cmcomply_requirements{grade=\"required\",verdict=\"waived\"} 2\n"), "{text}");
}

#[test]
fn markdown_is_a_summary() {
    insta::assert_snapshot!(text(Format::Markdown).replace(&digest(), "SHA256"));
}

fn digest() -> String {
    let page = text(Format::Prometheus);
    page.split("run_sha256=\"").nth(1).unwrap()[..64].to_owned()
}
