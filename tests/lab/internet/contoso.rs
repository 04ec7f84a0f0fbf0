//! The pretend internet of the Contoso hierarchy.

use super::spec::{Behaviour, Manner, Name, ProxySpec, Spec};
use Behaviour::{
    BlockPage, Blocked, Expired, ForeignCa, HandshakeSilence, HttpSilence, Redirect, Refused, ResetInHandshake, Status,
    TlsAlert, WrongName,
};

impl Spec {
    /// What the Contoso hierarchy meets: most is well, and every layer fails somewhere.
    ///
    /// Its top-level site goes through `proxy.contoso.com:8080`, its first CMG connection point through
    /// `proxy-us.contoso.com:3128`, all others go directly.
    pub fn contoso() -> Self {
        let hosts = SERVERS.iter().map(|(host, behaviour)| ((*host).to_owned(), behaviour.clone()));
        let names = NAMES.iter().map(|(name, answer)| ((*name).to_owned(), answer.clone()));
        let redirects =
            REDIRECTS.iter().map(|(host, status, to)| ((*host).to_owned(), Redirect(*status, (*to).to_owned())));
        let proxy = ProxySpec::new("proxy.contoso.com", 8080)
            .host("umwatsonc.events.data.microsoft.com", BlockPage(403))
            .host("definitionupdates.microsoft.com", ForeignCa)
            .host("login.microsoftonline.com", Status(200));
        let proxy_us = ProxySpec::new("proxy-us.contoso.com", 3128).manner(Manner::WantsCredentials);
        Self {
            hosts: hosts.chain(redirects).collect(),
            names: names
                .chain([("cmg.contoso.com".to_owned(), Name::Alias("blueridge.cloudapp.net".to_owned()))])
                .collect(),
            known: KNOWN.iter().map(|&name| name.to_owned()).collect(),
            proxies: vec![proxy, proxy_us],
            http_ports: vec![80, 8530],
            https_ports: vec![443, 8531, 10_124, 10_125],
        }
    }
}

/// What the servers do; those not named here answer 200.
#[rustfmt::skip]
const SERVERS: &[(&str, Behaviour)] = &[
    // Updates and servicing
    ("download.microsoft.com",                          Status(404)),
    ("download.windowsupdate.com:443",                  WrongName),
    ("configmgrbits.azureedge.net",                     TlsAlert),
    ("configmgrbits.cdn.manage.microsoft.com",          Status(404)),
    ("cmbitsstore.blob.core.windows.net",               Status(400)),
    ("ceuswatcab01.blob.core.windows.net",              ResetInHandshake),
    ("ceuswatcab02.blob.core.windows.net",              Blocked),
    ("eaus2watcab01.blob.core.windows.net",             HttpSilence),
    ("eaus2watcab02.blob.core.windows.net",             Expired),
    ("weus2watcab01.blob.core.windows.net",             HandshakeSilence),
    ("weus2watcab02.blob.core.windows.net",             Status(400)),
    ("dl.delivery.mp.microsoft.com",                    Status(403)),
    // Cloud services
    ("management.azure.com",                            Status(400)),
    ("graph.microsoft.com",                             Status(200)),
    ("login.microsoftonline.com",                       ForeignCa),
    ("granitefalls.westus.cloudapp.azure.com",          Status(403)),
    ("granitefalls.westus.cloudapp.azure.com:10125",    Refused),
    ("granitefalls.blob.core.windows.net",              Status(400)),
    ("granitefalls.table.core.windows.net",             Blocked),
    // Software updates
    ("windowsupdate.microsoft.com:80",                  BlockPage(200)),
    ("wustat.windows.com:80",                           Status(502)),
    ("sws.update.microsoft.com",                        Status(403)),
    ("ctldl.windowsupdate.com",                         Status(404)),
    // Intranet
    ("cm-cas.corp.contoso.com:8530",                    Status(200)),
];

/// Servers which lead elsewhere: status and place.
const REDIRECTS: &[(&str, u16, &str)] = &[
    ("aka.ms", 301, "https://www.microsoft.com/"),
    ("go.microsoft.com", 302, "https://download.microsoft.com/"),
    ("manage.microsoft.com", 302, "https://portal.manage.microsoft.com/"),
];

/// What the DNS server says, where it is not 127.0.0.1.
#[rustfmt::skip]
const NAMES: &[(&str, Name)] = &[
    ("sccmconnected-a01.cloudapp.net",   Name::NxDomain),
    ("blueridge.cloudapp.net",           Name::NxDomain),
    ("ntservicepack.microsoft.com",      Name::NxDomain),
    ("granitefalls.vault.azure.net",     Name::ServFail),
    ("aadcdn.msftauth.net",              Name::Silence),
    ("gallery.azure.com",                Name::NoData),
];

/// Names that exist, with all below them. Not `cloudapp.net`, and of `contoso.com` only the inside.
const KNOWN: &[&str] = &[
    "aka.ms",
    "azure.com",
    "azureedge.net",
    "corp.contoso.com",
    "core.windows.net",
    "microsoft.com",
    "microsoftonline.com",
    "msauth.net",
    "office.com",
    "office.net",
    "sts.windows.net",
    "vault.azure.net",
    "visualstudio.com",
    "windows.com",
    "windowsupdate.com",
];
