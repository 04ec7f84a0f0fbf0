//! Answers, whole and broken.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::derive::Via;
use crate::evidence::Observations;
use crate::host::{HostName, Scheme};
use crate::plan::{Asks, PlanBounds, PlanDocument, Probe, ProbeId, Target};
use crate::probe::{Checks, FailureCode, Issuance, Outcome, StageName};
use crate::text::hexadecimal;
use crate::vantage::{HostFact, Unreached, UnreachedWhy, VantageKind};

fn plan() -> PlanDocument {
    let host = HostName::parse("a.contoso.internal").unwrap();
    let probe = |scheme: Scheme, via: Via| {
        let target = Target { scheme, host: host.clone(), port: scheme.default_port(), path: "/".to_owned() };
        let id = ProbeId::of(&target, &via);
        Probe { id, target, via, contexts: BTreeSet::new(), requirements: Vec::new(), asks: Asks::default() }
    };
    let bounds =
        PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 64, addresses: 8, retries: 1 };
    let probes = vec![probe(Scheme::Https, Via::Direct), probe(Scheme::Http, Via::Direct)];
    PlanDocument::new(HostName::parse("cm01.contoso.com").ok(), bounds, probes)
}

/// What a script would bring back that reached one endpoint and not the other.
fn seen(plan: &PlanDocument) -> Value {
    let stage = |outcome: &str| json!({ "outcome": outcome });
    let ok = |evidence: Value| json!({ "outcome": "ok", "took_us": 5, "evidence": evidence });
    let address = "10.1.1.1";
    let name = || ok(json!({ "asked": "a.contoso.internal", "resolver": "system", "addresses": [address] }));
    let refused = json!({ "code": "tcp-refused", "detail": "connect to 10.1.1.1:443: \u{1b}[2J" });
    let failed = json!({ "address": "10.1.1.1:443", "took_us": 1, "failure": refused });
    let server = STANDARD.encode("Kestrel\u{1b}[2J");
    let head = json!({ "status": 404, "headers": [{ "name": "server", "value": server }] });
    let planned = serde_json::to_value(plan).unwrap();
    let echo = |index: usize, mut rest: Value| {
        let probe = &planned["probes"][index];
        let fields = rest.as_object_mut().unwrap();
        for (key, from) in [("probe", "id"), ("target", "target"), ("via", "via")] {
            fields.insert(key.to_owned(), probe[from].clone());
        }
        fields.insert("started".to_owned(), json!("2026-11-25T12:00:01.000Z"));
        rest
    };
    let first = json!({
        "name": name(), "connect": stage("not_needed"), "tls": stage("not_tried"), "trust": stage("not_tried"),
        "tcp": { "outcome": "failed", "failure": refused, "evidence": { "attempts": [failed], "untried": 0 } },
        "http": stage("not_tried"),
    });
    let second = json!({
        "name": name(), "connect": stage("not_needed"), "tls": stage("not_needed"), "trust": stage("not_needed"),
        "tcp": ok(json!({ "attempts": [{ "address": "10.1.1.1:80", "took_us": 1 }], "untried": 0 })),
        "http": ok(json!({ "head": head })),
    });
    json!({
        "format": "cmcomply.seen/1", "agent": "cmcomply/0", "plan_sha256": plan.sha256, "plan_host": plan.host,
        "machine": { "os": "windows", "name": "CM01", "domain": "contoso.com", "account": "S-1-5-18" },
        "facts": {
            "proxy.winhttp": { "state": "known", "values": ["http://reader:hunter2@proxy:8080;https=p:1"] },
            "odbc.driver18.version": { "state": "absent" },
            "fips.enabled": { "state": "unreadable", "why": "denied \u{202e}" },
        },
        "bounds": plan.bounds, "interrupted": null, "observations": [echo(0, first), echo(1, second)],
        "started": "2026-11-25T12:00:00.000Z", "finished": "2026-11-25T12:00:10.000Z",
    })
}

/// With its hash.
fn whole(mut document: Value) -> String {
    document.as_object_mut().unwrap().remove("sha256");
    document.sort_all_objects();
    document["sha256"] = json!(hexadecimal(&Sha256::digest(document.to_string())));
    document.to_string()
}

fn marked(document: &str) -> String {
    format!("CMCOMPLY-BEGIN {} CMCOMPLY-END", STANDARD.encode(document))
}

fn asked() -> Asked {
    Asked {
        kind: VantageKind::Winrm,
        sent: Some("2026-11-25T12:00:00Z".parse().unwrap()),
        received: "2026-11-25T12:00:11Z".parse().unwrap(),
        checks: Checks::default(),
    }
}

fn read(stdout: &str) -> Result<Observations, AnswerError> {
    answer(stdout.as_bytes(), &plan(), &asked())
}

/// What is said of a document after a change, its hash made anew.
fn after(change: impl Fn(&mut Value)) -> Result<Observations, AnswerError> {
    let mut document = seen(&plan());
    change(&mut document);
    read(&marked(&whole(document)))
}

#[test]
fn a_whole_answer_is_found_in_whatever_a_shell_prints() {
    let text = whole(seen(&plan()));
    let marked = marked(&text);
    let broken =
        marked.as_bytes().chunks(80).map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join("\r\n");
    let wide = |text: &str| {
        let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        [b"\xff\xfe".as_slice(), &octets].concat()
    };
    let expected = read(&marked).unwrap();
    for said in [
        format!("Welcome to CM01!\r\n#< CLIXML\r\n{marked}\r\n<Objs Version=\"1.1.0.1\">x</Objs>"),
        broken,
        text.clone(),
        format!("\u{feff}{text}\r\n"),
    ] {
        assert_eq!(read(&said).unwrap(), expected);
    }
    assert_eq!(answer(&wide(&text), &plan(), &asked()).unwrap(), expected);
    let (carried, echo) = carried_answer(text.as_bytes(), &Asked { sent: None, ..asked() }).unwrap();
    assert_eq!((carried, echo.fits(&plan())), (expected.clone(), Ok(())));
    assert!(is_answer(text.as_bytes()) && is_answer(marked.as_bytes()) && !is_answer(b"{\"format\":\"other/1\"}"));
    expected.fits(&plan()).unwrap();
    let mut written = Vec::new();
    expected.write(&mut written).unwrap();
    assert_eq!(Observations::parse("seen", &written).unwrap(), expected);
}

#[test]
fn what_was_seen_is_told_in_our_words_and_made_harmless() {
    let told = after(|_| {}).unwrap();
    assert!(told.complete);
    assert_eq!(told.vantage.host.as_ref().unwrap().as_str(), "cm01.contoso.com");
    assert_eq!((told.vantage.os.as_str(), told.account.as_deref()), ("windows", Some("S-1-5-18")));
    let [first, second] = told.observations.as_slice() else { panic!("{told:#?}") };
    let (stage, failure) = first.first_failure().unwrap();
    assert_eq!((stage, failure.code), (StageName::Tcp, FailureCode::TcpRefused));
    assert!(failure.detail.ends_with("\\u{1b}[2J"));
    assert!(second.reached());
    let http = second.http.evidence.as_ref().unwrap();
    assert_eq!((http.status, http.headers[0].value.as_str()), (Some(404), "Kestrel\\u{1b}[2J"));
    let facts = told.host.unwrap();
    assert_eq!(facts["proxy.winhttp"].value(), Some("http://proxy:8080;https=p:1"));
    assert_eq!(facts["odbc.driver18.version"], HostFact::Absent);
    assert!(matches!(&facts["fips.enabled"], HostFact::Unreadable { why } if why == "denied \\u{202e}"));
}

#[test]
fn each_bad_answer_has_its_reason() {
    let text = marked(&whole(seen(&plan())));
    let said = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(said(""), "the answer is not the script's: nothing came");
    assert!(said("'powershell.exe' is not recognized\r\n\u{1b}[2J").contains("not recognized \\u{1b}[2J"));
    for cut in [20, 100, text.len() / 2, text.len() - 3] {
        assert!(matches!(read(&text[..cut]), Err(AnswerError::Cut { .. })), "{cut}");
    }
    assert!(matches!(read(&text.replace("CMCOMPLY-BEGIN ", "CMCOMPLY-BEGIN ?")), Err(AnswerError::Damaged { .. })));
    let changed = whole(seen(&plan())).replace("\"status\":404", "\"status\":200");
    assert!(said(&marked(&changed)).contains("changed after it was made"));
    let large = vec![b' '; MAX_ANSWER + 1];
    assert_eq!(answer(&large, &plan(), &asked()), Err(AnswerError::TooLarge));
    assert!(matches!(after(|d| d["format"] = json!("cmcomply.seen/2")), Err(AnswerError::Format { .. })));
    assert!(matches!(after(|d| d["plan_sha256"] = json!("0")), Err(AnswerError::OtherPlan { .. })));
    assert!(matches!(after(|d| d["machine"]["name"] = json!("CM02")), Err(AnswerError::OtherHost { .. })));
    assert!(matches!(after(|d| d["machine"]["domain"] = json!("fabrikam.com")), Err(AnswerError::OtherHost { .. })));
    assert!(matches!(after(|d| d["machine"]["name"] = json!("$(x)")), Err(AnswerError::OtherHost { .. })));
    assert!(matches!(after(|d| d["extra"] = json!(1)), Err(AnswerError::Damaged { .. })));
    let mode = read("CMCOMPLY-BLOCKED language-mode ConstrainedLanguage\r\n").unwrap_err();
    assert_eq!(mode, AnswerError::LanguageMode { mode: "ConstrainedLanguage".to_owned() });
    assert_eq!(Unreached::from(mode).why, UnreachedWhy::Policy);
    let refused = read(&format!("CMCOMPLY-FAILED compiling {}\r\n", STANDARD.encode("csc.exe: denied"))).unwrap_err();
    assert_eq!(refused, AnswerError::AddType { said: "csc.exe: denied".to_owned() });
    let broke = read(&format!("CMCOMPLY-FAILED running-as-SYSTEM {} \r\n", STANDARD.encode("no rights"))).unwrap_err();
    assert_eq!(broke.to_string(), "the script failed there while running as SYSTEM: no rights");
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    let at = |started: &str, finished: &str| {
        after(|d| {
            d["started"] = json!(started);
            d["finished"] = json!(finished);
        })
    };
    assert!(at("2026-11-25T12:03:00Z", "2026-11-25T12:04:00Z").is_ok());
    assert_eq!(at("2026-11-25T13:00:00Z", "2026-11-25T13:00:11Z"), Err(AnswerError::Clock { seconds: 3600 }));
    assert_eq!(at("2026-11-25T11:00:00Z", "2026-11-25T11:00:10Z"), Err(AnswerError::Clock { seconds: -3600 }));
    assert!(matches!(at("2026-11-25T12:00:05Z", "2026-11-25T12:00:01Z"), Err(AnswerError::Contradicts { .. })));
}

/// A machine that says that all is well shows what it saw.
#[test]
fn nothing_is_green_without_evidence() {
    let contradicts = |change: &dyn Fn(&mut Value)| {
        let result = after(|document| change(&mut document["observations"]));
        assert!(matches!(result, Err(AnswerError::Contradicts { .. })), "{result:#?}");
    };
    let not_needed = || json!({ "outcome": "not_needed" });
    contradicts(&|o| o[1]["http"] = not_needed());
    contradicts(&|o| o[1]["http"] = json!({ "outcome": "ok" }));
    contradicts(&|o| o[1]["tcp"] = not_needed());
    contradicts(&|o| o[1]["name"] = not_needed());
    contradicts(&|o| o[1]["name"]["evidence"]["addresses"] = json!([]));
    contradicts(&|o| o[1]["tcp"]["evidence"]["attempts"] = json!([]));
    contradicts(&|o| o[0] = o[1].clone());
    contradicts(&|o| o[1]["target"]["port"] = json!(81));
    contradicts(&|o| _ = o.as_array_mut().unwrap().pop());
    // TLS that was left out, of an endpoint that has it.
    contradicts(&|o| {
        for stage in ["tcp", "http"] {
            o[0][stage] = o[1][stage].clone();
        }
        o[0]["tls"] = not_needed();
        o[0]["trust"] = not_needed();
    });
    contradicts(&|o| {
        o[0]["tcp"] = o[1]["tcp"].clone();
        o[0]["tls"] = json!({ "outcome": "ok" });
    });
}

/// What does not fit together was not seen so.
#[test]
fn an_answer_about_something_else_is_none() {
    let contradicts = |change: &dyn Fn(&mut Value)| {
        let result = after(|document| change(document));
        assert!(matches!(result, Err(AnswerError::Contradicts { .. })), "{result:#?}");
    };
    contradicts(&|d| d["observations"][1]["name"]["evidence"]["asked"] = json!("b.contoso.internal"));
    contradicts(&|d| d["observations"][1]["tcp"]["evidence"]["attempts"][0]["address"] = json!("10.1.1.1:22"));
    contradicts(&|d| d["observations"][1]["tcp"]["evidence"]["attempts"][0]["address"] = json!("10.1.1.2:80"));
    contradicts(&|d| d["observations"][1]["started"] = json!("1999-01-01T00:00:00Z"));
    // Nobody knows when a file that was carried was asked for: its own times have to fit.
    let mut document = seen(&plan());
    document["started"] = json!("2020-01-01T00:00:00Z");
    let (told, _) = carried_answer(whole(document).as_bytes(), &Asked { sent: None, ..asked() }).unwrap();
    assert!(told.fits(&plan()).unwrap_err().contains("deadline"), "it took years");
}

/// The file tells of other endpoints under the names that the plan gives to its own.
#[test]
fn a_carried_answer_repeats_its_plan() {
    let mut document = seen(&plan());
    for one in document["observations"].as_array_mut().unwrap() {
        one["target"]["host"] = json!("localhost.contoso.internal");
    }
    let (_, echo) = carried_answer(whole(document).as_bytes(), &Asked { sent: None, ..asked() }).unwrap();
    assert!(echo.fits(&plan()).unwrap_err().contains("is not what the plan has there"));
}

#[test]
fn a_redirect_to_nowhere_costs_nothing_else() {
    for host in ["a-.contoso.com", "b\u{fc}cher.contoso.com", "foo.123", "x.contoso.com"] {
        let told = after(|document| {
            let mut hop = document["observations"][1].clone();
            (hop["probe"], hop["hop_of"]) = (json!("hop 1"), hop["probe"].clone());
            hop["target"]["host"] = json!(host);
            hop["target"]["port"] = json!(if host.starts_with('x') { 0 } else { 80 });
            let mut next = hop.clone();
            (next["probe"], next["hop_of"]) = (json!("hop 2"), json!("hop 1"));
            next["target"] = document["observations"][1]["target"].clone();
            document["observations"].as_array_mut().unwrap().extend([hop, next]);
        });
        let told = told.unwrap();
        assert!(told.observations.len() == 2 && told.observations[1].reached(), "{host}");
    }
    // What the plan itself names has a target.
    assert!(after(|document| document["observations"][1]["target"]["host"] = json!("a-.contoso.com")).is_err());
}

#[test]
fn what_the_machine_calls_well_is_judged_by_our_tables() {
    let http = |evidence: Value| {
        let told = after(|d| d["observations"][1]["http"]["evidence"] = evidence.clone()).unwrap();
        let http = told.observations[1].http.clone();
        (http.outcome, http.failure.map(|failure| failure.code))
    };
    let header = |name: &str, value: &str| json!({ "name": name, "value": STANDARD.encode(value) });
    let head = |status: u16, headers: Value| json!({ "status": status, "headers": headers });
    let html = || header("content-type", "text/html");
    let page = |words: &str| {
        let mut get = head(200, json!([html()]));
        get["body"] = json!(STANDARD.encode(words));
        json!({ "head": head(200, json!([html()])), "get": get })
    };
    let failed = |code| (Outcome::Failed, Some(code));
    assert_eq!(http(json!({ "head": head(502, json!([])) })), failed(FailureCode::HttpStatus));
    let squid = head(403, json!([header("x-squid-error", "ERR_ACCESS_DENIED 0")]));
    assert_eq!(http(json!({ "head": squid })), failed(FailureCode::HttpBlockPage));
    let away = head(302, json!([header("location", "https://filter.example/")]));
    assert_eq!(http(json!({ "head": away })), failed(FailureCode::HttpBlockPage));
    assert_eq!(http(page("<title>Web Page Blocked</title>")), failed(FailureCode::HttpBlockPage));
    assert_eq!(http(page("<title>Microsoft</title>")).0, Outcome::Ok);
    // A page that needs a look and did not get one is no pass.
    assert_eq!(http(json!({ "head": head(200, json!([html()])) })), failed(FailureCode::Internal));
}

#[test]
fn a_machine_that_only_knows_its_short_name_is_the_host_of_the_plan() {
    assert!(after(|d| d["machine"]["domain"] = json!("")).is_ok());
    assert!(after(|d| d["machine"]["domain"] = Value::Null).is_ok());
}

#[test]
fn a_document_is_what_its_format_says_whatever_a_server_said_in_it() {
    let native = |said: &str| format!("{{\n  \"format\": \"cmcomply.observations/1\",\n  \"server\": \"{said}\"\n}}\n");
    for said in ["CMCOMPLY-FAILED x", "CMCOMPLY-BEGIN x", "CMCOMPLY-BLOCKED language-mode x", "\\\"cmcomply.seen/1\\\""]
    {
        assert!(!is_answer(native(said).as_bytes()), "{said}");
        assert!(is_answer(said.replace('\\', "").as_bytes()), "{said}");
    }
    assert!(is_answer(b" {\"server\": \"cmcomply.observations/1\", \"format\": \"cmcomply.seen/1\"}\r\n"));
}

#[test]
fn facts_hold_no_password_of_a_proxy_however_it_is_written() {
    let fact = |name: &str, value: &str| {
        let told = after(|d| d["facts"] = json!({ name: { "state": "known", "values": [value] } })).unwrap();
        told.host.unwrap()[name].value().unwrap().to_owned()
    };
    let server = |value: &str| fact("proxy.wininet.user.server", value);
    assert_eq!(server("svc:hunter2@proxy:8080"), "proxy:8080");
    assert_eq!(server("http=svc:hunter2@proxy:80;https=p:1"), "http=proxy:80;https=p:1");
    let script = fact("proxy.wininet.user.script", "http://svc:hunter2@wpad/p.pac?sig=hunter2");
    assert!(!script.contains("hunter2"), "{script}");
    assert_eq!(fact("os.title", "Windows? A@B #1"), "Windows? A@B #1", "what is no proxy is left as it is");
}

/// What a machine saw some time ago is judged by the time it had then.
#[test]
fn who_issued_a_chain_is_judged_by_the_clock_there() {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Contoso Root");
    let ca = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["a.contoso.internal".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let leaf = params.signed_by(&rcgen::KeyPair::generate().unwrap(), &ca).unwrap();
    let issuance = |started: &str| {
        let mut document = seen(&plan());
        let ok = |evidence: Value| json!({ "outcome": "ok", "took_us": 5, "evidence": evidence });
        (document["started"], document["finished"]) = (json!(started), json!(started));
        document["observations"][1]["started"] = json!(started);
        let one = &mut document["observations"][0];
        one["started"] = json!(started);
        one["tcp"] = ok(json!({ "attempts": [{ "address": "10.1.1.1:443", "took_us": 1 }], "untried": 0 }));
        one["tls"] = ok(json!({ "version": null, "suite": null, "served": [STANDARD.encode(leaf.der())] }));
        one["trust"] = ok(json!({
            "name_mismatch": false, "chain_errors": false, "no_certificate": false, "status": [], "root": null,
        }));
        one["http"] = ok(json!({ "head": { "status": 404, "headers": [] } }));
        let checks = Checks { public_roots: vec![ca.der().to_vec()], ..Checks::default() };
        let asked = Asked { checks, sent: None, ..asked() };
        let told = answer(marked(&whole(document)).as_bytes(), &plan(), &asked).unwrap();
        told.observations[0].trust.evidence.as_ref().unwrap().issuance
    };
    assert_eq!(issuance("2020-06-01T00:00:00Z"), Some(Issuance::Public));
    assert_ne!(issuance("2022-06-01T00:00:00Z"), Some(Issuance::Public));
}

#[test]
fn what_was_not_gone_through_is_incomplete() {
    let told = after(|d| {
        for stage in ["name", "tcp", "http"] {
            d["observations"][1][stage] = json!({ "outcome": "not_tried" });
        }
        d["interrupted"] = json!("the deadline of the plan");
    });
    let told = told.unwrap();
    assert!(!told.complete && told.observations[1].was_cancelled());
}

proptest! {
    #[test]
    fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".*") {
        let _ = answer(&bytes, &plan(), &asked());
        for before in ["CMCOMPLY-BEGIN ", "CMCOMPLY-FAILED ", "CMCOMPLY-BLOCKED language-mode ", "{\"cmcomply."] {
            let _ = read(&format!("{before}{text} CMCOMPLY-END"));
        }
    }

    #[test]
    fn no_change_of_an_answer_panics(at in 0usize..4000, with in any::<u8>()) {
        let mut text = whole(seen(&plan())).into_bytes();
        let at = at % text.len();
        text[at] = with;
        let changed = String::from_utf8_lossy(&text).into_owned();
        let _ = read(&changed);
        if let Ok(document) = serde_json::from_str::<Value>(&changed) && document.is_object() {
            let _ = read(&whole(document));
        }
    }
}

#[test]
fn a_timestamp_of_the_script_is_one_of_ours() {
    assert!("2026-11-25T12:00:01.000Z".parse::<Timestamp>().is_ok());
}
