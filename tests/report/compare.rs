//! Two runs held against each other, and `cmcomply compare`.

use cmcomply::assess::Verdict;
use cmcomply::catalog::{EntryId, Tier};
use cmcomply::derive::Via;
use cmcomply::evidence::{Change, ChangeCause, ChangeClass, EntryMark, Run, compare};
use cmcomply::probe::{Failure, FailureCode, Outcome, Stage};
use cmcomply::site::{Fact, SiteCode};

use super::sample;

/// Where in the sample a requirement with this verdict stands.
fn with(run: &Run, verdict: Verdict) -> usize {
    run.judgements.iter().position(|judgement| judgement.verdict == verdict).unwrap()
}

/// The row of the requirement at this place of the sample, after the later run was changed like this.
fn row(verdict: Verdict, change: impl Fn(&mut Run, usize)) -> Change {
    let old = sample::run();
    let mut new = sample::run();
    let place = with(&old, verdict);
    change(&mut new, place);
    let id = &old.requirements[place].id;
    compare(&old, &new).rows.into_iter().find(|row| row.requirement == *id).unwrap()
}

/// What the probe of that requirement saw.
fn cut(run: &mut Run, place: usize) {
    let probe = run.judgements[place].probes[0].clone();
    let seen = run.observations.iter_mut().find(|seen| seen.probe == probe).unwrap();
    let failure = Failure { code: FailureCode::TlsReset, detail: "connection reset".to_owned() };
    seen.tls = Stage { outcome: Outcome::Failed, took_us: None, failure: Some(failure), evidence: None };
}

#[test]
fn the_same_run_twice_has_no_change() {
    let comparison = compare(&sample::run(), &sample::run());
    assert_eq!(comparison.rows.len(), sample::run().requirements.len());
    assert!(comparison.rows.iter().all(|row| row.cause.is_none() && row.before == row.after), "{:?}", comparison.rows);
    assert!(!comparison.is_worse() && comparison.limits.is_empty());
    assert!(comparison.rows.iter().any(|row| row.class == ChangeClass::StillPassing));
}

#[test]
fn a_verdict_that_changes_is_on_the_side_of_what_was_seen_or_of_the_rules() {
    let seen = row(Verdict::Pass, |run, place| {
        run.judgements[place].verdict = Verdict::Fail;
        cut(run, place);
    });
    assert_eq!((seen.class, seen.cause), (ChangeClass::NewFailure, Some(ChangeCause::Environment)));
    assert_eq!((seen.before, seen.after), (Some(Verdict::Pass), Some(Verdict::Fail)));
    let judged = row(Verdict::Pass, |run, place| run.judgements[place].verdict = Verdict::Fail);
    assert_eq!((judged.class, judged.cause), (ChangeClass::NewFailure, Some(ChangeCause::Tool)));
    let fixed = row(Verdict::Fail, |run, place| {
        run.judgements[place].verdict = Verdict::Pass;
        let probe = run.judgements[place].probes[0].clone();
        run.observations.iter_mut().find(|seen| seen.probe == probe).unwrap().tls.failure = None;
    });
    assert_eq!((fixed.class, fixed.cause), (ChangeClass::Fixed, Some(ChangeCause::Environment)));
    let waived = row(Verdict::Fail, |run, place| run.judgements[place].verdict = Verdict::Waived);
    assert_eq!((waived.class, waived.cause), (ChangeClass::WaiverStarted, Some(ChangeCause::Waivers)));
    let ended = row(Verdict::Waived, |run, place| run.judgements[place].verdict = Verdict::Fail);
    assert_eq!((ended.class, ended.cause), (ChangeClass::WaiverEnded, Some(ChangeCause::Waivers)));
}

#[test]
fn what_nobody_saw_is_neither_better_nor_worse() {
    for verdict in [Verdict::NotObserved, Verdict::Error] {
        let lost = row(Verdict::Pass, |run, place| run.judgements[place].verdict = verdict);
        assert_eq!(lost.class, ChangeClass::Incomparable, "{verdict:?}");
        let found = row(verdict, |run, place| run.judgements[place].verdict = Verdict::Fail);
        assert_eq!(found.class, ChangeClass::Incomparable, "{verdict:?}");
    }
}

#[test]
fn a_catalog_update_is_no_regression() {
    let weight = row(Verdict::Pass, |run, place| run.requirements[place].tier = Tier::Critical);
    assert_eq!((weight.class, weight.cause), (ChangeClass::RequirementChanged, Some(ChangeCause::Catalog)));
    assert_eq!(weight.notes.len(), 1, "{:?}", weight.notes);
    let route = row(Verdict::Pass, |run, place| run.requirements[place].route.via = Via::Unknown);
    assert_eq!((route.class, route.cause), (ChangeClass::RequirementChanged, Some(ChangeCause::SiteConfig)));

    let without = |run: &mut Run, place: usize| {
        let gone = run.requirements.remove(place).entry;
        run.judgements.remove(place);
        run.catalog.entries.retain(|entry| entry.id != gone);
    };
    let other_site = |run: &mut Run| {
        if let Fact::Known { value, .. } = &mut run.facts.this_site {
            *value = SiteCode::parse("PS9").unwrap();
        }
    };
    for (catalog, site, cause) in [
        (true, false, ChangeCause::Catalog),
        (false, true, ChangeCause::SiteConfig),
        (true, true, ChangeCause::SiteConfigOrCatalog),
    ] {
        let gone = row(Verdict::Pass, |run, place| {
            without(run, place);
            if catalog {
                run.catalog.sha256 = "f".repeat(64);
            }
            if site {
                other_site(run);
            }
        });
        assert_eq!((gone.class, gone.cause), (ChangeClass::NoLongerRequired, Some(cause)));
        assert_eq!((gone.before, gone.after), (Some(Verdict::Pass), None));
    }
}

#[test]
fn another_weight_does_not_break_an_endpoint() {
    let broken = row(Verdict::Pass, |run, place| {
        run.requirements[place].tier = Tier::Critical;
        run.judgements[place].verdict = Verdict::Fail;
        cut(run, place);
    });
    assert_eq!((broken.class, broken.cause), (ChangeClass::NewFailure, Some(ChangeCause::Environment)));
    assert_eq!(broken.notes, ["the tier was required and is critical"]);
    let moved = row(Verdict::Pass, |run, place| {
        run.requirements[place].route.via = Via::Unknown;
        run.judgements[place].verdict = Verdict::Fail;
        cut(run, place);
    });
    assert_eq!((moved.class, moved.cause), (ChangeClass::NewFailure, Some(ChangeCause::SiteConfig)));
}

#[test]
fn a_record_of_the_whole_catalog_tells_a_new_entry_from_one_that_applies_only_now() {
    let mark = |id: &str, hash: &str| EntryMark { id: EntryId(id.to_owned()), sha256: hash.repeat(64) };
    // The entry behind the requirement, as the catalogs of the two runs have it, and whose side it is.
    for (before, after, cause) in [
        (None, Some("a"), ChangeCause::Catalog),
        (Some("a"), None, ChangeCause::Catalog),
        (Some("a"), Some("a"), ChangeCause::SiteConfig),
        (Some("a"), Some("b"), ChangeCause::SiteConfigOrCatalog),
    ] {
        let (mut old, mut new) = (sample::run(), sample::run());
        let entry = new.requirements[0].entry.clone();
        for (run, hash) in [(&mut old, before), (&mut new, after)] {
            run.catalog.all =
                [Some(mark("other", "c")), hash.map(|hash| mark(&entry.0, hash))].into_iter().flatten().collect();
        }
        new.catalog.sha256 = "f".repeat(64);
        new.facts.group_syncs = Fact::Known { value: 7, source: cmcomply::site::Source::of("dbo.X") };
        let id = new.requirements[0].id.clone();
        let (requirements, judgements) = if before.is_none() {
            (&mut old.requirements, &mut old.judgements)
        } else {
            (&mut new.requirements, &mut new.judgements)
        };
        requirements.remove(0);
        judgements.remove(0);
        let row = compare(&old, &new).rows.into_iter().find(|row| row.requirement == id).unwrap();
        assert_eq!(row.cause, Some(cause), "{before:?} {after:?}");
    }
}

#[test]
fn what_is_newly_derived_from_the_same_is_of_the_program() {
    let old = sample::run();
    let mut new = sample::run();
    new.requirements.remove(0);
    new.judgements.remove(0);
    let row = compare(&old, &new).rows.into_iter().find(|row| row.after.is_none()).unwrap();
    assert_eq!((row.class, row.cause), (ChangeClass::NoLongerRequired, Some(ChangeCause::Tool)));
}

#[test]
fn settings_that_change_what_a_run_says_are_limits() {
    let old = sample::run();
    let mut new = sample::run();
    new.settings.stated_proxies.insert("console-user".to_owned(), "direct".to_owned());
    new.settings.target_version = Some("2603".to_owned());
    new.settings.public_roots = vec!["a".repeat(64)];
    let limits = compare(&old, &new).limits.join("\n");
    for part in ["--public-ca-file", "proxies that the operator states", "for the installed version and for 2603"] {
        assert!(limits.contains(part), "{part}: {limits}");
    }
    assert_eq!(limits.lines().count(), 3, "{limits}");
}

#[test]
fn the_command_says_what_became_worse_and_how_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let old = sample::run();
    std::fs::write(folder.path().join("old.json"), old.to_json().unwrap()).unwrap();
    let compare = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        let done = command.current_dir(folder.path()).arg("compare").args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (done.status.code(), text(&done.stdout), text(&done.stderr))
    };
    let (code, same, errors) = compare(&["old.json", "old.json"]);
    assert_eq!((code, errors.as_str()), (Some(3), ""), "what was not observed cannot be compared: {same}");

    let mut new = sample::run();
    let failing = with(&new, Verdict::Fail);
    new.judgements.remove(failing);
    new.requirements.remove(failing);
    let mut counts = cmcomply::evidence::Tally::default();
    for judgement in &new.judgements {
        let of_grade = match judgement.grade {
            cmcomply::assess::Grade::Required => &mut counts.required,
            cmcomply::assess::Grade::Advisory => &mut counts.advisory,
        };
        *of_grade.entry(judgement.verdict).or_default() += 1;
    }
    new.outcome.non_compliant = counts.required.get(&Verdict::Fail).is_some_and(|count| *count > 0);
    new.outcome.tally = counts;
    std::fs::write(folder.path().join("new.json"), new.to_json().unwrap()).unwrap();
    let (code, table, errors) = compare(&["new.json", "old.json", "--format", "csv"]);
    assert_eq!(code, Some(1), "a failure that was not required before: {table}{errors}");
    assert!(table.contains("newly required") && table.contains("fail"), "{table}");
    let (code, json, _) = compare(&["new.json", "old.json", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["format"].as_str()), (Some(1), Some("cmcomply.comparison/1")));
    let (code, _, errors) = compare(&["old.json", "gone.json"]);
    assert!(code == Some(2) && errors.contains("gone.json"), "{errors}");
}
