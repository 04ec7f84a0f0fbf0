//! Runs that end early, and screens that cannot be written to.

use super::*;

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_screen_does_not_cost_the_record_and_a_device_is_no_place_for_it() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut child = command.spawn().unwrap();
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(2));
    lab.run();
    let mut command = program();
    command.args(["audit", "--sql=h", "--sql-user=r", "--output=/dev/null"]);
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("no regular file"), "{}", text(&done.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_total_deadline_leaves_a_valid_incomplete_run() {
    let mut spec = Spec::contoso();
    for host in ["download.microsoft.com", "aka.ms", "go.microsoft.com"] {
        spec = spec.host(host, Behaviour::HttpSilence);
    }
    let lab = Lab::new(Options::default(), spec).await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=30", "--deadline=3"]);
    let done = output(command).await;
    let run = lab.run();
    assert!(run["outcome"]["incomplete"].to_string().contains("deadline"), "{}", run["outcome"]);
    assert!(causes(&run, "not_observed").contains_key("interrupted"), "{}", text(&done.stdout));
    assert_eq!(run["observations"].as_array().unwrap().len(), run["probes"].as_array().unwrap().len());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_probing_leaves_a_valid_incomplete_run() {
    let mut spec = Spec::contoso();
    spec = spec.host("download.microsoft.com", Behaviour::HttpSilence);
    let lab = Lab::new(Options::default(), spec).await;
    let (code, table, errors) =
        interrupt_after(&lab, |lab| lab.internet.seen().len() > 50, &["--from-here", "--stage-timeout=60"]).await;
    let run = lab.run();
    assert!(matches!(code, Some(1 | 3)), "{code:?} {table} {errors}");
    assert!(errors.contains("interrupted"), "{errors}");
    assert!(run["outcome"]["incomplete"].to_string().contains("Ctrl-C"));
    assert!(causes(&run, "not_observed").contains_key("interrupted"));
    for list in run["revocation_lists"].as_array().unwrap() {
        assert_eq!(list["fetch"]["outcome"], "cancelled");
    }
    assert_eq!(lab.left_beside(), [] as [&str; 0]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_reading_the_site_database_leaves_a_run_in_which_everything_is_unknown() {
    let silent = Fault::Silent { containing: "FROM dbo.AzureEnvironments".to_owned() };
    let lab = Lab::healthy(Options { faults: vec![silent], ..Options::default() }).await;
    let (code, _, errors) = interrupt_after(&lab, |lab| !lab.database.statements().is_empty(), &[]).await;
    let run = lab.run();
    assert_eq!(code, Some(3), "{errors}");
    assert_eq!(run["facts"]["sites"]["state"], "unknown");
    assert_eq!((tally(&run, "required", "pass"), tally(&run, "required", "fail")), (0, 0));
    assert!(causes(&run, "not_observed").contains_key("undecided"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_error() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.args(["--from-here", "--stage-timeout=1"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code()).await.unwrap();
    assert_eq!(code, Some(1));
    lab.run();
}
