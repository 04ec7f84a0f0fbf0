//! Conditions on the service connection point and on what it connects to.

use super::super::index::Index;
use super::super::template;
use super::{Asker, Tri, count, decide, missing, more, source, unknown};
use crate::catalog::Cloud;
use crate::site::{Fact, Role};

pub(super) fn scp_online(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.service_connection_points;
    if let Some(missing) = missing("mode of the service connection point", fact) {
        return Tri::unknown(missing);
    }
    if let Some(more) = more("service connection points", fact).filter(|_| asker.server.is_none()) {
        return Tri::unknown(more);
    }
    let row = fact.rows().iter().find(|scp| asker.server.is_none_or(|(_, host)| host.same_machine(&scp.host)));
    match row.and_then(|scp| scp.online.map(|online| (scp, online))) {
        Some((scp, online)) => {
            Tri::of(online, || format!("the service connection point on {} is online ({})", scp.host, source(fact)))
        }
        None => Tri::unknown("mode of the service connection point: the site database does not say online or offline"),
    }
}

pub(super) fn cmg_exists(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.cmgs;
    if let Some(missing) = missing("cloud management gateways", fact) {
        return Tri::unknown(missing);
    }
    let mut undecided = template::no_gateway(asker.facts).or_else(|| more("cloud management gateways", fact));
    for cmg in fact.rows() {
        let name = cmg.name.as_deref().unwrap_or("(no name)");
        match cmg.environment.map(Cloud::from_environment) {
            Some(Some(cloud)) if asker.clouds.contains(&cloud) => {
                return Tri::True(vec![format!(
                    "cloud management gateway {name} in {} ({})",
                    cloud.title(),
                    source(fact)
                )]);
            }
            Some(Some(_)) => {}
            // A gateway in a cloud that is not known may be in this one.
            _ => undecided = Some(format!("Azure environment of cloud management gateway {name}")),
        }
    }
    undecided.map_or(Tri::False, Tri::unknown)
}

/// Whether any service connection point is online: for work that other servers do only then.
pub(super) fn hierarchy_online(facts: &Index<'_>) -> Tri {
    let fact = &facts.service_connection_points;
    decide("mode of the service connection point", fact, |points| {
        if let Some(online) = points.iter().find(|point| point.online == Some(true)) {
            return Tri::True(vec![format!(
                "the service connection point on {} is online ({})",
                online.host,
                source(fact)
            )]);
        }
        // An empty list of its own says that there is none, unless the list of site systems is empty too or has one.
        let contradicted = points.is_empty()
            && !facts.site_systems.is_unknown()
            && facts.has_role(&Role::ServiceConnectionPoint) != Some(false);
        if contradicted || points.iter().any(|point| point.online.is_none()) {
            return Tri::unknown(
                "mode of the service connection point: the site database does not say online or offline",
            );
        }
        Tri::False
    })
}

/// Whether a tenant of one of the entry's clouds is registered.
pub(super) fn entra_tenant(asker: Asker<'_>) -> Tri {
    let fact = &asker.facts.tenants;
    decide("Microsoft Entra tenants", fact, |tenants| {
        let mut undecided = template::no_tenant(asker.facts);
        for tenant in tenants {
            let name = tenant.name.as_deref().unwrap_or(&tenant.id);
            match tenant.environment.map(Cloud::from_environment) {
                Some(Some(cloud)) if asker.clouds.contains(&cloud) => {
                    return Tri::True(vec![format!("Microsoft Entra tenant {name} ({})", source(fact))]);
                }
                Some(Some(_)) => {}
                _ => undecided = Some(format!("Azure environment of Microsoft Entra tenant {name}")),
            }
        }
        undecided.map_or(Tri::False, Tri::unknown)
    })
}

/// A policy, or a client that reports one, is co-management. Only both counted and none found is none.
pub(super) fn co_management(facts: &Index<'_>) -> Tri {
    let clients = &facts.co_managed_clients;
    count("co-management policies", &facts.co_management_policies).or(|| {
        decide("co-managed clients", clients, |counted| {
            Tri::of(counted.with_policy > 0 || counted.enrolled > 0, || {
                format!(
                    "co-managed clients: {} with a policy, {} enrolled ({})",
                    counted.with_policy,
                    counted.enrolled,
                    source(clients)
                )
            })
        })
    })
}

pub(super) fn store_for_business(facts: &Index<'_>) -> Tri {
    let fact = &facts.store_for_business;
    decide("Microsoft Store for Business", fact, |store| {
        Tri::of(store.accounts > 0, || {
            format!("Microsoft Store for Business: {} accounts ({})", store.accounts, source(fact))
        })
    })
}

/// The hosts say so; a status filter rule of the documented set-up says so too, but its absence says nothing.
pub(super) fn external_notifications(facts: &Index<'_>) -> Tri {
    let rules = &facts.notification_rules;
    match &facts.notification_hosts {
        Fact::Known { value, source } => {
            Tri::of(!value.is_empty(), || format!("external notifications ({})", source.object))
        }
        Fact::Unknown { why, detail } => match rules.known() {
            Some(1..) => Tri::True(vec![format!("status filter rules of external notifications ({})", source(rules))]),
            _ => Tri::unknown(unknown("external notifications", *why, detail)),
        },
    }
}
