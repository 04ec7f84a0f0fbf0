//! One page for people, in the manner of the report of a run: nothing is fetched and nothing runs.

use super::super::html::{column, heading, link, page, result_class, wide};
use super::super::markup::{Element, el};
use super::document::{Readiness, ReadinessEndpoint};
use super::words;
use crate::assess::Verdict;
use crate::assess::readiness::{Finding, State};
use crate::derive::Change;

pub(super) fn render(document: &Readiness) -> String {
    let contents = [
        ("rules", "Rules that are open"),
        ("endpoints", "Endpoints"),
        ("calendar", "What comes next"),
        ("others", "Rules that are met or do not apply"),
        ("limits", "Limits of this report"),
        ("documents", "Documents"),
    ];
    let items = contents.map(|(anchor, title)| el("li").child(el("a").attr("href", format!("#{anchor}")).text(title)));
    let nav = el("nav").attr("aria-label", "Contents").child(el("h2").text("Contents")).child(el("ul").children(items));
    let body = el("body")
        .child(el("header").child(el("h1").text(document.title())).child(about(document)))
        .child(nav)
        .child(
            el("main")
                .child(open_rules(document))
                .child(endpoints(document))
                .child(calendar(document))
                .child(others(document))
                .child(limits(document))
                .child(documents(document)),
        )
        .child(el("footer").child(el("p").text(format!(
            "Made by {} {} from the readiness document, and from nothing else: the same document gives the same page.",
            document.tool.name, document.tool.version
        ))));
    page(&document.title(), body)
}

fn about(document: &Readiness) -> Element {
    let class = result_class(document.verdict.exit_code);
    let about = [
        ("as of", document.day.to_string()),
        (
            "version to update to",
            format!(
                "{} (build {}), supported until {}",
                document.target.version, document.target.build, document.target.support_ends
            ),
        ),
        ("sites", document.hierarchy.sites.join("; ")),
        ("site database", document.hierarchy.database.clone()),
        ("probed from", document.origin.probed_from.clone()),
        ("begun", format!("{:.0}", document.origin.started)),
        ("exit code", document.verdict.exit_code.to_string()),
        ("catalog", document.origin.catalog.clone()),
        ("SHA-256 of the run document", document.origin.run_sha256.clone()),
    ];
    let list =
        about.iter().fold(el("dl"), |list, (name, value)| list.child(el("dt").text(name)).child(el("dd").text(value)));
    let mut parts = el("div").child(el("p").class(class).text(words::sentence(document))).child(list);
    if !document.verdict.incomplete.is_empty() {
        let reasons = document.verdict.incomplete.iter().map(|reason| el("li").text(reason));
        parts = parts.child(el("p").text("Why it is incomplete:")).child(el("ul").children(reasons));
    }
    parts
}

fn open_rules(document: &Readiness) -> Element {
    let section = heading("rules", "Rules that are open");
    let open = words::open_rules(document);
    if open.is_empty() {
        return section.child(el("p").text("None: every rule is met or does not apply."));
    }
    let titles = ["state", "rule", "what was found, and what to do"].map(column);
    let table = el("table")
        .class("endpoints")
        .child(el("caption").text("Rules that are not met or cannot be decided, the worst first"))
        .child(el("thead").child(el("tr").children(titles)))
        .child(el("tbody").children(open.into_iter().map(|finding| rule(document, finding))));
    section.child(table)
}

fn rule(document: &Readiness, finding: &Finding) -> Element {
    let small = |text: String| el("p").class("small").text(text);
    let about = el("td")
        .child(el("p").text(&finding.title))
        .child(el("p").child(el("code").text(&finding.rule)))
        .child(small(format!("source: {}", document.source(finding))));
    let mut found = el("td").child(list(&words::found(finding)));
    let to_do = words::to_do(finding);
    if !to_do.is_empty() {
        found = found.child(el("p").child(el("strong").text("What to do:"))).child(list(&to_do));
    }
    let state = el("td").child(el("p").child(state(finding.state))).child(small(finding.severity.name().to_owned()));
    el("tr").child(state).child(about).child(found)
}

fn list(lines: &[String]) -> Element {
    el("ul").children(lines.iter().map(|line| el("li").text(line)))
}

fn state(state: State) -> Element {
    let class = match state {
        State::NotMet => "verdict fail",
        State::Undecided => "verdict unseen",
        State::Met => "verdict pass",
        State::DoesNotApply => "verdict needless",
    };
    el("span").class(class).text(state.title())
}

fn verdict(verdict: Verdict) -> Element {
    el("span").class(super::super::html::class(verdict)).text(verdict.title())
}

fn endpoints(document: &Readiness) -> Element {
    let mut section = heading("endpoints", "Endpoints");
    let new = words::new_endpoints(document);
    let open: Vec<_> = words::open_endpoints(document).into_iter().filter(|row| row.change != Change::Added).collect();
    section = if new.is_empty() {
        section.child(el("p").text("The update adds no endpoint."))
    } else {
        section.child(rows("Endpoints that the update adds", &new))
    };
    section = if open.is_empty() {
        section.child(el("p").text("Every endpoint of today that counts is reached."))
    } else {
        section.child(rows("Endpoints of today that count and are not passing", &open))
    };
    if !document.no_longer_needed.is_empty() {
        section =
            section.child(el("p").text("No longer needed after the update:")).child(list(&document.no_longer_needed));
    }
    section
}

fn rows(caption: &str, rows: &[&ReadinessEndpoint]) -> Element {
    let small = |text: String| el("p").class("small").text(text);
    let rows = words::together(rows).into_iter().map(|words::Together { row, subjects }| {
        let endpoint = el("td").child(el("p").child(el("code").text(&row.endpoint))).child(small(format!(
            "for {} ({})",
            subjects.join(", "),
            row.role
        )));
        let mut seen = el("td").child(el("p").text(row.seen.as_deref().unwrap_or("reached")));
        if let Some(remedy) = &row.remedy {
            seen = seen.child(el("p").child(el("strong").text("What to do:")).text(format!(" {remedy}")));
        }
        el("tr").child(el("td").child(verdict(row.verdict))).child(endpoint).child(seen)
    });
    let titles = ["verdict", "endpoint, hosts and role", "what was seen, and what to do"].map(column);
    el("table")
        .class("endpoints")
        .child(el("caption").text(caption))
        .child(el("thead").child(el("tr").children(titles)))
        .child(el("tbody").children(rows))
}

fn calendar(document: &Readiness) -> Element {
    let section = heading("calendar", "What comes next");
    if document.calendar.is_empty() {
        return section.child(el("p").text("Nothing that is known."));
    }
    let rows = document.calendar.iter().map(|coming| {
        let source = coming.source.as_ref();
        let source = source.map(|one| document.cite(&one.document, &one.section, one.date)).unwrap_or_default();
        el("tr")
            .child(el("th").attr("scope", "row").text(words::day(coming)))
            .child(el("td").text(words::when(coming)))
            .child(el("td").text(coming.kind.title()))
            .child(el("td").text(&coming.what))
            .child(el("td").text(source))
    });
    let titles = ["day", "when", "kind", "what", "source"].map(column);
    section.child(wide("Days that matter, by date; what has passed is overdue", el("tr").children(titles), rows))
}

fn others(document: &Readiness) -> Element {
    let section = heading("others", "Rules that are met or do not apply");
    let rows: Vec<Element> = [State::Met, State::DoesNotApply]
        .into_iter()
        .flat_map(|state| words::of_state(document, state))
        .map(|finding| {
            let rule = el("th").attr("scope", "row").child(el("code").text(&finding.rule));
            el("tr")
                .child(el("td").child(state(finding.state)))
                .child(rule)
                .child(el("td").text(&finding.title))
                .child(el("td").child(list(&words::found(finding))))
        })
        .collect();
    if rows.is_empty() {
        return section.child(el("p").text("None."));
    }
    let titles = ["state", "rule", "what must hold", "what was found"].map(column);
    section.child(wide("Rules that need nobody", el("tr").children(titles), rows))
}

fn limits(document: &Readiness) -> Element {
    let section = heading("limits", "Limits of this report");
    let own =
        "It says nothing of what the product's own checks look at besides: replication, inboxes, SQL Server, licences";
    let limits: Vec<String> =
        document.limits.iter().cloned().chain([own.to_owned()]).map(|l| format!("{l}.")).collect();
    section.child(list(&limits))
}

fn documents(document: &Readiness) -> Element {
    let section = heading("documents", "Documents");
    if document.documents.is_empty() {
        return section.child(el("p").text("None is cited."));
    }
    section.child(el("ul").children(document.documents.values().map(|one| el("li").child(link(one)))))
}
