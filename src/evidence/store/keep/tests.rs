use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::{Check, StoreProblem};
use super::*;
use crate::catalog::{Catalog, CatalogRole};
use crate::evidence::{CatalogRecord, Moments, Outcome, RUN_FORMAT, RunSettings, Tool};
use crate::site::{Connection, Facts, SqlCertificate, SqlSignIn, UnknownWhy};
use crate::vantage::Vantage;

/// A run of nothing that began in that second.
fn run(second: i64) -> Run {
    let connection = Connection {
        server: "sql01.contoso.com".to_owned(),
        database: "CM_PS1".to_owned(),
        server_version: None,
        certificate: SqlCertificate::NotChecked,
        sign_in: SqlSignIn::WindowsCurrent,
    };
    let facts = Facts::unknown(connection, UnknownWhy::NotPermitted, "SELECT was denied");
    let at = jiff::Timestamp::from_second(1_800_000_000 + second).unwrap();
    Run {
        format: RUN_FORMAT.to_owned(),
        tool: Tool::this(),
        redacted: false,
        moments: Moments { started: at, facts_read: at, finished: at },
        settings: RunSettings {
            target_version: None,
            from_here: false,
            remote: false,
            retired: false,
            dns_server: None,
            connect_to: vec![],
            extra_roots: vec![],
            public_roots: vec![],
            stated_proxies: std::collections::BTreeMap::new(),
            stage_timeout_ms: 1,
            deadline_ms: 1,
            retries: 0,
        },
        outcome: Outcome::of(&facts, &[], None),
        vantage: Vantage::local(CatalogRole::Client.title()),
        vantages: vec![],
        catalog: CatalogRecord::of(Catalog::embedded(), &[]),
        facts,
        requirements: vec![],
        probes: vec![],
        observations: vec![],
        revocation_lists: vec![],
        judgements: vec![],
        clients: None,
        waivers: None,
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("runs"));
    (folder, store)
}

fn part() -> Vec<Part> {
    vec![Part { name: "report.txt".to_owned(), bytes: b"a report".to_vec() }]
}

fn sound(store: &Store, runs: usize) {
    let verification = store.verify(&Check::default()).unwrap();
    assert_eq!(verification.findings, []);
    assert_eq!(verification.runs.len(), runs);
}

/// How many steps a run takes.
fn steps() -> usize {
    let (_folder, store) = store();
    let count = Cell::new(0);
    let step = |_: &str| {
        count.set(count.get() + 1);
        Ok(())
    };
    store.keep_by_steps(&run(0), &part(), None, &step).unwrap();
    count.get()
}

#[test]
fn runs_follow_each_other() {
    let (_folder, store) = store();
    let first = store.keep(&run(1), &part(), None).unwrap();
    let second = store.keep(&run(2), &part(), None).unwrap();
    assert_ne!(first.sums, second.sums);
    sound(&store, 2);
    let previous = fs::read_to_string(second.folder.join(PREVIOUS)).unwrap();
    assert_eq!(previous, format!("{}  ../{}/SHA256SUMS\n", first.sums, first.run));
    assert_eq!(fs::read(first.folder.join(PREVIOUS)).unwrap(), b"none\n");
    let again = store.keep(&run(2), &part(), None).unwrap_err().to_string();
    assert!(again.contains("already"), "{again}");
    sound(&store, 2);
    assert_eq!(store.find("latest").unwrap().unwrap(), second.run);
}

#[test]
fn a_step_that_fails_leaves_the_store_as_it_was() {
    for failing in 0..steps() {
        let (_folder, store) = store();
        store.keep(&run(1), &part(), None).unwrap();
        let at = Cell::new(0);
        let step = |_: &str| {
            at.set(at.get() + 1);
            if at.get() > failing { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        };
        let kept = store.keep_by_steps(&run(2), &part(), None, &step);
        assert!(store.entries().unwrap().unfinished.is_empty(), "step {failing}");
        // Only the last step comes after the run is there.
        let whole = kept.is_ok_and(|kept| kept.head.is_some());
        assert_eq!(whole, failing + 1 == steps(), "step {failing}");
        sound(&store, if whole { 2 } else { 1 });
        store.keep(&run(3), &part(), None).unwrap();
        sound(&store, if whole { 3 } else { 2 });
    }
}

#[test]
fn a_writer_that_is_stopped_anywhere_leaves_a_store_that_verifies() {
    for failing in 0..steps() {
        let (_folder, store) = store();
        store.keep(&run(1), &part(), None).unwrap();
        let at = Cell::new(0);
        let step = |_: &str| {
            at.set(at.get() + 1);
            assert!(at.get() <= failing, "stopped here");
            Ok(())
        };
        let ended = catch_unwind(AssertUnwindSafe(|| store.keep_by_steps(&run(2), &part(), None, &step)));
        assert!(ended.is_err());
        let whole = failing + 1 == steps();
        sound(&store, if whole { 2 } else { 1 });
        store.keep(&run(3), &part(), None).unwrap();
        assert!(store.entries().unwrap().unfinished.is_empty(), "step {failing}");
        sound(&store, if whole { 3 } else { 2 });
    }
}

#[test]
fn what_follows_a_run_that_is_gone_says_so_for_good() {
    let (_folder, store) = store();
    store.keep(&run(1), &part(), None).unwrap();
    let gone = store.keep(&run(2), &part(), None).unwrap();
    fs::remove_dir_all(&gone.folder).unwrap();
    store.keep(&run(3), &part(), None).unwrap();
    let findings = store.verify(&Check::default()).unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].problem, &findings[0].run), (StoreProblem::RemovedRun, &Some(gone.run)));
}
