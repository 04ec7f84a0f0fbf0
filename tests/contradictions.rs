//! Site databases that contradict themselves: what cannot all be true takes no requirement away, and no run on it is
//! complete. Real rows of the lab's site database, changed by T-SQL.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use cmcomply::catalog::{AZURE_COLUMNS, Catalog, CatalogRole, Context};
use cmcomply::derive::{self, Decision, Requirement, RouteBasis, Via};
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
        network: cmcomply::site::Network::default(),
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

#[tokio::test]
async fn a_default_software_update_point_that_is_none_decides_nothing() {
    let healthy = requirements(&facts(&[]).await);
    // PS2 has one software update point, and synchronizes from the one of CAS.
    for (site, number) in [("CAS", 0), ("PS2", 2)] {
        let stale = format!(
            "UPDATE dbo.SC_Component_Property SET Value2 = N'old-sup.corp.contoso.com' \
             WHERE Name = N'DefaultWSUS' AND SiteNumber = {number}"
        );
        let left = requirements(&facts(&[&stale]).await);
        assert_none_lost(&healthy, &left);
        let which = format!("which software update point of site {site}");
        assert!(says(&missing(&left), &which), "{:?}", missing(&left));
    }
}

#[tokio::test]
async fn a_server_that_may_have_others_below_it_is_not_said_to_have_none() {
    let downstream = |all: &[Requirement]| {
        let of_cas = |r: &&Requirement| r.entry.0 == "sup-downstream-http" && r.id.0.starts_with("CAS/");
        all.iter().filter(of_cas).map(|r| (r.name.to_string(), r.decision.clone())).collect::<Vec<_>>()
    };
    let healthy = downstream(&requirements(&facts(&[]).await));
    assert_eq!(healthy.len(), 2, "{healthy:?}");
    // Both sites below it lose their default: nobody can tell any more who synchronizes from it.
    let stale = "UPDATE dbo.SC_Component_Property SET Value2 = N'old-sup.corp.contoso.com' \
                 WHERE Name = N'DefaultWSUS' AND SiteNumber > 0";
    let left = downstream(&requirements(&facts(&[stale]).await));
    assert!(matches!(left.as_slice(), [(_, Decision::Undecided { .. })]), "{left:?}");
    // One does: the other is still known, and that there may be one more.
    let left = downstream(&requirements(&facts(&[&format!("{stale} AND SiteNumber < 2")]).await));
    let needed = left.iter().filter(|(_, decision)| *decision == Decision::Needed).count();
    assert_eq!((needed, left.len()), (1, 2), "{left:?}");
}

#[tokio::test]
async fn a_server_without_a_proxy_row_is_not_said_to_be_direct() {
    let route = |facts: &Facts| {
        let all = requirements(facts);
        let of_cas = |r: &&Requirement| r.context == Context::SiteSystemProxy && r.id.0.starts_with("CAS/cm-cas.");
        all.iter().find(of_cas).unwrap().route.clone()
    };
    let healthy = route(&facts(&[]).await);
    assert!(matches!(healthy.via, Via::Proxy { .. }), "{healthy:?}");
    let dropped = "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 901 AND SiteNumber = 0";
    let lost = route(&facts(&[dropped]).await);
    assert_eq!(lost.via, Via::Unknown, "{lost:?}");
    // A row without the property says that the proxy was never set.
    let never = "DELETE FROM dbo.SC_SysResUse_Property WHERE Name = N'UseProxy'";
    assert_eq!(route(&facts(&[never]).await).via, Via::Direct);
}

#[tokio::test]
async fn a_connection_point_without_a_gateway_means_that_gateways_are_missing() {
    let healthy = requirements(&facts(&[]).await);
    let none = facts(&["DELETE FROM repl.AzureService"]).await;
    assert_eq!(none.cmgs.known(), Some(&Vec::new()));
    let left = requirements(&none);
    assert_none_lost(&healthy, &left);
    assert!(says(&missing(&left), "there is a CMG connection point, and no gateway"), "{:?}", missing(&left));
    // Without connection points either there is nothing to wonder about.
    let neither = ["DELETE FROM repl.AzureService", "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 907"];
    let left = requirements(&facts(&neither).await);
    assert!(!says(&missing(&left), "connection point"), "{:?}", missing(&left));
    assert!(!left.iter().any(|r| r.entry.0 == "scp-cmg-blob-storage"));
}

#[tokio::test]
async fn user_discovery_without_a_tenant_means_that_tenants_are_missing() {
    let healthy = requirements(&facts(&[]).await);
    for changes in
        [&["DELETE FROM dbo.AAD_Tenant_Ex"][..], &["DELETE FROM dbo.AAD_Tenant_Ex", "DELETE FROM repl.AzureService"]]
    {
        let none = facts(changes).await;
        assert_eq!(none.tenants.known(), Some(&Vec::new()));
        let left = requirements(&none);
        assert_none_lost(&healthy, &left);
        assert!(says(&missing(&left), "user discovery is on, and no tenant is listed"), "{:?}", missing(&left));
    }
}

#[tokio::test]
async fn an_environment_of_no_known_cloud_may_be_of_any() {
    let healthy = requirements(&facts(&[]).await);
    let elsewhere = [
        "UPDATE dbo.AAD_Tenant_Ex SET Environment = 3",
        "UPDATE repl.AzureService SET AzureEnvironmentId = 3",
        "UPDATE dbo.AzureEnvironments SET ID = 3 WHERE ID = 1",
    ];
    let left = requirements(&facts(&elsewhere).await);
    assert_none_lost(&healthy, &left);
    assert!(
        says(&missing(&left), "cloud of Azure environment 3, which Microsoft Entra tenant"),
        "{:?}",
        missing(&left)
    );
    // Entries of the other cloud may be needed as well.
    let government = |all: &[Requirement]| {
        all.iter()
            .filter(|r| r.name.to_string() == "login.microsoftonline.us")
            .map(|r| r.decision.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(government(&healthy), []);
    assert!(government(&left).iter().all(|d| matches!(d, Decision::Undecided { .. })) && !government(&left).is_empty());
}

/// What is missing for the requirement of this template; `None` if there is none, or one that is retired.
fn undecided_template(all: &[Requirement], template: &str) -> Option<Vec<String>> {
    let found = all.iter().find(|r| r.name.to_string() == template && r.decision != Decision::Retired)?;
    assert!(matches!(found.decision, Decision::Undecided { .. }), "{found:?}");
    Some(missing(std::slice::from_ref(found)))
}

#[tokio::test]
async fn an_empty_column_of_an_environment_leaves_what_is_critical_undecided() {
    let empty = "UPDATE dbo.AzureEnvironments SET ActiveDirectoryEndpoint = NULL, MicrosoftGraphEndpoint = N'', \
                 GalleryEndpoint = NULL WHERE ID = 1";
    let all = requirements(&facts(&[empty]).await);
    for column in ["ActiveDirectoryEndpoint", "MicrosoftGraphEndpoint"] {
        let missing = undecided_template(&all, &format!("{{azure.{column}}}")).unwrap_or_else(|| panic!("{column}"));
        assert!(says(&missing, "row 1") && says(&missing, "empty"), "{missing:?}");
    }
    // An address that is good to have may well be none.
    assert_eq!(undecided_template(&all, "{azure.GalleryEndpoint}"), None);
}

#[tokio::test]
async fn an_unusable_column_of_an_environment_is_undecided_whatever_hangs_on_it() {
    let urls: Vec<&str> = AZURE_COLUMNS.into_iter().filter(|column| !column.ends_with("Suffix")).collect();
    let set = urls.iter().map(|column| format!("{column} = N'not a url'")).collect::<Vec<_>>().join(", ");
    let facts = facts(&[&format!("UPDATE dbo.AzureEnvironments SET {set} WHERE ID = 1")]).await;
    assert_eq!(facts.data_findings.len(), urls.len());
    let all = requirements(&facts);
    let mut undecided = 0;
    for column in urls {
        let template = format!("{{azure.{column}}}");
        assert!(all.iter().any(|r| r.name.to_string() == template), "{column}");
        if let Some(missing) = undecided_template(&all, &template) {
            assert!(says(&missing, "see the data findings"), "{column}: {missing:?}");
            undecided += 1;
        }
    }
    assert!(undecided > 8, "{undecided}");
}

#[tokio::test]
async fn traffic_between_site_systems_is_direct_by_documentation_and_not_assumed_to_be() {
    let all = requirements(&facts(&[]).await);
    let mut routes = all.iter().filter(|r| r.context == Context::Intranet).map(|r| &r.route).peekable();
    assert!(routes.peek().is_some());
    for route in routes {
        assert_eq!((&route.via, route.basis), (&Via::Direct, RouteBasis::Documentation));
    }
    let of_clients = all.iter().find(|r| r.context == Context::ClientSystem).unwrap();
    assert_eq!(of_clients.route.basis, RouteBasis::Assumed);
}
