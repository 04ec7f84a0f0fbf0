//! The catalog against the page it is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use cmcomply::catalog::{
    AZURE_COLUMNS, Catalog, Cloud, ConditionFact, EndpointTemplate, Entry, Inspection, ProbeClass, Status, diff,
};
use cmcomply::host::{HostPattern, Scheme};
use cmcomply::text::printable;

// ------------------------------------------------------------------------------------------------ the page

/// The whole page in parts: the section of the catalog, the page's line that begins the part and the one that ends it.
const SECTIONS: [(&str, &str, &str); 19] = [
    ("URL forwarding", "Internet access requirements", "Service connection point"),
    ("Updates and servicing", "Service connection point", "Updates and servicing"),
    ("Updates and servicing", "Updates and servicing", "Windows servicing"),
    ("Windows servicing", "Windows servicing", "Azure services"),
    ("Azure services", "Azure services", "Co-management"),
    ("Co-management", "Co-management", "Microsoft Store for Business"),
    ("Microsoft Store for Business", "Microsoft Store for Business", "Delivery optimization"),
    ("Delivery optimization", "Delivery optimization", "Cloud services"),
    ("Cloud services", "Cloud services", "Software updates"),
    ("Software updates", "Software updates", "Intranet firewall"),
    ("Intranet firewall", "Intranet firewall", "Manage Microsoft 365 Apps"),
    ("Manage Microsoft 365 Apps", "Manage Microsoft 365 Apps", "Configuration Manager console"),
    ("Configuration Manager console", "Configuration Manager console", "Desktop Analytics"),
    ("Desktop Analytics", "Desktop Analytics", "Tenant attach"),
    ("Tenant attach", "Tenant attach", "Endpoint analytics"),
    ("Endpoint analytics", "Endpoint analytics", "Asset intelligence"),
    ("Asset intelligence", "Asset intelligence", "Deploy Microsoft Edge"),
    ("Deploy Microsoft Edge", "Deploy Microsoft Edge", "External notifications"),
    ("External notifications", "External notifications", "Next steps"),
];

/// Sections that only link to other pages. The catalog has what those list.
const LINKS_ONLY: [&str; 2] = ["Co-management", "Microsoft Store for Business"];

/// The page's placeholders, and the template that stands for each.
const STAND_INS: [(&str, &str, &str); 13] = [
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
    ("External notifications", "*.<regionname>.logic.azure.com", "{notification.host}"),
];

/// Hosts of the page that are no endpoints, with the reason.
const EXCEPTIONS: [(&str, &str); 5] = [
    ("granitefalls.westus.cloudapp.azure.com", "a sample of a service name and of a deployment name"),
    ("granitefalls.blob.core.windows.net", "a sample of a storage endpoint"),
    ("granitefalls.contoso.com", "a sample of an own service name"),
    ("granitefalls.cloudapp.net", "a sample of a classic deployment name"),
    ("prod1.westus2.logic.azure.com", "a sample of the access endpoint of a logic app"),
];

#[test]
fn every_host_of_the_page_is_in_the_catalog() {
    let Some(page) = page() else { return };
    let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
    for (section, begin, end) in SECTIONS {
        let hosts = hosts_of(&part(&page, begin, end));
        assert_eq!(hosts.is_empty(), LINKS_ONLY.contains(&section), "{section}: {hosts:?}");
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
    let parts: BTreeSet<&String> = seen.iter().map(|(_, host)| host).collect();
    let whole = hosts_of(&page);
    assert!(whole.iter().all(|(host, _)| parts.contains(host)), "a part of the page is in no section");
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

/// The page's revision is older than the catalog: what came later is gone, nothing is lacking.
#[test]
fn the_page_and_the_catalog_differ_by_what_came_later() {
    let Some(page) = page() else { return };
    let difference = diff(Catalog::embedded(), page.as_bytes()).unwrap();
    assert_eq!(difference.lacking, []);
    let gone: Vec<&str> = difference.gone.iter().map(|row| row.entry.0.as_str()).collect();
    let later = [
        "console-push-notifications",
        "mp-login-microsoftonline-com",
        "mp-login-microsoftonline-us",
        "mp-sts-windows-net",
        "mp-sts-windows-net-us-government",
        "updates-configmgrbits-cdn-manage-microsoft-com",
    ];
    assert_eq!(gone, later);
    assert!(!difference.is_settled());
    assert!(difference.matched > 120, "{}", difference.matched);
}

/// A change of the page is seen, wherever it is made.
#[test]
fn each_row_that_the_page_loses_or_gains_is_told() {
    let Some(page) = page() else { return };
    let whole = diff(Catalog::embedded(), page.as_bytes()).unwrap();
    for (line, id) in [
        ("  • http://crl3.digicert.com\n", "revocation-crl3-digicert-com"),
        ("  • definitionupdates.microsoft.com\n", "updates-definitionupdates-microsoft-com"),
        ("https://edgeupdates.microsoft.com/api/products?view=enterprise", "edge-edgeupdates-microsoft-com"),
        ("Key vault <prefix>.vault.azure.net <prefix>.vault.usgovcloudapi.net", "cmgcp-key-vault"),
        ("  • http://<FQDN for software update point on child site>", "sup-downstream-http"),
    ] {
        assert_eq!(page.matches(line).count(), 1, "{line}");
        let without = diff(Catalog::embedded(), page.replace(line, "").as_bytes()).unwrap();
        assert_eq!(without.gone.len(), whole.gone.len() + 1, "{line}");
        assert!(without.gone.iter().any(|row| row.entry.0 == id), "{line}");
    }
    for (section, name) in
        [("Tenant attach", "https://new.manage.microsoft.com/x"), ("Cloud services", "<prefix>.new.azure.net")]
    {
        let heading = format!("\n{section}\n");
        assert_eq!(page.matches(&heading).count(), 1, "{section}");
        let with =
            diff(Catalog::embedded(), page.replace(&heading, &format!("{heading}\n{name}\n")).as_bytes()).unwrap();
        let lacking: Vec<_> = with.lacking.iter().map(|row| (row.section.as_str(), row.name.as_str())).collect();
        let host = name.trim_start_matches("https://").trim_end_matches("/x");
        assert_eq!(lacking, [(section, host)]);
        assert_eq!(with.gone, whole.gone);
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
    assert_eq!(rows("Windows servicing"), 3);
    assert_eq!(rows("Azure services"), 2);
    assert_eq!(rows("In-console feedback"), 9);
    assert_eq!(rows("Documentation node"), 2);
    assert_eq!(rows("Community hub"), 2);
    assert_eq!(rows("Server connectivity endpoints"), 4);
    assert_eq!(rows("User experience and diagnostic component endpoints"), 4);
    assert_eq!(rows("Client connectivity endpoints"), 14);
    assert_eq!(rows("Asset intelligence"), 2);
    assert_eq!(rows("Deploy Microsoft Edge"), 3);
    assert_eq!(rows("External notifications"), 1);
    assert_eq!(rows("Management point"), 2 * 2);
    // The page's four rows and nine for revocation, and what the note on idle connections says of another section's row.
    assert_eq!(rows("Tenant attach"), 4 + 9 + 1);
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
    let mut public = 0;
    for entry in entries() {
        let text = entry.endpoint.to_string();
        let government = text.rsplit('.').next() == Some("us") || text.contains("usgov");
        assert!(!government || entry.clouds == [Cloud::UsGovernment], "{}", entry.id);
        let only_public =
            ["management.azure.com", "graph.microsoft.com", "login.microsoftonline.com", "graph.windows.net"]
                .contains(&text.as_str())
                || text.starts_with("aadcdn.");
        assert!(!only_public || entry.clouds == [Cloud::Public], "{}", entry.id);
        public += u32::from(only_public);
    }
    assert!(public >= 10);
}

#[test]
fn what_is_retired_demands_nothing_and_says_since_when() {
    for entry in entries().iter().filter(|entry| entry.status == Status::Retired) {
        let silent = ["updates-sccmconnected-a01-cloudapp-net", "scp-azure-graph-endpoint"];
        assert!(entry.status_since.is_some() || silent.contains(&entry.id.0.as_str()), "{}", entry.id);
        assert!(entry.note.is_some(), "{}", entry.id);
    }
    let retired =
        |section: &str| entries().iter().filter(|e| e.section == section && e.status == Status::Retired).count();
    assert_eq!(retired("Desktop Analytics"), 22);
    assert_eq!(retired("Asset intelligence"), 2);
    assert_eq!(retired("Microsoft Store for Business"), 2);
}

#[test]
fn the_readme_names_every_fact_and_every_file() {
    let readme = include_str!("../catalog/README.md");
    for fact in ConditionFact::all() {
        assert!(readme.contains(&format!("`{}`", fact.name())), "{} is not in the README", fact.name());
    }
    for file in ["catalog.toml", "versions.toml", "retirements.toml", "roots.toml", "addresses.toml"] {
        assert!(readme.contains(&format!("`{file}`")), "{file}");
    }
}

#[test]
fn the_hints_of_the_page_are_data() {
    let catalog = Catalog::embedded();
    for id in ["updates-configmgrbits-azureedge-net", "updates-configmgrbits-cdn-manage-microsoft-com"] {
        let tls = entry(id).tls.as_ref().unwrap();
        assert!(tls.suites.iter().any(|suite| suite == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), "{id}");
    }
    assert_eq!(entry("tenant-attach-manage-microsoft-com").idle_seconds, Some(180));
    let baltimore = catalog.roots.iter().find(|root| root.name.contains("Baltimore")).unwrap();
    assert_eq!(baltimore.expired, Some(jiff::civil::date(2025, 5, 12)));
    assert_eq!(catalog.roots.iter().filter(|root| root.expired.is_none()).count(), 5);
    let front_door = catalog.ranges.iter().find(|range| range.name.contains("Front Door")).unwrap();
    assert!(front_door.networks.iter().any(|network| network.contains("13.107.229.1".parse().unwrap())));
}

#[test]
fn the_table_of_azure_endpoints_is_asked_column_by_column() {
    let asked: BTreeSet<String> = entries()
        .iter()
        .filter(|entry| entry.id.0.starts_with("scp-azure-"))
        .map(|entry| entry.endpoint.to_string())
        .collect();
    let columns = AZURE_COLUMNS.iter().filter(|column| !column.ends_with("Suffix"));
    let columns = columns.map(|column| format!("{{azure.{column}}}"));
    assert_eq!(asked, columns.chain(["{azure.further}".to_owned()]).collect());
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
