//! The catalog against the page it is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use cmcomply::catalog::{AZURE_COLUMNS, Catalog, Cloud, EndpointTemplate, Entry, Inspection, ProbeClass, Status};
use cmcomply::host::{HostPattern, Scheme};
use cmcomply::text::printable;

// ------------------------------------------------------------------------------------------------ the page

/// Each section of this catalog, with the page's line that begins it and the one that ends it.
const SECTIONS: [(&str, &str, &str); 5] = [
    ("URL forwarding", "Internet access requirements", "Service connection point"),
    ("Updates and servicing", "Updates and servicing", "Windows servicing"),
    ("Cloud services", "Cloud services", "Software updates"),
    ("Software updates", "Software updates", "Intranet firewall"),
    ("Intranet firewall", "Intranet firewall", "Manage Microsoft 365 Apps"),
];

/// The page's placeholders, and the template that stands for each.
const STAND_INS: [(&str, &str, &str); 12] = [
    ("Cloud services", "<prefix>.<region>.cloudapp.azure.com", "{cmg.service-name}"),
    ("Cloud services", "<prefix>.<region>.cloudapp.azure.com", "{cmg.deployment-name}"),
    ("Cloud services", "<prefix>.usgovcloudapp.net", "{cmg.service-name}"),
    ("Cloud services", "<prefix>.usgovcloudapp.net", "{cmg.deployment-name}"),
    ("Cloud services", "<prefix>.blob.core.windows.net", "{cmg.storage}.blob.{azure.StorageEndpointSuffix}"),
    ("Cloud services", "<prefix>.blob.core.usgovcloudapi.net", "{cmg.storage}.blob.{azure.StorageEndpointSuffix}"),
    ("Cloud services", "<prefix>.table.core.windows.net", "{cmg.storage}.table.{azure.StorageEndpointSuffix}"),
    ("Cloud services", "<prefix>.table.core.usgovcloudapi.net", "{cmg.storage}.table.{azure.StorageEndpointSuffix}"),
    ("Cloud services", "<prefix>.vault.azure.net", "{cmg.prefix}.{azure.KeyVaultDNSSuffix}"),
    ("Cloud services", "<prefix>.vault.usgovcloudapi.net", "{cmg.prefix}.{azure.KeyVaultDNSSuffix}"),
    ("Intranet firewall", "<child-sup>.fqdn", "{sup.downstream}"),
    ("Intranet firewall", "<parent-sup>.fqdn", "{sup.upstream}"),
];

/// Hosts of the page that are no endpoints, with the reason.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("granitefalls.westus.cloudapp.azure.com", "a sample of a service name and of a deployment name"),
    ("granitefalls.blob.core.windows.net", "a sample of a storage endpoint"),
    ("granitefalls.contoso.com", "a sample of an own service name"),
    ("granitefalls.cloudapp.net", "a sample of a classic deployment name"),
];

#[test]
fn every_host_of_the_page_is_in_the_catalog() {
    let Some(page) = page() else { return };
    let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
    for (section, begin, end) in SECTIONS {
        let hosts = hosts_of(&part(&page, begin, end));
        assert!(!hosts.is_empty(), "the page names no host under {section}");
        for (host, scheme) in hosts {
            seen.insert((section, host.clone()));
            if EXCEPTIONS.iter().any(|(sample, _)| *sample == host) {
                continue;
            }
            let stand_ins: Vec<&str> =
                STAND_INS.iter().filter(|(s, h, _)| *s == section && *h == host).map(|(_, _, t)| *t).collect();
            let wanted = if stand_ins.is_empty() { vec![host.as_str()] } else { stand_ins };
            for endpoint in wanted {
                let found = Catalog::embedded().entries.iter().any(|entry| {
                    entry.section == section
                        && entry.endpoint.to_string() == endpoint
                        && scheme.is_none_or(|scheme| scheme == entry.scheme)
                });
                if !found {
                    missing.push(format!("{section}: {host} as {endpoint}, {scheme:?}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "not in the catalog:\n{}", missing.join("\n"));
    for (sample, reason) in EXCEPTIONS {
        assert!(
            seen.iter().any(|(_, host)| host == sample),
            "{sample} ({reason}) is not on the page: a stale exception"
        );
    }
    for (section, host, _) in STAND_INS {
        assert!(seen.contains(&(section, host.to_owned())), "{host} is not under {section}: a stale stand-in");
    }
}

/// The page, if it is beside this repository.
fn page() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/seed");
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let page = files
        .filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok())
        .find(|text| text.trim_start().starts_with("Internet access requirements"));
    if page.is_none() {
        skipped("the documentation page is not at ../shared/seed");
    }
    page
}

/// Past the test harness, which keeps the output of tests that pass. The page is not part of the repository, so this may
/// be skipped anywhere.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).expect("standard error is open");
}

/// The lines from `begin` up to `end`, each a line of its own that is there once.
fn part(page: &str, begin: &str, end: &str) -> String {
    let lines: Vec<&str> = page.lines().collect();
    let at = |heading: &str| {
        let found: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].trim() == heading).collect();
        assert_eq!(found.len(), 1, "`{heading}` is {} times on the page", found.len());
        found[0]
    };
    lines[at(begin)..at(end)].join("\n")
}

/// Everything that looks like a host, a wildcard or a placeholder for one, with its scheme where it has one.
fn hosts_of(text: &str) -> BTreeSet<(String, Option<Scheme>)> {
    let text = text
        .replace("<FQDN for software update point on child site>", "<child-sup>.fqdn")
        .replace("<FQDN for software update point on parent site>", "<parent-sup>.fqdn");
    text.split_whitespace().filter_map(host_of).collect()
}

fn host_of(word: &str) -> Option<(String, Option<Scheme>)> {
    let (scheme, rest) = match word.split_once("://") {
        Some(("http", rest)) => (Some(Scheme::Http), rest),
        Some(("https", rest)) => (Some(Scheme::Https), rest),
        Some(_) => return None,
        None => (None, word),
    };
    let host =
        rest.split(['/', '?', ':']).next()?.trim_matches(|c: char| !c.is_ascii_alphanumeric() && !"*<>".contains(c));
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-*<>".contains(&b));
    let (_, top) = host.rsplit_once('.')?;
    let good = host.split('.').all(label) && top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    good.then(|| (host.to_ascii_lowercase(), scheme))
}

#[test]
fn the_reader_of_the_page_finds_hosts_and_nothing_else() {
    let text = "• http://*.update.microsoft.com\nsee *-umwatsonc.events.data.microsoft.com, or (go.microsoft.com). 5.00.9128 e.g. \
                https://graph.microsoft.com/ <prefix>.vault.azure.net http://<FQDN for software update point on child site>";
    let found: Vec<String> = hosts_of(text).into_iter().map(|(host, scheme)| format!("{host} {scheme:?}")).collect();
    let expected = [
        "*-umwatsonc.events.data.microsoft.com None",
        "*.update.microsoft.com Some(Http)",
        "<child-sup>.fqdn Some(Http)",
        "<prefix>.vault.azure.net None",
        "go.microsoft.com None",
        "graph.microsoft.com Some(Https)",
    ];
    assert_eq!(found, expected);
}

// ------------------------------------------------------------------------------------------------ the entries

fn entries() -> &'static [Entry] {
    &Catalog::embedded().entries
}

fn entry(id: &str) -> &'static Entry {
    entries().iter().find(|entry| entry.id.0 == id).unwrap_or_else(|| panic!("no entry `{id}`"))
}

#[test]
fn the_sections_have_as_many_rows_as_the_page() {
    let rows = |section: &str| {
        entries()
            .iter()
            .filter(|e| e.sources.iter().any(|s| s.document == "internet-access" && s.section == section))
            .count()
    };
    // The page's rows, where the catalog has one entry for each; one row more under updates is the new configmgrbits.
    assert_eq!(rows("Software updates"), 10);
    assert_eq!(rows("Intranet firewall"), 4);
    assert_eq!(rows("Updates and servicing"), 19 + 1);
    assert_eq!(rows("Configuration Manager console for cloud services"), 4);
    assert_eq!(rows("Introduction"), 2 * 2);
}

#[test]
fn every_entry_says_according_to_whom_and_when() {
    let catalog = Catalog::embedded();
    let mut ids = BTreeSet::new();
    for entry in entries() {
        assert!(ids.insert(&entry.id), "{} is there twice", entry.id);
        assert!(!entry.sources.is_empty(), "{}", entry.id);
        for source in &entry.sources {
            assert!(catalog.documents.contains_key(&source.document), "{}: {}", entry.id, source.document);
            assert!(source.date <= catalog.as_of && source.date.year() >= 2015, "{}: {}", entry.id, source.date);
        }
    }
}

#[test]
fn every_wildcard_says_what_a_probe_proves() {
    let mut classes = BTreeMap::new();
    for entry in entries() {
        let wildcard = matches!(&entry.endpoint, EndpointTemplate::Pattern(pattern) if pattern.is_wildcard());
        assert_eq!(wildcard, entry.probe.is_some(), "{}", entry.id);
        if let Some(probe) = &entry.probe {
            *classes.entry(format!("{:?}", probe.class)).or_insert(0) += 1;
            assert_eq!(probe.hosts.is_empty(), probe.class == ProbeClass::NotTestable, "{}", entry.id);
        }
    }
    assert_eq!(classes.values().sum::<i32>(), 10);
    assert_eq!(classes.len(), 3, "{classes:?}");
}

#[test]
fn all_text_is_printable_and_short() {
    for entry in entries() {
        let mut texts = vec![(&entry.id.0, 64), (&entry.section, 100)];
        texts.extend(entry.note.iter().map(|text| (text, 400)));
        texts.extend(entry.path.iter().map(|text| (text, 200)));
        texts.extend(entry.probe.iter().map(|probe| (&probe.evidence, 400)));
        texts.extend(entry.sources.iter().map(|source| (&source.section, 100)));
        for (text, max) in texts {
            assert_eq!(&printable(text, max), text, "{}", entry.id);
            assert!(text.is_ascii() && text.trim() == text && !text.is_empty(), "{}: {text}", entry.id);
        }
    }
}

#[test]
fn clouds_are_those_of_the_page() {
    for entry in entries() {
        let text = entry.endpoint.to_string();
        let government = text.rsplit('.').next() == Some("us") || text.contains("usgov");
        let public = ["management.azure.com", "graph.microsoft.com", "login.microsoftonline.com"]
            .contains(&text.as_str())
            || text.starts_with("aadcdn.");
        let expected: &[Cloud] = match (public, government) {
            (true, false) => &[Cloud::Public],
            (false, true) => &[Cloud::UsGovernment],
            _ => &Cloud::ALL,
        };
        assert_eq!(entry.clouds, expected, "{}", entry.id);
    }
}

#[test]
fn the_table_of_azure_endpoints_is_asked_column_by_column() {
    let asked: BTreeSet<String> = entries()
        .iter()
        .filter(|entry| entry.id.0.starts_with("scp-azure-"))
        .map(|entry| entry.endpoint.to_string())
        .collect();
    let columns = AZURE_COLUMNS.iter().filter(|column| !column.ends_with("Suffix"));
    assert_eq!(asked, columns.map(|column| format!("{{azure.{column}}}")).collect());
}

#[test]
fn what_has_moved_or_gone_is_marked() {
    let old = entry("updates-configmgrbits-azureedge-net");
    assert_eq!(old.status, Status::Superseded);
    assert_eq!(old.replaced_by.as_ref().unwrap().0, "updates-configmgrbits-cdn-manage-microsoft-com");
    assert_eq!(entry("updates-sccmconnected-a01-cloudapp-net").status, Status::Retired);
    assert_eq!(entry("scp-azure-graph-endpoint").status, Status::Retired);
    for entry in entries() {
        let no_inspection = HostPattern::parse("*.manage.microsoft.com").unwrap();
        if let EndpointTemplate::Pattern(HostPattern::Exact(host)) = &entry.endpoint
            && no_inspection.matches(host)
        {
            assert_eq!(entry.inspection, Inspection::Unsupported, "{}", entry.id);
        }
    }
}

#[test]
fn versions_are_known_by_their_build() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.release(9128).unwrap().version, "2403");
    assert_eq!(catalog.release(9122).unwrap().version, "2309");
    assert_eq!(catalog.release(9146).unwrap().upgrade_floor.as_deref(), Some("2409"));
    assert_eq!(catalog.release(1), None);
    assert_eq!(catalog.releases.len(), 14);
    assert!(catalog.releases.is_sorted_by_key(|release| (release.build, release.available)));
}
