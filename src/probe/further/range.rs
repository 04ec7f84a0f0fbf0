//! Whether a part of a file can be had: BITS and Delivery Optimization load so, and some proxies leave `Range` out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Line;
use crate::plan::Target;
use crate::probe::Failure;
use crate::probe::http::{Answer, Question};

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
    /// There is no file at this path, so it does not show.
    NoFile,
    /// The way failed.
    NotSeen,
}

pub(super) async fn look(line: &Line<'_>) -> RangeLook {
    let question = Question { method: "GET", headers: &[("range", "bytes=0-0")], most: MAX_PART };
    judge(line.ask(&question).await, &line.probe.target)
}

/// What the answer to the question for the first byte means.
pub(in crate::probe) fn judge(answer: Result<Answer, Failure>, target: &Target) -> RangeLook {
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => return RangeLook { answer: Range::NotSeen, detail: failure.detail },
    };
    let named = answer.content_range.as_deref().unwrap_or_default();
    let verdict = match answer.status {
        206 if named.starts_with("bytes 0-0/") => Range::Served,
        200 | 206 => Range::Ignored,
        // An empty file has no first byte, and the answer shows that the range came through.
        416 => Range::Served,
        _ => Range::NoFile,
    };
    let named = if named.is_empty() { String::new() } else { format!(", Content-Range: {named}") };
    RangeLook {
        answer: verdict,
        detail: format!("GET {target} with Range: bytes=0-0: status {}{named}", answer.status),
    }
}

/// Of a whole file, no more is read.
const MAX_PART: usize = 1;
