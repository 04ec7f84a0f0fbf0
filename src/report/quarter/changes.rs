//! What changed: verdicts, the site, the catalog; and the trend.

use std::collections::{BTreeMap, BTreeSet};

use super::super::comparison::comparison_rows;
use super::super::html::chart::DRAWN;
use super::History;
use super::section::{Block, Cell, Point, Section};
use crate::assess::{Grade, Verdict};
use crate::evidence::{ChangeCause, ChangeClass, CitedEntry, Comparison, Run};
use crate::site::{Fact, Facts, ProxySetting};

const FIRST: &str = "There is no run of an earlier quarter to compare with.";

pub(super) fn since_last(history: &History, comparison: Option<&Comparison>) -> Section {
    let section = Section::new(5, "changes", "Changes since the last quarter");
    let (Some(earlier), Some(comparison)) = (history.earlier(), comparison) else { return section.text(FIRST) };
    let mut said = format!("Compared with run {}.", earlier.name);
    if history.of(history.quarter().before()).next().is_none() {
        said.push_str(" There is none of the quarter before this one.");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in comparison.rows.iter().filter(|row| row.grade == Grade::Required) {
        *counts.entry(row.class.title()).or_default() += 1;
    }
    let classes = ChangeClass::ALL.iter().map(|class| class.title());
    let counts: Vec<Vec<Cell>> =
        classes.filter_map(|class| Some(vec![class.into(), Cell::Number(*counts.get(class)?)])).collect();
    let listing = comparison_rows(comparison, false);
    let rows = listing.rows.into_iter().map(|row| row.map(Cell::Text).to_vec()).collect();
    section
        .text(said)
        .list(comparison.limits.iter().map(|limit| format!("Less comparable than it looks: {limit}.")).collect())
        .table("Required endpoints by what became of them", &["change", "number"], counts, "Nothing is required.")
        .table("What changed, and on whose side", &listing.columns, rows, "Nothing changed.")
}

pub(super) fn site(history: &History, comparison: Option<&Comparison>) -> Section {
    let section = Section::new(7, "site", "Changes of the site");
    let (Some(earlier), Some(comparison)) = (history.earlier(), comparison) else { return section.text(FIRST) };
    let (old, new) = (settings(&earlier.run.facts), settings(&history.newest().facts));
    let mut rows = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for (kind, new) in &new {
        match (old.get(kind).and_then(Option::as_ref), new) {
            (Some(old), Some(new)) => rows.extend(differences(kind, old, new)),
            _ => unknown.push(format!("{kind}: not known in one of the runs, so nothing can be said.")),
        }
    }
    let caused = comparison.rows.iter().filter(|row| {
        matches!(row.cause, Some(ChangeCause::SiteConfig | ChangeCause::SiteConfigOrCatalog)) && row.class.is_change()
    });
    let none = if unknown.is_empty() { "Nothing changed." } else { "Of what is known in both runs, nothing changed." };
    section
        .text(format!("Changes of requirements or verdicts that come from the site: {}.", caused.count()))
        .list(unknown)
        .table("What the site database says now and said before", &["what", "which", "before", "now"], rows, none)
}

type Settings = BTreeMap<String, String>;

/// What of the facts a reader of drift wants to see, each with its value; `None` where it is unknown.
fn settings(facts: &Facts) -> BTreeMap<&'static str, Option<Settings>> {
    fn of<T>(fact: &Fact<Vec<T>>, value: impl Fn(&T) -> Vec<(String, String)>) -> Option<Settings> {
        (!fact.is_unknown()).then(|| fact.rows().iter().flat_map(value).collect())
    }
    let there = || "there".to_owned();
    BTreeMap::from([
        (
            "site",
            of(&facts.sites, |site| {
                vec![(site.code.to_string(), site.version.clone().unwrap_or_else(|| "version unknown".to_owned()))]
            }),
        ),
        (
            "role",
            of(&facts.site_systems, |system| {
                let roles = system.roles.iter();
                roles.map(|role| (format!("{} on {}", role.role.title(), system.host), there())).collect()
            }),
        ),
        (
            "proxy",
            of(&facts.site_system_proxies, |proxy| {
                let setting = match &proxy.setting {
                    ProxySetting::Direct | ProxySetting::NeverSet => "none".to_owned(),
                    ProxySetting::Proxy { host, port, .. } => format!("{host}:{port}"),
                    ProxySetting::Unreadable => "unusable".to_owned(),
                };
                vec![(format!("of {} in site {}", proxy.host, proxy.site), setting)]
            }),
        ),
        (
            "cloud management gateway",
            of(&facts.cmgs, |gateway| {
                let name = gateway.service_name.as_ref().or(gateway.deployment_name.as_ref());
                let instances = gateway.instances.map_or("unknown".to_owned(), |count| count.to_string());
                vec![(name.map_or("without a name".to_owned(), ToString::to_string), format!("{instances} instances"))]
            }),
        ),
        (
            "tenant",
            of(&facts.tenants, |tenant| vec![(tenant.name.clone().unwrap_or_else(|| tenant.id.clone()), there())]),
        ),
        (
            "feature",
            of(&facts.features, |feature| {
                let state = match feature.status {
                    Some(1) => "on",
                    Some(_) => "off",
                    None => "unknown",
                };
                vec![(feature.name.clone(), state.to_owned())]
            }),
        ),
    ])
}

fn differences(kind: &str, old: &Settings, new: &Settings) -> Vec<Vec<Cell>> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let value = |side: &Settings, key: &String| side.get(key).map_or("-".to_owned(), Clone::clone);
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| vec![kind.into(), key.as_str().into(), value(old, key).into(), value(new, key).into()])
        .collect()
}

pub(super) fn catalog(history: &History) -> Section {
    let section = Section::new(8, "catalog", "Changes of the catalog");
    let Some(earlier) = history.earlier() else { return section.text(FIRST) };
    let (old, new) = (&earlier.run.catalog, &history.newest().catalog);
    if old.sha256 == new.sha256 {
        return section.text(format!("None: both runs have catalog {}.", new.version));
    }
    let by_id = |run: &Run| -> BTreeMap<String, CitedEntry> {
        run.catalog.entries.iter().map(|entry| (entry.id.to_string(), entry.clone())).collect()
    };
    let (before, after) = (by_id(&earlier.run), by_id(history.newest()));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let rows = ids
        .into_iter()
        .filter_map(|id| {
            let (what, entry) = match (before.get(id), after.get(id)) {
                (Some(old), Some(new)) if old != new => ("changed", new),
                (None, Some(new)) => ("new here", new),
                (Some(old), None) => ("no longer here", old),
                _ => return None,
            };
            let sources = entry.sources.iter().map(|source| format!("{}, {}", source.document, source.date));
            let sources = sources.collect::<Vec<_>>().join("; ");
            Some(vec![what.into(), id.as_str().into(), entry.endpoint.as_str().into(), sources.into()])
        })
        .collect();
    section
        .text(format!("From catalog {} to {}.", old.version, new.version))
        .text("A record holds the entries that apply to its hierarchy: one that is new here may be new, or apply only now.")
        .table("Entries that differ", &["change", "entry", "endpoint", "documented in"], rows, "No entry that applies differs.")
}

pub(super) fn trend(history: &History) -> Section {
    let quarters = history.quarters();
    let last = |quarter| history.of(quarter).next_back();
    let count = |run: &Run, verdict| run.outcome.tally.count(Grade::Required, verdict);
    let drawn = DRAWN.map(|(verdict, _)| verdict);
    let points = quarters
        .iter()
        .map(|quarter| Point {
            quarter: quarter.to_string(),
            counts: last(*quarter).map(|kept| drawn.map(|verdict| count(&kept.run, verdict))),
        })
        .collect();
    let rows = quarters
        .iter()
        .map(|quarter| {
            let Some(kept) = last(*quarter) else {
                let mut row: Vec<Cell> = vec![quarter.to_string().into(), "no run".into()];
                row.extend(std::iter::repeat_n(Cell::Text("-".to_owned()), 6));
                return row;
            };
            let number = |verdict| Cell::Number(count(&kept.run, verdict));
            let mut row: Vec<Cell> = vec![quarter.to_string().into(), kept.run.outcome.title().into()];
            row.extend([Verdict::Pass].map(number));
            row.extend(drawn.map(number));
            row.push(kept.run.catalog.version.as_str().into());
            row
        })
        .collect();
    let columns = ["quarter", "result", "pass", "fail", "error", "not observed", "waived", "catalog"];
    Section::new(9, "trend", "Trend")
        .text("The last run of each quarter; required endpoints. Only what is not passing is drawn.")
        .with(Block::Trend(points))
        .table("Required endpoints by quarter", &columns, rows, "There is no run.")
}
