//! What the site database does not say, or says wrongly.

use super::*;

/// Each of these leaves the database without something that the audit rests on. None may end compliant.
#[tokio::test(flavor = "multi_thread")]
async fn no_damage_to_the_database_ends_in_a_false_green() {
    let damages = [
        "DELETE FROM dbo.SC_SysResUse",
        "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 902",
        "DELETE FROM dbo.SC_SysResUse WHERE RoleTypeID = 901 AND NALPath LIKE N'%CM-CAS.%'",
        "DELETE FROM dbo.Sites",
        "UPDATE dbo.SC_Component_Property SET Value2 = N'old-sup.corp.contoso.com' WHERE Name = N'DefaultWSUS' AND SiteNumber = 0",
        "UPDATE repl.AzureService SET ServiceType = N'CloudManagementGateway'",
        "DELETE FROM repl.AzureService",
        "UPDATE dbo.AAD_Tenant_Ex SET Environment = 3",
        "UPDATE dbo.AzureEnvironments SET ActiveDirectoryEndpoint = NULL",
        "UPDATE dbo.AzureEnvironments SET ActiveDirectoryEndpoint = N'no host name'",
    ];
    for damage in damages {
        let options = Options { variants: vec![damage.to_owned()], ..Options::default() };
        let (code, table, _) = audit_healthy(options).await;
        assert_eq!(code, Some(3), "{damage}\n{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_right_on_an_object_is_an_unknown_fact_and_an_incomplete_run() {
    let rights = Rights::objects(&[
        "SMSData",
        "v_Site",
        "vSMS_SC_SysResUse",
        "vSMS_SC_SysResUse_Properties",
        "SC_Component",
        "SC_Component_Property",
        "SC_SiteDefinition",
        "AAD_Tenant_Ex",
        "vSMS_AzureService",
        "vSMS_AAD_Discovery_Settings",
    ]);
    let lab = Lab::new(Options { rights, ..Options::default() }, Spec::contoso()).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(1));
    let run = lab.run();
    assert_eq!(run["facts"]["azure_environments"]["state"], "unknown");
    assert_eq!(run["facts"]["cmgs"]["state"], "known");
    let reasons = run["outcome"]["incomplete"].to_string();
    assert!(reasons.contains("AzureEnvironments"), "{reasons}");
    assert!(text(&done.stdout).contains("non-compliant and incomplete"));
    assert!(causes(&run, "not_observed").contains_key("undecided"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_mid_answer_costs_the_facts_that_were_not_answered() {
    let cut = Fault::Cut { containing: "FROM dbo.AzureEnvironments".to_owned(), after_rows: 1 };
    let lab = Lab::new(Options { faults: vec![cut], ..Options::default() }, Spec::contoso()).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let run = lab.run();
    assert_eq!(run["facts"]["azure_environments"]["state"], "unknown");
    assert_eq!(run["facts"]["azure_environments"]["why"], "cut");
    assert_eq!(run["facts"]["sites"]["state"], "known");
    assert_eq!(run["facts"]["tenants"]["state"], "known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_that_is_none_is_a_finding_and_reaches_no_output_unescaped() {
    let variant = "UPDATE dbo.SC_SysResUse SET NALPath = N'[\"Display=\\\\<b>x\u{1b}[2J\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\<b>x\u{1b}[2J\\' \
                   WHERE NALPath LIKE N'%CM-PS1-DP1%'";
    let lab = Lab::new(Options { variants: vec![variant.to_owned()], ..Options::default() }, Spec::contoso()).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    let done = output(command).await;
    let table = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(table.contains("Unusable values in the site database"), "{table}");
    assert!(!table.contains('\u{1b}') && table.contains("<b>x\\u{1b}"), "{table}");
    let run = lab.run();
    let findings = run["facts"]["data_findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["value"].as_str().unwrap().contains("\\u{1b}")), "{findings:?}");
    assert!(run["outcome"]["incomplete"].to_string().contains("unusable value"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_records_the_catalog_of_the_operator() {
    let lab = Lab::contoso().await;
    std::fs::create_dir(lab.path("own")).unwrap();
    std::fs::write(lab.path("own/extra.toml"), "section = \"Contoso\"\n").unwrap();
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1", &format!("--catalog={}", lab.path("own"))]);
    output(command).await;
    let (run, embedded) = (lab.run(), cmcomply::catalog::Catalog::embedded());
    assert_eq!(run["catalog"]["version"], format!("{}+own", embedded.version));
    let hash = run["catalog"]["sha256"].as_str().unwrap();
    assert!(hash.len() == 64 && hash != embedded.sha256, "{hash}");
}
