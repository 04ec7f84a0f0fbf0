//! A hierarchy that is ready: the lab's site database with nothing to complain of, servers that say that all is well, and
//! an internet in which everything is reached.

use std::collections::HashMap;
use std::time::Duration;

use cmcomply::assess::readiness::{Case, Finding, HostFacts, HostsDocument, findings};
use cmcomply::assess::{Cause, Grade, Judgement, Verdict};
use cmcomply::catalog::{Catalog, Release};
use cmcomply::derive::{Decision, Options, Requirement, requirements};
use cmcomply::settings::{Settings, StatedReadiness};
use cmcomply::site::{Certificate, Facts, Network, Secret, Server, SignIn, read};
use cmcomply::vantage::EvidenceGrade;
use jiff::Timestamp;
use jiff::civil::Date;
use lab::site_database::{self, SiteDatabase};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The Contoso hierarchy with version 2509 everywhere, and nothing that setup for 2603 would complain of.
pub(crate) const READY: &str = "\
UPDATE dbo.Sites SET BuildNumber = 9141, Version = N'5.00.9141.1000';
GO
DELETE FROM repl.AzureService WHERE Name = N'BlueRidge';
GO
DELETE FROM repl.ProxyRoles WHERE MutualAuthPath LIKE N'%cmg.contoso.com%';
GO
DELETE FROM repl.CloudProxyConnector WHERE ProxyServiceName = N'cmg.contoso.com';
GO
UPDATE dbo.AAD_Application_Ex SET SecretKeyExpiry = '2028-01-10T09:00:00' WHERE SecretKeyExpiry IS NOT NULL;
GO
UPDATE dbo.CM_UpdatePackages SET FullVersion = N'5.00.9146.1000', State = 262146 WHERE FullVersion = N'5.00.9132.1000';
GO
UPDATE repl.UpdatePackageName SET Name = N'Configuration Manager 2603' WHERE Name = N'Configuration Manager 2409';
GO
DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 908;
GO
DELETE FROM repl.AIProxy;
GO
INSERT dbo.SC_SysResUse_Property (SysResUseID, Name, Value1, Value2, Value3) SELECT u.ID, N'UseProxy', NULL, NULL, 0 \
FROM dbo.vSMS_SC_SysResUse AS u WHERE u.RoleName = N'SMS Software Update Point' AND u.ServerName = N'CM-PS2.corp.contoso.com';
GO
INSERT dbo.SC_SysResUse_Property (SysResUseID, Name, Value1, Value2, Value3) SELECT u.ID, N'UseProxyForADR', NULL, NULL, 0 \
FROM dbo.vSMS_SC_SysResUse AS u WHERE u.RoleName = N'SMS Software Update Point' AND u.ServerName <> \
N'CM-CAS.corp.contoso.com';";

/// What no site database says.
pub(crate) const SETTINGS: &str = "\
[stated]
tenant_attach = true
endpoint_analytics = true
revocation_restricted = true
notification_hosts = [\"prod1.westus2.logic.azure.com\"]
[readiness]
https_or_enhanced_http = true
compliance_workload = \"configuration-manager\"
retired_connectors = false
";

/// This machine stands for everybody.
pub(crate) const STANDS_IN: &str =
    "[[vantages]]\nhosts = ['*', 'clients', 'consoles']\nkind = 'here'\nsame_subnet = true\n";

/// The servers of the hierarchy.
pub(crate) const SERVERS: [&str; 10] = [
    "cm-cas-sql",
    "cm-cas",
    "cm-ps1-ccp",
    "cm-ps1-dp1",
    "cm-ps1-dp2",
    "cm-ps1-sup",
    "cm-ps1",
    "cm-ps2-dp1",
    "cm-ps2",
    "cm-ss1",
];

/// Everything that the rules look at, ready to be changed.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) facts: Facts,
    pub(crate) judgements: Vec<Judgement>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) hosts: Vec<HostFacts>,
    pub(crate) stated: StatedReadiness,
    pub(crate) target: Release,
    pub(crate) day: Date,
    pub(crate) now: Timestamp,
}

impl World {
    /// The hierarchy that is ready, changed by T-SQL.
    pub(crate) async fn new(sql: &str, target: &str) -> Self {
        let variants = vec![READY.to_owned(), sql.to_owned()];
        let facts = facts(site_database::Options { variants, ..Default::default() }).await;
        let settings = Settings::parse("cmcomply.toml", SETTINGS).unwrap();
        Self::of(facts.state(&settings), settings.readiness, target)
    }

    pub(crate) fn of(facts: Facts, stated: StatedReadiness, target: &str) -> Self {
        let target = Catalog::embedded().releases.iter().find(|release| release.version == target).unwrap().clone();
        let options = Options { target_build: Some(target.build), ..Options::default() };
        let requirements = requirements(&facts, Catalog::embedded(), &options);
        let judgements = reached(&requirements);
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let document = hosts("2026-11-24T08:00:00Z", "2026-11-25T06:00:00Z");
        let hosts = HostsDocument::parse("hosts.json", document.to_string().as_bytes()).unwrap().hosts;
        let day = "2026-11-25".parse().unwrap();
        Self { facts, judgements, requirements, hosts, stated, target, day, now }
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        findings(&self.case())
    }

    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            facts: &self.facts,
            catalog: Catalog::embedded(),
            requirements: &self.requirements,
            judgements: &self.judgements,
            hosts: &self.hosts,
            stated: &self.stated,
            waivers: None,
            target: &self.target,
            day: self.day,
            now: self.now,
        }
    }

    pub(crate) fn host(&mut self, name: &str) -> &mut HostFacts {
        self.hosts.iter_mut().find(|facts| facts.host.short() == name).unwrap()
    }

    /// Lets what fits be observed so.
    pub(crate) fn observe(&mut self, verdict: Verdict, fits: impl Fn(&Requirement, &Judgement) -> bool) {
        let mut some = false;
        for (requirement, judgement) in self.requirements.iter().zip(&mut self.judgements) {
            if fits(requirement, judgement) {
                some = true;
                judgement.verdict = verdict;
                judgement.cause = Some(Cause {
                    code: "tcp-refused".to_owned(),
                    stage: None,
                    text: "refused".to_owned(),
                    detail: None,
                    remedy: "allow it".to_owned(),
                    in_product: None,
                });
            }
        }
        assert!(some, "nothing of the kind is needed");
    }
}

/// Everything that is needed is reached.
fn reached(requirements: &[Requirement]) -> Vec<Judgement> {
    let plan = cmcomply::plan::build(requirements);
    let mut probes: HashMap<_, Vec<_>> = HashMap::new();
    for probe in &plan.probes {
        for requirement in &probe.requirements {
            probes.entry(requirement.clone()).or_default().push(probe.id.clone());
        }
    }
    let judge = |requirement: &Requirement| Judgement {
        requirement: requirement.id.clone(),
        verdict: match requirement.decision {
            Decision::Needed => Verdict::Pass,
            Decision::Undecided { .. } => Verdict::NotObserved,
            Decision::Retired => Verdict::NotApplicable,
        },
        grade: Grade::Required,
        probes: probes.get(&requirement.id).cloned().unwrap_or_default(),
        observed_from_role_host: true,
        vantage: 0,
        evidence_grade: Some(EvidenceGrade::B),
        cause: None,
        waiver: None,
        notes: Vec::new(),
    };
    requirements.iter().map(judge).collect()
}

/// What the servers say of themselves where all is well.
pub(crate) fn hosts(read: &str, contact: &str) -> Value {
    let known = |value: Value| json!({ "state": "known", "value": value });
    let keys = [r"Microsoft\.NETFramework", r"Wow6432Node\Microsoft\.NETFramework"];
    let keys = keys.iter().flat_map(|key| ["v2.0.50727", "v4.0.30319"].map(|version| format!(r"{key}\{version}")));
    let values = keys.flat_map(|key| ["SchUseStrongCrypto", "SystemDefaultTlsVersions"].map(|v| format!(r"{key}\{v}")));
    let strong: serde_json::Map<String, Value> = values.map(|name| (name, known(json!(1)))).collect();
    let roots: Vec<String> = Catalog::embedded().roots.iter().map(|root| root.sha1.to_uppercase()).collect();
    let host = |name: &&str| {
        json!({
            "host": format!("{name}.corp.contoso.com"),
            "read": read,
            "windows": known(json!("10.0.20348")),
            "restart_pending": known(json!(false)),
            "net_release": known(json!(528_372)),
            "odbc_driver": known(json!("18.5.1.1")),
            "tls_versions": known(json!(["1.2", "1.3"])),
            "tls_suites": known(json!(["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"])),
            "strong_crypto": strong,
            "roots": known(json!(roots)),
            "winhttp_proxy": known(json!("proxy.contoso.com:8080")),
            "update_source": known(json!("https://sws.update.microsoft.com")),
            "cloud_contact": known(json!(contact)),
        })
    };
    json!({ "format": "cmcomply.host-facts/1", "hosts": SERVERS.iter().map(host).collect::<Vec<_>>() })
}

async fn facts(options: site_database::Options) -> Facts {
    let (user, password) = (options.user.clone(), Secret::new(&options.password));
    let database = SiteDatabase::start(options).await;
    let ca = tempfile::NamedTempFile::with_suffix(".pem").unwrap();
    std::fs::write(ca.path(), database.ca_pem()).unwrap();
    let options = cmcomply::site::Options {
        server: Server::parse(&format!("localhost,{}", database.address().port())).unwrap(),
        database: Some("CM_CAS".to_owned()),
        sign_in: SignIn::SqlLogin { user, password },
        certificate: Certificate::CaFile(ca.path().to_owned()),
        network: Network::default(),
        connect_timeout: Duration::from_secs(20),
        query_timeout: Duration::from_mins(1),
    };
    read(&options, CancellationToken::new()).await.unwrap()
}
