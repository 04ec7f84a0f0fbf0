//! The facts, indexed by server and site, so that derivation grows with hosts and requirements and nothing else.

use std::collections::HashMap;
use std::ops::Deref;

use super::condition::more;
use super::sup::{self, Link, Synchronization};
use crate::host::HostName;
use crate::site::{DistributionPoint, Facts, Role, SiteCode, SiteSystemProxy, SoftwareUpdatePoint, SyncSource};

/// The facts with look-ups by server. Servers are filed under their short names, since the database may hold either.
pub(super) struct Index<'a> {
    facts: &'a Facts,
    proxies: HashMap<&'a str, Vec<&'a SiteSystemProxy>>,
    points: HashMap<&'a str, Vec<&'a SoftwareUpdatePoint>>,
    points_of_site: HashMap<&'a SiteCode, Vec<&'a SoftwareUpdatePoint>>,
    syncs: HashMap<&'a SiteCode, &'a SyncSource>,
    /// By the short name of the server at the upper end.
    downstream: HashMap<String, Vec<(HostName, Link)>>,
    /// What is missing to tell whether others synchronize from a server; by its short name.
    unsure_downstream: HashMap<String, Vec<(HostName, String)>>,
    /// What is missing to tell whether a site synchronizes from any server of another one.
    unsure_anywhere: Vec<(SiteCode, String)>,
    /// Why there may be more servers that synchronize than are known.
    more_synchronize: Vec<String>,
    distribution_points: HashMap<&'a str, Vec<&'a DistributionPoint>>,
    newest_build: Option<u32>,
}

impl Deref for Index<'_> {
    type Target = Facts;
    fn deref(&self) -> &Facts {
        self.facts
    }
}

impl<'a> Index<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        let mut this = Self {
            facts,
            proxies: HashMap::new(),
            points: HashMap::new(),
            points_of_site: HashMap::new(),
            syncs: HashMap::new(),
            downstream: HashMap::new(),
            unsure_downstream: HashMap::new(),
            unsure_anywhere: Vec::new(),
            more_synchronize: more("software update points", &facts.software_update_points)
                .into_iter()
                .chain(more("synchronization sources", &facts.sync_sources))
                .collect(),
            distribution_points: HashMap::new(),
            newest_build: facts.sites.rows().iter().filter_map(|site| site.build).max(),
        };
        for proxy in facts.site_system_proxies.rows() {
            this.proxies.entry(proxy.host.short()).or_default().push(proxy);
        }
        for point in facts.software_update_points.rows() {
            this.points.entry(point.host.short()).or_default().push(point);
            this.points_of_site.entry(&point.site).or_default().push(point);
        }
        for sync in facts.sync_sources.rows() {
            this.syncs.entry(&sync.site).or_insert(sync);
        }
        for point in facts.distribution_points.rows() {
            this.distribution_points.entry(point.host.short()).or_default().push(point);
        }
        for synchronization in sup::synchronizations(&this) {
            match synchronization {
                Synchronization::Link(upper, link) => {
                    this.downstream.entry(upper.short().to_owned()).or_default().push((upper, link));
                }
                Synchronization::Unsure(upper, missing) => {
                    this.unsure_downstream.entry(upper.short().to_owned()).or_default().push((upper, missing));
                }
                Synchronization::UnsureAnywhere(site, missing) => this.unsure_anywhere.push((site, missing)),
            }
        }
        this
    }

    /// The proxy settings of one server of a site; more than one only where the database contradicts itself.
    pub(super) fn proxies(&self, site: &SiteCode, host: &HostName) -> impl Iterator<Item = &'a SiteSystemProxy> {
        let all = self.proxies.get(host.short()).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(move |p| p.site == *site && p.host.same_machine(host))
    }

    /// The software update point on one server of a site.
    pub(super) fn point(&self, site: &SiteCode, host: &HostName) -> Option<&'a SoftwareUpdatePoint> {
        let all = self.points.get(host.short()).map_or(&[][..], Vec::as_slice);
        all.iter().copied().find(|p| p.site == *site && p.host.same_machine(host))
    }

    /// The software update point on one server, whatever its site.
    pub(super) fn point_of_any_site(&self, host: &HostName) -> Option<&'a SoftwareUpdatePoint> {
        self.points.get(host.short())?.iter().copied().find(|p| p.host.same_machine(host))
    }

    /// The software update points of a site.
    pub(super) fn points_of(&self, site: &SiteCode) -> &[&'a SoftwareUpdatePoint] {
        self.points_of_site.get(site).map_or(&[], Vec::as_slice)
    }

    /// The links to the servers that synchronize from this one.
    pub(super) fn downstream(&self, host: &HostName) -> impl Iterator<Item = &Link> {
        let all = self.downstream.get(host.short()).map_or(&[][..], Vec::as_slice);
        all.iter().filter(move |(upper, _)| upper.same_machine(host)).map(|(_, link)| link)
    }

    /// What is missing to tell whether still others synchronize from this server of a site.
    pub(super) fn unsure_downstream(&self, site: &SiteCode, host: &HostName) -> Vec<String> {
        let here = self.unsure_downstream.get(host.short()).into_iter().flatten();
        let here = here.filter(|(upper, _)| upper.same_machine(host)).map(|(_, missing)| missing);
        let others = self.unsure_anywhere.iter().filter(|(of, _)| of != site).map(|(_, missing)| missing);
        here.chain(others).chain(&self.more_synchronize).cloned().collect()
    }

    /// The sites that have software update points, with these, in the order of their codes.
    pub(super) fn sites_with_points(&self) -> Vec<(&'a SiteCode, &[&'a SoftwareUpdatePoint])> {
        let mut all: Vec<_> = self.points_of_site.iter().map(|(site, points)| (*site, points.as_slice())).collect();
        all.sort_unstable_by_key(|(site, _)| *site);
        all
    }

    /// The synchronization source of a site.
    pub(super) fn sync(&self, site: &SiteCode) -> Option<&'a SyncSource> {
        self.syncs.get(site).copied()
    }

    /// The distribution point on one server of a site.
    pub(super) fn distribution_point(&self, site: &SiteCode, host: &HostName) -> Option<&'a DistributionPoint> {
        let all = self.distribution_points.get(host.short()).map_or(&[][..], Vec::as_slice);
        all.iter().copied().find(|p| p.site == *site && p.host.same_machine(host))
    }

    /// Whether the list of site systems has a server with this role; `None` if the list does not tell, since it is not
    /// known, not whole, or has no row at all.
    pub(super) fn has_role(&self, role: &Role) -> Option<bool> {
        let systems = self.facts.site_systems.rows();
        let is_installed = || systems.iter().flat_map(|system| &system.roles).any(|installed| installed.role == *role);
        let has = !systems.is_empty() && is_installed();
        (has || (!systems.is_empty() && self.facts.site_systems.may_lack().is_none())).then_some(has)
    }

    /// The newest build of the sites, if one is known.
    pub(super) fn newest_build(&self) -> Option<u32> {
        self.newest_build
    }
}
