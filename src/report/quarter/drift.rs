//! What the site says now and said before.

use std::collections::{BTreeMap, BTreeSet};

use super::History;
use super::changes::FIRST;
use super::section::{Cell, Section};
use crate::catalog::{Cloud, Condition, ConditionFact};
use crate::derive::holds;
use crate::evidence::{Change, ChangeCause, ChangeClass, Comparison};
use crate::site::{Cmg, Fact, Facts, Feature, ProxySetting, SyncFrom, Tenant};

pub(super) fn site(history: &History, comparison: Option<&Comparison>) -> Section {
    let section = Section::new(7, "site", "Changes of the site");
    let (Some(earlier), Some(comparison)) = (history.earlier(), comparison) else { return section.text(FIRST) };
    let (rows, unknown) = drift(&earlier.run.facts, &history.newest().facts);
    let of_the_site = |row: &&Change| {
        matches!(row.cause, Some(ChangeCause::SiteConfig | ChangeCause::SiteConfigOrCatalog)) && row.class.is_change()
    };
    let count = |class| comparison.rows.iter().filter(of_the_site).filter(|row| row.class == class).count();
    let caused = comparison.rows.iter().filter(of_the_site).count();
    let (more, fewer) = (count(ChangeClass::NewlyRequired), count(ChangeClass::NoLongerRequired));
    let none = if unknown.is_empty() { "Nothing changed." } else { "Of what is known in both runs, nothing changed." };
    section
        .text(format!(
            "Changes of requirements or verdicts that come from the site: {caused}; of these {more} newly required and \
             {fewer} no longer."
        ))
        .list(unknown)
        .table("What the site database says now and said before", &["what", "which", "before", "now"], rows, none)
}

/// What differs, and what nobody can hold against each other.
fn drift(old: &Facts, new: &Facts) -> (Vec<Vec<Cell>>, Vec<String>) {
    let (old, new) = (settings(old), settings(new));
    let (mut rows, mut unknown) = (Vec::new(), Vec::new());
    for ((kind, old), (_, new)) in old.iter().zip(&new) {
        match (old, new) {
            (Some(old), Some(new)) => rows.extend(differences(kind, old, new)),
            _ => unknown.push(format!("{kind}: not known in one of the runs, so nothing can be said.")),
        }
    }
    (rows, unknown)
}

/// A name, and what is said of it.
type Settings = BTreeMap<String, String>;

/// What of the facts a reader of drift wants to see, by kind and in the same order for each site; `None` where it is
/// unknown.
fn settings(facts: &Facts) -> Vec<(&'static str, Option<Settings>)> {
    fn of<T>(fact: &Fact<Vec<T>>, settings: impl Fn(&T) -> Vec<(String, String)>) -> Option<Settings> {
        (!fact.is_unknown()).then(|| gathered(fact.rows().iter().flat_map(settings)))
    }
    let sites = of(&facts.sites, |site| {
        vec![(site.code.to_string(), site.version.clone().unwrap_or_else(|| "version unknown".to_owned()))]
    });
    let roles = of(&facts.site_systems, |system| {
        let roles = system.roles.iter();
        roles.map(|role| (format!("{} on {}", role.role.title(), system.host), "there".to_owned())).collect()
    });
    let proxies = of(&facts.site_system_proxies, |proxy| {
        vec![(format!("of {} in site {}", proxy.host, proxy.site), proxy_words(&proxy.setting))]
    });
    let points = of(&facts.service_connection_points, |point| {
        let mode = point.online.map_or("mode unknown", |online| if online { "online" } else { "offline" });
        vec![(format!("on {} in site {}", point.host, point.site), mode.to_owned())]
    });
    let sources = of(&facts.sync_sources, |source| {
        let from = match (source.source, &source.upstream) {
            (Some(SyncFrom::MicrosoftUpdate), _) => "Microsoft Update".to_owned(),
            (Some(SyncFrom::Nothing), _) => "nothing".to_owned(),
            (Some(SyncFrom::Upstream), Some(server)) => server.to_string(),
            (Some(SyncFrom::Upstream), None) => "an upstream server that is unknown".to_owned(),
            (None, _) => "unknown".to_owned(),
        };
        vec![(format!("of site {}", source.site), from)]
    });
    vec![
        ("site", sites),
        ("role", roles),
        ("proxy", proxies),
        ("service connection point", points),
        ("source of software updates", sources),
        ("cloud management gateway", of(&facts.cmgs, |gateway| vec![gateway_words(gateway)])),
        ("tenant", of(&facts.tenants, |tenant| vec![tenant_words(tenant)])),
        ("feature", of(&facts.features, |feature| vec![feature_words(feature)])),
        ("what endpoints depend on", Some(conditions(facts))),
    ]
}

/// By name. Where several things have one name, what is said of each stands there.
fn gathered(settings: impl Iterator<Item = (String, String)>) -> Settings {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in settings {
        by_name.entry(name).or_default().push(value);
    }
    by_name
        .into_iter()
        .map(|(name, mut values)| {
            values.sort();
            (name, values.join("; "))
        })
        .collect()
}

fn proxy_words(setting: &ProxySetting) -> String {
    match setting {
        ProxySetting::Direct | ProxySetting::NeverSet => "none".to_owned(),
        ProxySetting::Proxy { host, port, account } => {
            format!("{host}:{port}{}", if *account { " with an account" } else { "" })
        }
        ProxySetting::Unreadable => "unusable".to_owned(),
    }
}

fn gateway_words(gateway: &Cmg) -> (String, String) {
    let name = gateway.service_name.as_ref().or(gateway.deployment_name.as_ref()).map(ToString::to_string);
    let name = name.or_else(|| gateway.name.clone()).unwrap_or_else(|| "without a name".to_owned());
    let instances = match gateway.instances {
        Some(1) => "1 instance".to_owned(),
        Some(count) => format!("{count} instances"),
        None => "instances unknown".to_owned(),
    };
    let state = match gateway.state {
        Some(0) => "ready".to_owned(),
        Some(4) => "starting".to_owned(),
        Some(6) => "stopped".to_owned(),
        Some(other) => format!("state {other}"),
        None => "state unknown".to_owned(),
    };
    let region = gateway.region.as_ref().map(|region| format!(", {region}")).unwrap_or_default();
    (name, format!("{instances}, {state}{region}"))
}

fn tenant_words(tenant: &Tenant) -> (String, String) {
    let cloud = match tenant.environment.map(|number| (number, Cloud::from_environment(number))) {
        Some((_, Some(cloud))) => cloud.title().to_owned(),
        Some((number, None)) => format!("Azure environment {number}"),
        None => "cloud unknown".to_owned(),
    };
    (tenant.name.clone().unwrap_or_else(|| tenant.id.clone()), cloud)
}

fn feature_words(feature: &Feature) -> (String, String) {
    let state = match feature.status {
        Some(1) => "on",
        Some(_) => "off",
        None => "unknown",
    };
    (feature.name.clone(), state.to_owned())
}

/// Whether what the catalog's conditions name holds for the hierarchy: what no table above shows, and newly needed
/// endpoints come from it too.
fn conditions(facts: &Facts) -> Settings {
    let of_hierarchy = ConditionFact::all().filter(|fact| fact.about().is_none());
    let value = |fact| match holds(&Condition::Fact(fact), facts) {
        Ok(true) => "yes",
        Ok(false) => "no",
        Err(_) => "unknown",
    };
    of_hierarchy.map(|fact| (fact.meaning().to_owned(), value(fact).to_owned())).collect()
}

fn differences(kind: &str, old: &Settings, new: &Settings) -> Vec<Vec<Cell>> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let value = |side: &Settings, key: &String| side.get(key).map_or("-".to_owned(), Clone::clone);
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| vec![kind.into(), key.as_str().into(), value(old, key).into(), value(new, key).into()])
        .collect()
}

#[cfg(test)]
mod tests;
