//! A large hierarchy around Contoso's, as T-SQL for [`Options::variants`](super::Options::variants).

use std::fmt::Write as _;

/// Sites and site systems that Contoso has by itself.
const OWN: (usize, usize) = (4, 10);
/// A hierarchy has at most so many primary sites; two are there. The rest are secondary sites.
const PRIMARIES: usize = 23;

/// Contoso with so many sites and site systems in all. Every server has a proxy; each new site has a software update
/// point that synchronizes from the central administration site, and one server in twenty is a management point, the
/// others are distribution points.
pub fn large_hierarchy(sites: usize, site_systems: usize) -> Vec<String> {
    let mut tables = Tables::default();
    let count = sites.saturating_sub(OWN.0).max(1);
    for number in 0..count {
        tables.site(number);
    }
    for number in 0..site_systems.saturating_sub(OWN.1 + count) {
        let host = format!("CM-{number:05}.corp.contoso.com");
        let role = if number % 20 == 0 { (6, "SMS Management Point") } else { (3, "SMS Distribution Point") };
        tables.server(number % count, &host, &[role]);
    }
    tables.batches()
}

/// Rows for each table, as T-SQL writes them.
#[derive(Default)]
struct Tables {
    sites: Vec<String>,
    definitions: Vec<String>,
    components: Vec<String>,
    component_properties: Vec<String>,
    roles: Vec<String>,
    properties: Vec<String>,
    resources: Vec<String>,
    points: Vec<String>,
}

fn code(site: usize) -> String {
    let digit = |n: usize| char::from_digit(u32::try_from(n % 36).unwrap_or(0), 36).unwrap_or('0');
    format!("X{}{}", digit(site / 36), digit(site)).to_uppercase()
}

impl Tables {
    fn site(&mut self, site: usize) {
        let (code, key, number) = (code(site), 100 + site, 100 + site);
        let (kind, parent) = if site < PRIMARIES { (2, "CAS") } else { (1, "PS1") };
        let host = format!("CM-{code}.corp.contoso.com");
        self.sites.push(format!(
            "({key}, N'{code}', N'Contoso {code}', N'{parent}', 1, 0, {kind}, 9128, N'5.00.9128.1000', N'{host}', N'')"
        ));
        self.definitions.push(format!(
            "({number}, N'{code}', N'Contoso {code}', {kind}, N'{parent}', N'{host}', N'CORP', N'X64', N'', N'{host}', \
             N'CM_{code}')"
        ));
        let component = 10_000 + site;
        self.components.push(format!("({component}, {number}, N'SMS_WSUS_CONFIGURATION_MANAGER', 6)"));
        for (name, text, value) in [
            ("DefaultWSUS", host.as_str(), "NULL"),
            ("DefaultUseParentWSUS", "", "1"),
            ("ParentWSUS", "CM-CAS.corp.contoso.com", "NULL"),
            ("ParentWSUSPort", "", "8530"),
            ("SSLToParentWSUS", "", "0"),
        ] {
            self.component_properties.push(format!("({component}, {number}, N'{name}', NULL, N'{text}', {value})"));
        }
        let id = self.server(site, &host, &[(902, "SMS Site Server"), (906, "SMS Software Update Point")]);
        for (name, value) in [
            ("UseProxy", 0),
            ("SSLWSUS", 1),
            ("WSUSIISPort", 8530),
            ("WSUSIISSSLPort", 8531),
            ("IsINF", 0),
            ("IsIntranet", 1),
        ] {
            self.properties.push(format!("({}, N'{name}', NULL, NULL, {value})", id + 2));
        }
    }

    /// A server with these roles besides `SMS Site System`; its first id, from which each role counts one.
    fn server(&mut self, site: usize, host: &str, roles: &[(u16, &str)]) -> usize {
        let (code, number, id) = (code(site), 100 + site, 1_000_000 + 10 * self.roles.len());
        let path = format!(r#"["Display=\\{host}\"]MSWNET:["SMS_SITE={code}"]\\{host}\"#);
        for (index, (role, name)) in [(901, "SMS Site System")].iter().chain(roles).enumerate() {
            self.roles.push(format!("({}, {number}, N'Windows NT Server', N'{path}', {role}, 0)", id + index));
            self.resources.push(format!(
                "(N'{code}', N'{name}', N'{host}', N'', N'', 0, 1, 0, N'corp.contoso.com', N'corp.contoso.com', 80, 443, 1, \
                 N'{path}')"
            ));
            if *role == 3 {
                self.points.push(format!(
                    "({id}, N'{host}', N'{path}', N'', N'{code}', 0, 0, 0, N'Windows NT Server', 0, 0, 1, NULL, {})",
                    u8::from(number % 10 == 0)
                ));
            }
        }
        for (name, text, value) in [
            ("UseProxy", "NULL", "1"),
            ("ProxyName", "N'proxy.contoso.com'", "NULL"),
            ("ProxyServerPort", "NULL", "8080"),
        ] {
            self.properties.push(format!("({id}, N'{name}', NULL, {text}, {value})"));
        }
        id
    }

    fn batches(self) -> Vec<String> {
        let tables = [
            (
                "dbo.Sites (SiteKey, SiteCode, SiteName, ReportToSite, Status, DetailedStatus, SiteType, BuildNumber, \
                 Version, SiteServer, InstallDir)",
                self.sites,
            ),
            (
                "dbo.SC_SiteDefinition (SiteNumber, SiteCode, SiteName, SiteType, ParentSiteCode, SiteServerName, \
                 SiteServerDomain, SiteServerPlatform, InstallDirectory, SQLServerName, SQLDatabaseName)",
                self.definitions,
            ),
            ("dbo.SC_Component (ID, SiteNumber, ComponentName, Flags)", self.components),
            (
                "dbo.SC_Component_Property (ComponentID, SiteNumber, Name, Value1, Value2, Value3)",
                self.component_properties,
            ),
            ("dbo.SC_SysResUse (ID, SiteNumber, NALResType, NALPath, RoleTypeID, SslState)", self.roles),
            ("dbo.SC_SysResUse_Property (SysResUseID, Name, Value1, Value2, Value3)", self.properties),
            (
                "dbo.SysResList (SiteCode, RoleName, ServerName, ServerRemoteName, PublicDNSName, InternetEnabled, Shared, \
                 SslState, DomainFQDN, ForestFQDN, IISPreferredPort, IISSslPreferredPort, IsAvailable, NALPath)",
                self.resources,
            ),
            (
                "dbo.DistributionPoints (DPID, ServerName, NALPath, ShareName, SMSSiteCode, IsPullDP, AnonymousEnabled, \
                 SslState, Type, DPFlags, IsPXE, IsActive, Description, IsDoincEnabled)",
                self.points,
            ),
        ];
        let batch = |(table, rows): (&str, Vec<String>)| {
            // SQL Server takes at most a thousand rows in one INSERT.
            rows.chunks(1000).fold(String::new(), |mut sql, rows| {
                let _ = writeln!(sql, "INSERT {table} VALUES\n{};\nGO", rows.join(",\n"));
                sql
            })
        };
        tables.into_iter().map(batch).collect()
    }
}
