//! Runs that do not begin: servers, logins, databases and arguments.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_server_is_named_with_what_to_do() {
    let lab = Lab::contoso().await;
    let closed = format!("--sql=localhost,{}", lab.internet.closed().port());
    let mut command = program();
    command
        .args(["audit", &closed, "--sql-user=reader"])
        .env("CMCOMPLY_SQL_PASSWORD", "x")
        .current_dir(lab.folder.path());
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(4));
    let said = text(&done.stderr);
    assert!(said.contains("refused the TCP connection") && said.contains("--sql"), "{said}");
    assert!(!Path::new(&lab.path("run.json")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_exit_4() {
    let lab = Lab::contoso().await;
    let mut command = lab.command();
    command.env("CMCOMPLY_SQL_PASSWORD", "wrong-password");
    let done = output(command).await;
    assert_eq!(done.status.code(), Some(4));
    let said = text(&done.stderr);
    assert!(said.contains("cmcomply") && said.to_lowercase().contains("login"), "{said}");
    assert!(!said.contains("wrong-password"));
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_certificate_is_exit_4_and_names_the_way_out() {
    let options = Options { certificate: lab::site_database::Certificate::AnotherAuthority, ..Options::default() };
    let lab = Lab::new(options, Spec::contoso()).await;
    let (code, said) = refused(&lab, &[]).await;
    assert_eq!(code, Some(4));
    assert!(said.contains("--sql-ca-file") && said.contains("--trust-server-certificate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_no_site_database_is_exit_4() {
    let options = Options { empty_databases: vec!["CM_XYZ".to_owned()], ..Options::default() };
    let lab = Lab::new(options, Spec::contoso()).await;
    let (code, said) = refused(&lab, &["--database=CM_XYZ"]).await;
    assert_eq!(code, Some(4));
    assert!(said.contains("CM_XYZ") && said.contains("not a Configuration Manager site database"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_site_databases_are_listed() {
    let options = Options { site_databases: vec!["CM_PS9".to_owned()], ..Options::default() };
    let lab = Lab::new(options, Spec::contoso()).await;
    let (code, said) = refused(&lab, &[]).await;
    assert_eq!(code, Some(4));
    assert!(said.contains("CM_CAS") && said.contains("CM_PS9") && said.contains("--database"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_no_sql_servers_end_in_exit_4_and_in_time() {
    for fault in [Fault::CloseAtOnce, Fault::Garbage, Fault::NeverAnswer, Fault::RefuseHandshake] {
        let lab = Lab::new(Options { faults: vec![fault.clone()], ..Options::default() }, Spec::contoso()).await;
        let (code, said) = refused(&lab, &["--sql-connect-timeout=2", "--sql-query-timeout=2"]).await;
        assert_eq!(code, Some(4), "{fault:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{fault:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_arguments_are_exit_2_and_say_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: Vec<String>| {
        let mut command = program();
        command.args(arguments).current_dir(folder.path());
        output(command)
    };
    let good = ["audit", "--sql=localhost,1", "--sql-user=reader"];
    let cases: [(&[&str], &str); 14] = [
        (&["audit", "--sql=a b"], "--sql"),
        (&["audit", "--sql="], "--sql"),
        (&["audit", "--sql=host,99999"], "--sql"),
        (&["audit", "--sql=host,port"], "--sql"),
        (&["audit"], "--sql"),
        (&["audit", "--sql=h", "--sql-user=r", "--trust-server-certificate", "--sql-ca-file=x"], "--sql-ca-file"),
        (&["audit", "--sql=h", "--sql-user=r", "--sql-ca-file=no-such-file"], "--sql-ca-file"),
        (&["audit", "--sql=h", "--sql-user=r", "--ca-file=no-such-file"], "--ca-file"),
        (&["audit", "--sql=h", "--sql-user=r", "--connect-to=nonsense"], "--connect-to"),
        (&["audit", "--sql=h", "--sql-user=r", "--dns-server=nonsense"], "--dns-server"),
        (&["audit", "--sql=h", "--sql-user=r", "--proxy=site-system-proxy=direct"], "site database says"),
        (&["audit", "--sql=h", "--sql-user=r", "--stage-timeout=0"], "--stage-timeout"),
        (&["audit", "--sql=h", "--sql-user=r", "--output=no/such/folder/run.json"], "--output"),
        (&["audit", "--sql=h", "--sql-user=r", "--sql-password=secret"], "--sql-password"),
    ];
    for (arguments, named) in cases {
        let done = run(arguments.iter().map(|a| (*a).to_owned()).collect()).await;
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
    // No password, and nowhere to ask for one.
    let done = run(good.iter().map(|a| (*a).to_owned()).collect()).await;
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("CMCOMPLY_SQL_PASSWORD"));
    // No account, in a build that cannot sign in as the one that runs it.
    if !cfg!(any(windows, feature = "gssapi")) {
        let done = run(vec!["audit".to_owned(), "--sql=h".to_owned()]).await;
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        for way in ["--sql-user", "--sql-token-env", "--sql-token-file", "gssapi"] {
            assert!(said.contains(way), "{way}: {said}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
