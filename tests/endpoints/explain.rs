//! Why a name is needed, or why not.

use serde_json::Value;

use super::Place;

impl Place {
    async fn explain(&self, arguments: &[&str]) -> String {
        let base = ["explain", "--snapshot=site.json", "--settings=cmcomply.toml", "--width=160"];
        let done = self.run(&[&base, arguments].concat()).await;
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.out.lines().all(|line| line.chars().count() <= 160));
        // Wrapping is for the eye.
        done.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_and_a_port_are_part_of_the_question() {
    let place = Place::contoso().await;
    for (asked, answer) in [
        ("aka.ms", "aka.ms is needed in this hierarchy. "),
        ("https://aka.ms", "aka.ms is needed in this hierarchy. "),
        ("aka.ms:443", "aka.ms is needed in this hierarchy. "),
        ("https://aka.ms:9999", "aka.ms is needed in this hierarchy, but not on port 9999: https 443. "),
        ("aka.ms:80", "aka.ms is needed in this hierarchy, but not on port 80: https 443. "),
        ("http://aka.ms", "aka.ms is needed in this hierarchy, but not with http on port 80: https 443. "),
        ("http://aka.ms:443/x", "aka.ms is needed in this hierarchy, but not with http on port 443: https 443. "),
    ] {
        let text = place.explain(&[asked]).await;
        assert!(text.starts_with(answer), "{asked}: {text}");
    }
    let done = place.run(&["explain", "https://aka.ms:9999", "--snapshot=site.json", "--format=json"]).await;
    let document: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&document["answer"], &document["port"]), (&Value::from("elsewhere"), &Value::from(9999)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_answer() {
    let place = Place::contoso().await;
    let text = place.explain(&["https://download.microsoft.com/x"]).await;
    has(
        &text,
        &[
            "download.microsoft.com is needed in this hierarchy.",
            "needed (critical) by cm-cas.corp.contoso.com, service connection point of site CAS",
            "because the service connection point on cm-cas.corp.contoso.com is online (dbo.",
            "according to Internet access requirements: Updates and servicing, 2026-06-08",
            "route proxy proxy.contoso.com:8080",
        ],
    );
    // Through a wildcard.
    let text = place.explain(&["portal.manage.microsoft.com"]).await;
    has(
        &text,
        &[
            "portal.manage.microsoft.com is needed",
            "*.manage.microsoft.com (portal.manage.microsoft.com is one of these)",
        ],
    );
    // In no entry.
    let text = place.explain(&["foo.example.org"]).await;
    has(&text, &["No entry of catalog", "names foo.example.org."]);
    assert!(!text.contains("A name that is not known yet"), "{text}");
    let text = place.explain(&["foo.windowsupdate.org"]).await;
    assert!(!text.contains("Near it"), "{text}");
    // The condition is false: which fact, according to which object.
    let text = place.explain(&["login.microsoftonline.us"]).await;
    has(
        &text,
        &[
            "login.microsoftonline.us is not needed in this hierarchy: the entries that name it do not apply.",
            "no cmg.exists it is not so that the hierarchy has a cloud management gateway in Azure US Government cloud (dbo.",
            "no cloud nothing here is in Azure US Government cloud",
        ],
    );
    // Needed after an update only.
    let text = place.explain(&["sts.windows.net"]).await;
    has(&text, &["is not needed", "no build needed from build 9146 on"]);
    let text = place.explain(&["sts.windows.net", "--target-version=2603"]).await;
    has(&text, &["sts.windows.net is needed", "the target build is 9146"]);
    // Gone.
    let text = place.explain(&["sccmconnected-a01.cloudapp.net"]).await;
    has(&text, &["is not needed in this hierarchy: its service is gone.", "retired"]);
    // A name of the form of a template, and not the one that is used here.
    let text = place.explain(&["other.blob.core.windows.net"]).await;
    has(
        &text,
        &["is not needed", "other.blob.core.windows.net has this form", "https://granitefalls.blob.core.windows.net"],
    );
    // Another host.
    let text = place.explain(&["ntservicepack.microsoft.com", "--host=cm-ps1.corp.contoso.com"]).await;
    has(
        &text,
        &[
            "ntservicepack.microsoft.com is not needed by cm-ps1.corp.contoso.com",
            "cm-ps1.corp.contoso.com is not software update point",
            "it applies to cm-cas.corp.contoso.com",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_fact_is_named_with_how_to_state_it() {
    let place = Place::contoso().await;
    place.write("cmcomply.toml", "");
    for (asked, answer) in [
        ("foo.example.org", "names foo.example.org. A name that is not known yet may still be it."),
        ("login.microsoftonline.us", "name it do not apply. A name that is not known yet may still be it."),
    ] {
        let text = place.explain(&[asked]).await;
        has(&text, &[answer, "It may still be {notification.host}"]);
    }
    let text = place.explain(&["crl3.digicert.com"]).await;
    has(
        &text,
        &[
            "Whether crl3.digicert.com is needed in this hierarchy is undecided: a fact is missing.",
            "missing tenant attach: no object of a site database says it; state tenant_attach in cmcomply.toml",
        ],
    );
    let text = place.explain(&["foo.example.org"]).await;
    has(&text, &["No entry", "It may still be {notification.host}", "state notification_hosts in cmcomply.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_or_no_host_is_exit_2() {
    let place = Place::contoso().await;
    for arguments in [
        &["explain", "a b", "--snapshot=site.json"][..],
        &["explain", "\u{1b}[2J", "--snapshot=site.json"],
        &["explain", "--snapshot=site.json"],
        &["explain", "aka.ms", "--host=nobody.contoso.com", "--snapshot=site.json"],
        &["explain", "aka.ms", "--snapshot=missing.json"],
    ] {
        let done = place.run(arguments).await;
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!done.err.contains('\u{1b}'), "{}", done.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_is_a_document_and_rows_too() {
    let place = Place::contoso().await;
    let schema: Value = serde_json::from_str(include_str!("../../schema/explanation.schema.json")).unwrap();
    let explain = async |name: &str, format: &str| {
        let arguments = ["explain", name, "--snapshot=site.json", "--settings=cmcomply.toml", format];
        let done = place.run(&arguments).await;
        assert_eq!(done.code, 0, "{}", done.err);
        done.out
    };
    for (name, answer, standing) in [
        ("go.microsoft.com", "needed", Some("needed")),
        ("w.manage.microsoft.com", "needed", Some("needed")),
        ("login.microsoftonline.us", "not_needed", Some("not_needed")),
        ("sccmconnected-a01.cloudapp.net", "retired", Some("retired")),
        ("old.fabrikam.com", "unknown", None),
    ] {
        let document: Value = serde_json::from_str(&explain(name, "--format=json").await).unwrap();
        jsonschema::validate(&schema, &document).unwrap();
        assert_eq!(document["answer"], answer, "{document:#}");
        assert_eq!(document["entries"][0]["standing"].as_str(), standing, "{document:#}");
        let csv = explain(name, "--format=csv").await;
        assert_eq!(csv.lines().count(), 1 + document["entries"].as_array().unwrap().len());
        let text = explain(name, "--format=table").await;
        let words = document["words"].as_str().unwrap();
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&text).starts_with(&squeezed(words)), "{text}");
    }
    // What each fact says is in it where an entry does not apply.
    let document: Value = serde_json::from_str(&explain("sts.windows.net", "--format=json").await).unwrap();
    let facts = document["entries"][0]["facts"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["question"] == "build" && fact["value"] == false), "{document:#}");
}
