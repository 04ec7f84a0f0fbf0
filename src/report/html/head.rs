//! The beginning of the page: what it is about, the result, its limits.

use super::super::markup::{Element, el};
use super::super::summary::Summary;
use super::super::words;
use super::{class, column, heading, number_cell, result_class, wide};
use crate::assess::{Grade, Verdict};
use crate::evidence::{Outcome, Run};

pub(super) fn about(run: &Run, summary: &Summary) -> Element {
    let about = summary.about.iter().map(|(name, value)| (*name, el("dd").text(value)));
    el("div").child(headline(&run.outcome)).child(facts(about))
}

/// Names and values.
pub(super) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Element)>) -> Element {
    facts.into_iter().fold(el("dl"), |list, (name, value)| list.child(el("dt").text(name)).child(value))
}

/// The result in one sentence.
pub(super) fn headline(outcome: &Outcome) -> Element {
    el("p").class(result_class(outcome.exit_code())).text(sentence(outcome))
}

/// What there is none of is left out, but for passes and failures.
fn sentence(outcome: &Outcome) -> String {
    let count = |verdict| outcome.tally.count(Grade::Required, verdict);
    let all: usize = Verdict::ALL.into_iter().filter(|v| *v != Verdict::NotApplicable).map(count).sum();
    let more = [
        (count(Verdict::Waived), "waived", "is", "are"),
        (count(Verdict::NotObserved), "not observed", "was", "were"),
        (count(Verdict::Error), "in an error", "ended", "ended"),
    ];
    let more = more.into_iter().filter(|(number, ..)| *number > 0);
    let more =
        more.map(|(number, what, one, many)| format!(", {number} {} {what}", if number == 1 { one } else { many }));
    let (pass, fail) = (count(Verdict::Pass), count(Verdict::Fail));
    format!(
        "{}: of {all} endpoints that count, {pass} pass, {fail} fail{}.",
        outcome.title(),
        more.collect::<Vec<_>>().concat()
    )
}

pub(super) fn result(outcome: &Outcome) -> Element {
    let titles = el("tr")
        .child(column("verdict"))
        .child(column("required").class("number"))
        .child(column("advisory").class("number"))
        .child(column("what it means"));
    let rows = Verdict::ALL.map(|verdict| {
        let count = |grade| number_cell(outcome.tally.count(grade, verdict));
        el("tr")
            .child(el("th").attr("scope", "row").child(el("span").class(class(verdict)).text(verdict.title())))
            .child(count(Grade::Required))
            .child(count(Grade::Advisory))
            .child(el("td").text(words::meaning(verdict)))
    });
    let caption = "Endpoints by verdict. Required ones decide the result, advisory ones are shown only";
    let section = heading("result", "Result").child(wide(caption, titles, rows));
    if outcome.incomplete.is_empty() {
        return section.child(el("p").text("Everything that counts was looked at."));
    }
    section
        .child(el("h3").text("Why it is incomplete"))
        .child(el("ul").children(outcome.incomplete.iter().map(|why| el("li").text(why))))
}

pub(super) fn limits(summary: &Summary) -> Element {
    heading("limits", "Limits of this report")
        .child(el("ul").children(summary.limits.iter().map(|limit| el("li").text(format!("{limit}.")))))
}
