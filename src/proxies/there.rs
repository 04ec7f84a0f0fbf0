//! A route that was assumed, held against the settings of the machine that looked.
//!
//! What the site database cannot know stands on each server. A direct route is assumed until the script has read the
//! server's own settings: they confirm it, or name a proxy or a script, and then what was reached directly proves nothing.

use crate::catalog::Context;
use crate::derive::{Requirement, Route, RouteBasis, Subject, Via};
use crate::text::printable;
use crate::vantage::{HostFact, HostFacts};

/// Corrects the routes that were assumed. `there` gives the name and the facts of the machine that looked for a subject,
/// where it is the subject's own or stands in for it, and its facts were read.
pub fn confirm<'a>(requirements: &mut [Requirement], there: impl Fn(&Subject) -> Option<(&'a str, &'a HostFacts)>) {
    for requirement in requirements.iter_mut().filter(|one| one.route.basis == RouteBasis::Assumed) {
        let Some((machine, facts)) = there(&requirement.subject) else { continue };
        let context = requirement.context;
        let Some((whose, setting)) = setting(context, facts) else { continue };
        let whose = format!("the {whose} settings of {machine}");
        let route = &mut requirement.route;
        match setting {
            Setting::Direct => {
                let detail = format!("direct: {whose} name no proxy");
                *route = Route { via: Via::Direct, basis: RouteBasis::Host, detail };
            }
            Setting::Discovers => route.detail = format!("{}; {whose} let it be discovered (WPAD)", route.detail),
            Setting::Names(what) => {
                let context = context.name();
                let detail = format!(
                    "{whose} name {what}, and only a direct route was tried: give {context} in the table [proxies] of \
                     cmcomply.toml"
                );
                *route = Route { via: Via::Unknown, basis: RouteBasis::Host, detail };
            }
        }
    }
}

/// What settings come to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Setting {
    /// No proxy.
    Direct,
    /// Whatever the network says.
    Discovers,
    /// A proxy or a script, in words.
    Names(String),
}

/// What the facts say of a context, and whose settings these are; `None` where they say nothing.
fn setting(context: Context, facts: &HostFacts) -> Option<(&'static str, Setting)> {
    match context {
        Context::SystemWinhttp => Some((WINHTTP, winhttp(facts)?)),
        Context::SystemWininet => Some((WININET, wininet(facts)?)),
        // They use what is set for SYSTEM, else what WinHTTP has.
        Context::ClientSystem => match (wininet(facts), winhttp(facts)) {
            (Some(Setting::Names(what)), _) => Some((WININET, Setting::Names(what))),
            (_, Some(Setting::Names(what))) => Some((WINHTTP, Setting::Names(what))),
            (own, Some(Setting::Direct)) => Some((WININET, own?)),
            _ => None,
        },
        Context::SiteSystemProxy | Context::Wsus | Context::ConsoleUser | Context::Intranet => None,
    }
}

const WINHTTP: &str = "WinHTTP proxy";
const WININET: &str = "WinINET proxy (SYSTEM)";

fn winhttp(facts: &HostFacts) -> Option<Setting> {
    match facts.get("proxy.winhttp")? {
        // Where nothing was ever set, there is no value.
        HostFact::Absent => Some(Setting::Direct),
        fact => Some(match fact.value()? {
            "direct" => Setting::Direct,
            proxy => Setting::Names(shown("the proxy", proxy)),
        }),
    }
}

/// The settings of SYSTEM, or where a policy says so, those of the machine.
fn wininet(facts: &HostFacts) -> Option<Setting> {
    let per_machine = facts.get("proxy.per_user").and_then(HostFact::value) == Some("0");
    let whose = if per_machine { "machine" } else { "system" };
    let fact = |name: &str| facts.get(&format!("proxy.wininet.{whose}.{name}"));
    let value = |name: &str| fact(name).and_then(HostFact::value).filter(|value| !value.trim().is_empty());
    let ways = match fact("ways") {
        Some(HostFact::Known { values }) => Some(values),
        _ => None,
    };
    let has = |way: &str| ways.is_some_and(|ways| ways.iter().any(|one| one == way));
    if value("script").is_some() || has("script") {
        return Some(Setting::Names(value("script").map_or("a script".to_owned(), |place| shown("the script", place))));
    }
    if value("enabled").is_some_and(|enabled| enabled != "0") || has("proxy") {
        return Some(Setting::Names(value("server").map_or("a proxy".to_owned(), |server| shown("the proxy", server))));
    }
    if has("auto_detect") {
        return Some(Setting::Discovers);
    }
    has("direct").then_some(Setting::Direct)
}

fn shown(what: &str, value: &str) -> String {
    format!("{what} {}", printable(value, 200))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(values: &[&str]) -> HostFact {
        HostFact::Known { values: values.iter().map(|&value| value.to_owned()).collect() }
    }

    fn of(context: Context, facts: &[(&str, HostFact)]) -> Option<Setting> {
        let facts = facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect();
        setting(context, &facts).map(|(_, setting)| setting)
    }

    #[expect(clippy::unnecessary_wraps, reason = "facts may say nothing")]
    fn names(what: &str) -> Option<Setting> {
        Some(Setting::Names(what.to_owned()))
    }

    #[test]
    fn an_assumed_route_is_held_against_the_settings_there() {
        let target = crate::plan::Target {
            scheme: crate::host::Scheme::Https,
            host: "login.microsoftonline.com".parse().unwrap(),
            port: 443,
            path: "/".to_owned(),
        };
        let catalog = crate::catalog::Catalog::embedded();
        let mut one = crate::derive::of_endpoint(catalog, &target, &Via::Direct).remove(0);
        one.context = Context::SystemWinhttp;
        one.route = Route { via: Via::Direct, basis: RouteBasis::Assumed, detail: "assumed direct".to_owned() };
        let after = |requirement: &Requirement, value: Option<&str>| {
            let mut all = [requirement.clone()];
            let facts: Option<HostFacts> = value.map(|value| [("proxy.winhttp".to_owned(), known(&[value]))].into());
            confirm(&mut all, |_| facts.as_ref().map(|facts| ("cm01", facts)));
            all[0].route.clone()
        };
        let named = after(&one, Some("10.9.9.9:8080"));
        assert_eq!((named.via, named.basis), (Via::Unknown, RouteBasis::Host));
        for word in ["WinHTTP", "cm01", "10.9.9.9:8080", "system-winhttp", "cmcomply.toml"] {
            assert!(named.detail.contains(word), "{}", named.detail);
        }
        let direct = after(&one, Some("direct"));
        assert_eq!((direct.via, direct.basis), (Via::Direct, RouteBasis::Host));
        assert_eq!(direct.detail, "direct: the WinHTTP proxy settings of cm01 name no proxy");
        assert_eq!(after(&one, None), one.route, "nobody read them");
        // What the operator states counts more than what stands there.
        one.route.basis = RouteBasis::Operator;
        assert_eq!(after(&one, Some("10.9.9.9:8080")), one.route);
    }

    #[test]
    fn what_the_settings_say_is_read() {
        let winhttp = |fact: HostFact| of(Context::SystemWinhttp, &[("proxy.winhttp", fact)]);
        assert_eq!(winhttp(known(&["10.9.9.9:8080"])), names("the proxy 10.9.9.9:8080"));
        assert_eq!(winhttp(known(&["direct"])), Some(Setting::Direct));
        assert_eq!(winhttp(HostFact::Absent), Some(Setting::Direct));
        assert_eq!(winhttp(HostFact::Unreadable { why: "denied".to_owned() }), None);
        assert_eq!(of(Context::SystemWinhttp, &[]), None);

        let system = |facts: &[(&str, HostFact)]| {
            let facts: Vec<_> =
                facts.iter().map(|(name, fact)| (format!("proxy.wininet.system.{name}"), fact)).collect();
            let facts: Vec<_> = facts.iter().map(|(name, fact)| (name.as_str(), (*fact).clone())).collect();
            let both: Vec<_> = facts.iter().cloned().chain([("proxy.winhttp", HostFact::Absent)]).collect();
            assert_eq!(of(Context::ClientSystem, &both), of(Context::SystemWininet, &facts));
            assert_eq!(of(Context::ConsoleUser, &facts), None, "the console's user is another one");
            of(Context::SystemWininet, &facts)
        };
        let on = || ("enabled", known(&["1"]));
        assert_eq!(system(&[on(), ("server", known(&["p:1"]))]), names("the proxy p:1"));
        assert_eq!(system(&[("ways", known(&["direct", "proxy"]))]), names("a proxy"));
        assert_eq!(system(&[on(), ("script", known(&["http://wpad/x"]))]), names("the script http://wpad/x"));
        assert_eq!(system(&[("ways", known(&["direct", "script"]))]), names("a script"));
        assert_eq!(system(&[("ways", known(&["direct", "auto_detect"]))]), Some(Setting::Discovers));
        let off = ("enabled", known(&["0"]));
        assert_eq!(
            system(&[off.clone(), ("server", known(&["p:1"])), ("ways", known(&["direct"]))]),
            Some(Setting::Direct)
        );
        assert_eq!(system(&[off, ("ways", HostFact::Absent)]), None, "what the system does then is not said");
        let set = [("proxy.wininet.system.ways", known(&["direct"])), ("proxy.winhttp", known(&["p:1"]))];
        assert_eq!(of(Context::ClientSystem, &set), names("the proxy p:1"), "WinHTTP, where SYSTEM has none");
        assert_eq!(of(Context::ClientSystem, &set[..1]), None);
        assert_eq!(
            of(
                Context::SystemWininet,
                &[
                    ("proxy.per_user", known(&["0"])),
                    ("proxy.wininet.system.ways", known(&["direct"])),
                    ("proxy.wininet.machine.ways", known(&["direct", "proxy"])),
                ]
            ),
            names("a proxy"),
            "a policy lets the settings of the machine count"
        );
    }
}
