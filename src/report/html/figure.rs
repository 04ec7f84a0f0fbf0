//! Shapes of the drawings.

use super::super::markup::{Element, el};

/// The height of a bar.
const BAR: usize = 20;

/// A drawing with its title and description, which a reader hears in its place.
pub(in crate::report) fn svg(
    (width, height): (usize, usize),
    title: &str,
    described: &str,
    shapes: Vec<Element>,
) -> Element {
    el("svg")
        .attr("viewBox", format!("0 0 {width} {height}"))
        .attr("role", "img")
        .attr("aria-labelledby", "chart-title chart-text")
        .child(el("title").attr("id", "chart-title").text(title))
        .child(el("desc").attr("id", "chart-text").text(described))
        .child(super::chart::hatches())
        .children(shapes)
}

/// An entry of the legend.
pub(in crate::report) fn key(left: usize, name: &str, class: &'static str) -> [Element; 2] {
    [rect(left, 6, BAR, class), label(left + BAR + 8, 21, "start").text(name)]
}

pub(in crate::report) fn rect(x: usize, y: usize, width: usize, class: &'static str) -> Element {
    let number = |value: usize| value.to_string();
    el("rect")
        .class(class)
        .attr("x", number(x))
        .attr("y", number(y))
        .attr("width", number(width))
        .attr("height", number(BAR))
}

pub(in crate::report) fn label(x: usize, y: usize, anchor: &str) -> Element {
    el("text").attr("x", x.to_string()).attr("y", y.to_string()).attr("text-anchor", anchor)
}
