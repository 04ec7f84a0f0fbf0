//! Answers that break off, never come, or never end.

use std::time::{Duration, Instant};

use cmcomply::site::{ReadError, Secret, SignIn, UnknownWhy, read};
use tokio_util::sync::CancellationToken;

use crate::site_facts::{assert_contoso, known};
use crate::{faulty, lab, variant, why};
use lab::site_database::{self, Fault};

#[tokio::test]
async fn a_connection_cut_in_mid_answer_costs_one_fact() {
    let lab = faulty(Fault::Cut { containing: "management_portal_url".to_owned(), after_rows: 1 }).await;
    let facts = lab.facts().await;
    let (why, detail) = why(&facts.azure_environments);
    assert_eq!(why, UnknownWhy::Cut);
    assert!(detail.starts_with("dbo.AzureEnvironments: the connection broke"), "{detail}");
    assert_eq!(known(&facts.sites).len(), 4);
    assert_eq!(known(&facts.tenants).len(), 1);
    assert_eq!(known(&facts.entra_user_discovery), &true);
    // The batch, the one that breaks again, and the one after it on a third connection.
    let in_site: Vec<_> = lab.database.logins().into_iter().filter(|login| login.database == "CM_CAS").collect();
    assert_eq!(in_site.len(), 3);
}

#[tokio::test]
async fn rows_before_an_error_that_was_cut_off_are_not_the_fact() {
    // The query breaks after the first of two rows, and the connection before anything says so.
    let faults = vec![
        Fault::BreakOff { containing: "management_portal_url".to_owned(), after_rows: 1 },
        Fault::Cut { containing: "error_azure_environments".to_owned(), after_rows: 0 },
    ];
    let facts = lab(site_database::Options { faults, ..Default::default() }).await.facts().await;
    let (unknown, detail) = why(&facts.azure_environments);
    assert_eq!(unknown, UnknownWhy::Cut);
    assert!(detail.starts_with("dbo.AzureEnvironments: the connection broke"), "{detail}");
    assert_eq!(known(&facts.sites).len(), 4);
    assert_eq!(known(&facts.tenants).len(), 1);

    // A search by columns that breaks is no search.
    let fault = Fault::BreakOff { containing: "fact_signatures".to_owned(), after_rows: 40 };
    let facts = faulty(fault).await.facts().await;
    assert_eq!(why(&facts.cmgs).0, UnknownWhy::QueryFailed);
    assert_eq!(known(&facts.sites).len(), 4);
}

#[tokio::test]
async fn a_server_that_falls_silent_costs_one_fact_and_little_time() {
    let mut lab = faulty(Fault::Silent { containing: "management_portal_url".to_owned() }).await;
    lab.options.query_timeout = Duration::from_secs(2);
    let begun = Instant::now();
    let facts = lab.facts().await;
    assert!(begun.elapsed() < Duration::from_mins(1));
    let (why, detail) = why(&facts.azure_environments);
    assert_eq!(why, UnknownWhy::Cut);
    assert!(detail.contains("no answer within 2 s"), "{detail}");
    assert_eq!(known(&facts.sites).len(), 4);
    assert_eq!(known(&facts.cmgs).len(), 2);

    let mut lab = faulty(Fault::Silent { containing: "fact_objects".to_owned() }).await;
    lab.options.query_timeout = Duration::from_millis(500);
    assert!(matches!(lab.error().await, ReadError::Timeout { .. }));
    let cut = faulty(Fault::Cut { containing: "can_open".to_owned(), after_rows: 0 }).await.error().await;
    assert!(matches!(cut, ReadError::Cut { .. }), "{cut:?}");
}

#[tokio::test]
async fn more_rows_than_any_hierarchy_has_are_not_taken() {
    let sql = "DROP TABLE dbo.AAD_Tenant_Ex;\nGO\nCREATE VIEW dbo.AAD_Tenant_Ex AS SELECT a.ID AS ID, N'x' AS TenantID \
               FROM dbo.SC_SysResUse AS a CROSS JOIN dbo.SC_SysResUse AS b CROSS JOIN dbo.SC_SysResUse AS c CROSS JOIN \
               dbo.Sites AS d;";
    let facts = variant(sql).await.facts().await;
    assert_eq!(
        why(&facts.tenants),
        (UnknownWhy::QueryFailed, "more than 1000 rows, or more columns than were asked for")
    );
    assert_eq!(known(&facts.cmgs).len(), 2);
    assert_eq!(known(&facts.azure_environments).len(), 2);
}

#[tokio::test]
async fn an_interrupted_reading_ends_at_once() {
    let lab = faulty(Fault::NeverAnswer).await;
    let cancel = CancellationToken::new();
    let begun = Instant::now();
    let (outcome, ()) = tokio::join!(read(&lab.options, cancel.clone()), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert_eq!(outcome, Err(ReadError::Cancelled));
    assert!(begun.elapsed() < Duration::from_secs(8));
}

fn deadlock(containing: &str, times: usize) -> Fault {
    Fault::Deadlock { containing: containing.to_owned(), times }
}

#[tokio::test]
async fn the_victim_of_a_deadlock_is_sent_again_alone() {
    let faults = vec![
        deadlock("AAD_Tenant_Ex AS", 2),
        Fault::LockTimeout { containing: "v_Site AS".to_owned(), times: 1 },
        // The discovery as well: the list of objects, and the search by columns.
        deadlock("fact_objects", 1),
        deadlock("fact_signatures", 1),
    ];
    let mut lab = lab(site_database::Options { faults, ..Default::default() }).await;
    lab.options.database = Some("CM_CAS".to_owned());
    assert_contoso(&lab.facts().await);
    // Three questions of discovery twice, all facts, two of them again, and one of these again.
    let asked: Vec<usize> = lab.database.statements().iter().map(|sql| sql.matches("sp_executesql").count()).collect();
    assert_eq!((&asked[..2], &asked[3..]), (&[3, 3][..], &[1, 1, 1][..]), "{asked:?}");
    assert_eq!(lab.database.logins().len(), 2, "the discovery begins anew, the facts do not");
}

#[tokio::test]
async fn a_lock_that_stays_costs_one_fact_and_a_few_tries() {
    let faults = vec![Fault::LockTimeout { containing: "AAD_Tenant_Ex AS".to_owned(), times: 99 }];
    let lab = lab(site_database::Options { faults, ..Default::default() }).await;
    let facts = lab.facts().await;
    let (why, detail) = why(&facts.tenants);
    assert_eq!(why, UnknownWhy::QueryFailed);
    assert!(detail.contains("error 1222"), "{detail}");
    let asked = lab.database.statements().iter().filter(|sql| sql.contains("dbo.AAD_Tenant_Ex AS")).count();
    assert_eq!(asked, 4, "once with all, three times alone");
}

#[tokio::test]
async fn a_missing_right_is_not_asked_for_again() {
    // The discovery says that all may be read, and the server refuses all the same.
    let faults = vec![Fault::Refuse { containing: "AAD_Tenant_Ex AS".to_owned(), number: 230 }];
    let lab = lab(site_database::Options { faults, ..Default::default() }).await;
    let facts = lab.facts().await;
    assert_eq!(why(&facts.tenants).0, UnknownWhy::NotPermitted);
    let asked = lab.database.statements().iter().filter(|sql| sql.contains("dbo.AAD_Tenant_Ex AS")).count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_first_question_that_breaks_off_is_asked_again() {
    let faults = vec![Fault::CutOnce { containing: "fact_objects".to_owned() }];
    let lab = lab(site_database::Options { faults, ..Default::default() }).await;
    assert_contoso(&lab.facts().await);
    let in_site = lab.database.logins().into_iter().filter(|login| login.database == "CM_CAS").count();
    assert_eq!(in_site, 2);
}

#[tokio::test]
async fn a_refused_sign_in_is_never_tried_again() {
    let mut lab = lab(site_database::Options::default()).await;
    lab.options.sign_in = SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new("wrong") };
    lab.connect_error().await;
    assert_eq!(lab.database.logins().len(), 1, "accounts are locked by wrong passwords");
}
