//! A row: one requirement with all that became of it. Every report is made of the same rows.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{vantages, words};
use crate::assess::{Grade, Judgement, Verdict, Waiver};
use crate::catalog::{CatalogRole, Inspection, Status};
use crate::derive::{Requirement, Subject};
use crate::evidence::{CitedEntry, Run, VantageRecord};
use crate::plan::ProbeId;
use crate::probe::Observation;

/// One requirement with its verdict, what was seen, and the catalog entry behind it.
pub(super) struct Row<'a> {
    pub(super) run: &'a Run,
    pub(super) requirement: &'a Requirement,
    pub(super) judgement: &'a Judgement,
    pub(super) observations: Vec<&'a Observation>,
    /// Where their answers led: the hops of redirects, each after what led to it.
    pub(super) hops: Vec<&'a Observation>,
    pub(super) entry: Option<&'a CitedEntry>,
}

/// The rows of one role of one host, or kind of device.
pub(super) struct Group<'a> {
    pub(super) subject: &'a Subject,
    pub(super) role: CatalogRole,
    pub(super) rows: Vec<Row<'a>>,
}

/// All rows, by subject and role, in each what decides first and in that the worst first.
pub(super) fn rows(run: &Run) -> Vec<Row<'_>> {
    let seen: HashMap<_, _> = run.observations.iter().map(|o| (&o.probe, o)).collect();
    let hops = Hops::of(&run.observations);
    let cited: HashMap<_, _> = run.catalog.entries.iter().map(|entry| (&entry.id, entry)).collect();
    let mut rows: Vec<Row<'_>> = run
        .requirements
        .iter()
        .zip(&run.judgements)
        .map(|(requirement, judgement)| {
            let observations: Vec<_> = judgement.probes.iter().filter_map(|id| seen.get(id).copied()).collect();
            let hops = hops.after(&observations);
            let entry = cited.get(&requirement.entry).copied();
            Row { run, requirement, judgement, observations, hops, entry }
        })
        .collect();
    rows.sort_by_cached_key(|row| {
        let (subject, role) = (row.requirement.subject.clone(), row.requirement.role);
        (subject, role, row.rank(), row.endpoint(), row.requirement.id.clone())
    });
    rows
}

/// The hops of redirects, by what led to them.
struct Hops<'a>(HashMap<&'a ProbeId, Vec<&'a Observation>>);

impl<'a> Hops<'a> {
    fn of(observations: &'a [Observation]) -> Self {
        let mut hops: HashMap<_, Vec<_>> = HashMap::new();
        for hop in observations {
            if let Some(from) = &hop.redirected_from {
                hops.entry(from).or_default().push(hop);
            }
        }
        Self(hops)
    }

    /// All hops after these; a document that leads in a circle leads nowhere twice.
    fn after(&self, observations: &[&'a Observation]) -> Vec<&'a Observation> {
        let mut met: Vec<&Observation> = observations.to_vec();
        let mut at = 0;
        while let Some(from) = met.get(at).copied() {
            for hop in self.0.get(&from.probe).into_iter().flatten() {
                if !met.iter().any(|known| known.probe == hop.probe) {
                    met.push(hop);
                }
            }
            at += 1;
        }
        met.split_off(observations.len())
    }
}

/// The same rows by subject and role.
pub(super) fn groups(run: &Run) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in rows(run) {
        let Requirement { subject, role, .. } = row.requirement;
        match groups.last_mut() {
            Some(group) if group.subject == subject && group.role == *role => group.rows.push(row),
            _ => groups.push(Group { subject, role: *role, rows: vec![row] }),
        }
    }
    groups
}

impl Group<'_> {
    /// `cm01.contoso.com, service connection point`
    pub(super) fn title(&self) -> String {
        format!("{}, {}", self.subject, self.role.title())
    }

    /// The code of its site; empty for kinds of devices.
    pub(super) fn site(&self) -> String {
        match self.subject {
            Subject::Host { site, .. } => site.to_string(),
            _ => String::new(),
        }
    }
}

impl<'a> Row<'a> {
    /// What decides the result first, and in it what is worst.
    fn rank(&self) -> (Grade, usize) {
        let place = Verdict::ALL.iter().position(|verdict| *verdict == self.judgement.verdict);
        (self.judgement.grade, place.unwrap_or(usize::MAX))
    }

    /// The verdict in words: `FAIL`, or `FAIL (advisory)`.
    pub(super) fn verdict(&self) -> String {
        let title = self.judgement.verdict.title();
        match self.judgement.grade {
            Grade::Required => title.to_owned(),
            Grade::Advisory => format!("{title} (advisory)"),
        }
    }

    /// Whether it counts, and is neither a pass nor needless.
    pub(super) fn is_not_passing(&self) -> bool {
        self.judgement.grade == Grade::Required
            && !matches!(self.judgement.verdict, Verdict::Pass | Verdict::NotApplicable)
    }

    pub(super) fn site(&self) -> String {
        match &self.requirement.subject {
            Subject::Host { site, .. } => site.to_string(),
            _ => String::new(),
        }
    }

    pub(super) fn endpoint(&self) -> String {
        self.requirement.endpoint()
    }

    pub(super) fn route(&self) -> String {
        format!("{} ({})", self.requirement.route.via, self.requirement.route.detail)
    }

    pub(super) fn stage(&self) -> &'static str {
        self.judgement.cause.as_ref().and_then(|cause| cause.stage).map_or("", words::stage)
    }

    /// What was seen, in a few words.
    pub(super) fn seen(&self) -> String {
        words::seen(self.judgement, &self.observations)
    }

    /// The same, with what was noted that tells more than the words of a failure: flapping, addresses that differ.
    pub(super) fn seen_with_notes(&self) -> String {
        let seen = self.seen();
        // A pass has them already.
        let notes = words::telling(self.judgement).filter(|_| self.judgement.cause.is_some());
        std::iter::once(seen).chain(notes.cloned()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// What was seen and what it means, for a reader who has nothing but this line.
    pub(super) fn sentence(&self) -> String {
        let seen = self.seen();
        let seen = if seen.is_empty() { "reached".to_owned() } else { seen };
        format!("{}: {seen}", self.verdict())
    }

    pub(super) fn code(&self) -> &'a str {
        self.judgement.cause.as_ref().map_or("", |cause| cause.code.as_str())
    }

    pub(super) fn detail(&self) -> &'a str {
        self.judgement.cause.as_ref().and_then(|cause| cause.detail.as_deref()).unwrap_or("")
    }

    pub(super) fn remedy(&self) -> &'a str {
        self.judgement.cause.as_ref().map_or("", |cause| cause.remedy.as_str())
    }

    /// The waiver that excuses it.
    pub(super) fn waiver(&self) -> Option<&'a Waiver> {
        let id = self.judgement.waiver.as_ref()?;
        self.run.waivers.as_ref()?.list.waivers.iter().find(|waiver| waiver.id == *id)
    }

    /// How much depends on it, and how it stands in the documentation where that is not simply needed.
    pub(super) fn standing(&self) -> String {
        let Requirement { tier, status, replaced_by, .. } = self.requirement;
        let by = replaced_by.as_ref().map(|entry| format!(" by {entry}")).unwrap_or_default();
        match status {
            Status::Active => tier.name().to_owned(),
            status => format!("{}, {}{by}", tier.name(), status.name()),
        }
    }

    /// Everything that was seen for it, also behind redirects.
    pub(super) fn all_seen(&self) -> impl Iterator<Item = &'a Observation> {
        self.observations.iter().chain(&self.hops).copied()
    }

    /// Where the answers lead, hop by hop.
    pub(super) fn leads_to(&self) -> Vec<String> {
        let redirects = self.all_seen().filter_map(|seen| seen.http.evidence.as_ref()?.redirect.as_ref());
        redirects.map(words::redirect).collect()
    }

    /// Where Configuration Manager itself shows the same; empty where that is not known.
    pub(super) fn in_product(&self) -> &'a str {
        self.judgement.cause.as_ref().and_then(|cause| cause.in_product.as_deref()).unwrap_or("")
    }

    /// When the first of the probes began; the end of the run where there was none.
    pub(super) fn moment(&self) -> Timestamp {
        self.observed().unwrap_or(self.run.moments.finished)
    }

    /// When the first of the probes began.
    pub(super) fn observed(&self) -> Option<Timestamp> {
        self.observations.iter().filter(|seen| !seen.was_cancelled()).map(|seen| seen.started).min()
    }

    pub(super) fn probed_on_the_host(&self) -> &'static str {
        match (self.observed(), self.judgement.observed_from_role_host) {
            (None, _) => "not probed",
            (_, true) => "yes",
            (_, false) => "no",
        }
    }

    /// The letter of the evidence's grade; empty where nobody looked.
    pub(super) fn grade_of_evidence(&self) -> &'static str {
        vantages::letter(self.judgement)
    }

    /// What the evidence is worth, and from where it is; empty where nobody looked.
    pub(super) fn evidence(&self) -> String {
        vantages::evidence(self.run, self.judgement)
    }

    /// The machine that looked, or was to look.
    pub(super) fn machine(&self) -> &'a str {
        vantages::machine(self.run, self.judgement)
    }

    /// The vantage from which one looked, or was to look.
    pub(super) fn vantage(&self) -> Option<&'a VantageRecord> {
        self.run.vantages.get(self.judgement.vantage)
    }

    pub(super) fn inspection(&self) -> &'static str {
        match self.requirement.inspection {
            Inspection::Unsupported => "not supported",
            Inspection::Unstated => "not stated",
        }
    }

    /// The documents behind it: title, section, date, address.
    pub(super) fn documents(&self) -> Vec<Cited<'a>> {
        let documents = &self.run.catalog.documents;
        let sources = self.entry.map_or(&[][..], |entry| &entry.sources);
        sources
            .iter()
            .map(|source| {
                let document = documents.get(&source.document);
                Cited {
                    title: document.map_or(source.document.as_str(), |document| &document.title),
                    section: &source.section,
                    date: source.date,
                    url: document.map(|document| document.url.as_str()),
                }
            })
            .collect()
    }
}

/// A place in a document that an entry cites.
pub(super) struct Cited<'a> {
    pub(super) title: &'a str,
    pub(super) section: &'a str,
    pub(super) date: jiff::civil::Date,
    pub(super) url: Option<&'a str>,
}

impl std::fmt::Display for Cited<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, section \"{}\", {}", self.title, self.section, self.date)
    }
}
