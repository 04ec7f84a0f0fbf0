//! Client settings, and computers with the console.

use std::collections::BTreeMap;

use super::super::fact::Fact;
use super::super::facts::{ClientOption, ClientSetting, Console};
use super::super::read::Raw;
use super::cells::{Cells, Findings};
use super::known;
use crate::host::HostName;

/// The names of the properties in the database.
const OPTIONS: [(&str, ClientOption); 8] = [
    ("AllowCMG", ClientOption::CloudManagementGateway),
    ("AllowCloudDP", ClientOption::CloudDistributionPoint),
    ("EnableWindowsDO", ClientOption::DeliveryOptimization),
    ("StampDOINC", ClientOption::ConnectedCache),
    ("O365Management", ClientOption::Microsoft365Apps),
    ("EnableThirdPartyUpdates", ClientOption::ThirdPartyUpdates),
    ("WUfBEnabled", ClientOption::WindowsUpdateForBusiness),
    ("WAEnable", ClientOption::DesktopAnalytics),
];

/// The settings, default or custom. A setting that is on in one row and off in another (each site has its own copy of
/// the defaults) is on: some client may have it.
pub(super) fn client_settings(raw: Raw, findings: &mut Findings) -> Fact<Vec<ClientSetting>> {
    known(raw, |rows, object| {
        let mut found: BTreeMap<(Option<String>, ClientOption), Option<bool>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(name) = cells.raw_text("property_name") else {
                cells.needed("property_name", "a property without a name");
                continue;
            };
            let Some((_, option)) = OPTIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) else {
                continue;
            };
            let on = cells.flag("number");
            // On in one row is on; off only if every row says so.
            found
                .entry((cells.name("settings_name"), *option))
                .and_modify(|known| {
                    *known = match (*known, on) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    };
                })
                .or_insert(on);
        }
        found.into_iter().map(|((settings, option), on)| ClientSetting { settings, option, on }).collect()
    })
}

/// The computers with the console. Names that are no host names are reported and left out.
pub(super) fn consoles(raw: Raw, findings: &mut Findings) -> Fact<Vec<Console>> {
    known(raw, |rows, object| {
        let mut consoles: BTreeMap<HostName, Console> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { object, row, findings };
            let Some(host) = cells.host("machine_name") else {
                cells.needed("machine_name", "no computer where one is needed");
                continue;
            };
            let (version, last_seen) = (cells.name("version"), cells.date("last_seen"));
            let console = Console { host: host.clone(), version, last_seen };
            match consoles.get(&host) {
                Some(known) if (known.last_seen, &known.version) >= (console.last_seen, &console.version) => {}
                _ => drop(consoles.insert(host, console)),
            }
        }
        consoles.into_values().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_rows::{raw, with_findings};
    use super::*;

    #[test]
    fn a_setting_that_some_client_may_have_is_on() {
        let rows = [
            "Laptops|AllowCMG|0",
            "Laptops|allowcmg|1",
            "Laptops|AllowCMG|0",
            "Laptops|O365Management|0",
            "Laptops|StampDOINC|0",
            "Laptops|StampDOINC|NULL",
            "Laptops|EnableWindowsDO|NULL",
            "Servers|EnableWindowsDO|9",
            "Servers|SomethingElse|1",
            "Servers|NULL|1",
        ];
        let (fact, findings) = with_findings(|f| client_settings(raw("settings_name|property_name|number", &rows), f));
        let values: Vec<_> = fact.rows().iter().map(|s| (s.settings.as_deref(), s.option, s.on)).collect();
        assert_eq!(
            values,
            [
                (Some("Laptops"), ClientOption::CloudManagementGateway, Some(true)),
                (Some("Laptops"), ClientOption::DeliveryOptimization, None),
                (Some("Laptops"), ClientOption::ConnectedCache, None),
                (Some("Laptops"), ClientOption::Microsoft365Apps, Some(false)),
                (Some("Servers"), ClientOption::DeliveryOptimization, None),
            ]
        );
        assert_eq!(findings.len(), 2);

        let (fact, _) = with_findings(|f| client_settings(raw("property_name|number", &["AllowCMG|1"]), f));
        assert_eq!(fact.rows()[0].settings, None);
    }

    #[test]
    fn a_computer_with_the_console_is_there_once() {
        let rows = [
            "LT-002.corp.contoso.com|5.2403.1171.1000|2024-06-28T12:00:00",
            "lt-002.CORP.contoso.com|5.2309.1000.1000|2023-06-28T12:00:00",
            "CM-CAS|NULL|NULL",
            "o'neill's pc|x|NULL",
            "NULL|x|NULL",
        ];
        let (fact, findings) = with_findings(|f| consoles(raw("machine_name|version|last_seen", &rows), f));
        let [cas, laptop] = fact.rows() else { panic!("{fact:?}") };
        assert_eq!((cas.host.as_str(), &cas.version, cas.last_seen), ("cm-cas", &None, None));
        assert_eq!(laptop.version.as_deref(), Some("5.2403.1171.1000"));
        assert_eq!(findings.len(), 2);
    }
}
