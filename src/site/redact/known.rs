//! Texts that are the product's and say nothing about a customer, each recognized by its list or its whole shape. What
//! is not recognized is replaced, wherever it stands.

use std::collections::HashSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::catalog::Catalog;
use crate::site::{Facts, Role, Subscription, queries};

/// Microsoft's own domains, the longer ones first where one lies below another.
const MICROSOFT: [&str; 24] = [
    "aka.ms",
    "azure.cn",
    "azure.com",
    "azure.net",
    "azure.us",
    "azureedge.net",
    "cloudapp.net",
    "core.windows.net",
    "microsoft.com",
    "microsoft.us",
    "microsoftazure.us",
    "microsoftonline.com",
    "microsoftonline.us",
    "msauth.net",
    "msftauth.net",
    "office.com",
    "office.net",
    "onmicrosoft.com",
    "onmicrosoft.us",
    "trafficmanager.net",
    "usgovcloudapi.net",
    "usgovcloudapp.net",
    "usgovtrafficmanager.net",
    "windows.net",
];

/// Labels below those domains that name a service of Azure's, and are in the built-in rows of `AzureEnvironments`.
const SERVICES: [&str; 26] = [
    "account",
    "blob",
    "cloudapp",
    "core",
    "database",
    "device",
    "file",
    "gallery",
    "graph",
    "intune",
    "login",
    "main",
    "manage",
    "management",
    "portal",
    "privatelink",
    "queue",
    "s-manage",
    "servicebus",
    "sts",
    "table",
    "vault",
    "vaultcore",
    "web",
    "www",
    "z",
];

/// Azure's regions, without blanks.
const REGIONS: [&str; 64] = [
    "asiapacific",
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "chilecentral",
    "chinaeast",
    "chinaeast2",
    "chinaeast3",
    "chinanorth",
    "chinanorth2",
    "chinanorth3",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "francesouth",
    "germanycentral",
    "germanynorth",
    "germanynortheast",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
];
const REGIONS_OF_GOVERNMENTS: [&str; 9] = [
    "usdodcentral",
    "usdodeast",
    "usgovarizona",
    "usgoviowa",
    "usgovtexas",
    "usgovvirginia",
    "westus2",
    "westus3",
    "swedensouth",
];

/// Top-level domains that many have; any other may be an organization's own.
const TOP_LEVEL: [&str; 18] = [
    "ad", "biz", "cloud", "com", "corp", "edu", "example", "gov", "home", "info", "internal", "lan", "local", "mil",
    "net", "org", "private", "test",
];

/// The names of Azure's clouds.
const CLOUDS: [&str; 7] = [
    "AzureChinaCloud",
    "AzureCloud",
    "AzureGermanCloud",
    "AzurePublicCloud",
    "AzureUSGovernment",
    "AzureUSGovernmentCloud",
    "AzureUSGovernmentCloudL4",
];

/// Roles besides those that the catalog names.
const ROLES: [&str; 20] = [
    "SMS SQL Server",
    "SMS Component Server",
    "SMS Device Management Point",
    "SMS SRS Reporting Point",
    "SMS Endpoint Protection Point",
    "SMS State Migration Point",
    "SMS Fallback Status Point",
    "SMS Enrollment Server",
    "SMS Enrollment Web Site",
    "SMS Notification Server",
    "SMS Certificate Registration Point",
    "SMS DM Enrollment Service",
    "SMS Multicast Service Point",
    "SMS System Health Validator",
    "SMS AMT Service Point",
    "SMS Application Web Service",
    "SMS Portal Web Site",
    "SMS Cloud Proxy Service",
    "Data Warehouse Service Point",
    "SMS Branch Distribution Point",
];

/// Words of which the names of operating systems and of updates and features of the product are made.
const WORDS: &str = "a advanced analytics and app application approval attach azure branch business cache client cloud co \
    community configuration connected content core current data database datacenter delivery deployment desktop device \
    devices discovery distribution edition education endpoint enterprise essentials evaluation features for from gateway \
    group groups health home hotfix hub in integration intune iot kb linux log long ltsb ltsc mac macos management manager \
    manifest microsoft multi n not nt of office on optimization or os phased point policy preview pro professional \
    protection pull r2 release rollup s scripts sequence sequences server service servicing session settings site software \
    sp sp1 sp2 standard store support sync system task technical tenant the to tools update updates user version vista \
    windows with workstation workstations x x64 xp";

/// Whether a name is Microsoft's.
pub(crate) fn is_microsoft(name: &str) -> bool {
    domain(&name.to_ascii_lowercase()).is_some()
}

/// The domain of Microsoft's that a name in lower case is or lies below.
fn domain(name: &str) -> Option<&'static str> {
    MICROSOFT.into_iter().find(|domain| name.strip_suffix(domain).is_some_and(|h| h.is_empty() || h.ends_with('.')))
}

/// How many of the last labels of a name are those of a domain of Microsoft's.
pub(super) fn labels_of_domain(name: &str) -> Option<usize> {
    domain(name).map(|domain| domain.split('.').count())
}

/// Whether a label in the midst of a name of Microsoft's names a service or a region.
pub(super) fn is_service_label(label: &str) -> bool {
    SERVICES.contains(&label) || is_region(label)
}

/// Whether a name is one of Microsoft's services, and nobody's instance of it: the catalog names it, or each label of it.
pub(super) fn is_service(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(domain) = domain(&name) else { return false };
    let head = name[..name.len() - domain.len()].trim_end_matches('.');
    catalog().contains(&name) || head.is_empty() || head.split('.').all(is_service_label)
}

fn catalog() -> &'static HashSet<String> {
    static NAMES: OnceLock<HashSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| Catalog::embedded().entries.iter().map(|entry| entry.endpoint.to_string()).collect())
}

/// Whether a text is a region of Azure's, as its name or as its display name.
pub(super) fn is_region(text: &str) -> bool {
    let name: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
    REGIONS.contains(&name.as_str()) || REGIONS_OF_GOVERNMENTS.contains(&name.as_str())
}

/// Whether a last label says little: that of a country, or one that many have.
pub(super) fn is_top_level(label: &str) -> bool {
    TOP_LEVEL.contains(&label) || (label.len() == 2 && label.bytes().all(|b| b.is_ascii_lowercase()))
}

pub(super) fn is_cloud(text: &str) -> bool {
    CLOUDS.contains(&text)
}

/// One to five numbers with dots between them.
pub(super) fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &&str| (1..=10).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() <= 5 && parts.iter().all(number)
}

pub(super) fn is_role(text: &str) -> bool {
    Role::NAMED.iter().any(|(_, name, _)| *name == text) || ROLES.contains(&text)
}

/// Whether an id of a product or classification is one that requirements hang on.
pub(super) fn is_subscription(id: &str) -> bool {
    [Subscription::MICROSOFT_365_APPS, Subscription::MICROSOFT_EDGE, Subscription::UPGRADES]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(id))
}

/// Whether a text is made of numbers and of words of Microsoft's products alone.
pub(super) fn is_of_product(text: &str) -> bool {
    static KNOWN: OnceLock<HashSet<&str>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| WORDS.split_whitespace().collect());
    let number = |word: &str| (1..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    let plain = |word: &str| {
        let word = word.to_ascii_lowercase();
        known.contains(word.as_str()) || number(&word) || word.strip_prefix("kb").is_some_and(number)
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || " .,-():/®™".contains(c);
    text.chars().all(allowed) && text.split(|c: char| !c.is_ascii_alphanumeric()).all(|w| w.is_empty() || plain(w))
}

/// Whether a text names an object that a statement of ours names.
pub(super) fn is_object(text: &str) -> bool {
    names_of_queries().contains(text.strip_prefix("dbo.").unwrap_or(text))
}

/// Whether a text is a column, a property or an alias that a statement of ours names, or a field of the facts.
pub(super) fn is_column(text: &str) -> bool {
    text.split('.').all(|part| names_of_queries().contains(part))
}

/// Every name in the statements and of the facts' fields: nothing of a customer's can be among them.
fn names_of_queries() -> &'static HashSet<String> {
    static NAMES: OnceLock<HashSet<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let queries = queries();
        let quoted =
            queries.iter().flat_map(|query| &query.ways).flat_map(|way| way.sql.split('\'').skip(1).step_by(2));
        let quoted: Vec<String> = quoted.map(str::to_owned).collect();
        let words = queries.iter().flat_map(|query| {
            let words = query.ways.iter().flat_map(|way| way.sql.split(|c: char| !(c.is_alphanumeric() || c == '_')));
            words.map(str::to_owned).chain([query.name.clone()]).collect::<Vec<_>>()
        });
        let mut names: HashSet<String> = words.chain(quoted).filter(|word| !word.is_empty()).collect();
        fields(schemars::schema_for!(Facts).as_value(), &mut names);
        names.insert("gateways".to_owned());
        names
    })
}

fn fields(schema: &Value, names: &mut HashSet<String>) {
    match schema {
        Value::Object(parts) => {
            names.extend(
                parts.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(n, _)| n.clone()),
            );
            parts.values().for_each(|part| fields(part, names));
        }
        Value::Array(parts) => parts.iter().for_each(|part| fields(part, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_known_shape_is_known() {
        for version in ["10.0.22631.3737", "5.00.9128.1000", "22631"] {
            assert!(is_version(version), "{version}");
        }
        for text in ["5.00.9128-contoso", "", "1.2.3.4.5.6", "12345678901", "1..2"] {
            assert!(!is_version(text), "{text}");
        }
        for name in [
            "Configuration Manager 2403",
            "Configuration Manager 2403 Hotfix Rollup (KB26186448)",
            "Microsoft Windows 11 Enterprise",
            "Microsoft Windows NT Workstation 10.0",
            "Windows Server 2012 R2 Standard",
        ] {
            assert!(is_of_product(name), "{name}");
        }
        for name in ["Contoso Windows 11", "Windows\u{a0}11 Contoso", "Windows_11", "Windows 123456789"] {
            assert!(!is_of_product(name), "{name}");
        }
        assert!(is_region("West US") && is_region("westeurope") && !is_region("West Contoso"));
        assert!(is_cloud("AzurePublicCloud") && !is_cloud("Contoso"));
        assert!(is_top_level("com") && is_top_level("de") && !is_top_level("contoso"));
        assert!(is_role("SMS Site Server") && !is_role("SMS Contoso Point"));
        assert!(is_object("dbo.v_Site") && !is_object("dbo.vContosoCmg"));
        assert!(is_column("ProxyServerPort") && is_column("Server Remote Public Name") && !is_column("Contoso"));
    }

    #[test]
    fn services_of_microsoft_are_told_from_instances_of_them() {
        for name in ["management.azure.com", "vault.azure.net", "core.windows.net", "login.microsoftonline.us"] {
            assert!(is_service(name), "{name}");
        }
        for name in ["contoso.vault.azure.net", "x.contoso.core.windows.net", "contoso.com", "evilazure.com"] {
            assert!(!is_service(name), "{name}");
        }
    }
}
