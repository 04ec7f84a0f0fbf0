//! The pretend internet of the Contoso hierarchy.

use super::spec::{Behaviour, List, Manner, Name, ProxySpec, Spec};
use Behaviour::{
    BlockPage, Blocked, Expired, ForeignCa, HandshakeSilence, HttpSilence, Redirect, Refused, ResetInHandshake,
    RevocationList, Status, TlsAlert, WrongName,
};

impl Spec {
    /// What the Contoso hierarchy meets: most is well, and every layer fails somewhere.
    ///
    /// Its top-level site goes through `proxy.contoso.com:8080`, its first CMG connection point through
    /// `proxy-us.contoso.com:3128`, all others go directly.
    pub fn contoso() -> Self {
        let proxy = ProxySpec::new("proxy.contoso.com", 8080)
            .host("umwatsonc.events.data.microsoft.com", BlockPage(403))
            .host("definitionupdates.microsoft.com", ForeignCa)
            .host("login.microsoftonline.com", Status(200));
        let proxy_us = ProxySpec::new("proxy-us.contoso.com", 3128).manner(Manner::WantsCredentials);
        Self {
            hosts: servers().map(|(host, behaviour)| (host.to_owned(), behaviour)).collect(),
            names: names().map(|(name, answer)| (name.to_owned(), answer)).collect(),
            known: KNOWN.iter().map(|&name| name.to_owned()).collect(),
            proxies: vec![proxy, proxy_us],
            http_ports: vec![80, 8530],
            https_ports: vec![443, 8531, 10_124, 10_125],
        }
    }

    /// The same names and proxies, with nothing wrong anywhere.
    pub fn healthy() -> Self {
        let mut spec = Self::contoso();
        spec.hosts.retain(|_, behaviour| matches!(behaviour, Status(200..=404) | Redirect(..) | RevocationList(_)));
        // Nothing stands at the root of a host that keeps revocation lists.
        for host in ["crl3.digicert.com", "crl4.digicert.com", "ocsp.digicert.com", "www.d-trust.net"] {
            spec = spec.host(host, Status(404));
        }
        spec = spec.host("root-c3-ca2-2009.ocsp.d-trust.net", Status(404));
        spec.names.clear();
        for proxy in &mut spec.proxies {
            proxy.manner = Manner::Open;
            proxy.hosts.clear();
        }
        for suffix in ["com", "net", "us", "ms", "example"] {
            spec = spec.known(suffix);
        }
        spec
    }
}

/// What the servers do; those not named here answer 200.
#[rustfmt::skip]
fn servers() -> impl Iterator<Item = (&'static str, Behaviour)> {
    [
        // URL forwarding
        ("aka.ms",                                          Redirect(301, "https://www.microsoft.com/".into())),
        ("go.microsoft.com",                                Redirect(302, "https://download.microsoft.com/".into())),
        // Updates and servicing
        ("download.microsoft.com",                          Status(404)),
        ("download.windowsupdate.com:443",                  WrongName),
        ("configmgrbits.azureedge.net",                     TlsAlert),
        ("configmgrbits.cdn.manage.microsoft.com",          Status(404)),
        ("cmbitsstore.blob.core.windows.net",               Status(400)),
        ("manage.microsoft.com",                            Redirect(302, "https://portal.manage.microsoft.com/".into())),
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
        // Revocation lists of the lab's own CA
        ("crl.contoso.example",                             RevocationList(List::Current)),
        ("root-crl.contoso.example",                        RevocationList(List::Expired)),
        // Intranet
        ("cm-cas.corp.contoso.com:8530",                    Status(200)),
    ]
    .into_iter()
}

/// What the DNS server says, where it is not 127.0.0.1.
#[rustfmt::skip]
fn names() -> impl Iterator<Item = (&'static str, Name)> {
    [
        ("cmg.contoso.com",                  Name::Alias("blueridge.cloudapp.net".into())),
        ("sccmconnected-a01.cloudapp.net",   Name::NxDomain),
        ("blueridge.cloudapp.net",           Name::NxDomain),
        ("ntservicepack.microsoft.com",      Name::NxDomain),
        ("granitefalls.vault.azure.net",     Name::ServFail),
        ("aadcdn.msftauth.net",              Name::Silence),
        ("gallery.azure.com",                Name::NoData),
    ]
    .into_iter()
}

/// Names that exist, with all below them. Not `cloudapp.net`, and of `contoso.com` only the inside.
const KNOWN: &[&str] = &[
    "aka.ms",
    "azure.com",
    "azureedge.net",
    "corp.contoso.com",
    "d-trust.net",
    "digicert.com",
    "github.com",
    "githubusercontent.com",
    "live.com",
    "microsoft.com",
    "microsoftonline.com",
    "msauth.net",
    "msocsp.com",
    "office.com",
    "office.net",
    "skype.com",
    "vault.azure.net",
    "visualstudio.com",
    "windows.com",
    "windows.net",
    "windowsupdate.com",
];
