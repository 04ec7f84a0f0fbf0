//! Filling templates from the facts.

use super::condition::missing;
use super::index::Index;
use super::requirement::RequiredName;
use super::sup;
use crate::catalog::{Cloud, EndpointTemplate, Entry, Part, PortRule, Ports, Variable};
use crate::host::{HostName, HostPattern, Scheme};
use crate::site::{AzureEnvironment, Cmg, Fact, SiteCode};

/// One endpoint that an entry names in this hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) name: RequiredName,
    /// Ports; empty if they are unknown.
    pub(super) ports: Vec<u16>,
    pub(super) reasons: Vec<String>,
    /// What is missing for the name or the ports.
    pub(super) missing: Vec<String>,
}

/// The endpoints that an entry names for one server.
pub(super) fn fill(entry: &Entry, facts: &Index<'_>, server: Option<(&SiteCode, &HostName)>) -> Vec<Filled> {
    match &entry.endpoint {
        EndpointTemplate::Pattern(pattern) => vec![Filled {
            name: RequiredName::Pattern(pattern.clone()),
            ports: fixed(&entry.ports),
            reasons: Vec::new(),
            missing: Vec::new(),
        }],
        EndpointTemplate::Template(parts) => {
            let has = |wanted: fn(&Variable) -> bool| {
                parts.iter().any(|p| matches!(p, Part::Variable(variable) if wanted(variable)))
            };
            if has(|v| matches!(v, Variable::SupUpstream | Variable::SupDownstream)) {
                from_sups(entry, parts, facts, server)
            } else if has(is_cmg) {
                from_cmgs(entry, parts, facts)
            } else {
                from_environments(entry, parts, facts)
            }
        }
    }
}

fn is_cmg(variable: &Variable) -> bool {
    matches!(
        variable,
        Variable::CmgServiceName | Variable::CmgDeploymentName | Variable::CmgStorage | Variable::CmgPrefix
    )
}

fn fixed(ports: &Ports) -> Vec<u16> {
    match ports {
        Ports::Fixed(ports) => ports.clone(),
        Ports::FromFacts(_) => Vec::new(),
    }
}

fn unfilled(entry: &Entry, missing: String) -> Filled {
    Filled {
        name: RequiredName::Template(entry.endpoint.to_string()),
        ports: fixed(&entry.ports),
        reasons: Vec::new(),
        missing: vec![missing],
    }
}

/// Joins the parts; `Err` names what is missing, `Ok(None)` says that the value is known to be absent.
fn join(
    parts: &[Part],
    value: impl Fn(&Variable) -> Result<Option<String>, String>,
) -> Result<Option<HostPattern>, String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(piece) => text.push_str(piece),
            Part::Variable(variable) => match value(variable)? {
                Some(piece) => text.push_str(&piece),
                None => return Ok(None),
            },
        }
    }
    HostName::parse(&text)
        .map(|host| Some(HostPattern::Exact(host)))
        .map_err(|error| format!("the values in the site database give no host name: {error}"))
}

fn from_cmgs(entry: &Entry, parts: &[Part], facts: &Index<'_>) -> Vec<Filled> {
    if let Some(missing) = missing("cloud management gateways", &facts.cmgs) {
        return vec![unfilled(entry, missing)];
    }
    let mut filled = Vec::new();
    for (number, cmg) in facts.cmgs.rows().iter().enumerate() {
        let title = cmg.name.clone().unwrap_or_else(|| format!("number {}", number + 1));
        let cloud = cmg.environment.and_then(Cloud::from_environment);
        if cloud.is_some_and(|cloud| !entry.clouds.contains(&cloud)) {
            continue;
        }
        if cloud.is_none() && entry.clouds.len() < Cloud::ALL.len() {
            filled.push(unfilled(entry, format!("Azure environment of cloud management gateway {title}")));
            continue;
        }
        let reason = format!("cloud management gateway {title}");
        match join(parts, |variable| cmg_value(variable, cmg, &title, facts)) {
            Ok(None) => {}
            Ok(Some(pattern)) => {
                let (ports, missing) = cmg_ports(&entry.ports, cmg, &title);
                let mut reasons = vec![reason];
                if matches!(entry.ports, Ports::FromFacts(_)) && !ports.is_empty() {
                    reasons.push(format!("{} of its instances, so port {}", ports.len(), list(&ports)));
                }
                filled.push(Filled { name: RequiredName::Pattern(pattern), ports, reasons, missing });
            }
            Err(missing) => filled.push(Filled { reasons: vec![reason], ..unfilled(entry, missing) }),
        }
    }
    filled
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// 443 with one instance; from 10124 up, one port for each instance, with two and more (CMG data flow).
fn cmg_ports(ports: &Ports, cmg: &Cmg, title: &str) -> (Vec<u16>, Vec<String>) {
    match ports {
        Ports::Fixed(ports) => (ports.clone(), Vec::new()),
        Ports::FromFacts(PortRule::CmgInstances) => match cmg.instances {
            Some(1) => (vec![443], Vec::new()),
            Some(n @ 2..=16) => ((0..n).filter_map(|i| u16::try_from(10124 + i).ok()).collect(), Vec::new()),
            Some(n) => (Vec::new(), vec![format!("instances of cloud management gateway {title}: {n} is not 1 to 16")]),
            None => (Vec::new(), vec![format!("number of instances of cloud management gateway {title}")]),
        },
        Ports::FromFacts(PortRule::SoftwareUpdatePoint) => {
            (Vec::new(), vec!["a cloud management gateway has no WSUS port".to_owned()])
        }
    }
}

fn cmg_value(variable: &Variable, cmg: &Cmg, title: &str, facts: &Index<'_>) -> Result<Option<String>, String> {
    let named = |what: &str, value: Option<&HostName>| {
        value
            .map(|name| Some(name.to_string()))
            .ok_or_else(|| format!("{what} of cloud management gateway {title}: not in the site database"))
    };
    match variable {
        Variable::CmgServiceName => named("service name", cmg.service_name.as_ref()),
        Variable::CmgDeploymentName => named("deployment name", cmg.deployment_name.as_ref()),
        Variable::CmgStorage => named("storage account", cmg.storage_name.as_ref()),
        Variable::CmgPrefix => named("deployment name", cmg.deployment_name.as_ref())
            .map(|name| name.map(|n| n.split('.').next().unwrap_or_default().to_owned())),
        Variable::Azure(column) => {
            if let Some(missing) = missing("AzureEnvironments", &facts.azure_environments) {
                return Err(missing);
            }
            let row = facts.azure_environments.rows().iter().find(|row| Some(row.id) == cmg.environment);
            let row = row.ok_or_else(|| format!("AzureEnvironments row of cloud management gateway {title}"))?;
            match azure_value(row, column, facts) {
                Ok(None) => Err(format!("{column} of AzureEnvironments row {}: empty", row.id)),
                value => value,
            }
        }
        Variable::SupUpstream | Variable::SupDownstream => Err("no software update point here".to_owned()),
    }
}

/// The value of a column; `Ok(None)` if it is empty, `Err` if the column or a usable value is missing.
fn azure_value(row: &AzureEnvironment, column: &str, facts: &Index<'_>) -> Result<Option<String>, String> {
    if let Some(name) = row.hosts.get(column).or_else(|| row.suffixes.get(column)) {
        return Ok(Some(name.to_string()));
    }
    let not_there = match &facts.azure_environments {
        Fact::Known { source, .. } => source.missing_columns.iter().any(|c| c.eq_ignore_ascii_case(column)),
        _ => true,
    };
    let bad = facts
        .data_findings
        .iter()
        .any(|f| f.object.ends_with("AzureEnvironments") && f.column.eq_ignore_ascii_case(column));
    if not_there {
        Err(format!("column {column} of AzureEnvironments is not visible"))
    } else if bad {
        Err(format!("column {column} of AzureEnvironments: see the data findings"))
    } else {
        Ok(None)
    }
}

fn from_environments(entry: &Entry, parts: &[Part], facts: &Index<'_>) -> Vec<Filled> {
    let mut filled = Vec::new();
    if let Some(missing) = missing("AzureEnvironments", &facts.azure_environments) {
        return vec![unfilled(entry, missing)];
    }
    let in_use = EnvironmentsInUse::of(facts);
    for missing in &in_use.missing {
        filled.push(unfilled(entry, missing.clone()));
    }
    for (id, user) in &in_use.ids {
        if Cloud::from_environment(*id).is_some_and(|cloud| !entry.clouds.contains(&cloud)) {
            continue;
        }
        let Some(row) = facts.azure_environments.rows().iter().find(|row| row.id == *id) else {
            filled.push(unfilled(entry, format!("AzureEnvironments has no row {id}, which {user} uses")));
            continue;
        };
        let value = |variable: &Variable| match variable {
            Variable::Azure(column) => azure_value(row, column, facts),
            _ => Ok(None),
        };
        match join(parts, value) {
            Ok(None) => {}
            Ok(Some(pattern)) => filled.push(Filled {
                name: RequiredName::Pattern(pattern),
                ports: fixed(&entry.ports),
                reasons: vec![format!(
                    "AzureEnvironments row {id} ({}), used by {user}",
                    row.name.as_deref().unwrap_or("no name")
                )],
                missing: Vec::new(),
            }),
            Err(missing) => filled.push(unfilled(entry, missing)),
        }
    }
    filled
}

/// The rows of `AzureEnvironments` that a tenant or a gateway uses. The table lists all environments, used or not.
struct EnvironmentsInUse {
    /// Id and who uses it, once for each id.
    ids: Vec<(i64, String)>,
    missing: Vec<String>,
}

impl EnvironmentsInUse {
    fn of(facts: &Index<'_>) -> Self {
        let mut this = Self { ids: Vec::new(), missing: Vec::new() };
        this.missing.extend(missing("Microsoft Entra tenants", &facts.tenants));
        this.missing.extend(missing("cloud management gateways", &facts.cmgs));
        for tenant in facts.tenants.rows() {
            let title = tenant.name.as_deref().unwrap_or(&tenant.id);
            this.add(tenant.environment, format!("Microsoft Entra tenant {title}"));
        }
        for cmg in facts.cmgs.rows() {
            let title = cmg.name.as_deref().unwrap_or("(no name)");
            this.add(cmg.environment, format!("cloud management gateway {title}"));
        }
        this
    }

    fn add(&mut self, id: Option<i64>, user: String) {
        match id {
            Some(id) if self.ids.iter().any(|(known, _)| *known == id) => {}
            Some(id) => self.ids.push((id, user)),
            None => self.missing.push(format!("Azure environment of {user}")),
        }
    }
}

/// Whether a cloud is in use: by a tenant or a gateway. `Err`: what is missing to tell.
pub(super) fn cloud_in_use(facts: &Index<'_>, clouds: &[Cloud]) -> Result<Option<String>, Vec<String>> {
    let in_use = EnvironmentsInUse::of(facts);
    let user = in_use
        .ids
        .iter()
        .find_map(|(id, user)| Cloud::from_environment(*id).filter(|c| clouds.contains(c)).map(|c| (c, user)));
    match user {
        Some((cloud, user)) => Ok(Some(format!("{} is used by {user}", cloud.title()))),
        None if in_use.missing.is_empty() => Ok(None),
        None => Err(in_use.missing),
    }
}

fn from_sups(entry: &Entry, parts: &[Part], facts: &Index<'_>, server: Option<(&SiteCode, &HostName)>) -> Vec<Filled> {
    let Some((site, host)) = server else {
        return vec![unfilled(entry, "names of the software update points".to_owned())];
    };
    let up = parts.iter().any(|p| matches!(p, Part::Variable(Variable::SupUpstream)));
    let links = if up {
        sup::upstream(facts, site, host).map(|link| link.into_iter().collect())
    } else {
        sup::downstream(facts, host).map(|links| links.into_iter().cloned().collect::<Vec<_>>())
    };
    let links = match links {
        Ok(links) => links,
        Err(missing) => return vec![unfilled(entry, missing)],
    };
    let mut filled = Vec::new();
    for link in links {
        let mut missing = Vec::new();
        let port = match (entry.scheme, link.tls) {
            (Scheme::Http, _) => link.http_port,
            (Scheme::Https, Some(false)) => continue,
            (Scheme::Https, Some(true)) => link.https_port,
            (Scheme::Https, None) => {
                missing.push(format!("whether {} is reached over TLS", link.host));
                link.https_port
            }
        };
        let ports = match (&entry.ports, port) {
            (Ports::Fixed(ports), _) => ports.clone(),
            (Ports::FromFacts(_), Some(port)) => vec![port],
            (Ports::FromFacts(_), None) => {
                missing.push(format!("{} port of WSUS on {}", entry.scheme, link.host));
                Vec::new()
            }
        };
        let direction = if up { "synchronizes from" } else { "is synchronized from by" };
        let reasons = vec![format!("{host} {direction} {}", link.host)];
        filled.push(Filled { name: RequiredName::Pattern(HostPattern::Exact(link.host)), ports, reasons, missing });
    }
    filled
}
