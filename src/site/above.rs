//! A database below the top of the hierarchy: what it cannot tell, and where the one is that can.
//!
//! A database has the clients of its own site and of those below it. The rest of the hierarchy reaches it by
//! replication, of which nobody has published what it leaves out: what is seen in such a database is there, and what
//! is not seen may be there all the same.

use std::collections::BTreeSet;
use std::fmt;

use super::fact::{Fact, UnknownWhy};
use super::facts::{DatabaseServer, Facts};
use super::names::SiteCode;

/// The top-level site, seen from the database of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    /// The site whose database was read.
    pub site: SiteCode,
    /// The site at the top.
    pub top: SiteCode,
    /// Its database, where the one that was read knows it.
    pub database: Option<DatabaseServer>,
}

impl fmt::Display for Above {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, top, database } = self;
        write!(f, "read from the database of site {site}, which is below {top}: read that of {top} as well")?;
        match database {
            Some(DatabaseServer { host, instance, database, .. }) => {
                if let Some(name) = database {
                    write!(f, ", {name}")?;
                }
                let instance = instance.as_ref().map(|name| format!("\\{name}")).unwrap_or_default();
                write!(f, " on {host}{instance}")
            }
            None => write!(f, " (where it is, this database does not say)"),
        }
    }
}

impl Facts {
    /// The site at the top of the hierarchy, if none of these facts is from its database.
    pub fn above(&self) -> Option<Above> {
        let site = self.this_site.known()?;
        let sites = self.sites.rows();
        let parent =
            |code: &SiteCode| sites.iter().find(|site| site.code == *code).and_then(|site| site.parent.as_ref());
        let mut passed = BTreeSet::from([site]);
        let mut top = parent(site)?;
        // Parents that go in a circle have no top; a finding says so.
        while passed.insert(top) {
            let Some(next) = parent(top) else {
                let database = self.site_databases.rows().iter().find(|row| row.site == *top).cloned();
                return Some(Above { site: site.clone(), top: top.clone(), database });
            };
            top = next;
        }
        None
    }

    /// Whether nothing says that this is the database of the top-level site. A hierarchy of one site has no other.
    fn may_be_below(&self) -> bool {
        self.this_site.is_unknown() && !matches!(self.sites.rows(), [only] if only.parent.is_none())
    }

    /// The same facts; those that the database of a site below the top cannot know are unknown, and the others may not
    /// be all.
    #[must_use]
    pub(super) fn seen_from_here(mut self) -> Self {
        let (clients, none, some) = match self.above() {
            Some(Above { site, top, .. }) => {
                let here = format!("the database of site {site}, which is below {top},");
                (
                    format!("{here} has the clients of that site only"),
                    format!("{here} has none; that of {top} may"),
                    format!("{here} may not have all of it; that of {top} has"),
                )
            }
            None if self.may_be_below() => {
                let here = "the database is of a site that is not known, and may be below the top:";
                (
                    format!("{here} it may have the clients of that site only"),
                    format!("{here} it has none, and that of the top-level site may"),
                    format!("{here} it may not have all of it"),
                )
            }
            None => return self,
        };
        self.forget_clients(&clients);
        self.doubt(&none, &some);
        self
    }

    fn forget_clients(&mut self, detail: &str) {
        forget(&mut self.co_managed_clients, detail, |_| true);
        forget(&mut self.microsoft_365_clients, detail, |_| true);
        forget(&mut self.clients_by_system, detail, |_| true);
        forget(&mut self.online_clients, detail, |_| true);
        forget(&mut self.client_counts, detail, |_| true);
    }

    fn doubt(&mut self, none: &str, some: &str) {
        fn list<T>(fact: &mut Fact<Vec<T>>, [none, some]: [&str; 2]) {
            doubt(fact, none, some, Vec::is_empty);
        }
        fn count(fact: &mut Fact<u64>, [none, some]: [&str; 2]) {
            doubt(fact, none, some, |count| *count == 0);
        }
        let detail = [none, some];
        list(&mut self.site_databases, detail);
        list(&mut self.site_systems, detail);
        list(&mut self.site_system_proxies, detail);
        list(&mut self.internet_names, detail);
        list(&mut self.service_connection_points, detail);
        list(&mut self.software_update_points, detail);
        list(&mut self.sync_sources, detail);
        list(&mut self.distribution_points, detail);
        list(&mut self.asset_intelligence, detail);
        list(&mut self.cmg_connection_points, detail);
        list(&mut self.cmgs, detail);
        list(&mut self.cmg_addresses, detail);
        list(&mut self.cloud_distribution_points, detail);
        list(&mut self.tenants, detail);
        list(&mut self.azure_environments, detail);
        list(&mut self.azure_services, detail);
        list(&mut self.entra_apps, detail);
        doubt(&mut self.entra_user_discovery, none, some, |on| !on);
        count(&mut self.group_syncs, detail);
        count(&mut self.co_management_policies, detail);
        count(&mut self.intune_accounts, detail);
        count(&mut self.service_connectors, detail);
        count(&mut self.desktop_analytics, detail);
        doubt(&mut self.store_for_business, none, some, |store| store.accounts == 0);
        list(&mut self.default_client_settings, detail);
        list(&mut self.custom_client_settings, detail);
        list(&mut self.subscriptions, detail);
        count(&mut self.servicing_plans, detail);
        count(&mut self.edge_policies, detail);
        list(&mut self.third_party_catalogs, detail);
        list(&mut self.update_packages, detail);
        list(&mut self.features, detail);
        count(&mut self.notification_rules, detail);
        list(&mut self.consoles, detail);
    }
}

/// Makes a known value that says nothing from here unknown, and any other one what may not be all.
fn doubt<T>(fact: &mut Fact<T>, none: &str, some: &str, says_nothing: impl FnOnce(&T) -> bool) {
    forget(fact, none, says_nothing);
    if let Fact::Known { source, .. } = fact {
        source.may_lack = Some(format!("{}: {some}", source.object));
    }
}

/// Makes a known value that says nothing from here unknown.
fn forget<T>(fact: &mut Fact<T>, detail: &str, says_nothing: impl FnOnce(&T) -> bool) {
    if let Fact::Known { value, source } = fact
        && says_nothing(value)
    {
        let detail = format!("{}: {detail}", source.object);
        *fact = Fact::Unknown { why: UnknownWhy::NotEvidenced, detail };
    }
}
