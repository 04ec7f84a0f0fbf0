//! Conditions on client settings.

use super::super::index::Index;
use super::{Tri, decide, look_up, source};
use crate::site::{ClientOption, ClientSetting, Fact};

/// Whether an option is on for some clients: in the default settings or in any custom ones.
pub(super) fn setting(facts: &Index<'_>, option: ClientOption) -> Tri {
    let custom = || in_settings("custom client settings", &facts.custom_client_settings, option, false);
    in_settings("default client settings", &facts.default_client_settings, option, true).or(custom)
}

/// Default settings have every option, so one that is missing is unknown; custom ones have what they change.
fn in_settings(what: &str, fact: &Fact<Vec<ClientSetting>>, option: ClientOption, complete: bool) -> Tri {
    let says = |settings: &Vec<ClientSetting>| {
        let mut values =
            settings.iter().filter(|setting| setting.option == option).map(|setting| setting.on).peekable();
        if complete && values.peek().is_none() {
            return Tri::unknown(format!("{what}: {} is not among them", title(option)));
        }
        values.fold(Tri::False, |sum, on| {
            sum.or(|| match on {
                Some(on) => Tri::of(on, || format!("{} is on in {what} ({})", title(option), source(fact))),
                None => Tri::unknown(format!("{what}: no value for {}", title(option))),
            })
        })
    };
    if complete { look_up(what, fact, says) } else { decide(what, fact, says) }
}

fn title(option: ClientOption) -> &'static str {
    match option {
        ClientOption::CloudManagementGateway => "cloud management gateway",
        ClientOption::CloudDistributionPoint => "cloud distribution point",
        ClientOption::DeliveryOptimization => "Delivery Optimization",
        ClientOption::ConnectedCache => "Microsoft Connected Cache",
        ClientOption::Microsoft365Apps => "management of Microsoft 365 Apps",
        ClientOption::ThirdPartyUpdates => "third-party updates",
        ClientOption::WindowsUpdateForBusiness => "Windows Update for Business",
        ClientOption::DesktopAnalytics => "Desktop Analytics",
    }
}
