//! The quarterly report as a workbook: a sheet for each section.

use rust_xlsxwriter::{DocProperties, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::super::xlsx::{moment, number};
use super::QuarterReport;
use super::section::{Block, CELL, Cell, Section};
use crate::text::printable;

/// Columns are no wider, in characters.
const WIDEST: usize = 70;

pub(super) fn render(report: &QuarterReport) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let created = moment(report.made_from)?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title(printable(&report.title, 250))
            .set_author("cmcomply")
            .set_creation_datetime(&created),
    );
    for section in &report.sections {
        // Longer names are refused.
        let name: String = format!("{} {}", section.number, section.title).chars().take(31).collect();
        write(workbook.add_worksheet().set_name(name)?, report, section)?;
    }
    workbook.save_to_buffer()
}

fn write(sheet: &mut Worksheet, report: &QuarterReport, section: &Section) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let title = Format::new().set_bold().set_font_size(14);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    let safe = |text: &str| printable(text, CELL);
    sheet.write_string_with_format(0, 0, safe(&report.title), &bold)?;
    sheet.write_string_with_format(1, 0, section.title, &title)?;
    let mut at = 3;
    let mut widths: Vec<usize> = vec![18];
    let mut widen = |column: usize, text: &str| {
        widths.resize(widths.len().max(column + 1), 10);
        widths[column] = widths[column].max(text.chars().count() + 2).min(WIDEST);
    };
    for block in &section.blocks {
        match block {
            Block::Text(text) => {
                sheet.write_string(at, 0, safe(text))?;
                at += 1;
            }
            Block::Alert(text) => {
                sheet.write_string_with_format(at, 0, safe(&format!("ATTENTION: {text}")), &bold)?;
                at += 1;
            }
            Block::List(items) => {
                for item in items {
                    sheet.write_string(at, 0, safe(item))?;
                    at += 1;
                }
            }
            Block::Facts(facts) => {
                for (name, value) in facts {
                    widen(0, name);
                    sheet.write_string_with_format(at, 0, *name, &bold)?.write_string(at, 1, safe(value))?;
                    at += 1;
                }
            }
            Block::Lines(lines) => {
                for line in lines {
                    sheet.write_string_with_format(at, 0, *line, &bold)?;
                    at += 1;
                }
            }
            // Its numbers are in the table.
            Block::Trend(_) => {}
            Block::Table { caption, columns, rows } => {
                sheet.write_string(at, 0, safe(caption))?;
                at += 1;
                for (column, title) in (0..).zip(columns) {
                    widen(usize::from(column), title);
                    sheet.write_string_with_format(at, column, *title, &bold)?;
                }
                for row in rows {
                    at += 1;
                    for (column, cell) in (0..).zip(row) {
                        widen(usize::from(column), &cell.to_string());
                        match cell {
                            Cell::Number(count) => sheet.write_number(at, column, number(*count))?,
                            // A string is never taken for a formula.
                            Cell::Text(text) => sheet.write_string_with_format(at, column, safe(text), &wrapped)?,
                        };
                    }
                }
                at += 2;
            }
        }
    }
    for (column, width) in (0..).zip(widths) {
        sheet.set_column_width(column, u16::try_from(width).unwrap_or(u16::MAX))?;
    }
    Ok(())
}
