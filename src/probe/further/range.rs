//! Whether a part of a file can be had: BITS and Delivery Optimization load so, and some proxies leave `Range` out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::plan::Target;
use crate::probe::http::{Answer, NOT_REACHED, Question};
use crate::probe::{Failure, FailureCode, block_page};
use crate::text::printable;

/// What came of asking for the first byte of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RangeLook {
    /// What it means.
    pub answer: Range,
    /// What exactly was seen. Safe to print.
    pub detail: String,
}

/// Whether parts of files can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// The part came (206).
    Served,
    /// The whole came (200): the server, or something on the way, ignores the range.
    Ignored,
    /// There is no file at this path (404 or 410), or an empty one, so it does not show.
    NoFile,
    /// The question was denied, by another status.
    Denied,
    /// The question was cut, not answered, or answered by a filter or a proxy, where the probe itself got through.
    Stopped,
    /// It could not be asked.
    NotSeen,
}

pub(super) async fn look(line: &Line<'_>) -> RangeLook {
    let question = Question { method: "GET", headers: &[("range", "bytes=0-0")], most: MAX_PAGE };
    judge(line.ask(&question).await, &line.probe.target)
}

/// What the answer to the question for the first byte means.
pub(in crate::probe) fn judge(answer: Result<Answer, Failure>, target: &Target) -> RangeLook {
    let answer = match answer {
        Ok(answer) => answer,
        Err(Failure { code: FailureCode::Internal, detail }) => return RangeLook { answer: Range::NotSeen, detail },
        Err(failure) => return RangeLook { answer: Range::Stopped, detail: failure.detail },
    };
    let mark = block_page::mark_in(&answer, target);
    let named = answer.content_range.as_deref().unwrap_or_default();
    let verdict = match answer.status {
        _ if mark.is_some() => Range::Stopped,
        206 if named.starts_with("bytes 0-0/") => Range::Served,
        200 | 206 => Range::Ignored,
        404 | 410 => Range::NoFile,
        416 if named == "bytes */0" => Range::NoFile,
        status if NOT_REACHED.contains(&status) => Range::Stopped,
        _ => Range::Denied,
    };
    let named = if named.is_empty() { String::new() } else { format!(", Content-Range: {named}") };
    let mark = mark.map(|mark| format!(", {mark}")).unwrap_or_default();
    let detail = format!("GET {target} with Range: bytes=0-0: status {}{named}{mark}", answer.status);
    RangeLook { answer: verdict, detail: printable(&detail, MAX_DETAIL) }
}

/// Of a whole file, or of a page in its place, no more is kept.
const MAX_PAGE: usize = 16 * 1024;
const MAX_DETAIL: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{HostName, Scheme};

    #[test]
    fn only_a_missing_file_is_no_file() {
        let host = HostName::parse("2.dl.delivery.mp.microsoft.com").unwrap();
        let target = Target { scheme: Scheme::Https, host, port: 443, path: "/f".into() };
        let of = |status, named: Option<&str>, body: &str| {
            let content_range = named.map(str::to_owned);
            let answer = Answer { status, headers: Vec::new(), content_range, body: body.into() };
            judge(Ok(answer), &target).answer
        };
        assert_eq!(of(206, Some("bytes 0-0/1000"), ""), Range::Served);
        assert_eq!(of(206, None, ""), Range::Ignored);
        assert_eq!(of(200, None, ""), Range::Ignored);
        for status in [404, 410] {
            assert_eq!(of(status, None, ""), Range::NoFile, "{status}");
        }
        assert_eq!(of(416, Some("bytes */0"), ""), Range::NoFile);
        for status in [400, 401, 403, 416, 429, 500, 503, 302] {
            assert_eq!(of(status, None, ""), Range::Denied, "{status}");
        }
        for status in [407, 408, 451, 470, 502, 511] {
            assert_eq!(of(status, None, ""), Range::Stopped, "{status}");
        }
        assert_eq!(of(404, None, "<title>Access blocked</title>"), Range::Stopped);
        let failed = |code| judge(Err(Failure::new(code, "x")), &target).answer;
        assert_eq!(failed(FailureCode::HttpReset), Range::Stopped);
        assert_eq!(failed(FailureCode::HttpTimeout), Range::Stopped);
        assert_eq!(failed(FailureCode::Internal), Range::NotSeen);
    }
}
