//! The outcome of a run: compliant, non-compliant, incomplete.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assess::{Grade, Judgement, Verdict};
use crate::host::HostName;
use crate::site::{Fact, Facts, Role, SiteCode};

/// What a run came to. Non-compliant and incomplete can both hold; non-compliant decides the exit code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Some required endpoint was not reached.
    pub non_compliant: bool,
    /// Why not everything was looked at; empty if everything was.
    pub incomplete: Vec<String>,
    /// Counts by verdict.
    pub tally: Tally,
}

/// Counts by verdict, for each grade.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// Verdicts that count.
    pub required: BTreeMap<Verdict, usize>,
    /// Verdicts that are shown only.
    pub advisory: BTreeMap<Verdict, usize>,
}

impl Tally {
    /// Counts these judgements.
    pub fn of<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> Self {
        let mut tally = Self::default();
        for judgement in judgements {
            *tally.grade_mut(judgement.grade).entry(judgement.verdict).or_default() += 1;
        }
        tally
    }

    /// How many there are.
    pub fn count(&self, grade: Grade, verdict: Verdict) -> usize {
        let counts = match grade {
            Grade::Required => &self.required,
            Grade::Advisory => &self.advisory,
        };
        counts.get(&verdict).copied().unwrap_or(0)
    }

    /// What counts and was not seen, in words.
    pub fn unseen(&self) -> Vec<String> {
        let words = [(Verdict::NotObserved, "not observed"), (Verdict::Error, "ended in an error")];
        let said = words.map(|(verdict, words)| match self.count(Grade::Required, verdict) {
            0 => None,
            1 => Some(format!("1 required endpoint {words}")),
            n => Some(format!("{n} required endpoints {words}")),
        });
        said.into_iter().flatten().collect()
    }

    fn grade_mut(&mut self, grade: Grade) -> &mut BTreeMap<Verdict, usize> {
        match grade {
            Grade::Required => &mut self.required,
            Grade::Advisory => &mut self.advisory,
        }
    }
}

impl Outcome {
    /// The outcome of these judgements. `interrupted` says why the probing did not end by itself.
    pub fn of(facts: &Facts, judgements: &[Judgement], interrupted: Option<&str>) -> Self {
        let tally = Tally::of(judgements);
        let required = |verdict| tally.required.get(&verdict).copied().unwrap_or(0);
        let mut incomplete: Vec<String> = interrupted.map(str::to_owned).into_iter().collect();
        incomplete.extend(tally.unseen());
        incomplete.extend(gaps(facts));
        if required(Verdict::Pass) + required(Verdict::Fail) + required(Verdict::Waived) == 0 && incomplete.is_empty() {
            incomplete.push("nothing was found that this hierarchy needs".to_owned());
        }
        Self { non_compliant: required(Verdict::Fail) > 0, incomplete, tally }
    }

    /// Compliant: all that is required was looked at, and reached or waived.
    pub fn is_compliant(&self) -> bool {
        !self.non_compliant && self.incomplete.is_empty()
    }

    /// Required endpoints that are not reached, and for which somebody answers.
    pub fn waived(&self) -> usize {
        self.tally.required.get(&Verdict::Waived).copied().unwrap_or(0)
    }

    /// The exit code: 0 compliant, 1 non-compliant, 3 incomplete.
    pub fn exit_code(&self) -> u8 {
        match (self.non_compliant, self.incomplete.is_empty()) {
            (true, _) => 1,
            (false, false) => 3,
            (false, true) => 0,
        }
    }

    /// In words: `non-compliant and incomplete`.
    pub fn title(&self) -> &'static str {
        match (self.non_compliant, self.incomplete.is_empty()) {
            (true, true) => "non-compliant",
            (true, false) => "non-compliant and incomplete",
            (false, false) => "incomplete",
            (false, true) if self.waived() > 0 => "compliant, with waivers",
            (false, true) => "compliant",
        }
    }
}

/// What the facts do not say that they should: what is unknown, lists that cannot be whole, and unusable values.
pub fn gaps(facts: &Facts) -> Vec<String> {
    let unknown = unknown_facts(facts).into_iter().map(|(name, detail)| format!("unknown: {name} ({detail})"));
    let above = facts.above().map(|above| above.to_string());
    let mut gaps: Vec<String> = unknown.chain(above).chain(contradictions(facts)).collect();
    if !facts.data_findings.is_empty() {
        gaps.push(format!("{} unusable values in the site database", facts.data_findings.len()));
    }
    gaps
}

/// The facts that are unknown, with the reason.
pub fn unknown_facts(facts: &Facts) -> Vec<(&'static str, String)> {
    fn detail<T>(fact: &Fact<T>) -> Option<&String> {
        match fact {
            Fact::Unknown { detail, .. } => Some(detail),
            Fact::Known { .. } => None,
        }
    }
    // Taken apart by name, so that a new fact cannot be forgotten here.
    let Facts {
        connection: _,
        other_connections: _,
        this_site,
        sites,
        site_systems,
        site_system_proxies,
        service_connection_points,
        software_update_points,
        sync_sources,
        cmg_connection_points,
        cmgs,
        tenants,
        azure_environments,
        entra_user_discovery,
        // What these decide, if anything, is left undecided and counts there: one that no catalog entry asks for is no
        // reason to call a run incomplete.
        site_databases: _,
        internet_names: _,
        distribution_points: _,
        cloud_distribution_points: _,
        cmg_addresses: _,
        entra_apps: _,
        azure_services: _,
        group_syncs: _,
        co_management_policies: _,
        co_managed_clients: _,
        intune_accounts: _,
        service_connectors: _,
        tenant_attach: _,
        endpoint_analytics: _,
        desktop_analytics: _,
        store_for_business: _,
        asset_intelligence: _,
        default_client_settings: _,
        custom_client_settings: _,
        subscriptions: _,
        servicing_plans: _,
        edge_policies: _,
        third_party_catalogs: _,
        update_packages: _,
        features: _,
        notification_rules: _,
        notification_hosts: _,
        revocation_restricted: _,
        consoles: _,
        microsoft_365_clients: _,
        clients_by_system: _,
        online_clients: _,
        client_counts: _,
        data_findings: _,
    } = facts;
    [
        ("this site", detail(this_site)),
        ("sites", detail(sites)),
        ("site systems", detail(site_systems)),
        ("proxies of the site systems", detail(site_system_proxies)),
        ("service connection points", detail(service_connection_points)),
        ("software update points", detail(software_update_points)),
        ("synchronization sources", detail(sync_sources)),
        ("CMG connection points", detail(cmg_connection_points)),
        ("cloud management gateways", detail(cmgs)),
        ("Microsoft Entra tenants", detail(tenants)),
        ("AzureEnvironments", detail(azure_environments)),
        ("Microsoft Entra user discovery", detail(entra_user_discovery)),
    ]
    .into_iter()
    .filter_map(|(name, detail)| detail.map(|d| (name, d.clone())))
    .collect()
}

/// Lists that cannot be whole: no hierarchy is without a site or a server, and each site has a site server that both
/// lists know. What such a list does not have was not looked at.
fn contradictions(facts: &Facts) -> Vec<String> {
    let mut found = Vec::new();
    for (what, empty) in [("sites", is_empty(&facts.sites)), ("site systems", is_empty(&facts.site_systems))] {
        if empty {
            found.push(format!("the list of {what} is empty"));
        }
    }
    let Some(systems) = facts.site_systems.known().filter(|systems| !systems.is_empty()) else { return found };
    let mut servers: HashMap<&SiteCode, Vec<&HostName>> = HashMap::new();
    for system in systems {
        if system.roles.iter().any(|installed| installed.role == Role::SiteServer) {
            servers.entry(&system.site).or_default().push(&system.host);
        }
    }
    for site in facts.sites.rows() {
        let listed = servers.get(&site.code).map_or(&[][..], Vec::as_slice);
        match &site.server {
            Some(server) if listed.iter().any(|host| host.same_machine(server)) => {}
            Some(server) => found.push(format!(
                "the list of site systems is not whole: {server}, the site server of {}, is not in it as one",
                site.code
            )),
            None if listed.is_empty() => found.push(format!("nothing names the site server of {}", site.code)),
            None => {}
        }
    }
    found
}

fn is_empty<T>(fact: &Fact<Vec<T>>) -> bool {
    !fact.is_unknown() && fact.rows().is_empty()
}
