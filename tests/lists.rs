//! Hand-off lists: their text, their loss reports, the comparison with an allow list, and agreement with Squid and two
//! PAC engines about what each list means.
#![expect(clippy::unwrap_used, reason = "a test program")]

#[path = "lists/agreement.rs"]
mod agreement;
#[path = "lists/names.rs"]
mod names;
#[path = "lists/pac.rs"]
mod pac;
#[path = "lists/sample.rs"]
mod sample;
#[path = "lists/squid.rs"]
mod squid;
#[path = "lists/tools.rs"]
mod tools;

use std::collections::BTreeSet;

use cmcomply::catalog::Catalog;
use cmcomply::derive::{Decision, RequiredName, Subject, Via};
use cmcomply::host::{HostName, HostPattern, Scheme};
use cmcomply::report::lists::{
    CheckError, Format, HandOff, Head, ListEntry, ListPattern, LossKind, MAX_LINE, MAX_LINES, MAX_TEXT, PacRoutes,
    StaleWhy, check_against, render,
};
use sample::{contoso, head, host, needed, retired, undecided, whole_catalog};

#[test]
fn every_format_of_the_contoso_list() {
    let hand_off = HandOff::of(&contoso());
    for format in Format::ALL {
        let rendered = render(format, &hand_off, &head());
        let losses: Vec<String> = rendered.losses.iter().map(ToString::to_string).collect();
        if format.has_comments() {
            for loss in &losses {
                assert!(rendered.text.contains(loss.as_str()), "{format}: {loss}");
            }
        }
        let shown = format!("{}\n=== losses ===\n{}\n", rendered.text.replace('\r', "<CR>"), losses.join("\n"));
        insta::with_settings!({ snapshot_path => "lists", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format.name(), shown);
        });
        assert_eq!(render(format, &hand_off, &head()), rendered, "same input, same bytes");
        assert_eq!(format.name().parse(), Ok(format));
    }
    let error = "pdf\u{1b}".parse::<Format>().unwrap_err().to_string();
    assert!(error.contains("pan-os-edl") && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn one_host_has_a_list_of_its_own() {
    let all = contoso();
    let ps1 = host("cm-ps1.corp.contoso.com");
    let hand_off = HandOff::of(all.iter().filter(|r| r.subject == ps1));
    let names: Vec<String> = hand_off.entries.iter().map(|e| e.pattern.to_string()).collect();
    assert_eq!(names, ["cm-cas.corp.contoso.com", "cmg.contoso.com", "go.microsoft.com"]);
    let losses = render(Format::Plain, &hand_off, &head()).losses;
    let hosts: Vec<_> = losses.iter().filter(|l| l.kind == LossKind::HostsDropped).collect();
    assert!(hosts.len() == 1 && hosts[0].detail.contains("for cm-ps1.corp.contoso.com alone"), "{hosts:?}");
}

#[test]
fn what_is_needed_anyway_is_not_undecided() {
    let cas = || host("cm-cas.corp.contoso.com");
    let certain = needed(cas(), Scheme::Https, "go.microsoft.com", 443);
    let open = undecided(certain.clone(), "a fact");
    assert_eq!(HandOff::of([&certain, &open]).undecided, []);
    let mut other = open.clone();
    other.subject = Subject::Clients;
    let hand_off = HandOff::of([&open, &certain, &other]);
    assert_eq!(hand_off.undecided.len(), 1);
    assert_eq!(hand_off.undecided[0].subjects, BTreeSet::from([Subject::Clients]));
    let mut portless = certain.clone();
    portless.port = None;
    let hand_off = HandOff::of([&portless]);
    assert!(hand_off.entries.is_empty() && hand_off.undecided.len() == 1);
}

#[test]
fn texts_from_outside_stay_in_their_comment() {
    let mut hostile = undecided(needed(Subject::Clients, Scheme::Https, "x.y", 443), "a\r\nhttp_access allow all");
    let Decision::Undecided { missing } = &mut hostile.decision else { unreachable!() };
    missing.push("x".repeat(100_000));
    hostile.name = RequiredName::Template("{cmg.storage}\n.evil.example\u{2028}*/ \u{1b}[2J".to_owned());
    let hand_off = HandOff::of([&hostile]);
    let head = Head {
        generated_at: "now\nhttp_access allow all",
        catalog_version: "1\r\nvar LISTED = 1;",
        scope: "[parameters('x')]\n*",
        pac: PacRoutes::default(),
    };
    for format in Format::ALL {
        let text = render(format, &hand_off, &head).text;
        assert!(text.trim_start_matches('\u{feff}').is_ascii(), "{format}");
        for line in text.lines() {
            assert!(line.len() < 2000, "{format}: Squid reads lines of at most 2047 octets");
            let inert = match format {
                Format::Plain | Format::InspectionBypass | Format::Squid | Format::SquidSplice => {
                    line.starts_with("# ")
                }
                Format::Csv => line.trim_start_matches('\u{feff}').starts_with("name,kind"),
                Format::PanOsEdl => false,
                Format::Pac => !line.contains("= 1;") || line.starts_with("// "),
                Format::AzureFirewall => !line.trim_start().starts_with("\"[parameters('x')"),
            };
            assert!(inert, "{format}: {line}");
        }
    }
}

#[test]
fn the_arm_template_has_a_rule_for_each_scheme_and_port() {
    let requirements = whole_catalog();
    let hand_off = HandOff::of(&requirements);
    let template: serde_json::Value =
        serde_json::from_str(&render(Format::AzureFirewall, &hand_off, &head()).text).unwrap();
    let rules = &template["resources"][0]["properties"]["ruleCollections"][0]["rules"];
    let mut seen = BTreeSet::new();
    for rule in rules.as_array().unwrap() {
        let protocol = &rule["protocols"][0];
        for fqdn in rule["targetFqdns"].as_array().unwrap() {
            let scheme = protocol["protocolType"].as_str().unwrap().to_lowercase();
            seen.insert((fqdn.as_str().unwrap().to_owned(), scheme, protocol["port"].as_u64().unwrap()));
        }
    }
    let needed: BTreeSet<_> =
        hand_off.entries.iter().map(|e| (e.pattern.to_string(), e.scheme.to_string(), u64::from(e.port))).collect();
    assert_eq!(seen, needed);
}

#[test]
fn our_own_lists_are_exact_allow_lists() {
    // Without the wildcard that covers the one which a URL list cannot express.
    let mut catalog = whole_catalog();
    catalog.retain(|requirement| requirement.name.to_string() != "*.events.data.microsoft.com");
    let hand_off = HandOff::of(&catalog);
    assert!(hand_off.entries.len() > 50 && hand_off.undecided.is_empty());
    let plain = render(Format::Plain, &hand_off, &head()).text;
    let check = check_against(&hand_off, &plain).unwrap();
    assert!(check.names_are_exact() && !check.is_exact() && check.any_port > 50, "{check:#?}");
    let edl = render(Format::PanOsEdl, &hand_off, &head()).text;
    let check = check_against(&hand_off, &edl).unwrap();
    let missing: Vec<String> = check.missing.iter().map(|m| m.entry.pattern.to_string()).collect();
    assert_eq!(missing, ["*-umwatsonc.events.data.microsoft.com"]);
    assert!(check.stale.is_empty() && check.too_broad.is_empty() && check.not_understood.is_empty(), "{check:#?}");
}

#[test]
fn every_line_of_an_allow_list_gets_its_answer() {
    let list = "\u{feff}# Contoso proxy, 2019\r\n\
                https://go.microsoft.com/\r\n\
                .manage.microsoft.com\r\n\
                *.events.data.microsoft.com:443\r\n\
                sccmconnected-a01.cloudapp.net\r\n\
                old.contoso.com\r\n\
                cmg.contoso.com:443\r\n\
                definitionupdates.microsoft.com\r\n\
                granitefalls.blob.core.windows.net\r\n\
                download.windowsupdate.microsoft.com # not all of it\r\n\
                10.0.0.0/8\r\n\
                .go.microsoft.com:80\r\n";
    let check = check_against(&HandOff::of(&contoso()), list).unwrap();
    let missing: Vec<String> = check
        .missing
        .iter()
        .map(|m| format!("{}://{}:{} {:?}", m.entry.scheme, m.entry.pattern, m.entry.port, m.partly))
        .collect();
    assert_eq!(
        missing,
        [
            "http://cm-cas.corp.contoso.com:8530 []",
            "https://cmg.contoso.com:10124 []",
            "http://*.windowsupdate.microsoft.com:80 [10]"
        ]
    );
    let broad: Vec<_> = check.too_broad.iter().map(|b| (b.line, b.needed.first().unwrap().to_string())).collect();
    // Lines 3 and 10 have no port, in a list that has some.
    assert_eq!(
        broad,
        [
            (3, "configmgrbits.cdn.manage.microsoft.com".to_owned()),
            (4, "*-umwatsonc.events.data.microsoft.com".to_owned()),
            (10, "*.windowsupdate.microsoft.com".to_owned()),
            (12, "go.microsoft.com".to_owned())
        ]
    );
    assert_eq!(check.too_broad[2].ports, Some(BTreeSet::from([80])));
    assert_eq!(check.any_port, 0);
    let stale: Vec<_> = check.stale.iter().map(|s| (s.line, &s.why)).collect();
    assert_eq!(stale.len(), 3, "{stale:#?}");
    assert!(matches!(stale[0], (5, StaleWhy::OnlyRetired(entries)) if entries.len() == 1));
    assert_eq!(stale[1], (6, &StaleWhy::NotNeeded));
    assert_eq!(stale[2], (7, &StaleWhy::OtherPort(BTreeSet::from([10124]))));
    // The template may be any storage account: neither stale nor fine.
    assert_eq!(check.undecided.iter().map(|m| m.line).collect::<Vec<_>>(), [8, 9]);
    assert_eq!(check.not_understood.iter().map(|n| n.line).collect::<Vec<_>>(), [11]);
    assert!(!check.is_exact());
}

#[test]
fn ports_and_schemes_are_compared_too() {
    let cas = || host("cm-cas.corp.contoso.com");
    let go = needed(cas(), Scheme::Https, "go.microsoft.com", 443);
    let hand_off = HandOff::of([&go]);
    let check = |list: &str| check_against(&hand_off, list).unwrap();
    for exact in [
        "go.microsoft.com:443",
        "https://go.microsoft.com",
        "https://go.microsoft.com:443/",
        "*://go.microsoft.com:443",
    ] {
        assert!(check(exact).is_exact(), "{exact}");
    }
    for every in ["go.microsoft.com:*", "https://go.microsoft.com:*", "*://go.microsoft.com:*/*"] {
        let check = check(every);
        assert!(check.missing.is_empty() && !check.names_are_exact(), "{every}");
        assert_eq!(check.too_broad[0].ports, Some(BTreeSet::from([443])), "{every}");
    }
    // The right port with the wrong scheme lets nothing through.
    let other = check("http://go.microsoft.com:443");
    assert_eq!((other.missing.len(), &other.stale[0].why), (1, &StaleWhy::OtherScheme(Scheme::Https)));
    assert_eq!(check("http://go.microsoft.com").stale[0].why, StaleWhy::OtherPort(BTreeSet::from([443])));
    // A list of names alone has no ports: that is said once. Among lines with ports, each is too broad.
    let bare = check("go.microsoft.com");
    assert!(bare.names_are_exact() && !bare.is_exact() && bare.any_port == 1);
    let mixed = check("go.microsoft.com\nhttps://go.microsoft.com");
    assert_eq!((mixed.any_port, mixed.too_broad.len(), mixed.too_broad[0].line), (0, 1, 1));
}

#[test]
fn what_is_gone_or_foreign_is_stale_whatever_a_template_may_be() {
    let cas = || host("cm-cas.corp.contoso.com");
    let gone = retired(needed(cas(), Scheme::Https, "sccmconnected-a01.cloudapp.net", 443));
    let check = |template: &str, list: &str| {
        let mut open = undecided(needed(cas(), Scheme::Https, "x.contoso.com", 443), "a fact");
        open.name = RequiredName::Template(template.to_owned());
        check_against(&HandOff::of([&open, &gone]), list).unwrap()
    };
    let list = "sccmconnected-a01.cloudapp.net\nold.contoso.com\nprod1.westus2.logic.azure.com\n";
    let host = check("{notification.host}", list);
    assert_eq!(host.stale.iter().map(|stale| stale.line).collect::<Vec<_>>(), [1, 2]);
    assert!(matches!(host.stale[0].why, StaleWhy::OnlyRetired(_)));
    assert_eq!(host.undecided.iter().map(|maybe| maybe.line).collect::<Vec<_>>(), [3]);
    // A catalog's host may be any name, but not one that is known to be gone, and not on another port.
    let any = check("{third-party-catalog.host}", list);
    assert_eq!(any.stale.iter().map(|stale| stale.line).collect::<Vec<_>>(), [1]);
    assert_eq!(check("{third-party-catalog.host}", "old.contoso.com:8443").stale.len(), 1);
    // A wildcard that holds more than what is gone may be for the template.
    assert_eq!(check("{cmg.deployment-name}", "*.cloudapp.net").undecided.len(), 1);
    // What the catalog knows to be gone is known without a requirement.
    let nothing = HandOff::default().with_retired(Catalog::embedded());
    let stale = check_against(&nothing, "communityhub.microsoft.com\nold.contoso.com").unwrap().stale;
    assert!(matches!(stale[0].why, StaleWhy::OnlyRetired(_)) && stale[1].why == StaleWhy::NotNeeded, "{stale:#?}");
}

#[test]
fn what_may_be_needed_and_is_not_let_through_is_told() {
    let cas = || host("cm-cas.corp.contoso.com");
    let exact = undecided(needed(cas(), Scheme::Https, "go.microsoft.com", 443), "tenant attach");
    let mut template = exact.clone();
    template.name = RequiredName::Template("{notification.host}".to_owned());
    let hand_off = HandOff::of([&exact, &template]);
    let lacking = |list: &str| -> Vec<String> {
        let check = check_against(&hand_off, list).unwrap();
        assert!(check.missing.is_empty());
        check.maybe_missing.iter().map(|undecided| undecided.name.to_string()).collect()
    };
    assert_eq!(lacking(""), ["go.microsoft.com", "{notification.host}"]);
    assert_eq!(lacking("http://go.microsoft.com"), ["go.microsoft.com", "{notification.host}"]);
    assert_eq!(lacking("https://go.microsoft.com\n"), ["{notification.host}"]);
    assert_eq!(lacking("*.logic.azure.com\n"), ["go.microsoft.com"]);
    assert_eq!(lacking("*"), [""; 0]);
}

#[test]
fn a_name_that_another_service_has_is_not_gone() {
    let gone = HandOff::default().with_retired(Catalog::embedded());
    let list = "aka.ms\nlogin.live.com\n*.manage.microsoft.com\ncommunityhub.microsoft.com";
    let stale = check_against(&gone, list).unwrap().stale;
    let (alive, left) = stale.split_at(3);
    assert!(alive.iter().all(|stale| stale.why == StaleWhy::NotNeeded), "{alive:#?}");
    assert!(left.len() == 1 && matches!(left[0].why, StaleWhy::OnlyRetired(_)), "{left:#?}");
    // Nor does it keep a template from being told.
    let mut open = undecided(needed(Subject::Clients, Scheme::Https, "x.contoso.com", 443), "a fact");
    open.name = RequiredName::Template("{azure.GatewayService}".to_owned());
    let check = check_against(&HandOff::of([&open]).with_retired(Catalog::embedded()), "aka.ms").unwrap();
    assert!(check.stale.is_empty() && check.undecided.len() == 1 && check.maybe_missing.is_empty(), "{check:#?}");
}

#[test]
fn a_template_is_not_lacking_where_a_line_holds_it_or_was_told_for_it() {
    let cas = || host("cm-cas.corp.contoso.com");
    let template = |name: &str| {
        let mut open = undecided(needed(cas(), Scheme::Https, "x.contoso.com", 443), "a fact");
        open.name = RequiredName::Template(name.to_owned());
        open
    };
    let storage = template("{cmg.storage}.blob.{azure.StorageEndpointSuffix}");
    let account = needed(cas(), Scheme::Https, "a.blob.core.windows.net", 443);
    let hand_off = HandOff::of([&storage, &account]);
    for (line, lacking) in [
        ("*", 0),
        (".net", 0),
        ("https://*.core.windows.net", 0),
        ("*.blob.core.windows.net:443", 0),
        ("*.blob.core.windows.net:80", 1),
        ("*.table.core.windows.net", 1),
        ("a.blob.core.windows.net", 1),
    ] {
        let check = check_against(&hand_off, line).unwrap();
        assert_eq!(check.maybe_missing.len(), lacking, "{line}: {check:#?}");
    }
    // However many names a line is told for, and whatever another port of the same template has.
    let names = (0..25).map(|i| needed(cas(), Scheme::Https, &format!("a{i}.westus.logic.azure.com"), 443));
    let mut all: Vec<_> = names.map(|name| undecided(name, "a fact")).collect();
    all.push(template("{notification.host}"));
    let lacking = |all: &[_], list: &str| check_against(&HandOff::of(all), list).unwrap().maybe_missing.len();
    assert_eq!(lacking(&all, "*.westus.logic.azure.com"), 0);
    let mut other = template("{notification.host}");
    (other.scheme, other.port) = (Scheme::Http, Some(80));
    all.push(other);
    assert_eq!(lacking(&all, "https://*.westus.logic.azure.com"), 1);
}

#[test]
fn a_wildcard_is_no_excuse_and_everything_is_too_much() {
    let cas = || host("cm-cas.corp.contoso.com");
    let wildcard = needed(cas(), Scheme::Https, "*.manage.microsoft.com", 443);
    let hand_off = HandOff::of([&wildcard]);
    let broad = |list: &str| check_against(&hand_off, list).unwrap().too_broad.len();
    assert_eq!(broad("*.manage.microsoft.com"), 0);
    assert_eq!(broad("a.manage.microsoft.com\n*.b.manage.microsoft.com\n.c.manage.microsoft.com"), 0);
    assert_eq!(broad(".manage.microsoft.com"), 1, "the name itself is not needed");
    assert_eq!(broad("*.microsoft.com"), 1);
    assert_eq!(broad("*"), 1);
    assert!(check_against(&hand_off, "*").unwrap().missing.is_empty());
    assert!(check_against(&hand_off, "https://*").unwrap().missing.is_empty());
    assert_eq!(check_against(&hand_off, "http://*").unwrap().missing.len(), 1);
    let nothing = HandOff::of(&[retired(wildcard.clone())]);
    assert_eq!(check_against(&nothing, "*\n*.microsoft.com").unwrap().stale.len(), 2);
    let open = undecided(needed(cas(), Scheme::Https, "*.microsoft.com", 443), "a fact");
    let check = check_against(&HandOff::of([&wildcard, &open]), "*.microsoft.com").unwrap();
    assert!(check.too_broad.is_empty() && check.undecided.len() == 1, "what may be needed is not too broad");
}

#[test]
fn a_list_that_is_too_long_is_an_error() {
    let hand_off = HandOff::of(&contoso());
    let long = "a.contoso.com\n".repeat(MAX_TEXT / 14 + 1);
    assert_eq!(check_against(&hand_off, &long), Err(CheckError::TextTooLong(long.len())));
    let wide = format!("ok.contoso.com\n{}\n", "a".repeat(MAX_LINE + 1));
    assert_eq!(check_against(&hand_off, &wide), Err(CheckError::LineTooLong { line: 2, length: MAX_LINE + 1 }));
    assert_eq!(check_against(&hand_off, &"\n".repeat(MAX_LINES + 1)), Err(CheckError::TooManyLines));
    let full = "*.microsoft.com\n".repeat(MAX_LINES);
    assert_eq!(check_against(&hand_off, &full).unwrap().too_broad.len(), MAX_LINES);
    let noise = "\u{202e}=cmd|' /C calc'!A0\n".repeat(1000);
    let check = check_against(&hand_off, &noise).unwrap();
    assert!(check.not_understood.len() == 1000 && !check.not_understood[0].text.contains('\u{202e}'));
}

proptest::proptest! {
    #[test]
    fn a_missing_entry_is_never_let_through_and_another_always(lines in proptest::collection::vec(0usize..9, 0..6)) {
        const LINES: [&str; 9] = [
            "*.microsoft.com:443", ".manage.microsoft.com", "manage.microsoft.com", "*.manage.microsoft.com",
            "http://go.microsoft.com", "*-umwatsonc.events.data.microsoft.com", "*.net", "cmg.contoso.com:10124", "x.y",
        ];
        let list = lines.iter().map(|i| LINES[*i]).collect::<Vec<_>>().join("\n");
        let hand_off = HandOff::of(&contoso());
        let missing = check_against(&hand_off, &list).unwrap().missing;
        for entry in &hand_off.entries {
            let lets = |line: &str| {
                cmcomply::report::lists::AllowLine::parse(line).unwrap().unwrap().allows(&entry.pattern, entry.scheme, entry.port)
            };
            let allowed = list.lines().any(lets);
            proptest::prop_assert_eq!(allowed, !missing.iter().any(|m| m.entry == *entry));
        }
    }

    #[test]
    fn no_allow_list_panics(list in "[ -~\n\r\u{a0}\u{202e}日]{0,200}") {
        let _ = check_against(&HandOff::of(&contoso()), &list);
    }
}
