//! Who needs endpoints: servers by role, clients and consoles.

use std::collections::{BTreeMap, HashMap};

use super::condition::missing_or_more;
use super::index::Index;
use super::requirement::Subject;
use crate::catalog::CatalogRole;
use crate::host::HostName;
use crate::site::{Fact, Role, SiteCode, UnknownWhy};

/// A subject in a role.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) subject: Subject,
    /// What makes it one.
    pub(super) reason: String,
    /// What the ids of its requirements begin with.
    pub(super) prefix: String,
    pub(super) missing: Vec<String>,
}

impl Who {
    /// `source` is the object that names a host.
    fn new(subject: Subject, role: CatalogRole, source: &str, missing: Vec<String>) -> Self {
        let title = role.title();
        let reason = match &subject {
            Subject::Host { site, host } => format!("{host} is {title} of site {site} ({source})"),
            Subject::Clients | Subject::Consoles => format!("{subject} of this hierarchy"),
            Subject::UnknownHosts => format!("whether a server is {title} is unknown"),
        };
        let slug = |text: &str| text.replace(' ', "-");
        let role = slug(title).to_lowercase();
        let prefix = match &subject {
            Subject::Host { site, host } => format!("{site}/{host}/{role}/"),
            other => format!("{}/{role}/", slug(&other.to_string())),
        };
        Self { subject, reason, prefix, missing }
    }

    /// The server, where there is one.
    pub(super) fn server(&self) -> Option<(&SiteCode, &HostName)> {
        match &self.subject {
            Subject::Host { site, host } => Some((site, host)),
            _ => None,
        }
    }
}

/// What is missing where the list of site systems has no row.
const EMPTY: &str = "site systems: the list is empty";

/// The servers by role, from the list of site systems and from the facts about single roles.
pub(super) struct Servers {
    by_role: BTreeMap<Role, BTreeMap<Subject, String>>,
    /// Why the list of site systems is not known, or not whole. No site is without a server, so an empty list is none.
    missing: Option<String>,
    /// Roles whose servers are known from a fact of their own.
    known: Vec<Role>,
    /// Roles that some server has, or is to have, and nothing says which.
    open: BTreeMap<Role, String>,
    /// Sites whose site server nothing names.
    sites_without_server: Vec<String>,
}

impl Servers {
    pub(super) fn of(facts: &Index<'_>) -> Self {
        let mut this = Self {
            by_role: BTreeMap::new(),
            missing: missing_or_more("site systems", &facts.site_systems)
                .or_else(|| facts.site_systems.rows().is_empty().then(|| EMPTY.to_owned())),
            known: Vec::new(),
            open: BTreeMap::new(),
            sites_without_server: Vec::new(),
        };
        if let Fact::Known { value, source } = &facts.site_systems {
            for system in value {
                for installed in &system.roles {
                    this.add(installed.role.clone(), &system.site, &system.host, &source.object);
                }
            }
        }
        this.add_rows(Role::ServiceConnectionPoint, &facts.service_connection_points, |p| (&p.site, &p.host));
        this.add_rows(Role::SoftwareUpdatePoint, &facts.software_update_points, |p| (&p.site, &p.host));
        this.add_rows(Role::CmgConnectionPoint, &facts.cmg_connection_points, |p| (&p.site, &p.host));
        this.add_rows(Role::DistributionPoint, &facts.distribution_points, |p| (&p.site, &p.host));
        this.add_rows(Role::AssetIntelligenceSynchronizationPoint, &facts.asset_intelligence, |p| (&p.site, &p.host));
        this.add_site_servers(facts);
        this
    }

    /// The site servers that the list of sites names, where the list of site systems does not have them.
    fn add_site_servers(&mut self, facts: &Index<'_>) {
        let mut machines: HashMap<(&SiteCode, &str), Vec<&HostName>> = HashMap::new();
        for system in facts.site_systems.rows() {
            machines.entry((&system.site, system.host.short())).or_default().push(&system.host);
        }
        let mut servers: HashMap<SiteCode, Vec<HostName>> = HashMap::new();
        for subject in self.by_role.get(&Role::SiteServer).into_iter().flat_map(BTreeMap::keys) {
            if let Subject::Host { site, host } = subject {
                servers.entry(site.clone()).or_default().push(host.clone());
            }
        }
        let Fact::Known { value, source } = &facts.sites else { return };
        for site in value {
            let listed = servers.get(&site.code).map_or(&[][..], Vec::as_slice);
            match &site.server {
                Some(server) if listed.iter().any(|host| host.same_machine(server)) => {}
                Some(server) => {
                    // The name that the list of site systems has for this machine, since other facts go by that.
                    let known = machines.get(&(&site.code, server.short())).into_iter().flatten();
                    let host = known.copied().find(|host| host.same_machine(server)).unwrap_or(server);
                    self.add(Role::SiteServer, &site.code, host, &source.object);
                }
                None if listed.is_empty() => {
                    self.sites_without_server.push(format!("site server of site {}: nothing names it", site.code));
                }
                None => {}
            }
        }
    }

    fn add(&mut self, role: Role, site: &SiteCode, host: &HostName, source: &str) {
        let subject = Subject::Host { site: site.clone(), host: host.clone() };
        self.by_role.entry(role).or_default().entry(subject).or_insert_with(|| source.to_owned());
    }

    fn add_rows<T>(&mut self, role: Role, fact: &Fact<Vec<T>>, place: impl Fn(&T) -> (&SiteCode, &HostName)) {
        match fact {
            Fact::Known { value, source } => {
                // Where there is not one site system, that there is none of this role says nothing.
                let says_all = !value.is_empty() || self.missing.as_deref() != Some(EMPTY);
                if says_all && source.may_lack.is_none() {
                    self.known.push(role.clone());
                }
                for row in value {
                    let (site, host) = place(row);
                    self.add(role.clone(), site, host, &source.object);
                }
            }
            Fact::Unknown { why: UnknownWhy::NotEvidenced, detail } => drop(self.open.insert(role, detail.clone())),
            Fact::Unknown { .. } => {}
        }
    }

    pub(super) fn subjects(&self, role: CatalogRole) -> Vec<Who> {
        let Some(site_role) = role.site_role() else {
            let subject = if role == CatalogRole::Client { Subject::Clients } else { Subject::Consoles };
            return vec![Who::new(subject, role, "", Vec::new())];
        };
        let hosts = self.by_role.get(&site_role).into_iter().flatten();
        let mut subjects: Vec<Who> =
            hosts.map(|(subject, source)| Who::new(subject.clone(), role, source, Vec::new())).collect();
        let open = if subjects.is_empty() { self.open.get(&site_role) } else { None };
        let unlisted = self.missing.as_ref().filter(|_| !self.known.contains(&site_role)).or(open);
        let mut missing: Vec<String> = unlisted.into_iter().cloned().collect();
        if site_role == Role::SiteServer && missing.is_empty() {
            missing.clone_from(&self.sites_without_server);
        }
        if !missing.is_empty() {
            subjects.push(Who::new(Subject::UnknownHosts, role, "", missing));
        }
        subjects
    }
}
