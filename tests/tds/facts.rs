//! Queries over the replica: each answers what the rows of the replica imply.

use crate::client::{lab, rows};
use lab::site_database::Options;

/// Checks queries one after the other on one connection; the rows in any order.
async fn check(cases: &[(&str, &[&str])]) {
    let (_db, mut client) = lab(Options::default()).await;
    for (sql, expected) in cases {
        let mut found = rows(&mut client, sql).await;
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{sql}");
    }
}

#[tokio::test]
async fn sites() {
    check(&[
        (
            "SELECT SiteCode, ReportingSiteCode, Version, BuildNumber, Type, Status, ServerName FROM dbo.v_Site",
            &[
                "CAS||5.00.9128.1000|9128|4|1|CM-CAS.corp.contoso.com",
                "PS1|CAS|5.00.9128.1000|9128|2|1|CM-PS1.corp.contoso.com",
                "PS2|CAS|5.00.9128.1000|9128|2|1|CM-PS2.corp.contoso.com",
                "SS1|PS1|5.00.9128.1000|9128|1|1|CM-SS1.corp.contoso.com",
            ],
        ),
        (
            "SELECT SiteNumber, SiteCode, ParentSiteCode, SQLServerName, SQLDatabaseName FROM dbo.v_SC_SiteDefinition",
            &[
                "0|CAS||CM-CAS-SQL.corp.contoso.com|CM_CAS",
                "1|PS1|CAS|CM-PS1.corp.contoso.com|CM_PS1",
                r"2|PS2|CAS|CM-PS2.corp.contoso.com\CMINST|CM_PS2",
                r"3|SS1|PS1|CM-SS1.corp.contoso.com\CONFIGMGRSEC|CM_SS1",
            ],
        ),
        ("SELECT ThisSiteCode FROM dbo.SMSData", &["CAS"]),
        (
            "SELECT id, value1, string1 FROM dbo.SetupInfo WHERE id IN (N'type', N'VERSION')",
            &["Type|8|NULL", "VERSION|NULL|5.00.9128.1000"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn roles_and_proxies() {
    check(&[
        ("SELECT COUNT(*), COUNT(DISTINCT u.ServerName) FROM dbo.vSMS_SC_SysResUse AS u", &["42|10"]),
        (
            "SELECT u.SiteCode, u.ServerName, \
             MAX(CASE WHEN p.Name = N'UseProxy' THEN p.Value3 END) AS UseProxy, \
             MAX(CASE WHEN p.Name = N'ProxyName' THEN p.Value2 END) AS ProxyName, \
             MAX(CASE WHEN p.Name = N'ProxyServerPort' THEN p.Value3 END) AS ProxyServerPort, \
             MAX(CASE WHEN p.Name = N'AnonymousProxyAccess' THEN p.Value3 END) AS AnonymousProxyAccess, \
             MAX(CASE WHEN p.Name = N'ProxyUserName' AND p.Value2 <> N'' THEN 1 ELSE 0 END) AS HasProxyUser \
             FROM dbo.vSMS_SC_SysResUse AS u JOIN dbo.vSMS_SC_SysResUse_Properties AS p ON p.ID = u.ID \
             WHERE u.RoleName = N'SMS Site System' GROUP BY u.SiteCode, u.ServerName",
            &[
                "CAS|CM-CAS.corp.contoso.com|1|proxy.contoso.com|8080|1|0",
                "CAS|CM-CAS-SQL.corp.contoso.com|0|NULL|NULL|NULL|0",
                "PS1|CM-PS1.corp.contoso.com|0|NULL|NULL|NULL|0",
                "PS1|CM-PS1-CCP.corp.contoso.com|1|proxy-us.contoso.com|3128|0|1",
                "PS1|CM-PS1-SUP.corp.contoso.com|0|NULL|NULL|NULL|0",
                "PS2|CM-PS2.corp.contoso.com|0|old-proxy.contoso.com|80|NULL|0",
            ],
        ),
        (
            "SELECT DISTINCT ServerName, ServerRemoteName FROM dbo.SysResList WHERE InternetEnabled = 1",
            &["CM-PS1-SUP.corp.contoso.com|sup.contoso.com"],
        ),
        (
            "SELECT u.SiteCode, u.ServerName, p.Value3 AS OfflineMode FROM dbo.vSMS_SC_SysResUse AS u \
             LEFT JOIN dbo.vSMS_SC_SysResUse_Properties AS p ON p.ID = u.ID AND p.Name = N'OfflineMode' \
             WHERE u.RoleName = N'SMS Dmp Connector'",
            &["CAS|CM-CAS.corp.contoso.com|0"],
        ),
        (
            "SELECT ServerName FROM dbo.fn_rbac_SMS_SC_SysResUse(N'disabled') WHERE RoleName = N'sms software update point'",
            &["CM-CAS.corp.contoso.com", "CM-PS1-SUP.corp.contoso.com", "CM-PS2.corp.contoso.com"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn cloud() {
    check(&[
        (
            "SELECT Name, ServiceType, ServiceCName, Fqdn, Region, AzureEnvironmentId, State, StorageServiceName \
             FROM dbo.vSMS_AzureService",
            &[
                "GraniteFalls|CloudProxyService|GraniteFalls.WestUS.CloudApp.Azure.Com|\
                 GraniteFalls.WestUS.CloudApp.Azure.Com|WestUS|1|0|granitefalls",
                "BlueRidge|CloudProxyService|cmg.contoso.com|BlueRidge.CloudApp.Net|East US|1|6|blueridge",
            ],
        ),
        (
            "SELECT SiteCode, ServerName FROM dbo.vSMS_SC_SysResUse WHERE RoleName = N'SMS Cloud Proxy Connector'",
            &["PS1|CM-PS1-CCP.corp.contoso.com", "PS2|CM-PS2.corp.contoso.com"],
        ),
        ("SELECT COUNT(DISTINCT MutualAuthPath) AS n FROM dbo.vProxy_Roles", &["3"]),
        ("SELECT SiteCode, NALPath FROM dbo.vSMS_SC_SysResUse WHERE NALResType = N'Windows Azure'", &[]),
        (
            "SELECT ID, TenantID, Name, Environment FROM dbo.AAD_Tenant_Ex",
            &["16777217|11111111-2222-4333-8444-555555555555|contoso.onmicrosoft.com|1"],
        ),
        (
            "SELECT ID, EnvironmentName, StorageEndpointSuffix FROM dbo.AzureEnvironments",
            &["1|AzurePublicCloud|core.windows.net", "2|AzureUSGovernmentCloud|core.usgovcloudapi.net"],
        ),
        (
            "SELECT CloudServiceId, FullSyncEnabled, DeltaSyncEnabled, LastFullSyncTime FROM dbo.vSMS_AAD_Discovery_Settings",
            &["16777217|true|true|day 45470 tick 0"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn software_updates() {
    check(&[
        (
            "SELECT d.SiteCode, d.ParentSiteCode, \
             MAX(CASE WHEN p.Name = N'DefaultUseParentWSUS' THEN p.Value3 END) AS sync_source, \
             MAX(CASE WHEN p.Name = N'DefaultWSUS' THEN p.Value2 END) AS default_sup, \
             MAX(CASE WHEN p.Name = N'ParentWSUS' THEN p.Value2 END) AS upstream, \
             MAX(CASE WHEN p.Name = N'ParentWSUSPort' THEN p.Value3 END) AS upstream_port \
             FROM dbo.SC_Component AS c JOIN dbo.SC_SiteDefinition AS d ON d.SiteNumber = c.SiteNumber \
             JOIN dbo.SC_Component_Property AS p ON p.ComponentID = c.ID \
             WHERE c.ComponentName = N'SMS_WSUS_CONFIGURATION_MANAGER' GROUP BY d.SiteCode, d.ParentSiteCode",
            &[
                "CAS||0|CM-CAS.corp.contoso.com||0",
                "PS1|CAS|1|CM-PS1-SUP.corp.contoso.com|CM-CAS.corp.contoso.com|8530",
                "PS2|CAS|1|CM-PS2.corp.contoso.com|CM-CAS.corp.contoso.com|8530",
            ],
        ),
        ("SELECT WSUSServerName FROM dbo.vSMS_SUPSyncStatus WHERE WSUSSourceServer = N'Microsoft Update'", &["CM-CAS.corp.contoso.com"]),
        (
            "SELECT c.CategoryTypeName, l.CategoryInstanceName FROM dbo.CI_CategoryInstances AS c \
             JOIN dbo.CI_UpdateCategorySubscription AS s ON s.CategoryInstanceID = c.CategoryInstanceID AND s.IsSubscribed = 1 \
             LEFT JOIN dbo.CI_LocalizedCategoryInstances AS l ON l.CategoryInstanceID = c.CategoryInstanceID \
             WHERE c.CategoryTypeName IN (N'Product', N'UpdateClassification')",
            &[
                "Product|Microsoft 365 Apps/Office 2019/Office LTSC",
                "Product|Microsoft Edge",
                "UpdateClassification|Upgrades",
                "UpdateClassification|Fictional classification",
            ],
        ),
        ("SELECT COUNT(*) AS plans FROM dbo.vSMS_AutoDeployments WHERE IsServicingPlan = 1 AND AutoDeploymentEnabled = 1", &["1"]),
        (
            "SELECT n.Name, p.FullVersion, p.State FROM dbo.CM_UpdatePackages AS p \
             LEFT JOIN dbo.v_LocalizedUpdatePackageMetaData_SiteLoc AS n ON n.PackageGuid = p.PackageGuid",
            &["Configuration Manager 2403|5.00.9128.1000|196612", "Configuration Manager 2409|5.00.9132.1000|327682"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn features() {
    check(&[
        ("SELECT COUNT(*) AS policies FROM dbo.fn_listCoManagementSettings_List(1033)", &["2"]),
        (
            "SELECT COUNT(*) AS clients, SUM(CASE WHEN ComgmtPolicyPresent = 1 THEN 1 ELSE 0 END) AS with_policy, \
             SUM(CASE WHEN MDMEnrolled = 1 THEN 1 ELSE 0 END) AS enrolled FROM dbo.v_ClientCoManagementState",
            &["4|3|2"],
        ),
        (
            "SELECT DISTINCT ComponentName FROM dbo.fn_rbac_ServerComponents(N'disabled') \
             WHERE ComponentName LIKE N'SMS_SERVICE_CONNECTOR%'",
            &["SMS_SERVICE_CONNECTOR"],
        ),
        ("SELECT COUNT(*) AS accounts, MAX(LastSuccessfulSyncTime) AS last_sync FROM dbo.vWSfBConfigurationData", &["0|NULL"]),
        ("SELECT ServerName FROM dbo.DistributionPoints WHERE IsDoincEnabled = 1", &["CM-PS1-DP1.corp.contoso.com"]),
        (
            "SELECT s.Name AS settings_name, c.AgentID, c.PropertyName, c.DwordValue FROM dbo.vSMS_ClientAgentConfig_Base AS c \
             JOIN dbo.vSMS_ClientSettings AS s ON s.ID = c.SettingsID \
             WHERE (c.AgentID = 22 AND c.PropertyName IN (N'AllowCMG', N'AllowCloudDP')) \
             OR (c.AgentID = 29 AND c.PropertyName = N'WAEnable')",
            &["Contoso laptops|22|AllowCMG|1", "Contoso laptops|22|AllowCloudDP|1"],
        ),
        (
            "SELECT CASE WHEN CCMManaged0 IN (N'1', N'True') THEN 1 ELSE 0 END AS managed, COUNT(*) AS clients \
             FROM dbo.v_GS_OFFICE365PROPLUSCONFIGURATIONS GROUP BY CASE WHEN CCMManaged0 IN (N'1', N'True') THEN 1 ELSE 0 END",
            &["0|1", "1|2"],
        ),
        ("SELECT Name FROM dbo.fn_ListCMUpdateFeatures(1033) WHERE Status = 0", &["Microsoft Connected Cache"]),
        (
            "SELECT COUNT(DISTINCT Name) FROM dbo.vSMS_SC_Component_PropertyLists \
             WHERE Name LIKE N'%External Service Notifications%'",
            &["1"],
        ),
        ("SELECT DownloadUrl FROM dbo.vSMS_ISVCatalogs WHERE SyncEnabled = 1", &["https://updates.fabrikam.example/catalog.cab"]),
        (
            "SELECT MachineName, MAX(ConsoleVersion) AS ConsoleVersion, MAX(ConsoleConnectTime) AS LastSeen \
             FROM dbo.vSMS_ConsoleAdminsData GROUP BY MachineName HAVING MAX(ConsoleConnectTime) > '2024-06-28'",
            &["LT-002.corp.contoso.com|5.2403.1171.1000|day 45469 tick 12960000"],
        ),
        (
            "SELECT x.ServerID, x.CMGOnlineClients FROM (SELECT b.ServerID, b.CMGOnlineClients, \
             ROW_NUMBER() OVER (PARTITION BY b.ServerID ORDER BY b.TimeStamp DESC) AS rn \
             FROM dbo.fn_rbac_BGB_Statistics(N'disabled') AS b) AS x WHERE x.rn = 1",
            &["1|3", "2|1"],
        ),
        (
            "SELECT DeviceOS, ClientVersion, COUNT(*) AS clients, SUM(CASE WHEN IsAlwaysInternet = 1 THEN 1 ELSE 0 END) AS a \
             FROM dbo.v_CombinedDeviceResources WHERE IsClient = 1 GROUP BY DeviceOS, ClientVersion \
             OPTION (USE HINT('FORCE_LEGACY_CARDINALITY_ESTIMATION'))",
            &[
                "Microsoft Windows NT Server 10.0|5.00.9128.1007|1|0",
                "Microsoft Windows NT Workstation 10.0|5.00.9122.1009|1|0",
                "Microsoft Windows NT Workstation 10.0|5.00.9128.1007|3|1",
            ],
        ),
    ])
    .await;
}
