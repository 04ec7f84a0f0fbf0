//! Whether the verbs and headers of clients pass on the way to a cloud management gateway.
//!
//! Its documentation names them. The headers carry no signature of anybody, so the gateway itself refuses each request;
//! that it does is the proof that the request came through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::plan::Target;
use crate::probe::http::{Answer, NOT_REACHED, Question};
use crate::probe::{Failure, block_page, origin};
use crate::text::printable;

/// What became of a request with one verb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerbLook {
    /// Such as `CCM_POST`.
    pub verb: String,
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it did not get through, as far as it shows; `None` if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Why it does not show whether it got through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// Sends a request of each verb. After one that was cut or not answered, the others are still tried: it is about the
/// verb.
pub(super) async fn look(line: &Line<'_>, looks: &mut Vec<VerbLook>) {
    for verb in VERBS {
        let question = Question { method: verb, headers: HEADERS, most: MAX_PAGE };
        looks.push(judge(verb, line.ask(&question).await, &line.probe.target));
    }
}

/// What the answer to a request with this verb means.
pub(in crate::probe) fn judge(verb: &str, answer: Result<Answer, Failure>, target: &Target) -> VerbLook {
    let (status, stopped, doubt) = match answer {
        Err(failure) => (None, Some(failure.detail), None),
        Ok(answer) => {
            let status = answer.status;
            let mark = block_page::mark_in(&answer, target).map(|mark| format!("status {status}, {mark}"));
            let unshown = !origin::answered(&answer.headers);
            let words = || format!("status {status}, and nothing shows that the gateway said so");
            // A device that does not know a verb says so itself, and one that cannot pass it on.
            let refused = NOT_REACHED.contains(&status) || (matches!(status, 405 | 501) && unshown);
            let stopped = mark.or_else(|| refused.then(words));
            let doubt = (stopped.is_none() && unshown).then(words);
            (Some(status), stopped, doubt)
        }
    };
    let words = |why: String| printable(&why, MAX_WORDS);
    VerbLook { verb: verb.to_owned(), status, stopped: stopped.map(words), doubt: doubt.map(words) }
}

pub(crate) const VERBS: [&str; 5] = ["HEAD", "GET", "CCM_POST", "BITS_POST", "PROPFIND"];
/// Without meaning: only whether they pass counts.
const HEADERS: &[(&str, &str)] = &[
    ("range", "bytes=0-0"),
    ("ccmclientid", "cmcomply"),
    ("ccmclientidsignature", "none"),
    ("ccmclienttimestamp", "none"),
    ("ccmclienttimestampssignature", "none"),
];
const MAX_PAGE: usize = 16 * 1024;
const MAX_WORDS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{HostName, Scheme};
    use crate::probe::Header;

    const ITS_OWN: &[(&str, &str)] = &[("server", "Microsoft-HTTPAPI/2.0")];

    #[test]
    fn only_an_answer_of_the_gateway_shows_that_a_verb_passed() {
        let host = HostName::parse("cmg.contoso.com").unwrap();
        let target = Target { scheme: Scheme::Https, host, port: 443, path: "/".into() };
        let of = |status, headers: &[(&str, &str)], body: &str| {
            let headers = headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() });
            let answer = Answer { status, headers: headers.collect(), content_range: None, body: body.into() };
            let look = judge("CCM_POST", Ok(answer), &target);
            (look.stopped.is_some(), look.doubt.is_some())
        };
        for status in [200, 400, 401, 403, 404, 405, 500, 501, 503] {
            assert_eq!(of(status, ITS_OWN, ""), (false, false), "{status}");
        }
        for status in [407, 451, 470, 502] {
            assert_eq!(of(status, ITS_OWN, ""), (true, false), "{status}");
        }
        assert_eq!(of(405, &[("server", "nginx")], ""), (true, false));
        assert_eq!(of(302, &[("location", "http://filter.example/deny")], ""), (true, false));
        assert_eq!(of(400, &[("server", "F5")], "<title>Request Rejected</title>Your support ID is: 1"), (true, false));
        for status in [200, 302, 400, 403, 404, 500] {
            assert_eq!(of(status, &[("server", "cloudflare")], ""), (false, true), "{status}");
        }
    }
}
