//! Several sites of one hierarchy, by the built program: read from below the top it says so; the databases of several
//! sites, or snapshots of them, are put together, in any order.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lab::site_database::{Options, SiteDatabase};
use serde_json::Value;

/// The database of a primary site: Contoso's, which says that it is this site's.
const PS1: &str = "UPDATE dbo.SMSData SET ThisSiteCode = N'PS1';";

/// The site databases of a central administration site and of a primary site below it.
struct Hierarchy {
    cas: SiteDatabase,
    ps1: SiteDatabase,
    folder: tempfile::TempDir,
}

impl Hierarchy {
    /// `changes` are those of the primary site's database.
    async fn new(changes: &[&str]) -> Self {
        Self::with(&[], changes).await
    }

    /// `top` are the changes of the central administration site's database.
    async fn with(top: &[&str], changes: &[&str]) -> Self {
        let variants = top.iter().map(|sql| (*sql).to_owned()).collect();
        let cas = SiteDatabase::start(Options { variants, ..Options::default() }).await;
        let variants = [PS1].iter().chain(changes).map(|sql| (*sql).to_owned()).collect();
        let ps1 = SiteDatabase::start(Options { database: "CM_PS1".into(), variants, ..Options::default() }).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), format!("{}{}", cas.ca_pem(), ps1.ca_pem())).unwrap();
        Self { cas, ps1, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn to(database: &SiteDatabase) -> String {
        format!("--sql=localhost,{}", database.address().port())
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cmcomply"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).args(arguments);
        if arguments.iter().any(|argument| argument.starts_with("--sql=")) {
            command.args(["--sql-user=cmcomply", "--sql-ca-file=ca.pem"]);
        }
        command.env("CMCOMPLY_SQL_PASSWORD", Options::default().password);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments).await;
        assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", text(&done.stderr));
        text(&done.stdout)
    }

    /// The record of an audit that probes nothing: its deadline has passed before it begins.
    async fn audit(&self, sources: &[&str]) -> (Value, String) {
        let arguments = [
            &["audit", "--output=run.json"],
            sources,
            &["--dns-server=127.0.0.1:9", "--deadline=1", "--stage-timeout=1"],
        ]
        .concat();
        let done = self.run(&arguments).await;
        assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
        (read(&self.path("run.json")), text(&done.stdout))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Without the breaks that the table puts into a line.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const SAID: &str = "read from the database of site PS1, which is below CAS: read that of CAS as well, CM_CAS on \
                    cm-cas-sql.corp.contoso.com";

#[tokio::test(flavor = "multi_thread")]
async fn from_below_the_top_the_program_says_so_and_knows_less() {
    let lab = Hierarchy::new(&[]).await;
    let ps1 = Hierarchy::to(&lab.ps1);
    assert!(lab.ok(&["snapshot", &ps1]).await.contains(SAID));
    assert!(lab.ok(&["init", &ps1]).await.contains(SAID));
    let (run, table) = lab.audit(&[&ps1]).await;
    assert!(unwrapped(&table).contains(SAID), "{table}");
    assert!(run["outcome"]["incomplete"].as_array().unwrap().iter().any(|why| why == SAID));

    let facts = &run["facts"];
    // Clients of other sites are not in this database; what it has none of, another may have.
    for (fact, says) in [
        ("client_counts", "has the clients of that site only"),
        ("clients_by_system", "has the clients of that site only"),
        ("co_managed_clients", "has the clients of that site only"),
        ("microsoft_365_clients", "has the clients of that site only"),
        ("online_clients", "has the clients of that site only"),
        ("cloud_distribution_points", "has none; that of CAS may"),
        ("desktop_analytics", "has none; that of CAS may"),
        ("store_for_business", "has none; that of CAS may"),
    ] {
        assert_eq!(
            (&facts[fact]["state"], &facts[fact]["why"]),
            (&"unknown".into(), &"not_evidenced".into()),
            "{fact}"
        );
        assert!(facts[fact]["detail"].as_str().unwrap().contains(says), "{fact}: {}", facts[fact]);
    }
    // What is seen there is there.
    for fact in ["cmgs", "tenants", "service_connection_points", "group_syncs", "entra_user_discovery"] {
        assert_eq!(facts[fact]["state"], "known", "{fact}");
        let more = facts[fact]["source"]["may_lack"].as_str().unwrap();
        assert!(more.ends_with("may not have all of it; that of CAS has"), "{more}");
    }

    // At the top nothing of this is said.
    let cas = Hierarchy::to(&lab.cas);
    assert!(!lab.ok(&["snapshot", &cas]).await.contains("below"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_connection_point_that_is_not_seen_from_below_is_not_said_to_be_none() {
    let gone = "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 23;";
    let nowhere = "DELETE FROM dbo.SC_SiteDefinition WHERE SiteCode = N'CAS';";
    let lab = Hierarchy::new(&[gone, nowhere]).await;
    let (run, table) = lab.audit(&[&Hierarchy::to(&lab.ps1)]).await;
    assert!(
        unwrapped(&table).contains("read that of CAS as well (where it is, this database does not say)"),
        "{table}"
    );
    let points: Vec<&Value> =
        run["requirements"].as_array().unwrap().iter().filter(|r| r["role"] == "service-connection-point").collect();
    assert!(!points.is_empty());
    assert!(points.iter().all(|r| r["decision"]["decision"] != "needed" && r["subject"]["kind"] == "unknown_hosts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_in_any_order_and_their_snapshots_give_the_same_requirements() {
    let lab = Hierarchy::new(&[]).await;
    let (cas, ps1) = (Hierarchy::to(&lab.cas), Hierarchy::to(&lab.ps1));
    lab.ok(&["snapshot", &cas, "-o", "cas.json"]).await;
    lab.ok(&["snapshot", &ps1, "-o", "ps1.json"]).await;
    lab.ok(&["snapshot", &ps1, &cas, "-o", "both.json"]).await;
    let (first, table) = lab.audit(&[&cas, &ps1]).await;
    for sources in [
        &[ps1.as_str(), &cas][..],
        &["--snapshot=ps1.json", &cas],
        &["--snapshot=ps1.json", "--snapshot=cas.json"],
        &["--snapshot=both.json"],
        &["--snapshot=both.json", "--snapshot=ps1.json"],
    ] {
        let (run, _) = lab.audit(sources).await;
        assert_eq!(run["facts"], first["facts"], "{sources:?}");
        assert_eq!(run["requirements"].to_string(), first["requirements"].to_string(), "{sources:?}");
    }
    // The database of the top-level site is named first, and nothing is missing any more.
    assert!(table.starts_with("Database CM_CAS on localhost,"), "{table}");
    assert!(table.contains("Database CM_PS1 on localhost,") && !table.contains("which is below"), "{table}");
    assert_eq!(first["facts"]["data_findings"], Value::Array(Vec::new()));
    let (alone, _) = lab.audit(&[&cas]).await;
    assert_eq!(alone["requirements"], first["requirements"], "nothing in PS1 that CAS does not know");
    // What only one of them tells says which.
    let counts = &first["facts"]["client_counts"]["source"];
    assert_eq!(counts["databases"], serde_json::json!([format!("CM_CAS on {}", &cas["--sql=".len()..])]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_databases_do_not_agree_on_names_both() {
    let offline = "UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';";
    let more = "INSERT dbo.SC_SysResUse (ID, SiteNumber, NALResType, NALPath, RoleTypeID, SslState) VALUES (7, 1, \
                N'Windows NT Server', N'[\"Display=\\\\CM-PS1.corp.contoso.com\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\\
                CM-PS1.corp.contoso.com\\', 912, 0);";
    let lab = Hierarchy::new(&[offline, more]).await;
    let (cas, ps1) = (Hierarchy::to(&lab.cas), Hierarchy::to(&lab.ps1));
    let (run, _) = lab.audit(&[&ps1, &cas]).await;
    let facts = &run["facts"];
    assert_eq!(facts["service_connection_points"]["value"][0]["online"], Value::Null);
    let findings = facts["data_findings"].as_array().unwrap();
    let found = findings.iter().find(|f| f["column"] == "online").unwrap_or_else(|| panic!("{findings:#?}"));
    let problem = found["problem"].as_str().unwrap();
    let (cas, ps1) = (&cas["--sql=".len()..], &ps1["--sql=".len()..]);
    assert_eq!(
        problem,
        format!("the site databases do not agree: CM_CAS on {cas} says true, CM_PS1 on {ps1} says false")
    );
    assert_eq!(found["row"], "site=CAS, host=cm-cas.corp.contoso.com");
    // The roles of a server unite.
    let systems = facts["site_systems"]["value"].as_array().unwrap();
    let server = systems.iter().find(|s| s["host"] == "cm-ps1.corp.contoso.com").unwrap();
    assert!(server["roles"].as_array().unwrap().iter().any(|r| r["role"] == "SMS Fallback Status Point"));
    // No requirement of the service connection point is decided, and none is gone.
    let of_point = |r: &&Value| r["role"] == "service-connection-point" && r["decision"]["decision"] == "undecided";
    assert!(run["requirements"].as_array().unwrap().iter().filter(of_point).count() > 10);
}

/// The names of what a run needs, or of what it does not know whether it needs.
fn names(run: &Value, decision: &str) -> BTreeSet<String> {
    let all = run["requirements"].as_array().unwrap().iter();
    let all = all.filter(|one| one["decision"]["decision"] == decision);
    all.map(|one| format!("{} {}", one["subject"]["kind"], one["name"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_lower_site_can_say_is_not_taken_for_all() {
    let lab = Hierarchy::with(&["DROP VIEW dbo.vSMS_AzureService;"], &[]).await;
    let (cas, ps1) = (Hierarchy::to(&lab.cas), Hierarchy::to(&lab.ps1));
    let (run, _) = lab.audit(&[&cas, &ps1]).await;
    let cmgs = &run["facts"]["cmgs"];
    assert_eq!(cmgs["state"], "known");
    assert!(cmgs["source"]["may_lack"].is_string(), "{cmgs}");
    // The gateways of the lower site are needed, and there may be more.
    let has = |decision: &str, part: &str| names(&run, decision).iter().any(|name| name.contains(part));
    assert!(has("needed", "granitefalls"), "{:?}", names(&run, "needed"));
    assert!(has("undecided", "{cmg."), "{:?}", names(&run, "undecided"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_say_whose_it_is_is_doubted_like_one_below_the_top() {
    let lab = Hierarchy::with(&["DELETE FROM dbo.SMSData;"], &[]).await;
    let (run, _) = lab.audit(&[&Hierarchy::to(&lab.cas)]).await;
    let facts = &run["facts"];
    assert_eq!(facts["this_site"]["state"], "unknown");
    for (fact, says) in [
        ("client_counts", "may have the clients of that site only"),
        ("cloud_distribution_points", "has none, and that of the top-level site may"),
    ] {
        assert_eq!(facts[fact]["state"], "unknown", "{fact}");
        assert!(facts[fact]["detail"].as_str().unwrap().contains(says), "{fact}: {}", facts[fact]);
    }
    assert!(facts["site_systems"]["source"]["may_lack"].is_string(), "{}", facts["site_systems"]["source"]);
    assert!(names(&run, "undecided").iter().any(|name| name.contains("{cmg.")));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_named_for_each_server_or_for_none() {
    let lab = Hierarchy::new(&[]).await;
    let (cas, ps1) = (Hierarchy::to(&lab.cas), Hierarchy::to(&lab.ps1));
    let wrong = lab.run(&["snapshot", &cas, &ps1, "--database=CM_CAS"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("--database is given 1 times and --sql 2 times"), "{}", text(&wrong.stderr));
    assert_eq!((lab.cas.logins(), lab.ps1.logins()), (Vec::new(), Vec::new()));
    lab.ok(&["snapshot", &cas, "--database=CM_CAS", &ps1, "--database=CM_PS1"]).await;
    assert_eq!(read(&lab.path("site.json"))["facts"]["other_connections"][0]["database"], "CM_PS1");

    // Pseudonyms match nothing, and stay what they are.
    lab.ok(&["snapshot", "--snapshot=site.json", "--redact", "-o", "redacted.json"]).await;
    let mixed = lab.run(&["snapshot", "--snapshot=redacted.json", "--snapshot=site.json"]).await;
    assert_eq!((mixed.status.code(), text(&mixed.stderr).contains("redacted")), (Some(2), true));
    let redacted = std::fs::read_to_string(lab.path("redacted.json")).unwrap();
    assert!(!redacted.contains("localhost") && !redacted.contains("CM_PS1"), "{redacted}");
    lab.ok(&["snapshot", "--snapshot=redacted.json", "-o", "again.json"]).await;
    assert_eq!(std::fs::read_to_string(lab.path("again.json")).unwrap(), redacted);
}
