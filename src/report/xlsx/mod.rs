//! A workbook: a summary, every requirement, every layer of every probe, and from where one looked, all with filters. Its
//! creation date is the end of the run, so that the same
//! run gives the same bytes.

mod evidence;

use jiff::Timestamp;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Table, TableColumn, Workbook, Worksheet, XlsxError,
};

use super::columns::{COLUMNS, Cell};
use super::row::{Row, rows};
use super::summary::Summary;
use crate::assess::{Grade, Verdict};
use crate::evidence::Run;
use crate::text::printable;

/// Characters of a cell of the summary.
const CELL: usize = 3000;

pub(super) fn render(run: &Run) -> Result<Vec<u8>, XlsxError> {
    let summary = Summary::of(run);
    let mut workbook = Workbook::new();
    let created = moment(run.moments.finished)?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title(printable(&summary.title, 250))
            .set_author("cmcomply")
            .set_creation_datetime(&created),
    );
    write_summary(workbook.add_worksheet().set_name("Summary")?, &summary, run)?;
    let rows = rows(run);
    let cells = |row: &Row<'_>| COLUMNS.iter().map(|column| column.cell(row)).collect();
    let not_passing = rows.iter().filter(|row| row.is_not_passing()).map(cells).collect();
    let requirements = rows.iter().map(cells).collect();
    let columns: Vec<(&str, u16)> = COLUMNS.iter().map(|column| (column.title, column.width)).collect();
    for (name, columns, rows) in [
        ("Not passing", columns.as_slice(), not_passing),
        ("Requirements", columns.as_slice(), requirements),
        ("Evidence", &evidence::COLUMNS, evidence::rows(run)),
        ("Vantages", &evidence::VANTAGES, evidence::vantages(run)),
    ] {
        write_rows(workbook.add_worksheet().set_name(name)?, name, columns, &rows)?;
    }
    workbook.save_to_buffer()
}

fn write_summary(sheet: &mut Worksheet, summary: &Summary, run: &Run) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let title = Format::new().set_bold().set_font_size(14);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_column_width(0, 34)?.set_column_width(1, 14)?.set_column_width(2, 14)?.set_column_width(3, 90)?;
    sheet.write_string_with_format(0, 0, printable(&summary.title, CELL), &title)?;
    let mut at = 2;
    for (name, value) in &summary.about {
        sheet.write_string_with_format(at, 0, *name, &bold)?;
        sheet.write_string(at, 1, printable(value, CELL))?;
        at += 1;
    }
    at += 1;
    for (column, name) in (0..).zip(["verdict", "required", "advisory", "meaning"]) {
        sheet.write_string_with_format(at, column, name, &bold)?;
    }
    for verdict in Verdict::ALL {
        at += 1;
        sheet.write_string(at, 0, verdict.title())?;
        for (column, grade) in [(1, Grade::Required), (2, Grade::Advisory)] {
            sheet.write_number(at, column, number(run.outcome.tally.count(grade, verdict)))?;
        }
        sheet.write_string_with_format(at, 3, super::words::meaning(verdict), &wrapped)?;
    }
    let waivers = run.waivers.iter().flat_map(|applied| &applied.findings);
    let waivers: Vec<String> = waivers.map(|finding| format!("{}: {}", finding.waiver, finding.text)).collect();
    for (name, lines) in [
        ("why it is incomplete", &summary.incomplete),
        ("limits of this report", &summary.limits),
        ("waivers to be looked at", &waivers),
    ] {
        if lines.is_empty() {
            continue;
        }
        at += 2;
        sheet.write_string_with_format(at, 0, name, &bold)?;
        for line in lines {
            at += 1;
            sheet.write_string(at, 0, printable(line, CELL))?;
        }
    }
    Ok(())
}

/// A table with filters; the titles stay in sight.
fn write_rows(sheet: &mut Worksheet, name: &str, titles: &[(&str, u16)], rows: &[Vec<Cell>]) -> Result<(), XlsxError> {
    let last = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let columns: Vec<TableColumn> = titles.iter().map(|(title, _)| TableColumn::new().set_header(*title)).collect();
    let width = u16::try_from(titles.len() - 1).unwrap_or(u16::MAX);
    // A table of no rows is none; one empty row stands for them. Its name is that of the sheet, without blanks.
    let name: String = name.split(' ').map(capital).collect();
    sheet.add_table(0, 0, last.max(1), width, &Table::new().set_name(name).set_columns(&columns))?;
    sheet.set_freeze_panes(1, 0)?;
    let date = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (at, (_, width)) in (0..).zip(titles) {
        sheet.set_column_width(at, *width)?;
    }
    for (line, row) in (1..).zip(rows) {
        for (at, cell) in (0..).zip(row) {
            write_cell(sheet, line, at, cell, &date)?;
        }
    }
    Ok(())
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

fn write_cell(sheet: &mut Worksheet, line: u32, at: u16, cell: &Cell, date: &Format) -> Result<(), XlsxError> {
    match cell {
        // A string is never taken for a formula, a link or a number.
        Cell::Text(text) => sheet.write_string(line, at, text)?,
        Cell::Number(number) => sheet.write_number(line, at, *number)?,
        // A certificate may say any year; not every one is a date to a workbook.
        Cell::Moment(at_moment) => match moment(*at_moment) {
            Ok(moment) => sheet.write_datetime_with_format(line, at, moment, date)?,
            Err(_) => sheet.write_string(line, at, at_moment.to_string())?,
        },
        Cell::Empty => sheet,
    };
    Ok(())
}

/// Whole seconds, in UTC. A moment that no workbook knows (before 1900) is an error.
pub(super) fn moment(moment: Timestamp) -> Result<ExcelDateTime, XlsxError> {
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let part = |number: i8| u8::try_from(number).unwrap_or(0);
    let year = u16::try_from(moment.year()).unwrap_or(0);
    ExcelDateTime::from_ymd(year, part(moment.month()), part(moment.day()))?.and_hms(
        part(moment.hour()).into(),
        part(moment.minute()),
        part(moment.second()),
    )
}

pub(super) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
