//! One thing that the database has twice: settled, and never without a finding that says how.

use super::*;

/// The findings, as object, column, row and value.
fn found(facts: &Facts) -> Vec<[&str; 4]> {
    facts.data_findings.iter().map(|f| [&f.object, &f.column, &f.row, &f.value].map(String::as_str)).collect()
}

#[tokio::test]
async fn the_short_and_the_full_name_of_a_server_are_one_server() {
    let whole = contoso().await;
    let server = known(&whole.internet_names)[0].host.clone();
    let short = server.short().to_ascii_uppercase();
    let facts = variant(&format!(
        "UPDATE dbo.SysResList SET ServerName = N'{short}' WHERE ServerName = N'{server}';\nGO\n\
         UPDATE dbo.SC_SysResUse SET NALPath = N'[\"Display=\\\\{short}\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\{short}\\' WHERE \
         RoleTypeID = 901 AND NALPath LIKE N'%{short}.%';"
    ))
    .await;
    assert_eq!(changed(&facts, &whole), [] as [&str; 0]);
    let found = found(&facts);
    for object in ["dbo.SysResList", "dbo.vSMS_SC_SysResUse"] {
        let is_it = |[at, column, row, value]: &&[&str; 4]| {
            *at == object && *column == "server_name" && row.contains("site_code=PS1") && *value == short
        };
        assert!(found.iter().any(|finding| is_it(&finding)), "{object}: {found:?}");
    }
    assert!(facts.data_findings.iter().all(|finding| finding.problem.contains(server.as_str())), "{found:?}");
}

#[tokio::test]
async fn two_names_and_two_ends_of_a_secret_are_findings() {
    let facts = variant(
        "INSERT dbo.AAD_Tenant_Ex (ID, TenantID, Name, Environment) VALUES (9, N'11111111-2222-4333-8444-555555555555', \
         N'other.onmicrosoft.com', 1);\nGO\n\
         INSERT dbo.AAD_Application_Ex (ID, ClientID, Name, SecretKeyExpiry) VALUES (1, \
         N'aaaaaaaa-0000-4000-8000-000000000001', N'ConfigMgr Server App', '2025-01-10T09:00:00');",
    )
    .await;
    let mut found = found(&facts);
    found.sort_unstable();
    let [app, tenant] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(app[..2], ["dbo.AAD_Application_Ex", "secret_expires"]);
    assert!(app[2].starts_with("client_id=aaaaaaaa-0000-4000-8000-000000000001"), "{app:?}");
    assert_eq!(tenant[..2], ["dbo.AAD_Tenant_Ex", "name"]);
    assert!(tenant[2].starts_with("tenant_id=11111111-2222-4333-8444-555555555555"), "{tenant:?}");
    assert_eq!((known(&facts.tenants).len(), known(&facts.entra_apps).len()), (1, 3));
    let server_app = known(&facts.entra_apps)[0].secret_expires.unwrap();
    assert_eq!(server_app.to_string(), "2025-01-10T09:00:00", "the earlier end counts");
}
