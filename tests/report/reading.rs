//! Run documents that are no good: each is refused with its reason.

use cmcomply::assess::{Judgement, Verdict};
use cmcomply::evidence::{Run, Tally};
use serde_json::{Value, json};

use super::sample;

fn document() -> Value {
    serde_json::to_value(sample::run()).unwrap()
}

fn refused(edit: impl Fn(&mut Value)) -> String {
    let mut document = document();
    edit(&mut document);
    Run::parse("run.json", document.to_string().as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_was_written_is_read_back() {
    for run in sample::hostile().into_iter().chain([sample::run(), sample::empty()]) {
        let bytes = run.to_json().unwrap();
        assert_eq!(Run::parse("run.json", &bytes).unwrap(), run);
        let marked = [b"\xef\xbb\xbf", bytes.as_slice()].concat();
        assert_eq!(Run::parse("run.json", &marked).unwrap(), run, "an editor's byte order mark");
    }
}

#[test]
fn what_is_no_run_is_refused() {
    let refused = |bytes: &[u8]| Run::parse("run.json", bytes).unwrap_err().to_string();
    assert!(refused(b"").contains("damaged"));
    assert!(refused(b"\xff\xfe\0").contains("damaged"));
    assert!(refused("[".repeat(100_000).as_bytes()).contains("damaged"));
    assert!(
        refused(b"{\"format\":\"cmcomply.run/2\\u001b[2J\"}").contains("cmcomply.run/2\\u{1b}[2J; this version reads")
    );
    assert!(refused(b"{\"format\":\"cmcomply.snapshot/1\"}").contains("cmcomply.snapshot/1"));
    let whole = sample::run().to_json().unwrap();
    assert!(refused(&whole[..whole.len() / 2]).contains("damaged: EOF"), "cut off");
}

#[test]
fn a_missing_part_or_a_wrong_value_is_named() {
    for part in [
        "tool",
        "moments",
        "settings",
        "outcome",
        "vantage",
        "catalog",
        "facts",
        "requirements",
        "probes",
        "observations",
        "revocation_lists",
        "judgements",
    ] {
        let said = refused(|run| {
            run.as_object_mut().unwrap().remove(part);
        });
        assert!(said.contains(&format!("missing field `{part}`")), "{said}");
    }
    let said = refused(|run| run["judgements"][0]["verdict"] = json!("fine"));
    assert!(said.contains("unknown variant `fine`"), "{said}");
    let said =
        refused(|run| run["requirements"][0]["subject"] = json!({ "kind": "host", "site": "PS1", "host": "a b" }));
    assert!(said.contains("damaged"), "{said}");
}

#[test]
fn what_this_version_would_leave_out_is_named() {
    let said = refused(|run| run["exceptions"] = json!([{ "id": "W-1" }]));
    assert!(said.contains("`exceptions`"), "{said}");
    let said = refused(|run| run["judgements"][3]["cuase"] = json!("x"));
    assert!(said.contains("`judgements[3].cuase`"), "{said}");
}

#[test]
fn an_edited_verdict_is_found() {
    let green = |run: &mut Value, at: usize| {
        run["judgements"][at]["verdict"] = json!("pass");
    };
    // The sample begins with three failures that count.
    assert!(refused(|run| green(run, 0)).contains("contradicts itself"), "seen otherwise");
    let said = refused(|run| {
        run["outcome"]["tally"]["required"]["fail"] = json!(2);
    });
    assert!(said.contains("counts"), "{said}");
    assert!(refused(|run| run["outcome"]["non_compliant"] = json!(false)).contains("outcome"));
    assert!(refused(|run| run["outcome"]["incomplete"] = json!([])).contains("complete"));
    let waive = |run: &mut Value| {
        run["judgements"][0]["verdict"] = json!("waived");
        run["outcome"]["tally"]["required"]["waived"] = json!(3);
    };
    assert!(refused(waive).contains("no waiver of the run says so"));
    let counted = |run: &mut Value| {
        waive(run);
        run["judgements"][0]["waiver"] = json!("W-0007");
    };
    assert!(refused(counted).contains("counts"), "one count was forgotten");
}

/// Whoever edits a verdict can edit the counts too.
#[test]
fn a_verdict_that_does_not_fit_what_was_derived_is_found() {
    let edited = |edit: &dyn Fn(&mut Value)| {
        refused(|run| {
            edit(run);
            let judgements: Vec<Judgement> = serde_json::from_value(run["judgements"].clone()).unwrap();
            let tally = Tally::of(&judgements);
            run["outcome"]["non_compliant"] = json!(tally.required.get(&Verdict::Fail).is_some_and(|n| *n > 0));
            run["outcome"]["tally"] = serde_json::to_value(tally).unwrap();
        })
    };
    let all = |run: &mut Value, field: &str, from: &str, to: &str| {
        for judgement in run["judgements"].as_array_mut().unwrap() {
            if judgement[field] == from {
                judgement[field] = json!(to);
            }
        }
    };
    let said = edited(&|run| all(run, "verdict", "fail", "not_applicable"));
    assert!(said.contains("its verdict says that it is not needed"), "{said}");
    let said = edited(&|run| all(run, "grade", "required", "advisory"));
    assert!(said.contains("is not the one of its entry"), "{said}");
    let said = edited(&|run| {
        run["outcome"]["incomplete"] = json!([]);
        run["facts"]["sites"] = json!({ "state": "unknown", "why": "not_visible", "detail": "x" });
        let needed = |one: &Value| one["verdict"] != "not_observed" && one["verdict"] != "error";
        let kept: Vec<bool> = run["judgements"].as_array().unwrap().iter().map(needed).collect();
        for list in ["judgements", "requirements"] {
            let mut kept = kept.iter();
            run[list].as_array_mut().unwrap().retain(|_| *kept.next().unwrap());
        }
    });
    assert!(said.contains("facts are unknown, and the outcome says complete"), "{said}");
}

#[test]
fn a_grade_that_was_made_better_is_found() {
    let said = refused(|run| run["judgements"][0]["evidence_grade"] = json!("A"));
    assert!(said.contains("is not the one of its vantage"), "{said}");
    let said = refused(|run| run["judgements"][0]["vantage"] = json!(9));
    assert!(said.contains("not in the run"), "{said}");
    // A pass on evidence that proves nothing, in both places.
    let said = refused(|run| {
        for looked in run["vantages"][1]["looks_for"].as_array_mut().unwrap() {
            looked["grade"] = json!("D");
        }
        for judgement in run["judgements"].as_array_mut().unwrap() {
            if judgement.get("evidence_grade").is_some() {
                judgement["evidence_grade"] = json!("D");
            }
        }
    });
    assert!(said.contains("its evidence proves nothing"), "{said}");
}

#[test]
fn parts_that_do_not_belong_together_are_found() {
    let said = refused(|run| {
        run["judgements"].as_array_mut().unwrap().pop();
    });
    assert!(said.contains("28 judgements for 29 requirements"), "{said}");
    assert!(refused(|run| run["judgements"].as_array_mut().unwrap().swap(0, 1)).contains("stands where"));
    let said = refused(|run| run["observations"] = json!([]));
    assert!(said.contains("nothing shows that it was reached"), "{said}");
    // Stages that were left out, or are in order without a trace.
    for stage in [json!({ "outcome": "not_needed" }), json!({ "outcome": "ok" })] {
        for name in ["name", "tcp", "tls", "trust", "http"] {
            let said = refused(|run| {
                for seen in run["observations"].as_array_mut().unwrap() {
                    seen[name] = stage.clone();
                }
            });
            assert!(said.contains("nothing shows that it was reached"), "{name} {stage}: {said}");
        }
    }
    assert!(refused(|run| run["probes"] = json!([])).contains("not among the probes"));
}
