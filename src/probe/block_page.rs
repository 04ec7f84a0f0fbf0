//! Whether an answer is a page that a filter or proxy put in the place of the real one.
//!
//! A table of marks, not a guess: a healthy endpoint may well answer 403 or 404, or with HTML, and content networks
//! have error pages of their own ("Access Denied", "The request is blocked"). So each mark is something that such an
//! answer does not have. Over TLS, no mark means no block page. In clear, a page must also show whose it is.

use super::layer::header;
use super::{Header, HttpEvidence, origin};
use crate::host::HostName;
use crate::text::printable;

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
    let in_title = title(&text).and_then(|title| {
        TITLES.iter().find(|mark| title.contains(**mark)).map(|_| format!("title: {}", printable(title, MAX_TITLE)))
    });
    in_title
        .or_else(|| PHRASES.iter().find(|(mark, _)| text.contains(mark)).map(|(mark, who)| format!("{who}: {mark}")))
}

/// What is doubtful about a page that came in clear, if nothing shows that it is the endpoint's: neither its headers nor
/// what it says of the owner of `host`.
pub(super) fn doubt(seen: &HttpEvidence, body: &[u8], host: &HostName) -> Option<String> {
    let error = seen.status.unwrap_or_default() >= 400;
    let signed = if error { origin::answered(&seen.headers) } else { origin::signed(&seen.headers) };
    let text = plain_text(body);
    if !is_suspicious(seen) || signed || origin::names_owner(&text, host) {
        return None;
    }
    Some(match title(&text) {
        Some(title) => {
            format!("a page that nothing shows to be the endpoint's, title: {}", printable(title, MAX_TITLE))
        }
        None => "a page without a title that nothing shows to be the endpoint's".to_owned(),
    })
}

/// Whether the body is worth a look: HTML where a filter would put its page.
pub(super) fn is_suspicious(seen: &HttpEvidence) -> bool {
    is_html(&seen.headers) && matches!(seen.status.unwrap_or_default(), 200..=203 | 205..=299 | 403 | 500 | 503 | 504)
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

fn title(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<title")?;
    let (title, _) = rest.split_once('>')?.1.split_once("</title")?;
    Some(title.trim())
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
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(list: &[(&str, &str)]) -> Vec<Header> {
        list.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() }).collect()
    }

    fn answer(status: u16, list: &[(&str, &str)]) -> HttpEvidence {
        HttpEvidence {
            method: "HEAD".into(),
            status: Some(status),
            headers: headers(list),
            redirect: None,
            block_page: None,
        }
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

    #[test]
    fn a_page_in_clear_shows_whose_it_is() {
        const STOPPED: &str = "<title>Your request was stopped</title> http://windowsupdate.microsoft.com/ by Example";
        let host = HostName::parse("windowsupdate.microsoft.com").unwrap();
        let doubt = |status, headers: &[_], page: &str| doubt(&answer(status, headers), page.as_bytes(), &host);
        let words = "a page that nothing shows to be the endpoint's, title: your request was stopped";
        assert_eq!(doubt(200, &[], STOPPED).unwrap(), words);
        assert_eq!(doubt(403, &[("server", "nginx")], STOPPED).unwrap(), words);
        assert_eq!(doubt(200, &[("server", "Microsoft-IIS/10.0")], STOPPED).unwrap(), words);
        assert!(doubt(200, &[], "").unwrap().contains("without a title"));
        assert_eq!(doubt(200, &[], "<title>Microsoft Update Catalog</title>"), None);
        assert_eq!(doubt(200, &[("x-azure-ref", "0")], STOPPED), None);
        assert_eq!(doubt(403, &[("server", "Microsoft-IIS/10.0")], "<title>403 - Forbidden</title>"), None);
        assert_eq!(doubt(403, &[("server", "AkamaiGHost")], "<title>Access Denied</title>"), None);
        assert_eq!(doubt(200, &[("content-type", "application/octet-stream")], ""), None);
    }

    proptest! {
        #[test]
        fn no_page_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = mark_in_body(&bytes);
            let _ = mark_in_body(&[b"<title>".as_slice(), &bytes, b"</title>blocked"].concat());
        }
    }
}
