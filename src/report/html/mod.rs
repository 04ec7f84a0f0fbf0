//! One page for people: nothing is fetched and nothing runs, it reads in light, dark, on paper and aloud.
//!
//! Meaning never hangs on colour or on hovering: a verdict is a word, the chart has hatches and its numbers in a table.

pub(super) mod chart;
mod closing;
pub(super) mod figure;
mod group;
mod head;

use sha2::{Digest as _, Sha256};

pub(super) use closing::link;

use super::markup::{Element, Syntax, el};
use super::row::{Group, Row, groups};
use super::summary::Summary;
use super::words;
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;

pub(super) fn render(run: &Run) -> String {
    let summary = Summary::of(run);
    let groups = groups(run);
    let body = el("body")
        .child(el("header").child(el("h1").text(&summary.title)).child(head::about(run, &summary)))
        .child(contents(&groups, run))
        .child(
            el("main")
                .child(head::result(run, &summary))
                .child(head::limits(&summary))
                .child(overview(&groups))
                .child(to_do(&groups))
                .children((1..).zip(&groups).map(|(number, group)| group::section(number, group)))
                .children(closing::sections(run)),
        )
        .child(el("footer").child(el("p").text(format!(
            "Made by {} {} from the run document, and from nothing else: the same run gives the same page.",
            run.tool.name, run.tool.version
        ))));
    page(&summary.title, body)
}

/// A whole page.
pub(super) fn page(title: &str, body: Element) -> String {
    page_with_margin(title, "", body)
}

/// A whole page that says this in the margin of every sheet of paper. Of the text only what is no CSS is left.
pub(super) fn page_with_margin(title: &str, margin: &str, body: Element) -> String {
    let plain: String = margin.chars().filter(|c| c.is_ascii_alphanumeric() || " -:,".contains(*c)).collect();
    let in_margin = format!("@media print {{ @page {{ @bottom-left {{ content: \"{plain}\"; font-size: 7pt; }} }} }}");
    let styles = if plain.is_empty() { vec![STYLE.to_owned()] } else { vec![STYLE.to_owned(), in_margin] };
    let page = el("html").attr("lang", "en").child(document_head(title, &styles)).child(body);
    let mut out = String::from("<!DOCTYPE html>\n");
    page.write(Syntax::Html, &mut out);
    out
}

/// How a result looks that has this exit code.
pub(super) fn result_class(exit_code: u8) -> &'static str {
    match exit_code {
        0 => "result pass",
        1 => "result fail",
        _ => "result unseen",
    }
}

const STYLE: &str = include_str!("style.css");

/// The style sheets are named by their hashes, so that no other can take effect.
fn document_head(title: &str, styles: &[String]) -> Element {
    let hashes: Vec<String> =
        styles.iter().map(|style| format!("'sha256-{}'", base64(&Sha256::digest(style)))).collect();
    let policy = format!("default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'", hashes.join(" "));
    el("head")
        .child(el("meta").attr("charset", "utf-8"))
        .child(el("meta").attr("http-equiv", "Content-Security-Policy").attr("content", policy))
        .child(el("meta").attr("name", "viewport").attr("content", "width=device-width, initial-scale=1"))
        .child(el("meta").attr("name", "color-scheme").attr("content", "light dark"))
        .child(el("meta").attr("name", "referrer").attr("content", "no-referrer"))
        .child(el("title").text(title))
        .children(styles.iter().map(|style| el("style").style(style.clone())))
}

fn contents(groups: &[Group<'_>], run: &Run) -> Element {
    let item = |anchor: &str, text: &str| el("li").child(el("a").attr("href", format!("#{anchor}")).text(text));
    let mut list = el("ul").child(item("result", "Result"));
    list = list.child(item("limits", "Limits of this report")).child(item("overview", "Hosts and roles"));
    list = list.child(item("to-do", "What to do")).children(
        (1..)
            .zip(groups)
            .map(|(number, group)| item(&anchor(number), &format!("{}, {}", group.subject, group.role.title()))),
    );
    list = list.children(closing::contents(run).into_iter().map(|(anchor, title)| item(anchor, title)));
    el("nav").attr("aria-label", "Contents").child(el("h2").text("Contents")).child(list)
}

/// What is not passing, as a chart, and all counts as a table.
fn overview(groups: &[Group<'_>]) -> Element {
    let section = heading("overview", "Hosts and roles");
    let section = match chart::not_passing(groups) {
        Some(chart) => section.child(chart),
        None => section.child(el("p").text("Everything that counts is passing, so there is nothing to draw.")),
    };
    let shown = [Verdict::Fail, Verdict::Error, Verdict::NotObserved, Verdict::Waived, Verdict::Pass];
    let mut titles = el("tr").children(["host", "role", "site"].map(column));
    titles = titles.children(shown.map(|verdict| column(verdict.title()).class("number")));
    titles = titles.child(column("advisory").class("number"));
    let rows = (1..).zip(groups).map(|(number, group)| {
        let link = el("a").attr("href", format!("#{}", anchor(number))).text(group.subject.to_string());
        let counts = shown.map(|verdict| count(&group.rows, Grade::Required, |v| v == verdict));
        el("tr")
            .child(el("th").attr("scope", "row").child(link))
            .child(el("td").text(group.role.title()))
            .child(el("td").text(group.rows.first().map_or_else(String::new, Row::site)))
            .children(counts.map(number_cell))
            .child(number_cell(count(&group.rows, Grade::Advisory, |_| true)))
    });
    let caption = "Endpoints that count, by host, role and verdict; those that are advisory in one number";
    section.child(wide(caption, titles, rows))
}

fn to_do(groups: &[Group<'_>]) -> Element {
    let section = heading("to-do", "What to do");
    let mut remedies: Vec<(&str, Vec<&Row<'_>>)> = Vec::new();
    for (remedy, rows) in groups.iter().flat_map(|group| words::remedies(&group.rows)) {
        match remedies.iter_mut().find(|(known, _)| *known == remedy) {
            Some((_, known)) => known.extend(rows),
            None => remedies.push((remedy, rows)),
        }
    }
    if remedies.is_empty() {
        return section.child(el("p").text("Nothing."));
    }
    remedies.sort_by_key(|(_, rows)| !rows.iter().any(|row| row.judgement.verdict == Verdict::Fail));
    let items = remedies.into_iter().map(|(remedy, rows)| {
        let good_for = rows.into_iter().map(|row| {
            el("li").child(verdict(row)).text(" ").child(el("code").text(row.endpoint())).text(format!(
                " for {} ({})",
                row.requirement.subject,
                row.requirement.role.title()
            ))
        });
        el("li").child(el("p").child(el("strong").text(remedy))).child(el("ul").children(good_for))
    });
    section.child(el("ol").children(items))
}

fn count(rows: &[Row<'_>], grade: Grade, is: impl Fn(Verdict) -> bool) -> usize {
    rows.iter().filter(|row| row.judgement.grade == grade && is(row.judgement.verdict)).count()
}

/// A section with its title.
pub(super) fn heading(id: &str, title: &str) -> Element {
    el("section").attr("id", id).child(el("h2").text(title))
}

fn anchor(number: usize) -> String {
    format!("group-{number}")
}

/// A table that may be wider than the page: it scrolls, also by keyboard.
pub(super) fn wide(caption: &str, titles: Element, rows: impl IntoIterator<Item = Element>) -> Element {
    let table = el("table")
        .child(el("caption").text(caption))
        .child(el("thead").child(titles))
        .child(el("tbody").children(rows));
    el("div").class("wide").attr("tabindex", "0").attr("role", "region").attr("aria-label", caption).child(table)
}

pub(super) fn column(title: &str) -> Element {
    el("th").attr("scope", "col").text(title)
}

pub(super) fn number_cell(number: usize) -> Element {
    el("td").class("number").text(number.to_string())
}

/// The verdict as a word with a colour of its own.
fn verdict(row: &Row<'_>) -> Element {
    el("span").class(class(row.judgement.verdict)).text(row.judgement.verdict.title())
}

pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "verdict pass",
        Verdict::Fail => "verdict fail",
        Verdict::Waived => "verdict waived",
        Verdict::NotObserved => "verdict unseen",
        Verdict::Error => "verdict error",
        Verdict::NotApplicable => "verdict needless",
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let part = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            out.push(if place <= chunk.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(super::base64(bytes.as_bytes()), text);
        }
    }
}
