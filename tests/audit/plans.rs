//! Plans: what may be missing in one is said, and is not exit code 0.

use super::*;

/// The command with what leads to the facts; the settings are those of the lab.
async fn planned(lab: &Lab, settings: bool, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = program();
    command.current_dir(lab.folder.path()).args(arguments);
    command.arg(format!("--sql=localhost,{}", lab.database.address().port()));
    command.args([&format!("--sql-user={}", lab.options.user), "--sql-ca-file=sql-ca.pem"]);
    command.env("CMCOMPLY_SQL_PASSWORD", &lab.options.password);
    if settings {
        command.arg("--settings=cmcomply.toml");
    }
    let done = output(command).await;
    (done.status.code(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plan_may_lack_is_said_and_counted() {
    let lab = Lab::healthy(Options::default()).await;
    let audit = ["audit", "--plan-only=plan.json"];
    let plan = |host| ["plan", "--host", host, "-o", "carry"];
    // The operator has stated what no database says.
    let (code, said) = planned(&lab, true, &audit).await;
    assert_eq!((code, said.contains("may lack")), (Some(0), false), "{said}");
    // Nobody has: facts that decide by themselves are known, and endpoints are undecided all the same.
    let (code, said) = planned(&lab, false, &audit).await;
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("may lack probes: ") && said.contains(" endpoints are undecided"), "{said}");
    assert!(!said.contains("unknown: "), "{said}");
    let (code, said) = planned(&lab, false, &plan("cm-cas.corp.contoso.com")).await;
    assert_eq!((code, said.contains(" undecided")), (Some(3), true), "{said}");
    // What is undecided for others is no matter of this host.
    let (code, said) = planned(&lab, false, &plan("cm-ps1-dp1.corp.contoso.com")).await;
    assert_eq!((code, said.contains("may lack")), (Some(0), false), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_fact_and_a_bad_value_are_said_of_a_plan_too() {
    let options = Options {
        variants: vec![
            "DROP TABLE dbo.AzureEnvironments;".to_owned(),
            "UPDATE dbo.Sites SET ReportToSite = N'XXX' WHERE SiteCode = N'SS1';".to_owned(),
        ],
        ..Options::default()
    };
    let lab = Lab::healthy(options).await;
    let (code, said) = planned(&lab, true, &["audit", "--plan-only=plan.json"]).await;
    assert_eq!(code, Some(3), "{said}");
    for reason in ["unknown: AzureEnvironments (not in this database", "1 unusable values in the site database"] {
        assert!(said.contains(reason), "{reason}: {said}");
    }
}
