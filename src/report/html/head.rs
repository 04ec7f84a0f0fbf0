//! The beginning of the page: what it is about, the result, its limits.

use super::super::markup::{Element, el};
use super::super::summary::Summary;
use super::super::words;
use super::{class, column, heading, number_cell, result_class, wide};
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;

pub(super) fn about(run: &Run, summary: &Summary) -> Element {
    let class = result_class(run.outcome.exit_code());
    let list = summary
        .about
        .iter()
        .fold(el("dl"), |list, (name, value)| list.child(el("dt").text(name)).child(el("dd").text(value)));
    el("div").child(el("p").class(class).text(sentence(run))).child(list)
}

/// The result in one sentence.
fn sentence(run: &Run) -> String {
    let count = |verdict| run.outcome.tally.count(Grade::Required, verdict);
    let all: usize = Verdict::ALL.into_iter().filter(|v| *v != Verdict::NotApplicable).map(count).sum();
    format!(
        "{}: of {all} endpoints that count, {} pass, {} fail, {} are waived, {} were not observed, {} ended in an error.",
        run.outcome.title(),
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Waived),
        count(Verdict::NotObserved),
        count(Verdict::Error)
    )
}

pub(super) fn result(run: &Run, summary: &Summary) -> Element {
    let titles = el("tr")
        .child(column("verdict"))
        .child(column("required").class("number"))
        .child(column("advisory").class("number"))
        .child(column("what it means"));
    let rows = Verdict::ALL.map(|verdict| {
        let count = |grade| number_cell(run.outcome.tally.count(grade, verdict));
        el("tr")
            .child(el("th").attr("scope", "row").child(el("span").class(class(verdict)).text(verdict.title())))
            .child(count(Grade::Required))
            .child(count(Grade::Advisory))
            .child(el("td").text(words::meaning(verdict)))
    });
    let caption = "Endpoints by verdict. Required ones decide the result, advisory ones are shown only";
    let section = heading("result", "Result").child(wide(caption, titles, rows));
    if summary.incomplete.is_empty() {
        return section.child(el("p").text("Everything that counts was looked at."));
    }
    section
        .child(el("h3").text("Why it is incomplete"))
        .child(el("ul").children(summary.incomplete.iter().map(|why| el("li").text(why))))
}

pub(super) fn limits(summary: &Summary) -> Element {
    heading("limits", "Limits of this report")
        .child(el("ul").children(summary.limits.iter().map(|limit| el("li").text(format!("{limit}.")))))
}
