//! Facts with what the operator states.

use super::{Settings, StatedCloud, StatedGateway};
use crate::host::HostName;
use crate::site::{Cmg, Console, DataFinding, Fact, Facts, Source};
use crate::text::printable;

impl Facts {
    /// The facts with what the operator states. What was read stays; a statement that contradicts it is a finding.
    #[must_use]
    pub fn state(mut self, settings: &Settings) -> Self {
        let stated = &settings.stated;
        let mut put = Put { file: &settings.file, findings: &mut self.data_findings };
        put.flag("tenant_attach", stated.tenant_attach, &mut self.tenant_attach);
        put.flag("endpoint_analytics", stated.endpoint_analytics, &mut self.endpoint_analytics);
        put.flag("entra_user_discovery", stated.entra_user_discovery, &mut self.entra_user_discovery);
        put.flag("revocation_restricted", stated.revocation_restricted, &mut self.revocation_restricted);
        if let Some(hosts) = &stated.notification_hosts {
            let rules = self.notification_rules.known().copied().unwrap_or(0);
            if hosts.is_empty() && rules > 0 {
                let problem = format!("none is stated, and the site database has {rules} rules that notify");
                put.conflict("notification_hosts", problem, "[]".to_owned());
            }
            put.list("notification_hosts", hosts.clone(), &mut self.notification_hosts);
        }
        if let Some(hosts) = &stated.consoles {
            put.consoles(hosts, &mut self.consoles);
        }
        if let Some(gateways) = &stated.gateways {
            put.gateways(gateways, &mut self.cmgs);
        }
        self
    }
}

/// Where statements are from, and where contradictions go.
struct Put<'a> {
    file: &'a str,
    findings: &'a mut Vec<DataFinding>,
}

impl Put<'_> {
    fn source(&self, key: &str) -> Source {
        Source::of(format!("{}: {key}", self.file))
    }

    fn conflict(&mut self, key: &str, problem: String, value: String) {
        let (object, column) = (self.file.to_owned(), key.to_owned());
        self.findings.push(DataFinding { object, column, row: String::new(), problem, value });
    }

    fn flag(&mut self, key: &str, stated: Option<bool>, fact: &mut Fact<bool>) {
        let Some(stated) = stated else { return };
        match fact {
            Fact::Known { value, source } if *value != stated => {
                let problem = format!("{} says {value}, and that counts", source.object);
                self.conflict(key, problem, stated.to_string());
            }
            Fact::Known { .. } => {}
            Fact::Unknown { .. } => *fact = Fact::Known { value: stated, source: self.source(key) },
        }
    }

    /// A list that only the operator can state.
    fn list<T: Ord>(&mut self, key: &str, mut stated: Vec<T>, fact: &mut Fact<Vec<T>>) {
        stated.sort();
        stated.dedup();
        *fact = Fact::Known { value: stated, source: self.source(key) };
    }

    /// Computers that are stated count besides those that were read: neither list is complete.
    fn consoles(&mut self, stated: &[HostName], fact: &mut Fact<Vec<Console>>) {
        let mut source = self.source("consoles");
        let mut consoles = Vec::new();
        if let Fact::Known { value, source: read } = fact {
            source.object = format!("{}, {}", read.object, source.object);
            source.missing_columns.clone_from(&read.missing_columns);
            source.may_lack.clone_from(&read.may_lack);
            consoles.clone_from(value);
        }
        for host in stated {
            if !consoles.iter().any(|console| console.host.same_machine(host)) {
                consoles.push(Console { host: host.clone(), version: None, last_seen: None });
            }
        }
        consoles.sort_by(|a, b| a.host.cmp(&b.host));
        *fact = Fact::Known { value: consoles, source };
    }

    /// Gateways that are stated count only where none could be read, or not all.
    fn gateways(&mut self, stated: &[StatedGateway], fact: &mut Fact<Vec<Cmg>>) {
        let Fact::Known { value, source } = fact else {
            let value = stated.iter().map(gateway).collect();
            *fact = Fact::Known { value, source: self.source("gateways") };
            return;
        };
        if source.may_lack.take().is_some() {
            // What was read may not be all; what is stated is.
            source.object = format!("{}, {}: gateways", source.object, self.file);
            let unread = |stated: &&StatedGateway| {
                !value.iter().any(|cmg| cmg.service_name.as_ref() == Some(&stated.service_name))
            };
            let unread: Vec<Cmg> = stated.iter().filter(unread).map(gateway).collect();
            value.extend(unread);
            return;
        }
        let names = |list: &mut dyn Iterator<Item = Option<&HostName>>| {
            let mut names: Vec<String> = list.flatten().map(ToString::to_string).collect();
            names.sort();
            names.join(", ")
        };
        let read = names(&mut value.iter().map(|cmg| cmg.service_name.as_ref()));
        let said = names(&mut stated.iter().map(|gateway| Some(&gateway.service_name)));
        if read != said {
            let problem = format!("{} has these service names, and they count: {read}", source.object);
            self.conflict("gateways", printable(&problem, 300), printable(&said, 80));
        }
    }
}

fn gateway(stated: &StatedGateway) -> Cmg {
    Cmg {
        name: Some(printable(&stated.name, 255)),
        service_name: Some(stated.service_name.clone()),
        deployment_name: Some(stated.deployment_name.clone()),
        region: stated.region.as_deref().map(|region| printable(region, 255)),
        environment: Some(match stated.cloud {
            StatedCloud::Public => 1,
            StatedCloud::UsGovernment => 2,
        }),
        instances: Some(stated.instances),
        storage_name: stated.storage_name.clone().or_else(|| HostName::parse(stated.deployment_name.short()).ok()),
        state: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::nothing_known;

    fn unread() -> Facts {
        nothing_known()
    }

    fn read<T>(value: T) -> Fact<T> {
        Fact::Known { value, source: Source::of("dbo.vRead") }
    }

    fn state(facts: Facts, text: &str) -> Facts {
        facts.state(&Settings::parse("cmcomply.toml", &format!("[stated]\n{text}")).unwrap())
    }

    fn source<T: std::fmt::Debug>(fact: &Fact<T>) -> &str {
        match fact {
            Fact::Known { source, .. } => &source.object,
            other @ Fact::Unknown { .. } => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_stated_says_by_whom() {
        let facts =
            state(unread(), "tenant_attach = true\nnotification_hosts = ['b.example', 'a.example', 'b.example']");
        assert_eq!(facts.tenant_attach.known(), Some(&true));
        assert_eq!(source(&facts.tenant_attach), "cmcomply.toml: tenant_attach");
        let hosts: Vec<_> = facts.notification_hosts.rows().iter().map(HostName::as_str).collect();
        assert_eq!(hosts, ["a.example", "b.example"]);
        assert!(facts.endpoint_analytics.is_unknown() && facts.consoles.is_unknown());
        assert_eq!(facts.data_findings, []);
        assert_eq!(unread().state(&Settings::default()), unread());
    }

    #[test]
    fn what_was_read_wins_and_a_contradiction_is_a_finding() {
        let mut facts = unread();
        facts.entra_user_discovery = read(true);
        facts.notification_rules = read(2);
        let facts = state(facts, "entra_user_discovery = false\nnotification_hosts = []");
        assert_eq!(facts.entra_user_discovery, read(true));
        let columns: Vec<_> = facts.data_findings.iter().map(|f| (f.column.as_str(), f.value.as_str())).collect();
        assert_eq!(columns, [("entra_user_discovery", "false"), ("notification_hosts", "[]")]);
        assert!(facts.data_findings[0].problem.contains("dbo.vRead says true"));

        let mut agreed = unread();
        agreed.entra_user_discovery = read(true);
        let agreed = state(agreed, "entra_user_discovery = true");
        assert_eq!((source(&agreed.entra_user_discovery), agreed.data_findings.len()), ("dbo.vRead", 0));
    }

    #[test]
    fn consoles_are_added_to_those_that_were_read() {
        let console = |name: &str| Console { host: name.parse().unwrap(), version: None, last_seen: None };
        let mut facts = unread();
        facts.consoles = read(vec![console("lt-002.corp.contoso.com")]);
        let facts = state(facts, "consoles = ['lt-001', 'LT-002']");
        let hosts: Vec<_> = facts.consoles.rows().iter().map(|c| c.host.as_str()).collect();
        assert_eq!(hosts, ["lt-001", "lt-002.corp.contoso.com"]);
        assert_eq!(source(&facts.consoles), "dbo.vRead, cmcomply.toml: consoles");
    }

    #[test]
    fn gateways_count_where_none_could_be_read() {
        let text = "[[stated.gateways]]\nname = 'GraniteFalls'\nservice_name = 'cmg.contoso.com'\ndeployment_name = \
                    'granitefalls.westus.cloudapp.azure.com'\ncloud = 'us-government'\ninstances = 2";
        let facts = state(unread(), text);
        let [cmg] = facts.cmgs.rows() else { panic!("{:?}", facts.cmgs) };
        assert_eq!((cmg.environment, cmg.instances), (Some(2), Some(2)));
        assert_eq!(cmg.storage_name.as_ref().unwrap().as_str(), "granitefalls");
        assert_eq!(source(&facts.cmgs), "cmcomply.toml: gateways");

        let mut none = unread();
        none.cmgs = read(Vec::new());
        let none = state(none, text);
        assert_eq!((none.cmgs.rows().len(), none.data_findings.len()), (0, 1));
        assert_eq!(none.data_findings[0].value, "cmg.contoso.com");
        let again = state(facts.clone(), text);
        assert_eq!(again.data_findings, []);
        assert_eq!(state(unread(), "gateways = []").cmgs.known(), Some(&Vec::new()));
    }
}
