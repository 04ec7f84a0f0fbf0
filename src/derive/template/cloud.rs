//! Names from cloud management gateways, Azure environments, tenants and notifications.

use super::super::condition::{missing, missing_or_more, more};
use super::super::index::Index;
use super::{Filled, fixed, join, named, unfilled};
use crate::catalog::{Cloud, Entry, Part, PortRule, Ports, Tier, Variable};
use crate::host::{HostName, HostPattern};
use crate::site::{AzureEnvironment, Cmg, Fact, Role};

pub(super) fn from_cmgs(entry: &Entry, parts: &[Part], facts: &Index<'_>) -> Vec<Filled> {
    if let Some(missing) = missing("cloud management gateways", &facts.cmgs) {
        return vec![unfilled(entry, missing)];
    }
    let mut filled = Vec::new();
    if let Some(missing) = no_gateway(facts).or_else(|| more("cloud management gateways", &facts.cmgs)) {
        filled.push(unfilled(entry, missing));
    }
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
        if entry.ports == Ports::FromFacts(PortRule::CmgClassic) && is_classic(cmg) == Some(false) {
            continue;
        }
        match join(parts, |variable| cmg_value(variable, cmg, &title, facts)) {
            Ok(None) => {}
            Ok(Some(pattern)) => {
                let (ports, missing) = cmg_ports(&entry.ports, cmg, &title);
                let mut reasons = vec![reason];
                if matches!(entry.ports, Ports::FromFacts(_)) && !ports.is_empty() {
                    let ports = list(&ports);
                    reasons.push(format!("{} of its instances, so port {ports}", cmg.instances.unwrap_or_default()));
                }
                filled.push(named(entry, pattern, ports, reasons, missing));
            }
            Err(missing) => {
                let (ports, more) = cmg_ports(&entry.ports, cmg, &title);
                let missing = std::iter::once(missing).chain(more).collect();
                filled.push(Filled { reasons: vec![reason], ports, missing, ..unfilled(entry, String::new()) });
            }
        }
    }
    filled
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// 443 with one instance; from 10124 up, one port for each instance, with two and more; from 10140 up in any case for
/// the TCP-TLS of a classic deployment (CMG data flow).
fn cmg_ports(ports: &Ports, cmg: &Cmg, title: &str) -> (Vec<u16>, Vec<String>) {
    match ports {
        Ports::Fixed(ports) => (ports.clone(), Vec::new()),
        Ports::FromFacts(PortRule::CmgInstances) => match cmg.instances {
            Some(1) => (vec![443], Vec::new()),
            Some(n @ 2..=16) => (fan_out(10124, n), Vec::new()),
            Some(n) => (Vec::new(), vec![format!("instances of cloud management gateway {title}: {n} is not 1 to 16")]),
            None => {
                let which = "443 with one, 10124 and up to 10139 with more";
                (Vec::new(), vec![format!("number of instances of cloud management gateway {title}: {which}")])
            }
        },
        Ports::FromFacts(PortRule::CmgClassic) => {
            let unsure = is_classic(cmg).is_none();
            let mut missing: Vec<String> = unsure
                .then(|| format!("whether cloud management gateway {title} is a classic deployment"))
                .into_iter()
                .collect();
            if let Some(n @ 1..=16) = cmg.instances {
                (fan_out(10140, n), missing)
            } else {
                missing.push(format!("number of instances of cloud management gateway {title}: 10140 to 10155"));
                (Vec::new(), missing)
            }
        }
        Ports::FromFacts(PortRule::SoftwareUpdatePoint | PortRule::ThirdPartyCatalog) => {
            (Vec::new(), vec!["a cloud management gateway has no such port".to_owned()])
        }
    }
}

/// One port for each instance.
fn fan_out(first: u16, instances: u32) -> Vec<u16> {
    (first..).zip(0..instances).map(|(port, _)| port).collect()
}

/// Whether a gateway is a classic deployment. The database does not say so, but Azure's domain does: `cloudapp.net` is
/// classic, `cloudapp.azure.com` is a scale set; in US Government, `usgovcloudapp.net` is the suffix of classic services,
/// although the page has it for every gateway there.
fn is_classic(cmg: &Cmg) -> Option<bool> {
    let name = cmg.deployment_name.as_ref()?.as_str();
    let below = |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if below("cloudapp.net") || below("usgovcloudapp.net") {
        Some(true)
    } else if below("cloudapp.azure.com") || below("cloudapp.usgovcloudapi.net") {
        Some(false)
    } else {
        None
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
        other => Err(format!("a cloud management gateway has no {{{other}}}")),
    }
}

/// The value of a column; `Ok(None)` if it is empty, `Err` if the column or a usable value is missing.
fn azure_value(row: &AzureEnvironment, column: &str, facts: &Index<'_>) -> Result<Option<String>, String> {
    if let Some(name) = row.hosts.get(column).or_else(|| row.suffixes.get(column)) {
        return Ok(Some(name.to_string()));
    }
    let (not_there, object) = match &facts.azure_environments {
        Fact::Known { source, .. } => {
            (source.missing_columns.iter().any(|c| c.eq_ignore_ascii_case(column)), source.object.as_str())
        }
        Fact::Unknown { .. } => (true, ""),
    };
    // A finding of no object says that there are more findings than are listed: this column may be among them.
    let bad =
        facts.data_findings.iter().any(|f| f.object.is_empty() || (f.object == object && is_alias(&f.column, column)));
    if not_there {
        Err(format!("column {column} of AzureEnvironments is not visible"))
    } else if bad {
        Err(format!("column {column} of AzureEnvironments: see the data findings"))
    } else {
        Ok(None)
    }
}

/// Whether a finding's column is this one. A finding names it as the statement does: `graph_endpoint` for
/// `GraphEndpoint`.
pub(super) fn is_alias(alias: &str, column: &str) -> bool {
    let letters = |name: &str| name.replace('_', "").to_ascii_lowercase();
    letters(alias) == letters(column)
}

pub(super) fn from_environments(entry: &Entry, parts: &[Part], facts: &Index<'_>) -> Vec<Filled> {
    let mut filled = Vec::new();
    if let Some(missing) = missing("AzureEnvironments", &facts.azure_environments) {
        return vec![unfilled(entry, missing)];
    }
    let in_use = EnvironmentsInUse::of(facts);
    for missing in &in_use.missing {
        filled.push(unfilled(entry, missing.clone()));
    }
    for (id, user) in &in_use.ids {
        let cloud = Cloud::from_environment(*id);
        if cloud.is_some_and(|cloud| !entry.clouds.contains(&cloud)) {
            continue;
        }
        let unsure = cloud.is_none().then(|| unknown_cloud(*id, user));
        let Some(row) = facts.azure_environments.rows().iter().find(|row| row.id == *id) else {
            filled.push(unfilled(entry, format!("AzureEnvironments has no row {id}, which {user} uses")));
            continue;
        };
        let value = |variable: &Variable| match variable {
            Variable::Azure(column) => azure_value(row, column, facts),
            _ => Ok(None),
        };
        match join(parts, value) {
            // What all set-ups of a gateway use is in each row; an address for one feature may well be none.
            Ok(None) if matches!(entry.tier, Tier::Critical | Tier::Required) => {
                let missing = format!("{} in AzureEnvironments row {id}, which {user} uses: empty", entry.endpoint);
                filled.push(unfilled(entry, missing));
            }
            Ok(None) => {}
            Ok(Some(pattern)) => {
                let title = row.name.as_deref().unwrap_or("no name");
                let reasons = vec![format!("AzureEnvironments row {id} ({title}), used by {user}")];
                filled.push(named(entry, pattern, fixed(&entry.ports), reasons, unsure.into_iter().collect()));
            }
            Err(missing) => filled.push(unfilled(entry, missing)),
        }
    }
    filled
}

/// One endpoint for each host that external notifications go to.
pub(super) fn from_notifications(entry: &Entry, facts: &Index<'_>) -> Vec<Filled> {
    let fact = &facts.notification_hosts;
    if let Some(missing) = missing("hosts of external notifications", fact) {
        return vec![unfilled(entry, missing)];
    }
    let reason = || vec!["a host of external notifications".to_owned()];
    let fill =
        |host: &HostName| named(entry, HostPattern::Exact(host.clone()), fixed(&entry.ports), reason(), Vec::new());
    fact.rows().iter().map(fill).collect()
}

/// One endpoint for each tenant of the entry's clouds, with the tenant's id in the path.
pub(super) fn for_each_tenant(entry: &Entry, path: &str, facts: &Index<'_>, filled: &[Filled]) -> Vec<Filled> {
    let with = |path: &str, reason: Option<&str>, missing: Option<&str>| {
        let (reason, missing) = (reason.map(str::to_owned), missing.map(str::to_owned));
        filled
            .iter()
            .cloned()
            .map(move |mut filled| {
                filled.path = Some(path.to_owned());
                filled.reasons.extend(reason.clone());
                filled.missing.extend(missing.clone());
                filled
            })
            .collect::<Vec<_>>()
    };
    if let Some(missing) = missing("Microsoft Entra tenants", &facts.tenants) {
        return with(path, None, Some(&missing));
    }
    if let Some(missing) = no_tenant(facts) {
        return with(path, None, Some(&missing));
    }
    let more = more("Microsoft Entra tenants", &facts.tenants);
    let mut all = more.map_or_else(Vec::new, |more| with(path, None, Some(&more)));
    for tenant in facts.tenants.rows() {
        let title = tenant.name.as_deref().unwrap_or(&tenant.id);
        let reason = format!("Microsoft Entra tenant {title}");
        let cloud = tenant.environment.and_then(Cloud::from_environment);
        if cloud.is_some_and(|cloud| !entry.clouds.contains(&cloud)) {
            continue;
        }
        let unsure = cloud.is_none().then(|| format!("Azure environment of Microsoft Entra tenant {title}"));
        if is_guid(&tenant.id) {
            let path = path.replace(super::TENANT_ID, &tenant.id.to_ascii_lowercase());
            all.extend(with(&path, Some(&reason), unsure.as_deref()));
        } else {
            all.extend(with(path, Some(&reason), Some("the id of the Microsoft Entra tenant is no GUID")));
        }
    }
    all
}

fn is_guid(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(hex)
}

/// A CMG connection point without a gateway: the list of gateways cannot be whole.
pub(in crate::derive) fn no_gateway(facts: &Index<'_>) -> Option<String> {
    let has_point =
        !facts.cmg_connection_points.rows().is_empty() || facts.has_role(&Role::CmgConnectionPoint) == Some(true);
    let contradicted = !facts.cmgs.is_unknown() && facts.cmgs.rows().is_empty() && has_point;
    contradicted
        .then(|| "cloud management gateways: there is a CMG connection point, and no gateway is listed".to_owned())
}

/// User discovery without a tenant: the list of tenants cannot be whole.
pub(in crate::derive) fn no_tenant(facts: &Index<'_>) -> Option<String> {
    let is_on = facts.entra_user_discovery.known() == Some(&true);
    let contradicted = !facts.tenants.is_unknown() && facts.tenants.rows().is_empty() && is_on;
    contradicted.then(|| "Microsoft Entra tenants: user discovery is on, and no tenant is listed".to_owned())
}

/// The rows of `AzureEnvironments` that a tenant or a gateway uses. The table lists all environments, used or not.
pub(super) struct EnvironmentsInUse {
    /// Id and who uses it, once for each id.
    pub(super) ids: Vec<(i64, String)>,
    pub(super) missing: Vec<String>,
}

impl EnvironmentsInUse {
    pub(super) fn of(facts: &Index<'_>) -> Self {
        let mut this = Self { ids: Vec::new(), missing: Vec::new() };
        this.missing.extend(missing_or_more("Microsoft Entra tenants", &facts.tenants));
        this.missing.extend(missing_or_more("cloud management gateways", &facts.cmgs));
        this.missing.extend(no_gateway(facts));
        this.missing.extend(no_tenant(facts));
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

/// What is missing where an environment is of a cloud that cmcomply does not know: it may be any.
pub(super) fn unknown_cloud(id: i64, user: &str) -> String {
    format!("cloud of Azure environment {id}, which {user} uses")
}

/// Whether a cloud is in use: by a tenant or a gateway. `Err`: what is missing to tell.
pub(in crate::derive) fn cloud_in_use(facts: &Index<'_>, clouds: &[Cloud]) -> Result<Option<String>, Vec<String>> {
    let EnvironmentsInUse { ids, mut missing } = EnvironmentsInUse::of(facts);
    for (id, user) in &ids {
        match Cloud::from_environment(*id) {
            Some(cloud) if clouds.contains(&cloud) => {
                return Ok(Some(format!("{} is used by {user}", cloud.title())));
            }
            Some(_) => {}
            None => missing.push(unknown_cloud(*id, user)),
        }
    }
    if missing.is_empty() { Ok(None) } else { Err(missing) }
}
