//! The reader against the lab's site database: real TDS, real TLS, the replica's rows.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "site/breaking.rs"]
mod breaking;
#[path = "site/connecting.rs"]
mod connecting;
#[path = "site/sending.rs"]
mod sending;
mod site_facts;

use std::time::Duration;

use cmcomply::site::{
    Certificate, ConnectError, Fact, Facts, Network, Options, ProxySetting, ReadError, Secret, Server, SignIn,
    SqlCertificate, SqlSignIn, UnknownWhy, read,
};
use lab::site_database::{self, Fault, Grant, Rights, SiteDatabase};
use site_facts::{assert_contoso, known};
use tokio_util::sync::CancellationToken;

const PASSWORD: &str = "Contoso-reads-0nly";

/// A running lab, with the options that reach it.
struct Lab {
    database: SiteDatabase,
    options: Options,
    _ca: tempfile::NamedTempFile,
}

async fn lab(options: site_database::Options) -> Lab {
    let database = SiteDatabase::start(options).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), database.ca_pem()).unwrap();
    let options = Options {
        server: Server::parse(&format!("localhost,{}", database.address().port())).unwrap(),
        database: None,
        sign_in: SignIn::SqlLogin { user: "cmcomply".to_owned(), password: Secret::new(PASSWORD) },
        certificate: Certificate::CaFile(ca.path().to_owned()),
        network: Network::default(),
        connect_timeout: Duration::from_secs(10),
        query_timeout: Duration::from_secs(20),
    };
    Lab { database, options, _ca: ca }
}

/// A lab whose data has been changed by T-SQL.
async fn variant(sql: &str) -> Lab {
    lab(site_database::Options { variants: vec![sql.to_owned()], ..Default::default() }).await
}

async fn faulty(fault: Fault) -> Lab {
    lab(site_database::Options { faults: vec![fault], ..Default::default() }).await
}

impl Lab {
    async fn read(&self) -> Result<Facts, ReadError> {
        read(&self.options, CancellationToken::new()).await
    }

    async fn facts(&self) -> Facts {
        self.read().await.unwrap()
    }

    /// The error, which never holds the password.
    async fn error(&self) -> ReadError {
        let error = self.read().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error}");
        error
    }

    async fn connect_error(&self) -> ConnectError {
        match self.error().await {
            ReadError::Connect(error) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn why<T: std::fmt::Debug>(fact: &Fact<T>) -> (UnknownWhy, &str) {
    match fact {
        Fact::Unknown { why, detail } => (*why, detail),
        other @ Fact::Known { .. } => panic!("not unknown: {other:?}"),
    }
}

#[tokio::test]
async fn contoso_is_read_in_full_and_in_two_round_trips() {
    let mut lab = lab(site_database::Options::default()).await;
    lab.options.database = Some("CM_CAS".to_owned());
    let facts = lab.facts().await;
    assert_contoso(&facts);
    assert_eq!(facts.connection.server, lab.options.server.to_string());
    assert_eq!(facts.connection.database, "CM_CAS");
    assert_eq!(facts.connection.server_version.as_deref(), Some("16.0.1000.6"));
    assert_eq!(facts.connection.certificate, SqlCertificate::CaFile);
    assert_eq!(facts.connection.sign_in, SqlSignIn::SqlLogin { user: "cmcomply".to_owned() });

    assert_eq!(lab.database.statements().len(), 2);
    let [login] = &lab.database.logins()[..] else { panic!("{:?}", lab.database.logins()) };
    assert_eq!(login.application, concat!("cmcomply/", env!("CARGO_PKG_VERSION")));
    assert!(login.read_only && login.accepted);

    let json = serde_json::to_string(&facts).unwrap();
    for secret in ["svc-cm-proxy", PASSWORD] {
        assert!(!json.contains(secret));
    }
}

#[tokio::test]
async fn the_reporting_role_gets_what_its_rights_allow() {
    let options = site_database::Options { rights: Rights::reporting_role(), ..Default::default() };
    let facts = lab(options).await.facts().await;
    assert_eq!(facts.data_findings, []);
    let source = |fact: &Fact<_>| match fact {
        Fact::Known { source, .. } => source.object.clone(),
        other @ Fact::Unknown { .. } => panic!("{other:?}"),
    };
    assert_eq!(known(&facts.this_site).as_str(), "CAS");
    assert_eq!(known(&facts.sites).len(), 4);
    assert_eq!(known(&facts.site_systems).len(), 10);
    assert_eq!(
        source(&facts.site_system_proxies.clone()),
        "dbo.fn_rbac_SMS_SC_SysResUse, dbo.fn_rbac_SMS_SC_SysResUse_Properties"
    );
    assert_eq!(known(&facts.service_connection_points)[0].online, Some(true));
    assert_eq!(known(&facts.software_update_points)[0].http_port, Some(8530));
    for (why, _) in [
        why(&facts.sync_sources),
        why(&facts.cmgs),
        why(&facts.tenants),
        why(&facts.azure_environments),
        why(&facts.entra_user_discovery),
    ] {
        assert_eq!(why, UnknownWhy::NotVisible);
    }
}

#[tokio::test]
async fn absent_forbidden_and_failed_are_different_answers() {
    // No right at all on one object, a right on the wrong column of another.
    let grant = |object: &str, columns: &[&str]| Grant {
        object: object.to_owned(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
    };
    let rights = vec![
        grant("SMSData", &[]),
        grant("v_Site", &["SiteCode", "ReportingSiteCode", "Type"]),
        grant("AAD_Tenant_Ex", &["Name"]),
    ];
    let options = site_database::Options { rights: Rights::Only(rights), ..Default::default() };
    let facts = lab(options).await.facts().await;
    assert_eq!(why(&facts.site_systems).0, UnknownWhy::NotVisible);
    assert_eq!(why(&facts.tenants), (UnknownWhy::NotPermitted, "dbo.AAD_Tenant_Ex: this login may not read it"));
    let Fact::Known { value, source } = &facts.sites else { panic!("{:?}", facts.sites) };
    assert_eq!(source.missing_columns, ["SiteName", "BuildNumber", "Version", "ServerName"]);
    assert!(value.iter().all(|site| site.kind.is_some() && site.server.is_none()));

    let facts = faulty(Fault::Deadlock { containing: "AAD_Tenant_Ex AS".to_owned(), times: 9 }).await.facts().await;
    let (why, detail) = why(&facts.tenants);
    assert_eq!(why, UnknownWhy::QueryFailed);
    assert!(detail.contains("dbo.AAD_Tenant_Ex: error 1205"), "{detail}");
    assert_eq!(known(&facts.sites).len(), 4);
}

#[tokio::test]
async fn a_renamed_object_is_found_by_its_columns_and_a_missing_one_is_unknown() {
    let renamed = variant("EXEC sp_rename 'dbo.vSMS_AzureService', 'vSomethingElse';").await.facts().await;
    let Fact::Known { value, source } = &renamed.cmgs else { panic!("{:?}", renamed.cmgs) };
    assert_eq!((value.len(), source.object.as_str()), (2, "dbo.vSomethingElse"));

    let dropped = variant("DROP VIEW dbo.vSMS_AAD_Discovery_Settings;").await.facts().await;
    assert_eq!(why(&dropped.entra_user_discovery).0, UnknownWhy::NotThere);
    assert_eq!(known(&dropped.cmgs).len(), 2);

    let hostile = variant("EXEC sp_rename 'dbo.vSMS_AzureService', 'v; DROP TABLE dbo.Sites';").await.facts().await;
    assert_eq!(why(&hostile.cmgs).0, UnknownWhy::QueryFailed);
}

#[tokio::test]
async fn the_other_variants_of_the_replica_change_what_they_should() {
    let offline = "UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';";
    let facts = variant(offline).await.facts().await;
    assert_eq!(known(&facts.service_connection_points)[0].online, Some(false));

    let government = "UPDATE dbo.AAD_Tenant_Ex SET Environment = 2;\nGO\nUPDATE repl.AzureService SET AzureEnvironmentId \
                      = 2, Fqdn = N'GraniteFalls.usgovcloudapp.net' WHERE Name = N'GraniteFalls';";
    let facts = variant(government).await.facts().await;
    assert_eq!(known(&facts.tenants)[0].environment, Some(2));
    let granite = known(&facts.cmgs).iter().find(|cmg| cmg.environment == Some(2)).unwrap();
    assert_eq!(granite.deployment_name.as_ref().unwrap().as_str(), "granitefalls.usgovcloudapp.net");

    let alone = "DELETE FROM dbo.Sites WHERE SiteCode <> N'PS1';\nGO\nUPDATE dbo.Sites SET ReportToSite = N'';";
    let facts = variant(alone).await.facts().await;
    let [site] = known(&facts.sites).as_slice() else { panic!("{:?}", facts.sites) };
    assert_eq!((site.code.as_str(), &site.parent), ("PS1", &None));

    let empty = "DELETE FROM repl.AzureService;\nGO\nDELETE FROM repl.AADDiscoverySettings;";
    let facts = variant(empty).await.facts().await;
    assert_eq!((known(&facts.cmgs).len(), *known(&facts.entra_user_discovery)), (0, false));
}

#[tokio::test]
async fn bad_values_are_findings_and_used_nowhere() {
    let long = "x".repeat(100_000);
    let sql = format!(
        "UPDATE dbo.Sites SET SiteServer = N'CM CAS<script>' WHERE SiteCode = N'CAS';\nGO\n\
         UPDATE dbo.SC_SysResUse_Property SET Value2 = N'{long}' WHERE Value2 = N'proxy.contoso.com';\nGO\n\
         UPDATE dbo.SC_SysResUse_Property SET Value3 = 99999 WHERE Name = N'ProxyServerPort' AND Value3 = 3128;\nGO\n\
         UPDATE dbo.SC_Component_Property SET Value3 = 7 WHERE Name = N'DefaultUseParentWSUS' AND SiteNumber = 0;\nGO\n\
         UPDATE dbo.AzureEnvironments SET GraphEndpoint = N'not a url' WHERE ID = 1;"
    );
    let facts = variant(&sql).await.facts().await;
    let finding = |object: &str, column: &str| {
        let found = facts.data_findings.iter().find(|f| f.object.contains(object) && f.column == column);
        found.unwrap_or_else(|| panic!("no finding on {object}.{column}: {:#?}", facts.data_findings))
    };
    let server = finding("dbo.v_Site", "server_name");
    assert_eq!(
        (server.value.as_str(), server.row.as_str()),
        ("CM CAS<script>", "site_code=CAS, site_name=Contoso Central Administration, site_type=4")
    );
    assert!(server.problem.contains("not a host name"));
    assert_eq!(known(&facts.sites)[0].server, None);
    assert!(finding("SysResUse", "text2").problem.contains("100000 octets"));
    assert_eq!(finding("SysResUse", "ProxyServerPort").value, "99999");
    assert_eq!(finding("SC_Component", "DefaultUseParentWSUS").value, "7");
    assert_eq!(known(&facts.sync_sources)[0].source, None);
    assert_eq!(finding("AzureEnvironments", "graph_endpoint").value, "not a url");
    assert!(!known(&facts.azure_environments)[0].hosts.contains_key("GraphEndpoint"));
    let unreadable = known(&facts.site_system_proxies).iter().filter(|p| p.setting == ProxySetting::Unreadable);
    assert_eq!(unreadable.map(|p| p.host.short()).collect::<Vec<_>>(), ["cm-cas", "cm-ps1-ccp"]);
}

#[tokio::test]
async fn a_role_without_a_server_is_a_finding() {
    let role = |id: u8, path: &str| {
        format!(
            "INSERT dbo.SC_SysResUse (ID, SiteNumber, NALResType, NALPath, RoleTypeID, SslState) VALUES ({id}, 1, \
             N'Windows NT Server', {path}, 3, 0);"
        )
    };
    let view = "DROP VIEW dbo.vSMS_SC_SysResUse;\nGO\nCREATE VIEW dbo.vSMS_SC_SysResUse AS SELECT u.ID, u.SiteNumber, \
                d.SiteCode, u.NALResType, u.NALPath, u.RoleTypeID, t.RoleName, u.SslState, N'' AS ServerName FROM \
                dbo.SC_SysResUse AS u JOIN dbo.SC_SiteDefinition AS d ON d.SiteNumber = u.SiteNumber JOIN repl.RoleType \
                AS t ON t.RoleTypeID = u.RoleTypeID;";
    let facts = variant(&[view, &role(201, "N''"), &role(202, "N' '")].join("\nGO\n")).await.facts().await;
    assert_eq!(known(&facts.site_systems).len(), 10, "the others are known by their paths");
    let found: Vec<&str> = facts
        .data_findings
        .iter()
        .filter(|f| f.object == "dbo.vSMS_SC_SysResUse" && f.column == "server_name")
        .map(|f| f.problem.as_str())
        .collect();
    assert_eq!(found, ["no server name where one is needed"; 2], "{:?}", facts.data_findings);
}

#[tokio::test]
async fn a_missing_server_name_is_taken_from_the_path() {
    let sql = "DROP VIEW dbo.vSMS_SC_SysResUse;\nGO\nCREATE VIEW dbo.vSMS_SC_SysResUse AS SELECT u.ID, u.SiteNumber, \
               d.SiteCode, u.NALResType, u.NALPath, u.RoleTypeID, t.RoleName, u.SslState FROM dbo.SC_SysResUse AS u \
               JOIN dbo.SC_SiteDefinition AS d ON d.SiteNumber = u.SiteNumber JOIN repl.RoleType AS t ON t.RoleTypeID \
               = u.RoleTypeID;";
    let facts = variant(sql).await.facts().await;
    assert_contoso(&facts);
    let Fact::Known { source, .. } = &facts.site_systems else { unreachable!() };
    assert_eq!(
        (source.object.as_str(), &source.missing_columns[..]),
        ("dbo.vSMS_SC_SysResUse", &["ServerName".to_owned()][..])
    );
}
