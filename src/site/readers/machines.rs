//! One server under two names: its short one, and its full one.
//!
//! Objects of one database may write the same server either way, and it would count as two, each with a part of the roles.
//! Where the site has exactly one server with that first label, it is that one.

use std::collections::{BTreeSet, HashMap};

use super::super::names::SiteCode;
use super::super::read::{Answers, Raw};
use super::super::value::{Row, Value};
use super::cells::{Cells, Findings, host_of_nal_path};
use crate::host::HostName;

/// The facts of which each row is of a server in a site. (The list of sites has the names of site servers, and nobody
/// takes those for servers of their own.)
const OF_SERVERS: [&str; 9] = [
    "site_systems",
    "role_properties",
    "site_system_proxies",
    "internet_names",
    "service_connection_points",
    "software_update_points",
    "cmg_connection_points",
    "distribution_points",
    "asset_intelligence",
];

/// Writes the full name in the place of each short one, where it is certain; each is a finding, and so is one where it is
/// not.
pub(super) fn join(answers: &mut Answers, findings: &mut Findings) {
    let full_names = full_names(answers);
    for fact in OF_SERVERS {
        let Some(Raw::Rows { rows, source, .. }) = answers.get_mut(fact) else { continue };
        for row in rows.iter_mut() {
            let Some((site, host)) = server(row).filter(|(_, host)| is_short(host)) else { continue };
            let Some(names) = full_names.get(&(site, host.short().to_owned())) else { continue };
            let names: Vec<&str> = names.iter().map(HostName::as_str).collect();
            let mut cells = Cells { object: &source.object, row, findings };
            if let [name] = names.as_slice() {
                cells.report("server_name", &format!("the short name of {name} of this site; taken for that server"));
                row.put("server_name", Value::Text((*name).to_owned()));
            } else {
                let problem =
                    format!("the short name of several servers of this site; taken for one more: {}", names.join(", "));
                cells.report("server_name", &problem);
            }
        }
    }
}

/// The full names of each site, by their first labels.
fn full_names(answers: &Answers) -> HashMap<(SiteCode, String), BTreeSet<HostName>> {
    let mut names: HashMap<(SiteCode, String), BTreeSet<HostName>> = HashMap::new();
    for fact in OF_SERVERS {
        let Some(Raw::Rows { rows, .. }) = answers.get(fact) else { continue };
        for (site, host) in rows.iter().filter_map(server).filter(|(_, host)| !is_short(host)) {
            names.entry((site, host.short().to_owned())).or_default().insert(host);
        }
    }
    names
}

fn is_short(host: &HostName) -> bool {
    !host.as_str().contains('.')
}

/// The site and the server of a row, as its reader will read them; whatever is wrong with the row is its reader's to say.
/// A service in Azure is no server.
fn server(row: &Row) -> Option<(SiteCode, HostName)> {
    let text = |column: &str| row.get(column).text().ok().flatten();
    if text("resource_type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("Windows Azure")) {
        return None;
    }
    let site = SiteCode::parse(&text("site_code")?).ok()?;
    let named = text("server_name").and_then(|name| HostName::parse(name.trim()).ok());
    let in_path = || HostName::parse(host_of_nal_path(&text("nal_path")?)?).ok();
    Some((site, named.or_else(in_path)?))
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::Facts;
    use super::super::any::connection;
    use super::super::test_rows::raw;
    use super::super::{Answers, facts};

    const SYSTEM: &str = "site_code|role_name|server_name|nal_path|resource_type";

    fn read(answers: &[(&str, &str, &[&str])]) -> Facts {
        let answers: Answers =
            answers.iter().map(|(fact, columns, rows)| ((*fact).to_owned(), raw(columns, rows))).collect();
        facts(connection(), answers)
    }

    fn hosts(facts: &Facts) -> Vec<(String, usize)> {
        let systems = facts.site_systems.rows().iter();
        systems.map(|system| (format!("{} {}", system.site, system.host), system.roles.len())).collect()
    }

    #[test]
    fn a_short_name_is_the_one_server_of_its_site_that_has_it() {
        let systems = [
            "PS1|SMS Site System|CM01.corp.contoso.com|NULL|NULL",
            "PS1|SMS Management Point|CM01|NULL|NULL",
            "PS1|SMS Provider|NULL|[\"Display=\\\\CM01\\\"]MSWNET:[\"SMS_SITE=PS1\"]\\\\CM01\\|NULL",
            "PS2|SMS Management Point|CM01|NULL|NULL",
        ];
        let points = ["PS1|cm01|NULL|IsINF|1"];
        let read = read(&[
            ("site_systems", SYSTEM, &systems),
            ("software_update_points", "site_code|server_name|nal_path|property_name|number", &points),
        ]);
        assert_eq!(hosts(&read), [("PS1 cm01.corp.contoso.com".to_owned(), 3), ("PS2 cm01".to_owned(), 1)]);
        assert_eq!(read.software_update_points.rows()[0].host.as_str(), "cm01.corp.contoso.com");
        let found: Vec<_> = read.data_findings.iter().map(|f| (f.column.as_str(), f.value.as_str())).collect();
        assert_eq!(found, [("server_name", "CM01"), ("server_name", "NULL"), ("server_name", "cm01")]);
        let problem = "the short name of cm01.corp.contoso.com of this site; taken for that server";
        assert!(read.data_findings.iter().all(|finding| finding.problem == problem), "{:?}", read.data_findings);
        assert!(read.data_findings[0].row.starts_with("site_code=PS1, role_name=SMS Management Point"));
    }

    #[test]
    fn of_two_servers_with_it_a_short_name_is_neither() {
        let systems = [
            "PS1|SMS Site System|CM01.corp.contoso.com|NULL|NULL",
            "PS1|SMS Site System|CM01.dmz.contoso.com|NULL|NULL",
            "PS1|SMS Management Point|CM01|NULL|NULL",
        ];
        let read = read(&[("site_systems", SYSTEM, &systems)]);
        assert_eq!(hosts(&read).len(), 3);
        let [finding] = read.data_findings.as_slice() else { panic!("{:?}", read.data_findings) };
        assert!(finding.problem.ends_with("one more: cm01.corp.contoso.com, cm01.dmz.contoso.com"), "{finding:?}");
    }

    #[test]
    fn what_the_two_names_say_of_one_thing_is_compared() {
        let points = ["PS1|CM01|NULL|OfflineMode|0", "PS1|CM01.corp.contoso.com|NULL|OfflineMode|1"];
        let read =
            read(&[("service_connection_points", "site_code|server_name|nal_path|property_name|number", &points)]);
        let [point] = read.service_connection_points.rows() else { panic!("{read:?}") };
        assert_eq!(point.online, None);
        assert_eq!(read.data_findings.len(), 2, "{:?}", read.data_findings);
    }

    #[test]
    fn a_service_in_azure_is_no_server() {
        let systems = [
            "PS1|SMS Distribution Point|cdp.cloudapp.net|NULL|Windows Azure",
            "PS1|SMS Management Point|cdp|NULL|Windows NT Server",
        ];
        let read = read(&[("site_systems", SYSTEM, &systems)]);
        assert_eq!((hosts(&read), read.data_findings.len()), (vec![("PS1 cdp".to_owned(), 1)], 0));
    }
}
