//! Hand-off lists on the command line, and the comparison with an allow list.

use std::collections::BTreeSet;

use cmcomply::report::lists::Format;
use serde_json::Value;

use super::Place;

#[tokio::test(flavor = "multi_thread")]
async fn each_format_has_its_loss_report_and_the_same_bytes_each_time() {
    let place = Place::contoso().await;
    for format in Format::ALL {
        let list = format!("--list={format}");
        let screen = place.endpoints(&[&list]).await;
        assert_eq!(screen.code, 0, "{format}: {}", screen.err);
        let done = place.endpoints(&[&list, "-o", "list"]).await;
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{format}: {}", done.err);
        assert_eq!(place.read("list"), screen.out, "{format}");
        let losses = place.read("list.losses.txt");
        if format == Format::Csv {
            // It has ports and hosts; what it does not say is that of some names one path is enough.
            assert!(losses.contains("paths-dropped: omex.cdn.office.net: only /mirrored/"), "{losses}");
            assert!(losses.lines().all(|loss| loss.starts_with("paths-dropped: ")), "{losses}");
            continue;
        }
        assert!(!losses.is_empty() && losses.lines().all(|line| line.contains(": ")), "{format}: {losses}");
        let told = if format.has_comments() { &screen.out } else { &screen.err };
        let first = losses.lines().next().unwrap();
        assert!(told.contains(first), "{format}: {first}");
    }
    assert_eq!(place.files(".").len(), 4, "nothing half-written is left: {:?}", place.files("."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_for_each_host() {
    let place = Place::contoso().await;
    let done = place.endpoints(&["--list=plain", "--per-host", "-o", "lists/today"]).await;
    assert_eq!(done.code, 0, "{}", done.err);
    let files = place.files("lists/today");
    let document = place.document(&[]).await;
    let hosts: BTreeSet<&str> = super::rows(&document).iter().filter_map(|row| row["host"].as_str()).collect();
    let mut expected: BTreeSet<String> = hosts.iter().map(|host| format!("plain-host-{host}.txt")).collect();
    expected.extend(["plain-clients.txt".to_owned(), "plain-consoles.txt".to_owned()]);
    expected.extend(expected.clone().into_iter().map(|name| name + ".losses.txt"));
    assert_eq!(files, expected);
    let own = place.read("lists/today/plain-host-cm-ps2.corp.contoso.com.txt");
    assert!(own.contains("cmg.contoso.com") && !own.contains("definitionupdates.microsoft.com"), "{own}");
    assert!(own.contains("# for cm-ps2.corp.contoso.com"), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_places_and_formats_are_exit_2_and_write_nothing() {
    let place = Place::contoso().await;
    place.write("file", "x");
    let before = place.files(".");
    for arguments in [
        &["--list=pdf"][..],
        &["--per-host"],
        &["--list=plain", "--per-host"],
        &["--list=plain", "--per-host", "-o", "file"],
        &["--list=plain", "-o", "."],
        &["--list=plain", "-o", "nowhere/list"],
        &["--list=plain", "--format=json"],
        &["--list=plain", "--addresses"],
        &["--list=plain", "--check-against=file"],
        &["--list=pac", "--pac-other=proxy"],
        &["--check-against=missing"],
        &["--check-against=file", "--assume=cmg", "--show=changes"],
        &["--dns-server=127.0.0.1:53"],
        &["--by=name"],
    ] {
        let done = place.endpoints(arguments).await;
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}: {}", done.err);
    }
    let error = place.endpoints(&["--list=pdf"]).await.err;
    assert!(error.contains("pan-os-edl") && error.contains("tls-bypass"), "{error}");
    assert_eq!(place.files("."), before);
    assert_eq!(place.read("file"), "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allow_list_is_exact_or_what_differs_is_told() {
    let place = Place::contoso().await;
    let exact = place.endpoints(&["--list=plain"]).await.out;
    place.write("allowed.txt", &exact);
    let done = place.endpoints(&["--check-against=allowed.txt"]).await;
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(done.out.ends_with("0 missing, 0 stale, 0 too broad, 0 undecided, 0 not understood\n"), "{}", done.out);
    assert!(done.out.contains("a list of names alone") && !done.out.contains("too broad  "), "{}", done.out);

    let changed = exact.replace("\ngo.microsoft.com\n", "\n*.contoso.com\nold.fabrikam.com\n10.0.0.0/8\n");
    place.write("changed.txt", &changed);
    let done = place.endpoints(&["--check-against=changed.txt", "--format=json"]).await;
    assert_eq!(done.code, 1, "{}", done.out);
    let document: Value = serde_json::from_str(&done.out).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../schema/allow-list.schema.json")).unwrap();
    jsonschema::validate(&schema, &document).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let kinds: BTreeSet<&str> = findings.iter().filter_map(|finding| finding["finding"].as_str()).collect();
    assert_eq!(kinds, ["missing", "no port", "not understood", "stale", "too broad"].into(), "{findings:#?}");
    let missing: Vec<_> = findings.iter().filter(|f| f["finding"] == "missing").map(|f| f["text"].clone()).collect();
    assert_eq!(missing, ["http://go.microsoft.com:80", "https://go.microsoft.com:443"]);
    let table = place.endpoints(&["--check-against=changed.txt", "--width=80"]).await;
    assert!(table.out.lines().all(|line| line.chars().count() <= 80) && table.out.contains("old.fabrikam.com"));
    let csv = place.endpoints(&["--check-against=changed.txt", "--format=csv", "-o", "check.csv"]).await;
    assert_eq!((csv.code, csv.out.as_str()), (1, ""));
    assert_eq!(place.read("check.csv").lines().count(), findings.len() + 1);

    // What nobody can decide makes neither a match nor a difference.
    let done = place.run(&["endpoints", "--snapshot=site.json", "--check-against=allowed.txt"]).await;
    assert_eq!(done.code, 3, "{}", done.out);
    assert!(done.out.contains(" undecided") && done.err.contains("not the whole set"), "{}", done.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_advisory_and_undecided_is_no_match() {
    let place = Place::variant("DROP VIEW dbo.vWSfBConfigurationData;").await;
    super::own_catalog(&place, "store-for-business.connected", "advisory");
    let exact = place.endpoints(&["--list=plain"]).await.out;
    place.write("allowed.txt", &exact);
    let with_own = async |arguments: &[&str]| place.endpoints(&[&["--catalog=own"], arguments].concat()).await;
    // It decides no audit, so the set is whole.
    let done = with_own(&[]).await;
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    // But whether the list allows just that is not known, with its name and without.
    for list in [exact.clone(), format!("{exact}pac.contoso.com\n")] {
        place.write("allowed.txt", &list);
        let done = with_own(&["--check-against=allowed.txt"]).await;
        let sum = "0 missing, 0 stale, 0 too broad, 1 undecided, 0 not understood\n";
        assert!(done.code == 3 && done.out.ends_with(sum), "{}: {}{}", done.code, done.out, done.err);
    }
    place.write("allowed.txt", &format!("{exact}old.fabrikam.com\n"));
    assert_eq!(with_own(&["--check-against=allowed.txt"]).await.code, 1);
}
