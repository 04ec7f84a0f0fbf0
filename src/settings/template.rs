//! A settings file to begin with: what was found, and what still has to be stated.

use std::fmt::Write as _;

use crate::site::{Fact, Facts};
use crate::text::ascii;

/// The text of a settings file for this hierarchy. Everything in it is a comment but the names of the tables, so that
/// nothing is stated that nobody has said.
pub fn template(facts: &Facts) -> String {
    let mut text = String::from(
        "# What a Configuration Manager site database cannot say. Take the `#` away from a line and state it.\n\
         # What is neither read nor stated is unknown, and makes an audit incomplete where something depends on it.\n",
    );
    let database = ascii(&facts.connection.database, 128);
    line(&mut text, &format!("# Made from {database} on {}.", ascii(&facts.connection.server, 128)));
    text.push_str("\n[stated]\n");
    for (question, found, statement) in questions(facts) {
        line(&mut text, &format!("# {question}"));
        for found in found {
            line(&mut text, &format!("#   {found}"));
        }
        line(&mut text, &format!("# {statement}\n"));
    }
    if facts.cmgs.is_unknown() {
        line(&mut text, "# Cloud management gateways: this login may not read them. One table for each.");
        for key in [
            "[[stated.gateways]]",
            "name = \"GraniteFalls\"",
            "service_name = \"cmg.contoso.com\"",
            "deployment_name = \"granitefalls.westus.cloudapp.azure.com\"",
            "cloud = \"public\"  # or \"us-government\"",
            "instances = 2",
        ] {
            line(&mut text, &format!("# {key}"));
        }
        text.push('\n');
    }
    text.push_str(
        "[readiness]\n\
         # For `cmcomply readiness` alone.\n\
         # https_or_enhanced_http = true    # every site; Communication Security in the properties of a site\n\
         # compliance_workload = \"intune\"  # or \"configuration-manager\"; the workloads of co-management\n\
         # retired_connectors = false       # an Azure service is the Log Analytics (OMS) or Upgrade Readiness connector\n\n",
    );
    text.push_str(
        "[proxies]\n\
         # The route of what runs outside site systems: \"direct\" or \"HOST:PORT\".\n\
         # client-system = \"direct\"   # clients, as the local system account\n\
         # console-user = \"direct\"    # the signed-in user of a console\n\
         # system-winhttp = \"direct\"  # `netsh winhttp show proxy` of the servers\n\
         # system-wininet = \"direct\"  # Internet Options of the local system account of the servers\n\
         \n\
         # Accounts for proxies that ask for one; a table for each. The password is never in this file: an environment\n\
         # variable has it, or the first line of a file (password_file).\n\
         # [[proxy_accounts]]\n\
         # proxy = \"proxy.contoso.com:8080\"\n\
         # account = 'CONTOSO\\svc-cm'\n\
         # password_env = \"CONTOSO_PROXY_PASSWORD\"\n\
         \n\
         # From where hosts are looked at; the first table that fits counts. `cmcomply hosts` shows what comes of it.\n\
         # [[vantages]]\n\
         # hosts = [\"*.contoso.com\"]  # names and patterns; also \"clients\" and \"consoles\"\n\
         # kind = \"none\"  # or here, winrm, ssh, ssh-windows, carried; the README says more\n",
    );
    text.push_str("\n# What the site database said, fact by fact. Nothing of this is read from here.\n");
    for (name, answer) in facts.answers() {
        line(&mut text, &format!("#   {name}: {}", ascii(&answer, 300)));
    }
    text
}

/// Question, what the site database says of it, and the statement.
fn questions(facts: &Facts) -> Vec<(&'static str, Vec<String>, String)> {
    let count = |what: &str, fact: &Fact<u64>| match fact.known() {
        Some(number) => format!("found: {number} {what}"),
        None => format!("not found out: {what}"),
    };
    let flag = |key: &str| format!("{key} = true  # or false");
    let mut all = vec![
        (
            "Is tenant attach on (devices are uploaded to the Intune admin center)?",
            vec![
                count("Intune accounts (a trace, no proof)", &facts.intune_accounts),
                count("servers with SMS_SERVICE_CONNECTOR (a trace, no proof)", &facts.service_connectors),
            ],
            flag("tenant_attach"),
        ),
        ("Is endpoint analytics on?", Vec::new(), flag("endpoint_analytics")),
        (
            "Hosts that external notifications go to, such as logic apps. The host alone: the URL holds a signature.",
            vec![count("status filter rules that notify", &facts.notification_rules)],
            "notification_hosts = []  # \"prod-01.westus2.logic.azure.com\"".to_owned(),
        ),
        (
            "Does the network allow certificate revocation lists and OCSP of listed locations only?",
            Vec::new(),
            flag("revocation_restricted"),
        ),
    ];
    let mut consoles: Vec<String> =
        facts.consoles.rows().iter().map(|console| format!("found: {}", console.host)).collect();
    if facts.consoles.is_unknown() {
        consoles.push("not found out".to_owned());
    }
    all.push((
        "Computers from which the console is used, besides those found.",
        consoles,
        "consoles = []  # \"lt-002.corp.contoso.com\"".to_owned(),
    ));
    if facts.entra_user_discovery.is_unknown() {
        all.push((
            "Is Microsoft Entra user discovery on?",
            vec!["not found out".to_owned()],
            flag("entra_user_discovery"),
        ));
    }
    all
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, Stated};
    use super::*;
    use crate::site::{Connection, Console, Source, SqlCertificate, SqlSignIn, UnknownWhy};

    fn facts() -> Facts {
        let connection = Connection {
            server: "cm01.contoso.com".to_owned(),
            database: "CM_CHQ\n[stated]\ntenant_attach = true".to_owned(),
            server_version: None,
            certificate: SqlCertificate::MachineRoots,
            sign_in: SqlSignIn::SqlLogin { user: "reader".to_owned() },
        };
        Facts::unknown(connection, UnknownWhy::NotVisible, "not visible")
    }

    /// The file with every statement taken out of its comment.
    fn stated(text: &str) -> String {
        let statement = |line: &&str| {
            let bare = line.strip_prefix("# ").unwrap_or_default();
            bare.starts_with("[[") || bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        };
        text.lines().map(|line| if statement(&line) { &line[2..] } else { line }).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_new_file_states_nothing_and_is_valid() {
        let text = template(&facts());
        let settings = Settings::parse("cmcomply.toml", &text).unwrap();
        assert_eq!((settings.stated, settings.routes.len()), (Stated::default(), 0), "{text}");
    }

    #[test]
    fn every_line_of_it_can_be_stated() {
        let text = template(&facts());
        let settings =
            Settings::parse("cmcomply.toml", &stated(&text)).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(settings.proxy_accounts.len(), 1);
        let Stated {
            tenant_attach,
            endpoint_analytics,
            entra_user_discovery,
            revocation_restricted,
            notification_hosts,
            consoles,
            gateways,
        } = settings.stated;
        assert!(
            [tenant_attach, endpoint_analytics, entra_user_discovery, revocation_restricted]
                .iter()
                .all(Option::is_some)
        );
        assert!(notification_hosts.is_some() && consoles.is_some());
        assert_eq!((gateways.unwrap().len(), settings.routes.len()), (1, 4));
    }

    #[test]
    fn what_was_found_stands_in_it() {
        let mut facts = facts();
        let source = || Source::of("dbo.vRead");
        facts.service_connectors = Fact::Known { value: 1, source: source() };
        let console = Console { host: "lt-002.corp.contoso.com".parse().unwrap(), version: None, last_seen: None };
        facts.consoles = Fact::Known { value: vec![console], source: source() };
        facts.cmgs = Fact::Known { value: Vec::new(), source: source() };
        let text = template(&facts);
        assert!(text.contains("found: 1 servers with SMS_SERVICE_CONNECTOR"), "{text}");
        assert!(text.contains("found: lt-002.corp.contoso.com") && !text.contains("stated.gateways"), "{text}");
    }
}
