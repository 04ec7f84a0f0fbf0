//! What comes next, and what is overdue: ends of support, endpoints and features that go away, secrets, waivers.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Case;
use super::cloud::{app_name, days_until};
use crate::catalog::{SourceRef, Status};
use crate::derive::holds;

/// One day that matters to this hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Coming {
    /// The day; `None` if none is announced.
    pub day: Option<Date>,
    /// What kind of thing it is.
    pub kind: ComingKind,
    /// What happens, in words.
    pub what: String,
    /// Days from the day for which is asked; negative: overdue.
    pub in_days: Option<i32>,
    /// According to whom, where it is a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Cite>,
}

/// A place in a document, in an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Cite {
    /// Key of a document of the catalog.
    pub document: String,
    /// The section in it.
    pub section: String,
    /// The revision's date.
    pub date: Date,
}

impl From<&SourceRef> for Cite {
    fn from(source: &SourceRef) -> Self {
        Self { document: source.document.clone(), section: source.section.clone(), date: source.date }
    }
}

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComingKind {
    /// Support of a version ends.
    SupportEnds,
    /// An endpoint goes away, or another takes its place.
    EndpointRetires,
    /// A feature or service goes away.
    FeatureRetires,
    /// A secret of an application ends.
    SecretEnds,
    /// A waiver ends.
    WaiverEnds,
}

impl ComingKind {
    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::SupportEnds => "end of support",
            Self::EndpointRetires => "endpoint",
            Self::FeatureRetires => "feature",
            Self::SecretEnds => "secret",
            Self::WaiverEnds => "waiver",
        }
    }
}

/// What was replaced longer ago is no news any more.
const NEWS_DAYS: i32 = 730;

pub(super) fn of(case: &Case<'_>) -> Vec<Coming> {
    let coming = |kind, day: Option<Date>, what: String, source: Option<&SourceRef>| Coming {
        day,
        kind,
        what,
        in_days: day.map(|day| days_until(case.day, day)),
        source: source.map(Cite::from),
    };
    let mut days = Vec::new();
    let mut builds: BTreeSet<u32> = case.facts.sites.rows().iter().filter_map(|site| site.build).collect();
    builds.insert(case.target.build);
    for release in builds.into_iter().filter_map(|build| case.catalog.release(build)) {
        let whose = if release.build == case.target.build { "the target" } else { "in use" };
        let what = format!("support of version {} ends ({whose})", release.version);
        days.push(coming(ComingKind::SupportEnds, Some(release.support_ends), what, release.sources.first()));
    }
    let needed: BTreeSet<_> = case.requirements.iter().map(|requirement| &requirement.entry).collect();
    for entry in case.catalog.entries.iter().filter(|entry| needed.contains(&entry.id)) {
        // What is gone and still listed is no news; what is being replaced stays one until it is gone.
        let is_news = |day: Date| {
            day > case.day || (entry.status == Status::Superseded && days_until(day, case.day) <= NEWS_DAYS)
        };
        let Some(day) = entry.status_since.filter(|day| is_news(*day)) else { continue };
        let what = match (entry.status, &entry.replaced_by) {
            (Status::Superseded, Some(next)) => {
                let next = case.catalog.entry(next).map_or_else(|| next.to_string(), |next| next.endpoint.to_string());
                format!("{} is replaced by {next} from this day on", entry.endpoint)
            }
            _ => format!("{} goes away", entry.endpoint),
        };
        days.push(coming(ComingKind::EndpointRetires, Some(day), what, entry.sources.first()));
    }
    for one in &case.catalog.retirements {
        // A site that is not known, or whose build is not, may be an old one.
        let sites = case.facts.sites.rows();
        let are_all_known = !sites.is_empty() && case.facts.sites.may_lack().is_none();
        let all_after = |last| are_all_known && sites.iter().all(|site| site.build.is_some_and(|own| own > last));
        if one.until_build.is_some_and(all_after) {
            continue;
        }
        let what = match holds(&one.when, case.facts) {
            Ok(false) => continue,
            Ok(true) => one.what.clone(),
            Err(missing) => format!("{}; whether that matters here is unknown ({})", one.what, missing.join("; ")),
        };
        days.push(coming(ComingKind::FeatureRetires, one.day, what, one.sources.first()));
    }
    for app in case.facts.entra_apps.rows() {
        if let Some(ends) = app.secret_expires {
            let what = format!("the secret of {} ends", app_name(app));
            days.push(coming(ComingKind::SecretEnds, Some(ends.date()), what, None));
        }
    }
    for waiver in case.waivers.iter().flat_map(|applied| &applied.list.waivers) {
        let what = format!("waiver {} ends ({}, {})", waiver.id, waiver.owner, waiver.ticket);
        days.push(coming(ComingKind::WaiverEnds, Some(waiver.valid_through), what, None));
    }
    // What has no day comes last.
    days.sort_by(|a, b| (a.day.is_none(), a).cmp(&(b.day.is_none(), b)));
    // One endpoint may stand in several sections.
    days.dedup_by(|later, first| (later.day, &later.what) == (first.day, &first.what));
    days
}
