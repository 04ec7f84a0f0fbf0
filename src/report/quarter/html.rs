//! The quarterly report as one page: the same rules as the page of a run.

use super::super::html::{chart, column, figure, heading, number_cell, page_with_margin, result_class, wide};
use super::super::markup::{Element, el};
use super::QuarterReport;
use super::section::{Block, Cell, Point, Section};

/// Measures of the trend, in units of the drawing.
const WIDTH: usize = 760;
const LEFT: usize = 90;
const ROOM: usize = 600;
const LINE: usize = 28;
const HEAD: usize = 40;
/// A table of more columns is set smaller, and its texts may break anywhere: it must fit on paper.
const DENSE: usize = 6;

pub(super) fn render(report: &QuarterReport) -> String {
    let class = match report.outcome.exit_code() {
        // The run is fine; what the report is about is not, or not yet.
        0 if report.has_alert() => "result unseen",
        code => result_class(code),
    };
    let sentence = report.sections.iter().find(|section| section.anchor == "verdict").and_then(|section| {
        section.blocks.iter().find_map(|block| if let Block::Text(text) = block { Some(text) } else { None })
    });
    let header = el("header")
        .child(el("h1").text(&report.title))
        .child(el("p").class(class).text(sentence.map_or("", String::as_str)));
    let items = report.sections.iter().map(|section| {
        let link = el("a").attr("href", format!("#{}", section.anchor)).text(title(section));
        el("li").child(link)
    });
    let contents =
        el("nav").attr("aria-label", "Contents").child(el("h2").text("Contents")).child(el("ul").children(items));
    let footer = "Made by cmcomply from the runs of a store and the day on which it was made, and from nothing else.";
    let body = el("body")
        .class("quarterly")
        .child(header)
        .child(contents)
        .child(el("main").children(report.sections.iter().map(section)))
        .child(el("footer").child(el("p").text(footer)));
    page_with_margin(&report.title, &report.margin, body)
}

fn title(section: &Section) -> String {
    format!("{}. {}", section.number, section.title)
}

fn section(section: &Section) -> Element {
    heading(section.anchor, &title(section)).children(section.blocks.iter().map(block))
}

fn block(block: &Block) -> Element {
    match block {
        Block::Text(text) => el("p").text(text),
        Block::Alert(text) => el("p").class("result fail").text(format!("Attention: {text}")),
        Block::Facts(facts) => facts
            .iter()
            .fold(el("dl"), |list, (name, value)| list.child(el("dt").text(name)).child(el("dd").text(value))),
        Block::List(items) => el("ul").children(items.iter().map(|item| el("li").text(item))),
        Block::Table { caption, columns, rows } => {
            let numbers: Vec<bool> = (0..columns.len()).map(|at| is_of_numbers(rows, at)).collect();
            let titles = columns
                .iter()
                .zip(&numbers)
                .map(|(title, number)| if *number { column(title).class("number") } else { column(title) });
            let table = wide(caption, el("tr").children(titles), rows.iter().map(|cells| row(cells, &numbers)));
            if columns.len() > DENSE { el("div").class("dense").child(table) } else { table }
        }
        Block::Trend(points) => trend(points),
        Block::Lines(lines) => {
            el("dl").class("sign").children(lines.iter().flat_map(|line| [el("dt").text(line), el("dd").text("")]))
        }
    }
}

/// Whether a column holds numbers, and dashes where there is none.
fn is_of_numbers(rows: &[Vec<Cell>], column: usize) -> bool {
    let cells = || rows.iter().filter_map(|row| row.get(column));
    let number = |cell: &Cell| matches!(cell, Cell::Number(_));
    cells().any(number) && cells().all(|cell| number(cell) || matches!(cell, Cell::Text(text) if text == "-"))
}

fn row(cells: &[Cell], numbers: &[bool]) -> Element {
    let cells = (0..).zip(cells).zip(numbers).map(|((at, cell), number): ((usize, _), _)| match cell {
        Cell::Number(number) => number_cell(*number),
        Cell::Text(text) if at == 0 => el("th").attr("scope", "row").text(text),
        Cell::Text(text) if *number => el("td").class("number").text(text),
        Cell::Text(text) => el("td").text(text),
    });
    el("tr").children(cells)
}

/// A bar for each quarter, of what is not passing; a quarter without a run says so.
fn trend(points: &[Point]) -> Element {
    let sum = |point: &Point| point.counts.map_or(0, |counts| counts.iter().sum::<usize>());
    let most = points.iter().map(sum).max().unwrap_or(0).max(1);
    let words = points.iter().map(|point| match point.counts {
        None => format!("{}: no run", point.quarter),
        Some(counts) => {
            let parts =
                chart::DRAWN.iter().zip(counts).map(|((verdict, _), count)| format!("{count} {}", verdict.title()));
            format!("{}: {}", point.quarter, parts.collect::<Vec<_>>().join(", "))
        }
    });
    let described = words.collect::<Vec<_>>().join("; ");
    let mut shapes = chart::legend(LEFT);
    for (line, point) in points.iter().enumerate() {
        let top = HEAD + LINE * line;
        shapes.push(figure::label(LEFT - 8, top + 17, "end").text(&point.quarter));
        let Some(counts) = point.counts else {
            shapes.push(figure::label(LEFT + 6, top + 17, "start").text("no run"));
            continue;
        };
        shapes.extend(chart::stacked((LEFT, top), ROOM, &counts, most));
    }
    let height = HEAD + LINE * points.len() + 8;
    let svg = figure::svg((WIDTH, height), "Required endpoints that are not passing, by quarter", &described, shapes);
    // Where it is wider than the page it scrolls, also by keyboard.
    el("figure")
        .attr("tabindex", "0")
        .child(svg)
        .child(el("figcaption").text("Not passing, by quarter. The table below has all numbers."))
}
