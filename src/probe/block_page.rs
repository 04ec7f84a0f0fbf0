//! Whether an answer is a page that a filter or proxy put in the place of the real one.
//!
//! A table of marks, not a guess: a healthy endpoint may well answer 403 or 404, or with HTML, and content networks
//! have error pages of their own ("Access Denied", "The request is blocked"). So each mark is something that such an
//! answer does not have. Where the certificate tells who answered, no mark means no block page. Where anybody on the way can
//! have answered, the answer must also show whose it is.

use super::author::Author;
use super::http::Answer;
use super::layer::header;
use super::{Header, HttpEvidence, Redirect, origin};
use crate::plan::Target;
use crate::text::printable;

/// What in the answer to a further question says that it is a block page or another of a filter.
pub(super) fn mark_in(answer: &Answer, target: &Target) -> Option<String> {
    let Answer { status, headers, body, .. } = answer;
    let location = header(headers, "location").map(str::as_bytes);
    mark_in_status(*status)
        .or_else(|| mark_in_head(headers))
        .or_else(|| origin::stray_redirect(target, Author::Certified, *status, location))
        .or_else(|| mark_in_body(body))
}

/// What in the head of the answer says that it is a block page.
pub(super) fn mark_in_head(headers: &[Header]) -> Option<String> {
    HEADERS.iter().find_map(|(name, begins, who)| {
        let value = header(headers, name)?;
        value.to_ascii_lowercase().contains(begins).then(|| format!("{who} (header {name}: {value})"))
    })
}

/// What in the HTML says that it is a block page.
pub(super) fn mark_in_body(body: &[u8]) -> Option<String> {
    let text = plain_text(body);
    let in_title = origin::title(&text).and_then(|title| {
        TITLES.iter().find(|mark| title.contains(**mark)).map(|_| format!("title: {}", printable(title, MAX_TITLE)))
    });
    in_title
        .or_else(|| PHRASES.iter().find(|(mark, _)| text.contains(mark)).map(|(mark, who)| format!("{who}: {mark}")))
}

/// What says so in a status: one that only a firewall sends.
pub(super) fn mark_in_status(status: u16) -> Option<String> {
    (status == 470).then(|| "Azure Firewall denies it (status 470)".to_owned())
}

/// What is doubtful about an answer that anybody on the way can have written, if nothing shows that it is the endpoint's:
/// neither its head nor what it says of the owner of the host.
pub(super) fn doubt(target: &Target, author: Author, seen: &HttpEvidence, body: &[u8]) -> Option<String> {
    let text = plain_text(body);
    if author.is_shown(target, seen) || leads_on(target, seen) {
        return None;
    }
    if !is_html(&seen.headers) || seen.redirect.is_some() {
        let who = ["server", "via"].iter().find_map(|name| Some((name, header(&seen.headers, name)?)));
        let who = who.map(|(name, value)| format!(" ({name}: {value})")).unwrap_or_default();
        return Some(format!("an answer that nothing shows to be the endpoint's{who}"));
    }
    if origin::names_owner(&text, &target.host) {
        return None;
    }
    Some(match origin::title(&text) {
        Some(title) => {
            format!("a page that nothing shows to be the endpoint's, title: {}", printable(title, MAX_TITLE))
        }
        None => "a page without a title that nothing shows to be the endpoint's".to_owned(),
    })
}

/// A redirect to another endpoint of the owner's ([`origin::stray_redirect`] is another's). One to the same endpoint may be
/// that of a portal.
fn leads_on(target: &Target, seen: &HttpEvidence) -> bool {
    let same = |to: &Target| (to.scheme, &to.host, to.port) == (target.scheme, &target.host, target.port);
    matches!(&seen.redirect, Some(Redirect::To(to)) if !same(to))
}

/// Whether the body is worth a look: HTML where a filter would put its page.
pub(super) fn is_suspicious(seen: &HttpEvidence) -> bool {
    is_html(&seen.headers) && matches!(seen.status.unwrap_or_default(), 200..=203 | 205..=299 | 403 | 500 | 503 | 504)
}

/// Whether the content is such as people read.
pub(super) fn is_text(headers: &[Header]) -> bool {
    is_html(headers)
        || header(headers, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/"))
}

/// Whether the content is HTML, or of a kind that is not said.
pub(super) fn is_html(headers: &[Header]) -> bool {
    header(headers, "content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("html"))
}

/// In lower case, and one space between words, so that a line break in a page does not hide a phrase.
fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const MAX_TITLE: usize = 120;

/// Headers of filters and proxies: name, what the value contains, who it is. `Location` also stands for sign-on and
/// captive portals.
const HEADERS: &[(&str, &str, &str)] = &[
    ("x-squid-error", "", "an error page of a Squid proxy"),
    ("x-blocked-by", "", "a filter that names itself"),
    ("server", "zscaler", "a page of Zscaler"),
    ("location", "gateway.zs", "a redirect to Zscaler"),
    ("location", ".opendns.com", "a redirect to Cisco Umbrella"),
    ("location", "fgtauth", "a redirect to a FortiGate portal"),
    ("location", "/php/uid.php", "a redirect to a Palo Alto Networks portal"),
    ("location", "blockpage", "a redirect to a block page"),
    ("location", "block-page", "a redirect to a block page"),
    ("location", "captiveportal", "a redirect to a captive portal"),
    ("location", "captive-portal", "a redirect to a captive portal"),
];

/// Words of titles, in lower case.
const TITLES: &[&str] = &[
    "access blocked",
    "internet security by zscaler",
    "page blocked",
    "policy: url filtering",
    "site blocked",
    "url blocked",
    "web filter",
];

/// Phrases of the default pages, in lower case, and whose they are.
const PHRASES: &[(&str, &str)] = &[
    ("access control configuration prevents your request from being allowed", "Squid"),
    ("has been blocked in accordance with company policy", "Palo Alto Networks"),
    ("based on your organization's access policies", "Cisco Secure Web Appliance"),
    ("block.opendns.com", "Cisco Umbrella"),
    ("fortiguard", "FortiGate"),
    ("blockpage.cgi", "Forcepoint"),
    ("mcafee web gateway", "Skyhigh (McAfee) Web Gateway"),
    ("(policy_denied)", "Symantec (Blue Coat) ProxySG"),
    ("(content_filter_denied)", "Symantec (Blue Coat) ProxySG"),
    ("zscaler to protect you from internet threats", "Zscaler"),
    ("has been blocked by the network administrator", "SonicWall or pfBlockerNG"),
    ("blocked by your organization", "a filter"),
    ("blocked by your administrator", "a filter"),
    ("blocked by your network administrator", "a filter"),
    ("action: deny. ", "Azure Firewall"),
    ("your support id is", "F5 BIG-IP"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::doubt as doubt_of;
    use super::*;
    use crate::host::{HostName, Scheme};

    fn headers(list: &[(&str, &str)]) -> Vec<Header> {
        list.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() }).collect()
    }

    fn answer(status: u16, list: &[(&str, &str)]) -> HttpEvidence {
        HttpEvidence { method: "HEAD".into(), status: Some(status), headers: headers(list), ..HttpEvidence::default() }
    }

    #[test]
    fn filters_are_known_by_their_headers() {
        let squid = headers(&[("x-squid-error", "ERR_ACCESS_DENIED 0")]);
        assert_eq!(
            mark_in_head(&squid).unwrap(),
            "an error page of a Squid proxy (header x-squid-error: ERR_ACCESS_DENIED 0)"
        );
        assert!(mark_in_head(&headers(&[("server", "Zscaler/6.2")])).is_some());
        assert!(mark_in_head(&headers(&[("location", "http://10.0.0.1:1000/fgtauth?abc")])).is_some());
    }

    #[test]
    fn filters_are_known_by_their_pages() {
        let mark = |html: &str| mark_in_body(html.as_bytes());
        assert_eq!(mark("<TITLE lang=en> Web  Page\nBlocked </TITLE>").unwrap(), "title: web page blocked");
        assert!(
            mark("<p>The page has been blocked\n in accordance with company policy.").unwrap().contains("Palo Alto")
        );
        assert!(mark("<title>Hello</title><b>Powered by FortiGuard</b>").is_some());
    }

    #[test]
    fn healthy_answers_are_no_block_pages() {
        let blob = answer(
            400,
            &[("server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"), ("content-type", "application/xml")],
        );
        assert!(mark_in_head(&blob.headers).is_none() && !is_suspicious(&blob));
        let not_found = answer(404, &[("server", "Microsoft-IIS/10.0"), ("content-type", "text/html")]);
        assert!(!is_suspicious(&not_found));
        let denied = answer(403, &[("server", "AkamaiGHost"), ("content-type", "text/html"), ("x-cache", "TCP_MISS")]);
        assert!(mark_in_head(&denied.headers).is_none());
        for page in [
            "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1>You don't have permission",
            "<html><head><title>403 - Forbidden: Access is denied.</title>",
            "<h2>Our services aren't available right now</h2>",
            "The request is blocked.",
            "<title>Microsoft – AI, Cloud, Productivity, Computing, Gaming &amp; Apps</title>",
            "<title>Microsoft Entra</title> Configure Conditional Access to block access",
            "",
        ] {
            assert_eq!(mark_in_body(page.as_bytes()), None, "{page}");
        }
        let redirect = headers(&[("location", "https://learn.microsoft.com/mem/configmgr?from=fwlink")]);
        assert!(mark_in_head(&redirect).is_none());
    }

    #[test]
    fn only_html_in_the_place_of_an_answer_is_worth_a_look() {
        assert!(is_suspicious(&answer(403, &[("content-type", "text/html; charset=utf-8")])));
        assert!(is_suspicious(&answer(200, &[("content-type", "Text/HTML")])));
        assert!(is_suspicious(&answer(200, &[])));
        assert!(!is_suspicious(&answer(200, &[("content-type", "application/octet-stream")])));
        assert!(!is_suspicious(&answer(204, &[])));
        assert!(!is_suspicious(&answer(302, &[])));
    }

    fn target() -> Target {
        let host = HostName::parse("windowsupdate.microsoft.com").unwrap();
        Target { scheme: Scheme::Http, host, port: 80, path: "/".into() }
    }

    #[test]
    fn a_page_in_clear_shows_whose_it_is() {
        const STOPPED: &str = "<title>Your request was stopped</title> http://windowsupdate.microsoft.com/ by Example";
        let doubt = |status, headers: &[_], page: &str| {
            doubt_of(&target(), Author::Anybody, &answer(status, headers), page.as_bytes())
        };
        let words = "a page that nothing shows to be the endpoint's, title: your request was stopped";
        for status in [200, 204, 300, 400, 401, 403, 404, 429, 500, 503, 600, 999] {
            assert_eq!(doubt(status, &[], STOPPED).unwrap(), words, "{status}");
        }
        assert_eq!(doubt(403, &[("server", "nginx")], STOPPED).unwrap(), words);
        assert_eq!(doubt(200, &[("server", "Microsoft-IIS/10.0")], STOPPED).unwrap(), words);
        assert!(doubt(200, &[], "").unwrap().contains("without a title"));
        for kind in ["text/plain", "application/octet-stream"] {
            let words = doubt(200, &[("content-type", kind), ("server", "nginx")], "Microsoft").unwrap();
            assert_eq!(words, "an answer that nothing shows to be the endpoint's (server: nginx)");
            assert!(doubt(403, &[("content-type", kind)], "").is_some());
            assert_eq!(doubt(200, &[("content-type", kind), ("x-cid", "2")], ""), None);
        }
        assert_eq!(doubt(200, &[], "<title>Microsoft Update Catalog</title>"), None);
        assert_eq!(doubt(200, &[("x-azure-ref", "0")], STOPPED), None);
        assert_eq!(doubt(403, &[("server", "Microsoft-IIS/10.0")], "<title>403 - Forbidden</title>"), None);
        assert_eq!(doubt(404, &[("server", "Microsoft-HTTPAPI/2.0")], "<title>Not Found</title>"), None);
        assert_eq!(doubt(403, &[("server", "AkamaiGHost")], "<title>Access Denied</title>"), None);
        let certified = doubt_of(&target(), Author::Certified, &answer(403, &[]), STOPPED.as_bytes());
        assert_eq!(certified, None);
    }

    #[test]
    fn a_redirect_to_the_same_endpoint_shows_whose_it_is() {
        let doubt = |to: &str, headers: &[_]| {
            let redirect = Redirect::read(&target(), 302, Some(to.as_bytes()));
            doubt_of(&target(), Author::Anybody, &HttpEvidence { redirect, ..answer(302, headers) }, b"")
        };
        for to in
            ["/guest/login?u=1", "http://windowsupdate.microsoft.com/?auth=1", "//windowsupdate.microsoft.com:80/"]
        {
            assert!(doubt(to, &[("server", "Contoso-Portal")]).unwrap().contains("Contoso-Portal"), "{to}");
            assert_eq!(doubt(to, &[("server", "Microsoft-IIS/10.0")]), None, "{to}");
        }
        for to in ["https://windowsupdate.microsoft.com/", "http://www.update.microsoft.com/"] {
            assert_eq!(doubt(to, &[]), None, "{to}");
        }
    }

    #[test]
    fn azure_firewall_is_known_by_its_status_and_its_words() {
        assert!(mark_in_status(470).unwrap().contains("Azure Firewall") && mark_in_status(404).is_none());
        let words =
            b"HTTP request from 10.0.0.4:1 to a:80. Action: Deny. Reason: No rule matched. Proceeding with default.";
        assert!(mark_in_body(words).unwrap().contains("Azure Firewall"));
    }

    proptest! {
        #[test]
        fn no_page_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = mark_in_body(&bytes);
            let _ = mark_in_body(&[b"<title>".as_slice(), &bytes, b"</title>blocked"].concat());
        }
    }
}
