//! `cmcomply.toml`: what the site database cannot say, stated by the operator.
//!
//! Every key is optional; a fact that is neither read nor stated is unknown.

mod error;
mod proxy_account;
mod stated;
mod template;

pub use error::SettingsError;
pub use proxy_account::StatedProxyAccount;
pub use template::template;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use proxy_account::ProxyAccountTable;
use serde::Deserialize;

use crate::catalog::Context;
use crate::derive::{StatedRoutes, Via};
use crate::host::{HostName, HostOrAddress};
use crate::proxies::Bypass;
use crate::text::{self, printable};
use crate::vantage::{RuleTable, VantageRule};

/// A settings file is a page of text; nothing larger is read.
const MAX_OCTETS: u64 = 1 << 20;

/// A settings file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file's name, for sources and errors.
    pub file: String,
    /// Facts that the operator states.
    pub stated: Stated,
    /// Proxies of contexts that the site database does not know.
    pub routes: StatedRoutes,
    /// What goes past these proxies.
    pub bypasses: BTreeMap<Context, Bypass>,
    /// From where hosts are looked at, in the order of the file.
    pub vantages: Vec<VantageRule>,
    /// Accounts for proxies that ask for one; one for each.
    pub proxy_accounts: Vec<StatedProxyAccount>,
    /// What only the readiness for an update asks for.
    pub readiness: StatedReadiness,
}

/// What the operator states for the readiness for an update: the table `[readiness]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedReadiness {
    /// Every site is set to HTTPS only, or to enhanced HTTP.
    pub https_or_enhanced_http: Option<bool>,
    /// Who has the compliance workload of co-management.
    pub compliance_workload: Option<Workload>,
    /// An Azure service is the Log Analytics (OMS) or the Upgrade Readiness connector.
    pub retired_connectors: Option<bool>,
}

/// Who has a workload of co-management.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// `configuration-manager`
    ConfigurationManager,
    /// `intune`, also for a pilot.
    Intune,
}

/// Facts that the operator states: the table `[stated]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// Tenant attach: devices are uploaded to Microsoft Intune's admin center.
    pub tenant_attach: Option<bool>,
    /// Endpoint analytics.
    pub endpoint_analytics: Option<bool>,
    /// Microsoft Entra user discovery, where the login may not read it.
    pub entra_user_discovery: Option<bool>,
    /// The network allows certificate revocation lists and OCSP of listed locations only.
    pub revocation_restricted: Option<bool>,
    /// Hosts of the logic apps (or other services) that external notifications go to; an empty list: none are sent.
    #[serde(default, deserialize_with = "bare_hosts")]
    pub notification_hosts: Option<Vec<HostName>>,
    /// Computers from which the console is used, besides those that the site database names.
    pub consoles: Option<Vec<HostName>>,
    /// Cloud management gateways, where the login may not read them; an empty list: there is none.
    pub gateways: Option<Vec<StatedGateway>>,
}

/// A cloud management gateway as the console shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedGateway {
    /// Its name in the console.
    pub name: String,
    /// The service name: the name in the server authentication certificate.
    pub service_name: HostName,
    /// The deployment name, in an Azure domain.
    pub deployment_name: HostName,
    /// Such as `West US`.
    pub region: Option<String>,
    /// The cloud.
    pub cloud: StatedCloud,
    /// Number of virtual machine instances, 1 to 16.
    pub instances: u32,
    /// The storage account's name, if it is not the first label of the deployment name.
    pub storage_name: Option<HostName>,
}

/// The cloud of a gateway, by the numbers of `AzureEnvironments`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatedCloud {
    /// 1
    Public,
    /// 2
    UsGovernment,
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    stated: Stated,
    proxies: ByContext<Route>,
    no_proxy: ByContext<BypassList>,
    vantages: Vec<toml::Spanned<RuleTable>>,
    proxy_accounts: Vec<toml::Spanned<ProxyAccountTable>>,
    readiness: StatedReadiness,
}

/// The contexts whose proxies the site database does not know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ByContext<T> {
    client_system: Option<T>,
    console_user: Option<T>,
    system_winhttp: Option<T>,
    system_wininet: Option<T>,
}

impl<T> Default for ByContext<T> {
    fn default() -> Self {
        Self { client_system: None, console_user: None, system_winhttp: None, system_wininet: None }
    }
}

impl<T> ByContext<T> {
    /// Those that are given.
    fn given(self) -> impl Iterator<Item = (Context, T)> {
        let all = [
            (Context::ClientSystem, self.client_system),
            (Context::ConsoleUser, self.console_user),
            (Context::SystemWinhttp, self.system_winhttp),
            (Context::SystemWininet, self.system_wininet),
        ];
        all.into_iter().filter_map(|(context, value)| Some((context, value?)))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct BypassList(Bypass);

impl TryFrom<String> for BypassList {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        // The entry that is wrong is not repeated: a value of this file may be a secret.
        text.parse().map(Self).map_err(|_| "a bypass list holds something that is no pattern of hosts".to_owned())
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Route(Via);

impl Settings {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let file = text::path(path);
        let unreadable = |what: String| SettingsError { file: file.clone(), line: None, what };
        let mut text = String::new();
        let opened = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
        opened.take(MAX_OCTETS + 1).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        if text.len() as u64 > MAX_OCTETS {
            return Err(unreadable(format!("larger than {MAX_OCTETS} octets: that is no settings file")));
        }
        Self::parse(&path.display().to_string(), &text)
    }

    /// Parses the text of the file of that name.
    pub fn parse(file: &str, text: &str) -> Result<Self, SettingsError> {
        let parsed: File = toml::from_str(text).map_err(|error| SettingsError::of_toml(file, text, &error))?;
        let error = |start: usize, what: String| {
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            SettingsError { file: printable(file, 500), line: Some(line), what }
        };
        let mut vantages = Vec::new();
        for table in parsed.vantages {
            let start = table.span().start;
            vantages.push(VantageRule::try_from(table.into_inner()).map_err(|what| error(start, what))?);
        }
        let mut proxy_accounts: Vec<StatedProxyAccount> = Vec::new();
        for table in parsed.proxy_accounts {
            let start = table.span().start;
            let account = StatedProxyAccount::try_from(table.into_inner()).map_err(|what| error(start, what))?;
            if proxy_accounts.iter().any(|other| other.proxy == account.proxy) {
                return Err(error(start, "this proxy has an account already".to_owned()));
            }
            proxy_accounts.push(account);
        }
        Ok(Self {
            vantages,
            proxy_accounts,
            file: printable(file, 500),
            stated: parsed.stated,
            routes: parsed.proxies.given().map(|(context, route)| (context, route.0)).collect(),
            bypasses: parsed.no_proxy.given().map(|(context, list)| (context, list.0)).collect(),
            readiness: parsed.readiness,
        })
    }
}

/// Parses a stated route: `direct` or `HOST:PORT`.
pub fn stated_via(text: &str) -> Result<Via, String> {
    if text == "direct" {
        return Ok(Via::Direct);
    }
    let (host, port) = text.rsplit_once(':').ok_or("a route is `direct` or HOST:PORT")?;
    let host = HostOrAddress::parse(host).map_err(|error| format!("the proxy is no host: {error}"))?;
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(Via::Proxy { host, port }),
        _ => Err("the proxy's port is none (1 to 65535)".to_owned()),
    }
}

impl TryFrom<String> for Route {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        stated_via(&text).map(Self)
    }
}

/// Hosts without anything around them: the URL of a logic app holds a signature that lets anyone start it, so it must
/// not get into a file. The error does not repeat it.
fn bare_hosts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<HostName>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Bare(HostName);

    impl TryFrom<String> for Bare {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.contains(['/', '?', '&', '=', '@', ':']) {
                return Err(
                    "a host alone is expected, such as prod-01.westus2.logic.azure.com: the URL of a logic app \
                            holds a signature, take it out of this file"
                        .to_owned(),
                );
            }
            HostName::parse(&text).map(Self).map_err(|error| error.to_string())
        }
    }

    Ok(Option::<Vec<Bare>>::deserialize(deserializer)?.map(|hosts| hosts.into_iter().map(|Bare(host)| host).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vantage::SecretSource;

    fn error(text: &str) -> String {
        Settings::parse("cmcomply.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn everything_that_can_be_stated() {
        let text = r#"
            [stated]
            tenant_attach = true
            endpoint_analytics = false
            entra_user_discovery = true
            revocation_restricted = true
            notification_hosts = ["Prod-01.westus2.logic.azure.com"]
            consoles = ["lt-002.corp.contoso.com"]

            [[stated.gateways]]
            name = "GraniteFalls"
            service_name = "cmg.contoso.com"
            deployment_name = "GraniteFalls.WestUS.CloudApp.Azure.Com"
            region = "West US"
            cloud = "public"
            instances = 2

            [proxies]
            client-system = "direct"
            console-user = "proxy.contoso.com:8080"

            [no_proxy]
            console-user = "*.contoso.com;<local>"
        "#;
        let settings = Settings::parse("cmcomply.toml", text).unwrap();
        let stated = &settings.stated;
        assert_eq!((stated.tenant_attach, stated.endpoint_analytics), (Some(true), Some(false)));
        assert_eq!(stated.notification_hosts.as_ref().unwrap()[0].as_str(), "prod-01.westus2.logic.azure.com");
        assert_eq!(stated.gateways.as_ref().unwrap()[0].cloud, StatedCloud::Public);
        let proxy = Via::Proxy { host: HostOrAddress::parse("proxy.contoso.com").unwrap(), port: 8080 };
        let routes = [(Context::ClientSystem, Via::Direct), (Context::ConsoleUser, proxy)];
        assert_eq!(settings.routes, StatedRoutes::from(routes));
        assert_eq!(settings.bypasses[&Context::ConsoleUser].to_string(), "*.contoso.com;<local>");
        assert_eq!(Settings::parse("x", "").unwrap().stated, Stated::default());
    }

    #[test]
    fn an_account_of_a_proxy_says_where_its_password_is() {
        let table = |proxy: &str, account: &str, rest: &str| {
            format!("[[proxy_accounts]]\nproxy = '{proxy}'\naccount = '{account}'\n{rest}\n")
        };
        let good = table("Proxy:8080", r"CONTOSO\svc-cm", "password_env = 'PROXY_PASSWORD'");
        let account = &Settings::parse("x", &good).unwrap().proxy_accounts[0];
        assert_eq!((account.proxy.0.to_string().as_str(), account.proxy.1), ("proxy", 8080));
        assert_eq!(account.account, r"CONTOSO\svc-cm");
        assert_eq!(account.password, SecretSource::Variable("PROXY_PASSWORD".to_owned()));
        for (text, said) in [
            (table("direct", "svc", "password_env = 'X'"), "`proxy` is HOST:PORT"),
            (table("proxy:1", "svc:HUNTER2", "password_env = 'X'"), "has a colon"),
            (table("proxy:1", "svc", ""), "where the password is"),
            (table("proxy:1", "svc", "password_env = 'X'\npassword_file = 'HUNTER2'"), "give one of"),
            (table("proxy:1", "svc", "password = 'HUNTER2'"), "unknown field `password`"),
            (good.clone() + &good, "already"),
        ] {
            let error = error(&text);
            assert!(error.contains(said) && !error.contains("HUNTER2"), "{error}");
        }
        assert!(error(&(good.clone() + &good)).starts_with("cmcomply.toml:5: "));
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let said = error("[stated]\ntenant_attach = true\ntenant_atach = true\n");
        assert!(said.starts_with("cmcomply.toml:3: ") && said.contains("tenant_atach"), "{said}");
        assert!(said.contains("endpoint_analytics"), "the known keys are named: {said}");
        assert!(error("[stated]\nconsoles = ['a b']").starts_with("cmcomply.toml:2: "));
        assert!(error("[stated]\ntenant_attach = 1").contains("boolean"));
        assert!(error("[proxies]\n\nclient-system = 'proxy'").starts_with("cmcomply.toml:3: a route is"));
        assert!(error("[proxies]\nwsus = 'direct'").contains("client-system"));
        assert!(error("[proxies]\nclient-system = 'proxy:0'").contains("65535"));
        assert!(error("[stated\n").starts_with("cmcomply.toml:1: "));
        assert!(error("[stated]\n[[stated.gateways]]\nname = 'x'").contains("service_name"));
    }

    #[test]
    fn a_signature_is_refused_and_not_repeated() {
        let url = "https://prod-01.westus2.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=HUNTER2";
        for text in [
            format!("[stated]\nnotification_hosts = ['{url}']"),
            format!("[stated]\nnotification_hosts = '{url}'"),
            format!("[stated]\nnotification_hosts = [{url}]"),
            format!("[stated]\nnotification_hosts = {url}"),
            format!("[stated]\ntenant_attach = '{url}'"),
            format!("[stated]\nconsoles = ['{url}']"),
            format!("[stated]\nconsoles = '{url}'"),
            format!("[stated]\n'{url}' = 1"),
            format!("[proxies]\nclient-system = '{url}'"),
            format!("[no_proxy]\nclient-system = '{url}'"),
            format!("[[stated.gateways]]\ncloud = '{url}'"),
            format!("stated = '{url}'"),
            url.to_owned(),
        ] {
            let said = error(&text);
            assert!(!said.contains("HUNTER2"), "{said}");
            assert!(said.starts_with("cmcomply.toml:"), "{said}");
        }
        assert!(error(&format!("[stated]\nnotification_hosts = ['{url}']")).contains("holds a signature"));
    }

    #[test]
    fn files_are_bounded_and_named_in_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cmcomply.toml");
        let missing = Settings::read(&path).unwrap_err().to_string();
        assert!(missing.contains("cmcomply.toml"), "{missing}");
        std::fs::write(&path, "#".repeat(2 << 20)).unwrap();
        assert!(Settings::read(&path).unwrap_err().to_string().contains("larger than"));
        std::fs::write(&path, "[stated]\ntenant_attach = true\n").unwrap();
        assert_eq!(Settings::read(&path).unwrap().stated.tenant_attach, Some(true));
    }
}
