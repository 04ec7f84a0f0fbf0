//! The variants that stand at the end of `replica.sql`.

use crate::client::{Connection, error, lab, rows};
use lab::site_database::{Options, REPLICA, SiteDatabase};

async fn variant(sql: &str) -> (SiteDatabase, Connection) {
    let sql = sql.strip_suffix(';').unwrap_or(sql);
    // A variant in a test is one of the file, or it is nobody's.
    for line in sql.split(";\n") {
        assert!(REPLICA.contains(line.trim()), "{line}");
    }
    lab(Options { variants: vec![sql.to_owned()], ..Options::default() }).await
}

#[tokio::test]
async fn v1_service_connection_point_offline() {
    let (_db, mut client) =
        variant("UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';").await;
    let sql = "SELECT u.ServerName, p.Value3 FROM dbo.vSMS_SC_SysResUse AS u JOIN dbo.vSMS_SC_SysResUse_Properties AS p \
               ON p.ID = u.ID AND p.Name = N'OfflineMode'";
    assert_eq!(rows(&mut client, sql).await, ["CM-CAS.corp.contoso.com|1"]);
}

#[tokio::test]
async fn v3_an_object_that_is_not_there() {
    let (_db, mut client) = variant("DROP VIEW dbo.vSMS_AAD_Discovery_Settings;").await;
    assert_eq!(error(&mut client, "SELECT ID FROM dbo.vSMS_AAD_Discovery_Settings").await, 208);
    let sql = "SELECT COUNT(*) AS n FROM sys.objects WHERE name = N'vSMS_AAD_Discovery_Settings'";
    assert_eq!(rows(&mut client, sql).await, ["0"]);
}

#[tokio::test]
async fn v4_us_government() {
    let sql = "UPDATE dbo.AAD_Tenant_Ex SET Environment = 2;\nUPDATE repl.AzureService SET AzureEnvironmentId = 2, \
               Fqdn = N'GraniteFalls.usgovcloudapp.net' WHERE Name = N'GraniteFalls';";
    let (_db, mut client) = variant(sql).await;
    assert_eq!(rows(&mut client, "SELECT Environment FROM dbo.AAD_Tenant_Ex").await, ["2"]);
    let gateway = "SELECT Fqdn, AzureEnvironmentId FROM dbo.vSMS_AzureService WHERE Name = N'granitefalls'";
    assert_eq!(rows(&mut client, gateway).await, ["GraniteFalls.usgovcloudapp.net|2"]);
}

#[tokio::test]
async fn v6_a_stand_alone_primary() {
    let gone = "(N'CAS', N'PS2', N'SS1')";
    let sql = format!(
        "DELETE FROM dbo.Sites WHERE SiteCode IN {gone};\nDELETE FROM dbo.SC_SiteDefinition WHERE SiteCode IN {gone};\n\
         UPDATE dbo.Sites SET ReportToSite = N'';\nUPDATE dbo.SC_SiteDefinition SET ParentSiteCode = N'';\n\
         UPDATE dbo.SMSData SET ThisSiteCode = N'PS1';"
    );
    let (_db, mut client) = lab(Options { variants: vec![sql], database: "CM_CAS".into(), ..Options::default() }).await;
    assert_eq!(rows(&mut client, "SELECT SiteCode, ReportingSiteCode FROM dbo.v_Site").await, ["PS1|"]);
    let sites = "SELECT DISTINCT SiteCode FROM dbo.vSMS_SC_SysResUse";
    assert_eq!(rows(&mut client, sites).await, ["PS1"]);
}

#[tokio::test]
async fn v7_nothing_subscribed() {
    let (_db, mut client) = variant("UPDATE dbo.CI_UpdateCategorySubscription SET IsSubscribed = 0;").await;
    let sql = "SELECT COUNT(*) AS n FROM dbo.v_UpdateCategoryInstances WHERE IsSubscribed = 1";
    assert_eq!(rows(&mut client, sql).await, ["0"]);
}

#[tokio::test]
async fn names_that_differ_in_case_only() {
    let sql = "UPDATE dbo.SC_SysResUse SET NALPath = UPPER(NALPath) WHERE RoleTypeID = 901;";
    let (_db, mut client) = lab(Options { variants: vec![sql.into()], ..Options::default() }).await;
    assert_eq!(rows(&mut client, "SELECT COUNT(DISTINCT ServerName) AS n FROM dbo.vSMS_SC_SysResUse").await, ["10"]);
    let grouped =
        "SELECT COUNT(*) AS n FROM (SELECT ServerName FROM dbo.v_SystemResourceList GROUP BY ServerName) AS s";
    assert_eq!(rows(&mut client, grouped).await, ["10"]);
    let joined = "SELECT DISTINCT a.ServerName FROM dbo.vSMS_SC_SysResUse AS a JOIN dbo.vSMS_SC_SysResUse AS b \
                  ON a.ServerName = b.ServerName WHERE a.RoleName = N'SMS Site System' AND b.RoleName = N'SMS Dmp Connector'";
    assert_eq!(rows(&mut client, joined).await, ["CM-CAS.CORP.CONTOSO.COM"]);
}

#[tokio::test]
async fn a_view_over_nothing_and_a_view_with_fewer_columns() {
    let sql = "DROP TABLE repl.ISVCatalogs;\nGO\n\
               CREATE OR ALTER VIEW dbo.v_Site AS SELECT SiteCode, SiteType AS Type FROM dbo.Sites;";
    let (_db, mut client) = lab(Options { variants: vec![sql.into()], ..Options::default() }).await;
    assert_eq!(error(&mut client, "SELECT Name FROM dbo.vSMS_ISVCatalogs").await, 208);
    assert_eq!(error(&mut client, "SELECT SiteCode, ServerName FROM dbo.v_Site").await, 207);
    assert_eq!(rows(&mut client, "SELECT SiteCode, Type FROM dbo.v_Site WHERE Type = 4").await, ["CAS|4"]);
}

#[tokio::test]
#[should_panic(expected = "the lab cannot load this")]
async fn a_variant_that_makes_no_sense() {
    lab(Options { variants: vec!["UPDATE dbo.Sites SET Nothing = 1;".into()], ..Options::default() }).await;
}

#[tokio::test]
#[should_panic(expected = "CHECK constraint failed")]
async fn a_variant_with_a_text_that_does_not_fit() {
    lab(Options { variants: vec!["UPDATE dbo.Sites SET SiteCode = N'TOOLONG';".into()], ..Options::default() }).await;
}
