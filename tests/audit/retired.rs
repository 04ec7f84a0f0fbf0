//! Names of services that are gone: looked at on demand, and never a reason for anything.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_name_that_is_still_reached_is_told_and_decides_nothing() {
    // One is reached, one is blocked, and one never answers.
    let spec = Spec::healthy()
        .host("sc.microsoft.com", Behaviour::Status(404))
        .host("sccmconnected-a01.cloudapp.net", Behaviour::Refused)
        .host("graph.windows.net", Behaviour::HttpSilence);
    let lab = Lab::new(Options::default(), spec).await;
    let stated = "[stated]\ntenant_attach = true\nendpoint_analytics = true\nrevocation_restricted = true\n\
                  notification_hosts = [\"prod1.westus2.logic.azure.com\"]\n";
    std::fs::write(lab.path("cmcomply.toml"), format!("{STANDS_IN}{stated}")).unwrap();
    let audit = async |retired: bool| {
        let mut command = lab.command();
        command.args([lab.settings(), "--stage-timeout=3".to_owned(), "--retries=0".to_owned()]);
        command.args(retired.then_some("--retired"));
        let done = output(command).await;
        (done.status.code(), text(&done.stdout), lab.run())
    };
    let (plain_code, plain_table, plain) = audit(false).await;
    assert!(!causes(&plain, "not_applicable").contains_key("retired-reached"));
    let (code, table, run) = audit(true).await;
    assert_eq!((code, &run["outcome"]), (plain_code, &plain["outcome"]), "{plain_table}{table}");
    assert!(!plain_table.contains("Hygiene") && table.contains("Hygiene, decides nothing: "), "{table}");
    assert!(table.contains("https://sc.microsoft.com from cm-cas.corp.contoso.com"), "{table}");
    assert_eq!(run["settings"]["retired"], true);
    let of = |name: &str| {
        let rows = run["requirements"].as_array().unwrap().iter().zip(run["judgements"].as_array().unwrap());
        let rows = rows.filter(|(requirement, _)| requirement["name"]["pattern"] == name);
        rows.map(|(_, judgement)| judgement["cause"]["code"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert!(of("sc.microsoft.com").contains(&"retired-reached"), "{:?}", of("sc.microsoft.com"));
    for name in ["sccmconnected-a01.cloudapp.net", "graph.windows.net"] {
        assert!(!of(name).is_empty() && of(name).iter().all(|code| *code == "retired"), "{name}: {:?}", of(name));
    }
    // What the hierarchy needs for something else is no rule that can go.
    let probes = |run: &Value| run["probes"].as_array().unwrap().len();
    let more = probes(&run) - probes(&plain);
    assert!((3..40).contains(&more), "{more}");
    assert!(!table.contains("https://login.live.com from"), "{table}");
}
