//! The files of the catalog in this program.

macro_rules! files {
    ($($name:literal)+) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/catalog/", $name)))),+]
    };
}

/// Name and text, in the order of their names.
pub(super) const FILES: &[(&str, &str)] = files![
    "addresses.toml"
    "asset-intelligence.toml"
    "azure-services.toml"
    "catalog.toml"
    "cloud-services-client.toml"
    "cloud-services-cmg-connection-point.toml"
    "cloud-services-console.toml"
    "cloud-services-service-connection-point.toml"
    "cloud-services-site-server.toml"
    "co-management.toml"
    "console.toml"
    "delivery-optimization.toml"
    "desktop-analytics.toml"
    "endpoint-analytics.toml"
    "external-notifications.toml"
    "intranet-firewall.toml"
    "management-point.toml"
    "microsoft-365-apps.toml"
    "microsoft-edge.toml"
    "retirements.toml"
    "roots.toml"
    "software-updates.toml"
    "store-for-business.toml"
    "tenant-attach.toml"
    "third-party-updates.toml"
    "updates-and-servicing.toml"
    "url-forwarding.toml"
    "versions.toml"
    "windows-servicing.toml"
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_here() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/catalog")).unwrap();
        let mut names: Vec<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != "README.md");
        names.sort();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    }
}
