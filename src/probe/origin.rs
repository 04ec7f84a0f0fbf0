//! What shows that the endpoint itself answered, and whose names lead where a redirect may lead.
//!
//! Over plain HTTP anybody on the way can answer, and a proxy answers for endpoints that it cannot or may not reach. So
//! there an error, a page or a redirect counts only where something shows whose it is.

use std::net::IpAddr;

use url::{Host, Url};

use super::Header;
use super::author::Author;
use super::layer::header;
use crate::host::HostName;
use crate::plan::Target;

/// Whether the headers are such as Microsoft's services and the content networks before them send, and proxies and
/// filters do not.
pub(super) fn signed(headers: &[Header]) -> bool {
    let has = |name: &&str| header(headers, name).is_some_and(|value| !value.is_empty());
    let cache = header(headers, "x-cache").unwrap_or_default();
    SIGNS.iter().any(has)
        || says(headers, "server", NETWORKS)
        // A proxy writes `MISS from proxy.contoso.com`.
        || CACHE_WORDS.iter().any(|word| cache.starts_with(word))
}

/// Whether the headers of an error show that it is the endpoint's: also those of a web server of Microsoft. For a page
/// that is no error they would not do, since anybody can have one there.
pub(super) fn answered(headers: &[Header]) -> bool {
    signed(headers) || says(headers, "server", SERVERS)
}

/// Whether a page, in lower case, says in its title or in a line on copyright whose host this is. The rest of it proves
/// nothing: a filter's page names what it blocks and its category, and has fonts, scripts and links of anybody. Nor does
/// the host's own name.
pub(super) fn names_owner(page: &str, host: &HostName) -> bool {
    let word = owner(host.as_str()).unwrap_or("microsoft");
    let says = |text: &str| text.replace(host.as_str(), "").contains(word);
    let text = visible_text(page);
    let copyright = |mark: &str| {
        let lines = text.match_indices(mark).map(|(at, _)| text[at..].chars().take(MAX_COPYRIGHT).collect::<String>());
        lines.into_iter().any(|line| says(&line))
    };
    title(page).is_some_and(says) || COPYRIGHTS.iter().any(|mark| copyright(mark))
}

/// What stands in the title of a page in lower case.
pub(super) fn title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<title")?;
    let (title, _) = rest.split_once('>')?.1.split_once("</title")?;
    Some(title.trim())
}

/// A page without its tags, styles and scripts.
fn visible_text(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((head, tail)) = rest.split_once('<') {
        text.push_str(head);
        let unseen = ["style", "script"].into_iter().find(|name| tail.starts_with(name));
        let end = unseen.map_or(0, |name| tail.find(&format!("</{name}")).unwrap_or(tail.len()));
        rest = tail[end..].split_once('>').map_or("", |(_, rest)| rest);
        text.push(' ');
    }
    text + rest
}

/// `redirected to HOST`, if the redirect leads to where the endpoint's owner would not send anybody. `locations` are all
/// that the answer has.
pub(super) fn stray_redirect<'a>(
    target: &Target,
    author: Author,
    status: u16,
    locations: impl IntoIterator<Item = &'a [u8]>,
) -> Option<String> {
    if !REDIRECTS.contains(&status) {
        return None;
    }
    let mut locations = locations.into_iter().peekable();
    // Who is certified may say it; else it is nobody's answer.
    if locations.peek().is_none() {
        return (author == Author::Anybody).then(|| "redirected to nowhere".to_owned());
    }
    let base = Url::parse(&format!("{}://{}:{}/", target.scheme, target.host, target.port)).ok();
    locations.find_map(|location| {
        let next = std::str::from_utf8(location).ok().and_then(|location| base.as_ref()?.join(location.trim()).ok());
        let next = next.filter(|next| matches!(next.scheme(), "http" | "https"));
        match next.as_ref().and_then(Url::host) {
            None => Some("redirected to what is no web address".to_owned()),
            Some(Host::Domain(host)) if may_lead(&target.host, author, host.trim_end_matches('.')) => None,
            Some(host) => Some(format!("redirected to {host}")),
        }
    })
}

/// Whether the certificates of a host come from public authorities, since its owner is a public service. Names of
/// customers may have certificates of an authority of their own.
pub(crate) fn publicly_certified(host: &HostName) -> bool {
    owner(host.as_str()).is_some() && !CUSTOMERS.iter().any(|domain| is_below(host.as_str(), domain))
}

/// Whether this is the host of a service for all, and none of a customer or of a site's own network.
pub(super) fn is_public_service(host: &HostName) -> bool {
    publicly_certified(host) && !is_of_customers(host.as_str())
}

/// Whether a redirect of one host may lead to the other.
fn may_lead(from: &HostName, author: Author, to: &str) -> bool {
    if from.as_str() == to {
        return true;
    }
    let below = |domains: &[&str]| domains.iter().any(|domain| is_below(to, domain));
    // Only a forwarder that nobody else can speak for leads into the accounts of just any customer.
    let told = author == Author::Certified && publicly_certified(from);
    let theirs = below(CUSTOMERS) || (is_of_customers(to) && !told) || to.parse::<IpAddr>().is_ok();
    !theirs && (owner(to) == Some("microsoft") || registrable(from.as_str()).is_some_and(|domain| is_below(to, domain)))
}

/// Whether the name may be any customer's.
fn is_of_customers(host: &str) -> bool {
    let shared = [CUSTOMERS, SHARED_ZONES].concat();
    shared.iter().any(|domain| is_below(host, domain)) && !NAMED.contains(&host)
}

/// The word by which pages of a known owner are known.
fn owner(host: &str) -> Option<&'static str> {
    OWNERS.iter().find(|(_, domains)| domains.iter().any(|domain| is_below(host, domain))).map(|(word, _)| *word)
}

/// The domain that somebody registered; no more than an estimate for countries with domains such as `co.uk`.
fn registrable(host: &str) -> Option<&str> {
    let mut ends = host.rmatch_indices('.').map(|(index, _)| index + 1);
    let (top, second) = (ends.next()?, ends.next());
    let (country, class) = (&host[top..], &host[second.unwrap_or(0)..top - 1]);
    let shared = country.len() == 2 && (class.len() <= 2 || SHARED.contains(&class));
    let start = if shared { second.map(|_| ends.next().unwrap_or(0))? } else { second.unwrap_or(0) };
    Some(&host[start..])
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

fn says(headers: &[Header], name: &str, words: &[&str]) -> bool {
    let value = header(headers, name).unwrap_or_default().to_ascii_lowercase();
    words.iter().any(|word| value.starts_with(word))
}

pub(super) const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// Headers of Microsoft's services and of its content networks. `layer` keeps each of them.
pub(super) const SIGNS: &[&str] = &[
    "akamai-grn",
    "ms-cv",
    "msregion",
    "x-azure-ref",
    "x-ccc",
    "x-cid",
    "x-github-request-id",
    "x-ms-ags-diagnostic",
    "x-ms-correlation-request-id",
    "x-ms-error-code",
    "x-ms-ests-server",
    "x-ms-request-id",
    "x-ms-version",
    "x-msedge-ref",
];

/// How `Server` begins at the content networks and storage that the endpoints use.
const NETWORKS: &[&str] =
    &["akamai", "ecacc", "ecd ", "ecs ", "edgeprism", "llnw", "windows-azure-", "microsoft-azure-"];

/// How `Server` begins at the web servers of Microsoft.
const SERVERS: &[&str] = &["microsoft-iis/", "microsoft-httpapi/", "kestrel"];

/// How `X-Cache` begins at Akamai and at Azure Front Door.
const CACHE_WORDS: &[&str] = &["TCP_", "CONFIG_NOCACHE", "PRIVATE_NOSTORE"];

/// Second-level domains that belong to all, in countries that have them.
const SHARED: &[&str] = &["com", "edu", "gov", "net", "org"];

/// Names below these are customers', though Microsoft owns them.
const CUSTOMERS: &[&str] = &[
    "azure-api.net",
    "azurewebsites.net",
    "cloudapp.azure.com",
    "cloudapp.net",
    "cloudapp.usgovcloudapi.net",
    "trafficmanager.net",
    "usgovcloudapp.net",
];

/// Below these are names of customers beside names of the owner's own. Their certificates are the owner's all the same.
const SHARED_ZONES: &[&str] = &[
    "azureedge.net",
    "azurefd.net",
    "core.usgovcloudapi.net",
    "core.windows.net",
    "githubusercontent.com",
    "logic.azure.com",
];

/// Names below those that the catalog has as the owner's own; a test holds the two together.
const NAMED: &[&str] = &[
    "ceuswatcab01.blob.core.windows.net",
    "ceuswatcab02.blob.core.windows.net",
    "cmbitsstore.blob.core.windows.net",
    "configmgrbits.azureedge.net",
    "eaus2watcab01.blob.core.windows.net",
    "eaus2watcab02.blob.core.windows.net",
    "raw.githubusercontent.com",
    "weus2watcab01.blob.core.windows.net",
    "weus2watcab02.blob.core.windows.net",
];

/// How a line on copyright begins, in lower case.
const COPYRIGHTS: &[&str] = &["\u{a9}", "&copy;", "(c)", "copyright"];
const MAX_COPYRIGHT: usize = 60;

/// Whose domains the endpoints are in, and the word by which their pages are known.
const OWNERS: &[(&str, &[&str])] = &[
    (
        "microsoft",
        &[
            "aka.ms",
            "azure.com",
            "azure.net",
            "azure.us",
            "azureedge.net",
            "azurefd.net",
            "bing.com",
            "github.com",
            "githubusercontent.com",
            "live.com",
            "live.net",
            "microsoft",
            "microsoft.com",
            "microsoft.us",
            "microsoftazure.us",
            "microsoftonline-p.com",
            "microsoftonline.com",
            "microsoftonline.us",
            "msauth.net",
            "msedge.net",
            "msftauth.net",
            "msocsp.com",
            "office.com",
            "office.net",
            "office365.com",
            "skype.com",
            "usgovcloudapi.net",
            "visualstudio.com",
            "windows.com",
            "windows.net",
            "windowsupdate.com",
        ],
    ),
    ("digicert", &["digicert.com"]),
    ("d-trust", &["d-trust.net"]),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::EndpointTemplate;
    use crate::host::{HostPattern, Scheme};

    fn headers(list: &[(&str, &str)]) -> Vec<Header> {
        list.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() }).collect()
    }

    fn target(url: &str) -> Target {
        let url = Url::parse(url).unwrap();
        Target {
            scheme: if url.scheme() == "http" { Scheme::Http } else { Scheme::Https },
            host: HostName::parse(url.host_str().unwrap()).unwrap(),
            port: url.port_or_known_default().unwrap(),
            path: url.path().to_owned(),
        }
    }

    fn stray(from: &str, to: &str) -> Option<String> {
        stray_redirect(&target(from), Author::Anybody, 302, [to.as_bytes()])
    }

    #[test]
    fn redirects_within_the_owners_domains_are_healthy() {
        for (from, to) in [
            ("https://aka.ms/configmgrgateway", "https://www.microsoft.com/"),
            ("http://go.microsoft.com/fwlink/", "https://contentstorage.osi.office.net/sot.cab"),
            ("http://windowsupdate.microsoft.com/", "http://www.update.microsoft.com./windowsupdate/"),
            ("http://download.windowsupdate.com/", "//download.windowsupdate.com:8080/x"),
            ("http://download.windowsupdate.com/", "/elsewhere"),
            ("https://raw.githubusercontent.com/", "https://github.com/"),
            ("http://www.d-trust.net/", "https://d-trust.net/de"),
            ("http://cm-cas.corp.contoso.com:8530/", "https://cm-cas.corp.contoso.com:8531/"),
            ("https://aka.ms/", "https://configmgrbits.azureedge.net/x"),
            ("https://aka.ms/", "https://cmbitsstore.blob.core.windows.net/x"),
            ("https://granitefalls.westus.cloudapp.azure.com/", "https://granitefalls.westus.cloudapp.azure.com/x"),
        ] {
            assert_eq!(stray(from, to), None, "{from} -> {to}");
        }
        assert_eq!(stray_redirect(&target("http://a.windowsupdate.com/"), Author::Anybody, 200, []), None);
    }

    #[test]
    fn redirects_to_somebody_else_are_not() {
        for (from, to, host) in [
            (
                "http://a.windowsupdate.com/",
                "http://filter.corp.example/deny?url=a.windowsupdate.com",
                "filter.corp.example",
            ),
            ("http://a.windowsupdate.com/", "http://10.0.0.1/login", "10.0.0.1"),
            ("http://a.windowsupdate.com/", "http://167772161/login", "10.0.0.1"),
            ("http://a.windowsupdate.com/", "http://[2001:db8::1]/login", "[2001:db8::1]"),
            ("http://a.windowsupdate.com/", "http://filter/deny", "filter"),
            ("http://a.windowsupdate.com/", "//www.microsoft.com@filter.example/", "filter.example"),
            ("https://aka.ms/", "https://notmicrosoft.com/", "notmicrosoft.com"),
            ("https://aka.ms/", "https://microsoft.com.filter.example/", "microsoft.com.filter.example"),
            ("https://aka.ms/", "https://filter.westus.cloudapp.azure.com/", "filter.westus.cloudapp.azure.com"),
            ("http://sup.contoso.co.uk/", "http://filter.example.co.uk/", "filter.example.co.uk"),
        ] {
            assert_eq!(stray(from, to), Some(format!("redirected to {host}")), "{from} -> {to}");
        }
        for (from, to) in [
            ("http://a.windowsupdate.com/", "https://contosofilter.z6.web.core.windows.net/blocked.html"),
            ("http://a.windowsupdate.com/", "https://contoso-blockpage.azurefd.net/denied"),
            ("https://aka.ms/", "https://contoso.azureedge.net/"),
            ("https://aka.ms/", "https://raw.contoso.githubusercontent.com/"),
        ] {
            assert!(stray(from, to).is_some(), "{from} -> {to}");
        }
        // Whom a public certificate names leads where it likes; a site's own host does not.
        let certified = |from: &str, to: &str| stray_redirect(&target(from), Author::Certified, 302, [to.as_bytes()]);
        assert_eq!(certified("https://aka.ms/", "https://contoso.blob.core.windows.net/x"), None);
        assert!(certified("https://cm01.contoso.com/", "https://filter.azurefd.net/").is_some());
        let from = target("http://a.windowsupdate.com/");
        let both = [b"http://www.microsoft.com/".as_slice(), b"http://filter.example/"];
        assert_eq!(stray_redirect(&from, Author::Anybody, 301, both).unwrap(), "redirected to filter.example");
        assert_eq!(stray_redirect(&from, Author::Anybody, 301, []).unwrap(), "redirected to nowhere");
        assert_eq!(
            stray("http://a.windowsupdate.com/", "data:text/html,x").unwrap(),
            "redirected to what is no web address"
        );
    }

    #[test]
    fn an_owner_is_named_elsewhere_than_in_the_name_that_is_blocked() {
        let update = HostName::parse("windowsupdate.microsoft.com").unwrap();
        assert!(!names_owner("your request for http://windowsupdate.microsoft.com/ was stopped", &update));
        assert!(names_owner("<title>microsoft update catalog</title>", &update));
        let lists = HostName::parse("crl3.digicert.com").unwrap();
        assert!(names_owner("(c) digicert, inc.", &lists));
        assert!(!names_owner("crl3.digicert.com: a page as on microsoft windows", &lists));
    }

    #[test]
    fn only_a_title_or_a_line_on_copyright_proves_the_owner() {
        let update = HostName::parse("windowsupdate.microsoft.com").unwrap();
        for page in [
            "<title>network sign-in</title><style>body{font-family:'microsoft yahei',arial}</style><body>please sign in",
            "<title>stopped</title>you asked for a site in the category microsoft updates",
            "<title>stopped</title><a href=\"https://www.microsoft.com/\">copyright notice</a>",
            "<title>stopped</title><script>x='(c) microsoft'</script>",
            "<title>stopped</title><style>(c) microsoft",
            "<title>windowsupdate.microsoft.com is stopped</title>",
            "<title>stopped</title>(c) 2026 contoso, with much text between here and the last word, which is microsoft",
            "<title>stopped</title><img alt='microsoft' src=x",
        ] {
            assert!(!names_owner(page, &update), "{page}");
        }
        for page in [
            "<title lang=en>microsoft update catalog</title>",
            "<title>x</title><footer><b>\u{a9} 2026</b> microsoft corporation</footer>",
            "<p>copyright <a href='x'>microsoft</a>",
        ] {
            assert!(names_owner(page, &update), "{page}");
        }
    }

    #[test]
    fn names_that_may_be_customers_are_the_catalogs_own_where_it_has_them() {
        let ours: std::collections::BTreeSet<String> = crate::catalog::Catalog::embedded()
            .entries
            .iter()
            .filter_map(|entry| match &entry.endpoint {
                EndpointTemplate::Pattern(HostPattern::Exact(host)) => Some(host.to_string()),
                _ => None,
            })
            .filter(|host| SHARED_ZONES.iter().any(|zone| is_below(host, zone)))
            .collect();
        assert_eq!(ours.iter().map(String::as_str).collect::<Vec<_>>(), NAMED);
    }

    #[test]
    fn services_and_content_networks_sign_and_proxies_do_not() {
        for (name, value) in [
            ("x-ms-request-id", "a"),
            ("x-azure-ref", "0"),
            ("msregion", "EMEA"),
            ("server", "ECAcc (frc/8F5B)"),
            ("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"),
            ("x-cache", "TCP_MISS from a1-2-3-4.deploy.akamaitechnologies.com (AkamaiGHost/11)"),
        ] {
            assert!(signed(&headers(&[(name, value)])), "{name}: {value}");
        }
        for (name, value) in [
            ("server", "squid/5.7"),
            ("server", "Microsoft-IIS/10.0"),
            ("x-cache", "MISS from proxy.contoso.com"),
            ("x-ms-request-id", ""),
            ("via", "1.1 proxy.contoso.com (squid)"),
        ] {
            assert!(!signed(&headers(&[(name, value)])), "{name}: {value}");
        }
        assert!(answered(&headers(&[("server", "Microsoft-IIS/10.0")])));
        assert!(!answered(&headers(&[("server", "nginx"), ("via", "1.1 proxy")])));
    }

    proptest! {
        #[test]
        fn no_redirect_panics(location in proptest::collection::vec(any::<u8>(), 0..80), host in "[a-z]{1,3}(\\.[a-z]{1,3}){0,3}") {
            let target = target(&format!("http://{host}x/"));
            let _ = stray_redirect(&target, Author::Anybody, 302, [location.as_slice()]);
            let _ = stray_redirect(&target, Author::Anybody, 302, [format!("http://{host}/").as_bytes()]);
        }
    }
}
