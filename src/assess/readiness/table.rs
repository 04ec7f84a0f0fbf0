//! The rules: one table, in the order of reports.

use jiff::civil::{Date, date};

use super::answer::Answered;
use super::{Case, Severity, cloud, endpoints, hosts, proxies, roles, tls, versions};
use crate::catalog::SourceRef;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable, kebab-case; never reused.
    pub id: &'static str,
    /// How much hangs on it.
    pub severity: Severity,
    /// What must hold.
    pub title: &'static str,
    /// What to do where it does not.
    pub remedy: &'static str,
    /// Document (a key of the catalog), section, and the revision's date.
    source: (&'static str, &'static str, Date),
    /// What decides it.
    pub(super) check: fn(&Case<'_>) -> Answered,
}

impl Rule {
    /// According to whom.
    pub fn source(&self) -> SourceRef {
        let (document, section, date) = self.source;
        SourceRef { document: document.to_owned(), section: section.to_owned(), date }
    }
}

use Severity::{Error, Info, Warning};

const CHECKLIST: Date = date(2026, 5, 5);
const PREREQUISITES: Date = date(2026, 9, 14);
const WHATS_NEW: Date = date(2026, 8, 5);
const PROXIES: Date = date(2026, 6, 8);
const DEPRECATED: Date = date(2024, 12, 4);
const POINT: Date = date(2021, 10, 12);

/// All rules.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    Rule {
        id: "target-supported", severity: Error,
        title: "The version to update to is supported",
        remedy: "Update to a later version.",
        source: ("updates-and-servicing", "Version details", DEPRECATED),
        check: versions::target_supported,
    },
    Rule {
        id: "sites-supported", severity: Warning,
        title: "Every site has a supported version today",
        remedy: "Update soon: fixes and help end with support.",
        source: ("updates-and-servicing", "Version details", DEPRECATED),
        check: versions::sites_supported,
    },
    Rule {
        id: "update-path", severity: Error,
        title: "Every site has a version from which the update is possible",
        remedy: "Update to a version in between first.",
        source: ("checklist-2603", "All sites run a supported version of Configuration Manager", CHECKLIST),
        check: versions::update_path,
    },
    Rule {
        id: "equal-builds", severity: Error,
        title: "All sites have the same version before the update begins",
        remedy: "Finish the last update at every site; secondary sites are updated by hand in the console.",
        source: ("checklist-2603", "All sites run a supported version of Configuration Manager", CHECKLIST),
        check: versions::equal_builds,
    },
    Rule {
        id: "update-listed", severity: Warning,
        title: "The console lists the update",
        remedy: "Check for updates in the console. Offline: import it with the service connection tool.",
        source: ("checklist-2603", "Checklist for installing update 2603", CHECKLIST),
        check: versions::update_listed,
    },
    Rule {
        id: "service-connection-point", severity: Error,
        title: "There is one service connection point, at the top-level site",
        remedy: "Install the role at the central administration site or the stand-alone primary site, and nowhere else.",
        source: ("service-connection-point", "Service connection point", POINT),
        check: roles::service_connection_point,
    },
    Rule {
        id: "service-connection-online", severity: Info,
        title: "The service connection point is online",
        remedy: "Offline, updates come by the service connection tool from a computer that reaches the endpoints of updates and servicing.",
        source: ("service-connection-point", "Modes of operation", POINT),
        check: roles::online,
    },
    Rule {
        id: "cloud-contact", severity: Warning,
        title: "The service connection point has reached the cloud service in the last 7 days",
        remedy: "Look into dmpdownloader.log, and at the endpoints of updates and servicing that are not reached.",
        source: ("management-insights", "Simplified management", date(2024, 6, 20)),
        check: hosts::cloud_contact,
    },
    Rule {
        id: "classic-gateway", severity: Error,
        title: "No cloud management gateway is a cloud service (classic)",
        remedy: "Convert it to a virtual machine scale set before the update.",
        source: ("prerequisite-checks", "Check for a cloud management gateway (CMG) as a cloud service (classic)", PREREQUISITES),
        check: cloud::classic_gateways,
    },
    Rule {
        id: "cloud-distribution-point", severity: Warning,
        title: "There is no cloud distribution point",
        remedy: "Let a cloud management gateway serve the content, and delete the cloud distribution point.",
        source: ("deprecated-features", "Deprecated features", DEPRECATED),
        check: cloud::cloud_distribution_points,
    },
    Rule {
        id: "secret-expired", severity: Error,
        title: "No secret of an application in Microsoft Entra has ended",
        remedy: "Renew the secret key under Administration, Cloud Services, Microsoft Entra tenants.",
        source: ("azure-services", "Renew secret key", date(2021, 8, 24)),
        check: cloud::secrets_valid,
    },
    Rule {
        id: "secret-ends-soon", severity: Warning,
        title: "No secret of an application in Microsoft Entra ends within 60 days",
        remedy: "Renew the secret key under Administration, Cloud Services, Microsoft Entra tenants.",
        source: ("azure-services", "Renew secret key", date(2021, 8, 24)),
        check: cloud::secrets_last,
    },
    Rule {
        id: "compliance-service", severity: Error,
        title: "Compliance checks do not rest on the service that goes away in October 2026",
        remedy: "Update to version 2603 or later.",
        source: ("whats-new-2603", "Deprecated and removed features", WHATS_NEW),
        check: cloud::compliance_service,
    },
    Rule {
        id: "https-or-enhanced-http", severity: Error,
        title: "Every site is set to HTTPS only, or to enhanced HTTP",
        remedy: "Set it under Communication Security in the properties of the site.",
        source: ("prerequisite-checks", "Enable site system roles for HTTPS or Enhanced HTTP", PREREQUISITES),
        check: cloud::secure_clients,
    },
    Rule {
        id: "store-for-business", severity: Warning,
        title: "Microsoft Store for Business is not set up",
        remedy: "Remove the connector: the service has been retired.",
        source: ("prerequisite-checks", "Microsoft Store for Business deprecation alert", PREREQUISITES),
        check: cloud::store_for_business,
    },
    Rule {
        id: "desktop-analytics", severity: Warning,
        title: "Desktop Analytics is not set up",
        remedy: "Remove the service under Azure Services: it was retired on 30 November 2022.",
        source: ("prerequisite-checks", "Desktop Analytics is being retired", PREREQUISITES),
        check: cloud::desktop_analytics,
    },
    Rule {
        id: "retired-connector", severity: Warning,
        title: "No Azure service is the Log Analytics (OMS) or the Upgrade Readiness connector",
        remedy: "Remove the connector under Azure Services.",
        source: ("prerequisite-checks", "Check if the site uses Microsoft Operations Management Suite (OMS) Connector", PREREQUISITES),
        check: cloud::retired_connectors,
    },
    Rule {
        id: "removed-role", severity: Error,
        title: "No server has a role that was removed from the product",
        remedy: "Remove the role, and what depends on it.",
        source: ("prerequisite-checks", "Resource access policies are no longer supported", PREREQUISITES),
        check: roles::removed,
    },
    Rule {
        id: "deprecated-role", severity: Warning,
        title: "No server has a role that will be removed from the product",
        remedy: "Remove the role; a device management point can be made a management point again.",
        source: ("prerequisite-checks", "Check for site system roles associated with deprecated or removed features", PREREQUISITES),
        check: roles::deprecated,
    },
    Rule {
        id: "asset-intelligence", severity: Warning,
        title: "No server is an asset intelligence synchronization point",
        remedy: "Remove the role: it does nothing any more.",
        source: ("prerequisite-checks", "Check if the site uses the asset intelligence synchronization point role", PREREQUISITES),
        check: roles::asset_intelligence,
    },
    Rule {
        id: "connected-cache-alone", severity: Warning,
        title: "A distribution point with Microsoft Connected Cache has no other role",
        remedy: "Move the other roles to another server, or turn Connected Cache off there.",
        source: ("do-endpoints", "Delivery Optimization and Microsoft Connected Cache content type endpoints", date(2022, 7, 26)),
        check: roles::connected_cache,
    },
    Rule {
        id: "proxies-agree", severity: Warning,
        title: "The proxy options of software update points fit the proxies of their servers",
        remedy: "Set the proxy of the site system, and both options of the software update point alike.",
        source: ("proxy-support", "Software update point", PROXIES),
        check: proxies::update_points_agree,
    },
    Rule {
        id: "revocation-proxy", severity: Warning,
        title: "A service connection point that uses a proxy can fetch revocation lists",
        remedy: "Set the machine's proxy too (netsh winhttp set proxy), or allow the revocation lists directly.",
        source: ("tenant-attach", "Internet endpoints", date(2020, 4, 10)),
        check: proxies::revocation,
    },
    Rule {
        id: "management-point-tokens", severity: Error,
        title: "Management points reach what validates Microsoft Entra tokens",
        remedy: "Allow the endpoints for the local system account of the management point: its own WinINET proxy counts, neither the site system's nor that of WinHTTP.",
        source: ("whats-new-2603", "Management point requires internet access for Microsoft Entra token validation", WHATS_NEW),
        check: endpoints::management_points,
    },
    Rule {
        id: "successor-reached", severity: Warning,
        title: "Endpoints that take the place of others are reached",
        remedy: "Allow the new name before the old one goes away.",
        source: ("internet-access", "Configuration Manager console", PROXIES),
        check: endpoints::successors,
    },
    Rule {
        id: "tls-suites", severity: Error,
        title: "Servers offer a cipher suite that the other end takes",
        remedy: "Enable TLS 1.2 and one of the ECDHE suites with GCM in SCHANNEL (group policy: SSL Cipher Suite Order).",
        source: ("front-door-tls", "Predefined TLS policy", date(2025, 3, 16)),
        check: tls::suites,
    },
    Rule {
        id: "strong-crypto", severity: Warning,
        title: "The .NET Framework of every server uses strong cryptography",
        remedy: "Set SchUseStrongCrypto and SystemDefaultTlsVersions to 1 under all four keys, and restart.",
        source: ("enable-tls", "Configure for strong cryptography", date(2024, 6, 20)),
        check: tls::strong_crypto,
    },
    Rule {
        id: "trusted-roots", severity: Error,
        title: "Servers trust the roots that the certificates of the endpoints lead to",
        remedy: "Install the roots, or let the server reach ctldl.windowsupdate.com.",
        source: ("azure-certificates", "Root Certificate Authorities", date(2023, 11, 27)),
        check: tls::roots,
    },
    Rule {
        id: "odbc-driver", severity: Error,
        title: "Site servers and management points have an ODBC driver with which setup goes on",
        remedy: "Install the Microsoft ODBC Driver 18 for SQL Server in a version that is allowed.",
        source: ("prerequisite-checks", "ODBC driver for SQL Server", PREREQUISITES),
        check: hosts::odbc_driver,
    },
    Rule {
        id: "net-framework", severity: Error,
        title: "Site servers and site systems have the .NET Framework that the version needs",
        remedy: "Install the .NET Framework and restart, before the update.",
        source: ("site-prerequisites", ".NET version requirements", PREREQUISITES),
        check: hosts::net_framework,
    },
    Rule {
        id: "windows-supported", severity: Error,
        title: "No server runs Windows Server 2012 R2 or earlier",
        remedy: "Upgrade Windows, or move the roles.",
        source: ("prerequisite-checks", "Windows Server 2012/R2 lifecycle", PREREQUISITES),
        check: hosts::windows,
    },
    Rule {
        id: "restart-pending", severity: Error,
        title: "No site server waits for a restart",
        remedy: "Restart the server before the update.",
        source: ("prerequisite-checks", "Pending system restart", PREREQUISITES),
        check: hosts::restart,
    },
    Rule {
        id: "update-source", severity: Warning,
        title: "WSUS synchronizes from the endpoint of today",
        remedy: "Set MUUrl to https://sws.update.microsoft.com and restart WSUS.",
        source: ("wsus-synchronization", "Endpoints", date(2021, 3, 22)),
        check: hosts::update_source,
    },
];
