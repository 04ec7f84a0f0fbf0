//! The catalog, for people: its entries, one entry, and how it differs from the documentation page.

use super::grid::grid;
use super::listing::Listing;
use crate::catalog::{Catalog, Entry, Inspection, PageDiff, Ports, ProbeClass, Status, TlsVersion};
use crate::host::HostName;

/// The entries in few columns, for a terminal.
pub fn entries_brief(catalog: &Catalog) -> Listing<4> {
    let row = |entry: &Entry| {
        let tier = match entry.status {
            Status::Active => entry.tier.name().to_owned(),
            status => status.name().to_owned(),
        };
        let roles: Vec<&str> = entry.roles.iter().map(|role| role.title()).collect();
        [entry.id.to_string(), endpoint(entry), roles.join(", "), tier]
    };
    Listing { columns: ["id", "endpoint", "role", "tier"], rows: catalog.entries.iter().map(row).collect() }
}

/// The entries with all that one sorts and filters by.
pub fn entries(catalog: &Catalog) -> Listing<8> {
    let row = |entry: &Entry| {
        [
            entry.id.to_string(),
            endpoint(entry),
            entry.roles.iter().map(|role| role.title()).collect::<Vec<_>>().join(", "),
            entry.when.to_string(),
            entry.context.name().to_owned(),
            entry.tier.name().to_owned(),
            entry.status.name().to_owned(),
            entry.section.clone(),
        ]
    };
    Listing {
        columns: ["id", "endpoint", "role", "when", "context", "tier", "status", "section"],
        rows: catalog.entries.iter().map(row).collect(),
    }
}

/// `https://{cmg.service-name}:cmg-instances/path`
fn endpoint(entry: &Entry) -> String {
    let port = match &entry.ports {
        Ports::Fixed(ports) if *ports == [entry.scheme.default_port()] => String::new(),
        ports => format!(":{ports}"),
    };
    format!("{}://{}{port}{}", entry.scheme, entry.endpoint, entry.path.as_deref().unwrap_or_default())
}

/// Everything about one entry.
pub fn entry(catalog: &Catalog, entry: &Entry, width: usize) -> String {
    const NAMES: usize = 10;
    let mut lines: Vec<(&str, String)> = Vec::new();
    let mut line = |name: &'static str, value: &str| lines.push((name, value.to_owned()));
    line("entry", &entry.id.0);
    line("section", &entry.section);
    line("endpoint", &endpoint(entry));
    for written in &entry.written {
        line("written", written);
    }
    line("roles", &entry.roles.iter().map(|role| role.title()).collect::<Vec<_>>().join(", "));
    line("clouds", &entry.clouds.iter().map(|cloud| cloud.title()).collect::<Vec<_>>().join(", "));
    line("when", &entry.when.to_string());
    line("context", entry.context.name());
    line("tier", entry.tier.name());
    let since = entry.status_since.map(|day| format!(" since {day}")).unwrap_or_default();
    let by = entry.replaced_by.as_ref().map(|id| format!(", replaced by {id}")).unwrap_or_default();
    line("status", &format!("{}{since}{by}", entry.status.name()));
    match (entry.since_build, entry.until_build) {
        (None, None) => {}
        (Some(since), None) => line("builds", &format!("from {} on", build(catalog, since))),
        (None, Some(until)) => line("builds", &format!("up to {}", build(catalog, until))),
        (Some(since), Some(until)) => {
            line("builds", &format!("{} to {}", build(catalog, since), build(catalog, until)));
        }
    }
    if let Some(probe) = &entry.probe {
        let hosts: Vec<&str> = probe.hosts.iter().map(HostName::as_str).collect();
        let class = match probe.class {
            ProbeClass::Representative => format!("representatives: {}", hosts.join(", ")),
            ProbeClass::Related => format!("related, proves nothing: {}", hosts.join(", ")),
            ProbeClass::NotTestable => "not testable".to_owned(),
        };
        line("probe", &format!("{class}. {}", probe.evidence));
    } else {
        line("probe", "the endpoint itself");
    }
    if entry.inspection == Inspection::Unsupported {
        line("inspection", "TLS inspection is not supported");
    }
    if let Some(tls) = &entry.tls {
        let version = match tls.min_version {
            TlsVersion::Tls12 => "1.2",
            TlsVersion::Tls13 => "1.3",
        };
        line("TLS", &format!("{version} or later, with one of {}", tls.suites.join(", ")));
    }
    if entry.byte_ranges {
        line("ranges", "parts of files must be had (HTTP 206)");
    }
    if let Some(seconds) = entry.idle_seconds {
        line("idle", &format!("connections must be left idle for {seconds} seconds"));
    }
    if let Some(note) = &entry.note {
        line("note", note);
    }
    for source in &entry.sources {
        let document = catalog.documents.get(&source.document);
        let title = document.map_or(source.document.as_str(), |document| document.title.as_str());
        let url = document.map(|document| document.url.as_str()).unwrap_or_default();
        line("source", &format!("{title}: {}, {} {url}", source.section, source.date));
    }
    let room = width.max(60) - NAMES - 4;
    grid(lines.iter().map(|(name, value)| vec![(*name, NAMES), (value.as_str(), room)]))
}

/// A build with its version, where the catalog knows it.
fn build(catalog: &Catalog, build: u32) -> String {
    catalog.release(build).map_or_else(|| build.to_string(), |release| format!("{build} ({})", release.version))
}

/// The differences, one row each.
pub fn page_diff(diff: &PageDiff) -> Listing<5> {
    let lacking = diff.lacking.iter().map(|row| {
        let scheme = row.scheme.map(|scheme| format!("{scheme}://")).unwrap_or_default();
        let port = row.port.map(|port| format!(":{port}")).unwrap_or_default();
        let name = format!("{scheme}{}{port}{}", row.name, row.path.as_deref().unwrap_or_default());
        ["lacking", &row.section, &name, "", ""].map(str::to_owned)
    });
    let gone = diff.gone.iter().map(|row| {
        let name = format!("{}://{}", row.scheme, row.name);
        ["gone", &row.section, &name, &row.entry.0, row.status.name()].map(str::to_owned)
    });
    let unclear = diff.not_understood.iter();
    let unclear = unclear.map(|row| ["not understood", &row.section, &row.text, "", ""].map(str::to_owned));
    Listing {
        columns: ["change", "section", "endpoint", "entry", "status"],
        rows: lacking.chain(gone).chain(unclear).collect(),
    }
}
