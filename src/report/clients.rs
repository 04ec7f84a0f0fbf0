//! What clients said, by group and endpoint.

use super::Listing;
use crate::assess::code_name;
use crate::vantage::run_script::{ClientCounts, ClientGroup, Clients, Silence};

/// A line for each group, and one for each endpoint that somebody of it did not plainly reach.
pub fn clients(clients: &Clients) -> Listing<8> {
    let mut rows = Vec::new();
    for group in &clients.groups {
        let named = || if group.group.is_empty() { "(no group)".to_owned() } else { group.group.clone() };
        let silent = group.clients - group.answered;
        let every = |seen: &ClientCounts| seen.reached == group.answered;
        let good = group.endpoints.iter().filter(|seen| every(seen)).count();
        rows.push([
            named(),
            group.answered.to_string(),
            match group.answered {
                0 => "nobody answered".to_owned(),
                _ => format!("{good} of {} reached by all that answered", group.endpoints.len()),
            },
            String::new(),
            String::new(),
            String::new(),
            silent.to_string(),
            silence(group),
        ]);
        for (probe, seen) in clients.probes.iter().zip(&group.endpoints).filter(|(_, seen)| !every(seen)) {
            let other = seen.other_root + seen.other_root_page;
            let doubtful = seen.page + seen.other_root_page + seen.not_seen;
            let mut why: Vec<String> =
                seen.failed.iter().map(|(code, count)| format!("{} {count}", code_name(*code))).collect();
            for (count, what) in [
                (other, "another root"),
                (seen.page + seen.other_root_page, "a page"),
                (seen.not_seen, "not looked at"),
            ] {
                if count > 0 {
                    why.push(format!("{what} {count}"));
                }
            }
            rows.push([
                named(),
                group.answered.to_string(),
                probe.to_string(),
                (seen.reached + seen.other_root).to_string(),
                seen.failures().to_string(),
                doubtful.to_string(),
                silent.to_string(),
                why.join(", "),
            ]);
        }
    }
    Listing { columns: ["group", "answered", "endpoint", "reached", "failed", "cannot tell", "silent", "why"], rows }
}

/// All groups in a few lines.
pub fn clients_summary(clients: &Clients) -> String {
    let (all, answered) = (clients.clients(), clients.answered());
    let silent: Vec<String> = clients.silent().iter().map(|(why, count)| format!("{}: {count}", why.title())).collect();
    let silent = if silent.is_empty() { String::new() } else { format!("  {}\n", silent.join(", ")) };
    let read = &clients.object;
    let accounts = match clients.not_as_system {
        0 => String::new(),
        count => format!("  {count} did not run the script as SYSTEM\n"),
    };
    format!("\n{answered} of {all} clients answered (from {read})\n{silent}{accounts}")
}

fn silence(group: &ClientGroup) -> String {
    let one = |(why, count): (&Silence, &u64)| format!("{} {count}", why.title());
    group.silent.iter().map(one).collect::<Vec<_>>().join(", ")
}
