//! What an update or a feature would change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Place, rows};

fn changed<'a>(document: &'a Value, change: &str) -> BTreeSet<&'a str> {
    rows(document).iter().filter(|row| row["change"] == change).filter_map(|row| row["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_after_an_update_and_what_it_changes() {
    let place = Place::contoso().await;
    let document = place.document(&["--target-version=2603"]).await;
    assert_eq!(document["what_if"]["target_version"], "2603");
    assert_eq!(changed(&document, "added"), ["login.microsoftonline.com", "sts.windows.net"].into());
    let today = place.document(&[]).await;
    assert_eq!(rows(&document).len(), rows(&today).len() + changed_rows(&document));
    let only = place.document(&["--target-version=2603", "--show=changes"]).await;
    assert!(rows(&only).iter().all(|row| row["change"] == "added" && row["role"] == "management-point"));
    assert_eq!(only["what_if"]["changes_only"], true);
    let table = place.endpoints(&["--target-version=2603", "--show=changes", "--width=120"]).await;
    assert!(table.out.contains("As it would be with version 2603") && table.out.contains("  added"), "{}", table.out);
    assert!(table.out.contains("only what changes is listed"), "{}", table.out);
}

fn changed_rows(document: &Value) -> usize {
    rows(document).iter().filter(|row| row["change"] == "added").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_feature_would_need_besides() {
    let place = Place::contoso().await;
    // Three instances: a third port for the gateway that has two, three for the one that has one.
    let document = place.document(&["--assume=cmg,tenant-attach,cmg-instances=3"]).await;
    assert_eq!(document["what_if"]["assumptions"], serde_json::json!(["cmg", "tenant-attach", "cmg-instances=3"]));
    let ports: BTreeSet<u64> = rows(&document)
        .iter()
        .filter(|row| row["change"] == "added" && row["role"] == "cmg-connection-point" && row["context"] != "intranet")
        .filter_map(|row| row["port"].as_u64())
        .collect();
    assert_eq!(ports, [10124, 10125, 10126].into());
    assert!(rows(&document).iter().all(|row| row["change"] != "kept"), "only what changes");
    // What is undecided today and stands with the assumption is no addition, and is told.
    let open = place.run(&["endpoints", "--snapshot=site.json", "--assume=tenant-attach", "--format=json"]).await;
    let open: Value = serde_json::from_str(&open.out).unwrap();
    assert!(changed(&open, "decided").contains("*.manage.microsoft.com"), "{open}");
    assert!(changed(&open, "added").is_empty());
    // The list for the firewall has the additions alone, and says so.
    let list = place.endpoints(&["--assume=cmg-instances=3", "--list=plain"]).await;
    assert!(list.out.contains("assuming cmg-instances=3, only what that adds"), "{}", list.out);
    assert!(list.out.lines().any(|line| line == "cmg.contoso.com") && !list.out.contains("\ngo.microsoft.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_needs_to_be_online_says_so_and_adds_what_it_needs() {
    let offline = "UPDATE dbo.SC_SysResUse_Property SET Value3 = 1 WHERE Name = N'OfflineMode';";
    let place = Place::variant(offline).await;
    let run = async |arguments: &[&str]| place.run(&[&["endpoints", "--snapshot=site.json"], arguments].concat()).await;
    let needs = "tenant-attach needs an online service connection point, which is assumed too";
    let table = run(&["--assume=tenant-attach", "--width=160"]).await;
    assert!(table.out.contains(needs) && table.out.contains("*.manage.microsoft.com"), "{}", table.out);
    let json: Value = serde_json::from_str(&run(&["--assume=tenant-attach", "--format=json"]).await.out).unwrap();
    assert!(changed(&json, "added").contains("*.manage.microsoft.com"), "{json}");
    assert_eq!(json["what_if"]["notes"], serde_json::json!([needs]));
    for arguments in [["--assume=tenant-attach", "--format=csv"], ["--assume=tenant-attach", "--list=plain"]] {
        let done = run(&arguments).await;
        assert!(done.err.contains(needs) && done.out.contains("manage.microsoft.com"), "{}{}", done.out, done.err);
    }
    // A list of a host that is gone is not taken for one of today.
    std::fs::create_dir(place.folder.path().join("lists")).unwrap();
    place.write("lists/plain-host-old.contoso.com.txt", "x");
    let done = run(&["--list=plain", "--per-host", "-o", "lists"]).await;
    assert!(done.err.contains("left as they are: plain-host-old.contoso.com.txt\n"), "{}", done.err);
    let done = run(&["--list=squid", "--per-host", "-o", "lists"]).await;
    assert!(!done.err.contains("left as they are"), "{}", done.err);
    // What changes nothing is never an empty answer alone.
    let nothing = Place::contoso().await.endpoints(&["--assume=online", "--width=160"]).await;
    assert!(nothing.out.contains("what is assumed adds nothing and decides nothing"), "{}", nothing.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_or_feature_lists_the_known_ones() {
    let place = Place::contoso().await;
    for (arguments, known) in [
        (["endpoints", "--target-version=2699"], "2509, 2603"),
        (["endpoints", "--assume=cmg,teleport"], "tenant-attach"),
        (["endpoints", "--assume=cmg-instances=17"], "from 1 to 16"),
        (["endpoints", "--assume=cmg-instances=2,cmg-instances=3"], "a gateway has one number of instances"),
        (["explain", "--target-version=2699"], "2509, 2603"),
        (["audit", "--target-version=2699"], "2509, 2603"),
    ] {
        let name: &[&str] = if arguments[0] == "explain" { &["aka.ms"] } else { &[] };
        let done = place.run(&[&arguments, name, &["--snapshot=site.json"]].concat()).await;
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
        assert!(done.err.contains(known), "{}", done.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_for_a_version_says_so_in_its_record() {
    let place = Place::contoso().await;
    let done = place
        .run(&[
            "audit",
            "--output=run.json",
            "--snapshot=site.json",
            "--target-version=2603",
            "--dns-server=127.0.0.1:9",
            "--deadline=1",
            "--stage-timeout=1",
        ])
        .await;
    assert!(done.out.contains("after an update to version 2603"), "{}", done.err);
    let run: Value = serde_json::from_str(&place.read("run.json")).unwrap();
    assert_eq!(run["settings"]["target_version"], "2603");
    let entries: Vec<_> = run["requirements"].as_array().unwrap().iter().map(|row| row["entry"].clone()).collect();
    assert!(entries.iter().any(|entry| entry == "mp-sts-windows-net"));
}
