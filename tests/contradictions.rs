//! Site databases that contradict themselves: what cannot all be true takes no requirement away, and no run on it is
//! complete. Real rows of the lab's site database, changed by T-SQL.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod lab;

use std::time::Duration;

use cmcomply::catalog::{Catalog, CatalogRole};
use cmcomply::derive::{self, Decision, Requirement};
use cmcomply::evidence::Outcome;
use cmcomply::site::{Certificate, Facts, Options, Secret, Server, SignIn, read};
use lab::site_database::{self, SiteDatabase};
use tokio_util::sync::CancellationToken;

/// The facts of Contoso's site database after these changes.
async fn facts(changes: &[&str]) -> Facts {
    let variants = changes.iter().map(|sql| (*sql).to_owned()).collect();
    let database = SiteDatabase::start(site_database::Options { variants, ..Default::default() }).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), database.ca_pem()).unwrap();
    let options = Options {
        server: Server::parse(&format!("localhost,{}", database.address().port())).unwrap(),
        database: None,
        sign_in: SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new("Contoso-reads-0nly") },
        certificate: Certificate::CaFile(ca.path().to_owned()),
        connect_timeout: Duration::from_secs(10),
        query_timeout: Duration::from_secs(20),
    };
    read(&options, CancellationToken::new()).await.unwrap()
}

fn requirements(facts: &Facts) -> Vec<Requirement> {
    derive::requirements(facts, Catalog::embedded(), &derive::Options::default())
}

/// What is missing for the requirements that nobody can decide.
fn missing(requirements: &[Requirement]) -> Vec<String> {
    let mut all: Vec<String> = requirements
        .iter()
        .filter_map(|requirement| match &requirement.decision {
            Decision::Undecided { missing } => Some(missing.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    all.sort();
    all.dedup();
    all
}

/// Asserts that each entry that applied to a role still does, decided or not.
fn assert_none_lost(before: &[Requirement], after: &[Requirement]) {
    for requirement in before.iter().filter(|r| r.decision == Decision::Needed) {
        let covered = after
            .iter()
            .any(|r| r.entry == requirement.entry && r.role == requirement.role && r.decision != Decision::Retired);
        assert!(covered, "lost: {}", requirement.id);
    }
}

fn incomplete(facts: &Facts) -> Vec<String> {
    Outcome::of(facts, &[], None).incomplete
}

fn says(texts: &[String], words: &str) -> bool {
    texts.iter().any(|text| text.contains(words))
}

#[tokio::test]
async fn the_lists_of_contoso_do_not_contradict_each_other() {
    let healthy = facts(&[]).await;
    assert_eq!(incomplete(&healthy), ["nothing was found that this hierarchy needs"], "no judgements, nothing else");
}

#[tokio::test]
async fn an_empty_list_of_site_systems_takes_nothing_away() {
    let healthy = requirements(&facts(&[]).await);
    let facts = facts(&["DELETE FROM dbo.SC_SysResUse"]).await;
    assert_eq!(facts.site_systems.known(), Some(&Vec::new()));
    assert!(says(&incomplete(&facts), "the list of site systems is empty"), "{:?}", incomplete(&facts));
    let left = requirements(&facts);
    assert_none_lost(&healthy, &left);
    assert!(says(&missing(&left), "site systems: the list is empty"));
    // The site servers are still known from the list of sites.
    let servers = |all: &[Requirement]| all.iter().filter(|r| r.role == CatalogRole::SiteServer).count();
    assert!(servers(&left) >= servers(&healthy));
}

#[tokio::test]
async fn an_empty_list_of_sites_is_incomplete() {
    let facts = facts(&["DELETE FROM dbo.Sites"]).await;
    assert_eq!(facts.sites.known(), Some(&Vec::new()));
    assert!(says(&incomplete(&facts), "the list of sites is empty"), "{:?}", incomplete(&facts));
}

#[tokio::test]
async fn site_servers_are_those_of_the_list_of_sites_too() {
    let of_site_servers = |facts: &Facts| {
        let mut all = requirements(facts);
        all.retain(|r| r.role == CatalogRole::SiteServer);
        all.into_iter().map(|r| r.id).collect::<Vec<_>>()
    };
    let healthy = of_site_servers(&facts(&[]).await);
    assert!(!healthy.is_empty());
    let dropped = facts(&["DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 902"]).await;
    assert_eq!(of_site_servers(&dropped), healthy);
    assert!(says(&incomplete(&dropped), "cm-ps1.corp.contoso.com, the site server of PS1, is not in it"));
    // Nothing names the server of one site.
    let nameless = facts(&[
        "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 902",
        "UPDATE dbo.Sites SET SiteServer = NULL WHERE SiteCode = N'PS2'",
    ])
    .await;
    assert!(says(&incomplete(&nameless), "nothing names the site server of PS2"), "{:?}", incomplete(&nameless));
    assert!(says(&missing(&requirements(&nameless)), "site server of site PS2"));
}
