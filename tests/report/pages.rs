//! A page for each role of each host, and the one that leads to them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cmcomply::assess::{Grade, Verdict};
use cmcomply::evidence::{Run, gaps};
use cmcomply::report::{Format, HtmlPage, html_pages};

use super::{counts, formats, sample, validators};

fn text(page: &HtmlPage) -> &str {
    std::str::from_utf8(&page.bytes).unwrap()
}

/// The targets of the links of a page.
fn links(page: &str) -> BTreeSet<&str> {
    page.split(" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn the_pages_together_say_what_the_report_says() {
    for run in sample::hostile().into_iter().chain([sample::run(), sample::empty()]) {
        let pages = html_pages(&run);
        let mut together = counts::Counts::new();
        for page in &pages[1..] {
            let own = counts::recount(Format::Html, &page.bytes).unwrap();
            assert_eq!(head_counts(text(page)), own, "{}: the table at the head", page.name);
            for (key, count) in own {
                *together.entry(key).or_default() += count;
            }
        }
        assert_eq!(together, counts::of_run(&run));
        assert_eq!(head_counts(text(&pages[0])), counts::of_run(&run));
        let report = String::from_utf8(Format::Html.render(&run).unwrap()).unwrap();
        assert_eq!(head_counts(&report), counts::of_run(&run));
        assert_eq!(counts::recount(Format::Html, &pages[0].bytes).unwrap(), counts::Counts::new(), "only leads there");
        assert_eq!(pages, html_pages(&run), "the same bytes");
    }
}

/// The counts of the table by verdict.
fn head_counts(page: &str) -> counts::Counts {
    let table = page.split("<section id=\"result\">").nth(1).unwrap().split("</table>").next().unwrap();
    let mut counts = counts::Counts::new();
    for row in table.split("<tr>").skip(2) {
        let cell = |from: &str, at: usize| row.split(from).nth(at).unwrap().split('<').next().unwrap().to_owned();
        let verdict = row.split("<span class=\"verdict ").nth(1).unwrap().split('>').nth(1).unwrap();
        for (grade, at) in [("required", 1), ("advisory", 2)] {
            let count: usize = cell("<td class=\"number\">", at).parse().unwrap();
            if count > 0 {
                let verdict = counts::name(verdict.split('<').next().unwrap()).to_owned();
                counts.insert((grade.to_owned(), verdict), count);
            }
        }
    }
    counts
}

#[test]
fn every_link_leads_somewhere_and_every_page_back() {
    for run in [sample::run(), sample::empty()] {
        let pages = html_pages(&run);
        let names: HashSet<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!((pages[0].name.as_str(), names.len()), ("index.html", pages.len()));
        for page in &pages {
            let text = text(page);
            for link in links(text) {
                let here = link.strip_prefix('#').is_some_and(|id| text.contains(&format!(" id=\"{id}\"")));
                let document = run.catalog.documents.values().any(|document| document.url == link);
                assert!(here || document || names.contains(link), "{}: {link}", page.name);
            }
        }
        for page in &pages[1..] {
            assert!(links(text(page)).contains("index.html") && links(text(&pages[0])).contains(page.name.as_str()));
        }
    }
}

#[test]
fn a_page_is_of_one_role_and_whole_by_itself() {
    let run = sample::run();
    let pages = html_pages(&run);
    let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "index.html",
            "ps1-cm01.contoso.com-service-connection-point.html",
            "ps1-cm02.contoso.com-software-update-point.html",
            "any-client-client.html",
        ]
    );
    let mut endpoints: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for requirement in &run.requirements {
        endpoints
            .entry(requirement.subject.to_string())
            .or_default()
            .push(format!("<code>{}</code>", requirement.endpoint()));
    }
    for page in &pages[1..] {
        let text = text(page);
        let (host, own) = endpoints.iter().find(|(host, _)| page.name.contains(&host.replace(' ', "-"))).unwrap();
        assert!(own.iter().all(|endpoint| text.contains(endpoint.as_str())), "{host}");
        let foreign = endpoints.iter().filter(|(other, _)| *other != host).flat_map(|(_, foreign)| foreign);
        let foreign = foreign.filter(|endpoint| !own.contains(endpoint));
        assert_eq!(foreign.filter(|endpoint| text.contains(endpoint.as_str())).count(), 0, "{host}");
        for said in [
            "SHA-256 of the run document",
            "What to do:",
            "evidence of grade B",
            "its clock 7200 s ahead",
            "the whole report",
        ] {
            assert!(text.contains(said), "{host}: {said}");
        }
    }
}

#[test]
fn a_role_that_passes_is_not_green_where_facts_are_missing() {
    let headline = |run: &Run| {
        let page = &html_pages(run)[1];
        text(page).split("<p class=\"result").nth(1).unwrap().split("</p>").next().unwrap().to_owned()
    };
    let mut run = sample::run();
    for judgement in &mut run.judgements {
        judgement.verdict = if judgement.grade == Grade::Required { Verdict::Pass } else { Verdict::Fail };
    }
    assert!(!gaps(&run.facts).is_empty());
    assert!(headline(&run).starts_with(" unseen\">incomplete: of "), "{}", headline(&run));
    for judgement in &mut run.judgements {
        judgement.grade = Grade::Advisory;
    }
    assert!(headline(&run).starts_with("\">Nothing that counts"), "{}", headline(&run));
    run.judgements.iter_mut().for_each(|judgement| judgement.grade = Grade::Required);
    assert!(headline(&run).starts_with(" fail\">non-compliant and incomplete: of "), "{}", headline(&run));
}

#[test]
fn names_are_files_everywhere_and_hostile_text_is_inert() {
    let known: HashSet<String> = html_pages(&sample::run()).iter().flat_map(|page| formats::tags(text(page))).collect();
    for run in sample::hostile() {
        for page in html_pages(&run) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
            assert!(page.name.chars().all(plain) && page.name.len() < 160, "{}", page.name);
            let foreign = formats::tags(text(&page)).into_iter().find(|tag| !known.contains(tag) && tag != "span");
            assert_eq!(foreign, None);
            assert_eq!(formats::acting(text(&page), "\n"), None);
        }
    }
}

#[test]
fn other_peoples_software_accepts_the_pages() {
    let judged = |run: &Run, most: usize| {
        let folder = tempfile::tempdir().unwrap();
        for page in html_pages(run).iter().take(most) {
            let path = folder.path().join(&page.name);
            std::fs::write(&path, &page.bytes).unwrap();
            validators::judge_page(&path);
        }
    };
    judged(&sample::run(), usize::MAX);
    // Of these the index and a page.
    for run in &sample::hostile() {
        judged(run, 2);
    }
    judged(&sample::empty(), 1);
}
