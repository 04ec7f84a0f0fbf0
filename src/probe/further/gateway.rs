//! Whether the verbs and headers of clients pass on the way to a cloud management gateway.
//!
//! Its documentation names them. The headers carry no signature of anybody, so the gateway itself refuses each request;
//! that it does is the proof that the request came through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::probe::http::{Answer, Question};
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
}

/// Sends a request of each verb. After one that was cut or not answered, the others are still tried: it is about the
/// verb.
pub(super) async fn look(line: &Line<'_>, looks: &mut Vec<VerbLook>) {
    for verb in VERBS {
        let question = Question { method: verb, headers: HEADERS, most: MAX_PAGE };
        looks.push(judge(verb, line.ask(&question).await));
    }
}

/// What the answer to a request with this verb means.
pub(in crate::probe) fn judge(verb: &str, answer: Result<Answer, Failure>) -> VerbLook {
    let (status, stopped) = match answer {
        Err(failure) => (None, Some(failure.detail)),
        Ok(answer) => {
            let mark = block_page::mark_in_head(&answer.headers).or_else(|| block_page::mark_in_body(&answer.body));
            // A device that does not know a verb says so itself.
            let refused = matches!(answer.status, 405 | 501) && !origin::answered(&answer.headers);
            let refused =
                refused.then(|| format!("status {}, and nothing shows that the gateway said so", answer.status));
            (Some(answer.status), mark.or(refused))
        }
    };
    VerbLook { verb: verb.to_owned(), status, stopped: stopped.map(|why| printable(&why, MAX_WORDS)) }
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
