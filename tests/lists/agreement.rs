//! Our lists mean to those who read them what they mean to us.

use super::*;

/// The distinct patterns of the whole catalog, and a name with its subdomains.
fn catalog_patterns() -> Vec<ListPattern> {
    let entries = HandOff::of(&whole_catalog()).entries;
    let mut patterns: BTreeSet<ListPattern> = entries.into_iter().map(|entry| entry.pattern).collect();
    patterns.insert(ListPattern::ApexAndSubdomains(HostName::parse("apex.contoso.com").unwrap()));
    patterns.into_iter().collect()
}

/// One entry of the pattern, on the port.
fn alone(pattern: &ListPattern, port: u16) -> ListEntry {
    let mut entry = HandOff::of([&needed(Subject::Clients, Scheme::Https, "x.y", port)]).entries.remove(0);
    entry.pattern = pattern.clone();
    entry
}

#[test]
fn squid_means_what_we_mean_pattern_by_pattern() {
    let Some(program) = squid::program() else { return };
    let patterns = catalog_patterns();
    // Each pattern has a port of its own, so that no other pattern answers for it.
    let entries: Vec<ListEntry> = patterns.iter().zip(10_000..).map(|(p, port)| alone(p, port)).collect();
    let hand_off = HandOff { entries, ..HandOff::default() };
    let squid = squid::Squid::start(&program, &render(Format::Squid, &hand_off, &head()).text);
    let (mut allowed, mut denied) = (0, 0);
    for entry in &hand_off.entries {
        for name in names::around(&entry.pattern) {
            let ours = names::expected([&entry.pattern], &name);
            assert_eq!(squid.allows(&name, entry.port), ours, "{name} for {}", entry.pattern);
            *if ours { &mut allowed } else { &mut denied } += 1;
        }
    }
    assert!(allowed > 200 && denied > 1000, "{allowed} allowed, {denied} denied");
}

#[test]
fn squid_means_what_we_mean_for_the_whole_list() {
    let Some(program) = squid::program() else { return };
    let hand_off = HandOff::of(&whole_catalog());
    let text = render(Format::Squid, &hand_off, &head()).text;
    let (accepted, said) = squid::parse(&program, &text);
    assert!(accepted && !said.contains("WARNING") && !said.contains("ERROR") && !said.contains("FATAL"), "{said}");
    let squid = squid::Squid::start(&program, &text);
    for port in [80, 443, 444, 10124] {
        let through: Vec<&ListPattern> =
            hand_off.entries.iter().filter(|e| e.port == port && !e.is_intranet()).map(|e| &e.pattern).collect();
        for name in catalog_patterns().iter().flat_map(names::around).step_by(3) {
            let ours = names::expected(through.iter().copied(), &name);
            assert_eq!(squid.allows(&name, port), ours, "{name}:{port}");
        }
    }
    // An address is never looked up: its owner could let it answer with an allowed name.
    assert!(!squid.allows("127.0.0.1", 443) && !squid.allows("[::1]", 443));
}

/// Squid refuses these when they are written one below the other; a list of ours must never say a thing twice.
#[test]
fn squid_accepts_names_that_cover_each_other() {
    let Some(program) = squid::program() else { return };
    let twice = "acl a dstdomain sub.contoso.com\nacl a dstdomain .contoso.com\nhttp_access allow a\n";
    assert!(!squid::parse(&program, twice).0, "this Squid has become lenient");
    let name = |text: &str| ListPattern::Host(HostPattern::parse(text).unwrap());
    let apex = ListPattern::ApexAndSubdomains(HostName::parse("contoso.com").unwrap());
    let sub = ListPattern::ApexAndSubdomains(HostName::parse("sub.contoso.com").unwrap());
    for patterns in [
        vec![name("sub.contoso.com"), apex.clone()],
        vec![name("contoso.com"), name("*.contoso.com"), name("sub.contoso.com")],
        vec![sub, apex, name("contoso.com"), name("*.contoso.com"), name("*-x.contoso.com")],
    ] {
        let entries = patterns.iter().map(|p| alone(p, 443)).collect();
        let text = render(Format::Squid, &HandOff { entries, ..HandOff::default() }, &head()).text;
        let (accepted, said) = squid::parse(&program, &text);
        assert!(accepted && !said.contains("WARNING") && !said.contains("ERROR"), "{said}\n{text}");
    }
}

#[test]
fn pacparser_means_what_we_mean() {
    if let Some(engine) = pac::pacparser() {
        pac_agrees(&engine);
    }
}

#[test]
fn pac_resolver_means_what_we_mean() {
    if let Some(engine) = pac::pac_resolver() {
        pac_agrees(&engine);
    }
}

/// Each pattern alone, then the whole list, then the empty one.
fn pac_agrees(engine: &pac::Engine) {
    let case = |hand_off: &HandOff, hosts: Vec<String>| pac::Case {
        script: render(Format::Pac, hand_off, &head()).text,
        hosts,
    };
    let patterns = catalog_patterns();
    let mut lists: Vec<HandOff> =
        patterns.iter().map(|pattern| HandOff { entries: vec![alone(pattern, 443)], ..HandOff::default() }).collect();
    let mut cases: Vec<pac::Case> =
        lists.iter().zip(&patterns).map(|(list, pattern)| case(list, names::around(pattern))).collect();
    let everything: Vec<String> = patterns.iter().flat_map(names::around).collect();
    for list in [HandOff::of(&whole_catalog()), HandOff::default()] {
        cases.push(case(&list, everything.clone()));
        lists.push(list);
    }
    let answers = engine.ask(&cases);
    assert_eq!(answers.len(), cases.len());
    for ((list, case), answers) in lists.iter().zip(&cases).zip(&answers) {
        assert_eq!(answers.len(), case.hosts.len());
        let patterns: Vec<&ListPattern> =
            list.entries.iter().filter(|e| !e.is_intranet()).map(|e| &e.pattern).collect();
        for (name, answer) in case.hosts.iter().zip(answers) {
            let listed = names::expected(patterns.iter().copied(), name);
            assert_eq!(answer, if listed { "DIRECT" } else { "PROXY proxy.contoso.com:8080" }, "{name}");
        }
    }
}

#[test]
fn an_unfinished_pac_script_lets_nothing_through() {
    let head = Head { pac: PacRoutes { listed: Via::Unknown, other: Via::Unknown }, ..head() };
    let rendered = render(Format::Pac, &HandOff::of(&contoso()), &head);
    assert!(!rendered.text.contains("DIRECT"));
    assert_eq!(rendered.losses.iter().filter(|l| l.kind == LossKind::ByHand).count(), 2);
}
