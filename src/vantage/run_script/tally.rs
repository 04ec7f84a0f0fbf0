//! Counting answers, one client after the other.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{CLIENTS_FORMAT, ClientAnswer, ClientCounts, ClientGroup, Clients, GroupedBy, Mark, Silence, read_answer};
use crate::evidence::Tool;
use crate::plan::PlanDocument;
use crate::site::{ScriptId, ScriptResult, ScriptSource};
use crate::text::printable;

/// More groups than these are counted as one.
const MAX_GROUPS: usize = 1000;
/// The name of that one.
const OTHERS: &str = "(all other groups)";
const MAX_NAME: usize = 200;
/// How far the clock of a client may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// Counts what clients said of a plan. What it keeps grows with groups and endpoints alone.
#[derive(Debug)]
pub struct ClientTally<'a> {
    plan: &'a PlanDocument,
    now: Timestamp,
    max_age: SignedDuration,
    groups: BTreeMap<String, ClientGroup>,
    times: Option<(Timestamp, Timestamp)>,
    not_as_system: u64,
}

impl<'a> ClientTally<'a> {
    /// Answers that are older than `max_age` at `now` count as none.
    pub fn new(plan: &'a PlanDocument, now: Timestamp, max_age: SignedDuration) -> Self {
        Self { plan, now, max_age, groups: BTreeMap::new(), times: None, not_as_system: 0 }
    }

    /// Adds a client.
    pub fn add(&mut self, client: &ScriptResult) {
        let answer = self.answer(client);
        let endpoints = self.plan.probes.len();
        let group = self.group(client.group.as_deref().unwrap_or_default().trim(), endpoints);
        group.clients += 1;
        let answer = match answer {
            Ok(answer) => answer,
            Err(silence) => {
                *group.silent.entry(silence).or_default() += 1;
                return;
            }
        };
        group.answered += 1;
        for (seen, mark) in group.endpoints.iter_mut().zip(&answer.marks) {
            match mark {
                Mark::Reached => seen.reached += 1,
                Mark::OtherRoot => seen.other_root += 1,
                Mark::OtherRootPage => seen.other_root_page += 1,
                Mark::Page => seen.page += 1,
                Mark::NotSeen => seen.not_seen += 1,
                Mark::Failed(code) => *seen.failed.entry(*code).or_default() += 1,
            }
        }
        self.not_as_system += u64::from(!answer.system);
        let (first, last) = self.times.unwrap_or((answer.at, answer.at));
        self.times = Some((first.min(answer.at), last.max(answer.at)));
    }

    /// The document.
    pub fn finish(self, script: ScriptId, source: &ScriptSource) -> Clients {
        let grouped_by = match source.grouped_by.as_str() {
            "boundary_group" => GroupedBy::BoundaryGroup,
            "network" => GroupedBy::Network,
            _ => GroupedBy::Nothing,
        };
        let mut document = Clients {
            format: CLIENTS_FORMAT.to_owned(),
            tool: Tool::this(),
            plan_sha256: self.plan.sha256.clone(),
            bounds: self.plan.bounds,
            script: script.to_string(),
            object: printable(&source.object, 400),
            grouped_by,
            collected: self.now,
            first_answer: self.times.map(|(first, _)| first),
            last_answer: self.times.map(|(_, last)| last),
            not_as_system: self.not_as_system,
            probes: self.plan.probes.iter().map(|probe| probe.id.clone()).collect(),
            groups: self.groups.into_values().collect(),
            sha256: String::new(),
        };
        document.sha256 = document.hash();
        document
    }

    fn answer(&self, client: &ScriptResult) -> Result<ClientAnswer, Silence> {
        let result = client.result.as_ref().ok_or(Silence::NoResult)?;
        let output = result.output.as_deref().unwrap_or_default();
        let answer = read_answer(output, &self.plan.sha256, self.plan.probes.len());
        // What the product says of it counts where the client itself says nothing.
        let failed = result.state == Some(FAILED);
        let answer = answer.map_err(|silence| match silence {
            Silence::Empty | Silence::NotOurs if failed => Silence::ScriptFailed,
            silence => silence,
        })?;
        let age = self.now.duration_since(answer.at);
        if age > self.max_age {
            return Err(Silence::Old);
        }
        if age < -AHEAD {
            return Err(Silence::Clock);
        }
        Ok(answer)
    }

    fn group(&mut self, name: &str, endpoints: usize) -> &mut ClientGroup {
        let name = printable(name, MAX_NAME);
        let known = self.groups.contains_key(&name) || self.groups.len() < MAX_GROUPS;
        let name = if known { name } else { OTHERS.to_owned() };
        self.groups.entry(name.clone()).or_insert_with(|| ClientGroup {
            group: name,
            clients: 0,
            answered: 0,
            silent: BTreeMap::new(),
            endpoints: vec![ClientCounts::default(); endpoints],
        })
    }
}

/// The state of a script that failed.
const FAILED: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::Via;
    use crate::host::Scheme;
    use crate::plan::{Asks, PlanBounds, Probe, ProbeId, Target};
    use crate::probe::FailureCode;
    use crate::site::ScriptOutput;
    use crate::vantage::run_script::line;

    const AT: &str = "2026-11-25T18:00:00Z";

    fn plan() -> PlanDocument {
        let probe = |name: &str| {
            let target = Target { scheme: Scheme::Https, host: name.parse().unwrap(), port: 443, path: "/".to_owned() };
            let (id, via) = (ProbeId::of(&target, &Via::Direct), Via::Direct);
            Probe { id, target, via, contexts: [].into(), requirements: Vec::new(), asks: Asks::default() }
        };
        let bounds =
            PlanBounds { stage_timeout_ms: 5000, deadline_ms: 60_000, probes_at_once: 16, addresses: 8, retries: 1 };
        PlanDocument::new(None, bounds, vec![probe("a.contoso.com"), probe("b.contoso.com")])
    }

    fn said(group: &str, output: &str) -> ScriptResult {
        let result = Some(ScriptOutput { state: Some(1), output: Some(output.to_owned()) });
        ScriptResult { group: Some(group.to_owned()), result }
    }

    fn counted(clients: &[ScriptResult]) -> Clients {
        let plan = plan();
        let mut tally =
            ClientTally::new(&plan, "2026-11-25T19:00:00Z".parse().unwrap(), SignedDuration::from_hours(24));
        for client in clients {
            tally.add(client);
        }
        let source = ScriptSource { object: "dbo.x".to_owned(), grouped_by: "network".to_owned() };
        tally.finish(ScriptId::parse("937C2F69-67ED-4682-B072-8F4BA4C53655").unwrap(), &source)
    }

    #[test]
    fn answers_are_counted_by_group_and_endpoint() {
        let plan = plan();
        let answer = |marks: &str| line(&plan.sha256, AT, 2, 0, marks);
        let none = ScriptResult { group: None, result: None };
        let failed = ScriptResult { result: Some(ScriptOutput { state: Some(2), output: None }), ..none.clone() };
        let document = counted(&[
            said("10.0.0.0", &answer("okok")),
            said("10.0.0.0", &answer("nxpr")),
            said("10.0.0.0 ", &answer("nxdp")),
            said("10.1.0.0", &answer("px--")),
            said("10.1.0.0", "hello"),
            none,
            failed,
        ]);
        assert_eq!((document.clients(), document.answered(), document.is_whole()), (7, 4, false));
        let names: Vec<&str> = document.groups.iter().map(|group| group.group.as_str()).collect();
        assert_eq!(names, ["", "10.0.0.0", "10.1.0.0"]);
        let [first, second] = [0, 1].map(|at| document.seen(&plan.probes[at].id).unwrap());
        assert_eq!((first.reached, first.other_root_page, first.failed[&FailureCode::NameNxdomain]), (1, 1, 2));
        assert_eq!((second.reached, second.other_root, second.page, second.not_seen), (1, 1, 1, 1));
        let silent: Vec<_> = document.silent().into_iter().collect();
        assert_eq!(silent, [(Silence::NoResult, 1), (Silence::ScriptFailed, 1), (Silence::NotOurs, 1)]);
        assert_eq!(document.groups[1].clients, 3);
    }

    #[test]
    fn all_clients_prove_and_a_part_of_them_does_not() {
        let plan = plan();
        let id = &plan.probes[0].id;
        let good = said("x", &line(&plan.sha256, AT, 2, 0, "okok"));
        assert!(counted(&[good.clone(), good.clone()]).proves(id));
        assert!(!counted(&[good.clone(), ScriptResult { group: None, result: None }]).proves(id));
        assert!(!counted(&[good, said("x", &line(&plan.sha256, AT, 2, 0, "dpok"))]).proves(id));
        assert!(!counted(&[]).proves(id), "nobody proves nothing");
    }

    #[test]
    fn an_old_answer_and_one_of_the_future_are_none() {
        let plan = plan();
        let at = |moment: &str| said("x", &line(&plan.sha256, moment, 2, 0, "okok"));
        let document = counted(&[at("2026-11-24T18:59:00Z"), at("2026-11-25T19:11:00Z"), at("2026-11-25T19:09:00Z")]);
        let silent: Vec<_> = document.silent().into_keys().collect();
        assert_eq!((silent, document.answered()), (vec![Silence::Old, Silence::Clock], 1));
    }

    #[test]
    fn what_is_kept_does_not_grow_with_the_clients() {
        let plan = plan();
        let answer = line(&plan.sha256, AT, 2, 0, "okok");
        let many: Vec<ScriptResult> = (0..3000).map(|number| said(&format!("group {number:04}"), &answer)).collect();
        let document = counted(&many);
        assert_eq!((document.groups.len(), document.clients()), (MAX_GROUPS + 1, 3000));
        assert_eq!(document.groups.iter().find(|group| group.group == OTHERS).unwrap().clients, 2000);
        assert_eq!(document.contradiction(), None);
    }

    #[test]
    fn a_document_is_read_back_and_a_changed_one_is_refused() {
        let plan = plan();
        let document = counted(&[said("<b>\u{1b}[2J", &line(&plan.sha256, AT, 2, 0, "okok"))]);
        assert!(!document.groups[0].group.contains('\u{1b}'));
        let bytes = document.to_json().unwrap();
        assert_eq!(Clients::parse("c.json", &bytes).unwrap(), document);
        assert!(document.is_of(&plan));
        let refused = |change: &dyn Fn(&mut Clients)| {
            let mut changed = document.clone();
            change(&mut changed);
            changed.sha256 = changed.hash();
            Clients::parse("c.json", &changed.to_json().unwrap()).unwrap_err().to_string()
        };
        assert!(refused(&|d| d.format = "cmcomply.clients/2".to_owned()).contains("this version reads"));
        assert!(refused(&|d| d.groups[0].clients = 2).contains("those that answered and those that did not"));
        assert!(refused(&|d| d.groups[0].endpoints[0].reached = 9).contains("do not come to"));
        assert!(refused(&|d| d.probes.truncate(1)).contains("one count for each endpoint"));
        let edited = String::from_utf8(bytes).unwrap().replace("\"answered\": 1", "\"answered\": 2");
        assert!(Clients::parse("c.json", edited.as_bytes()).unwrap_err().to_string().contains("hash"));
    }
}
