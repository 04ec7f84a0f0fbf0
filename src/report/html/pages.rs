//! A page for each role of each host, and one that leads to them: who looks after one server gets his page and no other.
//! Each is whole by itself, as the report is.

use std::collections::HashSet;

use super::super::markup::{Element, el};
use super::super::row::{Group, groups};
use super::super::summary::Summary;
use super::super::vantages;
use super::{closing, footer, group, head, heading, item, page, report, to_do};
use crate::assess::{Grade, Verdict};
use crate::catalog::Document;
use crate::derive::Subject;
use crate::evidence::{Outcome, Run, Tally, gaps};

/// A file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtmlPage {
    /// Its name: small letters, digits, `.` and `-`.
    pub name: String,
    /// The page.
    pub bytes: Vec<u8>,
}

/// The page that leads to the others.
const INDEX: &str = "index.html";

/// The pages of a run; the first leads to the others.
pub fn html_pages(run: &Run) -> Vec<HtmlPage> {
    let summary = Summary::of(run);
    let groups = groups(run);
    let names = names(&groups);
    let front = report(run, &summary, &groups, &names, Vec::new());
    let pages = (0..groups.len()).map(|at| (names[at].clone(), of_group(run, &summary, &groups, &names, at)));
    let pages = std::iter::once((INDEX.to_owned(), front)).chain(pages);
    pages.map(|(name, page)| HtmlPage { name, bytes: page.into_bytes() }).collect()
}

fn of_group(run: &Run, summary: &Summary, groups: &[Group<'_>], names: &[String], at: usize) -> String {
    let group = &groups[at];
    let outcome = outcome(run, group);
    let title = format!("Internet endpoints of {}: {}", group.title(), outcome.title());
    let body = el("body")
        .child(el("header").child(el("h1").text(&title)).child(about(run, summary, group, &outcome)))
        .child(contents(groups, names, at))
        .child(
            el("main")
                .child(head::result(&outcome))
                .child(to_do(std::slice::from_ref(group)))
                .child(heading("endpoints", "Endpoints").child(group::endpoints(group)))
                .child(head::limits(summary))
                .child(heading("documents", "Documents").child(closing::documents(cited(run, group).into_iter())))
                .child(heading("words", "Words").child(closing::glossary())),
        )
        .child(footer(run));
    page(&title, body)
}

/// What the role alone comes to. A gap in the facts leaves it open too: more may be needed than stands here.
fn outcome(run: &Run, group: &Group<'_>) -> Outcome {
    let tally = Tally::of(group.rows.iter().map(|row| row.judgement));
    let incomplete = [tally.unseen(), gaps(&run.facts)].concat();
    Outcome { non_compliant: tally.count(Grade::Required, Verdict::Fail) > 0, incomplete, tally }
}

fn about(run: &Run, summary: &Summary, group: &Group<'_>, outcome: &Outcome) -> Element {
    let text = |text: &str| el("dd").text(text);
    let mut facts = vec![("host", text(&group.subject.to_string())), ("role", text(group.role.title()))];
    let site = group.site();
    if !site.is_empty() {
        facts.push(("site", text(&site)));
    }
    let mut looked: Vec<String> = group.rows.iter().filter_map(|row| vantages::looked(run, row.judgement)).collect();
    looked.dedup();
    if looked.is_empty() {
        looked.push("nobody looked".to_owned());
    }
    facts.extend(looked.iter().map(|line| ("evidence", text(line))));
    let whole = format!("{} (exit code {})", run.outcome.title(), run.outcome.exit_code());
    let whole = el("dd").child(el("a").attr("href", INDEX).text("the whole report")).text(format!(": {whole}"));
    facts.push(("all hosts", whole));
    // Of the whole run, and so of all hosts.
    let of_all = ["result", "evidence", "endpoints probed"];
    let rest = summary.about.iter().filter(|(name, _)| !of_all.contains(name));
    facts.extend(rest.map(|(name, value)| (*name, text(value))));
    let headline = match outcome.tally.required.values().sum::<usize>() {
        0 => el("p").class("result").text("Nothing that counts: what stands here is advisory."),
        _ => head::headline(outcome),
    };
    el("div").child(headline).child(head::facts(facts))
}

/// Where it leads: back to all, to the parts of this page, and to the other roles of the host.
fn contents(groups: &[Group<'_>], names: &[String], at: usize) -> Element {
    let own = [
        (INDEX, "The whole report: all hosts and roles"),
        ("#result", "Result"),
        ("#to-do", "What to do"),
        ("#endpoints", "Endpoints"),
        ("#limits", "Limits of this report"),
        ("#documents", "Documents"),
        ("#words", "Words"),
    ];
    let mut list = el("ul").children(own.map(|(link, text)| item(link, text)));
    let others = groups.iter().zip(names).enumerate();
    let others = others.filter(|(other, (group, _))| *other != at && group.subject == groups[at].subject);
    list =
        list.children(others.map(|(_, (group, name))| item(name, &format!("The same host as {}", group.role.title()))));
    el("nav").attr("aria-label", "Contents").child(el("h2").text("Contents")).child(list)
}

/// The documents that its entries cite.
fn cited<'a>(run: &'a Run, group: &Group<'a>) -> Vec<&'a Document> {
    let sources = group.rows.iter().filter_map(|row| row.entry).flat_map(|entry| &entry.sources);
    let keys: HashSet<&String> = sources.map(|source| &source.document).collect();
    run.catalog.documents.iter().filter(|(key, _)| keys.contains(key)).map(|(_, document)| document).collect()
}

/// A name for each group, of characters that every file system takes. The code of the site comes first: what begins with
/// `con.` or `aux.` is no file on Windows.
fn names(groups: &[Group<'_>]) -> Vec<String> {
    let mut taken = HashSet::from([INDEX.to_owned()]);
    let name = |group: &Group<'_>| {
        let subject = match group.subject {
            Subject::Host { site, host } => format!("{site}-{}", host.as_str().chars().take(HOST).collect::<String>()),
            other => other.to_string(),
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
        let name: String = format!("{subject}-{}", group.role.title()).chars().map(plain).collect();
        let more = std::iter::once(String::new()).chain((2..).map(|number: usize| format!("-{number}")));
        let mut free = more.map(|more| format!("{name}{more}.html")).filter(|name| !taken.contains(name));
        let name = free.next().expect("there are more numbers than groups");
        taken.insert(name.clone());
        name
    };
    groups.iter().map(name).collect()
}

/// Characters of a host's name: paths on Windows are short.
const HOST: usize = 100;
