//! What a narrow login sees, and what it gets.

use crate::client::{ask, error, lab, rows};
use lab::site_database::{Grant, Options, Rights};

const PROBE: &str = "SELECT o.name AS object_name, o.type AS object_type, c.name AS column_name, \
     HAS_PERMS_BY_NAME(N'dbo.' + QUOTENAME(o.name), N'OBJECT', N'SELECT') AS can_select \
     FROM sys.objects AS o JOIN sys.columns AS c ON c.object_id = o.object_id \
     WHERE o.schema_id = SCHEMA_ID(N'dbo') AND o.name IN (N'AAD_Tenant_Ex', N'V_SITE', N'fn_rbac_site', N'Nothing') \
     ORDER BY o.name, c.column_id";

#[tokio::test]
async fn discovery_lists_tables_views_and_functions() {
    let (_db, mut client) = lab(Options::default()).await;
    let found = rows(&mut client, PROBE).await;
    assert_eq!(found[0], "AAD_Tenant_Ex|U |ID|1");
    assert!(found.contains(&"fn_rbac_Site|IF|TimeZoneInfo|1".to_owned()), "{found:?}");
    assert!(found.contains(&"v_Site|V |ReportingSiteCode|1".to_owned()), "{found:?}");
    assert_eq!(found.len(), 5 + 11 + 11);
}

#[tokio::test]
async fn an_object_is_found_by_its_columns() {
    let variants = vec!["EXEC sp_rename 'dbo.vSMS_AzureService', 'vSomethingElse';".to_owned()];
    let (_db, mut client) = lab(Options { variants, ..Options::default() }).await;
    let signature = "SELECT o.name, o.type, COUNT(DISTINCT c.name) AS hits FROM sys.objects AS o \
        JOIN sys.columns AS c ON c.object_id = o.object_id \
        WHERE o.type IN ('U', 'V') AND o.schema_id = SCHEMA_ID(N'dbo') \
        AND c.name IN (N'ServiceCName', N'StorageServiceName', N'AzureEnvironmentId', N'Region') \
        GROUP BY o.name, o.type HAVING COUNT(DISTINCT c.name) >= 3 \
        ORDER BY hits DESC, CASE o.type WHEN 'V' THEN 0 ELSE 1 END, o.name";
    assert_eq!(rows(&mut client, signature).await, ["vSomethingElse|V |4"]);
    assert_eq!(error(&mut client, "SELECT Name FROM dbo.vSMS_AzureService").await, 208);
    assert_eq!(rows(&mut client, "SELECT COUNT(*) AS n FROM dbo.vSomethingElse").await, ["2"]);
}

#[tokio::test]
async fn the_reporting_role_sees_views_and_functions_only() {
    let (_db, mut client) = lab(Options { rights: Rights::reporting_role(), ..Options::default() }).await;
    let found = rows(&mut client, PROBE).await;
    assert!(found.iter().all(|row| row.starts_with("v_Site|V |") || row.starts_with("fn_rbac_Site|IF|")), "{found:?}");
    assert_eq!(rows(&mut client, "SELECT COUNT(*) AS n FROM dbo.fn_rbac_Site(N'disabled')").await, ["4"]);
    // It exists, but this login cannot know: the answer is still "denied", as SQL Server gives it.
    assert_eq!(error(&mut client, "SELECT ID FROM dbo.AAD_Tenant_Ex").await, 229);
    assert_eq!(error(&mut client, "SELECT SiteCode FROM dbo.vSMS_SC_SysResUse").await, 229);
    assert_eq!(rows(&mut client, "SELECT OBJECT_ID(N'dbo.AAD_Tenant_Ex') AS id").await, ["NULL"]);
}

#[tokio::test]
async fn rights_on_columns() {
    let grant = Grant { object: "AAD_Application_Ex".into(), columns: vec!["ID".into(), "Name".into()] };
    let (_db, mut client) = lab(Options { rights: Rights::Only(vec![grant]), ..Options::default() }).await;
    assert_eq!(
        rows(&mut client, "SELECT COUNT(ID) AS n FROM dbo.AAD_Application_Ex WHERE Name LIKE N'%app%'").await,
        ["2"]
    );
    assert_eq!(error(&mut client, "SELECT SecretKey FROM dbo.AAD_Application_Ex").await, 230);
    assert_eq!(error(&mut client, "SELECT ID FROM dbo.AAD_Application_Ex WHERE SecretKey IS NULL").await, 230);
    assert_eq!(error(&mut client, "SELECT * FROM dbo.AAD_Application_Ex").await, 230);
    let may = "SELECT HAS_PERMS_BY_NAME(N'dbo.AAD_Application_Ex', N'OBJECT', N'SELECT') AS whole, \
               HAS_PERMS_BY_NAME(N'dbo.AAD_Application_Ex', N'OBJECT', N'SELECT', N'ID', N'COLUMN') AS id, \
               HAS_PERMS_BY_NAME(N'dbo.AAD_Application_Ex', N'OBJECT', N'SELECT', N'SecretKey', N'COLUMN') AS secret";
    assert_eq!(rows(&mut client, may).await, ["0|1|0"]);
}

#[tokio::test]
async fn a_role_of_a_grant_script() {
    let script = "CREATE ROLE cmcomply_reader;\n\
                  GRANT SELECT ON dbo.AzureEnvironments TO cmcomply_reader;\n\
                  GRANT SELECT ON OBJECT::dbo.AAD_Application_Ex (ID, ClientID) TO cmcomply_reader;";
    let rights = Rights::Role("cmcomply_reader".into());
    let (_db, mut client) = lab(Options { variants: vec![script.into()], rights, ..Options::default() }).await;
    assert_eq!(rows(&mut client, "SELECT COUNT(*) AS n FROM dbo.AzureEnvironments").await, ["2"]);
    assert_eq!(rows(&mut client, "SELECT MIN(ClientID) AS c FROM dbo.AAD_Application_Ex").await.len(), 1);
    assert_eq!(error(&mut client, "SELECT Name FROM dbo.AAD_Application_Ex").await, 230);
    assert_eq!(error(&mut client, "SELECT SiteCode FROM dbo.v_Site").await, 229);
}

#[tokio::test]
async fn nobody_writes() {
    let (_db, mut client) = lab(Options::default()).await;
    assert_eq!(error(&mut client, "UPDATE dbo.Sites SET Status = 0").await, 229);
    assert_eq!(error(&mut client, "DELETE FROM dbo.Sites").await, 229);
    assert_eq!(error(&mut client, "INSERT dbo.SMSData (ThisSiteCode) VALUES (N'XXX')").await, 229);
    assert_eq!(error(&mut client, "DROP VIEW dbo.v_Site").await, 262);
    assert_eq!(error(&mut client, "SELECT SiteCode INTO dbo.Copy FROM dbo.v_Site").await, 262);
    assert_eq!(
        ask(&mut client, "SELECT COUNT(*) AS n FROM dbo.Sites WHERE Status = 1").await.expect("rows"),
        [[["4"]]]
    );
}
