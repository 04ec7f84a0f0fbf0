//! The revocation lists in the table: a line where all are well, else what is wrong with which.

use super::table::line;
use crate::probe::{Outcome, RevocationList};

/// Nothing where no certificate names a list.
pub(super) fn section(lists: &[RevocationList], width: usize, out: &mut String) {
    let wrong: Vec<_> = lists.iter().filter(|list| !list.is_current()).collect();
    match (lists.len(), wrong.len()) {
        (0, _) => return,
        (1, 0) => line(&format!("{TITLE}: 1, fetched and current"), width, out),
        (all, 0) => line(&format!("{TITLE}: {all}, all fetched and current"), width, out),
        (all, wrong) => {
            line(&format!("{TITLE}: {} of {all} fetched and current; this decides nothing", all - wrong), width, out);
        }
    }
    for list in wrong.iter().take(MAX_SHOWN) {
        line(&format!("  {}: {}", list.url, what_is_wrong(list)), width, out);
    }
    if wrong.len() > MAX_SHOWN {
        line(&format!("  and {} more in the record", wrong.len() - MAX_SHOWN), width, out);
    }
    out.push('\n');
}

pub(super) fn what_is_wrong(list: &RevocationList) -> String {
    if let Some(why) = &list.not_fetched {
        return format!("not fetched ({why})");
    }
    match (list.fetch.outcome, &list.fetch.failure) {
        (Outcome::Cancelled, _) => "not fetched (interrupted)".to_owned(),
        (_, Some(failure)) => {
            let detail = failure.detail.strip_prefix("GET ").unwrap_or(&failure.detail);
            let what = detail.strip_prefix(list.url.as_str()).and_then(|rest| rest.strip_prefix(": "));
            what.unwrap_or(&failure.detail).to_owned()
        }
        _ => "not fetched".to_owned(),
    }
}

const TITLE: &str = "Revocation lists, responders and issuers that the served certificates name";
const MAX_SHOWN: usize = 20;
