//! Subscriptions, third-party catalogs, updates of the product and its features.

use std::collections::BTreeMap;

use url::Url;

use super::super::fact::Fact;
use super::super::facts::{
    DownloadPlace, Feature, Subscription, SubscriptionKind, ThirdPartyCatalog, UpdatePackage, UpdatePackageState,
};
use super::super::read::Raw;
use super::cells::{Cells, Findings, is_guid};
use super::known;
use crate::host::{HostName, Scheme};

/// The subscriptions, once each: a category has a name for each language.
pub(super) fn subscriptions(raw: Raw, findings: &mut Findings) -> Fact<Vec<Subscription>> {
    known(raw, |rows, object| {
        let mut found: BTreeMap<(SubscriptionKind, String), Option<String>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(key) = category(&mut cells) else { continue };
            let name = cells.name("name");
            let known = found.entry(key).or_default();
            *known = known.take().into_iter().chain(name).min();
        }
        found.into_iter().map(|((kind, id), name)| Subscription { kind, id, name }).collect()
    })
}

/// `Product:GUID` or `UpdateClassification:GUID`.
fn category(cells: &mut Cells<'_>) -> Option<(SubscriptionKind, String)> {
    const KINDS: [(&str, SubscriptionKind); 2] =
        [("Product", SubscriptionKind::Product), ("UpdateClassification", SubscriptionKind::Classification)];
    let Some(id) = cells.raw_text("unique_id") else {
        cells.needed("unique_id", "no id where one is needed");
        return None;
    };
    let (prefix, guid) = id.rsplit_once(':').unwrap_or(("", &id));
    let kind = cells.raw_text("kind").unwrap_or_else(|| prefix.to_owned());
    let kind = KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&kind)).map(|(_, kind)| *kind);
    match kind {
        Some(kind) if is_guid(guid) => Some((kind, guid.to_ascii_lowercase())),
        Some(_) => {
            cells.report("unique_id", "not a GUID");
            None
        }
        None => {
            cells.report("kind", "neither Product nor UpdateClassification");
            None
        }
    }
}

/// The third-party catalogs. Of the URL only what a firewall sees is kept.
pub(super) fn third_party_catalogs(raw: Raw, findings: &mut Findings) -> Fact<Vec<ThirdPartyCatalog>> {
    known(raw, |rows, object| {
        let catalog = |row| {
            let mut cells = Cells { object, row, findings };
            ThirdPartyCatalog {
                name: cells.name("name"),
                publisher: cells.name("publisher"),
                download: download(&mut cells),
                synchronized: cells.flag("synchronized"),
            }
        };
        let mut catalogs: Vec<ThirdPartyCatalog> = rows.iter().map(catalog).collect();
        catalogs.sort_by(|a, b| (&a.publisher, &a.name).cmp(&(&b.publisher, &b.name)));
        catalogs
    })
}

fn download(cells: &mut Cells<'_>) -> Option<DownloadPlace> {
    let text = cells.raw_text("download_url")?;
    let place = Url::parse(&text).ok().and_then(|url| {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let host = HostName::parse(url.host_str()?).ok()?;
        Some(DownloadPlace { scheme, host, port: url.port().unwrap_or(scheme.default_port()) })
    });
    if place.is_none() {
        // The URL may hold a key, so the finding does not show it.
        cells.report_unseen("download_url", "no URL with a host name");
    }
    place
}

/// The updates of the product, newest first.
pub(super) fn update_packages(raw: Raw, findings: &mut Findings) -> Fact<Vec<UpdatePackage>> {
    known(raw, |rows, object| {
        let package = |row| {
            let mut cells = Cells { object, row, findings };
            UpdatePackage {
                name: cells.name("name"),
                version: cells.name("version"),
                state: cells.number("state").map(state),
                released: cells.date("released"),
            }
        };
        let mut packages: Vec<UpdatePackage> = rows.iter().map(package).collect();
        packages.sort_by(|a, b| (b.released, &b.version, &b.name).cmp(&(a.released, &a.version, &a.name)));
        packages.dedup();
        packages
    })
}

fn state(number: i64) -> UpdatePackageState {
    match number {
        196_612 => UpdatePackageState::Installed,
        262_146 => UpdatePackageState::ReadyToInstall,
        327_682 => UpdatePackageState::AvailableToDownload,
        393_213 => UpdatePackageState::Hidden,
        393_214 => UpdatePackageState::NotApplicable,
        other => UpdatePackageState::Other(other),
    }
}

/// The features, by name.
pub(super) fn features(raw: Raw, findings: &mut Findings) -> Fact<Vec<Feature>> {
    known(raw, |rows, object| {
        let mut features = Vec::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(name) = cells.name("name") else {
                cells.needed("name", "a feature without a name");
                continue;
            };
            let (kind, exposed, status) = (cells.number("kind"), cells.number("exposed"), cells.number("status"));
            features.push(Feature { name, kind, exposed, status });
        }
        features.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        features
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    #[test]
    fn a_subscription_is_an_id_whatever_its_names() {
        let rows = [
            "Product|Product:30EB551C-6288-4716-9a78-f300ec36d72b|Office 365 Client",
            "Product|Product:30eb551c-6288-4716-9a78-f300ec36d72b|Client Office 365",
            "UpdateClassification|UpdateClassification:3689bdc8-b205-4af4-8d4a-a63924c5e9d5|NULL",
            "NULL|Product:69010383-ff55-4227-bd6c-d91c26f2643b|Microsoft Edge",
            "Company|Company:69010383-ff55-4227-bd6c-d91c26f2643b|x",
            "Product|Product:all|x",
            "Product|NULL|x",
        ];
        let (fact, findings) = with_findings(|f| subscriptions(raw("kind|unique_id|name", &rows), f));
        let [office, edge, upgrades] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!(
            (office.id.as_str(), office.name.as_deref()),
            (Subscription::MICROSOFT_365_APPS, Some("Client Office 365"))
        );
        assert_eq!(edge.id, Subscription::MICROSOFT_EDGE);
        assert_eq!((upgrades.kind, upgrades.id.as_str()), (SubscriptionKind::Classification, Subscription::UPGRADES));
        assert_eq!(findings.len(), 3);
    }

    #[test]
    fn of_a_catalog_s_url_only_the_place_is_kept() {
        let rows = [
            "A|Fabrikam|https://user:hunter2@Updates.fabrikam.example/c.cab?sig=hunter2|1",
            "B|Fabrikam|http://updates.fabrikam.example:8080/c.cab|0",
            "C|Fabrikam|NULL|NULL",
            "D|Fabrikam|ftp://x.example/hunter2|1",
            "E|Fabrikam|https://10.0.0.1/hunter2|3",
        ];
        let columns = "name|publisher|download_url|synchronized";
        let (fact, findings) = with_findings(|f| third_party_catalogs(raw(columns, &rows), f));
        let [a, b, c, ..] = fact.rows() else { panic!("{fact:?}") };
        let place = |catalog: &ThirdPartyCatalog| {
            catalog.download.as_ref().map(|d| format!("{} {} {}", d.scheme, d.host, d.port))
        };
        assert_eq!(place(a).unwrap(), "https updates.fabrikam.example 443");
        assert_eq!(place(b).unwrap(), "http updates.fabrikam.example 8080");
        assert_eq!((place(c), c.synchronized), (None, None));
        assert_eq!(findings.len(), 3);
        assert!(!format!("{fact:?}{findings:?}").contains("hunter2"), "{findings:?}");
    }

    #[test]
    fn updates_have_a_state_and_are_newest_first() {
        let rows = [
            "Configuration Manager 2403|5.00.9128.1000|196612|2024-04-22T00:00:00",
            "Configuration Manager 2409|5.00.9132.1000|327682|2024-12-02T00:00:00",
            "x|y|12|never",
        ];
        let (fact, findings) = with_findings(|f| update_packages(raw("name|version|state|released", &rows), f));
        let states: Vec<_> = fact.rows().iter().map(|p| p.state.unwrap()).collect();
        assert_eq!(
            states,
            [UpdatePackageState::AvailableToDownload, UpdatePackageState::Installed, UpdatePackageState::Other(12)]
        );
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_feature_has_a_name() {
        let rows = ["Community hub|0|1|1", "NULL|0|1|1", "Cloud Management Gateway|0|x|1"];
        let (fact, findings) = with_findings(|f| features(raw("name|kind|exposed|status", &rows), f));
        assert_eq!(
            fact.rows().iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
            ["Cloud Management Gateway", "Community hub"]
        );
        assert_eq!(findings.len(), 2);
    }
}
