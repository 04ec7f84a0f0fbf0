//! What many clients said themselves, as a verdict for each requirement of clients.
//!
//! A failure that any client saw counts. A pass takes every client that the site knows: of those that did not answer
//! nothing is known, and a part of them never stands for all.

use std::collections::BTreeMap;

use super::Case;
use super::cause::{Words, code_name, for_host, in_product, of_code};
use super::verdict::{Cause, Verdict};
use crate::catalog::Inspection;
use crate::derive::Proof;
use crate::host::HostName;
use crate::plan::Probe;
use crate::probe::{FailureCode, Observation, StageName, publicly_certified};
use crate::vantage::run_script::{ClientCounts, Clients, stage_of};

/// A requirement of clients, and what they said.
pub(super) struct ByClients<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) clients: &'a Clients,
}

/// Groups that are named in a detail.
const MOST_GROUPS: usize = 5;

/// Why an endpoint is not as it should be for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Failed(FailureCode),
    /// TLS that is inspected where that is not supported.
    Inspected,
}

impl Why {
    fn code(self) -> String {
        match self {
            Self::Failed(code) => code_name(code),
            Self::Inspected => "tls-inspected".to_owned(),
        }
    }

    fn stage(self) -> Option<StageName> {
        match self {
            Self::Failed(code) => stage_of(code),
            Self::Inspected => Some(StageName::Trust),
        }
    }
}

impl ByClients<'_> {
    /// The rules, first match first.
    pub(super) fn verdict(&self) -> (Verdict, Option<Cause>) {
        let (clients, all, answered) = (self.clients, self.clients.clients(), self.clients.answered());
        let said = |code, what: &str| {
            let words = Words::default().with("from", "any client").with("at", "clients").with("what", what);
            (Verdict::NotObserved, Some(of_code(code, &words)))
        };
        if answered == 0 {
            return said("clients-silent", &format!("none of {all} clients answered{}", self.why_silent()));
        }
        for look in self.case.looks {
            let Some(seen) = clients.seen(&look.probe.id) else {
                return said("clients-untold", "nobody was asked for it");
            };
            if let Some(cause) = self.failure(look.probe, &seen) {
                return (Verdict::Fail, Some(cause));
            }
        }
        if let Some(what) = self.not_asked() {
            return said("clients-untold", &what);
        }
        let untold: u64 = self.each().map(|(_, seen, wrong)| untold(&seen, wrong)).max().unwrap_or(0);
        if untold > 0 {
            let what = format!(
                "of {answered} clients that answered {untold} could not tell: a page may be that of a filter, or it was not \
                 looked at in time"
            );
            return said("clients-untold", &what);
        }
        if !clients.is_whole() {
            let what = format!(
                "reached by all {answered} clients that answered; {} of {all} did not answer{}",
                all - answered,
                self.why_silent()
            );
            return said("clients-silent", &what);
        }
        if let Proof::Related { hosts, evidence } = &self.case.requirement.proof {
            let names: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
            let what = format!("reached {}, which does not prove the wildcard: {evidence}", names.join(", "));
            return said("not-testable", &what);
        }
        (Verdict::Pass, None)
    }

    /// What else limits the verdict.
    pub(super) fn notes(&self) -> Vec<String> {
        let clients = self.clients;
        let mut notes = vec![format!("{} of {} clients answered", clients.answered(), clients.clients())];
        for (probe, seen, _) in self.each() {
            let inspected = seen.other_root + seen.other_root_page;
            if inspected > 0 && publicly_certified(&probe.target.host) && !self.is_inspection_wrong() {
                let host = &probe.target.host;
                notes.push(format!(
                    "{host}: TLS is inspected on the way of {inspected} clients; the documentation does not rule that out here"
                ));
            }
        }
        if self.case.looks.iter().any(|look| look.probe.asks.tls.is_some()) {
            notes.push("which of the documented cipher suites are taken was not tried".to_owned());
        }
        notes
    }

    /// Each probe with what all clients saw, and whether another root is a failure there.
    fn each(&self) -> impl Iterator<Item = (&Probe, ClientCounts, bool)> {
        self.case.looks.iter().filter_map(|look| {
            let seen = self.clients.seen(&look.probe.id)?;
            Some((look.probe, seen, self.is_inspection_wrong() && publicly_certified(&look.probe.target.host)))
        })
    }

    fn is_inspection_wrong(&self) -> bool {
        self.case.requirement.inspection == Inspection::Unsupported
    }

    /// Every reason that clients have, with how many.
    fn reasons(&self, probe: &Probe, seen: &ClientCounts) -> BTreeMap<Why, u64> {
        let mut reasons: BTreeMap<Why, u64> =
            seen.failed.iter().map(|(code, count)| (Why::Failed(*code), *count)).collect();
        let inspected = seen.other_root + seen.other_root_page;
        if inspected > 0 && self.is_inspection_wrong() && publicly_certified(&probe.target.host) {
            reasons.insert(Why::Inspected, inspected);
        }
        reasons
    }

    /// The most frequent reason names the cause; the detail has all of them, and the groups.
    fn failure(&self, probe: &Probe, seen: &ClientCounts) -> Option<Cause> {
        let reasons = self.reasons(probe, seen);
        let (why, _) = reasons.iter().max_by_key(|(_, count)| **count)?;
        let blank = Observation::not_tried(probe.id.clone(), self.clients.collected);
        let words = Words::of(probe, &blank, "any client", "clients").with("issuer", "an authority that is not public");
        let cause = of_code(&why.code(), &words);
        let each: Vec<String> = reasons.iter().map(|(why, count)| format!("{} {count}", why.code())).collect();
        let failed: u64 = reasons.values().sum();
        let mut detail = format!("{failed} of {} clients that answered: {}", self.clients.answered(), each.join(", "));
        let mut groups: Vec<(u64, String)> = self
            .clients
            .by_group(&probe.id)
            .filter_map(|(group, seen)| {
                let failed: u64 = self.reasons(probe, seen).values().sum();
                let name = if group.group.is_empty() { "no group" } else { &group.group };
                (failed > 0).then(|| (failed, format!("{name} {failed} of {}", group.answered)))
            })
            .collect();
        groups.sort_by(|a, b| b.cmp(a));
        let more = groups.len().saturating_sub(MOST_GROUPS);
        let named: Vec<String> = groups.into_iter().take(MOST_GROUPS).map(|(_, text)| text).collect();
        detail = format!("{detail}; by group: {}", named.join(", "));
        if more > 0 {
            detail = format!("{detail} and {more} more groups");
        }
        Some(Cause {
            stage: why.stage(),
            text: for_host(self.case.requirement, probe, &cause.text),
            detail: Some(detail),
            in_product: in_product(self.case.requirement),
            ..cause
        })
    }

    /// What is asked besides the layers, of which the answer of a client has nothing.
    fn not_asked(&self) -> Option<String> {
        let path = self.case.requirement.path.is_some();
        let missing: Vec<&str> = self
            .case
            .looks
            .iter()
            .flat_map(|look| {
                let asks = &look.probe.asks;
                [
                    (asks.content.is_some(), "whether the document is what it should be"),
                    (asks.byte_range && path, "whether parts of files can be had"),
                    (asks.redirects && path, "where redirects lead"),
                    (asks.gateway, "whether the verbs of clients pass"),
                ]
            })
            .filter_map(|(asked, what)| asked.then_some(what))
            .collect();
        let first = missing.first()?;
        let answered = self.clients.answered();
        Some(format!("reached by the {answered} clients that answered, and their answers do not say {first}"))
    }

    /// ` (no result 12, the script failed 3)`
    fn why_silent(&self) -> String {
        let each: Vec<String> =
            self.clients.silent().iter().map(|(why, count)| format!("{} {count}", why.title())).collect();
        if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) }
    }
}

/// How many clients can say neither that they reached it nor that they did not. Where inspection is wrong, those with
/// another root have failed.
fn untold(seen: &ClientCounts, inspection_wrong: bool) -> u64 {
    let pages = if inspection_wrong { 0 } else { seen.other_root_page };
    seen.page + seen.not_seen + pages
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::super::{Judgement, View, Witness, judge, tests::requirement};
    use super::*;
    use crate::derive::{Requirement, Subject};
    use crate::plan::{self, Asks, PlanBounds, PlanDocument};
    use crate::site::{ScriptId, ScriptOutput, ScriptResult, ScriptSource};
    use crate::vantage::EvidenceGrade;
    use crate::vantage::run_script::{ClientTally, line};

    const AT: &str = "2026-11-25T18:00:00Z";

    fn of_clients(endpoint: &str) -> Requirement {
        Requirement { subject: Subject::Clients, ..requirement(endpoint) }
    }

    /// The judgement where clients of these groups said this; an empty text is one of whom there is no result.
    fn judged(requirement: &Requirement, asks: &Asks, said: &[(&str, &str)]) -> Judgement {
        let bounds = PlanBounds { stage_timeout_ms: 1, deadline_ms: 1, probes_at_once: 1, addresses: 1, retries: 0 };
        let mut probes = plan::build(std::slice::from_ref(requirement)).probes;
        probes[0].asks = asks.clone();
        let plan = PlanDocument::new(None, bounds, probes);
        let now: Timestamp = AT.parse().unwrap();
        let mut tally = ClientTally::new(&plan, now, SignedDuration::from_hours(1));
        for (group, marks) in said {
            let output = (!marks.is_empty()).then(|| line(&plan.sha256, AT, 1, 0, marks));
            let result = output.map(|output| ScriptOutput { state: Some(1), output: Some(output) });
            tally.add(&ScriptResult { group: Some((*group).to_owned()), result });
        }
        let source = ScriptSource { object: "dbo.x".to_owned(), grouped_by: "network".to_owned() };
        let script = ScriptId::parse("937C2F69-67ED-4682-B072-8F4BA4C53655").unwrap();
        let clients = tally.finish(script, &source);
        let witness = Witness {
            name: "clients",
            probes: &plan.probes,
            observations: &[],
            unreached: None,
            clients: Some(&clients),
        };
        let view = View { vantage: 0, grade: EvidenceGrade::A };
        judge(std::slice::from_ref(requirement), &[witness], |_| view, false).remove(0)
    }

    fn code(judgement: &Judgement) -> (Verdict, &str, &str) {
        let cause = judgement.cause.as_ref();
        let detail = cause.and_then(|cause| cause.detail.as_deref()).unwrap_or_default();
        (judgement.verdict, cause.map_or("", |cause| cause.code.as_str()), detail)
    }

    #[test]
    fn all_clients_pass_and_a_part_of_them_does_not() {
        let one = of_clients("a.example");
        let all = judged(&one, &Asks::default(), &[("x", "ok"), ("y", "ok")]);
        assert_eq!(
            (all.verdict, all.evidence_grade, all.observed_from_role_host),
            (Verdict::Pass, Some(EvidenceGrade::A), true)
        );
        assert!(all.notes.contains(&"2 of 2 clients answered".to_owned()), "{:?}", all.notes);
        let part = judged(&one, &Asks::default(), &[("x", "ok"), ("y", "")]);
        assert_eq!(code(&part), (Verdict::NotObserved, "clients-silent", ""));
        let text = part.cause.unwrap().text;
        assert_eq!(text, "reached by all 1 clients that answered; 1 of 2 did not answer (no result 1)");
        let nobody = judged(&one, &Asks::default(), &[("x", ""), ("y", "")]);
        assert_eq!((code(&nobody).1, nobody.evidence_grade), ("clients-silent", None));
        assert_eq!(code(&judged(&one, &Asks::default(), &[])).1, "clients-silent");
    }

    #[test]
    fn a_failure_of_one_client_counts_and_names_its_group() {
        let one = of_clients("a.example");
        let said = [("Denver", "tt"), ("Denver", "tt"), ("Lyon", "nx"), ("Lyon", "ok"), ("", "ok"), ("VPN", "")];
        let failed = judged(&one, &Asks::default(), &said);
        let (verdict, code, detail) = code(&failed);
        assert_eq!((verdict, code), (Verdict::Fail, "tcp-timeout"));
        let expected =
            "3 of 5 clients that answered: name-nxdomain 1, tcp-timeout 2; by group: Denver 2 of 2, Lyon 1 of 2";
        assert_eq!(detail, expected);
        let cause = failed.cause.as_ref().unwrap();
        assert_eq!(cause.stage, Some(StageName::Tcp));
        assert_eq!(cause.remedy, "ask for any client -> a.example:443 (TCP)");
    }

    #[test]
    fn inspection_counts_where_it_is_not_supported() {
        let mut one = of_clients("manage.microsoft.com");
        let said = [("x", "pr"), ("x", "ok")];
        let noted = judged(&one, &Asks::default(), &said);
        assert_eq!(noted.verdict, Verdict::Pass);
        assert!(
            noted.notes.iter().any(|note| note.contains("TLS is inspected on the way of 1 clients")),
            "{:?}",
            noted.notes
        );
        one.inspection = Inspection::Unsupported;
        assert_eq!(code(&judged(&one, &Asks::default(), &said)).1, "tls-inspected");
        assert_eq!(code(&judged(&one, &Asks::default(), &[("x", "px")])).1, "tls-inspected");
        let own = Requirement { inspection: Inspection::Unsupported, ..of_clients("cmg.contoso.com") };
        assert_eq!(judged(&own, &Asks::default(), &said).verdict, Verdict::Pass, "it may have its own authority");
    }

    #[test]
    fn what_the_answers_do_not_say_is_not_observed() {
        let mut one = of_clients("a.example");
        for marks in ["dp", "px", "--"] {
            let said = judged(&one, &Asks::default(), &[("x", marks), ("x", "ok")]);
            assert_eq!(code(&said), (Verdict::NotObserved, "clients-untold", ""), "{marks}");
        }
        one.path = Some("/a.cab".to_owned());
        let asks = [
            Asks { byte_range: true, ..Asks::default() },
            Asks { redirects: true, ..Asks::default() },
            Asks { gateway: true, ..Asks::default() },
        ];
        for asks in asks {
            let said = judged(&one, &asks, &[("x", "ok")]);
            assert_eq!(code(&said).1, "clients-untold", "{asks:?}");
            assert_eq!(judged(&one, &asks, &[("x", "tr")]).verdict, Verdict::Fail, "{asks:?}");
        }
    }
}
